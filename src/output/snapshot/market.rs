//! What the snapshot says of the market: tokens, pools and the page of one token.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    chain::ids::{Mint, Pool, Wallet},
    engine::view::{EtaView, PoolView, TokenView, WindowView},
    market::detail::{AppView, CandleView, CreatorView, SeriesView, SizeView, TokenDetail, TraderView},
    output::{Units, fields::ReserveFields},
};

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Token {
    #[schemars(with = "String")]
    mint: Mint,
    /// Made safe to show; `null` when its creation was not seen.
    symbol: Option<String>,
    /// Made safe to show; `null` when its creation was not seen.
    name: Option<String>,
    venue: &'static str,
    stage: &'static str,
    progress_pct: Option<f64>,
    price_sol: Option<f64>,
    market_cap_sol: Option<f64>,
    price_usd: Option<f64>,
    market_cap_usd: Option<f64>,
    eta: Option<Eta>,
    momentum: Option<Momentum>,
    /// Of the curve tokens traded within the last minute it has the highest market cap.
    leader: bool,
    /// The last minute, five minutes and hour; exact to 5 s, 5 s and a minute.
    windows: Vec<Window>,
    change_5m_pct: Option<f64>,
    volume_sol_5m: f64,
    buys: u64,
    sells: u64,
    traders: u64,
    created_slot: Option<u64>,
    created_ms: Option<i64>,
    last_trade_ms: Option<i64>,
    #[schemars(with = "Option<String>")]
    creator: Option<Wallet>,
    #[schemars(with = "String")]
    quote_mint: Mint,
    flags: Vec<&'static str>,
}

/// When a curve will be sold out.
#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
struct Eta {
    eta_s: f64,
    /// The interval that should hold 80 % of completions.
    eta_low_s: f64,
    /// `null` where the flow may as well stop.
    eta_high_s: Option<f64>,
}

/// Points: the sum of four parts of 0–25.
#[derive(Debug, Serialize, JsonSchema)]
struct Momentum {
    score: f64,
    inflow: f64,
    traders: f64,
    pace: f64,
    buys: f64,
}

/// Users' trades within a time.
#[derive(Debug, Serialize, JsonSchema)]
struct Window {
    seconds: u32,
    volume_sol: f64,
    net_inflow_sol: f64,
    buys: u64,
    sells: u64,
    traders: u64,
    vwap_sol: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
pub(super) struct PoolEntry {
    #[schemars(with = "String")]
    pool: Pool,
    #[schemars(with = "String")]
    mint: Mint,
    venue: &'static str,
    /// A curve whose liquidity has moved to its token's pool.
    closed: bool,
    #[schemars(with = "String")]
    quote_mint: Mint,
    /// Effective: with the virtual quote.
    reserves: Option<ReserveFields>,
    price_sol: Option<f64>,
    /// Both sides, the virtual quote left out.
    tvl_sol: Option<f64>,
    tvl_usd: Option<f64>,
    /// SOL, fees aside, until the price is 2 % higher.
    depth_up_sol: Option<f64>,
    /// SOL, fees aside, until the price is 2 % lower.
    depth_down_sol: Option<f64>,
    /// As the last event carried it.
    lp_fee_bps: Option<u64>,
    /// As the last event carried it.
    protocol_fee_bps: Option<u64>,
    /// As the last event carried it.
    creator_fee_bps: Option<u64>,
    deposits: u64,
    withdrawals: u64,
    /// Raw quote units.
    deposited: Units,
    /// Raw quote units.
    withdrawn: Units,
    /// Largest share that one withdrawal took.
    removed_pct: Option<f64>,
    opened_ms: Option<i64>,
    /// Against the pool or curve where the token's price is made.
    divergence_pct: Option<f64>,
    trades: u64,
    last_ms: i64,
    /// Gaps in its chain of reserves that were not mended.
    open_gaps: u32,
    /// Slot of the newest of them.
    broken_since: Option<u64>,
    /// Of a curve, the newest slot as of which its account said the same as its trades.
    confirmed_slot: Option<u64>,
}

impl From<&TokenView> for Token {
    fn from(token: &TokenView) -> Self {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            mint: token.mint,
            symbol: known(token.symbol.as_str()),
            name: known(token.name.as_str()),
            venue: token.venue.name(),
            stage: token.stage.name(),
            progress_pct: token.progress_pct,
            price_sol: token.price_sol,
            market_cap_sol: token.market_cap_sol,
            price_usd: token.price_usd,
            market_cap_usd: token.market_cap_usd,
            eta: token.eta.map(Eta::from),
            momentum: token.momentum.map(|of| Momentum {
                score: of.score,
                inflow: of.inflow,
                traders: of.traders,
                pace: of.pace,
                buys: of.buys,
            }),
            leader: token.leader,
            windows: [60, 300, 3_600].into_iter().zip(token.windows).map(window).collect(),
            change_5m_pct: token.change_5m_pct,
            volume_sol_5m: token.volume_sol_5m,
            buys: token.buys,
            sells: token.sells,
            traders: token.traders,
            created_slot: token.created_slot,
            created_ms: token.created_ms,
            last_trade_ms: token.last_trade_ms,
            creator: token.creator,
            quote_mint: token.quote_mint,
            flags: token.flags.clone(),
        }
    }
}

