//! What a batch changed, in order: the source of the events output.

use super::{
    reserve_chain::{Link, Placed},
    view::EtaView,
};
use crate::{
    chain::{
        group::Group,
        ids::{Mint, Pool, Signature},
    },
    decode::{Attempt, EventRef, Transfer, event::Path},
};

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    /// A fact of the chain, once; of one pool in the order in which they happened.
    Chain(ChainEvent),
    /// The slot of a chain event told before is dead: the event did not happen. A slot's retractions follow [`Change::Dead`].
    Retracted {
        /// The dead slot.
        slot: u64,
        /// The transaction.
        signature: Signature,
        /// See [`Event::path`](crate::decode::Event::path).
        path: Path,
        /// See [`Event::event_index`](crate::decode::Event::event_index).
        event_index: u16,
    },
    /// Tokens or lamports changed hands beside the trades of the same transaction, which come later.
    Transferred {
        /// What.
        transfer: Transfer,
        /// When it arrived, in microseconds since the Unix epoch.
        recv_us: i64,
    },
    /// A swap failed: nothing happened.
    Attempted {
        /// What was asked for.
        attempt: Attempt,
        /// When it arrived, in microseconds since the Unix epoch.
        recv_us: i64,
    },
    /// A slot that never happened.
    Dead(u64),
    /// A slot that will not be undone any more.
    Confirmed(u64),
    /// Something between two trades of a pool is missing.
    ChainBroken {
        /// Slot of the trade after the gap.
        slot: u64,
        /// When it arrived, in milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The pool.
        pool: Pool,
        /// Its token.
        mint: Mint,
        /// Connection on which that trade arrived.
        connection: usize,
    },
    /// Something is told of a pool, after the event that shows it.
    Alarm {
        /// Slot of that event.
        slot: u64,
        /// When it arrived, in milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The pool.
        pool: Pool,
        /// Its token.
        mint: Mint,
        /// What.
        alarm: PoolAlarm,
    },
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
        /// When the curve will be sold out, where that can be said.
        eta: Option<EtaView>,
    },
    /// A token passed a milestone; the same one again only after a fall of a fifth below it.
    Milestone {
        /// Slot of the trade.
        slot: u64,
        /// When it arrived, in milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The token.
        mint: Mint,
        /// Of what.
        kind: MilestoneKind,
        /// The threshold.
        value: f64,
    },
}

/// What is told of a pool at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PoolAlarm {
    /// So many percent of it, a fifth at least, were taken out by one withdrawal.
    LiquidityRemoved(f64),
    /// Its price is so many percent higher (lower where negative) than in the place where the token's price is made, and
    /// was not a twentieth apart before.
    Parted(f64),
}

impl PoolAlarm {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LiquidityRemoved(_) => "liquidity_removed",
            Self::Parted(_) => "price_parted",
        }
    }

    /// The percent.
    #[must_use]
    pub const fn percent(self) -> f64 {
        match self {
            Self::LiquidityRemoved(percent) | Self::Parted(percent) => percent,
        }
    }
}

/// What a milestone is a threshold of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MilestoneKind {
    /// Percent of the curve sold.
    Progress,
    /// Market cap in SOL.
    MarketCapSol,
    /// Market cap in US dollars.
    MarketCapUsd,
}

impl MilestoneKind {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::MarketCapSol => "market_cap_sol",
            Self::MarketCapUsd => "market_cap_usd",
        }
    }
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
    pub event: EventRef,
    /// When it arrived, in microseconds since the Unix epoch.
    pub recv_us: i64,
    /// Group of its venue.
    pub group: Group,
    /// Connection on which it arrived first.
    pub connection: usize,
    /// Status at which it was accepted.
    pub status: Status,
    /// Its place in its pool's chain of reserves; `None` where it moves none or the event carries none.
    pub placed: Option<Placed>,
    /// SOL per whole token after a trade.
    pub price_sol: Option<f64>,
    /// Market cap in SOL after a trade.
    pub market_cap_sol: Option<f64>,
}

impl ChainEvent {
    /// Whether its pool's chain of reserves reaches it without a gap, as far as there is one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.placed.is_none_or(|placed| !matches!(placed.link, Link::AfterGap | Link::Late))
    }
}
