//! What a transaction says of its token accounts: mint, decimals, owner, amount.

use super::{
    fields::Fields,
    ids::{Mint, Wallet},
};

/// Whether a `TokenBalance` is plainly another account's. The index comes first but for 0, which is not written: most are
/// ruled out by two bytes.
const fn is_anothers(bytes: &[u8], account_index: u8) -> bool {
    matches!(*bytes, [0x08, index, ..] if index < 0x80 && index != account_index)
}

/// Reads the mint in a `TokenBalance`, if it is that account's.
pub(super) fn token_mint(bytes: &[u8], account_index: u8) -> Option<Mint> {
    text_of(2, bytes, account_index)?.parse().ok()
}

/// Reads the owner in a `TokenBalance`, if it is that account's.
pub(super) fn token_owner(bytes: &[u8], account_index: u8) -> Option<Wallet> {
    text_of(4, bytes, account_index)?.parse().ok()
}

/// A text field of a `TokenBalance`, if it is that account's.
fn text_of(field_number: u32, bytes: &[u8], account_index: u8) -> Option<&str> {
    if is_anothers(bytes, account_index) {
        return None;
    }
    let (mut index, mut text) = (0, None);
    for field in Fields::new(bytes).map_while(Result::ok) {
        match field.number {
            1 => index = field.uint32().ok()?,
            number if number == field_number => text = Some(field),
            _ => {}
        }
    }
    text.filter(|_| index == u32::from(account_index))?.text().ok()
}

/// Reads the decimals in a `TokenBalance`, if it is that account's.
pub(super) fn token_decimals(bytes: &[u8], account_index: u8) -> Option<u8> {
    if is_anothers(bytes, account_index) {
        return None;
    }
    let (mut index, mut decimals) = (0, 0);
    for field in Fields::new(bytes).map_while(Result::ok) {
        match field.number {
            1 => index = field.uint32().ok()?,
            3 => {
                let amount = Fields::new(field.bytes().ok()?).map_while(Result::ok);
                decimals = amount.filter(|field| field.number == 2).find_map(|field| field.uint32().ok()).unwrap_or(0);
            }
            _ => {}
        }
    }
    if index == u32::from(account_index) { u8::try_from(decimals).ok() } else { None }
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
