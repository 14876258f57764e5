//! The order of the token list, and of the pools.

use std::{cmp::Ordering, sync::Arc};

use crate::engine::view::{PoolView, TokenView};

/// What tokens are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the column of that name")]
pub enum Column {
    #[default]
    Volume,
    MarketCap,
    Progress,
    Change,
    Trades,
    Traders,
    Age,
    LastTrade,
    Symbol,
}

impl Column {
    /// All columns, in the order of the sort key.
    pub const ALL: [Self; 9] = [
        Self::Volume,
        Self::MarketCap,
        Self::Progress,
        Self::Change,
        Self::Trades,
        Self::Traders,
        Self::Age,
        Self::LastTrade,
        Self::Symbol,
    ];

    /// As shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::MarketCap => "market cap",
            Self::Progress => "progress",
            Self::Change => "change",
            Self::Trades => "trades",
            Self::Traders => "traders",
            Self::Age => "age",
            Self::LastTrade => "last trade",
            Self::Symbol => "symbol",
        }
    }

    fn compare(self, a: &TokenView, b: &TokenView) -> Ordering {
        match self {
            Self::Volume => number(Some(a.volume_sol_5m)).total_cmp(&number(Some(b.volume_sol_5m))),
            Self::MarketCap => number(a.market_cap_sol).total_cmp(&number(b.market_cap_sol)),
            Self::Progress => number(a.progress_pct).total_cmp(&number(b.progress_pct)),
            Self::Change => number(a.change_5m_pct).total_cmp(&number(b.change_5m_pct)),
            Self::Trades => a.buys.saturating_add(a.sells).cmp(&b.buys.saturating_add(b.sells)),
            Self::Traders => a.traders.cmp(&b.traders),
            Self::Age => a.created_ms.cmp(&b.created_ms),
            Self::LastTrade => a.last_trade_ms.cmp(&b.last_trade_ms),
            // Descending is the first direction of every column; for words that is A to Z.
            Self::Symbol => b.symbol.as_str().cmp(a.symbol.as_str()),
        }
    }
}

/// What is not known, or not a number, comes after everything in descending order.
fn number(value: Option<f64>) -> f64 {
    value.filter(|value| !value.is_nan()).unwrap_or(f64::NEG_INFINITY)
}

/// Orders positions in `pools`: those that hold most first, then the deepest. Ties fall to the address, so that rows do
/// not dance.
pub fn pools(order: &mut [u32], pools: &[Arc<PoolView>]) {
    order.sort_unstable_by(|a, b| {
        let (Some(a), Some(b)) = (pools.get(*a as usize), pools.get(*b as usize)) else { return a.cmp(b) };
        let depth = || number(b.depth_up_sol).total_cmp(&number(a.depth_up_sol));
        number(b.tvl_sol).total_cmp(&number(a.tvl_sol)).then_with(depth).then_with(|| a.pool.cmp(&b.pool))
    });
}

/// Column and direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub column: Column,
    /// Smallest first.
    pub ascending: bool,
}

impl Sort {
    /// The next column, largest first.
    pub fn next_column(&mut self) {
        let next = (self.column as usize + 1) % Column::ALL.len();
        *self = Self { column: Column::ALL.get(next).copied().unwrap_or_default(), ascending: false };
    }

    /// Orders positions in `tokens`. Ties fall to the mint, so that rows do not dance.
    pub fn apply(self, order: &mut [u32], tokens: &[Arc<TokenView>]) {
        order.sort_unstable_by(|a, b| {
            let (Some(a), Some(b)) = (tokens.get(*a as usize), tokens.get(*b as usize)) else { return a.cmp(b) };
            let by_column = self.column.compare(a, b);
            let directed = if self.ascending { by_column } else { by_column.reverse() };
            directed.then_with(|| a.mint.cmp(&b.mint))
        });
    }
}
