//! One line on the stages between socket and screen.

use std::fmt::Write;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    format::{compact, rate, share},
    widgets::{after, pieces, text, width},
};

/// Columns from which the line has its name, and those from which it has fills and shares of all stages, strained or not.
const NAMED: u16 = 90;
const WHOLE: u16 = 100;

/// Draws the stages that fit as a whole.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let mut x = if area.width >= NAMED { text(buffer, area, " pipeline ", theme.title) } else { 0 };
    let arrow = format!(" {} ", draw.glyphs.arrow);
    for (index, stage) in draw.model.view.pipeline.iter().enumerate() {
        let queue_strained = stage.queue_fill.is_some_and(|fill| fill > 0.5);
        let busy_strained = stage.busy.is_some_and(|busy| busy > 0.8);
        let mut more = String::new();
        if stage.queue_fill.is_some() && (area.width >= WHOLE || queue_strained) {
            let _ = write!(more, " queue {}", share(stage.queue_fill));
        }
        if stage.busy.is_some() && (area.width >= WHOLE || busy_strained) {
            let _ = write!(more, " busy {}", busy(stage.busy));
        }
        let dropped = if stage.dropped > 0 { format!(" {} dropped", compact(stage.dropped)) } else { String::new() };
        let rate = rate(stage.rate);
        let parts = [
            (if index > 0 { arrow.as_str() } else { " " }, theme.border),
            (stage.name, theme.dim),
            (" ", theme.dim),
            (&rate, theme.text),
            ("/s", theme.dim),
            (&more, if queue_strained || busy_strained { theme.warn } else { theme.dim }),
            (&dropped, theme.bad),
        ];
        let room = after(area, x);
        if parts.iter().map(|(words, _)| width(words)).sum::<u16>() > room.width {
            return;
        }
        x += pieces(buffer, room, &parts);
    }
}

/// The share of its time that a stage works, with a decimal where it would round to little or nothing.
fn busy(value: Option<f64>) -> String {
    match value.filter(|share| (0.0..0.1).contains(share)) {
        Some(little) => format!("{:.1}%", little * 100.0),
        None => share(value),
    }
}
