//! The simulated market is exact: a reader of its stream finds what happened, event by event, and every event keeps to
//! the invariants seen on mainnet.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use prost::Message;
use smart_stream_tui::{
    chain::{
        ids::WRAPPED_SOL,
        program::Program,
        wire::{Kind, Update},
    },
    decode::{
        Decoder, Event, EventKind, Tally, Undecoded,
        event::{FeeKind, Flow, LimitKind, LiquidityAction, Side, Venue},
    },
    simulator::{
        feed::{Producer, SlotItemKind, SlotPlan},
        market::{
            MarketSettings, SLOT, SimulatedMarket,
            truth::{self, Reserves, Trade, Truth, What},
        },
    },
};
use yellowstone_grpc_proto::{
    geyser::{
        SubscribeUpdate, SubscribeUpdateTransaction, SubscribeUpdateTransactionInfo, subscribe_update::UpdateOneof,
    },
    prelude::TransactionStatusMeta,
};

const TIME: i64 = 1_795_000_000;

fn settings(seed: u64, rate: f64) -> MarketSettings {
    MarketSettings { seed, rate, start_time: TIME }
}

/// The frames of some slots, and what happened in them.
fn simulate(settings: MarketSettings, slots: usize) -> (Vec<SlotPlan>, Vec<Truth>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let mut market =
        SimulatedMarket::new(settings).with_truth(Box::new(move |truth| sink.lock().unwrap().push(truth.clone())));
    let plans = (0..slots).map(|_| market.next_slot().unwrap()).collect();
    assert_eq!(market.acts_given_up(), 0);
    drop(market);
    (plans, Arc::into_inner(told).unwrap().into_inner().unwrap())
}

/// A slot's transactions.
fn transactions(plan: &SlotPlan) -> impl Iterator<Item = &SubscribeUpdateTransactionInfo> {
    plan.items.iter().filter_map(|item| match &item.kind {
        SlotItemKind::Transaction(info) => Some(&**info),
        _ => None,
    })
}

/// Each transaction as the update a server sends.
fn frames(plans: &[SlotPlan]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for plan in plans {
        for (index, info) in (0..).zip(transactions(plan)) {
            let mut info = info.clone();
            info.index = index;
            let transaction =
                SubscribeUpdateTransaction { transaction: Some(info), slot: plan.slot, bank_id: plan.slot };
            let update =
                SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(transaction)), ..Default::default() };
            frames.push(update.encode_to_vec());
        }
    }
    frames
}

#[derive(Default)]
struct Read {
    events: Vec<Event>,
    undecoded: Vec<Undecoded>,
    tally: Tally,
    failed: usize,
}

fn read(frames: &[Vec<u8>]) -> Read {
    let mut decoder = Decoder::default();
    let mut read = Read::default();
    for frame in frames {
        let Kind::Transaction(transaction) = Update::scan(frame).unwrap().kind else { panic!("a transaction") };
        let decoded = decoder.decode(&transaction, &mut read.events, &mut read.undecoded).unwrap();
        read.failed += usize::from(decoded.failed);
        read.tally.add(&decoded.tally);
    }
    read
}

