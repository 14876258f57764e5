//! What the subscription would be narrowed to, and what that costs, before it is done.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    chain::ids::Mint,
    ui::{
        draw::Draw,
        layout::middle,
        panes::overlay,
        widgets::{after, line, pieces, text, words},
    },
};

/// Cells for a symbol.
const SYMBOL: u16 = 12;

/// Draws the tokens with their symbols, or that everything would be asked for again.
pub fn draw(buffer: &mut Buffer, area: Rect, (mints, symbols): (&[Mint], &[String]), draw: &Draw<'_>) {
    let theme = draw.theme;
    let rows = u16::try_from(mints.len()).unwrap_or(u16::MAX);
    let title = if mints.is_empty() { "Ask for everything again" } else { "Narrow the subscription to" };
    let inner = overlay(buffer, middle(area, 66, rows.saturating_add(6)), title, "", draw);
    for (index, (mint, symbol)) in mints.iter().zip(symbols).enumerate() {
        let place = line(inner, u16::try_from(index).unwrap_or(u16::MAX));
        words(buffer, Rect { width: SYMBOL.min(place.width), ..place }, symbol, theme.strong, &draw.glyphs);
        text(buffer, after(place, SYMBOL + 1), &mint.to_string(), theme.text);
    }
    let permits = draw.model.view.narrowing_cost.to_string();
    pieces(buffer, line(inner, rows.saturating_add(1)), &[("Permits     ", theme.dim), (&permits, theme.strong)]);
    let budget = &draw.model.view.budget;
    let short = budget.limit > 0 && budget.limit.saturating_sub(budget.used) < draw.model.view.narrowing_cost;
    let (sentence, style) = if short {
        ("The budget cannot pay for this now.", theme.bad)
    } else if mints.is_empty() {
        ("What came of others meanwhile was not asked for and will not come.", theme.dim)
    } else {
        ("Nothing of other tokens comes until everything is asked for again.", theme.dim)
    };
    text(buffer, line(inner, rows.saturating_add(3)), sentence, style);
}
