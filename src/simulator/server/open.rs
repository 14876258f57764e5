//! A stream that data is still queued for: what it is offered, and what the fault plan makes of it.

use std::sync::Arc;

use tokio::sync::mpsc;
use tonic::Status;

use super::{
    faults::{Choices, Ending, Fate, Faults},
    filters::Filter,
    frame::Frame,
    message::{Facts, Message},
    oracle::Oracle,
    stream::Depth,
};

/// See the module.
pub(super) struct Open {
    pub(super) id: u64,
    pub(super) filter: Arc<Filter>,
    /// Whether it has asked for anything yet.
    pub(super) started: bool,
    pub(super) frames: mpsc::UnboundedSender<Result<Frame, Status>>,
    pub(super) depth: Depth,
    /// The number of its connection, where a fault plan has them counted.
    pub(super) connection: Option<usize>,
    /// How the fault plan ends it.
    pub(super) ending: Option<Ending>,
    choices: Choices,
    /// Updates that the fault plan puts behind their successor.
    held: Option<(Facts, Vec<Frame>)>,
}

/// What a stream's updates pass on their way.
pub(super) struct Outlet<'a> {
    /// Updates the client may be behind.
    pub(super) capacity: usize,
    pub(super) faults: Option<&'a Faults>,
    pub(super) oracle: &'a Oracle,
    pub(super) sent: &'a mut u64,
}

/// A stream is to end: cleanly or with this.
pub(super) enum Cut {
    /// Its client is too slow.
    Lagged,
    /// The fault plan says so.
    Planned(Option<Status>),
}

impl Open {
    pub(super) fn new(
        id: u64,
        frames: mpsc::UnboundedSender<Result<Frame, Status>>,
        connection: Option<usize>,
        ending: Option<Ending>,
    ) -> Self {
        Self {
            id,
            filter: Arc::new(Filter::nothing()),
            started: false,
            frames,
            depth: Depth::default(),
            connection,
            ending,
            choices: Choices::default(),
            held: None,
        }
    }

    /// Queues an update.
    pub(super) fn push(&self, frame: Frame) {
        self.depth.grow();
        // Refused only when the client has dropped the stream, which its own end notes.
        let _ = self.frames.send(Ok(frame));
    }

    /// Takes the updates that a message gives on this stream.
    pub(super) fn offer(
        &mut self,
        message: &Message,
        facts: &Facts,
        frames: &[Frame],
        out: &mut Outlet<'_>,
    ) -> Result<(), Cut> {
        let data = message.is_data();
        let fate = out.faults.map_or(Fate::Sent, |faults| faults.fate(self.connection, &mut self.choices, data));
        match fate {
            Fate::Dropped => {
                self.note(out.oracle, facts, frames, "dropped");
                return Ok(());
            }
            Fate::Later if self.held.is_none() => {
                self.held = Some((*facts, frames.to_vec()));
                return Ok(());
            }
            Fate::Sent | Fate::Twice | Fate::Later => {}
        }
        // What ends a slot never passes its data.
        if !data {
            self.release(out)?;
        }
        self.queue(facts, frames, out)?;
        if fate == Fate::Twice {
            self.queue(facts, frames, out)?;
        }
        self.release(out)
    }

    fn release(&mut self, out: &mut Outlet<'_>) -> Result<(), Cut> {
        match self.held.take() {
            Some((facts, frames)) => self.queue(&facts, &frames, out),
            None => Ok(()),
        }
    }

    fn queue(&mut self, facts: &Facts, frames: &[Frame], out: &mut Outlet<'_>) -> Result<(), Cut> {
        for (place, frame) in frames.iter().enumerate() {
            let unsent = frames.get(place..).unwrap_or_default();
            if self.depth.get() >= out.capacity {
                self.note(out.oracle, facts, unsent, "lagged");
                return Err(Cut::Lagged);
            }
            if let Some(ending) = self.ending.take_if(|ending| ending.after == 0) {
                self.note(out.oracle, facts, unsent, "cut");
                return Err(Cut::Planned(ending.status));
            }
            self.push(frame.clone());
            out.oracle.update(self.id, frame.kind, facts, "sent");
            *out.sent += 1;
            if let Some(ending) = &mut self.ending {
                ending.after -= 1;
            }
        }
        // The end follows its last update at once.
        match self.ending.take_if(|ending| ending.after == 0) {
            Some(ending) => Err(Cut::Planned(ending.status)),
            None => Ok(()),
        }
    }

    fn note(&self, oracle: &Oracle, facts: &Facts, frames: &[Frame], fate: &'static str) {
        for frame in frames {
            oracle.update(self.id, frame.kind, facts, fate);
        }
    }

    /// Notes what is kept back and will not be sent any more.
    pub(super) fn give_up(&mut self, oracle: &Oracle) {
        if let Some((facts, frames)) = self.held.take() {
            self.note(oracle, &facts, &frames, "cut");
        }
    }
}
