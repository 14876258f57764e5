//! Made sandwiches: what is found, what it is called, and that the losses are those of a market without the attacker.

use smart_stream_tui::{
    chain::ids::Signature,
    decode::{
        Attempt, Transfer,
        attempt::Asked,
        event::{Limit, LimitKind, Side, Venue},
    },
    mev::{
        Alert, Class, Detectors, Fate, Leg, State, Weights,
        alert::{ACROSS_GAP, Link, Role},
        leg::Intent,
    },
};

use crate::support::{Market, Order, SOL, alerts, buy, key, sell};

const VENUES: [Venue; 2] = [Venue::Pump, Venue::PumpSwap];

/// What an order by this user cost or brought with its fees.
fn outcome(legs: &[Leg], user: u64) -> (i64, u64) {
    let leg = legs.iter().find(|leg| leg.user == key(user)).unwrap();
    (i64::try_from(leg.with_fees()).unwrap(), leg.base)
}

/// A victim who takes a number of tokens, so that its loss is a difference of two costs, and whose slippage the attacks here
/// use up for the most part.
fn takes(user: u64, base: u64) -> Order {
    Order { user, side: Side::Buy, intent: Intent::ExactOut, amount: base, slippage: Some(0.1) }
}

fn last(found: &[Alert], class: Class) -> &Alert {
    found.iter().rev().find(|alert| alert.class == class).unwrap_or_else(|| panic!("no {class:?} in {found:#?}"))
}

/// Plays orders with and without those of some users.
fn play(venue: Venue, orders: &[(Order, u64)], without: &[u64]) -> Vec<Leg> {
    let mut market = Market::new(venue);
    for (order, slots) in orders.iter().filter(|(order, _)| !without.contains(&order.user)) {
        market.slots(*slots);
        market.execute(*order);
    }
    market.legs
}

/// Asserts that a victim's loss is what it pays less when these users are away.
fn assert_loss(alert: &Alert, victim: u64, orders: &[(Order, u64)], venue: Venue, without: &[u64]) {
    let with = outcome(&play(venue, orders, &[]), victim).0;
    let alone = outcome(&play(venue, orders, without), victim).0;
    let found = alert.victims.iter().find(|found| found.user == key(victim)).unwrap();
    assert_eq!(found.loss, Some(with - alone), "{venue:?}");
}

type Tell = fn(&mut Leg);

fn bought(venue: Venue, orders: &[(Order, u64)], user: u64) -> u64 {
    outcome(&play(venue, orders, &[]), user).1
}

#[test]
fn a_tight_one_with_two_victims() {
    for venue in VENUES {
        let mut orders = vec![(buy(1, 6 * SOL), 1), (takes(2, 9_000_000_000_000), 0), (takes(3, 5_000_000_000_000), 0)];
        orders.push((sell(1, bought(venue, &orders, 1)), 0));
        let found = alerts(&play(venue, &orders, &[]));
        assert_eq!(found.len(), 1, "{found:#?}");
        let alert = last(&found, Class::SandwichTight);
        assert_eq!((alert.victims.len(), alert.open_inventory, alert.state), (2, 0, State::Provisional));
        for victim in [2, 3] {
            assert_loss(alert, victim, &orders, venue, &[1]);
        }
        assert_eq!(alert.attackers.len(), 1);
        let legs = play(venue, &orders, &[]);
        let cash = |leg: &Leg| i64::try_from(leg.with_fees()).unwrap();
        assert_eq!(alert.profit, Some(cash(&legs[3]) - cash(&legs[0]) - 10_000));
    }
}

