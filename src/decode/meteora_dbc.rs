//! Meteora's dynamic bonding curve, a launchpad: its instructions and self-CPI events.
//!
//! Every swap is told twice: as `EvtSwap` and, by newer versions of the program, as `EvtSwap2`, which also says how much of
//! the quote that completes the curve is raised. A migration has no event: the instruction says it.

use super::{
    amm::Told,
    cursor::Cursor,
    event::{CurveProgress, EventKind, FeeKind, TokenCreated, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Spec, Table, fees_in, other, quiet, seats, silent,
        swap, swapped, told,
    },
};
use crate::chain::ids::Mint;

const SWAP_SEATS: Place = Place::Pool(seats(2, 9, [5, 6], Some([7, 8])));
/// Accounts of the initialization of a token of the old token program, and where that program stands; with Token-2022 it
/// stands right before the system program and the two of the event.
const OLD_TOKEN: (usize, usize) = (16, 12);
const BEHIND_TOKEN_PROGRAM: usize = 4;

const SWAP_2: Discriminator = 0xbd42_33a8_2650_7599;
const SWAP: Discriminator = 0x1b3c_15d5_8aaa_bb93;
const SWAP_2_WITH_HOOK: Discriminator = 0x863b_a878_5e33_72e7;
const INITIALIZE: Discriminator = 0xe432_f655_cb42_8625;
const INITIALIZE_WITH_HOOK: Discriminator = 0xd589_a435_c14a_0f6e;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(0x414b_3f4c_eb5b_5b88, "swap2", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::Mode),
    swap(0xf8c6_9e91_e175_87c8, "swap", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::MinOut(16)),
    swap(
        0xb75d_9928_18e6_c297,
        "swap2_with_transfer_hook",
        Emits::Newer(SWAP_2_WITH_HOOK, SWAP_2),
        SWAP_SEATS,
        Bound::Mode,
    ),
    other(
        0x8c55_d7b0_6636_684f,
        "initialize_virtual_pool_with_spl_token",
        Emits::One(INITIALIZE),
        Place::Pool(seats(5, 2, [6, 7], Some([3, 4]))),
    ),
    other(
        0xa976_334e_916e_dc9b,
        "initialize_virtual_pool_with_token2022",
        Emits::One(INITIALIZE),
        Place::Pool(seats(5, 2, [6, 7], Some([3, 4]))),
    ),
    other(
        0xb60d_e9b1_2a91_8702,
        "initialize_virtual_pool_with_token2022_transfer_hook",
        Emits::One(INITIALIZE_WITH_HOOK),
        Place::Pool(seats(5, 2, [6, 7], Some([3, 4]))),
    ),
    other(
        0x9ca9_e667_35e4_5040,
        "migration_damm_v2",
        Emits::Itself,
        Place::Pool(seats(4, 19, [15, 16], Some([13, 14]))),
    ),
    other(
        0x1b01_3016_b43f_76d9,
        "migrate_meteora_damm",
        Emits::Itself,
        Place::Pool(seats(4, 22, [17, 18], Some([7, 8]))),
    ),
    silent(0x52dc_fabd_0355_6b2d, "claim_creator_trading_fee"),
    silent(0xeef7_d55e_6e91_588e, "claim_creator_trading_fee2"),
    silent(0xfaee_1a04_8b0a_65f8, "claim_partner_pool_creation_fee"),
    silent(0xebc2_3645_410a_ec70, "claim_protocol_fee2"),
    silent(0x72cd_53bc_f099_1936, "claim_protocol_pool_creation_fee"),
    silent(0x08ec_5931_987d_b151, "claim_trading_fee"),
    silent(0x54bf_4732_09a2_37c1, "claim_trading_fee2"),
    silent(0x0829_5723_5030_791a, "close_claim_protocol_fee_operator"),
    silent(0xab09_d54a_7817_031d, "close_operator_account"),
    silent(0x6c92_566e_b3fe_0a68, "close_token_badge"),
    silent(0xc9cf_f372_4b6f_2fbd, "create_config"),
    silent(0xd825_0139_58e2_1929, "create_config_with_transfer_hook"),
    silent(0xa75a_899a_4b2f_1154, "create_locker"),
    silent(0xdd40_f695_f099_e5a3, "create_operator_account"),
    silent(0xc0a8_eabf_bce2_e3ff, "create_partner_metadata"),
    silent(0x58ce_005b_3caf_9776, "create_token_badge"),
    silent(0x2d61_bb67_fe6d_7c86, "create_virtual_pool_metadata"),
    silent(0xa503_8907_1c86_4c50, "creator_withdraw_surplus"),
    silent(0x8b85_021e_5b91_7f9a, "migrate_meteora_damm_claim_lp_token"),
    silent(0xb137_ee9d_fb58_a52a, "migrate_meteora_damm_lock_lp_token"),
    silent(0x6dbd_1324_c3b7_de52, "migration_damm_v2_create_metadata"),
    silent(0x2f5e_7e73_dde2_c285, "migration_meteora_damm_create_metadata"),
    silent(0xa8ad_4864_c962_265c, "partner_withdraw_surplus"),
    silent(0x1407_a921_3a93_a621, "transfer_pool_creator"),
    silent(0x14c6_caed_ebf3_b742, "withdraw_leftover"),
    silent(0xed8e_2d17_8106_dea2, "withdraw_migration_fee"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(SWAP_2, "EvtSwap2", traded),
    swapped(SWAP, "EvtSwap", traded_before),
    swapped(SWAP_2_WITH_HOOK, "EvtSwap2WithTransferHook", traded),
    told(INITIALIZE, "EvtInitializePool", created),
    told(INITIALIZE_WITH_HOOK, "EvtInitializePoolWithTransferHook", created),
    told(0xe5e7_5654_9c86_4b18, "EvtCurveComplete", completed),
    told(0x3b2f_6dcd_0d1f_2c9f, "EvtCurveCompleteWithTransferHook", completed),
    quiet(0x9ae4_d7ca_859b_d68a, "EvtClaimCreatorTradingFee"),
    quiet(0x956f_952c_8840_af3e, "EvtClaimPoolCreationFee"),
    quiet(0xbb85_4209_cda1_540d, "EvtClaimProtocolFee2"),
    quiet(0x1a53_75f0_5cca_70fe, "EvtClaimTradingFee"),
    quiet(0x6f27_2537_6ed8_c217, "EvtCloseClaimFeeOperator"),
    quiet(0x3cd9_2252_b70a_59bc, "EvtCloseTokenBadge"),
    quiet(0x1506_9978_4474_1cb1, "EvtCreateClaimFeeOperator"),
    quiet(0x83cf_b4ae_b449_a536, "EvtCreateConfig"),
    quiet(0xa34a_42bb_77c3_1a90, "EvtCreateConfigV2"),
    quiet(0xb651_8704_272e_84fd, "EvtCreateConfigV2WithTransferHook"),
    quiet(0x63a7_853f_d68f_af8b, "EvtCreateMeteoraMigrationMetadata"),
    quiet(0x8d78_8674_221c_72a0, "EvtCreateTokenBadge"),
    quiet(0x9849_150f_4257_359d, "EvtCreatorWithdrawSurplus"),
    quiet(0xaedf_2c96_9162_59c3, "EvtPartnerClaimPoolCreationFee"),
    quiet(0xc87f_0637_0d20_0896, "EvtPartnerMetadata"),
    quiet(0xc338_9809_e848_2316, "EvtPartnerWithdrawSurplus"),
    quiet(0x6be1_a5ed_5b9e_d5dc, "EvtUpdatePoolCreator"),
    quiet(0xbc12_484c_c35b_264a, "EvtVirtualPoolMetadata"),
    quiet(0xbfbd_688f_6f9c_5ee5, "EvtWithdrawLeftover"),
    quiet(0x1acb_5455_a117_64d6, "EvtWithdrawMigrationFee"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.2.1 of the day 2026-10-08 (sol-parser-sdk 0.11.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

/// 0 is base → quote, 1 is quote → base.
fn base_comes_in(direction: u8) -> Option<bool> {
    (direction < 2).then_some(direction == 0)
}

/// The trading fee is the partner's and the creator's.
fn stated(
    trading: Option<u64>,
    protocol: Option<u64>,
    referral: Option<u64>,
) -> [(FeeKind, Option<u64>, Option<u64>); 3] {
    [(FeeKind::Platform, trading, None), (FeeKind::Protocol, protocol, None), (FeeKind::Share, referral, None)]
}

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    c.skip(32); // config
    let base_comes_in = base_comes_in(c.u8()?)?;
    c.skip(1 + 17); // has_referral, swap_parameters
    let (input, input_without_fee) = (c.u64()?, c.u64()?);
    c.skip(8); // amount_left
    let output = c.u64()?;
    let sqrt_price = c.u128()?;
    let fees = stated(c.u64(), c.u64(), c.u64());
    let (raised, goal) = (c.u64(), c.u64());
    let timestamp = c.i64();
    let fees = fees_in([(base_comes_in == (input != input_without_fee), fees)].into_iter());
    let (venue, sqrt_price) = (Venue::MeteoraDbc, Some(sqrt_price));
    let told = Told { venue, pool, base_in: base_comes_in, input, output, fees, sqrt_price };
    let mut trade = told.trade(parent)?;
    trade.curve_real_quote = raised;
    trade.curve_progress = raised.zip(goal).map(|(done, goal)| CurveProgress { done, goal });
    Some(Read::of(EventKind::Trade(trade), timestamp, c))
}

fn traded_before(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    c.skip(32); // config
    let base_comes_in = base_comes_in(c.u8()?)?;
    c.skip(1 + 16); // has_referral, params
    let input_without_fee = c.u64()?;
    let output = c.u64()?;
    let sqrt_price = c.u128()?;
    let fees = stated(c.u64(), c.u64(), c.u64());
    let input = c.u64()?;
    let timestamp = c.i64();
    let fees = fees_in([(base_comes_in == (input != input_without_fee), fees)].into_iter());
    let (venue, sqrt_price) = (Venue::MeteoraDbc, Some(sqrt_price));
    let told = Told { venue, pool, base_in: base_comes_in, input, output, fees, sqrt_price };
    Some(Read::of(EventKind::Trade(told.trade(parent)?), timestamp, c))
}

fn created(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let curve = c.key()?;
    c.skip(32); // config
    let creator = c.key()?;
    let mint = c.key()?;
    c.skip(1 + 8); // pool_type, activation_point
    // Its name is in the instruction.
    let mut arguments = Cursor::new(parent.call.data.get(8..)?);
    let (name, symbol, uri) = (arguments.text()?, arguments.text()?, arguments.text()?);
    let [_, quote_mint] = parent.mints(&parent.seats(Some(curve))?)?;
    let accounts = parent.call.account_count();
    let token_program =
        if accounts == OLD_TOKEN.0 { OLD_TOKEN.1 } else { accounts.checked_sub(BEHIND_TOKEN_PROGRAM)? };
    let created = TokenCreated {
        venue: Venue::MeteoraDbc,
        mint,
        curve,
        name: name.into(),
        symbol: symbol.into(),
        uri: uri.into(),
        creator,
        token_program: parent.call.account(token_program).copied(),
        quote_mint,
        mayhem: false,
        initial: None,
        initial_tokens_left: None,
        supply: None,
    };
    Some(Read::of(EventKind::TokenCreated(created), None, c))
}

fn completed(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let curve = c.key()?;
    c.skip(32 + 8 + 8); // config, reserves
    let seats = parent.seats(Some(curve))?;
    let [mint, _] = parent.mints(&seats)?;
    let user = parent.account(seats.user)?;
    Some(Read::of(EventKind::CurveCompleted { venue: Venue::MeteoraDbc, mint, curve, user }, None, c))
}

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    if parent.spec?.emits != Emits::Itself {
        return moves::swapped(Venue::MeteoraDbc, parent);
    }
    let seats = parent.seats(None)?;
    let [mint, _]: [Mint; 2] = parent.mints(&seats)?;
    // Of DAMM v2 the seats are the new pool's vaults, of v1 the curve's: v1 keeps its tokens in vaults of its own.
    let into_pool = parent.name() == "migration_damm_v2";
    let moved = if into_pool { moves::moved_into } else { moves::moved_out };
    let [base_amount, quote_amount] = moved(parent, seats.vaults)?;
    let (curve, pool) = (parent.account(0)?, parent.account(seats.pool)?);
    let venue = Venue::MeteoraDbc;
    Some(Read::unsaid(EventKind::Graduated { venue, mint, curve, pool, quote_amount, base_amount }))
}
