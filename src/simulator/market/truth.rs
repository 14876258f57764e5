//! What happened in a simulated market, for tests to compare with what a reader of the stream makes of it.

use std::io;

use serde::Serialize;
use solana_sdk::pubkey::Pubkey;

/// Base58 keys: truth is read by other programs.
fn base58<S: serde::Serializer>(key: &Pubkey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Launches a token, and sells what it bought of it.
    Creator,
    /// Buys with others right behind the launch that they belong to.
    Bundler,
    /// Trades for its own reasons.
    Organic,
    /// Buys in the first moments of a token.
    Sniper,
    /// Buys and sells to be seen.
    VolumeBot,
    /// Repeats what a wallet it follows did.
    Copier,
    /// Trades against moves of a pool's price.
    MarketMaker,
    /// Buys in one pool and sells in another at once.
    Arbitrageur,
    /// Provides liquidity to a pool.
    LiquidityProvider,
    /// Turns the crank of a migration.
    Crank,
    /// Buys back and burns for the protocol.
    Protocol,
}

/// One event of the simulated chain, with the state around it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truth {
    /// Its slot.
    pub slot: u64,
    /// Number of its transaction among the market's own in this slot.
    pub transaction: u32,
    /// Its transaction's signature, base58.
    pub signature: String,
    /// Index of the top-level instruction that caused it.
    pub outer: u16,
    /// Index among that instruction's inner ones, if one of them caused it.
    pub inner: Option<u16>,
    /// Seconds since the Unix epoch.
    pub time: i64,
    /// Who pays.
    #[serde(serialize_with = "base58")]
    pub payer: Pubkey,
    /// In what role.
    pub role: Role,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// See [`Truth`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A launch.
    Created {
        /// The token.
        #[serde(serialize_with = "base58")]
        mint: Pubkey,
        /// Its curve.
        #[serde(serialize_with = "base58")]
        curve: Pubkey,
        /// Its name.
        name: String,
        /// Its symbol.
        symbol: String,
        /// Where its metadata would be.
        uri: String,
        /// Virtual reserves at the start.
        reserves: Reserves,
        /// A mayhem coin.
        mayhem: bool,
    },
    /// A trade.
    Trade(Box<Trade>),
    /// A curve sold its last token.
    Completed {
        /// The token.
        #[serde(serialize_with = "base58")]
        mint: Pubkey,
        /// Its curve.
        #[serde(serialize_with = "base58")]
        curve: Pubkey,
    },
    /// The part of a completing buy beyond the curve.
    Beyond {
        /// The token.
        #[serde(serialize_with = "base58")]
        mint: Pubkey,
        /// Its curve.
        #[serde(serialize_with = "base58")]
        curve: Pubkey,
        /// Who bought.
        #[serde(serialize_with = "base58")]
        user: Pubkey,
        /// The instruction's name.
        instruction: &'static str,
        /// Base units.
        base_amount: u64,
        /// Quote units that move the price.
        quote_amount: u64,
        /// To the protocol and to the creator: amount and basis points.
        fees: [(u64, u64); 2],
        /// The slice of the protocol's fee that buys back.
        buyback_fee: u64,
        /// What the pool would have been opened with.
        reserves_before: Reserves,
        /// What the pool will be opened with.
        reserves_after: Reserves,
        /// The router that called the venue.
        router: Option<String>,
    },
    /// A completed curve moved to its pool.
    Migrated {
        /// The token.
        #[serde(serialize_with = "base58")]
        mint: Pubkey,
        /// Its curve.
        #[serde(serialize_with = "base58")]
        curve: Pubkey,
        /// Its pool.
        #[serde(serialize_with = "base58")]
        pool: Pubkey,
        /// What the pool was opened with.
        base_amount: u64,
        /// What the pool was opened with, before the boost took its share.
        quote_amount: u64,
        /// LP tokens.
        lp_amount: u64,
        /// Who opened it by name: the token's pool authority.
        #[serde(serialize_with = "base58")]
        opener: Pubkey,
        /// Which instruction opened the pool.
        creation: (u16, Option<u16>),
        /// Which instruction took the boost's share.
        boost: (u16, Option<u16>),
        /// The boost's share.
        virtual_quote: u64,
        /// Effective reserves from then on.
        reserves: Reserves,
    },
    /// A user opened a pool of his own.
    Opened {
        /// Where.
        venue: Venue,
        /// The token.
        #[serde(serialize_with = "base58")]
        mint: Pubkey,
        /// The pool.
        #[serde(serialize_with = "base58")]
        pool: Pubkey,
        /// Who.
        #[serde(serialize_with = "base58")]
        user: Pubkey,
        /// Base units.
        base_amount: u64,
        /// Quote units.
        quote_amount: u64,
        /// LP tokens he got.
        lp_amount: u64,
    },
    /// A deposit or withdrawal.
    Liquidity {
        /// Where.
        venue: Venue,
        /// The token.
        #[serde(serialize_with = "base58")]
        mint: Pubkey,
        /// The pool.
        #[serde(serialize_with = "base58")]
        pool: Pubkey,
        /// Put in, else taken out.
        deposit: bool,
        /// Base units.
        base_amount: u64,
        /// Quote units.
        quote_amount: u64,
        /// LP tokens.
        lp_amount: u64,
        /// What the vaults held before.
        vaults_before: (u64, u64),
        /// Effective reserves before.
        reserves_before: Reserves,
        /// Effective reserves after.
        reserves_after: Reserves,
    },
}

