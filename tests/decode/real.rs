//! Every event that an independent decoder found in real transactions comes out exactly once and with equal values.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use smart_stream_tui::{
    chain::{
        ids::{Mint, USDC, WRAPPED_SOL},
        program::{PUMP, PUMP_SWAP, Program},
        wire::{self, Kind, Update},
    },
    decode::{
        Decoder, Event, EventKind, Tally, Undecoded,
        event::{Fees, Flow, LimitKind, LiquidityAction, Reserves, Side, Trade, Venue},
    },
};
use solana_sdk::pubkey::Pubkey;

use crate::{data, messages, shared};

/// The sol vault of the mayhem program.
const MAYHEM: &str = "BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s";

/// Pools whose own base is a currency (USDC against SOL, SOL against a token): here their sides are exchanged.
const INVERTED_POOLS: [&str; 2] =
    ["Gf7sXMoP8iRw4iiXmJ1nq4vxcRycbGXy5RL8a8LnTd3v", "CW644FAJoQE9B9MGqmdfDseS4XfsmgS77ve7zJDJxiPS"];

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
        let decoded = decoder.decode(&transaction, &mut events, &mut decoding.undecoded).unwrap();
        assert!(!decoded.failed || events.is_empty());
        decoding.transactions += 1;
        decoding.failed += usize::from(decoded.failed);
        decoding.tally.add(&decoded.tally);
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

/// The facts of an event as sorted text: what both sides must agree on.
type Facts = BTreeMap<&'static str, String>;

