//! What an event does to its token, and to the price of SOL.

use super::{
    Arrived, MAX_TOKEN_BYTES, Market,
    alarms::WHALE_SOL,
    creators::Deed,
    price::{finite, lamports_to_sol},
    reserve_chain::{Link, Placed},
    token_lifecycle::{Around, PUMP_DECIMALS, Promise, Token, TokenUndo, TradeEffect},
    view::{Basis, LifecycleStep, LifecycleView, TradeView},
};
use crate::{
    chain::{
        ids::{Mint, USDC, USDT, WRAPPED_SOL},
        text::Shown,
    },
    decode::{
        Event, EventKind,
        event::{Reserves, SqrtPrice, Trade, Venue},
    },
};

/// How many tokens may stand between a quote and a currency.
const DEPTH: u8 = 4;

impl Market {
    /// Applies an event to its token, and writes down how to take that back. `told` events were shown before.
    pub(super) fn effect(
        &mut self,
        event: &Event,
        at: Arrived,
        placed: Option<Placed>,
        told: bool,
        undo: &mut Option<TokenUndo>,
    ) -> TradeEffect {
        self.activity += 1;
        let mint = event.kind.mint();
        match &event.kind {
            EventKind::Trade(trade) => return self.trade(event, trade, at, placed, told, undo),
            EventKind::TokenCreated(created) => {
                let around = self.around(created.quote_mint);
                self.change(mint, created.venue, undo, |token| {
                    token.created(event.slot, event.timestamp, created, &around);
                });
                self.creators.did(created.creator, Deed::Launched);
                self.tell(event, at, told, LifecycleStep::Created);
                return TradeEffect::default();
            }
            EventKind::CurveCompleted { venue, .. } => {
                let mut promise = None;
                self.change(mint, *venue, undo, |token| promise = token.completed());
                self.score(promise, at);
                self.tell(event, at, told, LifecycleStep::Completed);
                return TradeEffect::default();
            }
            EventKind::Graduated { venue, pool, quote_amount, base_amount, .. } => {
                let around = self.around_token(mint);
                let known = self.pools.get(pool).map(|state| (state.facts.chain.head(), state.facts.trades > 0));
                let (stands, traded) = known.unwrap_or_default();
                // Other pools than PumpSwap's are not priced by what went into them.
                let opened = Reserves { base: *base_amount, quote: (*quote_amount).into() };
                let reserves = stands.or((*venue == Venue::Pump).then_some(opened));
                self.change(mint, *venue, undo, |token| {
                    token.graduated(*venue, *pool, reserves, traded, &around);
                });
                if let Some(creator) = self.tokens.get(&mint).and_then(|token| token.core.creator) {
                    self.creators.did(creator, Deed::Graduated);
                }
                self.tell(event, at, told, LifecycleStep::Graduated(*pool));
                return TradeEffect::default();
            }
            // A pool of a token we do not know says nothing worth a row: its first trade will.
            _ if self.tokens.find(&mint).is_none() => return TradeEffect::default(),
            EventKind::PoolCreated(created) => {
                self.change(mint, created.venue, undo, |token| {
                    if token.core.home == Some(created.pool) {
                        token.set_decimals(created.base_decimals);
                    }
                });
                return TradeEffect::default();
            }
            EventKind::Liquidity(_) | EventKind::BoostInitialized { .. } | EventKind::CurveAdjusted { .. } => {}
        }
        let Some(placed) = placed.filter(|placed| placed.link != Link::Late) else {
            return TradeEffect::default();
        };
        let Some(pool) = self.pools.key(placed.pool.0) else { return TradeEffect::default() };
        let around = self.around_token(mint);
        self.change(mint, event.venue(), undo, |token| {
            token.reserves_changed(pool, Some(placed.post), &around);
        });
        TradeEffect::default()
    }

    fn trade(
        &mut self,
        event: &Event,
        trade: &Trade,
        at: Arrived,
        placed: Option<Placed>,
        told: bool,
        undo: &mut Option<TokenUndo>,
    ) -> TradeEffect {
        self.trade_count += 1;
        self.observe_sol(trade, at.recv_ms());
        let around = self.around(trade.quote_mint);
        let mut passed = std::mem::take(&mut self.passed);
        passed.clear();
        let mut effect = TradeEffect::default();
        let Some((id, undo)) = self.touch(trade.mint, trade.venue, undo).zip(undo.as_mut()) else {
            self.passed = passed;
            return effect;
        };
        let mut symbol = Shown::default();
        if let Some(token) = self.tokens.value_mut(id) {
            let bytes = token.bytes();
            effect = token.traded(at.recv_ms(), trade, placed, &around, undo, |what| passed.push(what));
            self.token_bytes = self.token_bytes + token.bytes() - bytes;
            symbol = token.symbol.clone();
            if token.core.home != Some(trade.pool) {
                let quote_mint = token.core.quote_mint;
                effect.home_price_sol = self.price_sol(id, quote_mint);
            }
        }
        self.passed = passed;
        if told {
            return effect;
        }
        #[allow(clippy::cast_precision_loss, reason = "compared with a round figure")]
        let lamports = around.lamports_per_unit.map_or(0.0, |unit| trade.quote_amount as f64 * unit);
        let shown = TradeView {
            recv_ms: at.recv_ms(),
            slot: event.slot,
            signature: event.signature,
            venue: trade.venue,
            flow: trade.flow,
            mint: trade.mint,
            symbol,
            user: trade.user,
            side: trade.side,
            base: trade.base_decimals.or((trade.venue == Venue::Pump).then_some(PUMP_DECIMALS)).map(|decimals| {
                #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
                let raw = trade.base_amount as f64;
                raw / 10_f64.powi(decimals.into())
            }),
            sol: (trade.quote_mint == WRAPPED_SOL).then(|| lamports_to_sol(trade.quote_amount.into())),
            price_sol: effect.price_sol,
            market_cap_sol: effect.market_cap_sol,
            room_pct: effect.room_pct,
            whale: lamports >= WHALE_SOL * 1e9,
            basis: Basis::of(trade.source, placed),
        };
        match self.opened.as_mut().filter(|opened| opened.mint == trade.mint) {
            Some(opened) => opened.traded(self.trades.push_shared(shown)),
            None => self.trades.push(shown),
        }
        effect
    }

