//! The second line: the tabs, and the filter while there is one.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    model::Tab,
    widgets::{after, line, pieces, text, width},
};

/// Draws the tabs.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let line = line(area, 0);
    // Spaces around the names are a comfort that narrow terminals do without.
    let roomy = area.width >= 92;
    let mut x = 0;
    for (index, tab) in Tab::ALL.into_iter().enumerate() {
        let number = (index + 1).to_string();
        let chosen = tab == draw.model.tab;
        let (digit, name) = if chosen { (theme.tab, theme.tab) } else { (theme.accent, theme.dim) };
        let gap = if roomy { " " } else { "" };
        x += pieces(
            buffer,
            after(line, x),
            &[(gap, name), (&number, digit), (" ", name), (tab.name(), name), (gap, name)],
        );
        x += u16::from(roomy || !chosen || index < 6);
    }
    let model = draw.model;
    if model.typing || !model.filter.is_empty() {
        let shown = model.filter.text();
        let room = after(line, x + 1);
        // The end of what is typed matters more than its beginning.
        let spare = room.width.saturating_sub(10);
        let mut tail = shown;
        while width(tail) > spare {
            let mut rest = tail.chars();
            rest.next();
            tail = rest.as_str();
        }
        let used = pieces(buffer, room, &[("filter ", theme.dim), (tail, theme.strong)]);
        if model.typing {
            text(buffer, after(room, used), " ", theme.tab);
        }
    }
}
