//! What was missed while a stream was down, and how it is fetched: a plain state machine per connection.
//!
//! Two steps, because a replay holds finished slots only: the new stream is live at once, and when its first slot is
//! finished, the same stream is asked for everything from the first unfinished slot before the break on. The slot in
//! progress at the join is finished by then, so nothing is left out (measured against yellowstone-grpc 15.1.2).
//!
//! A server may take no notice of a `from_slot` in a later request (so says the documentation of client 17). It is found
//! out: frames bear the mark of the request, and no replay comes. Then, and for as long as the connection stays there, a
//! second stream is opened for the replay, beside the live one, and closed when the replay is complete.

mod refused;

use std::collections::BTreeSet;

use super::{
    checkpoint::Resume,
    policy::Class,
    status::{Gap, GapCause},
};

/// Slots that may be open at a time; of more, the oldest are given up.
const MAX_OPEN: usize = 64;
/// A slot further than this from the newest finished one is no slot of this chain.
const MAX_JUMP: u64 = 100_000;
/// So many such slots in a row, and it is a chain after all: another cluster, or a recording.
const NEW_CHAIN: u32 = 16;
/// So many new slots without the end of the replay, and it will not come.
const IGNORED_AFTER: u32 = 32;
/// So many after the server has taken the request: a replay comes before what is live.
const IGNORED_WHEN_TAKEN: u32 = 4;
/// How often one outage is asked for.
const MAX_TRIES: u32 = 3;
/// Slots that the oldest a server has is left to move on before a request for it arrives; twice as many with each try.
const HEADWAY: u64 = 4;
/// How often the server may have nothing to replay.
const MAX_EMPTY: u32 = 2;
/// A checkpoint this much ahead of the chain is none of this chain; servers are behind one another by less.
const AHEAD: u64 = 150;

/// What was missed and is still wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    from: u64,
    cause: GapCause,
    /// Times it was asked for.
    tries: u32,
    /// Times the server had nothing to replay.
    empty: u32,
}

impl Wanted {
    /// Why it cannot be had. That the program was not running explains more than what the server has left.
    fn unless_restart(self, cause: GapCause) -> GapCause {
        if self.cause == GapCause::Restart { self.cause } else { cause }
    }
}

/// Where the stream at hand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No slot was finished on it yet.
    Joining,
    /// Nothing is wanted of it.
    Live,
    /// A replay is about to be asked for.
    Asking,
    /// A replay up to and including this slot was asked for. `taken`: the server knows; `seen`: it has begun; `later`: new
    /// slots since it last went on.
    Replaying { until: u64, taken: bool, seen: bool, later: u32 },
    /// It is complete, but what was finished meanwhile may still come again.
    Ending,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Recovery {
    connection: usize,
    enabled: bool,
    /// Newest finished slot, on whichever stream.
    last: Option<u64>,
    /// Slots with data that are not finished.
    open: BTreeSet<u64>,
    wanted: Option<Wanted>,
    phase: Phase,
    /// Whether this endpoint has no replay.
    unsupported: bool,
    /// Whether this endpoint replays at the beginning of a stream only.
    at_start_only: bool,
    /// Slots up to this one were asked for again already.
    repaired_to: Option<u64>,
    /// Found incomplete while another replay was under way.
    queued: Option<(u64, GapCause)>,
    /// Groups were given up of which something was still to come: since when.
    given_up: Option<(u64, GapCause)>,
    /// Where an earlier run ended, until the chain was seen.
    resume: Resume,
    /// What was found when it was.
    resumed: Option<Resumed>,
    outliers_in_a_row: u32,
    outliers: u64,
}

/// How an earlier run's end and the chain fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// So many slots were missed, and are asked for.
    Missed(u64),
    /// So many slots were missed, which is too much to ask for.
    TooLong(u64),
    /// It is so many slots ahead of the chain: it is of another one.
    Ahead(u64),
}

/// What became of a wish to have a slot again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Ask for a replay now.
    Ask,
    /// It is under way, or was tried.
    Already,
    /// This endpoint has no replay.
    Impossible,
}

impl Recovery {
    /// Nothing missed yet. Disabled, it declares what is missed and asks for nothing.
    #[must_use]
    pub const fn new(connection: usize, enabled: bool) -> Self {
        Self {
            connection,
            enabled,
            last: None,
            open: BTreeSet::new(),
            wanted: None,
            phase: Phase::Joining,
            unsupported: false,
            at_start_only: false,
            repaired_to: None,
            queued: None,
            given_up: None,
            resume: Resume::Fresh,
            resumed: None,
            outliers_in_a_row: 0,
            outliers: 0,
        }
    }