/// An event as one line of facts.
fn facts_read(event: &Event) -> String {
    let inner = event.path.inner.map_or_else(String::new, |inner| format!(".{inner}"));
    let head = format!("{} {} {}{inner} {:?}", event.slot, event.tx_index, event.path.outer, event.timestamp.unwrap());
    let head = format!("{head} {} {}", event.signature, event.payer);
    match &event.kind {
        EventKind::Trade(trade) => {
            let reserves = |reserves: Option<smart_stream_tui::decode::event::Reserves>| {
                reserves.map(|reserves| (reserves.base, u64::try_from(reserves.quote).unwrap())).unwrap()
            };
            assert_eq!(trade.quote_mint, WRAPPED_SOL);
            assert_eq!(trade.base_decimals, Some(6));
            let fees = trade.fees.iter().flatten().map(|fee| (fee.kind, fee.amount, fee.bps)).collect::<Vec<_>>();
            if trade.flow == Flow::PostCompletion {
                assert_eq!((trade.limit, trade.reserves_before, event.event_index), (None, None, 1));
                return format!(
                    "{head} beyond {} {} {} {} {} {} {fees:?} {:?} {:?}",
                    trade.instruction,
                    trade.pool,
                    trade.mint,
                    trade.user,
                    trade.base_amount,
                    trade.quote_amount,
                    reserves(trade.reserves_after),
                    trade.outer_program.map(|program| solana_sdk::pubkey::Pubkey::from(program).to_string()),
                );
            }
            let boost = trade.instruction == "boost_buy_and_burn";
            assert_eq!(trade.flow, if boost { Flow::Boost } else { Flow::User });
            let limit = trade.limit.unwrap();
            let kind = match (trade.side, boost || trade.instruction.contains("exact")) {
                (Side::Buy, false) => LimitKind::MaxQuoteIn,
                (Side::Buy, true) => LimitKind::MinBaseOut,
                (Side::Sell, _) => LimitKind::MinQuoteOut,
            };
            assert_eq!(limit.kind, kind);
            format!(
                "{head} trade {} {} {} {} {} {} {} {} {:?} {:?} {:?} {:?} {} {:?}",
                trade.venue == Venue::PumpSwap,
                trade.instruction,
                trade.pool,
                trade.mint,
                trade.user,
                trade.side == Side::Buy,
                trade.base_amount,
                trade.quote_amount,
                fees,
                reserves(trade.reserves_before),
                reserves(trade.reserves_after),
                trade.curve_tokens_left.zip(trade.curve_real_quote),
                limit.amount,
                trade.outer_program.map(|program| solana_sdk::pubkey::Pubkey::from(program).to_string()),
            )
        }
        EventKind::TokenCreated(created) => {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let initial = created.initial.unwrap();
            assert_eq!(created.creator, event.payer);
            format!(
                "{head} created {} {} {:?} {:?} {:?} {} {}",
                created.mint,
                created.curve,
                text(&created.name),
                text(&created.symbol),
                text(&created.uri),
                initial.base,
                initial.quote
            )
        }
        EventKind::CurveCompleted { mint, curve, .. } => format!("{head} completed {mint} {curve}"),
        EventKind::Graduated { mint, curve, pool, quote_amount, base_amount, .. } => {
            format!("{head} graduated {mint} {curve} {pool} {base_amount} {quote_amount}")
        }
        EventKind::PoolCreated(created) => {
            assert_eq!((created.base_decimals, created.quote_decimals), (Some(6), Some(9)));
            format!(
                "{head} pool {} {} {} {} {} {} {}",
                created.mint,
                created.quote_mint,
                created.pool,
                created.base_amount,
                created.quote_amount,
                created.lp_amount.unwrap(),
                created.user
            )
        }
        EventKind::BoostInitialized { mint, pool, virtual_quote, real_quote } => {
            format!("{head} boost {mint} {pool} {virtual_quote} {real_quote}")
        }
        EventKind::Liquidity(moved) => format!(
            "{head} liquidity {} {} {} {} {} {} {:?}",
            moved.mint,
            moved.pool,
            moved.action == LiquidityAction::Deposit,
            moved.base_amount,
            moved.quote_amount,
            moved.lp_amount.unwrap(),
            moved.raw_reserves_before.unwrap()
        ),
        EventKind::CurveAdjusted { .. } => panic!("no mayhem here"),
    }
}

