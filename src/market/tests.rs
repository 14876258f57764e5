//! The market against hand-made histories whose outcome is known.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use super::{
    view::{Stage, TokenView},
    *,
};
use crate::{
    chain::ids::{Signature, WRAPPED_SOL, Wallet},
    decode::event::{Cost, Flow, Path, Reserves, Side, Source, TokenCreated, Trade, Venue},
};

const INITIAL: Reserves = Reserves { base: 1_073_000_000_000_000, quote: 30_000_000_000 };

fn key<K>(n: u8) -> crate::chain::ids::Key<K> {
    crate::chain::ids::Key::new([n; 32])
}

fn at(recv_ms: i64) -> Arrived {
    Arrived { connection: 0, recv_us: recv_ms * 1_000, status: Status::Processed }
}

fn event(kind: EventKind) -> Event {
    Event {
        slot: 7,
        signature: Signature::default(),
        tx_index: 0,
        path: Path { outer: 0, inner: None },
        event_index: 0,
        timestamp: Some(1_000),
        payer: key(9),
        kind,
    }
}

fn created(mint: u8) -> Event {
    event(EventKind::TokenCreated(TokenCreated {
        venue: Venue::Pump,
        mint: key(mint),
        curve: key(mint + 1),
        name: b"A name"[..].into(),
        symbol: b"SYM"[..].into(),
        uri: b""[..].into(),
        creator: key(8),
        token_program: None,
        quote_mint: WRAPPED_SOL,
        mayhem: false,
        initial: Some(INITIAL),
        initial_tokens_left: Some(INITIAL_CURVE_TOKENS),
        supply: Some(PUMP_SUPPLY),
    }))
}

/// A buy that leaves `left` tokens on the curve, or one in a pool.
fn trade(venue: Venue, mint: u8, pool: u8, user: u8, left: Option<u64>) -> Trade {
    let base = left.map_or(200_000_000_000_000, |left| left + 279_900_000_000_000);
    let quote = INITIAL.quote * u128::from(INITIAL.base) / u128::from(base);
    Trade {
        venue,
        source: Source::SelfCall,
        flow: Flow::User,
        instruction: "buy",
        pool: key(pool),
        mint: key(mint),
        quote_mint: WRAPPED_SOL,
        user: Wallet::new([user; 32]),
        side: Side::Buy,
        base_amount: 1_000_000,
        quote_amount: 2_000_000_000,
        fees: [None; 7],
        reserves_before: None,
        reserves_after: Some(Reserves { base, quote }),
        virtual_quote: None,
        curve_tokens_left: left,
        curve_real_quote: None,
        curve_progress: None,
        sqrt_price: None,
        limit: None,
        base_supply: None,
        base_decimals: Some(6),
        outer_program: None,
        app: None,
        cost: Cost::default(),
        mayhem: false,
    }
}

fn token(market: &mut Market, mint: u8) -> Arc<TokenView> {
    market.shown_tokens(10_000).iter().find(|token| token.mint == key(mint)).unwrap().clone()
}

#[test]
fn a_token_lives_from_launch_over_its_curve_to_its_pool() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    market.apply(created(1), at(1_000), &mut changes);
    let fresh = token(&mut market, 1);
    assert_eq!((fresh.stage, fresh.progress_pct, fresh.symbol.as_str()), (Stage::Created, Some(0.0), "SYM"));
    assert!((fresh.market_cap_sol.unwrap() - 27.958_993_476).abs() < 1e-6, "the published start of a curve");

    let mut milestones = Vec::new();
    for percent in 1..=100_u64 {
        let left = INITIAL_CURVE_TOKENS - INITIAL_CURVE_TOKENS / 100 * percent;
        changes.clear();
        let buy = trade(Venue::Pump, 1, 2, u8::try_from(percent % 10).unwrap(), Some(left));
        market.apply(event(EventKind::Trade(buy)), at(2_000), &mut changes);
        for change in &changes {
            match change {
                Change::Milestone { kind: MilestoneKind::Progress, value, .. } => milestones.push(*value),
                Change::Progress { progress_pct, .. } => {
                    assert!((progress_pct - f64::from(u32::try_from(percent).unwrap())).abs() < 1e-9);
                }
                _ => {}
            }
        }
    }
    assert_eq!(milestones, [25.0, 50.0, 75.0, 90.0, 95.0, 100.0], "each once");
    let done = token(&mut market, 1);
    assert_eq!((done.stage, done.buys, done.traders), (Stage::Completing, 100, 10));
    assert!((done.market_cap_sol.unwrap() - 410.880_168).abs() < 1e-4, "the published end of a curve");
    assert!((done.volume_sol_5m - 200.0).abs() < 1e-9);

    let (mint, curve, user) = (key(1), key(2), key(3));
    market.apply(event(EventKind::CurveCompleted { venue: Venue::Pump, mint, curve, user }), at(3_000), &mut changes);
    let (quote_amount, base_amount) = (84_990_359_056, 206_900_000_000_000);
    let graduated = EventKind::Graduated { venue: Venue::Pump, mint, curve, pool: key(4), quote_amount, base_amount };
    market.apply(event(graduated), at(3_000), &mut changes);
    let moved = token(&mut market, 1);
    assert_eq!((moved.stage, moved.progress_pct, moved.flags.clone()), (Stage::Migrated, None, vec!["graduated"]));
    assert!((moved.price_sol.unwrap() - 84.990_359_056 / 206_900_000.0).abs() < 1e-12);

    market.apply(event(EventKind::Trade(trade(Venue::PumpSwap, 1, 4, 5, None))), at(4_000), &mut changes);
    assert_eq!(token(&mut market, 1).stage, Stage::Amm);
}

