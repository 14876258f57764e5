//! Raydium CPMM: its instructions and logged events.
//!
//! Reserves in a `SwapEvent` are those before the trade, without the fees that are not the pool's any more. How much of the
//! trade's own fee stays is not in the event, so the reserves after it are not known.

use super::{
    amm::{Change, Opening, Swap, turned},
    cursor::Cursor,
    event::{EventKind, FeeKind, LiquidityAction, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Spec, Table, directed, fees_in, other, seats, silent,
        swap, swapped, told,
    },
};
use crate::chain::ids::{Mint, Pool};

const SWAP_SEATS: Place = Place::Pool(directed(3, 0, [6, 7], Some([10, 11])));
const LIQUIDITY_SEATS: Place = Place::Pool(seats(2, 0, [6, 7], Some([10, 11])));
/// Where the LP mint follows the mints of a new pool.
const BEHIND_MINTS: usize = 1;

const SWAP: Discriminator = 0x40c6_cde8_2608_71e2;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(0x8fbe_5ada_c41e_33de, "swap_base_input", Emits::One(SWAP), SWAP_SEATS, Bound::MinOut(16)),
    swap(0x37d9_6256_a34a_b4ad, "swap_base_output", Emits::One(SWAP), SWAP_SEATS, Bound::MaxIn(8)),
    other(0xf223_c689_52e1_f2b6, "deposit", Emits::Nothing, LIQUIDITY_SEATS),
    other(0xb712_469c_946d_a122, "withdraw", Emits::Nothing, LIQUIDITY_SEATS),
    other(0xafaf_6d1f_0d98_9bed, "initialize", Emits::Itself, Place::Pool(seats(3, 0, [10, 11], Some([4, 5])))),
    other(
        0x3f37_fe41_31b2_5979,
        "initialize_with_permission",
        Emits::Itself,
        Place::Pool(seats(4, 1, [11, 12], Some([5, 6]))),
    ),
    silent(0x9c54_2076_4587_467b, "close_permission_pda"),
    silent(0x1416_567b_c61c_db84, "collect_creator_fee"),
    silent(0xa78a_4e95_dfc2_067e, "collect_fund_fee"),
    silent(0x8888_fcdd_c242_7e59, "collect_protocol_fee"),
    silent(0x8934_edd4_d775_6c68, "create_amm_config"),
    silent(0x8788_02d8_89a9_b5ca, "create_permission_pda"),
    silent(0x313c_ae88_9a1c_74c8, "update_amm_config"),
    silent(0x8257_6c06_2ee0_757b, "update_pool_status"),
    silent(0xcaca_2253_e27a_91e5, "collect_creator_fee_permissionless"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[swapped(SWAP, "SwapEvent", traded), told(0x79a3_cdc9_39da_753c, "LpChangeEvent", changed)];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.2.0 of the day 2026-10-08 (sol-parser-sdk 0.11.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let pool: Pool = c.key()?;
    let before = [c.u64()?, c.u64()?];
    let amounts = [c.u64()?, c.u64()?];
    // From here on every field may be absent.
    let (transfer_in, transfer_out) = (c.u64(), c.u64());
    c.skip(1); // base_input
    let (input, output): (Option<Mint>, Option<Mint>) = (c.key(), c.key());
    let trade_fee = c.u64();
    let creator = c.u64();
    let creator_on_input = c.bool().unwrap_or(true);
    let seats = parent.seats(Some(pool));
    let named = seats.and_then(|seats| parent.mints(&seats));
    let [input, output] = input.zip(output).map(<[Mint; 2]>::from).or(named)?;
    // A pool's tokens are in the order of their keys.
    let buy = output < input;
    let fee_on = |input: bool, amount| if input == creator_on_input { amount } else { None };
    let swap = Swap {
        venue: Venue::RaydiumCpmm,
        pool,
        user: parent.account(0)?,
        mints: turned([input, output], buy),
        buy,
        amounts: turned(amounts, buy),
        fees: fees_in(
            [
                (
                    !buy,
                    [
                        (FeeKind::Lp, trade_fee),
                        (FeeKind::Creator, fee_on(true, creator)),
                        (FeeKind::Transfer, transfer_in),
                    ],
                ),
                (
                    buy,
                    [
                        (FeeKind::Lp, None),
                        (FeeKind::Creator, fee_on(false, creator)),
                        (FeeKind::Transfer, transfer_out),
                    ],
                ),
            ]
            .map(|(in_base, stated)| (in_base, stated.map(|(kind, amount)| (kind, amount, None))))
            .into_iter(),
        ),
        before: Some(turned(before, buy).map(u128::from)),
        after: None,
        sqrt_price: None,
        base_supply: None,
        vaults: seats.map(|seats| turned(seats.vaults, buy)),
        limit: parent.limit(buy),
    };
    Some(Read::of(EventKind::Trade(swap.trade(parent)), None, c))
}

fn changed(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    if parent.spec?.emits == Emits::Itself {
        return Some(Read::IGNORED); // the pool's opening says it
    }
    let pool = c.key()?;
    c.skip(8); // lp_amount_before
    let reserves_before = Some([c.u64()?, c.u64()?]);
    let amounts = [c.u64()?, c.u64()?];
    c.skip(16); // transfer fees
    let action = match c.u8()? {
        0 => LiquidityAction::Deposit,
        1 => LiquidityAction::Withdraw,
        _ => return None,
    };
    let seats = parent.seats(Some(pool))?;
    let (mints, user) = (parent.mints(&seats)?, parent.account(seats.user)?);
    let lp_amount = parent.argument(8);
    let change = Change { venue: Venue::RaydiumCpmm, pool, user, mints, action, amounts, lp_amount, reserves_before };
    Some(Read::of(change.event(), None, c))
}

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    if parent.spec?.emits != Emits::Itself {
        return moves::swapped(Venue::RaydiumCpmm, parent);
    }
    let seats = parent.seats(None)?;
    let opening = Opening {
        venue: Venue::RaydiumCpmm,
        pool: parent.account(seats.pool)?,
        user: parent.account(seats.user)?,
        mints: parent.mints(&seats)?,
        amounts: [parent.argument(8)?, parent.argument(16)?],
        lp_amount: moves::minted(parent, seats.mints?[1] + BEHIND_MINTS),
        decimals: seats.vaults.map(|vault| parent.decimals(vault)),
    };
    Some(Read::unsaid(opening.event()))
}