impl From<EtaView> for Eta {
    fn from(eta: EtaView) -> Self {
        Self { eta_s: eta.eta_s, eta_low_s: eta.low_s, eta_high_s: eta.high_s }
    }
}

fn window((seconds, of): (u32, WindowView)) -> Window {
    Window {
        seconds,
        volume_sol: of.volume_sol,
        net_inflow_sol: of.net_inflow_sol,
        buys: of.buys,
        sells: of.sells,
        traders: of.traders,
        vwap_sol: of.vwap_sol,
    }
}

impl From<&PoolView> for PoolEntry {
    fn from(pool: &PoolView) -> Self {
        Self {
            pool: pool.pool,
            mint: pool.mint,
            venue: pool.venue.name(),
            closed: pool.closed,
            quote_mint: pool.quote_mint,
            reserves: pool.reserves.map(ReserveFields::from),
            price_sol: pool.price_sol,
            tvl_sol: pool.tvl_sol,
            tvl_usd: pool.tvl_usd,
            depth_up_sol: pool.depth_up_sol,
            depth_down_sol: pool.depth_down_sol,
            lp_fee_bps: pool.fees.lp.map(u64::from),
            protocol_fee_bps: pool.fees.protocol.map(u64::from),
            creator_fee_bps: pool.fees.creator.map(u64::from),
            deposits: pool.deposits,
            withdrawals: pool.withdrawals,
            deposited: pool.deposited.into(),
            withdrawn: pool.withdrawn.into(),
            removed_pct: pool.removed_pct,
            opened_ms: pool.opened_ms,
            divergence_pct: pool.divergence_pct,
            trades: pool.trades,
            last_ms: pool.last_ms,
            open_gaps: pool.open_gaps,
            broken_since: pool.broken_since,
            confirmed_slot: pool.confirmed_slot,
        }
    }
}

/// One token, closely.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page {
    token: Token,
    /// Whole tokens.
    supply: Option<f64>,
    /// Trades over time: 5 s for five minutes, a minute for an hour, a quarter of an hour for a day.
    series: Vec<Series>,
    curve: Option<Curve>,
    /// Where it trades, the deepest first.
    venues: Vec<PoolEntry>,
    /// The wallets with the greatest turnover.
    top_traders: Vec<Trader>,
    /// Trades of wallets beyond those that are told apart.
    traders_over: u64,
    creator: Option<Creator>,
    /// What it is traded with.
    apps: Vec<App>,
    /// Users' trades by their worth in SOL.
    sizes: Vec<Size>,
    /// Trades of which the sender's bound is known.
    bounded_trades: u32,
    /// By how much these came out better than their bounds in the mean: slippage allowed and not used.
    mean_room_pct: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Size {
    /// Less than so much, and not less than the band before; `null`: without bound.
    below_sol: Option<f64>,
    trades: u32,
}

