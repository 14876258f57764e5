//! What a connection asks for: groups → one merged request, with versioned filter names.

use std::collections::BTreeMap;

use solana_sdk::pubkey::Pubkey;
use thiserror::Error;

use super::{compressed::compressed, ledger::ProofMode, status::Throttle};
use crate::chain::{
    group::{GroupSet, Groups, Priority, Rule},
    ids::Mint,
    proto::{
        CuckooFilter, SubscribeRequest, SubscribeRequestFilterAccounts, SubscribeRequestFilterAccountsFilter,
        SubscribeRequestFilterAccountsFilterMemcmp, SubscribeRequestFilterBlocksMeta, SubscribeRequestFilterSlots,
        SubscribeRequestFilterTransactions, subscribe_request_filter_accounts_filter as accounts_filter,
        subscribe_request_filter_accounts_filter_memcmp as memcmp,
    },
};

/// Longest filter name a Yellowstone server takes, in bytes (`filter_name_size_limit`).
pub const NAME_LIMIT: usize = 128;
/// Most tokens that a subscription is narrowed to: each filter is sent once for each of them, and servers count filters.
pub const MOST_MINTS: usize = 8;
/// Largest request a Yellowstone server decodes, in bytes. A larger one ends the stream without a status.
pub const REQUEST_LIMIT: usize = 4 * 1024 * 1024;
/// Most keys that a filter lists; more are sent compressed.
pub const MOST_LISTED: usize = 10_000;
/// Into so many parts a filter is split at most where a server takes fewer keys in one: servers count filters as well.
const MOST_PARTS: usize = 16;
/// Name of the slots filter, before the version.
const SLOTS: &str = Groups::RESERVED[0];
/// Name of the block metadata filter, before the version.
const META: &str = Groups::RESERVED[1];
/// Name of the filter that matches every transaction's status, before the version.
const AUDIT: &str = Groups::RESERVED[2];

/// Why a request would be refused by every server: it is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A filter name is too long.
    #[error("a filter name has {0} bytes, at most {NAME_LIMIT} are allowed")]
    NameTooLong(usize),
    /// A filter selects nothing, which servers take for a full stream.
    #[error("the filter {0} has no account")]
    EmptyFilter(String),
    /// A set of keys cannot be compressed.
    #[error("the {1} accounts of the filter {0} cannot be compressed")]
    Compressed(String, usize),
    /// Not one of processed, confirmed, finalized.
    #[error("there is no commitment level {0}")]
    Commitment(i32),
    /// The request is too large.
    #[error("the request has {0} bytes, at most {REQUEST_LIMIT} are allowed")]
    TooLarge(usize),
}

/// One transactions filter before it has a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Its name, without version.
    pub name: String,
    /// Any of these must be in the transaction.
    pub include: Vec<Pubkey>,
    /// All of these must be.
    pub required: Vec<Pubkey>,
    /// Whether failed transactions are wanted too.
    pub failed: bool,
}

/// One accounts filter before it has a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFilter {
    /// Its name, without version.
    pub name: &'static str,
    /// These accounts.
    pub accounts: Vec<Pubkey>,
    /// And those of this program that begin so.
    pub owned: Option<(Pubkey, Vec<u8>)>,
}

impl AccountFilter {
    fn request(&self) -> SubscribeRequestFilterAccounts {
        let begins = |start: &Vec<u8>| SubscribeRequestFilterAccountsFilter {
            filter: Some(accounts_filter::Filter::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp {
                offset: 0,
                data: Some(memcmp::Data::Bytes(start.clone().into())),
            })),
        };
        SubscribeRequestFilterAccounts {
            account: self.accounts.iter().map(ToString::to_string).collect(),
            owner: self.owned.iter().map(|(owner, _)| owner.to_string()).collect(),
            filters: self.owned.iter().map(|(_, start)| begins(start)).collect(),
        }
    }
}

/// Merges filters into one request per connection.
#[derive(Clone, Debug)]
pub struct SubscriptionBuilder {
    version: u32,
    commitment: i32,
    filters: Vec<TransactionFilter>,
    accounts: Vec<AccountFilter>,
    mints: Vec<Mint>,
    proof: ProofMode,
    from_slot: Option<u64>,
    /// Which request for a replay on its stream it is, from 1; 0 for none.
    replay: u32,
    max_keys: usize,
}

