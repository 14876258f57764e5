//! Curves as their accounts: pump's `BondingCurve` in its layout of October 2026.

use solana_sdk::pubkey::Pubkey;
use yellowstone_grpc_proto::geyser::SubscribeUpdateAccountInfo;

use super::{
    address::{PUMP, Purpose, made},
    body::Body,
    breed::Breed,
    curve::SUPPLY,
    state::{Token, Wallets},
};

/// Rent of the account.
const RENT: u64 = 1_493_520;
/// Length of the account: longer than its last field needs.
const LENGTH: usize = 256;

/// The account as a slot leaves it.
pub(super) fn write(seed: u64, number: u64, token: &Token, wallets: &Wallets) -> SubscribeUpdateAccountInfo {
    let curve = &token.curve;
    let mayhem = token.breed == Breed::Mayhem;
    let mut data = Body::new(0x17b7_f837_60d8_ac60)
        .u64s([curve.virtual_base, curve.virtual_quote, curve.real_base, curve.real_quote])
        .u64(if mayhem { 2 * SUPPLY } else { SUPPLY })
        .bool(curve.is_complete())
        .key(&wallets.get(token.creator).key)
        .bool(mayhem)
        .bool(token.breed == Breed::Cashback)
        .key(&Pubkey::default()) // quote: SOL
        .u64(0) // creator_fee_bps
        .bool(false) // can_edit_creator_fee
        .bool(token.breed == Breed::HolderRewards)
        .u64s([token.creator_fees, 0])
        .u8(0) // depth
        .done();
    data.resize(LENGTH, 0);
    SubscribeUpdateAccountInfo {
        pubkey: token.curve_key.as_array().to_vec(),
        lamports: RENT + curve.real_quote + token.creator_fees,
        owner: PUMP.key.as_array().to_vec(),
        executable: false,
        rent_epoch: u64::MAX,
        data,
        write_version: number,
        txn_signature: Some(made::<64>(seed, Purpose::Signature, number * 4).to_vec()),
    }
}
