//! The fault matrix: what the streams do when the network, the server or the provider fail. The rows are numbered as in
//! the project's list of faults; each also expects that no more is subscribed than the budget allows.
//!
//! | Row | Fault | Test, of this target where nothing else is said |
//! |---|---|---|
//! | 1 | port closed | `spent::an_outage_for_good_costs_forty_five_calls_a_minute_at_most` |
//! | 2 | no handshake | `a_server_that_never_answers_costs_its_permit` |
//! | 3 | reset at byte n | `a_reset_at_any_byte_is_overcome` |
//! | 4 | end within a message | `an_end_within_a_message_is_overcome` |
//! | 5, 6 | black hole | `a_dead_path_is_noticed_and_left`; times: `simulation`, `dead_links_and_silent_streams_are_noticed_in_time` |
//! | 7 | silent stream | `a_silent_stream_on_a_living_connection_is_left`; time: as above |
//! | 8 | pings without data | `simulation`, `a_stream_with_pings_and_no_data_is_left_when_the_others_are_ahead` |
//! | 9, 10 | slow path, narrow path | `slow::*` |
//! | 11 | one byte at a time | `one_byte_at_a_time_gives_the_same_output` |
//! | 12 | a day of breaks | `simulation`, `nothing_is_lost_doubled_or_overspent_while_everything_breaks` (hours, from seeds) |
//! | 13 | all reset at once | `three_connections_reset_at_once_all_come_back`; apart: `stream`, `connections_that_were_cut_together_come_back_apart` |
//! | 14, 15 | accepted and dropped | `a_server_that_takes_and_drops_gets_fifteen_calls_a_minute` |
//! | 16 | GOAWAY | `a_goaway_is_survived`, without a second stream before the first ends: the transport does not tell of it |
//! | 17 | call for calm | `a_call_for_calm_is_not_taken_for_a_rate_limit` |
//! | 18, 19 | stream reset, no streams | `a_stream_that_is_reset_is_opened_again`, `a_server_without_room_for_streams_is_tried_again` |
//! | 20, 21 | HTTP statuses, gRPC codes | `codes::*` |
//! | 22 | rate limit | `a_rate_limit_freezes_new_subscriptions_only` |
//! | 23 | no room | `one_stream_too_many_is_not_tried_again_soon`; `stream`, `room::*` |
//! | 24, 25, 27, 30 | lagged, replay gone or dead, impossible slots | `replay::*` |
//! | 26 | no replay, or at the beginning of a stream only | `stream`, `a_server_without_replay_is_asked_once_at_most`, `a_server_that_replays_at_the_beginning_only_is_asked_on_a_second_stream` |
//! | 28 | twice, out of order | `duplicates_and_replays_count_once` |
//! | 29 | dead slots | `market_state` against all that happened; `simulation` |
//! | 31 | too large a message | `too_large_a_message_is_our_own_limit`, `a_bomb_is_our_own_limit_and_no_rate_limit` |
//! | 32 | slow decoder | shedding: unit test `when_we_drown_the_least_important_goes_first_and_comes_back_last`, `replay::*` |
//! | 33 | terminal not read | not here: it is the front end, which takes the newest view and holds nobody up |
//! | 40 | killed | `stream`, `a_killed_program_goes_on_where_it_was`; `stream_permits` |
//! | 41 | restarts | `spent::restarts_share_one_budget_and_the_last_one_waits` |
//! | 42 | four processes | `stream_permits`, `four_processes_one_of_them_killed_keep_the_rule_together`; `stream_budget` |
//! | 43 | ledger broken or locked | `stream_permits` |
//! | 44 | clock jumps | `simulation`, which sets the time of day by up to an hour either way, and `a_machine_that_slept_opens_each_connection_again_once` |
//! | 45 | no name, no open files left | `spent::a_name_that_is_none_is_tried_in_peace`, `spent::with_too_few_open_files_it_says_so_and_is_quiet` |
//! | 46 | TLS | `tls::*`, `a_plain_port_never_gets_plain_text`; one try in 30 s: `stream`, `certificates_are_retried_seldom` |
//! | 47 | budget spent | `the_reserve_lets_a_reconnect_through_and_refuses_a_rebalance` |
//! | 48 | unknown outcome | `spent::a_call_without_an_answer_is_charged_for_a_window_after_its_deadline` |

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../support/client.rs"]
mod client;
mod codes;
#[path = "../support/raw.rs"]
mod raw;
mod replay;
mod slow;
mod spent;
#[path = "../support/stage.rs"]
mod stage;
mod tls;

