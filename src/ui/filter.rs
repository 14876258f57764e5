//! Which tokens and trades are shown: words typed by the user against mint, symbol and name.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};

use super::typed::Typed;
use crate::chain::ids::Mint;

/// A filter: empty shows everything, else whatever one of its words matches.
#[derive(Debug)]
pub struct Filter {
    typed: Typed,
    words: Vec<Word>,
    matcher: Matcher,
    characters: Vec<char>,
}

#[derive(Debug)]
struct Word {
    /// Lower-case, so that a mint typed by hand is found.
    plain: String,
    /// Could be a part of an address.
    base58: bool,
    fuzzy: Atom,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            typed: Typed::default(),
            words: Vec::new(),
            matcher: Matcher::new(Config::DEFAULT),
            characters: Vec::new(),
        }
    }
}

impl Filter {
    /// The text as typed.
    #[must_use]
    pub const fn typed(&self) -> &Typed {
        &self.typed
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Changes the text.
    pub fn edit(&mut self, change: impl FnOnce(&mut Typed)) {
        change(&mut self.typed);
        self.words = self
            .typed
            .text()
            .split_whitespace()
            .map(|word| Word {
                plain: word.to_lowercase(),
                base58: word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                fuzzy: Atom::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false),
            })
            .collect();
    }

    /// Replaces the text.
    pub fn set(&mut self, text: &str) {
        self.edit(|typed| typed.set(text));
    }

    /// Whether a token of this mint, symbol and name is shown.
    pub fn shows(&mut self, mint: &Mint, symbol: &str, name: &str) -> bool {
        if self.words.is_empty() {
            return true;
        }
        // Base58 costs a microsecond: made once, and only when a word could be part of it.
        let mut base58: Option<String> = None;
        for word in &self.words {
            for text in [symbol, name] {
                let haystack = Utf32Str::new(text, &mut self.characters);
                if !text.is_empty() && word.fuzzy.score(haystack, &mut self.matcher).is_some() {
                    return true;
                }
            }
            if word.base58 && base58.get_or_insert_with(|| mint.to_string().to_lowercase()).contains(&word.plain) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINT: Mint = Mint::new([7; 32]);

    #[test]
    fn words_are_alternatives_and_fuzzy() {
        let mut filter = Filter::default();
        assert!(filter.shows(&MINT, "WIF", "dogwifhat"));
        filter.set("wfh bonk");
        assert!(filter.shows(&MINT, "WIF", "dogwifhat"));
        assert!(filter.shows(&MINT, "BONK", ""));
        assert!(!filter.shows(&MINT, "POPCAT", "Popcat"));
    }

    #[test]
    fn mints_are_found_by_any_part() {
        let mut filter = Filter::default();
        let mint = MINT.to_string();
        for part in [&mint[..6], &mint[10..20], &mint[mint.len() - 5..], &mint, &mint.to_uppercase()] {
            filter.set(part);
            assert!(filter.shows(&MINT, "", ""), "{part}");
        }
        filter.set("zz0zz0");
        assert!(!filter.shows(&MINT, "", ""));
    }
}
