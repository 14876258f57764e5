//! The views of the last ten minutes, to step back through. Bounded in number and in memory.
//!
//! At most one view a second is kept, 600 of them. Views share what did not change, and what one of them holds alone is
//! estimated; when all of them hold more than [`BYTES`], views go where they stand closest for their age, so that the ten
//! minutes stay and the steps grow with the distance.

use std::{collections::VecDeque, mem::size_of, ops::Range, sync::Arc};

use crate::engine::{
    View,
    view::{LifecycleView, PoolView, TokenView, TradeView},
};

/// How far back views are kept, in milliseconds.
pub const SPAN_MS: i64 = 600_000;
/// Least time between two views that are kept, in milliseconds.
const APART_MS: i64 = 1_000;
/// Age at which views may stand twice as far apart as the newest, in milliseconds.
const AGE_MS: i64 = 60_000;
/// Most memory that views hold beside the newest one, in bytes, by estimate.
pub const BYTES: usize = 12 << 20;

#[derive(Debug)]
struct Kept {
    view: Arc<View>,
    /// What the view before it does not have.
    bytes: usize,
}

/// Views, oldest first.
#[derive(Debug, Default)]
pub struct History {
    views: VecDeque<Kept>,
    bytes: usize,
    /// Views given up for their memory, since the start.
    thinned: u64,
}

impl History {
    /// Keeps a view, unless the newest one kept is younger than a second before it.
    pub fn push(&mut self, view: &Arc<View>) {
        let newest = self.views.back().map(|kept| kept.view.now_ms);
        if newest.is_some_and(|newest| view.now_ms.saturating_sub(newest) < APART_MS) {
            return;
        }
        let bytes = self.views.back().map_or(0, |before| own_bytes(view, &before.view));
        self.views.push_back(Kept { view: view.clone(), bytes });
        self.bytes += bytes;
        while self.views.front().is_some_and(|kept| view.now_ms.saturating_sub(kept.view.now_ms) > SPAN_MS) {
            self.drop_first();
        }
        while self.bytes > BYTES && self.views.len() > 2 {
            self.thin();
        }
    }

    fn drop_first(&mut self) {
        if let Some(first) = self.views.pop_front() {
            self.bytes = self.bytes.saturating_sub(first.bytes);
        }
        // The base holds what the newest view may hold as well; it is the one that is not counted.
        if let Some(first) = self.views.front_mut() {
            self.bytes = self.bytes.saturating_sub(std::mem::take(&mut first.bytes));
        }
    }

    /// One view goes: where views stand closest for their age. Neither the oldest nor the newest.
    fn thin(&mut self) {
        let Some(newest) = self.newest().map(|newest| newest.now_ms) else { return };
        let at = |index: usize| self.views.get(index).map_or(newest, |kept| kept.view.now_ms);
        let crowded = (1..self.views.len().saturating_sub(1)).min_by_key(|index| {
            let gap = at(index + 1).saturating_sub(at(index - 1)).max(0);
            let age = newest.saturating_sub(at(*index)).max(0);
            gap.saturating_mul(1_000) / age.saturating_add(AGE_MS)
        });
        let Some(index) = crowded else { return };
        let gone = self.views.remove(index).map_or(0, |kept| kept.bytes);
        self.bytes = self.bytes.saturating_sub(gone);
        self.thinned += 1;
        // What only the two of them shared is now the next one's own.
        let own = match (self.views.get(index - 1), self.views.get(index)) {
            (Some(before), Some(next)) => own_bytes(&next.view, &before.view),
            _ => return,
        };
        if let Some(next) = self.views.get_mut(index) {
            self.bytes = self.bytes.saturating_sub(next.bytes).saturating_add(own);
            next.bytes = own;
        }
    }

    /// Views kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Memory held by the views, by estimate.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Views given up before their time because of their memory.
    #[must_use]
    pub const fn thinned(&self) -> u64 {
        self.thinned
    }

    /// The newest view.
    #[must_use]
    pub fn newest(&self) -> Option<&Arc<View>> {
        self.views.back().map(|kept| &kept.view)
    }

    /// The newest view that is older than this instant.
    #[must_use]
    pub fn before(&self, now_ms: i64) -> Option<&Arc<View>> {
        let at = self.views.partition_point(|kept| kept.view.now_ms < now_ms);
        at.checked_sub(1).and_then(|at| self.views.get(at)).map(|kept| &kept.view)
    }

    /// The oldest view that is newer than this instant.
    #[must_use]
    pub fn after(&self, now_ms: i64) -> Option<&Arc<View>> {
        self.views.get(self.views.partition_point(|kept| kept.view.now_ms <= now_ms)).map(|kept| &kept.view)
    }

    /// From when to when there are views.
    #[must_use]
    pub fn span_ms(&self) -> Option<Range<i64>> {
        Some(self.views.front()?.view.now_ms..self.views.back()?.view.now_ms)
    }
}

/// What a view holds that the one before it does not, by estimate: the parts that grow with the market.
fn own_bytes(view: &View, before: &View) -> usize {
    let tokens = list(&view.tokens, &before.tokens, |token: &TokenView| {
        size_of::<TokenView>() + token.prices.len() * size_of::<f32>() + token.flags.len() * size_of::<&str>()
    });
    let trades = list(&view.trades.entries, &before.trades.entries, |_: &TradeView| size_of::<TradeView>());
    let steps =
        list(&view.lifecycle.entries, &before.lifecycle.entries, |_: &LifecycleView| size_of::<LifecycleView>());
    let pools = list(&view.pools, &before.pools, |_: &PoolView| size_of::<PoolView>());
    let fixed = size_of::<View>() + 16_384;
    fixed + tokens + pools + trades + steps
}

/// A shared list: nothing when it is the same, else its pointers and the entries that are new.
fn list<T>(now: &Arc<[Arc<T>]>, before: &Arc<[Arc<T>]>, size: impl Fn(&T) -> usize) -> usize {
    if Arc::ptr_eq(now, before) {
        return 0;
    }
    let mut known: Vec<*const T> = before.iter().map(Arc::as_ptr).collect();
    known.sort_unstable();
    let new = now.iter().filter(|entry| known.binary_search(&Arc::as_ptr(entry)).is_err());
    now.len() * size_of::<Arc<T>>() + new.map(|entry| size(entry) + 16).sum::<usize>()
}
