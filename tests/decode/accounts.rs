//! Accounts decode to what an independent decoder found in them.

use serde_json::Value;
use smart_stream_tui::{
    chain::{
        ids::{USDC, WRAPPED_SOL},
        program::ORCA_WHIRLPOOL,
        wire::{self, Kind, Update},
    },
    decode::accounts::{Account, PYTH_RECEIVERS, SOL_USD_FEED},
};

use crate::{data, messages, shared};

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}

/// Compares the accounts of a recording with what is expected of them; how many of each kind were compared.
fn compare(recording: &std::path::Path, expected: &std::path::Path) -> std::collections::BTreeMap<String, usize> {
    let mut compared = std::collections::BTreeMap::new();
    let rows = std::fs::read_to_string(expected).unwrap();
    let frames = messages(recording);
    assert_eq!(frames.len(), rows.lines().count());
    for (frame, row) in frames.iter().zip(rows.lines()) {
        let row: Value = serde_json::from_str(row).unwrap();
        let Kind::Account(account) = Update::scan(frame).unwrap().kind else { panic!() };
        assert_eq!(smart_stream_tui::chain::ids::Wallet::new(*account.pubkey).to_string(), row["pubkey"]);
        let (owner, kind, want) = (text(&row, "owner"), text(&row, "kind"), &row["decoded"]);
        let n = |field: &str| want[field].as_u64().unwrap_or_else(|| panic!("{field} in {row}"));
        let flag = |field: &str| want[field].as_bool().unwrap_or(false);
        let decoded = Account::decode(&account);
        match (kind.as_str(), decoded) {
            ("BondingCurve", Some(Account::BondingCurve(curve))) => {
                assert_eq!(
                    (curve.virtual_tokens, curve.virtual_quote),
                    (n("virtual_token_reserves"), n("virtual_quote_reserves"))
                );
                assert_eq!((curve.real_tokens, curve.real_quote), (n("real_token_reserves"), n("real_quote_reserves")));
                assert_eq!((curve.supply, curve.complete), (n("token_total_supply"), flag("complete")));
                assert_eq!(curve.creator.unwrap().to_string(), want["creator"]);
                assert_eq!((curve.mayhem, curve.cashback), (flag("is_mayhem_mode"), flag("is_cashback_coin")));
                assert_eq!(curve.quote_mint, WRAPPED_SOL);
                assert_eq!(
                    (curve.creator_fee_bps, curve.holder_rewards),
                    (n("creator_fee_bps"), flag("is_holder_reward"))
                );
                assert_eq!((curve.creator_fee, curve.protocol_fees), (n("creator_fee"), n("protocol_fees")));
            }
            ("Pool", Some(Account::PumpSwapPool(pool))) => {
                assert_eq!(u64::from(pool.index), n("index"));
                for (ours, field) in [
                    (pool.creator, "creator"),
                    (pool.base_vault, "pool_base_token_account"),
                    (pool.quote_vault, "pool_quote_token_account"),
                ] {
                    assert_eq!(ours.to_string(), want[field]);
                }
                for (ours, field) in
                    [(pool.base_mint, "base_mint"), (pool.quote_mint, "quote_mint"), (pool.lp_mint, "lp_mint")]
                {
                    assert_eq!(ours.to_string(), want[field]);
                }
                assert_eq!(pool.coin_creator.unwrap().to_string(), want["coin_creator"]);
                assert_eq!(
                    (pool.lp_supply, pool.virtual_quote),
                    (n("lp_supply"), i128::from(n("virtual_quote_reserves")))
                );
                assert_eq!((pool.protocol_fees, pool.creator_fees), (n("protocol_fees"), n("creator_fees")));
                assert_eq!((pool.mayhem, pool.cashback), (flag("is_mayhem_mode"), flag("is_cashback_coin")));
            }
            ("PoolState", Some(Account::PricedPool(pool))) => {
                assert_eq!(
                    (pool.first.to_string(), pool.second.to_string()),
                    (text(want, "token_mint_0"), text(want, "token_mint_1"))
                );
                let root = want["sqrt_price_x64"].as_f64().unwrap();
                assert!((pool.sqrt_price as f64 / root - 1.0).abs() < 1e-12);
                assert_eq!(pool.liquidity, u128::from(n("liquidity")));
                assert_eq!(Account::PricedPool(pool).sol_usd(), None, "not a SOL/USDC pool");
            }
            ("AmmInfo", Some(Account::AmmV4(pool))) => {
                assert!(pool.decimals.is_some() && pool.coin_mint != pool.pc_mint);
            }
            ("token_account", Some(Account::TokenAccount { .. })) => {}
            (_, None) => {
                assert!(!matches!(kind.as_str(), "BondingCurve" | "Pool" | "AmmInfo" | "token_account"), "{row}");
            }
            (_, Some(other)) => panic!("{other:?} is not {row}"),
        }
        if decoded.is_some() {
            *compared.entry(format!("{kind} of {}", &owner[..4])).or_default() += 1;
        }
        // Every shorter form is a value or none, never a panic.
        for length in 0..account.data.len().min(800) {
            let _ = Account::decode(&wire::Account { data: &account.data[..length], ..account });
        }
    }
    compared
}

