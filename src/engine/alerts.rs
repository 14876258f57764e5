//! The detectors' place in the pipeline: changes in, alerts out, as the user's rules want them.

use std::{sync::Arc, time::SystemTime};

use crate::{
    decode::EventKind,
    market::{Market, Tape, change::Change, view::Feed},
    mev::{Alert, AlertRules, AlertView, Detectors, Examined, Fate, Records, Weights},
};

/// Revisions of alerts kept in the view.
const SHOWN: usize = 512;

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    detectors: Detectors,
    rules: Arc<AlertRules>,
    records: Records,
    shown: Tape<AlertView>,
    /// Found and not handed on yet, each with how many of the changes come before it.
    found: Vec<(usize, Arc<AlertView>)>,
    /// Changes looked at that are not handed on yet.
    looked: usize,
    raised: Vec<Alert>,
    muted: u64,
}

impl Watch {
    /// `settled`: the stream carries confirmed slots only.
    pub(super) fn new(rules: AlertRules, settled: bool) -> Self {
        Self {
            detectors: Detectors::new(Weights::built_in(), settled),
            rules: Arc::new(rules),
            records: Records::default(),
            shown: Tape::new(SHOWN),
            found: Vec::new(),
            looked: 0,
            raised: Vec::new(),
            muted: 0,
        }
    }

    /// Other rules, for what is found from now on.
    pub(super) fn judge_by(&mut self, rules: Arc<AlertRules>) {
        self.rules = rules;
    }

    /// Detectors that find the same each time.
    pub(super) fn predictable(&mut self, settled: bool) {
        self.detectors = Detectors::predictable(Weights::built_in(), settled);
    }

    /// Detectors that weigh so, and keep what they look at.
    pub(super) fn study(&mut self, weights: &Weights) {
        self.detectors.study(weights);
    }

    /// What was looked at since the last time.
    pub(super) fn examined(&mut self) -> Vec<Examined> {
        self.detectors.examined()
    }

    /// Looks at the changes behind those it has looked at; how many trades were among them.
    pub(super) fn look(&mut self, changes: &[Change], market: &mut Market) -> u32 {
        let mut trades = 0_u32;
        for (at, change) in changes.iter().enumerate().skip(self.looked) {
            match change {
                Change::Chain(chain) => {
                    trades = trades.saturating_add(u32::from(matches!(chain.event.kind, EventKind::Trade(_))));
                    self.detectors.event(&chain.event, chain.recv_us, chain.is_whole(), &mut self.raised);
                }
                Change::Dead(slot) => self.detectors.slot(*slot, Fate::Dead, &mut self.raised),
                Change::Confirmed(slot) => self.detectors.slot(*slot, Fate::Confirmed, &mut self.raised),
                Change::Transferred { transfer, .. } => self.detectors.transferred(transfer),
                Change::Attempted { attempt, recv_us } => self.detectors.attempted(attempt, *recv_us),
                Change::Retracted { .. }
                | Change::ChainBroken { .. }
                | Change::Alarm { .. }
                | Change::Progress { .. }
                | Change::Milestone { .. } => {}
            }
            let by_slot = matches!(change, Change::Dead(_) | Change::Confirmed(_));
            for mut alert in self.raised.drain(..) {
                if !by_slot {
                    alert.detect_us = u64::try_from(now_us() - alert.recv_us).unwrap_or(0);
                    self.detectors.handed_on(alert.id, alert.detect_us);
                }
                market.flag(&alert.mint, flag(&alert));
                let record = self.records.take(&alert);
                let Some(notify) = self.rules.judge(&alert) else {
                    self.muted += 1;
                    continue;
                };
                let symbol = market.symbol(&alert.mint);
                let view = self.shown.push_shared(AlertView { alert, symbol, notify, record });
                self.found.push((at + 1, view));
            }
        }
        self.looked = changes.len();
        trades
    }

    /// Alerts not handed on yet, each with how many of the changes come before it; the changes are handed on with them.
    pub(super) fn take(&mut self) -> Vec<(usize, Arc<AlertView>)> {
        self.looked = 0;
        std::mem::take(&mut self.found)
    }

    pub(super) fn feed(&mut self) -> Feed<AlertView> {
        self.shown.feed()
    }

    /// Alerts that the rules hid.
    pub(super) const fn muted(&self) -> u64 {
        self.muted
    }

    /// Pools, payers, programs and wallets forgotten because there were too many.
    pub(super) fn forgotten(&self) -> u64 {
        let bounds = self.detectors.bounds();
        bounds.pools_evicted + bounds.users_evicted + bounds.failed_dropped + self.records.forgotten()
    }
}

/// What an alert means for its token's row.
const fn flag(alert: &Alert) -> Option<&'static str> {
    use crate::mev::{Class, State};
    match (alert.state, alert.class) {
        (State::Retracted, _) => None,
        (_, class) if class.is_attack() && alert.confidence >= crate::mev::alert::SUSPECTED => Some("mev_hit"),
        (_, Class::Bundle) => Some("bundled"),
        (_, Class::DevSell) => Some(crate::market::DEV_SOLD),
        (_, Class::Rug) => Some(crate::market::RUGGED),
        (_, Class::Wash) => Some("wash"),
        _ => None,
    }
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
