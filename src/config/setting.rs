//! The table of settings: what each may be, whatever the layer it comes from.

use toml::Value;

use super::{endpoint, provider};
use crate::{
    chain::{ids::Wallet, text::Shown},
    mev::Class,
    stream::pool::MAX_CONNECTIONS,
};

/// Most endpoints: one primary, the others take over.
const MAX_ENDPOINTS: usize = 8;
/// Longest text of a setting, in bytes: a path on Linux.
const MAX_TEXT: usize = 4096;

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `true` or `false`.
    Switch,
    /// A whole number in the range.
    Whole(u64, u64),
    /// A whole number in the range, or "auto".
    WholeOrAuto(u64, u64),
    /// A number in the range.
    Real(f64, f64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of a provider's profile, or "auto".
    Provider,
    /// Any text.
    Text,
    /// URLs.
    Endpoints,
    /// Names of alert classes.
    Classes,
    /// Base58 addresses.
    Keys,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// `section.key`
    pub(super) name: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
}

const fn setting(name: &'static str, kind: Kind) -> Setting {
    Setting { name, kind }
}

/// Every setting, in the order of `default.toml`.
pub(super) const SETTINGS: [Setting; 48] = [
    setting("source.endpoint", Kind::Endpoints),
    setting("source.provider", Kind::Provider),
    setting("source.x_token_file", Kind::Text),
    setting("source.commitment", Kind::Word(&["processed", "confirmed", "finalized"])),
    setting("source.connections", Kind::WholeOrAuto(1, MAX_CONNECTIONS as u64)),
    setting("source.insecure", Kind::Switch),
    setting("budget.limit", Kind::WholeOrAuto(1, 10_000)),
    setting("budget.window_s", Kind::WholeOrAuto(1, 3_600)),
    setting("budget.reserve", Kind::WholeOrAuto(0, 10_000)),
    setting("budget.per_connection", Kind::WholeOrAuto(1, 10_000)),
    setting("budget.cost_new", Kind::WholeOrAuto(1, 100)),
    setting("budget.cost_update", Kind::WholeOrAuto(0, 100)),
    setting("stream.keepalive_s", Kind::Whole(1, 300)),
    setting("stream.keepalive_timeout_s", Kind::Whole(1, 60)),
    // From HTTP/2's smallest useful window to its largest, 2^31 - 1 bytes.
    setting("stream.window_kib", Kind::Whole(64, 2_097_151)),
    setting("stream.max_message_mib", Kind::Whole(1, 1_024)),
    setting("stream.connect_timeout_s", Kind::Whole(1, 60)),
    setting("stream.subscribe_timeout_s", Kind::Whole(1, 60)),
    setting("stream.silence_s", Kind::Whole(5, 600)),
    setting("stream.backoff_first_ms", Kind::Whole(100, 60_000)),
    setting("stream.backoff_longest_s", Kind::Whole(1, 600)),
    setting("stream.zstd", Kind::Word(&["auto", "on", "off"])),
    setting("stream.proof", Kind::Word(&["filters", "block", "chain"])),
    setting("stream.balance", Kind::Switch),
    setting("stream.standby", Kind::Word(&["off", "high", "all"])),
    setting("stream.resume_slots", Kind::Whole(0, 100_000)),
    setting("groups.bonding_curve", Kind::Switch),
    setting("groups.amm_pool", Kind::Switch),
    setting("groups.external_amm", Kind::Switch),
    setting("market.sol_usd_accounts", Kind::Switch),
    setting("market.sol_usd", Kind::Real(0.0, 1e6)),
    setting("market.curve_accounts", Kind::Switch),
    setting("alerts.mute_classes", Kind::Classes),
    setting("alerts.mute_wallets", Kind::Keys),
    setting("alerts.mute_mints", Kind::Keys),
    setting("alerts.watch_wallets", Kind::Keys),
    setting("alerts.watch_mints", Kind::Keys),
    setting("alerts.notify", Kind::Word(&["off", "watched", "attacks", "all"])),
    setting("alerts.notify_from", Kind::Word(&["suspected", "likely", "confirmed"])),
    setting("alerts.notify_by", Kind::Word(&["bell", "desktop", "both"])),
    setting("alerts.notify_pause_s", Kind::Whole(1, 3_600)),
    setting("ui.theme", Kind::Text),
    setting("ui.fps", Kind::Whole(1, 60)),
    setting("ui.ascii", Kind::Switch),
    setting("ui.color", Kind::Switch),
    // TOML's integers end there.
    setting("demo.seed", Kind::Whole(0, i64::MAX as u64)),
    setting("demo.rate", Kind::Real(0.1, 100_000.0)),
    setting("log.level", Kind::Word(&["off", "error", "warn", "info", "debug", "trace"])),
];

