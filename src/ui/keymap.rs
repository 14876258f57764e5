//! Which keys do what: the action table's own, or as the user's key file changes them.

use std::collections::BTreeMap;

use super::{
    action::{Action, Context, TABLE},
    keys::Key,
    model::Mode,
};

/// The keys of every action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// By position in the action table.
    keys: Vec<Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { keys: TABLE.iter().map(|row| row.keys.to_vec()).collect() }
    }
}

/// Why a key file cannot be used: where, and what is wrong there.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}:{line}: {reason}")]
pub struct KeymapError {
    /// The file's name as it was given.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// One key or several.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

impl Keymap {
    /// Reads a key file: `action = "key"` or `action = ["key", "key"]`, and `action = []` for no key. It is a patch:
    /// actions that it does not name keep their keys, but for those that the file gives to others.
    ///
    /// # Errors
    /// Names the file and the line of the first thing that cannot be: bad TOML, an unknown action or key, a key given
    /// twice, a letter for an action that works while typing, Control-C for anything but quitting.
    pub fn load(text: &str, name: &str) -> Result<Self, KeymapError> {
        let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let fault = |line: usize, reason: String| KeymapError { name: name.to_owned(), line, reason };
        let entries: BTreeMap<String, toml::Spanned<toml::Value>> = toml::from_str(text).map_err(|error| {
            fault(line_of(error.span().map_or(0, |span| span.start)), error.message().replace('\n', " "))
        })?;
        let mut entries: Vec<(usize, String, toml::Value)> = entries
            .into_iter()
            .map(|(action, value)| (line_of(value.span().start), action, value.into_inner()))
            .collect();
        entries.sort_by_key(|entry| entry.0);
        let mut map = Self::default();
        let mut given: Vec<(Key, &'static str)> = Vec::new();
        for (line, action, value) in entries {
            let Some((position, row)) = TABLE.iter().enumerate().find(|(_, row)| row.name == action) else {
                return Err(fault(line, unknown(&action)));
            };
            let keys = value
                .try_into::<Keys>()
                .map_err(|_| fault(line, format!("{action} wants a key in quotes, or a list of keys in quotes")))?;
            let words = match keys {
                Keys::One(word) => vec![word],
                Keys::Several(words) => words,
            };
            let mut own = Vec::new();
            for word in &words {
                let key = Key::parse(word).ok_or_else(|| {
                    fault(line, format!("{word:?} is not a key: a character, Space, Enter, Up, F1 … F12 or Ctrl-X"))
                })?;
                if let Some((_, other)) = given.iter().find(|(known, _)| *known == key) {
                    return Err(fault(line, format!("{key} is given to {other} already")));
                }
                if row.context == Context::Anywhere && matches!(key, Key::Char(_) | Key::Backspace) {
                    return Err(fault(line, format!("{action} works while typing: {key} would be text")));
                }
                if key == Key::Ctrl('c') && row.action != Action::Quit {
                    return Err(fault(line, "Ctrl-C always quits".to_owned()));
                }
                given.push((key, row.name));
                own.push(key);
            }
            for keys in &mut map.keys {
                keys.retain(|key| !own.contains(key));
            }
            if let Some(keys) = map.keys.get_mut(position) {
                // What an earlier line of the file took from it stays with that line.
                *keys = own;
            }
        }
        Ok(map)
    }

    /// What a key means in a mode.
    #[must_use]
    pub fn lookup(&self, key: Key, mode: Mode) -> Option<Action> {
        // Control-C must work everywhere: it is the way out that everyone tries.
        if key == Key::Ctrl('c') {
            return Some(Action::Quit);
        }
        let mut rows = TABLE.iter().zip(&self.keys);
        rows.find(|(row, keys)| row.context.covers(mode) && keys.contains(&key)).map(|(row, _)| row.action)
    }

    /// The keys of the action at this position of the table.
    #[must_use]
    pub fn of(&self, position: usize) -> &[Key] {
        self.keys.get(position).map_or(&[], Vec::as_slice)
    }

    /// The same as text: `j / Down`.
    #[must_use]
    pub fn text(&self, position: usize) -> String {
        let keys: Vec<String> = self.of(position).iter().map(ToString::to_string).collect();
        keys.join(" / ")
    }

    /// The first key of an action, as text; empty when it has none.
    #[must_use]
    pub fn first(&self, action: Action) -> String {
        let position = TABLE.iter().position(|row| row.action == action);
        position.and_then(|position| self.of(position).first()).map(ToString::to_string).unwrap_or_default()
    }
}

/// Says that there is no such action, and which one is closest to it.
fn unknown(action: &str) -> String {
    let close = TABLE.iter().map(|row| (distance(action, row.name), row.name)).min();
    match close {
        Some((edits, name)) if edits <= 2 => format!("no action is called {action:?}: did you mean {name}?"),
        _ => format!("no action is called {action:?}: the help lists them"),
    }
}

/// Edits that make one word of the other, a swap of neighbours counting twice.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((to, diagonal), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or(usize::MAX - 1);
            next.push((diagonal + usize::from(from != *to)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_mode() {
        let map = Keymap::default();
        for mode in Mode::ALL {
            let mut seen = Vec::new();
            for row in TABLE.iter().filter(|row| row.context.covers(mode)) {
                for key in row.keys {
                    assert!(!seen.contains(key), "{key} twice in {mode:?}");
                    seen.push(*key);
                    assert_eq!(map.lookup(*key, mode), Some(row.action));
                }
            }
        }
    }

    #[test]
    fn letters_are_text_while_typing() {
        let map = Keymap::default();
        for c in ('a'..='z').chain('A'..='Z').chain("0123456789 ?:/[]".chars()) {
            assert_eq!(map.lookup(Key::Char(c), Mode::Typing), None);
        }
        assert_eq!(map.lookup(Key::Ctrl('c'), Mode::Typing), Some(Action::Quit));
    }

    #[test]
    fn a_key_file_is_a_patch() {
        assert_eq!(Keymap::load("", "keys.toml").unwrap(), Keymap::default());
        let map =
            Keymap::load("# mine\nfreeze = \"f\"\nquit = [\"Ctrl-Q\", \"F10\"]\nexport = []\n", "keys.toml").unwrap();
        let at = |key| map.lookup(key, Mode::Screen);
        assert_eq!(at(Key::Char('f')), Some(Action::Freeze));
        assert_eq!(at(Key::Char(' ')), None, "the key it had");
        assert_eq!(map.first(Action::Filter), "", "its key went to another action");
        assert_eq!([at(Key::Ctrl('q')), at(Key::F(10))], [Some(Action::Quit); 2]);
        assert_eq!(at(Key::Char('q')), None);
        assert_eq!(at(Key::Char('e')), None);
        assert_eq!(at(Key::Char('j')), Some(Action::Down));
        assert_eq!(at(Key::Ctrl('c')), Some(Action::Quit), "always");
    }

    #[test]
    fn two_actions_may_swap_their_keys() {
        let map = Keymap::load("freeze = \"e\"\nexport = \"Space\"\n", "keys.toml").unwrap();
        assert_eq!(map.lookup(Key::Char('e'), Mode::Screen), Some(Action::Freeze));
        assert_eq!(map.lookup(Key::Char(' '), Mode::Screen), Some(Action::Export));
    }

    #[test]
    fn mistakes_name_file_and_line() {
        let cases = [
            ("quit = \"q\"\n\nfreze = \"x\"", "keys.toml:3: no action is called \"freze\": did you mean freeze?"),
            ("wibble = \"x\"", "keys.toml:1: no action is called \"wibble\": the help lists them"),
            ("freeze = \"f\"\nexport = \"f\"", "keys.toml:2: f is given to freeze already"),
            ("\nfreeze = \"Hyper-x\"", "keys.toml:2: \"Hyper-x\" is not a key"),
            ("\n\nfreeze = 3", "keys.toml:3: freeze wants a key"),
            ("\nopen = \"o\"", "keys.toml:2: open works while typing: o would be text"),
            ("freeze = \"Ctrl-C\"", "keys.toml:1: Ctrl-C always quits"),
            ("freeze = \"x\"\nexport = ", "keys.toml:2: "),
        ];
        for (text, said) in cases {
            let error = Keymap::load(text, "keys.toml").unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn every_key_is_read_as_it_is_written() {
        for key in TABLE.iter().flat_map(|row| row.keys) {
            assert_eq!(Key::parse(&key.to_string()), Some(*key));
        }
        for word in ["", "ab", "Ctrl-", "Ctrl-é", "F0", "F13", "\u{202e}", "\u{7}"] {
            assert_eq!(Key::parse(word), None, "{word:?}");
        }
    }
}
