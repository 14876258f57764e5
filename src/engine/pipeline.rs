//! Batches in, views out: a plain state machine that holds the market and all measurements.

use std::{collections::HashMap, sync::Arc, vec::IntoIter};

use bytes::Bytes;

use super::{
    alerts::Watch,
    ingest::Note,
    meter::Meter,
    parsed::Parsed,
    slots::SlotClock,
    view::{
        ConnectionView, GroupView, ParsedView, ProgramView, SourceView, StageView, TotalsView, UndecodedView, View,
        carried,
    },
};
use crate::{
    chain::{
        group::{Group, Groups},
        ids::{Mint, Signature},
        program::Program,
    },
    decode::{Attempt, Event, Transfer, Undecoded, tally::UndecodedReason},
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
        completeness::{Completeness, CompletenessView, SlotProof},
        forecast::Forecast,
        status::{StreamEventKind, StreamStatus},
    },
};

/// Longest time that the charts show, in milliseconds: a stream without slots and transactions for so long is quiet.
const QUIET_MS: i64 = 60_000;
/// Without slots and transactions for so long, in milliseconds, no rate is measured.
const SILENT_MS: i64 = 5_000;
/// Rows kept of the undecoded table: discriminators are chosen by strangers.
const MAX_UNDECODED: usize = 256;
/// Rows shown.
const SHOWN_UNDECODED: usize = 32;

/// What the transactions of a batch say, each its own part of it, in order.
struct Told {
    events: IntoIter<Event>,
    undecoded: IntoIter<Undecoded>,
    transfers: IntoIter<Transfer>,
    attempts: IntoIter<Attempt>,
}

impl Told {
    /// Leaves out what a duplicate says: it must not be taken for the next transaction's.
    fn pass(&mut self, transaction: &Transaction) {
        self.events.by_ref().take(transaction.events as usize).for_each(drop);
        self.undecoded.by_ref().take(transaction.undecoded as usize).for_each(drop);
        self.transfers.by_ref().take(transaction.transfers as usize).for_each(drop);
        self.attempts.by_ref().take(transaction.attempts as usize).for_each(drop);
    }
}

/// Measurements of one lane: a group, a connection, or the whole.
#[derive(Debug)]
struct Lane {
    meter: Meter,
    parsed: Parsed,
    failed: u64,
    undecoded: u64,
    newest_slot: Option<u64>,
}

impl Lane {
    fn new(now_s: i64) -> Self {
        Self { meter: Meter::new(now_s), parsed: Parsed::new(now_s), failed: 0, undecoded: 0, newest_slot: None }
    }

