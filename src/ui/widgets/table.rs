//! Tables: columns chosen by the width there is, and only the rows that are seen.

use std::ops::Range;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{after, clip, line, text, text_right, width};
use crate::ui::draw::Draw;

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column<C> {
    /// Which.
    pub id: C,
    /// Its heading.
    pub title: &'static str,
    /// Its width in cells; the least width of a column that grows.
    pub width: u16,
    /// Its share of what is left over; 0 keeps its width.
    pub grow: u16,
    /// Whether its heading stands at its right edge.
    pub right: bool,
    /// Columns of a higher rank go first when the width does not suffice.
    pub rank: u8,
    /// Whether the column keys work on it.
    pub chosen: bool,
    /// Its position among the table's own columns, where rows can be ordered.
    pub position: Option<u8>,
    /// Whether the table's own order is by this column.
    pub leads: bool,
    /// Whether the rows are ordered by it, and then whether the other way round.
    pub sorted: Option<bool>,
}

impl<C> Column<C> {
    /// Words: from the left edge.
    #[must_use]
    pub const fn words(id: C, title: &'static str, width: u16, rank: u8) -> Self {
        Self {
            id,
            title,
            width,
            grow: 0,
            right: false,
            rank,
            chosen: false,
            position: None,
            leads: false,
            sorted: None,
        }
    }

    /// A number: at the right edge.
    #[must_use]
    pub const fn number(id: C, title: &'static str, width: u16, rank: u8) -> Self
    where
        C: Copy,
    {
        Self { right: true, ..Self::words(id, title, width, rank) }
    }

    /// The same, and the table's own order is by this column.
    #[must_use]
    pub const fn leading(self) -> Self
    where
        C: Copy,
    {
        Self { leads: true, ..self }
    }

    /// The same, growing.
    #[must_use]
    pub const fn growing(self, grow: u16) -> Self
    where
        C: Copy,
    {
        Self { grow, ..self }
    }
}

/// The headings of a table's columns, as they are named in the palette.
#[must_use]
pub const fn titles<C: Copy, const N: usize>(columns: &[Column<C>; N]) -> [&'static str; N] {
    let mut titles = [""; N];
    let mut index = 0;
    while index < N {
        titles[index] = columns[index].title;
        index += 1;
    }
    titles
}

/// Where each column that fits begins, and how wide it is. Between two columns one cell stays free, or two where there is
/// room for all.
pub fn fit<C: Copy>(columns: &[Column<C>], width: u16) -> Vec<(Column<C>, u16)> {
    let mut kept: Vec<Column<C>> = columns.to_vec();
    let total = |kept: &[Column<C>]| kept.iter().map(|column| u32::from(column.width) + 1).sum::<u32>();
    while total(&kept) > u32::from(width) + 1 && kept.len() > 1 {
        let highest = kept.iter().map(|column| column.rank).max().unwrap_or(0);
        // The rightmost of the least important goes first.
        if let Some(position) = kept.iter().rposition(|column| column.rank == highest) {
            kept.remove(position);
        }
    }
    let count = u32::try_from(kept.len()).unwrap_or(0);
    let gap = 1 + u16::from(kept.len() == columns.len() && total(&kept) + count <= u32::from(width) + 2);
    let left = (u32::from(width) + u32::from(gap)).saturating_sub(total(&kept) + count * u32::from(gap - 1));
    let shares: u32 = kept.iter().map(|column| u32::from(column.grow)).sum();
    let mut x = 0u16;
    for column in &mut kept {
        let more = (left * u32::from(column.grow)).checked_div(shares).unwrap_or(0);
        column.width = column.width.saturating_add(u16::try_from(more).unwrap_or(0));
    }
    kept.into_iter()
        .map(|column| {
            let at = x;
            x = x.saturating_add(column.width).saturating_add(gap);
            (column, at)
        })
        .collect()
}

/// Rows that fit under the heading.
#[must_use]
pub const fn page(area: Rect) -> usize {
    area.height.saturating_sub(1) as usize
}

/// Draws heading and rows. `cell` draws one cell of a row into its rectangle. The selected row is marked in the first
/// column, which is left free for that.
pub fn draw<C: Copy>(
    buffer: &mut Buffer,
    area: Rect,
    columns: &[Column<C>],
    rows: Range<usize>,
    selected: Selected,
    draw: &Draw<'_>,
    mut cell: impl FnMut(&mut Buffer, Rect, usize, C),
) {
    let area = clip(buffer, area);
    if area.width < 3 || area.height == 0 {
        return;
    }
    let inner = Rect { width: area.width - 2, ..after(area, 1) };
    let columns = fit(columns, inner.width);
    let at = |line: Rect, x: u16, width: u16| {
        let cell = after(line, x);
        Rect { width: width.min(cell.width), ..cell }
    };
    let head = line(inner, 0);
    for (column, x) in &columns {
        let place = at(head, *x, column.width);
        heading(buffer, place, column, draw);
    }
    for (index, row) in rows.enumerate() {
        let Ok(index) = u16::try_from(index + 1) else { break };
        let place = line(inner, index);
        if place.height == 0 {
            break;
        }
        for (column, x) in &columns {
            cell(buffer, at(place, *x, column.width), row, column.id);
        }
        match selected {
            Selected::Here(here) if here == row => mark(buffer, line(area, index), draw),
            Selected::Aside(here) if here == row => sign(buffer, line(area, index), draw.theme.dim, draw),
            _ => {}
        }
    }
}

/// Draws a column's heading. The sign of the order stands beside it, in the free cell between columns where the heading
/// fills its own.
fn heading<C>(buffer: &mut Buffer, place: Rect, column: &Column<C>, draw: &Draw<'_>) {
    let style = match (column.chosen, column.sorted) {
        (true, _) => draw.theme.tab,
        (false, Some(_)) => draw.theme.accent,
        (false, None) => draw.theme.dim,
    };
    if column.right {
        text_right(buffer, place, column.title, style);
    } else {
        text(buffer, place, column.title, style);
    }
    let title = width(column.title).min(place.width);
    if let Some(turned) = column.sorted {
        let x = if column.right {
            (place.right() - title).saturating_sub(1).max(buffer.area.x)
        } else {
            place.x.saturating_add(title)
        };
        let sign = if turned { draw.glyphs.up } else { draw.glyphs.down };
        text(buffer, Rect { x, width: 1, ..place }, sign, draw.theme.accent);
    }
    if let Some(position) = column.position {
        draw.model.headings.borrow_mut().push((place, position));
    }
}

/// Marks a line as selected: by its ground and by a sign at its left edge.
pub fn mark(buffer: &mut Buffer, place: Rect, draw: &Draw<'_>) {
    let place = clip(buffer, place);
    buffer.set_style(place, draw.theme.selected);
    sign(buffer, place, draw.theme.accent, draw);
}

fn sign(buffer: &mut Buffer, place: Rect, style: Style, draw: &Draw<'_>) {
    text(buffer, Rect { width: place.width.min(1), ..place }, draw.glyphs.mark, style);
}

/// Which row is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// None.
    No,
    /// This one, and the pane has the focus.
    Here(usize),
    /// This one, but the keys move elsewhere.
    Aside(usize),
}

