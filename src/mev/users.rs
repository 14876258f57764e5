//! Who uses what: a payer or a program that serves many is public, and ties nobody together.
//!
//! Learned on the way and never from a list: up to three distinct users within ten minutes are private.

use super::lru::{KeyHash, Lru};

/// Payers and programs remembered.
const CAPACITY: usize = 65_536;
/// Most users of something private.
const PRIVATE: usize = 3;
/// Users told apart exactly.
const KNOWN: usize = 4;
/// Marks of users, of 64, that make something public: some two dozen of them.
const PUBLIC: u32 = 20;
/// How long a user counts, in microseconds.
const WINDOW_US: i64 = 600_000_000;

/// Distinct users of one payer or program: the first few by themselves, all by one of 64 marks each (linear counting); and
/// the marks of the window before.
#[derive(Clone, Copy, Debug, Default)]
struct Sketch {
    /// Lower halves of their tags.
    users: [u32; KNOWN],
    marks: u64,
    earlier: u64,
    since_us: i64,
}

impl Sketch {
    fn is_private(&self) -> bool {
        self.users.iter().filter(|user| **user != 0).count() <= PRIVATE && self.earlier.count_ones() <= 3
    }

    fn is_public(&self) -> bool {
        self.marks.count_ones().max(self.earlier.count_ones()) >= PUBLIC
    }

    fn add(&mut self, user: u64, now_us: i64) {
        if now_us - self.since_us >= WINDOW_US {
            let is_next = now_us - self.since_us < 2 * WINDOW_US;
            *self = Self { since_us: now_us, earlier: if is_next { self.marks } else { 0 }, ..Self::default() };
        }
        self.marks |= 1 << (user >> 58);
        #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
        let user = user as u32 | 1;
        for slot in &mut self.users {
            if *slot == user {
                return;
            }
            if *slot == 0 {
                *slot = user;
                return;
            }
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Users {
    sketches: Lru<u64, Sketch>,
}

impl Users {
    pub(super) fn new(hash: KeyHash) -> Self {
        Self { sketches: Lru::new(CAPACITY, hash) }
    }

    /// `user` used `thing`, a payer or a program.
    pub(super) fn used(&mut self, thing: u64, user: u64, now_us: i64) {
        self.sketches.touch(thing).0.add(user, now_us);
    }

    /// Whether hardly anybody else uses it.
    pub(super) fn is_private(&self, thing: u64) -> bool {
        self.sketches.get(&thing).is_none_or(Sketch::is_private)
    }

    /// Whether many use it.
    pub(super) fn is_public(&self, thing: u64) -> bool {
        self.sketches.get(&thing).is_some_and(Sketch::is_public)
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.sketches.evicted()
    }

    pub(super) fn bytes(&self) -> usize {
        self.sketches.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_is_learned_and_lasts_over_a_quiet_start_of_a_window() {
        let mut users = Users::new(KeyHash::default());
        let user = |n: u64| n << 58 | n << 1;
        assert!(users.is_private(1), "nobody is known to use it");
        for n in 1..=3 {
            users.used(1, user(n), 0);
            users.used(1, user(n), 0);
        }
        assert!(users.is_private(1) && !users.is_public(1));
        users.used(1, user(4), 1);
        assert!(!users.is_private(1) && !users.is_public(1));
        for n in 5..60 {
            users.used(1, user(n), 2);
        }
        assert!(users.is_public(1));
        users.used(1, user(5), WINDOW_US + 2);
        assert!(users.is_public(1) && !users.is_private(1), "the window before counts");
        users.used(1, user(5), 4 * WINDOW_US);
        assert!(users.is_private(1), "and is forgotten in time");
    }
}
