//! A pool's trades in the order in which its program executed them, found by their reserves alone.
//!
//! Each trade starts from the reserves that the one before it left. So a trade that starts from where the pool stands is the
//! next, whatever connection it came on, and one that does not either comes later or has lost its predecessor: it waits a
//! little, and what never comes is a gap that is told. Curves say their reserves after a trade, `PumpSwap` before it; the
//! other end is computed by the decoder. (The rule was checked on both programs' mainnet trades.)

use crate::decode::{
    Event,
    event::{Path, Reserves},
};

/// Gaps in a row after which a pool's trades are not waited for any more: something else moves its reserves.
const STRANGE: u8 = 3;

/// A pool's number while it is known. When a pool is forgotten its number may stand for another one: that one's first
/// trade says so by [`Link::Begins`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u32);

/// Where an event stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// Its slot.
    pub slot: u64,
    /// Position of its transaction in the block.
    pub tx_index: u64,
    /// The instruction that caused it.
    pub path: Path,
    /// See [`Event::event_index`].
    pub event_index: u16,
}

impl Order {
    /// Of an event.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        Self { slot: event.slot, tx_index: event.tx_index, path: event.path, event_index: event.event_index }
    }
}

/// How an event joins what is known of its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The first that is known of this pool.
    Begins,
    /// Starts from where the last one ended: nothing is missing between them.
    Follows,
    /// Moves the reserves in a way that cannot be checked against where the pool stood: it carries no reserves from before.
    Resets,
    /// Something between the last one and this is missing.
    AfterGap,
    /// Older than where the pool stands: it counts, but does not move the pool.
    Late,
}

/// An event that moves a pool's reserves, in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The pool.
    pub pool: PoolId,
    /// How it joins what came before.
    pub link: Link,
    /// Effective reserves after.
    pub post: Reserves,
}

/// What an event does to its pool's reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A trade between two states.
    Trade { pre: Reserves, post: Reserves },
    /// The pool's first state.
    Opening(Reserves),
    /// A new state, whatever was before.
    Reset(Reserves),
    /// So much more or less, starting from a base reserve where that is said. Of the quote reserve no more than a part is
    /// said, so that where it belongs shows in what follows it.
    Change { base_before: Option<u64>, base: i128, quote: i128 },
}

impl Step {
    /// Whether it would be the next of a pool that stands so.
    fn follows(&self, head: Reserves) -> bool {
        match self {
            Self::Trade { pre, .. } => *pre == head,
            Self::Opening(_) => false,
            Self::Reset(_) => true,
            Self::Change { base_before, .. } => base_before.is_none_or(|base| base == head.base),
        }
    }

    /// The state it leaves, starting from where the pool stands.
    fn post(&self, head: Option<Reserves>) -> Option<Reserves> {
        match *self {
            Self::Trade { post, .. } | Self::Opening(post) | Self::Reset(post) => Some(post),
            Self::Change { base_before, base, quote } => {
                let head = head?;
                let before = i128::from(base_before.unwrap_or(head.base));
                let quote = i128::try_from(head.quote).ok()?.checked_add(quote)?;
                Some(Reserves { base: u64::try_from(before + base).ok()?, quote: u128::try_from(quote).ok()? })
            }
        }
    }
}

/// Where a step belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Here, now.
    Now { link: Link, post: Reserves },
    /// Behind something that has not arrived.
    Wait,
    /// Nowhere: it says nothing of where the pool stands.
    Nowhere,
}

/// Something is missing between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    /// Where the pool stood before it, or stands by what was mended.
    from: Reserves,
    /// Where it stood after it.
    to: Reserves,
    /// The last step before it.
    after: Order,
}

/// What is known of one pool's chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Reserves after the newest step.
    head: Option<Reserves>,
    newest: Option<Order>,
    /// The newest gap.
    gap: Option<Gap>,
    open_gaps: u32,
    broken_since: Option<u64>,
    /// Gaps since the last step that followed.
    in_a_row: u8,
}

impl Chain {
    pub(super) const fn head(&self) -> Option<Reserves> {
        self.head
    }

    /// Slot of the newest gap that was not mended.
    pub(super) const fn broken_since(&self) -> Option<u64> {
        self.broken_since
    }

