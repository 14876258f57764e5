//! Raydium CLMM: its instructions and logged events. Liquidity is concentrated, so there are no reserves; the price is stated.

use super::{
    amm::{Change, Opening, Told, turned},
    cursor::Cursor,
    event::{EventKind, FeeKind, LiquidityAction, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Seats, Spec, Table, directed, fees_in, other, quiet,
        seats, silent, swap, swapped, told,
    },
};
use crate::chain::ids::{Mint, Pool, Wallet};

/// Accounts of the router's instruction before those of its hops.
const ROUTER_ACCOUNTS: usize = 6;

const SWAP: Discriminator = 0x40c6_cde8_2608_71e2;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(
        0x2b04_ed0b_1ac9_1e62,
        "swap_v2",
        Emits::One(SWAP),
        Place::Pool(directed(2, 0, [5, 6], Some([11, 12]))),
        Bound::Flagged,
    ),
    swap(0xf8c6_9e91_e175_87c8, "swap", Emits::One(SWAP), Place::Pool(directed(2, 0, [5, 6], None)), Bound::Flagged),
    other(0x457d_73da_f5ba_f2c4, "swap_router_base_in", Emits::One(SWAP), Place::Nowhere),
    other(
        0x851d_59df_45ee_b00a,
        "increase_liquidity_v2",
        Emits::Nothing,
        Place::Pool(seats(2, 0, [9, 10], Some([13, 14]))),
    ),
    other(
        0x3a7f_bc3e_4f52_c460,
        "decrease_liquidity_v2",
        Emits::Nothing,
        Place::Pool(seats(3, 0, [5, 6], Some([14, 15]))),
    ),
    other(0x2e9c_f376_0dcd_fbb2, "increase_liquidity", Emits::Nothing, Place::Pool(seats(2, 0, [9, 10], None))),
    other(0xa026_d06f_685b_2c01, "decrease_liquidity", Emits::Nothing, Place::Pool(seats(3, 0, [5, 6], None))),
    other(
        0x4dff_ae52_7d1d_c92e,
        "open_position_with_token22_nft",
        Emits::Nothing,
        Place::Pool(seats(4, 0, [11, 12], Some([18, 19]))),
    ),
    other(
        0x4db8_4ad6_7056_f1c7,
        "open_position_v2",
        Emits::Nothing,
        Place::Pool(seats(5, 0, [12, 13], Some([20, 21]))),
    ),
    other(0x8780_2f4d_0f98_f031, "open_position", Emits::Nothing, Place::Pool(seats(5, 0, [12, 13], None))),
    other(0xe992_d18e_cf68_40bc, "create_pool", Emits::Nothing, Place::Pool(seats(2, 0, [5, 6], Some([3, 4])))),
    other(
        0x2b44_d4a7_592f_a401,
        "create_customizable_pool",
        Emits::Nothing,
        Place::Pool(seats(2, 0, [5, 6], Some([3, 4]))),
    ),
    silent(0x4c7c_800f_d557_25fa, "close_limit_order"),
    silent(0x7b86_5100_3144_6262, "close_position"),
    silent(0xc975_9890_5555_6cb2, "close_protocol_position"),
    silent(0xa78a_4e95_dfc2_067e, "collect_fund_fee"),
    silent(0x8888_fcdd_c242_7e59, "collect_protocol_fee"),
    silent(0x12ed_a6c5_2210_d590, "collect_remaining_rewards"),
    silent(0x8934_edd4_d775_6c68, "create_amm_config"),
    silent(0xbd0e_b578_5576_e33e, "create_dynamic_fee_config"),
    silent(0x3f57_9421_6d23_0868, "create_operation_account"),
    silent(0x11fb_415c_88f2_0ea9, "create_support_mint_associated"),
    silent(0x759d_3c67_4231_a300, "decrease_limit_order"),
    silent(0xb190_59ec_faba_7d63, "increase_limit_order"),
    silent(0x5f87_c0c4_f281_e644, "initialize_reward"),
    silent(0x9d20_dab7_471d_1293, "open_limit_order"),
    silent(0x7034_a74b_20c9_d389, "set_reward_params"),
    silent(0xcd4e_7421_5c69_1a60, "settle_limit_order"),
    silent(0x0716_0c53_f22b_3079, "transfer_reward_owner"),
    silent(0x313c_ae88_9a1c_74c8, "update_amm_config"),
    silent(0x0707_5008_02c7_84f0, "update_dynamic_fee_config"),
    silent(0x7f46_7728_bce3_3d07, "update_operation_account"),
    silent(0x8257_6c06_2ee0_757b, "update_pool_status"),
    silent(0xa3ac_e034_0b9a_6adf, "update_reward_infos"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(SWAP, "SwapEvent", traded),
    told(0x314f_69d4_2022_1e54, "IncreaseLiquidityEvent", increased),
    told(0x3ade_563a_4432_5538, "DecreaseLiquidityEvent", decreased),
    told(0x641e_57f9_c4df_9ace, "CreatePersonalPositionEvent", position_opened),
    told(0x195e_4b2f_7063_353f, "PoolCreatedEvent", opened),
    quiet(0xa6ae_69c0_51a1_5369, "CollectPersonalFeeEvent"),
    quiet(0xce57_114f_2d29_d53d, "CollectProtocolFeeEvent"),
    quiet(0xf7bd_0777_6a70_5f97, "ConfigChangeEvent"),
    quiet(0x4630_28dd_dbed_d4a3, "DecreaseLimitOrderEvent"),
    quiet(0x0b78_0dcc_c757_13c8, "IncreaseLimitOrderEvent"),
    quiet(0xed70_94e6_3954_b4a2, "LiquidityCalculateEvent"),
    quiet(0x7ef0_afce_9e58_996b, "LiquidityChangeEvent"),
    quiet(0x6a18_4755_39a9_9ed8, "OpenLimitOrderEvent"),
    quiet(0x5877_4da4_7d7c_0ac2, "SettleLimitOrderEvent"),
    quiet(0x6d7f_ba4e_7241_25ec, "UpdateRewardInfosEvent"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.1.0 of the day 2026-10-08 (sol-parser-sdk 0.11.0), `SwapEvent` with the two fees that mainnet appends",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    moves::swapped(Venue::RaydiumClmm, parent)
}

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool: Pool = c.key()?;
    c.skip(3 * 32); // sender, token accounts
    let amount_0 = c.u64()?;
    let transfer_0 = c.u64()?;
    let amount_1 = c.u64()?;
    let transfer_1 = c.u64()?;
    let zero_for_one = c.bool()?;
    let sqrt_price = c.u128()?;
    // From here on every field may be absent.
    c.skip(16 + 4); // liquidity, tick
    let (fee_0, fee_1) = (c.u64(), c.u64());
    let seats = parent.seats(Some(pool)).or_else(|| hop(pool, parent))?;
    let [input, output] = turned([amount_0, amount_1], !zero_for_one);
    let told = Told {
        venue: Venue::RaydiumClmm,
        pool,
        base_in: zero_for_one,
        input,
        output,
        fees: fees_in(
            [
                (true, [(FeeKind::Lp, fee_0, None), (FeeKind::Transfer, Some(transfer_0), None)]),
                (false, [(FeeKind::Lp, fee_1, None), (FeeKind::Transfer, Some(transfer_1), None)]),
            ]
            .into_iter(),
        ),
        sqrt_price: Some(sqrt_price),
    };
    Some(Read::of(EventKind::Trade(told.at(&seats, parent)?.trade(parent)), None, c))
}