/// To whom the creator's part of a fee goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// To the creator.
    Creator,
    /// To whoever trades.
    Cashback,
    /// To those who hold the token.
    HolderRewards,
}

/// Where something happened, by the name used in formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Venue {
    /// On the bonding curve.
    Pump,
    /// In the pool that the curve moved to.
    PumpSwap,
    /// In a user's own pool of Raydium's older program.
    RaydiumAmmV4,
    /// In a user's own pool of Raydium's newer program.
    RaydiumCpmm,
}

impl What {
    /// The token whose curve this has changed.
    pub(super) fn curve(&self) -> Option<Pubkey> {
        match self {
            Self::Created { mint, .. } => Some(*mint),
            Self::Trade(trade) => (trade.venue == Venue::Pump).then_some(trade.mint),
            _ => None,
        }
    }
}

/// Base units, and quote units with their virtual part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reserves {
    /// Base units.
    pub base: u64,
    /// Quote units.
    pub quote: u64,
}

/// A trade.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trade {
    /// Where.
    pub venue: Venue,
    /// The instruction's name.
    pub instruction: &'static str,
    /// The pool or curve.
    #[serde(serialize_with = "base58")]
    pub pool: Pubkey,
    /// The token.
    #[serde(serialize_with = "base58")]
    pub mint: Pubkey,
    /// Who traded.
    #[serde(serialize_with = "base58")]
    pub user: Pubkey,
    /// Bought, else sold.
    pub buy: bool,
    /// Base units.
    pub base_amount: u64,
    /// Quote units that move the price.
    pub quote_amount: u64,
    /// To liquidity providers: amount and basis points; of Raydium in what comes in, and without the points, which no event
    /// says.
    pub lp_fee: (u64, u64),
    /// To the protocol: amount and basis points.
    pub protocol_fee: (u64, u64),
    /// To the creator or in his place: amount and basis points.
    pub creator_fee: (u64, u64),
    /// To whom that goes.
    pub share: Share,
    /// The slice of the protocol's fee that buys back: amount and basis points of that fee.
    pub buyback_fee: (u64, u64),
    /// Effective reserves before.
    pub reserves_before: Reserves,
    /// Effective reserves after.
    pub reserves_after: Reserves,
    /// Tokens for sale and lamports raised on the curve afterwards.
    pub curve_after: Option<(u64, u64)>,
    /// The instruction's second argument.
    pub limit: u64,
    /// The router that called the venue.
    pub router: Option<String>,
}

/// Where truth goes.
pub type Sink = Box<dyn FnMut(&Truth) + Send>;

/// A sink that writes JSON lines. What cannot be written is given up: truth is for tests, which miss it.
pub fn json_lines(mut output: impl io::Write + Send + 'static) -> Sink {
    Box::new(move |truth| {
        if serde_json::to_writer(&mut output, truth).is_ok() {
            let _ = output.write_all(b"\n");
        }
    })
}
