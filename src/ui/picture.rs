//! The dashboard without a terminal: one view, drawn at a size, as SVG.

use std::{sync::Arc, time::Instant};

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    draw,
    keys::Key,
    model::Model,
    shot::{self, Defaults},
    theme::Theme,
    update,
};
use crate::engine::View;

/// Draws the Overview as a terminal of `width` × `height` cells would show it right after the start.
#[must_use]
pub fn svg(view: Arc<View>, (width, height): (u16, u16), theme: &Theme, ascii: bool) -> String {
    shot::svg(&buffer(view, (width, height), theme, ascii, &[]), Defaults::of(theme))
}

/// What the terminal would show after these keys.
#[must_use]
pub fn buffer(view: Arc<View>, (width, height): (u16, u16), theme: &Theme, ascii: bool, keys: &[Key]) -> Buffer {
    let now = Instant::now();
    let mut model = Model::new(view, 0, ascii, now);
    let clock = model.clock(now);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    // Drawn before too: what keys do depends on where things stand.
    draw::screen(&mut buffer, &model, theme, &clock);
    for key in keys {
        update::key(&mut model, *key, now);
        model.refresh();
    }
    buffer.reset();
    draw::screen(&mut buffer, &model, theme, &clock);
    buffer
}
