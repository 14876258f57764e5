//! Reads a fault plan; every error names the line, the value and the mend.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use serde::Deserialize;
use thiserror::Error;
use toml::{Spanned, Value};
use tonic::Code;

use super::{Fault, FaultKind, FaultPlan};

/// Most faults of a plan.
const MOST_FAULTS: usize = 1_000;
/// Longest time a plan may name.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Larger than the largest message a careful client takes (64 MiB).
const OVERSIZE: i64 = (64 << 20) + 1;
/// Largest update that can be asked for.
const MOST_BYTES: i64 = 1 << 30;

const KINDS: &str = "reset, close, blackhole, stall, delay, rate, slice, status, goaway, drop, duplicate, reorder, \
                     dead_slot, limit, replay_gone, oversize, lagged";
/// The names of gRPC's codes but OK, in the order of their numbers.
const CODES: [(&str, Code); 16] = [
    ("CANCELLED", Code::Cancelled),
    ("UNKNOWN", Code::Unknown),
    ("INVALID_ARGUMENT", Code::InvalidArgument),
    ("DEADLINE_EXCEEDED", Code::DeadlineExceeded),
    ("NOT_FOUND", Code::NotFound),
    ("ALREADY_EXISTS", Code::AlreadyExists),
    ("PERMISSION_DENIED", Code::PermissionDenied),
    ("RESOURCE_EXHAUSTED", Code::ResourceExhausted),
    ("FAILED_PRECONDITION", Code::FailedPrecondition),
    ("ABORTED", Code::Aborted),
    ("OUT_OF_RANGE", Code::OutOfRange),
    ("UNIMPLEMENTED", Code::Unimplemented),
    ("INTERNAL", Code::Internal),
    ("UNAVAILABLE", Code::Unavailable),
    ("DATA_LOSS", Code::DataLoss),
    ("UNAUTHENTICATED", Code::Unauthenticated),
];
/// RFC 9113 section 7, by number.
const H2_CODES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// What is wrong with a plan, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct FaultError {
    /// The line, from 1.
    pub line: usize,
    /// The value and the mend.
    pub message: String,
}

type Entries = BTreeMap<Spanned<String>, Spanned<Value>>;
type Outcome<T> = Result<T, FaultError>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    seed: Option<Spanned<Value>>,
    #[serde(default)]
    fault: Vec<Spanned<Entries>>,
}

pub(super) fn parse(text: &str) -> Outcome<FaultPlan> {
    let line_of = |offset: usize| 1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count();
    let document: Document = toml::from_str(text).map_err(|error| FaultError {
        line: error.span().map_or(1, |span| line_of(span.start)),
        message: format!(
            "{}; a plan is `seed = NUMBER` and one `[[fault]]` table per fault",
            error.message().lines().next().unwrap_or("not TOML")
        ),
    })?;
    let seed = match document.seed {
        None => 0,
        Some(seed) => {
            let number = seed.get_ref().as_integer().and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(|| FaultError {
                line: line_of(seed.span().start),
                message: format!("seed = {}: use a whole number from 0", seed.get_ref()),
            })?
        }
    };
    if let Some(extra) = document.fault.get(MOST_FAULTS) {
        let line = line_of(extra.span().start);
        return Err(FaultError { line, message: format!("more than {MOST_FAULTS} faults: leave some out") });
    }
    let faults = document.fault.into_iter().map(|table| fault(Table::new(table, &line_of)));
    let mut faults = faults.collect::<Outcome<Vec<_>>>()?;
    faults.sort_by_key(|fault| fault.at);
    Ok(FaultPlan { seed, faults })
}

fn fault(mut table: Table) -> Outcome<Fault> {
    let at = table.duration("at")?;
    let at = at.ok_or_else(|| table.error("a fault without `at`: add the time, as in at = \"5s\""))?;
    let kind = table.text("kind")?;
    let (line, kind) = kind.ok_or_else(|| table.error(format!("a fault without `kind`: add one of {KINDS}")))?;
    table.kind.clone_from(&kind);
    let kind = self::kind(&mut table, line, &kind)?;
    let one_for_all = matches!(kind, FaultKind::DeadSlot | FaultKind::ReplayGone);
    let connection = if one_for_all { table.all_connections()? } else { table.connection()? };
    let endless = !matches!(kind, FaultKind::Goaway { .. } | FaultKind::Oversize { .. });
    let lasts = if endless { table.duration("for")? } else { None };
    table.finish()?;
    Ok(Fault { at, lasts, connection, kind })
}

