//! The log.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};
use tui_logger::{TuiLoggerLevelOutput, TuiLoggerWidget};

use crate::{
    chain::text::is_denied,
    ui::{
        draw::Draw,
        model::Pane,
        widgets::{
            clip,
            pane::{self, Title},
        },
    },
};

/// Draws the log.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let title = Title { name: "Logs", right: "PgUp back, G newest", focused: draw.focused(Pane::Logs) };
    let inner = pane::frame(buffer, area, title, draw);
    let inner = clip(buffer, inner);
    if inner.height == 0 || inner.width < 24 {
        return;
    }
    tui_logger::move_events();
    TuiLoggerWidget::default()
        .style(theme.text)
        .style_error(theme.bad)
        .style_warn(theme.warn)
        .style_info(theme.text)
        .style_debug(theme.dim)
        .style_trace(theme.dim)
        .output_separator(' ')
        .output_timestamp(Some("%H:%M:%S".to_owned()))
        .output_level(Some(TuiLoggerLevelOutput::Long))
        .output_target(inner.width >= 100)
        .output_file(false)
        .output_line(false)
        .state(&draw.model.logs.0)
        .render(inner, buffer);
    // The widget lets bidi and invisible characters through.
    for row in inner.rows() {
        for column in row.columns() {
            if let Some(cell) = buffer.cell_mut((column.x, column.y))
                && cell.symbol().chars().any(is_denied)
            {
                cell.set_symbol("?");
            }
        }
    }
}
