//! Priority groups: the unit of subscription, measurement and load balancing.

use std::{collections::HashMap, sync::Arc};

use solana_sdk::pubkey::Pubkey;
use thiserror::Error;

use super::program::Program;

/// Most groups that a user can add to the built-in ones.
pub const MOST_OWN: usize = 5;
/// Longest name of a group, in bytes.
pub const LONGEST_NAME: usize = 24;

/// How much a group matters when something has to give: the order of variants is the order of importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Kept to the last: bonding curves.
    High,
    /// Kept while the connection is not "high only": the graduates' pools.
    Medium,
    /// Shed first: everybody else's pools.
    Low,
}

impl Priority {
    /// Every priority, the most important first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The name used in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// One of the three built-in groups, or of the user's own. Name and rule of those are in [`Groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// pump.
    BondingCurve,
    /// PumpSwap.
    AmmPool,
    /// Raydium and Meteora.
    ExternalAmm,
    /// One that the user has added.
    Own(Own),
}

/// A group of the user's: its place among them, and how much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Own {
    place: u8,
    priority: Priority,
}

impl Group {
    /// The built-in groups, most important first.
    pub const BUILT_IN: [Self; 3] = [Self::BondingCurve, Self::AmmPool, Self::ExternalAmm];
    /// Most groups there can be: what [`index`](Self::index) is below.
    pub const MOST: usize = Self::BUILT_IN.len() + MOST_OWN;

    /// The name of a built-in group; those of the others are in [`Groups`].
    #[must_use]
    pub const fn built_in_name(self) -> Option<&'static str> {
        match self {
            Self::BondingCurve => Some("bonding_curve"),
            Self::AmmPool => Some("amm_pool"),
            Self::ExternalAmm => Some("external_amm"),
            Self::Own(_) => None,
        }
    }

    /// Importance under load.
    #[must_use]
    pub const fn priority(self) -> Priority {
        match self {
            Self::BondingCurve => Priority::High,
            Self::AmmPool => Priority::Medium,
            Self::ExternalAmm => Priority::Low,
            Self::Own(own) => own.priority,
        }
    }

    /// Position among all groups of a run: the built-in ones, then the user's own in their order.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::BondingCurve => 0,
            Self::AmmPool => 1,
            Self::ExternalAmm => 2,
            Self::Own(own) => Self::BUILT_IN.len() + own.place as usize,
        }
    }

    /// Bit in a [`GroupSet`]: an own group has one for each priority it could have, so that the set knows that too.
    const fn bit(self) -> u32 {
        match self {
            Self::Own(own) => 1 << (Self::BUILT_IN.len() + own.place as usize * 3 + own.priority as usize),
            built_in => 1 << built_in.index(),
        }
    }

    /// Every group there could be, in the order of the bits.
    fn possible() -> impl Iterator<Item = Self> {
        #[allow(clippy::cast_possible_truncation, reason = "a handful")]
        let own =
            (0..MOST_OWN as u8).flat_map(|place| Priority::ALL.map(|priority| Self::Own(Own { place, priority })));
        Self::BUILT_IN.into_iter().chain(own)
    }
}

/// A set of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupSet(u32);

impl GroupSet {
    /// No group.
    pub const EMPTY: Self = Self(0);
    /// Every group there could be.
    pub const ALL: Self = Self(u32::MAX);

    /// Adds a group.
    pub const fn insert(&mut self, group: Group) {
        self.0 |= group.bit();
    }

    /// Removes a group.
    pub const fn remove(&mut self, group: Group) {
        self.0 &= !group.bit();
    }

    /// Whether the group is in the set.
    #[must_use]
    pub const fn contains(self, group: Group) -> bool {
        self.0 & group.bit() != 0
    }

    /// Whether no group is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of another set is in it.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The groups: the built-in ones, then the user's own in their order.
    pub fn iter(self) -> impl Iterator<Item = Group> {
        // Nearly always one or none, asked for with every transaction.
        let any = (!self.is_empty()).then(Group::possible);
        any.into_iter().flatten().filter(move |group| self.contains(*group))
    }
}

impl FromIterator<Group> for GroupSet {
    fn from_iter<I: IntoIterator<Item = Group>>(groups: I) -> Self {
        let mut set = Self::EMPTY;
        for group in groups {
            set.insert(group);
        }
        set
    }
}

/// Which transactions belong to a group, votes apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Any of these must be among a transaction's accounts, unless there is none here.
    pub include: Vec<Pubkey>,
    /// All of these must be.
    pub required: Vec<Pubkey>,
    /// Whether failed transactions belong to it too.
    pub failed: bool,
}

