//! The second line: the tabs, and the search or the filter while there is one.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    model::Tab,
    widgets::{after, line, pieces, text},
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
    let (label, typed, typing) = if model.searching {
        ("search ", &model.search, true)
    } else {
        ("filter ", model.filter.typed(), model.typing)
    };
    if typing || !typed.is_empty() {
        let room = after(line, x + 1);
        let tail = typed.tail(room.width.saturating_sub(10));
        let used = pieces(buffer, room, &[(label, theme.dim), (tail, theme.strong)]);
        if typing {
            text(buffer, after(room, used), " ", theme.tab);
        }
    }
}
