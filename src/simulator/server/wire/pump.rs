//! One direction of a connection: bytes in, what the plan makes of them out.

use std::{collections::HashMap, future::pending, io, pin::pin, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    select,
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep_until},
};

use super::{
    End, due,
    frames::{Frames, NO_ERROR, goaway},
};
use crate::simulator::{fault::FaultKind, server::faults::Faults};

/// Bytes read at a time.
const PIECE: usize = 16 << 10;
/// Pieces on their way. When they are delayed this bounds the rate; in a blackhole the sender is held back.
const PIECES: usize = 256;
/// A slowed connection gets its bytes in about this many pieces a second.
const PER_SECOND: u64 = 20;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the service.
    Up,
    /// To the client.
    Down,
}

/// See the module.
pub(super) struct Pump<'a> {
    faults: &'a Faults,
    number: usize,
    way: Way,
    since: Instant,
    random: fastrand::Rng,
    frames: Frames,
    farewell: Option<Farewell>,
    /// Bytes that have passed under a reset that counts them, by its place in the plan.
    counted: HashMap<usize, u64>,
    /// When the slowed connection has room again.
    paid: Instant,
}

/// A GOAWAY to come, or the close after one.
#[derive(Clone, Copy)]
enum Farewell {
    Goaway { at: Instant, code: u32, grace: Option<Duration> },
    Close { at: Instant },
}

