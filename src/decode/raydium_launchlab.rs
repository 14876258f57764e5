//! Raydium `LaunchLab`, a launchpad: its instructions and self-CPI events.
//!
//! Amounts are the changes of the real reserves: the price moves by them. A migration has no event: the instruction says it.

use super::{
    amm::{Order, Swap},
    attempt::Asked,
    cursor::Cursor,
    event::{CurveProgress, EventKind, FeeKind, TokenCreated, Venue},
    moves,
    venue::{
        Bound, Discriminator, Emits, Layout, Parent, Place, Read, Spec, Table, fees, other, quiet, seats, silent, swap,
        swapped, told,
    },
};
use crate::chain::ids::{Mint, Pool};

const TRADE_SEATS: Place = Place::Pool(seats(4, 0, [7, 8], Some([9, 10])));
const CREATE_SEATS: Place = Place::Pool(seats(5, 1, [8, 9], Some([6, 7])));
/// Length of a trade's event before 2025-07: without the creator's fee and the last flag.
const OLD_TRADE: usize = 130;
/// What a trade's event says of a curve that is sold out.
const MIGRATING: u8 = 1;
/// Where the token program stands in the creation with the old token program (18 accounts) and with Token-2022.
const TOKEN_PROGRAM: [usize; 2] = [11, 10];

const TRADE: Discriminator = 0xbddb_7fd3_4ee6_61ee;
const CREATE: Discriminator = 0x97d7_e209_76a1_73ae;

/// Every instruction, the frequent ones first.
const INSTRUCTIONS: &[Spec] = &[
    swap(0xfaea_0d7b_d59c_13ec, "buy_exact_in", Emits::One(TRADE), TRADE_SEATS, Bound::MinOut(16)),
    swap(0x9527_de9b_d37c_981a, "sell_exact_in", Emits::One(TRADE), TRADE_SEATS, Bound::MinOut(16)),
    swap(0x18d3_7428_6903_9938, "buy_exact_out", Emits::One(TRADE), TRADE_SEATS, Bound::MaxIn(16)),
    swap(0x5fc8_4722_0809_0ba6, "sell_exact_out", Emits::One(TRADE), TRADE_SEATS, Bound::MaxIn(16)),
    other(0x4399_af27_da10_2620, "initialize_v2", Emits::One(CREATE), CREATE_SEATS),
    other(0x25be_7ede_2c9a_ab11, "initialize_with_token_2022", Emits::One(CREATE), CREATE_SEATS),
    other(0xafaf_6d1f_0d98_9bed, "initialize", Emits::One(CREATE), CREATE_SEATS),
    other(0x885c_c867_1cda_908c, "migrate_to_cpswap", Emits::Itself, Place::Pool(seats(5, 0, [8, 9], Some([1, 2])))),
    other(0xcf52_c091_fecf_91df, "migrate_to_amm", Emits::Itself, Place::Pool(seats(13, 0, [17, 18], Some([1, 2])))),
    silent(0x1a61_8acb_84ab_8dfc, "claim_creator_fee"),
    silent(0x9c27_d087_4ced_3d48, "claim_platform_fee"),
    silent(0x75f1_c6a8_f8da_501d, "claim_platform_fee_from_vault"),
    silent(0x3121_681e_bd9d_4f23, "claim_vested_token"),
    silent(0x7bb4_b881_6fb9_bb3b, "close_platform_global_access"),
    silent(0x3cad_f767_045d_8230, "collect_fee"),
    silent(0xffba_96df_eb76_c9ba, "collect_migrate_fee"),
    silent(0xc9cf_f372_4b6f_2fbd, "create_config"),
    silent(0xb05a_c4af_fd71_dc14, "create_platform_config"),
    silent(0xa25b_92c7_5d85_eaed, "create_platform_global_access"),
    silent(0x9247_ad45_6213_0f6a, "create_platform_vesting_account"),
    silent(0x81b2_020d_d9ac_e6da, "create_vesting_account"),
    silent(0x1b1e_3ea9_5de0_1891, "remove_platform_curve_param"),
    silent(0x1d9e_fcbf_0a53_db63, "update_config"),
    silent(0xc33c_4c81_922d_438f, "update_platform_config"),
    silent(0x8a90_8afa_dc80_0439, "update_platform_curve_param"),
];

/// Every event, the frequent ones first.
const EVENTS: &[Layout] = &[
    swapped(TRADE, "TradeEvent", traded),
    told(CREATE, "PoolCreateEvent", created),
    quiet(0x15c2_7257_78d3_e220, "ClaimVestedEvent"),
    quiet(0x9698_0bb3_34d2_bf7d, "CreateVestingEvent"),
];

/// All that is known of the program.
pub(super) static TABLE: Table = Table {
    origin: "the program's IDL 0.2.0 of the day 2026-10-08 (sol-parser-sdk 0.11.0)",
    tag: 8,
    instructions: INSTRUCTIONS,
    events: EVENTS,
    unsaid,
};

