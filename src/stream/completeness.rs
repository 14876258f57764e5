//! What all connections together say of each slot: proven, repaired, pending, skipped or lost.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::Serialize;

use super::{
    checkpoint::CheckpointView,
    ledger::{ProofMode, SlotRecord},
    pool::MAX_STREAMS,
    share::Share,
    status::{Gap, GapCause},
};
use crate::chain::group::GroupSet;

/// Slots that are kept.
const KEPT: usize = 512;
/// Slots of the strip.
pub const STRIP: u64 = 150;
/// Gaps kept for the view.
const GAPS: usize = 64;

/// How a slot stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Not finished on every connection yet.
    #[default]
    Pending,
    /// Everything that matches arrived.
    Proven,
    /// The same, with the help of a replay.
    Repaired,
    /// There is no such block: the chain of parents goes past it.
    Skipped,
    /// Something is missing.
    Lost,
}

impl Proof {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Proven => "proven",
            Self::Repaired => "repaired",
            Self::Skipped => "skipped",
            Self::Lost => "lost",
        }
    }
}

/// A slot and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// The slot.
    pub slot: u64,
    /// Its parent, where known.
    pub parent: Option<u64>,
    /// How it stands.
    pub proof: Proof,
    /// Transactions executed in it, votes included, where known.
    pub executed: Option<u64>,
    /// Transactions that arrived, summed over the connections.
    pub matched: u32,
    /// Transactions known to be missing; `None` when only that something is missing is known.
    pub lost: Option<u32>,
}

/// Slots by how they stand, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProofCounts {
    /// See [`Proof::Proven`].
    pub proven: u64,
    /// See [`Proof::Repaired`].
    pub repaired: u64,
    /// See [`Proof::Pending`].
    pub pending: u64,
    /// See [`Proof::Skipped`].
    pub skipped: u64,
    /// See [`Proof::Lost`].
    pub lost: u64,
}

impl ProofCounts {
    const fn add(&mut self, proof: Proof) {
        let count = match proof {
            Proof::Proven => &mut self.proven,
            Proof::Repaired => &mut self.repaired,
            Proof::Pending => &mut self.pending,
            Proof::Skipped => &mut self.skipped,
            Proof::Lost => &mut self.lost,
        };
        *count += 1;
    }
}

/// Completeness as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletenessView {
    /// What a proof rests on.
    pub mode: ProofMode,
    /// The newest slots, oldest first: at most [`STRIP`].
    pub strip: Arc<[SlotProof]>,
    /// All slots since the start.
    pub counts: ProofCounts,
    /// Transactions known to be missing, since the start.
    pub lost_transactions: u64,
    /// The newest gaps, oldest first.
    pub gaps: Arc<[Gap]>,
    /// Gaps since the start that were not repaired and not filled.
    pub open_gaps: u64,
    /// Gaps since the start that were.
    pub repaired_gaps: u64,
    /// Gaps since the start of which another endpoint had everything.
    pub filled_gaps: u64,
    /// Slots of which only some tokens were asked for, by the user's wish: what is proven of them is proven of those.
    pub narrowed: u64,
    /// Where the next run would go on; `None` for a source that cannot be gone on with.
    pub checkpoint: Option<CheckpointView>,
}

/// What one connection says of a slot.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    record: Option<(SlotRecord, Share)>,
    /// Of which groups something may have been in it, if it is declared as missed.
    missed: Option<GroupSet>,
}

impl Said {
    /// Whether everything of these groups has come, whatever was declared before. A replay with less asked for does not
    /// bring the rest.
    fn has_all(&self, needs: GroupSet) -> bool {
        self.record.is_some_and(|(record, share)| record.whole && record.lost == 0 && share.brings.covers(needs))
    }

    /// Of these groups, those of which something may still be missing.
    fn left_of(&self, missed: GroupSet) -> GroupSet {
        missed.iter().filter(|group| !self.has_all([*group].into_iter().collect())).collect()
    }