    /// Where an earlier run ended: what came after it is missed as if a stream had broken there.
    #[must_use]
    pub fn resuming(self, resume: Resume) -> Self {
        Self { resume, ..self }
    }

    /// How the earlier run's end and the chain fit together: once, when both are known.
    pub const fn take_resumed(&mut self) -> Option<Resumed> {
        self.resumed.take()
    }

    /// A stream was opened.
    pub const fn opened(&mut self) {
        self.phase = Phase::Joining;
    }

    /// Newest finished slot.
    #[must_use]
    pub const fn last(&self) -> Option<u64> {
        self.last
    }

    /// The slot up to which everything has come or was declared as missed.
    #[must_use]
    pub fn settled(&self) -> Option<u64> {
        let missing = [self.wanted.map(|wanted| wanted.from), self.queued.map(|(from, _)| from)];
        let first = missing.into_iter().flatten().min();
        match (self.last, &self.resume) {
            (Some(last), _) => Some(first.map_or(last, |first| last.min(first.saturating_sub(1)))),
            (None, Resume::After { slot, .. }) => Some(*slot),
            (None, Resume::Fresh | Resume::Unknown) => first.map(|first| first.saturating_sub(1)),
        }
    }

    /// Slots that were no slots of this chain.
    #[must_use]
    pub const fn outliers(&self) -> u64 {
        self.outliers
    }

    /// Data of a slot arrived, in a frame that the newest request for a replay was `asked` before; whether it is the
    /// replay's.
    pub fn data(&mut self, slot: u64, asked: bool) -> bool {
        if self.last.is_none_or(|last| slot > last) && self.is_near(slot) {
            self.open.insert(slot);
            if self.open.len() > MAX_OPEN {
                self.open.pop_first();
            }
        }
        self.came(slot, asked)
    }

    /// What only the block itself or a replay of it brings arrived, its meta or the status that finishes it; whether it is
    /// the replay's.
    pub fn came(&mut self, slot: u64, asked: bool) -> bool {
        if let Phase::Replaying { until, taken, seen, .. } = &mut self.phase {
            *taken |= asked;
            *seen |= asked && slot <= *until;
        }
        self.is_replay(slot, asked)
    }

    /// Whether something of this slot, in a frame that was `asked` for, comes from a replay.
    #[must_use]
    pub fn is_replay(&self, slot: u64, asked: bool) -> bool {
        asked
            && matches!(self.phase, Phase::Replaying { .. } | Phase::Ending)
            && self.last.is_some_and(|last| slot <= last)
    }

    /// A slot is finished: its status has reached the commitment of the stream. Whether a replay is to be asked for now,
    /// and what is known about gaps.
    pub fn finished(&mut self, slot: u64, gaps: &mut Vec<Gap>) -> bool {
        if !self.is_near(slot) {
            self.outliers += 1;
            self.outliers_in_a_row += 1;
            if self.outliers_in_a_row < NEW_CHAIN {
                return false;
            }
            // Another chain: what was wanted of the old one cannot be had here.
            if let Some((wanted, last)) = self.wanted.take().zip(self.last) {
                self.settle(wanted.from, last.max(wanted.from), wanted.cause, false, gaps);
            }
            self.open.clear();
            self.last = None;
            self.phase = Phase::Live;
        }
        self.outliers_in_a_row = 0;
        let new = self.last.is_none_or(|last| slot > last);
        let mut ask = false;
        match self.phase {
            Phase::Joining => ask = self.joined(slot, gaps),
            Phase::Replaying { until, .. } if slot == until && !new => {
                if let Some(wanted) = self.wanted.take() {
                    self.settle(wanted.from, until, wanted.cause, true, gaps);
                }
                self.phase = Phase::Ending;
            }
            Phase::Replaying { until, taken, seen, later } => {
                let later = if new { later + 1 } else { 0 };
                self.phase = Phase::Replaying { until, taken, seen, later };
                if later >= IGNORED_AFTER || taken && !seen && later >= IGNORED_WHEN_TAKEN {
                    ask = self.ignored(gaps);
                }
            }
            Phase::Ending if new => self.phase = Phase::Live,
            Phase::Live | Phase::Asking | Phase::Ending => {}
        }
        self.last = Some(self.last.map_or(slot, |last| last.max(slot)));
        self.open.remove(&slot);
        if new && let Some((from, cause)) = self.given_up.take() {
            gaps.push(Gap {
                connection: self.connection,
                from_slot: from,
                to_slot: slot.max(from),
                cause,
                repaired: false,
            });
        }
        if self.phase == Phase::Live
            && let Some((from, cause)) = self.queued.take()
        {
            match self.repair(from, cause) {
                Repair::Ask => ask = true,
                Repair::Already => {}
                Repair::Impossible => {
                    self.settle(from, slot.max(from), GapCause::ReplayUnsupported, false, gaps);
                }
            }
        }
        ask
    }