/// What is wrong with a value.
#[derive(Debug)]
pub(super) enum Wrong {
    /// Not what the setting can be: why, and the mend.
    Value(String, String),
    /// The endpoint at this position.
    Endpoint(usize, endpoint::BadEndpoint),
}

impl Setting {
    /// Section and key.
    pub(super) fn split(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or((self.name, ""))
    }

    /// Whether another value takes effect while the dashboard runs.
    pub(super) fn is_live(&self) -> bool {
        let (section, key) = self.split();
        matches!(section, "alerts" | "ui") || (section, key) == ("log", "level")
    }

    /// The setting of that `section.key`.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// The environment variable.
    pub(super) fn variable(&self) -> String {
        format!("SMART_STREAM_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Reads a text, as from an environment variable. What does not fit stays a text, for [`check`](Self::check) to refuse.
    pub(super) fn read(&self, text: &str) -> Value {
        let as_text = || Value::String(text.to_owned());
        match self.kind {
            Kind::Switch => text.parse().map_or_else(|_| as_text(), Value::Boolean),
            Kind::Whole(..) | Kind::WholeOrAuto(..) => text.parse().map_or_else(|_| as_text(), Value::Integer),
            Kind::Real(..) => text.parse().map_or_else(|_| as_text(), Value::Float),
            Kind::Endpoints | Kind::Classes | Kind::Keys => Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .map(|part| Value::String(part.to_owned()))
                    .collect(),
            ),
            Kind::Word(_) | Kind::Provider | Kind::Text => as_text(),
        }
    }

    /// Checks a value, and gives it in its one spelling.
    pub(super) fn check(&self, value: Value) -> Result<Value, Wrong> {
        let wrong = |why: String, mend: String| Err(Wrong::Value(why, mend));
        match (self.kind, &value) {
            (Kind::Switch, Value::Boolean(_)) => Ok(value),
            (Kind::Switch, _) => wrong("it is not a switch".to_owned(), "write true or false".to_owned()),
            (Kind::WholeOrAuto(..), Value::String(word)) if word == "auto" => Ok(value),
            (Kind::Whole(least, most) | Kind::WholeOrAuto(least, most), other) => {
                let or_auto = if matches!(self.kind, Kind::WholeOrAuto(..)) { ", or \"auto\"" } else { "" };
                let mend = format!("write a whole number from {least} to {most}{or_auto}");
                match other {
                    Value::Integer(number) if u64::try_from(*number).is_ok_and(|n| (least..=most).contains(&n)) => {
                        Ok(value)
                    }
                    Value::Integer(_) => wrong("it is out of range".to_owned(), mend),
                    _ => wrong("it is not a whole number".to_owned(), mend),
                }
            }
            (Kind::Real(least, most), other) => {
                let number = match other {
                    Value::Float(number) => Some(*number),
                    Value::Integer(number) => i32::try_from(*number).ok().map(f64::from),
                    _ => None,
                };
                match number {
                    Some(number) if (least..=most).contains(&number) => Ok(Value::Float(number)),
                    _ => wrong(
                        if matches!(other, Value::String(_)) { "it is not a number" } else { "it is out of range" }
                            .to_owned(),
                        format!("write a number from {least} to {most}"),
                    ),
                }
            }
            (Kind::Word(words), Value::String(word)) if words.contains(&word.as_str()) => Ok(value),
            (Kind::Word(words), _) => wrong("there is no such choice".to_owned(), format!("write {}", one_of(words))),
            (Kind::Provider, Value::String(name)) if name == "auto" || provider::named(name).is_some() => Ok(value),
            (Kind::Provider, _) => {
                let names: Vec<&str> = std::iter::once("auto").chain(provider::names()).collect();
                wrong("there is no such profile".to_owned(), format!("write {}", one_of(&names)))
            }
            (Kind::Text, Value::String(text)) if text.len() > MAX_TEXT => {
                wrong("it is too long".to_owned(), format!("write at most {MAX_TEXT} bytes"))
            }
            (Kind::Text, Value::String(text)) if text.contains('\0') => {
                wrong("it has a NUL character in it".to_owned(), "remove that".to_owned())
            }
            (Kind::Text, Value::String(_)) => Ok(value),
            (Kind::Text, _) => wrong("it is not a text".to_owned(), "write it in quotation marks".to_owned()),
            (Kind::Endpoints, Value::Array(urls)) => check_endpoints(urls),
            (Kind::Endpoints, _) => wrong(
                "it is not a list of URLs".to_owned(),
                "write it as endpoint = [\"https://host:port\"]".to_owned(),
            ),
            (Kind::Classes, Value::Array(list)) => {
                check_list(list, |name| Class::from_name(name).is_some()).map(|()| value).map_err(|name| {
                    let names = Class::ALL.map(Class::name);
                    Wrong::Value(format!("{name} is no class"), format!("write some of {}", one_of(&names)))
                })
            }
            (Kind::Keys, Value::Array(list)) => check_list(list, |key| key.parse::<Wallet>().is_ok())
                .map(|()| value)
                .map_err(|key| Wrong::Value(format!("{key} is no address"), "write addresses in base58".to_owned())),
            (Kind::Classes | Kind::Keys, _) => {
                wrong("it is not a list".to_owned(), "write it as [\"one\", \"another\"]".to_owned())
            }
        }
    }

    /// A value as an error may show it. An endpoint may hold a secret.
    pub(super) fn shown(&self, value: &Value) -> String {
        match (self.kind, value) {
            (Kind::Endpoints, _) => "…".to_owned(),
            (_, Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_)) => {
                Shown::from_message(&value.to_string()).to_string()
            }
            (_, other) => format!("({})", other.type_str()),
        }
    }
}

