//! One token: from its launch over its curve to its pool.

use std::{
    collections::{HashSet, VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    sync::Arc,
};

use super::{
    view::{Stage, TokenView},
    window::Window,
};
use crate::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL, Wallet},
        text::Shown,
    },
    decode::event::{Flow, Reserves, Side, TokenCreated, Trade, Venue},
};

/// Tokens for sale on a fresh pump curve (`Global.initial_real_token_reserves`; verified on mainnet curves).
pub const INITIAL_CURVE_TOKENS: u64 = 793_100_000_000_000;
/// Supply of a pump token in raw units: 10^9 tokens of 6 decimals.
pub const PUMP_SUPPLY: u64 = 1_000_000_000_000_000;
/// Decimals of a pump token.
pub const PUMP_DECIMALS: u8 = 6;

/// Progress milestones in percent.
const MILESTONES: [u8; 6] = [25, 50, 75, 90, 95, 100];
/// Prices kept for the small chart.
const PRICES: usize = 120;
/// Distinct traders counted exactly; beyond it the figure is a lower bound.
const TRADERS: usize = 8_192;

/// A token's state.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) mint: Mint,
    pub(super) symbol: Shown,
    name: Shown,
    venue: Venue,
    pub(super) stage: Stage,
    quote_mint: Mint,
    initial_tokens: u64,
    tokens_left: Option<u64>,
    supply: u64,
    decimals: Option<u8>,
    reserves: Option<Reserves>,
    window: Option<Window>,
    buys: u64,
    sells: u64,
    traders: HashSet<u64>,
    created_slot: Option<u64>,
    created_ms: Option<i64>,
    last_trade_ms: Option<i64>,
    creator: Option<Wallet>,
    /// The curve, later the pool its liquidity moved to; for tokens met in a pool, the first pool seen.
    pub(super) pool: Option<Pool>,
    mayhem: bool,
    graduated: bool,
    milestone: Option<u8>,
    /// What was found about its trades.
    marks: Vec<&'static str>,
    prices: VecDeque<f32>,
    /// Position in the order of last activity.
    pub(super) touched: u64,
    shown: Option<Arc<TokenView>>,
}

/// What a trade did to its token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct TradeEffect {
    pub(super) price_sol: Option<f64>,
    pub(super) market_cap_sol: Option<f64>,
    /// New progress, if it moved.
    pub(super) progress_pct: Option<f64>,
    /// Highest milestone passed by this trade.
    pub(super) milestone: Option<u8>,
}

impl Token {
    pub(super) fn new(mint: Mint, venue: Venue) -> Self {
        let on_curve = venue.is_launchpad();
        let of_pump = matches!(venue, Venue::Pump | Venue::PumpSwap);
        Self {
            mint,
            symbol: Shown::default(),
            name: Shown::default(),
            venue,
            stage: if on_curve { Stage::Trading } else { Stage::Amm },
            quote_mint: WRAPPED_SOL,
            initial_tokens: INITIAL_CURVE_TOKENS,
            tokens_left: None,
            supply: if of_pump { PUMP_SUPPLY } else { 0 },
            decimals: (venue == Venue::Pump).then_some(PUMP_DECIMALS),
            reserves: None,
            window: None,
            buys: 0,
            sells: 0,
            traders: HashSet::new(),
            created_slot: None,
            created_ms: None,
            last_trade_ms: None,
            creator: None,
            pool: None,
            mayhem: false,
            graduated: false,
            milestone: None,
            marks: Vec::new(),
            prices: VecDeque::new(),
            touched: 0,
            shown: None,
        }
    }

    pub(super) fn created(&mut self, slot: u64, timestamp: Option<i64>, created: &TokenCreated) {
        self.symbol = Shown::from_untrusted(&created.symbol);
        self.name = Shown::from_untrusted(&created.name);
        self.creator = Some(created.creator);
        self.created_slot = Some(slot);
        self.created_ms = timestamp.map(|seconds| seconds.saturating_mul(1_000));
        self.mayhem |= created.mayhem;
        self.quote_mint = created.quote_mint;
        self.initial_tokens = created.initial_tokens_left.filter(|tokens| *tokens > 0).unwrap_or(INITIAL_CURVE_TOKENS);
        let of_pump = created.venue == Venue::Pump;
        self.supply = created.supply.filter(|supply| *supply > 0).unwrap_or(if of_pump { PUMP_SUPPLY } else { 0 });
        self.decimals = self.decimals.or(of_pump.then_some(PUMP_DECIMALS));
        if self.last_trade_ms.is_none() {
            self.stage = Stage::Created;
            self.pool = Some(created.curve);
            self.tokens_left = created.initial_tokens_left.or(of_pump.then_some(self.initial_tokens));
            self.reserves = created.initial;
            self.milestone = Some(0);
        }
        self.shown = None;
    }

