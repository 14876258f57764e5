//! What is done about each failure: sixteen codes in two phases, and every text that a server or tonic is known to send.

use std::time::Duration;

use smart_stream_tui::stream::policy::{Action, Backoff, Class, Failure, Phase, RefusalStreak, classify};
use tonic::Code;

fn failure(phase: Phase, code: Code, message: &str) -> Failure {
    Failure { phase, code, message: message.to_owned(), pushback: None }
}

const RETRY: Action = Action::Retry { floor: Duration::ZERO };
const FREEZE: Action = Action::Freeze { pushback: Duration::ZERO };

#[test]
fn every_code_before_the_first_message_and_after_it() {
    use Class::{Endpoint, Filter, Rate, Replay, Request, Token, Transport, Unimplemented};
    let table = [
        (Code::Ok, Transport, RETRY),
        (Code::Cancelled, Transport, RETRY),
        (Code::Unknown, Transport, RETRY),
        (Code::InvalidArgument, Filter, Action::FallBack),
        (Code::DeadlineExceeded, Transport, RETRY),
        (Code::NotFound, Request, Action::Stop),
        (Code::AlreadyExists, Request, Action::Stop),
        (Code::PermissionDenied, Endpoint, Action::Stop),
        (Code::ResourceExhausted, Rate, FREEZE),
        (Code::FailedPrecondition, Request, Action::Stop),
        (Code::Aborted, Transport, RETRY),
        (Code::OutOfRange, Replay, RETRY),
        (Code::Unimplemented, Unimplemented, Action::WithoutCompression),
        (Code::Internal, Transport, RETRY),
        (Code::Unavailable, Transport, RETRY),
        (Code::DataLoss, Transport, RETRY),
        (Code::Unauthenticated, Token, Action::StopToken),
    ];
    for (code, class, action) in table {
        for phase in [Phase::Headers, Phase::Stream] {
            let verdict = classify(&failure(phase, code, "anything"));
            assert_eq!((verdict.class, verdict.action), (class, action), "{code:?} in {phase:?}");
        }
        // Where there is no connection yet, no code of a server can have come.
        assert_eq!(classify(&failure(Phase::Connect, code, "anything")).class, Transport, "{code:?}");
    }
}

#[test]
fn every_text_that_means_something_else_than_its_code() {
    use Class::{Calm, Concurrency, Endpoint, Filter, LocalSize, Rate, Replay, Slow, Token, Transport};
    let half_a_minute = Action::Retry { floor: Duration::from_secs(30) };
    let a_moment = Action::Retry { floor: Duration::from_secs(2) };
    let table = [
        (
            Code::InvalidArgument,
            "failed to create filter: Max amount of Pubkeys reached, only 2000 allowed",
            Filter,
            Action::FallBack,
        ),
        (Code::PermissionDenied, "Maximum connection count reached", Concurrency, half_a_minute),
        (Code::PermissionDenied, "your plan has ended", Endpoint, Action::Stop),
        (Code::Unauthenticated, "No valid auth token", Token, Action::StopToken),
        (Code::Unauthenticated, "", Token, Action::StopToken),
        (Code::ResourceExhausted, "rate limit exceeded", Rate, FREEZE),
        (Code::ResourceExhausted, "max subscription limit exceeded", Concurrency, half_a_minute),
        (Code::ResourceExhausted, "Max subscriptions reached", Concurrency, half_a_minute),
        (Code::ResourceExhausted, "h2 protocol error: ENHANCE_YOUR_CALM", Calm, Action::Calm),
        (Code::ResourceExhausted, "Error decompressing: size limit, of 100 bytes, exceeded", LocalSize, a_moment),
        (Code::OutOfRange, "broadcast from 5 is not available, last available: 9", Replay, RETRY),
        (
            Code::OutOfRange,
            "Error, decoded message length too large: found 10 bytes, the limit is: 5 bytes",
            LocalSize,
            a_moment,
        ),
        (Code::Internal, "lagged to receive geyser messages", Slow, RETRY),
        (Code::Internal, "lagged to send an update", Slow, RETRY),
        (Code::DataLoss, "Client could not keep up", Slow, RETRY),
        (Code::Internal, "from_slot is not supported", Replay, RETRY),
        (Code::Internal, "failed to get replay response", Replay, RETRY),
        (Code::Internal, "failed to send from_slot request", Replay, RETRY),
        (Code::Internal, "Unexpected EOF decoding stream.", Transport, RETRY),
        (Code::Unavailable, "server is shutting down try again later", Transport, RETRY),
        (Code::Unavailable, "grpc-status header missing, mapped from HTTP status code 429", Rate, FREEZE),
        (Code::Unavailable, "grpc-status header missing, mapped from HTTP status code 503", Transport, RETRY),
        (Code::Unknown, "h2 protocol error: error reading a body from connection", Transport, RETRY),
    ];
    for (code, text, class, action) in table {
        for phase in [Phase::Headers, Phase::Stream] {
            let verdict = classify(&failure(phase, code, text));
            assert_eq!((verdict.class, verdict.action), (class, action), "{code:?} {text:?} in {phase:?}");
        }
    }
    // Only as the beginning: a text further in may be anybody's.
    let quoted = classify(&failure(Phase::Stream, Code::Internal, "proxy said: lagged to send an update"));
    assert_eq!(quoted.class, Transport);
}

