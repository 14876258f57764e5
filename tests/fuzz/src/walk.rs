//! The walk over any transaction and any meta.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smart_stream_tui::chain::{transaction::Walk, wire::Transaction};
use smart_stream_tui_fuzz::{Input, touch};

thread_local!(static WALK: std::cell::RefCell<Walk> = std::cell::RefCell::default());

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let length = usize::from(input.byte()) << 2;
    let transaction = input.bytes(length);
    let update =
        Transaction { slot: 0, bank_id: 0, signature: &[1; 64], is_vote: false, index: 0, transaction, meta: input.0 };
    WALK.with_borrow_mut(|walk| {
        if let Ok(walked) = walk.read(&update) {
            touch(&walked);
        }
    });
});
