//! Streams that break: nothing is lost, nothing counts twice, and what cannot be had is said.

use std::time::Duration;

use smart_stream_tui::{
    engine::{Engine, EngineSettings, SourceView, view::SourceKind},
    simulator::server::{OracleEvent, Pace, Server, ServerSettings},
    stream::{GapCause, OnEnd, ProofMode, StreamSettings, completeness::Proof},
};
use tokio::time::timeout;

use crate::support::{Chain, PATIENCE, Proxy, Stage, settings};

fn cuts() -> u64 {
    std::env::var("STREAM_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

fn chain() -> Chain {
    Chain::new(60, Duration::from_millis(60))
}

/// Waits until everything up to the newest slot is settled: proven, repaired, skipped or lost.
async fn settled(stage: &mut Stage) -> u64 {
    let to = stage.server.stats().slot.unwrap();
    stage
        .until(|stage| {
            let strip = stage.completeness.view().strip;
            strip.last().is_some_and(|last| last.slot > to)
                && strip.iter().filter(|slot| slot.slot <= to).all(|slot| slot.proof != Proof::Pending)
        })
        .await;
    to
}

#[tokio::test]
async fn a_cut_stream_loses_nothing() {
    let mut stage = Stage::start(chain(), ServerSettings::default(), |settings| settings).await;
    stage.slots(3).await;
    for cut in 0..cuts() {
        // In the middle of a slot, and for no slot, one, or several.
        let goal = stage.received + 31 + 17 * (cut % 5);
        stage.until(|stage| stage.received >= goal).await;
        stage.proxy.down();
        stage.slots([0, 1, 5][usize::try_from(cut % 3).unwrap()]).await;
        stage.proxy.up();
        let repaired = |stage: &Stage| stage.gaps.iter().filter(|gap| gap.repaired).count() as u64;
        stage.until(|stage| repaired(stage) > cut).await;
    }
    let to = settled(&mut stage).await;
    assert_eq!(stage.missing(to), [], "lost");
    assert!(stage.gaps.iter().all(|gap| gap.repaired && gap.cause == GapCause::Disconnect), "{:?}", stage.gaps);
    assert!(stage.replayed > 0, "what a replay brought is marked");
    let view = stage.completeness.view();
    assert_eq!((view.counts.lost, view.open_gaps, view.lost_transactions), (0, 0, 0));
    assert!(view.counts.repaired > 0 && view.counts.proven > 0 && view.counts.skipped > 0, "{:?}", view.counts);
    // Each break cost one subscription, and one request on the stream for what was missed.
    let calls = stage.server.log().iter().filter(|e| matches!(e.event, OracleEvent::Subscribed { .. })).count() as u64;
    assert_eq!(calls, cuts() + 1);
    stage.close().await;
}

#[tokio::test]
async fn what_the_server_has_no_more_is_declared() {
    // The window must be far longer than a busy machine may take to ask for it and to read it: it moves on meanwhile.
    let server = ServerSettings { replay_slots: 150, ..ServerSettings::default() };
    let mut stage = Stage::start(Chain::new(12, Duration::from_millis(60)), server, |settings| settings).await;
    stage.slots(5).await;
    stage.until(|stage| !stage.since.is_empty()).await;
    stage.proxy.down();
    stage.slots(200).await;
    stage.proxy.up();
    stage.until(|stage| stage.gaps.iter().any(|gap| gap.repaired)).await;
    let to = settled(&mut stage).await;
    assert_eq!(stage.missing(to), [], "lost without a word");
    let gone: Vec<_> = stage.gaps.iter().filter(|gap| !gap.repaired).collect();
    assert!(!gone.is_empty() && gone.iter().all(|gap| gap.cause == GapCause::ReplayGone), "{gone:?}");
    assert!(gone[0].to_slot - gone[0].from_slot > 10);
    let view = stage.completeness.view();
    assert!(view.counts.lost > 10);
    assert_eq!(view.open_gaps, gone.len() as u64);
    stage.close().await;
}

#[tokio::test]
async fn a_server_without_replay_is_asked_once_at_most() {
    let server = ServerSettings { replay_slots: 0, ..ServerSettings::default() };
    let mut stage = Stage::start(chain(), server, |settings| settings).await;
    stage.slots(3).await;
    for cut in 1..=2 {
        let goal = stage.received + 40;
        stage.until(|stage| stage.received >= goal).await;
        stage.proxy.cut();
        stage.until(|stage| stage.gaps.len() >= cut).await;
    }
    let to = settled(&mut stage).await;
    assert_eq!(stage.missing(to), [], "lost without a word");
    assert!(stage.gaps.iter().all(|gap| !gap.repaired && gap.cause == GapCause::ReplayUnsupported));
    let asked = stage
        .server
        .log()
        .iter()
        .any(|entry| matches!(&entry.event, OracleEvent::Applied { request, .. } if request.from_slot.is_some()));
    assert!(!asked, "the server said that it has none");
    stage.close().await;
}

/// A `from_slot` that the server passes over is found out once; from then on a second stream brings what was missed.
#[tokio::test]
async fn a_server_that_replays_at_the_beginning_only_is_asked_on_a_second_stream() {
    let server = ServerSettings { replays_later: false, ..ServerSettings::default() };
    let mut stage = Stage::start(chain(), server, |settings| settings).await;
    stage.slots(3).await;
    for cut in 1..=3 {
        let goal = stage.received + 50;
        stage.until(|stage| stage.received >= goal).await;
        stage.proxy.down();
        stage.slots(4).await;
        stage.proxy.up();
        stage.until(|stage| stage.gaps.iter().filter(|gap| gap.repaired).count() >= cut).await;
    }
    let to = settled(&mut stage).await;
    assert_eq!(stage.missing(to), [], "lost");
    assert!(stage.gaps.iter().all(|gap| gap.repaired), "{:?}", stage.gaps);
    let view = stage.completeness.view();
    assert_eq!((view.counts.lost, view.open_gaps, view.lost_transactions), (0, 0, 0));
    let log = stage.server.log();
    let calls = log.iter().filter(|entry| matches!(entry.event, OracleEvent::Subscribed { .. })).count();
    let asks = log
        .iter()
        .filter(|entry| matches!(&entry.event, OracleEvent::Applied { request, .. } if request.from_slot.is_some()));
    assert_eq!((calls, asks.count()), (1 + 3 + 3, 1 + 3), "streams, and requests for a replay");
    // Every one of them is paid for; what is live was not delivered by the second stream as well.
    stage.until(|stage| stage.status.borrow().budget.used >= 8).await;
    assert_eq!(stage.status.borrow().budget.used, 8);
    let only_live = stage.executed(to).iter().filter(|signature| stage.delivered[*signature] == 1).count();
    assert!(only_live > 200, "{only_live}");
    stage.close().await;
}

#[tokio::test]
async fn a_whole_slot_is_proven_by_its_count_and_confirmed_streams_recover_too() {
    let adapt = |settings: StreamSettings| StreamSettings { commitment: 1, proof: ProofMode::Block, ..settings };
    let mut stage = Stage::start(chain(), ServerSettings::default(), adapt).await;
    stage.until(|stage| stage.completeness.view().counts.proven > 3).await;
    stage.proxy.cut();
    stage.until(|stage| stage.gaps.iter().any(|gap| gap.repaired)).await;
    let to = stage.gaps[0].to_slot;
    assert_eq!(stage.missing(to), [], "lost");
    let proven = stage.proofs.iter().filter(|slot| slot.proof == Proof::Proven);
    assert!(proven.clone().count() > 3);
    assert!(proven.clone().all(|slot| slot.executed == Some(60) && slot.matched == 60 && slot.lost == Some(0)));
    stage.close().await;
}

#[tokio::test]
async fn what_a_server_fails_to_send_is_noticed_and_fetched() {
    let plan = "seed = 5\n[[fault]]\nat = '0s'\nfor = '2s'\nkind = 'drop'\nshare = 0.01";
    let faults = Some(plan.parse().unwrap());
    let server = ServerSettings { faults, replay_slots: 500, ..ServerSettings::default() };
    // The server drops a transaction and its status together: only the block's own count gives that away.
    let adapt = |settings: StreamSettings| StreamSettings { proof: ProofMode::Block, ..settings };
    let mut stage = Stage::start(chain(), server, adapt).await;
    stage.until(|stage| stage.proofs.iter().any(|slot| slot.proof == Proof::Lost)).await;
    let repaired = |stage: &Stage| stage.gaps.iter().any(|gap| gap.repaired && gap.cause == GapCause::Dropped);
    stage.until(repaired).await;
    // The repairs are spaced: what was lost after the first one comes with the second, when nothing is dropped any more.
    stage.slots(45).await;
    stage.until(|stage| stage.completeness.view().counts.lost == 0).await;
    let to = settled(&mut stage).await;
    assert_eq!(stage.missing(to), [], "lost without a word");
    let view = stage.completeness.view();
    assert_eq!((view.counts.lost, view.open_gaps, view.lost_transactions), (0, 0, 0), "{:?}", stage.gaps);
    assert!(view.counts.repaired > 0);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_market_counts_each_transaction_once_whatever_breaks() {
    let chain = chain();
    let server = ServerSettings { pace: Pace::Real, start_after_streams: 2, ..ServerSettings::default() };
    let server = Server::start(server, Box::new(chain.clone())).await.unwrap();
    let proxy = Proxy::to(server.address()).await;
    let streams = StreamSettings { on_end: OnEnd::Finish, ..settings(proxy.address, 2) };
    let source =
        SourceView { kind: SourceKind::Demo, provider: String::new(), endpoints: vec![], commitment: "processed" };
    let engine = EngineSettings {
        alerts: smart_stream_tui::mev::AlertRules::default(),
        sol_usd: None,
        source,
        streams,
        events: None,
        frames: None,
        wait_for_sinks: true,
    };
    let mut engine = Engine::start(engine).unwrap();
    let mut views = engine.views();
    for cut in 0..3_u64 {
        let proven = views.borrow().completeness.counts.proven;
        let flowing = views.wait_for(|view| view.completeness.counts.proven > proven + 3);
        timeout(PATIENCE, flowing).await.expect("data in time").unwrap();
        proxy.cut();
        // Both connections had their share of the break.
        let mended = views.wait_for(|view| view.completeness.repaired_gaps >= 2 * (cut + 1));
        timeout(PATIENCE, mended).await.expect("mended in time").unwrap();
    }
    *chain.end.lock().unwrap() = true;
    timeout(PATIENCE, engine.finished()).await.expect("the end");
    let view = engine.views().borrow().clone();
    let made: usize = chain.made.lock().unwrap().values().map(Vec::len).sum();
    assert_eq!(view.totals.transactions, made as u64, "lost or counted twice; {:?}", view.completeness.gaps);
    assert!(view.totals.duplicates > 0, "a replay brings again what was there");
    assert_eq!((view.completeness.open_gaps, view.completeness.counts.lost), (0, 0));
    timeout(PATIENCE, engine.shutdown()).await.expect("closed");
}
