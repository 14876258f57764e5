//! Everything but sandwiches, on made histories whose truth is known.

use fastrand::Rng;
use smart_stream_tui::{
    chain::ids::{Mint, Pool, Signature, WRAPPED_SOL},
    decode::{
        Event, EventKind,
        event::{Liquidity, LiquidityAction, Path, Side, TokenCreated, Venue},
    },
    mev::{Alert, Class, Detectors, Leg, Weights},
};

use crate::support::{Market, SOL, alerts, buy, key, sell};

fn of(found: &[Alert], class: Class) -> Vec<&Alert> {
    found.iter().filter(|alert| alert.class == class).collect()
}

fn reason(alert: &Alert, code: &str) -> f64 {
    alert.reasons.iter().find(|reason| reason.code == code).unwrap_or_else(|| panic!("no {code} in {alert:?}")).value
}

fn event(slot: u64, tx_index: u64, kind: EventKind) -> Event {
    Event {
        slot,
        signature: Signature::default(),
        tx_index,
        path: Path { outer: 0, inner: None },
        event_index: 0,
        timestamp: None,
        payer: key(9),
        kind,
    }
}

fn created(mint: Mint, curve: Pool, creator: u64) -> EventKind {
    EventKind::TokenCreated(TokenCreated {
        venue: Venue::Pump,
        mint,
        curve,
        name: b"n"[..].into(),
        symbol: b"s"[..].into(),
        uri: b""[..].into(),
        creator: key(creator),
        token_program: None,
        quote_mint: WRAPPED_SOL,
        mayhem: false,
        initial: None,
        initial_tokens_left: None,
        supply: Some(1_000_000_000_000_000),
    })
}

/// Launches a token and plays what follows; what is found.
fn launch(detectors: &mut Detectors, market: &Market, creator: u64, legs: &[Leg]) -> Vec<Alert> {
    let mut found = Vec::new();
    let first = &legs[0].place;
    let kind = created(market.template.mint, market.template.pool, creator);
    detectors.event(&event(first.slot, first.tx_index, kind), 0, true, &mut found);
    for leg in legs {
        detectors.trade(leg, &mut found);
    }
    found
}

fn detectors() -> Detectors {
    Detectors::new(Weights::built_in(), false)
}

#[test]
fn a_transaction_through_two_pools_is_arbitrage_only_if_its_tokens_cancel_and_it_pays() {
    let arbitrage = |sold: fn(u64) -> u64, richer: bool| {
        let (mut one, mut two) = (Market::of(Venue::PumpSwap, 1), Market::of(Venue::RaydiumAmmV4, 2));
        two.template.mint = one.template.mint;
        if richer {
            two.execute(buy(9, 8 * SOL));
        }
        let bought = one.execute(buy(1, SOL));
        let back = two.execute_as(sell(1, sold(bought.base)), |leg| leg.signature = bought.signature);
        let mut legs = two.legs[..two.legs.len() - 1].to_vec();
        legs.extend([bought.clone(), back.clone()]);
        (alerts(&legs), i64::try_from(back.with_fees()).unwrap() - i64::try_from(bought.with_fees()).unwrap())
    };
    let (found, gain) = arbitrage(|base| base, true);
    assert_eq!(of(&found, Class::Arbitrage)[0].profit, Some(gain - 5_000));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(of(&arbitrage(|base| base / 2, true).0, Class::Arbitrage), Vec::<&Alert>::new(), "half is kept");
    assert_eq!(of(&arbitrage(|base| base, false).0, Class::Arbitrage), Vec::<&Alert>::new(), "it loses");
}