/// The path of the price without the attack is that of a market in which it did not happen.
#[test]
#[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "the same division of the same numbers")]
fn the_price_without_it_is_that_of_a_market_without_it() {
    for venue in VENUES {
        let mut orders = vec![(buy(1, 6 * SOL), 1), (takes(2, 9_000_000_000_000), 0), (buy(4, SOL / 20), 0)];
        orders.push((takes(3, 5_000_000_000_000), 0));
        orders.push((sell(1, bought(venue, &orders, 1)), 0));
        let found = alerts(&play(venue, &orders, &[]));
        let path = last(&found, Class::SandwichTight).path.as_deref().unwrap();
        let price = |leg: &Leg| {
            let after = leg.after.unwrap();
            after.quote as f64 / after.base as f64
        };
        let with = play(venue, &orders, &[]);
        let without = play(venue, &orders, &[1]);
        let roles: Vec<&str> = path.iter().map(|point| point.role.name()).collect();
        assert_eq!(roles, ["front", "victim", "victim", "victim", "back"]);
        for (point, leg) in path.iter().zip(&with) {
            assert_eq!(point.with, Some(price(leg)));
        }
        for (point, leg) in path[1..4].iter().zip(&without) {
            assert_eq!(point.without, price(leg), "{venue:?}");
        }
        assert_eq!(path[4].without, path[3].without);
        assert!(path[0].without < path[0].with.unwrap(), "the first is the pool as it was found");
    }
}

#[test]
fn a_wide_one_over_slots_is_worth_less_than_one_in_a_slot() {
    let confidence = |slots: u64| {
        let mut orders = vec![(buy(1, 12 * SOL), 1), (buy(4, SOL / 10), 0), (sell(4, 1_000_000_000), 0)];
        orders.push((takes(2, 40_000_000_000_000), slots));
        orders.push((sell(1, bought(Venue::Pump, &orders, 1)), 0));
        let found = alerts(&play(Venue::Pump, &orders, &[]));
        let class = if slots == 0 { Class::SandwichWideSlot } else { Class::SandwichWideCross };
        last(&found, class).confidence
    };
    assert!(confidence(0) > confidence(1) && confidence(1) > confidence(3));
}

#[test]
fn wallets_are_tied_by_payer_program_or_amount() {
    let ways: [(Link, Tell); 3] = [
        (Link::Payer, |leg| leg.payer = key(50)),
        (Link::Program, |leg| leg.outer_program = Some(*key::<()>(51).bytes())),
        (Link::ExactAmount, |_| {}),
    ];
    for (link, tell) in ways {
        let mut market = Market::new(Venue::Pump);
        let front = market.execute_as(buy(1, 8 * SOL), tell);
        market.execute(takes(2, 30_000_000_000_000));
        // Not to the unit, but where that is the only tie.
        let less = if link == Link::ExactAmount { 0 } else { 1_000 };
        market.execute_as(sell(3, front.base - less), tell);
        let found = alerts(&market.legs);
        let alert = last(&found, Class::SandwichEvasive);
        assert_eq!(
            alert.attackers.iter().map(|one| (one.wallet, one.link)).collect::<Vec<_>>(),
            [(key(1), Link::Owner), (key(3), link)]
        );
    }
}

#[test]
fn a_public_program_ties_nobody() {
    let mut market = Market::new(Venue::Pump);
    let router = |leg: &mut Leg| leg.outer_program = Some(*key::<()>(51).bytes());
    for user in 100..120 {
        market.execute_as(buy(user, SOL / 10), router);
    }
    market.slots(20);
    let front = market.execute_as(buy(1, 8 * SOL), router);
    market.execute(takes(2, 30_000_000_000_000));
    market.execute_as(sell(3, front.base - 1_000), router);
    assert_eq!(alerts(&market.legs), []);
}

