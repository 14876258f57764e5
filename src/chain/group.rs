//! Priority groups: the unit of subscription, measurement and load balancing.

use serde::Serialize;

/// How much a group matters when something has to give: the order of variants is the order of importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Kept to the last: bonding curves.
    High,
    /// Kept while the connection is not "high only": the graduates' pools.
    Medium,
    /// Shed first: everybody else's pools.
    Low,
}

/// One of the three built-in groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// pump.
    BondingCurve,
    /// PumpSwap.
    AmmPool,
    /// Raydium and Meteora.
    ExternalAmm,
}

impl Group {
    /// All groups, most important first.
    pub const ALL: [Self; 3] = [Self::BondingCurve, Self::AmmPool, Self::ExternalAmm];

    /// The name used in filters, formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BondingCurve => "bonding_curve",
            Self::AmmPool => "amm_pool",
            Self::ExternalAmm => "external_amm",
        }
    }

    /// The group of that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// Importance under load.
    #[must_use]
    pub const fn priority(self) -> Priority {
        match self {
            Self::BondingCurve => Priority::High,
            Self::AmmPool => Priority::Medium,
            Self::ExternalAmm => Priority::Low,
        }
    }

    /// Position in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A set of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupSet(u8);

impl GroupSet {
    /// No group.
    pub const EMPTY: Self = Self(0);

    /// Adds a group.
    pub const fn insert(&mut self, group: Group) {
        self.0 |= 1 << group.index();
    }

    /// Removes a group.
    pub const fn remove(&mut self, group: Group) {
        self.0 &= !(1 << group.index());
    }

    /// Whether the group is in the set.
    #[must_use]
    pub const fn contains(self, group: Group) -> bool {
        self.0 & (1 << group.index()) != 0
    }

    /// Whether no group is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The groups, most important first.
    pub fn iter(self) -> impl Iterator<Item = Group> {
        Group::ALL.into_iter().filter(move |group| self.contains(*group))
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