    /// Whether everything that the connection was asked for has come.
    fn is_complete(&self) -> bool {
        self.missed.is_none() && self.record.is_some_and(|(record, _)| record.whole && record.lost == 0)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    said: [Said; MAX_STREAMS],
    skipped: bool,
    /// Whether only some tokens of it were asked for.
    narrowed: bool,
    /// What was last told.
    told: Option<(Proof, Option<u32>)>,
}

/// Merges what the connections say.
#[derive(Clone, Debug)]
pub struct Completeness {
    mode: ProofMode,
    slots: BTreeMap<u64, Known>,
    /// First slot that a connection spoke of.
    since: [Option<u64>; MAX_STREAMS],
    /// What a connection was asked for when it spoke last.
    needs: [GroupSet; MAX_STREAMS],
    /// First slot from which on another connection has what this one carried.
    until: [Option<u64>; MAX_STREAMS],
    /// Oldest slot that a connection left open for longer than slots are kept.
    open: [Option<u64>; MAX_STREAMS],
    past: ProofCounts,
    past_lost: u64,
    past_narrowed: u64,
    /// Whether only some tokens are asked for.
    narrows: bool,
    /// The connection that brings what others bring as well.
    standby: Option<usize>,
    gaps: VecDeque<Gap>,
    /// Another endpoint may have, or still bring, what is missing in these.
    undecided: Vec<Gap>,
    open_gaps: u64,
    repaired_gaps: u64,
    filled_gaps: u64,
}

impl Completeness {
    /// Nothing known.
    #[must_use]
    pub const fn new(mode: ProofMode) -> Self {
        Self {
            mode,
            slots: BTreeMap::new(),
            since: [None; MAX_STREAMS],
            needs: [GroupSet::ALL; MAX_STREAMS],
            until: [None; MAX_STREAMS],
            open: [None; MAX_STREAMS],
            past: ProofCounts { proven: 0, repaired: 0, pending: 0, skipped: 0, lost: 0 },
            past_lost: 0,
            past_narrowed: 0,
            narrows: false,
            standby: None,
            gaps: VecDeque::new(),
            undecided: Vec::new(),
            open_gaps: 0,
            repaired_gaps: 0,
            filled_gaps: 0,
        }
    }

    /// This connection brings what the ones before it bring as well.
    pub const fn expect_standby(&mut self, standby: Option<usize>) {
        self.standby = standby;
    }

    /// From now on only some tokens are asked for, or everything again.
    pub const fn narrow(&mut self, narrows: bool) {
        self.narrows = narrows;
    }

    /// A connection has finished a slot, of which it was asked for this share. Appends the slots that stand otherwise than
    /// before.
    pub fn record(&mut self, connection: usize, record: SlotRecord, share: Share, changes: &mut Vec<SlotProof>) {
        let Some(since) = self.since.get_mut(connection) else { return };
        if let Some(until) = self.until.get_mut(connection)
            && until.is_some_and(|until| record.slot >= until)
        {
            // It is back: what others carried meanwhile is not awaited of it.
            (*since, *until) = (None, None);
        }
        if since.is_some_and(|since| record.slot < since.saturating_sub(KEPT as u64)) {
            return;
        }
        // What is not kept any more is counted: a replay does not change what was said of it.
        let is_full = self.slots.len() >= KEPT;
        if is_full && self.slots.first_key_value().is_some_and(|(oldest, _)| record.slot < *oldest) {
            return;
        }
        // A replay may reach back behind the slot that was told of first.
        let since = *since.insert(since.map_or(record.slot, |since| since.min(record.slot)));
        if let Some(parent) = record.parent {
            let skipped = parent.max(record.slot.saturating_sub(KEPT as u64)).saturating_add(1).max(since)..record.slot;
            for slot in skipped {
                self.known(slot).skipped = true;
                self.tell(slot, changes);
            }
        }
        let narrows = self.narrows;
        let known = self.known(record.slot);
        known.narrowed |= narrows;
        if let Some(said) = known.said.get_mut(connection) {
            // What was whole stays so: a replay that comes over it as well repairs nothing.
            let settled = said.record.is_some_and(|(earlier, _)| earlier.whole && earlier.lost == 0);
            if !settled {
                said.record = Some((record, share));
            }
            // What was declared of groups that are not asked for any more stays so.
            said.missed = said.missed.map(|missed| said.left_of(missed)).filter(|left| !left.is_empty());
        }
        if let Some(needs) = self.needs.get_mut(connection) {
            *needs = share.needs;
        }
        self.tell(record.slot, changes);
    }

