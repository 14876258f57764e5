//! `Shown`: the one way from untrusted text to anything a person sees.
//!
//! Names and symbols are whatever a stranger paid to put there, server messages whatever a server sends. What could move
//! the cursor, reverse or hide text becomes a visible U+FFFD; marks do not pile up; the result fits into a row.

use std::{fmt, sync::Arc};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Input beyond this is not looked at: it could not be shown anyway.
const MAX_INPUT_BYTES: usize = 4096;
/// More marks on one character than any living script needs.
const MAX_MARKS: usize = 2;
/// The widest sign of several characters.
const MAX_SIGN_CELLS: usize = 4;
/// What stands for something that must not be shown.
const MARKER: char = char::REPLACEMENT_CHARACTER;
/// What stands for the rest of a text that was cut.
const CUT: &str = "…";

/// Bounds of a name or symbol.
const NAME: Bounds = Bounds { cells: 32, bytes: 128, chars: usize::MAX };
/// Bounds of a server's message.
const MESSAGE: Bounds = Bounds { cells: usize::MAX, bytes: usize::MAX, chars: 200 };

/// Text that is safe to put on a terminal: no control, bidi, zero-width or tag characters, bounded length.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown(Option<Arc<str>>);

#[derive(Clone, Copy)]
struct Bounds {
    cells: usize,
    bytes: usize,
    chars: usize,
}

impl Shown {
    /// Makes untrusted bytes safe: a name or symbol of at most 32 cells and 128 bytes.
    #[must_use]
    pub fn from_untrusted(bytes: &[u8]) -> Self {
        Self::bounded(bytes, NAME)
    }

    /// Makes a server's message safe: at most 200 characters.
    #[must_use]
    pub fn from_message(message: &str) -> Self {
        Self::bounded(message.as_bytes(), MESSAGE)
    }

    fn bounded(bytes: &[u8], bounds: Bounds) -> Self {
        // Not inside a character: half of one would look like a bad byte.
        let starts_char = |end: &usize| bytes.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80);
        let end = (MAX_INPUT_BYTES - 3..=MAX_INPUT_BYTES).rev().find(starts_char).unwrap_or(MAX_INPUT_BYTES);
        let text = bounds.cut(clean(&String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes))));
        Self((!text.is_empty()).then(|| text.into()))
    }

    /// The safe text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Whether nothing is left to show.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Bounds {
    fn take(self, text: &str) -> Option<Self> {
        Some(Self {
            cells: self.cells.checked_sub(text.width())?,
            bytes: self.bytes.checked_sub(text.len())?,
            chars: self.chars.checked_sub(text.chars().count())?,
        })
    }

    /// Cuts between graphemes, so that the rest is marked and all of it fits.
    fn cut(self, mut text: String) -> String {
        let mut whole = Some(self);
        let mut marked = self.take(CUT);
        let mut fits = 0;
        for (start, grapheme) in text.grapheme_indices(true) {
            whole = whole.and_then(|left| left.take(grapheme));
            marked = marked.and_then(|left| left.take(grapheme));
            if marked.is_some() {
                fits = start + grapheme.len();
            }
            if whole.is_none() {
                break;
            }
        }
        if whole.is_none() {
            text.truncate(fits);
            text.truncate(text.trim_end().len());
            text.push_str(CUT);
        }
        text
    }
}

/// Replaces what must not be shown, collapses white space, thins out marks, and keeps what joins into one sign to what every
/// terminal gives the same room: those that know signs of several characters and those that add up characters.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut base = None;
    let mut sign = 0;
    let mut marks = 0;
    let mut space = false;
    for char in text.chars() {
        let shown = match judge(char, base) {
            Verdict::Space => {
                space = !clean.is_empty();
                base = None;
                continue;
            }
            Verdict::Drop => continue,
            Verdict::Mark if base.is_some() => {
                marks += 1;
                if marks <= MAX_MARKS {
                    clean.push(char);
                }
                continue;
            }
            // A mark with nothing to sit on would sit on its neighbour in the row.
            Verdict::Mark | Verdict::Deny => MARKER,
            Verdict::Show => {
                match base.map_or_else(|| alone(char), |_| joined(clean.get(sign..).unwrap_or(""), char)) {
                    Joined::Not => char,
                    Joined::As(Room::Same) => {
                        clean.push(char);
                        continue;
                    }
                    Joined::As(Room::Other) => continue,
                    Joined::As(Room::TooMuch) => MARKER,
                }
            }
        };
        // One marker says it: a run of them would push out what can be read.
        if shown == MARKER && !space && clean.ends_with(MARKER) {
            continue;
        }
        if std::mem::take(&mut space) {
            clean.push(' ');
        }
        sign = clean.len();
        clean.push(shown);
        base = (shown != MARKER).then_some(shown);
        marks = 0;
    }
    clean
}

