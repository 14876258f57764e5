//! Two endpoints at the same time: what one loses the other has.

use std::{sync::Arc, time::Duration};

use smart_stream_tui::{
    engine::View,
    simulator::{
        fault::{Fault, FaultKind, FaultPlan},
        server::{Pace, Server, ServerSettings},
    },
    stream::{Endpoint, ProofMode, Standby, StreamSettings, completeness::Proof},
};
use tokio::time::timeout;

use crate::support::{Chain, PATIENCE, Stage, engine, settings};

fn chain() -> Chain {
    Chain::new(40, Duration::from_millis(60))
}

/// Nothing is replayed: what is there came live.
fn plain() -> ServerSettings {
    ServerSettings { pace: Pace::Real, replay_slots: 0, ..ServerSettings::default() }
}

fn losing(share: f64) -> ServerSettings {
    let kind = FaultKind::Drop { share, all: false };
    let fault = Fault { at: Duration::ZERO, lasts: Some(Duration::from_secs(3_600)), connection: None, kind };
    ServerSettings { faults: Some(FaultPlan { seed: 1, faults: vec![fault] }), ..plain() }
}

async fn second(settings: ServerSettings) -> (Server, Endpoint) {
    let server = Server::start(settings, Box::new(chain())).await.unwrap();
    let endpoint = Endpoint { url: server.url(), host: "second".into(), x_token: None };
    (server, endpoint)
}

fn beside(settings: StreamSettings, endpoint: Endpoint) -> StreamSettings {
    StreamSettings {
        failover: vec![endpoint],
        standby: Standby::All,
        connections: 2,
        proof: ProofMode::Block,
        ..settings
    }
}

/// Waits until every slot up to this one is judged, and says how many are lost.
async fn lost_until(stage: &mut Stage, to: u64) -> u64 {
    let judged = |stage: &Stage| {
        let strip = stage.completeness.view().strip;
        strip.last().is_some_and(|last| last.slot > to)
            && strip.iter().filter(|slot| slot.slot <= to).all(|slot| slot.proof != Proof::Pending)
    };
    stage.until(judged).await;
    let strip = stage.completeness.view().strip;
    strip.iter().filter(|slot| slot.slot <= to && slot.proof == Proof::Lost).count() as u64
}

#[tokio::test]
async fn what_one_endpoint_drops_the_other_has() {
    let (other, endpoint) = second(plain()).await;
    let server = ServerSettings { start_after_streams: 0, ..losing(0.1) };
    let mut stage = Stage::start(chain(), server, |settings| beside(settings, endpoint)).await;
    stage.joined().await;
    stage.slots(20).await;
    let to = stage.server.stats().slot.unwrap().min(other.stats().slot.unwrap()) - 2;
    assert_eq!(lost_until(&mut stage, to).await, 0, "{:?}", stage.completeness.view().strip);
    let missing: Vec<_> = stage.executed(to).into_iter().filter(|one| !stage.delivered.contains_key(one)).collect();
    assert!(missing.is_empty(), "{} are missing", missing.len());
    assert!(stage.gaps.iter().any(|gap| gap.connection < 2), "the first endpoint dropped nothing");
    stage.close().await;
}

#[tokio::test]
async fn when_one_endpoint_dies_the_other_had_everything_without_a_replay() {
    let (other, endpoint) = second(plain()).await;
    let server = ServerSettings { start_after_streams: 0, ..plain() };
    let mut stage = Stage::start(chain(), server, |settings| beside(settings, endpoint)).await;
    stage.joined().await;
    stage.slots(5).await;
    stage.proxy.down();
    // They go over to the other one, which cannot give them what they missed.
    stage.until(|stage| (0..2).all(|id| stage.gaps.iter().any(|gap| gap.connection == id && !gap.repaired))).await;
    let to = other.stats().slot.unwrap();
    assert_eq!(lost_until(&mut stage, to).await, 0, "{:?}", stage.completeness.view().strip);
    let missing: Vec<_> = stage.executed(to).into_iter().filter(|one| !stage.delivered.contains_key(one)).collect();
    assert!(missing.is_empty(), "{} are missing", missing.len());
    assert_eq!(stage.replayed, 0);
    let view = stage.completeness.view();
    assert!(view.filled_gaps >= 2 && view.open_gaps == 0, "{:?}", stage.gaps);
    let status = stage.status.borrow().clone();
    assert!(status.connections[2].standby && status.connections[2].reconnects == 0, "{status:?}");
    stage.close().await;
}

#[tokio::test]
async fn a_dead_standby_holds_nothing_up() {
    let (other, endpoint) = second(plain()).await;
    let server = ServerSettings { start_after_streams: 0, ..plain() };
    let mut stage = Stage::start(chain(), server, |settings| beside(settings, endpoint)).await;
    stage.joined().await;
    stage.slots(5).await;
    drop(other);
    stage.slots(20).await;
    let to = stage.server.stats().slot.unwrap() - 2;
    assert_eq!(lost_until(&mut stage, to).await, 0, "{:?}", stage.completeness.view().strip);
    stage.close().await;
}

/// Both bring everything, one of them all but a tenth: shown for that one, and each transaction counted once.
#[tokio::test]
async fn the_view_compares_the_endpoints() {
    let (first_server, first) = second(losing(0.1)).await;
    let (second_server, second) = second(plain()).await;
    let streams =
        StreamSettings { endpoint: Endpoint { host: "first".into(), ..first }, ..settings(first_server.address(), 1) };
    let streams = StreamSettings { proof: ProofMode::Filters, ..beside(streams, second) };
    let (engine, mut emitted) = engine(streams);
    let drain = tokio::spawn(async move { while emitted.recv().await.is_some() {} });
    let mut views = engine.views();
    let compared = |view: &Arc<View>| {
        view.endpoints.len() == 2 && view.endpoints.iter().all(|one| one.compared > 1_000 && one.lag_ms.is_some())
    };
    let found = timeout(PATIENCE, views.wait_for(compared)).await.map(|view| view.unwrap().clone());
    let view = found.unwrap_or_else(|_| panic!("{:?}", engine.views().borrow()));
    let [first, second] = &view.endpoints[..] else { panic!("{:?}", view.endpoints) };
    assert_eq!((&*first.host, &*second.host), ("first", "second"));
    assert_eq!((&first.connections[..], &second.connections[..]), (&[0, 1][..], &[2][..]));
    assert_eq!(first.compared, second.compared);
    assert_eq!(first.first + second.first, first.compared);
    assert_eq!((first.missed, first.alone, second.missed), (second.alone, 0, 0));
    let share = first.missed * 1_000 / first.compared;
    assert!((50..200).contains(&share), "{share} of a thousand, where a hundred are dropped");
    let brought = view.totals.transactions + view.totals.duplicates;
    assert!(view.totals.duplicates > 0 && view.totals.transactions * 2 > brought, "{:?}", view.totals);
    engine.shutdown().await;
    drain.await.unwrap();
    drop((first_server, second_server));
}
