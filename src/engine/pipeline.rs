//! Batches in, views out: a plain state machine that holds the market and all measurements.

mod face;
mod lane;

use std::{collections::HashMap, sync::Arc, vec::IntoIter};

use bytes::Bytes;

use self::{
    face::Slow,
    lane::{Busy, Lane},
};
use super::{
    alerts::Watch,
    compare::Comparison,
    ingest::Note,
    meter::Meter,
    parsed::Parsed,
    slots::SlotClock,
    unfiltered::{self, Unfiltered},
    view::SourceView,
};
use crate::{
    chain::{
        group::{Group, GroupSet, Groups},
        ids::{Mint, Signature},
        program::Program,
    },
    decode::{Attempt, EventRef, EventRefs, Transfer, Undecoded, tally::UndecodedReason},
    market::{
        Arrived, Market,
        change::{Change, Status},
        input::{Batch, Item, ItemKind, Transaction},
    },
    mev::{AlertRules, AlertView, Examined, Weights},
    stream::{
        ProofMode,
        balancer::ConnectionLoad,
        checkpoint::CheckpointView,
        completeness::{Completeness, SlotProof},
        forecast::Forecast,
        status::ConnectionStatus,
    },
};

/// Longest time that the charts show, in milliseconds: a stream without slots and transactions for so long is quiet.
const QUIET_MS: i64 = 60_000;
/// Without slots and transactions for so long, in milliseconds, no rate is measured.
const SILENT_MS: i64 = 5_000;
/// Rows kept of the undecoded table: discriminators are chosen by strangers.
const MAX_UNDECODED: usize = 256;

/// What the transactions of a batch say, each its own part of it, in order.
struct Told {
    events: EventRefs,
    undecoded: IntoIter<Undecoded>,
    transfers: IntoIter<Transfer>,
    attempts: IntoIter<Attempt>,
}

impl Told {
    /// Leaves out what a duplicate says: it must not be taken for the next transaction's.
    fn pass(&mut self, transaction: &Transaction) {
        self.events.pass(transaction.events as usize);
        self.undecoded.by_ref().take(transaction.undecoded as usize).for_each(drop);
        self.transfers.by_ref().take(transaction.transfers as usize).for_each(drop);
        self.attempts.by_ref().take(transaction.attempts as usize).for_each(drop);
    }
}

/// Everything between the connections and the view.
#[derive(Debug)]
pub(super) struct Pipeline {
    source: Arc<SourceView>,
    status: Status,
    started_ms: i64,
    market: Market,
    watch: Watch,
    slots: SlotClock,
    completeness: Completeness,
    /// Of endpoints that bring the same, if there are such.
    comparison: Option<Comparison>,
    /// Slots that stand otherwise than before and were not told yet.
    proofs: Vec<SlotProof>,
    total: Lane,
    names: Groups,
    /// By [`Group::index`].
    groups: Vec<Lane>,
    connections: Vec<Lane>,
    programs: [Parsed; Program::ALL.len()],
    undecoded: HashMap<(Program, [u8; 8], UndecodedReason), (u64, Signature)>,
    undecoded_dropped: u64,
    transactions: u64,
    duplicates: u64,
    bad_frames: u64,
    unwanted: u64,
    unfiltered: Unfiltered,
    receive: Meter,
    decode_busy: Busy,
    connection_busy: Vec<Busy>,
    /// Transactions per second of each group, ahead.
    forecasts: Vec<Forecast>,
    events: Meter,
    /// Trades that the detectors looked at.
    legs: Meter,
    market_busy: Busy,
    detect_busy: Busy,
    publish: Meter,
    /// Items a sink could not take.
    pub(super) sink_dropped: u64,
    /// Where the next run would go on.
    pub(super) checkpoint: Option<CheckpointView>,
    queue_fill: f64,
    /// When the last slot or transaction was taken, in milliseconds since the Unix epoch; before that, the start.
    moved_ms: i64,
    seq: u64,
    /// Parts of the view that change once a second at most.
    slow: Option<Slow>,
}

impl Pipeline {
    /// US dollars per SOL to go by while the stream does not tell.
    pub(super) fn assume_sol_usd(&mut self, price: Option<f64>) {
        self.market.assume_sol_usd(price);
    }

