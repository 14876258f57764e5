//! Which tokens and trades are shown: words typed by the user against mint, symbol and name, and conditions on figures.
//!
//! Plain words are alternatives. Conditions all have to hold, beside the words: `mint:abc`, `symbol:wif`, `name:hat`,
//! `creator:abc`, `flag:mayhem`, `stage:amm`, `venue:pump`, and `mc`, `price`, `progress`, `change`, `vol`, `buys`,
//! `sells`, `trades`, `traders` or `age` with `>`, `<`, `>=`, `<=` or `=` and a number, which may end in `k`, `M`, `%`
//! or, for ages, in `s`, `m`, `h` or `d`.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};

use super::typed::Typed;
use crate::{chain::ids::Mint, engine::view::TokenView};

/// A filter: empty shows everything.
#[derive(Debug)]
pub struct Filter {
    typed: Typed,
    words: Vec<Word>,
    conditions: Vec<Condition>,
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
    fuzzy: Atom,
}

#[derive(Debug, PartialEq)]
enum Condition {
    /// A text field holds this, in any case of letters.
    Text(&'static str, String),
    /// A figure compares like this with a number.
    Number(&'static str, Comparison, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Above,
    Below,
    AtLeast,
    AtMost,
    Equal,
}

const TEXTS: [&str; 7] = ["mint", "symbol", "name", "creator", "flag", "stage", "venue"];
const NUMBERS: [&str; 10] = ["mc", "price", "progress", "change", "vol", "buys", "sells", "trades", "traders", "age"];
/// Longer ones first: `>=` is not `>` and a number that begins with `=`.
const COMPARISONS: [(&str, Comparison); 5] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    ("<", Comparison::Below),
    ("=", Comparison::Equal),
];

impl Default for Filter {
    fn default() -> Self {
        Self {
            typed: Typed::default(),
            words: Vec::new(),
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
        self.words.is_empty() && self.conditions.is_empty()
    }

    /// Whether figures of tokens are asked for, which a trade alone does not have.
    #[must_use]
    pub const fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
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
        self.conditions.clear();
        self.problem = None;
        for word in self.typed.text().split_whitespace() {
            match condition(word) {
                None => self.words.push(Word {
                    plain: word.to_lowercase(),
                    base58: word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                    fuzzy: Atom::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false),
                }),
                Some(Ok(condition)) => self.conditions.push(condition),
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
        self.conditions.iter().all(|condition| condition.holds(token, now_ms))
            && self.shows(&token.mint, token.symbol.as_str(), token.name.as_str())
    }

    /// Whether the words alone show a token of this mint, symbol and name.
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

/// The condition that a word states, or what is wrong with it; `None` for a plain word.
fn condition(word: &str) -> Option<Result<Condition, String>> {
    if let Some((field, text)) = word.split_once(':') {
        let known = TEXTS.into_iter().find(|known| known.eq_ignore_ascii_case(field));
        return Some(match known {
            Some(_) if text.is_empty() => Err(format!("{field}: wants a text behind it")),
            Some(field) => Ok(Condition::Text(field, text.to_lowercase())),
            None => Err(format!("no field is called {field}: there are {}", TEXTS.join(", "))),
        });
    }
    let (at, sign, comparison) =
        COMPARISONS.iter().filter_map(|(sign, c)| Some((word.find(sign)?, *sign, *c))).min_by_key(|(at, ..)| *at)?;
    let field = word.get(..at)?;
    let Some(known) = NUMBERS.into_iter().find(|known| known.eq_ignore_ascii_case(field)) else {
        return Some(Err(format!("no figure is called {field:?}: there are {}", NUMBERS.join(", "))));
    };
    let value = word.get(at + sign.len()..)?;
    Some(match number(value, known == "age") {
        Some(number) => Ok(Condition::Number(known, comparison, number)),
        None => Err(format!("{known}{sign} wants a number, like 100, 2.5k or 80%")),
    })
}

/// A number with its unit. `m` are minutes of an age, and millions of everything else.
fn number(text: &str, age: bool) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let unit = text.get(digits.len()..)?;
    let factor = match (unit, age) {
        ("", _) | ("s", true) | ("%", false) => 1.0,
        ("m", true) => 60.0,
        ("h", true) => 3_600.0,
        ("d", true) => 86_400.0,
        ("k" | "K", false) => 1e3,
        ("m" | "M", false) => 1e6,
        _ => return None,
    };
    digits.parse().ok().map(|number: f64| number * factor).filter(|number| number.is_finite())
}

impl Condition {
    #[allow(clippy::cast_precision_loss, reason = "compared with a number typed by hand")]
    fn holds(&self, token: &TokenView, now_ms: i64) -> bool {
        match self {
            Self::Text(field, wanted) => {
                let has = |text: &str| text.to_lowercase().contains(wanted);
                match *field {
                    "mint" => has(&token.mint.to_string()),
                    "symbol" => has(token.symbol.as_str()),
                    "name" => has(token.name.as_str()),
                    "creator" => token.creator.is_some_and(|creator| has(&creator.to_string())),
                    "flag" => token.flags.iter().any(|flag| has(flag)),
                    "stage" => has(token.stage.name()),
                    _ => has(token.venue.name()),
                }
            }
            Self::Number(field, comparison, wanted) => {
                let value = match *field {
                    "mc" => token.market_cap_sol,
                    "price" => token.price_sol,
                    "progress" => token.progress_pct,
                    "change" => token.change_5m_pct,
                    "vol" => Some(token.volume_sol_5m),
                    "buys" => Some(token.buys as f64),
                    "sells" => Some(token.sells as f64),
                    "trades" => Some(token.buys.saturating_add(token.sells) as f64),
                    "traders" => Some(token.traders as f64),
                    _ => token.created_ms.map(|created| now_ms.saturating_sub(created) as f64 / 1000.0),
                };
                // What is not known fulfils nothing.
                value.is_some_and(|value| match comparison {
                    Comparison::Above => value > *wanted,
                    Comparison::Below => value < *wanted,
                    Comparison::AtLeast => value >= *wanted,
                    Comparison::AtMost => value <= *wanted,
                    Comparison::Equal => (value - wanted).abs() < 1e-9 * wanted.abs().max(1.0),
                })
            }
        }
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
        ] {
            filter.set(text);
            assert!(filter.problem().is_some_and(|problem| problem.starts_with(said)), "{:?}", filter.problem());
            assert!(filter.is_empty() && filter.shows(&MINT, "", ""));
        }
    }
}
