//! MEV alerts: this version detects none and says so.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    model::Pane,
    widgets::pane::{self, Title},
};

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let title = Title { name: "MEV alerts", right: "", focused: draw.focused(Pane::Alerts) };
    let inner = pane::frame(buffer, area, title, draw);
    let words = if inner.height < 2 || inner.width < 30 {
        "not detected by this version"
    } else {
        "This version does not detect MEV: an empty list here says nothing about the market."
    };
    pane::sentence(buffer, inner, words, draw);
}
