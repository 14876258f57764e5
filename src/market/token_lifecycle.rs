//! One token: from its launch over its curve to its pool.

mod face;
mod state;

use std::{collections::VecDeque, sync::Arc};

pub(super) use self::state::{Around, Core, Passed, Promise, TokenUndo, TradeEffect};
use super::{
    alarms::room_pct,
    change::MilestoneKind,
    forecast,
    milestones::Milestones,
    price::{market_cap_of, price_of, price_of_ratio},
    reserve_chain::{Link, Placed},
    trading_activity::{Activity, Taken},
    view::{EtaView, Stage, TokenView},
    windows::reserve,
};
use crate::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL},
        text::Shown,
    },
    decode::event::{FeeKind, Flow, Reserves, Side, TokenCreated, Trade, Venue},
};

/// Tokens for sale on a fresh pump curve (`Global.initial_real_token_reserves`; verified on mainnet curves).
pub const INITIAL_CURVE_TOKENS: u64 = 793_100_000_000_000;
/// Supply of a pump token in raw units: 10^9 tokens of 6 decimals.
pub const PUMP_SUPPLY: u64 = 1_000_000_000_000_000;
/// Decimals of a pump token.
pub const PUMP_DECIMALS: u8 = 6;

/// Prices kept for the small chart.
const PRICES: usize = 120;
/// Percent of progress at which the time of completion is forecast, to be scored.
const SCORED_AT: f64 = 50.0;

/// A token's state.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) mint: Mint,
    pub(super) symbol: Shown,
    name: Shown,
    pub(super) core: Core,
    pub(super) activity: Activity,
    /// What was found about its trades.
    marks: Vec<&'static str>,
    prices: VecDeque<f32>,
    pub(super) leader: bool,
    shown: Option<Arc<TokenView>>,
    /// The view before time passed, which is the view again if time has changed nothing.
    before: Option<Arc<TokenView>>,
    /// Whether somebody has asked for the view since the token was looked after.
    asked: bool,
}

impl Token {
    pub(super) fn new(mint: Mint, venue: Venue) -> Self {
        let on_curve = venue.is_launchpad();
        let of_pump = matches!(venue, Venue::Pump | Venue::PumpSwap);
        let core = Core {
            venue,
            stage: if on_curve { Stage::Trading } else { Stage::Amm },
            quote_mint: WRAPPED_SOL,
            initial_tokens: INITIAL_CURVE_TOKENS,
            tokens_left: None,
            supply: if of_pump { PUMP_SUPPLY } else { 0 },
            decimals: (venue == Venue::Pump).then_some(PUMP_DECIMALS),
            reserves: None,
            ratio: None,
            buys: 0,
            sells: 0,
            created_slot: None,
            created_ms: None,
            last_trade_ms: None,
            creator: None,
            curve: None,
            home: None,
            mayhem: false,
            graduated: false,
            cashback: false,
            holder_rewards: false,
            milestones: Milestones::default(),
            promise: None,
            market_cap_sol: None,
        };
        Self {
            mint,
            symbol: Shown::default(),
            name: Shown::default(),
            core,
            activity: Activity::default(),
            marks: Vec::new(),
            prices: VecDeque::new(),
            leader: false,
            shown: None,
            before: None,
            asked: false,
        }
    }

    pub(super) fn created(&mut self, slot: u64, timestamp: Option<i64>, created: &TokenCreated, around: &Around) {
        self.symbol = Shown::from_untrusted(&created.symbol);
        self.name = Shown::from_untrusted(&created.name);
        let core = &mut self.core;
        core.creator = Some(created.creator);
        core.created_slot = Some(slot);
        core.created_ms = timestamp.map(|seconds| seconds.saturating_mul(1_000));
        core.mayhem |= created.mayhem;
        core.quote_mint = created.quote_mint;
        core.curve = Some(created.curve);
        core.initial_tokens = created.initial_tokens_left.filter(|tokens| *tokens > 0).unwrap_or(INITIAL_CURVE_TOKENS);
        let of_pump = created.venue == Venue::Pump;
        core.supply = created.supply.filter(|supply| *supply > 0).unwrap_or(if of_pump { PUMP_SUPPLY } else { 0 });
        // A mayhem coin's second half lies in a vault: its cap is told on the first, as pump does.
        if of_pump && created.mayhem {
            core.supply = core.supply.min(PUMP_SUPPLY);
        }
        core.decimals = core.decimals.or(of_pump.then_some(PUMP_DECIMALS));
        if core.last_trade_ms.is_none() {
            core.stage = Stage::Created;
            core.home = Some(created.curve);
            core.tokens_left = created.initial_tokens_left.or(of_pump.then_some(core.initial_tokens));
            core.reserves = created.initial;
            self.milestones(around, |_| {});
        }
        self.changed(around);
    }

