//! The counterfactual's arithmetic: real trades come out to the unit, and what is undone is undone exactly.

use proptest::prelude::*;
use smart_stream_tui::{
    decode::event::{Flow, Side, Venue},
    mev::{
        Leg,
        leg::Intent,
        replay::{PoolState, reproduces},
    },
};

use crate::support::{Market, Order, SOL, data, legs, shared};

/// How many legs of a venue a recording holds whose reserves are known, and the ones that do not come out. Pools whose base
/// is SOL or another currency are seen turned round here and round the other way: they are not computed.
fn count(path: &std::path::Path, venue: Venue) -> (usize, Vec<Leg>) {
    let known = legs(path).into_iter().filter(|leg| leg.venue == venue && PoolState::before(leg).is_some());
    let known: Vec<_> =
        known.filter(|leg| leg.flow == Flow::User && !TURNED.contains(&&*leg.pool.to_string())).collect();
    let wrong: Vec<_> = known.iter().filter(|leg| !reproduces(leg)).cloned().collect();
    (known.len(), wrong)
}

/// `PumpSwap` pools of the recordings with SOL for their base.
const TURNED: [&str; 2] =
    ["Gf7sXMoP8iRw4iiXmJ1nq4vxcRycbGXy5RL8a8LnTd3v", "CW644FAJoQE9B9MGqmdfDseS4XfsmgS77ve7zJDJxiPS"];

#[test]
fn real_trades_come_out_to_the_unit() {
    let expected = [(Venue::Pump, 31), (Venue::PumpSwap, 8), (Venue::RaydiumAmmV4, 6), (Venue::RaydiumLaunchlab, 6)];
    for (venue, least) in expected {
        let (known, wrong) = count(&data("published.pb.zst"), venue);
        assert!(known >= least, "{venue:?}: {known}");
        assert_eq!(wrong, [], "{venue:?}");
        for other in ["reference.pb.zst", "reference-block-285000037.pb.zst"] {
            if let Some(path) = shared(other) {
                assert_eq!(count(&path, venue).1, [], "{venue:?} of {other}");
            }
        }
    }
}

fn order() -> impl Strategy<Value = Order> {
    let amounts = (any::<bool>(), any::<bool>(), 1_u64..4_000);
    (amounts, 1_u64..6).prop_map(|((buys, out, thousandths), user)| {
        let (side, intent) = match (buys, out) {
            (true, false) => (Side::Buy, Intent::ExactIn),
            (true, true) => (Side::Buy, Intent::ExactOut),
            (false, _) => (Side::Sell, Intent::ExactIn),
        };
        let in_quote = side == Side::Buy && intent == Intent::ExactIn;
        let amount = if in_quote { thousandths * SOL / 1_000 } else { thousandths * 1_000_000_000 };
        Order { user, side, intent, amount, slippage: Some(0.2) }
    })
}

fn venue() -> impl Strategy<Value = Venue> {
    prop_oneof![Just(Venue::Pump), Just(Venue::PumpSwap), Just(Venue::RaydiumAmmV4), Just(Venue::RaydiumLaunchlab)]
}

proptest! {
    /// Executing what was executed changes nothing and harms nobody.
    #[test]
    fn the_factual_order_harms_nobody(venue in venue(), orders in proptest::collection::vec(order(), 1..30)) {
        let mut market = Market::new(venue);
        for order in orders {
            let before = market.state;
            let leg = market.execute(order);
            prop_assert!(reproduces(&leg));
            prop_assert_eq!(PoolState::before(&leg), Some(before));
            let harm = before.harm(&leg).unwrap();
            // Of the last unit bought, a part was given for nothing.
            let unit = i64::try_from(leg.with_fees() / leg.base.max(1) + 2).unwrap();
            prop_assert!((0..=unit).contains(&harm.loss), "{harm:?}");
            prop_assert_eq!(harm.shortfall, 0);
        }
    }

    /// A buy before mine costs me, and as much more as it is larger; a sell before mine of the same side too.
    #[test]
    fn what_goes_before_costs(venue in venue(), mine in order(), sizes in (1_u64..2_000, 1_u64..2_000)) {
        let harm = |size: u64| {
            let mut market = Market::new(venue);
            let before = market.state;
            let amount = if mine.side == Side::Buy { size * SOL / 1_000 } else { size * 10_000_000_000 };
            market.execute(Order { user: 99, side: mine.side, intent: Intent::ExactIn, amount, slippage: None });
            let leg = market.execute(mine);
            before.harm(&leg).unwrap()
        };
        let (small, large) = (harm(sizes.0.min(sizes.1)), harm(sizes.0.max(sizes.1)));
        prop_assert!(small.loss >= -1 && small.loss <= large.loss + 1, "{small:?} {large:?}");
        prop_assert!(small.shortfall <= large.shortfall);
        let used = |slack: Option<(i64, i64)>| slack.map(|(part, whole)| part * 1_000 / whole);
        prop_assert!(used(small.slack) <= used(large.slack));
    }
}
