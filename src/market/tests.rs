//! The market against hand-made histories whose outcome is known.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use super::{
    view::{Basis, Stage, TokenView},
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
    // What is shown of it says that something is missing before it.
    let shown = market.trades.feed();
    let bases: Vec<_> = shown.entries.iter().map(|trade| (trade.slot, trade.basis)).collect();
    assert_eq!(bases, [(20, Basis::Event), (21, Basis::Event), (22, Basis::Event), (24, Basis::Gap)]);
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

fn sol_trade(price: u64, user: u8) -> Event {
    let reserves = Reserves { base: 1_000_000_000, quote: u128::from(price) * 1_000_000 };
    let trade = Trade {
        mint: WRAPPED_SOL,
        quote_mint: crate::chain::ids::USDC,
        reserves_after: Some(reserves),
        ..trade(Venue::OrcaWhirlpool, 90, user, user, None)
    };
    event(EventKind::Trade(trade))
}

#[test]
fn dollars_follow_from_sources_that_agree_also_over_a_chain_of_quotes() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    market.apply(created(1), at(1_000), &mut changes);
    assert_eq!(token(&mut market, 1).market_cap_usd, None);
    market.apply(sol_trade(150, 91), at(1_000), &mut changes);
    market.apply(sol_trade(150, 92), at(1_000), &mut changes);
    market.age(2_000);
    let coin = token(&mut market, 1);
    assert!((coin.market_cap_usd.unwrap() - 27.958_993_476 * 150.0).abs() < 1e-3);
    // A token priced in that coin, and one in dollars.
    let mut in_coin = trade(Venue::PumpSwap, 41, 42, 5, None);
    in_coin.quote_mint = key(1);
    in_coin.reserves_after = Some(Reserves { base: 2_000_000, quote: 1_000_000 });
    market.apply(event(EventKind::Trade(in_coin)), at(2_000), &mut changes);
    let half = token(&mut market, 41).price_sol.unwrap();
    assert!((half * 2.0 - coin.price_sol.unwrap()).abs() < 1e-15);
    let mut in_dollars = trade(Venue::PumpSwap, 51, 52, 5, None);
    in_dollars.quote_mint = crate::chain::ids::USDC;
    in_dollars.reserves_after = Some(Reserves { base: 1_000_000, quote: 3_000_000 });
    market.apply(event(EventKind::Trade(in_dollars)), at(2_000), &mut changes);
    let three = token(&mut market, 51);
    assert!((three.price_usd.unwrap() - 3.0).abs() < 1e-9 && (three.price_sol.unwrap() - 0.02).abs() < 1e-12);
    market.age(60_000);
    assert_eq!(token(&mut market, 1).price_usd, None, "a stale price is none");
}

#[test]
fn the_leader_has_the_highest_cap_of_the_curves_that_were_traded_of_late() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    for (mint, part) in [(1, 3), (11, 2), (21, 4)] {
        let buy = trade(Venue::Pump, mint, mint + 1, 5, Some(INITIAL_CURVE_TOKENS / part));
        market.apply(event(EventKind::Trade(buy)), at(i64::from(mint) * 1_000), &mut changes);
    }
    market.age(30_000);
    let leads = |market: &mut Market| [1, 11, 21].map(|mint| token(market, mint).leader);
    assert_eq!(leads(&mut market), [false, false, true]);
    market.age(81_500);
    assert_eq!(leads(&mut market), [false; 3], "all are silent");
}

mod recordings;

mod hostile {
    use proptest::prelude::*;

    use super::*;

