//! Prices from reserves.

use crate::decode::event::Reserves;

/// SOL per whole token, from reserves and lamports per raw quote unit.
#[allow(clippy::cast_precision_loss, reason = "prices are approximate by nature")]
pub(super) fn price_of(reserves: Option<Reserves>, decimals: Option<u8>, lamports: Option<f64>) -> Option<f64> {
    let reserves = reserves.filter(|reserves| reserves.base > 0)?;
    price_of_ratio(wide(reserves.quote) / reserves.base as f64, decimals, lamports)
}

/// A wide number as a float, by its halves: a conversion as a whole is a call of some dozens of instructions, and each trade
/// asks for several.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "prices are approximate by nature")]
fn wide(number: u128) -> f64 {
    const WORD: f64 = 18_446_744_073_709_551_616.0;
    let (high, low) = ((number >> 64) as u64, number as u64);
    high as f64 * WORD + low as f64
}

/// The same from raw quote per raw base.
pub(super) fn price_of_ratio(ratio: f64, decimals: Option<u8>, lamports: Option<f64>) -> Option<f64> {
    let price = ratio * 10_f64.powi(i32::from(decimals?) - 9) * lamports?;
    finite(price)
}

/// Price times supply, in SOL.
#[allow(clippy::cast_precision_loss, reason = "market caps are approximate by nature")]
pub(super) fn market_cap_of(reserves: Option<Reserves>, supply: u64, lamports: Option<f64>) -> Option<f64> {
    let reserves = reserves.filter(|reserves| reserves.base > 0 && supply > 0)?;
    let cap = wide(reserves.quote) * supply as f64 / reserves.base as f64 / 1e9 * lamports?;
    finite(cap)
}

/// A figure, unless it is out of all bounds: then it is unknown.
pub(super) fn finite(figure: f64) -> Option<f64> {
    figure.is_finite().then_some(figure)
}

/// Lamports in SOL.
pub(super) fn lamports_to_sol(lamports: u128) -> f64 {
    wide(lamports) / 1e9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Of what fits into a word it is the nearest float, of more within one unit in the last place.
        #[test]
        #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "what is tested")]
        fn a_wide_number_becomes_its_float(narrow: u64, number: u128) {
            prop_assert_eq!(wide(narrow.into()), narrow as f64);
            prop_assert!((wide(number) / number.max(1) as f64 - 1.0).abs() <= f64::EPSILON || number == 0);
        }
    }
}
