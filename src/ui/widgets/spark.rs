//! Small charts: bars of one line, and lines of braille dots.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::clip;

/// The full block is left out: charts in rows above each other must stay apart.
const BARS: [&str; 7] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇"];
const BARS_ASCII: [&str; 7] = ["_", ".", ".", "-", "-", "=", "#"];

/// Draws one value per column against the right edge, newest last; when there are more values than columns, each column
/// holds the highest of several. A value of zero leaves the baseline free, so that silence looks like silence.
pub fn bars(buffer: &mut Buffer, area: Rect, values: &[u32], style: Style, ascii: bool) {
    let area = clip(buffer, area);
    let columns = usize::from(area.width);
    if columns == 0 || area.height == 0 || values.is_empty() {
        return;
    }
    let group = values.len().div_ceil(columns);
    let highest = u64::from(values.iter().copied().max().unwrap_or(0)).max(1);
    // Grouped from the newest backwards, so that the right edge is always now.
    for (back, chunk) in values.rchunks(group).enumerate().take(columns) {
        let value = u64::from(chunk.iter().copied().max().unwrap_or(0));
        let x = area.right() - 1 - u16::try_from(back).unwrap_or(0);
        let Some(cell) = buffer.cell_mut((x, area.bottom() - 1)) else { continue };
        if value > 0 {
            let step = usize::try_from((value * 7).div_ceil(highest).clamp(1, 7) - 1).unwrap_or(0);
            let table = if ascii { &BARS_ASCII } else { &BARS };
            cell.set_symbol(table.get(step).copied().unwrap_or(" ")).set_style(style);
        }
    }
}

/// Dots of a braille cell by column and row from the top.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Draws a line through the values, oldest left, over the whole rectangle. Values that are not finite are left out.
/// Returns the lowest and highest value drawn.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the rectangle's dots")]
pub fn line(buffer: &mut Buffer, area: Rect, values: &[f32], style: Style, ascii: bool) -> Option<(f32, f32)> {
    let finite = |value: &f32| value.is_finite();
    let lowest = values.iter().copied().filter(finite).min_by(f32::total_cmp)?;
    let highest = values.iter().copied().filter(finite).max_by(f32::total_cmp)?;
    let area = clip(buffer, area);
    if area.is_empty() {
        return Some((lowest, highest));
    }
    let (columns, rows) = (usize::from(area.width) * 2, usize::from(area.height) * 4);
    let span = f64::from(highest) - f64::from(lowest);
    #[allow(clippy::cast_precision_loss, reason = "rows of a terminal")]
    let row_of = |value: f32| {
        let share = if span > 0.0 { (f64::from(value) - f64::from(lowest)) / span } else { 0.5 };
        ((1.0 - share.clamp(0.0, 1.0)) * (rows - 1) as f64).round() as usize
    };
    let mut masks = vec![0u8; usize::from(area.width) * usize::from(area.height)];
    let mut before: Option<usize> = None;
    for column in 0..columns {
        // Fewer values than columns are stretched, more are thinned: by position, the newest at the right edge.
        let index = if columns < 2 { 0 } else { column * (values.len() - 1) / (columns - 1) };
        let Some(row) = values.get(index).filter(|value| value.is_finite()).map(|value| row_of(*value)) else {
            before = None;
            continue;
        };
        let from = before.unwrap_or(row);
        for dot in from.min(row)..=from.max(row) {
            let cell = (dot / 4) * usize::from(area.width) + column / 2;
            if let (Some(mask), Some(bit)) = (masks.get_mut(cell), DOTS[column % 2].get(dot % 4)) {
                *mask |= bit;
            }
        }
        before = Some(row);
    }
    for (position, mask) in masks.into_iter().enumerate().filter(|(_, mask)| *mask != 0) {
        let x = area.x + u16::try_from(position % usize::from(area.width)).unwrap_or(0);
        let y = area.y + u16::try_from(position / usize::from(area.width)).unwrap_or(0);
        if let Some(cell) = buffer.cell_mut((x, y)) {
            let sign = if ascii { '*' } else { char::from_u32(0x2800 + u32::from(mask)).unwrap_or(' ') };
            cell.set_char(sign).set_style(style);
        }
    }
    Some((lowest, highest))
}
