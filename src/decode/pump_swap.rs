//! `PumpSwap`, the pool program of graduated pump tokens: its instructions and self-CPI events.
//!
//! Tables: the program's published IDLs up to 2026-10-19, checked on mainnet transactions. Reserves in `BuyEvent` and
//! `SellEvent` are those before the trade, and only with `virtual_quote_reserves` do they give the price.

use super::{
    cursor::Cursor,
    event::{
        EventKind, FeeKind, Fees, Flow, Limit, LimitKind, Liquidity, LiquidityAction, PoolCreated, Reserves, Side,
        Trade, Venue,
    },
    venue::{
        Discriminator, Emits, Parent, Place, Read, Refused, Spec, fees, is_inverted, other, quote_or_sol, silent, trade,
    },
};
use crate::chain::{
    ids::{Mint, Pool, Wallet},
    program::MAYHEM_AGENT,
};

const BUY: Discriminator = 0x67f4_521f_2cf5_7777;
const SELL: Discriminator = 0x3e2f_370a_a503_dc2a;
const CREATE_POOL: Discriminator = 0xb131_0cd2_a076_a774;
const DEPOSIT: Discriminator = 0x78f8_3d53_1f8e_6b90;
const WITHDRAW: Discriminator = 0x1609_851a_a02c_47c0;
const INIT_BOOST: Discriminator = 0xae7c_4af9_0451_f611;
const BOOST_BUY_AND_BURN: Discriminator = 0x3f45_1c16_305c_c2b9;

/// Events that say nothing about a market, or nothing that another event does not say.
const QUIET: &[Discriminator] = &[
    BOOST_BUY_AND_BURN,
    0x2f23_a3f9_969d_937a, // AdminCtoPoolEvent
    0x93fa_6c78_f71d_43de, // AdminUpdateTokenIncentivesEvent
    0xe2d6_f621_07f2_93e5, // ClaimCashbackEvent
    0x4fac_f631_cd5b_cee8, // ClaimTokenIncentivesEvent
    0x929f_bdac_9258_38f4, // CloseUserVolumeAccumulatorEvent
    0xe8f5_c2ee_eada_3a59, // CollectCoinCreatorFeeEvent
    0x6b34_5981_37e2_5116, // CreateConfigEvent
    0x6bfd_c14c_e4ca_1b68, // DisableEvent
    0x6161_d790_5d92_167c, // ExtendAccountEvent
    0x8624_0d48_e865_82d8, // InitUserVolumeAccumulatorEvent
    0xaadd_52c7_93a5_f72e, // MigratePoolCoinCreatorEvent
    0x2bbc_fa12_dd4b_bb5f, // ReservedFeeRecipientsEvent
    0xf2e7_eb66_4163_bdd3, // SetBondingCurveCoinCreatorEvent
    0x5980_f08d_5bca_4769, // SetBoostAuthorityEvent
    0x966b_c77b_7ccf_66e4, // SetMetaplexCoinCreatorEvent
    0x82a4_2461_e482_87a5, // SweepPoolFeeEvent
    0xc57a_a77c_7451_5bff, // SyncUserVolumeAccumulatorEvent
    0xe198_ab57_f63f_42ea, // UpdateAdminEvent
    0x98c6_7c7c_6af6_7fbf, // UpdateCreatorFeeConfigEvent
    0x5a17_4123_3ef4_bcd0, // UpdateFeeConfigEvent
];

/// The protocol's own buys.
const BOOST: &str = "boost_buy_and_burn";

