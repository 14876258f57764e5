//! What producers (playback, simulated market) hand to the server: slots, in order.

use std::time::Duration;

use yellowstone_grpc_proto::geyser::{SubscribeUpdate, SubscribeUpdateAccountInfo, SubscribeUpdateTransactionInfo};

/// One slot's worth of things that happen, in order.
#[derive(Clone, Debug, Default)]
pub struct SlotPlan {
    /// The slot.
    pub slot: u64,
    /// Its parent.
    pub parent: u64,
    /// Height of its block.
    pub block_height: u64,
    /// Seconds since the Unix epoch.
    pub block_time: i64,
    /// Its block hash.
    pub blockhash: [u8; 32],
    /// Its parent's block hash.
    pub parent_blockhash: [u8; 32],
    /// How long it lasts.
    pub duration: Duration,
    /// It is abandoned in the end: nothing in it has happened, and no later slot has it as its parent.
    pub dies: bool,
    /// What happens in it, by time since its start.
    pub items: Vec<SlotItem>,
}

/// One thing that happens in a slot.
#[derive(Clone, Debug)]
pub struct SlotItem {
    /// Time since the start of the slot.
    pub at: Duration,
    /// What.
    pub kind: SlotItemKind,
}

/// See [`SlotItem`].
#[derive(Clone, Debug)]
pub enum SlotItemKind {
    /// A transaction was executed; its index is its position among the slot's transactions and set by the server.
    Transaction(Box<SubscribeUpdateTransactionInfo>),
    /// An account was written.
    Account(Box<SubscribeUpdateAccountInfo>),
    /// A message of a recording: sent with its own slot and index; only `filters` and `created_at` are made anew.
    Recorded(Box<SubscribeUpdate>),
}

/// Which kinds a producer brings along as [`SlotItemKind::Recorded`], so that the server does not make them up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carries {
    /// Slot statuses: the server makes none and follows these for commitments. A [`SlotPlan`] is then only a stretch of time.
    pub slot_status: bool,
    /// Block metas.
    pub block_meta: bool,
    /// Transaction statuses: the server derives none from transactions.
    pub transaction_status: bool,
}

/// Makes slots, one after the other. `None` is the end.
pub trait Producer: Send + 'static {
    /// The next slot.
    fn next_slot(&mut self) -> Option<SlotPlan>;

    /// What the slots carry besides transactions and accounts. Asked once, before the first slot.
    fn carries(&self) -> Carries {
        Carries::default()
    }

    /// Why it ended, if it did not end well. Asked once, after the end.
    fn failure(&self) -> Option<String> {
        None
    }
}
