//! Conditions of the filter: what can be asked of tokens, trades, pools and alerts, and whether it holds.

use crate::{
    chain::ids::WRAPPED_SOL,
    decode::event::Venue,
    engine::view::{AlertView, Stage, TokenView, TradeView},
    mev::{Class, State},
};

#[derive(Debug, PartialEq)]
pub(super) enum Condition {
    /// A text field holds this, in any case of letters.
    Text(&'static str, String),
    /// A figure compares like this with a number.
    Number(&'static str, Comparison, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Above,
    Below,
    AtLeast,
    AtMost,
    Equal,
}

/// Fields of text, with the texts there are in them; none where there may be any.
pub(super) const TEXTS: [(&str, &[&str]); 12] = [
    ("mint", &[]),
    ("symbol", &[]),
    ("name", &[]),
    ("creator", &[]),
    (
        "flag",
        &["graduated", "mayhem", "cashback", "holder_rewards", "mev_hit", "bundled", "dev_sold", "rugged", "wash"],
    ),
    ("stage", &STAGES),
    ("venue", &VENUES),
    ("side", &["buy", "sell"]),
    ("trader", &[]),
    ("class", &CLASSES),
    ("state", &[State::Provisional.name(), State::Confirmed.name(), State::Retracted.name()]),
    ("attacker", &[]),
];

const CLASSES: [&str; Class::ALL.len()] = {
    let mut names = [""; Class::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Class::ALL[index].name();
        index += 1;
    }
    names
};

const STAGES: [&str; 5] =
    [Stage::Created.name(), Stage::Trading.name(), Stage::Completing.name(), Stage::Migrated.name(), Stage::Amm.name()];
const VENUES: [&str; 11] = [
    Venue::Pump.name(),
    Venue::PumpSwap.name(),
    Venue::RaydiumAmmV4.name(),
    Venue::RaydiumCpmm.name(),
    Venue::RaydiumClmm.name(),
    Venue::RaydiumLaunchlab.name(),
    Venue::MeteoraDbc.name(),
    Venue::MeteoraDammV2.name(),
    Venue::MeteoraDlmm.name(),
    Venue::MeteoraDammV1.name(),
    Venue::OrcaWhirlpool.name(),
];
pub(super) const NUMBERS: [&str; 14] = [
    "mc", "price", "progress", "change", "vol", "buys", "sells", "trades", "traders", "age", "size", "sure", "lost",
    "profit",
];

/// Longer ones first: `>=` is not `>` and a number that begins with `=`.
const COMPARISONS: [(&str, Comparison); 5] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    ("<", Comparison::Below),
    ("=", Comparison::Equal),
];

/// The condition that a word states, or what is wrong with it; `None` for a plain word.
pub(super) fn condition(word: &str) -> Option<Result<Condition, String>> {
    if let Some((field, text)) = word.split_once(':') {
        let known = TEXTS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(field));
        return Some(match known {
            Some(_) if text.is_empty() => Err(format!("{field}: wants a text behind it")),
            Some((field, known)) => {
                let text = text.to_lowercase();
                if known.is_empty() || known.iter().any(|known| known.contains(&text)) {
                    Ok(Condition::Text(field, text))
                } else {
                    Err(format!("no {field} is called {text}: there are {}", known.join(", ")))
                }
            }
            None => {
                let fields = TEXTS.map(|(field, _)| field).join(", ");
                Err(format!("no field is called {field}: there are {fields}"))
            }
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

impl Comparison {
    fn holds(self, value: f64, wanted: f64) -> bool {
        match self {
            Self::Above => value > wanted,
            Self::Below => value < wanted,
            Self::AtLeast => value >= wanted,
            Self::AtMost => value <= wanted,
            Self::Equal => (value - wanted).abs() < 1e-9 * wanted.abs().max(1.0),
        }
    }
}

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Token,
    Trade,
    Alert,
    /// The venue, which all of them have.
    Place,
}

impl Condition {
    pub(super) fn subject(&self) -> Subject {
        let (Self::Text(field, _) | Self::Number(field, ..)) = self;
        match *field {
            "venue" => Subject::Place,
            "side" | "trader" | "size" => Subject::Trade,
            "class" | "state" | "attacker" | "sure" | "lost" | "profit" => Subject::Alert,
            _ => Subject::Token,
        }
    }

    pub(super) fn is_at(&self, venue: Venue) -> bool {
        matches!(self, Self::Text(_, wanted) if venue.name().contains(wanted))
    }

    pub(super) fn holds_for(&self, trade: &TradeView) -> bool {
        match self {
            Self::Text("side", wanted) => trade.side.name().contains(wanted),
            Self::Text(_, wanted) => trade.user.to_string().to_lowercase().contains(wanted),
            Self::Number(_, comparison, wanted) => trade.sol.is_some_and(|size| comparison.holds(size, *wanted)),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "compared with a number typed by hand")]
    pub(super) fn holds_of(&self, entry: &AlertView) -> bool {
        let alert = &entry.alert;
        let in_sol = |amount: Option<i64>| {
            amount.filter(|_| alert.quote_mint == WRAPPED_SOL).map(|lamports| lamports as f64 / 1e9)
        };
        match self {
            Self::Text("class", wanted) => alert.class.name().contains(wanted),
            Self::Text("state", wanted) => alert.state.name().contains(wanted),
            Self::Text(_, wanted) => {
                alert.attackers.iter().any(|one| one.wallet.to_string().to_lowercase().contains(wanted))
            }
            Self::Number(field, comparison, wanted) => {
                let value = match *field {
                    "sure" => Some(alert.confidence * 100.0),
                    "lost" => in_sol(alert.victim_loss),
                    _ => in_sol(alert.profit),
                };
                value.is_some_and(|value| comparison.holds(value, *wanted))
            }
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "compared with a number typed by hand")]
    pub(super) fn holds(&self, token: &TokenView, now_ms: i64) -> bool {
        match self {
            Self::Text(field, wanted) => {
                let has = |text: &str| text.to_lowercase().contains(wanted);
                match *field {
                    "mint" => has(&token.mint.to_string()),
                    "symbol" => has(token.symbol.as_str()),
                    "name" => has(token.name.as_str()),
                    "creator" => token.creator.is_some_and(|creator| has(&creator.to_string())),
                    "flag" => token.flags.iter().any(|flag| has(flag)),
                    _ => has(token.stage.name()),
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
                value.is_some_and(|value| comparison.holds(value, *wanted))
            }
        }
    }
}
