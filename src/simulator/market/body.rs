//! Instruction data and event bodies, in the layouts of October 2026 (published IDLs of 19 October).

use solana_sdk::pubkey::Pubkey;

use super::{
    address::{Fixed, WRAPPED_SOL},
    breed::Breed,
    curve::{BUYBACK_BPS, Beyond, CREATOR_BPS, Curve, CurveFill, MIGRATION_FEE, PROTOCOL_BPS, SUPPLY},
    pool::{Pool, PoolFill},
    truth::Share,
};

/// The zero key: SOL as pump's quote, and nobody as a recipient.
const ZERO: Pubkey = Pubkey::new_from_array([0; 32]);

/// Little-endian fields one after the other.
pub(super) struct Body(Vec<u8>);

impl Body {
    /// Begins with a discriminator, written so that it looks like its bytes.
    pub(super) fn new(discriminator: u64) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend(discriminator.to_be_bytes());
        Self(bytes)
    }

    /// Begins with nothing.
    pub(super) const fn bare() -> Self {
        Self(Vec::new())
    }

    pub(super) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(super) fn bool(self, value: bool) -> Self {
        self.u8(value.into())
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn u64s<const N: usize>(self, values: [u64; N]) -> Self {
        values.into_iter().fold(self, Self::u64)
    }

    pub(super) fn i64(mut self, value: i64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn i128(mut self, value: i128) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn key(mut self, key: &Pubkey) -> Self {
        self.0.extend(key.as_array());
        self
    }

    pub(super) fn keys<const N: usize>(self, keys: [&Pubkey; N]) -> Self {
        keys.into_iter().fold(self, Self::key)
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// What pump says of a launch.
pub(super) struct Launch<'a> {
    pub(super) name: &'a str,
    pub(super) symbol: &'a str,
    pub(super) uri: &'a str,
    pub(super) mint: &'a Pubkey,
    pub(super) curve: &'a Pubkey,
    pub(super) user: &'a Pubkey,
    pub(super) token_program: &'a Pubkey,
    pub(super) breed: Breed,
}

impl Launch<'_> {
    /// `CreateEvent`.
    pub(super) fn event(&self, time: i64) -> Vec<u8> {
        let start = Curve::new();
        let mayhem = self.breed == Breed::Mayhem;
        Body::new(0x1b72_a94d_deeb_6376)
            .text(self.name)
            .text(self.symbol)
            .text(self.uri)
            .keys([self.mint, self.curve, self.user, self.user])
            .i64(time)
            .u64s([start.virtual_base, start.virtual_quote, start.real_base])
            .u64(if mayhem { 2 * SUPPLY } else { SUPPLY })
            .key(self.token_program)
            .bool(mayhem)
            .bool(self.breed == Breed::Cashback)
            .key(&ZERO) // quote: SOL
            .u64s([start.virtual_quote, 0])
            .bool(self.breed == Breed::HolderRewards)
            .u8(0) // depth
            .done()
    }
}

/// What pump says of a trade.
pub(super) struct CurveTrade<'a> {
    pub(super) mint: &'a Pubkey,
    pub(super) user: &'a Pubkey,
    pub(super) creator: &'a Pubkey,
    pub(super) buy: bool,
    pub(super) fill: &'a CurveFill,
    pub(super) after: &'a Curve,
    /// `None` where the fees stay on the curve.
    pub(super) recipient: Option<&'static Fixed>,
    pub(super) name: &'a str,
    pub(super) breed: Breed,
    pub(super) creator_fees: u64,
}

impl CurveTrade<'_> {
    /// `TradeEvent`.
    pub(super) fn event(&self, time: i64) -> Vec<u8> {
        let Self { fill, after, breed, .. } = self;
        let [creator, cashback, holders] = breed.share().split(fill.creator);
        let [creator_bps, cashback_bps, holders_bps] = breed.share().split(CREATOR_BPS);
        Body::new(0xbddb_7fd3_4ee6_61ee)
            .key(self.mint)
            .u64s([fill.quote, fill.base])
            .bool(self.buy)
            .key(self.user)
            .i64(time)
            .u64s([after.virtual_quote, after.virtual_base, after.real_quote, after.real_base])
            .key(self.recipient.map_or(&ZERO, |recipient| &recipient.key))
            .u64s([PROTOCOL_BPS, fill.protocol])
            .key(self.creator)
            .u64s([creator_bps, creator])
            .bool(false) // track_volume
            .u64s([0; 3]) // unclaimed, claimed, volume
            .i64(0) // last update
            .text(self.name)
            .bool(*breed == Breed::Mayhem)
            .u64s([cashback_bps, cashback, breed.buyback_bps(BUYBACK_BPS), fill.buyback])
            .bytes(&[0; 4]) // no shareholders
            .key(&ZERO) // quote: SOL
            .u64s([fill.quote, after.virtual_quote, after.real_quote, holders_bps, holders, self.creator_fees, 0])
            .done()
    }
}