#[test]
fn split_legs_update_one_alert() {
    for venue in VENUES {
        let mut market = Market::new(venue);
        let fronts = [market.execute(buy(1, 4 * SOL)), market.execute(buy(1, 2 * SOL))];
        let all = fronts[0].base + fronts[1].base;
        market.execute(takes(2, 20_000_000_000_000));
        market.execute(sell(1, all / 2));
        market.execute(takes(3, 8_000_000_000_000));
        market.execute(sell(1, all - all / 2));
        let found = alerts(&market.legs);
        assert!(found.iter().all(|alert| alert.id == found[0].id));
        let alert = found.last().unwrap();
        assert!(alert.class.is_sandwich());
        assert_eq!((alert.legs.len(), alert.victims.len(), alert.open_inventory), (6, 2, 0));
        assert_eq!(usize::try_from(alert.revision).unwrap() + 1, found.len());
    }
}

#[test]
fn of_two_nested_ones_each_has_the_victim_and_none_has_the_other() {
    for venue in VENUES {
        let mut orders = vec![(buy(1, 6 * SOL), 1), (buy(2, 5 * SOL), 0), (takes(3, 20_000_000_000_000), 0)];
        orders.push((sell(2, bought(venue, &orders, 2)), 0));
        orders.push((sell(1, bought(venue, &orders, 1)), 0));
        let found = alerts(&play(venue, &orders, &[]));
        for attacker in [1, 2] {
            let alert = found.iter().rev().find(|alert| alert.attackers[0].wallet == key(attacker)).unwrap();
            let users: Vec<_> = alert.victims.iter().map(|victim| victim.user).collect();
            assert_eq!(users, [key(3)], "{attacker}");
            // Together they cost what the market without both saves; each alone, what is saved without it.
            assert_loss(alert, 3, &orders, venue, &[1, 2]);
            let with = outcome(&play(venue, &orders, &[]), 3).0;
            let without_this = outcome(&play(venue, &orders, &[attacker]), 3).0;
            let marginal = alert.victims[0].marginal_loss.unwrap();
            assert!((marginal - (with - without_this)).abs() <= 1, "{marginal} {}", with - without_this);
        }
    }
}

#[test]
fn a_sell_side_one() {
    for venue in VENUES {
        let mut orders = vec![(buy(1, 9 * SOL), 1), (buy(2, 3 * SOL), 0)];
        let (bag, prey) = (bought(venue, &orders, 1), bought(venue, &orders, 2));
        orders.push((sell(1, bag), 30));
        orders.push((sell(2, prey), 0));
        let again = Order { user: 1, side: Side::Buy, intent: Intent::ExactOut, amount: bag, slippage: None };
        orders.push((again, 0));
        let legs = play(venue, &orders, &[]);
        let found = alerts(&legs);
        let alert = last(&found, Class::SandwichTight);
        assert_eq!(alert.victims.len(), 1);
        assert!(alert.victim_loss.unwrap() > 0 && alert.profit.unwrap() > 0);
    }
}

#[test]
fn round_trips_with_nobody_between_are_no_attack_and_tell_against_later_ones() {
    let mut market = Market::new(Venue::Pump);
    let trip = |market: &mut Market, prey: bool| {
        market.slots(20);
        let front = market.execute(buy(1, 6 * SOL));
        if prey {
            market.execute(takes(2, 9_000_000_000_000));
        }
        market.execute(sell(1, front.base));
    };
    trip(&mut market, true);
    let honest = alerts(&market.legs);
    assert_eq!(honest.len(), 1);
    let mut market = Market::new(Venue::Pump);
    for _ in 0..3 {
        trip(&mut market, false);
    }
    assert_eq!(alerts(&market.legs), []);
    trip(&mut market, true);
    assert!(alerts(&market.legs).iter().all(|alert| !alert.class.is_attack()));
}

#[test]
fn across_a_gap_nothing_is_sure() {
    let mut orders = vec![(buy(1, 6 * SOL), 1), (takes(2, 9_000_000_000_000), 0)];
    orders.push((sell(1, bought(Venue::Pump, &orders, 1)), 0));
    let mut legs = play(Venue::Pump, &orders, &[]);
    legs[2].whole = false;
    let found = alerts(&legs);
    assert!(!found.is_empty());
    assert!(found.iter().all(|alert| !alert.chain_ok && alert.confidence <= ACROSS_GAP));
}

