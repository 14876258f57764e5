//! The order of rows, and which columns a table has.

use super::{
    action::Action,
    columns::Columns,
    model::{Model, Pane},
    order::Sort,
    panes,
    update::{complain, say},
};

/// Orders the focused pane by this column; if it is ordered by it already, the other way round.
pub(super) fn sort(model: &mut Model, column: u8) {
    let pane = model.pane();
    let title = panes::titles(pane).get(usize::from(column)).copied().unwrap_or("");
    if !sortable(model, pane, column) {
        return complain(model, &format!("rows cannot be ordered by {title}"));
    }
    let sort = &mut model.columns[pane as usize].sort;
    sort.by(column);
    let round = if sort.turned { ", turned round" } else { "" };
    say(model, &format!("by {title}{round}"));
    model.touch();
}

/// Orders the focused pane by the next column that gives an order; behind the last comes the pane's own order.
pub(super) fn next_sort(model: &mut Model, before: Option<u8>) {
    let pane = model.pane();
    let count = u8::try_from(panes::titles(pane).len()).unwrap_or(0);
    if count == 0 {
        return complain(model, "the rows in here keep their order");
    }
    let first = before.map_or(0, |before| before + 1);
    if let Some(column) = (first..count).find(|column| sortable(model, pane, *column)) {
        return sort(model, column);
    }
    model.columns[pane as usize].sort = Sort::default();
    say(model, "in their own order");
    model.touch();
}

/// Whether rows of a pane can be ordered by a column. Where there are no rows, nothing speaks against it.
fn sortable(model: &Model, pane: Pane, column: u8) -> bool {
    let position = usize::from(column);
    position < panes::titles(pane).len()
        && model.index_at(pane, 0).is_none_or(|first| panes::value(&model.view, pane, first, position).is_some())
}

/// Does something with the columns of the focused pane.
pub(super) fn columns(model: &mut Model, change: impl FnOnce(&mut Columns, usize) -> bool) {
    let pane = model.pane();
    let count = panes::columns(pane);
    if count == 0 || model.page_is_open() {
        complain(model, "there are no columns in here");
    } else if !change(&mut model.columns[pane as usize], count) {
        let keys = [Action::ColumnLeft, Action::ColumnRight].map(|action| model.keys.first(action));
        complain(model, &format!("choose a column first, with {} and {}", keys[0], keys[1]));
    }
}
