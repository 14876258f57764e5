//! What a token shows of itself.

use std::sync::Arc;

use super::{Around, Token, missing, seconds};
use crate::{
    chain::ids::Pool,
    market::{
        detail::{AppView, CandleView, SeriesView, SizeView, SizesView, TraderView},
        forecast,
        price::{finite, lamports_to_sol},
        traders::Trader,
        trading_activity::{Activity, SIZES},
        view::{Stage, TokenView},
        windows::Ring,
    },
};

/// After so long without a trade, in milliseconds, a token gives back what it holds in reserve.
const IDLE_MS: i64 = 60_000;
/// Traders shown of a token.
const TOP_TRADERS: usize = 20;

impl Token {
    /// The view of this token; the same `Arc` until something about it changes.
    pub(in crate::market) fn view(&mut self, now_ms: i64, around: &Around) -> Arc<TokenView> {
        self.asked = true;
        if let Some(shown) = &self.shown {
            return shown.clone();
        }
        let now_s = seconds(now_ms);
        let price_sol = self.price_sol(around);
        let market_cap_sol = self.cap_sol(around);
        let windows = self.activity.windows(now_s, self.core.decimals);
        let first = self.activity.fine.last(300, now_s).next().map(|bucket| bucket.open);
        let core = &self.core;
        let flags = [
            ("graduated", core.graduated),
            ("mayhem", core.mayhem),
            ("cashback", core.cashback),
            ("holder_rewards", core.holder_rewards),
        ];
        let mut flags: Vec<_> = flags.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect();
        flags.extend(&self.marks);
        let usd = |sol: Option<f64>| sol.zip(around.sol_usd).and_then(|(sol, usd)| finite(sol * usd));
        let view = TokenView {
            mint: self.mint,
            symbol: self.symbol.clone(),
            name: self.name.clone(),
            venue: core.venue,
            stage: core.stage,
            progress_pct: if core.stage <= Stage::Completing { self.progress_pct() } else { None },
            quote_mint: core.quote_mint,
            price_sol,
            market_cap_sol,
            price_usd: usd(price_sol),
            market_cap_usd: usd(market_cap_sol),
            eta: self.eta(now_ms),
            momentum: forecast::momentum(&windows, market_cap_sol),
            leader: self.leader,
            windows,
            change_5m_pct: price_sol
                .zip(first)
                .filter(|(_, first)| *first > 0.0)
                .and_then(|(price, first)| finite((price / first - 1.0) * 100.0)),
            volume_sol_5m: windows[1].volume_sol,
            buys: core.buys,
            sells: core.sells,
            traders: self.activity.traders().len() as u64,
            created_slot: core.created_slot,
            created_ms: core.created_ms,
            last_trade_ms: core.last_trade_ms,
            creator: core.creator,
            pool: core.home,
            flags,
            prices: self.prices.iter().copied().collect(),
        };
        let view = match self.before.take() {
            Some(before) if *before == view => before,
            _ => Arc::new(view),
        };
        self.shown = Some(view.clone());
        view
    }

    /// Time has passed: a view shows what that may change; of a token that is looked after though it is not in view, a
    /// view that nobody has asked for since the last time goes.
    pub(in crate::market) fn age(&mut self, now_ms: i64, in_view: bool) {
        if in_view {
            if self.shown.as_ref().is_some_and(|shown| shown.windows[2].buys + shown.windows[2].sells > 0) {
                self.before = self.shown.take();
            }
        } else if !std::mem::take(&mut self.asked) {
            (self.shown, self.before) = (None, None);
        }
        self.activity.prune(seconds(now_ms));
        let idle = self.core.last_trade_ms.is_none_or(|last| now_ms - last > IDLE_MS);
        if idle {
            self.activity.rest();
            self.prices.shrink_to_fit();
        }
    }

    /// The view must be made anew.
    pub(in crate::market) fn refresh(&mut self) {
        self.shown = None;
    }

    /// Supply in whole tokens.
    pub(in crate::market) fn supply(&self) -> Option<f64> {
        (self.core.supply > 0).then(|| self.whole(self.core.supply)).flatten()
    }

    #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
    fn whole(&self, raw: u64) -> Option<f64> {
        self.core.decimals.map(|decimals| raw as f64 / 10_f64.powi(decimals.into()))
    }

    /// What is left on its curve.
    pub(in crate::market) fn curve_left(&self) -> Option<CurveLeft> {
        let (curve, left) = self.core.curve.zip(self.core.tokens_left)?;
        let missing = self.core.reserves.and_then(|reserves| missing(left, reserves));
        Some(CurveLeft { curve, tokens: self.whole(left)?, missing })
    }