    pub(super) fn traded(&mut self, hasher: &RandomState, recv_ms: i64, trade: &Trade) -> TradeEffect {
        self.shown = None;
        self.last_trade_ms = Some(recv_ms);
        self.mayhem |= trade.mayhem;
        match trade.side {
            Side::Buy => self.buys += 1,
            Side::Sell => self.sells += 1,
        }
        if self.traders.len() < TRADERS {
            self.traders.insert(hasher.hash_one(trade.user));
        }
        let mut effect = TradeEffect::default();
        let price_before = self.price_sol();
        let follows = match trade.venue {
            venue if venue.is_launchpad() => {
                matches!(self.stage, Stage::Created | Stage::Trading | Stage::Completing)
            }
            // A user's own pool of a token that is still on its curve has a price of its own.
            _ => matches!(self.stage, Stage::Migrated | Stage::Amm) && self.pool.is_none_or(|pool| pool == trade.pool),
        };
        if follows {
            self.follow(trade, &mut effect);
        }
        if trade.quote_mint == WRAPPED_SOL {
            if let Some(price) = price_before.or_else(|| self.price_sol()) {
                self.window.get_or_insert_with(Window::new).add(recv_ms / 1_000, trade.quote_amount, price);
            }
            let executed = Reserves { base: trade.base_amount, quote: trade.quote_amount.into() };
            effect.price_sol = price_of(trade.reserves_after.or(Some(executed)), trade.base_decimals.or(self.decimals));
            effect.market_cap_sol = market_cap_of(trade.reserves_after, trade.base_supply.unwrap_or(self.supply));
        }
        effect
    }

    /// The trade is in the place where this token's price is made: take over its state.
    fn follow(&mut self, trade: &Trade, effect: &mut TradeEffect) {
        self.venue = trade.venue;
        self.pool = Some(trade.pool);
        self.quote_mint = trade.quote_mint;
        if let Some(decimals) = trade.base_decimals {
            self.decimals = Some(decimals);
        }
        if let Some(supply) = trade.base_supply.filter(|supply| *supply > 0) {
            self.supply = supply;
        }
        if trade.reserves_after.is_some() && trade.flow != Flow::PostCompletion {
            self.reserves = trade.reserves_after;
            if let Some(price) = self.price_sol() {
                if self.prices.len() == PRICES {
                    self.prices.pop_front();
                }
                #[allow(clippy::cast_possible_truncation, reason = "a chart needs no more")]
                self.prices.push_back(price as f32);
            }
        }
        if !trade.venue.is_launchpad() {
            self.stage = Stage::Amm;
            return;
        }
        let left = match trade.curve_progress {
            Some(progress) => {
                self.initial_tokens = progress.goal;
                Some(progress.goal.saturating_sub(progress.done))
            }
            None => trade.curve_tokens_left,
        };
        let Some(left) = left else { return };
        let before = self.progress_pct();
        self.tokens_left = Some(left);
        if self.stage == Stage::Created {
            self.stage = Stage::Trading;
        }
        if left == 0 {
            self.stage = Stage::Completing;
        }
        let after = self.progress_pct();
        if after != before {
            effect.progress_pct = after;
        }
        effect.milestone = self.pass_milestone();
    }

    /// The highest milestone newly passed. A token met in mid-life has passed those below it before we looked.
    fn pass_milestone(&mut self) -> Option<u8> {
        let progress = self.progress_pct()?;
        let reached = MILESTONES.into_iter().filter(|percent| progress >= f64::from(*percent)).max().unwrap_or(0);
        match self.milestone.replace(self.milestone.map_or(reached, |passed| passed.max(reached))) {
            Some(passed) if reached > passed => Some(reached),
            _ => None,
        }
    }

    pub(super) fn completed(&mut self) {
        if self.stage < Stage::Completing {
            self.stage = Stage::Completing;
        }
        self.shown = None;
    }

    pub(super) fn graduated(&mut self, from: Venue, pool: Pool) {
        self.stage = Stage::Migrated;
        self.graduated = true;
        if from == Venue::Pump {
            self.venue = Venue::PumpSwap;
        }
        self.pool = Some(pool);
        self.shown = None;
    }

