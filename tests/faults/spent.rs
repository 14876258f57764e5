//! What the budget is spent on when a program, a name or an answer fails again and again.

use std::time::Duration;

use smart_stream_tui::stream::{
    BudgetRules, StreamSettings,
    status::{
        ConnectionState::{BackingOff, Connecting, Live, WaitingForPermit},
        StreamEventKind,
    },
};
use tokio::net::TcpListener;

use crate::{
    FULL_HOLD_MS,
    client::{Client, quick, server, subscribes, within_budget},
    patient,
};

/// Row 41: a program that is started over and over spends one budget, and the run that gets nothing says how long.
#[tokio::test]
async fn restarts_share_one_budget_and_the_last_one_waits() {
    let server = server("").await;
    let folder = tempfile::tempdir().unwrap();
    let budget = BudgetRules { limit: 12, reserve: 2, ..quick("", 1).budget };
    let settings =
        || StreamSettings { budget, ledger: Some(folder.path().to_owned()), ..patient(quick(&server.url(), 1)) };
    let mut live = 0;
    for _ in 0..30 {
        let mut client = Client::start(settings());
        let status = client.until("through or waiting", |status| {
            // From half of the budget on permits are spaced, and before that nobody waits for long.
            let waits = status.connections[0].state == WaitingForPermit && status.budget.used >= 5;
            waits || status.connections[0].state == Live
        });
        let status = status.await;
        if status.connections[0].state == Live {
            live += 1;
        } else {
            assert!(status.budget.next_free_ms.is_some_and(|ms| ms > 0));
        }
        client.streams.close().await;
    }
    // How many depends on the machine: spaced permits come with time, and a run may spend a second one on what it
    // missed since the run before.
    assert!((1..=12).contains(&live), "{live} of 30 runs");
    assert!(subscribes(&server).len() <= 12);
    server.shutdown().await;
}

/// Of row 45, the name that does not resolve: a cause in words, and no more than one try in 0.25 s.
#[tokio::test]
async fn a_name_that_is_none_is_tried_in_peace() {
    let settings = StreamSettings {
        backoff: (Duration::ZERO, Duration::from_millis(250)),
        // Reserved to be nobody's (RFC 6761).
        ..quick("http://nobody.invalid:1", 1)
    };
    let mut client = Client::start(settings);
    client.until_cause(0, BackingOff, "no connection").await;
    client.until_connection(0, "tried again", |one| one.permits_in_window == 4 && one.state == BackingOff).await;
    let connecting = |kind: &StreamEventKind| matches!(kind, StreamEventKind::State { state: Connecting, .. });
    let tried: Vec<i64> =
        client.events.iter().filter(|event| connecting(&event.kind)).map(|event| event.at_ms).collect();
    assert_eq!(tried.len(), 4);
    assert!(tried.windows(2).all(|pair| pair[1] - pair[0] >= 240), "{tried:?}");
    client.streams.close().await;
}

/// Row 48: a call whose outcome nobody knows is charged until its deadline and a window after that.
#[tokio::test]
async fn a_call_without_an_answer_is_charged_for_a_window_after_its_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server("").await;
    let url = format!("http://{}", silent.local_addr().unwrap());
    let budget = BudgetRules { limit: 4, reserve: 0, ..quick("", 1).budget };
    let mut lost = Client::start(StreamSettings { budget, ..patient(quick(&url, 1)) });
    let status = lost.until("spent", |status| status.budget.used == 4).await;
    assert_eq!(status.connections[0].permits_in_window, 4);
    let status = lost.until("waiting", |status| status.connections[0].state == WaitingForPermit).await;
    assert!(status.budget.next_free_ms.is_none_or(|ms| ms > FULL_HOLD_MS));
    lost.streams.close().await;
    // An answered call is held from its answer on: the same in less time.
    let mut client = Client::start(StreamSettings { budget, ..patient(quick(&server.url(), 1)) });
    client.until_back(0, 0).await;
    assert_eq!(client.status.borrow().budget.used, 1);
    within_budget(server, client).await;
}