fn number(data: &Value, field: &str) -> Option<i128> {
    match data.get(field)? {
        Value::Number(number) => number.as_i128(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn text(data: &Value, field: &str) -> Option<String> {
    data.get(field)?.as_str().map(str::to_owned)
}

fn quote_mint(data: &Value) -> String {
    text(data, "quote_mint").filter(|mint| *mint != Pubkey::default().to_string()).unwrap_or(WRAPPED_SOL.to_string())
}

/// The facts of an expected event; `None` for those that are none of ours.
fn expected_facts(event: &Value) -> Option<Facts> {
    let data = &event["data"];
    let n = |field| number(data, field).unwrap_or_else(|| panic!("{field} in {event}"));
    let t = |field| text(data, field).unwrap_or_else(|| panic!("{field} in {event}"));
    let or_none = |field| format!("{:?}", number(data, field));
    let fee = |kind: &str, amount, bps| {
        let (amount, bps) = (number(data, amount)?, number(data, bps));
        (amount > 0 || bps.unwrap_or(0) > 0).then(|| format!("{kind} {amount} {bps:?}"))
    };
    let timestamp = || or_none("timestamp");
    Some(match (event["venue"].as_str()?, event["event"].as_str()?) {
        ("pump", "TradeEvent") => {
            let quote_mint = quote_mint(data);
            let sol = quote_mint == WRAPPED_SOL.to_string();
            let pick = |sol_field, quote_field| if sol { sol_field } else { quote_field };
            let (base, quote) = (n("token_amount"), n(pick("sol_amount", "quote_amount")));
            let (left_base, left_quote) =
                (n("virtual_token_reserves"), n(pick("virtual_sol_reserves", "virtual_quote_reserves")));
            let buy = data["is_buy"].as_bool()?;
            let sign = if buy { 1 } else { -1 };
            let agent = t("user") == MAYHEM;
            let mut fees: Vec<_> = [
                fee("protocol", "fee", "fee_basis_points"),
                fee("creator", "creator_fee", "creator_fee_basis_points"),
                fee("cashback", "cashback", "cashback_fee_basis_points"),
                fee("holder_rewards", "holder_rewards", "holder_rewards_bps"),
                fee("buyback", "buyback_fee", "buyback_fee_basis_points"),
                fee("transfer", "quote_transfer_fee", "-"),
            ]
            .into_iter()
            .flatten()
            .collect();
            fees.sort();
            let curve = Pubkey::find_program_address(&[b"bonding-curve", key(&t("mint")).as_array()], &PUMP).0;
            Facts::from([
                ("type", "trade pump".into()),
                ("flow", if agent { "mayhem_agent" } else { "user" }.into()),
                ("pool", curve.to_string()),
                ("mint", t("mint")),
                ("quote_mint", quote_mint),
                ("user", t("user")),
                ("side", if buy { "buy" } else { "sell" }.into()),
                ("amounts", format!("{base} {quote}")),
                ("after", format!("{left_base} {left_quote}")),
                (
                    "before",
                    if agent {
                        "-".into()
                    } else {
                        format!("{} {}", left_base + sign * base, left_quote - sign * quote)
                    },
                ),
                ("left", or_none("real_token_reserves")),
                ("real_quote", or_none(pick("real_sol_reserves", "real_quote_reserves"))),
                ("fees", fees.join(", ")),
                ("mayhem", data["mayhem_mode"].as_bool().unwrap_or(false).to_string()),
                ("timestamp", timestamp()),
            ])
        }
        ("pump", "CreateEvent") => {
            let sol = quote_mint(data) == WRAPPED_SOL.to_string();
            let quote = if sol { "virtual_sol_reserves" } else { "virtual_quote_reserves" };
            let initial = number(data, "virtual_token_reserves").zip(number(data, quote));
            Facts::from([
                ("type", "token_created pump".into()),
                ("mint", t("mint")),
                ("curve", t("bonding_curve")),
                ("name", t("name")),
                ("symbol", t("symbol")),
                ("uri", t("uri")),
                ("creator", t("user")),
                ("token_program", text(data, "token_program").unwrap_or_default()),
                ("quote_mint", quote_mint(data)),
                ("mayhem", data["is_mayhem_mode"].as_bool().unwrap_or(false).to_string()),
                ("initial", initial.map_or("-".into(), |(base, quote)| format!("{base} {quote}"))),
                ("left", or_none("real_token_reserves")),
                ("supply", or_none("token_total_supply")),
                ("timestamp", timestamp()),
            ])
        }
        ("pump", "CompleteEvent") => Facts::from([
            ("type", "curve_completed".into()),
            ("mint", t("mint")),
            ("curve", t("bonding_curve")),
            ("user", t("user")),
            ("timestamp", timestamp()),
        ]),
        ("pump", "CompletePumpAmmMigrationEvent") => Facts::from([
            ("type", "graduated".into()),
            ("mint", t("mint")),
            ("curve", t("bonding_curve")),
            ("pool", t("pool")),
            ("amounts", format!("{} {}", n("mint_amount"), n("sol_amount"))),
            ("timestamp", timestamp()),
        ]),
        ("pumpswap", name @ ("BuyEvent" | "SellEvent")) => {
            let buy = name == "BuyEvent";
            let (base, quote) = if buy {
                (n("base_amount_out"), n("quote_amount_in").min(n("user_quote_amount_in")))
            } else {
                (n("base_amount_in"), n("quote_amount_out"))
            };
            let quote_before = n("pool_quote_token_reserves") + number(data, "virtual_quote_reserves").unwrap_or(0);
            let base_before = n("pool_base_token_reserves");
            let sign = if buy { 1 } else { -1 };
            let boost = event["boost"].as_bool() == Some(true);
            let mut fees: Vec<_> = [
                fee("lp", "lp_fee", "lp_fee_basis_points"),
                fee("protocol", "protocol_fee", "protocol_fee_basis_points"),
                fee("creator", "coin_creator_fee", "coin_creator_fee_basis_points"),
                fee("cashback", "cashback", "cashback_fee_basis_points"),
                fee("holder_rewards", "holder_rewards", "holder_rewards_bps"),
                fee("buyback", "buyback_fee", "buyback_fee_basis_points"),
                fee("transfer", "quote_transfer_fee", "-"),
            ]
            .into_iter()
            .flatten()
            .collect();
            fees.sort();
            let inverted = INVERTED_POOLS.contains(&t("pool").as_str());
            let supply = number(data, "base_supply").filter(|supply| *supply > 0 && !inverted);
            let pair = |base: i128, quote: i128| {
                if inverted { format!("{quote} {base}") } else { format!("{base} {quote}") }
            };
            Facts::from([
                ("type", "trade pump_swap".into()),
                ("flow", if boost { "boost" } else { "user" }.into()),
                ("pool", t("pool")),
                ("user", t("user")),
                ("side", if buy == inverted { "sell" } else { "buy" }.into()),
                ("amounts", pair(base, quote)),
                ("before", pair(base_before, quote_before)),
                ("after", pair(base_before - sign * base, quote_before + sign * quote + n("lp_fee"))),
                ("supply", format!("{supply:?}")),
                ("fees", fees.join(", ")),
                ("timestamp", timestamp()),
            ])
        }
        ("pumpswap", "CreatePoolEvent") => Facts::from([
            ("type", "pool_created".into()),
            ("pool", t("pool")),
            ("mint", t("base_mint")),
            ("quote_mint", t("quote_mint")),
            ("amounts", format!("{} {}", n("base_amount_in"), n("quote_amount_in"))),
            ("lp", n("lp_token_amount_out").to_string()),
            ("user", t("creator")),
            ("decimals", format!("{} {}", n("base_mint_decimals"), n("quote_mint_decimals"))),
            ("timestamp", timestamp()),
        ]),
        ("pumpswap", name @ ("DepositEvent" | "WithdrawEvent")) => {
            let deposit = name == "DepositEvent";
            let pick = |of_deposit, of_withdraw| n(if deposit { of_deposit } else { of_withdraw });
            let amounts = (pick("base_amount_in", "base_amount_out"), pick("quote_amount_in", "quote_amount_out"));
            Facts::from([
                ("type", if deposit { "deposit" } else { "withdraw" }.into()),
                ("pool", t("pool")),
                ("user", t("user")),
                ("amounts", format!("{} {}", amounts.0, amounts.1)),
                ("lp", pick("lp_token_amount_out", "lp_token_amount_in").to_string()),
                ("before", format!("{} {}", n("pool_base_token_reserves"), n("pool_quote_token_reserves"))),
                ("timestamp", timestamp()),
            ])
        }
        ("pumpswap", "InitBoostEvent") => Facts::from([
            ("type", "boost_initialized".into()),
            ("mint", t("mint")),
            ("pool", t("pool")),
            ("quote", format!("{} {}", n("virtual_quote_reserves"), n("real_quote_reserves_after"))),
            ("timestamp", timestamp()),
        ]),
        _ => return None,
    })
}

fn key(base58: &str) -> Pubkey {
    base58.parse().unwrap()
}

fn reserves(reserves: Option<Reserves>) -> String {
    reserves.map_or("-".into(), |reserves| format!("{} {}", reserves.base, reserves.quote))
}

fn fee_list(fees: &Fees) -> String {
    let mut fees: Vec<_> =
        fees.iter().flatten().map(|fee| format!("{} {} {:?}", fee.kind.name(), fee.amount, fee.bps)).collect();
    fees.sort();
    fees.join(", ")
}

/// The same facts of a decoded event.
fn decoded_facts(event: &Event) -> Facts {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut facts = match &event.kind {
        EventKind::Trade(trade) => {
            let mut facts = Facts::from([
                ("type", format!("trade {}", trade.venue.name())),
                ("flow", trade.flow.name().into()),
                ("pool", trade.pool.to_string()),
                ("user", trade.user.to_string()),
                ("side", trade.side.name().into()),
                ("amounts", format!("{} {}", trade.base_amount, trade.quote_amount)),
                ("before", reserves(trade.reserves_before)),
                ("after", reserves(trade.reserves_after)),
                ("fees", fee_list(&trade.fees)),
            ]);
            if trade.venue == Venue::Pump {
                facts.extend([
                    ("mint", trade.mint.to_string()),
                    ("quote_mint", trade.quote_mint.to_string()),
                    ("left", format!("{:?}", trade.curve_tokens_left)),
                    ("real_quote", format!("{:?}", trade.curve_real_quote)),
                    ("mayhem", trade.mayhem.to_string()),
                ]);
            } else {
                facts.insert("supply", format!("{:?}", trade.base_supply));
            }
            facts
        }
        EventKind::TokenCreated(created) => Facts::from([
            ("type", format!("token_created {}", created.venue.name())),
            ("mint", created.mint.to_string()),
            ("curve", created.curve.to_string()),
            ("name", text(&created.name)),
            ("symbol", text(&created.symbol)),
            ("uri", text(&created.uri)),
            ("creator", created.creator.to_string()),
            ("token_program", created.token_program.map_or(String::new(), |key| Pubkey::from(key).to_string())),
            ("quote_mint", created.quote_mint.to_string()),
            ("mayhem", created.mayhem.to_string()),
            ("initial", reserves(created.initial)),
            ("left", format!("{:?}", created.initial_tokens_left)),
            ("supply", format!("{:?}", created.supply)),
        ]),
        EventKind::CurveCompleted { mint, curve, user } => Facts::from([
            ("type", "curve_completed".into()),
            ("mint", mint.to_string()),
            ("curve", curve.to_string()),
            ("user", user.to_string()),
        ]),
        EventKind::Graduated { mint, curve, pool, quote_amount, base_amount } => Facts::from([
            ("type", "graduated".into()),
            ("mint", mint.to_string()),
            ("curve", curve.to_string()),
            ("pool", pool.to_string()),
            ("amounts", format!("{base_amount} {quote_amount}")),
        ]),
        EventKind::PoolCreated(created) => Facts::from([
            ("type", "pool_created".into()),
            ("pool", created.pool.to_string()),
            ("mint", created.mint.to_string()),
            ("quote_mint", created.quote_mint.to_string()),
            ("amounts", format!("{} {}", created.base_amount, created.quote_amount)),
            ("lp", created.lp_amount.to_string()),
            ("user", created.user.to_string()),
            ("decimals", format!("{} {}", created.base_decimals, created.quote_decimals)),
        ]),
        EventKind::Liquidity(change) => Facts::from([
            ("type", if change.action == LiquidityAction::Deposit { "deposit" } else { "withdraw" }.into()),
            ("pool", change.pool.to_string()),
            ("user", change.user.to_string()),
            ("amounts", format!("{} {}", change.base_amount, change.quote_amount)),
            ("lp", change.lp_amount.to_string()),
            ("before", format!("{} {}", change.raw_reserves_before.0, change.raw_reserves_before.1)),
        ]),
        EventKind::BoostInitialized { mint, pool, virtual_quote, real_quote } => Facts::from([
            ("type", "boost_initialized".into()),
            ("mint", mint.to_string()),
            ("pool", pool.to_string()),
            ("quote", format!("{virtual_quote} {real_quote}")),
        ]),
        EventKind::CurveAdjusted { mint, .. } => {
            Facts::from([("type", "curve_adjusted".into()), ("mint", mint.to_string())])
        }
    };
    facts.insert("timestamp", format!("{:?}", event.timestamp.map(i128::from)));
    facts
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
    for program in [Program::Pump, Program::PumpSwap] {
        let counts = decoding.tally.of(program);
        assert_eq!(counts.decoded, counts.expected, "{program:?}");
        assert_eq!(counts.known, counts.invocations, "{program:?}");
        assert_eq!(counts.unknown_tails, 0, "{program:?}");
        eprintln!(
            "{}: {} parse {}/{}, coverage {}/{}",
            recording.file_name().unwrap().display(),
            program.name(),
            counts.decoded,
            counts.expected,
            counts.known,
            counts.invocations
        );
    }
    eprintln!("{} transactions, {} failed, {matched} events matched", decoding.transactions, decoding.failed);
}

#[test]
fn every_event_of_the_published_transactions() {
    let matched = compare(&data("published.pb.zst"), &data("published.expected.jsonl"));
    assert_eq!(matched, 31 + 21 + 5 + 5 + 3, "trades of pump, creates, buys, sells, and the migration's three");
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

/// Constant product, and fees as shares, of every trade by a user: what the programs compute themselves.
#[test]
fn the_curve_and_pool_arithmetic_holds() {
    let decoding = decode(&data("published.pb.zst"));
    let trades = decoding.events.values().flatten().filter_map(|event| match &event.kind {
        EventKind::Trade(trade) if trade.flow == Flow::User => Some(trade),
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
            (Venue::Pump, Side::Sell) => {
                assert_eq!(before.quote * base / (u128::from(before.base) + base), quote, "{trade:?}");
            }
            (Venue::PumpSwap, Side::Buy) => {
                let bought = u128::from(before.base) * quote / (before.quote + quote);
                let paid = (before.quote * base).div_ceil(u128::from(before.base) - base);
                assert!(
                    paid == quote || bought.abs_diff(base) * before.quote / u128::from(before.base) <= 1,
                    "{trade:?}"
                );
            }
            (Venue::PumpSwap, Side::Sell) => {
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
