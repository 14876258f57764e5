//! Groups that move while everything flows: each transaction once, and as many requests as planned.

use std::time::Duration;

use smart_stream_tui::{
    chain::group::Group,
    engine::{Command, Emitted},
    simulator::server::{OracleEvent, Pace, Server, ServerSettings},
    stream::{OnEnd, StreamSettings, status::StreamEventKind},
};
use tokio::time::timeout;

use crate::support::{Chain, PATIENCE, engine, settings};

fn rebalances() -> usize {
    std::env::var("STREAM_REBALANCES").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_move_and_every_transaction_comes_once() {
    // 5,000 transactions a second, each with its status: 10,000 updates.
    let chain = Chain::new(500, Duration::from_millis(100));
    let server = ServerSettings { pace: Pace::Real, start_after_streams: 2, ..ServerSettings::default() };
    let server = Server::start(server, Box::new(chain.clone())).await.unwrap();
    let streams = StreamSettings { on_end: OnEnd::Finish, recover: false, ..settings(server.address(), 2) };
    let (mut engine, mut emitted) = engine(streams);
    let commands = engine.commands();
    let moves = rebalances();
    let wait = async {
        let (mut done, mut permits, mut to) = (0, 0, 0);
        let mut asked = false;
        while done < moves {
            for event in emitted.recv().await.unwrap() {
                match event {
                    Emitted::Stream(event) => match event.kind {
                        StreamEventKind::Rebalanced { permits: cost, .. } => {
                            (done, permits, asked) = (done + 1, permits + cost, false);
                        }
                        StreamEventKind::Refused(why) => panic!("refused: {why}"),
                        _ => {}
                    },
                    Emitted::Stats(_) | Emitted::Slot(_) if !asked && done < moves => {
                        // Everything is on its way: now, wherever in a slot that is.
                        asked = true;
                        commands.send(Command::MoveGroup { group: Group::AmmPool, to }).await.unwrap();
                        to = 1 - to;
                    }
                    _ => {}
                }
            }
        }
        permits
    };
    let permits = timeout(PATIENCE * u32::try_from(moves / 20 + 1).unwrap(), wait).await.expect("moved in time");
    *chain.end.lock().unwrap() = true;
    let drain = tokio::spawn(async move { while emitted.recv().await.is_some() {} });
    timeout(PATIENCE, engine.finished()).await.expect("the end");
    let view = engine.views().borrow().clone();
    let made: usize = chain.made.lock().unwrap().values().map(Vec::len).sum();
    assert_eq!(view.totals.transactions, made as u64, "lost or counted twice");
    assert_eq!((view.totals.bad_frames, view.completeness.counts.lost, view.completeness.open_gaps), (0, 0, 0));
    assert_eq!(permits as usize, 2 * moves);
    let log = server.log();
    let calls = log.iter().filter(|entry| matches!(entry.event, OracleEvent::Subscribed { .. })).count();
    let requests = log.iter().filter(|entry| matches!(entry.event, OracleEvent::Applied { .. })).count();
    assert_eq!(calls, 2, "no stream was opened for it");
    assert!(requests <= 2 + 2 * moves, "{requests} requests for {moves} moves");
    timeout(PATIENCE, engine.shutdown()).await.expect("closed");
    drain.await.unwrap();
}
