//! Every tab, pane and overlay at three sizes in three themes, as they were looked at and found good: drawn from the demo's
//! slots, played without sockets and clocks.
//!
//! `UI_SCREENS=write cargo test --test ui screens` takes what is drawn now for good.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc, time::Duration};

use ratatui::{
    buffer::Buffer,
    style::{Color, Modifier},
};
use smart_stream_tui::{
    cli::still::{EPOCH_S, Still},
    engine::{SourceView, View, view::SourceKind},
    simulator::demo::{Demo, DemoSettings},
    ui::{color::Depth, keys::Key, model::Tab, picture, shot, theme::Theme},
};

use super::lines;

const FILE: &str = "tests/data/screens.txt.zst";
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const THEMES: [(&str, Depth); 3] = [("dark", Depth::True), ("light", Depth::True), ("mono", Depth::Mono)];
/// Lines of a difference that are printed at most.
const PRINTED: usize = 40;

/// The demo after so many seconds.
fn demo(seconds: u64) -> Arc<View> {
    still(seconds).view()
}

fn still(seconds: u64) -> Still {
    let source =
        SourceView { kind: SourceKind::Demo, provider: "demo".into(), endpoints: Vec::new(), commitment: "processed" };
    let demo = Demo::at(DemoSettings { seed: 1, rate: 60.0 }, EPOCH_S).unwrap();
    let mut still = Still::new(Box::new(demo), source);
    still.advance(Duration::from_secs(seconds));
    still
}

fn keys(text: &str) -> Vec<Key> {
    text.split_whitespace().map(|word| Key::parse(word).unwrap()).collect()
}

/// What is looked at: a name, the keys that lead there, and whether there is data.
fn scenes() -> Vec<(String, Vec<Key>, bool)> {
    let mut scenes = Vec::new();
    // The log is the whole process's: other tests write into it.
    for (index, tab) in Tab::ALL.into_iter().enumerate().filter(|(_, tab)| *tab != Tab::Logs) {
        scenes.push((tab.name().to_owned(), keys(&(index + 1).to_string()), true));
    }
    // Every pane alone: the Tab key walks to those that there is room for, a zoomed one to all.
    for (number, tab) in [(1, Tab::Overview), (2, Tab::Connections)] {
        for (steps, pane) in tab.panes().iter().enumerate() {
            let path = format!("{number} z {}", "Tab ".repeat(steps));
            scenes.push((format!("{tab:?}, {pane:?} alone"), keys(&path), true));
        }
    }
    let more = [
        ("token", "3 j Enter", true),
        ("trade", "4 j j Enter", true),
        ("token, venues", "3 j j Enter Tab", true),
        ("token, traders of an hour", "3 j j Enter Tab Tab + + +", true),
        ("token, apps of all time", "3 j j Enter Tab Tab Tab", true),
        ("token, alerts", "5 Enter Enter Shift-Tab", true),
        ("token, its trades alone", "3 j j Enter z", true),
        ("sorted and a column chosen", "3 l l l l s s", true),
        ("filter with a mistake", "3 f f l a g : x x", true),
        ("filter that finds nothing", "3 f z z 0 z z 0 Enter", true),
        ("search", "4 / a", true),
        ("help", "?", true),
        ("palette", ": s o r t", true),
        ("themes", "c", true),
        ("plan", "b", true),
        ("frozen", "Space 3", true),
        ("nothing yet", "1", false),
        ("no tokens yet", "3", false),
    ];
    scenes.extend(more.map(|(name, path, full)| (name.to_owned(), keys(path), full)));
    scenes
}