impl<'a> Pump<'a> {
    pub(super) fn new(faults: &'a Faults, number: usize, way: Way) -> Self {
        let now = Instant::now();
        let own = (number as u64) << 1 | u64::from(way == Way::Up);
        Self {
            faults,
            number,
            way,
            since: now,
            random: fastrand::Rng::with_seed(faults.seed() ^ own.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            frames: Frames::default(),
            farewell: None,
            counted: HashMap::new(),
            paid: now,
        }
    }

    /// Relays until one side ends; an error is a reset.
    pub(super) async fn run(
        mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> Result<(), End> {
        let (pieces, queue) = mpsc::channel(PIECES);
        let reading = async move {
            let mut buffer = vec![0; PIECE];
            // A broken connection ends like a closed one: the other side is told.
            while let Ok(length @ 1..) = from.read(&mut buffer).await {
                let piece = buffer.get(..length).unwrap_or_default().to_vec();
                if pieces.send((Instant::now(), piece)).await.is_err() {
                    break;
                }
            }
        };
        let writing = async {
            if self.write(queue, &mut to).await.is_ok_and(|end| end == End::Reset) {
                return Err(End::Reset);
            }
            // Refused when the other side has gone first.
            let _ = to.shutdown().await;
            Ok(())
        };
        let mut writing = pin!(writing);
        select! {
            biased;
            end = &mut writing => end,
            () = reading => writing.await,
        }
    }

    async fn write(
        &mut self,
        mut queue: mpsc::Receiver<(Instant, Vec<u8>)>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<End> {
        let mut planned = pin!(planned(self.faults, self.number, self.way));
        let mut asked = false;
        let mut arrives = self.since;
        loop {
            select! {
                biased;
                farewell = &mut planned, if !asked => {
                    asked = true;
                    self.farewell = farewell;
                }
                () = alarm(self.alarm()) => {}
                piece = queue.recv() => {
                    let Some((read, mut bytes)) = piece else { return Ok(End::Closed) };
                    arrives = arrives.max(read + self.delay());
                    sleep_until(arrives).await;
                    let reset = self.until_reset(bytes.len());
                    bytes.truncate(reset.unwrap_or(usize::MAX));
                    // A GOAWAY that is due waits for the end of the frame under way only.
                    let frame = if self.is_due() { self.frames.rest(&bytes) } else { 0 };
                    let (before, after) = bytes.split_at(frame);
                    self.pass(before, to).await?;
                    if self.part(to).await? {
                        return Ok(End::Closed);
                    }
                    self.pass(after, to).await?;
                    if reset.is_some() {
                        return Ok(End::Reset);
                    }
                }
            }
            if self.part(to).await? {
                return Ok(End::Closed);
            }
        }
    }

    /// When to look after the farewell: not while it waits for the end of a frame.
    fn alarm(&self) -> Option<Instant> {
        match self.farewell? {
            Farewell::Goaway { .. } if self.is_due() => None,
            Farewell::Goaway { at, .. } | Farewell::Close { at } => Some(at),
        }
    }

    fn is_due(&self) -> bool {
        self.farewell.is_some_and(|farewell| {
            let (Farewell::Goaway { at, .. } | Farewell::Close { at }) = farewell;
            at <= Instant::now()
        })
    }

    /// Says farewell, if it is time and no frame is under way; whether the connection is to be closed.
    async fn part(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
        if !self.is_due() {
            return Ok(false);
        }
        match self.farewell {
            Some(Farewell::Goaway { code, grace, .. }) if self.frames.between() => {
                to.write_all(&goaway(code)).await?;
                to.flush().await?;
                self.farewell = grace.map(|grace| Farewell::Close { at: Instant::now() + grace });
                Ok(code != NO_ERROR)
            }
            Some(Farewell::Close { .. }) => Ok(true),
            _ => Ok(false),
        }
    }

    /// Writes bytes as the plan allows.
    async fn pass(&mut self, mut bytes: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        while !bytes.is_empty() {
            self.held_back().await;
            let (mut size, mut rate) = (bytes.len(), None);
            for (_, fault) in self.faults.lasting(Some(self.number)) {
                match fault.kind {
                    FaultKind::Slice { bytes } => size = size.min(bytes),
                    FaultKind::Rate { bytes_per_s } if self.way == Way::Down => {
                        size = size.min(usize::try_from(bytes_per_s.div_ceil(PER_SECOND)).unwrap_or(usize::MAX));
                        rate = Some(rate.unwrap_or(u64::MAX).min(bytes_per_s));
                    }
                    _ => {}
                }
            }
            let (piece, rest) = bytes.split_at(size.clamp(1, bytes.len()));
            to.write_all(piece).await?;
            if self.way == Way::Down {
                self.frames.follow(piece);
            }
            if let Some(rate) = rate {
                let cost = Duration::from_secs(piece.len() as u64).checked_div(u32::try_from(rate).unwrap_or(u32::MAX));
                self.paid = self.paid.max(Instant::now()) + cost.unwrap_or_default();
                sleep_until(self.paid).await;
            } else if !rest.is_empty() {
                yield_now().await;
            }
            bytes = rest;
        }
        to.flush().await
    }

    /// Waits while a blackhole swallows this direction.
    async fn held_back(&self) {
        loop {
            let began = self.faults.started();
            let mut holes = self.faults.lasting(Some(self.number)).filter(|(_, fault)| match fault.kind {
                FaultKind::Blackhole { down, up } => (down && self.way == Way::Down) || (up && self.way == Way::Up),
                _ => false,
            });
            let (Some((_, hole)), Some(began)) = (holes.next(), began) else { return };
            sleep_until(began + hole.end()).await;
        }
    }

    /// How much later bytes read now arrive.
    fn delay(&mut self) -> Duration {
        let mut sum = Duration::ZERO;
        for (_, fault) in self.faults.lasting(Some(self.number)) {
            if let FaultKind::Delay { by, jitter } = fault.kind {
                sum += by.saturating_sub(jitter) + (jitter * 2).mul_f64(self.random.f64());
            }
        }
        sum
    }

    /// Counts bytes to the client; how many of these still pass before a reset.
    fn until_reset(&mut self, length: usize) -> Option<usize> {
        let began = self.faults.started()?;
        let now = Instant::now();
        for (place, fault) in self.faults.of(Some(self.number)) {
            let FaultKind::Reset { after_bytes } = fault.kind else { continue };
            let at = began + fault.at;
            let meets = self.since <= at || self.since < began + fault.end();
            if after_bytes == 0 || self.way == Way::Up || now < at || !meets {
                continue;
            }
            let passed = self.counted.entry(place).or_default();
            let left = after_bytes.saturating_sub(*passed);
            *passed += length as u64;
            if left <= length as u64 {
                return usize::try_from(left).ok();
            }
        }
        None
    }
}

/// The first GOAWAY that the plan has for this connection.
async fn planned(faults: &Faults, number: usize, way: Way) -> Option<Farewell> {
    if way == Way::Up {
        return None;
    }
    let at = due(faults, number, |kind| matches!(kind, FaultKind::Goaway { .. })).await?;
    let began = faults.began().await;
    let mut found = faults.of(Some(number)).filter(|(_, fault)| began + fault.at == at);
    found.find_map(|(_, fault)| match fault.kind {
        FaultKind::Goaway { code, grace } => Some(Farewell::Goaway { at, code, grace }),
        _ => None,
    })
}

async fn alarm(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
