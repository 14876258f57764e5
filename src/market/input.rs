//! What a connection hands to the market: decoded, in arrival order.

use bytes::Bytes;

use crate::{
    chain::{
        group::GroupSet,
        ids::{Pool, Signature},
    },
    decode::{Attempt, Event, Tally, Transfer, Undecoded, accounts::Account},
};

/// Everything one connection received since its last batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// The connection.
    pub connection: usize,
    /// What arrived, in order.
    pub items: Vec<Item>,
    /// Events of the transactions in `items`, in order.
    pub events: Vec<Event>,
    /// What could not be decoded, in order.
    pub undecoded: Vec<Undecoded>,
    /// Transfers beside the trades of the transactions in `items`, in order.
    pub transfers: Vec<Transfer>,
    /// Swaps of the failed transactions in `items`, in order.
    pub attempts: Vec<Attempt>,
    /// Frames received, pings included.
    pub frames: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    /// Frames that could not be read.
    pub bad_frames: u64,
    /// Transactions that only a compressed filter took for wanted; they are in nothing else here but the frames.
    pub unwanted: u64,
    /// Time spent on scanning and decoding, in nanoseconds.
    pub busy_ns: u64,
}

/// One thing that arrived.
#[derive(Debug)]
pub struct Item {
    /// When, in microseconds since the Unix epoch.
    pub recv_us: i64,
    /// When the server made it, in microseconds since the Unix epoch; not for a replay, whose age is no latency.
    pub created_us: Option<i64>,
    /// Whether it came in a replay.
    pub replayed: bool,
    /// The frame itself, if somebody records.
    pub frame: Option<Bytes>,
    /// What.
    pub kind: ItemKind,
}

/// See [`Item`].
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all items are transactions: a box would cost each of them")]
pub enum ItemKind {
    /// A transaction.
    Transaction(Transaction),
    /// A slot changed status (`SlotStatus` by number).
    Slot {
        /// The slot.
        slot: u64,
        /// The status.
        status: i32,
        /// Its parent, where the server says.
        parent: Option<u64>,
    },
    /// An account was written that tells the price of SOL, or how a curve stands.
    Account {
        /// The slot.
        slot: u64,
        /// Its address.
        address: Pool,
        /// What it holds.
        account: Account,
    },
    /// A block is complete.
    BlockMeta {
        /// The slot.
        slot: u64,
        /// Its parent.
        parent: u64,
    },
}

/// A transaction, decoded.
#[derive(Debug)]
pub struct Transaction {
    /// Its slot.
    pub slot: u64,
    /// Its first signature.
    pub signature: Signature,
    /// Size of its frame.
    pub bytes: u32,
    /// Whether it failed.
    pub failed: bool,
    /// Groups of the programs it invoked; of the filters it matched where that is not known.
    pub groups: GroupSet,
    /// Its counts by program.
    pub tally: Tally,
    /// How many of the batch's events are its own (the next ones in order).
    pub events: u32,
    /// How many of the batch's undecoded are its own (the next ones in order).
    pub undecoded: u32,
    /// How many of the batch's transfers are its own (the next ones in order).
    pub transfers: u32,
    /// How many of the batch's attempts are its own (the next ones in order).
    pub attempts: u32,
}
