//! Filters on account writes, and data slices.

use std::{collections::HashSet, ops::Range};

use bytes::Bytes;
use yellowstone_grpc_proto::geyser::{
    SubscribeRequestAccountsDataSlice, SubscribeRequestFilterAccounts, SubscribeUpdateAccount,
    subscribe_request_filter_accounts_filter::Filter as Condition,
    subscribe_request_filter_accounts_filter_lamports::Cmp, subscribe_request_filter_accounts_filter_memcmp::Data,
    subscribe_update::UpdateOneof,
};

use super::{
    FilterError, allowed_keys,
    cuckoo::{self, Compressed},
    text,
};
use crate::simulator::server::{
    message::{Account, encode},
    settings::FilterLimits,
};

/// Most conditions of one filter, and most bytes that one may compare: plain, in base58, in base64.
const MAX_CONDITIONS: usize = 4;
const MAX_DATA: usize = 128;
const MAX_BASE58: usize = 175;
const MAX_BASE64: usize = 172;
const TOO_LARGE: FilterError = FilterError::State("data too large");
/// Size of an account of the original Token program.
const TOKEN_ACCOUNT_BYTES: usize = 165;
/// Where its state stands; 0 is uninitialised.
const TOKEN_STATE_OFFSET: usize = 108;

/// A compiled account filter.
#[derive(Debug)]
pub(super) struct AccountFilter {
    accounts: HashSet<[u8; 32]>,
    /// Keys in a compressed set: asked for as well.
    compressed: Option<Compressed>,
    owners: HashSet<[u8; 32]>,
    nonempty_signature: Option<bool>,
    memcmp: Vec<(usize, Vec<u8>)>,
    size: Option<u64>,
    token_account: bool,
    lamports: Vec<Cmp>,
}

impl AccountFilter {
    pub(super) fn compile(
        request: &SubscribeRequestFilterAccounts,
        limits: &FilterLimits,
    ) -> Result<Self, FilterError> {
        let compressed = request.cuckoo_accounts_filter.as_ref().map(cuckoo::compile).transpose()?;
        if request.account.is_empty() && request.owner.is_empty() && compressed.is_none() && !limits.any {
            return Err(FilterError::Any);
        }
        if request.filters.len() > MAX_CONDITIONS {
            return Err(FilterError::Conditions(MAX_CONDITIONS));
        }
        let mut filter = Self {
            accounts: allowed_keys(&request.account, limits)?,
            compressed,
            owners: allowed_keys(&request.owner, limits)?,
            nonempty_signature: request.nonempty_txn_signature,
            memcmp: Vec::new(),
            size: None,
            token_account: false,
            lamports: Vec::new(),
        };
        for condition in &request.filters {
            match &condition.filter {
                Some(Condition::Memcmp(memcmp)) => {
                    let bytes = match &memcmp.data {
                        Some(Data::Bytes(bytes)) => bytes.clone(),
                        Some(Data::Base58(base58)) if base58.len() > MAX_BASE58 => return Err(TOO_LARGE),
                        Some(Data::Base64(base64)) if base64.len() > MAX_BASE64 => return Err(TOO_LARGE),
                        Some(Data::Base58(base58)) => {
                            text::base58(base58).ok_or(FilterError::State("invalid base58"))?
                        }
                        Some(Data::Base64(base64)) => {
                            text::base64(base64).ok_or(FilterError::State("invalid base64"))?
                        }
                        None => return Err(FilterError::State("data for memcmp should be defined")),
                    };
                    if bytes.len() > MAX_DATA {
                        return Err(TOO_LARGE);
                    }
                    // An offset beyond any memory is beyond any account, too.
                    filter.memcmp.push((usize::try_from(memcmp.offset).unwrap_or(usize::MAX), bytes));
                }
                Some(Condition::Datasize(size)) => {
                    if filter.size.replace(*size).is_some() {
                        return Err(FilterError::State("datasize used more than once"));
                    }
                }
                Some(Condition::TokenAccountState(true)) => filter.token_account = true,
                Some(Condition::TokenAccountState(false)) => {
                    return Err(FilterError::State("token_account_state only allowed to be true"));
                }
                Some(Condition::Lamports(lamports)) => {
                    filter.lamports.push(lamports.cmp.ok_or(FilterError::State("cmp for lamports should be defined"))?);
                }
                None => return Err(FilterError::State("filter should be defined")),
            }
        }
        Ok(filter)
    }

