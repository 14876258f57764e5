//! A progress bar whose ratio may be anything: what is not a number draws nothing, the rest is clamped.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::clip;

/// Eighths of a cell, from one to eight.
const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// Draws `ratio` (0–1) of the first line of a rectangle as filled.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the width in eighths")]
pub fn draw(buffer: &mut Buffer, area: Rect, ratio: Option<f64>, (full, rest): (Style, Style), ascii: bool) {
    let area = clip(buffer, area);
    let ratio = ratio.filter(|ratio| !ratio.is_nan()).map(|ratio| ratio.clamp(0.0, 1.0));
    // Floored: a full bar means all.
    let eighths = (ratio.unwrap_or(0.0) * f64::from(area.width) * 8.0).floor() as usize;
    for column in 0..area.width {
        let filled = eighths.saturating_sub(usize::from(column) * 8).min(8);
        let Some(cell) = buffer.cell_mut((area.x + column, area.y)) else { continue };
        match (filled.checked_sub(1).and_then(|index| EIGHTHS.get(index)), ascii) {
            (Some(sign), false) => cell.set_symbol(sign).set_style(full),
            (Some(_), true) if filled >= 4 => cell.set_symbol("#").set_style(full),
            (_, true) => cell.set_symbol("-").set_style(rest),
            (None, false) => cell.set_symbol("─").set_style(rest),
        };
    }
}