/// The same of what happened: the events a reader should find, in order.
fn facts_told(truth: &Truth) -> Vec<String> {
    let at = |(outer, inner): (u16, Option<u16>)| {
        let inner = inner.map_or_else(String::new, |inner| format!(".{inner}"));
        let Truth { slot, transaction, time, signature, payer, .. } = truth;
        format!("{slot} {transaction} {outer}{inner} {time} {signature} {payer}")
    };
    let head = at((truth.outer, truth.inner));
    let pair = |reserves: &Reserves| (reserves.base, reserves.quote);
    match &truth.what {
        What::Trade(trade) => {
            let lp = trade.in_pool.then_some((FeeKind::Lp, trade.lp_fee));
            let fees = [
                lp,
                Some((FeeKind::Protocol, trade.protocol_fee)),
                Some((FeeKind::Creator, trade.creator_fee)),
                Some((FeeKind::Buyback, trade.buyback_fee)),
            ];
            let fees = fees.into_iter().flatten().filter(|(_, (amount, bps))| *amount > 0 || *bps > 0);
            vec![format!(
                "{head} trade {} {} {} {} {} {} {} {} {:?} {:?} {:?} {:?} {} {:?}",
                trade.in_pool,
                trade.instruction,
                trade.pool,
                trade.mint,
                trade.user,
                trade.buy,
                trade.base_amount,
                trade.quote_amount,
                fees.map(|(kind, (amount, bps))| (kind, amount, Some(bps))).collect::<Vec<_>>(),
                pair(&trade.reserves_before),
                pair(&trade.reserves_after),
                trade.curve_after,
                trade.limit,
                trade.router,
            )]
        }
        What::Created { mint, curve, name, symbol, uri, reserves } => vec![format!(
            "{head} created {mint} {curve} {name:?} {symbol:?} {uri:?} {} {}",
            reserves.base, reserves.quote
        )],
        What::Beyond {
            mint,
            curve,
            user,
            instruction,
            base_amount,
            quote_amount,
            fees,
            buyback_fee,
            reserves_after,
            router,
            ..
        } => {
            let [protocol, creator] = fees.map(|(amount, bps)| (amount, Some(bps)));
            let fees =
                [(FeeKind::Protocol, protocol), (FeeKind::Creator, creator), (FeeKind::Buyback, (*buyback_fee, None))];
            let fees: Vec<_> = fees.into_iter().map(|(kind, (amount, bps))| (kind, amount, bps)).collect();
            let after = pair(reserves_after);
            vec![format!(
                "{head} beyond {instruction} {curve} {mint} {user} {base_amount} {quote_amount} {fees:?} {after:?} {router:?}"
            )]
        }
        What::Completed { mint, curve } => vec![format!("{head} completed {mint} {curve}")],
        What::Migrated {
            mint,
            curve,
            pool,
            base_amount,
            quote_amount,
            lp_amount,
            opener,
            creation,
            boost,
            virtual_quote,
            reserves,
        } => {
            let real = quote_amount - virtual_quote;
            assert_eq!((reserves.base, reserves.quote), (*base_amount, *quote_amount));
            vec![
                format!("{head} graduated {mint} {curve} {pool} {base_amount} {quote_amount}"),
                format!(
                    "{} pool {mint} {WRAPPED_SOL} {pool} {base_amount} {quote_amount} {lp_amount} {opener}",
                    at(*creation)
                ),
                format!("{} boost {mint} {pool} {virtual_quote} {real}", at(*boost)),
            ]
        }
        What::Liquidity { mint, pool, deposit, base_amount, quote_amount, lp_amount, vaults_before, .. } => {
            vec![format!(
                "{head} liquidity {mint} {pool} {deposit} {base_amount} {quote_amount} {lp_amount} {vaults_before:?}"
            )]
        }
    }
}

fn assert_read_is_truth(plans: &[SlotPlan], truth: &[Truth]) -> Read {
    let read = read(&frames(plans));
    let got: Vec<String> = read.events.iter().map(facts_read).collect();
    let expected: Vec<String> = truth.iter().flat_map(facts_told).collect();
    for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert_eq!(got, expected, "event {place}");
    }
    assert_eq!(got.len(), expected.len());
    assert_eq!(read.undecoded, []);
    for program in [Program::Pump, Program::PumpSwap] {
        let counts = read.tally.of(program);
        assert_eq!(counts.decoded, counts.expected, "{program:?}");
        assert_eq!(counts.known, counts.invocations, "{program:?}");
        assert_eq!(counts.unknown_tails, 0, "{program:?}");
    }
    read
}

#[test]
fn the_whole_stream_decodes_to_what_happened() {
    let (plans, truth) = simulate(settings(1, 400.0), 240);
    let transactions: usize = plans.iter().map(|plan| transactions(plan).count()).sum();
    let read = assert_read_is_truth(&plans, &truth);
    let failed = read.failed * 100 / transactions;
    assert!((10..=25).contains(&failed), "{failed} % failed");
    let count = |wanted: fn(&What) -> bool| truth.iter().filter(|truth| wanted(&truth.what)).count();
    assert!(count(|what| matches!(what, What::Created { .. })) > 80);
    assert!(count(|what| matches!(what, What::Migrated { .. })) > 12);
    assert!(count(|what| matches!(what, What::Beyond { .. })) > 1);
    let gone = plans.last().unwrap().slot - plans[0].slot + 1;
    assert!(gone > plans.len() as u64, "some slots have no block");
    assert!(
        plans.windows(2).all(|pair| pair[1].parent == pair[0].slot && pair[1].parent_blockhash == pair[0].blockhash)
    );
    let lasted: std::time::Duration = plans.iter().map(|plan| plan.duration).sum();
    assert_eq!(lasted, SLOT * u32::try_from(gone).unwrap());
    assert_eq!(
        count(|what| matches!(what, What::Liquidity { deposit: true, .. })) > 5,
        count(|what| matches!(what, What::Liquidity { deposit: false, .. })) > 1
    );
    let trades: Vec<&Trade> = truth.iter().filter_map(trade_of).collect();
    let mut names: Vec<_> = trades.iter().map(|trade| (trade.in_pool, trade.instruction)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 9 + 7, "every instruction occurs: {names:?}");
    assert!(trades.iter().filter(|trade| trade.router.is_some()).count() > trades.len() / 4);
}

