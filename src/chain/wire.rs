//! The wire scan: reads a `geyser.SubscribeUpdate` in place, without building the prost tree.
//!
//! Bounds-checked, no unsafe, no allocation. Held equal to the prost types of `proto/` by tests over every recording.
//! Unknown fields are skipped, the last of a repeated scalar wins and repeated messages merge, as protobuf says. Stricter
//! than prost in three points: groups (never written by proto3) are refused, an embedded transaction or meta may occur
//! only once, and keys and signatures must have their length.

use thiserror::Error;

use super::{
    fields::Fields,
    merge::{Carried, Timestamp},
};

/// Why a frame could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The frame ends inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// A varint longer than ten bytes.
    #[error("a varint is longer than ten bytes")]
    Varint,
    /// A field has another wire type than its schema says.
    #[error("field {field} has wire type {wire_type}")]
    WireType {
        /// The field's number.
        field: u32,
        /// The wire type found.
        wire_type: u8,
    },
    /// A key or signature of the wrong length, or text that is not UTF-8.
    #[error("field {field} has an impossible length or content")]
    Content {
        /// The field's number.
        field: u32,
    },
}

/// One `SubscribeUpdate`, borrowed from the received bytes.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The names of the filters that matched, in wire order.
    pub filters: Filters<'a>,
    /// When the server made the message, in microseconds since the Unix epoch.
    pub created_at_us: Option<i64>,
    /// What it carries.
    pub kind: Kind<'a>,
}

/// The filter names of an [`Update`]: an iterator over the repeated field, read anew each time.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'a> {
    frame: &'a [u8],
}

/// What an [`Update`] carries.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// A transaction with its result.
    Transaction(Transaction<'a>),
    /// That a transaction was executed: the completeness proof's lane.
    TransactionStatus(TransactionStatus<'a>),
    /// An account write.
    Account(Account<'a>),
    /// A slot changed status.
    Slot(Slot<'a>),
    /// A block is complete.
    BlockMeta(BlockMeta<'a>),
    /// The server asks whether we are alive.
    Ping,
    /// The answer to our ping.
    Pong(i32),
    /// A kind we never subscribe to, or none at all.
    Other,
}

/// A `SubscribeUpdateTransaction`.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// Slot it was executed in.
    pub slot: u64,
    /// Bank within the sending validator's process; never compared across endpoints.
    pub bank_id: u64,
    /// Its first signature.
    pub signature: &'a [u8; 64],
    /// Whether it is a vote.
    pub is_vote: bool,
    /// Position in the block.
    pub index: u64,
    /// The encoded `Transaction` message.
    pub transaction: &'a [u8],
    /// The encoded `TransactionStatusMeta` message.
    pub meta: &'a [u8],
}

/// A `SubscribeUpdateTransactionStatus`.
#[derive(Clone, Copy, Debug)]
pub struct TransactionStatus<'a> {
    /// Slot it was executed in.
    pub slot: u64,
    /// Its first signature.
    pub signature: &'a [u8; 64],
    /// Whether it is a vote.
    pub is_vote: bool,
    /// Position in the block.
    pub index: u64,
    /// Whether it failed.
    pub failed: bool,
}

/// A `SubscribeUpdateAccount`.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Slot of the write.
    pub slot: u64,
    /// The account's address.
    pub pubkey: &'a [u8; 32],
    /// Its owner program.
    pub owner: &'a [u8; 32],
    /// Its balance in lamports.
    pub lamports: u64,
    /// Its data.
    pub data: &'a [u8],
    /// Order among writes of one slot.
    pub write_version: u64,
}

/// A `SubscribeUpdateSlot`.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// The slot.
    pub slot: u64,
    /// Its parent, where the server says.
    pub parent: Option<u64>,
    /// `SlotStatus` by number: 0 processed, 1 confirmed, 2 finalized, 6 dead.
    pub status: i32,
    /// Why it is dead.
    pub dead_error: Option<&'a str>,
}

/// A `SubscribeUpdateBlockMeta`.
#[derive(Clone, Copy, Debug)]
pub struct BlockMeta<'a> {
    /// The slot.
    pub slot: u64,
    /// Its block hash, base58.
    pub blockhash: &'a str,
    /// Its parent slot.
    pub parent_slot: u64,
    /// Seconds since the Unix epoch by the validators' clock.
    pub block_time: Option<i64>,
    /// Height of the block.
    pub block_height: Option<u64>,
    /// All transactions executed in it, votes included.
    pub executed_transaction_count: u64,
}

impl<'a> Update<'a> {
    /// Reads one encoded `SubscribeUpdate` in place.
    ///
    /// # Errors
    /// When the bytes are not such a message, or a key, a signature, the transaction or its meta is missing or has an
    /// impossible length.
    pub fn scan(frame: &'a [u8]) -> Result<Self, WireError> {
        let mut created_at = Timestamp::default();
        let mut carried = Carried::Nothing;
        for field in Fields::new(frame) {
            let field = field?;
            match field.number {
                1 => drop(field.text()?),
                11 => created_at.merge(field.bytes()?)?,
                _ => carried = carried.merge(&field)?,
            }
        }
        Ok(Self { filters: Filters { frame }, created_at_us: created_at.micros(), kind: carried.finish()? })
    }
}

impl<'a> Filters<'a> {
    /// The names, in wire order.
    #[must_use]
    pub fn iter(&self) -> FilterNames<'a> {
        FilterNames(Fields::new(self.frame))
    }
}

impl<'a> IntoIterator for Filters<'a> {
    type Item = &'a str;
    type IntoIter = FilterNames<'a>;

    fn into_iter(self) -> FilterNames<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Filters<'a> {
    type Item = &'a str;
    type IntoIter = FilterNames<'a>;

    fn into_iter(self) -> FilterNames<'a> {
        self.iter()
    }
}

/// Iterates over [`Filters`].
#[derive(Clone, Debug)]
pub struct FilterNames<'a>(Fields<'a>);

impl<'a> Iterator for FilterNames<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0.by_ref().map_while(Result::ok).find_map(|field| if field.number == 1 { field.text().ok() } else { None })
    }
}
