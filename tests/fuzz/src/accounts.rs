//! Account data of any content under every owner that is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smart_stream_tui::{
    chain::{program, wire},
    decode::accounts::{Account, PYTH_RECEIVERS},
};
use smart_stream_tui_fuzz::Input;

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let owners = [
        program::PUMP,
        program::PUMP_SWAP,
        program::ORCA_WHIRLPOOL,
        program::RAYDIUM_CLMM,
        program::RAYDIUM_AMM_V4,
        program::TOKEN,
        program::TOKEN_2022,
        PYTH_RECEIVERS[0],
    ];
    let owner = owners[usize::from(input.byte()) % owners.len()].to_bytes();
    let account =
        wire::Account { slot: 0, pubkey: &[1; 32], owner: &owner, lamports: 0, data: input.0, write_version: 0 };
    if let Some(account) = Account::decode(&account) {
        assert!(account.sol_usd().is_none_or(|price| price.is_finite() && price > 0.0));
    }
});