fn kind(table: &mut Table, line: usize, kind: &str) -> Outcome<FaultKind> {
    Ok(match kind {
        "reset" => FaultKind::Reset { after_bytes: table.count("after_bytes")?.unwrap_or(0) },
        "close" => FaultKind::Close { after: table.count("after")?.unwrap_or(0) },
        "blackhole" => {
            let direction = table.choice("direction", &["both", "down", "up"])?.unwrap_or(0);
            FaultKind::Blackhole { down: direction != 2, up: direction != 1 }
        }
        "stall" => FaultKind::Stall,
        "delay" => {
            let by = table.integer("ms", 1..=600_000)?;
            let by = by.ok_or_else(|| table.error("a delay without `ms`: add it, as in ms = 500"))?;
            let jitter = table.integer("jitter_ms", 0..=by)?.unwrap_or(0);
            let span = |ms: i64| Duration::from_millis(ms.unsigned_abs());
            FaultKind::Delay { by: span(by), jitter: span(jitter) }
        }
        "rate" => {
            let rate = table.integer("bytes_per_s", 1..=MOST_BYTES)?;
            let rate = rate.ok_or_else(|| table.error("a rate without `bytes_per_s`: add it, as in 65536"))?;
            FaultKind::Rate { bytes_per_s: rate.unsigned_abs() }
        }
        "slice" => FaultKind::Slice { bytes: size(table.integer("bytes", 1..=65_536)?.unwrap_or(1)) },
        "status" => {
            let names = CODES.map(|(name, _)| name);
            let code = table.choice("code", &names)?.and_then(|place| CODES.get(place));
            let code = code.ok_or_else(|| table.error("a status without `code`: add it, as in \"INTERNAL\""))?.1;
            let message = table.text("message")?.map(|(_, message)| message).unwrap_or_default();
            FaultKind::Status { code, message, pushback: table.pushback()?, after: table.count("after")?.unwrap_or(0) }
        }
        "goaway" => {
            let code = table.choice("code", &H2_CODES)?.unwrap_or(0);
            FaultKind::Goaway { code: u32::try_from(code).unwrap_or(0), grace: table.duration("grace")? }
        }
        "drop" => {
            FaultKind::Drop { share: table.share()?, all: table.choice("what", &["data", "all"])?.unwrap_or(0) == 1 }
        }
        "duplicate" => FaultKind::Duplicate { share: table.share()? },
        "reorder" => FaultKind::Reorder { share: table.share()? },
        "dead_slot" => FaultKind::DeadSlot,
        "limit" => FaultKind::Limit { pushback: table.pushback()? },
        "replay_gone" => FaultKind::ReplayGone,
        "oversize" => FaultKind::Oversize { bytes: size(table.integer("bytes", 1..=MOST_BYTES)?.unwrap_or(OVERSIZE)) },
        "lagged" => FaultKind::Lagged { after: table.count("after")?.unwrap_or(0) },
        _ => {
            return Err(FaultError { line, message: format!("kind = {kind:?}: no such fault; use one of {KINDS}") });
        }
    })
}

