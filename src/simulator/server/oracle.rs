//! The truth that tests and the `serve` command compare with: every subscribe call and every request applied, in order.
//! With a writer, every update too, as JSON lines.

use std::{collections::VecDeque, time::SystemTime};

use tonic::Code;
use yellowstone_grpc_proto::geyser::SubscribeRequest;

use super::{message::Facts, oracle_writer::OracleWriter};

/// Entries kept: the oldest are forgotten first.
const KEPT: usize = 100_000;

/// One thing the server was asked or did.
#[derive(Clone, Debug)]
pub struct OracleEntry {
    /// When, by the server's clock.
    pub at: SystemTime,
    /// What.
    pub event: OracleEvent,
}

/// See [`OracleEntry`].
#[derive(Clone, Debug, PartialEq)]
pub enum OracleEvent {
    /// A subscribe call was accepted as this stream.
    Subscribed {
        /// The stream's number, from 1.
        stream: u64,
        /// The connection's, from 1, where a fault plan has them counted.
        connection: Option<usize>,
    },
    /// A call was refused.
    Refused {
        /// With this code.
        code: Code,
        /// And this message.
        message: String,
    },
    /// A request took effect on a live stream.
    Applied {
        /// The stream.
        stream: u64,
        /// The request.
        request: Box<SubscribeRequest>,
    },
    /// A stream was ended with an error.
    Cut {
        /// The stream.
        stream: u64,
        /// With this code.
        code: Code,
        /// And this message.
        message: String,
    },
    /// A stream is gone: ended and drained, or dropped by its client.
    Closed {
        /// The stream.
        stream: u64,
    },
    /// A slot died after its data was sent.
    Dead {
        /// The slot.
        slot: u64,
    },
}

/// One update that a stream had asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) at: SystemTime,
    pub(super) stream: u64,
    /// The field of `SubscribeUpdate` it is.
    pub(super) kind: &'static str,
    pub(super) facts: Facts,
    /// What became of it: `sent`, `replayed`, or why it was not sent.
    pub(super) fate: &'static str,
}

/// A bounded, ordered log, and the way out.
#[derive(Debug)]
pub(super) struct Oracle {
    entries: VecDeque<OracleEntry>,
    writer: Option<OracleWriter>,
    clock: fn() -> SystemTime,
}

impl Oracle {
    pub(super) fn new(writer: Option<OracleWriter>, clock: fn() -> SystemTime) -> Self {
        Self { entries: VecDeque::new(), writer, clock }
    }

    pub(super) fn note(&mut self, event: OracleEvent) {
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        let entry = OracleEntry { at: (self.clock)(), event };
        if let Some(writer) = &self.writer {
            writer.event(entry.clone());
        }
        self.entries.push_back(entry);
    }

    /// Notes an update, for the writer only.
    pub(super) fn update(&self, stream: u64, kind: &'static str, facts: &Facts, fate: &'static str) {
        if let Some(writer) = &self.writer {
            writer.update(Asked { at: (self.clock)(), stream, kind, facts: *facts, fate });
        }
    }

    pub(super) fn entries(&self) -> Vec<OracleEntry> {
        self.entries.iter().cloned().collect()
    }
}
