//! What a failure means and what to do: decided by where it arose, its code and its exact text, as data.
//!
//! Status codes lie: HTTP 429 becomes UNAVAILABLE, a message over our own limit has the code of "replay too old", and a
//! rate limit that of a full server. A text may only ever make us slower, never faster. Texts: yellowstone-grpc 12–15,
//! tonic 0.14.

use std::time::Duration;

use tonic::Code;

/// Longest part of a server's text that goes into a cause, in characters.
const CAUSE_CHARS: usize = 160;

/// How far the call had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// No HTTP/2 connection yet.
    Connect,
    /// Before the first message.
    Headers,
    /// Mid-stream.
    Stream,
}

/// A failure as it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How far the call had come.
    pub phase: Phase,
    /// The gRPC code; `Ok` is a clean end.
    pub code: Code,
    /// The server's or tonic's text. Untrusted.
    pub message: String,
    /// How long the server asks us to stay away (`grpc-retry-pushback-ms`, `retry-after`).
    pub pushback: Option<Duration>,
}

impl Failure {
    /// Size of the message that was too large, in bytes, where the text says it (tonic 0.14: "found N bytes").
    #[must_use]
    pub fn message_size(&self) -> Option<usize> {
        self.message.split_once("found ")?.1.split_once(" bytes")?.0.parse().ok()
    }

    /// Most keys that the server takes in one filter, where it refuses a filter for having more (yellowstone-grpc 12–15).
    #[must_use]
    pub fn key_limit(&self) -> Option<usize> {
        let text = self.message.strip_prefix("failed to create filter: Max amount of Pubkeys reached, only ")?;
        text.split_once(" allowed")?.0.parse().ok().filter(|limit| *limit > 0)
    }
}

/// What a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Network, node or clean end: try again.
    Transport,
    /// The request's filters are refused.
    Filter,
    /// The request is refused for another reason.
    Request,
    /// The endpoint refuses us.
    Endpoint,
    /// The token is refused.
    Token,
    /// Too many subscribe calls.
    Rate,
    /// Too many streams open.
    Concurrency,
    /// The server asks us to be calm.
    Calm,
    /// A message is larger than our own limit.
    LocalSize,
    /// The replay asked for is not to be had.
    Replay,
    /// We read too slowly.
    Slow,
    /// The server does not know the call or the compression.
    Unimplemented,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Try again after the backoff, and no sooner than `floor`.
    Retry {
        /// Least delay.
        floor: Duration,
    },
    /// No new subscription of any connection for the window and a random part of ten seconds, or the pushback if longer.
    Freeze {
        /// What the server asked for.
        pushback: Duration,
    },
    /// Go back to the last filter set the server took.
    FallBack,
    /// Try once without compression, else stop.
    WithoutCompression,
    /// Double the keepalive interval, then try again.
    Calm,
    /// Stop this connection until the user asks.
    Stop,
    /// Stop every connection that uses the token.
    StopToken,
}

/// Class, action, and the cause for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it is.
    pub class: Class,
    /// What to do.
    pub action: Action,
    /// In words, the server's own text made harmless and appended.
    pub cause: String,
}

impl Verdict {
    /// Whether the server says that it is going away.
    #[must_use]
    pub fn is_goodbye(&self) -> bool {
        self.cause.starts_with(SHUTTING_DOWN)
    }
}

/// What a server that ends says, in our words.
const SHUTTING_DOWN: &str = "the server is shutting down";

/// Where a row applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Any,
    Headers,
    Connect,
}

struct Row {
    at: At,
    codes: &'static [Code],
    /// Exact prefix of the text; empty for any.
    text: &'static str,
    class: Class,
    words: &'static str,
}

const fn row(at: At, codes: &'static [Code], text: &'static str, class: Class, words: &'static str) -> Row {
    Row { at, codes, text, class, words }
}

