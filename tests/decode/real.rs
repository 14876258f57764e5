//! Every event that an independent decoder found in real transactions comes out exactly once and with equal values.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use smart_stream_tui::{
    chain::{
        ids::{Mint, USDC, WRAPPED_SOL},
        program::{PUMP, PUMP_SWAP},
        wire::{self, Kind, Update},
    },
    decode::{
        Decoder, Event, EventKind, Tally, Undecoded,
        event::{FeeKind, Flow, LimitKind, Reserves, Side, Source, Trade, Venue},
    },
};
use solana_sdk::pubkey::Pubkey;

use crate::{
    data,
    elsewhere::{decoded_elsewhere, expected_elsewhere},
    facts::{INVERTED_POOLS, decoded_facts, expected_facts},
    messages, shared,
};

/// What one recording gave.
struct Decoding {
    events: BTreeMap<String, Vec<Event>>,
    undecoded: Vec<Undecoded>,
    tally: Tally,
    failed: usize,
    transactions: usize,
}

fn decode(path: &Path) -> Decoding {
    let mut decoder = Decoder::default();
    let mut decoding = Decoding {
        events: BTreeMap::new(),
        undecoded: Vec::new(),
        tally: Tally::default(),
        failed: 0,
        transactions: 0,
    };
    for frame in messages(path) {
        let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { continue };
        let mut events = Vec::new();
        let outcome = decoder.decode(&transaction, &mut events, &mut decoding.undecoded).unwrap();
        assert!(!outcome.failed || events.is_empty());
        decoding.transactions += 1;
        decoding.failed += usize::from(outcome.failed);
        decoding.tally.add(&outcome.tally);
        assert_in_order(&events, &transaction);
        let signature = bs58(transaction.signature);
        assert!(decoding.events.insert(signature, events).is_none());
    }
    decoding
}

fn bs58(signature: &[u8; 64]) -> String {
    smart_stream_tui::chain::ids::Signature::from(*signature).to_string()
}

/// Paths rise, numbers within a path are 0, 1, …, and the identity is the transaction's.
fn assert_in_order(events: &[Event], transaction: &wire::Transaction<'_>) {
    for event in events {
        assert_eq!((event.slot, event.tx_index), (transaction.slot, transaction.index));
    }
    for pair in events.windows(2) {
        let next = if pair[0].path == pair[1].path { pair[0].event_index + 1 } else { 0 };
        assert!(pair[0].path <= pair[1].path);
        assert_eq!(pair[1].event_index, next);
    }
    assert!(events.first().is_none_or(|event| event.event_index == 0));
}

/// Compares a recording with what is expected of it, and returns how many events matched.
fn compare(recording: &Path, expected: &Path) -> usize {
    let mut decoding = decode(recording);
    let mut matched = 0;
    for row in fs::read_to_string(expected).unwrap().lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let signature = row["signature"].as_str().unwrap();
        let failed = row["failed"].as_bool().unwrap();
        let ours = decoding.events.remove(signature).unwrap();
        let all = row["events"].as_array().unwrap();
        let cpi: Vec<_> = all.iter().filter(|event| event["via"] == "cpi" && !failed).collect();
        matched += compare_elsewhere(signature, if failed { &[] } else { all }, &ours);
        let of_pump = |event: &Event| matches!(event.venue(), Venue::Pump | Venue::PumpSwap);
        let ours: Vec<_> = ours.into_iter().filter(of_pump).collect();
        let boosted = cpi.iter().any(|event| event["event"] == "BoostBuyAndBurnEvent");
        let mut expected: Vec<_> = cpi
            .iter()
            .filter_map(|event| {
                let mut event = (*event).clone();
                event["boost"] = Value::Bool(boosted);
                expected_facts(&event)
            })
            .collect();
        let mut decoded: Vec<_> = ours.iter().map(decoded_facts).collect();
        expected.sort();
        decoded.sort();
        assert_eq!(decoded, expected, "{signature}");
        matched += expected.len();
        let named: Vec<_> = row["instructions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for event in &ours {
            if let EventKind::Trade(trade) = &event.kind {
                assert_trade(trade, &named, event);
            }
        }
    }
    assert!(decoding.events.values().all(Vec::is_empty), "events in transactions that nobody expects");
    assert_eq!(decoding.undecoded, [], "everything must be known");
    report(recording, &decoding, matched);
    matched
}

