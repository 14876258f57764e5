//! How often a wallet closed what it had opened, in any pool, and attacked nobody: traders and market makers come again as
//! attackers do.

/// Wallets remembered, each in the one place that its tag gives it.
const WALLETS: usize = 1 << 16;

#[derive(Clone, Copy, Debug, Default)]
struct Habit {
    /// Upper half of the tag; what shares it and the place shares the count.
    tag: u32,
    round_trips: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Habits {
    wallets: Vec<Habit>,
    forgotten: u64,
}

impl Default for Habits {
    fn default() -> Self {
        Self { wallets: vec![Habit::default(); WALLETS], forgotten: 0 }
    }
}

impl Habits {
    #[allow(clippy::cast_possible_truncation, reason = "a remainder, and the upper half")]
    const fn place(owner: u64) -> (usize, u32) {
        ((owner % WALLETS as u64) as usize, (owner >> 32) as u32)
    }

    /// A wallet closed a position in which nobody was attacked.
    pub(super) fn traded(&mut self, owner: u64) {
        let (place, tag) = Self::place(owner);
        let Some(habit) = self.wallets.get_mut(place) else { return };
        if habit.tag != tag {
            self.forgotten += u64::from(habit.round_trips > 0);
            *habit = Habit { tag, round_trips: 0 };
        }
        habit.round_trips = habit.round_trips.saturating_add(1);
    }

    /// Positions that it closed so.
    pub(super) fn round_trips(&self, owner: u64) -> u32 {
        let (place, tag) = Self::place(owner);
        self.wallets.get(place).filter(|habit| habit.tag == tag).map_or(0, |habit| habit.round_trips)
    }

    /// Wallets forgotten because another took their place.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(super) fn bytes(&self) -> usize {
        self.wallets.len() * size_of::<Habit>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_counted_until_another_takes_the_place() {
        let mut habits = Habits::default();
        let (one, other) = (7 | 1 << 40, 7 | 2 << 40);
        habits.traded(one);
        habits.traded(one);
        assert_eq!((habits.round_trips(one), habits.round_trips(other)), (2, 0));
        habits.traded(other);
        assert_eq!((habits.round_trips(one), habits.round_trips(other), habits.forgotten()), (0, 1, 1));
    }
}