/// First match decides.
const TABLE: &[Row] = &[
    row(At::Connect, &[], "", Class::Transport, "no connection"),
    row(At::Any, &[Code::Ok], "", Class::Transport, "the server ended the stream"),
    row(At::Any, &[Code::InvalidArgument], "", Class::Filter, "the server refuses the filters"),
    row(
        At::Any,
        &[Code::NotFound, Code::AlreadyExists, Code::FailedPrecondition],
        "",
        Class::Request,
        "the server refuses the request",
    ),
    row(
        At::Any,
        &[Code::PermissionDenied],
        "Maximum connection count reached",
        Class::Concurrency,
        "too many streams are open",
    ),
    row(At::Any, &[Code::PermissionDenied], "", Class::Endpoint, "access denied"),
    row(At::Any, &[Code::Unauthenticated], "", Class::Token, "the token is refused"),
    row(
        At::Any,
        &[Code::ResourceExhausted],
        "max subscription limit exceeded",
        Class::Concurrency,
        "too many streams are open",
    ),
    row(At::Any, &[Code::ResourceExhausted], "Max subscriptions", Class::Concurrency, "too many streams are open"),
    row(
        At::Any,
        &[Code::ResourceExhausted],
        "h2 protocol error",
        Class::Calm,
        "the server asks for calm (ENHANCE_YOUR_CALM)",
    ),
    row(
        At::Any,
        &[Code::ResourceExhausted],
        "Error decompressing: size limit",
        Class::LocalSize,
        "a message is larger than we accept",
    ),
    row(At::Any, &[Code::ResourceExhausted], "", Class::Rate, "the provider's rate limit"),
    row(
        At::Any,
        &[Code::OutOfRange],
        "Error, decoded message length too large",
        Class::LocalSize,
        "a message is larger than we accept",
    ),
    row(At::Any, &[Code::OutOfRange], "", Class::Replay, "the replay asked for is gone"),
    row(At::Any, &[Code::Internal], "lagged", Class::Slow, "we read too slowly"),
    row(At::Any, &[Code::DataLoss], "Client could not keep up", Class::Slow, "we read too slowly"),
    row(At::Any, &[Code::Internal], "from_slot is not supported", Class::Replay, "the server has no replay"),
    row(At::Any, &[Code::Internal], "failed to get replay response", Class::Replay, "the server has nothing to replay"),
    row(
        At::Any,
        &[Code::Internal],
        "failed to send from_slot request",
        Class::Replay,
        "the server has nothing to replay",
    ),
    row(
        At::Any,
        &[Code::Unavailable],
        "grpc-status header missing, mapped from HTTP status code 429",
        Class::Rate,
        "the provider's rate limit (HTTP 429)",
    ),
    row(At::Any, &[Code::Unavailable], "server is shutting down", Class::Transport, SHUTTING_DOWN),
    row(At::Headers, &[Code::DeadlineExceeded], "", Class::Transport, "the subscribe call was not answered"),
    row(At::Any, &[Code::DataLoss], "", Class::Transport, "the server lost data"),
    row(At::Any, &[Code::Unimplemented], "", Class::Unimplemented, "the server does not know the call"),
    row(
        At::Any,
        &[Code::Cancelled, Code::Unknown, Code::Aborted, Code::DeadlineExceeded, Code::Unavailable, Code::Internal],
        "",
        Class::Transport,
        "the stream broke",
    ),
];

/// What the failure means.
#[must_use]
pub fn classify(failure: &Failure) -> Verdict {
    let found = TABLE.iter().find(|row| {
        let here = match row.at {
            At::Any => failure.phase != Phase::Connect,
            At::Headers => failure.phase == Phase::Headers,
            At::Connect => failure.phase == Phase::Connect,
        };
        here && (row.codes.is_empty() || row.codes.contains(&failure.code)) && failure.message.starts_with(row.text)
    });
    let (mut class, mut words) = found.map_or((Class::Transport, "the stream broke"), |row| (row.class, row.words));
    // A server that names a time to stay away limits a rate, whatever else it says.
    if class == Class::Transport && failure.pushback.is_some() && failure.code == Code::Unavailable {
        (class, words) = (Class::Rate, "the provider asks us to wait");
    }
    let action = if failure.phase == Phase::Connect && is_tls(&failure.message) {
        words = "the server's certificate or TLS is not acceptable";
        Action::Retry { floor: Duration::from_secs(30) }
    } else {
        action(class, failure.pushback.unwrap_or_default())
    };
    Verdict { class, action, cause: cause(words, &failure.message) }
}

