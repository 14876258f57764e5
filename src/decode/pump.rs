//! The pump bonding curve: its instructions and self-CPI events.
//!
//! Tables: the program's published IDLs up to 2026-10-19, checked on mainnet transactions. Reserves in a `TradeEvent` are
//! those after the trade; amounts exclude fees. `ix_name` inside the event is not the instruction's name, so it is ignored.

use solana_sdk::pubkey::Pubkey;

use super::{
    attempt::Asked,
    cursor::Cursor,
    event::{Cost, EventKind, FeeKind, Fees, Flow, LimitKind, Reserves, Side, TokenCreated, Trade, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, HOP_POOL, HOP_QUOTE, HOP_VAULTS, Layout, Parent, Place, Read, Spec, Table, fees,
        other, quiet, quote_or_sol, silent, swapped, told, trade,
    },
};
use crate::chain::{
    ids::{Mint, Pool, WRAPPED_SOL, Wallet},
    program::{MAYHEM_AGENT, PUMP},
};

const TRADE: Discriminator = 0xbddb_7fd3_4ee6_61ee;
const CREATE: Discriminator = 0x1b72_a94d_deeb_6376;
/// Where accounts stand behind the curve among those of every trading instruction: its tokens, its quote tokens (of those
/// that trade in SOL alone the user's tokens), the user.
const BASE_VAULT: usize = 1;
const QUOTE_VAULT: usize = 2;
const USER: usize = 3;
/// Where the user of a multi-hop stands.
const HOPS_USER: usize = 3;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    trade(0x6606_3d12_01da_ebea, "buy", TRADE, (2, 3), LimitKind::MaxQuoteIn),
    trade(0x33e6_85a4_017f_83ad, "sell", TRADE, (2, 3), LimitKind::MinQuoteOut),
    trade(0xb817_ee61_67c5_d33d, "buy_v2", TRADE, (1, 10), LimitKind::MaxQuoteIn),
    trade(0x5df6_823c_e7e9_40b2, "sell_v2", TRADE, (1, 10), LimitKind::MinQuoteOut),
    trade(0x0705_1dc4_f517_6550, "buy_v3", TRADE, (1, 5), LimitKind::MaxQuoteIn),
    trade(0x1c92_de77_26c4_69d5, "sell_v3", TRADE, (1, 5), LimitKind::MinQuoteOut),
    trade(0x38fc_7408_9edf_cd5f, "buy_exact_sol_in", TRADE, (2, 3), LimitKind::MinBaseOut),
    trade(0xc2ab_1c46_684d_5b2f, "buy_exact_quote_in_v2", TRADE, (1, 10), LimitKind::MinBaseOut),
    trade(0xe1f7_501e_d5b3_8488, "buy_exact_quote_in_v3", TRADE, (1, 5), LimitKind::MinBaseOut),
    other(0xe19a_7516_d756_f667, "multi_hop_curve_swap", Emits::One(TRADE), Place::Hops(13)),
    other(0x181e_c828_051c_0777, "create", Emits::One(CREATE), Place::Nowhere),
    other(0xd690_4cec_5f8b_31b4, "create_v2", Emits::One(CREATE), Place::Nowhere),
    silent(0x9bea_e792_ec9e_a21e, "migrate"),
    silent(0xbbcb_121f_ceed_fe29, "migrate_v2"),
    silent(0x020e_3d8a_aa8e_0e5f, "add_quote_control_mint"),
    silent(0x6f79_1538_2818_5ed1, "add_quote_mint"),
    silent(0x7d7e_d686_4de5_bc59, "admin_cto"),
    silent(0x08d9_60e7_9068_c005, "admin_set_idl_authority"),
    silent(0xd10b_7357_d517_7ccc, "admin_update_token_incentives"),
    silent(0x253a_237e_be35_e4c5, "claim_cashback"),
    silent(0x7af3_cc41_5e74_1d37, "claim_cashback_v2"),
    silent(0x1004_471c_cc01_281b, "claim_token_incentives"),
    silent(0xf945_a4da_9667_548a, "close_user_volume_accumulator"),
    silent(0x1416_567b_c61c_db84, "collect_creator_fee"),
    silent(0xcf11_8af2_0422_1338, "collect_creator_fee_v2"),
    silent(0xa572_6700_79ce_f751, "distribute_creator_fees"),
    silent(0xffcb_134f_f444_089f, "distribute_creator_fees_v2"),
    silent(0x6236_9161_0246_ad2b, "distribute_fee_to_holders"),
    silent(0xea66_c2cb_9648_3ee5, "extend_account"),
    silent(0x75e1_7fca_865f_4423, "get_minimum_distributable_fee"),
    silent(0x5e06_ca73_ff60_e8b7, "init_user_volume_accumulator"),
    silent(0xafaf_6d1f_0d98_9bed, "initialize"),
    silent(0xef49_f5ad_d1b1_5442, "initialize_quote_control"),
    silent(0x577c_34bf_3426_d6e8, "migrate_bonding_curve_creator"),
    silent(0xdf07_fd1a_51a5_daa6, "remove_quote_control_mint"),
    silent(0xb141_df26_58d1_9e9b, "remove_quote_mint"),
    silent(0xfe94_ff70_cf8e_aaa5, "set_creator"),
    silent(0x209a_98db_8e6c_daa5, "set_max_curve_depth"),
    silent(0x3da9_bcbf_9995_2a61, "set_mayhem_virtual_params"),
    silent(0x8a60_aed9_3055_c5f6, "set_metaplex_creator"),
    silent(0x1bea_b234_9302_bb8d, "set_params"),
    silent(0x3e4f_a1d3_a5aa_d6d2, "set_quote_control_admin"),
    silent(0x74dc_6b53_bf2c_2049, "set_quote_control_mint_reserves"),
    silent(0xa1c3_dea5_e165_c03e, "set_quote_control_reserves_admin"),
    silent(0x6fac_a2e8_7259_d58e, "set_reserved_fee_recipients"),
    silent(0x6587_bf68_0958_1460, "set_virtual_quote_reserves"),
    silent(0x20f6_bf34_08c9_49ba, "sweep_creator_fee"),
    silent(0x0830_be07_b644_b7e5, "sweep_protocol_fee"),
    silent(0x561f_c057_a357_4fee, "sync_user_volume_accumulator"),
    silent(0x7367_e0ff_bd59_56c3, "toggle_cashback_enabled"),
    silent(0x1cff_e6f0_ac6b_cbab, "toggle_create_v2"),
    silent(0x0109_6fd0_641f_ffa3, "toggle_mayhem_mode"),
    silent(0xfbe0_ab92_a01a_71e9, "update_buyback_config"),
    silent(0x3daf_a0f9_4242_88af, "update_creator_fee_config"),
    silent(0xe3b5_4ac4_d015_61d5, "update_global_authority"),
    silent(0xe1fc_4204_c723_ec10, "update_holder_reward_config"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(TRADE, "TradeEvent", traded),
    told(CREATE, "CreateEvent", created),
    told(0x5f72_619c_d42e_9808, "CompleteEvent", completed),
    told(0x6fb0_6d8b_316c_d5fb, "PostCompleteBuyEvent", bought_beyond),
    told(0xbde9_5db9_5c94_ea94, "CompletePumpAmmMigrationEvent", migrated),
    told(0x757b_e4b6_a1a8_dcd6, "UpdateMayhemVirtualParamsEvent", adjusted),
    quiet(0xa4af_574a_582d_213e, "AddQuoteControlMintEvent"),
    quiet(0x6e7c_e262_aaff_1178, "AdminCtoEvent"),
    quiet(0xf53b_4622_4bb9_6d5c, "AdminSetIdlAuthorityEvent"),
    quiet(0x93fa_6c78_f71d_43de, "AdminUpdateTokenIncentivesEvent"),
    quiet(0xe2d6_f621_07f2_93e5, "ClaimCashbackEvent"),
    quiet(0x4fac_f631_cd5b_cee8, "ClaimTokenIncentivesEvent"),
    quiet(0x929f_bdac_9258_38f4, "CloseUserVolumeAccumulatorEvent"),
    quiet(0x7a02_7f01_0ebf_0caf, "CollectCreatorFeeEvent"),
    quiet(0xa537_8170_04b3_ca28, "DistributeCreatorFeesEvent"),
    quiet(0xe3be_d7ce_b0b4_a584, "DistributeFeeToHoldersEvent"),
    quiet(0x6161_d790_5d92_167c, "ExtendAccountEvent"),
    quiet(0x8624_0d48_e865_82d8, "InitUserVolumeAccumulatorEvent"),
    quiet(0x9ba7_68dc_d56c_f303, "MigrateBondingCurveCreatorEvent"),
    quiet(0xa8d8_84ef_ebb6_3134, "MinimumDistributableFeeEvent"),
    quiet(0x2e21_5686_00d5_d130, "RemoveQuoteControlMintEvent"),
    quiet(0x2bbc_fa12_dd4b_bb5f, "ReservedFeeRecipientsEvent"),
    quiet(0xed34_7b25_f5fb_48d2, "SetCreatorEvent"),
    quiet(0x8ecb_0620_7f69_bfa2, "SetMetaplexCreatorEvent"),
    quiet(0xdfc3_9ff6_3e30_8f83, "SetParamsEvent"),
    quiet(0x4af8_8d45_ca51_1ef7, "SetQuoteControlAdminEvent"),
    quiet(0xa943_276d_6686_b6e8, "SetQuoteControlMintReservesEvent"),
    quiet(0x43fb_b3b6_575c_a921, "SetQuoteControlReservesAdminEvent"),
    quiet(0x742b_4dbd_117a_482b, "SweepBondingCurveFeeEvent"),
    quiet(0xc57a_a77c_7451_5bff, "SyncUserVolumeAccumulatorEvent"),
    quiet(0x98c6_7c7c_6af6_7fbf, "UpdateCreatorFeeConfigEvent"),
    quiet(0xb6c3_892a_23ce_cff7, "UpdateGlobalAuthorityEvent"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL of 2026-10-19 (pump-public-docs, pump-rust-client 0.5.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let mint: Mint = c.key()?;
    let sol_amount = c.u64()?;
    let base_amount = c.u64()?;
    let side = if c.bool()? { Side::Buy } else { Side::Sell };
    let user: Wallet = c.key()?;
    let timestamp = c.i64()?;
    let virtual_sol = c.u64()?;
    let virtual_base = c.u64()?;
    // From here on every field may be absent.
    let real_sol = c.u64();
    let curve_tokens_left = c.u64();
    c.skip(32); // fee_recipient
    let (protocol_bps, protocol) = (c.u64(), c.u64());
    c.skip(32); // creator
    let (creator_bps, creator) = (c.u64(), c.u64());
    c.skip(1 + 4 * 8); // track_volume … last_update_timestamp
    c.text(); // ix_name
    let mayhem = c.bool().unwrap_or(false);
    let (cashback_bps, cashback) = (c.u64(), c.u64());
    let (buyback_bps, buyback) = (c.u64(), c.u64());
    c.skip_items(34); // shareholders
    let quote_mint = quote_or_sol(c.key());
    let (quote_amount, virtual_quote, real_quote) = (c.u64(), c.u64(), c.u64());
    let (holders_bps, holders) = (c.u64(), c.u64());
    c.skip(8); // creator_fee_unclaimed: a running total, not this trade's fee
    let transfer = c.u64();

    // Both sets are filled on SOL curves; the sol_* fields are zero on others and alone in old layouts. Neither: the event
    // of a curve in another quote, cut off before it says so.
    let (quote_amount, virtual_quote, curve_real_quote) = if quote_mint == WRAPPED_SOL && virtual_sol > 0 {
        (sol_amount, virtual_sol, real_sol)
    } else {
        (quote_amount?, virtual_quote?, real_quote)
    };
    let after = Reserves { base: virtual_base, quote: u128::from(virtual_quote) };
    let traded = Traded { pool: curve_of(mint, parent)?, mint, quote_mint, user, side, base_amount, quote_amount };
    let trade = traded.by(parent);
    // The agent's trades shift the virtual reserves besides: they cannot be undone.
    let agents = trade.flow == Flow::MayhemAgent;
    let reserves_before = if agents { None } else { before(after, side, base_amount, quote_amount) };
    let trade = Trade {
        fees: fees([
            (FeeKind::Protocol, protocol, protocol_bps),
            (FeeKind::Creator, creator, creator_bps),
            (FeeKind::Cashback, cashback, cashback_bps),
            (FeeKind::HolderRewards, holders, holders_bps),
            (FeeKind::Buyback, buyback, buyback_bps),
            (FeeKind::Transfer, transfer, None),
        ]),
        reserves_before,
        reserves_after: Some(after),
        virtual_quote: None,
        curve_tokens_left,
        curve_real_quote,
        mayhem,
        ..trade
    };
    Some(Read::of(EventKind::Trade(trade), Some(timestamp), c))
}

/// What every source of a trade says.
struct Traded {
    pool: Pool,
    mint: Mint,
    quote_mint: Mint,
    user: Wallet,
    side: Side,
    base_amount: u64,
    quote_amount: u64,
}

impl Traded {
    /// The trade, without what its source may say besides.
    fn by(self, parent: &Parent<'_>) -> Trade {
        Trade {
            venue: Venue::Pump,
            source: parent.source,
            flow: if self.user.pubkey() == &MAYHEM_AGENT { Flow::MayhemAgent } else { Flow::User },
            instruction: parent.name(),
            pool: self.pool,
            mint: self.mint,
            quote_mint: self.quote_mint,
            user: self.user,
            side: self.side,
            base_amount: self.base_amount,
            quote_amount: self.quote_amount,
            fees: Fees::default(),
            reserves_before: None,
            reserves_after: None,
            virtual_quote: None,
            curve_tokens_left: None,
            curve_real_quote: None,
            curve_progress: None,
            sqrt_price: None,
            limit: parent.limit(true),
            base_supply: None,
            base_decimals: Some(6),
            outer_program: parent.outer_program,
            app: None,
            cost: Cost::default(),
            mayhem: false,
        }
    }
}

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    if let Some(hop) = parent.hop {
        return hopped(hop, parent);
    }
    match parent.name() {
        "create" => launched(parent, 7, 9, None),
        "create_v2" => launched(parent, 5, 7, Some(16)),
        _ => moved(parent),
    }
}

/// A launch by its instruction, whose user, token program and quote token (of those in another than SOL) stand there: all
/// but what the curve begins with.
fn launched(parent: &Parent<'_>, user: usize, token_program: usize, quote: Option<usize>) -> Option<Read> {
    let mut c = Cursor::new(parent.call.data.get(8..)?);
    let (name, symbol, uri) = (c.text()?, c.text()?, c.text()?);
    c.skip(32); // creator
    Some(Read::unsaid(EventKind::TokenCreated(TokenCreated {
        venue: Venue::Pump,
        mint: parent.account(0)?,
        curve: parent.account(2)?,
        name: name.into(),
        symbol: symbol.into(),
        uri: uri.into(),
        creator: parent.account(user)?,
        token_program: parent.call.account(token_program).copied(),
        quote_mint: quote_or_sol(quote.and_then(|quote| parent.account(quote))),
        mayhem: c.bool().unwrap_or(false),
        initial: None,
        initial_tokens_left: None,
        supply: None,
    })))
}

/// A trade by what moved into and out of the curve. That is the quote amount but for the third versions of the
/// instructions, which leave the fees on the curve: there it is with them. Of SOL that a curve pays out nothing tells but its
/// balance, and that only where one instruction alone used the curve.
fn moved(parent: &Parent<'_>) -> Option<Read> {
    let named = Named::of(parent)?;
    let curve_at = named.curve_at;
    let [into, out_of] = moves::flows(parent, [curve_at + BASE_VAULT, curve_at + QUOTE_VAULT])?;
    let in_sol = named.quote_mint == WRAPPED_SOL;
    let (base_amount, quote_amount) = match named.side {
        Side::Sell => (into[0], if in_sol { moves::lamports_out_of(parent, curve_at)? } else { out_of[1] }),
        Side::Buy => (out_of[0], if in_sol { moves::lamports_into(parent, curve_at)? } else { into[1] }),
    };
    let Named { pool, mint, quote_mint, user, side, .. } = named;
    let traded = Traded { pool, mint, quote_mint, user, side, base_amount, quote_amount };
    (base_amount > 0 && (in_sol || quote_amount > 0)).then(|| Read::unsaid(EventKind::Trade(traded.by(parent))))
}

/// One hop of a multi-hop by what moved into and out of the curve: tokens, or lamports where it has none of the quote.
fn hopped(hop: usize, parent: &Parent<'_>) -> Option<Read> {
    let [into, out_of] = moves::flows(parent, HOP_VAULTS.map(|vault| hop + vault))?;
    let (curve_at, buy) = (hop + HOP_POOL, out_of[0] > 0);
    let (base_amount, tokens) = if buy { (out_of[0], into[1]) } else { (into[0], out_of[1]) };
    let quote_mint = quote_or_sol(parent.account(hop + HOP_QUOTE));
    let quote_amount = match (tokens, buy) {
        (0, _) if quote_mint != WRAPPED_SOL => return None,
        (0, true) => moves::lamports_into(parent, curve_at)?,
        (0, false) => moves::lamports_out_of(parent, curve_at)?,
        (tokens, _) => tokens,
    };
    let traded = Traded {
        pool: parent.account(curve_at)?,
        mint: parent.account(hop)?,
        quote_mint,
        user: parent.account(HOPS_USER)?,
        side: if buy { Side::Buy } else { Side::Sell },
        base_amount,
        quote_amount,
    };
    (base_amount > 0 && quote_amount > 0).then(|| Read::unsaid(EventKind::Trade(traded.by(parent))))
}

/// What an instruction asks for.
pub(super) fn asked(parent: &Parent<'_>) -> Option<Asked> {
    let Named { pool, mint, quote_mint, user, side, .. } = Named::of(parent)?;
    let (amount, limit) = (parent.exact()?, parent.limit(true)?);
    Some(Asked { pool, mint, quote_mint, user, side, amount, limit })
}

/// What the accounts of a trading instruction name.
struct Named {
    curve_at: usize,
    pool: Pool,
    mint: Mint,
    quote_mint: Mint,
    user: Wallet,
    side: Side,
}

impl Named {
    fn of(parent: &Parent<'_>) -> Option<Self> {
        let spec = parent.spec?;
        let (Place::At { mint: mint_at, pool: curve_at }, Bound::Second(limit)) = (spec.place, spec.bound) else {
            return None;
        };
        let only_sol = mint_at + 1 == curve_at;
        Some(Self {
            curve_at,
            pool: parent.account(curve_at)?,
            mint: parent.account(mint_at)?,
            quote_mint: quote_or_sol(if only_sol { None } else { parent.account(mint_at + 1) }),
            user: parent.account(curve_at + USER)?,
            side: if limit == LimitKind::MinQuoteOut { Side::Sell } else { Side::Buy },
        })
    }
}

/// Undoes a trade.
fn before(after: Reserves, side: Side, base_amount: u64, quote_amount: u64) -> Option<Reserves> {
    let quote_amount = u128::from(quote_amount);
    let (base, quote) = match side {
        Side::Buy => (after.base.checked_add(base_amount)?, after.quote.checked_sub(quote_amount)?),
        Side::Sell => (after.base.checked_sub(base_amount)?, after.quote.checked_add(quote_amount)?),
    };
    Some(Reserves { base, quote })
}

/// The curve that a trade used: from the instruction's accounts, else (an instruction we do not know) derived.
fn curve_of(mint: Mint, parent: &Parent<'_>) -> Option<Pool> {
    let named = match parent.spec.map_or(Place::Nowhere, |spec| spec.place) {
        Place::At { mint: at, pool } if parent.account(at) == Some(mint) => parent.account(pool),
        Place::Hops(start) => parent.hops(start).find(|(base, ..)| *base == mint).map(|(_, _, curve)| curve),
        _ => None,
    };
    named.or_else(|| {
        Pubkey::try_find_program_address(&[b"bonding-curve", mint.bytes()], &PUMP).map(|(key, _)| key.into())
    })
}

fn created(mut c: Cursor<'_>, _: &Parent<'_>) -> Option<Read> {
    let (name, symbol, uri) = (c.text()?, c.text()?, c.text()?);
    let mint = c.key()?;
    let curve = c.key()?;
    let user = c.key()?;
    c.skip(32); // creator: a program address on holder-reward coins
    let timestamp = c.i64();
    let virtual_base = c.u64();
    let virtual_sol = c.u64();
    let initial_tokens_left = c.u64();
    let supply = c.u64();
    let token_program = c.key::<()>().map(|key| *key.bytes());
    let mayhem = c.bool().unwrap_or(false);
    c.skip(1); // is_cashback_enabled
    let quote_mint = quote_or_sol(c.key());
    let virtual_quote = c.u64();
    c.skip(8 + 1 + 1); // creator_fee_bps, is_holder_reward, depth
    let quote = if quote_mint == WRAPPED_SOL { virtual_sol } else { virtual_quote };
    let initial = virtual_base.zip(quote).map(|(base, quote)| Reserves { base, quote: u128::from(quote) });
    let created = TokenCreated {
        venue: Venue::Pump,
        mint,
        curve,
        name: name.into(),
        symbol: symbol.into(),
        uri: uri.into(),
        creator: user,
        token_program,
        quote_mint,
        mayhem,
        initial,
        initial_tokens_left,
        supply,
    };
    Some(Read::of(EventKind::TokenCreated(created), timestamp, c))
}

fn completed(mut c: Cursor<'_>, _: &Parent<'_>) -> Option<Read> {
    let user = c.key()?;
    let mint = c.key()?;
    let curve = c.key()?;
    let timestamp = c.i64();
    c.skip(32); // quote_mint
    Some(Read::of(EventKind::CurveCompleted { venue: Venue::Pump, mint, curve, user }, timestamp, c))
}

/// The part of a completing buy beyond the curve: its reserves are those with which the pool will open.
fn bought_beyond(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let user: Wallet = c.key()?;
    let mint: Mint = c.key()?;
    let curve: Pool = c.key()?;
    let quote_mint = quote_or_sol(Some(c.key()?));
    let timestamp = c.i64()?;
    let base_amount = c.u64()?;
    let quote_amount = c.u64()?;
    let (protocol_bps, protocol) = (c.u64(), c.u64());
    let (creator_bps, creator) = (c.u64(), c.u64());
    let buyback = c.u64();
    c.skip(16); // pool reserves before
    let after = c.u64().zip(c.u64());
    let stated: Fees = fees([
        (FeeKind::Protocol, protocol, protocol_bps),
        (FeeKind::Creator, creator, creator_bps),
        (FeeKind::Buyback, buyback, None),
    ]);
    let bought = Traded { pool: curve, mint, quote_mint, user, side: Side::Buy, base_amount, quote_amount };
    let trade = Trade {
        flow: Flow::PostCompletion,
        fees: stated,
        reserves_after: after.map(|(base, quote)| Reserves { base, quote: u128::from(quote) }),
        limit: None,
        ..bought.by(parent)
    };
    Some(Read::of(EventKind::Trade(trade), Some(timestamp), c))
}

fn migrated(mut c: Cursor<'_>, _: &Parent<'_>) -> Option<Read> {
    c.skip(32); // user: whoever turned the crank
    let mint = c.key()?;
    let base_amount = c.u64()?;
    let quote_amount = c.u64()?;
    c.skip(8); // pool_migration_fee
    let curve = c.key()?;
    let timestamp = c.i64()?;
    let pool = c.key()?;
    c.skip(32); // quote_mint
    let kind = EventKind::Graduated { venue: Venue::Pump, mint, curve, pool, quote_amount, base_amount };
    Some(Read::of(kind, Some(timestamp), c))
}

fn adjusted(mut c: Cursor<'_>, _: &Parent<'_>) -> Option<Read> {
    let timestamp = c.i64()?;
    let mint = c.key()?;
    c.skip(16); // virtual reserves before
    let base = c.u64()?;
    let quote = u128::from(c.u64()?);
    c.skip(16); // real reserves
    let kind = EventKind::CurveAdjusted { mint, reserves: Reserves { base, quote } };
    Some(Read::of(kind, Some(timestamp), c))
}
