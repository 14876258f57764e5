//! Which keys do what: the action table's own, or as the user's key file changes them.

use std::collections::BTreeMap;

use super::{
    action::{Action, Binding, Context, TABLE},
    keys::{Chord, Key},
    model::{Mode, Pane},
};

/// The keys of every action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// By position in the action table.
    keys: Vec<Vec<Chord>>,
    /// Keys that work in one pane only, and there before all others, with the action's position in the table.
    inside: Vec<(Pane, Chord, usize)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let chords = |row: &Binding| row.keys.iter().map(|key| Chord(vec![*key])).collect();
        Self { keys: TABLE.iter().map(chords).collect(), inside: Vec::new() }
    }
}

/// What keys pressed one after another mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This.
    Action(Action),
    /// Nothing yet: more keys must follow.
    Begun,
    /// Nothing.
    Nothing,
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

/// The part of the file that is about single panes.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    #[serde(default, rename = "in")]
    panes: BTreeMap<String, BTreeMap<String, toml::Spanned<toml::Value>>>,
}

/// One line of the file.
struct Entry {
    line: usize,
    /// The pane in which it holds; `None` for all.
    pane: Option<Pane>,
    action: String,
    value: toml::Value,
}

impl Keymap {
    /// Reads a key file: `action = "key"` or `action = ["key", "key key"]`, and `action = []` for no key. It is a patch:
    /// actions that it does not name keep their keys, but for those that the file gives to others. Under `[in.PANE]` stand
    /// keys that work while that pane has the focus, beside the others.
    ///
    /// # Errors
    /// Names the file and the line of the first thing that cannot be: bad TOML, an unknown action, pane or key, a key given
    /// twice, a key that begins a chord, a letter for an action that works while typing, Control-C for anything but
    /// quitting.
    pub fn load(text: &str, name: &str) -> Result<Self, KeymapError> {
        let fault = |line: usize, reason: String| KeymapError { name: name.to_owned(), line, reason };
        let mut map = Self::default();
        let mut given: Vec<(Option<Pane>, Chord, &'static str)> = Vec::new();
        for entry in entries(text, name)? {
            let line = entry.line;
            let Some((position, row)) = TABLE.iter().enumerate().find(|(_, row)| row.name == entry.action) else {
                return Err(fault(line, unknown(&entry.action)));
            };
            let own = chords(row, entry.value).map_err(|reason| fault(line, reason))?;
            for chord in &own {
                if let Some((.., other)) = given.iter().find(|(pane, known, _)| *pane == entry.pane && known == chord) {
                    return Err(fault(line, format!("{chord} is given to {other} already")));
                }
                given.push((entry.pane, chord.clone(), row.name));
            }
            if let Some(pane) = entry.pane {
                map.inside.extend(own.into_iter().map(|chord| (pane, chord, position)));
                continue;
            }
            for keys in &mut map.keys {
                keys.retain(|key| !own.contains(key));
            }
            if let Some(keys) = map.keys.get_mut(position) {
                // What an earlier line of the file took from it stays with that line.
                *keys = own;
            }
        }
        match map.ambiguous() {
            Some((short, action, long)) => {
                let line = text.lines().position(|line| line.contains(&format!("\"{long}\""))).map_or(1, |at| at + 1);
                let reason = format!("{long} cannot be reached: {short} is a key of {action}; give {action} another");
                Err(fault(line, reason))
            }
            None => Ok(map),
        }
    }

    /// A key that is also how a chord begins, its action, and the chord.
    fn ambiguous(&self) -> Option<(String, &'static str, String)> {
        let all = || {
            let general = TABLE.iter().zip(&self.keys).flat_map(|(row, keys)| keys.iter().map(move |key| (row, key)));
            let inside = self.inside.iter().filter_map(|(_, key, at)| Some((TABLE.get(*at)?, key)));
            general.chain(inside)
        };
        all().find_map(|(row, short)| {
            let long = all().find(|(_, long)| short.begins(long))?.1;
            Some((short.to_string(), row.name, long.to_string()))
        })
    }

    /// What these keys, pressed one after another, mean in a mode, with the focus on this pane.
    #[must_use]
    pub fn lookup(&self, pressed: &[Key], mode: Mode, pane: Pane) -> Meaning {
        // Control-C must work everywhere: it is the way out that everyone tries.
        if pressed.last() == Some(&Key::Ctrl('c')) {
            return Meaning::Action(Action::Quit);
        }
        let mut begun = false;
        for (keys, row) in self.reachable(mode, pane) {
            if keys.0 == pressed {
                return Meaning::Action(row.action);
            }
            begun |= keys.0.starts_with(pressed);
        }
        if begun { Meaning::Begun } else { Meaning::Nothing }
    }

    /// What may follow the keys pressed: `g top  e bottom`.
    #[must_use]
    pub fn following(&self, pressed: &[Key], mode: Mode, pane: Pane) -> String {
        let begun = self.reachable(mode, pane).filter(|(keys, _)| keys.0.starts_with(pressed));
        let rest = begun.map(|(keys, row)| {
            let rest = Chord(keys.0.get(pressed.len()..).unwrap_or(&[]).to_vec());
            format!("{rest} {}", row.name.replace('_', " "))
        });
        rest.collect::<Vec<_>>().join("  ")
    }

    /// The keys that work in a mode and pane: those of the pane alone come first.
    fn reachable(&self, mode: Mode, pane: Pane) -> impl Iterator<Item = (&Chord, &'static Binding)> {
        let inside = self.inside.iter().filter(move |(own, ..)| *own == pane && mode == Mode::Screen);
        let inside = inside.filter_map(|(_, keys, at)| Some((keys, TABLE.get(*at)?)));
        let rows = TABLE.iter().zip(&self.keys).filter(move |(row, _)| row.context.covers(mode));
        inside.chain(rows.flat_map(|(row, keys)| keys.iter().map(move |key| (key, row))))
    }

    /// The keys of the action at this position of the table.
    #[must_use]
    pub fn of(&self, position: usize) -> &[Chord] {
        self.keys.get(position).map_or(&[], Vec::as_slice)
    }

    /// The same as text: `j / Down`, `x in tokens`; what has no key is for the palette: `:throttle`.
    #[must_use]
    pub fn text(&self, position: usize) -> String {
        let own = self.of(position).iter().map(ToString::to_string);
        let inside = self.inside.iter().filter(|(.., at)| *at == position);
        let keys: Vec<String> = own.chain(inside.map(|(pane, keys, _)| format!("{keys} in {}", pane.name()))).collect();
        match TABLE.get(position) {
            Some(row) if keys.is_empty() => format!(":{}", row.name),
            _ => keys.join(" / "),
        }
    }

    /// The first key of an action, as text; empty when it has none.
    #[must_use]
    pub fn first(&self, action: Action) -> String {
        let position = TABLE.iter().position(|row| row.action == action);
        position.and_then(|position| self.of(position).first()).map(ToString::to_string).unwrap_or_default()
    }
}

/// The lines of a key file, in order.
fn entries(text: &str, name: &str) -> Result<Vec<Entry>, KeymapError> {
    let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let fault = |line: usize, reason: String| KeymapError { name: name.to_owned(), line, reason };
    let bad = |error: toml::de::Error| {
        fault(line_of(error.span().map_or(0, |span| span.start)), error.message().replace('\n', " "))
    };
    // Read apart, because a table among values loses its lines; blank lines keep those of the second part.
    let panes = text.lines().take_while(|line| !line.trim_start().starts_with("[in")).count();
    let (general, rest): (Vec<_>, Vec<_>) = text.lines().enumerate().partition(|(line, _)| *line < panes);
    let general = general.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
    let rest = "\n".repeat(panes) + &rest.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
    let all: BTreeMap<String, toml::Spanned<toml::Value>> = toml::from_str(&general).map_err(bad)?;
    let inside: Inside = toml::from_str(&rest).map_err(bad)?;
    let entry = |pane, action: String, value: toml::Spanned<toml::Value>| Entry {
        line: line_of(value.span().start),
        pane,
        action,
        value: value.into_inner(),
    };
    let mut entries: Vec<Entry> = all.into_iter().map(|(action, value)| entry(None, action, value)).collect();
    for (word, keys) in inside.panes {
        let pane = Pane::ALL.into_iter().find(|pane| pane.name() == word);
        let Some(pane) = pane else {
            let line = text.lines().position(|line| line.contains(&word)).map_or(1, |at| at + 1);
            let names = Pane::ALL.map(Pane::name).join(", ");
            return Err(fault(line, format!("no pane is called {word:?}: there are {names}")));
        };
        entries.extend(keys.into_iter().map(|(action, value)| entry(Some(pane), action, value)));
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// The chords that a line gives to an action, or what is wrong with them.
fn chords(row: &Binding, value: toml::Value) -> Result<Vec<Chord>, String> {
    let keys = value
        .try_into::<Keys>()
        .map_err(|_| format!("{} wants a key in quotes, or a list of keys in quotes", row.name))?;
    let words = match keys {
        Keys::One(word) => vec![word],
        Keys::Several(words) => words,
    };
    let chord = |word: &String| {
        let chord = Chord::parse(word).ok_or_else(|| {
            format!("{word:?} is not a key: a character, Space, Enter, Up, F1 … F12, Ctrl-X, or up to three of them")
        })?;
        let text = |key: &Key| matches!(key, Key::Char(_) | Key::Backspace);
        if row.context == Context::Anywhere && chord.0.iter().any(text) {
            return Err(format!("{} works while typing: {chord} would be text", row.name));
        }
        if chord.0.contains(&Key::Ctrl('c')) && (row.action != Action::Quit || chord.0.len() > 1) {
            return Err("Ctrl-C always quits".to_owned());
        }
        Ok(chord)
    };
    words.iter().map(chord).collect()
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

    fn meant(map: &Keymap, keys: &str, mode: Mode) -> Option<Action> {
        match map.lookup(&Chord::parse(keys).unwrap().0, mode, Pane::Tokens) {
            Meaning::Action(action) => Some(action),
            Meaning::Begun | Meaning::Nothing => None,
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_mode() {
        let map = Keymap::default();
        for mode in Mode::ALL {
            let mut seen = Vec::new();
            for row in TABLE.iter().filter(|row| row.context.covers(mode)) {
                for key in row.keys {
                    assert!(!seen.contains(key), "{key} twice in {mode:?}");
                    seen.push(*key);
                    assert_eq!(meant(&map, &key.to_string(), mode), Some(row.action));
                }
            }
        }
    }

    #[test]
    fn letters_are_text_while_typing() {
        let map = Keymap::default();
        for c in ('a'..='z').chain('A'..='Z').chain("0123456789 ?:/[]".chars()) {
            assert_eq!(map.lookup(&[Key::Char(c)], Mode::Typing, Pane::Tokens), Meaning::Nothing);
        }
        assert_eq!(meant(&map, "Ctrl-C", Mode::Typing), Some(Action::Quit));
    }

    #[test]
    fn a_key_file_is_a_patch() {
        assert_eq!(Keymap::load("", "keys.toml").unwrap(), Keymap::default());
        let map =
            Keymap::load("# mine\nfreeze = \"f\"\nquit = [\"Ctrl-Q\", \"F10\"]\nexport = []\n", "keys.toml").unwrap();
        let at = |key: Key| meant(&map, &key.to_string(), Mode::Screen);
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
        assert_eq!(meant(&map, "e", Mode::Screen), Some(Action::Freeze));
        assert_eq!(meant(&map, "Space", Mode::Screen), Some(Action::Export));
    }

    #[test]
    fn keys_may_follow_each_other() {
        let map = Keymap::load("top = [\"g g\", \"Home\"]\nbottom = \"g e\"", "keys.toml").unwrap();
        let mean = |keys: &str| map.lookup(&Chord::parse(keys).unwrap().0, Mode::Screen, Pane::Tokens);
        assert_eq!(mean("g"), Meaning::Begun);
        assert_eq!(mean("g g"), Meaning::Action(Action::Top));
        assert_eq!(mean("g e"), Meaning::Action(Action::Bottom));
        assert_eq!(mean("g x"), Meaning::Nothing);
        assert_eq!(map.following(&[Key::Char('g')], Mode::Screen, Pane::Tokens), "g top  e bottom");
        assert_eq!(map.first(Action::Top), "g g");
    }

    #[test]
    fn a_pane_may_have_keys_of_its_own() {
        let map = Keymap::load("freeze = \"F9\"\n[in.tokens]\nfreeze = \"s\"\n", "keys.toml").unwrap();
        let at = |keys: &str, pane| map.lookup(&Chord::parse(keys).unwrap().0, Mode::Screen, pane);
        assert_eq!(at("s", Pane::Tokens), Meaning::Action(Action::Freeze));
        assert_eq!(at("s", Pane::Trades), Meaning::Action(Action::SortColumn));
        assert_eq!(at("F9", Pane::Tokens), Meaning::Action(Action::Freeze), "beside the others");
        assert_eq!(map.lookup(&[Key::Char('s')], Mode::Overlay, Pane::Tokens), Meaning::Nothing);
        let freeze = TABLE.iter().position(|row| row.action == Action::Freeze).unwrap();
        assert_eq!(map.text(freeze), "F9 / s in tokens");
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
            ("\nfreeze = \"g f\"", "keys.toml:2: g f cannot be reached: g is a key of top; give top another"),
            ("freeze = \"a b c d\"", "keys.toml:1: \"a b c d\" is not a key"),
            ("\n[in.nowhere]\nfreeze = \"f\"", "keys.toml:2: no pane is called \"nowhere\": there are connections"),
            ("[in.tokens]\n\nfreze = \"f\"", "keys.toml:3: no action is called \"freze\": did you mean freeze?"),
            ("[in.tokens]\nfreeze = \"f\"\nzoom = \"f\"", "keys.toml:3: f is given to freeze already"),
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
