//! The tape: the newest trades, filtered.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    decode::event::{Flow, Side},
    engine::view::{Basis, TradeView},
    ui::{
        action::Action,
        draw::Draw,
        format::{count, percent, scaled, short, sol},
        model::Pane,
        order::Value,
        panes::tokens::symbol,
        widgets::{
            after, figure,
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right, words,
        },
    },
};

/// Room to the sender's bound in percent below which it was nearly used up.
const TIGHT_PCT: f64 = 0.1;

/// A column of the tape.
#[derive(Clone, Copy)]
pub enum Field {
    /// Time since arrival.
    Age,
    /// Buy or sell.
    Side,
    /// Symbol.
    Symbol,
    /// Mint.
    Mint,
    /// SOL.
    Sol,
    /// Tokens.
    Base,
    /// Price after it.
    Price,
    /// Market cap after it.
    Cap,
    /// Who.
    User,
    /// Venue, and whose flow it is when not a user's own.
    Venue,
    /// Slot.
    Slot,
    /// Transaction.
    Signature,
    /// How much better than the sender's bound it came out.
    Room,
}

const COLUMNS: [Column<Field>; 13] = [
    Column::number(Field::Age, "age", 3, 0),
    Column::words(Field::Side, "side", 6, 0),
    Column::words(Field::Symbol, "symbol", 9, 0).growing(2),
    Column::words(Field::Mint, "mint", 9, 2),
    Column::number(Field::Sol, "SOL", 7, 0),
    Column::number(Field::Base, "tokens", 7, 3),
    Column::number(Field::Price, "price", 8, 4),
    Column::number(Field::Cap, "mcap SOL", 8, 1),
    Column::number(Field::Room, "room", 7, 5),
    Column::words(Field::User, "trader", 9, 2),
    Column::words(Field::Venue, "venue", 9, 3).growing(1),
    Column::number(Field::Slot, "slot", 13, 5),
    Column::words(Field::Signature, "transaction", 11, 6),
];

/// Number of columns.
pub const WIDTH: usize = COLUMNS.len();

/// Headings of the columns.
pub const TITLES: [&str; WIDTH] = table::titles(&COLUMNS);

/// What a row is ordered by in the column at this position.
#[must_use]
pub fn value(trade: &TradeView, position: usize) -> Option<Value<'_>> {
    Some(match COLUMNS.get(position)?.id {
        Field::Age => Value::instant(Some(trade.recv_ms)),
        Field::Side => Value::words(trade.side.name()),
        Field::Symbol => Value::words(trade.symbol.as_str()),
        Field::Sol => Value::number(trade.sol),
        Field::Base => Value::number(trade.base),
        Field::Price => Value::number(trade.price_sol),
        Field::Cap => Value::number(trade.market_cap_sol),
        Field::User => Value::words(trade.user.to_string()),
        Field::Venue => Value::words(trade.venue.name()),
        Field::Slot => Value::count(trade.slot),
        Field::Mint => Value::words(trade.mint.to_string()),
        Field::Room => Value::number(trade.room_pct),
        Field::Signature => return None,
    })
}

/// Draws the tape.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let entries = &model.view.trades.entries;
    let right = if model.trade.is_some() {
        format!("{} follows the newest", model.keys.first(Action::Back))
    } else {
        format!("newest {} of {}", count(model.tape.len() as u64), count(model.view.totals.trades))
    };
    let title = Title { name: "Trades", right: &right, focused: draw.focused(Pane::Trades) };
    let inner = pane::frame(buffer, area, title, draw);
    if model.tape.is_empty() {
        let words = if model.filter.is_empty() {
            "No trade has been seen yet."
        } else {
            "No trade matches the filter. Esc clears it."
        };
        return pane::sentence(buffer, inner, words, draw);
    }
    let selected = model.trade_row();
    let rows = model.scroll(Pane::Trades).window(selected, model.tape.len(), page(inner));
    let marked = Selected::new(selected, draw.focused(Pane::Trades));
    let columns = model.columns(Pane::Trades).arrange(&COLUMNS);
    table::draw(buffer, inner, &columns, rows, marked, draw, |buffer, place, row, field| {
        if let Some(trade) = model.tape.get(row).and_then(|index| entries.get(*index as usize)) {
            cell(buffer, place, trade, field, draw);
        }
    });
}

/// Above this a bound is none: it was set to let anything through.
pub const BOUNDLESS_PCT: f64 = 999.0;

/// The room to the sender's bound.
fn room(pct: Option<f64>) -> String {
    if pct.is_some_and(|pct| pct > BOUNDLESS_PCT) { "any".to_owned() } else { percent(pct) }
}

/// Draws one cell of a trade.
pub fn cell(buffer: &mut Buffer, place: Rect, trade: &TradeView, field: Field, draw: &Draw<'_>) {
    let theme = draw.theme;
    let ascii = draw.glyphs.ascii;
    // What went in and out is known of a trade that has an event; what it did to the pool, where nothing before is missing.
    let (guessed, uncertain) = (trade.basis == Basis::Instruction, trade.basis.is_uncertain());
    match field {
        Field::Age => text_right(buffer, place, &draw.clock.age(Some(trade.recv_ms)), theme.dim),
        Field::Side => {
            let (sign, style) = match trade.side {
                Side::Buy => (draw.glyphs.up, theme.buy),
                Side::Sell => (draw.glyphs.down, theme.sell),
            };
            let taken = text(buffer, place, sign, style);
            text(buffer, after(place, taken + 1), trade.side.name(), style);
        }
        Field::Symbol => {
            words(buffer, place, symbol(trade.symbol.as_str()), theme.strong, &draw.glyphs);
        }
        Field::Mint => {
            text(buffer, place, &short(&trade.mint.to_string(), ascii), theme.dim);
        }
        Field::Sol if trade.whale => {
            let taken = text(buffer, place, draw.glyphs.star, theme.accent);
            figure(buffer, after(place, taken), &sol(trade.sol, ascii), theme.strong, guessed, theme);
        }
        Field::Sol => figure(buffer, place, &sol(trade.sol, ascii), theme.text, guessed, theme),
        Field::Base => {
            figure(buffer, place, &scaled(trade.base.unwrap_or(f64::NAN)), theme.text, guessed, theme);
        }
        Field::Price => figure(buffer, place, &sol(trade.price_sol, ascii), theme.text, uncertain, theme),
        Field::Cap => figure(buffer, place, &sol(trade.market_cap_sol, ascii), theme.text, uncertain, theme),
        Field::Room => {
            // Near nothing: its sender allowed no more.
            let tight = trade.room_pct.is_some_and(|room| room < TIGHT_PCT);
            text_right(buffer, place, &room(trade.room_pct), if tight { theme.warn } else { theme.dim });
        }
        Field::User => {
            text(buffer, place, &short(&trade.user.to_string(), ascii), theme.dim);
        }
        Field::Venue => {
            let taken = text(buffer, place, trade.venue.name(), theme.dim);
            if trade.flow != Flow::User {
                text(buffer, after(place, taken + 1), &trade.flow.name().replace('_', " "), theme.accent);
            }
        }
        Field::Slot => text_right(buffer, place, &count(trade.slot), theme.dim),
        Field::Signature => {
            text(buffer, place, &short(&trade.signature.to_string(), ascii), theme.dim);
        }
    }
}
