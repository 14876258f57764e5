//! Filters on transactions and transaction statuses.

use std::collections::HashSet;

use prost::Message as _;
use solana_sdk::signature::Signature;
use yellowstone_grpc_proto::geyser::{
    SubscribeRequestFilterTransactions, SubscribeUpdate, TokenAccountExpansionControlFlag,
    subscribe_update::UpdateOneof,
};

use super::{
    FilterError, allowed_keys,
    cuckoo::{self, Compressed},
    keys,
};
use crate::simulator::server::{message::Transaction, settings::FilterLimits};

/// A compiled transaction filter.
#[derive(Debug)]
pub(super) struct TransactionFilter {
    vote: Option<bool>,
    failed: Option<bool>,
    signature: Option<Signature>,
    include: HashSet<[u8; 32]>,
    /// Keys in a compressed set: included as well.
    compressed: Option<Compressed>,
    exclude: HashSet<[u8; 32]>,
    required: HashSet<[u8; 32]>,
    owners: Option<TokenAccountExpansionControlFlag>,
}

impl TransactionFilter {
    pub(super) fn compile(
        request: &SubscribeRequestFilterTransactions,
        limits: &FilterLimits,
    ) -> Result<Self, FilterError> {
        // The real server does not count `signature` as a condition here.
        let empty = request.vote.is_none()
            && request.failed.is_none()
            && request.account_include.is_empty()
            && request.cuckoo_account_include.is_none()
            && request.account_exclude.is_empty()
            && request.account_required.is_empty();
        if empty && !limits.any {
            return Err(FilterError::Any);
        }
        let signature = request.signature.as_deref().map(str::parse::<Signature>).transpose();
        Ok(Self {
            vote: request.vote,
            failed: request.failed,
            signature: signature.map_err(|error| FilterError::Signature(error.to_string()))?,
            include: allowed_keys(&request.account_include, limits)?,
            compressed: request.cuckoo_account_include.as_ref().map(cuckoo::compile).transpose()?,
            exclude: keys(&request.account_exclude, limits)?,
            required: keys(&request.account_required, limits)?,
            owners: request.token_accounts.and_then(|flag| flag.try_into().ok()),
        })
    }

    pub(super) fn matches(&self, transaction: &Transaction) -> bool {
        if self.vote.is_some_and(|vote| vote != transaction.vote)
            || self.failed.is_some_and(|failed| failed != transaction.failed)
            || self.signature.is_some_and(|signature| signature.as_ref() != &transaction.signature[..])
        {
            return false;
        }
        let includes = !self.include.is_empty() || self.compressed.is_some();
        if !includes && self.exclude.is_empty() && self.required.is_empty() {
            return true;
        }
        let owners = self.owners.map(|flag| token_owners(transaction, flag)).unwrap_or_default();
        let mut keys = transaction.keys.iter().chain(&owners);
        let included = |key: &[u8; 32]| {
            self.include.contains(key) || self.compressed.as_ref().is_some_and(|compressed| compressed.contains(key))
        };
        (!includes || keys.clone().any(included))
            && (self.exclude.is_empty() || !keys.clone().any(|key| self.exclude.contains(key)))
            && self.required.iter().all(|required| keys.clone().any(|key| key == required))
            && keys.next().is_some()
    }
}

/// Owners of the token balances a transaction touched. Rarely asked for, so read from the encoded update.
fn token_owners(transaction: &Transaction, flag: TokenAccountExpansionControlFlag) -> Vec<[u8; 32]> {
    let update = transaction.full.clone().and_then(|body| SubscribeUpdate::decode(body).ok());
    let Some(UpdateOneof::Transaction(update)) = update.and_then(|update| update.update_oneof) else {
        return Vec::new();
    };
    let Some(meta) = update.transaction.and_then(|info| info.meta) else { return Vec::new() };
    let (before, after) = (&meta.pre_token_balances, &meta.post_token_balances);
    let amount = |balance: &yellowstone_grpc_proto::prelude::TokenBalance| {
        balance.ui_token_amount.as_ref().map(|amount| amount.amount.clone())
    };
    let twin = |list: &[yellowstone_grpc_proto::prelude::TokenBalance], index| {
        list.iter().find(|other| other.account_index == index).and_then(amount)
    };
    let changed = |balance: &&yellowstone_grpc_proto::prelude::TokenBalance| {
        flag == TokenAccountExpansionControlFlag::All
            || twin(before, balance.account_index) != twin(after, balance.account_index)
    };
    let owners = before.iter().chain(after).filter(changed);
    owners
        .filter_map(|balance| balance.owner.parse::<solana_sdk::pubkey::Pubkey>().ok().map(|owner| owner.to_bytes()))
        .collect()
}
