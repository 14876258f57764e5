//! Whatever way transactions take to the pipeline, each counts once.

#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;

use super::*;
use crate::{
    chain::{
        group::{GroupSet, Groups},
        ids::{Key, WRAPPED_SOL},
    },
    decode::{
        Event, EventKind, Tally,
        event::{Cost, Flow, Path, Reserves, Side, Source, Trade, Venue},
    },
    engine::view::SourceKind,
    stream::StreamStatus,
};

const T0: i64 = 1_790_000_000_000;

fn signature(n: u8) -> Signature {
    Signature::from([n; 64])
}

/// A transaction with as many trades as its number's last two bits say, and its events.
fn transaction(n: u8) -> (Item, Vec<Event>, Vec<Undecoded>) {
    let trades = u32::from(n % 4);
    let mut tally = Tally::default();
    let counts = tally.of_mut(Program::Pump);
    (counts.invocations, counts.known, counts.expected, counts.decoded) = (trades + 1, trades, trades + 1, trades);
    let events = (0..trades).map(|index| Event {
        slot: 5,
        signature: signature(n),
        tx_index: n.into(),
        path: Path { outer: u16::try_from(index).unwrap(), inner: None },
        event_index: 0,
        timestamp: None,
        payer: Key::new([1; 32]),
        kind: EventKind::Trade(Trade {
            venue: Venue::Pump,
            source: Source::SelfCall,
            flow: Flow::User,
            instruction: "buy",
            pool: Key::new([2; 32]),
            mint: Key::new([n; 32]),
            quote_mint: WRAPPED_SOL,
            user: Key::new([n; 32]),
            side: Side::Buy,
            base_amount: 1,
            quote_amount: 1_000_000_000,
            fees: [None; 7],
            reserves_before: None,
            reserves_after: Some(Reserves { base: 1_000_000, quote: 1_000 }),
            virtual_quote: None,
            curve_tokens_left: Some(1),
            curve_real_quote: None,
            curve_progress: None,
            sqrt_price: None,
            limit: None,
            base_supply: None,
            base_decimals: None,
            outer_program: None,
            app: None,
            cost: Cost::default(),
            mayhem: false,
        }),
    });
    let undecoded = Undecoded {
        program: Program::Pump,
        discriminator: [n; 8],
        reason: UndecodedReason::UnknownInstruction,
        signature: signature(n),
    };
    let kind = ItemKind::Transaction(Transaction {
        slot: 5,
        signature: signature(n),
        bytes: 100,
        failed: false,
        groups: GroupSet::from_iter([Group::BondingCurve]),
        tally,
        events: trades,
        undecoded: 1,
        transfers: 0,
        attempts: 0,
    });
    let frame = Some(Bytes::new());
    let item = Item { recv_us: T0 * 1_000, created_us: Some(T0 * 1_000 - 2_000), replayed: false, frame, kind };
    (item, events.collect(), vec![undecoded])
}

fn pipeline() -> Pipeline {
    let source =
        SourceView { kind: SourceKind::Demo, provider: String::new(), endpoints: vec![], commitment: "processed" };
    Pipeline::new(source, 2, ProofMode::Filters, crate::mev::AlertRules::default(), Groups::default(), T0)
}

