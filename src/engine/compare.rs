//! Endpoints that bring the same, compared: which of them is first, by how much, and what only one of them had.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use super::view::{EndpointView, carried};
use crate::{
    chain::{group::GroupSet, ids::Signature},
    market::input::{Item, Transaction},
    stream::status::ConnectionStatus,
};

/// Most endpoints compared.
const MOST: usize = 4;
/// After so many slots nothing more of a slot is waited for.
const SETTLED_AFTER: u64 = 32;
/// Most transactions waited for; more are not compared.
const WAITING: usize = 1 << 16;
/// The median lag is taken over so many transactions.
const LAGS: usize = 1_024;

/// When a transaction came from each endpoint, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
struct Arrivals {
    /// Endpoints that should bring it.
    expected: [bool; MOST],
    at_us: [Option<i64>; MOST],
    /// Brought by a replay only, as far as is known: its time says nothing.
    replayed: [bool; MOST],
}

#[derive(Debug, Default)]
struct Score {
    /// The first slot of which it brought anything: it may have joined in the midst of that.
    since: Option<u64>,
    compared: u64,
    first: u64,
    missed: u64,
    alone: u64,
    lags_us: VecDeque<i64>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Comparison {
    /// What more than one endpoint brings.
    groups: GroupSet,
    hosts: Vec<Arc<str>>,
    /// Endpoint of each connection, by its place in `hosts`.
    at: Vec<usize>,
    /// Whether an endpoint is asked for all of the groups now.
    asked: [bool; MOST],
    slots: BTreeMap<u64, HashMap<u64, Arrivals>>,
    waiting: usize,
    not_compared: u64,
    newest: u64,
    scores: [Score; MOST],
}

impl Comparison {
    /// Of what belongs to these groups.
    pub(super) fn new(groups: GroupSet) -> Self {
        Self {
            groups,
            hosts: Vec::new(),
            at: Vec::new(),
            asked: [false; MOST],
            slots: BTreeMap::new(),
            waiting: 0,
            not_compared: 0,
            newest: 0,
            scores: Default::default(),
        }
    }

    /// Where the connections are now, and what they are asked for.
    pub(super) fn follow(&mut self, connections: &[ConnectionStatus]) {
        let mut asked = [GroupSet::EMPTY; MOST];
        self.at.clear();
        for status in connections {
            let known = self.hosts.iter().position(|host| *host == status.endpoint);
            let at = known.unwrap_or_else(|| {
                if self.hosts.len() < MOST {
                    self.hosts.push(status.endpoint.clone());
                    self.hosts.len() - 1
                } else {
                    MOST
                }
            });
            self.at.push(at);
            if let Some(asked) = asked.get_mut(at) {
                *asked = asked.union(carried(status));
            }
        }
        self.asked = asked.map(|asked| asked.covers(self.groups));
    }

    /// A transaction arrived on a connection, for the first time or again.
    pub(super) fn arrived(&mut self, connection: usize, item: &Item, transaction: &Transaction) {
        let Some(at) = self.at.get(connection).copied().filter(|at| *at < MOST) else { return };
        if transaction.groups.intersection(self.groups).is_empty() {
            return;
        }
        self.arrival(at, transaction.slot, folded(&transaction.signature), item.recv_us, item.replayed);
    }