/// A pool among the accounts of the router: its vaults follow behind the user's output account.
fn hop(pool: Pool, parent: &Parent<'_>) -> Option<Seats> {
    let at = (ROUTER_ACCOUNTS..parent.call.account_count()).find(|at| parent.account(*at) == Some(pool))?;
    Some(directed(at, 0, [at + 2, at + 3], None))
}

fn liquidity(parent: &Parent<'_>, action: LiquidityAction, amounts: [u64; 2], c: Cursor<'_>) -> Option<Read> {
    let seats = parent.seats(None)?;
    let change = Change {
        venue: Venue::RaydiumClmm,
        pool: parent.account(seats.pool)?,
        user: parent.account(seats.user)?,
        mints: parent.mints(&seats)?,
        action,
        amounts,
        lp_amount: None,
        reserves_before: None,
    };
    Some(Read::of(change.event(), None, c))
}

fn increased(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    c.skip(32 + 16); // position, liquidity
    let amounts = [c.u64()?, c.u64()?];
    c.skip(16); // transfer fees
    liquidity(parent, LiquidityAction::Deposit, amounts, c)
}

fn decreased(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    c.skip(32 + 16); // position, liquidity
    let amounts = [c.u64()?, c.u64()?];
    c.skip(16 + 24 + 16); // fees, rewards, transfer fees
    liquidity(parent, LiquidityAction::Withdraw, amounts, c)
}

fn position_opened(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    c.skip(3 * 32 + 8 + 16); // pool, minter, owner, ticks, liquidity
    let amounts = [c.u64()?, c.u64()?];
    c.skip(16); // transfer fees
    liquidity(parent, LiquidityAction::Deposit, amounts, c)
}

fn opened(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let mints: [Mint; 2] = [c.key()?, c.key()?];
    c.skip(2); // tick_spacing
    let pool = c.key()?;
    c.skip(16 + 4 + 2 * 32); // price, tick, vaults
    let user: Wallet = parent.account(0)?;
    let seats = parent.seats(Some(pool));
    let decimals = seats.map_or([None, None], |seats| seats.vaults.map(|vault| parent.decimals(vault)));
    let opening = Opening { venue: Venue::RaydiumClmm, pool, user, mints, amounts: [0, 0], lp_amount: None, decimals };
    Some(Read::of(opening.event(), None, c))
}