/// Whether a character becomes part of the sign before it.
enum Joined {
    Not,
    As(Room),
}

/// The room that a sign takes with one more character.
enum Room {
    /// The sum of its characters, for everybody.
    Same,
    /// Less for those that know the sign, as a thumb with its colour: without the character it is plain, and the same for all.
    Other,
    /// More than a row can spare.
    TooMuch,
}

/// A character after nothing that it could join: a vowel sign would join what stands to the left of the name.
fn alone(char: char) -> Joined {
    match joined(" ", char) {
        Joined::Not => Joined::Not,
        Joined::As(_) => Joined::As(Room::TooMuch),
    }
}

/// A character behind a sign.
fn joined(sign: &str, char: char) -> Joined {
    if sign.is_ascii() && char.is_ascii() {
        return Joined::Not;
    }
    let mut both = String::with_capacity(sign.len() + char.len_utf8());
    both.push_str(sign);
    both.push(char);
    if both.graphemes(true).nth(1).is_some() {
        return Joined::Not;
    }
    let sum: usize = both.chars().filter_map(UnicodeWidthChar::width).sum();
    Joined::As(match sum {
        _ if sum != both.width() => Room::Other,
        ..=MAX_SIGN_CELLS => Room::Same,
        _ => Room::TooMuch,
    })
}

enum Verdict {
    Show,
    Mark,
    Space,
    Drop,
    Deny,
}

fn judge(char: char, base: Option<char>) -> Verdict {
    match char {
        // Ask for a glyph variant of the character before: without them the plain one is shown.
        // The last two are voice marks of half-width kana: some terminals give them a cell, others none.
        '\u{fe00}'..='\u{fe0f}' | '\u{ff9e}' | '\u{ff9f}' => Verdict::Drop,
        // Between emoji a joiner only asks for one picture instead of two.
        '\u{200d}' if base.and_then(char::width) == Some(2) => Verdict::Drop,
        _ if char.is_whitespace() => Verdict::Space,
        _ if is_denied(char) => Verdict::Deny,
        _ if char.width() == Some(0) => Verdict::Mark,
        _ => Verdict::Show,
    }
}

/// Whether a character must not be shown: a control, one that is not seen but does something, or one without a glyph.
#[must_use]
pub fn is_denied(char: char) -> bool {
    !matches!(char, ' '..='~') && (is_invisible(char) || !is_printable(char))
}