    /// The first finished slot of a stream.
    fn joined(&mut self, slot: u64, gaps: &mut Vec<Gap>) -> bool {
        self.phase = Phase::Live;
        self.resume(slot, gaps);
        let Some(wanted) = self.wanted else { return false };
        if slot < wanted.from {
            // The stream began before what was missed, and has it all.
            self.wanted = None;
            return false;
        }
        let why_not = if self.unsupported || !self.enabled {
            Some(wanted.unless_restart(GapCause::ReplayUnsupported))
        } else if wanted.empty >= MAX_EMPTY {
            Some(wanted.unless_restart(GapCause::ReplayGone))
        } else {
            (wanted.tries >= MAX_TRIES).then_some(wanted.cause)
        };
        if let Some(cause) = why_not {
            self.wanted = None;
            self.settle(wanted.from, slot, cause, false, gaps);
            return false;
        }
        self.phase = Phase::Asking;
        true
    }

    /// The first slot of this run: what an earlier one has left is wanted, or declared.
    fn resume(&mut self, slot: u64, gaps: &mut Vec<Gap>) {
        let cause = GapCause::Restart;
        match std::mem::take(&mut self.resume) {
            Resume::Fresh => {}
            Resume::Unknown => self.settle(slot, slot, cause, false, gaps),
            Resume::After { slot: end, .. } if end > slot.saturating_add(AHEAD) => {
                self.resumed = Some(Resumed::Ahead(end - slot));
                self.settle(slot, slot, cause, false, gaps);
            }
            // The stream has everything that came after the checkpoint.
            Resume::After { slot: end, .. } if end >= slot => {}
            Resume::After { slot: end, within } if slot - end > within.min(MAX_JUMP) => {
                self.resumed = Some(Resumed::TooLong(slot - end));
                self.settle(end + 1, slot, cause, false, gaps);
            }
            Resume::After { slot: end, .. } => {
                self.resumed = Some(Resumed::Missed(slot - end));
                self.wanted = Some(Wanted { from: end + 1, cause, tries: 0, empty: 0 });
                self.last = Some(end);
            }
        }
    }

    /// The last slot of the replay under way.
    #[must_use]
    pub const fn replaying_until(&self) -> Option<u64> {
        if let Phase::Replaying { until, .. } = self.phase { Some(until) } else { None }
    }

    /// Something of a finished slot is missing on a live stream.
    pub fn repair(&mut self, slot: u64, cause: GapCause) -> Repair {
        let waiting = self.phase == Phase::Asking && self.wanted.is_some_and(|wanted| slot >= wanted.from);
        if waiting || self.repaired_to.is_some_and(|to| slot <= to) {
            return Repair::Already;
        }
        if self.unsupported || !self.enabled {
            return Repair::Impossible;
        }
        if self.phase != Phase::Live {
            self.queued =
                Some(self.queued.map_or((slot, cause), |queued| if queued.0 <= slot { queued } else { (slot, cause) }));
            return Repair::Already;
        }
        self.wanted = Some(Wanted { from: slot, cause, tries: 0, empty: 0 });
        self.phase = Phase::Asking;
        Repair::Ask
    }

    /// Groups come over from another connection, of which everything from this slot on is missing: fetched as after a
    /// break, or declared, once the slot at hand is finished. That one may have begun before the groups were asked for.
    pub fn take_over(&mut self, from: u64, cause: GapCause) {
        // What was asked for again was asked for without these groups.
        self.repaired_to = None;
        if matches!(self.phase, Phase::Replaying { .. } | Phase::Ending) {
            self.queued = Some((self.queued.map_or(from, |(queued, _)| queued.min(from)), cause));
            return;
        }
        let wanted = self.wanted.unwrap_or(Wanted { from, cause, tries: 0, empty: 0 });
        self.wanted = Some(Wanted { from: wanted.from.min(from), ..wanted });
        self.phase = Phase::Joining;
    }

