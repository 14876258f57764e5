//! Meteora DAMM v2: its instructions and self-CPI events. Liquidity is concentrated, so there are no reserves to price by.

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

const SWAP_SEATS: Place = Place::Pool(seats(1, 8, [4, 5], Some([6, 7])));
/// What collects fees from both tokens, not only from the second.
const FEES_ON_BOTH: u8 = 0;

/// What older versions emitted.
const SWAP: Discriminator = 0x1b3c_15d5_8aaa_bb93;
const SWAP_2: Discriminator = 0xbd42_33a8_2650_7599;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(0xf8c6_9e91_e175_87c8, "swap", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::MinOut(16)),
    swap(0x414b_3f4c_eb5b_5b88, "swap2", Emits::Newer(SWAP_2, SWAP), SWAP_SEATS, Bound::Mode),
    other(0xb59d_5943_8fb6_3448, "add_liquidity", Emits::Nothing, Place::Pool(seats(0, 9, [4, 5], Some([6, 7])))),
    other(0x5055_d148_18ce_b16c, "remove_liquidity", Emits::Nothing, Place::Pool(seats(1, 10, [5, 6], Some([7, 8])))),
    other(
        0x0a33_3d23_7069_1855,
        "remove_all_liquidity",
        Emits::Nothing,
        Place::Pool(seats(1, 10, [5, 6], Some([7, 8]))),
    ),
    other(0x5fb4_0aac_54ae_e828, "initialize_pool", Emits::Nothing, Place::Pool(seats(6, 0, [10, 11], Some([8, 9])))),
    other(
        0x14a1_f118_bddd_b402,
        "initialize_customizable_pool",
        Emits::Nothing,
        Place::Pool(seats(5, 0, [9, 10], Some([7, 8]))),
    ),
    other(
        0x9552_48c5_fdfc_440f,
        "initialize_pool_with_dynamic_config",
        Emits::Nothing,
        Place::Pool(seats(7, 0, [11, 12], Some([9, 10]))),
    ),
    silent(0xb426_9a11_8521_a2d3, "claim_position_fee"),
    silent(0xebc2_3645_410a_ec70, "claim_protocol_fee2"),
    silent(0x955f_b5f2_5e5a_9ea2, "claim_reward"),
    silent(0x9109_489d_5f7d_3d55, "close_config"),
    silent(0xab09_d54a_7817_031d, "close_operator_account"),
    silent(0x7b86_5100_3144_6262, "close_position"),
    silent(0x6c92_566e_b3fe_0a68, "close_token_badge"),
    silent(0xc9cf_f372_4b6f_2fbd, "create_config"),
    silent(0x51fb_7a4e_4239_d052, "create_dynamic_config"),
    silent(0xdd40_f695_f099_e5a3, "create_operator_account"),
    silent(0x30d7_c599_60cb_b485, "create_position"),
    silent(0x58ce_005b_3caf_9776, "create_token_badge"),
    silent(0xea5f_b0b9_072a_239f, "dummy_ix"),
    silent(0x261e_d851_fab1_f3fe, "fix_config_fee_params"),
    silent(0x8462_51c4_2c3a_78c1, "fix_pool_fee_params"),
    silent(0xa69e_4523_51a7_c8d7, "fix_pool_layout_version"),
    silent(0xbc32_f9a5_5d97_263f, "fund_reward"),
    silent(0x5f87_c0c4_f281_e644, "initialize_reward"),
    silent(0x4813_31cc_127a_175a, "lock_inner_position"),
    silent(0xe33e_02fc_f70a_abb9, "lock_position"),
    silent(0xa5b0_7d06_e7ab_bad5, "permanent_lock_position"),
    silent(0x095e_d80e_74cc_f700, "refresh_vesting"),
    silent(0x7057_87df_53cc_8435, "set_pool_status"),
    silent(0xacf1_dd8a_a11d_fd2a, "split_position"),
    silent(0xdd93_e4cf_8cd4_1177, "split_position2"),
    silent(0xafa5_3840_00fb_592f, "update_delegate_permission"),
    silent(0x76d9_cbb3_3c08_4659, "update_pool_fees"),
    silent(0x8aae_c4a9_d5eb_fe6b, "update_reward_duration"),
    silent(0xd31c_3020_d7a0_2317, "update_reward_funder"),
    silent(0x7963_e05b_b20e_1684, "withdraw_dead_liquidity_reward"),
    silent(0x94ce_2ac3_f731_6708, "withdraw_ineligible_reward"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(SWAP_2, "EvtSwap2", traded),
    swapped(SWAP, "EvtSwap", traded_before),
    told(0xc5ab_4e7f_e0d3_570d, "EvtLiquidityChange", changed),
    told(0xe432_f655_cb42_8625, "EvtInitializePool", opened),
    quiet(0xc6b6_b734_610c_3138, "EvtClaimPositionFee"),
    quiet(0xbb85_4209_cda1_540d, "EvtClaimProtocolFee2"),
    quiet(0xda56_93c8_ebbc_d7e7, "EvtClaimReward"),
    quiet(0x241e_ef2d_3a84_0e05, "EvtCloseConfig"),
    quiet(0x1491_9044_8f8e_d6b2, "EvtClosePosition"),
    quiet(0x83cf_b4ae_b449_a536, "EvtCreateConfig"),
    quiet(0xe7c5_0da4_f8d5_8598, "EvtCreateDynamicConfig"),
    quiet(0x9c0f_77c6_1db5_dd37, "EvtCreatePosition"),
    quiet(0x8d78_8674_221c_72a0, "EvtCreateTokenBadge"),
    quiet(0x68e9_ed7a_c7bf_7955, "EvtFundReward"),
    quiet(0x815b_bc03_f634_b9f9, "EvtInitializeReward"),
    quiet(0xa83f_6c53_db52_02c8, "EvtLockPosition"),
    quiet(0x918f_a2da_da50_430b, "EvtPermanentLockPosition"),
    quiet(0x64d5_4a03_5f5b_e492, "EvtSetPoolStatus"),
    quiet(0xa520_cbae_4864_e967, "EvtSplitPosition2"),
    quiet(0xe875_beda_55a2_cf4e, "EvtSplitPosition3"),
    quiet(0x42bc_4b97_96e8_575d, "EvtUpdateDelegatePermission"),
    quiet(0x4ca5_f666_66d9_9c2c, "EvtUpdatePoolFees"),
    quiet(0x9587_41e7_8199_4139, "EvtUpdateRewardDuration"),
    quiet(0x4c9a_d00d_2873_f692, "EvtUpdateRewardFunder"),
    quiet(0xe442_96c3_2a3e_a30d, "EvtWithdrawDeadLiquidityReward"),
    quiet(0xf8d7_b84e_1fb4_b3a8, "EvtWithdrawIneligibleReward"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.2.5 of the day 2026-10-08 (sol-parser-sdk 0.11.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    moves::swapped(Venue::MeteoraDammV2, parent)
}

/// 0 is a → b, 1 is b → a.
fn a_comes_in(direction: u8) -> Option<bool> {
    (direction < 2).then_some(direction == 0)
}

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    let a_comes_in = a_comes_in(c.u8()?)?;
    let fees_on = c.u8()?;
    c.skip(1 + 17); // has_referral, params
    let input = c.u64()?;
    c.skip(16); // the input without fees, amount_left
    let output = c.u64()?;
    let sqrt_price = c.u128()?;
    let (claimed, protocol) = (c.u64()?, c.u64()?);
    // From here on every field may be absent.
    let (compounded, share) = (c.u64(), c.u64());
    c.skip(3 * 8); // with and without transfer fees
    let timestamp = c.i64();
    c.skip(2 * 8); // reserves, of which the event does not say whether before or after
    // Fees on both tokens are taken from the output.
    let in_a = fees_on == FEES_ON_BOTH && !a_comes_in;
    let lp = Some(claimed.saturating_add(compounded.unwrap_or(0)));
    let stated = [(FeeKind::Lp, lp, None), (FeeKind::Protocol, Some(protocol), None), (FeeKind::Share, share, None)];
    let fees = fees_in([(in_a, stated)].into_iter());
    let (venue, sqrt_price) = (Venue::MeteoraDammV2, Some(sqrt_price));
    let told = Told { venue, pool, base_in: a_comes_in, input, output, fees, sqrt_price };
    Some(Read::of(EventKind::Trade(told.trade(parent)?), timestamp, c))
}

fn traded_before(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    let a_comes_in = a_comes_in(c.u8()?)?;
    c.skip(1 + 16); // has_referral, params
    let output = c.u64()?;
    let sqrt_price = c.u128()?;
    let (lp, protocol, partner, share) = (c.u64()?, c.u64()?, c.u64()?, c.u64()?);
    let input = c.u64()?;
    let timestamp = c.i64();
    // This form does not say from which token: only pools that take them from the second existed besides those on both.
    let stated = [
        (FeeKind::Lp, Some(lp), None),
        (FeeKind::Protocol, Some(protocol), None),
        (FeeKind::Platform, Some(partner), None),
        (FeeKind::Share, Some(share), None),
    ];
    let fees = fees_in([(false, stated)].into_iter());
    let (venue, sqrt_price) = (Venue::MeteoraDammV2, Some(sqrt_price));
    let told = Told { venue, pool, base_in: a_comes_in, input, output, fees, sqrt_price };
    Some(Read::of(EventKind::Trade(told.trade(parent)?), timestamp, c))
}

fn changed(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    c.skip(32); // position
    let user = c.key()?;
    let amounts = [c.u64()?, c.u64()?];
    c.skip(4 * 8 + 16 + 2 * 8); // with transfer fees, reserves, liquidity, thresholds
    let action = match c.u8()? {
        0 => LiquidityAction::Deposit,
        1 => LiquidityAction::Withdraw,
        _ => return None,
    };
    let mints = parent.mints(&parent.seats(Some(pool))?)?;
    let (venue, lp_amount, reserves_before) = (Venue::MeteoraDammV2, None, None);
    let change = Change { venue, pool, user, mints, action, amounts, lp_amount, reserves_before };
    Some(Read::of(change.event(), None, c))
}

fn opened(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    let mints: [Mint; 2] = [c.key()?, c.key()?];
    let user = c.key()?;
    let seats = parent.seats(Some(pool))?;
    // The amounts stand behind fields of unknown length: the transfers say the same.
    c.skip(c.left());
    let opening = Opening {
        venue: Venue::MeteoraDammV2,
        pool,
        user,
        mints,
        amounts: moves::moved_into(parent, seats.vaults)?,
        lp_amount: None,
        decimals: seats.vaults.map(|vault| parent.decimals(vault)),
    };
    Some(Read::of(opening.event(), None, c))
}