fn trade_of(truth: &Truth) -> Option<&Trade> {
    match &truth.what {
        What::Trade(trade) => Some(trade),
        _ => None,
    }
}

/// The invariants seen on every mainnet event (constant product, fees, roundings), and that nothing is missing between
/// two events of one pool or curve.
fn assert_invariants(truth: &[Truth]) {
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

#[test]
fn events_keep_to_the_invariants_and_the_reserves_chain_without_a_break() {
    for seed in [2, 3] {
        let (_, truth) = simulate(settings(seed, 1_000.0), 110);
        assert!(truth.len() > 14_000, "{}", truth.len());
        assert_invariants(&truth);
    }
}

#[test]
fn the_beginning_shows_a_market_in_full_swing() {
    // Ten seconds of the demo's rate.
    let (plans, truth) = simulate(settings(1, 100.0), 47);
    let mut progress: HashMap<String, f64> = HashMap::new();
    let (mut pools, mut in_pools, mut on_curves) = (std::collections::HashSet::new(), 0, 0);
    for trade in truth.iter().filter_map(trade_of) {
        if let Some((left, _)) = trade.curve_after {
            on_curves += 1;
            #[allow(clippy::cast_precision_loss, reason = "a share")]
            progress.insert(trade.mint.to_string(), 1.0 - left as f64 / 793_100_000_000_000.0);
        } else {
            in_pools += 1;
            pools.insert(trade.mint.to_string());
        }
    }
    let moving = progress.values().filter(|progress| (0.001..1.0).contains(*progress)).count();
    assert!(moving >= 40, "{moving}");
    let near = progress.values().filter(|progress| (0.8..1.0).contains(*progress)).count();
    assert!(near >= 3, "{near}");
    assert!(pools.len() >= 6, "{}", pools.len());
    assert!(in_pools > 100 && on_curves > 300, "{in_pools} {on_curves}");
    let after_two_seconds: usize = plans[14..].iter().map(|plan| transactions(plan).count()).sum();
    assert!((600..800).contains(&after_two_seconds), "100 tx/s for 7 s: {after_two_seconds}");
}

#[test]
fn updates_look_like_those_of_mainnet() {
    let (plans, _) = simulate(settings(4, 300.0), 60);
    let frames = frames(&plans);
    let mut sizes: Vec<usize> = frames.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!((7_000..12_000).contains(&median), "median {median}");
    let mut kinds = [0; 3];
    let mut signatures = std::collections::HashSet::new();
    let accounts = plans.iter().flat_map(|plan| &plan.items);
    let accounts = accounts.filter(|item| matches!(item.kind, SlotItemKind::Account(_))).count();
    assert!((20..60).contains(&accounts), "{accounts} writes of the price of SOL in 13 s");
    assert!(plans.iter().all(|plan| plan.items.is_sorted_by_key(|item| item.at)));
    for info in plans.iter().flat_map(transactions) {
        let (transaction, meta) = (info.transaction.as_ref().unwrap(), info.meta.as_ref().unwrap());
        let message = transaction.message.as_ref().unwrap();
        let header = message.header.as_ref().unwrap();
        assert!(signatures.insert(info.signature.clone()));
        assert_eq!(transaction.signatures.len(), header.num_required_signatures as usize);
        let loaded = meta.loaded_writable_addresses.len() + meta.loaded_readonly_addresses.len();
        let keys = message.account_keys.len() + loaded;
        assert_eq!((meta.pre_balances.len(), meta.post_balances.len()), (keys, keys));
        assert!(keys <= 64, "{keys}");
        let sum = |balances: &[u64]| balances.iter().map(|balance| u128::from(*balance)).sum::<u128>();
        assert_eq!(sum(&meta.pre_balances), sum(&meta.post_balances) + u128::from(meta.fee), "lamports are conserved");
        assert_tokens_conserved(meta);
        let lookups: usize = message
            .address_table_lookups
            .iter()
            .map(|lookup| lookup.writable_indexes.len() + lookup.readonly_indexes.len())
            .sum();
        assert_eq!(lookups, loaded);
        kinds[match (message.versioned, &message.config) {
            (false, None) => 0,
            (true, None) => 1,
            (true, Some(_)) => 2,
            (false, Some(_)) => panic!("a legacy message with a config"),
        }] += 1;
        let mut depth = 0_i32;
        for line in &meta.log_messages {
            depth += i32::from(line.ends_with(']') && line.contains(" invoke ["));
            depth -= i32::from(line.ends_with(" success") || line.contains(" failed: "));
            assert!(depth >= 0, "{line}");
        }
        assert_eq!(depth, 0);
    }
    assert!(kinds.iter().all(|count| *count > frames.len() / 8), "{kinds:?} of legacy, v0 and v1");
}

/// A token moves, or is minted or burnt whole; only wrapped SOL comes and goes.
fn assert_tokens_conserved(meta: &TransactionStatusMeta) {
    let mut moved: HashMap<&str, i128> = HashMap::new();
    for (sign, balances) in [(-1, &meta.pre_token_balances), (1, &meta.post_token_balances)] {
        for balance in balances {
            let amount: i128 = balance.ui_token_amount.as_ref().unwrap().amount.parse().unwrap();
            *moved.entry(&balance.mint).or_default() += sign * amount;
        }
    }
    let logged = |text: &str| meta.log_messages.iter().any(|line| line.ends_with(text));
    let (mints, burns) = (logged("Instruction: MintTo"), logged("Instruction: Burn"));
    for (mint, moved) in moved.into_iter().filter(|(mint, _)| *mint != WRAPPED_SOL.to_string()) {
        // A migration shows only where the curve's tokens went.
        let migrates = logged("Instruction: MigrateV2");
        assert!(moved == 0 || mints && moved > 0 || burns && moved < 0 || migrates, "{moved} of {mint}");
    }
}

#[test]
fn the_truth_can_be_written_as_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truth.jsonl");
    let sink = truth::json_lines(std::fs::File::create(&path).unwrap());
    let mut market = SimulatedMarket::new(settings(5, 50.0)).with_truth(sink);
    for _ in 0..10 {
        market.next_slot();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["what"] == "created" && line["role"] == "creator"));
    assert!(lines.iter().any(|line| line["what"] == "trade" && line["reserves_after"]["base"].is_u64()));
}