    /// A connection declares what it missed or repaired; of these groups something may have been in it.
    pub fn gap(&mut self, gap: &Gap, needs: GroupSet, changes: &mut Vec<SlotProof>) {
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(*gap);
        if let Some(open) = self.open.get_mut(gap.connection)
            && open.is_some_and(|open| (gap.from_slot..=gap.to_slot).contains(&open))
        {
            // What a connection missed it settles in order: what is left begins behind this.
            let kept = self.slots.first_key_value().map_or(u64::MAX, |(oldest, _)| *oldest);
            *open = gap.to_slot.checked_add(1).filter(|next| *next < kept);
        }
        if gap.repaired {
            self.repaired_gaps += 1;
            return;
        }
        if gap.cause == GapCause::Restart {
            // These slots are none of this run's.
            self.open_gaps += 1;
            return;
        }
        if self.undecided.len() == GAPS {
            let oldest = self.undecided.remove(0);
            self.decide(oldest);
        }
        self.undecided.push(*gap);
        for slot in gap.from_slot.max(gap.to_slot.saturating_sub(KEPT as u64))..=gap.to_slot {
            if let Some(said) = self.known(slot).said.get_mut(gap.connection)
                && !said.has_all(needs)
            {
                said.missed = Some(needs.union(said.missed.unwrap_or_default()));
            }
            self.tell(slot, changes);
        }
    }

    /// Whether a gap that was not repaired is none for all connections together.
    fn is_filled(&self, gap: &Gap) -> bool {
        let is_there = |slot| {
            let known = self.slots.get(&slot).filter(|_| self.standby.is_some());
            known.is_some_and(|known| !matches!(self.judge(slot, known).proof, Proof::Lost | Proof::Pending))
        };
        gap.to_slot.saturating_sub(gap.from_slot) < KEPT as u64 && (gap.from_slot..=gap.to_slot).all(is_there)
    }

    fn decide(&mut self, gap: Gap) {
        if self.is_filled(&gap) {
            self.filled_gaps += 1;
        } else {
            self.open_gaps += 1;
        }
    }

    /// Another connection has everything that this one carried, from this slot on.
    pub fn taken_over(&mut self, connection: usize, from: u64, changes: &mut Vec<SlotProof>) {
        let Some(until) = self.until.get_mut(connection) else { return };
        *until = Some(until.map_or(from, |until| until.min(from)));
        if let Some(open) = self.open.get_mut(connection) {
            *open = open.filter(|open| *open < from);
        }
        let slots: Vec<u64> = self.slots.range(from..).map(|(slot, _)| *slot).collect();
        for slot in slots {
            self.tell(slot, changes);
        }
    }

    /// All of it, for the screen.
    #[must_use]
    pub fn view(&self) -> CompletenessView {
        let mut counts = self.past;
        let mut lost = self.past_lost;
        for (slot, known) in &self.slots {
            let shown = self.judge(*slot, known);
            counts.add(shown.proof);
            lost += u64::from(shown.lost.unwrap_or(0));
        }
        let filled = self.undecided.iter().filter(|gap| self.is_filled(gap)).count() as u64;
        let first = self.slots.last_key_value().map_or(0, |(newest, _)| newest.saturating_sub(STRIP - 1));
        CompletenessView {
            mode: self.mode,
            strip: self.slots.range(first..).map(|(slot, known)| self.judge(*slot, known)).collect(),
            counts,
            lost_transactions: lost,
            gaps: self.gaps.iter().copied().collect(),
            open_gaps: self.open_gaps + self.undecided.len() as u64 - filled,
            repaired_gaps: self.repaired_gaps,
            filled_gaps: self.filled_gaps + filled,
            narrowed: self.past_narrowed + self.slots.values().filter(|known| known.narrowed).count() as u64,
            checkpoint: None,
        }
    }

    /// The newest slot up to which nothing is open: all of it was proven, repaired, skipped, or declared as lost.
    #[must_use]
    pub fn sealed(&self) -> Option<u64> {
        let pending = self.slots.iter().find(|(slot, known)| self.judge(**slot, known).proof == Proof::Pending);
        let next = match pending {
            Some((slot, _)) => *slot,
            None => self.slots.last_key_value()?.0.checked_add(1)?,
        };
        let next = self.open.iter().flatten().copied().min().map_or(next, |open| open.min(next));
        // Of what came before the first slot nothing is known.
        let began = self.since.iter().flatten().copied().min()?;
        next.checked_sub(1).filter(|sealed| *sealed >= began)
    }

