//! Where an event comes from when its usual place is cut, forged or missing: the log with its invoke stack, the transfers.

use std::collections::HashSet;

use proptest::prelude::*;
use smart_stream_tui::{
    chain::program::Program,
    decode::{
        EventKind,
        event::{FeeKind, Source, Trade},
        tally::UndecodedReason,
    },
};

use crate::layouts::{Carrier, Outcome, essence, golden, parts, published, run, signature_of, trades, with_event};

/// Trades that cannot be read from their event are read from the transfers, and say so.
#[test]
fn cut_trades_are_a_prefix_or_come_from_the_transfers() {
    let mut fallbacks = HashSet::new();
    for golden in golden().iter().filter(|golden| golden.is_trade()) {
        let whole = run(&golden.update);
        let essences: HashSet<_> = whole.events.iter().map(|event| essence(&event.kind)).collect();
        for length in 0..golden.bytes.len() {
            let outcome = run(&with_event(golden, &golden.bytes[..length]));
            assert_eq!(outcome.events.len(), whole.events.len(), "{} {} cut at {length}", golden.program, golden.event);
            for trade in trades(&outcome) {
                let fallback = trade.source == Source::Fallback;
                let told = essences.contains(&essence(&EventKind::Trade(trade.clone())));
                assert!(told || fallback, "{} {} cut at {length}: {trade:?}", golden.program, golden.event);
                if fallback {
                    assert!(trade.reserves_before.is_none() && trade.fees.iter().all(Option::is_none));
                    let same_place =
                        |other: &&Trade| (other.pool, other.mint, other.side) == (trade.pool, trade.mint, trade.side);
                    assert!(trades(&whole).iter().any(same_place), "{trade:?}");
                    fallbacks.insert(trade.venue);
                }
            }
            let counted: u32 = Program::ALL.map(|program| outcome.decoded.tally.of(program).fallbacks).iter().sum();
            let made = trades(&outcome).iter().filter(|trade| trade.source == Source::Fallback).count();
            assert_eq!(counted as usize, made);
        }
    }
    assert!(fallbacks.len() >= 5, "{fallbacks:?}");
}

/// The log-only programs' events, each attributed by the invoke stack; a cut log costs reserves and fees, not trades.
#[test]
fn without_its_log_a_swap_is_read_from_the_transfers() {
    let mut from_transfers = HashSet::new();
    for update in published() {
        let mut cut = update.clone();
        let lines = &mut parts(&mut cut).1.log_messages;
        lines.insert(0, "Log truncated".into());
        let (whole, without) = (run(update), run(&cut));
        assert_eq!(without.events.len(), whole.events.len(), "{}", signature_of(update));
        assert_eq!(without.undecoded, []);
        for (told, made) in trades(&whole).into_iter().zip(trades(&without)) {
            if matches!(told.source, Source::Log | Source::RayLog) {
                assert_eq!(made.source, Source::Fallback);
                assert_eq!(
                    (made.pool, made.mint, made.quote_mint, made.user),
                    (told.pool, told.mint, told.quote_mint, told.user)
                );
                assert_eq!((made.side, made.limit, made.base_decimals), (told.side, told.limit, told.base_decimals));
                if told.fees.iter().flatten().all(|fee| fee.kind != FeeKind::Transfer) {
                    assert_eq!(
                        (made.base_amount, made.quote_amount),
                        (told.base_amount, told.quote_amount),
                        "{told:?}"
                    );
                }
                from_transfers.insert(told.venue);
            } else {
                assert_eq!(told, made);
            }
        }
    }
    assert_eq!(from_transfers.len(), 4, "{from_transfers:?}");
}