/// Every instruction, the frequent ones first.
pub(super) const INSTRUCTIONS: &[Spec] = &[
    trade(0x6606_3d12_01da_ebea, "buy", BUY, (3, 0), LimitKind::MaxQuoteIn),
    trade(0x33e6_85a4_017f_83ad, "sell", SELL, (3, 0), LimitKind::MinQuoteOut),
    trade(0xc62e_1552_b4d9_e870, "buy_exact_quote_in", BUY, (3, 0), LimitKind::MinBaseOut),
    trade(0xb817_ee61_67c5_d33d, "buy_v2", BUY, (3, 0), LimitKind::MaxQuoteIn),
    trade(0x5df6_823c_e7e9_40b2, "sell_v2", SELL, (3, 0), LimitKind::MinQuoteOut),
    trade(0xc2ab_1c46_684d_5b2f, "buy_exact_quote_in_v2", BUY, (3, 0), LimitKind::MinBaseOut),
    other(0x2b64_4913_e9f6_6f94, "multi_hop_swap", Emits::Hops, Place::Hops(16)),
    other(0xe992_d18e_cf68_40bc, "create_pool", Emits::One(CREATE_POOL), Place::At { mint: 3, pool: 0 }),
    other(0xf223_c689_52e1_f2b6, "deposit", Emits::One(DEPOSIT), Place::At { mint: 3, pool: 0 }),
    other(0xb712_469c_946d_a122, "withdraw", Emits::One(WITHDRAW), Place::At { mint: 3, pool: 0 }),
    other(0x8ce9_215e_845a_c28f, "init_boost", Emits::One(INIT_BOOST), Place::At { mint: 3, pool: 0 }),
    Spec {
        discriminator: 0x6944_06af_0007_23a2,
        name: BOOST,
        emits: Emits::Both(BUY, BOOST_BUY_AND_BURN),
        place: Place::At { mint: 3, pool: 0 },
        limit: Some(LimitKind::MinBaseOut),
    },
    silent(0x2d3d_a597_6800_31bd, "admin_cto_pool"),
    silent(0xd10b_7357_d517_7ccc, "admin_update_token_incentives"),
    silent(0x253a_237e_be35_e4c5, "claim_cashback"),
    silent(0x1004_471c_cc01_281b, "claim_token_incentives"),
    silent(0xf945_a4da_9667_548a, "close_user_volume_accumulator"),
    silent(0xa039_592a_b58b_2b42, "collect_coin_creator_fee"),
    silent(0xc9cf_f372_4b6f_2fbd, "create_config"),
    silent(0xb9ad_bb5a_d80f_eee9, "disable"),
    silent(0xea66_c2cb_9648_3ee5, "extend_account"),
    silent(0x5e06_ca73_ff60_e8b7, "init_user_volume_accumulator"),
    silent(0xd008_9f04_4aaf_103a, "migrate_pool_coin_creator"),
    silent(0xe395_4c2a_8227_eacd, "set_boost_authority"),
    silent(0xd295_802d_bc3a_4eaf, "set_coin_creator"),
    silent(0x6fac_a2e8_7259_d58e, "set_reserved_fee_recipients"),
    silent(0x20f6_bf34_08c9_49ba, "sweep_creator_fee"),
    silent(0x0830_be07_b644_b7e5, "sweep_protocol_fee"),
    silent(0x561f_c057_a357_4fee, "sync_user_volume_accumulator"),
    silent(0x75a1_a04a_df89_7663, "toggle_boost"),
    silent(0x7367_e0ff_bd59_56c3, "toggle_cashback_enabled"),
    silent(0x0109_6fd0_641f_ffa3, "toggle_mayhem_mode"),
    silent(0x8b34_8655_e4e5_6cf1, "transfer_creator_fees_to_pump"),
    silent(0x0121_4eb9_2143_2c5c, "transfer_creator_fees_to_pump_v2"),
    silent(0xa1b0_28d5_3cb8_b3e4, "update_admin"),
    silent(0xfbe0_ab92_a01a_71e9, "update_buyback_config"),
    silent(0x3daf_a0f9_4242_88af, "update_creator_fee_config"),
    silent(0x68b8_67f2_5897_6b14, "update_fee_config"),
];