    fn arrival(&mut self, at: usize, slot: u64, name: u64, recv_us: i64, replayed: bool) {
        let Some(score) = self.scores.get_mut(at) else { return };
        score.since.get_or_insert(slot);
        if slot.saturating_add(SETTLED_AFTER) <= self.newest {
            return;
        }
        let scores = &self.scores;
        let expects = |endpoint: usize| {
            let joined = scores.get(endpoint).and_then(|score| score.since).is_some_and(|since| since < slot);
            joined && self.asked.get(endpoint).is_some_and(|asked| *asked)
        };
        let waited_for = self.slots.entry(slot).or_default();
        if !waited_for.contains_key(&name) {
            if self.waiting >= WAITING {
                self.not_compared += 1;
                return;
            }
            self.waiting += 1;
        }
        let arrivals = waited_for.entry(name).or_insert_with(|| Arrivals {
            expected: std::array::from_fn(expects),
            at_us: [None; MOST],
            replayed: [false; MOST],
        });
        if let (Some(time), Some(late)) = (arrivals.at_us.get_mut(at), arrivals.replayed.get_mut(at))
            && time.is_none()
        {
            (*time, *late) = (Some(recv_us), replayed);
        }
        // A slot number out of all order must not settle everything else.
        if slot > self.newest && (self.newest == 0 || slot - self.newest <= SETTLED_AFTER * 1_000) {
            self.newest = slot;
            self.settle(slot.saturating_sub(SETTLED_AFTER));
        }
    }

    /// Counts what belongs to slots up to this one.
    fn settle(&mut self, to: u64) {
        while let Some(entry) = self.slots.first_entry().filter(|entry| *entry.key() <= to) {
            let slot = entry.remove();
            self.waiting -= slot.len();
            for arrivals in slot.into_values() {
                self.count(&arrivals);
            }
        }
    }

    fn count(&mut self, arrivals: &Arrivals) {
        if arrivals.expected.iter().filter(|expected| **expected).count() < 2 {
            return;
        }
        let times = arrivals.at_us.iter().zip(&arrivals.expected).map(|(time, expected)| time.filter(|_| *expected));
        let times: Vec<Option<i64>> = times.collect();
        let had = times.iter().flatten().count();
        let live = |endpoint: usize| {
            let late = arrivals.replayed.get(endpoint).is_none_or(|late| *late);
            times.get(endpoint).copied().flatten().filter(|_| !late)
        };
        let first = (0..MOST).filter_map(|endpoint| Some((live(endpoint)?, endpoint))).min();
        for (endpoint, score) in self.scores.iter_mut().enumerate() {
            if !arrivals.expected.get(endpoint).is_some_and(|expected| *expected) {
                continue;
            }
            score.compared += 1;
            score.first += u64::from(first.is_some_and(|(_, place)| place == endpoint));
            let has = times.get(endpoint).is_some_and(Option::is_some);
            score.missed += u64::from(!has && had > 0);
            score.alone += u64::from(has && had == 1);
            let others = (0..MOST).filter(|other| *other != endpoint).filter_map(live).min();
            if let Some((own, others)) = live(endpoint).zip(others) {
                if score.lags_us.len() == LAGS {
                    score.lags_us.pop_front();
                }
                score.lags_us.push_back(own - others);
            }
        }
    }

