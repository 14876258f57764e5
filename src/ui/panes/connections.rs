//! The connections: state, traffic, delay and cost of each.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    chain::group::{Group, GroupSet},
    engine::view::{ConnectionView, LatencyView, carried},
    stream::status::{ConnectionState, Throttle},
    ui::{
        draw::{Draw, SILENT_MS},
        format::{UNKNOWN, compact, megabytes, millis, percent, rate, share},
        model::Pane,
        order::Value,
        widgets::{
            after, figure,
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right, words,
        },
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    State,
    Endpoint,
    Groups,
    Rate,
    Volume,
    Latency,
    Lag,
    Age,
    Queue,
    Reconnects,
    Throttle,
    Permits,
    Parse,
    Cause,
}

const COLUMNS: [Column<Field>; 15] = [
    Column::number(Field::Id, "#", 2, 0),
    Column::words(Field::State, "state", 13, 0),
    Column::words(Field::Endpoint, "endpoint", 14, 4).growing(3),
    Column::words(Field::Groups, "groups", 6, 3).growing(4),
    Column::number(Field::Rate, "tx/s", 5, 0),
    Column::number(Field::Volume, "MB/s", 5, 2),
    Column::number(Field::Latency, "p50/p99 ms", 10, 1),
    Column::number(Field::Lag, "lag", 3, 3),
    Column::number(Field::Age, "age", 3, 1),
    Column::number(Field::Queue, "queue", 5, 3),
    Column::number(Field::Reconnects, "rec", 3, 3),
    Column::words(Field::Throttle, "throttle", 11, 2),
    Column::number(Field::Permits, "perm", 4, 3),
    Column::number(Field::Parse, "parse", 7, 5),
    Column::words(Field::Cause, "cause", 20, 6).growing(6),
];

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Headings of the columns.
pub const TITLES: [&str; WIDTH] = table::titles(&COLUMNS);

/// What a row is ordered by in the column at this position.
#[must_use]
pub fn value(connection: &ConnectionView, position: usize) -> Option<Value<'_>> {
    Some(match COLUMNS.get(position)?.id {
        Field::Id => Value::words(format!("{:04}", connection.status.id)),
        Field::State => Value::words(connection.status.state.name()),
        Field::Endpoint => Value::words(&*connection.status.endpoint),
        Field::Groups => Value::count(connection.status.groups.iter().count()),
        Field::Rate => Value::number(connection.tps),
        Field::Volume => Value::number(connection.bytes_per_s),
        Field::Latency => Value::number(connection.latency.map(|latency| latency.p99_ms)),
        Field::Lag => connection.slot_lag.map_or(Value::Unknown, Value::count),
        Field::Age => Value::instant(connection.status.last_message_ms),
        Field::Queue => Value::number(Some(connection.queue_fill)),
        Field::Reconnects => Value::count(connection.status.reconnects),
        Field::Throttle => Value::words(connection.status.throttle.name()),
        Field::Permits => Value::count(connection.status.permits_in_window),
        Field::Parse => Value::number(connection.parsed.all.percent()),
        Field::Cause => Value::words(connection.status.cause.as_deref().unwrap_or("")),
    })
}

/// Draws the connections.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let connections = &model.view.connections;
    let own = model.columns(Pane::Connections).arrange(&COLUMNS);
    let columns = table::fit(&own, area.width.saturating_sub(if draw.boxed { 4 } else { 2 }));
    let told = columns.iter().any(|(column, _)| column.id == Field::Cause);
    let right = match connections.iter().find_map(|c| c.status.cause.as_deref().map(|cause| (c.status.id, cause))) {
        Some((id, cause)) if !told => format!("{id}: {cause}"),
        _ if model.view.totals.unwanted > 0 => format!("{} unwanted dropped", compact(model.view.totals.unwanted)),
        _ if model.view.budget.limit == 0 => String::new(),
        _ => format!("budget {}/{}", model.view.budget.used, model.view.budget.limit),
    };
    let title = Title { name: "Connections", right: &right, focused: draw.focused(Pane::Connections) };
    let inner = pane::frame(buffer, area, title, draw);
    if connections.is_empty() {
        return pane::sentence(buffer, inner, "No connection yet.", draw);
    }
    let inner = endpoints(buffer, inner, draw);
    let selected = model.connection_row().and_then(|index| model.row_of(Pane::Connections, index));
    let rows = model.scroll(Pane::Connections).window(selected, connections.len(), page(inner));
    let marked = Selected::new(selected, draw.focused(Pane::Connections));
    table::draw(buffer, inner, &own, rows, marked, draw, |buffer, place, row, field| {
        if let Some(connection) = model.index_at(Pane::Connections, row).and_then(|index| connections.get(index)) {
            cell(buffer, place, connection, field, draw);
        }
    });
}

