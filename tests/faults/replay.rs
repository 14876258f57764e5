//! What was missed and cannot simply be asked for again.

use smart_stream_tui::{
    simulator::server::OracleEvent,
    stream::{
        Gap, GapCause, StreamSettings,
        policy::Class,
        recovery::Recovery,
        status::{ConnectionState::BackingOff, StreamEvent, StreamEventKind, Throttle},
    },
};

use crate::client::{Client, quick, server, subscribes, within_budget};

/// Row 24: who was too slow says so, comes back with less, and fetches what was missed.
#[tokio::test]
async fn who_read_too_slowly_comes_back_with_less_and_fetches_what_was_missed() {
    let server = server("[[fault]]\nat = '500ms'\nkind = 'lagged'").await;
    let mut client = Client::start(StreamSettings { balance: true, ..quick(&server.url(), 1) });
    client.until_cause(0, BackingOff, "we read too slowly").await;
    let fetched = |kind: &StreamEventKind| match kind {
        StreamEventKind::Gap(gap) => gap.repaired && gap.cause == GapCause::Lagged,
        _ => false,
    };
    let status = client.until("fetched", |status| status.events.iter().any(|event| fetched(&event.kind))).await;
    assert_eq!(status.connections[0].throttle, Throttle::WithoutLow);
    let requests = server.log();
    let second = requests.iter().rev().find_map(|entry| match &entry.event {
        OracleEvent::Applied { request, .. } => Some(request.transactions.len()),
        _ => None,
    });
    assert_eq!(second, Some(2), "less is asked for before it happens again");
    within_budget(server, client).await;
}

/// Row 25: what the server no longer has is declared with its bounds, and the stream goes on.
#[tokio::test]
async fn a_replay_that_is_gone_is_a_gap_with_bounds() {
    let plan = "[[fault]]\nat = '0s'\nfor = '1h'\nkind = 'replay_gone'\n[[fault]]\nat = '500ms'\nkind = 'reset'";
    let server = server(plan).await;
    let mut client = Client::start(quick(&server.url(), 1));
    let gone = |event: &StreamEvent| match &event.kind {
        StreamEventKind::Gap(gap) if !gap.repaired && gap.cause == GapCause::ReplayGone => Some(*gap),
        _ => None,
    };
    client.until("declared", |status| status.events.iter().any(|event| gone(event).is_some())).await;
    let gap = client.events.iter().find_map(gone).unwrap();
    assert!(gap.from_slot <= gap.to_slot && gap.to_slot < gap.from_slot + 1_000, "{gap:?}");
    client.until_back(0, 1).await;
    assert_eq!(subscribes(&server).len(), 2);
    within_budget(server, client).await;
}

/// Row 27: a server that has nothing to replay is asked twice at most; then the tip, and a gap. Row 30: numbers that are
/// no slots of this chain change nothing.
#[test]
fn a_dead_replay_and_impossible_slots_end_in_a_declared_gap_and_nothing_else() {
    let mut recovery = Recovery::new(0, true);
    let mut gaps = Vec::new();
    recovery.opened();
    recovery.finished(1_000, &mut gaps);
    let mut asked = 0;
    for stream in 1..6 {
        let text = "failed to get replay response";
        recovery.lost(
            if stream == 1 { Class::Transport } else { Class::Replay },
            text,
            GapCause::Disconnect,
            &mut gaps,
        );
        recovery.opened();
        if !recovery.finished(1_000 + stream * 10, &mut gaps) {
            break;
        }
        asked += 1;
        assert_eq!(recovery.request(Err(()), &mut gaps), Some(1_001));
    }
    assert_eq!(asked, 2);
    assert!(
        matches!(gaps[..], [Gap { from_slot: 1_001, repaired: false, cause: GapCause::ReplayGone, .. }]),
        "{gaps:?}"
    );
    let last = recovery.last();
    for slot in [1_000_000_000, u64::MAX, 40] {
        gaps.clear();
        assert!(!recovery.finished(slot, &mut gaps));
        assert_eq!((recovery.last(), gaps.len()), (last, 0), "{slot}");
    }
    assert_eq!(recovery.outliers(), 2);
}
