//! `replay --headless --speed max` through the whole program: file → server → gRPC → decoder → market → JSON lines.
//! What an independent decoder found in real mainnet transactions must come out, each event once, with equal values.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

const WRAPPED_SOL: &str = "So11111111111111111111111111111111111111112";
const ZERO_KEY: &str = "11111111111111111111111111111111";

/// What an expected on-chain event should look like in our output; `None` for events that are no event of ours.
fn expected(event: &Value) -> Option<Value> {
    let data = &event["data"];
    let int = |name: &str| data[name].clone();
    let sol_quote =
        |data: &Value| data["quote_mint"].as_str().is_none_or(|mint| mint == ZERO_KEY || mint == WRAPPED_SOL);
    Some(match (event["venue"].as_str()?, event["event"].as_str()?) {
        ("pump", "TradeEvent") => {
            let sol = sol_quote(data);
            let quote = |sol_name: &str, name: &str| if sol { int(sol_name) } else { int(name) };
            json!({
                "type": "trade", "venue": "pump", "mint": data["mint"], "user": data["user"],
                "side": if data["is_buy"].as_bool()? { "buy" } else { "sell" },
                "base_amount": int("token_amount"), "quote_amount": quote("sol_amount", "quote_amount"),
                "reserves_after": {
                    "base": int("virtual_token_reserves"),
                    "quote": quote("virtual_sol_reserves", "virtual_quote_reserves"),
                },
                "quote_mint": if sol { json!(WRAPPED_SOL) } else { int("quote_mint") },
                "ts_ms": data["timestamp"].as_i64()? * 1_000,
            })
        }
        ("pump", "CreateEvent") => json!({
            "type": "token_created", "venue": "pump", "mint": data["mint"], "curve": data["bonding_curve"],
            "name": data["name"], "symbol": data["symbol"], "uri": data["uri"], "creator": data["user"],
        }),
        ("pump", "CompleteEvent") => json!({
            "type": "curve_completed", "mint": data["mint"], "curve": data["bonding_curve"],
        }),
        ("pump", "PostCompleteBuyEvent") => json!({
            "type": "trade", "flow": "post_completion", "mint": data["mint"], "user": data["user"],
            "base_amount": int("base_out"), "quote_amount": int("quote_in"),
        }),
        ("pump", "CompletePumpAmmMigrationEvent") => json!({
            "type": "graduated", "mint": data["mint"], "curve": data["bonding_curve"], "pool": data["pool"],
            "quote_amount": int("sol_amount"), "base_amount": int("mint_amount"),
        }),
        ("pumpswap", "BuyEvent") => json!({
            "type": "trade", "venue": "pump_swap", "side": "buy", "pool": data["pool"],
            "base_amount": int("base_amount_out"),
            "quote_amount": data["quote_amount_in"].as_u64()?.min(data["user_quote_amount_in"].as_u64()?),
        }),
        ("pumpswap", "SellEvent") => json!({
            "type": "trade", "venue": "pump_swap", "side": "sell", "pool": data["pool"], "user": data["user"],
            "base_amount": int("base_amount_in"), "quote_amount": int("quote_amount_out"),
        }),
        ("pumpswap", "CreatePoolEvent") => json!({
            "type": "pool_created", "pool": data["pool"], "mint": data["base_mint"], "quote_mint": data["quote_mint"],
            "user": data["creator"], "base_amount": int("base_amount_in"), "quote_amount": int("quote_amount_in"),
            "lp_amount": int("lp_token_amount_out"),
        }),
        ("pumpswap", "DepositEvent") => json!({
            "type": "liquidity", "action": "deposit", "pool": data["pool"], "lp_amount": int("lp_token_amount_out"),
        }),
        ("pumpswap", "WithdrawEvent") => json!({
            "type": "liquidity", "action": "withdraw", "pool": data["pool"], "lp_amount": int("lp_token_amount_in"),
        }),
        _ => return None,
    })
}

/// Whether every field that is expected is there with that value.
fn agrees(expected: &Value, got: &Value) -> bool {
    match expected {
        Value::Object(fields) => fields.iter().all(|(name, value)| agrees(value, &got[name])),
        Value::Number(number) => got == expected || got.as_str() == Some(&number.to_string()),
        _ => got == expected,
    }
}