    /// Gaps that were not mended.
    pub(super) const fn open_gaps(&self) -> u32 {
        self.open_gaps
    }

    /// Takes a step, if it is its turn. A step that `must` be taken is not waited for any longer.
    pub(super) fn take(&mut self, order: Order, step: &Step, must: bool) -> Verdict {
        let Some(head) = self.head else {
            let Some(post) = step.post(None) else {
                // A change of something that may become known in a moment.
                return if must { Verdict::Nowhere } else { Verdict::Wait };
            };
            return self.advance(Link::Begins, order, post);
        };
        if matches!(step, Step::Opening(_)) || self.newest.is_some_and(|newest| order < newest) {
            return self.late(order, step, must);
        }
        // A base reserve recurs, so that what it says alone of the state before may be said too early.
        let certain = must || !matches!(step, Step::Change { .. });
        if certain && step.follows(head) {
            let Some(post) = step.post(Some(head)) else { return Verdict::Nowhere };
            if matches!(step, Step::Reset(_)) {
                return self.advance(Link::Resets, order, post);
            }
            self.in_a_row = 0;
            return self.advance(Link::Follows, order, post);
        }
        if !must && self.in_a_row < STRANGE {
            return Verdict::Wait;
        }
        let Some(post) = step.post(Some(head)) else { return Verdict::Nowhere };
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.open_gaps = self.open_gaps.saturating_add(1);
        self.broken_since = Some(order.slot);
        let pre = if let Step::Trade { pre, .. } = step { Some(*pre) } else { None };
        self.gap = pre.zip(self.newest).map(|(to, after)| Gap { from: head, to, after });
        self.advance(Link::AfterGap, order, post)
    }

    /// Something that knows says how the pool stood at the end of a slot, and not as the steps led it. Unless it has moved on
    /// since, that is a gap.
    pub(super) fn restate(&mut self, slot: u64, reserves: Reserves) -> bool {
        let Some((head, newest)) = self.head.zip(self.newest).filter(|(_, newest)| newest.slot <= slot) else {
            return false;
        };
        self.gap = Some(Gap { from: head, to: reserves, after: newest });
        self.open_gaps = self.open_gaps.saturating_add(1);
        self.broken_since = Some(slot);
        self.head = Some(reserves);
        let path = Path { outer: u16::MAX, inner: Some(u16::MAX) };
        self.newest = Some(Order { slot, tx_index: u64::MAX, path, event_index: u16::MAX });
        true
    }

    /// Whether a step would be taken without force.
    pub(super) fn would_take(mut self, order: Order, step: &Step) -> bool {
        !matches!(self.take(order, step, false), Verdict::Wait)
    }

    /// Whether a change would come next because it leads to where another step starts.
    pub(super) fn leads(&self, (order, change): (Order, &Step), (later, step): (Order, &Step)) -> bool {
        let (Some(head), Step::Change { .. }, Step::Trade { pre, .. }) = (self.head, change, step) else {
            return false;
        };
        order < later
            && self.newest.is_none_or(|newest| newest < order)
            && change.follows(head)
            && change.post(Some(head)) == Some(*pre)
    }

    const fn advance(&mut self, link: Link, order: Order, post: Reserves) -> Verdict {
        self.head = Some(post);
        self.newest = Some(order);
        Verdict::Now { link, post }
    }

    /// A step from before: perhaps what was missing in the gap, or behind something else that is.
    fn late(&mut self, order: Order, step: &Step, must: bool) -> Verdict {
        if let Step::Trade { pre, post } = step
            && let Some(gap) = &mut self.gap
        {
            if gap.from != *pre {
                let inside = order > gap.after && !must && self.in_a_row < STRANGE;
                return if inside { Verdict::Wait } else { Self::past(step) };
            }
            gap.from = *post;
            if *post == gap.to {
                self.gap = None;
                self.open_gaps = self.open_gaps.saturating_sub(1);
                if self.open_gaps == 0 {
                    self.broken_since = None;
                }
            }
        }
        Self::past(step)
    }