/// Reads one event.
pub(super) fn read(event: Discriminator, body: &[u8], parent: &Parent<'_>) -> Result<Read, Refused> {
    let cursor = Cursor::new(body);
    let read = match event {
        BUY => traded(cursor, Side::Buy, parent),
        SELL => traded(cursor, Side::Sell, parent),
        CREATE_POOL => opened(cursor),
        DEPOSIT => liquidity(cursor, LiquidityAction::Deposit, parent),
        WITHDRAW => liquidity(cursor, LiquidityAction::Withdraw, parent),
        INIT_BOOST => boosted(cursor),
        _ if QUIET.contains(&event) => Some(Read::IGNORED),
        _ => return Err(Refused::Unknown),
    };
    read.ok_or(Refused::BadLayout)
}

/// Whether the event is a trade of a pool hop.
pub(super) const fn is_trade(event: Discriminator) -> bool {
    matches!(event, BUY | SELL)
}

/// What `BuyEvent` and `SellEvent` say, in the pool's own base and quote.
struct Swap {
    pool: Pool,
    user: Wallet,
    /// Base leaves the pool.
    buy: bool,
    base_amount: u64,
    /// Quote that moves the price.
    quote_amount: u64,
    lp_fee: u64,
    fees: Fees,
    base_reserve: u64,
    quote_reserve: u64,
    virtual_quote: i128,
    base_supply: Option<u64>,
}

impl Swap {
    /// Effective reserves before and after, base first.
    fn reserves(&self) -> Option<[(u128, u128); 2]> {
        let quote = u128::try_from(i128::from(self.quote_reserve).checked_add(self.virtual_quote)?).ok()?;
        let base = u128::from(self.base_reserve);
        let (base_amount, quote_amount) = (u128::from(self.base_amount), u128::from(self.quote_amount));
        let (base_after, quote_after) = if self.buy {
            (base.checked_sub(base_amount)?, quote.checked_add(quote_amount)?)
        } else {
            (base.checked_add(base_amount)?, quote.checked_sub(quote_amount)?)
        };
        Some([(base, quote), (base_after, quote_after.checked_add(u128::from(self.lp_fee))?)])
    }
}

fn traded(mut c: Cursor<'_>, side: Side, parent: &Parent<'_>) -> Option<Read> {
    let buy = side == Side::Buy;
    let timestamp = c.i64()?;
    let base_amount = c.u64()?;
    c.skip(8 + 16); // the limit, and the user's own balances
    let base_reserve = c.u64()?;
    let quote_reserve = c.u64()?;
    let quote = c.u64()?;
    let (lp_bps, lp_fee) = (c.u64()?, c.u64()?);
    let (protocol_bps, protocol) = (c.u64(), c.u64());
    c.skip(8); // with or without the LP fee
    let user_quote = c.u64()?;
    let pool: Pool = c.key()?;
    let user: Wallet = c.key()?;
    // From here on every field may be absent.
    c.skip(4 * 32); // token accounts
    c.skip(32); // coin_creator
    let (creator_bps, creator) = (c.u64(), c.u64());
    if buy {
        c.skip(1 + 5 * 8); // track_volume … min_base_amount_out
        c.text(); // ix_name
    }
    let (cashback_bps, cashback) = (c.u64(), c.u64());
    let (buyback_bps, buyback) = (c.u64(), c.u64());
    let virtual_quote = c.i128().unwrap_or(0);
    c.skip(1); // can_boost
    let base_supply = c.u64().filter(|supply| *supply > 0);
    let (holders_bps, holders) = (c.u64(), c.u64());
    c.skip(8); // creator_fee_unclaimed: a running total, not this trade's fee
    let transfer = c.u64();
    let swap = Swap {
        pool,
        user,
        buy,
        base_amount,
        // In exact-in buys the two fields are exchanged: net is always the smaller.
        quote_amount: if buy { quote.min(user_quote) } else { quote },
        lp_fee,
        fees: fees([
            (FeeKind::Lp, Some(lp_fee), Some(lp_bps)),
            (FeeKind::Protocol, protocol, protocol_bps),
            (FeeKind::Creator, creator, creator_bps),
            (FeeKind::Cashback, cashback, cashback_bps),
            (FeeKind::HolderRewards, holders, holders_bps),
            (FeeKind::Buyback, buyback, buyback_bps),
            (FeeKind::Transfer, transfer, None),
        ]),
        base_reserve,
        quote_reserve,
        virtual_quote,
        base_supply,
    };
    let trade = as_trade(&swap, parent)?;
    Some(Read { kind: Some(EventKind::Trade(Box::new(trade))), timestamp: Some(timestamp), tail: c.has_tail() })
}

