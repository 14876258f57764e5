//! What could not be decoded, so that nothing is missing in silence.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    engine::view::UndecodedView,
    ui::{
        draw::Draw,
        format::{abbreviate, count},
        model::Pane,
        order::Value,
        widgets::{
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right,
        },
    },
};

#[derive(Clone, Copy)]
enum Field {
    Count,
    Program,
    Reason,
    Discriminator,
    Example,
}

const COLUMNS: [Column<Field>; 5] = [
    Column::number(Field::Count, "count", 9, 0),
    Column::words(Field::Program, "program", 16, 0),
    Column::words(Field::Reason, "reason", 20, 0),
    Column::words(Field::Discriminator, "first bytes", 16, 1),
    Column::words(Field::Example, "example transaction", 20, 2).growing(1),
];

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Headings of the columns.
pub const TITLES: [&str; WIDTH] = table::titles(&COLUMNS);

/// What a row is ordered by in the column at this position.
#[must_use]
pub fn value(row: &UndecodedView, position: usize) -> Option<Value<'_>> {
    Some(match COLUMNS.get(position)?.id {
        Field::Count => Value::count(row.count),
        Field::Program => Value::words(row.program.name()),
        Field::Reason => Value::words(row.reason.name()),
        Field::Discriminator => Value::words(format!("{:016x}", u64::from_be_bytes(row.discriminator))),
        Field::Example => return None,
    })
}

/// Draws the table.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (theme, model) = (draw.theme, draw.model);
    let rows = &model.view.undecoded;
    let parse = &model.view.totals.parsed.all;
    let right = format!("{} of {} events decoded", count(parse.decoded), count(parse.expected));
    let title = Title { name: "Not decoded", right: &right, focused: draw.focused(Pane::Undecoded) };
    let inner = pane::frame(buffer, area, title, draw);
    if rows.is_empty() {
        return pane::sentence(buffer, inner, "Everything that was expected has been decoded.", draw);
    }
    let selected = model.row_of(Pane::Undecoded, model.undecoded);
    let window = model.scroll(Pane::Undecoded).window(selected, rows.len(), page(inner));
    let marked = Selected::new(selected, draw.focused(Pane::Undecoded));
    let columns = model.columns(Pane::Undecoded).arrange(&COLUMNS);
    table::draw(buffer, inner, &columns, window, marked, draw, |buffer, place, row, field| {
        let Some(row) = model.index_at(Pane::Undecoded, row).and_then(|index| rows.get(index)) else { return };
        match field {
            Field::Count => text_right(buffer, place, &count(row.count), theme.strong),
            Field::Program => {
                text(buffer, place, row.program.name(), theme.text);
            }
            Field::Reason => {
                text(buffer, place, &row.reason.name().replace('_', " "), theme.warn);
            }
            Field::Discriminator => {
                text(buffer, place, &format!("{:016x}", u64::from_be_bytes(row.discriminator)), theme.dim);
            }
            Field::Example => {
                let keep = usize::from(place.width.saturating_sub(2) / 2).max(4);
                text(buffer, place, &abbreviate(&row.example.to_string(), keep, draw.glyphs.ascii), theme.dim);
            }
        }
    });
}
