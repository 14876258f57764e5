//! The tokens, filtered and sorted.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    engine::view::{Stage, TokenView},
    ui::{
        draw::Draw,
        format::{self, abbreviate, change, compact, count, percent, scaled, sol},
        model::Pane,
        order::Value,
        widgets::{
            after, bar, figure,
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right, words,
        },
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Symbol,
    Mint,
    Progress,
    Cap,
    Price,
    Change,
    Volume,
    Trades,
    Traders,
    Age,
    Last,
    Flags,
    Name,
}

const COLUMNS: [Column<Field>; 13] = [
    Column::words(Field::Symbol, "symbol", 9, 0).growing(2),
    Column::words(Field::Mint, "mint", 9, 4),
    Column::words(Field::Progress, "progress", 13, 0).growing(4),
    Column::number(Field::Cap, "mcap SOL", 8, 1),
    Column::number(Field::Price, "price", 8, 7),
    Column::number(Field::Change, "5m", 7, 2),
    Column::number(Field::Volume, "vol 5m", 7, 3).leading(),
    Column::number(Field::Trades, "buys/sells", 11, 4),
    Column::number(Field::Traders, "traders", 7, 5),
    Column::number(Field::Age, "age", 4, 2),
    Column::number(Field::Last, "last", 4, 7),
    Column::words(Field::Flags, "flags", 9, 6).growing(3),
    Column::words(Field::Name, "name", 12, 8).growing(4),
];

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Draws the tokens.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let known = model.view.tokens_known.max(model.view.tokens.len());
    let right = if model.order.len() == known {
        count(known as u64)
    } else {
        format!("{} of {}", count(model.order.len() as u64), count(known as u64))
    };
    let title = Title { name: "Tokens", right: &right, focused: draw.focused(Pane::Tokens) };
    let inner = pane::frame(buffer, area, title, draw);
    if model.order.is_empty() {
        let words = if model.filter.is_empty() {
            "No token has been seen yet."
        } else {
            "No token matches the filter. Esc clears it."
        };
        return pane::sentence(buffer, inner, words, draw);
    }
    let selected = Some(model.token_row.min(model.order.len() - 1));
    let rows = model.scroll(Pane::Tokens).window(selected, model.order.len(), page(inner));
    let mints: Vec<String> =
        rows.clone().map(|row| model.token_at(row).map(|token| token.mint.to_string()).unwrap_or_default()).collect();
    let keep = keep(&mints);
    let mut columns = model.columns(Pane::Tokens).arrange(&COLUMNS);
    for column in &mut columns {
        if column.id == Field::Mint {
            column.width = u16::try_from(2 * keep + 1).unwrap_or(44).min(44);
        }
    }
    let first = rows.start;
    let marked = Selected::new(selected, draw.focused(Pane::Tokens) || draw.model.typing);
    table::draw(buffer, inner, &columns, rows, marked, draw, |buffer, place, row, field| {
        let Some(token) = model.token_at(row) else { return };
        if field == Field::Mint {
            let mint = mints.get(row - first).map_or("", String::as_str);
            text(buffer, place, &abbreviate(mint, keep, draw.glyphs.ascii), draw.theme.dim);
        } else {
            cell(buffer, place, token, field, draw);
        }
    });
}

/// Position of the column that tokens are ordered by where the user does not choose another.
pub const LEADING: usize = 6;

/// What a token is ordered by in the column at this position.
#[must_use]
pub fn value(token: &TokenView, position: usize) -> Option<Value<'_>> {
    Some(match COLUMNS.get(position)?.id {
        Field::Symbol => Value::words(token.symbol.as_str()),
        Field::Name => Value::words(token.name.as_str()),
        Field::Progress => Value::number(token.progress_pct),
        Field::Cap => Value::number(token.market_cap_sol),
        Field::Price => Value::number(token.price_sol),
        Field::Change => Value::number(token.change_5m_pct),
        Field::Volume => Value::number(Some(token.volume_sol_5m)),
        Field::Trades => Value::count(token.buys.saturating_add(token.sells)),
        Field::Traders => Value::count(token.traders),
        Field::Age => Value::instant(token.created_ms),
        Field::Last => Value::instant(token.last_trade_ms),
        Field::Flags => Value::words(token.flags.join(" ")),
        Field::Mint => return None,
    })
}

/// Headings of the columns.
pub const TITLES: [&str; WIDTH] = table::titles(&COLUMNS);