fn traded(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    // The one event that did not only grow at its end.
    let old = c.left() == OLD_TRADE;
    let pool: Pool = c.key()?;
    let for_sale = c.u64()?;
    let (virtual_base, virtual_quote) = (c.u64()?, c.u64()?);
    let sold_before = c.u64()?;
    let raised_before = c.u64()?;
    let sold = c.u64()?;
    let raised = c.u64()?;
    // From here on every field may be absent.
    c.skip(2 * 8); // amounts with and without fees, by direction
    let (protocol, platform) = (c.u64(), c.u64());
    let creator = if old { None } else { c.u64() };
    let share = c.u64();
    c.skip(1); // trade_direction: the reserves tell
    let status = c.u8();
    c.skip(usize::from(!old)); // exact_in
    let buy = sold > sold_before || raised > raised_before;
    let seats = parent.seats(Some(pool))?;
    let mints = parent.mints(&seats)?;
    let user = parent.account(seats.user)?;
    let reserves = |sold: u64, raised: u64| {
        let base = u128::from(virtual_base).checked_sub(sold.into())?;
        Some([base, u128::from(virtual_quote) + u128::from(raised)])
    };
    let (before, after) = (reserves(sold_before, raised_before), reserves(sold, raised));
    let product_held = before.zip(after).is_some_and(|(before, after)| same_product(before, after));
    let swap = Swap {
        venue: Venue::RaydiumLaunchlab,
        pool,
        user,
        mints,
        buy,
        amounts: [sold.abs_diff(sold_before), raised.abs_diff(raised_before)],
        fees: fees([
            (FeeKind::Protocol, protocol, None),
            (FeeKind::Platform, platform, None),
            (FeeKind::Creator, creator, None),
            (FeeKind::Share, share, None),
        ]),
        // Curves of other shapes give the virtual amounts another meaning.
        before: before.filter(|_| product_held),
        after: after.filter(|_| product_held),
        sqrt_price: None,
        base_supply: None,
        vaults: Some(seats.vaults),
        limit: parent.limit(buy),
    };
    let mut trade = swap.trade(parent);
    trade.curve_tokens_left = for_sale.checked_sub(sold);
    trade.curve_real_quote = Some(raised);
    trade.curve_progress = Some(CurveProgress { done: sold, goal: for_sale });
    let completed = EventKind::CurveCompleted { venue: Venue::RaydiumLaunchlab, mint: mints[0], curve: pool, user };
    let also = (status == Some(MIGRATING)).then(|| Box::new(completed));
    Some(Read { also, ..Read::of(EventKind::Trade(trade), None, c) })
}

/// Whether two states lie on one constant product, but for the rounding of one unit of each.
fn same_product(before: [u128; 2], after: [u128; 2]) -> bool {
    let product = |[base, quote]: [u128; 2]| base.checked_mul(quote);
    let rounding = before.iter().chain(&after).sum::<u128>();
    product(before).zip(product(after)).is_some_and(|(before, after)| before.abs_diff(after) <= rounding)
}

fn created(mut c: Cursor<'_>, parent: &Parent<'_>) -> Option<Read> {
    let curve = c.key()?;
    let creator = c.key()?;
    c.skip(32 + 1); // config, decimals
    let (name, symbol, uri) = (c.text()?, c.text()?, c.text()?);
    let shape = c.u8();
    let supply = c.u64();
    let initial_tokens_left = if shape == Some(0) { c.u64() } else { None };
    c.skip(8 + 1 + 3 * 8 + 1); // quote to raise, migrate_type, vesting, amm_fee_on
    let [mint, quote_mint]: [Mint; 2] = parent.mints(&parent.seats(Some(curve))?)?;
    let token_program = TOKEN_PROGRAM[usize::from(parent.name() == "initialize_with_token_2022")];
    let created = TokenCreated {
        venue: Venue::RaydiumLaunchlab,
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
        initial_tokens_left,
        supply,
    };
    Some(Read::of(EventKind::TokenCreated(created), None, c))
}

/// What an instruction asks for.
pub(super) fn asked(parent: &Parent<'_>) -> Option<Asked> {
    let buy = match parent.name() {
        "buy_exact_in" | "buy_exact_out" => true,
        "sell_exact_in" | "sell_exact_out" => false,
        _ => return None,
    };
    let seats = parent.seats(None)?;
    Order { pool: parent.account(seats.pool)?, user: parent.account(seats.user)?, mints: parent.mints(&seats)?, buy }
        .asked(parent)
}

fn unsaid(parent: &Parent<'_>) -> Option<Read> {
    if parent.spec?.emits != Emits::Itself {
        return moves::swapped(Venue::RaydiumLaunchlab, parent);
    }
    let seats = parent.seats(None)?;
    let [mint, _]: [Mint; 2] = parent.mints(&seats)?;
    let [base_amount, quote_amount] = moves::moved_into(parent, seats.vaults)?;
    let curve = parent.account(if parent.name() == "migrate_to_amm" { 23 } else { 17 })?;
    let (venue, pool) = (Venue::RaydiumLaunchlab, parent.account(seats.pool)?);
    Some(Read::unsaid(EventKind::Graduated { venue, mint, curve, pool, quote_amount, base_amount }))
}
