//! Which tokens and trades are shown: words typed by the user against mint, symbol and name, and conditions on figures.
//!
//! Conditions on trades (`side`, `trader`, `size`) narrow the tape only, those on alerts (`class`, `state`, `attacker`,
//! `sure`, `lost`, `profit`) the alerts only; `venue` is that of the token, the trade, the pool or the alert itself.
//! Figures of tokens narrow everything that is of a token.
//!
//! Plain words are alternatives. Conditions all have to hold, beside the words: `mint:abc`, `symbol:wif`, `name:hat`,
//! `creator:abc`, `flag:mayhem`, `stage:amm`, `venue:pump`, and `mc`, `price`, `progress`, `change`, `vol`, `buys`,
//! `sells`, `trades`, `traders` or `age` with `>`, `<`, `>=`, `<=` or `=` and a number, which may end in `k`, `M`, `%`
//! or, for ages, in `s`, `m`, `h` or `d`. A `!` before a word or a condition says that it must not be so.

mod condition;

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};

use super::typed::Typed;
use crate::{
    chain::ids::Mint,
    decode::event::Venue,
    engine::view::{AlertView, PoolView, TokenView, TradeView},
};
use condition::{Condition, NUMBERS, Subject, TEXTS, condition};

/// A filter: empty shows everything.
#[derive(Debug)]
pub struct Filter {
    typed: Typed,
    words: Vec<Word>,
    unwanted: Vec<Word>,
    conditions: Vec<(bool, Condition)>,
    /// The first condition that cannot be read; it is left out.
    problem: Option<String>,
    matcher: Matcher,
    characters: Vec<char>,
}

#[derive(Debug)]
struct Word {
    /// Lower-case, so that a mint typed by hand is found.
    plain: String,
    /// Could be a part of an address.
    base58: bool,
    atom: Atom,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            typed: Typed::default(),
            words: Vec::new(),
            unwanted: Vec::new(),
            conditions: Vec::new(),
            problem: None,
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
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.unwanted.is_empty() && self.conditions.is_empty()
    }

    /// Whether figures of tokens are asked for, which a trade alone does not have.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        self.of(Subject::Token).next().is_some()
    }

    fn of(&self, subject: Subject) -> impl Iterator<Item = &(bool, Condition)> {
        self.conditions.iter().filter(move |(_, condition)| condition.subject() == subject)
    }

    /// Whether what has this venue has the right one.
    fn has_venue(&self, venue: Venue) -> bool {
        self.of(Subject::Place).all(|(wanted, condition)| condition.is_at(venue) == *wanted)
    }

    /// Whether the conditions on trades let this one pass; words and figures of its token aside.
    #[must_use]
    pub fn lets_trade(&self, trade: &TradeView) -> bool {
        self.has_venue(trade.venue)
            && self.of(Subject::Trade).all(|(wanted, condition)| condition.holds_for(trade) == *wanted)
    }

    /// Whether the conditions on pools let this one pass; words and figures of its token aside.
    #[must_use]
    pub fn lets_pool(&self, pool: &PoolView) -> bool {
        self.has_venue(pool.venue)
    }

    /// Whether the conditions on alerts let this one pass; words and figures of its token aside.
    #[must_use]
    pub fn lets_alert(&self, entry: &AlertView) -> bool {
        self.has_venue(entry.alert.venue)
            && self.of(Subject::Alert).all(|(wanted, condition)| condition.holds_of(entry) == *wanted)
    }

    /// Whether what is of this token is shown, wherever it trades.
    pub fn shows_things_of(&mut self, token: &TokenView, now_ms: i64) -> bool {
        self.of(Subject::Token).all(|(wanted, condition)| condition.holds(token, now_ms) == *wanted)
            && self.shows(&token.mint, token.symbol.as_str(), token.name.as_str())
    }

    /// What of the text cannot be read, and what would be.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Changes the text.
    pub fn edit(&mut self, change: impl FnOnce(&mut Typed)) {
        change(&mut self.typed);
        self.words.clear();
        self.unwanted.clear();
        self.conditions.clear();
        self.problem = None;
        for word in self.typed.text().split_whitespace() {
            let (wanted, word) = match word.strip_prefix('!') {
                // Nothing stands behind it yet.
                Some("") => continue,
                Some(word) => (false, word),
                None => (true, word),
            };
            match condition(word) {
                None if wanted => self.words.push(Word::new(word, AtomKind::Fuzzy)),
                // What is left out must really have the word, not only its letters.
                None => self.unwanted.push(Word::new(word, AtomKind::Substring)),
                Some(Ok(condition)) => self.conditions.push((wanted, condition)),
                Some(Err(problem)) => self.problem = self.problem.take().or(Some(problem)),
            }
        }
    }

    /// Replaces the text.
    pub fn set(&mut self, text: &str) {
        self.edit(|typed| typed.set(text));
    }

    /// Whether a token is shown, at this time in milliseconds since the Unix epoch.
    pub fn shows_token(&mut self, token: &TokenView, now_ms: i64) -> bool {
        self.has_venue(token.venue) && self.shows_things_of(token, now_ms)
    }

    /// Whether the words alone show a token of this mint, symbol and name.
    pub fn shows(&mut self, mint: &Mint, symbol: &str, name: &str) -> bool {
        // Base58 costs a microsecond: made once, and only when a word could be part of it.
        let mut base58: Option<String> = None;
        let mut found = |word: &Word| {
            let named = [symbol, name].into_iter().filter(|text| !text.is_empty()).any(|text| {
                let haystack = Utf32Str::new(text, &mut self.characters);
                word.atom.score(haystack, &mut self.matcher).is_some()
            });
            named || word.base58 && base58.get_or_insert_with(|| mint.to_string().to_lowercase()).contains(&word.plain)
        };
        (self.words.is_empty() || self.words.iter().any(&mut found)) && !self.unwanted.iter().any(found)
    }

    /// What the last word could become: the fields and figures that begin like it, or the texts that its field knows.
    #[must_use]
    pub fn completions(&self) -> Vec<String> {
        let text = self.typed.text();
        let word = text.rsplit(' ').next().unwrap_or("");
        let word = word.strip_prefix('!').unwrap_or(word).to_lowercase();
        if let Some((field, begun)) = word.split_once(':') {
            let known = TEXTS.iter().find(|(name, _)| *name == field).map_or(&[][..], |(_, known)| known);
            let fitting = known.iter().filter(|known| known.starts_with(begun) && **known != begun);
            return fitting.map(|known| format!("{field}:{known}")).collect();
        }
        let fields = TEXTS.iter().map(|(field, _)| format!("{field}:"));
        let figures = NUMBERS.iter().map(|figure| format!("{figure}>"));
        fields.chain(figures).filter(|all| all.starts_with(&word) && *all != word).collect()
    }

    /// Makes the last word the first of its completions; whether there was one.
    pub fn complete(&mut self) -> bool {
        let Some(first) = self.completions().into_iter().next() else { return false };
        let text = self.typed.text();
        let start = text.rfind(' ').map_or(0, |space| space + 1);
        let mark = if text.get(start..).is_some_and(|word| word.starts_with('!')) { "!" } else { "" };
        let whole = format!("{}{mark}{first}", text.get(..start).unwrap_or(""));
        self.set(&whole);
        true
    }
}