    pub(super) fn new(
        source: SourceView,
        connections: usize,
        proof: ProofMode,
        rules: AlertRules,
        names: Groups,
        now_ms: i64,
    ) -> Self {
        let now_s = now_ms / 1_000;
        let status = match source.commitment {
            "confirmed" => Status::Confirmed,
            "finalized" => Status::Finalized,
            _ => Status::Processed,
        };
        Self {
            source: Arc::new(source),
            status,
            started_ms: now_ms,
            market: Market::default(),
            watch: Watch::new(rules, status != Status::Processed),
            slots: SlotClock::default(),
            completeness: Completeness::new(proof),
            comparison: None,
            proofs: Vec::new(),
            total: Lane::new(now_s),
            groups: names.iter().map(|_| Lane::new(now_s)).collect(),
            connections: (0..connections).map(|_| Lane::new(now_s)).collect(),
            programs: Program::ALL.map(|_| Parsed::new(now_s)),
            undecoded: HashMap::new(),
            undecoded_dropped: 0,
            transactions: 0,
            duplicates: 0,
            bad_frames: 0,
            unwanted: 0,
            unfiltered: Unfiltered::default(),
            receive: Meter::new(now_s),
            decode_busy: Busy::default(),
            connection_busy: (0..connections).map(|_| Busy::default()).collect(),
            forecasts: names.iter().map(|_| Forecast::default()).collect(),
            names,
            events: Meter::new(now_s),
            legs: Meter::new(now_s),
            market_busy: Busy::default(),
            detect_busy: Busy::default(),
            publish: Meter::new(now_s),
            sink_dropped: 0,
            checkpoint: None,
            queue_fill: 0.0,
            moved_ms: now_ms,
            seq: 0,
            slow: None,
        }
    }

    /// Applies a batch; appends what it changed and the frames that arrived for the first time (kept ones only).
    pub(super) fn apply(
        &mut self,
        batch: Batch,
        now_ms: i64,
        changes: &mut Vec<Change>,
        frames: &mut Vec<(Bytes, i64)>,
    ) {
        let started = std::time::Instant::now();
        let now_s = now_ms / 1_000;
        self.receive.count(now_s, u32::try_from(batch.frames).unwrap_or(u32::MAX), batch.bytes);
        self.decode_busy.ns += batch.busy_ns;
        self.bad_frames += batch.bad_frames;
        self.unwanted += batch.unwanted;
        if let Some(lane) = self.connections.get_mut(batch.connection) {
            lane.meter.count(now_s, 0, batch.bytes);
        }
        if let Some(busy) = self.connection_busy.get_mut(batch.connection) {
            busy.ns += batch.busy_ns;
        }
        if !batch.items.is_empty() {
            self.moved_ms = now_ms;
        }
        let mut told = Told {
            events: EventRef::each(batch.events),
            undecoded: batch.undecoded.into_iter(),
            transfers: batch.transfers.into_iter(),
            attempts: batch.attempts.into_iter(),
        };
        for item in batch.items {
            let new = match &item.kind {
                ItemKind::Slot { slot, status, parent } => {
                    let new = self.slots.status(*slot, *status, item.recv_us, item.replayed);
                    if new {
                        self.market.slot(*slot, *parent, *status, changes);
                    }
                    new
                }
                ItemKind::BlockMeta { slot, parent } => {
                    self.market.parent(*slot, *parent);
                    self.slots.meta(*slot)
                }
                ItemKind::Account { slot, address, account } => {
                    let recv_ms = item.recv_us.div_euclid(1_000);
                    self.market.account(*slot, *address, account, recv_ms);
                    // Each write is sent on each connection that asks for it; a recording holds them all.
                    true
                }
                ItemKind::Transaction(transaction) => {
                    self.transaction(batch.connection, &item, transaction, &mut told, changes)
                }
            };
            if new && let Some(frame) = item.frame {
                frames.push((frame, item.recv_us));
            }
        }
        self.market.release(now_ms, changes);
        self.market_busy.ns += u64::try_from(started.elapsed().as_nanos()).unwrap_or(0);
        self.detect(changes);
    }

    /// Opens a token's page, or closes it.
    pub(super) fn open(&mut self, mint: Option<Mint>) {
        self.market.open(mint);
    }

    /// Judges alerts by these rules from now on.
    pub(super) fn judge_by(&mut self, rules: Arc<AlertRules>) {
        self.watch.judge_by(rules);
    }

    /// Shows the detectors what changed since they looked last.
    fn detect(&mut self, changes: &[Change]) {
        let started = std::time::Instant::now();
        let legs = self.watch.look(changes, &mut self.market);
        self.legs.count(self.moved_ms / 1_000, legs, 0);
        self.detect_busy.ns += u64::try_from(started.elapsed().as_nanos()).unwrap_or(0);
    }

