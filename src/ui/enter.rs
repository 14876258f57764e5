//! The two keys that lead into things and out of them: Enter and Escape.

use std::time::Instant;

use crate::engine::Command;

use super::{
    arguments::{apply_to, move_group},
    model::{Model, Overlay, Pane, Tab},
    streams::{narrow, stream},
    typed::Typed,
    update::{Effect, complain, filtered, say},
};

/// Opens, applies or keeps what is chosen.
pub(super) fn open(model: &mut Model, now: Instant, effects: &mut Vec<Effect>) {
    match model.overlay.take() {
        Some(Overlay::Help { words, scroll, typing: true }) => {
            model.overlay = Some(Overlay::Help { words, scroll, typing: false });
        }
        Some(Overlay::Help { .. }) => {}
        Some(Overlay::Trade(trade)) => model.detail = Some(trade.mint),
        Some(Overlay::Themes { .. }) => say(model, &format!("theme {}", model.themes.name(model.theme))),
        Some(Overlay::Palette(palette)) => match palette.chosen() {
            Some((action, argument)) => effects.extend(apply_to(model, action, argument, now)),
            None => complain(model, &format!("nothing is called {:?}", palette.typed.text())),
        },
        Some(Overlay::Plan(plan)) => {
            if !plan.moves.is_empty() && stream(model, Command::Rebalance { moves: plan.moves.clone() }, now, effects) {
                say(model, &format!("rebalancing: {} moves, make before break", plan.moves.len()));
            }
        }
        Some(Overlay::Narrow { mints, .. }) => narrow(model, mints, now, effects),
        Some(Overlay::MoveGroup { group, choice }) => {
            let target = model.view.connections.get(choice).map(|connection| connection.status.id);
            match target {
                Some(to) => move_group(model, group, to, now, effects),
                None => complain(model, "that connection is gone"),
            }
        }
        None if model.searching => model.searching = false,
        None if model.typing => {
            // A word that cannot be read must not be taken for a filter that finds nothing to hide.
            model.typing = model.filter.problem().is_some();
        }
        None if model.evidence.is_some() => {
            model.detail = model.chosen_alert().map(|entry| entry.alert.mint);
        }
        None => match model.pane() {
            Pane::Alerts => model.evidence = model.chosen_alert().map(|entry| entry.alert.id),
            Pane::Tokens => model.detail = model.token,
            Pane::Trades => model.overlay = model.chosen_trade().cloned().map(Overlay::Trade),
            Pane::Lifecycle => {
                let entries = &model.view.lifecycle.entries;
                let at = model.step_row().and_then(|row| entries.len().checked_sub(row + 1));
                model.detail = at.and_then(|at| entries.get(at)).map(|entry| entry.mint);
            }
            Pane::Connections | Pane::Groups if model.tab == Tab::Overview => {
                model.tab = Tab::Connections;
                model.zoomed = false;
            }
            _ => {}
        },
    }
}

/// One thing at a time, the topmost first.
pub(super) fn back(model: &mut Model) {
    match model.overlay.take() {
        Some(Overlay::Themes { before }) => return model.theme = before,
        Some(Overlay::Help { words, .. }) if !words.is_empty() => {
            model.overlay = Some(Overlay::Help { scroll: 0, words: Typed::default(), typing: false });
            return;
        }
        Some(_) => return,
        None => {}
    }
    if model.searching || (model.pane() == Pane::Logs && model.logs.lists(&model.search)) {
        model.searching = false;
        model.search.set("");
        model.notice = None;
    } else if model.typing || (!model.page_is_open() && !model.filter.is_empty() && has_tokens(model)) {
        model.typing = false;
        model.filter.set("");
        filtered(model);
        if !model.view.narrowed_to.is_empty() && model.behind_ms == 0 {
            // What it costs is shown before; who leaves that keeps the subscription as it is.
            model.overlay = Some(Overlay::Narrow { mints: Vec::new(), symbols: Vec::new() });
        }
    } else if model.detail.is_some() && std::mem::take(&mut model.page.zoomed)
        || model.detail.take().is_some()
        || model.evidence.take().is_some()
        || model.columns[model.pane() as usize].release()
    {
    } else if model.zoomed {
        model.zoomed = false;
    } else {
        model.trade = None;
        model.step = None;
        model.alert = None;
        model.alert_row = 0;
        model.logs.follow();
    }
}

/// Whether what stands on this tab is of tokens, so that the filter works on it.
pub(super) const fn has_tokens(model: &Model) -> bool {
    matches!(model.tab, Tab::Overview | Tab::Tokens | Tab::Trades | Tab::Mev | Tab::Liquidity)
}
