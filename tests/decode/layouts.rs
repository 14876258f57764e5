//! Old, new, cut-off, forged and impossible layouts: real transactions with one thing changed.

use std::{collections::HashSet, sync::OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use prost::Message;
use serde_json::Value;
use smart_stream_tui::{
    chain::{
        program::{Program, Transport},
        proto::{
            self,
            confirmed_block::{InnerInstruction, Message as SolanaMessage, TransactionError, TransactionStatusMeta},
            subscribe_update::UpdateOneof,
        },
        wire::{Kind, Update},
    },
    decode::{
        DecodeError, Decoded, Decoder, Event, EventKind, Undecoded,
        event::{Flow, Source, Trade},
        tally::UndecodedReason,
    },
};

use crate::{data, messages};

pub(crate) const EVENT_CALL: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];

/// Events that are known and not read.
const QUIET: [&str; 3] = ["ExtendAccountEvent", "CloseUserVolumeAccumulatorEvent", "BoostBuyAndBurnEvent"];

/// One event of `golden_events.json`.
pub(crate) struct Golden {
    pub(crate) program: String,
    pub(crate) event: String,
    parent: String,
    full: bool,
    /// Its bytes, discriminator first.
    pub(crate) bytes: Vec<u8>,
    pub(crate) carrier: Carrier,
    pub(crate) update: proto::SubscribeUpdate,
}

/// Where an event stands in its transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Carrier {
    Call,
    Log(&'static str),
}

impl Carrier {
    pub(crate) fn line(prefix: &str, bytes: &[u8]) -> String {
        format!("{prefix}{}", STANDARD.encode(bytes))
    }
}

impl Golden {
    fn call(&self) -> Vec<u8> {
        [&EVENT_CALL[..], &self.bytes].concat()
    }

    pub(crate) fn is_pumps(&self) -> bool {
        self.program.starts_with("pump")
    }

    /// Whether the transfers say it too.
    pub(crate) fn is_trade(&self) -> bool {
        !self.is_pumps() || matches!(self.event.as_str(), "TradeEvent" | "BuyEvent" | "SellEvent")
    }
}

pub(crate) fn published() -> &'static [proto::SubscribeUpdate] {
    static UPDATES: OnceLock<Vec<proto::SubscribeUpdate>> = OnceLock::new();
    UPDATES.get_or_init(|| {
        let decode = |frame: bytes::Bytes| proto::SubscribeUpdate::decode(frame).unwrap();
        messages(&data("published.pb.zst")).into_iter().map(decode).collect()
    })
}

pub(crate) fn golden() -> &'static [Golden] {
    static GOLDEN: OnceLock<Vec<Golden>> = OnceLock::new();
    GOLDEN.get_or_init(|| {
        let rows: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(data("golden_events.json")).unwrap()).unwrap();
        rows.iter()
            .map(|row| {
                let text = |field: &str| row[field].as_str().unwrap().to_owned();
                let hex = text("hex");
                let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                let bytes = (0..hex.len()).step_by(2).map(byte);
                let signature = text("signature");
                let holds = |update: &&proto::SubscribeUpdate| signature_of(update) == signature;
                let carrier = match text("via").as_str() {
                    "ray_log" => Carrier::Log("Program log: ray_log: "),
                    "program_data_log" => Carrier::Log("Program data: "),
                    _ => Carrier::Call,
                };
                Golden {
                    program: text("idl"),
                    event: text("event"),
                    parent: text("parent_ix"),
                    full: matches!(row["status"].as_str(), Some("full" | "extra16")),
                    bytes: bytes.collect(),
                    carrier,
                    update: published().iter().find(holds).unwrap().clone(),
                }
            })
            .collect()
    })
}

pub(crate) fn signature_of(update: &proto::SubscribeUpdate) -> String {
    let Some(UpdateOneof::Transaction(transaction)) = &update.update_oneof else { panic!() };
    let bytes = <[u8; 64]>::try_from(&transaction.transaction.as_ref().unwrap().signature[..]).unwrap();
    smart_stream_tui::chain::ids::Signature::from(bytes).to_string()
}

