//! Meteora DLMM: its instructions and self-CPI events. Liquidity lies in bins, so there are no reserves.
//!
//! Every swap is told twice: as `Swap` and, by newer versions of the program, as `Swap2Evt`. They are one trade.

use super::{
    amm::{Change, Opening, Swap, Told},
    cursor::Cursor,
    event::{EventKind, FeeKind, Fees, LiquidityAction, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Spec, Table, fees_in, other, quiet, seats, silent,
        swap, swapped, told,
    },
};
use crate::chain::ids::{Mint, Pool, Wallet};

const SWAP_SEATS: Place = Place::Pool(seats(0, 10, [2, 3], Some([6, 7])));

const SWAP_2: Discriminator = 0x2e74_52d7_941b_544d;
const SWAP: Discriminator = 0x516c_e3be_cdd0_0ac4;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(0x414b_3f4c_eb5b_5b88, "swap2", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::MinOut(16)),
    swap(0xf8c6_9e91_e175_87c8, "swap", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::MinOut(16)),
    swap(0x2bd7_f784_893c_f351, "swap_exact_out2", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::MaxIn(8)),
    swap(0xfa49_6521_26cf_4bb8, "swap_exact_out", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::MaxIn(8)),
    swap(0x4a62_c0d6_b133_4b33, "swap_with_price_impact2", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::Nothing),
    swap(0x38ad_e6d0_ade4_9ccd, "swap_with_price_impact", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::Nothing),
    other(
        0x03dd_95da_6f8d_76d5,
        "add_liquidity_by_strategy2",
        Emits::Nothing,
        Place::Pool(seats(1, 9, [5, 6], Some([7, 8]))),
    ),
    other(0xe4a2_4e1c_46db_7473, "add_liquidity2", Emits::Nothing, Place::Pool(seats(1, 9, [5, 6], Some([7, 8])))),
    other(
        0xd13b_3f5b_6fc8_99e4,
        "add_liquidity_by_weight2",
        Emits::Nothing,
        Place::Pool(seats(1, 9, [5, 6], Some([7, 8]))),
    ),
    other(
        0xcc02_c391_3591_91cd,
        "remove_liquidity_by_range2",
        Emits::Nothing,
        Place::Pool(seats(1, 9, [5, 6], Some([7, 8]))),
    ),
    other(0xe6d7_527f_f165_e392, "remove_liquidity2", Emits::Nothing, Place::Pool(seats(1, 9, [5, 6], Some([7, 8])))),
    other(0x5c04_b0c1_77b9_5309, "rebalance_liquidity", Emits::Nothing, Place::Pool(seats(1, 9, [5, 6], Some([7, 8])))),
    other(
        0x0703_967f_9428_3dc8,
        "add_liquidity_by_strategy",
        Emits::Nothing,
        Place::Pool(seats(1, 11, [5, 6], Some([7, 8]))),
    ),
    other(0xb59d_5943_8fb6_3448, "add_liquidity", Emits::Nothing, Place::Pool(seats(1, 11, [5, 6], Some([7, 8])))),
    other(
        0x1c8c_ee63_e7a2_1595,
        "add_liquidity_by_weight",
        Emits::Nothing,
        Place::Pool(seats(1, 11, [5, 6], Some([7, 8]))),
    ),
    other(
        0x1a52_6698_f04a_691a,
        "remove_liquidity_by_range",
        Emits::Nothing,
        Place::Pool(seats(1, 11, [5, 6], Some([7, 8]))),
    ),
    other(0x5055_d148_18ce_b16c, "remove_liquidity", Emits::Nothing, Place::Pool(seats(1, 11, [5, 6], Some([7, 8])))),
    other(
        0x0a33_3d23_7069_1855,
        "remove_all_liquidity",
        Emits::Nothing,
        Place::Pool(seats(1, 11, [5, 6], Some([7, 8]))),
    ),
    other(0x493b_2478_ed53_6cc6, "initialize_lb_pair2", Emits::Nothing, Place::Pool(seats(0, 8, [4, 5], Some([2, 3])))),
    other(0x2d9a_edd2_dd0f_a65c, "initialize_lb_pair", Emits::Nothing, Place::Pool(seats(0, 8, [4, 5], Some([2, 3])))),
    other(
        0xf349_817e_3313_f16b,
        "initialize_customizable_permissionless_lb_pair2",
        Emits::Nothing,
        Place::Pool(seats(0, 8, [4, 5], Some([2, 3]))),
    ),
    other(
        0x2e27_2987_6fb7_c840,
        "initialize_customizable_permissionless_lb_pair",
        Emits::Nothing,
        Place::Pool(seats(0, 8, [4, 5], Some([2, 3]))),
    ),
    other(
        0x6c66_d555_fb03_3515,
        "initialize_permission_lb_pair",
        Emits::Nothing,
        Place::Pool(seats(1, 8, [5, 6], Some([3, 4]))),
    ),
    other(0x2905_eeaf_64e1_06cd, "add_liquidity_by_strategy_one_side", Emits::Nothing, Place::Half),
    other(0x5e9b_6797_465f_dca5, "add_liquidity_one_side", Emits::Nothing, Place::Half),
    other(0xa1c2_6754_ab47_fa9a, "add_liquidity_one_side_precise", Emits::Nothing, Place::Half),
    other(0x2133_a3c9_7562_7de7, "add_liquidity_one_side_precise2", Emits::Nothing, Place::Half),
    silent(0x849c_841f_4328_e861, "cancel_limit_order"),
    silent(0xa920_4f89_88e8_4689, "claim_fee"),
    silent(0x70bf_65ab_1c90_7fbb, "claim_fee2"),
    silent(0x955f_b5f2_5e5a_9ea2, "claim_reward"),
    silent(0xbe03_7f77_b257_9db7, "claim_reward2"),
    silent(0x44ae_5850_b5cc_13e0, "close_bin_array"),
    silent(0xb8d5_581f_b365_8224, "close_claim_fee_operator_account"),
    silent(0x397c_249b_7ef9_5dab, "close_limit_order_if_empty"),
    silent(0xab09_d54a_7817_031d, "close_operator_account"),
    silent(0x7b86_5100_3144_6262, "close_position"),
    silent(0xae5a_2373_ba28_93e2, "close_position2"),
    silent(0x3b7c_d476_5b98_6e9d, "close_position_if_empty"),
    silent(0x0494_9164_861a_b53d, "close_preset_parameter"),
    silent(0x2719_5f6b_7411_731c, "close_preset_parameter2"),
    silent(0x6c92_566e_b3fe_0a68, "close_token_badge"),
    silent(0xdd40_f695_f099_e5a3, "create_operator_account"),
    silent(0xc2db_8820_1960_6925, "decrease_position_length"),
    silent(0xb469_4550_5f32_496c, "for_idl_type_generation_do_not_call"),
    silent(0xbc32_f9a5_5d97_263f, "fund_reward"),
    silent(0x9248_aee0_28fd_54ae, "go_to_a_bin"),
    silent(0xbe3d_7d57_674f_9ead, "increase_oracle_length"),
    silent(0x5053_75d3_420d_2195, "increase_position_length"),
    silent(0xffd2_cc47_7389_e171, "increase_position_length2"),
    silent(0x2356_13b9_4ed4_4bd3, "initialize_bin_array"),
    silent(0x2f9d_e2b4_0cf0_2147, "initialize_bin_array_bitmap_extension"),
    silent(0xdbc0_ea47_bebf_6650, "initialize_position"),
    silent(0x8f13_f291_d50f_6873, "initialize_position2"),
    silent(0xfbbd_bef4_75fe_2394, "initialize_position_by_operator"),
    silent(0x2e52_7d92_558d_e499, "initialize_position_pda"),
    silent(0x42bc_47d3_626d_0eba, "initialize_preset_parameter"),
    silent(0x5f87_c0c4_f281_e644, "initialize_reward"),
    silent(0xfd4d_cd5f_1be0_59df, "initialize_token_badge"),
    silent(0x6cb0_21ba_92e5_01c5, "place_limit_order"),
    silent(0x5bf9_0fa5_1a81_fe7d, "set_activation_point"),
    silent(0x43f8_e789_9a95_d9ae, "set_pair_status"),
    silent(0x4e3b_98d3_46b7_2ed0, "set_pair_status_permissionless"),
    silent(0x543a_cb8b_a351_beba, "set_permissionless_operation_bits"),
    silent(0xa53d_c9f4_829f_1664, "set_pre_activation_duration"),
    silent(0x398b_2f7b_d850_df0a, "set_pre_activation_swap_address"),
    silent(0x4ba8_dfa1_10c3_032f, "update_base_fee_parameters"),
    silent(0x5ca1_2ef6_ffbd_1616, "update_dynamic_fee_parameters"),
    silent(0x208e_b89a_6741_b858, "update_fees_and_reward2"),
    silent(0x9ae6_fa0d_ecd1_4bdf, "update_fees_and_rewards"),
    silent(0xcab8_678f_b4bf_74d9, "update_position_operator"),
    silent(0x8aae_c4a9_d5eb_fe6b, "update_reward_duration"),
    silent(0xd31c_3020_d7a0_2317, "update_reward_funder"),
    silent(0x94ce_2ac3_f731_6708, "withdraw_ineligible_reward"),
    silent(0x9ec9_9ebd_215d_a267, "withdraw_protocol_fee"),
    silent(0xd59b_bb22_38b6_5bf0, "zap_protocol_fee"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(SWAP_2, "Swap2Evt", traded),
    swapped(SWAP, "Swap", traded_before),
    told(0x1f5e_7d5a_e334_3dba, "AddLiquidity", added),
    told(0x74f4_61e8_671f_983a, "RemoveLiquidity", removed),
    told(0x006d_75b3_3d5b_c7c8, "Rebalancing", rebalanced),
    told(0xb94a_fc7d_1bd7_bc6f, "LbPairCreate", opened),
    quiet(0x83ea_c285_090e_bdd1, "CancelLimitOrderEvt"),
    quiet(0x4b7a_9a30_8c4a_7ba3, "ClaimFee"),
    quiet(0xe8ab_f261_3a4d_232d, "ClaimFee2"),
    quiet(0x9474_86cc_16ab_555f, "ClaimReward"),
    quiet(0x1b8f_f421_502b_6e92, "ClaimReward2"),
    quiet(0x8e87_084c_5c3f_7653, "CloseLimitOrderEvt"),
    quiet(0x8097_7b6a_1166_718e, "CompositionFee"),
    quiet(0x3476_eb55_aca9_0f80, "DecreasePositionLength"),
    quiet(0x5858_b287_c292_5bf3, "DynamicFeeParameterUpdate"),
    quiet(0x304c_f175_90d7_f22c, "FeeParameterUpdate"),
    quiet(0xf6e4_3a82_91aa_4fcc, "FundReward"),
    quiet(0x3b8a_4c44_8a83_b043, "GoToABin"),
    quiet(0x63f9_1179_a69c_cfd7, "IncreaseObservation"),
    quiet(0x9def_2acc_1e38_df2e, "IncreasePositionLength"),
    quiet(0xd399_583e_953c_b146, "InitializeReward"),
    quiet(0x2b4f_1ba9_f41c_e13f, "PlaceLimitOrderEvt"),
    quiet(0xffc4_106b_1cca_3580, "PositionClose"),
    quiet(0x908e_fc54_9d35_2579, "PositionCreate"),
    quiet(0xc3e5_93f5_1d7d_30a8, "SetPositionPermissionlessOperationBitsEvt"),
    quiet(0x85d6_42e0_400c_07bf, "UpdatePositionLockReleasePoint"),
    quiet(0x2773_30cc_f62f_4239, "UpdatePositionOperator"),
    quiet(0xdff5_e099_311d_a3ac, "UpdateRewardDuration"),
    quiet(0xe0b2_ae4a_fca5_55b4, "UpdateRewardFunder"),
    quiet(0xe7bd_4195_66d7_9af4, "WithdrawIneligibleReward"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.12.0 of the day 2026-10-08 (sol-parser-sdk 0.11.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    moves::swapped(Venue::MeteoraDlmm, parent)
}

/// What both events of a swap say, and who the event says swapped.
fn trade(told: &Told, user: Wallet, parent: &Parent<'_>) -> Option<EventKind> {
    let swap = told.at(&parent.seats(Some(told.pool))?, parent)?;
    Some(EventKind::Trade(Swap { user, ..swap }.trade(parent)))
}

fn stated(in_x: bool, lp: Option<u64>, protocol: Option<u64>, host: Option<u64>) -> Fees {
    let stated = [(FeeKind::Lp, lp, None), (FeeKind::Protocol, protocol, None), (FeeKind::Share, host, None)];
    fees_in([(in_x, stated)].into_iter())
}

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let (pool, user) = (c.key()?, c.key()?);
    c.skip(2 * 4); // bins
    let x_comes_in = c.bool()?;
    c.skip(16); // fee_bps, which is no basis points
    let input = c.u64()?;
    c.skip(8); // amount_left
    let output = c.u64()?;
    // From here on every field may be absent.
    let (makers, protocol, limit_orders, host) = (c.u64(), c.u64(), c.u64(), c.u64());
    c.skip(1); // fees_on_input
    let in_x = c.bool().unwrap_or(x_comes_in);
    let lp = makers.map(|makers| makers.saturating_add(limit_orders.unwrap_or(0)));
    let (venue, fees) = (Venue::MeteoraDlmm, stated(in_x, lp, protocol, host));
    let told = Told { venue, pool, base_in: x_comes_in, input, output, fees, sqrt_price: None };
    Some(Read::of(trade(&told, user, parent)?, None, c))
}

fn traded_before(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let (pool, user) = (c.key()?, c.key()?);
    c.skip(2 * 4); // bins
    let (input, output) = (c.u64()?, c.u64()?);
    let x_comes_in = c.bool()?;
    // From here on every field may be absent.
    let (all, protocol) = (c.u64(), c.u64());
    c.skip(16); // fee_bps, which is no basis points
    let host = c.u64();
    let others = protocol.unwrap_or(0).saturating_add(host.unwrap_or(0));
    let lp = all.map(|all| all.saturating_sub(others));
    let (venue, fees) = (Venue::MeteoraDlmm, stated(x_comes_in, lp, protocol, host));
    let told = Told { venue, pool, base_in: x_comes_in, input, output, fees, sqrt_price: None };
    Some(Read::of(trade(&told, user, parent)?, None, c))
}

fn change(
    pool: Pool,
    user: Wallet,
    parent: &Parent<'_>,
    action: LiquidityAction,
    amounts: [u64; 2],
) -> Option<EventKind> {
    let mints = parent.mints_of(pool)?;
    let (venue, lp_amount, reserves_before) = (Venue::MeteoraDlmm, None, None);
    Some(Change { venue, pool, user, mints, action, amounts, lp_amount, reserves_before }.event())
}

fn changed(mut c: Cursor<'_>, parent: &Parent<'_>, action: LiquidityAction) -> Option<Read> {
    let (pool, user) = (c.key()?, c.key()?);
    c.skip(32); // position
    let amounts = [c.u64()?, c.u64()?];
    c.skip(4); // active_bin_id
    Some(Read::of(change(pool, user, parent, action, amounts)?, None, c))
}

fn added(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    changed(c, parent, LiquidityAction::Deposit)
}

fn removed(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    changed(c, parent, LiquidityAction::Withdraw)
}

fn rebalanced(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    c.skip(32); // position
    let user = c.key()?;
    c.skip(4); // active_bin_id
    let (x_taken, x_put, y_taken, y_put) = (c.u64()?, c.u64()?, c.u64()?, c.u64()?);
    c.skip(2 * 8 + 4 * 4 + 2 * 8); // fees, bins, rewards
    let taken = change(pool, user, parent, LiquidityAction::Withdraw, [x_taken, y_taken])?;
    let put = change(pool, user, parent, LiquidityAction::Deposit, [x_put, y_put]);
    Some(Read { also: put.map(Box::new), ..Read::of(taken, None, c) })
}

fn opened(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    c.skip(2); // bin_step
    let mints: [Mint; 2] = [c.key()?, c.key()?];
    let user = parent.account(parent.seats(Some(pool))?.user)?;
    let (venue, amounts, decimals) = (Venue::MeteoraDlmm, [0, 0], [None, None]);
    Some(Read::of(Opening { venue, pool, user, mints, amounts, lp_amount: None, decimals }.event(), None, c))
}
