//! One file for each part of the screen.

pub mod alerts;
pub mod budget;
pub mod completeness;
pub mod connections;
pub mod decoding;
pub mod evidence;
pub mod footer;
pub mod groups;
pub mod header;
pub mod help;
pub mod lifecycle;
pub mod liquidity;
pub mod logs;
pub mod message;
pub mod move_group;
pub mod narrow;
pub mod palette;
pub mod pipeline;
pub mod plan;
pub mod tabs;
pub mod themes;
pub mod timeline;
pub mod token;
pub mod tokens;
pub mod trade;
pub mod trades;
pub mod undecoded;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::engine::View;

use super::{
    draw::Draw,
    model::Pane,
    order::Value,
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
        Pane::Alerts => alerts::WIDTH,
        Pane::Budget | Pane::Completeness | Pane::Lifecycle | Pane::Logs => 0,
    }
}

/// Headings of a pane's table by which its rows can be ordered; none where they cannot.
#[must_use]
pub const fn titles(pane: Pane) -> &'static [&'static str] {
    match pane {
        Pane::Connections => &connections::TITLES,
        Pane::Groups => &groups::TITLES,
        Pane::Tokens => &tokens::TITLES,
        Pane::Trades => &trades::TITLES,
        Pane::Undecoded => &undecoded::TITLES,
        Pane::Liquidity => &liquidity::TITLES,
        Pane::Alerts => &alerts::TITLES,
        Pane::Decoding | Pane::Budget | Pane::Completeness | Pane::Lifecycle | Pane::Logs => &[],
    }
}

/// What the entry at this position of the pane's list is ordered by in a column; `None` where the column gives no order.
#[must_use]
pub fn value(view: &View, pane: Pane, index: usize, column: usize) -> Option<Value<'_>> {
    match pane {
        Pane::Connections => connections::value(view.connections.get(index)?, column),
        Pane::Groups => groups::value(view.groups.get(index)?, &view.names, column),
        Pane::Tokens => tokens::value(view.tokens.get(index)?, column),
        Pane::Trades => trades::value(view.trades.entries.get(index)?, column),
        Pane::Undecoded => undecoded::value(view.undecoded.get(index)?, column),
        Pane::Liquidity => liquidity::value(view.pools.get(index)?, column),
        Pane::Alerts => alerts::value(view.alerts.entries.get(index)?, column),
        Pane::Decoding | Pane::Budget | Pane::Completeness | Pane::Lifecycle | Pane::Logs => None,
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