/// Compares the events of the venues that are none of pump's; those of two forms of one fact count once.
fn compare_elsewhere(signature: &str, all: &[Value], ours: &[Event]) -> usize {
    let newer = |name: &Value| match name.as_str() {
        Some("Swap") => "Swap2Evt",
        Some("EvtSwap") => "EvtSwap2",
        _ => "-",
    };
    let of = |event: &Value| event["data"]["lb_pair"].as_str().or(event["data"]["pool"].as_str()).map(str::to_owned);
    let replaced =
        |event: &Value| all.iter().any(|other| other["event"] == newer(&event["event"]) && of(other) == of(event));
    let launchlab_log = |event: &Value| event["venue"] == "raydium_launchlab" && event["via"] == "log";
    let expected = all.iter().filter(|event| !replaced(event) && !launchlab_log(event));
    let mut expected: Vec<_> = expected.filter_map(expected_elsewhere).collect();
    let elsewhere = ours.iter().filter(|event| !matches!(event.venue(), Venue::Pump | Venue::PumpSwap));
    let told =
        elsewhere.filter(|event| !matches!(&event.kind, EventKind::Trade(trade) if trade.source == Source::Fallback));
    let mut decoded: Vec<_> = told.filter_map(decoded_elsewhere).collect();
    expected.sort();
    decoded.sort();
    assert_eq!(decoded, expected, "{signature}");
    expected.len()
}

/// What must hold of every trade, whatever its event says.
fn assert_trade(trade: &Trade, named: &[&str], event: &Event) {
    let program = if trade.venue == Venue::Pump { "pump" } else { "pumpswap" };
    let name = format!("{program}.{}", trade.instruction);
    assert!(named.contains(&name.as_str()), "{name} is not among {named:?}");
    if let Some(limit) = trade.limit {
        let holds = match limit.kind {
            LimitKind::MaxQuoteIn => trade.quote_amount <= limit.amount,
            LimitKind::MinBaseOut => trade.base_amount >= limit.amount,
            LimitKind::MinQuoteOut => trade.quote_amount >= limit.amount,
            LimitKind::MaxBaseIn => trade.base_amount <= limit.amount,
        };
        assert!(holds, "{limit:?} of {trade:?}");
    }
    let single = !trade.instruction.starts_with("multi_hop");
    assert!(trade.limit.is_some() == single, "{trade:?}");
    if trade.pool.to_string() == INVERTED_POOLS[0] {
        assert_eq!((trade.mint, trade.quote_mint), (WRAPPED_SOL, USDC));
    }
    assert!(event.path.inner.is_some() || trade.outer_program.is_none(), "{event:?}");
}

fn report(recording: &Path, decoding: &Decoding, matched: usize) {
    for program in decoding.tally.programs() {
        let counts = decoding.tally.of(program);
        assert_eq!(counts.decoded, counts.expected, "{program:?}");
        assert_eq!(counts.known, counts.invocations, "{program:?}");
        assert_eq!(counts.unknown_tails, 0, "{program:?}");
        eprintln!(
            "{}: {} parse {}/{}, coverage {}/{}, from logs {}, by transfers {}",
            recording.file_name().unwrap().display(),
            program.name(),
            counts.decoded,
            counts.expected,
            counts.known,
            counts.invocations,
            counts.logged,
            counts.fallbacks
        );
    }
    eprintln!("{} transactions, {} failed, {matched} events matched", decoding.transactions, decoding.failed);
}

#[test]
fn every_event_of_the_published_transactions() {
    let matched = compare(&data("published.pb.zst"), &data("published.expected.jsonl"));
    assert_eq!(
        matched,
        31 + 21 + 5 + 5 + 3 + 39,
        "trades of pump, creates, buys, sells, and the migration's three; elsewhere"
    );
}

#[test]
fn every_event_of_the_reference_transactions() {
    if let (Some(recording), Some(expected)) = (shared("reference.pb.zst"), shared("reference.expected.jsonl")) {
        assert!(compare(&recording, &expected) > 0);
    }
}

#[test]
fn a_whole_block_leaves_nothing_undecoded() {
    let Some(path) = shared("reference-block-285000037.pb.zst") else { return };
    let decoding = decode(&path);
    assert_eq!((decoding.transactions, decoding.failed), (557, 99));
    assert_eq!(decoding.undecoded, []);
    let events = decoding.events.values().map(Vec::len).sum();
    report(&path, &decoding, events);
}

fn is_pumps(trade: &Trade) -> bool {
    matches!(trade.venue, Venue::Pump | Venue::PumpSwap)
}

