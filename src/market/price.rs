//! Prices from reserves.

use crate::decode::event::Reserves;

/// SOL per whole token, from reserves and lamports per raw quote unit.
#[allow(clippy::cast_precision_loss, reason = "prices are approximate by nature")]
pub(super) fn price_of(reserves: Option<Reserves>, decimals: Option<u8>, lamports: Option<f64>) -> Option<f64> {
    let reserves = reserves.filter(|reserves| reserves.base > 0)?;
    price_of_ratio(wide(reserves.quote) / reserves.base as f64, decimals, lamports)
}

/// A wide number, nearly always one that fits into 64 bits, of which the processor itself makes a float.
#[allow(clippy::cast_precision_loss, reason = "prices are approximate by nature")]
fn wide(number: u128) -> f64 {
    u64::try_from(number).map_or_else(|_| number as f64, |number| number as f64)
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