use std::{collections::BTreeSet, time::Duration};

use h2::Reason;
use smart_stream_tui::{
    chain::{group::Group, program::Program},
    engine::{
        Engine, EngineSettings,
        view::{SourceKind, SourceView},
    },
    simulator::server::ServerSettings,
    stream::{
        BudgetRules, Control, OnEnd, StreamSettings, StreamStatus,
        status::{
            ConnectionState::{BackingOff, Idle, Live, WaitingForPermit},
            Move, StreamEventKind, Throttle,
        },
    },
};
use tokio::net::TcpListener;

use crate::{
    client::{Chain, Client, Seen, quick, real_time, serve, server, subscribes, within_budget},
    raw::{Answer, answers, cutter},
    stage::signature,
};

const FULL_HOLD_MS: u64 = 50_000;

/// With a keepalive that is slower than the deadline of the subscribe call, as it really is.
fn patient(settings: StreamSettings) -> StreamSettings {
    StreamSettings { keepalive_interval: Duration::from_secs(20), ..settings }
}

/// An engine on these streams.
fn engine(streams: StreamSettings) -> Engine {
    let source = SourceView {
        kind: SourceKind::Live,
        provider: "test".to_owned(),
        endpoints: vec!["test".to_owned()],
        commitment: "processed",
    };
    let settings = EngineSettings {
        alerts: smart_stream_tui::mev::AlertRules::default(),
        sol_usd: None,
        source,
        streams,
        events: None,
        frames: None,
        wait_for_sinks: false,
    };
    Engine::start(settings).unwrap()
}

/// Row 2.
#[tokio::test]
async fn a_server_that_never_answers_costs_its_permit() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut client = Client::start(patient(quick(&url, 1)));
    // Nobody accepts, so the system holds the connections.
    client.until_cause(0, BackingOff, "the subscribe call was not answered").await;
    let status = client.until("charged", |status| status.budget.used > 0).await;
    assert!(status.budget.next_free_ms.is_none_or(|ms| ms > FULL_HOLD_MS));
    client.streams.close().await;
}

/// Row 3.
#[tokio::test]
async fn a_reset_at_any_byte_is_overcome() {
    for bytes in [1, 9, 24, 33, 100, 4_096] {
        let plan = format!("[[fault]]\nat = '0s'\nfor = '600ms'\nkind = 'reset'\nafter_bytes = {bytes}");
        let server = server(&plan).await;
        let mut client = Client::start(quick(&server.url(), 1));
        client.until_cause(0, BackingOff, "").await;
        client.until_back(0, 0).await;
        within_budget(server, client).await;
    }
}

/// Row 4.
#[tokio::test]
async fn an_end_within_a_message_is_overcome() {
    for bytes in [40, 700, 5_000] {
        let server = server("").await;
        let proxy = cutter(server.address(), bytes).await;
        let mut client = Client::start(quick(&proxy.url(), 1));
        client.until_cause(0, BackingOff, "").await;
        client.until_back(0, 0).await;
        within_budget(server, client).await;
    }
}

/// Rows 5 and 6.
#[tokio::test]
async fn a_dead_path_is_noticed_and_left() {
    for direction in ["both", "down"] {
        let plan = format!("[[fault]]\nat = '300ms'\nkind = 'blackhole'\nconnection = 1\ndirection = '{direction}'");
        let server = server(&plan).await;
        let mut client = Client::start(quick(&server.url(), 1));
        client.until_back(0, 0).await;
        client.until_cause(0, BackingOff, "").await;
        client.until_back(0, 1).await;
        within_budget(server, client).await;
    }
}

/// Row 7.
#[tokio::test]
async fn a_silent_stream_on_a_living_connection_is_left() {
    let server = server("[[fault]]\nat = '300ms'\nfor = '1500ms'\nkind = 'stall'").await;
    let mut client = Client::start(quick(&server.url(), 1));
    client.until_back(0, 0).await;
    client.until_cause(0, BackingOff, "silent stream").await;
    client.until_back(0, 1).await;
    within_budget(server, client).await;
}

