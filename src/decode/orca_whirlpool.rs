//! Orca Whirlpool: its instructions and logged events. Liquidity is concentrated, so there are no reserves; the price is stated.

use super::{
    amm::{Change, Opening, Told},
    cursor::Cursor,
    event::{EventKind, FeeKind, LiquidityAction, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Spec, Table, directed, fees_in, other, quiet, seats,
        silent, swap, swapped, told,
    },
};
use crate::chain::ids::{Mint, Pool};

const LIQUIDITY_V2: Place = Place::Pool(seats(0, 4, [11, 12], Some([7, 8])));

const TRADED: Discriminator = 0xe1ca_49af_932b_a096;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(
        0x2b04_ed0b_1ac9_1e62,
        "swap_v2",
        Emits::One(TRADED),
        Place::Pool(seats(4, 3, [8, 10], Some([5, 6]))),
        Bound::Flagged,
    ),
    swap(0xf8c6_9e91_e175_87c8, "swap", Emits::One(TRADED), Place::Pool(seats(2, 1, [4, 6], None)), Bound::Flagged),
    other(
        0xba8f_d11d_fe02_c275,
        "two_hop_swap_v2",
        Emits::Twice(TRADED),
        Place::Two(directed(0, 14, [9, 10], Some([2, 3])), directed(1, 14, [11, 12], Some([3, 4]))),
    ),
    other(
        0xc360_ed6c_44a2_dbe6,
        "two_hop_swap",
        Emits::Twice(TRADED),
        Place::Two(seats(2, 1, [5, 7], None), seats(3, 1, [9, 11], None)),
    ),
    other(0x851d_59df_45ee_b00a, "increase_liquidity_v2", Emits::Nothing, LIQUIDITY_V2),
    other(0x3a7f_bc3e_4f52_c460, "decrease_liquidity_v2", Emits::Nothing, LIQUIDITY_V2),
    other(0xeffb_097c_d2c6_352b, "increase_liquidity_by_token_amounts_v2", Emits::Nothing, LIQUIDITY_V2),
    other(0x2e9c_f376_0dcd_fbb2, "increase_liquidity", Emits::Nothing, Place::Pool(seats(0, 2, [7, 8], None))),
    other(0xa026_d06f_685b_2c01, "decrease_liquidity", Emits::Nothing, Place::Pool(seats(0, 2, [7, 8], None))),
    other(
        0xbfa9_e00b_8313_9efd,
        "reposition_liquidity_v2",
        Emits::Nothing,
        Place::Pool(seats(0, 4, [12, 13], Some([8, 9]))),
    ),
    other(0x5fb4_0aac_54ae_e828, "initialize_pool", Emits::Nothing, Place::Pool(seats(4, 3, [5, 6], Some([1, 2])))),
    other(0xcf2d_57f2_1b3f_cc43, "initialize_pool_v2", Emits::Nothing, Place::Pool(seats(6, 5, [7, 8], Some([1, 2])))),
    other(
        0x8f5e_604c_ac7c_77c7,
        "initialize_pool_with_adaptive_fee",
        Emits::Nothing,
        Place::Pool(seats(7, 5, [9, 10], Some([1, 2]))),
    ),
    silent(0x2924_d8f5_1b55_6743, "close_bundled_position"),
    silent(0x7b86_5100_3144_6262, "close_position"),
    silent(0x01b6_873b_9b19_63df, "close_position_with_token_extensions"),
    silent(0xa498_cf63_1eba_13b6, "collect_fees"),
    silent(0xcf75_5fbf_e5b4_e20f, "collect_fees_v2"),
    silent(0x1643_1762_96b2_46dc, "collect_protocol_fees"),
    silent(0x6780_de86_72c8_16c8, "collect_protocol_fees_v2"),
    silent(0x4605_8457_56eb_b122, "collect_reward"),
    silent(0xb16b_25b4_a013_31d1, "collect_reward_v2"),
    silent(0x6419_6302_d9ef_7cad, "delete_position_bundle"),
    silent(0x3592_4408_1275_11b9, "delete_token_badge"),
    silent(0xdffd_7979_3cc1_811f, "idl_include"),
    silent(0x4d63_d0c8_8d7b_7530, "initialize_adaptive_fee_tier"),
    silent(0xd07f_1501_c2be_c446, "initialize_config"),
    silent(0x3709_3509_7239_d134, "initialize_config_extension"),
    silent(0x2921_a5c8_78e7_8e32, "initialize_dynamic_tick_array"),
    silent(0xb74a_9ca0_7002_2a1e, "initialize_fee_tier"),
    silent(0x752d_f195_1812_c241, "initialize_position_bundle"),
    silent(0x5d7c_10b3_f983_73f5, "initialize_position_bundle_with_metadata"),
    silent(0x5f87_c0c4_f281_e644, "initialize_reward"),
    silent(0x5b01_4d32_ebe5_8531, "initialize_reward_v2"),
    silent(0x0bbc_c1d6_8d5b_95b8, "initialize_tick_array"),
    silent(0xfd4d_cd5f_1be0_59df, "initialize_token_badge"),
    silent(0xe33e_02fc_f70a_abb9, "lock_position"),
    silent(0xd6a1_f84f_9862_ace7, "migrate_repurpose_reward_authority_space"),
    silent(0xa971_7eab_d5ac_d431, "open_bundled_position"),
    silent(0x8780_2f4d_0f98_f031, "open_position"),
    silent(0xf21d_8630_3a6e_0e3c, "open_position_with_metadata"),
    silent(0xd42f_5f5c_7266_83fa, "open_position_with_token_extensions"),
    silent(0xa47b_b48d_c264_a0af, "reset_position_range"),
    silent(0x859e_d4bd_ed0c_4927, "set_adaptive_fee_constants"),
    silent(0x2296_5df4_8be1_e943, "set_collect_protocol_fees_authority"),
    silent(0x2c5e_f174_18bc_3c8f, "set_config_extension_authority"),
    silent(0x47ad_e412_43f7_d239, "set_config_feature_flag"),
    silent(0xe542_54fb_a486_b707, "set_default_base_fee_rate"),
    silent(0x76d7_d69d_b6e5_d0e4, "set_default_fee_rate"),
    silent(0x6bcd_f9e2_9723_5600, "set_default_protocol_fee_rate"),
    silent(0xc1ea_e793_8a39_037a, "set_delegated_fee_authority"),
    silent(0x1f01_3257_ed65_6184, "set_fee_authority"),
    silent(0x35f3_8941_088c_9e06, "set_fee_rate"),
    silent(0x7979_3672_83e6_a268, "set_fee_rate_by_delegated_fee_authority"),
    silent(0x7d2b_7feb_951a_6aec, "set_initialize_pool_authority"),
    silent(0x84b9_4294_5358_86c6, "set_preset_adaptive_fee_constants"),
    silent(0x5f07_0432_9a4f_9c83, "set_protocol_fee_rate"),
    silent(0x2227_b7fc_531c_557f, "set_reward_authority"),
    silent(0xf09a_c9c6_945d_3819, "set_reward_authority_by_super_authority"),
    silent(0x0dc5_56a8_6db0_1bf4, "set_reward_emissions"),
    silent(0xcf05_c8d1_7a38_52b7, "set_reward_emissions_super_authority"),
    silent(0x72e4_4820_c130_a066, "set_reward_emissions_v2"),
    silent(0xe058_4121_8a93_f689, "set_token_badge_attribute"),
    silent(0xcfca_0420_cd4f_0db2, "set_token_badge_authority"),
    silent(0xb379_e52e_438a_c28a, "transfer_locked_position"),
    silent(0x9ae6_fa0d_ecd1_4bdf, "update_fees_and_rewards"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(TRADED, "Traded", traded),
    told(0x1e07_90b5_66fe_9ba1, "LiquidityIncreased", increased),
    told(0xa601_2447_70ca_b5ab, "LiquidityDecreased", decreased),
    told(0x5f82_b584_fb32_c326, "LiquidityRepositioned", repositioned),
    told(0x6476_ad57_0cc6_fee5, "PoolInitialized", opened),
    quiet(0xedaf_f3e6_9375_6579, "PositionOpened"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.9.0 of the day 2026-10-08 (sol-parser-sdk 0.11.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    let Place::Two(first, second) = parent.spec?.place else {
        return moves::swapped(Venue::OrcaWhirlpool, parent);
    };
    let first = moves::swapped_at(Venue::OrcaWhirlpool, parent, first)?;
    let second = moves::swapped_at(Venue::OrcaWhirlpool, parent, second)?;
    Some(Read { also: Some(Box::new(second)), ..Read::unsaid(first) })
}

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool: Pool = c.key()?;
    let a_to_b = c.bool()?;
    c.skip(16); // pre_sqrt_price
    let sqrt_price = c.u128()?;
    let (input, output) = (c.u64()?, c.u64()?);
    // From here on every field may be absent.
    let (transfer_in, transfer_out) = (c.u64(), c.u64());
    let (lp, protocol) = (c.u64(), c.u64());
    let told = Told {
        venue: Venue::OrcaWhirlpool,
        pool,
        base_in: a_to_b,
        input,
        output,
        fees: fees_in(
            [
                (
                    a_to_b,
                    [
                        (FeeKind::Lp, lp, None),
                        (FeeKind::Protocol, protocol, None),
                        (FeeKind::Transfer, transfer_in, None),
                    ],
                ),
                (
                    !a_to_b,
                    [
                        (FeeKind::Lp, None, None),
                        (FeeKind::Protocol, None, None),
                        (FeeKind::Transfer, transfer_out, None),
                    ],
                ),
            ]
            .into_iter(),
        ),
        sqrt_price: Some(sqrt_price),
    };
    Some(Read::of(EventKind::Trade(told.trade(parent)?), None, c))
}

fn liquidity(pool: Pool, parent: &Parent<'_>, action: LiquidityAction, amounts: [u64; 2]) -> Option<EventKind> {
    let seats = parent.seats(Some(pool))?;
    let (user, mints) = (parent.account(seats.user)?, parent.mints(&seats)?);
    let (venue, lp_amount, reserves_before) = (Venue::OrcaWhirlpool, None, None);
    Some(Change { venue, pool, user, mints, action, amounts, lp_amount, reserves_before }.event())
}

fn changed(mut c: Cursor<'_>, parent: &Parent<'_>, action: LiquidityAction) -> Option<Read> {
    let pool = c.key()?;
    c.skip(32 + 8 + 16); // position, ticks, liquidity
    let amounts = [c.u64()?, c.u64()?];
    c.skip(16); // transfer fees
    Some(Read::of(liquidity(pool, parent, action, amounts)?, None, c))
}

fn increased(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    changed(c, parent, LiquidityAction::Deposit)
}

fn decreased(c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    changed(c, parent, LiquidityAction::Withdraw)
}

/// All liquidity of a position leaves one range and goes to another.
fn repositioned(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    c.skip(32 + 4 * 4 + 2 * 16); // position, ticks, liquidity
    let (taken, put) = ([c.u64()?, c.u64()?], [c.u64()?, c.u64()?]);
    c.skip(2 * (8 + 8 + 1)); // what moved from or to the owner
    let taken = liquidity(pool, parent, LiquidityAction::Withdraw, taken)?;
    let put = liquidity(pool, parent, LiquidityAction::Deposit, put);
    Some(Read { also: put.map(Box::new), ..Read::of(taken, None, c) })
}

fn opened(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool = c.key()?;
    c.skip(32); // whirlpools_config
    let mints: [Mint; 2] = [c.key()?, c.key()?];
    c.skip(2 + 2 * 32); // tick_spacing, token programs
    let decimals = [Some(c.u8()?), Some(c.u8()?)];
    c.skip(16); // price
    let user = parent.account(parent.seats(Some(pool))?.user)?;
    let opening =
        Opening { venue: Venue::OrcaWhirlpool, pool, user, mints, amounts: [0, 0], lp_amount: None, decimals };
    Some(Read::of(opening.event(), None, c))
}
