//! What no recorded transaction of the other venues shows: launches, completions, migrations, liquidity, two hops in one
//! instruction. Made by hand from the published account orders and event layouts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use smart_stream_tui::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL, Wallet},
        program::Program,
    },
    decode::{
        Event, EventKind,
        event::{CurveProgress, Liquidity, LiquidityAction, PoolCreated, Side, Source, Trade, Venue},
    },
};

use crate::made::{Body, Bytes32, Made, USER, key};

/// That many accounts, some of them named.
pub(crate) fn accounts(count: u8, named: &[(usize, Bytes32)]) -> Vec<Bytes32> {
    let mut accounts: Vec<_> = (0..count).map(|at| key(100 + at)).collect();
    for (at, named) in named {
        accounts[*at] = *named;
    }
    accounts
}

fn sol() -> Bytes32 {
    *WRAPPED_SOL.bytes()
}

impl Made {
    pub(crate) fn of(program: Program, accounts: &[Bytes32], data: Body) -> Self {
        Self::new().call(1, program.id().as_array(), accounts, data)
    }

    pub(crate) fn emits(self, program: Program, event: Body) -> Self {
        self.call(2, program.id().as_array(), &[program.event_authority().unwrap().to_bytes()], event)
    }

    pub(crate) fn logs(self, program: Program, events: &[Body]) -> Self {
        let made = self.log(format!("Program {} invoke [1]", program.base58()));
        let line = |event: &Body| format!("Program data: {}", STANDARD.encode(&event.0));
        events.iter().fold(made, |made, event| made.log(line(event)))
    }

    pub(crate) fn events(self) -> Vec<Event> {
        let (events, undecoded, decoded) = self.decode();
        assert_eq!(undecoded, []);
        for program in decoded.tally.programs() {
            let counts = decoded.tally.of(program);
            assert_eq!((counts.decoded, counts.unknown_tails), (counts.expected, 0), "{program:?}");
        }
        events
    }
}

fn trade(event: &Event) -> &Trade {
    let EventKind::Trade(trade) = &event.kind else { panic!("{event:?}") };
    trade
}

fn liquidity(events: &[Event]) -> Vec<Liquidity> {
    let liquidity = |event: &Event| match &event.kind {
        EventKind::Liquidity(liquidity) => liquidity.clone(),
        other => panic!("{other:?}"),
    };
    events.iter().map(liquidity).collect()
}

#[test]
fn two_hops_of_one_orca_instruction_are_two_trades() {
    let (one, two, token, dollar) = (key(20), key(21), key(30), key(31));
    let named = [(2, one), (3, two), (5, key(40)), (7, key(41)), (9, key(42)), (11, key(43)), (1, USER)];
    let call = Body::of(0xc360_ed6c_44a2_dbe6).n(&[1000, 1]).b(&[1, 1, 0]);
    let traded = |pool, a_to_b: u8, input, output| {
        Body::of(0xe1ca_49af_932b_a096).key(pool).b(&[a_to_b]).b(&[1; 32]).n(&[input, output, 0, 0, 3, 1])
    };
    let made = || {
        Made::of(Program::OrcaWhirlpool, &accounts(20, &named), call.clone())
            .holds(key(40), token, 6)
            .holds(key(41), sol(), 9)
            .holds(key(42), dollar, 6)
            .holds(key(43), sol(), 9)
    };
    let events = made().logs(Program::OrcaWhirlpool, &[traded(one, 1, 1000, 500), traded(two, 0, 500, 70)]).events();
    let [first, second] = &events[..] else { panic!("{events:?}") };
    assert_eq!((first.path, first.event_index, second.event_index), (second.path, 0, 1));
    let facts = |event| {
        let trade: &Trade = trade(event);
        (trade.pool, trade.mint, trade.quote_mint, trade.side, trade.base_amount, trade.quote_amount)
    };
    assert_eq!(facts(first), (Pool::new(one), Mint::new(token), WRAPPED_SOL, Side::Sell, 1000, 500));
    assert_eq!(facts(second), (Pool::new(two), Mint::new(dollar), WRAPPED_SOL, Side::Buy, 70, 500));
    // The same by the transfers, where the log says nothing.
    let events = made()
        .transfer(2, key(90), key(40), 1000)
        .transfer(2, key(41), key(91), 500)
        .transfer(2, key(91), key(43), 500)
        .transfer(2, key(42), key(92), 70)
        .events();
    assert_eq!(events.iter().map(facts).collect::<Vec<_>>(), [facts(first), facts(second)]);
    assert!(events.iter().all(|event| trade(event).source == Source::Fallback));
}

