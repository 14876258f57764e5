//! Owns what the connections share: budget, pool, wishes. Turns requests and reports into the published status.

use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};

use futures_util::future::select_all;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use super::{
    StreamSettings,
    balancer::{ConnectionLoad, Decision, LoadBalancer},
    connection::Place,
    gate::Gate,
    machine::Machine,
    migration::Migration,
    narrow::leaves_out,
    plan::throttled,
    pool::{ConnectionPool, GroupLoad},
    slot::{Running, Slot},
    status::{
        BudgetStatus, ConnectionState, ConnectionStatus, Control, Purpose, StreamEvent, StreamEventKind, StreamStatus,
        Throttle,
    },
    watchdog::{Pulse, examine, give_up},
    wish::{Desired, Report, Run, Taken},
};
use crate::chain::{group::GroupSet, ids::Mint};

/// Events kept for readers that look seldom.
const EVENTS: usize = 256;
/// Longest time that closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Supervisor {
    machine: Machine,
    pub(super) settings: Arc<StreamSettings>,
    /// Every endpoint with its budget, the preferred one first.
    places: Arc<[Place]>,
    pub(super) pool: ConnectionPool,
    pub(super) slots: Vec<Slot>,
    pub(super) loads: Vec<GroupLoad>,
    pub(super) migration: Option<Migration>,
    /// Tokens that everything is narrowed to.
    pub(super) narrowed_to: Arc<[Mint]>,
    pub(super) balancer: LoadBalancer,
    pub(super) started: Instant,
    events: VecDeque<StreamEvent>,
    seq: u64,
    pub(super) token_refused: Option<Arc<str>>,
}

impl Supervisor {
    pub(super) fn new(
        machine: Machine,
        settings: Arc<StreamSettings>,
        places: Arc<[Place]>,
        pool: ConnectionPool,
        slots: Vec<Slot>,
    ) -> Self {
        Self {
            machine,
            settings,
            places,
            pool,
            slots,
            loads: Vec::new(),
            migration: None,
            narrowed_to: Arc::default(),
            balancer: LoadBalancer::default(),
            started: Instant::now(),
            events: VecDeque::with_capacity(EVENTS),
            seq: 0,
            token_refused: None,
        }
    }

    pub(super) async fn run(
        &mut self,
        mut requests: mpsc::Receiver<Control>,
        mut reports: mpsc::Receiver<(usize, Report)>,
        mut closed: oneshot::Receiver<()>,
        publish: watch::Sender<Arc<StreamStatus>>,
    ) {
        loop {
            tokio::select! {
                biased;
                _ = &mut closed => break,
                request = requests.recv() => match request {
                    Some(request) => self.request(request),
                    None => break,
                },
                Some((connection, report)) = reports.recv() => {
                    self.report(connection, report);
                    // What came together is published together.
                    while let Ok((connection, report)) = reports.try_recv() {
                        self.report(connection, report);
                    }
                }
                () = changed(&self.places) => {}
                () = any_went_on(&self.slots), if self.migration.is_some() => {}
                () = until(self.next_growth()) => self.grow(),
            }
            self.migrate();
            let status = self.status();
            // Nobody is woken for what has not changed: a silent stream costs next to nothing.
            publish.send_if_modified(|published| {
                let news = **published != status;
                if news {
                    *published = Arc::new(status);
                }
                news
            });
        }
        self.close(&mut reports).await;
        publish.send_replace(Arc::new(self.status()));
    }

    /// Asks every connection to end and waits for the threads, but not for ever.
    async fn close(&mut self, reports: &mut mpsc::Receiver<(usize, Report)>) {
        for slot in &self.slots {
            slot.wishes.send_modify(|wish| wish.run = Run::Close);
        }
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while self.slots.iter().any(|slot| slot.running.is_some()) {
            match tokio::time::timeout_at(deadline, reports.recv()).await {
                Ok(Some((connection, report))) => self.report(connection, report),
                Ok(None) => break,
                Err(_) => {
                    tracing::error!("a connection thread did not end in time");
                    break;
                }
            }
        }
    }

