//! The decoder over any frame; seeded with the shipped recording.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smart_stream_tui::{
    chain::wire::{Kind, Update},
    decode::{Decoder, Event, Undecoded},
};

thread_local!(static STATE: std::cell::RefCell<(Decoder, Vec<Event>, Vec<Undecoded>)> = std::cell::RefCell::default());

fuzz_target!(init: smart_stream_tui_fuzz::seed(), |frame: &[u8]| {
    let Ok(Update { kind: Kind::Transaction(transaction), .. }) = Update::scan(frame) else { return };
    STATE.with_borrow_mut(|(decoder, events, undecoded)| {
        events.clear();
        undecoded.clear();
        let result = decoder.decode(&transaction, events, undecoded);
        match result {
            Ok(decoded) => {
                assert!(!decoded.failed || events.is_empty());
                let counts = decoded.tally.programs().map(|program| *decoded.tally.of(program));
                counts.for_each(|counts| assert!(counts.decoded <= counts.expected && counts.known <= counts.invocations));
            }
            Err(_) => assert!(events.is_empty() && undecoded.is_empty()),
        }
    });
});
