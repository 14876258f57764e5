//! Pools and curves: what they hold, how deep they are, what liquidity providers do.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    engine::view::PoolView,
    ui::{
        draw::Draw,
        format::{UNKNOWN, change, compact, count, percent, short, sol},
        model::Pane,
        order::Value,
        panes::tokens::symbol,
        widgets::{
            figure,
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right, words,
        },
    },
};

/// Share of a pool in percent that one withdrawal must have taken to stand out.
const LARGE_WITHDRAWAL_PCT: f64 = 50.0;
/// Difference between the venues of a token in percent from which it stands out: more than both venues' fees.
const LARGE_DIVERGENCE_PCT: f64 = 3.0;

/// A column of the table.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Symbol,
    Mint,
    Venue,
    Price,
    Worth,
    WorthUsd,
    Up,
    Down,
    Fee,
    Deposits,
    Withdrawals,
    Removed,
    Divergence,
    Trades,
    Chain,
    Age,
    Pool,
}

const COLUMNS: [Column<Field>; 16] = [
    Column::words(Field::Symbol, "symbol", 9, 0).growing(2),
    Column::words(Field::Mint, "mint", 9, 3),
    Column::words(Field::Venue, "venue", 12, 0).growing(1),
    Column::number(Field::Price, "price", 8, 2),
    Column::number(Field::Worth, "TVL SOL", 8, 0).leading(),
    Column::number(Field::WorthUsd, "TVL $", 8, 5),
    Column::number(Field::Up, "+2% SOL", 8, 1),
    Column::number(Field::Down, "-2% SOL", 8, 1),
    Column::number(Field::Fee, "fee bp", 6, 4),
    Column::number(Field::Deposits, "LP in", 5, 4),
    Column::number(Field::Withdrawals, "out", 4, 4),
    Column::number(Field::Removed, "taken", 6, 2),
    Column::number(Field::Divergence, "diverg.", 7, 3),
    Column::number(Field::Trades, "trades", 6, 4),
    Column::words(Field::Chain, "chain", 8, 6),
    Column::number(Field::Age, "last", 4, 1),
];

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Headings of the columns.
pub const TITLES: [&str; WIDTH] = table::titles(&COLUMNS);

/// What a row is ordered by in the column at this position.
#[must_use]
pub fn value(pool: &PoolView, position: usize) -> Option<Value<'_>> {
    Some(match COLUMNS.get(position)?.id {
        Field::Symbol => Value::words(pool.symbol.as_str()),
        Field::Mint => Value::words(pool.mint.to_string()),
        Field::Venue => Value::words(pool.venue.name()),
        Field::Price => Value::number(pool.price_sol),
        Field::Worth => Value::number(pool.tvl_sol),
        Field::WorthUsd => Value::number(pool.tvl_usd),
        Field::Up => Value::number(pool.depth_up_sol),
        Field::Down => Value::number(pool.depth_down_sol),
        Field::Fee => fee(pool).map_or(Value::Unknown, Value::count),
        Field::Deposits => Value::count(pool.deposits),
        Field::Withdrawals => Value::count(pool.withdrawals),
        Field::Removed => Value::number(pool.removed_pct),
        Field::Divergence => Value::number(pool.divergence_pct),
        Field::Trades => Value::count(pool.trades),
        Field::Chain => Value::count(pool.open_gaps),
        Field::Age => Value::instant(Some(pool.last_ms)),
        Field::Pool => Value::words(pool.pool.to_string()),
    })
}

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let view = &model.view;
    let right = format!("{} of {}", count(model.pools.len() as u64), count(view.pools_known as u64));
    let title = Title { name: "Liquidity", right: &right, focused: draw.focused(Pane::Liquidity) };
    let inner = pane::frame(buffer, area, title, draw);
    if model.pools.is_empty() {
        let words = if model.filter.is_empty() {
            "No pool or curve has been seen yet."
        } else {
            "No pool matches the filter. Esc clears it."
        };
        return pane::sentence(buffer, inner, words, draw);
    }
    let selected = Some(model.pool_row);
    let rows = model.scroll(Pane::Liquidity).window(selected, model.pools.len(), page(inner));
    let marked = Selected::new(selected, draw.focused(Pane::Liquidity));
    let columns = model.columns(Pane::Liquidity).arrange(&COLUMNS);
    table::draw(buffer, inner, &columns, rows, marked, draw, |buffer, place, row, field| {
        if let Some(pool) = model.pool_at(row) {
            cell(buffer, place, pool, field, draw);
        }
    });
}

