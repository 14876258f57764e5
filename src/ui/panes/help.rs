//! All keys, from the action table and the key file.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    action::{Heading, TABLE},
    draw::Draw,
    layout::middle,
    panes::overlay,
    typed::Typed,
    widgets::{self, after, line, text},
};

/// Draws the help, scrolled down by some rows: all of it, or the rows with some words.
pub fn draw(buffer: &mut Buffer, area: Rect, scroll: usize, (words, typing): (&Typed, bool), draw: &Draw<'_>) {
    let rows = rows(words, draw);
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2);
    let place = middle(area, 92, height.clamp(4, area.height.saturating_sub(2).max(4)));
    let page = usize::from(place.height.saturating_sub(2));
    let first = scroll.min(rows.len().saturating_sub(page));
    let more = rows.len().saturating_sub(first + page);
    let right = if more > 0 { format!("{more} more below") } else { String::new() };
    let name = match (typing, words.is_empty()) {
        (true, _) => format!("Keys with: {}_", words.tail(40)),
        (false, false) => format!("Keys with: {}", words.tail(40)),
        (false, true) => "Keys".to_owned(),
    };
    let inner = overlay(buffer, place, &name, &right, draw);
    if rows.is_empty() {
        text(buffer, line(inner, 0), "No key does anything like that.", draw.theme.dim);
    }
    for (index, row) in rows.iter().skip(first).enumerate() {
        let place = line(inner, u16::try_from(index).unwrap_or(u16::MAX));
        match row {
            Row::Empty => {}
            Row::Heading(words) => {
                text(buffer, place, words, draw.theme.title);
            }
            Row::Key(keys, words) => {
                text(buffer, after(Rect { width: place.width.min(18), ..place }, 1), keys, draw.theme.accent);
                widgets::words(buffer, after(place, 18), words, draw.theme.text, &draw.glyphs);
            }
        }
    }
}

enum Row {
    Empty,
    Heading(&'static str),
    Key(String, &'static str),
}

fn rows(words: &Typed, draw: &Draw<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for heading in Heading::ALL {
        let mut own: Vec<Row> = Vec::new();
        for (position, row) in TABLE.iter().enumerate().filter(|(_, row)| row.heading == heading) {
            let keys = draw.model.keys.text(position);
            if words.matches(&[&keys, row.name, row.help, heading.name()]) {
                own.push(Row::Key(keys, row.help));
            }
        }
        if own.is_empty() {
            continue;
        }
        if !rows.is_empty() {
            rows.push(Row::Empty);
        }
        rows.push(Row::Heading(heading.name()));
        rows.extend(own);
    }
    rows
}