    /// Takes a trade. One that is older than what its pool stands at counts, but moves no price.
    pub(super) fn traded(
        &mut self,
        recv_ms: i64,
        trade: &Trade,
        placed: Option<Placed>,
        around: &Around,
        undo: &mut TokenUndo,
        mut passed: impl FnMut(Passed),
    ) -> TradeEffect {
        let late = placed.is_some_and(|placed| placed.link == Link::Late);
        // Where the event says only how the pool stood before.
        let after = trade.reserves_after.or(placed.map(|placed| placed.post));
        let core = &mut self.core;
        core.last_trade_ms = Some(core.last_trade_ms.map_or(recv_ms, |last| last.max(recv_ms)));
        core.mayhem |= trade.mayhem;
        for fee in trade.fees.iter().flatten() {
            core.cashback |= fee.kind == FeeKind::Cashback && fee.amount > 0;
            core.holder_rewards |= fee.kind == FeeKind::HolderRewards && fee.amount > 0;
        }
        let mut effect = TradeEffect { room_pct: room_pct(trade), ..TradeEffect::default() };
        let price_before = self.price_sol(around);
        let progress_before = self.progress_pct();
        let follows = match trade.venue {
            venue if venue.is_launchpad() => {
                let core = &mut self.core;
                // Met in a user's own pool while it is on its curve: its price is made here.
                if core.curve.is_none() && !core.graduated && core.venue != Venue::PumpSwap {
                    core.stage = core.stage.min(Stage::Trading);
                }
                core.curve = Some(trade.pool);
                matches!(core.stage, Stage::Created | Stage::Trading | Stage::Completing)
            }
            // Nobody can trade on a curve that is sold out: its migration was not seen.
            Venue::PumpSwap if self.core.stage == Stage::Completing && self.core.venue == Venue::Pump => true,
            // A user's own pool of a token that is still on its curve has a price of its own.
            _ => {
                matches!(self.core.stage, Stage::Migrated | Stage::Amm)
                    && self.core.home.is_none_or(|pool| pool == trade.pool)
            }
        };
        if follows {
            self.follow(trade, after, late);
        }
        let decimals = trade.base_decimals.or(self.core.decimals);
        let own = if trade.quote_mint == WRAPPED_SOL { Some(1.0) } else { around.lamports_per_unit };
        let executed = Reserves { base: trade.base_amount, quote: trade.quote_amount.into() };
        let stated = trade.sqrt_price.and_then(crate::decode::event::SqrtPrice::quote_per_base);
        effect.price_sol = match (after, stated) {
            (None, Some(ratio)) => price_of_ratio(ratio, decimals, own),
            _ => price_of(after.or(Some(executed)), decimals, own),
        };
        effect.market_cap_sol = market_cap_of(after, trade.base_supply.unwrap_or(self.core.supply), own);
        if matches!(trade.flow, Flow::User | Flow::PostCompletion) {
            let price_before = price_before.or(effect.price_sol);
            self.count(recv_ms, trade, (price_before, effect.room_pct), own, around, undo);
        }
        if follows && !late {
            if let Some(price) = self.price_sol(around).filter(|_| trade.flow != Flow::PostCompletion) {
                if self.prices.len() == PRICES {
                    self.prices.pop_front();
                }
                reserve(&mut self.prices, PRICES);
                #[allow(clippy::cast_possible_truncation, reason = "a chart needs no more")]
                self.prices.push_back(price as f32);
                undo.priced = true;
            }
            if self.progress_pct() != progress_before {
                effect.progress_pct = self.progress_pct();
                effect.eta = self.eta(recv_ms);
                self.promise(recv_ms, progress_before, effect);
            }
            self.milestones(around, &mut passed);
        }
        self.changed(around);
        effect
    }