/// A time without trades has no candle.
#[derive(Debug, Serialize, JsonSchema)]
struct Series {
    width_s: u32,
    candles: Vec<Candle>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Candle {
    /// Seconds since the Unix epoch.
    start_s: u32,
    /// SOL per whole token.
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    market_cap_sol: Option<f64>,
    bought_sol: f64,
    sold_sol: f64,
    buys: u32,
    sells: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
struct Curve {
    #[schemars(with = "String")]
    curve: Pool,
    /// Whole tokens for sale.
    tokens_left: f64,
    raised_sol: Option<f64>,
    /// What the curve asks for all that is left, fees aside.
    missing_sol: Option<f64>,
    progress_pct: f64,
    eta: Option<Eta>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Trader {
    #[schemars(with = "String")]
    wallet: Wallet,
    buys: u32,
    sells: u32,
    spent_sol: f64,
    received_sol: f64,
    /// Whole tokens.
    bought: Option<f64>,
    sold: Option<f64>,
    /// Bought less sold.
    net: Option<f64>,
    /// Received less the mean cost of what was sold; `null` before it sold any that it was seen to buy.
    realised_sol: Option<f64>,
    /// It created the token.
    creator: bool,
    /// Its last trade, in seconds since the Unix epoch.
    last_s: u32,
}

/// All launches of the token's creator that were seen, and what became of them.
#[derive(Debug, Serialize, JsonSchema)]
struct Creator {
    #[schemars(with = "String")]
    wallet: Wallet,
    launches: u32,
    graduated: u32,
    dev_sold: u32,
    rugged: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
struct App {
    /// `null` where nothing tells.
    app: Option<&'static str>,
    buys: u32,
    sells: u32,
    volume_sol: f64,
}

impl From<&TokenDetail> for Page {
    fn from(detail: &TokenDetail) -> Self {
        Self {
            token: Token::from(&*detail.token),
            supply: detail.supply,
            series: detail.series.iter().map(Series::from).collect(),
            curve: detail.curve.map(|curve| Curve {
                curve: curve.curve,
                tokens_left: curve.tokens_left,
                raised_sol: curve.raised_sol,
                missing_sol: curve.missing_sol,
                progress_pct: curve.progress_pct,
                eta: curve.eta.map(Eta::from),
            }),
            venues: detail.venues.iter().map(|venue| PoolEntry::from(&**venue)).collect(),
            top_traders: detail.top_traders.iter().map(Trader::from).collect(),
            traders_over: detail.traders_over,
            creator: detail.creator.map(|CreatorView { wallet, launches, graduated, dev_sold, rugged }| Creator {
                wallet,
                launches,
                graduated,
                dev_sold,
                rugged,
            }),
            apps: detail
                .apps
                .iter()
                .map(|AppView { app, buys, sells, volume_sol }| App {
                    app: *app,
                    buys: *buys,
                    sells: *sells,
                    volume_sol: *volume_sol,
                })
                .collect(),
            sizes: detail
                .sizes
                .bands
                .iter()
                .map(|SizeView { below_sol, trades }| Size { below_sol: *below_sol, trades: *trades })
                .collect(),
            bounded_trades: detail.sizes.bounded,
            mean_room_pct: detail.sizes.mean_room_pct,
        }
    }
}

impl From<&SeriesView> for Series {
    fn from(series: &SeriesView) -> Self {
        let candle = |candle: &CandleView| Candle {
            start_s: candle.start_s,
            open: candle.open,
            high: candle.high,
            low: candle.low,
            close: candle.close,
            market_cap_sol: candle.market_cap_sol,
            bought_sol: candle.bought_sol,
            sold_sol: candle.sold_sol,
            buys: candle.buys,
            sells: candle.sells,
        };
        Self { width_s: series.width_s, candles: series.candles.iter().map(candle).collect() }
    }
}

impl From<&TraderView> for Trader {
    fn from(trader: &TraderView) -> Self {
        Self {
            wallet: trader.wallet,
            buys: trader.buys,
            sells: trader.sells,
            spent_sol: trader.spent_sol,
            received_sol: trader.received_sol,
            bought: trader.bought,
            sold: trader.sold,
            net: trader.net,
            realised_sol: trader.realised_sol,
            creator: trader.creator,
            last_s: trader.last_s,
        }
    }
}
