//! The simulated market is exact: a reader of its stream finds what happened, event by event, and every event keeps to
//! the invariants seen on mainnet.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod facts;
mod invariants;
mod reading;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use smart_stream_tui::{
    chain::ids::WRAPPED_SOL,
    simulator::{
        feed::{Producer, SlotItemKind},
        market::{
            SLOT, SimulatedMarket,
            truth::{self, Trade, Truth, Venue, What},
        },
    },
};
use yellowstone_grpc_proto::prelude::TransactionStatusMeta;

use self::{
    invariants::{assert_invariants, trade_of},
    reading::{assert_read_is_truth, frames, settings, simulate, transactions},
};

const TIME: i64 = 1_795_000_000;

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
    let mut names: Vec<_> = trades.iter().map(|trade| (trade.venue, trade.instruction)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 9 + 7 + 4 + 2, "every instruction occurs: {names:?}");
    assert!(trades.iter().filter(|trade| trade.router.is_some()).count() > trades.len() / 4);
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
                What::Opened { .. } => "opened",
                What::Liquidity { .. } => "liquidity",
                What::Trade(trade) if trade.venue != Venue::Pump => "pool trades",
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
