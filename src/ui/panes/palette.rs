//! The palette: what is typed, and what it could mean.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    layout::middle,
    palette::Palette,
    panes::overlay,
    widgets::{after, line, pieces, table::mark, text, text_right, width, words},
};

/// Draws the palette.
pub fn draw(buffer: &mut Buffer, area: Rect, palette: &Palette, draw: &Draw<'_>) {
    let theme = draw.theme;
    let place = middle(area, 84, 18.min(area.height.saturating_sub(2)));
    let inner = overlay(buffer, place, "Actions", &format!("{} found", palette.entries.len()), draw);
    let first = line(inner, 0);
    let taken = pieces(
        buffer,
        first,
        &[(":", theme.accent), (palette.typed.tail(first.width.saturating_sub(3)), theme.strong)],
    );
    text(buffer, after(first, taken), " ", theme.tab);
    let list = Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner };
    if palette.entries.is_empty() {
        text(buffer, after(line(list, 0), 2), "No action is called like that.", theme.dim);
    }
    let page = usize::from(list.height);
    let top = (palette.choice + 1).saturating_sub(page);
    for (index, (row, entry)) in palette.entries.iter().enumerate().skip(top).take(page).enumerate() {
        let whole = line(list, u16::try_from(index).unwrap_or(u16::MAX));
        let keys = draw.model.keys.text(entry.position);
        let room = Rect { width: whole.width.saturating_sub(width(&keys) + 1), ..whole };
        let name = Rect { width: room.width.min(28), ..after(room, 2) };
        let taken = words(buffer, name, &entry.label(), theme.strong, &draw.glyphs);
        words(buffer, after(name, taken + 1), entry.wants(), theme.dim, &draw.glyphs);
        let help = entry.row().map_or("", |row| row.help);
        words(buffer, after(room, 31), help, theme.dim, &draw.glyphs);
        text_right(buffer, whole, &keys, theme.accent);
        if row == palette.choice {
            mark(buffer, whole, draw);
        }
    }
}