/// Row 11, and the plain way as its own control.
#[tokio::test]
async fn one_byte_at_a_time_gives_the_same_output() {
    let mut outputs: Vec<BTreeSet<Seen>> = Vec::new();
    for plan in ["", "[[fault]]\nat = '0s'\nkind = 'slice'"] {
        let settings = ServerSettings { faults: Some(plan.parse().unwrap()), start_after_streams: 2, ..real_time() };
        let server = serve(settings, Chain::of(25)).await;
        let settings = StreamSettings { on_end: OnEnd::Finish, ..quick(&server.url(), 2) };
        outputs.push(Client::start(settings).rest().await);
        server.shutdown().await;
    }
    assert_eq!(outputs[0], outputs[1]);
    assert!(outputs[0].iter().filter(|seen| matches!(seen, Seen::Meta(_))).count() == 25);
    assert!(!outputs[0].contains(&Seen::Bad));
}

/// Row 13.
#[tokio::test]
async fn three_connections_reset_at_once_all_come_back() {
    let server = server("[[fault]]\nat = '500ms'\nkind = 'reset'").await;
    let mut client = Client::start(quick(&server.url(), 3));
    for id in 0..3 {
        client.until_back(id, 1).await;
    }
    assert_eq!(subscribes(&server).len(), 6);
    within_budget(server, client).await;
}

/// What every row expects, at its hardest: whatever was sent has come, or the slots are declared as missed.
#[tokio::test]
async fn nothing_is_missed_in_silence() {
    let plan = "
        [[fault]]
        at = '300ms'
        kind = 'reset'
        [[fault]]
        at = '1s'
        kind = 'status'
        code = 'UNAVAILABLE'
        connection = 1
        [[fault]]
        at = '1700ms'
        kind = 'close'
        connection = 2
        [[fault]]
        at = '2s'
        kind = 'lagged'";
    let settings = ServerSettings { faults: Some(plan.parse().unwrap()), start_after_streams: 2, ..real_time() };
    let server = serve(settings, Chain::endless()).await;
    let mut client = Client::start(quick(&server.url(), 2));
    // The slots of the faults, and more than enough after them to fetch what was missed.
    let (got, declared) = client.until_slot(1_250).await;
    let mut missed = BTreeSet::new();
    for slot in 1_001..=1_180 {
        for (index, _) in (0..).zip(Program::ALL) {
            let sent = Seen::Transaction(slot, signature(slot, index).try_into().unwrap());
            if !got.contains(&sent) {
                missed.insert(slot);
            }
        }
    }
    let silent: Vec<_> = missed.iter().filter(|slot| !declared.iter().any(|gap| gap.contains(slot))).collect();
    assert!(silent.is_empty(), "missed in silence: {silent:?}, declared: {declared:?}");
    within_budget(server, client).await;
}

/// Rows 14 and 15: the hard cap in the gate holds whatever the backoff says, and the first delay is never nothing.
#[tokio::test]
async fn a_server_that_takes_and_drops_gets_fifteen_calls_a_minute() {
    let cases = [
        ("kind = 'close'", "the server ended the stream"),
        ("kind = 'status'\ncode = 'INTERNAL'\nmessage = 'failed'\nafter = 1", "the stream broke: failed"),
    ];
    for (kind, cause) in cases {
        let server = server(&format!("[[fault]]\nat = '0s'\nfor = '1h'\n{kind}")).await;
        let settings =
            StreamSettings { backoff: (Duration::ZERO, Duration::from_millis(250)), ..quick(&server.url(), 1) };
        let mut client = Client::start(settings);
        client.until_cause(0, BackingOff, cause).await;
        client
            .until_connection(0, "out of permits", |one| one.permits_in_window == 15 && one.state == WaitingForPermit)
            .await;
        let times = subscribes(&server);
        // A busy machine may not even have connected for some of its permits.
        assert!((12..=15).contains(&times.len()), "{} calls", times.len());
        for pair in times.windows(2) {
            assert!(pair[1].duration_since(pair[0]).unwrap() >= Duration::from_millis(250));
        }
        within_budget(server, client).await;
    }
}

/// Row 16, as far as it goes without a second stream: what is open goes on until the server closes it.
#[tokio::test]
async fn a_goaway_is_survived() {
    let server = server("[[fault]]\nat = '300ms'\nkind = 'goaway'\ngrace = '300ms'\nconnection = 1").await;
    let mut client = Client::start(quick(&server.url(), 1));
    client.until_back(0, 1).await;
    assert_eq!(subscribes(&server).len(), 2);
    within_budget(server, client).await;
}

