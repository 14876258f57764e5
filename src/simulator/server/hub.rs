//! Where the conductor's messages meet the streams. One lock makes every step whole: a filter is replaced, a slot frozen,
//! a replay queued between two messages and never within one.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prost_types::Timestamp;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::Instant,
};
use tonic::Status;
use yellowstone_grpc_proto::geyser::{CommitmentLevel, SlotStatus, SubscribeRequest};

use super::{
    faults::{Ending, Faults},
    filters::Filter,
    frame::Frame,
    limits::SubscribeLimit,
    message::{Facts, Message, Slot, timestamp},
    open::{Cut, Open, Outlet},
    oracle::{Oracle, OracleEntry, OracleEvent},
    ring::{FrozenSlot, Ring},
    settings::{Pace, ServerSettings},
    stats::Stats,
    stream::FrameStream,
};
use crate::simulator::fault::Fault;

/// At [`Pace::Max`] the conductor stops when a client is this many updates behind,
const HIGH_WATER: usize = 4_096;
/// and goes on when it has come down to this.
pub(super) const LOW_WATER: usize = 1_024;
/// Slots that may be open at a time in a recording.
const OPEN_SLOTS: usize = 256;

/// The shared state of a server.
pub(super) struct Hub {
    pub(super) settings: ServerSettings,
    pub(super) stats: watch::Sender<Stats>,
    pub(super) faults: Option<Arc<Faults>>,
    state: Mutex<State>,
    room: Notify,
}

pub(super) struct State {
    streams: Vec<Open>,
    ring: Ring,
    /// Data of slots that are not frozen yet.
    open: BTreeMap<u64, Vec<Message>>,
    ended: bool,
    next_stream: u64,
    per_subscriber: HashMap<String, u32>,
    limit: Option<SubscribeLimit>,
    oracle: Oracle,
    sent: u64,
    lagged: u64,
    scratch: Vec<Frame>,
}

impl Hub {
    pub(super) fn new(settings: ServerSettings) -> Self {
        let least = settings.finalized_after + 1;
        let state = State {
            streams: Vec::new(),
            ring: Ring::new(settings.replay_slots, least, settings.replay_bytes),
            open: BTreeMap::new(),
            ended: false,
            next_stream: 1,
            per_subscriber: HashMap::new(),
            limit: settings.subscribe_limit.map(SubscribeLimit::new),
            oracle: Oracle::new(settings.oracle.clone(), settings.clock),
            sent: 0,
            lagged: 0,
            scratch: Vec::new(),
        };
        let faults = settings.faults.clone().map(|plan| Arc::new(Faults::new(plan)));
        Self {
            settings,
            stats: watch::Sender::new(Stats::default()),
            faults,
            state: Mutex::new(state),
            room: Notify::new(),
        }
    }