    fn slot(&mut self, slot: u64) {
        self.newest_slot = Some(self.newest_slot.map_or(slot, |newest| newest.max(slot)));
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
    receive: Meter,
    decode_busy: Busy,
    connection_busy: Vec<Busy>,
    /// Transactions per second of each group, ahead.
    forecasts: Vec<Forecast>,
    events: Meter,
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

/// See [`Pipeline::slow`].
#[derive(Debug)]
struct Slow {
    groups: Arc<[GroupView]>,
    pipeline: Arc<[StageView]>,
    undecoded: Arc<[UndecodedView]>,
    programs: Arc<[ProgramView]>,
    completeness: Arc<CompletenessView>,
    connections: Vec<Measured>,
    tps: Option<f64>,
    bytes_per_s: Option<f64>,
}

/// Measurements of a connection.
#[derive(Clone, Copy, Debug)]
struct Measured {
    tps: Option<f64>,
    bytes_per_s: Option<f64>,
    latency: Option<super::view::LatencyView>,
}

/// Share of the time a stage works.
#[derive(Debug, Default)]
struct Busy {
    ns: u64,
    since_ms: i64,
    share: Option<f64>,
}

impl Busy {
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    fn close(&mut self, now_ms: i64) {
        let passed = now_ms - self.since_ms;
        if self.since_ms > 0 && passed > 0 {
            self.share = Some(self.ns as f64 / 1e6 / passed as f64);
        }
        self.ns = 0;
        self.since_ms = now_ms;
    }
}

impl Pipeline {
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
            receive: Meter::new(now_s),
            decode_busy: Busy::default(),
            connection_busy: (0..connections).map(|_| Busy::default()).collect(),
            forecasts: names.iter().map(|_| Forecast::default()).collect(),
            names,
            events: Meter::new(now_s),
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
            events: batch.events.into_iter(),
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
                ItemKind::Account { address, account, .. } => {
                    self.market.account(*address, account, item.recv_us.div_euclid(1_000));
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

    /// Shows the detectors what changed since they looked last.
    fn detect(&mut self, changes: &[Change]) {
        let started = std::time::Instant::now();
        self.watch.look(changes, &mut self.market);
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
    pub(super) fn study(&mut self, weights: Weights) {
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
            for program in Program::ALL {
                lane.parsed.add(transaction.tally.of(program));
            }
            if let Some(latency_us) = latency_us {
                lane.meter.latency(now_s, latency_us);
            }
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
        for program in Program::ALL {
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
                for program in Program::ALL {
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

    /// Closes a second, or several when nothing moves: rates, percentiles and ageing figures are taken anew. Gives bytes/s by group for the balancer.
    pub(super) fn second(&mut self, now_ms: i64, queue_fill: f64) {
        let now_s = now_ms / 1_000;
        self.queue_fill = queue_fill;
        self.programs.iter_mut().for_each(|parsed| parsed.advance(now_s));
        for lane in self.groups.iter_mut().chain(&mut self.connections).chain([&mut self.total]) {
            lane.parsed.advance(now_s);
            lane.meter.advance(now_s);
        }
        for meter in [&mut self.receive, &mut self.events, &mut self.publish] {
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

    /// Whether only some tokens are asked for.
    pub(super) const fn narrow(&mut self, narrows: bool) {
        self.completeness.narrow(narrows);
    }

    /// Takes what a connection says of its slots.
    pub(super) fn note(&mut self, connection: usize, notes: &[Note]) {
        for note in notes {
            match note {
                Note::Slot(record) => self.completeness.record(connection, *record, &mut self.proofs),
                Note::Gap(gap) => self.completeness.gap(gap, &mut self.proofs),
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

    /// The view of this instant.
    pub(super) fn view(&mut self, now_ms: i64, streams: &StreamStatus, finished: bool) -> View {
        self.seq += 1;
        let slow = match self.slow.take() {
            Some(slow) => slow,
            None => self.measure(now_ms, streams),
        };
        let newest = self.slots.newest();
        let behind = |slot: Option<u64>| newest.zip(slot).map(|(newest, slot)| newest.saturating_sub(slot));
        let connections = streams.connections.iter().map(|status| {
            let lane = self.connections.get(status.id);
            let measured = slow.connections.get(status.id);
            ConnectionView {
                status: status.clone(),
                tps: measured.and_then(|measured| measured.tps),
                bytes_per_s: measured.and_then(|measured| measured.bytes_per_s),
                latency: measured.and_then(|measured| measured.latency),
                slot_lag: behind(lane.and_then(|lane| lane.newest_slot)),
                queue_fill: self.queue_fill,
                parsed: lane.map_or_else(ParsedView::default, |lane| lane.parsed.view()),
            }
        });
        let view = View {
            seq: self.seq,
            now_ms,
            #[allow(clippy::cast_precision_loss, reason = "milliseconds since the start")]
            uptime_s: (now_ms - self.started_ms).max(0) as f64 / 1_000.0,
            source: self.source.clone(),
            totals: TotalsView {
                slot: newest,
                slots_behind: behind(self.total.newest_slot),
                slot_time_ms: self.slots.slot_time_ms(),
                tps: slow.tps,
                bytes_per_s: slow.bytes_per_s,
                transactions: self.transactions,
                failed: self.total.failed,
                duplicates: self.duplicates,
                bad_frames: self.bad_frames,
                unwanted: self.unwanted,
                parsed: self.total.parsed.view(),
                trades: self.market.trade_count(),
            },
            connections: connections.collect(),
            budget: Arc::new(streams.budget.clone()),
            proposal: Arc::new(streams.proposal.clone()),
            narrowed_to: streams.narrowed_to.clone(),
            narrowing_cost: streams.narrowing_cost,
            groups: slow.groups.clone(),
            names: self.names.clone(),
            tokens: self.market.shown_tokens(now_ms),
            tokens_known: self.market.tokens_known(),
            detail: self.market.detail(now_ms),
            pools: self.market.shown_pools(),
            pools_known: self.market.pools_known(),
            sol_usd: self.market.sol_usd(),
            eta_score: self.market.eta_score(),
            trades: self.market.trades(),
            lifecycle: self.market.steps(),
            alerts: self.watch.feed(),
            alerts_muted: self.watch.muted(),
            pipeline: slow.pipeline.clone(),
            undecoded: slow.undecoded.clone(),
            programs: slow.programs.clone(),
            notice: notice(streams, &self.names),
            completeness: slow.completeness.clone(),
            finished,
            token_refused: streams.token_refused.clone(),
        };
        self.slow = Some(slow);
        view
    }

    fn measure(&mut self, now_ms: i64, streams: &StreamStatus) -> Slow {
        let now_s = now_ms / 1_000;
        let newest = self.slots.newest();
        let lanes = self.names.iter().zip(&mut self.groups);
        let groups = lanes.map(|(group, lane)| {
            let carriers = streams.connections.iter().filter(|status| carried(status).contains(group));
            GroupView {
                group,
                connections: carriers.map(|status| status.id).collect(),
                tps: lane.meter.rate(),
                peak_tps: lane.meter.peak(),
                per_second: lane.meter.per_second(),
                latency: lane.meter.latency_view(now_s),
                slot_lag: newest.zip(lane.newest_slot).map(|(newest, slot)| newest.saturating_sub(slot)),
                parsed: lane.parsed.view(),
                undecoded: lane.undecoded,
                failed: lane.failed,
                bytes_per_s: lane.meter.bytes_per_s(),
                forecast: self.forecasts.get(group.index()).and_then(Forecast::view),
            }
        });
        let groups = groups.collect();
        let connections = self.connections.iter_mut().map(|lane| Measured {
            tps: lane.meter.rate(),
            bytes_per_s: lane.meter.bytes_per_s(),
            latency: lane.meter.latency_view(now_s),
        });
        let connections = connections.collect();
        let mut undecoded: Vec<_> = self.undecoded.iter().collect();
        undecoded.sort_by_key(|(key, (count, _))| (std::cmp::Reverse(*count), **key));
        let undecoded = undecoded.into_iter().take(SHOWN_UNDECODED);
        let undecoded = undecoded.map(|((program, discriminator, reason), (count, example))| UndecodedView {
            program: *program,
            discriminator: *discriminator,
            reason: *reason,
            count: *count,
            example: *example,
        });
        Slow {
            groups,
            connections,
            undecoded: undecoded.collect(),
            programs: self.programs(),
            completeness: Arc::new(CompletenessView {
                checkpoint: self.checkpoint.clone(),
                ..self.completeness.view()
            }),
            pipeline: self.stages(),
            tps: self.total.meter.rate(),
            bytes_per_s: self.receive.bytes_per_s(),
        }
    }

    /// The programs that were called.
    fn programs(&self) -> Arc<[ProgramView]> {
        let programs = Program::ALL.into_iter().zip(&self.programs);
        let called = programs.filter(|(_, parsed)| parsed.total().invocations > 0);
        called.map(|(program, parsed)| ProgramView { program, parsed: parsed.view() }).collect()
    }

    fn stages(&self) -> Arc<[StageView]> {
        let stage = |name, rate, busy, queue_fill, dropped| StageView { name, rate, queue_fill, busy, dropped };
        Arc::from([
            stage("receive", self.receive.rate(), None, None, 0),
            stage("decode", self.total.meter.rate(), self.decode_busy.share, None, self.bad_frames),
            stage("market", self.events.rate(), self.market_busy.share, Some(self.queue_fill), self.market.evicted()),
            stage("detect", None, self.detect_busy.share, None, self.watch.forgotten()),
            stage("publish", self.publish.rate(), None, None, self.sink_dropped),
        ])
    }
}

/// The newest stream event that answers the user.
fn notice(streams: &StreamStatus, names: &Groups) -> Option<(u64, Arc<str>)> {
    streams.events.iter().rev().find_map(|event| match &event.kind {
        StreamEventKind::State { .. } | StreamEventKind::Gap(_) => None,
        answer => Some((event.seq, answer.words(names).into())),
    })
}

#[cfg(test)]
mod tests;
