//! What reaches the terminal: no colour where none is wanted, and nothing at all while nothing changes.

use std::time::{Duration, Instant};

use smart_stream_tui::ui::{
    color::Depth,
    draw,
    format::Clock,
    frame::Painter,
    keys::Key,
    model::{Model, Tab},
    theme::{self, Theme},
};

use super::{fixture, frame, lines, model, press};

/// The colours asked for in SGR sequences, as the parameters that ask for them. A cursor position is no colour, though
/// `CSI 38;5H` looks like one to a search for bytes.
fn colours(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\x1b[") {
        rest = &rest[at + 2..];
        let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)).unwrap_or(rest.len());
        if rest.get(end) == Some(&b'm') {
            let words = String::from_utf8_lossy(&rest[..end]).into_owned();
            let coloured = words.split(';').any(|word| {
                let code: u16 = word.parse().unwrap_or(0);
                matches!(code, 30..=38 | 40..=48 | 90..=97 | 100..=107)
            });
            if coloured {
                found.push(words);
            }
        }
        rest = &rest[end..];
    }
    found
}

fn painted(painter: &mut Painter, model: &mut Model, theme: &Theme, clock: &Clock, size: (u16, u16)) -> Vec<u8> {
    model.refresh();
    painter.frame(size, |buffer| draw::screen(buffer, model, theme, clock)).unwrap().to_vec()
}

#[test]
fn without_colours_no_cell_asks_for_one() {
    crossterm::style::force_color_output(true);
    for name in theme::names() {
        let theme = Theme::built_in(name, Depth::Mono).unwrap();
        for tab in Tab::ALL {
            for keys in [&[][..], &[Key::Char('?')], &[Key::Char('b')], &[Key::Char(' ')], &[Key::Enter]] {
                let mut model = model(fixture::view());
                model.tab = tab;
                press(&mut model, keys);
                let clock = model.clock(Instant::now());
                let bytes = painted(&mut Painter::default(), &mut model, &theme, &clock, (200, 60));
                assert_eq!(colours(&bytes), [""; 0], "{name}, {tab:?} after {keys:?}");
                assert!(bytes.windows(4).any(|part| part == b"\x1b[7m"), "{name}, {tab:?}: nothing is reversed");
            }
        }
    }
    assert_eq!(colours(b"\x1b[38;5H\x1b[48;7H\x1b[39;49m\x1b[38;5;3;49m"), ["38;5;3;49"]);
}

#[test]
fn a_silent_screen_writes_nothing_until_an_age_reads_differently() {
    let theme = Theme::built_in("dark", Depth::True).unwrap();
    for tab in Tab::ALL {
        let mut model = model(fixture::view());
        model.tab = tab;
        let mut painter = Painter::default();
        let start = Instant::now();
        let clock = model.clock(start);
        assert!(!painted(&mut painter, &mut model, &theme, &clock, (160, 45)).is_empty());
        let Some(still) = clock.changes_in_ms() else { continue };
        for ms in [0, still / 2, still - 1] {
            let clock = model.clock(start + Duration::from_millis(ms));
            let bytes = painted(&mut painter, &mut model, &theme, &clock, (160, 45));
            assert_eq!(String::from_utf8_lossy(&bytes), "", "{tab:?} after {ms} of {still} ms");
        }
    }
}

#[test]
fn a_frozen_screen_writes_how_old_it_is_and_nothing_else() {
    let theme = Theme::built_in("dark", Depth::True).unwrap();
    for tab in Tab::ALL {
        let mut model = model(fixture::view());
        model.tab = tab;
        press(&mut model, &[Key::Char(' ')]);
        let mut painter = Painter::default();
        let start = Instant::now();
        let mut shown = None;
        for s in [0, 1, 4, 60, 61, 90, 3_600, 3_700] {
            let mut newer = fixture::view();
            newer.seq += s;
            newer.now_ms += i64::try_from(s).unwrap() * 1000;
            model.take(newer.into(), start);
            let clock = model.clock(start + Duration::from_secs(s));
            let bytes = painted(&mut painter, &mut model, &theme, &clock, (160, 45));
            let mut rows = lines(&frame(&mut model, (160, 45), &theme));
            // The header says how old it is and what waits, the line of news where in time it stands.
            let told = (rows.remove(0), rows.remove(rows.len() - 2));
            match shown.replace((told.clone(), rows.clone())) {
                None => assert!(!bytes.is_empty()),
                Some((told_before, rows_before)) => {
                    assert!(rows == rows_before, "{tab:?} after {s} s");
                    assert_eq!(bytes.is_empty(), told == told_before, "{tab:?} after {s} s");
                    assert!(bytes.len() < 2_000, "{tab:?} after {s} s: {} bytes", bytes.len());
                }
            }
        }
    }
}