impl Word {
    fn new(word: &str, kind: AtomKind) -> Self {
        Self {
            plain: word.to_lowercase(),
            base58: word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            atom: Atom::new(word, CaseMatching::Ignore, Normalization::Smart, kind, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{condition::Comparison, *};

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

    #[test]
    fn a_mark_before_a_word_leaves_out() {
        let mut filter = Filter::default();
        filter.set("!bonk");
        assert!(filter.shows(&MINT, "WIF", "") && !filter.shows(&MINT, "BONK", "Bonk"));
        assert!(filter.shows(&MINT, "BROWNINK", ""), "the letters alone do not leave out");
        filter.set("w !wifi");
        assert!(filter.shows(&MINT, "WIF", "") && !filter.shows(&MINT, "WIFI", "") && !filter.shows(&MINT, "CAT", ""));
        filter.set("!");
        assert!(filter.is_empty() && filter.problem().is_none());
    }

    #[test]
    fn the_last_word_is_completed() {
        let mut filter = Filter::default();
        filter.set("goat prog");
        assert_eq!(filter.completions(), ["progress>"]);
        assert!(filter.complete());
        assert_eq!(filter.typed().text(), "goat progress>");
        filter.set("!flag:b");
        assert!(filter.complete());
        assert_eq!(filter.typed().text(), "!flag:bundled");
        assert!(!filter.complete(), "it is whole");
    }

    #[test]
    fn conditions_are_read() {
        let read = |word| condition(word).and_then(Result::ok);
        assert_eq!(read("mc>100"), Some(Condition::Number("mc", Comparison::Above, 100.0)));
        assert_eq!(read("MC>=2.5k"), Some(Condition::Number("mc", Comparison::AtLeast, 2_500.0)));
        assert_eq!(read("progress>80%"), Some(Condition::Number("progress", Comparison::Above, 80.0)));
        assert_eq!(read("age<5m"), Some(Condition::Number("age", Comparison::Below, 300.0)));
        assert_eq!(read("vol<=1m"), Some(Condition::Number("vol", Comparison::AtMost, 1e6)));
        assert_eq!(read("change>-3"), Some(Condition::Number("change", Comparison::Above, -3.0)));
        assert_eq!(read("flag:Mayhem"), Some(Condition::Text("flag", "mayhem".into())));
        assert_eq!(condition("bonk"), None);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_left_out() {
        let mut filter = Filter::default();
        for (text, said) in [
            ("mc>", "mc> wants a number"),
            ("mc>nan", "mc> wants a number"),
            ("age<3M", "age< wants a number"),
            ("mcap>3", "no figure is called \"mcap\""),
            ("flags:x", "no field is called flags"),
            ("mint:", "mint: wants a text"),
            ("flag:bndled", "no flag is called bndled: there are graduated, mayhem"),
            ("!stage:x", "no stage is called x"),
        ] {
            filter.set(text);
            assert!(filter.problem().is_some_and(|problem| problem.starts_with(said)), "{:?}", filter.problem());
            assert!(filter.is_empty() && filter.shows(&MINT, "", ""));
        }
    }
}