    fn request(&mut self, request: Control) {
        match request {
            Control::Loads { groups, connections } => {
                self.loads = groups;
                self.watch(&connections);
                self.balance(&connections);
            }
            Control::Throttle { connection, level } => {
                let Some(slot) = self.slots.get_mut(connection) else {
                    return self.refuse(format!("there is no connection {connection}"));
                };
                slot.throttle = level;
                self.wish(connection, Purpose::User);
            }
            Control::Reconnect { connection } => {
                let Some(slot) = self.slots.get(connection) else {
                    return self.refuse(format!("there is no connection {connection}"));
                };
                if slot.running.is_none() {
                    return self.refuse(format!("connection {connection} has failed for good; restart the program"));
                }
                for place in self.places.iter() {
                    place.gate.reopen();
                }
                self.token_refused = None;
                let Some(slot) = self.slots.get_mut(connection) else { return };
                if let Some(rest) = &mut slot.rest {
                    rest.until = Instant::now();
                    return;
                }
                slot.wishes.send_modify(|wish| {
                    wish.epoch += 1;
                    wish.run = Run::Go;
                });
            }
            Control::Rebalance { reason, moves } => self.rebalance(reason, moves),
            Control::Narrow { mints } => self.narrow(mints),
            Control::Note(words) => self.event(StreamEventKind::Note(words)),
        }
    }

    /// Looks at every live connection: what is the matter with it, and whether to try another stream.
    fn watch(&mut self, loads: &[ConnectionLoad]) {
        let pulse = |(id, slot): (usize, &Slot)| {
            let load = loads.iter().find(|load| load.connection == id);
            let live = matches!(slot.state, ConnectionState::Live | ConnectionState::Degraded);
            let (fill, busy) = load.map_or((0.0, 0.0), |load| (load.queue_fill, load.busy.unwrap_or(0.0)));
            live.then(|| slot.vitals.pulse(fill, busy))
        };
        let pulses: Vec<Option<Pulse>> = self.slots.iter().enumerate().map(pulse).collect();
        for (id, own) in pulses.iter().enumerate() {
            let Some(own) = own else { continue };
            let others = pulses.iter().enumerate().filter(|(other, _)| *other != id);
            let peers: Vec<Pulse> = others.filter_map(|(_, pulse)| *pulse).collect();
            let ailment = examine(own, &peers);
            let groups = self.pool.groups(id);
            let Some(slot) = self.slots.get_mut(id) else { continue };
            if give_up(own, &peers) {
                slot.wishes.send_modify(|wish| wish.epoch += 1);
            }
            if slot.ailment == ailment {
                continue;
            }
            slot.ailment = ailment;
            slot.since_ms = self.machine.unix_ms();
            slot.state = if ailment.is_some() { ConnectionState::Degraded } else { ConnectionState::Live };
            slot.cause = ailment.map(|ailment| ailment.words().into());
            let (state, cause) = (slot.state, slot.cause.clone());
            self.event(StreamEventKind::State { connection: id, state, cause, groups });
        }
    }

    /// Moves or sheds what the balancer says.
    fn balance(&mut self, loads: &[ConnectionLoad]) {
        if !self.settings.balance || self.migration.is_some() {
            return;
        }
        let levels: Vec<Throttle> = self.slots.iter().map(|slot| slot.throttle).collect();
        let now = self.started.elapsed();
        match self.balancer.second(now, &self.pool, &self.loads, loads, &levels, &self.settings.budget) {
            Some(Decision::Rebalance { reason, moves }) => self.rebalance(reason, moves),
            Some(Decision::Throttle { connection, level }) => {
                if let Some(slot) = self.slots.get_mut(connection) {
                    tracing::warn!(connection, level = level.name(), "the load changes what is asked for");
                    slot.throttle = level;
                }
                self.wish(connection, Purpose::Rebalance);
                let permits = self.settings.budget.cost_update;
                self.event(StreamEventKind::Rebalanced { reason: "throttle", moves: Vec::new(), permits });
            }
            None => {}
        }
    }

    /// The server has cut a stream because we read too slowly: what comes next must be less, or it happens again.
    fn lagged(&mut self, connection: usize) {
        let Some(slot) = self.slots.get_mut(connection) else { return };
        if !self.settings.balance {
            return;
        }
        let Some(level) = self.balancer.lagged(self.started.elapsed(), connection, slot.throttle) else { return };
        slot.throttle = level;
        self.wish(connection, Purpose::Reconnect);
        self.event(StreamEventKind::Rebalanced { reason: "throttle", moves: Vec::new(), permits: 0 });
    }

    /// Tells a connection its filter set, if that is another one than the last; its version.
    pub(super) fn wish(&mut self, connection: usize, purpose: Purpose) -> u32 {
        self.wish_with(connection, purpose, GroupSet::EMPTY, &[])
    }

