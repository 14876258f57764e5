//! Whether the terminal is light or dark, for a theme that follows it.
//!
//! The question is OSC 11; a terminal that knows it answers `ESC ] 11 ; rgb:RRRR/GGGG/BBBB ST` in the midst of what is typed,
//! and crossterm hands that on as keys. Here they are told apart: what is an answer is heard, all else stays a key. Nothing
//! waits for the answer, and one may come at any time.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Asks for the colour of the background (xterm, "Operating System Commands": 11 with `?`).
pub const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";
/// An answer comes in one piece: what has begun like one and does not go on for so long is keys.
const PAUSE: Duration = Duration::from_millis(100);
/// The same of an Escape alone, which is far more likely a key.
const ESCAPE: Duration = Duration::from_millis(5);
/// How long the first frame waits for an answer. One that comes later changes the theme of what is shown.
pub const FIRST_FRAME: Duration = Duration::from_millis(10);

/// Longest answer, in keys: `11;rgba:` and four times four digits.
const LONGEST: usize = 32;

/// What the terminal's background is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backdrop {
    /// Dark letters are read on it.
    Light,
    /// Light letters are.
    Dark,
}

impl Backdrop {
    /// The built-in theme for it.
    #[must_use]
    pub const fn theme(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the words of an answer; `None` for words that are none.
    fn read(answer: &str) -> Option<Self> {
        let colour = answer.strip_prefix("11;")?;
        let parts = colour.strip_prefix("rgb:").or_else(|| colour.strip_prefix("rgba:"))?;
        let mut shares = parts.split('/').map(|digits| {
            // Of each part the terminal says as many digits as it likes: f, ff and ffff are all of it.
            let most =
                16_u32.checked_pow(u32::try_from(digits.len()).ok()?)?.checked_sub(1).filter(|most| *most > 0)?;
            let value = u32::from_str_radix(digits, 16).ok()?;
            Some(f64::from(value) / f64::from(most))
        });
        let mut next = || shares.next().flatten();
        let (red, green, blue) = (next()?, next()?, next()?);
        // The weights of the eye, as for the luma of Rec. 709.
        let luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        Some(if luma > 0.5 { Self::Light } else { Self::Dark })
    }
}

/// Picks answers out of the keys.
#[derive(Debug, Default)]
pub struct Listener {
    /// Keys that may be an answer so far.
    held: Vec<KeyEvent>,
    /// What they say behind the opening.
    words: String,
}

/// What came of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// These keys were pressed; none while it may be an answer.
    Keys(Vec<KeyEvent>),
    /// The terminal has answered.
    Answer(Backdrop),
}

impl Listener {
    /// Takes a key.
    pub fn on(&mut self, key: KeyEvent) -> Heard {
        if self.held.is_empty() {
            return if opens(&key) || is(&key, KeyCode::Esc, KeyModifiers::NONE) {
                self.held.push(key);
                Heard::Keys(Vec::new())
            } else {
                Heard::Keys(vec![key])
            };
        }
        let escaped = self.held.last().is_some_and(|last| last.code == KeyCode::Esc);
        let begun = self.held.len() > 1 || !escaped;
        let fits = match key.code {
            // Escape and the bracket in two pieces.
            KeyCode::Char(']') if !begun => is_plain(&key),
            KeyCode::Esc => begun && !escaped,
            _ if closes(&key, escaped) && begun => return self.close(key),
            KeyCode::Char(c) if begun && !escaped && is_plain(&key) && self.held.len() < LONGEST => {
                self.words.push(c);
                "11;rgba:".starts_with(&self.words)
                    || "11;rgb:".starts_with(&self.words)
                    || (self.words.starts_with("11;rgb") && (c.is_ascii_hexdigit() || c == '/'))
            }
            _ => false,
        };
        if fits {
            self.held.push(key);
            return Heard::Keys(Vec::new());
        }
        // The key itself may be where an answer begins.
        let mut keys = self.give_up();
        if let Heard::Keys(own) = self.on(key) {
            keys.extend(own);
        }
        Heard::Keys(keys)
    }

    fn close(&mut self, key: KeyEvent) -> Heard {
        let mut keys = std::mem::take(&mut self.held);
        let answer = Backdrop::read(&self.words);
        self.words.clear();
        if let Some(answer) = answer {
            return Heard::Answer(answer);
        }
        keys.push(key);
        Heard::Keys(keys)
    }

