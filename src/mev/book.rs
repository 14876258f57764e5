//! The newest legs of all pools in one ring, each tied to the leg before it in its pool, and what was found about it.

use super::{
    alert::{AlertId, AlertLeg, Role},
    leg::Leg,
    lru::KeyHash,
};
use crate::chain::ids::Wallet;

/// Legs kept: at 1,000 trades a second eight seconds, more than the twelve slots that a sandwich may span.
pub(super) const LEGS: usize = 1 << 13;
/// Most legs of one pool that are looked at together.
pub(super) const WINDOW: usize = 256;
/// Front or back legs of one position.
const PARTS: usize = 4;

/// Names a leg: they are numbered from 1 as they come; 0 is none.
pub(super) type Seq = u64;

/// A leg and what was found about it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) seq: Seq,
    /// The leg before it in its pool.
    pub(super) before: Seq,
    pub(super) leg: Leg,
    pub(super) owner: u64,
    pub(super) payer: u64,
    /// 0: none but the venue.
    pub(super) program: u64,
    /// Whose attack it is part of.
    pub(super) attack: Option<AlertId>,
    /// Whose victims it is among.
    pub(super) harmed_by: [Option<AlertId>; 2],
    /// Its slot died: it did not happen.
    pub(super) dead: bool,
    /// Part of one transaction's trade through several pools.
    pub(super) arbitrage: bool,
    /// What its trader holds open since this leg.
    pub(super) position: Position,
    /// The position it added to, by its first leg's number's lower half; 0 for none.
    pub(super) adds_to: u32,
    /// The position it closed a part of.
    pub(super) closes: u32,
}

/// What an entity opened and has not closed, kept with its first leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    fronts: [Seq; PARTS],
    /// Back legs, and how much of each closes this position.
    backs: [(Seq, u64); PARTS],
    /// Base units of all fronts, also of those that found no room above.
    pub(super) opened: u64,
    pub(super) closed: u64,
    pub(super) alert: Option<AlertId>,
}

impl Position {
    pub(super) fn add_front(&mut self, seq: Seq, base: u64) {
        if let Some(free) = self.fronts.iter_mut().find(|front| **front == 0) {
            *free = seq;
            self.opened = self.opened.saturating_add(base);
        }
    }

    /// Whether there was room.
    pub(super) fn add_back(&mut self, seq: Seq, base: u64) -> bool {
        let Some(free) = self.backs.iter_mut().find(|(back, _)| *back == 0) else { return false };
        *free = (seq, base);
        self.closed = self.closed.saturating_add(base);
        true
    }

    /// A front leg that did not happen.
    pub(super) fn take_front(&mut self, seq: Seq, base: u64) {
        if let Some(at) = self.fronts.iter().position(|front| *front == seq) {
            self.fronts.copy_within(at + 1.., at);
            self.fronts[PARTS - 1] = 0;
            self.opened = self.opened.saturating_sub(base);
        }
    }

    /// A back leg that did not happen.
    pub(super) fn take_back(&mut self, seq: Seq) {
        if let Some(at) = self.backs.iter().position(|(back, _)| *back == seq) {
            self.closed = self.closed.saturating_sub(self.backs[at].1);
            self.backs.copy_within(at + 1.., at);
            self.backs[PARTS - 1] = (0, 0);
        }
    }

    pub(super) const fn has_room(&self) -> bool {
        self.fronts[PARTS - 1] == 0
    }

    pub(super) fn fronts(&self) -> impl Iterator<Item = Seq> + '_ {
        self.fronts.iter().copied().filter(|seq| *seq > 0)
    }

    pub(super) fn backs(&self) -> impl Iterator<Item = (Seq, u64)> + '_ {
        self.backs.iter().copied().filter(|(seq, _)| *seq > 0)
    }

    /// The back leg with which at least half was closed.
    pub(super) fn main_back(&self) -> Option<Seq> {
        let mut closed = 0_u64;
        self.backs().find_map(|(seq, base)| {
            closed = closed.saturating_add(base);
            (closed >= self.opened / 2).then_some(seq)
        })
    }

    pub(super) fn last_back(&self) -> Seq {
        self.backs().map(|(seq, _)| seq).last().unwrap_or(0)
    }
}