/// Assigned characters that show nothing or change how others are shown (Unicode's `Default_Ignorable_Code_Point`, the
/// `Bidi_Control` characters and the annotation marks); most are not printable anyway.
const fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the character has a glyph: the standard library's escaping knows controls, formats, private use and unassigned.
fn is_printable(char: char) -> bool {
    // Behind another character, because a mark at the start of a text is escaped too.
    let mut buffer = [b'x', 0, 0, 0, 0];
    let (_, place) = buffer.split_at_mut(1);
    let length = char.encode_utf8(place).len();
    let text = std::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    let mut escaped = text.escape_debug().skip(1);
    escaped.next() == Some(char) || matches!(char, '"' | '\'' | '\\')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::prelude::*;

    use super::*;

    fn shown(bytes: &[u8]) -> String {
        Shown::from_untrusted(bytes).as_str().to_owned()
    }

    /// The rules again, from the list of the specification and not from the code.
    fn is_forbidden(char: char) -> bool {
        let code = u32::from(char);
        char.is_control()
            || [0x61c, 0x200e, 0x200f, 0xad, 0x2060, 0xfeff, 0x2028, 0x2029, 0x034f, 0x3164, 0x115f, 0x1160]
                .contains(&code)
            || (0x202a..=0x202e).contains(&code)
            || (0x2066..=0x2069).contains(&code)
            || (0x200b..=0x200d).contains(&code)
            || (0xfe00..=0xfe0f).contains(&code)
            || (0xe0000..=0xe007f).contains(&code)
            || (0xe000..=0xf8ff).contains(&code)
            || code >= 0xf0000
            || [0x0378, 0x2fe0, 0x40000, 0xfffe].contains(&code)
    }

    fn assert_safe(text: &str) {
        for char in text.chars() {
            assert!(!is_forbidden(char) && !is_denied(char), "{char:?} survived in {text:?}");
        }
        assert!(!text.contains("  ") && text.trim() == text, "{text:?}");
    }

    #[test]
    fn hostile_names() {
        assert_eq!(shown(b"\x1b[2J"), "\u{fffd}[2J");
        assert_eq!(shown(b"\x1b]0;x\x07"), "\u{fffd}]0;x\u{fffd}");
        assert_eq!(shown("\u{202e}evil".as_bytes()), "\u{fffd}evil");
        assert_eq!(shown("a\u{200b}b".as_bytes()), "a\u{fffd}b");
        assert_eq!(shown("a\u{9b}31m".as_bytes()), "a\u{fffd}31m");
        assert_eq!(shown("p\u{e0041}\u{e0042}u".as_bytes()), "p\u{fffd}u");
        assert_eq!(shown(b"\xff\xfe"), "\u{fffd}");
        assert_eq!(shown(b""), "");
        assert_eq!(shown(b"   \t "), "");
        assert_eq!(shown(b"ok\r\nERROR forged"), "ok ERROR forged");
        assert_eq!(shown(b"=HYPERLINK(\"x\")"), "=HYPERLINK(\"x\")");
        assert_eq!(shown("\u{301}x".as_bytes()), "\u{fffd}x");
        assert_eq!(shown("c\u{301}".as_bytes()), "c\u{301}");
        assert_eq!(shown(format!("a{}", "\u{301}".repeat(5000)).as_bytes()), "a\u{301}\u{301}");
        let family = "\u{1F468}\u{200D}\u{1F469}".repeat(32);
        let family = shown(family.as_bytes());
        assert!(family.starts_with("\u{1F468}\u{1F469}") && family.ends_with(CUT), "{family}");
        assert!(family.width() <= 32);
    }

    #[test]
    fn honest_names_stay() {
        for name in [
            "Vincent le Gogh",
            "שלום עולם",
            "مرحبا بالعالم",
            "नमस्ते",
            "สวัสดี",
            "狗狗币",
            "Ünïcödé",
            "🚀🌕",
            "it's \"x\" \\o/",
        ] {
            assert_eq!(shown(name.as_bytes()), name);
        }
        assert_eq!(shown("❤\u{fe0f}".as_bytes()), "❤");
    }

    #[test]
    fn long_names_are_cut_visibly() {
        let name = shown("x".repeat(200).as_bytes());
        assert_eq!((name.chars().count(), name.ends_with(CUT)), (32, true));
        assert_eq!(shown("x".repeat(32).as_bytes()), "x".repeat(32));
        assert_eq!(shown("狗".repeat(40).as_bytes()).width(), 31);
    }

    #[test]
    fn messages_are_cut_at_200_characters() {
        let message = Shown::from_message(&format!("\x1b[31m{}", "wide 狗 ".repeat(1 << 16)));
        assert!(message.as_str().chars().count() <= 200 && message.as_str().chars().count() > 190);
        assert_safe(message.as_str());
        assert_eq!(Shown::from_message("not found").to_string(), "not found");
    }

    proptest! {
        #[test]
        fn nothing_denied_survives_and_everything_fits(bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::collection::vec(any::<char>(), 0..80).prop_map(|chars| String::from_iter(chars).into_bytes()),
            "[👍👦क-ह\u{93e}-\u{94d}🏻-🏿\u{1100}-\u{11ff}\u{d4e}\u{1f1e6}-\u{1f1ff}]{0,20}".prop_map(String::into_bytes),
            "[a-z \u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{2069}\u{300}-\u{36f}\u{fe00}-\u{fe0f}\u{600}-\u{6ff}\u{1f300}-\u{1f5ff}\u{e0000}-\u{e007f}\u{0}-\u{20}\u{7f}-\u{9f}]{0,80}"
                .prop_map(String::into_bytes),
        ]) {
            let name = shown(&bytes);
            assert_safe(&name);
            prop_assert!(name.width() <= 32 && name.len() <= 128, "{name:?}");
            let cells: usize = name.graphemes(true).map(UnicodeWidthStr::width).sum();
            prop_assert!(cells <= 32, "{name:?}");
            for sign in name.graphemes(true) {
                let sum: usize = sign.chars().filter_map(UnicodeWidthChar::width).sum();
                prop_assert!(sum == sign.width() && sum <= MAX_SIGN_CELLS, "{sign:?} of {name:?}");
            }
            let behind = format!(" {name}");
            prop_assert_eq!(behind.graphemes(true).next(), Some(" "), "joins what stands before it");
            prop_assert_eq!(shown(name.as_bytes()), name, "what is clean stays as it is");
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let message = Shown::from_message(text);
                assert_safe(message.as_str());
                prop_assert!(message.as_str().chars().count() <= 200);
            }
        }
    }
}
