//! Where a group shall go.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    chain::group::Group,
    ui::{
        draw::Draw,
        format::rate,
        layout::middle,
        panes::overlay,
        widgets::{after, line, pieces, table::mark},
    },
};

/// Draws the choice.
pub fn draw(buffer: &mut Buffer, area: Rect, group: Group, choice: usize, draw: &Draw<'_>) {
    let theme = draw.theme;
    let connections = &draw.model.view.connections;
    let rows = u16::try_from(connections.len()).unwrap_or(u16::MAX);
    let place = middle(area, 56, rows.saturating_add(2).min(area.height.saturating_sub(2)));
    let inner = overlay(buffer, place, &format!("Move {} to", draw.model.view.names.name(group)), "", draw);
    let page = usize::from(inner.height);
    let first = (choice + 1).saturating_sub(page);
    for (index, (row, connection)) in connections.iter().enumerate().skip(first).take(page).enumerate() {
        let place = line(inner, u16::try_from(index).unwrap_or(u16::MAX));
        let id = format!("connection {}", connection.status.id);
        let load = format!("  {} tx/s", rate(connection.tps));
        let here = if connection.status.groups.contains(group) { "  is here" } else { "" };
        let words = [
            (id.as_str(), theme.strong),
            (&load, theme.text),
            ("  ", theme.dim),
            (connection.status.state.name(), theme.dim),
            (here, theme.accent),
        ];
        pieces(buffer, after(place, 2), &words);
        if row == choice {
            mark(buffer, place, draw);
        }
    }
}