    /// The pool this token lives in changed without a trade.
    pub(super) fn reserves_changed(&mut self, pool: Pool, change: impl FnOnce(Option<Reserves>) -> Option<Reserves>) {
        if self.pool == Some(pool) {
            self.reserves = change(self.reserves);
            self.shown = None;
        }
    }

    pub(super) fn set_decimals(&mut self, decimals: Option<u8>) {
        self.decimals = decimals.or(self.decimals);
    }

    fn progress_pct(&self) -> Option<f64> {
        progress_pct(self.tokens_left?, self.initial_tokens)
    }

    fn price_sol(&self) -> Option<f64> {
        (self.quote_mint == WRAPPED_SOL).then(|| price_of(self.reserves, self.decimals)).flatten()
    }

    fn market_cap_sol(&self) -> Option<f64> {
        (self.quote_mint == WRAPPED_SOL).then(|| market_cap_of(self.reserves, self.supply)).flatten()
    }

    /// Marks the token with what was found about it.
    pub(super) fn flag(&mut self, mark: &'static str) {
        if !self.marks.contains(&mark) {
            self.marks.push(mark);
            self.shown = None;
        }
    }

    /// The view of this token; the same `Arc` until something about it changes.
    pub(super) fn view(&mut self, now_ms: i64) -> Arc<TokenView> {
        if let Some(shown) = &self.shown {
            return shown.clone();
        }
        let now_s = now_ms / 1_000;
        let price_sol = self.price_sol();
        let first = self.window.as_ref().and_then(|window| window.first_price(now_s));
        let mut flags = Vec::new();
        for (flag, set) in [("graduated", self.graduated), ("mayhem", self.mayhem)] {
            if set {
                flags.push(flag);
            }
        }
        flags.extend(&self.marks);
        let view = Arc::new(TokenView {
            mint: self.mint,
            symbol: self.symbol.clone(),
            name: self.name.clone(),
            venue: self.venue,
            stage: self.stage,
            progress_pct: if self.stage <= Stage::Completing { self.progress_pct() } else { None },
            quote_mint: self.quote_mint,
            price_sol,
            market_cap_sol: self.market_cap_sol(),
            change_5m_pct: price_sol
                .zip(first)
                .filter(|(_, first)| *first > 0.0)
                .map(|(price, first)| (price / first - 1.0) * 100.0),
            volume_sol_5m: self.window.as_ref().map_or(0.0, |window| lamports_to_sol(window.volume(now_s).into())),
            buys: self.buys,
            sells: self.sells,
            traders: self.traders.len() as u64,
            created_slot: self.created_slot,
            created_ms: self.created_ms,
            last_trade_ms: self.last_trade_ms,
            creator: self.creator,
            pool: self.pool,
            flags,
            prices: self.prices.iter().copied().collect(),
        });
        self.shown = Some(view.clone());
        view
    }

    /// Whether figures of the rolling window may have changed by the mere passing of time.
    pub(super) fn age(&mut self, now_ms: i64) {
        let Some(window) = &self.window else { return };
        let now_s = now_ms / 1_000;
        if self.shown.as_ref().is_some_and(|shown| shown.volume_sol_5m > 0.0) {
            self.shown = None;
            if window.first_price(now_s).is_none() {
                self.window = None;
            }
        }
    }
}

/// Share of the curve's tokens sold, in percent, floored to 0.01 and within 0–100.
fn progress_pct(left: u64, initial: u64) -> Option<f64> {
    let sold = u128::from(initial.saturating_sub(left));
    let basis_points = (sold * 10_000).checked_div(u128::from(initial))?;
    #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
    Some(basis_points as f64 / 100.0)
}

#[allow(clippy::cast_precision_loss, reason = "prices are approximate by nature")]
fn price_of(reserves: Option<Reserves>, decimals: Option<u8>) -> Option<f64> {
    let reserves = reserves.filter(|reserves| reserves.base > 0)?;
    Some(reserves.quote as f64 / reserves.base as f64 * 10_f64.powi(i32::from(decimals?) - 9))
}

#[allow(clippy::cast_precision_loss, reason = "market caps are approximate by nature")]
fn market_cap_of(reserves: Option<Reserves>, supply: u64) -> Option<f64> {
    let reserves = reserves.filter(|reserves| reserves.base > 0 && supply > 0)?;
    Some(reserves.quote as f64 * supply as f64 / reserves.base as f64 / 1e9)
}

/// Lamports in SOL.
#[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
pub(super) fn lamports_to_sol(lamports: u128) -> f64 {
    lamports as f64 / 1e9
}
