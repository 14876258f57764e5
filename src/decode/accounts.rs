//! Account data → typed values: curves, pools and the sources of the SOL price that the model needs.
//!
//! Accounts grow at their end and are often allocated longer than their version: fields are read by offset, and what is not
//! there is zero or absent. Offsets: the programs' IDLs and sources of the days given in [`list`](super::list), Pyth's
//! `PriceUpdateV2` of pyth-solana-receiver-sdk 2.0.0.

use solana_sdk::pubkey::Pubkey;

use super::venue::quote_or_sol;
use crate::chain::{
    ids::{Key, Mint, USDC, WRAPPED_SOL, Wallet},
    program::{ORCA_WHIRLPOOL, PUMP, PUMP_SWAP, RAYDIUM_AMM_V4, RAYDIUM_CLMM, TOKEN, TOKEN_2022},
    wire,
};

/// How a curve of pump begins.
pub const BONDING_CURVE: [u8; 8] = [0x17, 0xb7, 0xf8, 0x37, 0x60, 0xd8, 0xac, 0x60];
const POOL: [u8; 8] = [0xf1, 0x9a, 0x6d, 0x04, 0x11, 0xb1, 0x6d, 0xbc];
const WHIRLPOOL: [u8; 8] = [0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09];
const POOL_STATE: [u8; 8] = [0xf7, 0xed, 0xe3, 0xf5, 0xd7, 0xc3, 0xde, 0x46];
const PRICE_UPDATE: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];
/// Length of Raydium AMM v4's pool, which has no discriminator.
const AMM_INFO: usize = 752;
/// Shortest token account, of both token programs.
const TOKEN_ACCOUNT: usize = 165;
/// In Token-2022 the byte behind a token account says what it is.
const TOKEN_ACCOUNT_KIND: u8 = 2;
/// Pyth's programs: the one that publishes today, and the one it may move to.
pub const PYTH_RECEIVERS: [Pubkey; 2] = [
    Pubkey::from_str_const("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
    Pubkey::from_str_const("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
];
/// Pyth's SOL/USD feed.
pub const SOL_USD_FEED: [u8; 32] = [
    0xef, 0x0d, 0x8b, 0x6f, 0xda, 0x2c, 0xeb, 0xa4, 0x1d, 0xa1, 0x5d, 0x40, 0x95, 0xd1, 0xda, 0x39, 0x2a, 0x0d, 0x2f,
    0x8e, 0xd0, 0xc6, 0xc7, 0xbc, 0x0f, 0x4c, 0xfa, 0xc8, 0xc2, 0x80, 0xb5, 0x6d,
];
/// Accounts that tell the SOL price: Orca's and Raydium's SOL/USDC pools and Pyth's SOL/USD feed, as known in 2026-11.
/// Raydium's AMM v4 pool is not among them: its price takes the balances of two more accounts.
pub const SOL_USD_SOURCES: [Pubkey; 4] = [
    Pubkey::from_str_const("Czfq3xZZDmsdGdUyrNLtRhGc47cXcZtLG4crryfu44zE"),
    Pubkey::from_str_const("3ucNos4NbumPLZNWztqGHNFFgkHeRMBQAVemeeomsUxv"),
    Pubkey::from_str_const("8sLbNZoA1cfnvMJLPfp98ZLAnFSYCFApfJKMbiXNLwxj"),
    Pubkey::from_str_const("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE"),
];

/// What an account holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Account {
    /// pump's curve of a token.
    BondingCurve(BondingCurve),
    /// A `PumpSwap` pool.
    PumpSwapPool(PumpSwapPool),
    /// A pool of concentrated liquidity, Orca's or Raydium's.
    PricedPool(PricedPool),
    /// A Raydium AMM v4 pool.
    AmmV4(AmmV4),
    /// A Pyth price.
    PythPrice(PythPrice),
    /// A token account, such as a pool's vault.
    TokenAccount {
        /// Its token.
        mint: Mint,
        /// Who may spend it.
        owner: Wallet,
        /// Raw units.
        amount: u64,
    },
}

/// See [`Account::BondingCurve`]. Amounts in raw units; what older versions lack is zero or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the account's own flags")]
pub struct BondingCurve {
    /// Virtual token reserve.
    pub virtual_tokens: u64,
    /// Virtual quote reserve.
    pub virtual_quote: u64,
    /// Tokens still for sale.
    pub real_tokens: u64,
    /// Quote raised.
    pub real_quote: u64,
    /// Supply of the token.
    pub supply: u64,
    /// Sold out.
    pub complete: bool,
    /// Whom the creator's fee goes to; absent before 2025-05.
    pub creator: Option<Wallet>,
    /// A mayhem coin.
    pub mayhem: bool,
    /// A cashback coin.
    pub cashback: bool,
    /// The quote token; wrapped SOL for SOL.
    pub quote_mint: Mint,
    /// The coin's own creator fee.
    pub creator_fee_bps: u64,
    /// A coin whose creator's fee goes to holders.
    pub holder_rewards: bool,
    /// Creator fees lying on the curve.
    pub creator_fee: u64,
    /// Protocol fees lying on the curve.
    pub protocol_fees: u64,
    /// How many coins stand between this one's quote and a currency.
    pub depth: u8,
}

/// See [`Account::PumpSwapPool`]. The reserves are in its vaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PumpSwapPool {
    /// 0 for the pool that a graduation opens.
    pub index: u16,
    /// Who opened it.
    pub creator: Wallet,
    /// Its own base.
    pub base_mint: Mint,
    /// Its own quote.
    pub quote_mint: Mint,
    /// Its LP token.
    pub lp_mint: Mint,
    /// Token account of its base.
    pub base_vault: Wallet,
    /// Token account of its quote.
    pub quote_vault: Wallet,
    /// LP tokens that exist.
    pub lp_supply: u64,
    /// Whom the creator's fee goes to; absent before 2025-05.
    pub coin_creator: Option<Wallet>,
    /// A mayhem coin's.
    pub mayhem: bool,
    /// A cashback coin's.
    pub cashback: bool,
    /// Virtual quote reserve, perhaps negative.
    pub virtual_quote: i128,
    /// Protocol fees lying in the pool.
    pub protocol_fees: u64,
    /// Creator fees lying in the pool.
    pub creator_fees: u64,
}