#[test]
fn both_forms_of_a_dlmm_swap_are_one_trade_in_either_order() {
    let named = [(0, key(20)), (2, key(40)), (3, key(41)), (6, key(30)), (7, sol()), (10, USER)];
    let old = Body::event(0x516c_e3be_cdd0_0ac4).key(key(20)).key(USER).b(&[0; 8]).n(&[1000, 900]).b(&[0]);
    let old = old.n(&[12, 2, 0, 0, 0]);
    let new = Body::event(0x2e74_52d7_941b_544d).key(key(20)).key(USER).b(&[0; 8]).b(&[0]).b(&[0; 16]);
    let new = new.n(&[1000, 0, 900, 10, 2, 0, 0]).b(&[1, 0]);
    let made = || {
        let call = Body::of(0x414b_3f4c_eb5b_5b88).n(&[1000, 800]);
        Made::of(Program::MeteoraDlmm, &accounts(16, &named), call)
    };
    let emitted = |events: &[&Body]| {
        let made = events.iter().fold(made(), |made, event| made.emits(Program::MeteoraDlmm, (*event).clone()));
        made.events()
    };
    let both = emitted(&[&old, &new]);
    assert_eq!(both.len(), 1);
    assert_eq!(both, emitted(&[&new, &old]));
    assert_eq!(both, emitted(&[&new]));
    assert_eq!(both, emitted(&[&old]), "an older version of the program");
    let trade = trade(&both[0]);
    assert_eq!((trade.side, trade.base_amount, trade.quote_amount), (Side::Buy, 900, 1000));
    assert_eq!(trade.limit.map(|limit| (limit.kind.name(), limit.amount)), Some(("min_base_out", 800)));
}

