//! `PumpSwap`, the pool program of graduated pump tokens: its instructions and self-CPI events.
//!
//! Tables: the program's published IDLs up to 2026-10-19, checked on mainnet transactions. Reserves in `BuyEvent` and
//! `SellEvent` are those before the trade, and only with `virtual_quote_reserves` do they give the price.

use super::{
    amm::{Change, Opening, Order, Swap},
    attempt::Asked,
    cursor::Cursor,
    event::{EventKind, FeeKind, Fees, Flow, LimitKind, LiquidityAction, Trade, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, HOP_POOL, HOP_QUOTE, HOP_VAULTS, Layout, Parent, Place, Read, Spec, Table, fees,
        other, quiet, quote_or_sol, silent, swapped, told, trade,
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

/// Where the user of every trading instruction stands, and the vault that pays for the protocol's own buys.
const USER: usize = 1;
const HOPS_USER: usize = 0;
const BOOST_VAULT: usize = 7;

/// The protocol's own buys.
const BOOST: &str = "boost_buy_and_burn";

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
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
        bound: Bound::Second(LimitKind::MinBaseOut),
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

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(BUY, "BuyEvent", bought),
    swapped(SELL, "SellEvent", sold),
    told(CREATE_POOL, "CreatePoolEvent", opened),
    told(DEPOSIT, "DepositEvent", deposited),
    told(WITHDRAW, "WithdrawEvent", withdrawn),
    told(INIT_BOOST, "InitBoostEvent", boosted),
    quiet(BOOST_BUY_AND_BURN, "BoostBuyAndBurnEvent"),
    quiet(0x2f23_a3f9_969d_937a, "AdminCtoPoolEvent"),
    quiet(0x93fa_6c78_f71d_43de, "AdminUpdateTokenIncentivesEvent"),
    quiet(0xe2d6_f621_07f2_93e5, "ClaimCashbackEvent"),
    quiet(0x4fac_f631_cd5b_cee8, "ClaimTokenIncentivesEvent"),
    quiet(0x929f_bdac_9258_38f4, "CloseUserVolumeAccumulatorEvent"),
    quiet(0xe8f5_c2ee_eada_3a59, "CollectCoinCreatorFeeEvent"),
    quiet(0x6b34_5981_37e2_5116, "CreateConfigEvent"),
    quiet(0x6bfd_c14c_e4ca_1b68, "DisableEvent"),
    quiet(0x6161_d790_5d92_167c, "ExtendAccountEvent"),
    quiet(0x8624_0d48_e865_82d8, "InitUserVolumeAccumulatorEvent"),
    quiet(0xaadd_52c7_93a5_f72e, "MigratePoolCoinCreatorEvent"),
    quiet(0x2bbc_fa12_dd4b_bb5f, "ReservedFeeRecipientsEvent"),
    quiet(0xf2e7_eb66_4163_bdd3, "SetBondingCurveCoinCreatorEvent"),
    quiet(0x5980_f08d_5bca_4769, "SetBoostAuthorityEvent"),
    quiet(0x966b_c77b_7ccf_66e4, "SetMetaplexCoinCreatorEvent"),
    quiet(0x82a4_2461_e482_87a5, "SweepPoolFeeEvent"),
    quiet(0xc57a_a77c_7451_5bff, "SyncUserVolumeAccumulatorEvent"),
    quiet(0xe198_ab57_f63f_42ea, "UpdateAdminEvent"),
    quiet(0x98c6_7c7c_6af6_7fbf, "UpdateCreatorFeeConfigEvent"),
    quiet(0x5a17_4123_3ef4_bcd0, "UpdateFeeConfigEvent"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL of 2026-10-19 (pump-public-docs, pump-rust-client 0.5.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn bought(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    traded(c, true, parent)
}

fn sold(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    traded(c, false, parent)
}

/// Effective reserves before and after a swap, base first.
fn reserves(
    (base, quote): (u64, u64),
    virtual_quote: i128,
    buy: bool,
    [base_amount, quote_amount]: [u64; 2],
    lp_fee: u64,
) -> Option<[[u128; 2]; 2]> {
    let quote = u128::try_from(i128::from(quote).checked_add(virtual_quote)?).ok()?;
    let base = u128::from(base);
    let (base_amount, quote_amount) = (u128::from(base_amount), u128::from(quote_amount));
    let (base_after, quote_after) = if buy {
        (base.checked_sub(base_amount)?, quote.checked_add(quote_amount)?)
    } else {
        (base.checked_add(base_amount)?, quote.checked_sub(quote_amount)?)
    };
    Some([[base, quote], [base_after, quote_after.checked_add(u128::from(lp_fee))?]])
}

fn traded(mut c: Cursor<'_>, buy: bool, parent: &Parent<'_>) -> Option<Read> {
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
    // In exact-in buys the two fields are exchanged: net is always the smaller.
    let amounts = [base_amount, if buy { quote.min(user_quote) } else { quote }];
    let reserves = reserves((base_reserve, quote_reserve), virtual_quote, buy, amounts, lp_fee);
    let (base_mint, quote_mint) = mints_of(pool, parent)?;
    let swap = Swap {
        venue: Venue::PumpSwap,
        pool,
        user,
        mints: [base_mint, quote_mint],
        buy,
        amounts,
        fees: fees([
            (FeeKind::Lp, Some(lp_fee), Some(lp_bps)),
            (FeeKind::Protocol, protocol, protocol_bps),
            (FeeKind::Creator, creator, creator_bps),
            (FeeKind::Cashback, cashback, cashback_bps),
            (FeeKind::HolderRewards, holders, holders_bps),
            (FeeKind::Buyback, buyback, buyback_bps),
            (FeeKind::Transfer, transfer, None),
        ]),
        before: reserves.map(|[before, _]| before),
        after: reserves.map(|[_, after]| after),
        sqrt_price: None,
        base_supply,
        vaults: vaults_of(pool, parent),
        limit: parent.limit(buy),
    };
    let trade = Trade { flow: flow_of(user, parent), ..swap.trade(parent) };
    Some(Read::of(EventKind::Trade(trade), Some(timestamp), c))
}

/// What an instruction asks for; nobody asks for the protocol's own buys.
pub(super) fn asked(parent: &Parent<'_>) -> Option<Asked> {
    let spec = parent.spec.filter(|spec| spec.name != BOOST)?;
    let (Place::At { pool, .. }, Bound::Second(limit)) = (spec.place, spec.bound) else { return None };
    let pool = parent.account(pool)?;
    let (base, quote) = mints_of(pool, parent)?;
    let buy = limit != LimitKind::MinQuoteOut;
    Order { pool, user: parent.account(USER)?, mints: [base, quote], buy }.asked(parent)
}

fn flow_of(user: Wallet, parent: &Parent<'_>) -> Flow {
    if parent.name() == BOOST {
        Flow::Boost
    } else if user.pubkey() == &MAYHEM_AGENT {
        Flow::MayhemAgent
    } else {
        Flow::User
    }
}

/// A trade by what moved into and out of the pool's accounts: the quote amount with the fees that stay in the pool, those of
/// the liquidity providers and, in the second versions of the instructions, of protocol and creator.
fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    if let Some(hop) = parent.hop {
        return hopped(hop, parent);
    }
    let spec = parent.spec?;
    let (Place::At { pool: pool_at, .. }, Bound::Second(limit)) = (spec.place, spec.bound) else { return None };
    let pool = parent.account(pool_at)?;
    let vaults = vaults_of(pool, parent)?;
    let (base, quote) = mints_of(pool, parent)?;
    let [into, out_of] = moves::flows(parent, vaults)?;
    let buy = limit != LimitKind::MinQuoteOut;
    let amounts = if buy { [out_of[0], into[1]] } else { [into[0], out_of[1]] };
    if amounts.contains(&0) {
        return None;
    }
    let user = parent.account(if parent.name() == BOOST { BOOST_VAULT } else { USER })?;
    let swap = Swap {
        venue: Venue::PumpSwap,
        pool,
        user,
        mints: [base, quote],
        buy,
        amounts,
        fees: Fees::default(),
        before: None,
        after: None,
        sqrt_price: None,
        base_supply: None,
        vaults: Some(vaults),
        limit: parent.limit(buy),
    };
    Some(Read::unsaid(EventKind::Trade(Trade { flow: flow_of(user, parent), ..swap.trade(parent) })))
}

/// One hop of a multi-hop by what moved into and out of the pool's accounts.
fn hopped(hop: usize, parent: &Parent<'_>) -> Option<Read> {
    let vaults = HOP_VAULTS.map(|vault| hop + vault);
    let [into, out_of] = moves::flows(parent, vaults)?;
    let buy = into[1] > 0;
    let amounts = if buy { [out_of[0], into[1]] } else { [into[0], out_of[1]] };
    let (base, quote) = (parent.account(hop)?, parent.account(hop + HOP_QUOTE)?);
    let swap = Swap {
        venue: Venue::PumpSwap,
        pool: parent.account(hop + HOP_POOL)?,
        user: parent.account(HOPS_USER)?,
        mints: [base, quote_or_sol(Some(quote))],
        buy,
        amounts,
        fees: Fees::default(),
        before: None,
        after: None,
        sqrt_price: None,
        base_supply: None,
        vaults: Some(vaults),
        limit: None,
    };
    (!amounts.contains(&0)).then(|| Read::unsaid(EventKind::Trade(swap.trade(parent))))
}

/// Positions of the pool's token accounts among the instruction's.
fn vaults_of(pool: Pool, parent: &Parent<'_>) -> Option<[usize; 2]> {
    let base = match parent.spec?.place {
        Place::Hops(start) => {
            start + 3 + 5 * parent.hops(start).position(|(.., named): (Mint, Mint, Pool)| named == pool)?
        }
        Place::At { .. } if parent.name() == BOOST => 5,
        _ => 7,
    };
    Some([base, base + 1])
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

fn opened(mut c: Cursor<'_>, _: &Parent<'_>) -> Option<Read> {
    let timestamp = c.i64()?;
    c.skip(2); // index
    let user = c.key()?;
    let (base, quote): (Mint, Mint) = (c.key()?, c.key()?);
    let decimals = [Some(c.u8()?), Some(c.u8()?)];
    let amounts = [c.u64()?, c.u64()?];
    c.skip(4 * 8); // pool amounts, minimum and initial liquidity
    let lp_amount = Some(c.u64()?);
    c.skip(1); // pool_bump
    let pool = c.key()?;
    c.skip(3 * 32); // lp_mint, the user's token accounts
    c.skip(32 + 1 + 8 + 1 + 1); // coin_creator … is_holder_reward
    let mints = [base, quote_or_sol(Some(quote))];
    let opening = Opening { venue: Venue::PumpSwap, pool, user, mints, amounts, lp_amount, decimals };
    Some(Read::of(opening.event(), Some(timestamp), c))
}

fn deposited(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    liquidity(c, LiquidityAction::Deposit, parent)
}

fn withdrawn(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    liquidity(c, LiquidityAction::Withdraw, parent)
}

fn liquidity(mut c: Cursor<'_>, action: LiquidityAction, parent: &Parent<'_>) -> Option<Read> {
    let timestamp = c.i64()?;
    let lp_amount = Some(c.u64()?);
    c.skip(16 + 16); // limits, the user's own balances
    let reserves_before = Some([c.u64()?, c.u64()?]);
    let amounts = [c.u64()?, c.u64()?];
    c.skip(8); // lp_mint_supply
    let pool = c.key()?;
    let user = c.key()?;
    c.skip(3 * 32); // token accounts
    c.skip(8); // quote_transfer_fee
    let (base, quote) = mints_of(pool, parent)?;
    let mints = [base, quote];
    let change = Change { venue: Venue::PumpSwap, pool, user, mints, action, amounts, lp_amount, reserves_before };
    Some(Read::of(change.event(), Some(timestamp), c))
}

fn boosted(mut c: Cursor<'_>, _: &Parent<'_>) -> Option<Read> {
    let timestamp = c.i64()?;
    let mint = c.key()?;
    c.skip(32); // bonding_curve
    let pool = c.key()?;
    let virtual_quote = c.i128()?;
    let real_quote = c.u64()?;
    let kind = EventKind::BoostInitialized { mint, pool, virtual_quote, real_quote };
    Some(Read::of(kind, Some(timestamp), c))
}