    /// How they stand; nothing while there is only one.
    pub(super) fn view(&self) -> Arc<[EndpointView]> {
        if self.hosts.len() < 2 {
            return Arc::default();
        }
        let one = |(place, (host, score)): (usize, (&Arc<str>, &Score))| {
            let connections = self.at.iter().enumerate().filter(|(_, at)| **at == place).map(|(id, _)| id);
            let mut lags: Vec<i64> = score.lags_us.iter().copied().collect();
            let middle = lags.len() / 2;
            #[allow(clippy::cast_precision_loss, reason = "microseconds of a few seconds")]
            let median = |lags: &mut Vec<i64>| *lags.select_nth_unstable(middle).1 as f64 / 1_000.0;
            EndpointView {
                host: host.clone(),
                connections: connections.collect(),
                compared: score.compared,
                first: score.first,
                lag_ms: (!lags.is_empty()).then(|| median(&mut lags)),
                missed: score.missed,
                alone: score.alone,
                not_compared: self.not_compared,
            }
        };
        self.hosts.iter().zip(&self.scores).enumerate().map(one).collect()
    }
}

/// Sixty-four bits tell signatures apart well enough for figures.
fn folded(signature: &Signature) -> u64 {
    let (words, _) = signature.as_ref().as_chunks();
    words.iter().fold(0, |folded: u64, word| folded.rotate_left(9) ^ u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::chain::group::Group;

    fn between(hosts: [&str; 2]) -> Comparison {
        let mut comparison = Comparison::new([Group::BondingCurve].into_iter().collect());
        comparison.hosts = hosts.map(Arc::from).to_vec();
        comparison.asked = [true, true, false, false];
        for endpoint in 0..2 {
            comparison.arrival(endpoint, 1, 0, 0, false);
        }
        comparison
    }

    proptest! {
        /// Against a list of everything: each transaction is counted once, for whom it was first, late, or missing.
        #[test]
        fn every_transaction_is_counted_once(came in vec((any::<bool>(), any::<bool>(), 0_i64..5_000, 0_i64..5_000), 1..300)) {
            let mut comparison = between(["a", "b"]);
            let mut expected = [(0, 0, 0, Vec::new()), (0, 0, 0, Vec::new())];
            let (mut compared, mut arrivals) = (0, Vec::new());
            for (number, (a, b, at_a, at_b)) in came.iter().enumerate() {
                let (slot, name) = (2 + number as u64 / 7, number as u64 + 1);
                arrivals.extend(a.then_some((slot, *at_a, 0, name)));
                arrivals.extend(b.then_some((slot, *at_b, 1, name)));
                compared += u64::from(*a || *b);
                match (a, b) {
                    (true, true) => {
                        expected[usize::from(at_b < at_a)].0 += 1;
                        expected[0].3.push(at_a - at_b);
                        expected[1].3.push(at_b - at_a);
                    }
                    (true, false) => (expected[0].0, expected[0].2, expected[1].1) = (expected[0].0 + 1, expected[0].2 + 1, expected[1].1 + 1),
                    (false, true) => (expected[1].0, expected[1].2, expected[0].1) = (expected[1].0 + 1, expected[1].2 + 1, expected[0].1 + 1),
                    (false, false) => {}
                }
            }
            // In whatever order they are handed on within a slot.
            arrivals.sort_unstable();
            for (slot, at_us, endpoint, name) in arrivals {
                comparison.arrival(endpoint, slot, name, at_us, false);
            }
            comparison.settle(u64::MAX);
            prop_assert_eq!(comparison.waiting, 0);
            for (view, (first, missed, alone, mut lags)) in comparison.view().iter().zip(expected) {
                prop_assert_eq!((view.compared, view.first, view.missed, view.alone), (compared, first, missed, alone));
                lags.sort_unstable();
                #[allow(clippy::cast_precision_loss, reason = "small")]
                let median = lags.get(lags.len() / 2).map(|lag| *lag as f64 / 1_000.0);
                prop_assert_eq!(view.lag_ms, median);
            }
        }
    }

    #[test]
    fn what_nobody_was_asked_for_or_what_a_replay_brings_says_nothing_of_the_lag() {
        let mut comparison = between(["a", "b"]);
        comparison.arrival(0, 2, 7, 1_000, false);
        comparison.arrival(1, 2, 7, 9_000_000, true);
        comparison.asked = [true, false, false, false];
        comparison.arrival(0, 3, 8, 1_000, false);
        comparison.settle(u64::MAX);
        let view = comparison.view();
        assert_eq!((view[0].compared, view[0].first, view[1].missed), (1, 1, 0));
        assert_eq!((view[0].lag_ms, view[1].lag_ms), (None, None));
    }

    #[test]
    fn too_many_at_once_are_counted_and_not_kept() {
        let mut comparison = between(["a", "b"]);
        for name in 0..WAITING as u64 + 10 {
            comparison.arrival(0, 2, name + 1, 0, false);
        }
        assert!(comparison.waiting <= WAITING);
        assert!(comparison.not_compared >= 10);
    }
}
