//! What the screen shows, drawn into memory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "made-up figures")]

#[path = "ui/alerts.rs"]
mod alerts;
#[path = "ui/any.rs"]
mod any;
#[path = "ui/bytes.rs"]
mod bytes;
#[path = "ui/find.rs"]
mod find;
#[path = "ui/fixture.rs"]
mod fixture;
#[path = "ui/hostile.rs"]
mod hostile;
#[path = "ui/names.rs"]
mod names;
#[path = "ui/page.rs"]
mod page;
#[path = "ui/proofs.rs"]
mod proofs;
#[path = "ui/screens.rs"]
mod screens;
#[path = "ui/stage.rs"]
mod stage;
#[path = "ui/tables.rs"]
mod tables;
#[path = "ui/time.rs"]
mod time;

use std::{sync::Arc, time::Instant};

use ratatui::{buffer::Buffer, layout::Rect};
use smart_stream_tui::{
    engine::View,
    ui::{
        color::Depth,
        draw,
        keys::Key,
        model::{Model, Pane},
        panes, shot,
        theme::Theme,
        update,
    },
};

fn model(view: View) -> Model {
    Model::new(Arc::new(view), 0, false, Instant::now())
}

fn press(model: &mut Model, keys: &[Key]) -> Vec<update::Effect> {
    keys.iter().flat_map(|key| update::key(model, *key, Instant::now())).collect()
}

/// The column that a pane's rows are ordered by.
fn sorted(model: &Model, pane: Pane) -> Option<&'static str> {
    let column = model.columns(pane).sort.column?;
    panes::titles(pane).get(usize::from(column)).copied()
}

fn frame(model: &mut Model, (width, height): (u16, u16), theme: &Theme) -> Buffer {
    model.refresh();
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
    let clock = smart_stream_tui::ui::format::Clock::at(model.view.now_ms);
    draw::screen(&mut buffer, model, theme, &clock);
    buffer
}

/// The frame as text.
fn lines(buffer: &Buffer) -> Vec<String> {
    let row = |y| (0..buffer.area.width).map(move |x| buffer[(x, y)].symbol()).collect();
    (0..buffer.area.height).map(row).collect()
}

/// Writes pictures of every tab where `UI_SHOTS` says, for people to look at.
#[test]
fn pictures() {
    let Some(folder) = std::env::var_os("UI_SHOTS") else { return };
    let folder = std::path::PathBuf::from(folder);
    let name = std::env::var("UI_THEME").unwrap_or_else(|_| "dark".into());
    let depth = if name == "mono" { Depth::Mono } else { Depth::True };
    let theme = Theme::built_in(&name, depth).unwrap();
    let c = Key::Char;
    let scenes: [(&str, &[Key]); 11] = [
        ("overview", &[]),
        ("connections", &[c('2')]),
        ("tokens", &[c('3')]),
        ("token", &[c('3'), c('j'), Key::Enter]),
        ("trades", &[c('4'), c('j'), c('j')]),
        ("logs", &[c('7')]),
        ("help", &[c('?')]),
        ("plan", &[c('b')]),
        ("move", &[c('m')]),
        ("filter", &[c('3'), c('f'), c('g'), c('o')]),
        ("frozen", &[c(' '), Key::Tab, Key::Tab, Key::Tab, c('T')]),
    ];
    for size in [(60, 16), (80, 24), (100, 30), (120, 40), (200, 60)] {
        for (scene, keys) in scenes {
            let mut model = model(fixture::view());
            press(&mut model, keys);
            let buffer = frame(&mut model, size, &theme);
            let file = folder.join(format!("{scene}-{}x{}.svg", size.0, size.1));
            std::fs::write(file, shot::svg(&buffer, shot::Defaults::default())).unwrap();
        }
    }
}