/// A line for each of several endpoints that bring the same, below the table where there is room; what is left of it.
fn endpoints(buffer: &mut Buffer, inner: Rect, draw: &Draw<'_>) -> Rect {
    let (view, theme) = (&draw.model.view, draw.theme);
    let lines = u16::try_from(view.endpoints.len()).unwrap_or(u16::MAX);
    let table = u16::try_from(view.connections.len()).unwrap_or(u16::MAX).saturating_add(1);
    if lines == 0 || inner.height < table.saturating_add(lines) {
        return inner;
    }
    let left = Rect { height: inner.height - lines, ..inner };
    for (line, endpoint) in (left.bottom()..).zip(view.endpoints.iter()) {
        let place = Rect { y: line, height: 1, ..inner };
        let lag = endpoint.lag_ms.map_or_else(|| UNKNOWN.to_owned(), |lag| format!("{lag:+.1} ms"));
        let first = format!("  first {}  lag {lag}", percent(endpoint.first_percent()));
        let missed = format!("  missed {} of {}", compact(endpoint.missed), compact(endpoint.compared));
        let style = if endpoint.missed > 0 { theme.warn } else { theme.dim };
        let taken = words(buffer, place, &endpoint.host, theme.text, &draw.glyphs);
        let taken = taken + text(buffer, after(place, taken), &first, theme.text);
        let taken = taken + text(buffer, after(place, taken), &missed, style);
        text(buffer, after(place, taken), &format!("  alone {}", compact(endpoint.alone)), theme.dim);
    }
    left
}

fn cell(buffer: &mut Buffer, place: Rect, connection: &ConnectionView, field: Field, draw: &Draw<'_>) {
    let (theme, status) = (draw.theme, &connection.status);
    let stale = draw.silent(connection);
    match field {
        Field::Id => text_right(buffer, place, &status.id.to_string(), theme.strong),
        Field::State => {
            let (sign, word, style) = state(status.state, draw);
            let taken = text(buffer, place, sign, style);
            text(buffer, after(place, taken + 1), word, style);
        }
        Field::Endpoint => {
            words(buffer, place, &status.endpoint, theme.text, &draw.glyphs);
        }
        Field::Groups => groups(buffer, place, status.groups, carried(status), draw),
        Field::Rate => figure(buffer, place, &rate(connection.tps), theme.strong, stale, theme),
        Field::Volume => figure(buffer, place, &megabytes(connection.bytes_per_s), theme.text, stale, theme),
        Field::Latency => latency(buffer, place, connection.latency, stale, draw),
        Field::Lag => {
            let style = if connection.slot_lag.is_some_and(|lag| lag > 4) { theme.warn } else { theme.text };
            let lag = connection.slot_lag.map_or_else(|| UNKNOWN.to_owned(), compact);
            figure(buffer, place, &lag, style, stale, theme);
        }
        Field::Age => text_right(buffer, place, &draw.clock.silence(status.last_data_ms, SILENT_MS), theme.text),
        Field::Queue => {
            let style = if connection.queue_fill > 0.5 { theme.warn } else { theme.text };
            figure(buffer, place, &share(Some(connection.queue_fill)), style, stale, theme);
        }
        Field::Reconnects => {
            let style = if status.reconnects > 0 { theme.warn } else { theme.dim };
            text_right(buffer, place, &compact(status.reconnects), style);
        }
        Field::Throttle => throttle(buffer, place, connection, draw),
        Field::Permits => text_right(buffer, place, &status.permits_in_window.to_string(), theme.text),
        Field::Parse => figure(buffer, place, &percent(connection.parsed.all.percent()), theme.text, stale, theme),
        Field::Cause => {
            let style = if status.state == ConnectionState::Live { theme.dim } else { theme.warn };
            words(buffer, place, status.cause.as_deref().unwrap_or(""), style, &draw.glyphs);
        }
    }
}

