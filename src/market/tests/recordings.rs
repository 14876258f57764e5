//! Real trades keep to the programs' arithmetic, as far as the market relies on it.

use std::{collections::HashMap, path::Path as File};

use crate::{
    chain::{
        ids::{Pool, WRAPPED_SOL},
        recording::Reader,
        wire::{Kind, Update},
    },
    decode::{
        Decoder, Event, EventKind,
        event::{Flow, Reserves, Side, Trade, Venue},
    },
    market::reserve_chain::Order,
};

/// Tokens that a pump curve's virtual reserve holds beyond those for sale (verified on mainnet curves).
const VIRTUAL_TOKENS: u64 = 279_900_000_000_000;
/// The same of lamports, on curves whose quote is SOL.
const VIRTUAL_LAMPORTS: u128 = 30_000_000_000;

/// The trades of the shipped recording, in the order of the chain.
fn trades() -> Vec<(Order, Trade)> {
    let path = File::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/published.pb.zst");
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for frame in Reader::open(&path).unwrap() {
        let frame = frame.unwrap();
        if let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind {
            decoder.decode(&transaction, &mut events, &mut Vec::new()).unwrap();
        }
    }
    let trade = |event: Event| {
        let order = Order::of(&event);
        if let EventKind::Trade(trade) = event.kind { Some((order, trade)) } else { None }
    };
    let mut trades: Vec<_> = events.into_iter().filter_map(trade).collect();
    trades.sort_by_key(|(order, _)| *order);
    trades
}

fn product(reserves: Reserves) -> u128 {
    u128::from(reserves.base) * reserves.quote
}

#[test]
fn curves_keep_their_constants_and_their_product() {
    let (mut constants, mut products) = (0, 0);
    for (_, trade) in trades() {
        let (Venue::Pump, Some(after), Some(left)) = (trade.venue, trade.reserves_after, trade.curve_tokens_left)
        else {
            continue;
        };
        // A mayhem agent shifts the virtual reserves of its coins.
        if trade.mayhem || trade.flow != Flow::User {
            continue;
        }
        constants += 1;
        assert_eq!(after.base - left, VIRTUAL_TOKENS, "{trade:?}");
        if let Some(raised) = trade.curve_real_quote.filter(|_| trade.quote_mint == WRAPPED_SOL) {
            assert_eq!(after.quote - u128::from(raised), VIRTUAL_LAMPORTS, "{trade:?}");
        }
        let Some(before) = trade.reserves_before else { continue };
        products += 1;
        assert!(product(after) >= product(before), "{trade:?}");
        // What rounding leaves to the curve is worth a unit or two of either side.
        let slack = 3 * (u128::from(before.base.max(after.base)) + before.quote.max(after.quote));
        assert!(product(after) - product(before) <= slack, "{trade:?}");
    }
    assert!(constants >= 20 && products >= 20, "{constants} {products}");
}

#[test]
fn a_pools_state_after_a_trade_is_the_one_before_the_next() {
    let mut stands: HashMap<Pool, (Order, Trade)> = HashMap::new();
    let (mut followed, mut grew) = (0, 0);
    for (order, trade) in trades() {
        if !matches!(trade.venue, Venue::Pump | Venue::PumpSwap) || trade.flow == Flow::PostCompletion {
            continue;
        }
        if let (Venue::PumpSwap, Some(before), Some(after)) = (trade.venue, trade.reserves_before, trade.reserves_after)
        {
            // The fee of the liquidity providers stays: the product grows with each trade.
            assert!(product(after) >= product(before), "{trade:?}");
            assert_eq!(after.base < before.base, trade.side == Side::Buy);
            grew += 1;
        }
        // The recording holds single transactions: what follows at once stands in the same one.
        if let Some((last, earlier)) = stands.get(&trade.pool)
            && (last.slot, last.tx_index) == (order.slot, order.tx_index)
        {
            assert_eq!(earlier.reserves_after, trade.reserves_before, "{earlier:?} {trade:?}");
            followed += 1;
        }
        stands.insert(trade.pool, (order, trade));
    }
    assert!(grew >= 10 && followed >= 2, "{grew} {followed}");
}
