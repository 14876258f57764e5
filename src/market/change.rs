//! What a batch changed, in order: the source of the events output.

use crate::{
    chain::{group::Group, ids::Mint},
    decode::Event,
};

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    /// A fact of the chain, once.
    Chain(Box<ChainEvent>),
    /// A token's progress moved.
    Progress {
        /// Slot of the trade.
        slot: u64,
        /// When it arrived, in milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The token.
        mint: Mint,
        /// 0–100, floored to 0.01.
        progress_pct: f64,
    },
    /// A token passed a milestone of progress for the first time since it is known.
    Milestone {
        /// Slot of the trade.
        slot: u64,
        /// When it arrived, in milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The token.
        mint: Mint,
        /// Percent.
        progress_pct: u8,
    },
}

/// How sure the chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Executed by the leader's bank.
    Processed,
    /// Voted for by a supermajority.
    Confirmed,
    /// Rooted.
    Finalized,
}

impl Status {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Confirmed => "confirmed",
            Self::Finalized => "finalized",
        }
    }
}

/// A chain event with what the engine knows around it.
#[derive(Clone, Debug)]
pub struct ChainEvent {
    /// The event.
    pub event: Event,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub recv_ms: i64,
    /// Group of its venue.
    pub group: Group,
    /// Connection on which it arrived first.
    pub connection: usize,
    /// Status at which it was accepted.
    pub status: Status,
    /// SOL per whole token after a trade.
    pub price_sol: Option<f64>,
    /// Market cap in SOL after a trade.
    pub market_cap_sol: Option<f64>,
}
