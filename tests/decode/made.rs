//! What no shipped transaction shows: multi-hops, liquidity, a pool opened by a user, the mayhem agent's shift. The
//! transactions are made by hand from the programs' published account orders and event layouts.

use prost::Message;
use smart_stream_tui::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL, Wallet},
        program::{PUMP, PUMP_EVENT_AUTHORITY, PUMP_SWAP, PUMP_SWAP_EVENT_AUTHORITY, Program, TOKEN},
        proto::{
            self,
            confirmed_block::{
                CompiledInstruction, InnerInstruction, InnerInstructions, Message as SolanaMessage, TokenBalance,
                Transaction, TransactionStatusMeta, UiTokenAmount,
            },
            subscribe_update::UpdateOneof,
        },
        wire::{Kind, Update},
    },
    decode::{
        Decoded, Decoder, Event, EventKind, Undecoded,
        event::{LimitKind, Liquidity, LiquidityAction, PoolCreated, Reserves, Side, Source, Trade, Venue},
        tally::UndecodedReason,
    },
};

pub(crate) type Bytes32 = [u8; 32];

const EVENT_CALL: u64 = 0xe445_a52e_51cb_9a1d;
/// The user, and who pays.
pub(crate) const USER: Bytes32 = [1; 32];

pub(crate) const fn key(byte: u8) -> Bytes32 {
    [byte; 32]
}

/// Little-endian fields, one after the other.
#[derive(Clone, Default)]
pub(crate) struct Body(pub(crate) Vec<u8>);

impl Body {
    pub(crate) fn of(discriminator: u64) -> Self {
        Self(discriminator.to_be_bytes().into())
    }

    pub(crate) fn event(discriminator: u64) -> Self {
        Self([EVENT_CALL.to_be_bytes(), discriminator.to_be_bytes()].concat())
    }

    pub(crate) fn n(mut self, numbers: &[u64]) -> Self {
        self.0.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    pub(crate) fn key(mut self, key: Bytes32) -> Self {
        self.0.extend(key);
        self
    }

    pub(crate) fn b(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
}

/// A transaction under construction.
#[derive(Default)]
pub(crate) struct Made {
    keys: Vec<Bytes32>,
    outer: Vec<CompiledInstruction>,
    inner: Vec<InnerInstructions>,
    logs: Vec<String>,
    balances: Vec<TokenBalance>,
}

impl Made {
    pub(crate) fn new() -> Self {
        Self { keys: vec![USER], ..Self::default() }
    }

    fn index(&mut self, key: Bytes32) -> u8 {
        let at = self.keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        });
        u8::try_from(at).unwrap()
    }

    /// Adds an instruction at that depth, 1 for top level.
    pub(crate) fn call(mut self, depth: u32, program: &Bytes32, accounts: &[Bytes32], data: Body) -> Self {
        let program_id_index = u32::from(self.index(*program));
        let accounts: Vec<u8> = accounts.iter().map(|account| self.index(*account)).collect();
        let (accounts, data) = (accounts.into(), data.0.into());
        if depth == 1 {
            self.outer.push(CompiledInstruction { program_id_index, accounts, data });
            let index = u32::try_from(self.outer.len() - 1).unwrap();
            self.inner.push(InnerInstructions { index, instructions: Vec::new() });
        } else {
            let call = InnerInstruction { program_id_index, accounts, data, stack_height: Some(depth) };
            self.inner.last_mut().unwrap().instructions.push(call);
        }
        self
    }

    /// Adds a transfer of tokens at that depth.
    pub(crate) fn transfer(self, depth: u32, from: Bytes32, to: Bytes32, amount: u64) -> Self {
        let mut data = Body(vec![3]);
        data = data.n(&[amount]);
        self.call(depth, TOKEN.as_array(), &[from, to, USER], data)
    }

    /// Adds a line to the log.
    pub(crate) fn log(mut self, line: String) -> Self {
        self.logs.push(line);
        self
    }

