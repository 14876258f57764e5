//! One line of news: what can be typed, the answer to the last key, else the engine's newest notice, else the newest line of the log.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    panes::timeline,
    widgets::{self, after, text},
};

/// What a filter can look like.
const EXAMPLE: &str = "words are alternatives, conditions must hold: goat mc>100 progress>80 !flag:mayhem";

/// Draws the line.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (theme, model) = (draw.theme, draw.model);
    let area = timeline::draw(buffer, area, draw);
    let hint;
    let (head, head_style, words, style) = if model.typing && model.overlay.is_none() {
        if let Some(problem) = model.filter.problem() {
            (" ! ", theme.bad, problem, theme.warn)
        } else {
            hint = model.filter.completions().join(" ");
            (" Tab ", theme.accent, if hint.is_empty() { EXAMPLE } else { hint.as_str() }, theme.dim)
        }
    } else if let Some(notice) = &model.notice {
        let (head, style) = if notice.bad { (" ! ", theme.bad) } else { (" > ", theme.accent) };
        (head, style, notice.text.as_str(), if notice.bad { theme.warn } else { theme.strong })
    } else if let Some((_, words)) = &model.view.notice {
        (" notice ", theme.title, &**words, theme.text)
    } else if let Some(line) = &model.log_line {
        (" log ", theme.title, &**line, theme.dim)
    } else {
        return;
    };
    let taken = text(buffer, area, head, head_style);
    widgets::words(buffer, after(area, taken), words, style, &draw.glyphs);
}
