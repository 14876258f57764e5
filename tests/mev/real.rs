//! Real cases: a sandwich whose figures are known, and what was taken for one and is none.

use serde_json::Value;
use smart_stream_tui::{
    decode::event::{Reserves, Side, Venue},
    mev::{
        Alert, Class, Leg,
        alert::{Band, Role},
        replay::{PoolState, reproduces},
    },
};

use crate::support::{Market, alerts, data, key, legs, shared};

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(data("sandwich_cases.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["cases"].as_array().unwrap().clone()
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

/// The legs of a case. Who the victims were is not stated: each is somebody else.
fn legs_of(case: &Value) -> Vec<Leg> {
    let venue = match case["venue"].as_str().unwrap() {
        "raydium_amm_v4" => Venue::RaydiumAmmV4,
        _ => Venue::MeteoraDbc,
    };
    let template = Market::new(venue).template;
    let mut reserves = case
        .get("reserves_before")
        .map(|reserves| Reserves { base: number(&reserves["base"]), quote: number(&reserves["quote"]).into() });
    let mut made = Vec::new();
    for (leg, nth) in case["legs"].as_array().unwrap().iter().zip(10..) {
        let side = if leg["side"] == "buy" { Side::Buy } else { Side::Sell };
        let mut made_leg = Leg {
            pool: case["pool"].as_str().unwrap().parse().unwrap(),
            mint: case["base_mint"].as_str().unwrap().parse().unwrap(),
            signature: leg["signature"].as_str().unwrap().parse().unwrap(),
            user: if leg["role"] == "victim" { key(nth) } else { key(1) },
            side,
            base: number(&leg["base"]),
            quote: number(&leg["quote"]),
            before: reserves,
            ..template.clone()
        };
        made_leg.payer = made_leg.user;
        (made_leg.place.slot, made_leg.place.tx_index) = (number(&leg["slot"]), number(&leg["tx_index"]));
        if let Some(fee) = leg.get("fee_lamports") {
            made_leg.tx_fee = number(fee);
            made_leg.compute_units = Some(u32::try_from(number(&leg["compute_units"])).unwrap());
        }
        if let Some(before) = PoolState::before(&made_leg) {
            let after = before.fill(&made_leg).unwrap().after;
            reserves = Some(Reserves { base: u64::try_from(after.base).unwrap(), quote: after.quote });
            made_leg.after = reserves;
        }
        made.push(made_leg);
    }
    made
}

fn sandwiches(found: &[Alert]) -> Vec<&Alert> {
    found.iter().filter(|alert| alert.class.is_sandwich()).collect()
}

#[test]
fn the_known_sandwich_is_found_with_its_figures() {
    let case = &cases()[0];
    let legs = legs_of(case);
    // The front and the victim come out to the unit, and the back leg, of which the reserves know nothing, within one.
    assert!(reproduces(&legs[0]) && reproduces(&legs[1]));
    let back = PoolState::before(&legs[2]).unwrap().fill(&legs[2]).unwrap();
    assert!(back.quote.abs_diff(163_749_394) <= 1, "{}", back.quote);
    let found = alerts(&legs);
    let [alert] = sandwiches(&found)[..] else { panic!("{found:?}") };
    assert_eq!(alert.class, Class::SandwichTight);
    assert!(alert.chain_ok && alert.band() >= Band::Suspected, "{alert:?}");
    let loss = alert.victim_loss.unwrap();
    assert!((loss - i64::try_from(number(&case["victim_loss_lamports"])).unwrap()).abs() <= 2, "{loss}");
    assert_eq!(alert.profit, Some(163_749_394 - 158_673_523 - 2 * 5_000));
    let roles: Vec<Role> = alert.legs.iter().map(|leg| leg.role).collect();
    assert_eq!(roles, [Role::Front, Role::Victim, Role::Back]);
}

#[test]
fn what_only_looks_like_one_is_not_confirmed() {
    for case in &cases()[1..] {
        let found = alerts(&legs_of(case));
        for alert in sandwiches(&found) {
            assert!(alert.band() < Band::Likely, "{}: {alert:?}", case["strength"]);
        }
    }
}

#[test]
fn a_block_of_volume_bots_holds_no_likely_sandwich() {
    let Some(path) = shared("reference-block-285000037.pb.zst") else { return };
    let legs = legs(&path);
    assert!(legs.len() > 100, "{}", legs.len());
    let found = alerts(&legs);
    let likely: Vec<_> = sandwiches(&found).into_iter().filter(|alert| alert.band() >= Band::Likely).collect();
    assert!(likely.is_empty(), "{likely:#?}");
}
