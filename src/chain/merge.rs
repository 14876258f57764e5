//! What an update carries while it is being read: protobuf lets every part occur again, and says how they merge.

use super::{
    fields::{Field, Fields},
    wire::{Account, BlockMeta, Kind, Slot, Transaction, TransactionStatus, WireError},
};

/// A `google.protobuf.Timestamp`.
#[derive(Clone, Copy, Default)]
pub(super) struct Timestamp {
    present: bool,
    seconds: i64,
    nanos: i32,
}

impl Timestamp {
    pub(super) fn merge(&mut self, message: &[u8]) -> Result<(), WireError> {
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

    pub(super) fn micros(self) -> Option<i64> {
        let micros = self.seconds.saturating_mul(1_000_000).saturating_add(i64::from(self.nanos / 1_000));
        self.present.then_some(micros)
    }
}

/// The oneof while it is read: the same kind again merges, another kind replaces.
pub(super) enum Carried<'a> {
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
    pub(super) fn merge(self, field: &Field<'a>) -> Result<Self, WireError> {
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

    pub(super) fn finish(self) -> Result<Kind<'a>, WireError> {
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
pub(super) struct TransactionParts<'a> {
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
pub(super) struct StatusParts<'a> {
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
pub(super) struct AccountParts<'a> {
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
