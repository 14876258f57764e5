//! Which slots the chain kept: those confirmed and their ancestors. A slot that is reported dead, or that a confirmed slot's
//! line of parents passes by, never happened.

use std::collections::BTreeMap;

/// Slots whose parents are remembered.
const REMEMBERED: usize = 1_024;

/// Watches slot statuses.
#[derive(Debug, Default)]
pub(super) struct Forks {
    parents: BTreeMap<u64, u64>,
    /// The newest confirmed slot.
    settled: Option<u64>,
}

/// What a status decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decided {
    /// Slots that never happened, the newest first.
    pub(super) dead: Vec<u64>,
    /// Slots that hold for good, the newest first.
    pub(super) settled: Vec<u64>,
}

impl Forks {
    /// Learns a parent.
    pub(super) fn parent(&mut self, slot: u64, parent: u64) {
        if parent < slot {
            self.parents.insert(slot, parent);
            if self.parents.len() > REMEMBERED {
                self.parents.pop_first();
            }
        }
    }

    /// A slot is dead: so are those that stand on it.
    pub(super) fn dead(&mut self, slot: u64) -> Decided {
        let mut dead = vec![slot];
        for (child, parent) in self.parents.range(slot.saturating_add(1)..) {
            if dead.contains(parent) {
                dead.push(*child);
            }
        }
        dead.reverse();
        self.parents.retain(|slot, _| !dead.contains(slot));
        Decided { dead, settled: Vec::new() }
    }

    /// A slot is confirmed: so are its ancestors, and what stands beside them is dead.
    pub(super) fn confirmed(&mut self, slot: u64) -> Decided {
        let since = match self.settled {
            Some(settled) if slot <= settled && settled - slot < REMEMBERED as u64 => return Decided::default(),
            Some(settled) if slot > settled => settled,
            // The first one, or a recording that begins anew: as far back as parents are known.
            _ => 0,
        };
        self.settled = Some(slot);
        let mut line = vec![slot];
        let mut at = slot;
        while let Some(parent) = self.parents.get(&at).copied().filter(|parent| *parent > since) {
            line.push(parent);
            at = parent;
        }
        // Where a parent is not known, what stands beside it cannot be told.
        let whole = self.parents.get(&at).is_some_and(|parent| *parent <= since);
        let from = if whole { since.saturating_add(1) } else { at };
        let beside = self.parents.range(from..slot).map(|(slot, _)| *slot);
        let dead: Vec<u64> = beside.filter(|slot| !line.contains(slot)).rev().collect();
        self.parents.retain(|slot, _| !dead.contains(slot));
        Decided { dead, settled: line }
    }

    /// Whether a slot can still die.
    pub(super) fn is_open(&self, slot: u64) -> bool {
        self.settled.is_none_or(|settled| slot > settled || settled - slot > REMEMBERED as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_confirmed_line_passes_by_is_dead() {
        let mut forks = Forks::default();
        for (slot, parent) in [(10, 9), (11, 10), (12, 10), (13, 12), (14, 11), (15, 13)] {
            forks.parent(slot, parent);
        }
        assert_eq!(forks.confirmed(10), Decided { dead: vec![], settled: vec![10, 9] });
        assert_eq!(forks.confirmed(15), Decided { dead: vec![14, 11], settled: vec![15, 13, 12] });
        assert_eq!(forks.confirmed(12), Decided::default(), "told already");
        assert!(!forks.is_open(13) && forks.is_open(16));
    }

    #[test]
    fn an_unknown_parent_condemns_nothing() {
        let mut forks = Forks::default();
        forks.parent(11, 10);
        forks.confirmed(10);
        forks.parent(14, 13);
        assert_eq!(forks.confirmed(14), Decided { dead: vec![], settled: vec![14, 13] });
    }

    #[test]
    fn a_dead_slot_takes_its_descendants_along() {
        let mut forks = Forks::default();
        for (slot, parent) in [(10, 9), (11, 10), (12, 11), (13, 10)] {
            forks.parent(slot, parent);
        }
        assert_eq!(forks.dead(11).dead, [12, 11]);
    }
}
