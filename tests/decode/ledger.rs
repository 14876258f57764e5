//! Trades against what the ledger itself says: the balances that changed and the fee that was paid.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use smart_stream_tui::{
    chain::{
        proto::{SubscribeUpdate, confirmed_block::TokenBalance, subscribe_update::UpdateOneof},
        wire::{Kind, Update},
    },
    decode::{
        Decoder, EventKind,
        event::{FeeKind, Side, Source, Trade, Venue},
    },
};

use crate::{data, messages, shared};

/// A transaction's trades, and what the ledger says of it.
struct Ledger {
    signature: String,
    trades: Vec<Trade>,
    /// By account: its token, and by how much its balance changed.
    changes: HashMap<u32, (String, i128)>,
    fee: u64,
    signatures: u64,
}

fn ledger(recording: &std::path::Path) -> Vec<Ledger> {
    let mut decoder = Decoder::default();
    let ledger = |frame: &bytes::Bytes| {
        let Kind::Transaction(transaction) = Update::scan(frame).unwrap().kind else { panic!() };
        let mut events = Vec::new();
        decoder.decode(&transaction, &mut events, &mut Vec::new()).unwrap();
        let trades = events.into_iter().filter_map(|event| match event.kind {
            EventKind::Trade(trade) => Some(trade),
            _ => None,
        });
        let update = SubscribeUpdate::decode(&frame[..]).unwrap();
        let Some(UpdateOneof::Transaction(update)) = update.update_oneof else { panic!() };
        let info = update.transaction.unwrap();
        let meta = info.meta.unwrap();
        let mut changes: HashMap<u32, (String, i128)> = HashMap::new();
        for (balances, sign) in [(&meta.pre_token_balances, -1), (&meta.post_token_balances, 1)] {
            for TokenBalance { account_index, mint, ui_token_amount, .. } in balances {
                let amount: i128 = ui_token_amount.as_ref().unwrap().amount.parse().unwrap();
                changes.entry(*account_index).or_insert_with(|| (mint.clone(), 0)).1 += sign * amount;
            }
        }
        Ledger {
            signature: smart_stream_tui::chain::ids::Signature::from(*transaction.signature).to_string(),
            trades: trades.collect(),
            changes,
            fee: meta.fee,
            signatures: info.transaction.unwrap().signatures.len() as u64,
        }
    };
    messages(recording).iter().map(ledger).collect()
}

/// Pools whose vaults change by exactly what the event says: the mints, the side and the amounts are all in that.
#[test]
fn vaults_changed_by_what_the_trades_say() {
    let mut checked: BTreeMap<&str, usize> = BTreeMap::new();
    let recordings =
        [Some(data("published.pb.zst")), shared("reference.pb.zst"), shared("reference-block-285000037.pb.zst")];
    for transaction in recordings.iter().flatten().flat_map(|path| ledger(path)) {
        let exact = |trade: &&Trade| {
            matches!(
                trade.venue,
                Venue::RaydiumAmmV4
                    | Venue::RaydiumCpmm
                    | Venue::RaydiumClmm
                    | Venue::OrcaWhirlpool
                    | Venue::MeteoraDlmm
            ) && trade.fees.iter().flatten().all(|fee| !matches!(fee.kind, FeeKind::Transfer | FeeKind::Share))
        };
        let mut by_pool: BTreeMap<String, (i128, i128, &Trade)> = BTreeMap::new();
        for trade in transaction.trades.iter().filter(exact) {
            let sums = by_pool.entry(trade.pool.to_string()).or_insert((0, 0, trade));
            let sign = if trade.side == Side::Buy { 1 } else { -1 };
            sums.0 -= sign * i128::from(trade.base_amount);
            sums.1 += sign * i128::from(trade.quote_amount);
        }
        for (pool, (base, quote, trade)) in by_pool {
            for (mint, change) in [(trade.mint, base), (trade.quote_mint, quote)] {
                let holds = |held: &(String, i128)| held.0 == mint.to_string() && held.1 == change;
                assert!(
                    transaction.changes.values().any(holds),
                    "{}: no account of {mint} changed by {change}, as {pool} says: {:?}",
                    transaction.signature,
                    transaction.changes
                );
            }
            *checked.entry(trade.venue.name()).or_default() += 1;
        }
    }
    eprintln!("{checked:?}");
    assert!(checked.len() == 5 && checked.values().all(|count| *count >= 3), "{checked:?}");
}

#[test]
fn fees_paid_are_the_signatures_and_the_priority_fee() {
    let (mut known, mut tipped, mut limited) = (0, 0, 0);
    let mut apps: BTreeMap<&str, usize> = BTreeMap::new();
    for transaction in ledger(&data("published.pb.zst")) {
        let Some(first) = transaction.trades.first() else { continue };
        assert!(transaction.trades.iter().all(|trade| trade.cost == first.cost));
        if let Some(priority) = first.cost.priority_fee {
            assert_eq!(priority, transaction.fee - 5_000 * transaction.signatures, "{}", transaction.signature);
            known += 1;
        }
        tipped += usize::from(first.cost.tip > 0);
        limited += usize::from(first.cost.compute_unit_limit.is_some());
        *apps.entry(first.app.unwrap_or("-")).or_default() += 1;
        for trade in &transaction.trades {
            assert!(trade.app != Some("direct") || trade.outer_program.is_none());
        }
    }
    eprintln!("priority fee known of {known}, tips in {tipped}, limits in {limited}, apps {apps:?}");
    assert!(known > 25 && tipped > 5 && limited > 25);
    for app in ["Axiom", "Jupiter", "direct"] {
        assert!(apps.contains_key(app), "{apps:?}");
    }
}

#[test]
fn sources_are_what_the_programs_have() {
    for transaction in ledger(&data("published.pb.zst")) {
        for trade in transaction.trades {
            let source = match trade.venue {
                Venue::RaydiumAmmV4 => Source::RayLog,
                Venue::RaydiumCpmm | Venue::RaydiumClmm | Venue::OrcaWhirlpool | Venue::MeteoraDammV1 => Source::Log,
                _ => Source::SelfCall,
            };
            assert_eq!(trade.source, source, "{trade:?}");
        }
    }
}
