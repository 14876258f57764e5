//! A group of the user's own, with more accounts than a request can list: its traffic is brought, counted under it, moved,
//! and not lost when the streams break; what only the compressed filter takes for wanted is dropped.

use std::{sync::Arc, time::Duration};

use prost::Message as _;
use smart_stream_tui::{
    chain::group::{Group, Groups, OwnGroup, Priority, Rule},
    engine::{Command, Emitted, View},
    simulator::server::{Pace, Server, ServerSettings},
    stream::{
        OnEnd, StreamSettings,
        plan::SubscriptionBuilder,
        status::{ConnectionState, StreamEventKind},
    },
};
use solana_sdk::pubkey::Pubkey;
use tokio::time::timeout;
use yellowstone_grpc_proto::cuckoo::CuckooFilter;

use crate::support::{Chain, PATIENCE, Proxy, engine, settings};

const KEYS: u64 = 100_000;

fn numbered(number: u64) -> Pubkey {
    solana_sdk::hash::hash(&number.to_le_bytes()).to_bytes().into()
}

/// A key that the compressed filter holds and nobody put in.
fn strange(rules: &Groups) -> Pubkey {
    let groups = rules.iter().filter(|group| !Group::BUILT_IN.contains(group)).collect();
    let request = SubscriptionBuilder::new(1, 0).groups(groups, rules).build().unwrap();
    let filter = request.transactions["marked#1"].cuckoo_account_include.clone().expect("too many to list");
    let read = yellowstone_grpc_proto::geyser::CuckooFilter::decode(&filter.encode_to_vec()[..]).unwrap();
    let read = CuckooFilter::<[u8; 32]>::from(&read);
    assert!((0..KEYS).all(|number| read.contains(numbered(number).as_array())), "a wanted key is not in it");
    (KEYS..2 * KEYS).map(numbered).find(|key| read.contains(key.as_array())).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_users_own_group_is_brought_counted_and_moved() {
    let account = Pubkey::new_from_array([77; 32]);
    let include: Vec<Pubkey> = (0..KEYS).map(numbered).chain([account]).collect();
    let rule = Rule { include, required: vec![Pubkey::new_from_array([9; 32])], failed: true };
    let own = OwnGroup { name: "marked".to_owned(), priority: Priority::Medium, rule };
    let rules = Groups::with([own]).unwrap();
    let marked = rules.named("marked").unwrap();
    let decoy = strange(&rules);
    let chain = Chain { marked: Some(account), decoy: Some(decoy), ..Chain::new(50, Duration::from_millis(50)) };
    let server = ServerSettings { pace: Pace::Real, start_after_streams: 2, ..ServerSettings::default() };
    let server = Server::start(server, Box::new(chain.clone())).await.unwrap();
    let proxy = Proxy::to(server.address()).await;
    let groups = rules.iter().collect();
    let streams = StreamSettings { on_end: OnEnd::Finish, groups, rules, ..settings(proxy.address, 2) };
    let (mut engine, mut emitted) = engine(streams);
    let (commands, mut views) = (engine.commands(), engine.views());
    let slots = chain.made.clone();
    let wait = async {
        let (mut asked, mut moved, mut cut) = (false, false, None);
        loop {
            for event in emitted.recv().await.unwrap() {
                match event {
                    Emitted::Slot(_) if !asked => {
                        asked = true;
                        commands.send(Command::MoveGroup { group: marked, to: 0 }).await.unwrap();
                    }
                    Emitted::Stream(event) => match event.kind {
                        StreamEventKind::Rebalanced { .. } => {
                            moved = true;
                            proxy.cut();
                        }
                        StreamEventKind::State { state: ConnectionState::Live, .. } if moved => {
                            cut = Some(cut.unwrap_or(0) + 1);
                        }
                        StreamEventKind::Refused(why) => panic!("refused: {why}"),
                        _ => {}
                    },
                    _ => {}
                }
            }
            if cut == Some(2) {
                return slots.lock().unwrap().len();
            }
        }
    };
    let back = timeout(PATIENCE, wait).await.expect("moved, cut and back in time");
    let drain = tokio::spawn(async move { while emitted.recv().await.is_some() {} });
    let settled = |view: &Arc<View>| {
        let counts = view.completeness.counts;
        counts.proven + counts.repaired > back as u64 && counts.pending == 0 && view.completeness.open_gaps == 0
    };
    timeout(PATIENCE, views.wait_for(settled)).await.expect("everything is proven").unwrap();
    *chain.end.lock().unwrap() = true;
    timeout(PATIENCE, engine.finished()).await.expect("the end");
    let made: usize = chain.made.lock().unwrap().values().map(Vec::len).sum();
    // Every fifth, and nothing else fails; a group's figures are taken once a second.
    let failed = |view: &View| view.groups.iter().find(|one| one.group == marked).unwrap().failed;
    let counted = |view: &Arc<View>| failed(view) == made as u64 / 5;
    let view = timeout(PATIENCE, views.wait_for(counted)).await.expect("all are counted").unwrap().clone();
    let wanted = made as u64 / 10 * 9;
    assert_eq!((view.totals.transactions, view.totals.duplicates > 0), (wanted, true), "lost or counted twice");
    assert!(view.totals.unwanted >= made as u64 / 10, "{}", view.totals.unwanted);
    assert_eq!((view.completeness.counts.lost, view.completeness.open_gaps), (0, 0));
    assert_eq!(view.totals.failed, made as u64 / 5);
    let shown = view.groups.iter().find(|one| one.group == marked).unwrap();
    assert_eq!((view.names.name(marked), &shown.connections[..]), ("marked", &[0][..]));
    let built_in: u64 = view.groups.iter().filter(|one| one.group != marked).map(|one| one.failed).sum();
    assert_eq!(built_in, made as u64 / 10, "those that name a program are counted under its group as well");
    let snapshot = serde_json::to_value(smart_stream_tui::output::snapshot::Snapshot::of(&view)).unwrap();
    assert_eq!(snapshot["groups"][Group::BUILT_IN.len()]["group"], "marked");
    assert_eq!(snapshot["connections"][0]["groups"], serde_json::json!(["bonding_curve", "marked"]));
    timeout(PATIENCE, engine.shutdown()).await.expect("closed");
    drain.await.unwrap();
}