    fn amount() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()]
    }

    fn reserves() -> impl Strategy<Value = Option<Reserves>> {
        let quote = prop_oneof![amount().prop_map(u128::from), Just(u128::MAX), any::<u128>()];
        proptest::option::of((amount(), quote).prop_map(|(base, quote)| Reserves { base, quote }))
    }

    prop_compose! {
        fn any_trade()(
            venue in prop_oneof![Just(Venue::Pump), Just(Venue::PumpSwap), Just(Venue::RaydiumClmm), Just(Venue::MeteoraDbc)],
            (mint, quote) in (0_u8..4, 0_u8..5),
            (base_amount, quote_amount) in (amount(), amount()),
            (before, after) in (reserves(), reserves()),
            left in proptest::option::of(amount()),
            supply in proptest::option::of(amount()),
            decimals in proptest::option::of(any::<u8>()),
            virtual_quote in proptest::option::of(any::<i128>()),
            root in proptest::option::of(any::<u128>()),
            buy: bool,
        ) -> EventKind {
            let quote_mint = match quote {
                0 => WRAPPED_SOL,
                1 => crate::chain::ids::USDC,
                n => key(n - 2),
            };
            EventKind::Trade(Trade {
                venue,
                quote_mint,
                base_amount,
                quote_amount,
                side: if buy { Side::Buy } else { Side::Sell },
                reserves_before: before,
                reserves_after: after,
                curve_tokens_left: left,
                base_supply: supply,
                base_decimals: decimals,
                virtual_quote,
                sqrt_price: root.map(|root| crate::decode::event::SqrtPrice { root, inverted: buy }),
                ..trade(venue, mint, mint + 100, mint, None)
            })
        }
    }

    prop_compose! {
        fn any_other()(kind in 0_u8..5, mint in 0_u8..4, base in amount(), quote in amount(), raw in any::<bool>()) -> EventKind {
            let pool = key(mint + 100);
            let mint = key(mint);
            let user = key(9);
            let action = if raw { crate::decode::event::LiquidityAction::Withdraw } else { crate::decode::event::LiquidityAction::Deposit };
            match kind {
                0 => EventKind::Liquidity(crate::decode::event::Liquidity {
                    venue: Venue::PumpSwap, pool, mint, quote_mint: WRAPPED_SOL, action, base_amount: base,
                    quote_amount: quote, lp_amount: None, user,
                    raw_reserves_before: raw.then_some((base, quote)),
                }),
                1 => EventKind::Graduated { venue: Venue::Pump, mint, curve: pool, pool, quote_amount: quote, base_amount: base },
                2 => EventKind::BoostInitialized { mint, pool, virtual_quote: i128::MAX, real_quote: quote },
                3 => EventKind::CurveAdjusted { mint, reserves: Reserves { base, quote: quote.into() } },
                _ => EventKind::CurveCompleted { venue: Venue::Pump, mint, curve: pool, user },
            }
        }
    }

    fn finite(value: Option<f64>) -> bool {
        value.is_none_or(f64::is_finite)
    }

    proptest! {
        #[test]
        fn impossible_events_give_unknown_figures_and_no_panic(
            events in proptest::collection::vec((prop_oneof![4 => any_trade(), 1 => any_other()], 0_u64..12, any::<u8>()), 1..60),
        ) {
            let mut market = Market::default();
            let mut changes = Vec::new();
            for (index, (kind, slot, fate)) in (0_u64..).zip(events) {
                let mut event = event(kind);
                (event.slot, event.tx_index) = (slot, index);
                market.apply(event, at(i64::try_from(index).unwrap() * 1_000), &mut changes);
                match fate {
                    0..20 => market.slot(slot, Some(slot.saturating_sub(1)), 6, &mut changes),
                    20..40 => market.slot(slot, Some(slot.saturating_sub(1)), 1, &mut changes),
                    _ => {}
                }
                market.release(i64::try_from(index).unwrap() * 1_000, &mut changes);
                market.age(i64::try_from(index).unwrap() * 1_000);
            }
            market.settle(&mut changes);
            for token in market.shown_tokens(60_000).iter() {
                prop_assert!([token.price_sol, token.market_cap_sol, token.price_usd, token.change_5m_pct].into_iter().all(finite));
                prop_assert!(token.progress_pct.is_none_or(|pct| (0.0..=100.0).contains(&pct)));
                prop_assert!(token.momentum.is_none_or(|of| (0.0..=100.0).contains(&of.score)));
                prop_assert!(token.windows.iter().all(|window| finite(window.vwap_sol) && window.volume_sol.is_finite()));
            }
            for pool in market.shown_pools().iter() {
                prop_assert!([pool.price_sol, pool.tvl_sol, pool.depth_up_sol, pool.divergence_pct, pool.removed_pct].into_iter().all(finite));
            }
        }
    }
}