    /// The server's time of day.
    pub(super) fn now(&self) -> Timestamp {
        timestamp((self.settings.clock)())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call that was refused before it reached a stream.
    pub(super) fn refused(&self, status: &Status) {
        self.lock().oracle.note(OracleEvent::Refused { code: status.code(), message: status.message().to_owned() });
    }

    /// Opens a stream for a subscriber. The receiver resolves when the stream is gone.
    pub(super) fn open(
        self: &Arc<Self>,
        subscriber: String,
        remote: Option<SocketAddr>,
        hello: Frame,
    ) -> Result<(FrameStream, oneshot::Receiver<()>), Status> {
        self.stats.send_modify(|stats| stats.subscribe_calls += 1);
        let mut connection = None;
        let mut ending = None;
        if let Some(faults) = &self.faults {
            faults.begin();
            connection = remote.and_then(|remote| faults.numbered(remote.port()));
            if let Some(status) = faults.refusal(connection) {
                return Err(status);
            }
            ending = faults.ending(connection);
        }
        let mut state = self.lock();
        if let Some(limit) = &mut state.limit
            && !limit.admit(&subscriber, Instant::now())
        {
            return Err(Status::resource_exhausted("rate limit exceeded"));
        }
        let count = state.per_subscriber.entry(subscriber.clone()).or_insert(0);
        if self.settings.max_streams.is_some_and(|most| *count >= most) {
            return Err(Status::resource_exhausted("max subscription limit exceeded"));
        }
        *count += 1;
        let id = state.next_stream;
        state.next_stream += 1;
        let (sender, frames) = mpsc::unbounded_channel();
        let (alive, gone) = oneshot::channel();
        let at_once = ending.take_if(|ending| ending.after == 0);
        let open = Open::new(id, sender, connection, ending);
        let stream = FrameStream {
            id,
            subscriber,
            connection,
            stall: None,
            frames,
            depth: open.depth.clone(),
            hub: Arc::clone(self),
            _alive: alive,
        };
        state.oracle.note(OracleEvent::Subscribed { stream: id, connection });
        if at_once.is_none() {
            open.push(hello);
        }
        if !state.ended {
            state.streams.push(open);
        }
        if let Some(Ending { status, .. }) = at_once {
            state.end_stream(id, status);
        }
        drop(state);
        self.stats.send_modify(|stats| stats.open_streams += 1);
        Ok((stream, gone))
    }

    /// A stream was drained to its end or dropped.
    pub(super) fn gone(&self, id: u64, subscriber: &str) {
        let mut state = self.lock();
        state.streams.retain(|stream| stream.id != id);
        if let Some(count) = state.per_subscriber.get_mut(subscriber) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.per_subscriber.remove(subscriber);
            }
        }
        state.oracle.note(OracleEvent::Closed { stream: id });
        drop(state);
        self.stats.send_modify(|stats| stats.open_streams = stats.open_streams.saturating_sub(1));
        self.wake_conductor();
    }

    /// Queues an update that belongs to no filter.
    pub(super) fn send(&self, id: u64, frame: Frame) {
        self.lock().send(id, frame);
    }

    /// Ends a stream behind what is queued, cleanly or with an error.
    pub(super) fn end_stream(&self, id: u64, error: Option<Status>) {
        self.lock().end_stream(id, error);
    }

    /// Puts a request into effect: filters replaced, replay queued.
    pub(super) fn apply(&self, id: u64, request: SubscribeRequest) {
        let from_slot = request.from_slot;
        let compiled = Filter::compile(request.clone(), &self.settings.filter_limits);
        let mut state = self.lock();
        let Some(place) = state.streams.iter().position(|stream| stream.id == id) else { return };
        let filter = match compiled {
            Ok(filter) => filter,
            Err(error) => {
                let status = Status::invalid_argument(format!("failed to create filter: {error}"));
                return state.end_stream(id, Some(status));
            }
        };
        // Streams that ask for the same share one compiled filter, so that each message is matched once for all of them.
        let twin = state.streams.iter().find(|stream| stream.filter.request == filter.request);
        let filter = twin.map_or_else(|| Arc::new(filter), |twin| Arc::clone(&twin.filter));
        state.oracle.note(OracleEvent::Applied { stream: id, request: Box::new(request) });
        let first = state.streams.get(place).is_some_and(|stream| !stream.started);
        let from_slot = from_slot.filter(|_| first || self.settings.replays_later);
        if from_slot.is_some() && self.faults.as_ref().is_some_and(|faults| faults.replay_is_gone()) {
            state.ring.forget();
        }
        if let Some(from_slot) = from_slot
            && let Err(status) = state.replay(place, &filter, from_slot, self.now())
        {
            return state.end_stream(id, Some(status));
        }
        let Some(stream) = state.streams.get_mut(place) else { return };
        let starts = !stream.started && !filter.is_empty();
        stream.started |= starts;
        stream.filter = filter;
        drop(state);
        self.stats.send_modify(|stats| {
            stats.requests_applied += 1;
            stats.streams_started += usize::from(starts);
        });
    }

    /// Something happened in a slot: told to processed streams now, kept for the others.
    pub(super) fn execute(&self, slot: u64, message: Message) {
        let mut state = self.lock();
        state.broadcast(&message, Some(CommitmentLevel::Processed), self);
        if let Some(frozen) = state.ring.get_mut(slot) {
            frozen.data.push(message);
        } else {
            state.open.entry(slot).or_default().push(message);
            if state.open.len() > OPEN_SLOTS {
                state.open.pop_first();
            }
        }
    }

    /// Everything but the newest slot is gone from the replay.
    pub(super) fn forget_replay(&self) {
        self.lock().ring.forget();
    }

    /// Does something to every stream that a fault hits.
    pub(super) fn strike(&self, fault: &Fault, strike: impl Fn(&mut State, u64)) {
        let mut state = self.lock();
        let hit = state.streams.iter().filter(|stream| fault.hits(stream.connection));
        for id in hit.map(|stream| stream.id).collect::<Vec<_>>() {
            strike(&mut state, id);
        }
    }

    /// An open slot dies: its data is forgotten.
    pub(super) fn kill(&self, slot: u64, parent: Option<u64>) {
        let mut state = self.lock();
        state.open.remove(&slot);
        state.oracle.note(OracleEvent::Dead { slot });
        state.broadcast(
            &Message::Slot(Slot { slot, parent, status: SlotStatus::SlotDead, created_at: self.now() }),
            None,
            self,
        );
    }

    /// Tells every stream about a slot.
    pub(super) fn status(&self, slot: Slot) {
        self.lock().broadcast(&Message::Slot(slot), None, self);
    }

    /// How many transactions of an open slot were executed so far.
    pub(super) fn executed(&self, slot: u64) -> u64 {
        let state = self.lock();
        let data = state.open.get(&slot).map(Vec::as_slice).unwrap_or_default();
        data.iter().filter(|message| matches!(message, Message::Transaction(_))).count() as u64
    }

    /// Whether a slot is frozen.
    pub(super) fn is_frozen(&self, slot: u64) -> bool {
        self.lock().ring.get(slot).is_some()
    }

    /// Tells processed streams a block's meta.
    pub(super) fn block_meta(&self, meta: &Message) {
        self.lock().broadcast(meta, Some(CommitmentLevel::Processed), self);
    }

    /// Completes a slot and tells that it was processed.
    pub(super) fn freeze(&self, mut frozen: FrozenSlot) {
        let mut state = self.lock();
        frozen.data = state.open.remove(&frozen.slot).unwrap_or_default();
        last_writes(&mut frozen.data);
        let status = Slot {
            slot: frozen.slot,
            parent: frozen.parent,
            status: SlotStatus::SlotProcessed,
            created_at: self.now(),
        };
        state.ring.push(frozen);
        state.broadcast(&Message::Slot(status), None, self);
        let (sent, lagged) = (state.sent, state.lagged);
        drop(state);
        self.stats.send_modify(|stats| {
            (stats.updates_sent, stats.lagged) = (sent, lagged);
            stats.slot = Some(status.slot);
            stats.slots_frozen += 1;
        });
    }

    /// A slot has reached a commitment: its data goes to the streams that wait for it, then, if asked, its status to all.
    pub(super) fn reach(&self, slot: u64, level: CommitmentLevel, tell: bool) {
        let mut state = self.lock();
        // The slot leaves the ring's hands for the length of the broadcast.
        let Some(frozen) = state.ring.get_mut(slot).filter(|frozen| frozen.level < level) else { return };
        frozen.level = level;
        let parent = frozen.parent;
        let (data, meta) = (mem::take(&mut frozen.data), frozen.meta.take());
        for message in data.iter().chain(&meta) {
            state.broadcast(message, Some(level), self);
        }
        if let Some(frozen) = state.ring.get_mut(slot) {
            (frozen.data, frozen.meta) = (data, meta);
        }
        let status = match level {
            CommitmentLevel::Processed => SlotStatus::SlotProcessed,
            CommitmentLevel::Confirmed => SlotStatus::SlotConfirmed,
            CommitmentLevel::Finalized => SlotStatus::SlotFinalized,
        };
        if tell {
            state.broadcast(&Message::Slot(Slot { slot, parent, status, created_at: self.now() }), None, self);
        }
    }

    /// The slots that have not reached this level, oldest first.
    pub(super) fn below(&self, level: CommitmentLevel) -> Vec<u64> {
        self.lock().ring.iter().filter(|frozen| frozen.level < level).map(|frozen| frozen.slot).collect()
    }

    /// Nothing will follow: every stream ends when it is drained.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.streams.clear();
        let (sent, lagged) = (state.sent, state.lagged);
        drop(state);
        self.stats.send_modify(|stats| {
            (stats.updates_sent, stats.lagged) = (sent, lagged);
            stats.ended = true;
        });
    }

    /// At [`Pace::Max`]: waits until no client is far behind.
    pub(super) async fn room(&self) {
        let behind = |mark| self.lock().streams.iter().any(|stream| stream.depth.get() > mark);
        if behind(HIGH_WATER) {
            while behind(LOW_WATER) {
                self.room.notified().await;
            }
        }
    }

    pub(super) fn wake_conductor(&self) {
        self.room.notify_one();
    }

    /// Reads the ring.
    pub(super) fn ring<T>(&self, read: impl FnOnce(&Ring) -> T) -> T {
        let mut state = self.lock();
        if self.faults.as_ref().is_some_and(|faults| faults.replay_is_gone()) {
            state.ring.forget();
        }
        read(&state.ring)
    }

    pub(super) fn oracle(&self) -> Vec<OracleEntry> {
        self.lock().oracle.entries()
    }

    /// The counters, exact at this moment.
    pub(super) fn snapshot(&self) -> Stats {
        let state = self.lock();
        Stats { updates_sent: state.sent, lagged: state.lagged, ..*self.stats.borrow() }
    }
}

