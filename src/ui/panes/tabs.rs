//! The second line: the tabs, and the search or the filter while there is one.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::ui::{
    draw::Draw,
    model::Tab,
    widgets::{after, line, pieces, width},
};

/// Spaces around the names are a comfort that narrow terminals do without.
const fn roomy(area: Rect) -> bool {
    area.width >= 92
}

/// A tab's name, where there is no room for all of them in full a short one.
const fn name(tab: Tab, area: Rect) -> &'static str {
    if area.width >= 70 { tab.name() } else { tab.short() }
}

/// The tab at a place of the screen, when its tabs stand in `area`.
#[must_use]
pub fn at(area: Rect, place: Position) -> Option<Tab> {
    let mut x = area.x;
    Tab::ALL.into_iter().find(|tab| {
        let columns = width(name(*tab, area)) + 2 + if roomy(area) { 2 } else { 0 };
        let own = Rect { x, y: area.y, width: columns, height: 1 };
        x = x.saturating_add(columns + 1);
        own.contains(place)
    })
}

/// Draws the tabs.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let line = line(area, 0);
    let roomy = roomy(area);
    let mut x = 0;
    for (index, tab) in Tab::ALL.into_iter().enumerate() {
        let number = (index + 1).to_string();
        let chosen = tab == draw.model.tab;
        let (digit, style) = if chosen { (theme.tab, theme.tab) } else { (theme.accent, theme.dim) };
        let gap = if roomy { " " } else { "" };
        x += pieces(
            buffer,
            after(line, x),
            &[(gap, style), (&number, digit), (" ", style), (name(tab, area), style), (gap, style)],
        );
        x += 1;
    }
    let model = draw.model;
    let (label, typed, typing) = if model.searching {
        ("search ", &model.search, true)
    } else {
        ("filter ", model.filter.typed(), model.typing)
    };
    // While it is typed it stands in the last line.
    if !typing && !typed.is_empty() {
        let room = after(line, x + 1);
        // Where there is no room for both, its words say enough.
        let label = if room.width >= 20 { label } else { "" };
        let tail = typed.tail(room.width.saturating_sub(width(label) + 1));
        pieces(buffer, room, &[(label, theme.dim), (tail, theme.strong)]);
    }
}