fn size(bytes: i64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// One `[[fault]]`: keys are taken out of it one by one, what remains is unknown.
struct Table {
    line: usize,
    kind: String,
    entries: BTreeMap<String, (usize, Value)>,
    asked: Vec<&'static str>,
}

impl Table {
    fn new(table: Spanned<Entries>, line_of: &impl Fn(usize) -> usize) -> Self {
        let line = line_of(table.span().start);
        let entries = table.into_inner().into_iter().map(|(key, value)| {
            let line = line_of(key.span().start);
            (key.into_inner(), (line, value.into_inner()))
        });
        Self { line, kind: String::new(), entries: entries.collect(), asked: Vec::new() }
    }

    fn error(&self, message: impl Into<String>) -> FaultError {
        FaultError { line: self.line, message: message.into() }
    }

    fn take(&mut self, key: &'static str) -> Option<(usize, Value)> {
        self.asked.push(key);
        self.entries.remove(key)
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        mend: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Outcome<Option<(usize, T)>> {
        let Some((line, value)) = self.take(key) else { return Ok(None) };
        match read(&value) {
            Some(read) => Ok(Some((line, read))),
            None => Err(FaultError { line, message: format!("{key} = {value}: use {mend}") }),
        }
    }

    fn text(&mut self, key: &'static str) -> Outcome<Option<(usize, String)>> {
        self.read(key, "a text in quotes", |value| value.as_str().map(str::to_owned))
    }

    fn duration(&mut self, key: &'static str) -> Outcome<Option<Duration>> {
        let read = |value: &Value| value.as_str().and_then(duration);
        Ok(self.read(key, "a time such as \"250ms\", \"5s\" or \"2m\", at most 7 days", read)?.map(|(_, time)| time))
    }

    fn integer(&mut self, key: &'static str, range: RangeInclusive<i64>) -> Outcome<Option<i64>> {
        let mend = format!("a whole number from {} to {}", range.start(), range.end());
        let read = |value: &Value| value.as_integer().filter(|number| range.contains(number));
        Ok(self.read(key, &mend, read)?.map(|(_, number)| number))
    }

    fn count(&mut self, key: &'static str) -> Outcome<Option<u64>> {
        Ok(self.integer(key, 0..=i64::MAX)?.map(i64::unsigned_abs))
    }

    fn pushback(&mut self) -> Outcome<Option<Duration>> {
        Ok(self.integer("pushback_ms", 0..=3_600_000)?.map(|ms| Duration::from_millis(ms.unsigned_abs())))
    }

    /// The place of the value in a list of names.
    fn choice(&mut self, key: &'static str, names: &[&str]) -> Outcome<Option<usize>> {
        let place = |value: &Value| names.iter().position(|name| value.as_str() == Some(name));
        let mend = format!("one of {}", names.join(", "));
        Ok(self.read(key, &mend, place)?.map(|(_, place)| place))
    }

    #[allow(clippy::cast_precision_loss, reason = "only 1 is in range")]
    fn share(&mut self) -> Outcome<f64> {
        let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
        let read = |value: &Value| number(value).filter(|share| *share > 0.0 && *share <= 1.0);
        let share = self.read("share", "a share above 0 and up to 1, such as 0.005", read)?;
        let missing = || self.error(format!("a {} without `share`: add it, as in share = 0.005", self.kind));
        share.map(|(_, share)| share).ok_or_else(missing)
    }

    fn connection(&mut self) -> Outcome<Option<usize>> {
        let read = |value: &Value| match value {
            Value::Integer(number) => usize::try_from(*number).ok().filter(|number| *number > 0).map(Some),
            Value::String(all) if all == "all" => Some(None),
            _ => None,
        };
        Ok(self.read("connection", "a number from 1, or \"all\"", read)?.and_then(|(_, connection)| connection))
    }

    fn all_connections(&mut self) -> Outcome<Option<usize>> {
        let kind = self.kind.clone();
        let mend = format!("\"all\": a {kind} is the same for every connection");
        self.read("connection", &mend, |value| (value.as_str() == Some("all")).then_some(()))?;
        Ok(None)
    }

    fn finish(self) -> Outcome<()> {
        let Some((key, (line, _))) = self.entries.into_iter().next() else { return Ok(()) };
        let known = self.asked.join(", ");
        Err(FaultError { line, message: format!("{key}: kind {:?} has no such key; it has {known}", self.kind) })
    }
}

/// Reads `250ms`, `1.5s`, `2m` or `1h`.
fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at_checked(split)?;
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    let time = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
    (time <= LONGEST).then_some(time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn one(kind: &str) -> FaultKind {
        let plan: FaultPlan = format!("[[fault]]\nat = \"1s\"\n{kind}").parse().unwrap();
        plan.faults.into_iter().next().unwrap().kind
    }

    fn wrong(text: &str) -> String {
        text.parse::<FaultPlan>().unwrap_err().to_string()
    }

    #[test]
    fn a_plan_in_the_order_of_time() {
        let plan: FaultPlan = r#"
            seed = 7
            [[fault]]
            at = "5s"
            kind = "reset"
            connection = 1
            for = "10s"
            [[fault]]
            at = "250ms"
            kind = "stall"
            connection = "all"
        "#
        .parse()
        .unwrap();
        let reset = Fault {
            at: Duration::from_secs(5),
            lasts: Some(Duration::from_secs(10)),
            connection: Some(1),
            kind: FaultKind::Reset { after_bytes: 0 },
        };
        let stall = Fault { at: Duration::from_millis(250), lasts: None, connection: None, kind: FaultKind::Stall };
        assert_eq!(plan, FaultPlan { seed: 7, faults: vec![stall, reset] });
        assert_eq!("".parse(), Ok(FaultPlan::default()));
    }

    #[test]
    fn every_kind_with_its_keys() {
        let ms = Duration::from_millis;
        let status = FaultKind::Status {
            code: Code::ResourceExhausted,
            message: "slow down".to_owned(),
            pushback: Some(ms(9)),
            after: 3,
        };
        let cases = [
            ("kind = 'reset'\nafter_bytes = 24", FaultKind::Reset { after_bytes: 24 }),
            ("kind = 'close'\nafter = 2", FaultKind::Close { after: 2 }),
            ("kind = 'blackhole'", FaultKind::Blackhole { down: true, up: true }),
            ("kind = 'blackhole'\ndirection = 'down'", FaultKind::Blackhole { down: true, up: false }),
            ("kind = 'stall'", FaultKind::Stall),
            ("kind = 'delay'\nms = 500\njitter_ms = 300", FaultKind::Delay { by: ms(500), jitter: ms(300) }),
            ("kind = 'rate'\nbytes_per_s = 65536", FaultKind::Rate { bytes_per_s: 65_536 }),
            ("kind = 'slice'", FaultKind::Slice { bytes: 1 }),
            ("kind = 'status'\ncode = 'RESOURCE_EXHAUSTED'\nmessage = 'slow down'\npushback_ms = 9\nafter = 3", status),
            ("kind = 'goaway'", FaultKind::Goaway { code: 0, grace: None }),
            ("kind = 'goaway'\ncode = 'ENHANCE_YOUR_CALM'", FaultKind::Goaway { code: 11, grace: None }),
            ("kind = 'drop'\nshare = 1", FaultKind::Drop { share: 1.0, all: false }),
            ("kind = 'drop'\nshare = 0.5\nwhat = 'all'", FaultKind::Drop { share: 0.5, all: true }),
            ("kind = 'duplicate'\nshare = 0.005", FaultKind::Duplicate { share: 0.005 }),
            ("kind = 'reorder'\nshare = 0.005", FaultKind::Reorder { share: 0.005 }),
            ("kind = 'dead_slot'\nconnection = 'all'", FaultKind::DeadSlot),
            ("kind = 'limit'\nfor = '3s'", FaultKind::Limit { pushback: None }),
            ("kind = 'replay_gone'", FaultKind::ReplayGone),
            ("kind = 'oversize'", FaultKind::Oversize { bytes: 67_108_865 }),
            ("kind = 'lagged'", FaultKind::Lagged { after: 0 }),
        ];
        for (text, kind) in cases {
            assert_eq!(one(text), kind, "{text}");
            let name = text.split('\'').nth(1).unwrap();
            assert!(KINDS.split(", ").any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn errors_name_the_line_the_value_and_the_mend() {
        let at = |rest: &str| format!("seed = 1\n[[fault]]\nat = \"1s\"\n{rest}");
        let cases = [
            ("seed = -1".to_owned(), "line 1: seed = -1: use a whole number from 0"),
            (
                "\n[[fault]]\nkind = \"stall\"".to_owned(),
                "line 2: a fault without `at`: add the time, as in at = \"5s\"",
            ),
            (at("connection = 1"), "line 2: a fault without `kind`: add one of reset, close,"),
            (at("kind = \"explode\""), "line 4: kind = \"explode\": no such fault; use one of reset, close,"),
            (at("kind = \"drop\"\nshare = 1.5"), "line 5: share = 1.5: use a share above 0 and up to 1, such as 0.005"),
            (at("kind = \"drop\""), "line 2: a drop without `share`: add it, as in share = 0.005"),
            (
                at("kind = \"stall\"\nshare = 0.5"),
                "line 5: share: kind \"stall\" has no such key; it has at, kind, connection, for",
            ),
            (at("kind = \"stall\"\nfor = 5"), "line 5: for = 5: use a time such as \"250ms\", \"5s\" or \"2m\""),
            (at("kind = \"stall\"\nconnection = 0"), "line 5: connection = 0: use a number from 1, or \"all\""),
            (
                at("kind = \"dead_slot\"\nconnection = 2"),
                "line 5: connection = 2: use \"all\": a dead_slot is the same",
            ),
            (at("kind = \"status\"\ncode = \"OK\""), "line 5: code = \"OK\": use one of CANCELLED, UNKNOWN,"),
            (at("kind = \"delay\"\nms = 5\njitter_ms = 6"), "line 6: jitter_ms = 6: use a whole number from 0 to 5"),
            (
                at("kind = \"oversize\"\nfor = \"1s\""),
                "line 5: for: kind \"oversize\" has no such key; it has at, kind, bytes",
            ),
            ("fault = 3".to_owned(), "line 1: invalid type: integer `3`"),
            ("sed = 3".to_owned(), "line 1: unknown field `sed`"),
            ("[[fault]\n".to_owned(), "line 1: "),
        ];
        for (text, expected) in cases {
            let error = wrong(&text);
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
    }

    #[test]
    fn moments_strike_once_unless_they_last() {
        let fault = |kind, lasts| Fault { at: Duration::from_secs(5), lasts, connection: None, kind };
        let second = Duration::from_secs;
        let moment = fault(FaultKind::Close { after: 0 }, None);
        assert!(!moment.lasts_at(second(5)));
        let longer = fault(FaultKind::Close { after: 0 }, Some(second(2)));
        assert!(longer.lasts_at(second(5)) && longer.lasts_at(second(6)) && !longer.lasts_at(second(7)));
        let endless = fault(FaultKind::Stall, None);
        assert!(!endless.lasts_at(second(4)) && endless.lasts_at(second(900)));
    }
}