    /// Counts a user's trade.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a value")]
    fn count(
        &mut self,
        recv_ms: i64,
        trade: &Trade,
        (price_before, room_pct): (Option<f64>, Option<f64>),
        own: Option<f64>,
        around: &Around,
        undo: &mut TokenUndo,
    ) {
        let second_leg = trade.flow == Flow::PostCompletion;
        match trade.side {
            Side::Buy => self.core.buys += u64::from(!second_leg),
            Side::Sell => self.core.sells += u64::from(!second_leg),
        }
        let lamports = match own {
            _ if trade.quote_mint == WRAPPED_SOL => trade.quote_amount,
            Some(lamports) => (trade.quote_amount as f64 * lamports) as u64,
            None => 0,
        };
        let before = price_before.unwrap_or(0.0);
        let taken = Taken {
            now_s: seconds(recv_ms),
            buy: trade.side == Side::Buy,
            lamports,
            base: if own.is_some() { trade.base_amount } else { 0 },
            price: [before, self.price_sol(around).unwrap_or(before)],
            second_leg,
            app: trade.app,
            // The cast saturates.
            room_bp: room_pct.map(|room| (room * 100.0).round() as i32),
        };
        undo.activity = Some(self.activity.add(&trade.user, &taken, around.secret));
    }

    /// The trade is in the place where this token's price is made: take over its state.
    fn follow(&mut self, trade: &Trade, after: Option<Reserves>, late: bool) {
        let core = &mut self.core;
        if !trade.venue.is_launchpad() {
            core.stage = Stage::Amm;
        } else if core.stage == Stage::Created {
            core.stage = Stage::Trading;
        }
        core.decimals = trade.base_decimals.or(core.decimals);
        if late {
            return;
        }
        core.venue = trade.venue;
        core.home = Some(trade.pool);
        core.quote_mint = trade.quote_mint;
        core.supply = trade.base_supply.filter(|supply| *supply > 0).unwrap_or(core.supply);
        if trade.flow != Flow::PostCompletion {
            core.reserves = after;
            core.ratio = trade.sqrt_price.and_then(crate::decode::event::SqrtPrice::quote_per_base);
            if core.reserves.is_none() && core.ratio.is_none() && trade.base_amount > 0 {
                #[allow(clippy::cast_precision_loss, reason = "prices are approximate by nature")]
                let executed = trade.quote_amount as f64 / trade.base_amount as f64;
                core.ratio = Some(executed);
            }
        }
        if !trade.venue.is_launchpad() {
            return;
        }
        let left = match trade.curve_progress {
            Some(progress) => {
                core.initial_tokens = progress.goal;
                Some(progress.goal.saturating_sub(progress.done))
            }
            None => trade.curve_tokens_left,
        };
        let Some(left) = left else { return };
        core.tokens_left = Some(left);
        if left == 0 {
            core.stage = Stage::Completing;
        }
    }

    /// Takes the forecast that will be scored.
    fn promise(&mut self, recv_ms: i64, before: Option<f64>, effect: TradeEffect) {
        let crosses = before.is_some_and(|before| before < SCORED_AT)
            && effect.progress_pct.is_some_and(|progress| progress >= SCORED_AT);
        if crosses && let Some(EtaView { low_s, high_s: Some(high_s), .. }) = effect.eta {
            #[allow(clippy::cast_possible_truncation, reason = "saturates")]
            let at = |seconds: f64| recv_ms.saturating_add((seconds * 1_000.0) as i64);
            self.core.promise = Some(Promise { low_ms: at(low_s), high_ms: at(high_s), overdue: false });
        }
    }

    fn milestones(&mut self, around: &Around, mut passed: impl FnMut(Passed)) {
        let cap_sol = self.cap_sol(around);
        let cap_usd = cap_sol.zip(around.sol_usd).map(|(cap, usd)| cap * usd);
        let figures = [
            (MilestoneKind::Progress, self.progress_pct()),
            (MilestoneKind::MarketCapSol, cap_sol),
            (MilestoneKind::MarketCapUsd, cap_usd),
        ];
        for (kind, value) in figures {
            if let Some(value) = value {
                self.core.milestones.see(kind, value, |threshold| passed((kind, threshold)));
            }
        }
    }

    /// The curve is sold out; the forecast that was made of it, if one was.
    pub(super) fn completed(&mut self) -> Option<Promise> {
        if self.core.stage < Stage::Completing {
            self.core.stage = Stage::Completing;
        }
        self.shown = None;
        self.core.promise.take()
    }

    /// Its liquidity moved to a pool, which stands so and has been traded in.
    pub(super) fn graduated(
        &mut self,
        from: Venue,
        pool: Pool,
        reserves: Option<Reserves>,
        traded: bool,
        around: &Around,
    ) {
        let core = &mut self.core;
        core.stage = if traded { Stage::Amm } else { Stage::Migrated };
        core.graduated = true;
        if from == Venue::Pump {
            core.venue = Venue::PumpSwap;
        }
        core.home = Some(pool);
        core.reserves = reserves;
        core.ratio = None;
        self.changed(around);
    }

