//! The priority groups: how much of each arrives and how well it is read.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    chain::group::Groups,
    engine::view::GroupView,
    ui::{
        draw::Draw,
        format::{UNKNOWN, compact, count, megabytes, percent, rate},
        model::Pane,
        order::Value,
        panes::connections::{latency, letter, series},
        widgets::{
            after, figure,
            pane::{self, Title},
            spark,
            table::{self, Column, Selected, page},
            text, text_right,
        },
    },
};

#[derive(Clone, Copy)]
enum Field {
    Name,
    Rate,
    Peak,
    Spark,
    Latency,
    Forecast,
    Lag,
    Parse,
    Decoded,
    Undecoded,
    Failed,
    Volume,
    Connections,
}

const COLUMNS: [Column<Field>; 13] = [
    Column::words(Field::Name, "group", 15, 0).growing(1),
    Column::number(Field::Rate, "tx/s", 5, 0),
    Column::number(Field::Peak, "peak", 5, 1),
    Column::words(Field::Spark, "last 60 s", 12, 1),
    Column::number(Field::Latency, "p50/p99 ms", 10, 2).growing(1),
    Column::number(Field::Forecast, "in 30 s, 80% sure", 18, 4),
    Column::number(Field::Lag, "lag", 3, 4),
    Column::number(Field::Parse, "parse", 7, 0),
    Column::number(Field::Decoded, "decoded/expected", 17, 5).growing(1),
    Column::number(Field::Undecoded, "undec", 5, 1),
    Column::number(Field::Failed, "failed", 6, 3),
    Column::number(Field::Volume, "MB/s", 5, 3),
    Column::words(Field::Connections, "on", 4, 2),
];

/// The columns, with the widest chart there is room for: one that divides a minute into equal parts.
fn columns(width: u16) -> [Column<Field>; 13] {
    let mut columns = COLUMNS;
    let others: u16 = COLUMNS.iter().filter(|c| c.rank < 5 && !matches!(c.id, Field::Spark)).map(|c| c.width + 1).sum();
    let spare = width.saturating_sub(others);
    let chart = [60, 30, 20, 15].into_iter().find(|chart| *chart <= spare).unwrap_or(12);
    for column in &mut columns {
        if matches!(column.id, Field::Spark) {
            column.width = chart;
        }
    }
    columns
}

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Headings of the columns.
pub const TITLES: [&str; WIDTH] = table::titles(&COLUMNS);

/// What a row is ordered by in the column at this position.
#[must_use]
pub fn value<'v>(group: &'v GroupView, names: &'v Groups, position: usize) -> Option<Value<'v>> {
    Some(match COLUMNS.get(position)?.id {
        Field::Name => Value::words(names.name(group.group)),
        Field::Rate => Value::number(group.tps),
        Field::Peak => Value::number(group.peak_tps),
        Field::Latency => Value::number(group.latency.map(|latency| latency.p99_ms)),
        Field::Forecast => Value::number(group.forecast.map(|near| near.value)),
        Field::Lag => group.slot_lag.map_or(Value::Unknown, Value::count),
        Field::Parse => Value::number(group.parsed.all.percent()),
        Field::Decoded => Value::count(group.parsed.all.decoded),
        Field::Undecoded => Value::count(group.undecoded),
        Field::Failed => Value::count(group.failed),
        Field::Volume => Value::number(group.bytes_per_s),
        Field::Connections => Value::count(group.connections.len()),
        Field::Spark => return None,
    })
}

/// Draws the groups.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let groups = &model.view.groups;
    let title = Title { name: "Groups", right: "", focused: draw.focused(Pane::Groups) };
    let inner = pane::frame(buffer, area, title, draw);
    if groups.is_empty() {
        return pane::sentence(buffer, inner, "No group is subscribed to yet.", draw);
    }
    let selected = model.row_of(Pane::Groups, model.group.min(groups.len() - 1));
    let marked = Selected::new(selected, draw.focused(Pane::Groups));
    let columns = model.columns(Pane::Groups).arrange(&columns(inner.width.saturating_sub(2)));
    let rows = model.scroll(Pane::Groups).window(selected, groups.len(), page(inner));
    table::draw(buffer, inner, &columns, rows, marked, draw, |buffer, place, row, field| {
        if let Some(group) = model.index_at(Pane::Groups, row).and_then(|index| groups.get(index)) {
            cell(buffer, place, group, field, draw);
        }
    });
}

fn cell(buffer: &mut Buffer, place: Rect, group: &GroupView, field: Field, draw: &Draw<'_>) {
    let theme = draw.theme;
    let stale = draw.group_silent(group);
    match field {
        Field::Name => {
            let taken = text(buffer, place, letter(group.group), series(group.group, draw));
            text(buffer, after(place, taken + 1), draw.model.view.names.name(group.group), theme.text);
        }
        Field::Rate => figure(buffer, place, &rate(group.tps), theme.strong, stale, theme),
        Field::Peak => text_right(buffer, place, &rate(group.peak_tps), theme.dim),
        Field::Spark => {
            let place = Rect { width: place.width.min(60), ..place };
            spark::bars(buffer, place, &group.per_second, series(group.group, draw), draw.glyphs.ascii);
        }
        Field::Latency => latency(buffer, place, group.latency, stale, draw),
        Field::Forecast => {
            let words = group.forecast.map_or_else(
                || UNKNOWN.to_owned(),
                |near| {
                    let [value, low, high] = [near.value, near.low, near.high].map(|rate_| rate(Some(rate_.max(0.0))));
                    format!("{value} {low}-{high}")
                },
            );
            figure(buffer, place, &words, theme.text, stale, theme);
        }
        Field::Lag => {
            let words = group.slot_lag.map_or_else(|| UNKNOWN.to_owned(), compact);
            figure(buffer, place, &words, theme.text, stale, theme);
        }
        Field::Parse => {
            let style = if group.parsed.all.decoded < group.parsed.all.expected { theme.warn } else { theme.good };
            let style = if group.parsed.all.expected == 0 { theme.dim } else { style };
            figure(buffer, place, &percent(group.parsed.all.percent()), style, stale, theme);
        }
        Field::Decoded => {
            let words = format!("{}/{}", count(group.parsed.all.decoded), count(group.parsed.all.expected));
            text_right(buffer, place, &words, theme.dim);
        }
        Field::Undecoded => {
            let style = if group.undecoded > 0 { theme.warn } else { theme.dim };
            text_right(buffer, place, &compact(group.undecoded), style);
        }
        Field::Failed => text_right(buffer, place, &compact(group.failed), theme.dim),
        Field::Volume => figure(buffer, place, &megabytes(group.bytes_per_s), theme.text, stale, theme),
        Field::Connections => {
            let words: Vec<String> = group.connections.iter().take(4).map(ToString::to_string).collect();
            let words = if words.is_empty() { UNKNOWN.to_owned() } else { words.join(",") };
            text(buffer, place, &words, theme.text);
        }
    }
}