#[test]
fn a_server_that_names_a_time_is_obeyed() {
    let wait = Duration::from_secs(90);
    for (code, class) in [(Code::Unavailable, Class::Rate), (Code::ResourceExhausted, Class::Rate)] {
        let verdict = classify(&Failure { pushback: Some(wait), ..failure(Phase::Headers, code, "later") });
        assert_eq!((verdict.class, verdict.action), (class, Action::Freeze { pushback: wait }), "{code:?}");
    }
    let verdict = classify(&Failure { pushback: Some(wait), ..failure(Phase::Stream, Code::Aborted, "later") });
    assert_eq!(verdict.action, Action::Retry { floor: wait });
}

#[test]
fn certificates_are_retried_seldom() {
    for text in
        ["invalid peer certificate: Expired", "TLS: no native roots", "received corrupt message: HandshakeFailure"]
    {
        let verdict = classify(&failure(Phase::Connect, Code::Unavailable, text));
        assert_eq!(verdict.action, Action::Retry { floor: Duration::from_secs(30) }, "{text}");
    }
}

#[test]
fn three_refusals_in_ten_seconds_are_a_rate_limit() {
    let mut streak = RefusalStreak::default();
    let refused = failure(Phase::Headers, Code::Unavailable, "");
    let at = Duration::from_secs;
    assert!(!streak.on(&refused, at(0)));
    assert!(!streak.on(&failure(Phase::Stream, Code::Unavailable, ""), at(1)));
    assert!(!streak.on(&refused, at(5)));
    assert!(!streak.on(&refused, at(11)), "the first is too long ago");
    assert!(streak.on(&refused, at(14)));
    // A path that is dead has refused nothing.
    for text in ["http2 error", "transport error: connection reset"] {
        let mut streak = RefusalStreak::default();
        let dead = failure(Phase::Headers, Code::Unavailable, text);
        assert!((0..10).all(|second| !streak.on(&dead, at(second))), "{text}");
    }
}

#[test]
fn what_a_server_writes_cannot_reach_the_terminal_as_it_is() {
    let verdict = classify(&failure(Phase::Stream, Code::Unknown, &"\u{1b}]0;x\u{7}\n".repeat(10_000)));
    assert!(verdict.cause.chars().all(|c| !c.is_control()));
    assert!(verdict.cause.chars().count() < 250);
}

#[test]
fn the_size_of_a_message_that_was_too_large_is_learnt() {
    let text = "Error, decoded message length too large: found 10512469 bytes, the limit is: 4194304 bytes";
    assert_eq!(failure(Phase::Stream, Code::OutOfRange, text).message_size(), Some(10_512_469));
    assert_eq!(failure(Phase::Stream, Code::OutOfRange, "found many bytes").message_size(), None);
}

#[test]
fn connections_that_were_cut_together_come_back_apart() {
    let first = |seed| {
        let settings = (Duration::from_millis(500), Duration::from_secs(30));
        Backoff::new(settings, fastrand::Rng::with_seed(seed)).next_delay().as_secs_f64()
    };
    let delays: Vec<f64> = (0..1_000).map(first).collect();
    let mean = delays.iter().sum::<f64>() / 1_000.0;
    let deviation = (delays.iter().map(|delay| (delay - mean).powi(2)).sum::<f64>() / 1_000.0).sqrt();
    assert!(deviation >= 0.1, "{deviation}");
    assert!(delays.iter().all(|delay| (0.25..=0.75).contains(delay)));
}

#[test]
fn after_five_failures_without_progress_attempts_become_rare() {
    let mut backoff = Backoff::new((Duration::from_millis(500), Duration::from_secs(30)), fastrand::Rng::with_seed(1));
    for _ in 0..5 {
        assert!(!backoff.is_open());
        let delay = backoff.next_delay();
        assert!(delay >= Duration::from_millis(250) && delay <= Duration::from_secs(8), "{delay:?}");
    }
    assert!(backoff.is_open());
    for _ in 0..1_000 {
        let delay = backoff.next_delay();
        assert!(delay >= Duration::from_secs(5) && delay <= Duration::from_secs(30), "{delay:?}");
    }
    backoff.delivered(Duration::from_secs(29));
    assert!(backoff.is_open(), "too little to count as progress");
    backoff.delivered(Duration::from_secs(30));
    assert!(!backoff.is_open());
}