/// Row 17: the keepalive gets twice as long each time, and that is said.
#[tokio::test]
async fn a_call_for_calm_is_not_taken_for_a_rate_limit() {
    let fault = |at| format!("[[fault]]\nat = '{at}'\nkind = 'goaway'\ncode = 'ENHANCE_YOUR_CALM'\n");
    let server = server(&(fault("300ms") + &fault("3s"))).await;
    let mut client = Client::start(quick(&server.url(), 1));
    client.until_cause(0, BackingOff, "the server asks for calm").await;
    client.until_back(0, 2).await;
    let said = |words: &str| {
        client.events.iter().any(|event| match &event.kind {
            StreamEventKind::State { cause: Some(cause), .. } => cause.ends_with(words),
            _ => false,
        })
    };
    assert!(said("keepalive every 400ms from now on") && said("keepalive every 800ms from now on"));
    assert!(client.status.borrow().budget.frozen_ms.is_none());
    within_budget(server, client).await;
}

/// Row 18.
#[tokio::test]
async fn a_stream_that_is_reset_is_opened_again() {
    let reasons = [Reason::CANCEL, Reason::REFUSED_STREAM, Reason::INTERNAL_ERROR, Reason::NO_ERROR];
    for reason in reasons {
        for answer in [Answer::Reset(reason), Answer::ResetLater(reason)] {
            let http = answers(answer).await;
            let mut client = Client::start(quick(&http.url(), 1));
            client.until_cause(0, BackingOff, "the stream broke").await;
            client.until_connection(0, "tried again", |one| one.permits_in_window >= 2).await;
            assert!(client.status.borrow().budget.frozen_ms.is_none(), "{answer:?}");
            client.streams.close().await;
        }
    }
}

/// Row 19.
#[tokio::test]
async fn a_server_without_room_for_streams_is_tried_again() {
    let http = answers(Answer::NoStreams).await;
    let mut client = Client::start(patient(quick(&http.url(), 1)));
    // The deadline, or the server's refusal where the call was faster than its settings.
    client.until_cause(0, BackingOff, "").await;
    client.until_connection(0, "tried again", |one| one.permits_in_window >= 2).await;
    assert_eq!(http.calls(), 0);
    client.streams.close().await;
}

/// Row 22: the rate limit stops new subscriptions and leaves live streams alone.
#[tokio::test]
async fn a_rate_limit_freezes_new_subscriptions_only() {
    for (pushback, least_ms) in [("", 59_000), ("pushback_ms = 120000", 119_000)] {
        let plan = format!(
            "[[fault]]\nat = '400ms'\nkind = 'limit'\n{pushback}\n[[fault]]\nat = '500ms'\nkind = 'reset'\nconnection = 1"
        );
        let server = server(&plan).await;
        let mut client = Client::start(quick(&server.url(), 2));
        let status = client.until("frozen", |status| status.budget.frozen_ms.is_some()).await;
        assert!(status.budget.frozen_ms.unwrap() > least_ms);
        client.until("waiting", |status| status.connections.iter().any(|one| one.state == WaitingForPermit)).await;
        // The other stream goes on, and nothing more is asked of the server.
        for _ in 0..20 {
            client.until_meta().await;
        }
        assert_eq!(client.status.borrow().connections.iter().filter(|one| one.state == Live).count(), 1);
        assert_eq!(subscribes(&server).len(), 3);
        within_budget(server, client).await;
    }
}

/// Row 23: too many streams are not a rate limit, and are not tried again soon; the pool goes on with one less.
#[tokio::test]
async fn one_stream_too_many_is_not_tried_again_soon() {
    let settings = ServerSettings { max_streams: Some(1), ..real_time() };
    let server = serve(settings, Chain::endless()).await;
    let mut client = Client::start(quick(&server.url(), 2));
    let split = |status: &StreamStatus| {
        let states = || status.connections.iter().map(|one| (one.state, one.cause.is_some()));
        states().any(|one| one == (Idle, true)) && states().any(|(state, _)| state == Live)
    };
    client.until("one without a stream and one live", split).await;
    let status = client.status.borrow().clone();
    let cause = status.connections.iter().find_map(|one| one.cause.clone()).unwrap();
    assert!(cause.starts_with("too many streams are open"), "{cause}");
    for _ in 0..50 {
        client.until_meta().await;
    }
    assert_eq!(subscribes(&server).len(), 2);
    assert!(client.status.borrow().budget.frozen_ms.is_none());
    within_budget(server, client).await;
}

