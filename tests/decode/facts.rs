//! Events as comparable facts: once from the independent decoder's fields, once from ours.

use std::collections::BTreeMap;

use serde_json::Value;
use smart_stream_tui::{
    chain::{ids::WRAPPED_SOL, program::PUMP},
    decode::{
        Event, EventKind,
        event::{Fees, LiquidityAction, Reserves, Venue},
    },
};
use solana_sdk::pubkey::Pubkey;

/// The sol vault of the mayhem program.
const MAYHEM: &str = "BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s";

/// Pools whose own base is a currency (USDC against SOL, SOL against a token): here their sides are exchanged.
pub(crate) const INVERTED_POOLS: [&str; 2] =
    ["Gf7sXMoP8iRw4iiXmJ1nq4vxcRycbGXy5RL8a8LnTd3v", "CW644FAJoQE9B9MGqmdfDseS4XfsmgS77ve7zJDJxiPS"];

/// The facts of an event as sorted text: what both sides must agree on.
pub(crate) type Facts = BTreeMap<&'static str, String>;

pub(crate) fn number(data: &Value, field: &str) -> Option<i128> {
    match data.get(field)? {
        Value::Number(number) => number.as_i128(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

pub(crate) fn text(data: &Value, field: &str) -> Option<String> {
    data.get(field)?.as_str().map(str::to_owned)
}

fn quote_mint(data: &Value) -> String {
    text(data, "quote_mint").filter(|mint| *mint != Pubkey::default().to_string()).unwrap_or(WRAPPED_SOL.to_string())
}

/// The facts of an expected event; `None` for those that are none of ours.
pub(crate) fn expected_facts(event: &Value) -> Option<Facts> {
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
pub(crate) fn decoded_facts(event: &Event) -> Facts {
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
        EventKind::CurveCompleted { mint, curve, user, .. } => Facts::from([
            ("type", "curve_completed".into()),
            ("mint", mint.to_string()),
            ("curve", curve.to_string()),
            ("user", user.to_string()),
        ]),
        EventKind::Graduated { mint, curve, pool, quote_amount, base_amount, .. } => Facts::from([
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
            ("lp", created.lp_amount.unwrap().to_string()),
            ("user", created.user.to_string()),
            ("decimals", format!("{} {}", created.base_decimals.unwrap(), created.quote_decimals.unwrap())),
        ]),
        EventKind::Liquidity(change) => Facts::from([
            ("type", if change.action == LiquidityAction::Deposit { "deposit" } else { "withdraw" }.into()),
            ("pool", change.pool.to_string()),
            ("user", change.user.to_string()),
            ("amounts", format!("{} {}", change.base_amount, change.quote_amount)),
            ("lp", change.lp_amount.unwrap().to_string()),
            ("before", change.raw_reserves_before.map(|(base, quote)| format!("{base} {quote}")).unwrap()),
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