/// A group that the user has added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnGroup {
    /// Its name.
    pub name: String,
    /// How much it matters.
    pub priority: Priority,
    /// What belongs to it.
    pub rule: Rule,
}

/// Why a group cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadGroup {
    /// There are as many as there can be.
    #[error("there are more than {MOST_OWN} groups of your own")]
    TooMany,
    /// The name is not one that filters and formats can have.
    #[error("a group's name has 1 to {LONGEST_NAME} lower-case letters, digits and underscores, a letter first")]
    Name,
    /// Another has that name.
    #[error("another group or a filter of our own has that name")]
    Taken,
    /// The rule selects everything.
    #[error("it has neither programs nor accounts: that would be everything on the chain")]
    Everything,
}

#[derive(Debug)]
struct Known {
    group: Group,
    name: String,
    rule: Rule,
}

/// What a transaction's account says of the user's groups.
#[derive(Clone, Copy, Debug, Default)]
struct Mentioned {
    /// Groups of which it is one of the accounts, any of which is enough.
    include: GroupSet,
    /// Groups of which it is required.
    required: GroupSet,
}

#[derive(Debug, Default)]
struct Table {
    known: Vec<Known>,
    mentions: HashMap<[u8; 32], Mentioned>,
}

/// The groups of a run: the built-in ones and the user's own, with their names and rules. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Groups(Arc<Table>);

impl Default for Groups {
    /// The built-in ones.
    fn default() -> Self {
        Self(Arc::new(Table { known: Group::BUILT_IN.map(built_in).into(), mentions: HashMap::new() }))
    }
}

impl PartialEq for Groups {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, other): (&Known, &Known)| {
            one.group == other.group && one.name == other.name && one.rule == other.rule
        };
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.known.len() == other.0.known.len() && self.0.known.iter().zip(&other.0.known).all(same))
    }
}

impl Groups {
    /// What a connection's filters beside the groups' are called: slots, block metadata, every transaction's status.
    pub const RESERVED: [&str; 3] = ["slots", "meta", "audit"];

    /// The built-in groups and these.
    ///
    /// # Errors
    /// The position of the first that cannot be added, and why.
    pub fn with(own: impl IntoIterator<Item = OwnGroup>) -> Result<Self, (usize, BadGroup)> {
        let mut table = Table { known: Group::BUILT_IN.map(built_in).into(), mentions: HashMap::new() };
        for (position, OwnGroup { name, priority, mut rule }) in own.into_iter().enumerate() {
            let place = u8::try_from(position).ok().filter(|place| usize::from(*place) < MOST_OWN);
            let group = Group::Own(Own { place: place.ok_or((position, BadGroup::TooMany))?, priority });
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let good = (1..=LONGEST_NAME).contains(&name.len())
                && name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.bytes().all(is_word);
            if !good {
                return Err((position, BadGroup::Name));
            }
            if Self::RESERVED.contains(&name.as_str()) || table.known.iter().any(|other| other.name == name) {
                return Err((position, BadGroup::Taken));
            }
            for keys in [&mut rule.include, &mut rule.required] {
                keys.sort_unstable();
                keys.dedup();
            }
            if rule.include.is_empty() && rule.required.is_empty() {
                return Err((position, BadGroup::Everything));
            }
            for key in &rule.include {
                table.mentions.entry(key.to_bytes()).or_default().include.insert(group);
            }
            for key in &rule.required {
                table.mentions.entry(key.to_bytes()).or_default().required.insert(group);
            }
            table.known.push(Known { group, name, rule });
        }
        Ok(Self(Arc::new(table)))
    }

    /// Every group, in the order of [`Group::index`].
    pub fn iter(&self) -> impl Iterator<Item = Group> {
        self.0.known.iter().map(|known| known.group)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.known.len()
    }

    fn known(&self, group: Group) -> Option<&Known> {
        self.0.known.get(group.index()).filter(|known| known.group == group)
    }

    /// The name used in filters, formats and on the screen.
    #[must_use]
    pub fn name(&self, group: Group) -> &str {
        self.known(group).map_or("unknown", |known| &known.name)
    }

    /// The names of a set.
    #[must_use]
    pub fn names(&self, set: GroupSet) -> Vec<String> {
        set.iter().map(|group| self.name(group).to_owned()).collect()
    }

    /// The group of that [`name`](Self::name).
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Group> {
        self.0.known.iter().find(|known| known.name == name).map(|known| known.group)
    }

    /// What belongs to a group.
    #[must_use]
    pub fn rule(&self, group: Group) -> Option<&Rule> {
        self.known(group).map(|known| &known.rule)
    }