    pub(super) fn matches(&self, account: &Account) -> bool {
        let info = &account.info;
        let within = |set: &HashSet<[u8; 32]>, compressed: Option<&Compressed>, key: &[u8]| {
            let asked = |key: [u8; 32]| set.contains(&key) || compressed.is_some_and(|keys| keys.contains(&key));
            (set.is_empty() && compressed.is_none()) || key.try_into().is_ok_and(asked)
        };
        let compared =
            |(offset, bytes): &(usize, Vec<u8>)| info.data.get(*offset..).is_some_and(|data| data.starts_with(bytes));
        let weighed = |cmp: &Cmp| match *cmp {
            Cmp::Eq(lamports) => info.lamports == lamports,
            Cmp::Ne(lamports) => info.lamports != lamports,
            Cmp::Lt(lamports) => info.lamports < lamports,
            Cmp::Gt(lamports) => info.lamports > lamports,
        };
        within(&self.accounts, self.compressed.as_ref(), &info.pubkey)
            && within(&self.owners, None, &info.owner)
            && self.nonempty_signature.is_none_or(|wanted| wanted == info.txn_signature.is_some())
            && self.size.is_none_or(|size| size == info.data.len() as u64)
            && (!self.token_account || is_token_account(&info.data))
            && self.memcmp.iter().all(compared)
            && self.lamports.iter().all(weighed)
    }
}

/// Whether these bytes are an initialised token account: of the original program by size, of Token-2022 by its account type.
fn is_token_account(data: &[u8]) -> bool {
    let initialised = data.get(TOKEN_STATE_OFFSET).is_some_and(|&state| state != 0);
    initialised && (data.len() == TOKEN_ACCOUNT_BYTES || data.get(TOKEN_ACCOUNT_BYTES) == Some(&2))
}

/// Checks the slices: ascending and apart.
pub(super) fn slices(
    request: &[SubscribeRequestAccountsDataSlice],
    limits: &FilterLimits,
) -> Result<Vec<Range<u64>>, FilterError> {
    if request.len() > limits.filters {
        return Err(FilterError::Filters(limits.filters));
    }
    let slices: Vec<_> = request.iter().map(|slice| slice.offset..slice.offset.saturating_add(slice.length)).collect();
    let pair = |wrong: fn(&Range<u64>, &Range<u64>) -> bool| {
        slices.windows(2).any(|pair| matches!(pair, [first, second] if wrong(first, second)))
    };
    if pair(|first, second| second.start < first.start) {
        return Err(FilterError::Slices("data slices out of order"));
    }
    if pair(|first, second| second.start < first.end) {
        return Err(FilterError::Slices("data slices overlapped"));
    }
    Ok(slices)
}

/// The update with only the sliced data.
pub(super) fn sliced(account: &Account, slices: &[Range<u64>]) -> Bytes {
    if slices.is_empty() {
        return account.body.clone();
    }
    let mut info = account.info.clone();
    let size = info.data.len();
    let place = |offset: u64| usize::try_from(offset).map_or(size, |offset| offset.min(size));
    info.data = slices
        .iter()
        .flat_map(|slice| account.info.data.get(place(slice.start)..place(slice.end)).unwrap_or_default())
        .copied()
        .collect();
    let update =
        SubscribeUpdateAccount { account: Some(info), slot: account.slot, is_startup: false, bank_id: account.bank };
    encode(UpdateOneof::Account(update), account.created_at)
}