#[test]
fn arbitrage_legs_are_nobodys_victims() {
    let (mut one, mut two) = (Market::of(Venue::PumpSwap, 1), Market::of(Venue::RaydiumAmmV4, 2));
    two.template.mint = one.template.mint;
    two.execute(buy(9, 60 * SOL));
    let front = one.execute(buy(1, 6 * SOL));
    let bought = one.execute(buy(2, 4 * SOL));
    let back = two.execute_as(sell(2, bought.base), |leg| leg.signature = bought.signature);
    let close = one.execute(sell(1, front.base));
    let found = alerts(&[two.legs[0].clone(), front, bought, back, close]);
    assert_eq!(found.iter().map(|alert| alert.class).collect::<Vec<_>>(), [Class::Arbitrage]);
}

/// Wallets that trade for their own reasons, `count` times.
fn crowd(market: &mut Market, rng: &mut Rng, count: usize) {
    for _ in 0..count {
        let user = rng.u64(1_000..1_000_000);
        if rng.bool() {
            market.execute(buy(user, rng.u64(SOL / 50..SOL / 4)));
        } else {
            market.execute(sell(user, rng.u64(300_000_000_000..4_000_000_000_000)));
        }
        if rng.u8(0..3) == 0 {
            market.slots(1);
        }
    }
}

#[test]
fn who_keeps_buying_before_large_buys_is_a_frontrunner_and_a_crowd_is_not() {
    let mut rng = Rng::with_seed(5);
    let mut market = Market::new(Venue::PumpSwap);
    crowd(&mut market, &mut rng, 300);
    for _ in 0..24 {
        market.slots(1);
        market.execute(buy(1, SOL / 10));
        market.execute(buy(rng.u64(1_000..1_000_000), SOL));
        crowd(&mut market, &mut rng, 10);
    }
    let found = alerts(&market.legs);
    let told = of(&found, Class::Frontrun);
    assert!(!told.is_empty());
    for alert in told {
        assert_eq!(alert.attackers[0].wallet, key(1));
        assert!(alert.victim_loss.unwrap() > 0, "{alert:?}");
    }
    let mut market = Market::new(Venue::PumpSwap);
    crowd(&mut market, &mut rng, 6_000);
    assert_eq!(of(&alerts(&market.legs), Class::Frontrun), Vec::<&Alert>::new());
}

#[test]
fn who_keeps_selling_into_others_moves_is_a_backrunner_and_a_crowd_is_not() {
    let mut rng = Rng::with_seed(6);
    let mut market = Market::new(Venue::PumpSwap);
    crowd(&mut market, &mut rng, 300);
    for _ in 0..24 {
        market.slots(1);
        market.execute(buy(rng.u64(1_000..1_000_000), SOL));
        market.execute(sell(1, 900_000_000_000));
        crowd(&mut market, &mut rng, 10);
    }
    let found = alerts(&market.legs);
    let told = of(&found, Class::Backrun);
    assert!(!told.is_empty() && told.iter().all(|alert| alert.attackers[0].wallet == key(1)), "{told:?}");
    let mut market = Market::new(Venue::PumpSwap);
    crowd(&mut market, &mut rng, 6_000);
    assert_eq!(of(&alerts(&market.legs), Class::Backrun), Vec::<&Alert>::new());
}

/// Mints in which 200 snipers buy nearly always and at once and people buy; every eighth has a leader, whom some follow.
fn copied_market(mints: u64, followers: std::ops::Range<u64>) -> Vec<Leg> {
    let mut rng = Rng::with_seed(11);
    let mut legs = Vec::new();
    for mint in 0..mints {
        let mut market = Market::of(Venue::Pump, 10_000 + mint);
        market.template.place.slot = 1_000 + 40 * mint;
        market.template.recv_us = i64::try_from(mint).unwrap() * 16_000_000;
        let mut snipers: Vec<u64> = (2_000..2_200).filter(|_| rng.u8(0..10) < 9).collect();
        rng.shuffle(&mut snipers);
        for sniper in snipers.into_iter().take(12) {
            market.execute(buy(sniper, SOL / 20));
        }
        market.slots(2);
        for _ in 0..3 {
            market.execute(buy(rng.u64(10_000..1_000_000), SOL / 20));
        }
        if mint % 8 > 0 {
            legs.extend(market.legs);
            continue;
        }
        market.execute(buy(1, SOL / 10));
        for follower in followers.clone() {
            if rng.u8(0..10) >= 6 {
                continue;
            }
            market.slots(rng.u64(1..=2));
            market.execute(buy(follower, SOL / 20));
        }
        legs.extend(market.legs);
    }
    legs
}