proptest! {
    #[test]
    fn each_transaction_counts_once_on_whatever_way_it_comes(
        arrivals in proptest::collection::vec(proptest::collection::vec((0_usize..2, any::<u8>()), 0..20), 0..30),
    ) {
        let mut pipeline = pipeline();
        let (mut changes, mut frames) = (Vec::new(), Vec::new());
        let mut order = Vec::new();
        let mut all = 0;
        for arrivals in &arrivals {
            for connection in 0..2 {
                let mut batch = Batch { connection, ..Batch::default() };
                for (_, n) in arrivals.iter().filter(|(to, _)| *to == connection) {
                    let (item, events, undecoded) = transaction(*n);
                    batch.items.push(item);
                    batch.events.extend(events);
                    batch.undecoded.extend(undecoded);
                    batch.frames += 1;
                    all += 1;
                    if !order.contains(n) {
                        order.push(*n);
                    }
                }
                pipeline.apply(batch, T0, &mut changes, &mut frames);
            }
        }
        let want: Vec<_> = order.iter().flat_map(|n| (0..u16::from(n % 4)).map(|index| (signature(*n), index))).collect();
        let got = changes.iter().filter_map(|change| match change {
            Change::Chain(event) => Some((event.event.signature, event.event.path.outer)),
            _ => None,
        });
        prop_assert_eq!(got.collect::<Vec<_>>(), want.clone(), "every event once, with its own transaction, in order");
        prop_assert_eq!(frames.len(), order.len());

        pipeline.second(T0 + 1_000, 0.0);
        let view = pipeline.view(T0 + 1_000, &StreamStatus::default(), false);
        let unique = order.len() as u64;
        prop_assert_eq!((view.totals.transactions, view.totals.duplicates), (unique, all - unique));
        prop_assert_eq!(view.totals.trades, want.len() as u64);
        prop_assert_eq!(view.totals.parsed.all.decoded, want.len() as u64);
        prop_assert_eq!(view.totals.parsed.all.expected, want.len() as u64 + unique);
        prop_assert_eq!(view.totals.parsed.last_10s, view.totals.parsed.all);
        prop_assert_eq!(view.groups[0].parsed, view.totals.parsed);
        let programs: Vec<_> = view.programs.iter().map(|program| (program.program, program.parsed)).collect();
        prop_assert_eq!(programs, if unique > 0 { vec![(Program::Pump, view.totals.parsed)] } else { vec![] });
        prop_assert_eq!(view.undecoded.iter().map(|row| row.count).sum::<u64>(), unique.min(view.undecoded.len() as u64));
        prop_assert_eq!(view.groups[0].undecoded, unique);
        prop_assert_eq!(view.groups[0].per_second[..].to_vec(), [u32::try_from(unique).unwrap()]);
        prop_assert_eq!(view.groups[1].per_second[..].to_vec(), [0]);
        if unique > 0 {
            let latency = view.groups[0].latency.unwrap();
            prop_assert!((latency.p50_ms - 2.0).abs() < 0.05);
        }
    }
}

#[test]
fn nothing_measured_is_nothing_shown() {
    let view = pipeline().view(T0, &StreamStatus::default(), false);
    assert_eq!((view.totals.tps, view.totals.slot, view.totals.slot_time_ms), (None, None, None));
    assert_eq!(view.totals.parsed.all.percent(), None);
    for group in view.groups.iter() {
        assert_eq!((group.tps, group.peak_tps, group.latency, group.slot_lag), (None, None, None, None));
    }
}

#[test]
fn a_stream_that_fell_silent_has_nothing_new_to_show() {
    let mut pipeline = pipeline();
    let apply = |pipeline: &mut Pipeline, n: u8, now_ms: i64| {
        let (mut item, events, undecoded) = transaction(n);
        item.recv_us = now_ms * 1_000;
        let batch = Batch { items: vec![item], events, undecoded, frames: 1, ..Batch::default() };
        pipeline.apply(batch, now_ms, &mut Vec::new(), &mut Vec::new());
    };
    let streams = StreamStatus::default();
    (0..40).for_each(|n| apply(&mut pipeline, n, T0));
    let mut shown = pipeline.view(T0, &streams, false);
    let mut news = 0;
    for second in 1..=900 {
        let now_ms = T0 + second * 1_000;
        assert_eq!(pipeline.is_quiet(now_ms), second > 60);
        pipeline.second(now_ms, 0.0);
        let view = pipeline.view(now_ms, &streams, false);
        if !view.shows_the_same(&shown) {
            pipeline.published(now_ms);
            shown = view;
            news = second;
        }
    }
    assert!((60..=310).contains(&news), "the charts and windows have run empty: {news}");
    apply(&mut pipeline, 41, T0 + 901_000);
    assert!(!pipeline.is_quiet(T0 + 901_000));
    assert!(!pipeline.view(T0 + 901_000, &streams, false).shows_the_same(&shown));
}