/// The first entry that is not as it must be, as an error may show it.
fn check_list(list: &[Value], is_good: impl Fn(&str) -> bool) -> Result<(), String> {
    match list.iter().find(|entry| !entry.as_str().is_some_and(&is_good)) {
        Some(bad) => Err(Shown::from_message(&bad.to_string()).to_string()),
        None => Ok(()),
    }
}

fn check_endpoints(urls: &[Value]) -> Result<Value, Wrong> {
    if urls.len() > MAX_ENDPOINTS {
        return Err(Wrong::Value(
            format!("these are {} endpoints", urls.len()),
            format!("name {MAX_ENDPOINTS} at most"),
        ));
    }
    let mut checked = Vec::with_capacity(urls.len());
    for (index, url) in urls.iter().enumerate() {
        let text = url.as_str().unwrap_or_default();
        let url = endpoint::parse(text).map_err(|bad| Wrong::Endpoint(index + 1, bad))?;
        let url = Value::String(url.to_string());
        if checked.contains(&url) {
            return Err(Wrong::Endpoint(index + 1, endpoint::BadEndpoint::TWICE));
        }
        checked.push(url);
    }
    Ok(Value::Array(checked))
}

fn one_of(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("\"{}\" or \"{last}\"", first.join("\", \"")),
        _ => words.concat(),
    }
}