/// Constant product, and fees as shares, of every trade by a user: what the programs compute themselves.
#[test]
fn the_curve_and_pool_arithmetic_holds() {
    let decoding = decode(&data("published.pb.zst"));
    let trades = decoding.events.values().flatten().filter_map(|event| match &event.kind {
        EventKind::Trade(trade) if trade.flow == Flow::User && is_pumps(trade) => Some(trade),
        _ => None,
    });
    let mut checked = [0; 2];
    for trade in trades {
        let (before, after) = (trade.reserves_before.unwrap(), trade.reserves_after.unwrap());
        let (base, quote) = (u128::from(trade.base_amount), u128::from(trade.quote_amount));
        match (trade.venue, trade.side) {
            (Venue::Pump, Side::Buy) => {
                // Tokens bought by that quote, rounded down, or quote for those tokens, rounded up by one.
                let bought = u128::from(before.base) * quote / (before.quote + quote);
                let paid = before.quote * base / (u128::from(before.base) - base) + 1;
                assert!(
                    bought == base
                        || paid == quote
                        || bought.abs_diff(base) * before.quote / u128::from(before.base) <= 1,
                    "{trade:?}"
                );
            }
            (_, Side::Buy) => {
                let bought = u128::from(before.base) * quote / (before.quote + quote);
                let paid = (before.quote * base).div_ceil(u128::from(before.base) - base);
                assert!(
                    paid == quote || bought.abs_diff(base) * before.quote / u128::from(before.base) <= 1,
                    "{trade:?}"
                );
            }
            (_, Side::Sell) => {
                assert_eq!(before.quote * base / (u128::from(before.base) + base), quote, "{trade:?}");
            }
        }
        if trade.venue == Venue::Pump {
            assert_eq!(after.quote.abs_diff(before.quote), quote);
            assert_eq!(u128::from(after.base.abs_diff(before.base)), base);
        } else {
            let k = |reserves: Reserves| u128::from(reserves.base) * reserves.quote;
            assert!(k(after) >= k(before), "a pool never loses: {trade:?}");
        }
        checked[usize::from(trade.venue == Venue::PumpSwap)] += 1;
    }
    assert!(checked[0] >= 20 && checked[1] >= 8, "{checked:?}");
}

/// Fees are shares of the amount, rounded up; the protocol's buyback is a share of its fee, rounded down; a curve's virtual
/// reserves are its real ones and constants.
#[test]
fn fees_and_virtual_reserves_are_what_the_programs_compute() {
    let decoding = decode(&data("published.pb.zst"));
    let trades = decoding.events.values().flatten().filter_map(|event| match &event.kind {
        EventKind::Trade(trade) if trade.flow == Flow::User && is_pumps(trade) => Some(trade),
        _ => None,
    });
    let mut checked = [0; 3];
    for trade in trades {
        let fee = |kind: FeeKind| trade.fees.iter().flatten().find(|fee| fee.kind == kind);
        let share = |of: u64, bps: u64| u128::from(of) * u128::from(bps);
        for kind in [FeeKind::Lp, FeeKind::Protocol, FeeKind::Creator] {
            if let Some(fee) = fee(kind)
                && !INVERTED_POOLS.contains(&trade.pool.to_string().as_str())
            {
                let stated = share(trade.quote_amount, fee.bps.unwrap().into()).div_ceil(10_000);
                assert_eq!(u128::from(fee.amount), stated, "{kind:?} of {trade:?}");
                checked[0] += 1;
            }
        }
        if let (Some(protocol), Some(buyback)) = (fee(FeeKind::Protocol), fee(FeeKind::Buyback)) {
            assert_eq!(
                u128::from(buyback.amount),
                share(protocol.amount, buyback.bps.unwrap().into()) / 10_000,
                "{trade:?}"
            );
            checked[1] += 1;
        }
        if let (Venue::Pump, Some(after)) = (trade.venue, trade.reserves_after) {
            assert_eq!(after.base - trade.curve_tokens_left.unwrap(), 279_900_000_000_000);
            if trade.quote_mint == WRAPPED_SOL {
                assert_eq!(after.quote - u128::from(trade.curve_real_quote.unwrap()), 30_000_000_000);
                checked[2] += 1;
            }
        }
    }
    assert!(checked.iter().all(|count| *count >= 20), "{checked:?}");
}

/// The pools of graduated tokens have derived addresses: mint and pool of such trades must belong together.
#[test]
fn pools_belong_to_their_mints() {
    let decoding = decode(&data("published.pb.zst"));
    let pool = |mint: Mint, quote: Mint| {
        let authority = Pubkey::find_program_address(&[b"pool-authority", mint.bytes()], &PUMP).0;
        let seeds: [&[u8]; 5] = [b"pool", &[0, 0], authority.as_array(), mint.bytes(), quote.bytes()];
        Pubkey::find_program_address(&seeds, &PUMP_SWAP).0
    };
    let trades = decoding.events.values().flatten().filter_map(|event| match &event.kind {
        EventKind::Trade(trade) if trade.venue == Venue::PumpSwap => Some(trade),
        _ => None,
    });
    let derived = trades.filter(|trade| pool(trade.mint, trade.quote_mint) == *trade.pool.pubkey()).count();
    assert!(derived >= 8, "{derived}");
}