/// `CompleteEvent`.
pub(super) fn completed(user: &Pubkey, mint: &Pubkey, curve: &Pubkey, time: i64) -> Vec<u8> {
    Body::new(0x5f72_619c_d42e_9808).keys([user, mint, curve]).i64(time).key(&ZERO).done()
}

/// `CompletePumpAmmMigrationEvent`.
pub(super) fn migrated([user, mint, curve, pool]: [&Pubkey; 4], base: u64, quote: u64, time: i64) -> Vec<u8> {
    Body::new(0xbde9_5db9_5c94_ea94)
        .keys([user, mint])
        .u64s([base, quote, MIGRATION_FEE])
        .key(curve)
        .i64(time)
        .keys([pool, &ZERO])
        .done()
}

/// What `PumpSwap` says of a trade.
pub(super) struct PoolTrade<'a> {
    pub(super) pool: &'a Pubkey,
    pub(super) user: &'a Pubkey,
    pub(super) base_account: &'a Pubkey,
    pub(super) quote_account: &'a Pubkey,
    pub(super) creator: &'a Pubkey,
    pub(super) fill: &'a PoolFill,
    pub(super) before: &'a Pool,
    /// The user's tokens and lamports before.
    pub(super) had: (u64, u64),
    /// `None` where the fees stay in the pool; else also its token account.
    pub(super) recipient: Option<(&'static Fixed, &'a Pubkey)>,
    pub(super) limit: u64,
    pub(super) buyback_bps: u64,
    pub(super) share: Share,
}

impl PoolTrade<'_> {
    fn head(&self, event: u64, time: i64, base: u64, limit: u64, quote: u64) -> Body {
        let Self { before, fill, .. } = self;
        let rates = fill.rates;
        Body::new(event).i64(time).u64s([base, limit, self.had.0, self.had.1, before.base, before.quote, quote]).u64s([
            rates.lp,
            fill.lp,
            rates.protocol,
            fill.protocol,
        ])
    }

    fn parties(&self, body: Body) -> Body {
        let (recipient, account) =
            self.recipient.map_or((&ZERO, &ZERO), |(recipient, account)| (&recipient.key, account));
        body.keys([self.pool, self.user, self.base_account, self.quote_account, recipient, account, self.creator])
            .u64s([self.share.split(self.fill.rates.creator)[0], self.share.split(self.fill.creator)[0]])
    }

    fn tail(&self, body: Body, creator_fees: u64) -> Body {
        let [_, cashback_bps, holders_bps] = self.share.split(self.fill.rates.creator);
        let [_, cashback, holders] = self.share.split(self.fill.creator);
        body.u64s([cashback_bps, cashback, self.buyback_bps, self.fill.buyback])
            .i128(self.before.virtual_quote)
            .bool(true) // can_boost
            .u64s([self.before.base_supply, holders_bps, holders, creator_fees, 0])
    }

    /// `BuyEvent`. In exact-in buys the program exchanges the net and the gross amount.
    pub(super) fn bought(&self, time: i64, name: &str, exact_in: bool, creator_fees: u64) -> Vec<u8> {
        let Self { fill, .. } = self;
        let (net, gross) = (fill.quote, fill.gross());
        let (quote, user_quote) = if exact_in { (gross, net) } else { (net, gross) };
        let (limit, least) = if exact_in { (gross, self.limit) } else { (self.limit, fill.base) };
        let body = self.head(0x67f4_521f_2cf5_7777, time, fill.base, limit, quote);
        let body = body.u64s([net + fill.lp, user_quote]);
        let body = self.parties(body).bool(false).u64s([0; 3]).i64(0).u64(least).text(name);
        self.tail(body, creator_fees).done()
    }

    /// `SellEvent`.
    pub(super) fn sold(&self, time: i64, creator_fees: u64) -> Vec<u8> {
        let Self { fill, .. } = self;
        let body = self.head(0x3e2f_370a_a503_dc2a, time, fill.base, self.limit, fill.quote);
        let body = body.u64s([fill.quote - fill.lp, fill.net()]);
        self.tail(self.parties(body), creator_fees).done()
    }
}

