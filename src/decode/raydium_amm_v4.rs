//! Raydium AMM v4: its instructions and `ray_log` lines. Both are told apart by one byte.
//!
//! Reserves in a swap's line are those before it, without the profit that is not the pool's any more.

use super::{
    amm::{Change, Opening, Swap},
    cursor::Cursor,
    event::{EventKind, Fees, LiquidityAction, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Spec, Table, other, seats, silent, swap, swapped,
        told,
    },
};

const fn tag(tag: u8) -> Discriminator {
    Discriminator::from_be_bytes([tag, 0, 0, 0, 0, 0, 0, 0])
}

/// With the accounts of a market, and with or without `amm_target_orders`: the last three are the user's in both.
const SWAP_SEATS: Place = Place::Either(17, seats(1, 16, [4, 5], None), seats(1, 17, [5, 6], None));
const SWAP_V2_SEATS: Place = Place::Pool(seats(1, 7, [3, 4], None));
/// The LP mint of a new pool.
const LP_MINT: usize = 7;

const SWAP_IN: Discriminator = tag(3);
const SWAP_OUT: Discriminator = tag(4);

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(tag(9), "swap_base_in", Emits::One(SWAP_IN), SWAP_SEATS, Bound::MinOut(9)),
    swap(tag(16), "swap_base_in_v2", Emits::One(SWAP_IN), SWAP_V2_SEATS, Bound::MinOut(9)),
    swap(tag(11), "swap_base_out", Emits::One(SWAP_OUT), SWAP_SEATS, Bound::MaxIn(1)),
    swap(tag(17), "swap_base_out_v2", Emits::One(SWAP_OUT), SWAP_V2_SEATS, Bound::MaxIn(1)),
    other(tag(3), "deposit", Emits::Nothing, Place::Pool(seats(1, 12, [6, 7], None))),
    other(
        tag(4),
        "withdraw",
        Emits::Nothing,
        Place::Either(22, seats(1, 18, [6, 7], None), seats(1, 16, [6, 7], None)),
    ),
    other(tag(1), "initialize2", Emits::Nothing, Place::Pool(seats(4, 17, [10, 11], Some([8, 9])))),
    silent(tag(0), "initialize"),
    silent(tag(2), "monitor_step"),
    silent(tag(5), "migrate_to_open_book"),
    silent(tag(6), "set_params"),
    silent(tag(7), "withdraw_pnl"),
    silent(tag(8), "withdraw_srm"),
    silent(tag(10), "pre_initialize"),
    silent(tag(12), "simulate_info"),
    silent(tag(13), "admin_cancel_orders"),
    silent(tag(14), "create_config_account"),
    silent(tag(15), "update_config_account"),
];

/// Every kind of `ray_log`.
const EVENTS: &[Layout] = &[
    swapped(SWAP_IN, "SwapBaseIn", given),
    swapped(SWAP_OUT, "SwapBaseOut", asked),
    told(tag(0), "Init", opened),
    told(tag(1), "Deposit", deposited),
    told(tag(2), "Withdraw", withdrawn),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's source of 2026-07-23 (raydium-amm 27f461dd)",
    tag: 1,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    moves::swapped(Venue::RaydiumAmmV4, parent)
}

fn given(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let input = c.u64()?;
    c.skip(8); // minimum_out
    let (buy, reserves) = (c.u64()?, stand(&mut c)?);
    let output = c.u64()?;
    traded(buy, reserves, input, output, c, parent)
}

fn asked(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    c.skip(8); // max_in
    let output = c.u64()?;
    let (buy, reserves) = (c.u64()?, stand(&mut c)?);
    let input = c.u64()?;
    traded(buy, reserves, input, output, c, parent)
}

/// The pool's coin and pc before.
fn stand(c: &mut Cursor<'_>) -> Option<[u64; 2]> {
    c.skip(8); // user_source
    Some([c.u64()?, c.u64()?])
}

fn traded(
    direction: u64,
    reserves: [u64; 2],
    input: u64,
    output: u64,
    c: Cursor<'_>,
    parent: &Parent<'_>,
) -> Option<Read> {
    let buy = match direction {
        1 => true,  // pc comes in
        2 => false, // coin comes in
        _ => return None,
    };
    let seats = parent.seats(None)?;
    let [coin, pc] = reserves.map(u128::from);
    let (given, taken) = (u128::from(input), u128::from(output));
    let after = if buy {
        coin.checked_sub(taken).map(|coin| [coin, pc + given])
    } else {
        pc.checked_sub(taken).map(|pc| [coin + given, pc])
    };
    let swap = Swap {
        venue: Venue::RaydiumAmmV4,
        pool: parent.account(seats.pool)?,
        user: parent.account(seats.user)?,
        mints: parent.mints(&seats)?,
        buy,
        amounts: if buy { [output, input] } else { [input, output] },
        fees: Fees::default(),
        before: Some([coin, pc]),
        after,
        sqrt_price: None,
        base_supply: None,
        vaults: Some(seats.vaults),
        limit: parent.limit(buy),
    };
    Some(Read::of(EventKind::Trade(swap.trade(parent)), None, c))
}

fn opened(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    c.skip(8); // open_time
    let (pc_decimals, coin_decimals) = (c.u8()?, c.u8()?);
    c.skip(16); // lot sizes
    let (pc, coin) = (c.u64()?, c.u64()?);
    c.skip(32); // market
    let seats = parent.seats(None)?;
    let opening = Opening {
        venue: Venue::RaydiumAmmV4,
        pool: parent.account(seats.pool)?,
        user: parent.account(seats.user)?,
        mints: parent.mints(&seats)?,
        amounts: [coin, pc],
        lp_amount: moves::minted(parent, LP_MINT),
        decimals: [Some(coin_decimals), Some(pc_decimals)],
    };
    Some(Read::of(opening.event(), None, c))
}

fn deposited(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    c.skip(3 * 8); // limits, base side
    let reserves = [c.u64()?, c.u64()?];
    c.skip(8 + 2 * 16); // pool_lp, profit
    let amounts = [c.u64()?, c.u64()?];
    let lp_amount = c.u64()?;
    changed(LiquidityAction::Deposit, reserves, amounts, lp_amount, c, parent)
}

fn withdrawn(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let lp_amount = c.u64()?;
    c.skip(8); // user_lp
    let reserves = [c.u64()?, c.u64()?];
    c.skip(8 + 2 * 16); // pool_lp, profit
    let amounts = [c.u64()?, c.u64()?];
    changed(LiquidityAction::Withdraw, reserves, amounts, lp_amount, c, parent)
}

fn changed(
    action: LiquidityAction,
    reserves: [u64; 2],
    amounts: [u64; 2],
    lp_amount: u64,
    c: Cursor<'_>,
    parent: &Parent<'_>,
) -> Option<Read> {
    let seats = parent.seats(None)?;
    let change = Change {
        venue: Venue::RaydiumAmmV4,
        pool: parent.account(seats.pool)?,
        user: parent.account(seats.user)?,
        mints: parent.mints(&seats)?,
        action,
        amounts,
        lp_amount: Some(lp_amount),
        reserves_before: Some(reserves),
    };
    Some(Read::of(change.event(), None, c))
}
