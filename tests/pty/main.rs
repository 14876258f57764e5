//! The program in a terminal: every key does what it says, and the terminal comes back on every way out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod hands;
mod terminal;

use std::{fs, sync::Arc};

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use serde_json::Value;
use smart_stream_tui::ui;

use terminal::{Terminal, clean, program};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn demo(folder: &tempfile::TempDir, size: (u16, u16)) -> Terminal {
    let terminal = Terminal::run(program(folder.path()), size);
    terminal.see("DEMO");
    terminal
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_demo_lives_at_every_size_and_quits_with_code_0() {
    for size in SIZES {
        let folder = folder();
        let mut terminal = demo(&folder, size);
        for text in ["bonding_curve", "amm_pool", "external_amm", "live", "100"] {
            terminal.see(text);
        }
        // A bonding curve bar and a percent figure of a token.
        terminal.until("a token's progress", |screen| {
            screen.contents().lines().any(|line| line.contains('%') && line.contains('━'))
        });
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn tabs_panes_movement_and_help() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    for (key, text) in [("2", "Not decoded"), ("3", "Tokens"), ("4", "Trades"), ("5", "MEV"), ("6", "Liquidity")] {
        terminal.press(key);
        terminal.until(text, |screen| screen.contents().to_lowercase().contains(&text.to_lowercase()));
    }
    terminal.press("7");
    terminal.see("INFO");
    terminal.press("1");
    terminal.press("?");
    terminal.see("previous pane");
    terminal.press("\x1b");
    terminal.miss("previous pane");
    terminal.press("3");
    terminal.until("a token", |screen| screen.contents().contains("━╾"));
    terminal.press("jjkGg");
    terminal.press("\r");
    terminal.see("creator");
    // The engine was told, and gathers what only the open page shows.
    terminal.see("by turnover");
    terminal.press("-++");
    terminal.see("[6h]");
    terminal.press("\tz");
    terminal.miss("creator");
    terminal.press("\x1b");
    terminal.see("creator");
    terminal.press("\x1b");
    terminal.miss("creator");
    terminal.press("\t\x1b[Z\x1b[6~\x1b[5~\x1b[B\x1b[A");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn throttle_takes_effect_on_the_server_and_back() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.see("live");
    // The second connection carries two groups, so that a level less is another filter.
    terminal.press("jt");
    terminal.see("connection 1: filter 2 in force");
    terminal.press("T");
    terminal.see("connection 1: filter 3 in force");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn a_filter_narrows_the_tokens_and_escape_clears_it() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.press("3");
    terminal.press("fzzzzzzzzzz\r");
    terminal.see("zzzzzzzzzz");
    terminal.until("no token", |screen| !screen.contents().contains("━╾"));
    terminal.press("\x1b");
    terminal.until("tokens again", |screen| screen.contents().contains("━╾"));
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn an_export_is_a_snapshot_in_the_current_folder() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.press("e");
    terminal.see("smart-stream-2");
    let file = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "json")).unwrap();
    let snapshot: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(snapshot["source"]["kind"], "demo");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn a_frozen_screen_stands_still() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.see("live");
    terminal.press(" ");
    terminal.see("FROZEN");
    // Whatever was under way when the key came is out once a key is answered: help and back.
    terminal.press("?");
    terminal.see("previous pane");
    terminal.press("\x1b");
    terminal.miss("previous pane");
    terminal.settled();
    // But for the header and the line of news, which say in coarse steps how much has happened since.
    let body = |terminal: &Terminal| terminal.text().lines().skip(1).take(37).collect::<Vec<_>>().join("\n");
    let snapshot = body(&terminal);
    // A second program's start takes long enough for many frames, if there were any.
    let other = demo(&folder, (80, 24));
    other.see("bonding_curve");
    assert_eq!(body(&terminal), snapshot);
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn a_rebalance_shows_its_plan_first() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.see("live");
    terminal.press("b");
    terminal.see("Rebalance");
    // Escape and a letter in one go would be Alt and that letter.
    terminal.press("\x1b");
    terminal.miss("Rebalance");
    terminal.press("m");
    terminal.see("Move");
    terminal.press("\x1b");
    terminal.miss("Move");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn signals_give_the_terminal_back_and_end_the_process_by_the_same() {
    for (signal, name) in
        [(Signal::TERM, "Terminated"), (Signal::INT, "Interrupt"), (Signal::HUP, "Hangup"), (Signal::QUIT, "Quit")]
    {
        let folder = folder();
        let mut terminal = demo(&folder, (80, 24));
        terminal.signal(signal);
        let status = terminal.end();
        assert!(status.signal().is_some_and(|text| text.starts_with(name)), "{status:?} after {name}");
    }
}

#[test]
fn stopped_and_continued() {
    let folder = folder();
    let mut terminal = demo(&folder, (80, 24));
    for round in 0..2 {
        let from = terminal.bytes().len();
        if round == 0 {
            terminal.signal(Signal::TSTP);
        } else {
            terminal.press("\x1a");
        }
        terminal.written(b"\x1b[?1049l", from);
        let from = terminal.bytes().len();
        // The stop itself follows; continuing before it would be lost.
        let stat = format!("/proc/{}/stat", terminal.pid().as_raw_nonzero());
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") T ")) {
            std::thread::yield_now();
        }
        terminal.signal(Signal::CONT);
        terminal.written(b"\x1b[?1049h", from);
        terminal.see("bonding_curve");
    }
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn a_terminal_that_is_gone_ends_the_program() {
    for ignore in [false, true] {
        let folder = folder();
        let command = if ignore {
            let mut command = CommandBuilder::new("sh");
            clean(&mut command, folder.path());
            command.args(["-c", "trap '' HUP; exec \"$0\"", env!("CARGO_BIN_EXE_smart-stream-tui")]);
            command
        } else {
            program(folder.path())
        };
        let mut terminal = Terminal::run(command, (80, 24));
        terminal.see("DEMO");
        terminal.hang_up();
        terminal.end_unseen();
    }
}

