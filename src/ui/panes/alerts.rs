//! MEV alerts as they stand now, the newest first.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    chain::ids::WRAPPED_SOL,
    engine::view::AlertView,
    mev::{State, alert::Band},
    ui::{
        draw::Draw,
        format::{UNKNOWN, compact, count, share, short, sol},
        model::{Model, Pane},
        order::Value,
        panes::tokens::symbol,
        widgets::{
            after, line,
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right, words,
        },
    },
};

/// Fewest lines in which there is a table with headings.
const TABLE: u16 = 4;

/// A column of the table.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Age,
    Class,
    Sure,
    State,
    Symbol,
    Mint,
    Victims,
    Lost,
    Profit,
    Attacker,
    Record,
    Venue,
    Slot,
}

const COLUMNS: [Column<Field>; 13] = [
    Column::number(Field::Age, "age", 3, 0),
    Column::words(Field::Class, "class", 19, 0),
    Column::number(Field::Sure, "sure", 5, 0),
    Column::words(Field::State, "state", 11, 2),
    Column::words(Field::Symbol, "symbol", 8, 0).growing(2),
    Column::words(Field::Mint, "mint", 9, 5),
    Column::number(Field::Victims, "victims", 7, 3),
    Column::number(Field::Lost, "lost SOL", 8, 1),
    Column::number(Field::Profit, "profit SOL", 10, 1),
    Column::words(Field::Attacker, "attacker", 11, 4),
    Column::number(Field::Record, "its alerts", 10, 5),
    Column::words(Field::Venue, "venue", 12, 6),
    Column::number(Field::Slot, "slot", 13, 6),
];

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Headings of the columns.
pub const TITLES: [&str; WIDTH] = table::titles(&COLUMNS);

/// What a row is ordered by in the column at this position.
#[must_use]
pub fn value(entry: &AlertView, position: usize) -> Option<Value<'_>> {
    let alert = &entry.alert;
    Some(match COLUMNS.get(position)?.id {
        Field::Age => Value::instant(Some(alert.recv_us)),
        Field::Class => Value::words(alert.class.name()),
        Field::Sure => Value::number(Some(alert.confidence)),
        Field::State => Value::words(alert.state.name()),
        Field::Symbol => Value::words(entry.symbol.as_str()),
        Field::Mint => Value::words(alert.mint.to_string()),
        Field::Victims => Value::count(alert.victims.len()),
        Field::Lost => Value::number(in_sol(entry, alert.victim_loss)),
        Field::Profit => Value::number(in_sol(entry, alert.profit)),
        Field::Attacker => Value::words(alert.attackers.first().map_or_else(String::new, |one| one.wallet.to_string())),
        Field::Record => entry.record.map_or(Value::Unknown, |record| Value::count(record.alerts)),
        Field::Venue => Value::words(alert.venue.name()),
        Field::Slot => Value::count(alert.slot),
    })
}

/// Draws the pane: a table, or where there is little room a list without headings.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let muted = muted(model);
    let right = match (model.alerts.len(), muted) {
        (0, 0) => String::new(),
        (shown, 0) => format!("{} newest", count(shown as u64)),
        (_, muted) => format!("{} muted", count(muted)),
    };
    let title = Title { name: "MEV alerts", right: &right, focused: draw.focused(Pane::Alerts) };
    let inner = pane::frame(buffer, area, title, draw);
    if model.alerts.is_empty() {
        let words = if model.hidden_alerts > 0 {
            format!("All {} alerts are muted; {} takes the last mute back.", model.hidden_alerts, unmute(model))
        } else if !model.view.alerts.entries.is_empty() {
            "No alert matches the filter. Esc clears it.".to_owned()
        } else {
            "No alert yet: nothing in the trades so far looks like an attack or a manipulation.".to_owned()
        };
        return pane::sentence(buffer, inner, &words, draw);
    }
    let selected = Some(model.alert_row);
    let focused = draw.focused(Pane::Alerts);
    if inner.height < TABLE {
        let rows = model.scroll(Pane::Alerts).window(selected, model.alerts.len(), usize::from(inner.height));
        for (index, row) in (0..inner.height).zip(rows) {
            let Some(entry) = model.alert_at(row) else { break };
            brief(buffer, line(inner, index), entry, draw);
            if focused && selected == Some(row) {
                table::mark(buffer, line(inner, index), draw);
            }
        }
        return;
    }
    let rows = model.scroll(Pane::Alerts).window(selected, model.alerts.len(), page(inner));
    let marked = Selected::new(selected, focused);
    let columns = model.columns(Pane::Alerts).arrange(&COLUMNS);
    table::draw(buffer, inner, &columns, rows, marked, draw, |buffer, place, row, field| {
        if let Some(entry) = model.alert_at(row) {
            cell(buffer, place, entry, field, draw);
        }
    });
}