#[test]
fn slots_confirm_and_retract() {
    let mut orders = vec![(buy(1, 12 * SOL), 1), (takes(2, 40_000_000_000_000), 1)];
    orders.push((sell(1, bought(Venue::Pump, &orders, 1)), 1));
    let legs = play(Venue::Pump, &orders, &[]);
    let slots: Vec<u64> = legs.iter().map(|leg| leg.place.slot).collect();
    let states = |fates: &[(u64, Fate)]| {
        let (mut detectors, mut found) = (Detectors::new(Weights::built_in(), false), Vec::new());
        for leg in &legs {
            detectors.trade(leg, &mut found);
        }
        for (slot, fate) in fates {
            detectors.slot(*slot, *fate, &mut found);
        }
        found.iter().map(|alert| (alert.revision, alert.state)).collect::<Vec<_>>()
    };
    let (first, confirmed, retracted) = ((0, State::Provisional), (1, State::Confirmed), (1, State::Retracted));
    assert_eq!(states(&[(slots[0], Fate::Confirmed), (slots[1], Fate::Confirmed)]), [first], "the back's is not yet");
    assert_eq!(states(&[(slots[2], Fate::Confirmed), (slots[2], Fate::Confirmed)]), [first, confirmed]);
    for slot in slots {
        assert_eq!(states(&[(slot, Fate::Dead), (slot, Fate::Confirmed)]), [first, retracted]);
    }
    // What was opened in a slot that died is not closed by what comes after.
    let (mut detectors, mut found) = (Detectors::new(Weights::built_in(), false), Vec::new());
    detectors.trade(&legs[0], &mut found);
    detectors.slot(legs[0].place.slot, Fate::Dead, &mut found);
    for leg in &legs[1..] {
        detectors.trade(leg, &mut found);
    }
    assert_eq!(found, []);
    let mut settled = Detectors::new(Weights::built_in(), true);
    let mut found = Vec::new();
    for leg in &legs {
        settled.trade(leg, &mut found);
    }
    assert_eq!(found[0].state, State::Confirmed);
}

#[test]
fn what_closed_in_a_slot_that_died_closes_when_it_lands_again() {
    let mut orders = vec![(buy(1, 12 * SOL), 1), (takes(2, 40_000_000_000_000), 0)];
    orders.push((sell(1, bought(Venue::Pump, &orders, 1)), 1));
    let legs = play(Venue::Pump, &orders, &[]);
    let (mut detectors, mut found) = (Detectors::new(Weights::built_in(), false), Vec::new());
    for leg in &legs {
        detectors.trade(leg, &mut found);
    }
    detectors.slot(legs[2].place.slot, Fate::Dead, &mut found);
    let mut again = legs[2].clone();
    (again.place.slot, again.recv_us) = (again.place.slot + 1, again.recv_us + 400_000);
    detectors.trade(&again, &mut found);
    let [_, retracted, told] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((retracted.state, told.state), (State::Retracted, State::Provisional));
    assert_eq!((told.recv_us, told.open_inventory), (again.recv_us, 0));
    let slots: Vec<u64> = told.legs.iter().map(|leg| leg.slot).collect();
    assert_eq!(slots, [legs[0].place.slot, legs[1].place.slot, again.place.slot]);
    assert!(told.id != retracted.id);
}

