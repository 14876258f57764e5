//! What happens on the simulated chain, with the facts that filters ask for and the encoded bodies.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use prost::Message as _;
use prost_types::Timestamp;
use yellowstone_grpc_proto::geyser::{
    SlotStatus, SubscribeUpdate, SubscribeUpdateAccount, SubscribeUpdateAccountInfo, SubscribeUpdateBlockMeta,
    SubscribeUpdateSlot, SubscribeUpdateTransaction, SubscribeUpdateTransactionInfo, SubscribeUpdateTransactionStatus,
    subscribe_update::UpdateOneof,
};

/// One thing that streams may be told.
#[derive(Debug)]
pub(super) enum Message {
    Transaction(Transaction),
    Account(Account),
    BlockMeta(BlockMeta),
    Slot(Slot),
}

/// What tells one update from another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) slot: Option<u64>,
    pub(super) index: Option<u64>,
    pub(super) signature: Option<[u8; 64]>,
    pub(super) account: Option<[u8; 32]>,
    pub(super) status: Option<SlotStatus>,
}

/// A transaction with the two updates it can give.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) slot: u64,
    pub(super) index: u64,
    pub(super) signature: Box<[u8]>,
    pub(super) vote: bool,
    pub(super) failed: bool,
    /// Every key the message names, loaded addresses included.
    pub(super) keys: Box<[[u8; 32]]>,
    /// The `transaction` update; absent for a recorded status.
    pub(super) full: Option<Bytes>,
    /// The `transaction_status` update; absent where the recording has it apart.
    pub(super) status: Option<Bytes>,
}

/// An account write.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) slot: u64,
    pub(super) bank: Option<u64>,
    pub(super) info: SubscribeUpdateAccountInfo,
    pub(super) created_at: Timestamp,
    /// The update with all data.
    pub(super) body: Bytes,
}

/// A block's meta.
#[derive(Debug)]
pub(super) struct BlockMeta {
    pub(super) slot: u64,
    /// The update.
    pub(super) body: Bytes,
}

/// A slot changed status.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_field_names, reason = "a slot is its number")]
pub(super) struct Slot {
    pub(super) slot: u64,
    pub(super) parent: Option<u64>,
    pub(super) status: SlotStatus,
    /// When it is told: also in a replay.
    pub(super) created_at: Timestamp,
}

impl Message {
    /// A transaction just executed. `with_status` says whether it gives a `transaction_status` update as well.
    pub(super) fn transaction(
        slot: u64,
        bank: u64,
        info: SubscribeUpdateTransactionInfo,
        with_status: bool,
        created_at: Timestamp,
    ) -> Self {
        let err = info.meta.as_ref().and_then(|meta| meta.err.clone());
        let message = info.transaction.as_ref().and_then(|transaction| transaction.message.as_ref());
        let fixed = message.map(|message| &message.account_keys[..]).unwrap_or_default().iter();
        let loaded = info
            .meta
            .iter()
            .flat_map(|meta| meta.loaded_writable_addresses.iter().chain(&meta.loaded_readonly_addresses));
        let keys = fixed.chain(loaded).filter_map(|key| key.as_slice().try_into().ok()).collect();
        let (signature, vote, failed) = (info.signature.clone().into_boxed_slice(), info.is_vote, err.is_some());
        let index = info.index;
        let status = with_status.then(|| {
            let status = SubscribeUpdateTransactionStatus {
                slot,
                signature: info.signature.clone(),
                is_vote: info.is_vote,
                index: info.index,
                err,
                bank_id: bank,
            };
            encode(UpdateOneof::TransactionStatus(status), created_at)
        });
        let update = SubscribeUpdateTransaction { transaction: Some(info), slot, bank_id: bank };
        let full = Some(encode(UpdateOneof::Transaction(update), created_at));
        Self::Transaction(Transaction { slot, index, signature, vote, failed, keys, full, status })
    }

    /// A transaction status that a recording has apart from its transaction.
    pub(super) fn transaction_status(status: SubscribeUpdateTransactionStatus, created_at: Timestamp) -> Self {
        Self::Transaction(Transaction {
            slot: status.slot,
            index: status.index,
            signature: status.signature.clone().into_boxed_slice(),
            vote: status.is_vote,
            failed: status.err.is_some(),
            keys: Box::default(),
            full: None,
            status: Some(encode(UpdateOneof::TransactionStatus(status), created_at)),
        })
    }

    /// An account just written.
    pub(super) fn account(
        slot: u64,
        bank: Option<u64>,
        info: SubscribeUpdateAccountInfo,
        created_at: Timestamp,
    ) -> Self {
        let update = SubscribeUpdateAccount { account: Some(info.clone()), slot, is_startup: false, bank_id: bank };
        Self::Account(Account { slot, bank, info, created_at, body: encode(UpdateOneof::Account(update), created_at) })
    }

    /// A block's meta, just known.
    pub(super) fn block_meta(meta: SubscribeUpdateBlockMeta, created_at: Timestamp) -> Self {
        Self::BlockMeta(BlockMeta { slot: meta.slot, body: encode(UpdateOneof::BlockMeta(meta), created_at) })
    }

    /// Whether it is content of a block: a transaction or an account.
    pub(super) const fn is_data(&self) -> bool {
        matches!(self, Self::Transaction(_) | Self::Account(_))
    }

    /// What its updates weigh.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Transaction(transaction) => {
                [&transaction.full, &transaction.status].into_iter().flatten().map(Bytes::len).sum()
            }
            Self::Account(account) => account.body.len(),
            Self::BlockMeta(meta) => meta.body.len(),
            Self::Slot(_) => 0,
        }
    }

    /// What tells it from others.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Transaction(transaction) => Facts {
                slot: Some(transaction.slot),
                index: Some(transaction.index),
                signature: transaction.signature[..].try_into().ok(),
                ..Facts::default()
            },
            Self::Account(account) => {
                Facts { slot: Some(account.slot), account: account.info.pubkey[..].try_into().ok(), ..Facts::default() }
            }
            Self::BlockMeta(meta) => Facts { slot: Some(meta.slot), ..Facts::default() },
            Self::Slot(slot) => Facts { slot: Some(slot.slot), status: Some(slot.status), ..Facts::default() },
        }
    }
}

impl Slot {
    /// The update.
    pub(super) fn body(self) -> Bytes {
        let update = SubscribeUpdateSlot {
            slot: self.slot,
            parent: self.parent,
            status: self.status.into(),
            dead_error: (self.status == SlotStatus::SlotDead).then(|| "abandoned".to_owned()),
            bank_id: None,
        };
        encode(UpdateOneof::Slot(update), self.created_at)
    }
}

/// Encodes an update without filters.
pub(super) fn encode(update: UpdateOneof, created_at: Timestamp) -> Bytes {
    SubscribeUpdate { filters: Vec::new(), update_oneof: Some(update), created_at: Some(created_at) }
        .encode_to_vec()
        .into()
}

/// A time of day as `created_at` states it.
pub(super) fn timestamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or(0),
    }
}