/// Seen from the base token, which is the pool's quote where the pool has a currency as its base.
fn as_trade(swap: &Swap, parent: &Parent<'_>) -> Option<Trade> {
    let (base, quote) = mints_of(swap.pool, parent)?;
    let inverted = is_inverted(base, quote);
    let turn = |(base, quote)| if inverted { (quote, base) } else { (base, quote) };
    let seen = |(base, quote): (u128, u128)| {
        let (base, quote) = if inverted { (quote, base) } else { (base, quote) };
        u64::try_from(base).ok().map(|base| Reserves { base, quote })
    };
    let (mint, quote_mint) = if inverted { (quote, base) } else { (base, quote) };
    let (base_amount, quote_amount) = turn((swap.base_amount, swap.quote_amount));
    let reserves = swap.reserves();
    let flow = if parent.name() == BOOST {
        Flow::Boost
    } else if swap.user.pubkey() == &MAYHEM_AGENT {
        Flow::MayhemAgent
    } else {
        Flow::User
    };
    Some(Trade {
        venue: Venue::PumpSwap,
        flow,
        instruction: parent.name(),
        pool: swap.pool,
        mint,
        quote_mint,
        user: swap.user,
        side: if swap.buy == inverted { Side::Sell } else { Side::Buy },
        base_amount,
        quote_amount,
        fees: swap.fees,
        reserves_before: reserves.and_then(|[before, _]| seen(before)),
        reserves_after: reserves.and_then(|[_, after]| seen(after)),
        curve_tokens_left: None,
        curve_real_quote: None,
        limit: parent.limit().map(|limit| if inverted { invert(limit) } else { limit }),
        base_supply: if inverted { None } else { swap.base_supply },
        base_decimals: vault_of(swap.pool, inverted, parent).and_then(|vault| parent.decimals(vault)),
        outer_program: parent.outer_program,
        mayhem: false,
    })
}

/// Position of the pool's token account for the base token among the instruction's accounts.
fn vault_of(pool: Pool, inverted: bool, parent: &Parent<'_>) -> Option<usize> {
    let base_vault = match parent.spec?.place {
        Place::Hops(start) => {
            start + 3 + 5 * parent.hops(start).position(|(.., named): (Mint, Mint, Pool)| named == pool)?
        }
        Place::At { .. } if parent.name() == BOOST => 5,
        _ => 7,
    };
    Some(base_vault + usize::from(inverted))
}

/// The same bound seen from the other side of the pool.
const fn invert(limit: Limit) -> Limit {
    let kind = match limit.kind {
        LimitKind::MaxQuoteIn => LimitKind::MaxBaseIn,
        LimitKind::MinBaseOut => LimitKind::MinQuoteOut,
        LimitKind::MinQuoteOut => LimitKind::MinBaseOut,
        LimitKind::MaxBaseIn => LimitKind::MaxQuoteIn,
    };
    Limit { kind, amount: limit.amount }
}

