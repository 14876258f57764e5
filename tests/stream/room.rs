//! A server that has no room for a stream: the others carry its groups, nothing is lost, and it comes back when there is.

use std::{collections::BTreeSet, time::Duration};

use smart_stream_tui::{
    chain::group::GroupSet,
    simulator::server::{OracleEvent, ServerSettings},
    stream::{
        BudgetRules, StreamSettings,
        completeness::Proof,
        status::{ConnectionState, StreamEventKind},
    },
};
use tokio::time::timeout;
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::prelude::{SubscribeRequest, SubscribeRequestFilterSlots};

use crate::support::{Chain, PATIENCE, Stage};

fn two(rest: Duration) -> impl FnOnce(StreamSettings) -> StreamSettings {
    move |settings| {
        // Permits that free wake whoever waits for something else as well: none does for so long as anybody waits here.
        let budget = BudgetRules { window: PATIENCE * 10, ..settings.budget };
        StreamSettings { connections: 2, rest, budget, ..settings }
    }
}

fn resting(stage: &Stage) -> Option<usize> {
    let status = stage.status.borrow();
    let idle = |status: &&smart_stream_tui::stream::status::ConnectionStatus| {
        status.state == ConnectionState::Idle
            && status.cause.as_deref().is_some_and(|cause| cause.starts_with("too many streams are open"))
    };
    let found = status.connections.iter().find(idle)?;
    assert!(found.groups.is_empty());
    Some(found.id)
}

#[tokio::test]
async fn with_room_for_one_stream_one_connection_carries_everything() {
    let server = ServerSettings { max_streams: Some(1), ..ServerSettings::default() };
    let mut stage = Stage::start(Chain::new(30, Duration::from_millis(60)), server, two(PATIENCE * 10)).await;
    stage.until(|stage| resting(stage).is_some()).await;
    let all: GroupSet = stage.status.borrow().connections.iter().flat_map(|one| one.groups.iter()).collect();
    assert_eq!(all.iter().count(), 3);
    // From the slot on at which the larger filter set came into force.
    let in_force = |stage: &Stage| {
        let status = stage.status.borrow();
        status.connections.iter().any(|one| one.groups.iter().count() == 3 && one.active_version >= 2)
    };
    stage.until(in_force).await;
    stage.slots(2).await;
    let from = stage.server.stats().slot.unwrap() + 2;
    stage.until(|stage| stage.slots.last().is_some_and(|slot| *slot > from + 20)).await;
    let wanted: BTreeSet<_> = stage.made(from..from + 20);
    assert!(wanted.iter().all(|signature| stage.delivered.contains_key(signature)));
    let calls = |stage: &Stage| stage.server.log().iter().filter(|e| is_call(&e.event)).count();
    assert_eq!(calls(&stage), 2, "it is not tried again soon");
    assert!(stage.status.borrow().budget.frozen_ms.is_none());
    stage.close().await;
}

fn is_call(event: &OracleEvent) -> bool {
    matches!(event, OracleEvent::Subscribed { .. } | OracleEvent::Refused { .. })
}

#[tokio::test]
async fn who_loses_the_place_hands_over_and_comes_back_without_a_loss() {
    let server = ServerSettings { max_streams: Some(2), replay_slots: 2_000, ..ServerSettings::default() };
    let mut stage =
        Stage::start(Chain::new(30, Duration::from_millis(60)), server, two(Duration::from_millis(500))).await;
    stage.joined().await;
    stage.proxy.down();
    let none = |stats: &smart_stream_tui::simulator::server::Stats| stats.open_streams == 0;
    timeout(PATIENCE, stage.server.watch().wait_for(none)).await.unwrap().unwrap();
    // Somebody else takes one of the two places.
    let mut other = GeyserGrpcClient::build_from_shared(stage.server.url()).unwrap().connect().await.unwrap();
    let slots = [("s".to_owned(), SubscribeRequestFilterSlots::default())].into();
    let request = SubscribeRequest { slots, ..SubscribeRequest::default() };
    let taken = other.subscribe_with_request(Some(request)).await.unwrap();
    stage.proxy.up();
    stage.until(|stage| resting(stage).is_some()).await;
    stage.until(|stage| stage.gaps.iter().any(|gap| gap.repaired)).await;
    drop((taken, other));
    let all_live = |stage: &Stage| {
        let status = stage.status.borrow();
        status.connections.iter().all(|one| one.state == ConnectionState::Live && !one.groups.is_empty())
    };
    stage.until(all_live).await;
    let to = stage.server.stats().slot.unwrap() + 5;
    stage
        .until(|stage| {
            let strip = stage.completeness.view().strip;
            strip.last().is_some_and(|last| last.slot > to)
                && strip.iter().filter(|slot| slot.slot <= to).all(|slot| slot.proof != Proof::Pending)
        })
        .await;
    assert_eq!(stage.missing(to), [], "lost");
    let view = stage.completeness.view();
    assert_eq!((view.counts.lost, view.open_gaps), (0, 0), "{:?}", stage.gaps);
    // There and back; the group is let go only when its old connection has handed over everything.
    let handed = |kind: &StreamEventKind| matches!(kind, StreamEventKind::Rebalanced { reason: "failover", .. });
    stage.until(|stage| stage.status.borrow().events.iter().filter(|event| handed(&event.kind)).count() >= 2).await;
    stage.close().await;
}
