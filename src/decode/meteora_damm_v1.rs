//! Meteora DAMM v1: its instructions and logged events. They name neither pool nor direction: the instruction and its
//! transfers do. Its tokens lie in vaults that pools share, so there are no reserves.

use super::{
    amm::{Change, Opening, Told},
    cursor::Cursor,
    event::{EventKind, FeeKind, LiquidityAction, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Spec, Table, fees_in, other, quiet, seats, silent,
        swap, swapped, told,
    },
};
use crate::chain::ids::Mint;

const SWAP: Discriminator = 0x516c_e3be_cdd0_0ac4;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(0xf8c6_9e91_e175_87c8, "swap", Emits::One(SWAP), Place::Pool(seats(0, 12, [5, 6], None)), Bound::MinOut(16)),
    other(0xa8e3_323e_bdab_54b0, "add_balance_liquidity", Emits::Nothing, Place::Pool(seats(0, 13, [9, 10], None))),
    other(0x4f23_7a54_ad0f_5dbf, "add_imbalance_liquidity", Emits::Nothing, Place::Pool(seats(0, 13, [9, 10], None))),
    other(0x856d_2cb3_38ee_7221, "remove_balance_liquidity", Emits::Nothing, Place::Pool(seats(0, 13, [9, 10], None))),
    other(0x04e4_d747_e1fd_77ce, "bootstrap_liquidity", Emits::Nothing, Place::Pool(seats(0, 13, [9, 10], None))),
    other(
        0x5454_b142_feb9_0afb,
        "remove_liquidity_single_side",
        Emits::Nothing,
        Place::Pool(seats(0, 12, [9, 10], None)),
    ),
    other(
        0x3095_dc82_3d0b_09b2,
        "initialize_permissionless_constant_product_pool_with_config2",
        Emits::Nothing,
        Place::Pool(seats(0, 18, [7, 8], Some([3, 4]))),
    ),
    other(
        0x07a6_8aab_ceab_ecf4,
        "initialize_permissionless_constant_product_pool_with_config",
        Emits::Nothing,
        Place::Pool(seats(0, 18, [7, 8], Some([3, 4]))),
    ),
    other(
        0x9118_acc2_db7d_03be,
        "initialize_customizable_permissionless_constant_product_pool",
        Emits::Nothing,
        Place::Pool(seats(0, 17, [6, 7], Some([2, 3]))),
    ),
    other(
        0x0687_4493_e552_a971,
        "initialize_permissionless_pool_with_fee_tier",
        Emits::Nothing,
        Place::Pool(seats(0, 17, [6, 7], Some([2, 3]))),
    ),
    other(
        0x76ad_299d_ad48_6167,
        "initialize_permissionless_pool",
        Emits::Nothing,
        Place::Pool(seats(0, 17, [6, 7], Some([2, 3]))),
    ),
    other(
        0x4d55_b29d_3230_d47e,
        "initialize_permissioned_pool",
        Emits::Nothing,
        Place::Pool(seats(0, 15, [4, 5], Some([2, 3]))),
    ),
    silent(0x8006_e483_37a1_34a9, "enable_or_disable_pool"),
    silent(0x662c_9e36_cd25_7e4e, "set_pool_fees"),
    silent(0x6256_cc33_5e47_45bb, "override_curve_param"),
    silent(0x0930_dc65_16f0_4ec8, "get_pool_info"),
    silent(0x0d46_a829_fa64_945a, "create_mint_metadata"),
    silent(0x3657_a513_45e3_dae0, "create_lock_escrow"),
    silent(0x1513_d02b_ed3e_ff57, "lock"),
    silent(0xa920_4f89_88e8_4689, "claim_fee"),
    silent(0xc9cf_f372_4b6f_2fbd, "create_config"),
    silent(0x9109_489d_5f7d_3d55, "close_config"),
    silent(0x963e_7ddb_abdc_1aed, "update_activation_point"),
    silent(0x0b44_a562_12d0_8649, "withdraw_protocol_fees"),
    silent(0x0c94_5e2a_3739_53f7, "set_whitelisted_vault"),
    silent(0x3935_b01e_7b46_3440, "partner_claim_fee"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(SWAP, "Swap", traded),
    told(0x1f5e_7d5a_e334_3dba, "AddLiquidity", added),
    told(0x797f_2688_5c37_0ef7, "BootstrapLiquidity", added),
    told(0x74f4_61e8_671f_983a, "RemoveLiquidity", removed),
    told(0xca2c_2958_68dc_9d52, "PoolCreated", opened),
    quiet(0xf51a_c6a4_5812_4b09, "SetPoolFees"),
    quiet(0xcf14_5761_fbd4_ea2d, "PoolInfo"),
    quiet(0xe4a9_83f4_3d38_41fe, "TransferAdmin"),
    quiet(0xf714_a5f8_4b05_36f6, "OverrideCurveParam"),
    quiet(0x0297_1253_cc86_5cbf, "PoolEnabled"),
    quiet(0xdfea_e81a_fc69_b47d, "MigrateFeeAccount"),
    quiet(0x4a5e_6a8d_3111_626d, "CreateLockEscrow"),
    quiet(0xdcb7_43d7_99cf_38ea, "Lock"),
    quiet(0x4b7a_9a30_8c4a_7ba3, "ClaimFee"),
    quiet(0xc798_0a13_2727_9d68, "CreateConfig"),
    quiet(0xf9b5_6c59_0496_5aae, "CloseConfig"),
    quiet(0x1ef0_cfc4_8bef_4f1c, "WithdrawProtocolFees"),
    quiet(0x8783_0a5e_77d1_ca30, "PartnerClaimFees"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.5.2 of the day 2026-10-08 (sol-parser-sdk 0.11.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    moves::swapped(Venue::MeteoraDammV1, parent)
}

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let (input, output) = (c.u64()?, c.u64()?);
    // From here on every field may be absent.
    let (lp, protocol, host) = (c.u64(), c.u64(), c.u64());
    let seats = parent.seats(None)?;
    let (buy, _) = moves::exchanged(parent, seats.vaults)?;
    let stated = [(FeeKind::Lp, lp, None), (FeeKind::Protocol, protocol, None), (FeeKind::Share, host, None)];
    let told = Told {
        venue: Venue::MeteoraDammV1,
        pool: parent.account(seats.pool)?,
        base_in: !buy,
        input,
        output,
        fees: fees_in([(!buy, stated)].into_iter()),
        sqrt_price: None,
    };
    Some(Read::of(EventKind::Trade(told.at(&seats, parent)?.trade(parent)), None, c))
}

fn changed(mut c: Cursor<'_>, parent: &Parent<'_>, action: LiquidityAction) -> Option<Read> {
    let lp_amount = Some(c.u64()?);
    let amounts = [c.u64()?, c.u64()?];
    c.skip(if parent.name() == "bootstrap_liquidity" { 32 } else { 0 }); // pool
    let seats = parent.seats(None)?;
    let change = Change {
        venue: Venue::MeteoraDammV1,
        pool: parent.account(seats.pool)?,
        user: parent.account(seats.user)?,
        mints: parent.mints(&seats)?,
        action,
        amounts,
        lp_amount,
        reserves_before: None,
    };
    Some(Read::of(change.event(), None, c))
}

fn added(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    changed(c, parent, LiquidityAction::Deposit)
}

fn removed(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    changed(c, parent, LiquidityAction::Withdraw)
}

fn opened(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    c.skip(32); // lp_mint
    let mints: [Mint; 2] = [c.key()?, c.key()?];
    c.skip(1); // pool_type
    let pool = c.key()?;
    let seats = parent.seats(Some(pool))?;
    let opening = Opening {
        venue: Venue::MeteoraDammV1,
        pool,
        user: parent.account(seats.user)?,
        mints,
        amounts: moves::moved_into(parent, seats.vaults)?,
        lp_amount: None,
        decimals: seats.vaults.map(|vault| parent.decimals(vault)),
    };
    Some(Read::of(opening.event(), None, c))
}