/// The same trade in a pool that has a currency as its base: what everybody counts in is the quote, so its sides are
/// exchanged. Which pools do is tested with their mints in `tests/decode`.
fn turned(want: &Value) -> Option<Value> {
    let mut turned = want.clone();
    turned["side"] = json!(if want["side"] == "buy" { "sell" } else { "buy" });
    turned["base_amount"] = want["quote_amount"].clone();
    turned["quote_amount"] = want["base_amount"].clone();
    (want["venue"] == "pump_swap" && want["type"] == "trade").then_some(turned)
}

/// Runs the program over a recording; its chain events by signature.
fn replay(recording: &Path) -> BTreeMap<String, Vec<Value>> {
    let output = Command::new(env!("CARGO_BIN_EXE_smart-stream-tui"))
        .args(["replay", "--headless", "--speed", "max"])
        .arg(recording)
        .env_remove("SMART_STREAM_ENDPOINT")
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let chain = ["trade", "token_created", "curve_completed", "graduated", "pool_created", "liquidity"];
        if chain.contains(&event["type"].as_str().unwrap()) {
            events.entry(event["signature"].as_str().unwrap().to_owned()).or_default().push(event);
        } else {
            assert_ne!(event["type"], "undecoded", "{event}");
        }
    }
    events
}

/// Compares a recording's events with what the independent decoder says; how many agreed.
fn check(recording: &Path, expectations: &Path) -> usize {
    let mut got = replay(recording);
    let mut matched = 0;
    for row in std::fs::read_to_string(expectations).unwrap().lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let signature = row["signature"].as_str().unwrap();
        let mut ours = got.remove(signature).unwrap_or_default();
        // The other venues' events are compared in `tests/decode`.
        ours.retain(|event| event["venue"].as_str().is_none_or(|venue| venue.starts_with("pump")));
        if !row["failed"].as_bool().unwrap() {
            // pump and PumpSwap write every event twice; the self-CPI is never cut off, so it alone counts.
            let theirs = row["events"].as_array().unwrap().iter().filter(|event| event["via"] == "cpi");
            for want in theirs.filter_map(expected) {
                let turned = turned(&want);
                let is_it =
                    |event: &Value| agrees(&want, event) || turned.as_ref().is_some_and(|want| agrees(want, event));
                let at = ours.iter().position(is_it);
                let at = at.unwrap_or_else(|| panic!("{signature}: {want:#} is missing in {ours:#?}"));
                let found = ours.remove(at);
                if let Some(slot) = row["slot"].as_u64().filter(|slot| *slot > 0) {
                    assert_eq!(found["slot"], slot, "{signature}");
                }
                matched += 1;
            }
        }
        assert!(ours.is_empty(), "{signature}: invented {ours:#?}");
    }
    assert!(got.is_empty(), "events of transactions that are not in the recording: {got:#?}");
    matched
}

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_shipped_recording_comes_out_event_by_event() {
    let matched = check(&package("tests/data/published.pb.zst"), &package("tests/data/published.expected.jsonl"));
    assert_eq!(matched, 64, "31 curve trades, 21 launches, 10 pool trades, 1 graduation, 1 pool");
}

#[test]
fn the_reference_recordings_come_out_event_by_event() {
    let folder = std::env::var_os("SMART_STREAM_SHARED").map_or_else(|| package("../shared"), PathBuf::from);
    let folder = folder.join("data/mainnet");
    if !folder.is_dir() {
        eprintln!("skipped: the reference recordings are not here ({})", folder.display());
        return;
    }
    let matched = check(&folder.join("reference.pb.zst"), &folder.join("reference.expected.jsonl"));
    assert_eq!(matched, 36, "24 curve trades, 7 launches, 5 pool trades");
    // A whole block: no expectations exist for it, but every trade must be whole and nothing may be undecoded.
    let block = replay(&folder.join("reference-block-285000037.pb.zst"));
    let trades = block.values().flatten().filter(|event| event["type"] == "trade");
    let whole = trades.inspect(|trade| {
        for field in ["mint", "pool", "user", "side", "base_amount", "quote_amount", "source", "app"] {
            assert!(
                !trade[field].is_null() || (field == "app" && !trade["outer_program"].is_null()),
                "{field} of {trade:#}"
            );
        }
    });
    assert!(whole.count() > 0);
}
