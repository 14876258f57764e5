//! pump and `PumpSwap` trades without their events: what the instruction and its transfers say against what the event says.

use std::collections::BTreeMap;

use prost::Message;
use smart_stream_tui::{
    chain::{
        ids::WRAPPED_SOL,
        program::{PUMP, PUMP_SWAP, Program},
        proto,
    },
    decode::{
        Event, EventKind,
        event::{FeeKind, Flow, Side, Source, TokenCreated, Trade, Venue},
    },
};

use crate::{
    layouts::{EVENT_CALL, parts, published, run, signature_of},
    messages, shared,
};

/// Events that are trades, of both programs.
const TRADES: [u64; 3] = [0xbddb_7fd3_4ee6_61ee, 0x67f4_521f_2cf5_7777, 0x3e2f_370a_a503_dc2a];

/// pump's `CreateEvent`.
const CREATE: u64 = 0x1b72_a94d_deeb_6376;

/// A transaction without these events and without its log.
fn without_events(update: &proto::SubscribeUpdate, events: &[u64]) -> proto::SubscribeUpdate {
    let mut update = update.clone();
    let (message, meta) = parts(&mut update);
    let keys = message.account_keys.iter();
    let keys = keys.chain(&meta.loaded_writable_addresses).chain(&meta.loaded_readonly_addresses);
    let of_pumps: Vec<bool> = keys.map(|key| [PUMP, PUMP_SWAP].iter().any(|id| id.as_array()[..] == key[..])).collect();
    for call in meta.inner_instructions.iter_mut().flat_map(|group| &mut group.instructions) {
        let event = call.data.strip_prefix(&EVENT_CALL[..]).and_then(|event| event.first_chunk());
        if event.is_some_and(|event| events.contains(&u64::from_be_bytes(*event)))
            && of_pumps[call.program_id_index as usize]
        {
            // The bare mark carries no event, and the paths of what follows stay.
            call.data.truncate(EVENT_CALL.len());
        }
    }
    meta.log_messages.clear();
    update
}

/// A transaction of a server that records neither inner instructions nor log.
fn without_inner(update: &proto::SubscribeUpdate) -> proto::SubscribeUpdate {
    let mut update = update.clone();
    let meta = parts(&mut update).1;
    meta.inner_instructions.clear();
    meta.inner_instructions_none = true;
    meta.log_messages.clear();
    update
}

fn trades(events: &[Event]) -> Vec<(&Event, &Trade)> {
    let of_pumps = events.iter().filter(|event| matches!(event.venue(), Venue::Pump | Venue::PumpSwap));
    let trade = |event| match event {
        &Event { kind: EventKind::Trade(ref trade), .. } => Some((event, trade)),
        _ => None,
    };
    of_pumps.filter_map(trade).collect()
}

/// What moved between pool and traders in the pool's own quote, by the event: its amount, and the fees that stay there.
fn moved(trade: &Trade, bare: bool) -> u64 {
    let fee = |kind| trade.fees.iter().flatten().find(|fee| fee.kind == kind).map_or(0, |fee| fee.amount);
    let (lp, protocol, creator) = (fee(FeeKind::Lp), fee(FeeKind::Protocol), fee(FeeKind::Creator));
    let inverted = trade.fees.iter().flatten().any(|fee| fee.in_base);
    let quote = if inverted { trade.base_amount } else { trade.quote_amount };
    let stays = match (trade.venue, trade.instruction) {
        (Venue::PumpSwap, name) if name.ends_with("_v2") => lp + protocol + creator - fee(FeeKind::Buyback),
        (Venue::PumpSwap, _) => lp,
        // In SOL the curve takes in everything and pays the buyback, which its balance shows; in tokens the user does.
        (_, name) if name.ends_with("_v3") && trade.quote_mint == WRAPPED_SOL && !bare => protocol + creator,
        (_, name) if name.ends_with("_v3") => protocol + creator - fee(FeeKind::Buyback),
        _ => 0,
    };
    // The pool's own buy is a sell where its base is a currency.
    if (trade.side == Side::Buy) == inverted { quote - stays } else { quote + stays }
}

/// How many trades came back, how many of those with the event's own amounts, and how many did not, by instruction.
#[derive(Debug, Default, PartialEq)]
struct Count {
    back: usize,
    exact: usize,
    lost: BTreeMap<&'static str, usize>,
}