impl SubscriptionBuilder {
    /// A request of this version that so far asks for the heartbeat only: slots and block metadata.
    #[must_use]
    pub const fn new(version: u32, commitment: i32) -> Self {
        Self {
            version,
            commitment,
            filters: Vec::new(),
            accounts: Vec::new(),
            mints: Vec::new(),
            proof: ProofMode::Chain,
            from_slot: None,
            replay: 0,
            max_keys: usize::MAX,
        }
    }

    /// Adds what a proof of completeness needs.
    #[must_use]
    pub const fn proof(mut self, proof: ProofMode) -> Self {
        self.proof = proof;
        self
    }

    /// Splits filters with more keys than this server takes in one. Very many keys, by this limit or by [`MOST_LISTED`],
    /// are compressed into a set that may hold strange ones: what comes has to be looked at again.
    #[must_use]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Asks for a replay from this slot on before what is live. `replay` numbers such requests on a stream from 1, and
    /// stands in the filters' names: a frame that bears it was sent after the server had taken the request.
    #[must_use]
    pub const fn from_slot(mut self, slot: u64, replay: u32) -> Self {
        self.from_slot = Some(slot);
        self.replay = replay;
        self
    }

    /// Adds what belongs to these groups, one filter per group.
    #[must_use]
    pub fn groups(mut self, groups: GroupSet, rules: &Groups) -> Self {
        for group in groups.iter() {
            if let Some(Rule { include, required, failed }) = rules.rule(group) {
                let name = rules.name(group).to_owned();
                let (include, required) = (include.clone(), required.clone());
                self = self.filter(TransactionFilter { name, include, required, failed: *failed });
            }
        }
        self
    }

    /// Narrows every filter to transactions that name one of these tokens' mints; none: everything. Each mint makes a
    /// filter of its own, for required accounts are a conjunction.
    #[must_use]
    pub fn narrowed_to(mut self, mints: &[Mint]) -> Self {
        self.mints = mints.to_vec();
        self
    }

    /// Adds accounts whose writes are wanted.
    #[must_use]
    pub fn accounts(mut self, accounts: &[AccountFilter]) -> Self {
        self.accounts.extend_from_slice(accounts);
        self
    }

    /// Adds a filter. It is merged into an earlier one of the same name only where both require the same accounts:
    /// required accounts are a conjunction, and a union of two would silently narrow both.
    #[must_use]
    pub fn filter(mut self, mut filter: TransactionFilter) -> Self {
        sort_unique(&mut filter.include);
        sort_unique(&mut filter.required);
        let same = |earlier: &&mut TransactionFilter| {
            earlier.name == filter.name
                && earlier.required == filter.required
                && earlier.failed == filter.failed
                && earlier.include.is_empty() == filter.include.is_empty()
        };
        if let Some(earlier) = self.filters.iter_mut().find(same) {
            earlier.include.append(&mut filter.include);
            sort_unique(&mut earlier.include);
        } else {
            self.filters.push(filter);
        }
        self
    }

    /// The request, checked against what servers refuse.
    pub fn build(self) -> Result<SubscribeRequest, PlanError> {
        if !(0..=2).contains(&self.commitment) {
            return Err(PlanError::Commitment(self.commitment));
        }
        let marks = (self.version, self.replay);
        let mut transactions = BTreeMap::new();
        for filter in &self.filters {
            if filter.include.is_empty() && filter.required.is_empty() {
                return Err(PlanError::EmptyFilter(filter.name.clone()));
            }
            // Any of the keys is enough, so the parts of a split filter together select what the whole one does.
            let parts = self.parts(filter)?;
            for required in self.required(filter) {
                for (account_include, cuckoo_account_include) in &parts {
                    let mut name = versioned(&filter.name, marks);
                    let mut copy = 2_u32;
                    while transactions.contains_key(&name) {
                        name = versioned(&format!("{}~{copy}", filter.name), marks);
                        copy += 1;
                    }
                    check_name(&name)?;
                    let part = SubscribeRequestFilterTransactions {
                        vote: Some(false),
                        failed: (!filter.failed).then_some(false),
                        account_include: account_include.clone(),
                        cuckoo_account_include: cuckoo_account_include.clone(),
                        account_exclude: Vec::new(),
                        signature: None,
                        account_required: required.iter().map(ToString::to_string).collect(),
                    };
                    transactions.insert(name, part);
                }
            }
        }
        let mut transactions_status = match self.proof {
            ProofMode::Chain => BTreeMap::new(),
            ProofMode::Filters | ProofMode::Block => transactions.clone(),
        };
        if self.proof == ProofMode::Block {
            let all = SubscribeRequestFilterTransactions::default();
            transactions_status.insert(versioned(AUDIT, marks), all);
        }
        let slots = SubscribeRequestFilterSlots { filter_by_commitment: None, interslot_updates: None };
        let request = SubscribeRequest {
            accounts: self.accounts.iter().map(|filter| (versioned(filter.name, marks), filter.request())).collect(),
            slots: BTreeMap::from([(versioned(SLOTS, marks), slots)]),
            transactions,
            blocks_meta: [(versioned(META, marks), SubscribeRequestFilterBlocksMeta {})].into(),
            commitment: Some(self.commitment),
            ping: None,
            transactions_status,
            from_slot: self.from_slot,
        };
        let size = prost::Message::encoded_len(&request);
        if size > REQUEST_LIMIT { Err(PlanError::TooLarge(size)) } else { Ok(request) }
    }
}

