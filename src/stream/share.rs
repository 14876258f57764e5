//! Which groups a connection was asked for around a slot: what may be missing where it has a hole, and what is there where
//! the slot is whole. Where in doubt, more may be missing and less is there.

use std::collections::VecDeque;

use crate::chain::group::GroupSet;

/// Filter sets that are remembered; of more, the two oldest count as one.
const REMEMBERED: usize = 16;
/// A filter set counts for so many slots after the next one was sent: those that were on their way.
const MARGIN: u64 = 64;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Something of these is missing if something of the slot is.
    pub needs: GroupSet,
    /// Everything of these is there if the slot is whole.
    pub brings: GroupSet,
}

impl Share {
    /// Of a connection that carries everything.
    pub const ALL: Self = Self { needs: GroupSet::ALL, brings: GroupSet::ALL };
}

/// The filter sets of a connection, as they were sent and came into force.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    /// What was asked for, oldest first, each from the slot on that was not finished then.
    asked: VecDeque<(u64, GroupSet)>,
    /// In force, and in every filter set sent since.
    live: GroupSet,
    /// After this slot.
    after: u64,
    /// In the filter set that a replay was asked for with, and in every one sent since.
    replay: GroupSet,
}

impl Shares {
    /// A stream begins with these groups: nothing of it is in force yet. `last` is the newest finished slot.
    pub fn opened(&mut self, last: Option<u64>, groups: GroupSet) {
        (self.live, self.replay) = (GroupSet::EMPTY, GroupSet::EMPTY);
        self.ask(last, groups);
    }

    /// Another filter set was sent. `narrowed`: it asks for some tokens of the groups only.
    pub fn sent(&mut self, last: Option<u64>, groups: GroupSet, narrowed: bool) {
        let whole = if narrowed { GroupSet::EMPTY } else { groups };
        self.live = self.live.intersection(whole);
        self.replay = self.replay.intersection(whole);
        self.ask(last, groups);
    }

    /// The newest filter set sent is in force for every slot after this one.
    pub const fn whole(&mut self, after: u64, groups: GroupSet, narrowed: bool) {
        self.live = if narrowed { GroupSet::EMPTY } else { groups };
        self.after = after;
    }

    /// A replay is asked for with the newest filter set.
    pub const fn replaying(&mut self, groups: GroupSet, narrowed: bool) {
        self.replay = if narrowed { GroupSet::EMPTY } else { groups };
    }

    /// What these slots were asked for with.
    #[must_use]
    pub fn needs(&self, from: u64, to: u64) -> GroupSet {
        let ends = self.asked.iter().skip(1).map(|(next, _)| next.saturating_add(MARGIN)).chain([u64::MAX]);
        let concerned = self.asked.iter().zip(ends).filter(|((begins, _), ends)| *begins <= to && from <= *ends);
        let needs = concerned.fold(GroupSet::EMPTY, |needs, ((_, groups), _)| needs.union(*groups));
        // Of slots from before everything that is remembered nothing is known.
        if self.asked.front().is_none_or(|(first, _)| from < *first) { GroupSet::ALL } else { needs }
    }

    /// The share of a slot that is finished now.
    #[must_use]
    pub fn of(&self, slot: u64, replayed: bool) -> Share {
        let brings = match (replayed, slot > self.after) {
            (true, _) => self.replay,
            (false, true) => self.live,
            (false, false) => GroupSet::EMPTY,
        };
        Share { needs: self.needs(slot, slot), brings }
    }

    fn ask(&mut self, last: Option<u64>, groups: GroupSet) {
        if self.asked.back().is_some_and(|(_, newest)| *newest == groups) {
            return;
        }
        self.asked.push_back((last.map_or(0, |last| last + 1), groups));
        if self.asked.len() > REMEMBERED
            && let Some((from, oldest)) = self.asked.pop_front()
            && let Some(second) = self.asked.front_mut()
        {
            *second = (from, second.1.union(oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::group::Group;

    fn set(groups: &[Group]) -> GroupSet {
        groups.iter().copied().collect()
    }

    #[test]
    fn in_doubt_more_may_be_missing_and_less_is_there() {
        let (one, two) = (set(&[Group::BondingCurve]), set(&[Group::AmmPool]));
        let mut shares = Shares::default();
        assert_eq!(shares.needs(5, 5), GroupSet::ALL);
        shares.opened(None, one);
        assert_eq!(shares.of(100, false), Share { needs: one, brings: GroupSet::EMPTY });
        shares.whole(100, one, false);
        assert_eq!(shares.of(101, false), Share { needs: one, brings: one });
        // Another set is on its way: neither is known to be whole.
        shares.sent(Some(200), two, false);
        assert_eq!(shares.of(201, false), Share { needs: one.union(two), brings: GroupSet::EMPTY });
        shares.whole(203, two, false);
        assert_eq!(shares.of(203, false).brings, GroupSet::EMPTY, "it may have begun before");
        assert_eq!(shares.of(204, false), Share { needs: one.union(two), brings: two });
        assert_eq!(shares.needs(100, 150), one);
        assert_eq!(shares.needs(400, 400), two);
        // A replay brings what it was asked for with, and nothing of what is given up meanwhile.
        assert_eq!(shares.of(204, true).brings, GroupSet::EMPTY);
        shares.replaying(two, false);
        assert_eq!(shares.of(150, true).brings, two);
        shares.sent(Some(400), two, true);
        assert_eq!(shares.of(150, true).brings, GroupSet::EMPTY, "narrowed");
        shares.opened(Some(500), one);
        assert_eq!(shares.of(501, false).brings, GroupSet::EMPTY, "nothing is in force on a new stream");
    }

    #[test]
    fn what_is_forgotten_counts_as_asked_for() {
        let sets = [set(&[Group::BondingCurve]), set(&[Group::AmmPool]), set(&[Group::ExternalAmm])];
        let mut shares = Shares::default();
        for turn in 0..100_u64 {
            shares.sent(Some(turn * 1_000), sets[usize::try_from(turn % 3).unwrap_or(0)], false);
            assert!(shares.asked.len() <= REMEMBERED);
        }
        assert!(shares.needs(2_500, 2_500).covers(sets[2]), "asked for then, forgotten by now");
        assert_eq!(shares.needs(98_500, 98_600), sets[2]);
    }
}
