//! The recording reader over any file: what it gives is what is there, and it ends.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use smart_stream_tui::chain::recording::Reader;

fuzz_target!(|file: &[u8]| {
    let mut read = 0;
    for message in Reader::from_plain("fuzz", Cursor::new(file.to_vec())) {
        let Ok(message) = message else { break };
        read += message.len() + 1;
    }
    assert!(read <= file.len());
});