#[test]
fn the_open_token_is_kept_and_its_page_follows_the_chain() {
    let mut market = Market::default();
    let mut changes = Vec::new();
    market.apply(created(1), at(1_000), &mut changes);
    market.apply(chained(20, 1, [0, 100]), at(1_000), &mut changes);
    market.open(Some(key(1)));
    let first = market.detail(1_000).unwrap();
    assert!(Arc::ptr_eq(&first, &market.detail(1_000).unwrap()), "shared while nothing changes");
    assert_eq!((first.trades.len(), first.venues.len()), (1, 1));
    assert_eq!(first.creator.map(|creator| (creator.launches, creator.graduated)), Some((1, 0)));
    let missing = first.curve.unwrap().missing_sol.unwrap();
    assert!((missing - 85.005_359_057).abs() < 1e-3, "a fresh curve costs the published 85 SOL: {missing}");

    // A pool elsewhere, at twice the price.
    let there = Trade {
        reserves_after: Some(Reserves { base: INITIAL.base, quote: INITIAL.quote * 2 }),
        ..trade(Venue::RaydiumCpmm, 1, 77, 6, None)
    };
    market.apply(Event { slot: 21, ..event(EventKind::Trade(there)) }, at(1_000), &mut changes);
    market.apply(Event { slot: 21, ..created(31) }, at(1_000), &mut changes);
    market.flag(&key(1), Some(RUGGED));
    market.flag(&key(1), Some(RUGGED));
    let second = market.detail(1_000).unwrap();
    assert_eq!((second.trades.len(), second.venues.len(), second.top_traders.len()), (2, 2, 2));
    let apart: Vec<_> = second.venues.iter().filter_map(|venue| venue.divergence_pct).collect();
    assert!(apart.iter().any(|apart| (apart - 100.0).abs() < 0.1) && apart.contains(&0.0), "{apart:?}");
    assert_eq!(second.creator.map(|creator| (creator.launches, creator.rugged)), Some((2, 1)));
    let parted = |market: &mut Market| {
        let steps = market.steps();
        let parted = steps.entries.iter().filter(|entry| matches!(entry.step, LifecycleStep::Parted { .. }));
        parted.count()
    };
    assert_eq!(parted(&mut market), 1);
    // It stays apart, comes back, and parts again: told twice in all.
    for (times, want) in [(110, 1), (103, 1), (101, 1), (104, 1), (106, 2)] {
        let quote = (INITIAL.quote + 100) * times / 100;
        let there = Trade {
            reserves_after: Some(Reserves { base: INITIAL.base, quote }),
            ..trade(Venue::RaydiumCpmm, 1, 77, 6, None)
        };
        market.apply(Event { slot: 21, ..event(EventKind::Trade(there)) }, at(1_000), &mut changes);
        assert_eq!(parted(&mut market), want, "{times}");
    }

    market.slot(21, Some(20), 6, &mut changes);
    let third = market.detail(1_000).unwrap();
    assert_eq!((third.top_traders.len(), third.creator.map(|creator| creator.launches)), (1, Some(1)), "it never was");

    for mint in 0..u32::try_from(MAX_TOKENS).unwrap() + 10 {
        let mut launch = created(1);
        if let EventKind::TokenCreated(created) = &mut launch.kind {
            let mut bytes = [200; 32];
            bytes[12..16].copy_from_slice(&mint.to_le_bytes());
            (created.mint, created.curve) = (Mint::new(bytes), Pool::new(bytes));
        }
        market.apply(launch, Arrived { status: Status::Finalized, ..at(1_000) }, &mut changes);
        changes.clear();
    }
    assert!(market.detail(1_000).is_some() && market.tokens.evicted() > 0);
    market.open(None);
    assert_eq!(market.detail(1_000), None);
}
