//! The filters of one stream, compiled from its last request. Errors carry the texts of the open-source server (15.1.2).

mod accounts;
mod cuckoo;
mod text;
mod transactions;

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use bytes::Bytes;
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use yellowstone_grpc_proto::geyser::{CommitmentLevel, SlotStatus, SubscribeRequest};

use self::{accounts::AccountFilter, transactions::TransactionFilter};
use super::{
    frame::{Frame, encode_names},
    message::{Message, Slot},
    settings::FilterLimits,
};

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum FilterError {
    #[error("{0}")]
    Pubkey(String),
    #[error("{0}")]
    Signature(String),
    #[error("Max amount of filters/data_slices reached, only {0} allowed")]
    Filters(usize),
    #[error("Max amount of Pubkeys reached, only {0} allowed")]
    Pubkeys(usize),
    #[error("Subscribe on full stream with `any` is not allowed, at least one filter required")]
    Any,
    #[error("oversized filter name (max allowed size {limit}), found {found}")]
    Name { limit: usize, found: usize },
    #[error("failed to create CommitmentLevel from {0}")]
    Commitment(i32),
    #[error("{0}")]
    Slices(&'static str),
    #[error("Pubkey {0} in filters is not allowed")]
    Rejected(Pubkey),
    #[error("Too many filters provided; max {0}")]
    Conditions(usize),
    #[error("{0}")]
    State(&'static str),
    #[error("{0}")]
    Cuckoo(&'static str),
    #[error("`{0}` is not supported by this server")]
    Unsupported(&'static str),
}

/// The compiled filters of one stream.
#[derive(Debug)]
pub(super) struct Filter {
    /// The request it was made from, without `ping` and `from_slot`.
    pub(super) request: SubscribeRequest,
    pub(super) commitment: CommitmentLevel,
    accounts: Vec<(String, AccountFilter)>,
    transactions: Vec<(String, TransactionFilter)>,
    statuses: Vec<(String, TransactionFilter)>,
    /// Name, `filter_by_commitment`, `interslot_updates`.
    slots: Vec<(String, bool, bool)>,
    metas: Vec<String>,
    slices: Vec<Range<u64>>,
}

impl Filter {
    /// The filter of a stream that has sent nothing yet.
    pub(super) fn nothing() -> Self {
        Self {
            request: SubscribeRequest::default(),
            commitment: CommitmentLevel::Processed,
            accounts: Vec::new(),
            transactions: Vec::new(),
            statuses: Vec::new(),
            slots: Vec::new(),
            metas: Vec::new(),
            slices: Vec::new(),
        }
    }

    pub(super) fn compile(mut request: SubscribeRequest, limits: &FilterLimits) -> Result<Self, FilterError> {
        request.ping = None;
        request.from_slot = None;
        let level = request.commitment.unwrap_or_default();
        let commitment = CommitmentLevel::try_from(level).map_err(|_| FilterError::Commitment(level))?;
        if !request.blocks.is_empty() {
            return Err(FilterError::Unsupported("blocks"));
        }
        names(&request.entry, limits)?;
        names(&request.block_footer, limits)?;
        let slots = names(&request.slots, limits)?;
        let slots = slots.into_iter().map(|(name, filter)| {
            (name, filter.filter_by_commitment.unwrap_or(false), filter.interslot_updates.unwrap_or(false))
        });
        Ok(Self {
            commitment,
            accounts: compiled(&request.accounts, limits, AccountFilter::compile)?,
            transactions: compiled(&request.transactions, limits, TransactionFilter::compile)?,
            statuses: compiled(&request.transactions_status, limits, TransactionFilter::compile)?,
            slots: slots.collect(),
            metas: names(&request.blocks_meta, limits)?.into_iter().map(|(name, _)| name).collect(),
            slices: accounts::slices(&request.accounts_data_slice, limits)?,
            request,
        })
    }

    /// Whether it asks for nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
            && self.transactions.is_empty()
            && self.statuses.is_empty()
            && self.slots.is_empty()
            && self.metas.is_empty()
            && self.request.entry.is_empty()
            && self.request.block_footer.is_empty()
    }

    /// The updates that this message gives, at most two.
    pub(super) fn frames(&self, message: &Message, out: &mut Vec<Frame>) {
        match message {
            Message::Transaction(transaction) => {
                let updates = [
                    ("transaction", &self.transactions, &transaction.full),
                    ("transaction_status", &self.statuses, &transaction.status),
                ];
                for (kind, filters, body) in updates {
                    let Some(body) = body else { continue };
                    let hits = filters.iter().filter(|(_, filter)| filter.matches(transaction));
                    push(out, kind, encode_names(hits.map(|(name, _)| name.as_str())), || body.clone());
                }
            }
            Message::Account(account) => {
                let hits = self.accounts.iter().filter(|(_, filter)| filter.matches(account));
                push(out, "account", encode_names(hits.map(|(name, _)| name.as_str())), || {
                    accounts::sliced(account, &self.slices)
                });
            }
            Message::BlockMeta(meta) => {
                push(out, "block_meta", encode_names(self.metas.iter().map(String::as_str)), || meta.body.clone());
            }
            Message::Slot(slot) => {
                let hits = self
                    .slots
                    .iter()
                    .filter(|(_, by_commitment, interslot)| self.wants_status(slot, *by_commitment, *interslot));
                push(out, "slot", encode_names(hits.map(|(name, ..)| name.as_str())), || slot.body());
            }
        }
    }

    fn wants_status(&self, slot: &Slot, by_commitment: bool, interslot: bool) -> bool {
        let level = match slot.status {
            SlotStatus::SlotProcessed => CommitmentLevel::Processed,
            SlotStatus::SlotConfirmed => CommitmentLevel::Confirmed,
            SlotStatus::SlotFinalized => CommitmentLevel::Finalized,
            _ => return interslot && !by_commitment,
        };
        !by_commitment || level == self.commitment
    }
}

fn push(out: &mut Vec<Frame>, kind: &'static str, head: Bytes, body: impl FnOnce() -> Bytes) {
    if !head.is_empty() {
        out.push(Frame { kind, head, body: body() });
    }
}

/// The named filters of one kind, in the order of their names, after the checks that all kinds share.
fn names<F: Clone>(filters: &HashMap<String, F>, limits: &FilterLimits) -> Result<Vec<(String, F)>, FilterError> {
    if filters.len() > limits.filters {
        return Err(FilterError::Filters(limits.filters));
    }
    if let Some(name) = filters.keys().find(|name| name.len() > limits.name_bytes) {
        return Err(FilterError::Name { limit: limits.name_bytes, found: name.len() });
    }
    let mut named: Vec<_> = filters.iter().map(|(name, filter)| (name.clone(), filter.clone())).collect();
    named.sort_by(|(first, _), (second, _)| first.cmp(second));
    Ok(named)
}

fn compiled<F: Clone, C>(
    filters: &HashMap<String, F>,
    limits: &FilterLimits,
    compile: fn(&F, &FilterLimits) -> Result<C, FilterError>,
) -> Result<Vec<(String, C)>, FilterError> {
    names(filters, limits)?.into_iter().map(|(name, filter)| Ok((name, compile(&filter, limits)?))).collect()
}

/// A list of base58 keys.
fn keys(list: &[String], limits: &FilterLimits) -> Result<HashSet<[u8; 32]>, FilterError> {
    if list.len() > limits.keys {
        return Err(FilterError::Pubkeys(limits.keys));
    }
    let parsed = list.iter().map(|key| key.parse::<Pubkey>());
    parsed.map(|key| key.map(|key| key.to_bytes()).map_err(|error| FilterError::Pubkey(error.to_string()))).collect()
}

/// A list of base58 keys, none of which the provider refuses.
fn allowed_keys(list: &[String], limits: &FilterLimits) -> Result<HashSet<[u8; 32]>, FilterError> {
    let keys = keys(list, limits)?;
    match limits.rejected.iter().find(|rejected| keys.contains(rejected.as_array())) {
        Some(rejected) => Err(FilterError::Rejected(*rejected)),
        None => Ok(keys),
    }
}
