//! Names as strangers write them: controls, escape sequences, changes of direction, what is not seen, what joins.

use std::sync::Arc;

use smart_stream_tui::{chain::text::Shown, ui::widgets::width};

use super::fixture::Dice;

/// Names that each part gets without being told otherwise.
const DEFAULT: usize = 1_500;

/// What terminals obey or do not show, what would end a text in another format, characters of two cells and of none, letters
/// that join.
const PIECES: [&str; 40] = [
    "\u{1b}[2J",
    "\u{1b}]0;owned\u{7}",
    "\u{1b}]8;;http://x\u{1b}\\",
    "\u{9b}31m",
    "\u{90}q",
    "\u{202e}evil",
    "\u{2066}",
    "\u{2069}",
    "\u{200b}",
    "\u{200d}",
    "\u{200f}",
    "\u{61c}",
    "\u{feff}",
    "\u{fe0f}",
    "\u{e0041}\u{e007f}",
    "\u{e000}",
    "\u{10fffd}",
    "\u{378}",
    "\u{ad}",
    "\u{34f}",
    "\u{3164}",
    "\u{115f}",
    "\u{2028}",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{7f}",
    "\u{a0}",
    "漢字",
    "ａ",
    "👩\u{200d}👩\u{200d}👧",
    "👍🏽",
    "🇩🇪🇩",
    "\u{1100}\u{1161}\u{11a8}",
    "क्षि",
    "ᠠ\u{180b}",
    "ب",
    "<text x='0'>&amp;]]>",
    "=HYPERLINK(\"x\")\\",
    "…",
];

/// Makes names.
pub(crate) struct Names {
    dice: Dice,
    made: usize,
    wanted: usize,
}

impl Names {
    pub(crate) fn new(seed: u64) -> Self {
        let wanted = std::env::var("HOSTILE_NAMES").ok().and_then(|count| count.parse().ok()).unwrap_or(DEFAULT);
        Self { dice: Dice(seed), made: 0, wanted }
    }

    pub(crate) const fn are_due(&self) -> bool {
        self.made < self.wanted
    }

    /// Bytes of any kind, a few times in a hundred not UTF-8.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.made += 1;
        let mut name = Vec::new();
        for _ in 0..self.dice.roll(12) {
            let mut push = |char: Option<char>| {
                name.extend_from_slice(char.unwrap_or('?').encode_utf8(&mut [0; 4]).as_bytes());
            };
            match self.dice.roll(12) {
                0..5 => name.extend_from_slice(PIECES[self.dice.roll(PIECES.len() as u64) as usize].as_bytes()),
                5 => push(char::from_u32(self.dice.roll(0x11_0000) as u32)),
                6 => push(char::from_u32(self.dice.roll(0x3000) as u32)),
                7 => push(char::from_u32(0x300 + self.dice.roll(0x70) as u32)),
                8 => (0..self.dice.roll(60)).for_each(|_| push(Some('\u{301}'))),
                9 => name.push(self.dice.roll(256) as u8),
                _ => (0..self.dice.roll(9)).for_each(|_| push(char::from_u32(0x20 + self.dice.roll(95) as u32))),
            }
        }
        name
    }

    /// A name or symbol, as the market takes it over.
    pub(crate) fn shown(&mut self) -> Shown {
        let shown = Shown::from_untrusted(&self.bytes());
        assert!(width(shown.as_str()) <= 32);
        all_fine(shown.as_str());
        shown
    }

    /// A server's message, as the streams take it over.
    pub(crate) fn message(&mut self) -> Arc<str> {
        let message = Shown::from_message(&self.raw());
        assert!(message.as_str().chars().count() <= 200);
        all_fine(message.as_str());
        message.as_str().into()
    }

    /// What somebody pastes or a library logs.
    pub(crate) fn raw(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// The list of the specification, and not the code's.
fn is_forbidden(char: char) -> bool {
    let code = u32::from(char);
    char.is_control()
        || matches!(code, 0x61c | 0xad | 0x34f | 0x115f | 0x1160 | 0x3164 | 0xfeff | 0x378)
        || (0x200b..=0x200f).contains(&code)
        || (0x2028..=0x202e).contains(&code)
        || (0x2060..=0x206f).contains(&code)
        || (0xfe00..=0xfe0f).contains(&code)
        || (0xe000..=0xf8ff).contains(&code)
        || code >= 0xe0000
}

/// Whether nothing of a text does anything but stand there.
pub(crate) fn all_fine(text: &str) {
    assert!(!text.chars().any(is_forbidden), "{text:?}");
}
