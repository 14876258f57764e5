//! Who uses what: a payer or a program that serves many is public, and ties nobody together.
//!
//! Learned on the way and never from a list: up to three distinct users within ten minutes are private.

use super::lru::{KeyHash, Lru};

/// Payers and programs remembered.
const CAPACITY: usize = 65_536;
/// Most users of something private.
const PRIVATE: usize = 3;
/// Users told apart; more are "many".
const KNOWN: usize = 8;
/// How long a user counts, in microseconds.
const WINDOW_US: i64 = 600_000_000;

/// Distinct users of one payer or program: those of the running window, and whether the window before was full.
#[derive(Clone, Copy, Debug, Default)]
struct Sketch {
    /// Lower halves of their tags.
    users: [u32; KNOWN],
    since_us: i64,
    /// Distinct users in the window before.
    earlier: u8,
}

impl Sketch {
    fn count(&self) -> usize {
        self.users.iter().filter(|user| **user != 0).count()
    }

    fn add(&mut self, user: u64, now_us: i64) {
        #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
        let user = user as u32 | 1;
        if now_us - self.since_us >= WINDOW_US {
            let is_next = now_us - self.since_us < 2 * WINDOW_US;
            *self = Self {
                since_us: now_us,
                earlier: if is_next { u8::try_from(self.count()).unwrap_or(u8::MAX) } else { 0 },
                ..Self::default()
            };
        }
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
        self.sketches.get(&thing).is_none_or(|sketch| sketch.count().max(sketch.earlier.into()) <= PRIVATE)
    }

    /// Whether many use it.
    pub(super) fn is_public(&self, thing: u64) -> bool {
        self.sketches.get(&thing).is_some_and(|sketch| sketch.count().max(sketch.earlier.into()) >= KNOWN)
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
        assert!(users.is_private(1), "nobody is known to use it");
        for user in 1..=3 {
            users.used(1, user << 1, 0);
            users.used(1, user << 1, 0);
        }
        assert!(users.is_private(1) && !users.is_public(1));
        users.used(1, 4 << 1, 1);
        assert!(!users.is_private(1) && !users.is_public(1));
        (5..100).for_each(|user| users.used(1, user << 1, 2));
        assert!(users.is_public(1));
        users.used(1, 5, WINDOW_US + 2);
        assert!(users.is_public(1), "the window before counts");
        users.used(1, 5, 4 * WINDOW_US);
        assert!(users.is_private(1), "and is forgotten in time");
    }
}
