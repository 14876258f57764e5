//! What was done in slots that may still die, so that it can be taken back.

use std::collections::VecDeque;

use super::{Arrived, pools::Facts, token_lifecycle::TokenUndo};
use crate::{chain::ids::Pool, decode::EventRef};

/// Most events remembered: some five seconds at the highest rate of our programs.
const CAPACITY: usize = 16_384;

/// An event that was applied.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) event: EventRef,
    pub(super) at: Arrived,
    /// What was known of its pool before it.
    pub(super) pool: Option<(Pool, Facts)>,
    /// How to take back what it did to its token.
    pub(super) token: Option<TokenUndo>,
}

/// Applied events in the order in which they were applied.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    forgotten: u64,
}

impl Journal {
    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(entry);
    }

    /// Events that can no longer be taken back though nothing has confirmed their slots.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Forgets the oldest entries as long as their slots hold for good.
    pub(super) fn settle(&mut self, settled: impl Fn(u64) -> bool) {
        while self.entries.front().is_some_and(|entry| settled(entry.event.slot)) {
            self.entries.pop_front();
        }
    }

    /// Takes out what must be undone for a slot to never have been: its own events, and what happened since the first of
    /// them to the same tokens. In the order in which it was applied.
    pub(super) fn take_back(&mut self, slot: u64) -> Vec<Entry> {
        let dead = |entry: &Entry| entry.event.slot == slot;
        let Some(first) = self.entries.iter().position(dead) else { return Vec::new() };
        let mints: std::collections::HashSet<_> =
            self.entries.iter().filter(|entry| dead(entry)).map(|entry| entry.event.kind.mint()).collect();
        let tail = self.entries.split_off(first);
        let (undone, stays): (Vec<_>, Vec<_>) =
            tail.into_iter().partition(|entry| mints.contains(&entry.event.kind.mint()));
        self.entries.extend(stays);
        undone
    }
}