/// Characters to keep at both ends so that no two of these addresses look alike.
#[must_use]
pub fn keep(base58: &[String]) -> usize {
    let mut distinct: Vec<&String> = base58.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    [4, 6, 8, 12]
        .into_iter()
        .find(|keep| {
            let mut short: Vec<String> = distinct.iter().map(|text| abbreviate(text, *keep, false)).collect();
            short.sort_unstable();
            short.dedup();
            short.len() == distinct.len()
        })
        .unwrap_or(22)
}

/// A symbol as shown: what was not seen is said to be unknown.
#[must_use]
pub fn symbol(symbol: &str) -> &str {
    if symbol.trim().is_empty() { format::UNKNOWN } else { symbol }
}

/// Rising, falling or neither.
#[must_use]
pub fn change_style(value: Option<f64>, draw: &Draw<'_>) -> Style {
    match value {
        Some(value) if value > 0.0 => draw.theme.buy,
        Some(value) if value < 0.0 => draw.theme.sell,
        _ => draw.theme.dim,
    }
}

fn cell(buffer: &mut Buffer, place: Rect, token: &TokenView, field: Field, draw: &Draw<'_>) {
    let theme = draw.theme;
    let ascii = draw.glyphs.ascii;
    let stale = draw.all_silent();
    let by = draw.model.columns(Pane::Tokens).sort.column.map_or(LEADING, usize::from);
    let sorted = if COLUMNS.get(by).is_some_and(|column| column.id == field) { theme.strong } else { theme.text };
    match field {
        Field::Symbol => {
            words(buffer, place, symbol(token.symbol.as_str()), theme.strong, &draw.glyphs);
        }
        Field::Mint => {}
        Field::Name => {
            words(buffer, place, token.name.as_str(), theme.dim, &draw.glyphs);
        }
        Field::Progress => progress(buffer, place, token, stale, draw),
        Field::Cap => {
            figure(buffer, place, &sol(token.market_cap_sol, ascii), sorted, stale, theme);
        }
        Field::Price => figure(buffer, place, &sol(token.price_sol, ascii), sorted, stale, theme),
        Field::Change => {
            figure(buffer, place, &change(token.change_5m_pct), change_style(token.change_5m_pct, draw), stale, theme);
        }
        Field::Volume => {
            figure(buffer, place, &scaled(token.volume_sol_5m), sorted, stale, theme);
        }
        Field::Trades => {
            let both = format!("{}/{}", compact(token.buys), compact(token.sells));
            figure(buffer, place, &both, sorted, stale, theme);
        }
        Field::Traders => figure(buffer, place, &compact(token.traders), sorted, stale, theme),
        Field::Age => text_right(buffer, place, &draw.clock.age(token.created_ms), sorted),
        Field::Last => {
            text_right(buffer, place, &draw.clock.age(token.last_trade_ms), sorted);
        }
        Field::Flags => {
            words(buffer, place, &token.flags.join(" "), theme.accent, &draw.glyphs);
        }
    }
}

/// The bar while on the curve, else the stage.
fn progress(buffer: &mut Buffer, place: Rect, token: &TokenView, stale: bool, draw: &Draw<'_>) {
    let theme = draw.theme;
    let Some(share) = token.progress_pct.filter(|share| share.is_finite()) else {
        let style = if token.stage == Stage::Amm { theme.dim } else { theme.accent };
        text(buffer, place, token.stage.name(), style);
        return;
    };
    let words = percent(Some(share));
    let bar_width = place.width.saturating_sub(8);
    let near = share >= 90.0;
    let full = if near { theme.warn } else { theme.bar };
    bar::draw(
        buffer,
        Rect { width: bar_width, ..place },
        Some(share / 100.0),
        (full, theme.bar_rest),
        draw.glyphs.ascii,
    );
    figure(buffer, after(place, bar_width), &words, if near { theme.warn } else { theme.text }, stale, theme);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookalike_mints_are_told_apart() {
        let plain = vec!["7XkQ4wq1cDxJ7h2rWgJ8aFsdT8oCbYzR6nUeVtKpump".to_owned(); 2];
        assert_eq!(keep(&plain), 4);
        let twins = vec![plain[0].clone(), "7XkQ4wzzzzzzzh2rWgJ8aFsdT8oCbYzR6nUeVtKpump".to_owned()];
        let keep = keep(&twins);
        assert_ne!(abbreviate(&twins[0], keep, false), abbreviate(&twins[1], keep, false));
    }
}
