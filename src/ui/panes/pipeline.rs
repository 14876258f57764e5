//! One line on the stages between socket and screen.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::ui::{
    draw::Draw,
    format::{compact, rate, share},
    widgets::{pieces, width},
};

/// Draws all stages, with as much of each as there is room for.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let arrow = format!(" {} ", draw.glyphs.arrow);
    let line = |named: bool, whole: bool| {
        let mut parts: Vec<(String, Style)> = Vec::new();
        if named {
            parts.push((" pipeline ".to_owned(), theme.title));
        }
        for (index, stage) in draw.model.view.pipeline.iter().enumerate() {
            parts.push(((if index > 0 { arrow.as_str() } else { " " }).to_owned(), theme.border));
            parts.push((format!("{} ", stage.name), theme.dim));
            parts.push((rate(stage.rate), theme.text));
            parts.push(("/s".to_owned(), theme.dim));
            let queue = stage.queue_fill.map(|fill| (format!(" queue {}", share(Some(fill))), fill > 0.5));
            let busy = stage.busy.map(|share| (format!(" busy {}", busy(share)), share > 0.8));
            // What is strained is said before anything else has its room.
            for (words, strained) in [queue, busy].into_iter().flatten().filter(|(_, strained)| whole || *strained) {
                parts.push((words, if strained { theme.warn } else { theme.dim }));
            }
            if stage.dropped > 0 {
                parts.push((format!(" {} dropped", compact(stage.dropped)), theme.bad));
            }
        }
        parts
    };
    let fits = |parts: &[(String, Style)]| parts.iter().map(|(words, _)| width(words)).sum::<u16>() <= area.width;
    let [whole, named, plain] = [(true, true), (true, false), (false, false)].map(|(named, whole)| line(named, whole));
    let parts = [whole, named].into_iter().find(|parts| fits(parts)).unwrap_or(plain);
    let parts: Vec<(&str, Style)> = parts.iter().map(|(words, style)| (words.as_str(), *style)).collect();
    pieces(buffer, area, &parts);
}

/// The share of its time that a stage works, with a decimal where it would round to little or nothing.
fn busy(value: f64) -> String {
    if (0.0..0.1).contains(&value) { format!("{:.1}%", value * 100.0) } else { share(Some(value)) }
}