impl Selected {
    /// From the row and the focus.
    #[must_use]
    pub const fn new(row: Option<usize>, focused: bool) -> Self {
        match (row, focused) {
            (None, _) => Self::No,
            (Some(row), true) => Self::Here(row),
            (Some(row), false) => Self::Aside(row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn columns() -> Vec<Column<u8>> {
        vec![
            Column::words(0, "name", 8, 0).growing(2),
            Column::number(1, "a", 6, 1),
            Column::number(2, "b", 6, 3),
            Column::number(3, "c", 6, 3),
            Column::words(4, "rest", 10, 2).growing(1),
        ]
    }

    #[test]
    fn the_least_important_columns_go_first() {
        let ids = |width| fit(&columns(), width).iter().map(|(column, _)| column.id).collect::<Vec<_>>();
        assert_eq!(ids(100), [0, 1, 2, 3, 4]);
        assert_eq!(ids(34), [0, 1, 2, 4]);
        assert_eq!(ids(26), [0, 1, 4]);
        assert_eq!(ids(16), [0, 1]);
        assert_eq!(ids(1), [0]);
    }

    proptest! {
        #[test]
        fn columns_do_not_overlap_and_stay_inside(width in 8u16..600) {
            let fitted = fit(&columns(), width);
            let mut end = 0;
            for (column, x) in fitted {
                prop_assert!(x >= end);
                end = x + column.width + 1;
            }
            prop_assert!(end <= width + 1);
        }
    }
}