    /// The same, with groups that come over from connections without a stream, and what is missing of them.
    pub(super) fn wish_with(&mut self, connection: usize, purpose: Purpose, over: GroupSet, news: &[Taken]) -> u32 {
        let Some(slot) = self.slots.get(connection) else { return 0 };
        let assigned = self.pool.groups(connection);
        let groups = throttled(assigned, slot.throttle);
        let mut taken = slot.unconfirmed();
        let confirmed = slot.confirmed;
        let mints = self.narrowed_to.clone();
        let mut widened = None;
        slot.wishes.send_if_modified(|wish| {
            let narrowed = wish.mints != mints;
            // Without groups there is nothing to narrow: it comes with the next of them.
            let other = wish.groups != groups || !news.is_empty() || (narrowed && !groups.is_empty());
            if other {
                let version = wish.version + 1;
                let shed = over.iter().any(|group| !groups.contains(group));
                taken.extend(news.iter().map(|one| Taken { version, shed: one.shed || shed, ..*one }));
                let sheds = leaves_out(&wish.mints, &mints)
                    || wish.groups.iter().any(|group| assigned.contains(group) && !groups.contains(group));
                widened = (narrowed && mints.is_empty()).then_some(version);
                *wish = Desired {
                    version,
                    groups,
                    mints: mints.clone(),
                    purpose,
                    since: Instant::now(),
                    epoch: wish.epoch,
                    taken: std::mem::take(&mut taken),
                    sheds: sheds || (wish.sheds && wish.version > confirmed),
                    run: wish.run.clone(),
                };
            }
            other
        });
        let version = slot.wishes.borrow().version;
        if let (Some(widened), Some(slot)) = (widened, self.slots.get_mut(connection)) {
            slot.widened = widened;
        }
        version
    }

    fn report(&mut self, connection: usize, report: Report) {
        let groups = self.pool.groups(connection);
        let Some(slot) = self.slots.get_mut(connection) else { return };
        match report {
            Report::State { state, cause } => {
                slot.state = state;
                slot.since_ms = self.machine.unix_ms();
                slot.cause.clone_from(&cause);
                slot.ailment = None;
                if !matches!(state, ConnectionState::BackingOff) {
                    slot.crowded = None;
                }
                self.event(StreamEventKind::State { connection, state, cause, groups });
                if state == ConnectionState::Live {
                    self.inherit();
                }
            }
            Report::Sent { version } => slot.sent = version,
            Report::Endpoint(place) => slot.place = place,
            Report::Opened => {
                slot.opened += 1;
                (slot.rest, slot.rests) = (None, 0);
            }
            Report::Lost => slot.active = 0,
            Report::Whole { version, after } => slot.whole = Some((version, after)),
            Report::Active { version, after } => {
                slot.active = version;
                slot.confirmed = slot.confirmed.max(version);
                if slot.wishes.borrow().version == version {
                    let mints = slot.wishes.borrow().mints.clone();
                    slot.good = Some((groups, slot.throttle, mints));
                }
                let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                self.event(StreamEventKind::Activated { connection, version, after_ms });
            }
            Report::Gap(gap) => {
                if !gap.repaired {
                    tracing::warn!(?gap, "slots were missed");
                }
                self.event(StreamEventKind::Gap(gap));
            }
            Report::Crowded { cause } => self.crowded(connection, &cause),
            Report::Slow => self.lagged(connection),
            Report::Note(text) => self.event(StreamEventKind::Note(text)),
            Report::FilterRejected { version, cause } => self.rejected(connection, version, &cause),
            // The others have another endpoint, and say of it what is to be said.
            Report::TokenRefused { .. } if self.pool.is_standby(connection) => {}
            Report::TokenRefused { cause } => {
                self.token_refused = Some(cause.clone());
                for slot in &self.slots {
                    slot.wishes.send_modify(|wish| wish.run = Run::Stop(cause.clone()));
                }
            }
            Report::Ended { panic } => {
                if let Some(Running::Thread(thread)) = slot.running.take() {
                    // It reported as its last act, so this does not wait; a panic was caught and came with the report.
                    let _ = thread.join();
                }
                slot.state = ConnectionState::Stopped;
                slot.since_ms = self.machine.unix_ms();
                slot.active = 0;
                if let Some(text) = panic {
                    let cause: Arc<str> = format!("the connection thread failed: {text}").into();
                    slot.cause = Some(cause.clone());
                    tracing::error!(connection, %cause, "a connection thread panicked");
                    let state = ConnectionState::Stopped;
                    self.event(StreamEventKind::State { connection, state, cause: Some(cause), groups });
                }
            }
        }
    }

