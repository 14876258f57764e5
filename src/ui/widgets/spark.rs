//! Small charts: bars of one line, and lines of braille dots.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::clip;

/// The full block is left out: charts in rows above each other must stay apart.
const BARS: [&str; 7] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇"];
const BARS_ASCII: [&str; 7] = ["_", ".", ".", "-", "-", "=", "#"];

/// Draws one value per column against the right edge, newest last; when there are more values than columns, each column
/// holds the highest of several. A value of zero leaves the baseline free, so that silence looks like silence.
pub fn bars(buffer: &mut Buffer, area: Rect, values: &[u32], style: Style, ascii: bool) {
    bars_up_to(buffer, area, values, values.iter().copied().max().unwrap_or(0), style, ascii);
}

/// The same, on a scale that ends at `highest`.
pub fn bars_up_to(buffer: &mut Buffer, area: Rect, values: &[u32], highest: u32, style: Style, ascii: bool) {
    let area = clip(buffer, area);
    let columns = usize::from(area.width);
    if columns == 0 || area.height == 0 || values.is_empty() {
        return;
    }
    let group = values.len().div_ceil(columns);
    let highest = u64::from(highest).max(1);
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

/// A line of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Oldest left. Values that are not finite are left out.
    pub values: &'a [f32],
    /// Its looks.
    pub style: Style,
    /// Drawn with gaps, so that it is told from another without colours.
    pub dotted: bool,
}

/// Draws a line through the values, oldest left, over the whole rectangle. Values that are not finite are left out.
/// Returns the lowest and highest value drawn.
pub fn line(buffer: &mut Buffer, area: Rect, values: &[f32], style: Style, ascii: bool) -> Option<(f32, f32)> {
    lines(buffer, area, &[Line { values, style, dotted: false }], ascii)
}

/// Draws lines over each other, the last on top, all to the same scale. Returns the lowest and highest value drawn.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the rectangle's dots")]
pub fn lines(buffer: &mut Buffer, area: Rect, lines: &[Line<'_>], ascii: bool) -> Option<(f32, f32)> {
    let finite = || lines.iter().flat_map(|line| line.values).copied().filter(|value| value.is_finite());
    let lowest = finite().min_by(f32::total_cmp)?;
    let highest = finite().max_by(f32::total_cmp)?;
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
    for line in lines {
        let mut own = vec![0u8; masks.len()];
        let mut before: Option<usize> = None;
        for column in 0..columns {
            let value = line.values.get(index_at(column, columns, line.values.len()));
            let Some(row) = value.filter(|value| value.is_finite()).map(|value| row_of(*value)) else {
                before = None;
                continue;
            };
            let from = before.unwrap_or(row);
            for dot in from.min(row)..=from.max(row) {
                let cell = (dot / 4) * usize::from(area.width) + column / 2;
                if line.dotted && (column + dot) % 3 != 0 {
                    continue;
                }
                if let (Some(mask), Some(bit)) = (own.get_mut(cell), DOTS[column % 2].get(dot % 4)) {
                    *mask |= bit;
                }
            }
            before = Some(row);
        }
        for (position, (own, mask)) in own.into_iter().zip(&mut masks).enumerate().filter(|(_, (own, _))| *own != 0) {
            *mask |= own;
            let x = area.x + u16::try_from(position % usize::from(area.width)).unwrap_or(0);
            let y = area.y + u16::try_from(position / usize::from(area.width)).unwrap_or(0);
            if let Some(cell) = buffer.cell_mut((x, y)) {
                let sign = match ascii {
                    true if line.dotted => '.',
                    true => '*',
                    false => char::from_u32(0x2800 + u32::from(*mask)).unwrap_or(' '),
                };
                cell.set_char(sign).set_style(line.style);
            }
        }
    }
    Some((lowest, highest))
}

/// Which of so many values stands in a column: fewer values than columns are stretched, more are thinned, by position,
/// the newest at the right edge.
const fn index_at(column: usize, columns: usize, values: usize) -> usize {
    if columns < 2 { 0 } else { column * values.saturating_sub(1) / (columns - 1) }
}

/// The cell, counted from the left edge, in which the value at this position begins in a [line](lines) of so many cells.
#[must_use]
pub const fn cell_of(index: usize, values: usize, width: u16) -> u16 {
    let columns = width as usize * 2;
    if values < 2 || columns < 2 {
        return 0;
    }
    let first = (index * (columns - 1)).div_ceil(values - 1);
    #[allow(clippy::cast_possible_truncation, reason = "below the width")]
    let cell = (first / 2) as u16;
    cell
}
