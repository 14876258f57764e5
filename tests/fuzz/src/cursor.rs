//! The reader of event bodies, with reads of every kind in any order, against the simplest reader that can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smart_stream_tui_fuzz::Input;

/// Where the reader looks for keys.
mod chain {
    pub mod ids {
        pub use smart_stream_tui::chain::ids::Key;
    }
}
#[path = "../../../src/decode/cursor.rs"]
mod cursor;

/// What is left of a body. A read of more than there is takes all and gives nothing.
struct Model(Vec<u8>);

impl Model {
    fn take(&mut self, count: u128) -> Option<Vec<u8>> {
        let enough = count <= self.0.len() as u128;
        let taken: Vec<u8> = self.0.drain(..if enough { count as usize } else { self.0.len() }).collect();
        enough.then_some(taken)
    }

    /// A little-endian number of that many bytes.
    fn number(&mut self, bytes: u128) -> Option<u128> {
        let taken = self.take(bytes)?;
        Some(taken.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let reads = usize::from(input.byte());
    let reads = input.bytes(reads);
    let (mut cursor, mut model) = (cursor::Cursor::new(input.0), Model(input.0.to_vec()));
    for read in reads {
        let size = usize::from(read >> 4);
        match read & 0xf {
            0 => assert_eq!(cursor.u8().map(u128::from), model.number(1)),
            1 => assert_eq!(cursor.u64().map(u128::from), model.number(8)),
            2 => assert_eq!(cursor.i64().map(|number| u128::from(number as u64)), model.number(8)),
            3 => assert_eq!(cursor.u128(), model.number(16)),
            4 => assert_eq!(cursor.i128().map(|number| number as u128), model.number(16)),
            5 => assert_eq!(cursor.bool(), model.number(1).map(|byte| byte != 0)),
            6 => assert_eq!(cursor.key::<()>().map(|key| key.bytes().to_vec()), model.take(32)),
            7 | 8 => {
                let text = model.number(4).and_then(|length| model.take(length));
                assert_eq!(cursor.text().map(<[u8]>::to_vec), text);
            }
            9 | 10 => {
                cursor.skip_items(size);
                let count = model.number(4).unwrap_or(0);
                model.take(count * size as u128);
            }
            _ => {
                cursor.skip(size);
                model.take(size as u128);
            }
        }
        assert_eq!((cursor.left(), cursor.has_tail()), (model.0.len(), !model.0.is_empty()));
    }
});
