//! Liquidity: not watched by this version.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    model::Pane,
    widgets::pane::{self, Title},
};

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let title = Title { name: "Liquidity", right: "", focused: draw.focused(Pane::Liquidity) };
    let inner = pane::frame(buffer, area, title, draw);
    let words = "This version decodes deposits and withdrawals but does not follow pools yet: nothing is shown here.";
    pane::sentence(buffer, inner, words, draw);
}