    /// Says which token an account holds.
    pub(crate) fn holds(mut self, account: Bytes32, mint: Bytes32, decimals: u32) -> Self {
        let account_index = u32::from(self.index(account));
        let ui_token_amount = Some(UiTokenAmount { decimals, amount: "1".into() });
        let mint = Mint::new(mint).to_string();
        self.balances.push(TokenBalance { account_index, mint, ui_token_amount, owner: String::new() });
        self
    }

    /// Says whose the account is that [`holds`](Self::holds) spoke of last.
    pub(crate) fn owned_by(mut self, owner: Bytes32) -> Self {
        self.balances.last_mut().unwrap().owner = Wallet::new(owner).to_string();
        self
    }

    fn pump_event(self, depth: u32, event: Body) -> Self {
        self.call(depth, PUMP.as_array(), &[PUMP_EVENT_AUTHORITY.to_bytes()], event)
    }

    fn pool_event(self, depth: u32, event: Body) -> Self {
        self.call(depth, PUMP_SWAP.as_array(), &[PUMP_SWAP_EVENT_AUTHORITY.to_bytes()], event)
    }

    pub(crate) fn frame(self) -> Vec<u8> {
        let account_keys = self.keys.iter().map(|key| key.to_vec().into()).collect();
        let message = SolanaMessage { account_keys, instructions: self.outer, ..Default::default() };
        let info = proto::SubscribeUpdateTransactionInfo {
            signature: vec![9; 64].into(),
            transaction: Some(Transaction { message: Some(message), ..Default::default() }),
            meta: Some(TransactionStatusMeta {
                inner_instructions: self.inner,
                log_messages: self.logs,
                post_token_balances: self.balances,
                ..Default::default()
            }),
            ..Default::default()
        };
        let update = proto::SubscribeUpdateTransaction { transaction: Some(info), slot: 5, ..Default::default() };
        proto::SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(update)), ..Default::default() }
            .encode_to_vec()
    }

    pub(crate) fn decode(self) -> (Vec<Event>, Vec<Undecoded>, Decoded) {
        let frame = self.frame();
        let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { panic!() };
        let (mut events, mut undecoded) = (Vec::new(), Vec::new());
        let decoded = Decoder::default().decode(&transaction, &mut events, &mut undecoded).unwrap();
        (events, undecoded, decoded)
    }
}

/// A pump `TradeEvent` in its oldest layout.
fn pump_trade(mint: Bytes32, sol: u64, tokens: u64, buy: bool) -> Body {
    Body::event(0xbddb_7fd3_4ee6_61ee).key(mint).n(&[sol, tokens]).b(&[u8::from(buy)]).key(USER).n(&[
        1_790_000_000,
        40_000_000_000,
        800_000_000_000_000,
        10_000_000_000,
        520_100_000_000_000,
    ])
}

/// A `PumpSwap` `SellEvent` in its oldest layout.
fn pool_sell(pool: Bytes32, base: u64, quote: u64) -> Body {
    let body = Body::event(0x3e2f_370a_a503_dc2a)
        .n(&[1_790_000_000, base, 0, 0, 0, 1_000_000, 2_000_000, quote, 20, 7, 5, 3, quote - 7, quote - 10])
        .key(pool)
        .key(USER);
    (0..4).fold(body, |body, account| body.key(key(100 + account)))
}

