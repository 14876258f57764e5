//! What each status means, of HTTP and of gRPC.

use smart_stream_tui::stream::status::ConnectionState::{Stopped, WaitingForPermit};

use crate::{
    FULL_HOLD_MS,
    client::{Client, quick, server, subscribes},
    raw::{Answer, answers},
};

/// What is to become of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Another attempt.
    Retry,
    /// No more of this connection.
    Stop,
    /// No new subscription of anyone.
    Freeze,
}

async fn then(mut client: Client, expected: Then, calls: impl Fn() -> usize, of: &str) {
    match expected {
        Then::Retry => {
            client.until_connection(0, &format!("tried again after {of}"), |one| one.permits_in_window >= 2).await;
        }
        Then::Stop => {
            client.until_connection(0, &format!("stopped by {of}"), |one| one.state == Stopped).await;
            assert_eq!(calls(), 1, "{of}");
        }
        Then::Freeze => {
            let status = client.until(&format!("frozen by {of}"), |status| status.budget.frozen_ms.is_some()).await;
            assert!(status.budget.frozen_ms.unwrap() > FULL_HOLD_MS, "{of}");
            client.until_connection(0, "waiting", |one| one.state == WaitingForPermit).await;
        }
    }
    client.streams.close().await;
}

/// Row 20.
#[tokio::test]
async fn http_answers_have_their_meaning() {
    let cases = [
        (401, Then::Stop),
        (403, Then::Stop),
        (404, Then::Stop),
        (429, Then::Freeze),
        (502, Then::Retry),
        (503, Then::Retry),
        (504, Then::Retry),
        (200, Then::Retry),
    ];
    for (status, expected) in cases {
        let http = answers(Answer::Http(status)).await;
        let client = Client::start(quick(&http.url(), 1));
        then(client, expected, || http.calls(), &format!("HTTP {status}")).await;
    }
}

/// Row 21: every code, before the first message and in mid-stream.
#[tokio::test]
async fn every_code_has_its_meaning_in_both_phases() {
    let cases = [
        ("CANCELLED", Then::Retry),
        ("UNKNOWN", Then::Retry),
        ("INVALID_ARGUMENT", Then::Stop),
        ("DEADLINE_EXCEEDED", Then::Retry),
        ("NOT_FOUND", Then::Stop),
        ("ALREADY_EXISTS", Then::Stop),
        ("PERMISSION_DENIED", Then::Stop),
        ("RESOURCE_EXHAUSTED", Then::Freeze),
        ("FAILED_PRECONDITION", Then::Stop),
        ("ABORTED", Then::Retry),
        ("OUT_OF_RANGE", Then::Retry),
        ("UNIMPLEMENTED", Then::Stop),
        ("INTERNAL", Then::Retry),
        ("UNAVAILABLE", Then::Retry),
        ("DATA_LOSS", Then::Retry),
        ("UNAUTHENTICATED", Then::Stop),
    ];
    let mut running = Vec::new();
    for (code, expected) in cases {
        for after in [0, 5] {
            running.push(tokio::spawn(async move {
                let plan = format!(
                    "[[fault]]\nat = '0s'\nfor = '1h'\nkind = 'status'\ncode = '{code}'\nmessage = 'x'\nafter = {after}"
                );
                let server = server(&plan).await;
                let client = Client::start(quick(&server.url(), 1));
                then(client, expected, || subscribes(&server).len(), &format!("{code} after {after}")).await;
                server.shutdown().await;
            }));
        }
    }
    for one in running {
        one.await.unwrap();
    }
}
