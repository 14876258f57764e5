//! The log.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};
use tui_logger::{TuiLoggerLevelOutput, TuiLoggerWidget};

use crate::{
    chain::text::is_denied,
    ui::{
        draw::Draw,
        format::{count, time_of_day},
        logs::SEARCHED,
        model::Pane,
        widgets::{
            after, clip, line,
            pane::{self, Title},
            table::mark,
            text, words,
        },
    },
};

/// Draws the log.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let model = draw.model;
    if model.logs.lists(&model.search) {
        return found(buffer, area, draw);
    }
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
        .output_target(false)
        .output_file(false)
        .output_line(false)
        .state(&draw.model.logs.widget)
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

/// Draws the lines that have the searched words, the newest first.
fn found(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (theme, model) = (draw.theme, draw.model);
    let hits = model.logs.hits(&model.search);
    let right =
        format!("{} of the newest {} lines have it, newest first", count(hits.len() as u64), count(SEARCHED as u64));
    let title = Title { name: "Logs", right: &right, focused: draw.focused(Pane::Logs) };
    let inner = pane::frame(buffer, area, title, draw);
    if hits.is_empty() {
        return pane::sentence(buffer, inner, "No line has these words.", draw);
    }
    let selected = Some(model.logs.row(&hits));
    let rows = model.scroll(Pane::Logs).window(selected, hits.len(), usize::from(inner.height));
    for (index, row) in rows.enumerate() {
        let (whole, Some(hit)) = (line(inner, u16::try_from(index).unwrap_or(u16::MAX)), hits.get(row)) else { break };
        let style = match hit.level {
            tracing::Level::ERROR => theme.bad,
            tracing::Level::WARN => theme.warn,
            tracing::Level::INFO => theme.text,
            _ => theme.dim,
        };
        text(buffer, after(whole, 2), &time_of_day(hit.at_ms), theme.dim);
        words(buffer, after(whole, 11), &hit.text, style, &draw.glyphs);
        if selected == Some(row) {
            mark(buffer, whole, draw);
        }
    }
}