/// Sign, word and look of a state: the word alone says it too.
fn state(state: ConnectionState, draw: &Draw<'_>) -> (&'static str, &'static str, Style) {
    let (theme, glyphs) = (draw.theme, &draw.glyphs);
    match state {
        ConnectionState::Idle => (glyphs.ring, "idle", theme.dim),
        ConnectionState::WaitingForPermit => (glyphs.ring, "no permit", theme.warn),
        ConnectionState::Connecting => (glyphs.half, "connecting", theme.accent),
        ConnectionState::Subscribing => (glyphs.half, "subscribing", theme.accent),
        ConnectionState::Live => (glyphs.dot, "live", theme.good),
        ConnectionState::Degraded => (glyphs.warn, "degraded", theme.warn),
        ConnectionState::Draining => (glyphs.half, "draining", theme.dim),
        ConnectionState::BackingOff => (glyphs.ring, "backing off", theme.warn),
        ConnectionState::Stopped => (glyphs.cross, "stopped", theme.bad),
    }
}

/// Names where there is room, else letters; in brackets what the throttle level leaves out.
fn groups(buffer: &mut Buffer, place: Rect, assigned: GroupSet, carried: GroupSet, draw: &Draw<'_>) {
    if assigned.is_empty() {
        text(buffer, place, UNKNOWN, draw.theme.dim);
        return;
    }
    let word = |group: Group, long: bool| {
        let name = if long { draw.model.view.names.name(group) } else { letter(group) };
        if carried.contains(group) { name.to_owned() } else { format!("({name})") }
    };
    let long: usize = assigned.iter().map(|group| word(group, true).len() + 1).sum();
    let long = long <= usize::from(place.width) + 1;
    let mut x = 0;
    for group in assigned.iter() {
        let style = if carried.contains(group) { series(group, draw) } else { draw.theme.dim };
        x += text(buffer, after(place, x), &word(group, long), style) + 1;
    }
}

/// One letter for a group; the groups pane shows which is which.
#[must_use]
pub const fn letter(group: Group) -> &'static str {
    match group {
        Group::BondingCurve => "B",
        Group::AmmPool => "A",
        Group::ExternalAmm => "E",
        Group::Own(_) => match group.index() - Group::BUILT_IN.len() {
            0 => "a",
            1 => "b",
            2 => "c",
            3 => "d",
            _ => "e",
        },
    }
}

/// The colour of a group, everywhere the same.
#[must_use]
pub fn series(group: Group, draw: &Draw<'_>) -> Style {
    draw.theme.series.get(group.index()).copied().unwrap_or(draw.theme.text)
}

/// `p50/p99` in milliseconds.
pub fn latency(buffer: &mut Buffer, place: Rect, latency: Option<LatencyView>, stale: bool, draw: &Draw<'_>) {
    let Some(latency) = latency else { return text_right(buffer, place, UNKNOWN, draw.theme.dim) };
    let style = if latency.p99_ms > 1_000.0 { draw.theme.warn } else { draw.theme.text };
    let both = format!("{}/{}", millis(latency.p50_ms), millis(latency.p99_ms));
    figure(buffer, place, &both, style, stale, draw.theme);
}

/// The level in force, or the one on its way behind an arrow.
fn throttle(buffer: &mut Buffer, place: Rect, connection: &ConnectionView, draw: &Draw<'_>) {
    let status = &connection.status;
    let pending = draw.model.throttle.filter(|pending| pending.connection == status.id).map(|pending| pending.level);
    let level = pending.unwrap_or(status.throttle);
    let style = match level {
        Throttle::Full => draw.theme.text,
        _ => draw.theme.warn,
    };
    let mut x = 0;
    let under_way = pending.is_some_and(|level| level != status.throttle)
        || (status.state == ConnectionState::Live && status.filter_version > status.active_version);
    if under_way {
        x = text(buffer, place, draw.glyphs.arrow, draw.theme.accent);
    }
    text(buffer, after(place, x), level.name(), style);
}
