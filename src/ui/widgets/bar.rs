//! A progress bar whose ratio may be anything: what is not a number draws nothing, the rest is clamped.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::clip;

/// Draws `ratio` (0–1) of the first line of a rectangle as filled, in half cells: a thin line, so that bars in rows
/// above each other stay apart.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the width in half cells")]
pub fn draw(buffer: &mut Buffer, area: Rect, ratio: Option<f64>, (full, rest): (Style, Style), ascii: bool) {
    let area = clip(buffer, area);
    if area.height == 0 {
        return;
    }
    let ratio = ratio.filter(|ratio| !ratio.is_nan()).map(|ratio| ratio.clamp(0.0, 1.0));
    // Floored: a full bar means all.
    let halves = (ratio.unwrap_or(0.0) * f64::from(area.width) * 2.0).floor() as usize;
    for column in 0..area.width {
        let filled = halves.saturating_sub(usize::from(column) * 2);
        let Some(cell) = buffer.cell_mut((area.x + column, area.y)) else { continue };
        match (filled, ascii) {
            (0, false) => cell.set_symbol("─").set_style(rest),
            (1, false) => cell.set_symbol("╾").set_style(full),
            (_, false) => cell.set_symbol("━").set_style(full),
            (0 | 1, true) => cell.set_symbol("-").set_style(rest),
            (_, true) => cell.set_symbol("#").set_style(full),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(ratio: Option<f64>, width: u16) -> String {
        let area = Rect { x: 0, y: 0, width, height: 1 };
        let mut buffer = Buffer::empty(area);
        draw(&mut buffer, area, ratio, (Style::new(), Style::new()), false);
        buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn only_all_is_full() {
        assert_eq!(cells(Some(1.0), 4), "━━━━");
        assert_eq!(cells(Some(0.999_999), 4), "━━━╾");
        assert_eq!(cells(Some(0.0), 4), "────");
        assert_eq!(cells(Some(f64::NAN), 4), "────");
        assert_eq!(cells(Some(f64::INFINITY), 4), "━━━━");
        assert_eq!(cells(None, 4), "────");
    }

    proptest! {
        #[test]
        fn more_is_never_drawn_as_less(a: f64, b: f64, width in 0u16..60) {
            let filled = |ratio| cells(Some(ratio), width).chars().map(|c| match c { '━' => 2, '╾' => 1, _ => 0 }).sum::<u32>();
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            if !low.is_nan() && !high.is_nan() {
                prop_assert!(filled(low) <= filled(high));
            }
        }
    }
}
