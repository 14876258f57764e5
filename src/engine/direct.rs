//! The stages without sockets, threads and clocks: frames in, what would be told out. For whoever measures what the program
//! finds in a stream of millions of updates.

use bytes::Bytes;

use super::{
    Emitted, emit,
    ingest::Ingest,
    pipeline::Pipeline,
    view::{SourceKind, SourceView, StageView, View},
};
use crate::{
    chain::{group::Groups, ids::Mint, wire::Update},
    market::change::Change,
    mev::{AlertRules, Examined, Weights},
    stream::{Arrival, ProofMode, Sink, status::StreamStatus},
};

/// See the module.
#[derive(Debug)]
pub struct Direct {
    ingest: Ingest,
    pipeline: Pipeline,
    changes: Vec<Change>,
}

impl Direct {
    /// One connection's worth of it.
    #[must_use]
    pub fn new() -> Self {
        let source = SourceView {
            kind: SourceKind::Replay,
            provider: String::new(),
            endpoints: Vec::new(),
            commitment: "processed",
        };
        Self::of(source, 0)
    }

    /// The same of a source that begins at this time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn of(source: SourceView, now_ms: i64) -> Self {
        let groups = Groups::default();
        let mut pipeline = Pipeline::new(source, 1, ProofMode::Chain, AlertRules::default(), groups.clone(), now_ms);
        pipeline.predictable();
        Self { ingest: Ingest::new(0, false, groups), pipeline, changes: Vec::new() }
    }

    /// Detectors that weigh so, and keep what they looked at for [`examined`](Self::examined).
    pub fn study(&mut self, weights: &Weights) {
        self.pipeline.study(weights);
    }

    /// What was looked at since the last time.
    pub fn examined(&mut self) -> Vec<Examined> {
        self.pipeline.examined()
    }

    /// Takes an encoded update that arrived at this time, in microseconds since the Unix epoch; what it makes known.
    pub fn update(&mut self, frame: &Bytes, recv_us: i64) -> Vec<Emitted> {
        let arrival = Arrival { unix_us: recv_us, replayed: false };
        match Update::scan(frame) {
            Ok(update) => self.ingest.on_update(frame, &update, arrival),
            Err(error) => self.ingest.on_bad_frame(frame, error, arrival),
        }
        if let Some(delivery) = self.ingest.take_batch() {
            self.pipeline.apply(delivery.batch, recv_us.div_euclid(1_000), &mut self.changes, &mut Vec::new());
        }
        emit::told(&mut self.changes, self.pipeline.take_alerts())
    }

    /// Opens a token's page, or closes it.
    pub fn open(&mut self, mint: Option<Mint>) {
        self.pipeline.open(mint);
    }

    /// A second is over.
    pub fn second(&mut self, now_ms: i64) {
        self.pipeline.second(now_ms, 0.0);
        self.pipeline.release(now_ms, &mut self.changes);
        // Handed on together: what the detectors have seen is counted by the changes.
        self.pipeline.take_alerts();
        self.changes.clear();
    }

    /// What would be shown, but for what this machine's work took: the same updates give the same view.
    pub fn view(&mut self, now_ms: i64, streams: &StreamStatus, finished: bool) -> View {
        let mut view = self.pipeline.view(now_ms, streams, finished);
        view.pipeline = view.pipeline.iter().map(|stage| StageView { busy: None, ..stage.clone() }).collect();
        view
    }

    /// Nothing more will come: what waited for something takes its place.
    pub fn finish(&mut self) -> Vec<Emitted> {
        self.pipeline.settle(&mut self.changes);
        emit::told(&mut self.changes, self.pipeline.take_alerts())
    }
}

impl Default for Direct {
    fn default() -> Self {
        Self::new()
    }
}