#[test]
fn followers_of_a_leader_are_copiers_and_snipers_who_are_everywhere_are_not() {
    let found = alerts(&copied_market(320, 100..104));
    let told = of(&found, Class::CopyTrade);
    let mut pairs: Vec<_> = told.iter().map(|alert| (alert.legs[0].user, alert.attackers[0].wallet)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let followers: Vec<_> = (100..104).map(key).collect();
    assert!(pairs.iter().all(|(_, follower)| followers.contains(follower)), "{pairs:?}");
    for follower in &followers {
        assert!(pairs.contains(&(key(1), *follower)), "{follower}: {pairs:?}");
    }
    assert_eq!(of(&alerts(&copied_market(320, 0..0)), Class::CopyTrade), Vec::<&Alert>::new());
}

#[test]
fn wallets_right_behind_a_launch_are_a_bundle_and_later_ones_are_not() {
    let mut market = Market::new(Venue::Pump);
    for wallet in 5..9 {
        market.execute(buy(wallet, SOL));
    }
    let bundled: u64 = market.legs.iter().map(|leg| leg.base).sum();
    market.template.place.tx_index += 40;
    for wallet in 20..30 {
        market.execute(buy(wallet, SOL / 10));
        market.template.place.tx_index += 7;
    }
    market.slots(9);
    let bag = market.legs[1].base;
    market.execute(sell(6, bag));
    let found = launch(&mut detectors(), &market, 5, &market.legs);
    let alert = of(&found, Class::Bundle).pop().unwrap();
    let wallets: Vec<_> = alert.attackers.iter().map(|one| one.wallet).collect();
    assert_eq!(wallets, (5..9).map(key).collect::<Vec<_>>());
    let share = |base: u64| f64::from(u32::try_from(base / 1_000_000).unwrap()) / 1e9;
    assert!((reason(alert, "supply_share") - share(bundled)).abs() < 1e-6);
    assert!((reason(alert, "creator_included") - 1.0).abs() < 1e-9);
    assert!((reason(alert, "sold_share") - share(bag) / share(bundled)).abs() < 1e-6);

    let mut market = Market::new(Venue::Pump);
    for wallet in 20..60 {
        market.template.place.tx_index += 3;
        market.execute(buy(wallet, SOL / 10));
    }
    assert_eq!(of(&launch(&mut detectors(), &market, 5, &market.legs), Class::Bundle), Vec::<&Alert>::new());
}

#[test]
fn early_in_launch_after_launch_is_a_sniper() {
    let mut detectors = detectors();
    let mut told = Vec::new();
    for mint in 0..8 {
        let mut market = Market::of(Venue::Pump, 500 + mint);
        market.slots(100 * mint);
        market.template.place.tx_index = 9;
        market.execute(buy(1, SOL));
        market.slots(1);
        market.execute(buy(1_000 + mint, SOL / 4));
        market.slots(5);
        market.execute(buy(2, SOL));
        told.extend(launch(&mut detectors, &market, 5, &market.legs));
    }
    let told = of(&told, Class::Sniper);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].attackers[0].wallet, reason(told[0], "launches").to_bits()), (key(1), 5.0_f64.to_bits()));
}

#[test]
fn a_creators_sale_is_told_with_its_share() {
    for (percent, expected) in [(15, 0), (25, 1), (60, 1)] {
        let mut market = Market::new(Venue::Pump);
        let bag = market.execute(buy(5, SOL / 10)).base;
        market.slots(30);
        market.execute(buy(7, SOL));
        market.execute(sell(5, bag / 100 * percent));
        let found = launch(&mut detectors(), &market, 5, &market.legs);
        let told = of(&found, Class::DevSell);
        assert_eq!(told.len(), expected, "{percent}: {found:?}");
        for alert in told {
            let share = f64::from(u32::try_from(percent).unwrap()) / 100.0;
            assert!((reason(alert, "sold_share") - share).abs() < 1e-3);
            assert!(reason(alert, "price_hit") > 0.0);
        }
    }
}

