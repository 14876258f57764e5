//! What the view holds of the one token whose page is open: more than every token's row can carry.

use std::sync::Arc;

use super::view::{EtaView, PoolView, TradeView};
use crate::chain::ids::{Mint, Pool, Wallet};

/// The page of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenDetail {
    /// The token.
    pub mint: Mint,
    /// Supply in whole tokens, where it is known: market cap by price.
    pub supply: Option<f64>,
    /// Its trades over time: 5 s for five minutes, a minute for an hour, a quarter of an hour for a day.
    pub series: [SeriesView; 3],
    /// Its newest trades, oldest first: those on the tape when the page was opened, and all since, bounded.
    pub trades: Arc<[Arc<TradeView>]>,
    /// Its curve, while it trades there.
    pub curve: Option<CurveView>,
    /// The pools and curves it trades in, the deepest first.
    pub venues: Vec<Arc<PoolView>>,
    /// The wallets with the greatest turnover, the greatest first.
    pub top_traders: Vec<TraderView>,
    /// Distinct traders that are told apart.
    pub traders: usize,
    /// Trades of wallets beyond that bound.
    pub traders_over: u64,
    /// Who made it, where that was seen.
    pub creator: Option<CreatorView>,
    /// The apps it is traded with, the greatest volume first.
    pub apps: Vec<AppView>,
}

/// Trades over time at one resolution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesView {
    /// Width of a candle in seconds.
    pub width_s: u32,
    /// How many candles fit.
    pub length: u32,
    /// Those with trades, oldest first: a time without one is a gap.
    pub candles: Vec<CandleView>,
}

impl SeriesView {
    /// Trades in it.
    #[must_use]
    pub fn trades(&self) -> u64 {
        self.candles.iter().map(|candle| u64::from(candle.buys) + u64::from(candle.sells)).sum()
    }
}

/// The trades of users within one width of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CandleView {
    /// When it begins, in seconds since the Unix epoch; a multiple of the width.
    pub start_s: u32,
    /// SOL per whole token before its first trade.
    pub open: f64,
    /// The highest.
    pub high: f64,
    /// The lowest.
    pub low: f64,
    /// After its last trade.
    pub close: f64,
    /// Market cap in SOL after its last trade.
    pub market_cap_sol: Option<f64>,
    /// SOL spent by buyers.
    pub bought_sol: f64,
    /// SOL received by sellers.
    pub sold_sol: f64,
    /// Buys.
    pub buys: u32,
    /// Sells.
    pub sells: u32,
}

/// A curve on its way to completion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurveView {
    /// The curve.
    pub curve: Pool,
    /// Whole tokens for sale.
    pub tokens_left: f64,
    /// SOL raised so far, where the curve's events say it.
    pub raised_sol: Option<f64>,
    /// SOL that the curve itself asks for all that is left, fees aside.
    pub missing_sol: Option<f64>,
    /// Share sold in percent.
    pub progress_pct: f64,
    /// When it will be sold out at the present flow.
    pub eta: Option<EtaView>,
}

/// What one wallet did with the token since it was first seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TraderView {
    /// Who.
    pub wallet: Wallet,
    /// Buys.
    pub buys: u32,
    /// Sells.
    pub sells: u32,
    /// SOL spent, fees aside.
    pub spent_sol: f64,
    /// SOL received, fees aside.
    pub received_sol: f64,
    /// Whole tokens bought.
    pub bought: Option<f64>,
    /// Whole tokens sold.
    pub sold: Option<f64>,
    /// Whole tokens bought less those sold; negative where some were got before, or elsewhere.
    pub net: Option<f64>,
    /// SOL received less what the tokens sold cost at the wallet's mean price; `None` before it sold any that it was seen
    /// to buy.
    pub realised_sol: Option<f64>,
    /// Whether it created the token.
    pub creator: bool,
    /// Its last trade, in seconds since the Unix epoch.
    pub last_s: u32,
}

/// What is known of whoever made the token, from all launches seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatorView {
    /// Who.
    pub wallet: Wallet,
    /// Launches, this one among them.
    pub launches: u32,
    /// Of those, graduated.
    pub graduated: u32,
    /// Of those, with the creator's side found selling.
    pub dev_sold: u32,
    /// Of those, drained.
    pub rugged: u32,
}

/// What came through one app.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AppView {
    /// Its name; `direct` for calls of the venue itself, `None` where nothing tells.
    pub app: Option<&'static str>,
    /// Buys.
    pub buys: u32,
    /// Sells.
    pub sells: u32,
    /// SOL traded.
    pub volume_sol: f64,
}