    /// Alerts not handed on yet, each with how many of the changes come before it.
    pub(super) fn take_alerts(&mut self) -> Vec<(usize, Arc<AlertView>)> {
        self.watch.take()
    }

    /// Detectors that find the same each time.
    pub(super) fn predictable(&mut self) {
        self.watch.predictable(self.status != Status::Processed);
    }

    /// Detectors that weigh so, and keep what they look at.
    pub(super) fn study(&mut self, weights: &Weights) {
        self.watch.study(weights);
    }

    /// What was looked at since the last time.
    pub(super) fn examined(&mut self) -> Vec<Examined> {
        self.watch.examined()
    }

    /// Nothing more will come: what waits for something takes its place.
    pub(super) fn settle(&mut self, changes: &mut Vec<Change>) {
        self.market.settle(changes);
        self.detect(changes);
    }

    /// What has waited long enough takes its place.
    pub(super) fn release(&mut self, now_ms: i64, changes: &mut Vec<Change>) {
        self.market.release(now_ms, changes);
        self.detect(changes);
    }

    /// Whether the transaction was new.
    fn transaction(
        &mut self,
        connection: usize,
        item: &Item,
        transaction: &Transaction,
        told: &mut Told,
        changes: &mut Vec<Change>,
    ) -> bool {
        let (now_s, bytes) = (item.recv_us.div_euclid(1_000_000), u64::from(transaction.bytes));
        let latency_us = item.created_us.map(|created| item.recv_us - created);
        if let Some(lane) = self.connections.get_mut(connection) {
            lane.meter.count(now_s, 1, 0);
            lane.slot(transaction.slot);
            lane.failed += u64::from(transaction.failed);
            for program in transaction.tally.programs() {
                lane.parsed.add(transaction.tally.of(program));
            }
            if let Some(latency_us) = latency_us {
                lane.meter.latency(now_s, latency_us);
            }
        }
        if let Some(comparison) = &mut self.comparison {
            comparison.arrived(connection, item, transaction);
        }
        if !self.market.is_new(transaction) {
            self.duplicates += 1;
            told.pass(transaction);
            return false;
        }
        self.transactions += 1;
        self.total.meter.count(now_s, 1, bytes);
        self.total.slot(transaction.slot);
        self.total.failed += u64::from(transaction.failed);
        for program in transaction.tally.programs() {
            let counts = transaction.tally.of(program);
            self.total.parsed.add(counts);
            self.programs[program as usize].add(counts);
            if let Some(lane) = self.groups.get_mut(program.group().index()) {
                lane.parsed.add(counts);
            }
        }
        for group in transaction.groups.iter() {
            let Some(lane) = self.groups.get_mut(group.index()) else { continue };
            if matches!(group, Group::Own(_)) {
                // Whatever it calls is the group's, and of the venues' groups as well.
                for program in transaction.tally.programs() {
                    lane.parsed.add(transaction.tally.of(program));
                }
                lane.undecoded += u64::from(transaction.undecoded);
            }
            lane.meter.count(now_s, 1, bytes);
            lane.slot(transaction.slot);
            lane.failed += u64::from(transaction.failed);
            if let Some(latency_us) = latency_us {
                lane.meter.latency(now_s, latency_us);
            }
        }
        for missed in told.undecoded.by_ref().take(transaction.undecoded as usize) {
            self.missed(&missed);
        }
        self.events.count(now_s, transaction.events, 0);
        let recv_us = item.recv_us;
        let transfers = told.transfers.by_ref().take(transaction.transfers as usize);
        changes.extend(transfers.map(|transfer| Change::Transferred { transfer, recv_us }));
        let attempts = told.attempts.by_ref().take(transaction.attempts as usize);
        changes.extend(attempts.map(|attempt| Change::Attempted { attempt, recv_us }));
        let at = Arrived { connection, recv_us, status: self.status };
        for event in told.events.by_ref().take(transaction.events as usize) {
            self.market.apply(event, at, changes);
        }
        true
    }

    fn missed(&mut self, missed: &Undecoded) {
        if let Some(lane) = self.groups.get_mut(missed.program.group().index()) {
            lane.undecoded += 1;
        }
        self.total.undecoded += 1;
        let key = (missed.program, missed.discriminator, missed.reason);
        if self.undecoded.len() >= MAX_UNDECODED && !self.undecoded.contains_key(&key) {
            self.undecoded_dropped += 1;
            return;
        }
        self.undecoded.entry(key).or_insert((0, missed.signature)).0 += 1;
    }

