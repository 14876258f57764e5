//! The themes: the chosen one dresses the whole screen while it is chosen.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    panes::overlay,
    widgets::{after, line, pieces, table::mark, text},
};

/// Draws the choice at the right edge, so that most of the screen can be judged.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (theme, model) = (draw.theme, draw.model);
    let names = model.themes.names();
    let rows = u16::try_from(names.len()).unwrap_or(u16::MAX);
    let size = (34.min(area.width), rows.saturating_add(2).min(area.height.saturating_sub(4)));
    let place =
        Rect { x: area.right().saturating_sub(size.0 + 1).max(area.x), y: area.y + 2, width: size.0, height: size.1 };
    let inner = overlay(buffer, place, "Theme", "", draw);
    let page = usize::from(inner.height);
    let top = (model.theme + 1).saturating_sub(page);
    for (index, (row, name)) in names.enumerate().skip(top).take(page).enumerate() {
        let whole = line(inner, u16::try_from(index).unwrap_or(u16::MAX));
        let name_width = whole.width.saturating_sub(10);
        text(buffer, Rect { width: name_width, ..after(whole, 2) }, name, theme.text);
        if row == model.theme {
            let samples = [
                (draw.glyphs.dot, theme.good),
                (draw.glyphs.dot, theme.warn),
                (draw.glyphs.dot, theme.bad),
                (draw.glyphs.up, theme.buy),
                (draw.glyphs.down, theme.sell),
            ];
            mark(buffer, whole, draw);
            pieces(buffer, after(whole, name_width + 3), &samples);
        }
    }
}