    /// Groups are not asked for any more: what is missing of them, from this slot on or from where this connection has
    /// come to, will not come. Declared when the slot at hand is finished.
    pub fn give_up(&mut self, from: Option<u64>, cause: GapCause) {
        let Some(from) =
            from.or_else(|| self.is_wanting().then(|| self.settled().map(|settled| settled + 1)).flatten())
        else {
            return;
        };
        self.given_up = Some((self.given_up.map_or(from, |(earlier, _)| earlier.min(from)), cause));
    }

    /// Whether something is missing that may still come, or is still to be declared.
    #[must_use]
    pub const fn is_wanting(&self) -> bool {
        self.wanted.is_some() || self.queued.is_some() || self.given_up.is_some()
    }

    /// Nothing is expected of this connection any more: another one has what it carried.
    pub fn rest(&mut self) {
        let Self { unsupported, at_start_only, outliers, .. } = *self;
        *self = Self { unsupported, at_start_only, outliers, ..Self::new(self.connection, self.enabled) };
    }

    /// What to ask for, by what the server says it has: `Ok(None)` is no replay at all, `Err` is no answer.
    pub fn request(&mut self, first_available: Result<Option<u64>, ()>, gaps: &mut Vec<Gap>) -> Option<u64> {
        let (mut wanted, last) = self.wanted.zip(self.last)?;
        if self.phase != Phase::Asking {
            return None;
        }
        if let Some((queued, _)) = self.queued.take() {
            wanted.from = wanted.from.min(queued);
        }
        let gone = match first_available {
            Ok(None) => {
                self.unsupported = true;
                Some((last, wanted.unless_restart(GapCause::ReplayUnsupported)))
            }
            // What the server has moves on while the request is on its way, and to ask for older slots costs the stream.
            Ok(Some(first)) if first > wanted.from => {
                let from = first.saturating_add(HEADWAY << wanted.tries.min(MAX_TRIES));
                Some((last.min(from - 1), wanted.unless_restart(GapCause::ReplayGone)))
            }
            Ok(Some(_)) | Err(()) => None,
        };
        if let Some((to, cause)) = gone {
            self.settle(wanted.from, to, cause, false, gaps);
            if to == last {
                self.wanted = None;
                self.phase = Phase::Live;
                return None;
            }
            wanted.from = to + 1;
        }
        wanted.tries += 1;
        self.wanted = Some(wanted);
        self.repaired_to = Some(last);
        self.phase = Phase::Replaying { until: last, taken: false, seen: false, later: 0 };
        Some(wanted.from)
    }

    /// Whether a replay was asked for and has shown no sign yet: a request without it would overtake it.
    #[must_use]
    pub const fn is_expecting(&self) -> bool {
        !self.at_start_only && matches!(self.phase, Phase::Replaying { seen: false, .. })
    }

    /// Whether frames of a replay may still come.
    #[must_use]
    pub const fn may_replay(&self) -> bool {
        matches!(self.phase, Phase::Replaying { .. } | Phase::Ending)
    }

    /// The stream is over. `message` is the server's own text.
    pub fn lost(&mut self, class: Class, message: &str, cause: GapCause, gaps: &mut Vec<Gap>) {
        let Some(last) = self.last else {
            self.open.clear();
            return;
        };
        let asked = matches!(self.phase, Phase::Replaying { .. });
        let from = self.open.first().map_or(last + 1, |open| (*open).min(last + 1));
        let from = self.queued.take().map_or(from, |(queued, _)| queued.min(from));
        let mut wanted = match self.wanted {
            Some(wanted) => Wanted { from: wanted.from.min(from), ..wanted },
            None => Wanted { from, cause, tries: 0, empty: 0 },
        };
        if asked {
            wanted = self.refused(wanted, u64::MAX, class, message, gaps);
        }
        self.wanted = Some(wanted);
        self.phase = Phase::Joining;
    }

    /// The connection goes to another server: what this one cannot do says nothing about that one.
    pub const fn moved(&mut self) {
        (self.unsupported, self.at_start_only) = (false, false);
    }

    /// Declares slots: nothing in them is waited for any more.
    fn settle(&mut self, from_slot: u64, to_slot: u64, cause: GapCause, repaired: bool, gaps: &mut Vec<Gap>) {
        self.open.retain(|slot| *slot > to_slot);
        gaps.push(Gap { connection: self.connection, from_slot, to_slot, cause, repaired });
    }

    /// Whether a slot can be one of the chain at hand.
    #[must_use]
    pub fn is_near(&self, slot: u64) -> bool {
        self.last.is_none_or(|last| slot.abs_diff(last) <= MAX_JUMP)
    }
}