fn compare(updates: &[proto::SubscribeUpdate], bare: bool) -> Count {
    let mut count = Count::default();
    for update in updates {
        let without = if bare { without_inner(update) } else { without_events(update, &TRADES) };
        let (whole, without) = (run(update), run(&without));
        let made = trades(&without.events);
        let told = trades(&whole.events).into_iter().filter(|(_, told)| told.flow != Flow::PostCompletion);
        for (event, told) in told.filter(|(event, _)| !bare || event.path.inner.is_none()) {
            assert_eq!(told.source, Source::SelfCall);
            let Some((_, made)) = made.iter().find(|(other, _)| other.path == event.path) else {
                *count.lost.entry(told.instruction).or_default() += 1;
                continue;
            };
            let place = |trade: &Trade| (trade.venue, trade.pool, trade.mint, trade.quote_mint, trade.user, trade.side);
            let manner = |trade: &Trade| (trade.instruction, trade.flow, trade.limit, trade.base_decimals, trade.app);
            assert_eq!((place(made), manner(made)), (place(told), manner(told)), "{}", signature_of(update));
            assert_eq!(made.source, Source::Fallback);
            assert!(made.reserves_before.is_none() && made.reserves_after.is_none());
            assert!(made.fees.iter().all(Option::is_none) && made.curve_tokens_left.is_none());
            let inverted = told.fees.iter().flatten().any(|fee| fee.in_base);
            let (own_base, own_quote) = if inverted {
                (made.quote_amount == told.quote_amount, made.base_amount)
            } else {
                (made.base_amount == told.base_amount, made.quote_amount)
            };
            assert!(own_base, "{made:?} is not {told:?}");
            assert_eq!(own_quote, moved(told, bare), "{}: {made:?} is not {told:?}", signature_of(update));
            count.back += 1;
            count.exact += usize::from((made.base_amount, made.quote_amount) == (told.base_amount, told.quote_amount));
        }
    }
    count
}

#[test]
fn without_its_event_a_trade_is_read_from_what_moved() {
    let count = compare(published(), false);
    assert_eq!(count, Count { back: 41, exact: 29, lost: BTreeMap::new() });
}

#[test]
fn without_their_events_other_trades_are_read_from_what_moved() {
    let Some(path) = shared("reference.pb.zst") else { return };
    let decode = |frame: bytes::Bytes| proto::SubscribeUpdate::decode(frame).unwrap();
    let updates: Vec<_> = messages(&path).into_iter().map(decode).collect();
    let count = compare(&updates, false);
    // A curve that two of a transaction's instructions use does not tell how much SOL each of them took out.
    assert_eq!(count, Count { back: 28, exact: 23, lost: BTreeMap::from([("sell", 1)]) });
}

/// The balances of a curve's or pool's accounts, where one instruction alone used them.
#[test]
fn without_inner_instructions_the_balances_tell() {
    let count = compare(published(), true);
    // The others are of transactions that launch the token too: two instructions use the curve.
    let lost = [("buy", 10), ("buy_exact_sol_in", 1), ("buy_v2", 6), ("buy_v3", 1)];
    assert_eq!(count, Count { back: 5, exact: 1, lost: BTreeMap::from(lost) });
}

fn launches(events: &[Event]) -> Vec<(&Event, &TokenCreated)> {
    let launch = |event| match event {
        &Event { kind: EventKind::TokenCreated(ref created), .. } if created.venue == Venue::Pump => {
            Some((event, created))
        }
        _ => None,
    };
    events.iter().filter_map(launch).collect()
}

/// Launches without their events, with and without the inner instructions: how many are the same but for what the curve
/// begins with, and how many of them trade in another token than SOL.
fn launched(updates: &[proto::SubscribeUpdate]) -> (usize, usize) {
    let (mut same, mut in_tokens) = (0, 0);
    for update in updates {
        let whole = run(update);
        for (cut, bare) in [(without_events(update, &[CREATE]), false), (without_inner(update), true)] {
            let cut = run(&cut);
            let made = launches(&cut.events);
            for (event, told) in
                launches(&whole.events).into_iter().filter(|(event, _)| !bare || event.path.inner.is_none())
            {
                let Some((_, made)) = made.iter().find(|(other, _)| other.path == event.path) else {
                    panic!("{} has no launch", signature_of(update))
                };
                let token_program = made.token_program.filter(|_| told.token_program.is_some());
                let stated = TokenCreated {
                    initial: told.initial,
                    initial_tokens_left: told.initial_tokens_left,
                    supply: told.supply,
                    token_program,
                    ..(*made).clone()
                };
                assert_eq!(&stated, told, "{}", signature_of(update));
                assert_eq!((made.initial, made.initial_tokens_left, made.supply), (None, None, None));
                same += 1;
                in_tokens += usize::from(made.quote_mint != WRAPPED_SOL);
            }
            let counts = cut.decoded.tally.of(Program::Pump);
            assert!(made.is_empty() || counts.fallbacks >= 1);
        }
    }
    (same, in_tokens)
}

#[test]
fn without_its_event_a_launch_is_read_from_its_instruction() {
    let (same, in_tokens) = launched(published());
    eprintln!("{same} launches of published transactions, {in_tokens} in another token than SOL");
    assert!(same > 30);
    let Some(path) = shared("reference.pb.zst") else { return };
    let decode = |frame: bytes::Bytes| proto::SubscribeUpdate::decode(frame).unwrap();
    let (same, in_tokens) = launched(&messages(&path).into_iter().map(decode).collect::<Vec<_>>());
    eprintln!("{same} launches of other transactions, {in_tokens} in another token than SOL");
    assert!(same > 10);
}