/// See [`Account::PricedPool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricedPool {
    /// Token 0 or a.
    pub first: Mint,
    /// Token 1 or b.
    pub second: Mint,
    /// Square root of raw second per raw first token, in 64.64 fixed point.
    pub sqrt_price: u128,
    /// Liquidity at that price.
    pub liquidity: u128,
}

/// See [`Account::AmmV4`]: a reserve is a vault's balance less what is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmmV4 {
    /// Its own base.
    pub coin_mint: Mint,
    /// Its own quote.
    pub pc_mint: Mint,
    /// Token account of the coin.
    pub coin_vault: Wallet,
    /// Token account of the pc.
    pub pc_vault: Wallet,
    /// Profit in the coin vault that is not the pool's any more.
    pub owed_coin: u64,
    /// Profit in the pc vault that is not the pool's any more.
    pub owed_pc: u64,
    /// Decimals of coin and pc, where they are plausible.
    pub decimals: Option<(u8, u8)>,
}

/// See [`Account::PythPrice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PythPrice {
    /// Which price.
    pub feed: [u8; 32],
    /// The price, times ten to the power of `exponent`.
    pub price: i64,
    /// How far it may be off, in the same unit.
    pub confidence: u64,
    /// See `price`.
    pub exponent: i32,
    /// When it was published, in seconds since the Unix epoch.
    pub publish_time: i64,
}

impl Account {
    /// Reads an account; `None` for those that nothing here needs, and for those too short for what they claim to be.
    #[must_use]
    pub fn decode(account: &wire::Account<'_>) -> Option<Self> {
        let data = account.data;
        let owner = Pubkey::new_from_array(*account.owner);
        let begins = |discriminator: [u8; 8]| data.starts_with(&discriminator);
        match owner {
            PUMP if begins(BONDING_CURVE) => bonding_curve(data).map(Self::BondingCurve),
            PUMP_SWAP if begins(POOL) => pump_swap_pool(data).map(Self::PumpSwapPool),
            ORCA_WHIRLPOOL if begins(WHIRLPOOL) => priced_pool(data, [101, 181], 65, 49).map(Self::PricedPool),
            RAYDIUM_CLMM if begins(POOL_STATE) => priced_pool(data, [73, 105], 253, 237).map(Self::PricedPool),
            RAYDIUM_AMM_V4 if data.len() == AMM_INFO => amm_v4(data).map(Self::AmmV4),
            TOKEN if data.len() == TOKEN_ACCOUNT => token_account(data),
            TOKEN_2022 if data.len() == TOKEN_ACCOUNT || data.get(TOKEN_ACCOUNT) == Some(&TOKEN_ACCOUNT_KIND) => {
                token_account(data)
            }
            _ if PYTH_RECEIVERS.contains(&owner) && begins(PRICE_UPDATE) => pyth_price(data).map(Self::PythPrice),
            _ => None,
        }
    }