#[test]
fn published_accounts_decode_to_their_fields() {
    let compared = compare(&data("published-accounts.pb.zst"), &data("published-accounts.expected.jsonl"));
    let of = |kind: &str| compared.get(kind).copied().unwrap_or(0);
    assert_eq!(
        (of("Pool of pAMM"), of("PoolState of CAMM"), of("AmmInfo of 675k"), of("token_account of Toke")),
        (1, 1, 1, 34),
        "{compared:?}"
    );
}

#[test]
fn reference_accounts_decode_to_their_fields() {
    if let (Some(recording), Some(expected)) =
        (shared("reference-accounts.pb.zst"), shared("reference-accounts.expected.jsonl"))
    {
        let compared = compare(&recording, &expected);
        assert_eq!(
            compared.into_iter().collect::<Vec<_>>(),
            [("BondingCurve of 6EF8".into(), 1), ("Pool of pAMM".into(), 1)]
        );
    }
}

fn account<'a>(owner: &'a [u8; 32], data: &'a [u8]) -> wire::Account<'a> {
    wire::Account { slot: 1, pubkey: &[7; 32], owner, lamports: 0, data, write_version: 0 }
}

/// Made by hand from the layouts: no recording has these accounts.
#[test]
fn pools_and_feeds_tell_the_sol_price() {
    let price = |first: [u8; 32], second: [u8; 32], root: u128| {
        let mut data = vec![0; 653];
        data[..8].copy_from_slice(&[0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09]);
        data[65..81].copy_from_slice(&root.to_le_bytes());
        data[101..133].copy_from_slice(&first);
        data[181..213].copy_from_slice(&second);
        Account::decode(&account(ORCA_WHIRLPOOL.as_array(), &data)).unwrap().sol_usd()
    };
    let (sol, usdc) = (*WRAPPED_SOL.bytes(), *USDC.bytes());
    // 0.25 raw USDC per raw lamport is 250 dollars per SOL.
    assert!((price(sol, usdc, 1 << 63).unwrap() - 250.0).abs() < 1e-9);
    assert!((price(usdc, sol, 1 << 65).unwrap() - 250.0).abs() < 1e-9);
    assert_eq!(price(sol, [9; 32], 1 << 63), None);
    assert_eq!(price(sol, usdc, 0), None);
    assert_eq!(price(usdc, sol, 0), None);

    let pyth = |level: &[u8], feed: [u8; 32], price: i64| {
        let head = [&[0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd][..], &[1; 32], level, &feed].concat();
        let body =
            [&price.to_le_bytes()[..], &5_u64.to_le_bytes(), &(-8_i32).to_le_bytes(), &9_i64.to_le_bytes()].concat();
        Account::decode(&account(PYTH_RECEIVERS[0].as_array(), &[head, body].concat()))
    };
    for level in [&[1][..], &[0, 5]] {
        let Some(Account::PythPrice(read)) = pyth(level, SOL_USD_FEED, 25_000_000_000) else { panic!() };
        assert_eq!((read.price, read.confidence, read.exponent, read.publish_time), (25_000_000_000, 5, -8, 9));
        assert!((Account::PythPrice(read).sol_usd().unwrap() - 250.0).abs() < 1e-9);
    }
    assert_eq!(pyth(&[1], [3; 32], 1).unwrap().sol_usd(), None);
    assert_eq!(pyth(&[1], SOL_USD_FEED, -1).unwrap().sol_usd(), None);
    assert_eq!(pyth(&[2], SOL_USD_FEED, 1), None);
}