fn bytes(seed: u64) -> Vec<Vec<u8>> {
    frames(&simulate(settings(seed, 200.0), 20).0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_other_ones(seed: u64) {
        let first = bytes(seed);
        prop_assert_eq!(&first, &bytes(seed));
        prop_assert_ne!(first, bytes(seed ^ 1));
    }

    #[test]
    fn any_seed_and_rate_decode_to_what_happened(seed: u64, rate in 1.0..1_000.0) {
        let (plans, truth) = simulate(settings(seed, rate), 25);
        assert_read_is_truth(&plans, &truth);
        assert_invariants(&truth);
    }
}

/// `cargo test --release --test market_truth -- --ignored --nocapture`: figures, not a promise.
#[test]
#[ignore = "measures"]
fn how_fast_and_how_lively_it_is() {
    for rate in [100.0, 2_000.0, 20_000.0] {
        let told = Arc::new(Mutex::new(HashMap::<String, u64>::new()));
        let sink = Arc::clone(&told);
        let count = move |truth: &Truth| {
            let what = match &truth.what {
                What::Created { .. } => "created",
                What::Completed { .. } => "completed",
                What::Beyond { .. } => "beyond",
                What::Migrated { .. } => "migrated",
                What::Liquidity { .. } => "liquidity",
                What::Trade(trade) if trade.in_pool => "pool trades",
                What::Trade(_) => "curve trades",
            };
            let mut counts = sink.lock().unwrap();
            *counts.entry(what.to_owned()).or_default() += 1;
            if what == "migrated" && rate < 1_000.0 {
                *counts.entry(format!("migrated in minute {}", (truth.time - TIME) / 60)).or_default() += 1;
            }
        };
        let mut market = SimulatedMarket::new(settings(1, rate)).with_truth(Box::new(count));
        let seconds = if rate > 1_000.0 { 30 } else { 600 };
        let (mut made, mut spent) = (0, std::time::Duration::ZERO);
        let mut bytes = 0;
        for _ in 0..seconds * 1_000_000 / 212_500 {
            let start = std::time::Instant::now();
            let plan = market.next_slot().unwrap();
            spent += start.elapsed();
            made += transactions(&plan).count();
            bytes += frames(&[plan]).iter().map(Vec::len).sum::<usize>();
        }
        #[allow(clippy::cast_precision_loss, reason = "figures")]
        let per_second = made as f64 / spent.as_secs_f64();
        let mut counts: Vec<_> = told.lock().unwrap().clone().into_iter().collect();
        counts.sort_unstable();
        println!(
            "rate {rate}: {seconds} s, {made} transactions of {} bytes, made at {per_second:.0}/s, {counts:?}, given up {}",
            bytes / made,
            market.acts_given_up()
        );
    }
}