/// The message and the meta of a transaction, to be changed.
pub(crate) fn parts(update: &mut proto::SubscribeUpdate) -> (&mut SolanaMessage, &mut TransactionStatusMeta) {
    let Some(UpdateOneof::Transaction(transaction)) = &mut update.update_oneof else { panic!() };
    let info = transaction.transaction.as_mut().unwrap();
    (info.transaction.as_mut().unwrap().message.as_mut().unwrap(), info.meta.as_mut().unwrap())
}

fn inner(update: &mut proto::SubscribeUpdate) -> impl Iterator<Item = &mut InnerInstruction> {
    parts(update).1.inner_instructions.iter_mut().flat_map(|group| &mut group.instructions)
}

pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    pub(crate) undecoded: Vec<Undecoded>,
    pub(crate) decoded: Decoded,
}

fn try_run(update: &proto::SubscribeUpdate) -> Result<Outcome, DecodeError> {
    let frame = update.encode_to_vec();
    let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { panic!() };
    let (mut events, mut undecoded) = (Vec::new(), Vec::new());
    let result = Decoder::default().decode(&transaction, &mut events, &mut undecoded);
    if result.is_err() {
        assert!(events.is_empty() && undecoded.is_empty());
    }
    result.map(|decoded| Outcome { events, undecoded, decoded })
}

pub(crate) fn run(update: &proto::SubscribeUpdate) -> Outcome {
    try_run(update).unwrap()
}

/// The golden event's transaction with other bytes in its place.
pub(crate) fn with_event(golden: &Golden, bytes: &[u8]) -> proto::SubscribeUpdate {
    let mut update = golden.update.clone();
    match golden.carrier {
        Carrier::Call => {
            let place = inner(&mut update).find(|instruction| instruction.data == golden.call()).unwrap();
            place.data = [&EVENT_CALL[..], bytes].concat().into();
        }
        Carrier::Log(prefix) => {
            let line = Carrier::line(prefix, &golden.bytes);
            let lines = &mut parts(&mut update).1.log_messages;
            *lines.iter_mut().find(|candidate| **candidate == line).unwrap() = Carrier::line(prefix, bytes);
        }
    }
    update
}

fn tails(outcome: &Outcome) -> u32 {
    Program::ALL.map(|program| outcome.decoded.tally.of(program).unknown_tails).iter().sum()
}

pub(crate) fn trades(outcome: &Outcome) -> Vec<&Trade> {
    let trade = |event: &'_ Event| matches!(event.kind, EventKind::Trade(_));
    outcome
        .events
        .iter()
        .filter(|event| trade(event))
        .map(|event| match &event.kind {
            EventKind::Trade(trade) => trade,
            _ => unreachable!(),
        })
        .collect()
}