    /// The server refuses a filter set: back to the last one in force, or stop where there is none.
    fn rejected(&mut self, connection: usize, version: u32, cause: &Arc<str>) {
        if let Some(migration) = self.migration.take() {
            if migration.awaited.iter().any(|(target, _)| *target == connection) {
                self.abandon(&migration);
            } else {
                self.migration = Some(migration);
            }
        }
        let assigned = self.pool.groups(connection);
        if let Some(slot) = self.slots.get_mut(connection) {
            let refused = Some(slot.wishes.borrow().clone()).filter(|wish| wish.version == version);
            let falls_back = |(groups, throttle, mints): &(GroupSet, Throttle, Arc<[Mint]>)| {
                // What was in force once may be what is refused now: sent again, it would be refused for ever.
                let same = |wish: &Desired| wish.groups == throttled(*groups, *throttle) && wish.mints == *mints;
                *groups == assigned && !refused.as_ref().is_some_and(same)
            };
            match slot.good.clone().filter(falls_back) {
                Some((groups, throttle, mints)) => {
                    slot.throttle = throttle;
                    let groups = throttled(groups, throttle);
                    slot.wishes.send_modify(|wish| {
                        wish.version = wish.version.max(version) + 1;
                        wish.groups = groups;
                        wish.mints = mints.clone();
                        wish.since = Instant::now();
                    });
                    self.narrow_back(mints);
                }
                None => slot.wishes.send_modify(|wish| wish.run = Run::Stop(cause.clone())),
            }
        }
        self.refuse(format!("connection {connection}: {cause}"));
    }

    /// The budget that a connection spends from.
    pub(super) fn gate_of(&self, connection: usize) -> Option<&Gate> {
        let place = self.slots.get(connection)?.place;
        self.places.get(place).map(|place| &place.gate)
    }

    /// The budget that most connections spend from.
    fn budget(&self) -> BudgetStatus {
        let users = |place: usize| self.slots.iter().filter(|slot| slot.place == place).count();
        let most = (0..self.places.len()).rev().max_by_key(|place| users(*place));
        most.and_then(|most| self.places.get(most))
            .map_or_else(BudgetStatus::default, |place| place.gate.status(self.machine.unix_ms()))
    }

    pub(super) fn stopped(&self, connection: usize) -> bool {
        self.slots.get(connection).is_none_or(|slot| slot.state == ConnectionState::Stopped || slot.running.is_none())
    }

    pub(super) fn refuse(&mut self, why: String) {
        tracing::warn!(%why, "refused");
        self.event(StreamEventKind::Refused(why.into()));
    }

    pub(super) fn event(&mut self, kind: StreamEventKind) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(StreamEvent { seq: self.seq, at_ms: self.machine.unix_ms(), kind });
        self.seq += 1;
    }

    pub(super) fn status(&self) -> StreamStatus {
        let connections = self.slots.iter().enumerate().map(|(id, slot)| self.connection(id, slot)).collect();
        StreamStatus {
            connections,
            budget: self.budget(),
            events: self.events.iter().cloned().collect(),
            proposal: self.pool.propose(&self.loads, &self.settings.budget),
            narrowed_to: self.narrowed_to.clone(),
            narrowing_cost: self.narrowing_cost(),
            finished: (0..self.slots.len()).all(|id| self.stopped(id) || self.pool.is_resting(id)),
            token_refused: self.token_refused.clone(),
        }
    }

    fn connection(&self, id: usize, slot: &Slot) -> ConnectionStatus {
        ConnectionStatus {
            id,
            endpoint: self
                .places
                .get(slot.place)
                .map_or_else(Arc::default, |place| place.settings.endpoint.host.clone()),
            state: slot.state,
            since_ms: slot.since_ms,
            cause: slot.cause.clone(),
            groups: self.pool.groups(id),
            throttle: slot.throttle,
            filter_version: slot.sent,
            active_version: slot.active,
            reconnects: slot.opened.saturating_sub(1),
            last_message_ms: slot.vitals.last_message_ms(),
            last_data_ms: slot.vitals.last_data_ms(),
            permits_in_window: self.places.iter().map(|place| place.gate.used_by(id)).sum(),
            narrowed: slot.is_narrowed(),
            standby: self.pool.is_standby(id),
        }
    }
}

/// Waits until any of the budgets has changed.
async fn changed(places: &[Place]) {
    let all = places.iter().map(|place| Box::pin(place.gate.changed()));
    select_all(all).await;
}

/// Resolves when what a connection has settled has changed: a source may have paid what it owed.
async fn any_went_on(slots: &[Slot]) {
    select_all(slots.iter().map(|slot| Box::pin(slot.vitals.went_on()))).await;
}

/// Resolves at that time, if there is one.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => pending().await,
    }
}

pub(super) fn unique(ids: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut ids: Vec<usize> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
