//! One line on the stages between socket and screen.

use std::fmt::Write;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    draw::Draw,
    format::{compact, rate, share},
    widgets::{after, text},
};

/// Draws the pipeline.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    if area.height == 0 {
        return;
    }
    let mut x = text(buffer, area, " pipeline ", theme.title);
    for (index, stage) in draw.model.view.pipeline.iter().enumerate() {
        if index > 0 {
            x += text(buffer, after(area, x), &format!(" {} ", draw.glyphs.arrow), theme.border);
        } else {
            x += text(buffer, after(area, x), " ", theme.dim);
        }
        x += text(buffer, after(area, x), stage.name, theme.dim) + 1;
        x += text(buffer, after(area, x), &rate(stage.rate), theme.text);
        x += text(buffer, after(area, x), "/s", theme.dim);
        let mut more = String::new();
        if stage.queue_fill.is_some() && area.width >= 100 {
            let _ = write!(more, " queue {}", share(stage.queue_fill));
        }
        if stage.busy.is_some() {
            let _ = write!(more, " busy {}", busy(stage.busy));
        }
        let strained = stage.queue_fill.is_some_and(|fill| fill > 0.5) || stage.busy.is_some_and(|busy| busy > 0.8);
        x += text(buffer, after(area, x), &more, if strained { theme.warn } else { theme.dim });
        if stage.dropped > 0 {
            let words = format!(" {} dropped", compact(stage.dropped));
            x += text(buffer, after(area, x), &words, theme.bad);
        }
    }
}

/// The share of its time that a stage works, with a decimal where it would round to little or nothing.
fn busy(value: Option<f64>) -> String {
    match value.filter(|share| (0.0..0.1).contains(share)) {
        Some(little) => format!("{:.1}%", little * 100.0),
        None => share(value),
    }
}
