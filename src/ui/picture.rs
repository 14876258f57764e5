//! The dashboard without a terminal: one view, drawn at a size, as SVG.

use std::{sync::Arc, time::Instant};

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    draw,
    model::Model,
    shot::{self, Defaults},
    theme::Theme,
};
use crate::engine::View;

/// Draws the Overview as a terminal of `width` × `height` cells would show it right after the start.
#[must_use]
pub fn svg(view: Arc<View>, (width, height): (u16, u16), theme: &Theme, ascii: bool) -> String {
    let now = Instant::now();
    let model = Model::new(view, 0, ascii, now);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw::screen(&mut buffer, &model, theme, &model.clock(now));
    shot::svg(&buffer, Defaults::of(theme))
}