#[test]
fn a_wallet_that_was_handed_the_tokens_acts_for_who_bought_them() {
    let mut orders = vec![(buy(1, 12 * SOL), 1), (takes(2, 40_000_000_000_000), 0)];
    // Not all of it: the amount alone would tie the two together.
    orders.push((sell(5, bought(Venue::Pump, &orders, 1) / 100 * 98), 0));
    let legs = play(Venue::Pump, &orders, &[]);
    let found = |handed: bool| {
        let (mut detectors, mut found) = (Detectors::new(Weights::built_in(), false), Vec::new());
        for leg in &legs {
            detectors.trade(leg, &mut found);
            if handed && leg.user == key(1) {
                detectors.transferred(&Transfer {
                    slot: leg.place.slot,
                    signature: leg.signature,
                    tx_index: leg.place.tx_index,
                    path: leg.place.path,
                    from: key(1),
                    to: key(5),
                    mint: Some(leg.mint),
                    amount: leg.base,
                });
            }
        }
        found
    };
    assert_eq!(found(false), []);
    let found = found(true);
    let alert = last(&found, Class::SandwichEvasive);
    let links: Vec<Link> = alert.attackers.iter().map(|attacker| attacker.link).collect();
    assert_eq!(links, [Link::Owner, Link::Transfer]);
}

#[test]
fn who_made_an_order_fail_is_told_if_it_attacks_and_the_order_would_have_passed() {
    for venue in VENUES {
        let wants = 9_000_000_000_000;
        let mut orders = vec![(buy(1, 6 * SOL), 1), (takes(3, 9_000_000_000_000), 0)];
        orders.push((sell(1, bought(venue, &orders, 1)), 0));
        let legs = play(venue, &orders, &[]);
        // What the tokens cost before the front and behind it.
        let cost = |orders: &[(Order, u64)]| {
            let mut orders = orders.to_vec();
            orders.push((takes(2, wants), 0));
            u64::try_from(outcome(&play(venue, &orders, &[]), 2).0).unwrap()
        };
        let (cheap, dear) = (cost(&[]), cost(&orders[..1]));
        let told = |limit: u64, code: u32, closes: bool, dead: bool| {
            let (mut detectors, mut found) = (Detectors::new(Weights::built_in(), false), Vec::new());
            let place = legs[0].place;
            let asked = Asked {
                pool: legs[0].pool,
                mint: legs[0].mint,
                quote_mint: legs[0].quote_mint,
                user: key(2),
                side: Side::Buy,
                amount: wants,
                limit: Limit { kind: LimitKind::MaxQuoteIn, amount: limit },
            };
            let attempt = Attempt {
                slot: place.slot,
                signature: Signature::default(),
                tx_index: place.tx_index + 1,
                path: place.path,
                payer: key(2),
                venue,
                instruction: "buy",
                asked,
                code: Some(code),
            };
            // The others stand behind it in the block. It may come before the trades do.
            detectors.attempted(&attempt, 7);
            for (at, leg) in legs[..if closes { 3 } else { 2 }].iter().enumerate() {
                let mut leg = leg.clone();
                leg.place.tx_index = place.tx_index + [0, 2, 3][at];
                detectors.trade(&leg, &mut found);
            }
            if dead {
                detectors.slot(place.slot, Fate::Dead, &mut found);
            }
            detectors.slot(place.slot, Fate::Confirmed, &mut found);
            found.into_iter().filter(|alert| alert.class == Class::Frontrun).collect::<Vec<_>>()
        };
        let code = if venue == Venue::Pump { 6002 } else { 6004 };
        let between = u64::midpoint(cheap, dear);
        let found = told(between, code, true, false);
        let alert = last(&found, Class::Frontrun);
        assert_eq!((alert.attackers[0].wallet, alert.victims[0].user, alert.recv_us), (key(1), key(2), 7));
        assert_eq!(alert.legs.iter().map(|leg| leg.role).collect::<Vec<_>>(), [Role::Front, Role::Victim]);
        assert_eq!(told(cheap - 1, code, true, false), [], "it would have failed anyway");
        assert_eq!(told(dear, code, true, false), [], "the front did not make it fail");
        assert_eq!(told(between, 1, true, false), [], "it failed for something else");
        assert_eq!(told(between, code, false, false), [], "a buyer who attacks nobody is no attacker");
        assert_eq!(told(between, code, true, true), [], "it never happened");
    }
}