/// All that a trade pays, in basis points, as far as it is known.
fn fee(pool: &PoolView) -> Option<u64> {
    let parts = [pool.fees.lp, pool.fees.protocol, pool.fees.creator];
    let known = parts.iter().any(Option::is_some);
    known.then(|| parts.into_iter().flatten().map(u64::from).sum())
}

/// Draws one cell of a pool.
pub(super) fn cell(buffer: &mut Buffer, place: Rect, pool: &PoolView, field: Field, draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    // Of a broken chain the reserves are those of an event, but what came between is not known.
    let held = if pool.open_gaps > 0 { theme.dim } else { theme.text };
    let stale = draw.all_silent();
    let loud = |value: Option<f64>, bound: f64| match value {
        Some(value) if value.abs() >= bound => theme.warn,
        Some(_) => theme.text,
        None => theme.dim,
    };
    match field {
        Field::Symbol => {
            words(buffer, place, symbol(pool.symbol.as_str()), theme.strong, &draw.glyphs);
        }
        Field::Mint => {
            text(buffer, place, &short(&pool.mint.to_string(), ascii), theme.dim);
        }
        Field::Venue => {
            let closed = if pool.closed { " closed" } else { "" };
            text(buffer, place, &format!("{}{closed}", pool.venue.name()), theme.dim);
        }
        Field::Price => figure(buffer, place, &sol(pool.price_sol, ascii), held, stale, theme),
        Field::Worth => figure(buffer, place, &sol(pool.tvl_sol, ascii), held, stale, theme),
        Field::WorthUsd => figure(buffer, place, &sol(pool.tvl_usd, ascii), held, stale, theme),
        Field::Up => figure(buffer, place, &sol(pool.depth_up_sol, ascii), held, stale, theme),
        Field::Down => figure(buffer, place, &sol(pool.depth_down_sol, ascii), held, stale, theme),
        Field::Fee => {
            text_right(buffer, place, &fee(pool).map_or_else(|| UNKNOWN.to_owned(), compact), theme.text);
        }
        Field::Deposits => text_right(buffer, place, &compact(pool.deposits), theme.text),
        Field::Withdrawals => text_right(buffer, place, &compact(pool.withdrawals), theme.text),
        Field::Removed => {
            let style = loud(pool.removed_pct, LARGE_WITHDRAWAL_PCT);
            text_right(buffer, place, &percent(pool.removed_pct), style);
        }
        Field::Divergence => {
            let style = loud(pool.divergence_pct, LARGE_DIVERGENCE_PCT);
            figure(buffer, place, &change(pool.divergence_pct), style, stale, theme);
        }
        Field::Trades => text_right(buffer, place, &compact(pool.trades), theme.text),
        Field::Chain => {
            let (word, style) = match pool.open_gaps {
                // Its account says the same.
                0 if pool.confirmed_slot.is_some() => ("checked".to_owned(), theme.dim),
                0 => ("whole".to_owned(), theme.dim),
                gaps => (format!("{} gap{}", compact(gaps.into()), if gaps == 1 { "" } else { "s" }), theme.warn),
            };
            text(buffer, place, &word, style);
        }
        Field::Age => text_right(buffer, place, &draw.clock.age(Some(pool.last_ms)), theme.dim),
        Field::Pool => {
            text(buffer, place, &short(&pool.pool.to_string(), ascii), theme.dim);
        }
    }
}
