//! How well everything is decoded: the selected connection, the groups, the programs; since the start and lately.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    engine::view::{ParsedView, View},
    ui::{
        draw::Draw,
        format::{compact, count, percent},
        model::Pane,
        widgets::{
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right,
        },
    },
};

#[derive(Clone, Copy)]
enum Field {
    Name,
    Parse,
    Decoded,
    Last10s,
    Last5Min,
    Coverage,
    Fallback,
    Tails,
}

const COLUMNS: [Column<Field>; 8] = [
    Column::words(Field::Name, "of", 17, 0),
    Column::number(Field::Parse, "parse", 7, 0),
    Column::number(Field::Decoded, "decoded/expected", 17, 4),
    Column::number(Field::Last10s, "10 s", 7, 2),
    Column::number(Field::Last5Min, "5 min", 7, 3),
    Column::number(Field::Coverage, "coverage", 8, 0),
    Column::number(Field::Fallback, "fallback", 8, 1),
    Column::number(Field::Tails, "tails", 5, 1),
];

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Everything there are figures of, the selected connection before all.
pub(in crate::ui) fn rows(view: &View, connection: Option<usize>) -> Vec<(String, ParsedView)> {
    let connection = connection.and_then(|row| view.connections.get(row));
    let connection = connection.map(|connection| (format!("connection {}", connection.status.id), connection.parsed));
    let whole = ("whole stream".to_owned(), view.totals.parsed);
    let groups = view.groups.iter().map(|group| (view.names.name(group.group).to_owned(), group.parsed));
    let programs = view.programs.iter().map(|program| (program.program.name().to_owned(), program.parsed));
    connection.into_iter().chain([whole]).chain(groups).chain(programs).collect()
}

/// Draws the table.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (theme, model) = (draw.theme, draw.model);
    let title =
        Title { name: "Decoding", right: "coverage: instructions we know", focused: draw.focused(Pane::Decoding) };
    let inner = pane::frame(buffer, area, title, draw);
    let rows = rows(&model.view, model.connection_row());
    let selected = Some(model.decoding.min(rows.len().saturating_sub(1)));
    let window = model.scroll(Pane::Decoding).window(selected, rows.len(), page(inner));
    let marked = Selected::new(selected, draw.focused(Pane::Decoding));
    let columns = model.columns(Pane::Decoding).arrange(&COLUMNS);
    table::draw(buffer, inner, &columns, window, marked, draw, |buffer, place, row, field| {
        let Some((name, parsed)) = rows.get(row) else { return };
        let all = &parsed.all;
        let rate = |buffer: &mut Buffer, rate: Option<f64>, whole: bool| {
            let style = match rate {
                None => theme.dim,
                Some(_) if whole => theme.good,
                Some(_) => theme.warn,
            };
            text_right(buffer, place, &percent(rate), style);
        };
        match field {
            Field::Name => {
                text(buffer, place, name, theme.text);
            }
            Field::Parse => rate(buffer, all.percent(), all.decoded == all.expected),
            Field::Decoded => {
                text_right(buffer, place, &format!("{}/{}", count(all.decoded), count(all.expected)), theme.dim);
            }
            Field::Last10s => {
                let lately = &parsed.last_10s;
                rate(buffer, lately.percent(), lately.decoded == lately.expected);
            }
            Field::Last5Min => {
                let lately = &parsed.last_5min;
                rate(buffer, lately.percent(), lately.decoded == lately.expected);
            }
            Field::Coverage => rate(buffer, all.coverage_percent(), all.known == all.invocations),
            Field::Fallback => rate(buffer, all.fallback_percent(), all.fallbacks == 0),
            Field::Tails => {
                let style = if all.unknown_tails > 0 { theme.warn } else { theme.dim };
                text_right(buffer, place, &compact(all.unknown_tails), style);
            }
        }
    });
}