#[test]
fn a_dbc_token_is_launched_completed_and_migrated() {
    let text = |text: &str| [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat();
    let call = Body::of(0x8c55_d7b0_6636_684f).b(&text("A name")).b(&text("SYM")).b(&text("uri"));
    let named = [(2, key(9)), (3, key(30)), (4, sol()), (5, key(20)), (12, key(77))];
    let event = Body::event(0xe432_f655_cb42_8625).key(key(20)).key(key(8)).key(key(9)).key(key(30)).b(&[0]).n(&[5]);
    let events = Made::of(Program::MeteoraDbc, &accounts(16, &named), call).emits(Program::MeteoraDbc, event).events();
    let [Event { kind: EventKind::TokenCreated(created), .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&*created.name, &*created.symbol, &*created.uri), (&b"A name"[..], &b"SYM"[..], &b"uri"[..]));
    assert_eq!(
        (created.venue, created.mint, created.curve),
        (Venue::MeteoraDbc, Mint::new(key(30)), Pool::new(key(20)))
    );
    assert_eq!(
        (created.creator, created.token_program, created.quote_mint),
        (Wallet::new(key(9)), Some(key(77)), WRAPPED_SOL)
    );

    let named = [(2, key(20)), (5, key(40)), (6, key(41)), (7, key(30)), (8, sol()), (9, USER)];
    let call = Body::of(0x414b_3f4c_eb5b_5b88).n(&[1000, 800]).b(&[0]);
    let swap =
        Body::event(0xbd42_33a8_2650_7599).key(key(20)).key(key(8)).b(&[1, 0]).b(&[0; 17]).n(&[1000, 990, 0, 900]);
    let swap = swap.b(&[2; 16]).n(&[8, 2, 0, 5000, 5000, 1_790_000_000]);
    let complete = Body::event(0xe5e7_5654_9c86_4b18).key(key(20)).key(key(8)).n(&[1, 5000]);
    let events = Made::of(Program::MeteoraDbc, &accounts(15, &named), call)
        .emits(Program::MeteoraDbc, swap)
        .emits(Program::MeteoraDbc, complete)
        .events();
    let bought = trade(&events[0]);
    assert_eq!((bought.side, bought.base_amount, bought.quote_amount), (Side::Buy, 900, 1000));
    assert_eq!(bought.curve_progress, Some(CurveProgress { done: 5000, goal: 5000 }));
    assert_eq!(events[0].timestamp, Some(1_790_000_000));
    assert!(bought.fees.iter().flatten().all(|fee| !fee.in_base), "taken from the input, which is the quote");
    let (venue, mint, curve) = (Venue::MeteoraDbc, Mint::new(key(30)), Pool::new(key(20)));
    assert_eq!(events[1].kind, EventKind::CurveCompleted { venue, mint, curve, user: Wallet::new(USER) });

    let named = [(0, key(20)), (4, key(22)), (13, key(30)), (14, sol()), (15, key(50)), (16, key(51))];
    let events = Made::of(Program::MeteoraDbc, &accounts(25, &named), Body::of(0x9ca9_e667_35e4_5040))
        .transfer(2, key(40), key(50), 777)
        .transfer(2, key(41), key(51), 888)
        .events();
    let pool = Pool::new(key(22));
    assert_eq!(events[0].kind, EventKind::Graduated { venue, mint, curve, pool, quote_amount: 888, base_amount: 777 });
}

#[test]
fn a_launchlab_curve_completes_and_migrates() {
    let named = [(0, USER), (4, key(20)), (9, key(30)), (10, sol())];
    let event = |status: u8, real_after: u64| {
        let body = Body::event(0xbddb_7fd3_4ee6_61ee).key(key(20)).n(&[1000, 2000, 500, 900, 400, real_after, 500]);
        body.n(&[101, 100, 1, 2, 3, 4]).b(&[0, status, 1])
    };
    let call = || Body::of(0xfaea_0d7b_d59c_13ec).n(&[101, 90, 0]);
    let made = |event| {
        Made::of(Program::RaydiumLaunchlab, &accounts(15, &named), call())
            .emits(Program::RaydiumLaunchlab, event)
            .events()
    };
    let events = made(event(1, 1000));
    let (venue, mint, curve) = (Venue::RaydiumLaunchlab, Mint::new(key(30)), Pool::new(key(20)));
    let bought = trade(&events[0]);
    assert_eq!((bought.base_amount, bought.quote_amount, bought.curve_tokens_left), (100, 100, Some(0)));
    // (2000 - 900) x (500 + 400) and (2000 - 1000) x (500 + 500): no constant product, so no reserves to price by.
    assert_eq!((bought.reserves_before, bought.reserves_after), (None, None));
    let kinds: Vec<_> = bought.fees.iter().flatten().map(|fee| (fee.kind.name(), fee.amount)).collect();
    assert_eq!(kinds, [("protocol", 1), ("platform", 2), ("creator", 3), ("share", 4)]);
    assert_eq!(events[1].kind, EventKind::CurveCompleted { venue, mint, curve, user: Wallet::new(USER) });
    assert_eq!(events[1].event_index, 1);
    assert_eq!(made(event(0, 1000)).len(), 1);

    let named = [(1, key(30)), (2, sol()), (5, key(22)), (8, key(50)), (9, key(51)), (17, key(20))];
    let events = Made::of(Program::RaydiumLaunchlab, &accounts(28, &named), Body::of(0x885c_c867_1cda_908c))
        .transfer(2, key(40), key(50), 777)
        .transfer(2, key(41), key(51), 888)
        .events();
    let pool = Pool::new(key(22));
    assert_eq!(events[0].kind, EventKind::Graduated { venue, mint, curve, pool, quote_amount: 888, base_amount: 777 });
}

#[test]
fn a_cpmm_pool_is_opened_filled_and_drained() {
    // Token 0 is wrapped SOL, as its key is the smaller: seen from the base token, the sides are exchanged.
    let token = key(200);
    let named = [(0, USER), (3, key(20)), (4, sol()), (5, token)];
    let events =
        Made::of(Program::RaydiumCpmm, &accounts(20, &named), Body::of(0xafaf_6d1f_0d98_9bed).n(&[11, 22, 0])).events();
    let expected = PoolCreated {
        venue: Venue::RaydiumCpmm,
        pool: Pool::new(key(20)),
        mint: Mint::new(token),
        quote_mint: WRAPPED_SOL,
        base_amount: 22,
        quote_amount: 11,
        lp_amount: Some(0),
        user: Wallet::new(USER),
        base_decimals: None,
        quote_decimals: None,
    };
    assert_eq!(events[0].kind, EventKind::PoolCreated(expected));

    let named = [(0, USER), (2, key(20)), (10, sol()), (11, token)];
    for (call, change, action) in
        [(0xf223_c689_52e1_f2b6, 0, LiquidityAction::Deposit), (0xb712_469c_946d_a122, 1, LiquidityAction::Withdraw)]
    {
        let event = Body::of(0x79a3_cdc9_39da_753c).key(key(20)).n(&[7, 100, 200, 1, 2, 0, 0]).b(&[change]);
        let events = Made::of(Program::RaydiumCpmm, &accounts(14, &named), Body::of(call).n(&[5, 1, 2]))
            .logs(Program::RaydiumCpmm, &[event])
            .events();
        let change = &liquidity(&events)[0];
        assert_eq!((change.action, change.base_amount, change.quote_amount), (action, 2, 1));
        assert_eq!((change.lp_amount, change.raw_reserves_before), (Some(5), Some((200, 100))));
    }
}

#[test]
fn liquidity_of_the_other_pools_is_told() {
    let facts = |events: &[Event]| {
        let facts = |change: Liquidity| {
            (change.venue, change.pool, change.mint, change.action, change.base_amount, change.quote_amount)
        };
        liquidity(events).into_iter().map(facts).collect::<Vec<_>>()
    };
    let (pool, mint) = (Pool::new(key(20)), Mint::new(key(30)));

    let named = [(2, key(20)), (13, key(30)), (14, sol())];
    let event = Body::of(0x314f_69d4_2022_1e54).key(key(9)).b(&[0; 16]).n(&[5, 6, 0, 0]);
    let made = Made::of(Program::RaydiumClmm, &accounts(15, &named), Body::of(0x851d_59df_45ee_b00a));
    assert_eq!(
        facts(&made.logs(Program::RaydiumClmm, &[event]).events()),
        [(Venue::RaydiumClmm, pool, mint, LiquidityAction::Deposit, 5, 6)]
    );

    let named = [(0, key(20)), (8, key(30)), (9, sol())];
    let event = Body::of(0x5f82_b584_fb32_c326)
        .key(key(20))
        .key(key(9))
        .b(&[0; 48])
        .n(&[1, 2, 3, 4, 0, 0])
        .b(&[0])
        .n(&[0, 0])
        .b(&[0]);
    let made = Made::of(Program::OrcaWhirlpool, &accounts(19, &named), Body::of(0xbfa9_e00b_8313_9efd));
    let moved = facts(&made.logs(Program::OrcaWhirlpool, &[event]).events());
    assert_eq!(
        moved,
        [
            (Venue::OrcaWhirlpool, pool, mint, LiquidityAction::Withdraw, 1, 2),
            (Venue::OrcaWhirlpool, pool, mint, LiquidityAction::Deposit, 3, 4)
        ]
    );

    let named = [(1, key(20)), (7, key(30)), (8, sol())];
    let event = Body::event(0x006d_75b3_3d5b_c7c8)
        .key(key(20))
        .key(key(9))
        .key(USER)
        .b(&[0; 4])
        .n(&[1, 3, 2, 4, 0, 0])
        .b(&[0; 32]);
    let made = Made::of(Program::MeteoraDlmm, &accounts(17, &named), Body::of(0x5c04_b0c1_77b9_5309));
    let moved = facts(&made.emits(Program::MeteoraDlmm, event).events());
    assert_eq!(
        moved,
        [
            (Venue::MeteoraDlmm, pool, mint, LiquidityAction::Withdraw, 1, 2),
            (Venue::MeteoraDlmm, pool, mint, LiquidityAction::Deposit, 3, 4)
        ]
    );

    let named = [(0, key(20)), (6, key(30)), (7, sol())];
    let event = Body::event(0xc5ab_4e7f_e0d3_570d)
        .key(key(20))
        .key(key(9))
        .key(USER)
        .n(&[5, 6, 5, 6, 50, 60])
        .b(&[0; 16])
        .n(&[0, 0])
        .b(&[0]);
    let made = Made::of(Program::MeteoraDammV2, &accounts(14, &named), Body::of(0xb59d_5943_8fb6_3448));
    assert_eq!(
        facts(&made.emits(Program::MeteoraDammV2, event).events()),
        [(Venue::MeteoraDammV2, pool, mint, LiquidityAction::Deposit, 5, 6)]
    );

    let named = [(0, key(20)), (9, key(40)), (10, key(41))];
    let event = Body::of(0x74f4_61e8_671f_983a).n(&[7, 5, 6]);
    let made = Made::of(Program::MeteoraDammV1, &accounts(16, &named), Body::of(0x856d_2cb3_38ee_7221).n(&[7]));
    let made = made.holds(key(40), key(30), 6).holds(key(41), sol(), 9);
    assert_eq!(
        facts(&made.logs(Program::MeteoraDammV1, &[event]).events()),
        [(Venue::MeteoraDammV1, pool, mint, LiquidityAction::Withdraw, 5, 6)]
    );
}

#[test]
fn a_damm_v2_swap_says_its_fees_and_price() {
    let named = [(1, key(20)), (4, key(40)), (5, key(41)), (6, key(30)), (7, sol()), (8, USER)];
    let call = Body::of(0x414b_3f4c_eb5b_5b88).n(&[900, 1000]).b(&[2]);
    let event = Body::event(0xbd42_33a8_2650_7599).key(key(20)).b(&[1, 0, 0]).b(&[0; 17]).n(&[1000, 1000, 0, 900]);
    let event = event.b(&[3; 16]).n(&[8, 2, 1, 4, 1000, 900, 900, 1_790_000_000, 50, 60]);
    let events =
        Made::of(Program::MeteoraDammV2, &accounts(14, &named), call).emits(Program::MeteoraDammV2, event).events();
    let bought = trade(&events[0]);
    assert_eq!((bought.side, bought.base_amount, bought.quote_amount), (Side::Buy, 900, 1000));
    let fees: Vec<_> = bought.fees.iter().flatten().map(|fee| (fee.kind.name(), fee.amount, fee.in_base)).collect();
    assert_eq!(fees, [("lp", 9, true), ("protocol", 2, true), ("share", 4, true)], "from the output");
    assert_eq!(bought.limit.map(|limit| (limit.kind.name(), limit.amount)), Some(("max_quote_in", 1000)));
    assert_eq!(
        bought.sqrt_price.map(|price| (price.root, price.inverted)),
        Some((u128::from_le_bytes([3; 16]), false))
    );
    assert_eq!(events[0].timestamp, Some(1_790_000_000));
}

/// Liquidity in one token, by an instruction that names only that one: counted, and not called a broken layout.
#[test]
fn liquidity_in_one_token_is_counted_as_what_it_is() {
    let added = Body::event(0x1f5e_7d5a_e334_3dba).key(key(20)).key(USER).key(key(9)).n(&[5, 0]).b(&[0; 4]);
    for instruction in [0x2905_eeaf_64e1_06cd, 0x5e9b_6797_465f_dca5, 0xa1c2_6754_ab47_fa9a, 0x2133_a3c9_7562_7de7] {
        let named = [(1, key(20)), (4, key(40)), (5, key(30))];
        let made = Made::of(Program::MeteoraDlmm, &accounts(12, &named), Body::of(instruction));
        let (events, undecoded, decoded) = made.emits(Program::MeteoraDlmm, added.clone()).decode();
        assert_eq!(events, []);
        assert_eq!(undecoded.iter().map(|miss| miss.reason.name()).collect::<Vec<_>>(), ["unnamed_token"]);
        let counts = decoded.tally.of(Program::MeteoraDlmm);
        assert_eq!((counts.expected, counts.known, counts.invocations), (0, 1, 1));
    }
}
