//! The mouse: where a click, a drag or a turn of the wheel lands, by the places of the last frame.

use ratatui::layout::{Position, Rect};

use super::{
    layout,
    model::{Model, Pane, Tab},
    movement::{by, select},
    panes::tabs,
    sorting::sort,
};

/// Rows that one turn of the wheel moves.
const NOTCH: isize = 3;

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// The main button was pressed.
    Click,
    /// The pointer was moved with the button held.
    Drag,
    /// The button was let go.
    Release,
    /// The wheel was turned away from the user.
    WheelUp,
    /// The wheel was turned towards the user.
    WheelDown,
}

/// What a gesture at this column and row does. Nothing under an overlay is touched: there the wheel moves the overlay's
/// own list.
pub fn apply(model: &mut Model, gesture: Gesture, column: u16, row: u16) {
    model.refresh();
    let at = Position { x: column, y: row };
    match gesture {
        Gesture::Drag => return model.dividers.drag(at),
        Gesture::Release => return model.dividers.release(),
        Gesture::Click if model.overlay.is_none() && model.dividers.grab(at) => return,
        _ => {}
    }
    let step = match gesture {
        Gesture::Click | Gesture::Drag | Gesture::Release => 0,
        Gesture::WheelUp => -NOTCH,
        Gesture::WheelDown => NOTCH,
    };
    if model.overlay.is_some() || model.page_is_open() {
        if step != 0 {
            by(model, step);
        }
        return;
    }
    if gesture == Gesture::Click {
        let (width, height) = model.size.get();
        let screen = layout::screen(Rect { x: 0, y: 0, width, height });
        let tab = screen.and_then(|screen| tabs::at(screen.tabs, at));
        if let Some(tab) = tab {
            return show(model, tab);
        }
    }
    let Some((pane, area)) = pane_at(model, at) else { return };
    if let Some(focus) = model.tab.panes().iter().position(|other| *other == pane)
        && let Some(own) = model.focus.get_mut(model.tab as usize)
    {
        *own = focus;
    }
    if step != 0 {
        return by(model, step);
    }
    let heading = model.headings.borrow().iter().find(|(place, _)| place.contains(at)).map(|(_, column)| *column);
    if let Some(column) = heading {
        return sort(model, column);
    }
    let first = area.y.saturating_add(first_row(pane));
    if let Some(index) = row.checked_sub(first) {
        let scroll = model.scroll(pane);
        let index = usize::from(index);
        if index < scroll.page.get() {
            let row = scroll.offset.get().saturating_add(index);
            select(model, row);
        }
    }
}

pub(super) fn show(model: &mut Model, tab: Tab) {
    model.tab = tab;
    model.zoomed = false;
    model.detail = None;
    model.evidence = None;
}

/// Rows of a pane above its first entry: the upper edge, and the headings of a table.
const fn first_row(pane: Pane) -> u16 {
    match pane {
        Pane::Lifecycle | Pane::Logs => 1,
        _ => 2,
    }
}

fn pane_at(model: &Model, at: Position) -> Option<(Pane, Rect)> {
    let shown = model.tab.panes().iter().map(|pane| (*pane, model.scroll(*pane).place.get()));
    shown.filter(|(_, area)| area.contains(at)).last()
}