    /// How long to wait for what belongs to the keys that are held, until they are to be [given up](Self::give_up); `None`
    /// when none is.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        match self.held.as_slice() {
            [] => None,
            [key] if key.code == KeyCode::Esc => Some(ESCAPE),
            _ => Some(PAUSE),
        }
    }

    /// It was no answer: the keys.
    pub fn give_up(&mut self) -> Vec<KeyEvent> {
        self.words.clear();
        std::mem::take(&mut self.held)
    }
}

fn is(key: &KeyEvent, code: KeyCode, modifiers: KeyModifiers) -> bool {
    key.code == code && key.modifiers == modifiers
}

fn is_plain(key: &KeyEvent) -> bool {
    (key.modifiers - KeyModifiers::SHIFT).is_empty()
}

/// `ESC ]`.
fn opens(key: &KeyEvent) -> bool {
    is(key, KeyCode::Char(']'), KeyModifiers::ALT)
}

/// `ESC \`, in one piece or two, or the bell.
fn closes(key: &KeyEvent, escaped: bool) -> bool {
    is(key, KeyCode::Char('\\'), KeyModifiers::ALT)
        || is(key, KeyCode::Char('g'), KeyModifiers::CONTROL)
        || (escaped && is(key, KeyCode::Char('\\'), KeyModifiers::NONE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As crossterm reads these bytes, split after an Escape or not.
    fn typed(text: &str, split: bool) -> Vec<KeyEvent> {
        let mut keys = Vec::new();
        let mut escape = false;
        for c in text.chars() {
            match c {
                '\u{1b}' if split => keys.push(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)),
                '\u{1b}' => escape = true,
                '\u{7}' => keys.push(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL)),
                c => {
                    let modifiers = if std::mem::take(&mut escape) { KeyModifiers::ALT } else { KeyModifiers::NONE };
                    keys.push(KeyEvent::new(KeyCode::Char(c), modifiers));
                }
            }
        }
        keys
    }

    fn hear(keys: Vec<KeyEvent>) -> (Vec<KeyEvent>, Vec<Backdrop>) {
        let mut listener = Listener::default();
        let (mut pressed, mut answers) = (Vec::new(), Vec::new());
        for key in keys {
            match listener.on(key) {
                Heard::Keys(keys) => pressed.extend(keys),
                Heard::Answer(answer) => answers.push(answer),
            }
        }
        pressed.extend(listener.give_up());
        (pressed, answers)
    }

    #[test]
    fn light_and_dark_are_told_apart_however_they_are_written() {
        for (answer, backdrop) in [
            ("\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\", Backdrop::Light),
            ("\u{1b}]11;rgb:1e/1e/2E\u{7}", Backdrop::Dark),
            ("\u{1b}]11;rgba:fdfd/f6f6/e3e3/ffff\u{1b}\\", Backdrop::Light),
            ("\u{1b}]11;rgb:0/0/f\u{7}", Backdrop::Dark),
            ("\u{1b}]11;rgb:0000/ffff/0000\u{7}", Backdrop::Light),
        ] {
            for split in [false, true] {
                assert_eq!(hear(typed(answer, split)), (Vec::new(), vec![backdrop]), "{answer:?}, split: {split}");
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_keys() {
        for other in ["\u{1b}]11;rgb:zz/0/0\u{7}", "\u{1b}]10;rgb:ff/ff/ff\u{7}", "\u{1b}]11;rgb:\u{7}", "\u{1b}]", "q"]
        {
            let keys = typed(other, false);
            assert_eq!(hear(keys.clone()), (keys, Vec::new()), "{other:?}");
        }
    }

    proptest! {
        /// Whatever is typed before, after and instead of an answer is pressed, in order.
        #[test]
        fn no_key_is_lost(before in "[a-z0-9;:/\\]\\\\]{0,12}", after in "[a-z0-9;:/\\]\\\\]{0,12}", escapes in any::<bool>(), split: bool) {
            let mut keys = typed(&before, split);
            if escapes {
                keys.push(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
            }
            let mut wanted = keys.clone();
            keys.extend(typed("\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\", split));
            keys.extend(typed(&after, split));
            wanted.extend(typed(&after, split));
            prop_assert_eq!(hear(keys), (wanted, vec![Backdrop::Light]));
        }
    }
}