#[test]
fn any_size_any_number_of_times() {
    let folder = folder();
    let mut terminal = demo(&folder, (80, 24));
    let mut dice = 7_u32;
    let mut roll = |sides: u32| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from((dice >> 8) % sides).unwrap()
    };
    for _ in 0..200 {
        let size = (roll(500), roll(200));
        terminal.resize(size);
        terminal.press(["1", "2", "3", "4", "5", "6", "7", "z", "?", "\x1b"][usize::from(roll(10))]);
    }
    // An Escape that was the last key must not join with what follows.
    terminal.press("1");
    terminal.resize((10, 5));
    terminal.resize((120, 40));
    terminal.see("DEMO");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn without_colours_the_selection_is_still_seen() {
    let folder = folder();
    let mut command = program(folder.path());
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::run(command, (120, 40));
    terminal.see("DEMO");
    terminal.press("3");
    terminal.until("a reversed row", |screen| {
        let (rows, columns) = screen.size();
        let reversed = |row, column| screen.cell(row, column).is_some_and(vt100::Cell::inverse);
        (2..rows.get()).any(|row| (0..columns.get()).filter(|column| reversed(row, *column)).count() > 30)
    });
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    let bytes = terminal.bytes();
    // What selects looks: from an escape to an `m`, with numbers in between.
    let looks = bytes.split(|byte| *byte == 0x1b).filter_map(|part| {
        let end = part.iter().position(u8::is_ascii_alphabetic)?;
        (part[end] == b'm').then(|| String::from_utf8_lossy(&part[1..end]).into_owned())
    });
    for look in looks {
        assert!(!look.split(';').any(|number| number == "38" || number == "48"), "a colour was written: {look}");
    }
}

/// Not a test of its own: the program that [`a_panic_anywhere_gives_the_terminal_back`] watches.
#[test]
fn role() {
    let Ok(place) = std::env::var("PTY_ROLE") else { return };
    ui::terminal::install_panic_hook().unwrap();
    let view = Arc::new(fixture::view());
    let (views_in, views) = tokio::sync::watch::channel(view.clone());
    let (commands, _requests) = tokio::sync::mpsc::channel(8);
    let (panic_now, wait) = std::sync::mpsc::channel::<()>();
    let engine = std::thread::spawn(move || {
        // The export key is the signal.
        let asked = wait.recv().is_ok();
        assert!(!asked, "the engine has lost a part");
        drop(views_in);
    });
    let in_ui = place == "ui";
    let export: ui::Exporter = Box::new(move |_, _, _| {
        assert!(!in_ui, "the front end has lost a part");
        panic_now.send(()).unwrap();
    });
    ui::run(ui::UiSettings::default(), views, commands, export).unwrap();
    engine.join().unwrap();
}

#[path = "../ui/fixture.rs"]
mod fixture;

#[test]
fn a_panic_anywhere_gives_the_terminal_back() {
    for place in ["engine", "ui"] {
        let folder = folder();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        clean(&mut command, folder.path());
        command.args(["role", "--exact", "--nocapture"]);
        command.env("PTY_ROLE", place);
        let mut terminal = Terminal::run(command, (80, 24));
        terminal.see("bonding_curve");
        terminal.press("e");
        let status = terminal.end();
        assert_eq!(status.exit_code(), 101, "{status:?}");
        let bytes = terminal.bytes();
        let report = bytes.windows(15).position(|part| part == b"has lost a part").expect("a report");
        let left = bytes.windows(8).rposition(|part| part == b"\x1b[?1049l").unwrap();
        assert!(report > left, "the report comes behind the screen");
    }
}