/// Alerts that are not shown: by the configuration's rules since the start, and of those kept by the keys.
fn muted(model: &Model) -> u64 {
    model.view.alerts_muted.saturating_add(model.hidden_alerts as u64)
}

fn unmute(model: &Model) -> String {
    model.keys.first(crate::ui::action::Action::Unmute)
}

/// One alert in a line: age, class, confidence, symbol.
fn brief(buffer: &mut Buffer, place: Rect, entry: &AlertView, draw: &Draw<'_>) {
    let at = |from, width| Rect { width, ..after(place, from) };
    cell(buffer, at(1, 3), entry, Field::Age, draw);
    cell(buffer, at(5, 19), entry, Field::Class, draw);
    cell(buffer, at(24, 4), entry, Field::Sure, draw);
    cell(buffer, at(29, place.width.saturating_sub(30)), entry, Field::Symbol, draw);
}

/// Draws one cell of an alert.
pub(super) fn cell(buffer: &mut Buffer, place: Rect, entry: &AlertView, field: Field, draw: &Draw<'_>) {
    let (theme, ascii, alert) = (draw.theme, draw.glyphs.ascii, &entry.alert);
    let own = style(entry, draw);
    match field {
        Field::Age => {
            text_right(buffer, place, &draw.clock.age(Some(alert.recv_us.div_euclid(1_000))), theme.dim);
        }
        Field::Class => {
            words(buffer, place, &class(entry), own, &draw.glyphs);
        }
        Field::Sure => text_right(buffer, place, &share(Some(alert.confidence)), own),
        Field::State => {
            text(buffer, place, alert.state.name(), state_style(alert.state, draw));
        }
        Field::Symbol => {
            words(buffer, place, symbol(entry.symbol.as_str()), theme.strong, &draw.glyphs);
        }
        Field::Mint => {
            text(buffer, place, &short(&alert.mint.to_string(), ascii), theme.dim);
        }
        Field::Victims => text_right(buffer, place, &compact(alert.victims.len() as u64), theme.text),
        Field::Lost => text_right(buffer, place, &sol(in_sol(entry, alert.victim_loss), ascii), theme.text),
        Field::Profit => text_right(buffer, place, &sol(in_sol(entry, alert.profit), ascii), theme.text),
        Field::Attacker => {
            let Some(first) = alert.attackers.first() else {
                text(buffer, place, UNKNOWN, theme.dim);
                return;
            };
            let watched = draw.model.mutes.is_watched(&first.wallet);
            let style = if watched { theme.accent } else { theme.text };
            let taken = text(buffer, place, &short(&first.wallet.to_string(), ascii), style);
            if watched {
                text(buffer, after(place, taken + 1), draw.glyphs.star, style);
            }
        }
        Field::Record => {
            let alerts = entry.record.map_or_else(|| UNKNOWN.to_owned(), |record| compact(record.alerts.into()));
            text_right(buffer, place, &alerts, theme.text);
        }
        Field::Venue => {
            text(buffer, place, alert.venue.name(), theme.dim);
        }
        Field::Slot => text_right(buffer, place, &count(alert.slot), theme.dim),
    }
}

/// The class in words; what was taken back says so.
pub(super) fn class(entry: &AlertView) -> String {
    match entry.alert.state {
        State::Retracted => format!("retracted {}", entry.alert.class.name().replace('_', " ")),
        State::Provisional | State::Confirmed => entry.alert.class.name().replace('_', " "),
    }
}

/// Attacks stand out by how sure they are.
pub(super) fn style(entry: &AlertView, draw: &Draw<'_>) -> Style {
    let (alert, theme) = (&entry.alert, draw.theme);
    match (alert.state, alert.class.is_attack(), alert.band()) {
        (State::Retracted, ..) => theme.dim,
        (_, true, Band::Likely | Band::Confirmed) => theme.bad,
        (_, true, Band::Low | Band::Suspected) => theme.warn,
        (_, false, _) => theme.accent,
    }
}

pub(super) fn state_style(state: State, draw: &Draw<'_>) -> Style {
    match state {
        State::Provisional => draw.theme.warn,
        State::Confirmed => draw.theme.good,
        State::Retracted => draw.theme.dim,
    }
}

/// An amount of the pool's quote in SOL, where that is its quote.
#[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
pub(crate) fn in_sol(entry: &AlertView, amount: Option<i64>) -> Option<f64> {
    amount.filter(|_| entry.alert.quote_mint == WRAPPED_SOL).map(|lamports| lamports as f64 / 1e9)
}