    /// The slot's entry; slots between it and the newest known one get theirs as well.
    fn known(&mut self, slot: u64) -> &mut Known {
        let newest = self.slots.last_key_value().map(|(newest, _)| *newest);
        if let Some(newest) = newest
            && slot > newest
        {
            for between in newest.max(slot.saturating_sub(KEPT as u64)) + 1..slot {
                self.slots.insert(between, Known::default());
            }
        }
        self.slots.entry(slot).or_default();
        while self.slots.len() > KEPT {
            let oldest = self.slots.first_key_value().map_or(0, |(oldest, _)| *oldest);
            let due: Vec<Gap> = self.undecided.extract_if(.., |gap| gap.from_slot <= oldest).collect();
            for gap in due {
                self.decide(gap);
            }
            let Some((oldest, known)) = self.slots.pop_first() else { break };
            let shown = self.judge(oldest, &known);
            if shown.proof == Proof::Pending {
                for (connection, open) in self.open.iter_mut().enumerate() {
                    let whole = known.said.get(connection).and_then(|said| said.record).is_some_and(|(r, _)| r.whole);
                    if !whole && self.since.get(connection).is_some_and(|s| s.is_some_and(|s| s <= oldest)) {
                        open.get_or_insert(oldest);
                    }
                }
            }
            self.past.add(shown.proof);
            self.past_lost += u64::from(shown.lost.unwrap_or(0));
            self.past_narrowed += u64::from(known.narrowed);
        }
        self.slots.entry(slot).or_default()
    }

    fn tell(&mut self, slot: u64, changes: &mut Vec<SlotProof>) {
        let Some(known) = self.slots.get(&slot) else { return };
        let shown = self.judge(slot, known);
        let told = (shown.proof, shown.lost);
        if shown.proof != Proof::Pending && known.told != Some(told) {
            changes.push(shown);
            if let Some(known) = self.slots.get_mut(&slot) {
                known.told = Some(told);
            }
        }
    }

    /// What one connection lacks another may have: that is what counts then.
    fn judge(&self, slot: u64, known: &Known) -> SlotProof {
        let records = || known.said.iter().filter_map(|said| said.record);
        let complete = || known.said.iter().filter(|said| said.is_complete()).filter_map(|said| said.record);
        let union = |there: GroupSet, share: Share| there.union(share.brings);
        let there = complete().map(|(_, share)| share).fold(GroupSet::EMPTY, union);
        let live = complete().filter(|(record, _)| !record.replayed);
        let there_live = live.map(|(_, share)| share).fold(GroupSet::EMPTY, union);
        let is_missing = |needs: GroupSet| !there.covers(needs);

        let missed = known.said.iter().filter_map(|said| said.missed).any(is_missing);
        let incomplete = records().filter(|(_, share)| is_missing(share.needs));
        let lost: u32 = incomplete.map(|(record, _)| record.lost).sum();
        // A connection that is down or stopped is waited for all the same: what it carries is missing.
        let since = self.since.iter().zip(&self.until);
        let awaited = known.said.iter().zip(since).zip(&self.needs).filter(|((_, (since, until)), _)| {
            since.is_some_and(|since| since <= slot) && until.is_none_or(|until| slot < until)
        });
        let (mut all, mut any) = (true, false);
        for ((said, _), needs) in awaited {
            let whole = said.record.is_some_and(|(record, _)| record.whole);
            let needs = said.record.map_or(*needs, |(_, share)| share.needs);
            all &= whole || !is_missing(needs);
            any |= whole;
        }
        let came = records().next().is_some();
        // Whoever missed it: there was nothing to miss where the chain goes past it.
        let missed = missed && (came || !known.skipped);
        let proof = if missed || lost > 0 {
            Proof::Lost
        } else if !came {
            if known.skipped { Proof::Skipped } else { Proof::Pending }
        } else if !(all && any) {
            Proof::Pending
        } else if records().any(|(record, share)| record.replayed && !there_live.covers(share.needs)) {
            Proof::Repaired
        } else {
            Proof::Proven
        };
        let matched =
            |said: &[Said]| said.iter().filter_map(|said| said.record).map(|(record, _)| record.matched).sum();
        let (own, standby) = known.said.split_at(self.standby.unwrap_or(MAX_STREAMS).min(MAX_STREAMS));
        SlotProof {
            slot,
            parent: records().find_map(|(record, _)| record.parent),
            proof,
            executed: records().find_map(|(record, _)| record.executed),
            // What the standby brings the others have as well.
            matched: u32::max(matched(own), matched(standby)),
            lost: if missed && lost == 0 { None } else { Some(lost) },
        }
    }
}

#[cfg(test)]
mod tests;