const fn action(class: Class, pushback: Duration) -> Action {
    match class {
        // The declared loss of what was sent meanwhile is the later ledger's; the stream itself comes back at the tip.
        Class::Transport | Class::Replay | Class::Slow => Action::Retry { floor: pushback },
        // The same message may come again: give it time to pass.
        Class::LocalSize => Action::Retry { floor: Duration::from_secs(2) },
        Class::Concurrency => Action::Retry { floor: Duration::from_secs(30) },
        Class::Filter => Action::FallBack,
        Class::Request | Class::Endpoint => Action::Stop,
        Class::Token => Action::StopToken,
        Class::Rate => Action::Freeze { pushback },
        Class::Calm => Action::Calm,
        Class::Unimplemented => Action::WithoutCompression,
    }
}

fn is_tls(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    ["certificate", "tls", "handshakefailure", "invalidcontenttype"].iter().any(|word| lower.contains(word))
}

/// Our words first; the other side's text after them, cut short and without control characters.
fn cause(words: &str, message: &str) -> String {
    let shown: String =
        message.chars().take(CAUSE_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.is_empty() { words.to_owned() } else { format!("{words}: {shown}") }
}

/// Delays between attempts: full jitter under a doubling ceiling.
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    attempt: u32,
    random: fastrand::Rng,
}

/// Never sooner than this, also after a clean end.
pub const LEAST_DELAY: Duration = Duration::from_millis(250);
/// A stream that delivered blocks for this long was a success.
pub const PROVEN_AFTER: Duration = Duration::from_secs(30);
/// So many failures without a success open the breaker,
const BREAKER_AFTER: u32 = 5;
/// and then no attempt comes sooner than this: each of them is a probe.
const PROBE_SPACING: Duration = Duration::from_secs(5);
/// Largest random part of a freeze.
pub const FREEZE_JITTER: Duration = Duration::from_secs(10);

impl Backoff {
    /// With the first ceiling and the largest.
    #[must_use]
    pub const fn new((base, cap): (Duration, Duration), random: fastrand::Rng) -> Self {
        Self { base, cap, attempt: 0, random }
    }

    /// The next delay.
    pub fn next_delay(&mut self) -> Duration {
        let ceiling = self.base.saturating_mul(1_u32.checked_shl(self.attempt).unwrap_or(u32::MAX)).min(self.cap);
        let least = if self.is_open() { PROBE_SPACING.min(self.cap).max(LEAST_DELAY) } else { LEAST_DELAY };
        self.attempt = self.attempt.saturating_add(1).min(31);
        // The first range is a whole base wide too: connections that were cut together must not come back together.
        let most = ceiling.max(least + self.base).min(self.cap.max(least));
        least + most.saturating_sub(least).mul_f64(self.random.f64())
    }

    /// Whether so much has failed in a row that attempts are only probes.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.attempt >= BREAKER_AFTER
    }

    /// How long to freeze after a rate-limit answer.
    pub fn freeze(&mut self, window: Duration, pushback: Duration) -> Duration {
        window.max(pushback) + FREEZE_JITTER.mul_f64(self.random.f64())
    }

    /// The stream ended after this much of delivered blocks.
    pub fn delivered(&mut self, blocks_for: Duration) {
        if blocks_for >= PROVEN_AFTER {
            self.attempt = 0;
        }
    }
}

/// What tonic 0.14 says of a connection that broke on our side, or that never came about. No server has answered then.
const OWN_FINDINGS: [&str; 2] = ["http2 error", "transport error"];

/// Three refusals before the first message within ten seconds are a rate limit in disguise.
#[derive(Clone, Debug, Default)]
pub struct RefusalStreak(Vec<Duration>);

impl RefusalStreak {
    /// Takes a failure; whether it is to be read as a rate limit.
    pub fn on(&mut self, failure: &Failure, now: Duration) -> bool {
        let ours = OWN_FINDINGS.iter().any(|text| failure.message.starts_with(text));
        if failure.phase != Phase::Headers || failure.code != Code::Unavailable || ours {
            return false;
        }
        self.0.retain(|at| now.saturating_sub(*at) <= Duration::from_secs(10));
        self.0.push(now);
        self.0.len() >= 3
    }
}
