//! One trade, in full.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    engine::view::{Basis, TradeView},
    ui::{
        draw::Draw,
        format::{UNKNOWN, count, percent, scaled, sol, time_of_day},
        layout::middle,
        panes::{overlay, tokens::symbol, trades::BOUNDLESS_PCT},
        widgets::{after, line, text, wrapped},
    },
};

/// Width of the labels.
const LABEL: u16 = 13;

/// Draws the trade over the screen.
pub fn draw(buffer: &mut Buffer, area: Rect, trade: &TradeView, draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let side = match trade.side {
        crate::decode::event::Side::Buy => theme.buy,
        crate::decode::event::Side::Sell => theme.sell,
    };
    let whale = if trade.whale { "  whale: 10 SOL or more" } else { "" };
    let room = match trade.room_pct {
        Some(room) if room > BOUNDLESS_PCT => "its sender's limit would have let anything through".to_owned(),
        Some(room) => format!("{} better than its sender's limit", percent(Some(room))),
        None => format!("{UNKNOWN}  no limit was seen"),
    };
    let basis = match trade.basis {
        Basis::Event => "the program's own event",
        Basis::Gap => "the program's own event; something of its pool before is missing: ~ price and cap",
        Basis::Instruction => "the instruction and what it moved; there was no event: ~ every figure",
    };
    let when = format!("{} UTC  {}", time_of_day(trade.recv_ms), draw.clock.age(Some(trade.recv_ms)));
    let facts = [
        ("token", format!("{}  {}", symbol(trade.symbol.as_str()), trade.mint), theme.strong),
        ("side", format!("{} by {}", trade.side.name(), trade.flow.name().replace('_', " ")), side),
        ("SOL", format!("{}{whale}", sol(trade.sol, ascii)), theme.strong),
        ("tokens", scaled(trade.base.unwrap_or(f64::NAN)), theme.text),
        ("price after", format!("{} SOL", sol(trade.price_sol, ascii)), theme.text),
        ("mcap after", format!("{} SOL", sol(trade.market_cap_sol, ascii)), theme.text),
        ("room", room, theme.text),
        ("trader", trade.user.to_string(), theme.text),
        ("venue", trade.venue.name().to_owned(), theme.text),
        ("known by", basis.to_owned(), if trade.basis.is_uncertain() { theme.warn } else { theme.text }),
        ("slot", count(trade.slot), theme.text),
        ("arrived", when, theme.text),
        ("transaction", trade.signature.to_string(), theme.dim),
    ];
    let columns = area.width.saturating_sub(4).min(108);
    let room = columns.saturating_sub(4 + LABEL);
    let facts = facts.map(|(label, words, style)| (label, broken(&words, room), style));
    let rows: usize = facts.iter().map(|(_, lines, _)| lines.len()).sum();
    let height = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let inner = overlay(buffer, middle(area, columns, height), "Trade", "", draw);
    let mut row = 0;
    for (label, lines, style) in facts {
        text(buffer, line(inner, row), label, theme.dim);
        for words in lines {
            text(buffer, after(line(inner, row), LABEL), &words, style);
            row += 1;
        }
    }
}

/// Lines of this width; a signature is broken anywhere.
fn broken(words: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns.max(1));
    let split = |line: String| {
        let pieces: Vec<String> =
            line.chars().collect::<Vec<_>>().chunks(columns).map(|piece| piece.iter().collect()).collect();
        pieces
    };
    wrapped(words, u16::try_from(columns).unwrap_or(u16::MAX)).into_iter().flat_map(split).collect()
}