impl State {
    fn end_stream(&mut self, id: u64, error: Option<Status>) {
        let Some(place) = self.streams.iter().position(|stream| stream.id == id) else { return };
        let mut stream = self.streams.remove(place);
        stream.give_up(&self.oracle);
        if let Some(status) = error {
            self.oracle.note(OracleEvent::Cut {
                stream: id,
                code: status.code(),
                message: status.message().to_owned(),
            });
            // Refused only when the client is gone already.
            let _ = stream.frames.send(Err(status));
        }
    }

    fn send(&self, id: u64, frame: Frame) {
        if let Some(stream) = self.streams.iter().find(|stream| stream.id == id) {
            stream.push(frame);
        }
    }

    /// Queues an update of the fault plan's own making.
    pub(super) fn push_bare(&mut self, id: u64, frame: Frame) {
        self.oracle.update(id, frame.kind, &Facts::default(), "sent");
        self.send(id, frame);
    }

    /// Ends a stream after so many more updates.
    pub(super) fn end_after(&mut self, id: u64, ending: Ending) {
        if ending.after == 0 {
            self.end_stream(id, ending.status);
        } else if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
            stream.ending = Some(ending);
        }
    }

    /// Queues a message on every stream whose filter matches; `lane` restricts it to the streams of one commitment.
    fn broadcast(&mut self, message: &Message, lane: Option<CommitmentLevel>, hub: &Hub) {
        let mut frames = mem::take(&mut self.scratch);
        let mut matched: Option<Arc<Filter>> = None;
        let mut cuts = Vec::new();
        let facts = message.facts();
        let mut out = Outlet {
            capacity: if hub.settings.pace == Pace::Max { usize::MAX } else { hub.settings.channel_capacity },
            faults: hub.faults.as_deref(),
            oracle: &self.oracle,
            sent: &mut self.sent,
        };
        for stream in &mut self.streams {
            if lane.is_some_and(|lane| lane != stream.filter.commitment) {
                continue;
            }
            if !matched.as_ref().is_some_and(|last| Arc::ptr_eq(last, &stream.filter)) {
                frames.clear();
                stream.filter.frames(message, &mut frames);
                matched = Some(Arc::clone(&stream.filter));
            }
            if !frames.is_empty()
                && let Err(cut) = stream.offer(message, &facts, &frames, &mut out)
            {
                cuts.push((stream.id, cut));
            }
        }
        frames.clear();
        self.scratch = frames;
        for (id, cut) in cuts {
            match cut {
                Cut::Lagged => {
                    self.lagged += 1;
                    self.end_stream(id, Some(Status::internal("lagged to send an update")));
                }
                Cut::Planned(status) => self.end_stream(id, status),
            }
        }
    }

    /// Queues the frozen slots from `from_slot` on.
    fn replay(&mut self, place: usize, filter: &Filter, from_slot: u64, now: Timestamp) -> Result<(), Status> {
        let Some(stream) = self.streams.get(place) else { return Ok(()) };
        let mut frames = Vec::new();
        let mut queue = |message: &Message| {
            filter.frames(message, &mut frames);
            let facts = message.facts();
            for frame in frames.drain(..) {
                self.oracle.update(stream.id, frame.kind, &facts, "replayed");
                stream.push(frame);
                self.sent += 1;
            }
        };
        for frozen in self.ring.replay(from_slot, filter.commitment)? {
            frozen.messages().for_each(&mut queue);
            frozen.statuses(now).for_each(|status| queue(&status));
        }
        Ok(())
    }
}

/// Keeps of each account only the last write, as the real server does for everything but live processed data.
fn last_writes(data: &mut Vec<Message>) {
    let mut seen = HashSet::new();
    let mut keep: Vec<bool> = data
        .iter()
        .rev()
        .map(|message| match message {
            Message::Account(account) => seen.insert(account.info.pubkey.clone()),
            _ => true,
        })
        .collect();
    data.retain(|_| keep.pop().unwrap_or(true));
}
