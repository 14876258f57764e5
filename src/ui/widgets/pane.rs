//! The frame of a pane: a box where there is room, a rule with the title where rows are scarce.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{after, clip, line, text, text_right, width};
use crate::ui::draw::Draw;

/// What stands in the frame's upper edge.
#[derive(Clone, Copy, Debug, Default)]
pub struct Title<'a> {
    /// What the pane is.
    pub name: &'a str,
    /// A remark at the right end.
    pub right: &'a str,
    /// Whether the pane has the focus.
    pub focused: bool,
}

/// Draws the frame and returns the room inside.
pub fn frame(buffer: &mut Buffer, area: Rect, title: Title<'_>, draw: &Draw<'_>) -> Rect {
    let area = clip(buffer, area);
    if area.width < 2 || area.height == 0 {
        return Rect { height: 0, ..area };
    }
    let theme = draw.theme;
    let edge = if title.focused { theme.focus } else { theme.border };
    let boxed = draw.boxed && area.height >= 3 && area.width >= 4;
    // The focused pane has a heavier line, for eyes and terminals that do not tell the colours apart.
    let [horizontal, vertical, left_top, right_top, left_foot, right_foot] = match (title.focused, draw.glyphs.ascii) {
        (true, true) => ["=", "|", "+", "+", "+", "+"],
        (false, true) => ["-", "|", "+", "+", "+", "+"],
        (true, false) => ["━", "┃", "┏", "┓", "┗", "┛"],
        (false, false) => ["─", "│", "╭", "╮", "╰", "╯"],
    };
    let mut put = |x: u16, y: u16, sign: &str| {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(sign).set_style(edge);
        }
    };
    for x in area.left()..area.right() {
        put(x, area.top(), horizontal);
        if boxed {
            put(x, area.bottom() - 1, horizontal);
        }
    }
    if boxed {
        for y in area.top() + 1..area.bottom() - 1 {
            put(area.left(), y, vertical);
            put(area.right() - 1, y, vertical);
        }
        put(area.left(), area.top(), left_top);
        put(area.right() - 1, area.top(), right_top);
        put(area.left(), area.bottom() - 1, left_foot);
        put(area.right() - 1, area.bottom() - 1, right_foot);
    }
    let head = Rect { x: area.x + 2, width: area.width.saturating_sub(4), height: 1, ..area };
    let name_style = if title.focused { theme.focus } else { theme.title };
    let taken = caption(buffer, head, title.name, name_style);
    let room = after(head, taken + 1);
    let needed = width(title.right) + 2;
    if !title.right.is_empty() && needed <= room.width {
        text_right(buffer, room, &format!(" {} ", title.right), theme.dim);
    }
    if boxed {
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    } else {
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    }
}

fn caption(buffer: &mut Buffer, head: Rect, name: &str, style: ratatui::style::Style) -> u16 {
    text(buffer, head, &format!(" {name} "), style)
}

/// A sentence in the middle of an otherwise empty pane.
pub fn sentence(buffer: &mut Buffer, area: Rect, words: &str, draw: &Draw<'_>) {
    let room = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let lines = super::wrapped(words, room.width);
    for (index, words) in lines.iter().enumerate() {
        text(buffer, line(room, u16::try_from(index).unwrap_or(u16::MAX)), words, draw.theme.dim);
    }
}
