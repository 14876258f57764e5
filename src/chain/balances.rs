//! What a transaction says of its token accounts: mint, decimals, owner, amount.

use super::{
    fields::Fields,
    ids::{Mint, Wallet},
};

/// What a transaction says of one of its token accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBalance {
    /// Its token.
    pub mint: Mint,
    /// Decimals of that token.
    pub decimals: u8,
}

/// Whether a `TokenBalance` is plainly another account's. The index comes first but for 0, which is not written: most are
/// ruled out by two bytes.
const fn is_anothers(bytes: &[u8], account_index: u8) -> bool {
    matches!(*bytes, [0x08, index, ..] if index < 0x80 && index != account_index)
}

/// Reads mint and decimals of a `TokenBalance`, if it is that account's.
pub(super) fn token_balance(bytes: &[u8], account_index: u8) -> Option<TokenBalance> {
    if is_anothers(bytes, account_index) {
        return None;
    }
    let (mut index, mut mint, mut decimals) = (0, None, 0);
    for field in Fields::new(bytes).map_while(Result::ok) {
        match field.number {
            1 => index = field.uint32().ok()?,
            2 => mint = field.text().ok(),
            3 => {
                let amount = Fields::new(field.bytes().ok()?).map_while(Result::ok);
                decimals = amount.filter(|field| field.number == 2).find_map(|field| field.uint32().ok()).unwrap_or(0);
            }
            _ => {}
        }
    }
    if index != u32::from(account_index) {
        return None;
    }
    Some(TokenBalance { mint: mint?.parse().ok()?, decimals: u8::try_from(decimals).ok()? })
}

/// Reads the owner in a `TokenBalance`, if it is that account's.
pub(super) fn token_owner(bytes: &[u8], account_index: u8) -> Option<Wallet> {
    if is_anothers(bytes, account_index) {
        return None;
    }
    let (mut index, mut owner) = (0, None);
    for field in Fields::new(bytes).map_while(Result::ok) {
        match field.number {
            1 => index = field.uint32().ok()?,
            4 => owner = field.text().ok(),
            _ => {}
        }
    }
    owner.filter(|_| index == u32::from(account_index))?.parse().ok()
}

/// Reads the amount in a `TokenBalance`, if it is that account's.
pub(super) fn token_amount(bytes: &[u8], account_index: u8) -> Option<u64> {
    if is_anothers(bytes, account_index) {
        return None;
    }
    let (mut index, mut amount) = (0, None);
    for field in Fields::new(bytes).map_while(Result::ok) {
        match field.number {
            1 => index = field.uint32().ok()?,
            3 => {
                let fields = Fields::new(field.bytes().ok()?).map_while(Result::ok);
                amount = fields.filter(|field| field.number == 3).find_map(|field| field.text().ok()?.parse().ok());
            }
            _ => {}
        }
    }
    amount.filter(|_| index == u32::from(account_index))
}
