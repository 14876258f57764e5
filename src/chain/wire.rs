//! The wire scan: reads a `geyser.SubscribeUpdate` in place, without building the prost tree.
//!
//! Bounds-checked, no unsafe, no allocation. Held equal to the prost types of `proto/` by tests over every recording.
//! Unknown fields are skipped, the last of a repeated scalar wins and repeated messages merge, as protobuf says. Stricter
//! than prost in three points: groups (never written by proto3) are refused, an embedded transaction or meta may occur
//! only once, and keys and signatures must have their length.

use thiserror::Error;

use super::fields::{Field, Fields};

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

/// A `google.protobuf.Timestamp`.
#[derive(Clone, Copy, Default)]
struct Timestamp {
    present: bool,
    seconds: i64,
    nanos: i32,
}

impl Timestamp {
    fn merge(&mut self, message: &[u8]) -> Result<(), WireError> {
        self.present = true;
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.seconds = field.int64()?,
                2 => self.nanos = field.int32()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn micros(self) -> Option<i64> {
        let micros = self.seconds.saturating_mul(1_000_000).saturating_add(i64::from(self.nanos / 1_000));
        self.present.then_some(micros)
    }
}

/// The oneof while it is read: the same kind again merges, another kind replaces.
enum Carried<'a> {
    Nothing,
    Transaction(TransactionParts<'a>),
    TransactionStatus(StatusParts<'a>),
    Account(AccountParts<'a>),
    Slot(Slot<'a>),
    BlockMeta(BlockMeta<'a>),
    Ping,
    Pong(i32),
}

impl<'a> Carried<'a> {
    fn merge(self, field: &Field<'a>) -> Result<Self, WireError> {
        Ok(match (field.number, self) {
            (2, Self::Account(parts)) => Self::Account(parts.merge(field.bytes()?)?),
            (2, _) => Self::Account(AccountParts::default().merge(field.bytes()?)?),
            (3, Self::Slot(slot)) => Self::Slot(slot.merge(field.bytes()?)?),
            (3, _) => Self::Slot(Slot::EMPTY.merge(field.bytes()?)?),
            (4, Self::Transaction(parts)) => Self::Transaction(parts.merge(field.bytes()?)?),
            (4, _) => Self::Transaction(TransactionParts::default().merge(field.bytes()?)?),
            (6, _) => field.bytes().map(|_| Self::Ping)?,
            (7, Self::BlockMeta(meta)) => Self::BlockMeta(meta.merge(field.bytes()?)?),
            (7, _) => Self::BlockMeta(BlockMeta::EMPTY.merge(field.bytes()?)?),
            (9, Self::Pong(id)) => Self::Pong(pong(id, field.bytes()?)?),
            (9, _) => Self::Pong(pong(0, field.bytes()?)?),
            (10, Self::TransactionStatus(parts)) => Self::TransactionStatus(parts.merge(field.bytes()?)?),
            (10, _) => Self::TransactionStatus(StatusParts::default().merge(field.bytes()?)?),
            (_, carried) => carried,
        })
    }

    fn finish(self) -> Result<Kind<'a>, WireError> {
        Ok(match self {
            Self::Nothing => Kind::Other,
            Self::Transaction(parts) => Kind::Transaction(parts.finish()?),
            Self::TransactionStatus(parts) => Kind::TransactionStatus(parts.finish()?),
            Self::Account(parts) => Kind::Account(parts.finish()?),
            Self::Slot(slot) => Kind::Slot(slot),
            Self::BlockMeta(meta) => Kind::BlockMeta(meta),
            Self::Ping => Kind::Ping,
            Self::Pong(id) => Kind::Pong(id),
        })
    }
}

fn pong(mut id: i32, message: &[u8]) -> Result<i32, WireError> {
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 1 {
            id = field.int32()?;
        }
    }
    Ok(id)
}

#[derive(Default)]
struct TransactionParts<'a> {
    slot: u64,
    bank_id: u64,
    signature: Option<&'a [u8; 64]>,
    is_vote: bool,
    index: u64,
    transaction: Option<&'a [u8]>,
    meta: Option<&'a [u8]>,
}

impl<'a> TransactionParts<'a> {
    fn merge(mut self, message: &'a [u8]) -> Result<Self, WireError> {
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.merge_info(field.bytes()?)?,
                2 => self.slot = field.varint()?,
                3 => self.bank_id = field.varint()?,
                _ => {}
            }
        }
        Ok(self)
    }

