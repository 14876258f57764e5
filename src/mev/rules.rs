//! What the user wants to see of the alerts, and to be told at once.

use std::collections::HashSet;

use super::alert::{Alert, Band, Class};
use crate::chain::ids::{Mint, Wallet};

/// When an alert rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// Never.
    Off,
    /// When a watched wallet takes part, or it is of a watched token.
    Watched,
    /// Then, and when somebody is attacked.
    #[default]
    Attacks,
    /// Always.
    All,
}

/// The user's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertRules {
    /// Classes not shown.
    pub mute_classes: Vec<Class>,
    /// Alerts in which one of these acts are not shown.
    pub mute_wallets: HashSet<Wallet>,
    /// Alerts of these tokens are not shown.
    pub mute_mints: HashSet<Mint>,
    /// Wallets whose part in anything is told at once, whoever acts or suffers, and whatever is muted.
    pub watch_wallets: HashSet<Wallet>,
    /// Tokens of which any alert is told at once, whatever is muted.
    pub watch_mints: HashSet<Mint>,
    /// When to ring.
    pub notify: Notify,
    /// From which confidence.
    pub notify_from: Option<Band>,
}

impl AlertRules {
    /// Whether an alert is shown, and if so whether it rings.
    #[must_use]
    pub fn judge(&self, alert: &Alert) -> Option<bool> {
        let acts = |wallets: &HashSet<Wallet>| alert.attackers.iter().any(|one| wallets.contains(&one.wallet));
        let takes_part =
            || acts(&self.watch_wallets) || alert.legs.iter().any(|leg| self.watch_wallets.contains(&leg.user));
        let watched = self.watch_mints.contains(&alert.mint) || (!self.watch_wallets.is_empty() && takes_part());
        let muted = self.mute_classes.contains(&alert.class)
            || self.mute_mints.contains(&alert.mint)
            || (!self.mute_wallets.is_empty() && acts(&self.mute_wallets));
        if muted && !watched {
            return None;
        }
        let sure = self.notify_from.is_none_or(|from| alert.band() >= from);
        Some(match self.notify {
            Notify::Off => false,
            Notify::Watched => watched,
            Notify::Attacks => watched || (sure && alert.class.is_attack()),
            Notify::All => watched || sure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mev::alert::{Attacker, Link};

    fn alert(class: Class, wallet: u8, confidence: f64) -> Alert {
        let attackers = vec![Attacker { wallet: Wallet::new([wallet; 32]), link: Link::Owner }];
        Alert { confidence, attackers, ..Alert::empty(class) }
    }

    #[test]
    fn mutes_hide_and_watched_wallets_ring_in_spite_of_them() {
        let tight = alert(Class::SandwichTight, 1, 0.95);
        let rules = AlertRules { notify_from: Some(Band::Likely), ..AlertRules::default() };
        assert_eq!(rules.judge(&tight), Some(true));
        assert_eq!(rules.judge(&alert(Class::SandwichTight, 1, 0.8)), Some(false), "not sure enough");
        assert_eq!(rules.judge(&alert(Class::Wash, 1, 0.99)), Some(false), "no attack");
        let all = AlertRules { notify: Notify::All, ..rules.clone() };
        assert_eq!(all.judge(&alert(Class::Wash, 1, 0.99)), Some(true));

        let wallets = HashSet::from([Wallet::new([1; 32])]);
        let mints = HashSet::from([tight.mint]);
        let watching = AlertRules { watch_wallets: wallets.clone(), notify: Notify::Watched, ..rules.clone() };
        for muted in [
            AlertRules { mute_classes: vec![Class::SandwichTight], ..watching.clone() },
            AlertRules { mute_wallets: wallets, ..watching.clone() },
            AlertRules { mute_mints: mints.clone(), ..watching.clone() },
        ] {
            assert_eq!(muted.judge(&alert(Class::SandwichTight, 1, 0.5)), Some(true), "watched");
            let unwatched = AlertRules { watch_wallets: HashSet::new(), ..muted };
            assert_eq!(unwatched.judge(&tight), None);
            let of_the_token = AlertRules { watch_mints: mints.clone(), ..unwatched };
            assert_eq!(of_the_token.judge(&tight), Some(true));
        }
        assert_eq!(watching.judge(&alert(Class::Bait, 2, 0.99)), Some(false));
        assert_eq!(AlertRules { notify: Notify::Off, ..watching }.judge(&tight), Some(false));
    }
}