/// The pool's own base and quote: its trade events do not name them, the instruction does.
fn mints_of(pool: Pool, parent: &Parent<'_>) -> Option<(Mint, Mint)> {
    // An instruction we do not know is read like all known ones but the multi-hop.
    let usual = Place::At { mint: 3, pool: 0 };
    let (base, quote) = match parent.spec.map_or(usual, |spec| spec.place) {
        Place::Hops(start) => {
            parent.hops(start).find(|(.., named)| *named == pool).map(|(base, quote, _)| (base, quote))?
        }
        Place::At { mint, pool: at } if parent.account(at) == Some(pool) => {
            (parent.account(mint)?, parent.account(mint + 1)?)
        }
        _ => return None,
    };
    Some((base, quote_or_sol(Some(quote))))
}

fn opened(mut c: Cursor<'_>) -> Option<Read> {
    let timestamp = c.i64()?;
    c.skip(2); // index
    let user = c.key()?;
    let (base, quote): (Mint, Mint) = (c.key()?, c.key()?);
    let (base_decimals, quote_decimals) = (c.u8()?, c.u8()?);
    let (base_amount, quote_amount) = (c.u64()?, c.u64()?);
    c.skip(4 * 8); // pool amounts, minimum and initial liquidity
    let lp_amount = c.u64()?;
    c.skip(1); // pool_bump
    let pool = c.key()?;
    c.skip(3 * 32); // lp_mint, the user's token accounts
    c.skip(32 + 1 + 8 + 1 + 1); // coin_creator … is_holder_reward
    let mut opened = PoolCreated {
        venue: Venue::PumpSwap,
        pool,
        mint: base,
        quote_mint: quote_or_sol(Some(quote)),
        base_amount,
        quote_amount,
        lp_amount,
        user,
        base_decimals,
        quote_decimals,
    };
    if is_inverted(base, quote) {
        std::mem::swap(&mut opened.mint, &mut opened.quote_mint);
        std::mem::swap(&mut opened.base_amount, &mut opened.quote_amount);
        std::mem::swap(&mut opened.base_decimals, &mut opened.quote_decimals);
    }
    Some(Read { kind: Some(EventKind::PoolCreated(Box::new(opened))), timestamp: Some(timestamp), tail: c.has_tail() })
}

fn liquidity(mut c: Cursor<'_>, action: LiquidityAction, parent: &Parent<'_>) -> Option<Read> {
    let timestamp = c.i64()?;
    let lp_amount = c.u64()?;
    c.skip(16 + 16); // limits, the user's own balances
    let reserves = (c.u64()?, c.u64()?);
    let amounts = (c.u64()?, c.u64()?);
    c.skip(8); // lp_mint_supply
    let pool = c.key()?;
    let user = c.key()?;
    c.skip(3 * 32); // token accounts
    c.skip(8); // quote_transfer_fee
    let (base, quote) = mints_of(pool, parent)?;
    let inverted = is_inverted(base, quote);
    let turn = |(base, quote): (u64, u64)| if inverted { (quote, base) } else { (base, quote) };
    let (mint, quote_mint) = if inverted { (quote, base) } else { (base, quote) };
    let (base_amount, quote_amount) = turn(amounts);
    let liquidity = Liquidity {
        venue: Venue::PumpSwap,
        pool,
        mint,
        quote_mint,
        action,
        base_amount,
        quote_amount,
        lp_amount,
        user,
        raw_reserves_before: turn(reserves),
    };
    Some(Read { kind: Some(EventKind::Liquidity(Box::new(liquidity))), timestamp: Some(timestamp), tail: c.has_tail() })
}

fn boosted(mut c: Cursor<'_>) -> Option<Read> {
    let timestamp = c.i64()?;
    let mint = c.key()?;
    c.skip(32); // bonding_curve
    let pool = c.key()?;
    let virtual_quote = c.i128()?;
    let real_quote = c.u64()?;
    let kind = EventKind::BoostInitialized { mint, pool, virtual_quote, real_quote };
    Some(Read { kind: Some(kind), timestamp: Some(timestamp), tail: c.has_tail() })
}