    fn merge_info(&mut self, message: &'a [u8]) -> Result<(), WireError> {
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.signature = Some(field.array()?),
                2 => self.is_vote = field.varint()? != 0,
                3 => once(&mut self.transaction, &field)?,
                4 => once(&mut self.meta, &field)?,
                5 => self.index = field.varint()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Transaction<'a>, WireError> {
        Ok(Transaction {
            slot: self.slot,
            bank_id: self.bank_id,
            signature: self.signature.ok_or(WireError::Content { field: 1 })?,
            is_vote: self.is_vote,
            index: self.index,
            transaction: self.transaction.ok_or(WireError::Content { field: 3 })?,
            meta: self.meta.ok_or(WireError::Content { field: 4 })?,
        })
    }
}

/// Two halves of an embedded message cannot be read in place, and nobody sends them.
fn once<'a>(place: &mut Option<&'a [u8]>, field: &Field<'a>) -> Result<(), WireError> {
    if place.replace(field.bytes()?).is_some() {
        return Err(WireError::Content { field: field.number });
    }
    Ok(())
}

#[derive(Default)]
struct StatusParts<'a> {
    slot: u64,
    signature: Option<&'a [u8; 64]>,
    is_vote: bool,
    index: u64,
    failed: bool,
}

impl<'a> StatusParts<'a> {
    fn merge(mut self, message: &'a [u8]) -> Result<Self, WireError> {
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.slot = field.varint()?,
                2 => self.signature = Some(field.array()?),
                3 => self.is_vote = field.varint()? != 0,
                4 => self.index = field.varint()?,
                5 => self.failed = field.bytes().map(|_| true)?,
                _ => {}
            }
        }
        Ok(self)
    }

    fn finish(self) -> Result<TransactionStatus<'a>, WireError> {
        let signature = self.signature.ok_or(WireError::Content { field: 2 })?;
        let Self { slot, is_vote, index, failed, .. } = self;
        Ok(TransactionStatus { slot, signature, is_vote, index, failed })
    }
}

#[derive(Default)]
struct AccountParts<'a> {
    slot: u64,
    pubkey: Option<&'a [u8; 32]>,
    owner: Option<&'a [u8; 32]>,
    lamports: u64,
    data: &'a [u8],
    write_version: u64,
}

impl<'a> AccountParts<'a> {
    fn merge(mut self, message: &'a [u8]) -> Result<Self, WireError> {
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.merge_info(field.bytes()?)?,
                2 => self.slot = field.varint()?,
                _ => {}
            }
        }
        Ok(self)
    }

    fn merge_info(&mut self, message: &'a [u8]) -> Result<(), WireError> {
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.pubkey = Some(field.array()?),
                2 => self.lamports = field.varint()?,
                3 => self.owner = Some(field.array()?),
                6 => self.data = field.bytes()?,
                7 => self.write_version = field.varint()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Account<'a>, WireError> {
        Ok(Account {
            slot: self.slot,
            pubkey: self.pubkey.ok_or(WireError::Content { field: 1 })?,
            owner: self.owner.ok_or(WireError::Content { field: 3 })?,
            lamports: self.lamports,
            data: self.data,
            write_version: self.write_version,
        })
    }
}

impl<'a> Slot<'a> {
    const EMPTY: Self = Self { slot: 0, parent: None, status: 0, dead_error: None };

    fn merge(mut self, message: &'a [u8]) -> Result<Self, WireError> {
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.slot = field.varint()?,
                2 => self.parent = Some(field.varint()?),
                3 => self.status = field.int32()?,
                4 => self.dead_error = Some(field.text()?),
                _ => {}
            }
        }
        Ok(self)
    }
}

impl<'a> BlockMeta<'a> {
    const EMPTY: Self = Self {
        slot: 0,
        blockhash: "",
        parent_slot: 0,
        block_time: None,
        block_height: None,
        executed_transaction_count: 0,
    };

    fn merge(mut self, message: &'a [u8]) -> Result<Self, WireError> {
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.slot = field.varint()?,
                2 => self.blockhash = field.text()?,
                4 => self.block_time = Some(wrapped(self.block_time, field.bytes()?, Field::int64)?),
                5 => self.block_height = Some(wrapped(self.block_height, field.bytes()?, Field::varint)?),
                6 => self.parent_slot = field.varint()?,
                8 => self.executed_transaction_count = field.varint()?,
                _ => {}
            }
        }
        Ok(self)
    }
}

/// A number in a message of its own: `UnixTimestamp`, `BlockHeight`.
fn wrapped<'a, T: Default>(
    before: Option<T>,
    message: &'a [u8],
    read: fn(&Field<'a>) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let mut value = before.unwrap_or_default();
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 1 {
            value = read(&field)?;
        }
    }
    Ok(value)
}