#[test]
fn each_hop_of_a_multi_hop_is_a_trade_of_its_own_pool() {
    let (pool, curve, first, second) = (key(20), key(21), key(30), key(31));
    let sol = *WRAPPED_SOL.bytes();
    let head: Vec<_> = (50..66).map(key).collect();
    let hops = [first, sol, pool, key(70), key(71), second, sol, curve, key(72), key(73)];
    let curve_head: Vec<_> = (80..93).map(key).collect();
    let (events, undecoded, decoded) = Made::new()
        .call(1, PUMP_SWAP.as_array(), &[&head[..], &hops].concat(), Body::of(0x2b64_4913_e9f6_6f94).n(&[1000, 1]))
        .pool_event(2, pool_sell(pool, 1000, 1994))
        .call(
            2,
            PUMP.as_array(),
            &[&curve_head[..], &hops[5..]].concat(),
            Body::of(0xe19a_7516_d756_f667).n(&[1984, 0]),
        )
        .call(
            3,
            PUMP.as_array(),
            &[PUMP_EVENT_AUTHORITY.to_bytes(), curve, first],
            Body(EVENT_CALL.to_be_bytes().into()),
        )
        .pump_event(3, pump_trade(second, 1900, 38_000, true))
        .decode();
    assert_eq!(undecoded, []);
    let [first_hop, second_hop] = &events[..] else { panic!("{events:?}") };
    let (EventKind::Trade(sold), EventKind::Trade(bought)) = (&first_hop.kind, &second_hop.kind) else { panic!() };
    assert_eq!((first_hop.path.outer, first_hop.path.inner, first_hop.event_index), (0, None, 0));
    assert_eq!((second_hop.path.outer, second_hop.path.inner, second_hop.event_index), (0, Some(1), 0));
    let place = |trade: &Trade| (trade.venue, trade.instruction, trade.pool, trade.mint, trade.side, trade.limit);
    assert_eq!(place(sold), (Venue::PumpSwap, "multi_hop_swap", Pool::new(pool), Mint::new(first), Side::Sell, None));
    assert_eq!(
        place(bought),
        (Venue::Pump, "multi_hop_curve_swap", Pool::new(curve), Mint::new(second), Side::Buy, None)
    );
    assert_eq!((sold.outer_program, bought.outer_program), (None, Some(PUMP_SWAP.to_bytes())));
    for program in [Program::Pump, Program::PumpSwap] {
        let counts = decoded.tally.of(program);
        assert_eq!((counts.expected, counts.decoded, counts.invocations, counts.known), (1, 1, 1, 1), "{program:?}");
    }
}

#[test]
fn a_multi_hop_over_curves_only_is_complete_without_an_event_of_its_own() {
    let made = |traded: bool| {
        let (head, curve_head): (Vec<_>, Vec<_>) = ((50..66).map(key).collect(), (80..93).map(key).collect());
        let hop = [key(31), *WRAPPED_SOL.bytes(), key(21), key(72), key(73)];
        let made = Made::new()
            .call(1, PUMP_SWAP.as_array(), &[&head[..], &hop].concat(), Body::of(0x2b64_4913_e9f6_6f94).n(&[1000, 1]))
            .call(2, PUMP.as_array(), &[&curve_head[..], &hop].concat(), Body::of(0xe19a_7516_d756_f667).n(&[1984, 0]));
        if traded { made.pump_event(3, pump_trade(key(31), 1900, 38_000, true)) } else { made }.decode()
    };
    let (_, undecoded, decoded) = made(true);
    assert_eq!((undecoded.len(), decoded.tally.of(Program::PumpSwap).decoded), (0, 1));
    let (_, undecoded, decoded) = made(false);
    assert_eq!((undecoded.len(), decoded.tally.of(Program::PumpSwap).decoded), (2, 0));
    assert!(undecoded.iter().all(|miss| miss.reason == UndecodedReason::MissingEvent));
}