fn color(color: Color) -> String {
    match color {
        Color::Rgb(red, green, blue) => format!("{red:02x}{green:02x}{blue:02x}"),
        Color::Reset => "-".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The looks of a frame: of each row, how many cells in which style.
fn looks(buffer: &Buffer) -> Vec<String> {
    let mut rows = Vec::new();
    for y in 0..buffer.area.height {
        let style = |x: u16| {
            let cell = &buffer[(x, y)];
            let modifier =
                if cell.modifier == Modifier::empty() { String::new() } else { format!(" {:?}", cell.modifier) };
            format!("{}/{}{modifier}", color(cell.fg), color(cell.bg))
        };
        let styles: Vec<String> = (0..buffer.area.width).map(style).collect();
        let runs = styles.chunk_by(|a, b| a == b).map(|run| format!("{}×{}", run.len(), run[0]));
        rows.push(runs.collect::<Vec<_>>().join(", "));
    }
    rows
}

/// All frames: by scene, size and what of it, the rows.
fn drawn() -> BTreeMap<String, Vec<String>> {
    let mut still = still(45);
    let full = still.view();
    let empty = demo(0);
    let themes = THEMES.map(|(name, depth)| Theme::built_in(name, depth).unwrap());
    let mut all = BTreeMap::new();
    for (scene, keys, with_data) in scenes() {
        for (width, height) in SIZES {
            // As the dashboard does it: the engine gathers what the open page shows.
            let opened = picture::opens(full.clone(), (width, height), &themes[0], false, &keys);
            still.open(opened.filter(|_| with_data));
            let view = if with_data { &still.view() } else { &empty };
            let frames =
                themes.each_ref().map(|theme| picture::buffer(view.clone(), (width, height), theme, false, &keys));
            let name = |what: &str| format!("{scene} at {width}x{height}, {what}");
            assert_eq!(lines(&frames[0]), lines(&frames[1]), "{scene}: a theme changes what is said");
            assert_eq!(lines(&frames[0]), lines(&frames[2]), "{scene}: a theme changes what is said");
            for (theme, frame) in themes.iter().zip(&frames) {
                all.insert(name(&theme.name), looks(frame));
            }
            all.insert(name("text"), lines(&frames[0]).iter().map(|line| line.trim_end().to_owned()).collect());
        }
    }
    all
}

fn written(frames: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = String::new();
    for (name, rows) in frames {
        let _ = writeln!(text, "## {name}");
        for row in rows {
            let _ = writeln!(text, "{row}");
        }
    }
    text
}

fn read(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut frames: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines() {
        match line.strip_prefix("## ") {
            Some(next) => {
                next.clone_into(&mut name);
                frames.insert(name.clone(), Vec::new());
            }
            None => frames.entry(name.clone()).or_default().push(line.to_owned()),
        }
    }
    frames
}

#[test]
fn every_screen_is_as_it_was_found_good() {
    let now = drawn();
    if std::env::var_os("UI_SCREENS").is_some_and(|what| what == "write") {
        let packed = zstd::encode_all(written(&now).as_bytes(), 19).unwrap();
        std::fs::write(FILE, packed).unwrap();
        return;
    }
    let packed = std::fs::read(FILE).unwrap();
    let good = read(&String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap());
    let mut told = String::new();
    let mut different = 0;
    // What is said before how it looks: that can be read.
    let mut names: Vec<&String> = good.keys().chain(now.keys().filter(|name| !good.contains_key(*name))).collect();
    names.sort_by_key(|name| !name.ends_with("text"));
    for name in names {
        let (before, after) = (good.get(name), now.get(name));
        if before == after {
            continue;
        }
        different += 1;
        let _ = writeln!(told, "## {name}");
        let (before, after) = (before.map_or(&[][..], Vec::as_slice), after.map_or(&[][..], Vec::as_slice));
        for row in 0..before.len().max(after.len()) {
            if before.get(row) != after.get(row) {
                let _ = writeln!(told, "- {}", before.get(row).map_or("", String::as_str));
                let _ = writeln!(told, "+ {}", after.get(row).map_or("", String::as_str));
            }
        }
    }
    let told: String = told.lines().take(PRINTED).fold(String::new(), |all, line| all + line + "\n");
    assert!(
        different == 0,
        "{different} screens are not as they were; if they should be so, run UI_SCREENS=write cargo test --test ui screens\n{told}"
    );
}

/// The same slots show the same.
#[test]
fn a_still_is_the_same_every_time() {
    let theme = Theme::built_in("dark", Depth::True).unwrap();
    let one = |view| picture::buffer(view, (120, 40), &theme, false, &[]);
    let (first, again) = (one(demo(20)), one(demo(20)));
    assert_eq!(first, again);
    let later = one(demo(21));
    assert_ne!(first, later);
    let defaults = shot::Defaults::of(&theme);
    assert_eq!(shot::film(std::slice::from_ref(&first), defaults), shot::svg(&first, defaults));
    let film = shot::film(&[first.clone(), first, later], defaults);
    assert!(film.contains("class=\"f0-2\"") && film.contains("class=\"f2-3\"") && film.ends_with("</svg>\n"));
}

/// What the README and `screenshots/` show is what the program draws.
#[test]
fn the_pictures_are_those_of_the_program() {
    let theme = Theme::built_in("dark", Depth::True).unwrap();
    let source =
        SourceView { kind: SourceKind::Demo, provider: "-".into(), endpoints: Vec::new(), commitment: "processed" };
    let mut still = Still::new(Box::new(Demo::at(DemoSettings { seed: 1, rate: 100.0 }, EPOCH_S).unwrap()), source);
    let moments: Vec<Arc<View>> = (36..=40)
        .map(|second| {
            still.advance(Duration::from_secs(second));
            still.view()
        })
        .collect();
    let defaults = shot::Defaults::of(&theme);
    let film: Vec<Buffer> =
        moments.iter().map(|view| picture::buffer(view.clone(), (100, 30), &theme, false, &[])).collect();
    let film = shot::film(&film, defaults);
    assert!(film.len() <= 300_000, "the film has {} bytes", film.len());
    same("film-100x30", &film);
    let view = moments.last().unwrap();
    for (file, size, path) in [
        ("overview-80x24", (80, 24), ""),
        ("overview-120x40", (120, 40), ""),
        ("overview-200x60", (200, 60), ""),
        ("tokens-120x40", (120, 40), "3"),
        ("token-120x40", (120, 40), "3 j j Enter"),
        ("liquidity-120x40", (120, 40), "6"),
    ] {
        still.open(picture::opens(view.clone(), size, &theme, false, &keys(path)));
        let frame = picture::buffer(still.view(), size, &theme, false, &keys(path));
        same(file, &shot::svg(&frame, defaults));
    }
}

/// The picture of that name is this one.
fn same(name: &str, now: &str) {
    let file = Path::new("screenshots").join(name).with_extension("svg");
    if std::env::var_os("UI_SCREENS").is_some_and(|what| what == "write") {
        std::fs::write(&file, now).unwrap();
    }
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(old == now, "{} is old: UI_SCREENS=write draws it anew", file.display());
}
