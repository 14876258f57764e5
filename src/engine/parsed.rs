//! How well one lane (a program, a group, a connection, the whole) is decoded: since the start, and of late.

use std::collections::VecDeque;

use super::view::{ParseView, ParsedView};
use crate::decode::tally::ProgramCounts;

/// Whole seconds of the two windows.
const SHORT: usize = 10;
const LONG: usize = 300;

/// Counts of a lane. Time is passed in, in seconds since the Unix epoch.
#[derive(Debug)]
pub(super) struct Parsed {
    now_s: i64,
    total: ParseView,
    /// The total at the end of each whole second, oldest first.
    past: VecDeque<ParseView>,
}

impl Parsed {
    pub(super) const fn new(now_s: i64) -> Self {
        Self { now_s, total: ParseView::ZERO, past: VecDeque::new() }
    }

    /// Adds what a transaction had of one program.
    pub(super) fn add(&mut self, counts: &ProgramCounts) {
        let total = &mut self.total;
        total.decoded += u64::from(counts.decoded);
        total.expected += u64::from(counts.expected);
        total.fallbacks += u64::from(counts.fallbacks);
        total.known += u64::from(counts.known);
        total.invocations += u64::from(counts.invocations);
        total.unknown_tails += u64::from(counts.unknown_tails);
    }

    /// Closes the seconds that have passed.
    pub(super) fn advance(&mut self, now_s: i64) {
        let passed = usize::try_from(now_s.saturating_sub(self.now_s)).unwrap_or(0);
        for _ in 0..passed.min(LONG + 1) {
            if self.past.len() > LONG {
                self.past.pop_front();
            }
            self.past.push_back(self.total);
        }
        self.now_s = self.now_s.max(now_s);
    }

    /// Since the start, up to now.
    pub(super) const fn total(&self) -> ParseView {
        self.total
    }

    /// All of it, as shown.
    pub(super) fn view(&self) -> ParsedView {
        ParsedView { all: self.total, last_10s: self.over(SHORT), last_5min: self.over(LONG) }
    }

    /// Of that many whole seconds; of fewer while the lane is younger.
    fn over(&self, seconds: usize) -> ParseView {
        let Some(last) = self.past.back() else { return ParseView::ZERO };
        let before = self.past.len().checked_sub(seconds + 1).and_then(|at| self.past.get(at));
        last.since(before.unwrap_or(&ParseView::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list of everything with its second.
        #[test]
        fn windows_hold_their_whole_seconds_and_no_other(steps in proptest::collection::vec((0_i64..40, 0_u32..50), 1..60)) {
            let mut parsed = Parsed::new(1_000);
            let mut now = 1_000;
            let mut all: Vec<(i64, u32)> = Vec::new();
            for (passed, count) in steps {
                now += passed;
                parsed.advance(now);
                parsed.add(&ProgramCounts { expected: count, decoded: count / 2, ..ProgramCounts::default() });
                all.push((now, count));
                let of = |seconds: i64| -> u64 {
                    let within = all.iter().filter(|(second, _)| (now - seconds..now).contains(second));
                    within.map(|(_, count)| u64::from(*count)).sum()
                };
                let view = parsed.view();
                prop_assert_eq!((view.last_10s.expected, view.last_5min.expected), (of(10), of(300)));
                prop_assert_eq!(view.all.expected, all.iter().map(|(_, count)| u64::from(*count)).sum::<u64>());
                prop_assert!(view.last_10s.decoded <= view.last_5min.decoded);
            }
        }
    }
}