/// The ring.
#[derive(Debug)]
pub(super) struct Book {
    entries: Vec<Entry>,
    next: Seq,
    hash: KeyHash,
}

impl Book {
    pub(super) fn new(hash: KeyHash) -> Self {
        Self { entries: Vec::new(), next: 1, hash }
    }

    /// A wallet as entries name it.
    pub(super) fn tag(&self, wallet: &Wallet) -> u64 {
        self.hash.tag(wallet.bytes())
    }

    /// Takes a leg in.
    pub(super) fn push(&mut self, leg: &Leg, before: Seq) -> Seq {
        let seq = self.next;
        self.next += 1;
        let entry = Entry {
            seq,
            before,
            owner: self.hash.tag(leg.user.bytes()),
            payer: self.hash.tag(leg.payer.bytes()),
            program: leg.outer_program.map_or(0, |program| self.hash.tag(&program)),
            leg: leg.clone(),
            attack: None,
            harmed_by: [None; 2],
            arbitrage: false,
            dead: false,
            position: Position::default(),
            adds_to: 0,
            closes: 0,
        };
        match self.entries.get_mut(Self::place(seq)) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
        seq
    }

    #[allow(clippy::cast_possible_truncation, reason = "a remainder")]
    const fn place(seq: Seq) -> usize {
        (seq.wrapping_sub(1) % LEGS as u64) as usize
    }

    /// The leg, if it is still kept.
    pub(super) fn get(&self, seq: Seq) -> Option<&Entry> {
        self.entries.get(Self::place(seq)).filter(|entry| entry.seq == seq)
    }

    /// The leg, if it is still kept.
    pub(super) fn get_mut(&mut self, seq: Seq) -> Option<&mut Entry> {
        self.entries.get_mut(Self::place(seq)).filter(|entry| entry.seq == seq)
    }

    /// The leg whose number ends so, if it is still kept; `newest` is the newest leg's number.
    pub(super) fn recent_mut(&mut self, low: u32, newest: Seq) -> Option<&mut Entry> {
        #[allow(clippy::cast_possible_truncation, reason = "lower halves")]
        let back = (newest as u32).wrapping_sub(low);
        self.get_mut(newest.checked_sub(back.into())?)
    }

    /// Marks the legs of a dead slot, and gives back what they did to positions; calls `open` with each position that is
    /// another now: its first leg, which may be dead itself.
    pub(super) fn bury(&mut self, slot: u64, mut open: impl FnMut(&Entry)) {
        let newest = self.next - 1;
        let dead = self.entries.iter_mut().filter(|entry| entry.leg.place.slot == slot && !entry.dead);
        let dead: Vec<_> = dead
            .map(|entry| {
                entry.dead = true;
                (entry.seq, entry.leg.base, entry.adds_to, entry.closes)
            })
            .collect();
        for (seq, base, adds_to, closes) in dead {
            if let Some(first) = self.recent_mut(closes, newest).filter(|_| closes != 0) {
                first.position.take_back(seq);
                open(first);
            }
            if let Some(first) = self.recent_mut(adds_to, newest).filter(|_| adds_to != 0) {
                if first.seq != seq {
                    first.position.take_front(seq, base);
                }
                open(first);
            }
        }
    }

    /// The legs of a pool from `first` to `last` in chain order, into `found`; `false` if they are too many or not all
    /// kept any more.
    pub(super) fn between(&self, first: Seq, last: Seq, found: &mut Vec<Seq>) -> bool {
        found.clear();
        let mut at = last;
        while at >= first {
            let Some(entry) = self.get(at) else { return false };
            if found.len() == WINDOW {
                return false;
            }
            if !entry.dead {
                found.push(at);
            }
            if at == first {
                found.reverse();
                return true;
            }
            at = entry.before;
        }
        false
    }

    /// A leg as evidence.
    pub(super) fn evidence(&self, seq: Seq, role: Role) -> Option<AlertLeg> {
        self.get(seq).map(|entry| AlertLeg {
            role,
            signature: entry.leg.signature,
            slot: entry.leg.place.slot,
            tx_index: entry.leg.place.tx_index,
            user: entry.leg.user,
            side: entry.leg.side,
            base: entry.leg.base,
            quote: entry.leg.quote,
            fees: entry.leg.fees,
            tip: entry.leg.tip,
        })
    }

    /// Bytes it holds when full.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}