/// What every layout carries: two decodings of one event at different lengths must agree on it.
pub(crate) fn essence(kind: &EventKind) -> String {
    match kind {
        EventKind::Trade(t) => format!("{} {} {:?} {} {}", t.pool, t.user, t.side, t.base_amount, t.quote_amount),
        EventKind::TokenCreated(c) => {
            format!("{} {} {:?} {:?} {:?} {}", c.mint, c.curve, c.name, c.symbol, c.uri, c.creator)
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn golden_events_cut_at_every_length_are_a_prefix_or_a_clean_error() {
    for golden in golden().iter().filter(|golden| !golden.is_trade()) {
        let whole = run(&golden.update);
        let essences: HashSet<_> = whole.events.iter().map(|event| essence(&event.kind)).collect();
        let mut cleanly_refused = 0;
        for length in 0..golden.bytes.len() {
            let outcome = run(&with_event(golden, &golden.bytes[..length]));
            for event in &outcome.events {
                assert!(essences.contains(&essence(&event.kind)), "{} cut at {length}: {event:?}", golden.event);
            }
            let missing = whole.events.len() - outcome.events.len();
            assert!(missing <= 1);
            let tally = &outcome.decoded.tally;
            let owed: u32 =
                [Program::Pump, Program::PumpSwap].map(|p| tally.of(p).expected - tally.of(p).decoded).iter().sum();
            if missing == 1 && golden.event != "CompletePumpAmmMigrationEvent" {
                assert_eq!((owed, outcome.undecoded.len()), (1, 1), "{} cut at {length}", golden.event);
                cleanly_refused += 1;
            }
            // A launch is in its instruction as well.
            if tally.of(Program::Pump).fallbacks == 1 {
                let counts = (golden.event.as_str(), missing, owed);
                assert_eq!(counts, ("CreateEvent", 0, 0), "cut at {length}");
                assert!(outcome.undecoded.len() <= 1);
                cleanly_refused += 1;
            }
        }
        let silent = QUIET.contains(&golden.event.as_str()) || golden.event == "CompletePumpAmmMigrationEvent";
        assert!(silent || cleanly_refused > 100, "{} {cleanly_refused}", golden.event);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_behind_the_last_field_change_nothing_and_are_counted(
        which in any::<prop::sample::Index>(),
        tail in proptest::collection::vec(any::<u8>(), 1..100),
    ) {
        let read = |golden: &&Golden| golden.full && !QUIET.contains(&golden.event.as_str());
        let full: Vec<_> = golden().iter().filter(read).collect();
        prop_assert!(full.len() > 10);
        let golden = full[which.index(full.len())];
        let (before, after) = (run(&golden.update), run(&with_event(golden, &[&golden.bytes[..], &tail].concat())));
        prop_assert_eq!(&after.events, &before.events);
        prop_assert_eq!((tails(&before), tails(&after)), (0, 1));
    }

    #[test]
    fn another_programs_call_is_never_ours(which in any::<prop::sample::Index>(), bit in 0..256_usize) {
        let mut update = golden()[which.index(golden().len())].update.clone();
        for key in &mut parts(&mut update).0.account_keys {
            if Program::from_id(key[..].try_into().unwrap()).is_some() {
                let mut other = key.to_vec();
                other[bit / 8] ^= 1 << (bit % 8);
                *key = other.into();
            }
        }
        let meta = parts(&mut update).1;
        for key in meta.loaded_writable_addresses.iter_mut().chain(&mut meta.loaded_readonly_addresses) {
            if Program::from_id(key[..].try_into().unwrap()).is_some() {
                *key = vec![7; 32].into();
            }
        }
        let outcome = run(&update);
        prop_assert!(outcome.events.is_empty() && outcome.undecoded.is_empty());
        prop_assert_eq!(outcome.decoded.tally.programs().count(), 0);
    }

    #[test]
    fn random_bytes_never_panic(
        which in any::<prop::sample::Index>(),
        event in proptest::collection::vec(any::<u8>(), 0..600),
        keep in 0..9_usize,
    ) {
        let golden = &golden()[which.index(golden().len())];
        let _ = try_run(&with_event(golden, &[&golden.bytes[..keep.min(golden.bytes.len())], &event].concat()));
    }

    #[test]
    fn mutated_transactions_never_panic(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut frame = published()[which.index(published().len())].encode_to_vec();
        for (place, byte) in changes {
            let place = place.index(frame.len());
            frame[place] = byte;
        }
        if let Ok(Update { kind: Kind::Transaction(transaction), .. }) = Update::scan(&frame) {
            let _ = Decoder::default().decode(&transaction, &mut Vec::new(), &mut Vec::new());
        }
    }
}

#[test]
fn one_decoder_for_all_transactions_gives_what_fresh_ones_give() {
    let mut decoder = Decoder::default();
    for update in published() {
        let frame = update.encode_to_vec();
        let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { panic!() };
        let mut events = Vec::new();
        decoder.decode(&transaction, &mut events, &mut Vec::new()).unwrap();
        assert_eq!(events, run(update).events);
    }
}

#[test]
fn without_stack_heights_the_order_says_who_emitted() {
    for update in published() {
        let mut flat = update.clone();
        inner(&mut flat).for_each(|instruction| instruction.stack_height = None);
        assert_eq!(run(&flat).events, run(update).events, "{}", signature_of(update));
    }
}

#[test]
fn groups_of_inner_instructions_may_come_in_any_order() {
    let mut with_several = 0;
    for update in published() {
        let mut turned = update.clone();
        let groups = &mut parts(&mut turned).1.inner_instructions;
        with_several += usize::from(groups.len() > 1);
        groups.reverse();
        assert_eq!(run(&turned).events, run(update).events);
    }
    assert!(with_several > 10);
}

#[test]
fn failed_transactions_have_no_events_and_no_counts() {
    let mut update = golden()[0].update.clone();
    parts(&mut update).1.err = Some(TransactionError { err: vec![8].into() });
    let outcome = run(&update);
    assert!(outcome.decoded.failed && outcome.events.is_empty() && outcome.undecoded.is_empty());
    assert_eq!(outcome.decoded.tally, smart_stream_tui::decode::Tally::default());
}

#[test]
fn accounts_that_are_not_there_are_refused() {
    let mut update = golden()[0].update.clone();
    inner(&mut update).next().unwrap().accounts = vec![255].into();
    assert!(matches!(try_run(&update), Err(DecodeError::AccountIndex { index: 255, .. })));
    let mut update = golden()[0].update.clone();
    inner(&mut update).next().unwrap().program_id_index = u32::MAX;
    assert!(matches!(try_run(&update), Err(DecodeError::AccountIndex { index: u32::MAX, .. })));
    let mut update = golden()[0].update.clone();
    parts(&mut update).1.inner_instructions[0].index = 99;
    assert!(try_run(&update).is_err());
}

#[test]
fn an_event_without_its_authority_is_none() {
    for golden in golden().iter().filter(|golden| golden.is_pumps() && golden.event == "TradeEvent") {
        let mut update = golden.update.clone();
        let place = inner(&mut update).find(|instruction| instruction.data == golden.call()).unwrap();
        place.accounts = vec![0].into();
        let (outcome, whole) = (run(&update), run(&golden.update));
        let from_transfers = trades(&outcome).iter().filter(|trade| trade.source == Source::Fallback).count();
        assert_eq!(outcome.events.len(), whole.events.len());
        assert_eq!((from_transfers, outcome.undecoded.len()), (1, 0));
    }
}

/// Changes the discriminator of every call of a program that is followed by the golden event.
fn with_unknown_parent(golden: &Golden) -> proto::SubscribeUpdate {
    let mut update = golden.update.clone();
    let known: HashSet<Vec<u8>> = HashSet::from([golden.call()]);
    let program =
        inner(&mut update).find(|instruction| known.contains(&instruction.data[..])).unwrap().program_id_index;
    let (message, meta) = parts(&mut update);
    let calls =
        message.instructions.iter_mut().filter(|call| call.program_id_index == program).map(|call| &mut call.data);
    let inner = meta.inner_instructions.iter_mut().flat_map(|group| &mut group.instructions);
    let inner = inner.filter(|call| call.program_id_index == program && !call.data.starts_with(&EVENT_CALL));
    for data in calls.chain(inner.map(|call| &mut call.data)) {
        let mut changed = data.to_vec();
        changed[0] ^= 0x55;
        *data = changed.into();
    }
    update
}

#[test]
fn a_new_instruction_lowers_coverage_and_keeps_its_trades() {
    let trade = |golden: &&Golden| {
        golden.is_pumps() && matches!(golden.event.as_str(), "TradeEvent" | "BuyEvent" | "SellEvent")
    };
    for golden in golden().iter().filter(trade) {
        let (known, unknown) = (run(&golden.update), run(&with_unknown_parent(golden)));
        let facts = |outcome: &Outcome| {
            let facts = |trade: &&Trade| {
                (trade.pool, trade.mint, trade.user, trade.base_amount, trade.quote_amount, trade.reserves_after)
            };
            trades(outcome).iter().map(facts).collect::<Vec<_>>()
        };
        assert_eq!(facts(&unknown), facts(&known), "{}", golden.parent);
        assert!(trades(&unknown).iter().any(|trade| trade.instruction == "unknown" && trade.limit.is_none()));
        assert!(unknown.undecoded.iter().all(|miss| miss.reason == UndecodedReason::UnknownInstruction));
        let program = if golden.event == "TradeEvent" { Program::Pump } else { Program::PumpSwap };
        let counts = unknown.decoded.tally.of(program);
        assert!(counts.known < counts.invocations && counts.decoded == counts.expected);
    }
}

/// A completing buy, from a real one: its last two events are put in by hand.
#[test]
fn the_leg_beyond_the_curve_follows_its_trade() {
    let golden = golden().iter().find(|golden| golden.event == "TradeEvent" && golden.parent == "buy_v3").unwrap();
    let before = run(&golden.update);
    let trade = trades(&before)[0].clone();
    let call = |discriminator: [u8; 8], keys: &[&[u8; 32]], numbers: &[u64]| {
        let keys = keys.iter().flat_map(|key| key.iter().copied());
        let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
        EVENT_CALL.into_iter().chain(discriminator).chain(keys).chain(numbers).collect::<Vec<u8>>()
    };
    let (user, mint, curve) = (trade.user.bytes(), trade.mint.bytes(), trade.pool.bytes());
    let complete = call([0x5f, 0x72, 0x61, 0x9c, 0xd4, 0x2e, 0x98, 0x08], &[user, mint, curve], &[1_792_000_000]);
    let beyond = call(
        [0x6f, 0xb0, 0x6d, 0x8b, 0x31, 0x6c, 0xd5, 0xfb],
        &[user, mint, curve, &[0; 32]],
        &[1_792_000_000, 11, 22, 95, 3, 30, 4, 1, 206_900, 85_000, 206_889, 85_022],
    );
    let mut update = golden.update.clone();
    let group = parts(&mut update)
        .1
        .inner_instructions
        .iter_mut()
        .find(|group| group.instructions.iter().any(|call| call.data == golden.call()))
        .unwrap();
    let at = group.instructions.iter().position(|call| call.data == golden.call()).unwrap();
    for data in [beyond, complete] {
        let template = group.instructions[at].clone();
        group.instructions.insert(at + 1, InnerInstruction { data: data.into(), ..template });
    }
    let after = run(&update);
    let place = after.events.iter().position(|event| event.kind == EventKind::Trade(trade.clone())).unwrap();
    let [first, second, third] = &after.events[place..place + 3] else { panic!() };
    assert_eq!([first.event_index, second.event_index, third.event_index], [0, 1, 2]);
    assert!(first.path == second.path && second.path == third.path);
    let EventKind::Trade(leg) = &second.kind else { panic!("{second:?}") };
    assert_eq!(
        (leg.flow, leg.base_amount, leg.quote_amount, leg.reserves_before),
        (Flow::PostCompletion, 11, 22, None)
    );
    assert_eq!(leg.reserves_after.map(|reserves| (reserves.base, reserves.quote)), Some((206_889, 85_022)));
    assert_eq!(
        leg.fees.iter().flatten().map(|fee| (fee.kind.name(), fee.amount, fee.bps)).collect::<Vec<_>>(),
        [("protocol", 3, Some(95)), ("creator", 4, Some(30)), ("buyback", 1, None)]
    );
    assert!(matches!(third.kind, EventKind::CurveCompleted { mint, .. } if mint == trade.mint));
    assert_eq!(after.undecoded, []);
    assert_eq!(after.decoded.tally.of(Program::Pump).decoded, before.decoded.tally.of(Program::Pump).decoded);
}

#[test]
fn the_mayhem_agents_trades_are_its_own_flow() {
    let golden = golden().iter().find(|golden| golden.event == "TradeEvent").unwrap();
    let mut bytes = golden.bytes.clone();
    bytes[8 + 49..8 + 81].copy_from_slice(smart_stream_tui::chain::program::MAYHEM_AGENT.as_array());
    let outcome = run(&with_event(golden, &bytes));
    assert!(trades(&outcome).iter().any(|trade| trade.flow == Flow::MayhemAgent && trade.reserves_before.is_none()));
}

#[test]
fn the_ids_are_those_of_the_programs() {
    let authority = |program| solana_sdk::pubkey::Pubkey::find_program_address(&[b"__event_authority"], program).0;
    for program in Program::ALL {
        assert_eq!(program.event_authority().is_some(), program.transport() == Transport::SelfCall, "{program:?}");
        assert!(program.event_authority().is_none_or(|known| *known == authority(program.id())), "{program:?}");
        assert_eq!(program.base58(), program.id().to_string());
        assert_eq!(Program::from_id(program.id().as_array()), Some(program));
    }
}