#[test]
fn what_is_drained_soon_after_its_peak_is_a_rug() {
    let rug = |minutes: i64| {
        let mut market = Market::new(Venue::Pump);
        let real = |market: &Market| Some(u64::try_from(market.state.quote - 30_000_000_000).unwrap());
        let mut bags = Vec::new();
        let mut legs = Vec::new();
        for user in 1..4 {
            bags.push((user, market.execute(buy(user, 20 * SOL)).base));
            market.legs.last_mut().unwrap().curve_quote = real(&market);
        }
        market.template.recv_us += minutes * 60_000_000;
        for (user, bag) in bags {
            market.execute(sell(user, bag));
            market.legs.last_mut().unwrap().curve_quote = real(&market);
        }
        legs.extend(market.legs.clone());
        let found = launch(&mut detectors(), &market, 1, &legs);
        of(&found, Class::Rug).iter().map(|alert| reason(alert, "drained_share")).collect::<Vec<_>>()
    };
    let found = rug(1);
    assert!(found.len() == 1 && found[0] >= 0.8, "{found:?}");
    assert_eq!(rug(10), Vec::<f64>::new(), "nobody drains anything in a quarter of an hour: it fades");
}

#[test]
fn half_of_a_pools_liquidity_gone_is_a_rug() {
    let withdraw = |base_amount: u64| {
        let liquidity = Liquidity {
            venue: Venue::PumpSwap,
            pool: key(1),
            mint: key(2),
            quote_mint: WRAPPED_SOL,
            action: LiquidityAction::Withdraw,
            base_amount,
            quote_amount: 1,
            lp_amount: None,
            user: key(3),
            raw_reserves_before: Some((1_000, 1_000)),
        };
        let mut found = Vec::new();
        detectors().event(&event(1, 1, EventKind::Liquidity(liquidity)), 0, true, &mut found);
        of(&found, Class::Rug).len()
    };
    assert_eq!((withdraw(499), withdraw(500)), (0, 1));
}

#[test]
fn the_wash_share_is_that_of_the_wallets_that_come_out_as_they_went_in() {
    let mut rng = Rng::with_seed(3);
    let mut market = Market::new(Venue::PumpSwap);
    for round in 0..40 {
        market.slots(1);
        let bought = market.execute(buy(1, SOL / 2)).base;
        market.execute(sell(1, bought));
        // Others buy and keep.
        market.execute(buy(1_000 + round, rng.u64(SOL / 4..SOL)));
    }
    let found = alerts(&market.legs);
    let told = of(&found, Class::Wash);
    let last = told.last().unwrap();
    assert_eq!(last.attackers.iter().map(|one| one.wallet).collect::<Vec<_>>(), [key(1)]);
    let truth = |legs: &[Leg]| {
        let sum = |mine: bool| -> u64 {
            legs.iter().filter(|leg| !mine || leg.user == key(1)).map(|leg| leg.quote / 1_000).sum()
        };
        f64::from(u32::try_from(sum(true)).unwrap()) / f64::from(u32::try_from(sum(false)).unwrap())
    };
    let cited = market.legs.iter().position(|leg| leg.signature == last.legs[0].signature).unwrap();
    assert!((reason(last, "wash_share") - truth(&market.legs[..=cited])).abs() < 0.05);
    assert!(market.legs.iter().filter(|leg| leg.side == Side::Sell).all(|leg| leg.user == key(1)));

    let mut market = Market::new(Venue::PumpSwap);
    crowd(&mut market, &mut rng, 2_000);
    assert_eq!(of(&alerts(&market.legs), Class::Wash), Vec::<&Alert>::new());
}