/// What `PumpSwap` says of a new pool.
pub(super) struct Opening<'a> {
    pub(super) creator: &'a Pubkey,
    pub(super) mint: &'a Pubkey,
    pub(super) pool: &'a Pubkey,
    pub(super) lp_mint: &'a Pubkey,
    pub(super) base_account: &'a Pubkey,
    pub(super) quote_account: &'a Pubkey,
    pub(super) coin_creator: &'a Pubkey,
    pub(super) base: u64,
    pub(super) quote: u64,
    pub(super) initial: u64,
    pub(super) lp: u64,
    pub(super) breed: Breed,
}

impl Opening<'_> {
    /// `CreatePoolEvent`.
    pub(super) fn event(&self, time: i64) -> Vec<u8> {
        Body::new(0xb131_0cd2_a076_a774)
            .i64(time)
            .u16(0) // index
            .keys([self.creator, self.mint, &WRAPPED_SOL.key])
            .u8(6)
            .u8(9)
            .u64s([self.base, self.quote, self.base, self.quote, self.initial - self.lp, self.initial, self.lp])
            .u8(255) // bump
            .keys([self.pool, self.lp_mint, self.base_account, self.quote_account, self.coin_creator])
            .bool(self.breed == Breed::Mayhem)
            .u64(0) // creator_fee_bps
            .bool(false) // can_edit_creator_fee
            .bool(self.breed == Breed::HolderRewards)
            .done()
    }
}

/// `InitBoostEvent`.
pub(super) fn boosted(mint: &Pubkey, curve: &Pubkey, pool: &Pubkey, state: &Pool, time: i64) -> Vec<u8> {
    Body::new(0xae7c_4af9_0451_f611)
        .i64(time)
        .keys([mint, curve, pool])
        .i128(state.virtual_quote)
        .u64(state.quote)
        .done()
}

/// `BoostBuyAndBurnEvent`.
pub(super) fn burned(
    [mint, curve, pool, authority]: [&Pubkey; 4],
    fill: &PoolFill,
    after: &Pool,
    vault: u64,
    time: i64,
) -> Vec<u8> {
    Body::new(0x3f45_1c16_305c_c2b9)
        .i64(time)
        .keys([mint, curve, pool, authority])
        .u64s([fill.quote, fill.quote, fill.base])
        .i128(after.virtual_quote)
        .u64s([after.quote, after.base, vault])
        .done()
}

/// `PostCompleteBuyEvent`: the part of a completing buy that goes beyond the curve, into the pool that will be.
pub(super) fn bought_beyond([user, mint, curve]: [&Pubkey; 3], beyond: &Beyond, time: i64) -> Vec<u8> {
    let CurveFill { base, quote, protocol, creator, buyback } = beyond.fill;
    Body::new(0x6fb0_6d8b_316c_d5fb)
        .keys([user, mint, curve, &ZERO])
        .i64(time)
        .u64s([base, quote, PROTOCOL_BPS, protocol, CREATOR_BPS, creator, buyback])
        .u64s([beyond.before.0, beyond.before.1, beyond.after.0, beyond.after.1])
        .done()
}

/// What `PumpSwap` says of a deposit or a withdrawal.
pub(super) struct LiquidityMove<'a> {
    pub(super) pool: &'a Pubkey,
    pub(super) user: &'a Pubkey,
    pub(super) accounts: [&'a Pubkey; 3],
    pub(super) lp: u64,
    /// Base and quote: bounds, the user's own, the pool's before, and what moved.
    pub(super) limits: (u64, u64),
    pub(super) had: (u64, u64),
    pub(super) before: &'a Pool,
    pub(super) amounts: (u64, u64),
}

impl LiquidityMove<'_> {
    /// `DepositEvent` or `WithdrawEvent`: the layouts are the same.
    pub(super) fn event(&self, deposit: bool, time: i64) -> Vec<u8> {
        let pairs = [self.limits, self.had, (self.before.base, self.before.quote), self.amounts];
        let body =
            Body::new(if deposit { 0x78f8_3d53_1f8e_6b90 } else { 0x1609_851a_a02c_47c0 }).i64(time).u64(self.lp);
        let body = pairs.into_iter().fold(body, |body, (base, quote)| body.u64s([base, quote]));
        body.u64(self.before.lp_supply).keys([self.pool, self.user]).keys(self.accounts).u64(0).done()
    }
}
