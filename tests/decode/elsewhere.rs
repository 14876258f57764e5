//! Facts of the venues that are none of pump's: amounts by what came in and what went out, which needs no mints.

use serde_json::Value;
use smart_stream_tui::decode::{
    Event, EventKind,
    event::{Reserves, Side, Venue},
};

use crate::facts::{Facts, number, text};

/// A square root beyond 64 bits, which JSON numbers hold as floats.
fn root(value: &Value) -> String {
    format!("{:.11e}", value.as_f64().unwrap())
}

/// Amount and decimals of a pool's two tokens, whichever is the base.
pub(crate) fn sides(one: (i128, i128), other: (i128, i128)) -> String {
    let mut sides = [one, other];
    sides.sort_unstable();
    format!("{sides:?}")
}

/// The facts of an expected event of the other venues: amounts by what came in and what went out, which needs no mints.
pub(crate) fn expected_elsewhere(event: &Value) -> Option<Facts> {
    let data = &event["data"];
    let n = |field| number(data, field).unwrap_or_else(|| panic!("{field} in {event}"));
    let t = |field| text(data, field).unwrap_or_else(|| panic!("{field} in {event}"));
    let flag = |field: &str| data[field].as_bool().unwrap();
    let fee = |kind: &str, amount| number(data, amount).filter(|fee| *fee > 0).map(|fee| format!("{kind} {fee}"));
    let list = |fees: &[Option<String>]| {
        let mut fees: Vec<_> = fees.iter().flatten().cloned().collect();
        fees.sort();
        fees.join(", ")
    };
    let venue = event["venue"].as_str()?;
    let trade = |amounts: (i128, i128), more: &[(&'static str, String)]| {
        let mut facts =
            Facts::from([("type", format!("trade {venue}")), ("in out", format!("{} {}", amounts.0, amounts.1))]);
        facts.extend(more.iter().cloned());
        facts
    };
    Some(match (venue, event["event"].as_str()?) {
        ("raydium_amm_v4", "SwapBaseInLog") => {
            let (coin, pc) = (n("pool_coin"), n("pool_pc"));
            let before = if n("direction") == 1 { format!("{pc} {coin}") } else { format!("{coin} {pc}") };
            trade((n("amount_in"), n("out_amount")), &[("before", before)])
        }
        ("raydium_amm_v4", "InitLog") => Facts::from([
            ("type", "pool_created raydium_amm_v4".into()),
            ("sides", sides((n("coin_amount"), n("coin_decimals")), (n("pc_amount"), n("pc_decimals")))),
        ]),
        ("raydium_cpmm", "SwapEvent") => {
            let before = format!("{} {}", n("input_vault_before"), n("output_vault_before"));
            let fees = list(&[
                fee("lp", "trade_fee"),
                fee("creator", "creator_fee"),
                fee("transfer", "input_transfer_fee"),
                fee("transfer", "output_transfer_fee"),
            ]);
            let more = [("pool", t("pool_id")), ("before", before), ("fees", fees)];
            trade((n("input_amount"), n("output_amount")), &more)
        }
        ("raydium_clmm", "SwapEvent") => {
            let (zero, one) = (n("amount_0"), n("amount_1"));
            let amounts = if flag("zero_for_one") { (zero, one) } else { (one, zero) };
            let more = [("pool", t("pool_state")), ("user", t("sender")), ("sqrt", root(&data["sqrt_price_x64"]))];
            trade(amounts, &more)
        }
        ("orca_whirlpool", "Traded") => {
            let fees = list(&[
                fee("lp", "lp_fee"),
                fee("protocol", "protocol_fee"),
                fee("transfer", "input_transfer_fee"),
                fee("transfer", "output_transfer_fee"),
            ]);
            let more = [("pool", t("whirlpool")), ("sqrt", root(&data["post_sqrt_price"])), ("fees", fees)];
            trade((n("input_amount"), n("output_amount")), &more)
        }
        ("meteora_dlmm", name @ ("Swap2Evt" | "Swap")) => {
            let lp = if name == "Swap" { n("fee") - n("protocol_fee") - n("host_fee") } else { n("mm_fee") };
            let lp = (lp > 0).then(|| format!("lp {lp}"));
            let fees = list(&[lp, fee("protocol", "protocol_fee"), fee("share", "host_fee")]);
            let more = [("pool", t("lb_pair")), ("user", t("from")), ("fees", fees)];
            trade((n("amount_in"), n("amount_out")), &more)
        }
        ("meteora_dbc", "EvtSwap2") => {
            let result = &data["swap_result"];
            let r = |field| number(result, field).unwrap();
            let fees = format!("platform {}, protocol {}", r("trading_fee"), r("protocol_fee"));
            let progress = format!("{} {}", n("quote_reserve_amount"), n("migration_threshold"));
            let more = [
                ("pool", t("pool")),
                ("sqrt", root(&result["next_sqrt_price"])),
                ("fees", fees),
                ("progress", progress),
                ("timestamp", format!("{:?}", number(data, "current_timestamp"))),
                ("side", if n("trade_direction") == 0 { "sell" } else { "buy" }.into()),
            ];
            trade((r("included_fee_input_amount"), r("output_amount")), &more)
        }
        ("meteora_damm_v1", "Swap") => {
            let fees = list(&[fee("lp", "trade_fee"), fee("protocol", "protocol_fee"), fee("share", "host_fee")]);
            trade((n("in_amount"), n("out_amount")), &[("fees", fees)])
        }
        // The independent decoder knows its name only.
        ("meteora_damm_v2", "EvtSwap") => Facts::from([("type", "trade meteora_damm_v2".into())]),
        ("raydium_launchlab", "TradeEvent") => {
            let base = n("real_base_after") - n("real_base_before");
            let quote = n("real_quote_after") - n("real_quote_before");
            let buy = base > 0;
            let amounts = if buy { (quote, base) } else { (-base, -quote) };
            let state = |base, quote| format!("{} {}", n("virtual_base") - n(base), n("virtual_quote") + n(quote));
            let more = [
                ("pool", t("pool_state")),
                ("side", if buy { "buy" } else { "sell" }.into()),
                ("before", state("real_base_before", "real_quote_before")),
                ("after", state("real_base_after", "real_quote_after")),
                ("progress", format!("{} {}", n("real_base_after"), n("total_base_sell"))),
                // The old layout has no creator's fee: what the independent decoder calls so is the sharer's.
                (
                    "fees",
                    list(&[
                        fee("platform", "platform_fee"),
                        fee("protocol", "protocol_fee"),
                        fee(if data["share_fee"].is_null() { "share" } else { "creator" }, "creator_fee"),
                        fee("share", "share_fee"),
                    ]),
                ),
            ];
            trade(amounts, &more)
        }
        ("raydium_launchlab", "PoolCreateEvent") => {
            let (token, curve) = (&data["base_mint_param"], &data["curve_param"]["Constant"]["data"]);
            Facts::from([
                ("type", "token_created raydium_launchlab".into()),
                ("curve", t("pool_state")),
                ("creator", t("creator")),
                ("name", text(token, "name")?),
                ("symbol", text(token, "symbol")?),
                ("uri", text(token, "uri")?),
                ("left", format!("{:?}", number(curve, "total_base_sell"))),
                ("supply", format!("{:?}", number(curve, "supply"))),
            ])
        }
        _ => return None,
    })
}

/// The same facts of a decoded event; `None` for what that decoder does not look at.
pub(crate) fn decoded_elsewhere(event: &Event) -> Option<Facts> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Some(match &event.kind {
        EventKind::Trade(trade) if trade.venue == Venue::MeteoraDammV2 => {
            Facts::from([("type", "trade meteora_damm_v2".into())])
        }
        EventKind::Trade(trade) => {
            let buy = trade.side == Side::Buy;
            let turn = |base: u128, quote: u128| {
                if buy { format!("{quote} {base}") } else { format!("{base} {quote}") }
            };
            let own = |reserves: Reserves| format!("{} {}", reserves.base, reserves.quote);
            let mut facts = Facts::from([
                ("type", format!("trade {}", trade.venue.name())),
                ("in out", turn(trade.base_amount.into(), trade.quote_amount.into())),
            ]);
            let mut fees: Vec<_> = trade
                .fees
                .iter()
                .flatten()
                .filter(|fee| fee.amount > 0)
                .map(|fee| format!("{} {}", fee.kind.name(), fee.amount))
                .collect();
            fees.sort();
            let before = trade.reserves_before.map(|reserves| turn(reserves.base.into(), reserves.quote));
            let (pool, user, fees) = (trade.pool.to_string(), trade.user.to_string(), fees.join(", "));
            let sqrt = trade.sqrt_price.map(|price| format!("{:.11e}", price.root as f64));
            let progress = trade.curve_progress.map(|progress| format!("{} {}", progress.done, progress.goal));
            match trade.venue {
                Venue::RaydiumAmmV4 => facts.extend([("before", before?)]),
                Venue::RaydiumCpmm => facts.extend([("pool", pool), ("before", before?), ("fees", fees)]),
                Venue::RaydiumClmm => facts.extend([("pool", pool), ("user", user), ("sqrt", sqrt?)]),
                Venue::OrcaWhirlpool => facts.extend([("pool", pool), ("sqrt", sqrt?), ("fees", fees)]),
                Venue::MeteoraDlmm => facts.extend([("pool", pool), ("user", user), ("fees", fees)]),
                Venue::MeteoraDammV1 => facts.extend([("fees", fees)]),
                Venue::MeteoraDbc => facts.extend([
                    ("pool", pool),
                    ("sqrt", sqrt?),
                    ("fees", fees),
                    ("progress", progress?),
                    ("timestamp", format!("{:?}", event.timestamp)),
                    ("side", trade.side.name().into()),
                ]),
                Venue::RaydiumLaunchlab => facts.extend([
                    ("pool", pool),
                    ("side", trade.side.name().into()),
                    ("before", own(trade.reserves_before?)),
                    ("after", own(trade.reserves_after?)),
                    ("progress", progress?),
                    ("fees", fees),
                ]),
                Venue::Pump | Venue::PumpSwap | Venue::MeteoraDammV2 => return None,
            }
            facts
        }
        EventKind::TokenCreated(created) => Facts::from([
            ("type", format!("token_created {}", created.venue.name())),
            ("curve", created.curve.to_string()),
            ("creator", created.creator.to_string()),
            ("name", text(&created.name)),
            ("symbol", text(&created.symbol)),
            ("uri", text(&created.uri)),
            ("left", format!("{:?}", created.initial_tokens_left)),
            ("supply", format!("{:?}", created.supply)),
        ]),
        EventKind::PoolCreated(created) => {
            let side = |amount: u64, decimals: Option<u8>| (amount.into(), decimals.unwrap().into());
            let base = side(created.base_amount, created.base_decimals);
            let quote = side(created.quote_amount, created.quote_decimals);
            Facts::from([("type", format!("pool_created {}", created.venue.name())), ("sides", sides(base, quote))])
        }
        _ => return None,
    })
}
