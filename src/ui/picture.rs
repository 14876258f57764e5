//! The dashboard without a terminal: one view, drawn at a size, as SVG.

use std::{sync::Arc, time::Instant};

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    draw,
    format::Clock,
    keys::Key,
    model::Model,
    shot::{self, Defaults},
    theme::Theme,
    update,
};
use crate::{chain::ids::Mint, engine::View};

/// Draws the Overview as a terminal of `width` × `height` cells would show it right after the start.
#[must_use]
pub fn svg(view: Arc<View>, (width, height): (u16, u16), theme: &Theme, ascii: bool) -> String {
    shot::svg(&buffer(view, (width, height), theme, ascii, &[]), Defaults::of(theme))
}

/// The token whose page is open after these keys: a view that is to show all of it must have its detail.
#[must_use]
pub fn opens(view: Arc<View>, size: (u16, u16), theme: &Theme, ascii: bool, keys: &[Key]) -> Option<Mint> {
    after(view, size, theme, ascii, keys).detail
}

/// What the terminal would show after these keys.
#[must_use]
pub fn buffer(view: Arc<View>, (width, height): (u16, u16), theme: &Theme, ascii: bool, keys: &[Key]) -> Buffer {
    let model = after(view, (width, height), theme, ascii, keys);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw::screen(&mut buffer, &model, theme, &Clock::at(model.view.now_ms));
    buffer
}

/// The front end after these keys.
fn after(view: Arc<View>, (width, height): (u16, u16), theme: &Theme, ascii: bool, keys: &[Key]) -> Model {
    let now = Instant::now();
    let mut model = Model::new(view, 0, ascii, now);
    model.size.set((width, height));
    for key in keys {
        // Drawn before each: what keys do depends on where things stand.
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        model.refresh();
        draw::screen(&mut buffer, &model, theme, &Clock::at(model.view.now_ms));
        update::key(&mut model, *key, now);
    }
    model.refresh();
    model
}