    /// Whether there are only the built-in ones.
    #[must_use]
    pub fn are_built_in(&self) -> bool {
        self.0.mentions.is_empty()
    }

    /// The user's groups that a transaction with these accounts belongs to: exactly what their filters select, whichever
    /// of them brought it.
    #[must_use]
    pub fn own_of(&self, accounts: &[[u8; 32]], failed: bool) -> GroupSet {
        let table = &*self.0;
        if table.mentions.is_empty() {
            return GroupSet::EMPTY;
        }
        let (mut include, mut required) = (GroupSet::EMPTY, GroupSet::EMPTY);
        for account in accounts {
            if let Some(mentioned) = table.mentions.get(account) {
                include = include.union(mentioned.include);
                required = required.union(mentioned.required);
            }
        }
        let mentioned = include.union(required);
        let belongs = |group: &Group| {
            let Some(rule) = self.rule(*group) else { return false };
            (rule.include.is_empty() || include.contains(*group))
                && rule.required.iter().all(|key| accounts.contains(key.as_array()))
                && (rule.failed || !failed)
        };
        mentioned.iter().filter(belongs).collect()
    }
}

fn built_in(group: Group) -> Known {
    let programs = Program::ALL.iter().filter(|program| program.group() == group);
    let rule = Rule { include: programs.map(|program| *program.id()).collect(), required: Vec::new(), failed: true };
    Known { group, name: group.built_in_name().unwrap_or_default().to_owned(), rule }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn key(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    fn own(name: &str, rule: Rule) -> OwnGroup {
        OwnGroup { name: name.to_owned(), priority: Priority::Low, rule }
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let keys = |most| vec((0_u8..12).prop_map(key), 0..most);
        (keys(4), keys(3), any::<bool>()).prop_map(|(include, required, failed)| Rule { include, required, failed })
    }

    proptest! {
        /// Against the words of the server: any of the included, all of the required.
        #[test]
        fn a_transaction_belongs_to_what_its_accounts_say(
            rules in vec(rule(), 1..=MOST_OWN),
            accounts in vec((0_u8..12).prop_map(|byte| [byte; 32]), 0..6),
            failed: bool,
        ) {
            let selects = |rule: &Rule| !rule.include.is_empty() || !rule.required.is_empty();
            let rules: Vec<Rule> = rules.into_iter().filter(selects).collect();
            let named = rules.iter().enumerate().map(|(place, rule)| own(&format!("own_{place}"), rule.clone()));
            let groups = Groups::with(named).unwrap();
            let found = groups.own_of(&accounts, failed);
            for (place, rule) in rules.iter().enumerate() {
                let has = |key: &Pubkey| accounts.contains(&key.to_bytes());
                let wanted = (rule.include.is_empty() || rule.include.iter().any(has))
                    && rule.required.iter().all(has)
                    && (rule.failed || !failed);
                let group = groups.named(&format!("own_{place}")).unwrap();
                prop_assert_eq!(found.contains(group), wanted, "{:?}", rule);
            }
        }

        #[test]
        fn a_set_holds_what_was_put_in_with_its_priority(members in vec(any::<prop::sample::Index>(), 0..12)) {
            let possible: Vec<Group> = Group::possible().collect();
            let mut wanted: Vec<Group> = members.iter().map(|index| *index.get(&possible)).collect();
            let mut set: GroupSet = wanted.iter().copied().collect();
            wanted.sort_by_key(|group| group.bit());
            wanted.dedup();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), wanted.clone());
            for group in wanted {
                set.remove(group);
                prop_assert!(!set.contains(group));
            }
            prop_assert!(set.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_a_group_is_refused() {
        let one = || Rule { include: vec![key(1)], ..Rule::default() };
        let refused = |groups: Vec<OwnGroup>| Groups::with(groups).unwrap_err();
        for name in ["", "A", "1a", "a b", "a#1", "a~2", "\u{1b}[2J", "abcdefghijklmnopqrstuvwxy"] {
            assert_eq!(refused(vec![own(name, one())]), (0, BadGroup::Name), "{name:?}");
        }
        for name in ["amm_pool", "audit", "twice"] {
            assert_eq!(refused(vec![own("twice", one()), own(name, one())]), (1, BadGroup::Taken), "{name}");
        }
        assert_eq!(refused(vec![own("all", Rule::default())]), (0, BadGroup::Everything));
        let many = (0..=MOST_OWN).map(|place| own(&format!("own_{place}"), one())).collect();
        assert_eq!(refused(many), (MOST_OWN, BadGroup::TooMany));
    }
}
