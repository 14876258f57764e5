//! The keys that mute alerts and watch wallets.

use crate::mev::Alert;

use super::{
    action::Action,
    model::{Model, Overlay, Pane},
    mutes::Mute,
    update::{complain, say},
};

/// Mutes what the chosen alert has.
pub(super) fn mute(model: &mut Model, of: impl FnOnce(&Alert) -> Option<Mute>) {
    let undo = model.keys.first(Action::Unmute);
    match model.chosen_alert().map(|entry| of(&entry.alert)) {
        None => complain(model, "choose an alert first"),
        Some(None) => complain(model, "nobody acts in this alert"),
        Some(Some(mute)) if model.mutes.add(mute) => {
            model.evidence = None;
            say(model, &format!("{} is muted; {undo} takes it back", mute.name()));
            model.touch();
        }
        Some(Some(mute)) => complain(model, &format!("{} is muted already, or too much is", mute.name())),
    }
}

/// Watches the chosen alert's attacker, or the chosen trade's trader; or no longer.
pub(super) fn watch(model: &mut Model) {
    let acts = model.chosen_alert().and_then(|entry| entry.alert.attackers.first()).map(|one| one.wallet);
    let trades = || match &model.overlay {
        Some(Overlay::Trade(trade)) => Some(trade.user),
        _ if model.pane() == Pane::Trades && !model.page_is_open() => Some(model.chosen_trade()?.user),
        _ => None,
    };
    let Some(wallet) = acts.or_else(trades) else { return complain(model, "choose an alert or a trade first") };
    match model.mutes.toggle_watch(wallet) {
        Some(true) => say(model, &format!("{wallet} is watched: its alerts ring and are never muted")),
        Some(false) => say(model, &format!("{wallet} is no longer watched")),
        None => complain(model, "too many wallets are watched"),
    }
    model.touch();
}
