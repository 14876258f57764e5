//! All keys, from the action table.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    action::{Heading, TABLE},
    draw::Draw,
    layout::middle,
    panes::overlay,
    widgets::{after, line, text},
};

/// Draws the help, scrolled down by some rows.
pub fn draw(buffer: &mut Buffer, area: Rect, scroll: usize, draw: &Draw<'_>) {
    let rows = rows();
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2);
    let place = middle(area, 92, height.min(area.height.saturating_sub(2)));
    let page = usize::from(place.height.saturating_sub(2));
    let first = scroll.min(rows.len().saturating_sub(page));
    let more = rows.len().saturating_sub(first + page);
    let right = if more > 0 { format!("{more} more below") } else { String::new() };
    let inner = overlay(buffer, place, "Keys", &right, draw);
    for (index, row) in rows.iter().skip(first).enumerate() {
        let place = line(inner, u16::try_from(index).unwrap_or(u16::MAX));
        match row {
            Row::Empty => {}
            Row::Heading(words) => {
                text(buffer, place, words, draw.theme.title);
            }
            Row::Key(keys, words) => {
                text(buffer, after(Rect { width: place.width.min(18), ..place }, 1), keys, draw.theme.accent);
                text(buffer, after(place, 18), words, draw.theme.text);
            }
        }
    }
}

enum Row {
    Empty,
    Heading(&'static str),
    Key(String, &'static str),
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for heading in Heading::ALL {
        if !rows.is_empty() {
            rows.push(Row::Empty);
        }
        rows.push(Row::Heading(heading.name()));
        rows.extend(TABLE.iter().filter(|row| row.heading == heading).map(|row| Row::Key(row.keys_text(), row.help)));
    }
    rows
}
