//! The token whose page is open: it is never forgotten, and its detail is made.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Market, WATCHED_VENUES,
    creators::Deed,
    detail::{CurveView, TokenDetail},
    view::{PoolView, TokenView, TradeView},
};
use crate::chain::ids::{Mint, Pool};

/// Trades kept of the open token.
const TRADES: usize = 300;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) mint: Mint,
    trades: VecDeque<Arc<TradeView>>,
    /// Where it trades, as far as is known.
    venues: Vec<Pool>,
    trades_seen: u64,
    shown: Option<Shown>,
}

/// The last detail and what it was made of: the same as long as that is the same.
#[derive(Clone, Debug)]
struct Shown {
    token: Arc<TokenView>,
    venues: Vec<Arc<PoolView>>,
    trades_seen: u64,
    detail: Arc<TokenDetail>,
}

impl Opened {
    /// Keeps one of its trades.
    pub(super) fn traded(&mut self, trade: Arc<TradeView>) {
        if self.trades.len() == TRADES {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
        self.trades_seen += 1;
    }

    /// Learns of a venue of it. Of more than can be shown the first stay.
    pub(super) fn venue(&mut self, pool: Pool) {
        if self.venues.len() < WATCHED_VENUES && !self.venues.contains(&pool) {
            self.venues.push(pool);
        }
    }
}

impl Market {
    /// Opens a token's page, or closes it. The token that is open is never forgotten.
    pub fn open(&mut self, mint: Option<Mint>) {
        self.watch(mint);
        if self.opened.as_ref().map(|opened| opened.mint) == mint {
            return;
        }
        self.opened = mint.map(|mint| {
            let trades: VecDeque<_> =
                self.trades.feed().entries.iter().filter(|trade| trade.mint == mint).cloned().collect();
            let mut opened = Opened { mint, trades, venues: Vec::new(), trades_seen: 0, shown: None };
            for id in self.pools.newest_first() {
                if let Some((pool, state)) = self.pools.key(id).zip(self.pools.value(id))
                    && state.facts.mint == mint
                {
                    opened.venue(pool);
                }
            }
            opened
        });
    }

    /// The detail of the open token, if it is known; the same `Arc` until something about it changes.
    pub fn detail(&mut self, now_ms: i64) -> Option<Arc<TokenDetail>> {
        let opened = self.opened.take()?;
        let made = self.detail_of(&opened, now_ms);
        let detail = made.as_ref().map(|shown| shown.detail.clone());
        self.opened = Some(Opened { shown: made, ..opened });
        detail
    }

    fn detail_of(&mut self, opened: &Opened, now_ms: i64) -> Option<Shown> {
        let id = self.tokens.find(&opened.mint)?;
        let around = self.shown_around(self.tokens.value(id)?.core.quote_mint);
        let token = self.tokens.value_mut(id)?.view(now_ms, &around);
        let ids = opened.venues.iter().filter_map(|pool| self.pools.find(pool));
        let ids: Vec<u32> = ids.collect();
        let mut venues: Vec<_> = ids.into_iter().filter_map(|id| self.pool_view(id)).collect();
        let depth = |venue: &PoolView| venue.depth_up_sol.unwrap_or(0.0);
        venues.sort_by(|a, b| depth(b).total_cmp(&depth(a)));
        if let Some(shown) = &opened.shown
            && Arc::ptr_eq(&shown.token, &token)
            && shown.trades_seen == opened.trades_seen
            && shown.venues.len() == venues.len()
            && shown.venues.iter().zip(&venues).all(|(a, b)| Arc::ptr_eq(a, b))
        {
            return Some(shown.clone());
        }
        let state = self.tokens.value(id)?;
        let raised_sol = token.pool.and_then(|pool| self.pools.get(&pool)).and_then(|pool| pool.raised_sol(&around));
        let curve = state.curve_left().zip(token.progress_pct).map(|(left, progress_pct)| CurveView {
            curve: left.curve,
            tokens_left: left.tokens,
            raised_sol,
            missing_sol: left.missing_sol(&around),
            progress_pct,
            eta: token.eta,
        });
        let detail = Arc::new(TokenDetail {
            mint: opened.mint,
            token: token.clone(),
            supply: state.supply(),
            series: state.series(now_ms),
            trades: opened.trades.iter().cloned().collect(),
            curve,
            venues: venues.clone(),
            top_traders: state.top_traders(),
            traders: state.activity.traders().len(),
            traders_over: state.activity.traders_over(),
            creator: token.creator.and_then(|creator| self.creators.view(creator)),
            apps: state.apps(),
            sizes: state.sizes(),
        });
        Some(Shown { token, venues, trades_seen: opened.trades_seen, detail })
    }

    /// Marks a token, if it is known, with what was found about it; its creator is remembered for it.
    pub fn flag(&mut self, mint: &Mint, flag: Option<&'static str>) {
        let Some((flag, token)) = flag.zip(self.tokens.get_mut(mint)) else { return };
        let deed = match flag {
            DEV_SOLD => Deed::DevSold,
            RUGGED => Deed::Rugged,
            _ => {
                token.flag(flag);
                return;
            }
        };
        if token.flag(flag)
            && let Some(creator) = token.core.creator
        {
            self.creators.did(creator, deed);
        }
    }
}

/// The creator's side was found selling.
pub const DEV_SOLD: &str = "dev_sold";
/// The token was found drained.
pub const RUGGED: &str = "rugged";