    /// US dollars per SOL, where the account tells that price.
    #[must_use]
    pub fn sol_usd(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "a price needs no more")]
        let price = match self {
            Self::PricedPool(pool) => {
                // SOL has nine decimals, USDC six.
                let root = pool.sqrt_price as f64 / 2_f64.powi(64);
                let second_per_first = root * root;
                match (pool.first, pool.second) {
                    (WRAPPED_SOL, USDC) => second_per_first * 1e3,
                    (USDC, WRAPPED_SOL) => second_per_first.recip() * 1e3,
                    _ => return None,
                }
            }
            Self::PythPrice(price) if price.feed == SOL_USD_FEED => price.price as f64 * 10_f64.powi(price.exponent),
            _ => return None,
        };
        (price.is_finite() && price > 0.0).then_some(price)
    }
}

fn array<const N: usize>(data: &[u8], offset: usize) -> Option<[u8; N]> {
    data.get(offset..)?.first_chunk().copied()
}

fn u64_at(data: &[u8], offset: usize) -> Option<u64> {
    array(data, offset).map(u64::from_le_bytes)
}

fn u128_at(data: &[u8], offset: usize) -> Option<u128> {
    array(data, offset).map(u128::from_le_bytes)
}

fn key_at<K>(data: &[u8], offset: usize) -> Option<Key<K>> {
    array(data, offset).map(Key::new)
}

fn flag_at(data: &[u8], offset: usize) -> bool {
    data.get(offset).is_some_and(|byte| *byte != 0)
}

fn bonding_curve(data: &[u8]) -> Option<BondingCurve> {
    let or_zero = |offset| u64_at(data, offset).unwrap_or(0);
    Some(BondingCurve {
        virtual_tokens: u64_at(data, 8)?,
        virtual_quote: u64_at(data, 16)?,
        real_tokens: u64_at(data, 24)?,
        real_quote: u64_at(data, 32)?,
        supply: u64_at(data, 40)?,
        complete: *data.get(48)? != 0,
        creator: key_at(data, 49),
        mayhem: flag_at(data, 81),
        cashback: flag_at(data, 82),
        quote_mint: quote_or_sol(key_at(data, 83)),
        creator_fee_bps: or_zero(115),
        holder_rewards: flag_at(data, 124),
        creator_fee: or_zero(125),
        protocol_fees: or_zero(133),
        depth: data.get(141).copied().unwrap_or(0),
    })
}

fn pump_swap_pool(data: &[u8]) -> Option<PumpSwapPool> {
    Some(PumpSwapPool {
        index: array(data, 9).map(u16::from_le_bytes)?,
        creator: key_at(data, 11)?,
        base_mint: key_at(data, 43)?,
        quote_mint: key_at(data, 75)?,
        lp_mint: key_at(data, 107)?,
        base_vault: key_at(data, 139)?,
        quote_vault: key_at(data, 171)?,
        lp_supply: u64_at(data, 203)?,
        coin_creator: key_at(data, 211),
        mayhem: flag_at(data, 243),
        cashback: flag_at(data, 244),
        virtual_quote: array(data, 245).map_or(0, i128::from_le_bytes),
        protocol_fees: u64_at(data, 271).unwrap_or(0),
        creator_fees: u64_at(data, 279).unwrap_or(0),
    })
}

fn priced_pool(data: &[u8], mints: [usize; 2], sqrt_price: usize, liquidity: usize) -> Option<PricedPool> {
    Some(PricedPool {
        first: key_at(data, mints[0])?,
        second: key_at(data, mints[1])?,
        sqrt_price: u128_at(data, sqrt_price)?,
        liquidity: u128_at(data, liquidity)?,
    })
}

fn amm_v4(data: &[u8]) -> Option<AmmV4> {
    let decimals = |offset| u8::try_from(u64_at(data, offset)?).ok();
    Some(AmmV4 {
        coin_mint: key_at(data, 400)?,
        pc_mint: key_at(data, 432)?,
        coin_vault: key_at(data, 336)?,
        pc_vault: key_at(data, 368)?,
        owed_coin: u64_at(data, 192)?,
        owed_pc: u64_at(data, 200)?,
        decimals: decimals(32).zip(decimals(40)),
    })
}

fn pyth_price(data: &[u8]) -> Option<PythPrice> {
    // A partly verified price says by how many, one byte more than a fully verified one.
    let start = match data.get(40)? {
        0 => 42,
        1 => 41,
        _ => return None,
    };
    Some(PythPrice {
        feed: array(data, start)?,
        price: array(data, start + 32).map(i64::from_le_bytes)?,
        confidence: u64_at(data, start + 40)?,
        exponent: array(data, start + 48).map(i32::from_le_bytes)?,
        publish_time: array(data, start + 52).map(i64::from_le_bytes)?,
    })
}

fn token_account(data: &[u8]) -> Option<Account> {
    Some(Account::TokenAccount { mint: key_at(data, 0)?, owner: key_at(data, 32)?, amount: u64_at(data, 64)? })
}
