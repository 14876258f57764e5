//! The last ten minutes as a strip, while the screen is frozen: what of them is kept, and where in them it stands.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    history::SPAN_MS,
    widgets::{after, line, text},
};

/// Least and most cells of the strip.
const CELLS: (u16, u16) = (12, 60);

/// Draws the strip at the right end of a line, and returns what is left of the line.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) -> Rect {
    let (model, theme, glyphs) = (draw.model, draw.theme, &draw.glyphs);
    let newest = model.waiting.as_ref().map_or(model.view.now_ms, |newest| newest.now_ms);
    let Some(kept) = model.history.span_ms().filter(|_| model.frozen) else { return area };
    let cells = (area.width / 4).clamp(CELLS.0, CELLS.1);
    let whole = cells + 11;
    if area.width < whole * 2 {
        return area;
    }
    let room = Rect { width: area.width - whole, ..area };
    let strip = line(after(area, room.width), 0);
    let taken = 1 + text(buffer, after(strip, 1), "-10m ", theme.dim);
    for cell in 0..cells {
        let until = newest.saturating_sub(SPAN_MS * i64::from(cells - 1 - cell) / i64::from(cells));
        let sign = if until >= kept.start { glyphs.line } else { "." };
        text(buffer, after(strip, taken + cell), sign, theme.dim);
    }
    let back = newest.saturating_sub(model.view.now_ms).clamp(0, SPAN_MS);
    let at = u16::try_from(i64::from(cells - 1) * (SPAN_MS - back) / SPAN_MS).unwrap_or(0);
    text(buffer, Rect { width: 1, ..after(strip, taken + at) }, glyphs.dot, theme.accent);
    text(buffer, after(strip, taken + cells), " now", theme.dim);
    room
}
