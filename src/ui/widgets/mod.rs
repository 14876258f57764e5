//! The small parts that panes are made of. All of them clip: nothing is ever drawn outside its rectangle.

pub mod bar;
pub mod pane;
pub mod spark;
pub mod table;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_width::UnicodeWidthStr;

use super::{format::UNKNOWN, theme::Theme};
use crate::chain::text::is_denied;

/// The signs drawn beside words: Unicode of one cell each, or ASCII.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is the sign of that name")]
pub struct Glyphs {
    pub ascii: bool,
    pub dot: &'static str,
    pub ring: &'static str,
    pub half: &'static str,
    pub cross: &'static str,
    pub warn: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub arrow: &'static str,
    pub mark: &'static str,
    pub line: &'static str,
    pub star: &'static str,
    pub done: &'static str,
    pub separator: &'static str,
}

impl Glyphs {
    /// The signs for a terminal that shows Unicode, or only ASCII.
    #[must_use]
    pub const fn new(ascii: bool) -> Self {
        if ascii {
            Self {
                ascii,
                dot: "*",
                ring: "o",
                half: "~",
                cross: "x",
                warn: "!",
                up: "^",
                down: "v",
                arrow: ">",
                mark: ">",
                line: "-",
                star: "+",
                done: "#",
                separator: "|",
            }
        } else {
            Self {
                ascii,
                dot: "●",
                ring: "○",
                half: "◐",
                cross: "✕",
                warn: "▲",
                up: "▲",
                down: "▼",
                arrow: "→",
                mark: "▌",
                line: "─",
                star: "◆",
                done: "■",
                separator: "│",
            }
        }
    }
}

/// Columns a text takes.
#[must_use]
pub fn width(text: &str) -> u16 {
    let cells = if text.is_ascii() { text.len() } else { text.width() };
    u16::try_from(cells).unwrap_or(u16::MAX)
}

/// The part of a rectangle that the buffer has.
#[must_use]
pub fn clip(buffer: &Buffer, area: Rect) -> Rect {
    area.intersection(buffer.area)
}

/// Writes a text into the first line of a rectangle, from its left edge, and returns the columns taken. What does not fit is cut.
pub fn text(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let area = clip(buffer, area);
    if area.is_empty() || text.is_empty() {
        return 0;
    }
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        // ASCII: one byte is one cell.
        let mut x = area.x;
        for byte in text.bytes().take(usize::from(area.width)) {
            if let Some(cell) = buffer.cell_mut((x, area.y)) {
                cell.set_char(char::from(byte)).set_style(style);
            }
            x += 1;
        }
        return x - area.x;
    }
    let (end, _) = if text.chars().any(is_denied) {
        // Text is made safe where it comes in; this is for the day on which that was forgotten.
        let safe: String = text.chars().map(|c| if is_denied(c) { '·' } else { c }).collect();
        buffer.set_stringn(area.x, area.y, safe, usize::from(area.width), style)
    } else {
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style)
    };
    end.saturating_sub(area.x)
}

/// Writes a text against the right edge. What does not fit is cut at the end.
pub fn text_right(buffer: &mut Buffer, area: Rect, string: &str, style: Style) {
    let free = area.width.saturating_sub(width(string));
    text(buffer, Rect { x: area.x.saturating_add(free), width: area.width - free, ..area }, string, style);
}

/// Writes a figure against the right edge. One whose source is silent is dim, and has `~` before it: in the cell that
/// tables leave free between columns, where the figure fills its own.
pub fn figure(buffer: &mut Buffer, area: Rect, string: &str, style: Style, stale: bool, theme: &Theme) {
    text_right(buffer, area, string, if stale { theme.dim } else { style });
    if stale && string != UNKNOWN {
        let x = area.x.saturating_add(area.width.saturating_sub(width(string)));
        text(buffer, Rect { x: x.saturating_sub(1), width: 1, height: area.height.min(1), ..area }, "~", theme.warn);
    }
}

/// Writes words from the left edge; what is cut ends in `…`.
pub fn words(buffer: &mut Buffer, area: Rect, string: &str, style: Style, glyphs: &Glyphs) -> u16 {
    let area = clip(buffer, area);
    if width(string) <= area.width || area.width < 2 {
        return text(buffer, area, string, style);
    }
    // The mark must not stand in the second half of a wide character.
    let taken = text(buffer, Rect { width: area.width - 1, ..area }, string, style);
    taken + text(buffer, after(area, taken), if glyphs.ascii { "." } else { "…" }, style)
}

/// The rectangle without its first columns.
#[must_use]
pub const fn after(area: Rect, columns: u16) -> Rect {
    let columns = if columns < area.width { columns } else { area.width };
    Rect { x: area.x + columns, width: area.width - columns, ..area }
}

/// One line of a rectangle; empty when it has no such line.
#[must_use]
pub const fn line(area: Rect, index: u16) -> Rect {
    if index < area.height { Rect { y: area.y + index, height: 1, ..area } } else { Rect { height: 0, ..area } }
}

/// Writes pieces of text one after another and returns the columns taken.
pub fn pieces(buffer: &mut Buffer, area: Rect, pieces: &[(&str, Style)]) -> u16 {
    let mut taken = 0;
    for (piece, style) in pieces {
        taken += text(buffer, after(area, taken), piece, *style);
    }
    taken
}

/// Breaks words into lines of this width; a longer word is broken where the line ends.
#[must_use]
pub fn wrapped(text: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns.max(1));
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let cells = usize::from(width(word));
        match lines.last_mut() {
            Some(line) if used + 1 + cells <= columns => {
                line.push(' ');
                line.push_str(word);
                used += 1 + cells;
            }
            _ => {
                lines.push(word.to_owned());
                used = cells;
            }
        }
    }
    lines
}
