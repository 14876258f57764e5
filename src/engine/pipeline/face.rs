//! What the pipeline shows of itself: the view of an instant.

use std::sync::Arc;

use super::Pipeline;
use crate::{
    chain::{group::Groups, program::Program},
    engine::{
        compare::Comparison,
        view::{
            ConnectionView, EndpointView, GroupView, LatencyView, ParsedView, ProgramView, StageView, TotalsView,
            UndecodedView, View, carried,
        },
    },
    stream::{
        completeness::CompletenessView,
        forecast::Forecast,
        status::{StreamEventKind, StreamStatus},
    },
};

/// Rows shown of the undecoded table.
const SHOWN_UNDECODED: usize = 32;

/// See [`Pipeline::slow`].
#[derive(Debug)]
pub(super) struct Slow {
    groups: Arc<[GroupView]>,
    pipeline: Arc<[StageView]>,
    undecoded: Arc<[UndecodedView]>,
    programs: Arc<[ProgramView]>,
    completeness: Arc<CompletenessView>,
    endpoints: Arc<[EndpointView]>,
    connections: Vec<Measured>,
    tps: Option<f64>,
    bytes_per_s: Option<f64>,
}

/// Measurements of a connection.
#[derive(Clone, Copy, Debug)]
struct Measured {
    tps: Option<f64>,
    bytes_per_s: Option<f64>,
    latency: Option<LatencyView>,
}

impl Pipeline {
    /// The view of this instant.
    pub(in crate::engine) fn view(&mut self, now_ms: i64, streams: &StreamStatus, finished: bool) -> View {
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
            endpoints: slow.endpoints.clone(),
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
            endpoints: self.comparison.as_ref().map_or_else(Arc::default, Comparison::view),
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
            stage("detect", self.legs.rate(), self.detect_busy.share, None, self.watch.forgotten()),
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
