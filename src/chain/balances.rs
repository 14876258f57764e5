//! What a transaction says of its token accounts: mint, decimals, owner, amount.

use super::{
    fields::{Field, Fields},
    ids::{Mint, Wallet},
    wire::WireError,
};

/// Account index of a `TokenBalance`. It comes first but for 0, which is not written.
pub(super) fn account_index(balance: &[u8]) -> Result<u32, WireError> {
    if let [0x08, index @ 0..0x80, 0x12, ..] = *balance {
        return Ok(index.into());
    }
    let mut index = 0;
    for field in Fields::new(balance) {
        let field = field?;
        if field.number == 1 {
            index = field.uint32()?;
        }
    }
    Ok(index)
}

/// The mint in a `TokenBalance`.
pub(super) fn mint(balance: &[u8]) -> Option<Mint> {
    field_of(2, balance)?.text().ok()?.parse().ok()
}

/// The owner in a `TokenBalance`.
pub(super) fn owner(balance: &[u8]) -> Option<Wallet> {
    field_of(4, balance)?.text().ok()?.parse().ok()
}

/// The decimals in a `TokenBalance`.
pub(super) fn decimals(balance: &[u8]) -> Option<u8> {
    let decimals = field_of(2, field_of(3, balance)?.bytes().ok()?);
    decimals.map_or(Some(0), |field| u8::try_from(field.uint32().ok()?).ok())
}

/// The amount in a `TokenBalance`.
pub(super) fn amount(balance: &[u8]) -> Option<u64> {
    field_of(3, field_of(3, balance)?.bytes().ok()?)?.text().ok()?.parse().ok()
}

fn field_of(number: u32, message: &[u8]) -> Option<Field<'_>> {
    Fields::new(message).map_while(Result::ok).find(|field| field.number == number)
}