    /// A token's price.
    fn price_sol(&self, token: u32, quote_mint: Mint) -> Option<f64> {
        let around = self.around(quote_mint);
        self.tokens.value(token)?.price_sol(&around)
    }

    /// Trades of SOL for dollars tell its price.
    fn observe_sol(&mut self, trade: &Trade, recv_ms: i64) {
        if trade.mint != WRAPPED_SOL || !matches!(trade.quote_mint, USDC | USDT) {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "a price")]
        let of_reserves = trade
            .reserves_after
            .filter(|reserves| reserves.base > 0)
            .map(|reserves| reserves.quote as f64 / reserves.base as f64);
        if let Some(ratio) = trade.sqrt_price.and_then(SqrtPrice::quote_per_base).or(of_reserves) {
            // SOL has nine decimals, the dollars six.
            self.sol_usd.observe(trade.pool, ratio * 1e3, recv_ms);
        }
    }

    fn score(&mut self, promise: Option<Promise>, at: Arrived) {
        if let Some(promise) = promise {
            self.eta_score.scored += 1;
            self.eta_score.inside += u64::from((promise.low_ms..=promise.high_ms).contains(&at.recv_ms()));
        }
    }

    fn tell(&mut self, event: &Event, at: Arrived, told: bool, step: LifecycleStep) {
        if !told {
            self.step(event.kind.mint(), event.slot, at, step, false);
        }
    }

    /// Something happened to a token; `uncertain` by the trade that it was read off.
    pub(super) fn step(&mut self, mint: Mint, slot: u64, at: Arrived, step: LifecycleStep, uncertain: bool) {
        let symbol = self.symbol(&mint);
        self.steps.push(LifecycleView { recv_ms: at.recv_ms(), slot, mint, symbol, step, uncertain });
    }

    /// Changes a token, which is made if it is new, and writes down how to take that back.
    fn change(&mut self, mint: Mint, venue: Venue, undo: &mut Option<TokenUndo>, change: impl FnOnce(&mut Token)) {
        if let Some(id) = self.touch(mint, venue, undo)
            && let Some(token) = self.tokens.value_mut(id)
        {
            change(token);
        }
    }

    /// Makes the token the most recently active one, and writes down how it stands; its number.
    fn touch(&mut self, mint: Mint, venue: Venue, undo: &mut Option<TokenUndo>) -> Option<u32> {
        let watched = self.watched;
        let mut fresh = false;
        let id = self.tokens.touch(
            mint,
            |mint, _| Some(*mint) == watched,
            || {
                fresh = true;
                Token::new(mint, venue)
            },
        );
        while self.token_bytes > MAX_TOKEN_BYTES && self.tokens.len() > 1 {
            let Some(gone) = self.tokens.evict(|mint, _| Some(*mint) == watched) else { break };
            self.token_bytes -= gone.bytes().min(self.token_bytes);
        }
        *undo = Some(TokenUndo::new(fresh, &self.tokens.value(id)?.core));
        Some(id)
    }

    /// What stands around a token of this quote.
    pub(super) fn around(&self, quote: Mint) -> Around {
        Around {
            lamports_per_unit: self.lamports_per_unit(quote, DEPTH),
            sol_usd: self.sol_usd.price(),
            secret: self.secret,
        }
    }

    pub(super) fn around_token(&self, mint: Mint) -> Around {
        self.around(self.tokens.get(&mint).map_or(WRAPPED_SOL, |token| token.core.quote_mint))
    }

    /// Lamports per raw unit of a quote token: along the chain of quotes to a currency.
    pub(super) fn lamports_per_unit(&self, quote: Mint, depth: u8) -> Option<f64> {
        match quote {
            WRAPPED_SOL => Some(1.0),
            // Six decimals against nine.
            USDC | USDT => self.sol_usd.price().map(|usd| 1e3 / usd),
            _ => {
                let token = self.tokens.get(&quote)?;
                let lamports_per_unit = self.lamports_per_unit(token.core.quote_mint, depth.checked_sub(1)?);
                let around = Around { lamports_per_unit, ..Around::default() };
                finite(token.price_sol(&around)? * 1e9 / 10_f64.powi(token.core.decimals?.into()))
            }
        }
    }
}