    /// What the user is to be told of the stream after a second.
    pub(super) fn remark(&mut self) -> Option<&'static str> {
        self.unfiltered.second(self.unwanted, self.transactions).then_some(unfiltered::WORDS)
    }

    /// Closes a second, or several when nothing moves: rates, percentiles and ageing figures are taken anew. Gives bytes/s by group for the balancer.
    pub(super) fn second(&mut self, now_ms: i64, queue_fill: f64) {
        let now_s = now_ms / 1_000;
        self.queue_fill = queue_fill;
        self.programs.iter_mut().for_each(|parsed| parsed.advance(now_s));
        for lane in self.groups.iter_mut().chain(&mut self.connections).chain([&mut self.total]) {
            lane.parsed.advance(now_s);
            lane.meter.advance(now_s);
        }
        for meter in [&mut self.receive, &mut self.events, &mut self.legs, &mut self.publish] {
            meter.advance(now_s);
        }
        self.decode_busy.close(now_ms);
        self.market_busy.close(now_ms);
        self.detect_busy.close(now_ms);
        self.connection_busy.iter_mut().for_each(|busy| busy.close(now_ms));
        // Of a stream that says nothing, nothing is known: least of all that there are no transactions.
        if now_ms.saturating_sub(self.moved_ms) <= SILENT_MS {
            for (lane, forecast) in self.groups.iter().zip(&mut self.forecasts) {
                if let Some(rate) = lane.meter.rate() {
                    forecast.observe(rate);
                }
            }
        }
        self.market.age(now_ms);
        self.slow = None;
    }

    /// This connection brings what the ones before it bring as well.
    pub(super) fn expect_standby(&mut self, standby: Option<(usize, GroupSet)>) {
        self.completeness.expect_standby(standby.map(|(connection, _)| connection));
        self.comparison = standby.map(|(_, groups)| Comparison::new(groups));
    }

    /// Where the connections are now.
    pub(super) fn follow(&mut self, connections: &[ConnectionStatus]) {
        self.completeness.narrow(connections.iter().any(|status| status.narrowed));
        if let Some(comparison) = &mut self.comparison {
            comparison.follow(connections);
        }
    }

    /// Takes what a connection says of its slots.
    pub(super) fn note(&mut self, connection: usize, notes: &[Note]) {
        for note in notes {
            match note {
                Note::Slot(record, share) => self.completeness.record(connection, *record, *share, &mut self.proofs),
                Note::Gap(gap, needs) => self.completeness.gap(gap, *needs, &mut self.proofs),
                Note::TakenOver { connection, from_slot } => {
                    self.completeness.taken_over(*connection, *from_slot, &mut self.proofs);
                }
            }
        }
    }

    /// The newest slot up to which nothing is open.
    pub(super) fn sealed(&self) -> Option<u64> {
        self.completeness.sealed()
    }

    /// Slots that stand otherwise than when this was called last.
    pub(super) fn take_proofs(&mut self) -> Vec<SlotProof> {
        std::mem::take(&mut self.proofs)
    }

    /// Whether no slot and no transaction has come for so long that none of the figures moves any more.
    pub(super) const fn is_quiet(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.moved_ms) > QUIET_MS
    }

    /// A view was published: it showed something new.
    pub(super) fn published(&mut self, now_ms: i64) {
        self.publish.count(now_ms / 1_000, 1, 0);
    }

    /// Each group with its bytes per second, where they are known.
    pub(super) fn group_loads(&self) -> impl Iterator<Item = (Group, f64)> {
        let loads = self.names.iter().zip(&self.groups);
        loads.filter_map(|(group, lane)| Some((group, lane.meter.bytes_per_s()?)))
    }

    /// What each connection brings, and how much of what it can do that is.
    pub(super) fn connection_loads(&self) -> Vec<ConnectionLoad> {
        let loads = self.connections.iter().zip(&self.connection_busy).enumerate();
        let load = |(connection, (lane, busy)): (usize, (&Lane, &Busy))| {
            let bytes_per_s = lane.meter.bytes_per_s()?;
            Some(ConnectionLoad { connection, bytes_per_s, busy: busy.share, queue_fill: self.queue_fill })
        };
        loads.filter_map(load).collect()
    }
}

#[cfg(test)]
mod tests;
