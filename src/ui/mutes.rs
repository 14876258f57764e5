//! What the user does not want to see of the alerts for now, and whom he watches. Rules that last stand in the
//! configuration; these go with the program.

use std::collections::HashSet;

use crate::{
    chain::ids::{Mint, Wallet},
    mev::{Alert, Class},
};

/// Mutes and watched wallets kept; a key that is held must not fill the memory.
const MOST: usize = 256;

/// Alerts that are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mute {
    /// Of this class.
    Class(Class),
    /// In which this wallet acts.
    Wallet(Wallet),
    /// Of this token.
    Mint(Mint),
}

impl Mute {
    fn hides(&self, alert: &Alert) -> bool {
        match self {
            Self::Class(class) => alert.class == *class,
            Self::Wallet(wallet) => alert.attackers.iter().any(|one| one.wallet == *wallet),
            Self::Mint(mint) => alert.mint == *mint,
        }
    }

    /// As it is told.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Class(class) => class.name().replace('_', " "),
            Self::Wallet(wallet) => format!("wallet {wallet}"),
            Self::Mint(mint) => format!("token {mint}"),
        }
    }
}

/// The mutes, in the order they were made, and the watched wallets.
#[derive(Debug, Default)]
pub struct Mutes {
    list: Vec<Mute>,
    watched: HashSet<Wallet>,
}

impl Mutes {
    /// Mutes; `false` when there are too many, or it is muted already.
    pub fn add(&mut self, mute: Mute) -> bool {
        let fits = self.list.len() < MOST && !self.list.contains(&mute);
        if fits {
            self.list.push(mute);
        }
        fits
    }

    /// Takes the newest mute back.
    pub fn undo(&mut self) -> Option<Mute> {
        self.list.pop()
    }

    /// Number of mutes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing is muted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether an alert is not shown. What a watched wallet has part in always is.
    #[must_use]
    pub fn hides(&self, alert: &Alert) -> bool {
        self.list.iter().any(|mute| mute.hides(alert)) && !self.watches(alert)
    }

    /// Watches a wallet, or no longer; whether it is watched now, `None` when there are too many.
    pub fn toggle_watch(&mut self, wallet: Wallet) -> Option<bool> {
        if self.watched.remove(&wallet) {
            return Some(false);
        }
        (self.watched.len() < MOST).then(|| self.watched.insert(wallet))
    }

    /// Whether this wallet is watched.
    #[must_use]
    pub fn is_watched(&self, wallet: &Wallet) -> bool {
        self.watched.contains(wallet)
    }

    /// Whether a watched wallet acts or suffers in an alert.
    #[must_use]
    pub fn watches(&self, alert: &Alert) -> bool {
        !self.watched.is_empty()
            && (alert.attackers.iter().any(|one| self.is_watched(&one.wallet))
                || alert.legs.iter().any(|leg| self.is_watched(&leg.user)))
    }
}
