//! The rules of the programs that every event keeps to.

use std::collections::HashMap;

use smart_stream_tui::simulator::market::truth::{Reserves, Trade, Truth, Venue, What};

pub(crate) fn trade_of(truth: &Truth) -> Option<&Trade> {
    match &truth.what {
        What::Trade(trade) => Some(trade),
        _ => None,
    }
}

/// The invariants seen on every mainnet event (constant product, fees, roundings), and that nothing is missing between
/// two events of one pool or curve.
pub(crate) fn assert_invariants(truth: &[Truth]) {
    let mut last: HashMap<String, Reserves> = HashMap::new();
    let mut chain = |pool: String, before: Option<Reserves>, after: Reserves| {
        let known = last.insert(pool.clone(), after);
        assert_eq!(known, before, "{pool}: the chain of reserves is broken");
        known
    };
    let mut raised: HashMap<String, Reserves> = HashMap::new();
    let product = |reserves: &Reserves| u128::from(reserves.base) * u128::from(reserves.quote);
    let share = |amount: u64, bps: u64| u64::try_from((u128::from(amount) * u128::from(bps)).div_ceil(10_000)).unwrap();
    for event in truth {
        match &event.what {
            What::Created { curve, reserves, .. } => {
                assert_eq!((reserves.base, reserves.quote), (1_073_000_000_000_000, 30_000_000_000));
                chain(curve.to_string(), None, *reserves);
            }
            What::Migrated { pool, curve, reserves, .. } => {
                chain(pool.to_string(), None, *reserves);
                assert_eq!(raised.remove(&curve.to_string()), Some(*reserves), "what the curve raised opens the pool");
            }
            What::Opened { pool, base_amount, quote_amount, lp_amount, .. } => {
                let opened = Reserves { base: *base_amount, quote: *quote_amount };
                chain(pool.to_string(), None, opened);
                assert!(u128::from(*lp_amount).pow(2) < product(&opened));
            }
            What::Liquidity { pool, deposit, reserves_before, reserves_after, .. } => {
                chain(pool.to_string(), Some(*reserves_before), *reserves_after);
                assert_eq!(*deposit, reserves_after.base > reserves_before.base);
            }
            What::Completed { .. } => {}
            What::Beyond { curve, reserves_before, reserves_after, base_amount, quote_amount, .. } => {
                assert_eq!(raised.insert(curve.to_string(), *reserves_after), Some(*reserves_before));
                assert_eq!(reserves_before.base - base_amount, reserves_after.base);
                assert_eq!(reserves_before.quote + quote_amount, reserves_after.quote);
                assert!(product(reserves_after) >= product(reserves_before));
            }
            What::Trade(trade) => {
                let (before, after) = (trade.reserves_before, trade.reserves_after);
                chain(trade.pool.to_string(), Some(before), after);
                assert!(product(&after) >= product(&before), "k fell: {trade:?}");
                let (base, quote) = (trade.base_amount, trade.quote_amount);
                assert!(base > 0 && quote > 0, "{trade:?}");
                if matches!(trade.venue, Venue::RaydiumAmmV4 | Venue::RaydiumCpmm) {
                    assert_in_two_vaults(trade);
                    continue;
                }
                // Exact to one unit of quote: a unit less and the product would fall.
                let exact = u128::from(before.quote) * u128::from(base);
                if trade.buy {
                    let least = exact.div_ceil(u128::from(before.base - base));
                    let spared = if trade.instruction.contains("exact") || trade.instruction.contains("boost") {
                        // What is spent beyond the least buys less than one unit of base, besides the unit it is shaved by.
                        u128::from(before.quote).div_ceil(u128::from(before.base - base)) + 2
                    } else {
                        1
                    };
                    assert!((least..=least + spared).contains(&u128::from(quote)), "{trade:?}");
                } else {
                    assert_eq!(exact / u128::from(before.base + base), u128::from(quote), "{trade:?}");
                }
                for (amount, bps) in [trade.lp_fee, trade.protocol_fee, trade.creator_fee] {
                    // Exact-in fees are taken before the net amount is shaved.
                    let charged = (quote..quote + 4).map(|quote| share(quote, bps));
                    assert!(charged.into_iter().any(|charged| charged == amount), "{trade:?}");
                }
                let (buyback, buyback_bps) = trade.buyback_fee;
                let protocol = u128::from(trade.protocol_fee.0);
                assert_eq!(u128::from(buyback), protocol * u128::from(buyback_bps) / 10_000);
                if let Some((real_base, real_quote)) = trade.curve_after {
                    assert_eq!(after.base - real_base, 279_900_000_000_000);
                    assert_eq!(after.quote - real_quote, 30_000_000_000);
                    if real_base == 0 {
                        let opening = Reserves { base: 206_900_000_000_000, quote: real_quote - 15_000_001 };
                        raised.insert(trade.pool.to_string(), opening);
                    }
                }
            }
        }
    }
}

/// A swap in a pool that takes its fee from what comes in: a quarter of a percent, rounded up, and the product of the
/// reserves grows by no more than that and the roundings.
fn assert_in_two_vaults(trade: &Trade) {
    let (before, base, quote) = (trade.reserves_before, trade.base_amount, trade.quote_amount);
    let ((from, to), (input, output)) = if trade.buy {
        ((before.quote, before.base), (quote, base))
    } else {
        ((before.base, before.quote), (base, quote))
    };
    let (fee, _) = trade.lp_fee;
    assert_eq!(u128::from(fee), (u128::from(input) * 25).div_ceil(10_000), "{trade:?}");
    let used = u128::from(input - fee);
    // Of one unit of what comes in less than the least that would have done, or of what goes out less than one more.
    let gives = used * u128::from(to) / (u128::from(from) + used);
    if trade.instruction.contains("out") {
        let least = (u128::from(from) * u128::from(output)).div_ceil(u128::from(to - output));
        assert!((least..=least + 2).contains(&used), "{trade:?}");
    } else {
        assert_eq!(gives, u128::from(output), "{trade:?}");
    }
}