#[test]
fn a_strangers_pool_does_not_move_a_token_off_its_curve() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    market.apply(created(1), at(1_000), &mut changes);
    let on_curve = trade(Venue::Pump, 1, 2, 5, Some(INITIAL_CURVE_TOKENS / 2));
    market.apply(event(EventKind::Trade(on_curve)), at(1_000), &mut changes);
    let before = token(&mut market, 1);
    let elsewhere = trade(Venue::PumpSwap, 1, 77, 5, None);
    market.apply(event(EventKind::Trade(elsewhere)), at(1_000), &mut changes);
    let after = token(&mut market, 1);
    assert_eq!((after.stage, after.price_sol, after.pool), (before.stage, before.price_sol, before.pool));
    assert_eq!(after.buys, before.buys + 1, "but it counts as activity");
}

#[test]
fn a_token_met_in_mid_life_has_passed_its_milestones_before() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    for left in [INITIAL_CURVE_TOKENS / 5, INITIAL_CURVE_TOKENS / 6, INITIAL_CURVE_TOKENS / 11] {
        let buy = trade(Venue::Pump, 1, 2, 5, Some(left));
        market.apply(event(EventKind::Trade(buy)), at(1_000), &mut changes);
    }
    let milestones = changes.iter().filter_map(|change| match change {
        Change::Milestone { kind: MilestoneKind::Progress, value, .. } => Some(*value),
        _ => None,
    });
    assert_eq!(milestones.collect::<Vec<_>>(), [90.0]);
}

#[test]
fn an_unchanged_token_is_the_same_value_and_the_newest_activity_comes_first() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    for mint in [1, 11, 21] {
        market.apply(created(mint), at(1_000), &mut changes);
    }
    let before = market.shown_tokens(1_000);
    let buy = trade(Venue::Pump, 11, 12, 5, Some(INITIAL_CURVE_TOKENS / 2));
    market.apply(event(EventKind::Trade(buy)), at(1_000), &mut changes);
    let after = market.shown_tokens(1_000);
    let mints: Vec<_> = after.iter().map(|token| token.mint).collect();
    assert_eq!(mints, [key(11), key(21), key(1)]);
    assert!(Arc::ptr_eq(&after[1], &before[0]) && Arc::ptr_eq(&after[2], &before[2]));
}

#[test]
fn a_price_needs_decimals_and_a_path_to_sol() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    let mut unknown = trade(Venue::PumpSwap, 1, 2, 5, None);
    unknown.base_decimals = None;
    market.apply(event(EventKind::Trade(unknown)), at(1_000), &mut changes);
    assert_eq!(token(&mut market, 1).price_sol, None);
    let mut in_dollars = trade(Venue::PumpSwap, 31, 32, 5, None);
    in_dollars.quote_mint = crate::chain::ids::USDC;
    market.apply(event(EventKind::Trade(in_dollars)), at(1_000), &mut changes);
    let view = token(&mut market, 31);
    assert_eq!((view.price_sol, view.market_cap_sol), (None, None));
    assert!(view.volume_sol_5m.abs() < f64::EPSILON);
}

/// A buy between two states of a curve.
fn chained(slot: u64, mint: u8, [before, after]: [u64; 2]) -> Event {
    let state = |sold: u64| Reserves { base: INITIAL.base - sold, quote: INITIAL.quote + u128::from(sold) };
    let buy = Trade {
        base_amount: after - before,
        quote_amount: after - before,
        reserves_before: Some(state(before)),
        reserves_after: Some(state(after)),
        ..trade(Venue::Pump, mint, mint + 1, 5, Some(INITIAL_CURVE_TOKENS - after))
    };
    let signature = Signature::from([u8::try_from(after % 251).unwrap(); 64]);
    Event { slot, signature, ..event(EventKind::Trade(buy)) }
}

fn told(changes: &[Change]) -> Vec<(u64, Option<Link>)> {
    let told = changes.iter().filter_map(|change| match change {
        Change::Chain(chain) => Some((chain.event.slot, chain.placed.map(|placed| placed.link))),
        _ => None,
    });
    told.collect()
}

#[test]
fn trades_take_their_turn_and_what_is_lost_is_told() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    market.apply(created(1), at(1_000), &mut changes);
    changes.clear();
    for (slot, states) in [(22, [200, 300]), (21, [100, 200]), (20, [0, 100]), (24, [400, 500])] {
        market.apply(chained(slot, 1, states), at(1_000), &mut changes);
    }
    assert_eq!(told(&changes), [20, 21, 22].map(|slot| (slot, Some(Link::Follows))));
    changes.clear();
    market.slot(28, Some(27), 0, &mut changes);
    market.release(1_000, &mut changes);
    assert!(matches!(changes[0], Change::ChainBroken { slot: 24, .. }), "{changes:?}");
    assert_eq!(told(&changes), [(24, Some(Link::AfterGap))]);
}

#[test]
fn a_dead_slot_is_taken_back_and_its_rival_takes_its_place() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    market.apply(created(1), at(1_000), &mut changes);
    for (slot, states) in [(20, [0, 100]), (21, [100, 200]), (22, [100, 150]), (23, [150, 170])] {
        market.apply(chained(slot, 1, states), at(1_000), &mut changes);
    }
    assert_eq!(told(&changes)[1..], [20, 21].map(|slot| (slot, Some(Link::Follows))));
    changes.clear();
    market.slot(21, Some(20), 6, &mut changes);
    assert!(matches!(changes[0], Change::Dead(21)));
    assert!(matches!(changes[1], Change::Retracted { slot: 21, event_index: 0, .. }));
    assert_eq!(told(&changes), [22, 23].map(|slot| (slot, Some(Link::Follows))), "nothing told twice");
}
