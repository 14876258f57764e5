//! Compares what was told with what was true.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, SystemTime},
};

use smart_stream_tui::{
    chain::group::Group,
    simulator::server::{OracleEntry, OracleEvent},
    stream::{BudgetRules, completeness::Proof, status::ConnectionState},
};

use crate::{
    chain::{Signature, Truth, has_token},
    client::Received,
    hour::{Hour, Outcome},
};

/// Slots that began this long before the end are settled at the end.
const SETTLED: Duration = Duration::from_secs(60);

/// Where each transaction ended up: those of a dead slot are executed in the next one that lives.
fn landed(truth: &Truth, dead: &BTreeSet<u64>) -> BTreeMap<u64, Vec<(Signature, Group)>> {
    let mut landed = BTreeMap::new();
    let mut left = Vec::new();
    for (slot, made) in &truth.slots {
        left.extend(made.transactions.iter().copied());
        if !dead.contains(slot) {
            landed.insert(*slot, std::mem::take(&mut left));
        }
    }
    landed
}

/// The most that reached the server in any window, by its own clock and in permits: calls, and updates of open streams.
fn most_in_a_window(log: &[OracleEntry], rules: &BudgetRules) -> u64 {
    let mut opened = BTreeSet::new();
    let mut window: VecDeque<(SystemTime, u64)> = VecDeque::new();
    let mut most = 0;
    for entry in log {
        let cost = match &entry.event {
            OracleEvent::Subscribed { stream, .. } => {
                // A server that starts anew counts its streams from 1 again.
                opened.remove(stream);
                rules.cost_new
            }
            OracleEvent::Refused { .. } => rules.cost_new,
            // The first request of a stream belongs to its call.
            OracleEvent::Applied { stream, .. } if !opened.insert(*stream) => rules.cost_update,
            _ => 0,
        };
        window.push_back((entry.at, u64::from(cost)));
        while window.front().is_some_and(|(first, _)| entry.at.duration_since(*first).unwrap() >= rules.window) {
            window.pop_front();
        }
        most = most.max(window.iter().map(|(_, cost)| cost).sum());
    }
    most
}

/// `logs`: of each server.
pub(crate) fn judge(hour: &Hour, truth: &Truth, received: &Received, logs: &[Vec<OracleEntry>]) -> Outcome {
    let log = || logs.iter().flatten();
    let mut outcome = Outcome {
        repeats: received.repeats,
        gaps: received.gaps.len() as u64,
        given_up: received.given_up.clone(),
        ..Outcome::default()
    };
    let mut wrong = Vec::new();
    let dead = log().filter_map(|entry| match entry.event {
        OracleEvent::Dead { slot } => Some(slot),
        _ => None,
    });
    let landed = landed(truth, &dead.collect());
    let all_made: BTreeSet<Signature> =
        truth.slots.values().flat_map(|made| made.transactions.iter().map(|(signature, _)| *signature)).collect();

    if received.since.len() < hour.streams() {
        wrong.push(format!("only {:?} have ever had a whole slot", received.since.keys()));
    }
    let first = received.since.values().copied().max().unwrap_or(u64::MAX);
    // A gap counts for the groups of its connection.
    let declared = |slot: u64, group: Group| {
        let carriers = received.carriers.get(&group.index());
        received.gaps.iter().any(|gap| {
            !gap.repaired
                && (gap.from_slot..=gap.to_slot).contains(&slot)
                && carriers.is_some_and(|carriers| carriers.contains(&gap.connection))
        })
    };
    // How each slot stands in the end.
    let proofs: BTreeMap<u64, Proof> = received.proofs.iter().map(|proof| (proof.slot, proof.proof)).collect();
    let (mut missing, mut claimed) = (Vec::new(), Vec::new());
    // A server that still counts a stream whose end was lost on the way lets nobody in: what was missed since then is
    // declared when it does.
    let no_place = |(_, cause): &(ConnectionState, String)| cause.contains("too many streams are open");
    let lives = |(state, _): &(ConnectionState, String)| *state == ConnectionState::Live;
    let waits = |one: &(ConnectionState, String)| no_place(one) && !lives(one) && one.0 != ConnectionState::Idle;
    let refused = |id: &usize| received.states.get(*id).is_some_and(waits);
    let refused_since = received.live_at.iter().filter(|(id, _)| refused(id)).map(|(_, at)| *at).min();
    let settled = refused_since.unwrap_or(hour.length).saturating_sub(SETTLED);
    for (slot, transactions) in landed.range(first..) {
        if truth.slots[slot].at > settled {
            break;
        }
        for (signature, group) in transactions {
            outcome.executed += 1;
            if received.accepted.contains_key(&(*slot, *signature)) {
                continue;
            }
            // What nobody asks for, because we were too slow, is shown as such and not as lost.
            let at = truth.slots[slot].at;
            // It is given up in the midst of a slot.
            let ends = at + hour.slot;
            let shed = received.shed.iter().any(|(of, when)| of == group && when.start <= ends && at < when.end);
            // The token comes at all times.
            let narrowed =
                !has_token(signature) && received.narrowed.iter().any(|when| when.start <= ends && at < when.end);
            if shed || declared(*slot, *group) {
                outcome.declared += 1;
                let proven = matches!(proofs.get(slot), Some(Proof::Proven | Proof::Repaired));
                if proven && !shed && !narrowed {
                    claimed.push((*slot, group.built_in_name(), truth.slots[slot].at.as_secs()));
                }
            } else if !narrowed {
                missing.push((*slot, group.built_in_name(), truth.slots[slot].at.as_secs()));
            }
        }
    }
    if !missing.is_empty() {
        wrong.push(format!(
            "{} transactions neither arrived nor were declared (slot, group, second): {:?}",
            missing.len(),
            missing.iter().take(8).collect::<Vec<_>>()
        ));
    }
    if !claimed.is_empty() {
        wrong.push(format!(
            "{} transactions are missing in slots said to be whole (slot, group, second): {:?}",
            claimed.len(),
            claimed.iter().take(8).collect::<Vec<_>>()
        ));
    }
    let doubled = received.accepted.values().filter(|count| **count > 1).count();
    if doubled > 0 {
        wrong.push(format!("{doubled} transactions counted twice"));
    }
    let invented = received.accepted.keys().filter(|(_, signature)| !all_made.contains(signature)).count();
    if invented > 0 {
        wrong.push(format!("{invented} transactions that never were"));
    }
    // Each endpoint counts for itself.
    let most = logs.iter().map(|log| most_in_a_window(log, &hour.budget)).max();
    outcome.most_in_a_window = most.unwrap_or_default();
    if outcome.most_in_a_window > u64::from(hour.budget.limit) {
        wrong.push(format!("{} permits in a window, {:?}", outcome.most_in_a_window, hour.budget));
    }
    outcome.pressed = outcome.most_in_a_window >= u64::from(hour.budget.limit - hour.budget.reserve);
    outcome.streams = log().filter(|entry| matches!(entry.event, OracleEvent::Subscribed { .. })).count() as u64;
    // Who has no place at the server rests for minutes while others carry its groups.
    let states = &received.states;
    let well = states.iter().any(lives) && states.iter().all(|one| lives(one) || no_place(one));
    if states.len() != hour.streams() || !well {
        wrong.push(format!("not live in the end: {:?}", received.states));
    }
    if !received.closed_in_time {
        wrong.push("did not close in time".to_owned());
    }
    outcome.wrong = wrong;
    outcome
}
