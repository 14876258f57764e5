//! One token: its price, its curve, its figures and its trades.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    chain::ids::{Mint, WRAPPED_SOL},
    engine::view::TokenView,
    ui::{
        draw::Draw,
        format::{UNKNOWN, change, compact, count, percent, scaled, sol},
        panes::{
            tokens::{change_style, symbol},
            trades::{self, Field},
        },
        widgets::{
            after, bar, line,
            pane::{self, Title},
            spark,
            table::{self, Column, Selected, page},
            text, text_right,
        },
    },
};

const COLUMNS: [Column<Field>; 9] = [
    Column::number(Field::Age, "age", 3, 0),
    Column::words(Field::Side, "side", 6, 0),
    Column::number(Field::Sol, "SOL", 7, 0),
    Column::number(Field::Base, "tokens", 7, 1),
    Column::number(Field::Price, "price", 8, 1),
    Column::number(Field::Cap, "mcap SOL", 8, 1),
    Column::words(Field::User, "trader", 9, 0),
    Column::words(Field::Venue, "venue", 9, 2).growing(1),
    Column::words(Field::Signature, "transaction", 11, 2),
];

/// Rows of figures.
const FIGURES: u16 = 11;

/// Draws the page of a token.
pub fn draw(buffer: &mut Buffer, area: Rect, mint: &Mint, draw: &Draw<'_>) {
    let frame = if draw.boxed { 2 } else { 1 };
    let Some(token) = draw.model.token(mint) else {
        let inner = pane::frame(buffer, area, Title { name: "Token", right: "", focused: true }, draw);
        return pane::sentence(buffer, inner, &format!("{mint} is no longer among the tokens kept in memory."), draw);
    };
    let height = (FIGURES + frame).min(area.height * 3 / 5);
    let upper = Rect { height, ..area };
    let figures_width = (area.width * 2 / 5).clamp(38, 62).min(area.width);
    let name = format!("{} {}", symbol(token.symbol.as_str()), token.name.as_str());
    let left = Rect { width: figures_width, ..upper };
    let inner = pane::frame(buffer, left, Title { name: name.trim(), right: "", focused: true }, draw);
    figures(buffer, inner, token, draw);
    chart(buffer, after(upper, figures_width + u16::from(!draw.boxed)), token, draw);
    tape(buffer, Rect { y: area.y + height, height: area.height - height, ..area }, mint, draw);
}

fn figures(buffer: &mut Buffer, inner: Rect, token: &TokenView, draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let inner = Rect { width: inner.width.saturating_sub(2), ..after(inner, 1) };
    text(buffer, line(inner, 0), &token.mint.to_string(), theme.accent);
    let quote = if token.quote_mint == WRAPPED_SOL { "SOL".to_owned() } else { token.quote_mint.to_string() };
    let unknown = || UNKNOWN.to_owned();
    let rows = [
        ("stage", format!("{} on {}", token.stage.name(), token.venue.name()), theme.text),
        ("progress", percent(token.progress_pct), theme.text),
        ("price", format!("{} {quote}", sol(token.price_sol, ascii)), theme.strong),
        ("market cap", format!("{} SOL", sol(token.market_cap_sol, ascii)), theme.strong),
        (
            "5 minutes",
            format!("{}  {} SOL", change(token.change_5m_pct), scaled(token.volume_sol_5m)),
            change_style(token.change_5m_pct, draw),
        ),
        ("trades", format!("{} buys, {} sells", count(token.buys), count(token.sells)), theme.text),
        ("traders", compact(token.traders), theme.text),
        (
            "age",
            format!("{}  slot {}", draw.clock.age(token.created_ms), token.created_slot.map_or_else(unknown, count)),
            theme.text,
        ),
        ("creator", token.creator.map_or_else(unknown, |creator| creator.to_string()), theme.dim),
        ("pool", token.pool.map_or_else(unknown, |pool| pool.to_string()), theme.dim),
    ];
    for (index, (label, words, style)) in rows.iter().enumerate() {
        let place = line(inner, u16::try_from(index + 1).unwrap_or(u16::MAX));
        text(buffer, place, label, theme.dim);
        let place = after(place, 11);
        if *label == "progress" && token.progress_pct.is_some() {
            let bar_width = place.width.saturating_sub(9);
            let ratio = token.progress_pct.map(|share| share / 100.0);
            bar::draw(buffer, Rect { width: bar_width, ..place }, ratio, (theme.bar, theme.bar_rest), ascii);
            text_right(buffer, after(place, bar_width), words, *style);
        } else {
            text(buffer, place, words, *style);
        }
    }
    let flags = line(inner, 11);
    if !token.flags.is_empty() {
        text(buffer, flags, &token.flags.join(" "), theme.accent);
    }
}

fn chart(buffer: &mut Buffer, area: Rect, token: &TokenView, draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let right = format!("last {} trades, SOL", token.prices.len());
    let inner = pane::frame(buffer, area, Title { name: "Price", right: &right, focused: false }, draw);
    if token.prices.is_empty() {
        return pane::sentence(buffer, inner, "No price has been seen yet.", draw);
    }
    let axis = 9.min(inner.width);
    let plot = Rect { width: inner.width.saturating_sub(1), ..inner };
    let Some((low, high)) =
        spark::line(buffer, after(plot, axis), &token.prices, change_style(token.change_5m_pct, draw), ascii)
    else {
        return;
    };
    let scale = Rect { width: axis.saturating_sub(1), ..inner };
    text_right(buffer, line(scale, 0), &sol(Some(f64::from(high)), ascii), theme.dim);
    text_right(buffer, line(scale, inner.height.saturating_sub(1)), &sol(Some(f64::from(low)), ascii), theme.dim);
}

fn tape(buffer: &mut Buffer, area: Rect, mint: &Mint, draw: &Draw<'_>) {
    let entries = &draw.model.view.trades.entries;
    let trades: Vec<&_> =
        entries.iter().rev().filter(|trade| trade.mint == *mint).take(usize::from(area.height)).collect();
    let title = Title { name: "Its trades on the tape", right: "newest first", focused: false };
    let inner = pane::frame(buffer, area, title, draw);
    if trades.is_empty() {
        return pane::sentence(buffer, inner, "None of the newest trades is of this token.", draw);
    }
    let rows = 0..trades.len().min(page(inner));
    table::draw(buffer, inner, &COLUMNS, rows, Selected::No, draw, |buffer, place, row, field| {
        if let Some(trade) = trades.get(row) {
            trades::cell(buffer, place, trade, field, draw);
        }
    });
}