    const fn past(step: &Step) -> Verdict {
        match *step {
            Step::Trade { post, .. } | Step::Opening(post) | Step::Reset(post) => {
                Verdict::Now { link: Link::Late, post }
            }
            Step::Change { .. } => Verdict::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn at(slot: u64, tx_index: u64) -> Order {
        Order { slot, tx_index, path: Path { outer: 0, inner: None }, event_index: 0 }
    }

    const fn state(n: u64) -> Reserves {
        Reserves { base: 1_000 - n, quote: n as u128 }
    }

    /// The n-th trade of a pool: from state n to state n + 1.
    fn trade(n: u64) -> (Order, Step) {
        (at(10 + n, 0), Step::Trade { pre: state(n), post: state(n + 1) })
    }

    fn link(chain: &mut Chain, (order, step): (Order, Step), must: bool) -> Option<Link> {
        match chain.take(order, &step, must) {
            Verdict::Now { link, .. } => Some(link),
            Verdict::Wait | Verdict::Nowhere => None,
        }
    }

    #[test]
    fn a_gap_is_told_and_mended_by_what_comes_late() {
        let mut chain = Chain::default();
        assert_eq!(link(&mut chain, trade(0), false), Some(Link::Begins));
        assert_eq!(link(&mut chain, trade(3), false), None, "waits for two others");
        assert_eq!(link(&mut chain, trade(3), true), Some(Link::AfterGap));
        assert_eq!((chain.broken_since(), chain.open_gaps()), (Some(13), 1));
        assert_eq!(link(&mut chain, trade(4), false), Some(Link::Follows));
        assert_eq!(link(&mut chain, trade(2), false), None, "waits for what is missing before it");
        assert_eq!(link(&mut chain, trade(1), false), Some(Link::Late));
        assert_eq!(chain.broken_since(), Some(13), "only a part of what was missing");
        assert_eq!(link(&mut chain, trade(2), false), Some(Link::Late));
        assert_eq!((chain.broken_since(), chain.open_gaps(), chain.head()), (None, 0, Some(state(5))));
    }

    #[test]
    fn what_cannot_be_checked_moves_the_pool_without_a_gap() {
        let mut chain = Chain::default();
        link(&mut chain, trade(0), false);
        assert_eq!(link(&mut chain, (at(11, 0), Step::Reset(state(7))), false), Some(Link::Resets));
        assert_eq!(link(&mut chain, (at(10, 5), Step::Reset(state(9))), false), Some(Link::Late));
        let deposit = Step::Change { base_before: Some(state(7).base), base: 10, quote: 20 };
        assert_eq!(link(&mut chain, (at(12, 0), deposit), false), None, "the base reserve may have been so before");
        let after = Reserves { base: state(7).base + 10, quote: 27 };
        let next = (at(13, 0), &Step::Trade { pre: after, post: state(1) });
        assert!(chain.leads((at(12, 0), &deposit), next));
        assert!(!chain.leads((at(13, 1), &deposit), next), "what comes later leads nowhere");
        let other = Step::Change { base_before: Some(state(7).base), base: 10, quote: 21 };
        assert!(!chain.leads((at(12, 0), &other), next));
        assert_eq!(link(&mut chain, (at(12, 0), deposit), true), Some(Link::Follows));
        assert_eq!(chain.head(), Some(Reserves { base: state(7).base + 10, quote: 27 }));
        assert_eq!((chain.broken_since(), chain.open_gaps()), (None, 0));
    }

    #[test]
    fn a_pool_that_something_else_moves_is_not_waited_for() {
        let mut chain = Chain::default();
        for n in [0, 2, 4, 6] {
            link(&mut chain, trade(n), true);
        }
        assert_eq!(link(&mut chain, trade(8), false), Some(Link::AfterGap));
        assert_eq!(link(&mut chain, trade(9), false), Some(Link::Follows));
        assert_eq!(link(&mut chain, trade(11), false), None);
    }

    #[test]
    fn impossible_amounts_are_nowhere() {
        let mut chain = Chain::default();
        let change = Step::Change { base_before: None, base: -i128::from(u64::MAX), quote: i128::MIN };
        assert_eq!(chain.take(at(1, 0), &change, true), Verdict::Nowhere);
        chain.take(at(1, 0), &Step::Reset(Reserves { base: u64::MAX, quote: u128::MAX }), false);
        assert_eq!(chain.take(at(2, 0), &change, true), Verdict::Nowhere);
    }
}
