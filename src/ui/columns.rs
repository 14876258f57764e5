//! Which columns of a table are shown, and in which order: the user's choice, kept by pane.

use super::{order::Sort, widgets::table::Column};

/// The user's choice for one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Positions of the table's own columns in the chosen order; empty while nothing was changed.
    order: Vec<u8>,
    /// Hidden columns, by position.
    hidden: u32,
    /// Position of the column that the column keys work on, among the table's own.
    cursor: Option<u8>,
    /// What the rows are ordered by.
    pub sort: Sort,
}

impl Columns {
    fn order(&self, count: usize) -> Vec<u8> {
        let all = 0..u8::try_from(count.min(32)).unwrap_or(32);
        if self.order.len() == all.len() { self.order.clone() } else { all.collect() }
    }

    const fn is_hidden(&self, position: u8) -> bool {
        self.hidden & (1 << (position % 32)) != 0
    }

    fn shown(&self, count: usize) -> Vec<u8> {
        self.order(count).into_iter().filter(|position| !self.is_hidden(*position)).collect()
    }

    /// The table's columns as chosen: without the hidden ones, in the chosen order. The one the keys work on is marked by
    /// rank 0, so that it is there at any width.
    #[must_use]
    pub fn arrange<C: Copy>(&self, own: &[Column<C>]) -> Vec<Column<C>> {
        let column = |position: u8| {
            let column = own.get(usize::from(position)).copied()?;
            let chosen = self.cursor == Some(position);
            let sorted = self.sort.column.map_or(column.leads, |by| by == position).then_some(self.sort.turned);
            let rank = if chosen { 0 } else { column.rank };
            Some(Column { rank, chosen, sorted, position: Some(position), ..column })
        };
        self.shown(own.len()).into_iter().filter_map(column).collect()
    }

    /// Whether a column is chosen.
    #[must_use]
    pub const fn cursor(&self) -> Option<u8> {
        self.cursor
    }

    /// No column is chosen any more; whether one was.
    pub const fn release(&mut self) -> bool {
        self.cursor.take().is_some()
    }

    /// Chooses the next column to the right, or to the left; the first time, the outermost on the other side.
    pub fn choose(&mut self, right: bool, count: usize) {
        let shown = self.shown(count);
        let at = self.cursor.and_then(|cursor| shown.iter().position(|position| *position == cursor));
        let to = match (at, right) {
            (Some(at), true) => (at + 1).min(shown.len().saturating_sub(1)),
            (Some(at), false) => at.saturating_sub(1),
            (None, true) => 0,
            (None, false) => shown.len().saturating_sub(1),
        };
        self.cursor = shown.get(to).copied();
    }

    /// Moves the chosen column among the shown ones; whether there was one to move.
    pub fn shift(&mut self, right: bool, count: usize) -> bool {
        let Some(cursor) = self.cursor else { return false };
        let mut order = self.order(count);
        let shown = self.shown(count);
        let at = shown.iter().position(|position| *position == cursor);
        let to = at.and_then(|at| if right { at.checked_add(1) } else { at.checked_sub(1) });
        if let Some(other) = to.and_then(|to| shown.get(to)) {
            let place = |wanted: u8| order.iter().position(|position| *position == wanted);
            if let (Some(a), Some(b)) = (place(cursor), place(*other)) {
                order.swap(a, b);
                self.order = order;
            }
        }
        true
    }

    /// Hides the chosen column; whether there was one, and another one to be left.
    pub fn hide(&mut self, count: usize) -> bool {
        let shown = self.shown(count);
        let Some(cursor) = self.cursor.filter(|_| shown.len() > 1) else { return false };
        let at = shown.iter().position(|position| *position == cursor).unwrap_or(0);
        self.hidden |= 1 << (cursor % 32);
        let left = self.shown(count);
        self.cursor = left.get(at).or_else(|| left.last()).copied();
        true
    }

    /// Shows all columns, in the table's own order.
    pub fn reset(&mut self) {
        *self = Self { sort: self.sort, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own() -> Vec<Column<u8>> {
        (0..6).map(|id| Column::number(id, "x", 4, id)).collect()
    }

    fn ids(columns: &Columns) -> Vec<u8> {
        columns.arrange(&own()).iter().map(|column| column.id).collect()
    }

    #[test]
    fn columns_are_hidden_and_moved() {
        let mut columns = Columns::default();
        assert!(!columns.hide(6) && !columns.shift(true, 6), "nothing is chosen");
        columns.choose(true, 6);
        assert!(columns.shift(true, 6));
        assert_eq!(ids(&columns), [1, 0, 2, 3, 4, 5]);
        assert!(columns.hide(6));
        assert_eq!(ids(&columns), [1, 2, 3, 4, 5]);
        assert_eq!(columns.cursor(), Some(2));
        columns.reset();
        assert_eq!(ids(&columns), [0, 1, 2, 3, 4, 5]);
    }

    proptest! {
        #[test]
        fn no_column_is_ever_lost_or_doubled(steps in prop::collection::vec((0u8..3, any::<bool>()), 0..40)) {
            let mut columns = Columns::default();
            for (what, right) in steps {
                match what {
                    0 => columns.choose(right, 6),
                    1 => drop(columns.shift(right, 6)),
                    _ => drop(columns.hide(6)),
                }
                let mut left = ids(&columns);
                prop_assert!(!left.is_empty());
                if let Some(cursor) = columns.cursor() {
                    prop_assert!(left.contains(&cursor), "the chosen column is shown");
                }
                left.sort_unstable();
                left.dedup();
                prop_assert_eq!(left.len(), ids(&columns).len());
            }
            columns.reset();
            prop_assert_eq!(ids(&columns), (0..6).collect::<Vec<u8>>());
        }
    }
}
