//! The truth that tests and the `serve` command compare with: every subscribe call and every request applied, in order.

use std::{collections::VecDeque, time::SystemTime};

use tonic::Code;
use yellowstone_grpc_proto::geyser::SubscribeRequest;

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
}

/// A bounded, ordered log.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    entries: VecDeque<OracleEntry>,
}

impl Oracle {
    pub(super) fn note(&mut self, event: OracleEvent) {
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(OracleEntry { at: SystemTime::now(), event });
    }

    pub(super) fn entries(&self) -> Vec<OracleEntry> {
        self.entries.iter().cloned().collect()
    }
}