/// Accounts any of which is enough: listed, or compressed.
type Part = (Vec<String>, Option<CuckooFilter>);

impl SubscriptionBuilder {
    /// What a filter includes, in as many parts as the server's limit asks for.
    fn parts(&self, filter: &TransactionFilter) -> Result<Vec<Part>, PlanError> {
        let keys = &filter.include;
        if keys.is_empty() {
            return Ok(vec![Part::default()]);
        }
        let most = self.max_keys.max(1);
        let listed = keys.len() <= MOST_LISTED && keys.len().div_ceil(most) <= MOST_PARTS;
        if !listed {
            let set = compressed(keys).ok_or_else(|| PlanError::Compressed(filter.name.clone(), keys.len()))?;
            return Ok(vec![(Vec::new(), Some(set))]);
        }
        let text = |part: &[Pubkey]| (part.iter().map(ToString::to_string).collect(), None);
        Ok(keys.chunks(most).map(text).collect())
    }

    /// What a filter's parts require: its own accounts, and each token that everything is narrowed to by itself.
    fn required(&self, filter: &TransactionFilter) -> Vec<Vec<Pubkey>> {
        if self.mints.is_empty() {
            return vec![filter.required.clone()];
        }
        let with = |mint: &Mint| {
            let mut required = filter.required.clone();
            required.push(*mint.pubkey());
            sort_unique(&mut required);
            required
        };
        self.mints.iter().map(with).collect()
    }
}

/// The groups left at a throttle level.
#[must_use]
pub fn throttled(groups: GroupSet, level: Throttle) -> GroupSet {
    groups
        .iter()
        .filter(|group| match level {
            Throttle::Full => true,
            Throttle::WithoutLow => group.priority() != Priority::Low,
            Throttle::HighOnly => group.priority() == Priority::High,
            Throttle::Paused => false,
        })
        .collect()
}

/// Whether a filter name is one of a group or the user, not one of our own bookkeeping.
#[must_use]
pub fn is_own_match(name: &str) -> bool {
    name.split('#').next().is_some_and(|name| name != AUDIT)
}

/// The request that a filter name comes from: its version, and the number of the replay asked for with it, 0 for none.
/// Later requests of a stream are greater.
#[must_use]
pub fn request_of(name: &str) -> Option<(u32, u32)> {
    let marks = name.rsplit_once('#')?.1;
    let (version, replay) = marks.split_once('.').unwrap_or((marks, "0"));
    Some((version.parse().ok()?, replay.parse().ok()?))
}

fn versioned(name: &str, (version, replay): (u32, u32)) -> String {
    if replay == 0 { format!("{name}#{version}") } else { format!("{name}#{version}.{replay}") }
}

const fn check_name(name: &str) -> Result<(), PlanError> {
    if name.len() > NAME_LIMIT { Err(PlanError::NameTooLong(name.len())) } else { Ok(()) }
}