/// A line that another program prints is not the venue's, whatever its bytes.
#[test]
fn a_forged_log_line_is_ignored() {
    for golden in golden().iter().filter(|golden| golden.carrier != Carrier::Call) {
        let Carrier::Log(prefix) = golden.carrier else { continue };
        let mut forged = golden.update.clone();
        let lines = &mut parts(&mut forged).1.log_messages;
        let line = Carrier::line(prefix, &golden.bytes);
        let entry = lines.iter().position(|line| line.ends_with(" invoke [1]")).unwrap();
        lines.insert(entry, line.clone());
        lines.push(line.clone());
        lines.push(format!("Program log: x\n{line}"));
        assert_eq!(run(&forged).events, run(&golden.update).events);
    }
}

#[test]
fn without_inner_instructions_the_log_tells() {
    let mut told = 0;
    for update in published() {
        let mut bare = update.clone();
        let meta = parts(&mut bare).1;
        meta.inner_instructions.clear();
        meta.inner_instructions_none = true;
        let outcome = run(&bare);
        let whole = run(update);
        let essences: HashSet<_> = whole.events.iter().map(|event| essence(&event.kind)).collect();
        for event in &outcome.events {
            assert!(essences.contains(&essence(&event.kind)), "{event:?}");
        }
        told += trades(&outcome)
            .iter()
            .filter(|trade| trade.source == Source::Log && trade.outer_program.is_none())
            .count();
    }
    assert!(told > 5, "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever stands where an event's base64 should, in the log of any transaction: no panic, and no event but those of the
    /// transfers.
    #[test]
    fn random_text_in_the_log_is_no_event(
        which in any::<prop::sample::Index>(),
        text in prop_oneof!["[A-Za-z0-9+/]{0,400}={0,2}", any::<String>()],
    ) {
        let golden: Vec<_> = golden().iter().filter(|golden| golden.carrier != Carrier::Call).collect();
        let golden = golden[which.index(golden.len())];
        let Carrier::Log(prefix) = golden.carrier else { unreachable!() };
        let mut update = golden.update.clone();
        let line = Carrier::line(prefix, &golden.bytes);
        let lines = &mut parts(&mut update).1.log_messages;
        *lines.iter_mut().find(|candidate| **candidate == line).unwrap() = format!("{prefix}{text}");
        let (whole, outcome) = (run(&golden.update), run(&update));
        let fallbacks = |outcome: &Outcome| {
            trades(outcome).into_iter().filter(|trade| trade.source == Source::Fallback).count()
        };
        prop_assert_eq!(outcome.events.len(), whole.events.len());
        prop_assert_eq!(fallbacks(&outcome), fallbacks(&whole) + 1);
    }
}

#[test]
fn hostile_texts_are_kept_as_bytes() {
    let hostile: [&[u8]; 10] = [
        b"\x1b[2J",
        "\u{202e}evil".as_bytes(),
        "a\u{200b}b".as_bytes(),
        &"\u{1F468}\u{200D}\u{1F469}".repeat(32).into_bytes(),
        &"a\u{301}".repeat(200).into_bytes(),
        &[0xff, 0xfe],
        b"",
        b"     ",
        b"=HYPERLINK(1)",
        b"\r\nProgram log: x",
    ];
    let golden = golden().iter().find(|golden| golden.event == "CreateEvent").unwrap();
    let length = |at: usize| u32::from_le_bytes(golden.bytes[at..at + 4].try_into().unwrap()) as usize;
    let behind = (0..3).fold(8, |at, _| at + 4 + length(at));
    for text in hostile {
        let field = [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text].concat();
        let bytes = [&golden.bytes[..8], &field, &field, &field, &golden.bytes[behind..]].concat();
        let outcome = run(&with_event(golden, &bytes));
        let created = outcome.events.iter().find_map(|event| match &event.kind {
            EventKind::TokenCreated(created) => Some(created),
            _ => None,
        });
        let created = created.unwrap();
        assert_eq!((&*created.name, &*created.symbol, &*created.uri), (text, text, text));
    }
    let endless = [&golden.bytes[..8], &[0xff; 4], &golden.bytes[12..]].concat();
    assert!(run(&with_event(golden, &endless)).undecoded.iter().any(|miss| miss.reason == UndecodedReason::BadLayout));
}