/// Row 28: what comes twice, in another order or again in a replay counts once.
#[tokio::test]
async fn duplicates_and_replays_count_once() {
    let plan = "
        [[fault]]
        at = '0s'
        kind = 'duplicate'
        share = 0.7
        [[fault]]
        at = '0s'
        kind = 'reorder'
        share = 0.5
        [[fault]]
        at = '400ms'
        kind = 'reset'";
    let settings = ServerSettings { faults: Some(plan.parse().unwrap()), start_after_streams: 2, ..real_time() };
    let slots = 100;
    let server = serve(settings, Chain::of(slots)).await;
    let mut engine = engine(StreamSettings { on_end: OnEnd::Finish, ..quick(&server.url(), 2) });
    tokio::time::timeout(stage::PATIENCE, engine.finished()).await.expect("an end in time");
    let views = engine.views();
    engine.shutdown().await;
    let view = views.borrow().clone();
    assert!(server.stats().updates_sent > slots * Program::ALL.len() as u64);
    assert_eq!(view.totals.transactions, slots * Program::ALL.len() as u64);
    server.shutdown().await;
}

/// Row 31.
#[tokio::test]
async fn too_large_a_message_is_our_own_limit() {
    let server = server("[[fault]]\nat = '300ms'\nkind = 'oversize'\nbytes = 1048577").await;
    let mut client = Client::start(quick(&server.url(), 1));
    client.until_cause(0, BackingOff, "a message is larger than we accept").await;
    client.until_back(0, 1).await;
    assert!(client.status.borrow().budget.frozen_ms.is_none());
    within_budget(server, client).await;
}

/// Of row 31, what is small on the wire and large in memory.
#[tokio::test]
async fn a_bomb_is_our_own_limit_and_no_rate_limit() {
    let http = answers(Answer::Bomb(64 << 20)).await;
    let mut client = Client::start(StreamSettings { zstd: true, ..patient(quick(&http.url(), 1)) });
    client.until_cause(0, BackingOff, "a message is larger than we accept").await;
    assert!(client.status.borrow().budget.frozen_ms.is_none());
    client.streams.close().await;
}

/// Of row 46, that TLS is never given up for plain text.
#[tokio::test]
async fn a_plain_port_never_gets_plain_text() {
    let server = server("").await;
    let mut settings = quick(&server.url().replace("http:", "https:"), 1);
    settings.connect_timeout = Duration::from_secs(5);
    let mut client = Client::start(settings);
    client.until_cause(0, BackingOff, "").await;
    assert_eq!(server.stats().subscribe_calls, 0);
    within_budget(server, client).await;
}

/// Row 47: the reserve is for recovery; the user waits and is told how long.
#[tokio::test]
async fn the_reserve_lets_a_reconnect_through_and_refuses_a_rebalance() {
    let budget = BudgetRules { limit: 4, reserve: 2, ..quick("", 1).budget };
    let server = server("[[fault]]\nat = '700ms'\nkind = 'reset'\nconnection = 1").await;
    let mut client = Client::start(StreamSettings { budget, ..quick(&server.url(), 2) });
    client.until("live", |status| status.connections.iter().all(|one| one.state == Live)).await;
    let moves = vec![Move { group: Group::ExternalAmm, from: 1, to: 0 }];
    client.streams.control().send(Control::Rebalance { reason: "manual", moves }).await.unwrap();
    let refused = |kind: &StreamEventKind| match kind {
        StreamEventKind::Refused(why) => why.contains("permits to spare; they free in"),
        _ => false,
    };
    client.until("refused", |status| status.events.iter().any(|event| refused(&event.kind))).await;
    client.streams.control().send(Control::Throttle { connection: 1, level: Throttle::HighOnly }).await.unwrap();
    client.until("recovered", |status| status.connections.iter().any(|one| one.reconnects == 1)).await;
    let status = client.until("live", |status| status.connections.iter().all(|one| one.state == Live)).await;
    // The throttle's update waits for a permit that is not of the reserve.
    assert_eq!(status.budget.used, 3);
    assert_eq!(subscribes(&server).len(), 3);
    within_budget(server, client).await;
}