/// A pool's hop and a curve's hop without any event: what moved into and out of their accounts tells.
#[test]
fn hops_without_events_are_read_from_what_moved() {
    let (pool, curve, first, second) = (key(20), key(21), key(30), key(31));
    let sol = *WRAPPED_SOL.bytes();
    let head: Vec<_> = (50..66).map(key).collect();
    let hops = [first, sol, pool, key(70), key(71), second, sol, curve, key(72), key(73)];
    let curve_head: Vec<_> = (80..93).map(key).collect();
    let made = |moved: bool| {
        let made = Made::new().call(
            1,
            PUMP_SWAP.as_array(),
            &[&head[..], &hops].concat(),
            Body::of(0x2b64_4913_e9f6_6f94).n(&[1000, 1]),
        );
        let made = if moved { made.transfer(2, USER, key(70), 1000).transfer(2, key(71), USER, 1984) } else { made };
        let made = made.call(
            2,
            PUMP.as_array(),
            &[&curve_head[..], &hops[5..]].concat(),
            Body::of(0xe19a_7516_d756_f667).n(&[1984, 0]),
        );
        if moved { made.transfer(3, USER, key(73), 1900).transfer(3, key(72), USER, 38_000) } else { made }.decode()
    };
    let (events, undecoded, decoded) = made(true);
    assert_eq!(undecoded, []);
    let [EventKind::Trade(sold), EventKind::Trade(bought)] = [&events[0].kind, &events[1].kind] else { panic!() };
    let place = |trade: &Trade| (trade.venue, trade.pool, trade.mint, trade.quote_mint, trade.side, trade.source);
    let fallback = Source::Fallback;
    let (first, second) = (Mint::new(first), Mint::new(second));
    assert_eq!(place(sold), (Venue::PumpSwap, Pool::new(pool), first, WRAPPED_SOL, Side::Sell, fallback));
    assert_eq!(place(bought), (Venue::Pump, Pool::new(curve), second, WRAPPED_SOL, Side::Buy, fallback));
    assert_eq!((sold.base_amount, sold.quote_amount), (1000, 1984));
    assert_eq!((bought.base_amount, bought.quote_amount), (38_000, 1900));
    assert_eq!((sold.user, bought.user), (Wallet::new(head[0]), Wallet::new(curve_head[3])));
    assert_eq!(events.len(), 2);
    for program in [Program::Pump, Program::PumpSwap] {
        let counts = decoded.tally.of(program);
        assert_eq!((counts.expected, counts.decoded, counts.fallbacks), (1, 1, 1), "{program:?}");
    }
    let (events, undecoded, _) = made(false);
    assert_eq!((events.len(), undecoded.len()), (0, 2));
}

