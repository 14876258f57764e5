//! A subscription narrowed to a token on the server, and widened again: what is asked for comes whole, nothing is declared
//! as missed that was not asked for, and what the budget or the server refuses stays as it was.

use std::{ops::Range, time::Duration};

use smart_stream_tui::{
    chain::ids::Mint,
    simulator::server::{FilterLimits, ServerSettings},
    stream::{
        BudgetRules, Control, StreamSettings, StreamStatus,
        status::{ConnectionState, StreamEventKind},
    },
};
use solana_sdk::pubkey::Pubkey;

use crate::support::{Chain, Signature, Stage};

const MINT: [u8; 32] = [77; 32];

async fn stage(server: ServerSettings, budget: Option<BudgetRules>) -> Stage {
    let chain = Chain { marked: Some(Pubkey::new_from_array(MINT)), ..Chain::new(30, Duration::from_millis(50)) };
    let adapt = |settings: StreamSettings| {
        let budget = budget.unwrap_or(settings.budget);
        StreamSettings { connections: 2, budget, ..settings }
    };
    let mut stage = Stage::start(chain, server, adapt).await;
    stage.joined().await;
    stage
}

async fn narrow(stage: &Stage, mints: Vec<Mint>) {
    stage.streams.control().send(Control::Narrow { mints }).await.unwrap();
}

/// Whether what was sent last is in force everywhere.
fn settled(status: &StreamStatus) -> bool {
    let settled = |one: &smart_stream_tui::stream::status::ConnectionStatus| {
        one.state == ConnectionState::Live && one.active_version == one.filter_version
    };
    status.connections.iter().all(settled)
}

fn index(signature: &Signature) -> u64 {
    u64::from_le_bytes(signature[8..16].try_into().unwrap())
}

/// Waits until everything that is wanted of ten slots from the next but one on has come; those slots.
async fn whole(stage: &mut Stage, wanted: impl Fn(u64) -> bool) -> Range<u64> {
    let first = stage.slots.last().unwrap() + 2;
    let slots = first..first + 10;
    let wait = |stage: &Stage| {
        let made = stage.made(slots.clone());
        let all = made.iter().filter(|signature| wanted(index(signature))).all(|one| stage.delivered.contains_key(one));
        !stage.made(slots.end..slots.end + 20).is_empty() && all
    };
    stage.until(wait).await;
    slots
}

fn notices(stage: &Stage) -> Vec<(usize, u32)> {
    let status = stage.status.borrow();
    let narrowed = status.events.iter().filter_map(|event| match &event.kind {
        StreamEventKind::Narrowed { mints, permits } => Some((mints.len(), *permits)),
        _ => None,
    });
    narrowed.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_token_comes_and_then_everything_again() {
    let mut stage = stage(ServerSettings::default(), None).await;
    narrow(&stage, vec![Mint::new(MINT)]).await;
    stage.until(|stage| stage.status.borrow().narrowed_to.len() == 1 && settled(&stage.status.borrow())).await;
    // One in ten names the token and a program of ours.
    let slots = whole(&mut stage, |index| index % 10 == 4).await;
    let others = |stage: &Stage, slots: Range<u64>| {
        let made = stage.made(slots);
        made.into_iter().filter(|one| index(one) % 10 != 4 && stage.delivered.contains_key(one)).count()
    };
    assert_eq!(others(&stage, slots), 0, "more than was asked for");
    assert!(stage.status.borrow().connections.iter().all(|one| one.narrowed));
    // It stays so over a break, whose slots are fetched.
    stage.proxy.cut();
    let back = |status: &StreamStatus| status.connections.iter().all(|one| one.reconnects > 0) && settled(status);
    stage.until(|stage| back(&stage.status.borrow())).await;
    let slots = whole(&mut stage, |index| index % 10 == 4).await;
    assert_eq!(others(&stage, slots), 0, "narrowed after a break");
    narrow(&stage, Vec::new()).await;
    let widened = |status: &StreamStatus| {
        status.narrowed_to.is_empty() && settled(status) && !status.connections.iter().any(|one| one.narrowed)
    };
    stage.until(|stage| widened(&stage.status.borrow())).await;
    whole(&mut stage, |index| index % 10 != 9).await;
    assert_eq!(stage.gaps.iter().filter(|gap| !gap.repaired).count(), 0, "{:?}", stage.gaps);
    assert_eq!(stage.completeness.view().counts.lost, 0);
    assert!(stage.delivered.len() as u64 <= stage.received);
    assert_eq!(notices(&stage), [(1, 2), (0, 2)]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_budget_cannot_pay_for_is_refused_and_changes_nothing() {
    let budget = BudgetRules {
        limit: 23,
        window: Duration::from_secs(60),
        reserve: 20,
        per_connection: 15,
        cost_new: 1,
        cost_update: 1,
    };
    let mut stage = stage(ServerSettings::default(), Some(budget)).await;
    narrow(&stage, vec![Mint::new(MINT)]).await;
    let refused = |status: &StreamStatus| {
        let words = "the budget has not 2 permits to spare; they free in";
        status.events.iter().any(|event| matches!(&event.kind, StreamEventKind::Refused(why) if why.contains(words)))
    };
    stage.until(|stage| refused(&stage.status.borrow())).await;
    whole(&mut stage, |index| index % 10 != 9).await;
    let status = stage.status.borrow().clone();
    assert!(status.narrowed_to.is_empty() && status.connections.iter().all(|one| one.filter_version == 1));
    assert_eq!((notices(&stage), status.budget.used), (Vec::new(), 2));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_refuses_goes_back_to_what_was_in_force() {
    // Two groups on the second connection, each with a filter for each of two tokens.
    let limits = FilterLimits { filters: 2, ..FilterLimits::default() };
    let mut stage = stage(ServerSettings { filter_limits: limits, ..ServerSettings::default() }, None).await;
    narrow(&stage, vec![Mint::new(MINT), Mint::new([78; 32])]).await;
    let refused = |status: &StreamStatus| {
        let words = "Max amount of filters";
        status.events.iter().any(|event| matches!(&event.kind, StreamEventKind::Refused(why) if why.contains(words)))
    };
    stage.until(|stage| refused(&stage.status.borrow())).await;
    let back = |status: &StreamStatus| {
        status.narrowed_to.is_empty() && settled(status) && !status.connections.iter().any(|one| one.narrowed)
    };
    stage.until(|stage| back(&stage.status.borrow())).await;
    whole(&mut stage, |index| index % 10 != 9).await;
    assert_eq!(notices(&stage), [(2, 2), (0, 2)]);
    stage.close().await;
}
