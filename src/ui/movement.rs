//! Moving: between panes, and in whatever list the arrows move at the moment.

use super::{
    action::{Heading, TABLE},
    model::{Model, Overlay, Pane},
    panes::decoding,
};

/// To the next pane, or the one before, on a token's page to the next list: of those that the last frame had room for, or of all while one is zoomed.
pub(super) fn focus(model: &mut Model, step: isize) {
    if model.detail.is_some() {
        model.page.section = model.page.section.step(step > 0);
        return;
    }
    let panes = model.tab.panes();
    let seen = |at: usize| panes.get(at).is_some_and(|pane| !model.scroll(*pane).place.get().is_empty());
    let any = !model.zoomed && (0..panes.len()).any(seen);
    let at = model.focus.get(model.tab as usize).copied().unwrap_or(0);
    let step = if step < 0 { panes.len().saturating_sub(1) } else { 1 };
    let next = (1..=panes.len()).map(|times| (at + step * times) % panes.len()).find(|next| !any || seen(*next));
    if let (Some(next), Some(focus)) = (next, model.focus.get_mut(model.tab as usize)) {
        *focus = next;
    }
}

pub(super) fn page(model: &mut Model, direction: isize) {
    let rows = match model.overlay {
        Some(_) => 10,
        None => model.scroll(model.pane()).page.get().saturating_sub(1).max(1),
    };
    by(model, direction.saturating_mul(rows.cast_signed()));
}

/// Moves whatever the arrows move at the moment.
pub(super) fn by(model: &mut Model, step: isize) {
    match &mut model.overlay {
        Some(Overlay::Help { scroll, .. }) => {
            *scroll = moved(*scroll, step, TABLE.len() + 2 * Heading::ALL.len());
            return;
        }
        Some(Overlay::Palette(palette)) => return palette.by(step),
        Some(Overlay::Themes { .. }) => {
            model.theme = moved(model.theme, step, model.themes.names().len());
            return;
        }
        Some(Overlay::MoveGroup { choice, .. }) => {
            *choice = moved(*choice, step, model.view.connections.len());
            return;
        }
        Some(Overlay::Plan(_) | Overlay::Trade(_) | Overlay::Narrow { .. }) => return,
        None => {}
    }
    if model.detail.is_some() {
        // On a token's page the arrows walk through the list behind it.
        model.select_token(moved(model.token_row, step, model.order.len()));
        model.detail = model.token;
        return;
    }
    if model.evidence.is_some() {
        // And on an alert's page through the alerts.
        model.select_alert(moved(model.alert_row, step, model.alerts.len()));
        model.evidence = model.alert_at(model.alert_row).map(|entry| entry.alert.id);
        return;
    }
    match (model.pane(), selected(model)) {
        (Pane::Logs, None) if step == isize::MAX => model.logs.follow(),
        (Pane::Logs, None) if step < 0 => model.logs.back(),
        (Pane::Logs, None) => model.logs.forth(),
        (_, Some(row)) => select(model, row.saturating_add_signed(step)),
        (_, None) => {}
    }
}

/// The selected row of the focused pane; `None` in panes without rows.
pub(super) fn selected(model: &Model) -> Option<usize> {
    match model.pane() {
        Pane::Connections => {
            Some(model.connection_row().and_then(|index| model.row_of(Pane::Connections, index)).unwrap_or(0))
        }
        Pane::Groups => Some(model.row_of(Pane::Groups, model.group).unwrap_or(0)),
        Pane::Tokens => Some(model.token_row),
        Pane::Undecoded => Some(model.row_of(Pane::Undecoded, model.undecoded).unwrap_or(0)),
        Pane::Liquidity => Some(model.pool_row),
        Pane::Trades => Some(model.trade_row().unwrap_or(0)),
        Pane::Lifecycle => Some(model.step_row().unwrap_or(0)),
        Pane::Logs if model.logs.lists(&model.search) => Some(model.logs.row(&model.logs.hits(&model.search))),
        Pane::Decoding => Some(model.decoding),
        Pane::Alerts => Some(model.alert_row),
        Pane::Budget | Pane::Completeness | Pane::Logs => None,
    }
}

/// Selects a row of the focused pane, or its last.
pub(super) fn select(model: &mut Model, row: usize) {
    let within = |len: usize| row.min(len.saturating_sub(1));
    let pane = model.pane();
    let index = model.index_at(pane, within(model.rows(pane).len())).unwrap_or(0);
    match pane {
        Pane::Connections => model.connection = index,
        Pane::Groups => model.group = index,
        Pane::Tokens => model.select_token(row),
        Pane::Liquidity => model.select_pool(row),
        Pane::Undecoded => model.undecoded = index,
        Pane::Trades => {
            let row = within(model.tape.len());
            let number = model.tape.get(row).map(|i| model.view.trades.first_seq.saturating_add(u64::from(*i)));
            model.trade = number.filter(|_| row > 0);
        }
        Pane::Lifecycle => {
            let feed = &model.view.lifecycle;
            let row = within(feed.entries.len());
            let index = feed.entries.len().saturating_sub(row + 1) as u64;
            model.step = Some(feed.first_seq.saturating_add(index)).filter(|_| row > 0);
        }
        Pane::Logs => {
            let hits = model.logs.hits(&model.search);
            model.logs.select(hits.get(row.min(hits.len().saturating_sub(1))).filter(|_| row > 0));
        }
        Pane::Decoding => model.decoding = within(decoding::rows(&model.view, model.connection_row()).len()),
        Pane::Alerts => model.select_alert(row),
        Pane::Budget | Pane::Completeness => {}
    }
}

/// A position moved by so many, within a list.
pub(super) fn moved(at: usize, step: isize, len: usize) -> usize {
    at.saturating_add_signed(step).min(len.saturating_sub(1))
}