fn sort_unique(keys: &mut Vec<Pubkey>) {
    keys.sort_unstable();
    keys.dedup();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::chain::group::{Group, OwnGroup};
    use proptest::{collection::vec, prelude::*};
    use prost::Message as _;

    #[test]
    fn groups_that_require_other_accounts_are_never_joined() {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let rule = |required| Rule { include: vec![key(1), key(2)], required, failed: false };
        let own = |name: &str, rule| OwnGroup { name: name.to_owned(), priority: Priority::Low, rule };
        let rules = [own("one", rule(vec![key(3)])), own("two", rule(vec![key(4)])), own("three", rule(Vec::new()))];
        let rules = Groups::with(rules).unwrap();
        let request = SubscriptionBuilder::new(7, 0).groups(rules.iter().collect(), &rules).build().unwrap();
        for (name, required) in [("one#7", Some(3)), ("two#7", Some(4)), ("three#7", None)] {
            let filter = &request.transactions[name];
            let required: Vec<String> = required.map(|byte| key(byte).to_string()).into_iter().collect();
            assert_eq!(
                (&filter.account_required, filter.account_include.len(), filter.failed),
                (&required, 2, Some(false))
            );
        }
        assert_eq!(request.transactions.len(), 6);
        assert_eq!(request.transactions["amm_pool#7"].failed, None);
    }

    /// What a server does with a filter, in the words of its documentation.
    fn selects(filter: &SubscribeRequestFilterTransactions, accounts: &[Pubkey], failed: bool) -> bool {
        let has = |text: &String| accounts.iter().any(|key| key.to_string() == *text);
        let set = filter.cuckoo_account_include.as_ref().map(|set| {
            let read = yellowstone_grpc_proto::geyser::CuckooFilter::decode(&set.encode_to_vec()[..]).unwrap();
            yellowstone_grpc_proto::cuckoo::CuckooFilter::<[u8; 32]>::from(&read)
        });
        let any = filter.account_include.is_empty() && set.is_none()
            || filter.account_include.iter().any(has)
            || set.is_some_and(|set| accounts.iter().any(|key| set.contains(key.as_array())));
        any && filter.account_required.iter().all(has) && filter.failed.is_none_or(|wanted| wanted == failed)
    }

    proptest! {
        /// However a server's limit cuts the keys, and whether they are compressed: what is wanted comes, and what comes
        /// and is not wanted does not pass the second look; narrowed, exactly what names one of the tokens comes.
        #[test]
        fn nothing_wanted_is_lost_and_nothing_else_passes(
            include in vec(any::<[u8; 32]>(), 1..400),
            required in vec(any::<[u8; 32]>(), 0..2),
            most in prop_oneof![Just(usize::MAX), 1..500_usize],
            mints in vec(any::<[u8; 32]>(), 0..3),
            transactions in vec((vec(any::<prop::sample::Index>(), 0..4), vec(any::<[u8; 32]>(), 0..6), any::<bool>()), 1..20),
            failed: bool,
        ) {
            let keys = |keys: &[[u8; 32]]| keys.iter().copied().map(Pubkey::new_from_array).collect::<Vec<_>>();
            let rule = Rule { include: keys(&include), required: keys(&required), failed };
            let own = OwnGroup { name: "own".to_owned(), priority: Priority::Low, rule };
            let rules = Groups::with([own]).unwrap();
            let own = rules.named("own").unwrap();
            let tokens: Vec<Mint> = mints.iter().copied().map(Mint::new).collect();
            let builder = SubscriptionBuilder::new(1, 0).groups([own].into_iter().collect(), &rules);
            let request = builder.max_keys(most).narrowed_to(&tokens).build().unwrap();
            prop_assert!(request.transactions.values().all(|filter| filter.account_include.len() <= most));
            let pool: Vec<[u8; 32]> = include.iter().chain(&required).chain(&mints).copied().collect();
            for (known, strange, failed) in transactions {
                let accounts: Vec<[u8; 32]> =
                    known.iter().map(|index| *index.get(&pool)).chain(strange).chain(required.clone()).collect();
                let comes = request.transactions.values().any(|filter| selects(filter, &keys(&accounts), failed));
                let belongs = rules.own_of(&accounts, failed).contains(own);
                let named = mints.is_empty() || mints.iter().any(|mint| accounts.contains(mint));
                let compressed = request.transactions.values().any(|filter| filter.cuckoo_account_include.is_some());
                prop_assert!(comes || !(belongs && named), "lost");
                prop_assert!(named || !comes, "not narrowed");
                prop_assert!(compressed || comes == (belongs && named), "listed keys select exactly");
            }
        }

        #[test]
        fn names_tell_which_request_they_come_from(version in 1u32.., replay: u32, slot: u64) {
            let builder = SubscriptionBuilder::new(version, 0).groups(Group::BUILT_IN.into_iter().collect(), &Groups::default());
            let builder = builder.max_keys(1);
            let builder = if replay == 0 { builder } else { builder.from_slot(slot, replay) };
            let request = builder.proof(ProofMode::Block).build().map_err(|error| TestCaseError::fail(error.to_string()))?;
            let names = request.transactions.keys().chain(request.slots.keys()).chain(request.blocks_meta.keys());
            for name in names.chain(request.transactions_status.keys()) {
                prop_assert_eq!(request_of(name), Some((version, replay)), "{}", name);
            }
        }
    }
}
