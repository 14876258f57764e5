//! What the engine hands to a lossless sink (`headless`, `replay --headless`): every event, in order.

use std::sync::Arc;

use crate::{
    chain::ids::{Mint, Pool, Signature},
    decode::event::Path,
    engine::view::{AlertView, View},
    market::change::Change,
    stream::{completeness::SlotProof, status::StreamEvent},
};

pub use crate::market::{
    change::{ChainEvent, MilestoneKind, PoolAlarm, Status},
    view::EtaView,
};

/// One item of the lossless output.
#[derive(Clone, Debug)]
pub enum Emitted {
    /// A fact of the chain, once.
    Chain(Box<ChainEvent>),
    /// A token's progress changed (after the trade that changed it).
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
    /// A token passed a milestone.
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
    /// The slot of a chain event told before is dead: the event did not happen.
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
    /// Something was found about trades before, or more is known of it.
    Alert(Arc<AlertView>),
    /// A slot is finished, and what is proven of it; again when that changes.
    Slot(SlotProof),
    /// A connection changed state, a filter came into force, groups moved.
    Stream(StreamEvent),
    /// Once a second: rates, latency, parse rate, budget; taken from the view so that all faces agree.
    Stats(Arc<View>),
}

impl Emitted {
    /// What the outside is told of a change.
    fn of(change: Change) -> Option<Self> {
        Some(match change {
            Change::Chain(event) => Self::Chain(Box::new(event)),
            Change::Retracted { slot, signature, path, event_index } => {
                Self::Retracted { slot, signature, path, event_index }
            }
            Change::ChainBroken { slot, recv_ms, pool, mint, connection } => {
                Self::ChainBroken { slot, recv_ms, pool, mint, connection }
            }
            Change::Progress { slot, recv_ms, mint, progress_pct, eta } => {
                Self::Progress { slot, recv_ms, mint, progress_pct, eta }
            }
            Change::Milestone { slot, recv_ms, mint, kind, value } => {
                Self::Milestone { slot, recv_ms, mint, kind, value }
            }
            Change::Alarm { slot, recv_ms, pool, mint, alarm } => Self::Alarm { slot, recv_ms, pool, mint, alarm },
            Change::Transferred { .. } | Change::Attempted { .. } | Change::Dead(_) | Change::Confirmed(_) => {
                return None;
            }
        })
    }
}

/// Changes as items, each alert behind as many of them as stand before it.
pub(super) fn told(changes: &mut Vec<Change>, alerts: Vec<(usize, Arc<AlertView>)>) -> Vec<Emitted> {
    let mut items = Vec::with_capacity(changes.len() + alerts.len());
    let mut alerts = alerts.into_iter().peekable();
    for (at, change) in changes.drain(..).enumerate() {
        items.extend(Emitted::of(change));
        while let Some((_, alert)) = alerts.next_if(|(after, _)| *after == at + 1) {
            items.push(Emitted::Alert(alert));
        }
    }
    items
}