    /// Its trades over time.
    pub(in crate::market) fn series(&self, now_ms: i64) -> [SeriesView; 3] {
        let Activity { fine, minutes, quarters, .. } = &self.activity;
        let now_s = seconds(now_ms);
        let supply = self.supply();
        let cap = |price: f64| supply.and_then(|supply| finite(price * supply));
        [series(fine, now_s, cap), series(minutes, now_s, cap), series(quarters, now_s, cap)]
    }

    /// The wallets with the greatest turnover.
    pub(in crate::market) fn top_traders(&self) -> Vec<TraderView> {
        let turnover = |trader: &&Trader| trader.spent.saturating_add(trader.received);
        let mut traders: Vec<&Trader> = self.activity.traders().iter().collect();
        let greater = |a: &&Trader, b: &&Trader| turnover(b).cmp(&turnover(a)).then_with(|| a.wallet.cmp(&b.wallet));
        if traders.len() > TOP_TRADERS {
            traders.select_nth_unstable_by(TOP_TRADERS, greater);
            traders.truncate(TOP_TRADERS);
        }
        traders.sort_unstable_by(greater);
        traders.into_iter().map(|trader| self.trader(trader)).collect()
    }

    #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
    fn trader(&self, trader: &Trader) -> TraderView {
        let (bought, sold) = (self.whole(trader.bought), self.whole(trader.sold));
        let (spent_sol, received_sol) = (lamports_to_sol(trader.spent.into()), lamports_to_sol(trader.received.into()));
        // What was sold beyond what was seen bought has no known cost, and its proceeds are left out.
        let matched = trader.bought.min(trader.sold) as f64;
        let realised_sol = (matched > 0.0)
            .then(|| received_sol * matched / trader.sold as f64 - spent_sol * matched / trader.bought as f64);
        TraderView {
            wallet: trader.wallet,
            buys: trader.buys,
            sells: trader.sells,
            spent_sol,
            received_sol,
            bought,
            sold,
            net: bought.zip(sold).map(|(bought, sold)| bought - sold),
            realised_sol,
            creator: self.core.creator == Some(trader.wallet),
            last_s: trader.last_s,
        }
    }

    /// How large its trades were, and how near to their senders' bounds.
    pub(in crate::market) fn sizes(&self) -> SizesView {
        let sizes = self.activity.sizes();
        let bounds = SIZES.into_iter().map(|lamports| Some(lamports_to_sol(lamports.into()))).chain([None]);
        let bands = bounds.zip(sizes.counts).map(|(below_sol, trades)| SizeView { below_sol, trades });
        #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
        let room = (sizes.bounded > 0).then(|| sizes.room_bp as f64 / 100.0 / f64::from(sizes.bounded));
        SizesView { bands: bands.collect(), bounded: sizes.bounded, mean_room_pct: room }
    }

    /// The apps it is traded with.
    pub(in crate::market) fn apps(&self) -> Vec<AppView> {
        let live = self.activity.apps().iter().filter(|app| app.lamports > 0 || app.buys + app.sells > 0);
        let views = live.map(|app| AppView {
            app: app.name,
            buys: app.buys,
            sells: app.sells,
            volume_sol: lamports_to_sol(app.lamports.into()),
        });
        let mut apps: Vec<_> = views.collect();
        apps.sort_by(|a, b| b.volume_sol.total_cmp(&a.volume_sol).then_with(|| a.app.cmp(&b.app)));
        apps
    }
}

/// What is left on a curve.
#[derive(Clone, Copy, Debug)]
pub(in crate::market) struct CurveLeft {
    pub(in crate::market) curve: Pool,
    /// Whole tokens.
    pub(in crate::market) tokens: f64,
    /// Raw quote that the curve asks for them.
    missing: Option<u64>,
}

impl CurveLeft {
    #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
    pub(in crate::market) fn missing_sol(&self, around: &Around) -> Option<f64> {
        let (missing, unit) = self.missing.zip(around.lamports_per_unit)?;
        finite(missing as f64 * unit / 1e9)
    }
}

fn series<const WIDTH: u32, const LEN: u32>(
    ring: &Ring<WIDTH, LEN>,
    now_s: u32,
    cap: impl Fn(f64) -> Option<f64>,
) -> SeriesView {
    let (width_s, length) = Ring::<WIDTH, LEN>::shape();
    let candles = ring.last(width_s * length, now_s).map(|bucket| CandleView {
        start_s: bucket.number * width_s,
        open: bucket.open,
        high: bucket.high,
        low: bucket.low,
        close: bucket.close,
        market_cap_sol: cap(bucket.close),
        bought_sol: lamports_to_sol(bucket.bought.into()),
        sold_sol: lamports_to_sol(bucket.sold.into()),
        buys: bucket.buys,
        sells: bucket.sells,
    });
    SeriesView { width_s, length, candles: candles.collect() }
}