#[test]
fn what_aggregators_call_keeps_its_user_and_names_the_outer_program() {
    let accounts: Vec<_> = (40..57).map(key).collect();
    let mut accounts = accounts;
    accounts[2] = key(30);
    let (events, ..) = Made::new()
        .call(1, &key(200), &[], Body::default())
        .call(2, &key(201), &[], Body::default())
        .call(3, PUMP.as_array(), &accounts, Body::of(0x33e6_85a4_017f_83ad).n(&[38_000, 1800]))
        .pump_event(4, pump_trade(key(30), 1900, 38_000, false))
        .decode();
    let [Event { kind: EventKind::Trade(trade), path, payer, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((path.outer, path.inner), (0, Some(1)));
    assert_eq!((trade.outer_program, trade.user, *payer), (Some(key(200)), Wallet::new(USER), Wallet::new(USER)));
    assert_eq!(trade.pool, Pool::new(accounts[3]));
    assert_eq!(trade.limit.map(|limit| (limit.kind, limit.amount)), Some((LimitKind::MinQuoteOut, 1800)));
    let reserves = |base, quote| Some(Reserves { base, quote });
    assert_eq!(trade.reserves_after, reserves(800_000_000_000_000, 40_000_000_000));
    assert_eq!(trade.reserves_before, reserves(799_999_999_962_000, 40_000_001_900));
}

#[test]
fn an_event_belongs_to_the_program_that_sent_it() {
    let accounts: Vec<_> = (40..57).map(key).collect();
    // Another program between: its event, whatever its bytes, is none of pump's.
    let (events, undecoded, _) = Made::new()
        .call(1, PUMP.as_array(), &accounts, Body::of(0x33e6_85a4_017f_83ad).n(&[38_000, 1800]))
        .call(2, &key(200), &[PUMP_EVENT_AUTHORITY.to_bytes()], pump_trade(accounts[2], 1900, 38_000, false))
        .pool_event(2, pump_trade(accounts[2], 1900, 38_000, false))
        .decode();
    assert_eq!(events, []);
    assert!(matches!(undecoded[..], [Undecoded { reason: UndecodedReason::MissingEvent, program: Program::Pump, .. }]));
}

#[test]
fn liquidity_is_seen_from_the_base_token() {
    let event = |discriminator| {
        let body = Body::event(discriminator)
            .n(&[1_790_000_000, 500, 0, 0, 0, 0, 10_000, 20_000, 100, 200, 7])
            .key(key(20))
            .key(USER);
        (0..3).fold(body, |body, account| body.key(key(100 + account)))
    };
    let sol = *WRAPPED_SOL.bytes();
    for (call, event_discriminator, action) in [
        (0xf223_c689_52e1_f2b6, 0x78f8_3d53_1f8e_6b90, LiquidityAction::Deposit),
        (0xb712_469c_946d_a122, 0x1609_851a_a02c_47c0, LiquidityAction::Withdraw),
    ] {
        for (base, quote, inverted) in [(key(30), sol, false), (sol, key(30), true)] {
            let accounts = [key(20), key(40), USER, base, quote];
            let (events, undecoded, decoded) = Made::new()
                .call(1, PUMP_SWAP.as_array(), &accounts, Body::of(call).n(&[1, 2, 3]))
                .pool_event(2, event(event_discriminator))
                .decode();
            assert_eq!((undecoded.len(), decoded.tally.of(Program::PumpSwap).decoded), (0, 1));
            let turn = |pair: (u64, u64)| if inverted { (pair.1, pair.0) } else { pair };
            let (base_amount, quote_amount) = turn((100, 200));
            let expected = Liquidity {
                venue: Venue::PumpSwap,
                pool: Pool::new(key(20)),
                mint: Mint::new(key(30)),
                quote_mint: WRAPPED_SOL,
                action,
                base_amount,
                quote_amount,
                lp_amount: Some(500),
                user: Wallet::new(USER),
                raw_reserves_before: Some(turn((10_000, 20_000))),
            };
            assert_eq!(events[0].kind, EventKind::Liquidity(expected));
        }
    }
}

#[test]
fn a_pool_that_a_user_opens_the_other_way_round() {
    let sol = *WRAPPED_SOL.bytes();
    let event = Body::event(0xb131_0cd2_a076_a774)
        .n(&[1_790_000_000])
        .b(&[1, 0])
        .key(USER)
        .key(sol)
        .key(key(30))
        .b(&[9, 6])
        .n(&[11, 22, 11, 22, 100, 15, 14])
        .b(&[255])
        .key(key(20));
    let (events, undecoded, _) = Made::new()
        .call(
            1,
            PUMP_SWAP.as_array(),
            &[key(20), key(40), USER, sol, key(30)],
            Body::of(0xe992_d18e_cf68_40bc).n(&[0; 3]),
        )
        .pool_event(2, event)
        .decode();
    assert_eq!(undecoded, []);
    let expected = PoolCreated {
        venue: Venue::PumpSwap,
        pool: Pool::new(key(20)),
        mint: Mint::new(key(30)),
        quote_mint: WRAPPED_SOL,
        base_amount: 22,
        quote_amount: 11,
        lp_amount: Some(14),
        user: Wallet::new(USER),
        base_decimals: Some(6),
        quote_decimals: Some(9),
    };
    assert_eq!(events[0].kind, EventKind::PoolCreated(expected));
}

#[test]
fn a_shift_of_virtual_reserves_is_told() {
    let event = Body::event(0x757b_e4b6_a1a8_dcd6).n(&[1_790_000_000]).key(key(30)).n(&[1, 2, 3, 4, 5, 6]);
    let (events, undecoded, _) =
        Made::new().call(1, PUMP.as_array(), &[], Body::of(0x3da9_bcbf_9995_2a61)).pump_event(2, event).decode();
    assert_eq!(undecoded, []);
    let reserves = Reserves { base: 3, quote: 4 };
    assert_eq!(events[0].kind, EventKind::CurveAdjusted { mint: Mint::new(key(30)), reserves });
    assert_eq!(events[0].timestamp, Some(1_790_000_000));
}
