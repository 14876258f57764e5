//! One file for each part of the screen.

pub mod alerts;
pub mod budget;
pub mod completeness;
pub mod connections;
pub mod decoding;
pub mod footer;
pub mod groups;
pub mod header;
pub mod help;
pub mod lifecycle;
pub mod liquidity;
pub mod logs;
pub mod message;
pub mod move_group;
pub mod palette;
pub mod pipeline;
pub mod plan;
pub mod tabs;
pub mod themes;
pub mod token;
pub mod tokens;
pub mod trades;
pub mod undecoded;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    draw::Draw,
    model::Pane,
    widgets::{
        after, clip,
        pane::{Title, frame},
        width,
    },
};

/// Number of columns that a pane's table has; 0 where there is no table.
#[must_use]
pub const fn columns(pane: Pane) -> usize {
    match pane {
        Pane::Connections => connections::WIDTH,
        Pane::Groups => groups::WIDTH,
        Pane::Tokens => tokens::WIDTH,
        Pane::Trades => trades::WIDTH,
        Pane::Undecoded => undecoded::WIDTH,
        Pane::Liquidity => liquidity::WIDTH,
        Pane::Decoding => decoding::WIDTH,
        Pane::Budget | Pane::Completeness | Pane::Lifecycle | Pane::Alerts | Pane::Logs => 0,
    }
}

/// Clears a place over the screen, frames it and returns the room inside.
fn overlay(buffer: &mut Buffer, area: Rect, name: &str, right: &str, draw: &Draw<'_>) -> Rect {
    let area = clip(buffer, area);
    for y in area.top()..area.bottom() {
        // Part of a wide character cannot be covered. With its marks one may have three cells or four.
        for back in 1..4 {
            if let Some(cell) = area.x.checked_sub(back).and_then(|x| buffer.cell_mut((x, y)))
                && width(cell.symbol()) > back
            {
                cell.set_symbol(" ");
            }
        }
    }
    for row in area.rows() {
        for column in row.columns() {
            if let Some(cell) = buffer.cell_mut((column.x, column.y)) {
                cell.reset();
            }
        }
    }
    buffer.set_style(area, draw.theme.background.patch(draw.theme.text));
    let boxed = Draw { boxed: true, clock: draw.clock, ..*draw };
    let inner = frame(buffer, area, Title { name, right, focused: true }, &boxed);
    Rect { width: inner.width.saturating_sub(2), ..after(inner, 1) }
}