    /// The pool this token lives in changed without a trade.
    pub(super) fn reserves_changed(&mut self, pool: Pool, reserves: Option<Reserves>, around: &Around) {
        if self.core.home == Some(pool) && reserves.is_some() {
            self.core.reserves = reserves;
            self.changed(around);
        }
    }

    /// The account of its curve says how that stands.
    pub(super) fn stated(&mut self, curve: Pool, reserves: Reserves, left: u64, around: &Around) {
        let core = &mut self.core;
        if core.curve != Some(curve) || core.stage > Stage::Completing {
            return;
        }
        core.tokens_left = Some(left);
        if left == 0 {
            core.stage = Stage::Completing;
        }
        self.reserves_changed(curve, Some(reserves), around);
    }

    pub(super) fn set_decimals(&mut self, decimals: Option<u8>) {
        self.core.decimals = decimals.or(self.core.decimals);
        self.shown = None;
    }

    fn changed(&mut self, around: &Around) {
        self.core.market_cap_sol = self.cap_sol(around);
        self.shown = None;
    }

    /// Takes the newest change back.
    pub(super) fn undo(&mut self, undo: &TokenUndo, secret: u64) {
        self.core = undo.core;
        if let Some(activity) = &undo.activity {
            self.activity.undo(activity, secret);
        }
        if undo.priced {
            self.prices.pop_back();
        }
        self.shown = None;
    }

    pub(super) fn progress_pct(&self) -> Option<f64> {
        progress_pct(self.core.tokens_left?, self.core.initial_tokens)
    }

    /// Whether this is the curve it was on before it reached a stage.
    pub(super) fn has_left(&self, curve: Pool, stage: Stage) -> bool {
        let core = &self.core;
        core.curve == Some(curve) && core.stage >= stage && (core.graduated || core.tokens_left == Some(0))
    }

    /// SOL per whole token.
    pub(super) fn price_sol(&self, around: &Around) -> Option<f64> {
        match (self.core.reserves, self.core.ratio) {
            (None, Some(ratio)) => price_of_ratio(ratio, self.core.decimals, around.lamports_per_unit),
            (reserves, _) => price_of(reserves, self.core.decimals, around.lamports_per_unit),
        }
    }

    fn cap_sol(&self, around: &Around) -> Option<f64> {
        market_cap_of(self.core.reserves, self.core.supply, around.lamports_per_unit)
    }

    /// When the curve will be sold out.
    fn eta(&self, now_ms: i64) -> Option<EtaView> {
        let (left, reserves) = self.core.tokens_left.zip(self.core.reserves)?;
        if left == 0 || self.core.stage > Stage::Trading || self.core.quote_mint != WRAPPED_SOL {
            return None;
        }
        forecast::completion(missing(left, reserves)?, self.activity.inflows(seconds(now_ms)))
    }

    /// Marks the token with what was found about it; whether that is new.
    pub(super) fn flag(&mut self, mark: &'static str) -> bool {
        let new = !self.marks.contains(&mark);
        if new {
            self.marks.push(mark);
            self.shown = None;
        }
        new
    }

    /// What it holds on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.activity.bytes() + self.prices.capacity() * size_of::<f32>()
    }
}

/// Seconds of milliseconds since the Unix epoch.
pub(super) fn seconds(ms: i64) -> u32 {
    u32::try_from(ms.div_euclid(1_000)).unwrap_or(0)
}

/// Raw quote that a curve of constant product asks for all that is left on it.
fn missing(left: u64, reserves: Reserves) -> Option<u64> {
    let keeps = reserves.base.checked_sub(left).filter(|keeps| *keeps > 0)?;
    u64::try_from(reserves.quote.checked_mul(left.into())? / u128::from(keeps)).ok()
}

/// Share of the curve's tokens sold, in percent, floored to 0.01 and within 0–100.
fn progress_pct(left: u64, initial: u64) -> Option<f64> {
    let sold = initial.saturating_sub(left);
    let basis_points = match sold.checked_mul(10_000) {
        Some(sold) => sold.checked_div(initial)?,
        // Only of tokens whose units do not nearly fit into a word; a division as wide takes its time.
        None => u64::try_from((u128::from(sold) * 10_000).checked_div(initial.into())?).ok()?,
    };
    #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
    Some(basis_points as f64 / 100.0)
}
