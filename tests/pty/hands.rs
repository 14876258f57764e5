//! The mouse, the clipboard, files that change, and a terminal that does not drain.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::process::Signal;
use smart_stream_tui::{
    chain::ids::Mint,
    ui::{backdrop::QUESTION, theme::BUILT_IN},
};

use super::{demo, folder, terminal::Terminal};

/// What a terminal sends for a press of this button at this cell, counted from 0.
fn mouse(button: u8, (row, column): (usize, usize)) -> String {
    format!("\x1b[<{button};{};{}M", column + 1, row + 1)
}

/// Where these words stand.
fn place(terminal: &Terminal, words: &str) -> (usize, usize) {
    let text = terminal.text();
    let found = text.lines().enumerate().find_map(|(row, line)| {
        let byte = line.find(words)?;
        Some((row, line[..byte].chars().count()))
    });
    found.unwrap_or_else(|| panic!("{words:?} is not on the screen:\n{text}"))
}

/// Waits until the row is marked as selected.
fn marked(terminal: &Terminal, row: usize) {
    terminal.until(&format!("row {row} marked"), |screen| {
        screen.contents().lines().nth(row).is_some_and(|line| line.contains('▌'))
    });
}

#[test]
fn the_mouse_opens_tabs_selects_rows_and_scrolls() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.press("3");
    terminal.until("many tokens", |screen| {
        // Of the Overview's lines some look like these.
        let overview = screen.contents().contains("Completeness");
        !overview && screen.contents().lines().nth(20).is_some_and(|line| line.contains('%'))
    });
    terminal.press("1");
    terminal.see("Completeness");
    let tab = place(&terminal, "Tokens");
    terminal.press(&mouse(0, tab));
    terminal.miss("Completeness");
    // Frozen, so that no row moves by itself.
    terminal.press(" g");
    terminal.see("FROZEN");
    // Under the header, the tabs, the frame and the headings.
    let first = 4;
    marked(&terminal, first);
    terminal.press(&mouse(0, (first + 5, 20)));
    marked(&terminal, first + 5);
    terminal.press(&mouse(65, (first, 20)));
    marked(&terminal, first + 8);
    terminal.press(&mouse(64, (first, 20)));
    marked(&terminal, first + 5);
    // The line between tokens and lifecycle, dragged to the left and as far as it goes.
    terminal.press("1");
    terminal.see("Lifecycle");
    let title = place(&terminal, "Lifecycle");
    let edge = (title.0 + 3, title.1 - 3);
    for (to, at) in [(edge.1 - 20, edge.1 - 20), (2, 24)] {
        terminal.press(&mouse(0, (edge.0, place(&terminal, "Lifecycle").1 - 3)));
        terminal.press(&mouse(32, (edge.0, to)));
        terminal.press(&mouse(0, (edge.0, to)).replace('M', "m"));
        terminal.until("the line there", |screen| {
            let text = screen.contents();
            let line = text.lines().find(|line| line.contains("Lifecycle"));
            line.is_some_and(|line| line.chars().collect::<Vec<_>>().get(at).is_some_and(|c| "╭┏".contains(*c)))
        });
    }
    // Given to the terminal, so that it selects text, and taken again.
    for report in [b"\x1b[?1000l", b"\x1b[?1000h"] {
        let from = terminal.bytes().len();
        terminal.press("M");
        terminal.written(report, from);
    }
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn copying_hands_the_terminal_the_mint_and_nothing_else() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.press("3");
    terminal.until("a token", |screen| screen.contents().contains("━╾"));
    let from = terminal.bytes().len();
    terminal.press("y");
    terminal.written(b"\x1b]52;c;", from);
    terminal.written(b"\x07", from);
    let bytes = terminal.bytes()[from..].to_vec();
    let start = bytes.windows(7).position(|part| part == b"\x1b]52;c;").unwrap() + 7;
    let length = bytes[start..].iter().position(|byte| *byte == 7).unwrap();
    let copied = String::from_utf8(STANDARD.decode(&bytes[start..start + length]).unwrap()).unwrap();
    let mint: Mint = copied.parse().expect("an address");
    assert_eq!(mint.to_string(), copied);
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn keys_and_themes_are_read_again_while_it_runs() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    let own = folder.path().join("smart-stream-tui");
    fs::create_dir_all(own.join("themes")).unwrap();
    fs::write(own.join("themes/my-own.toml"), BUILT_IN[1].1).unwrap();
    fs::write(own.join("keys.toml"), "help = \"H\"\n").unwrap();
    terminal.signal(Signal::USR1);
    terminal.see("are read again");
    terminal.press("c");
    terminal.see("my-own");
    terminal.press("\x1b");
    terminal.miss("my-own");
    terminal.press("H");
    terminal.see("previous pane");
    terminal.press("\x1b");
    terminal.miss("previous pane");
    // Settings too; of those that need a start it is said.
    let settings = |text: &str| fs::write(own.join("config.toml"), text).unwrap();
    settings("[ui]\ntheme = \"my-own\"\nfps = 20\n[alerts]\nmute_classes = [\"wash\"]\n[stream]\nsilence_s = 40\n");
    let before = terminal.background(0, 40);
    terminal.press("R");
    terminal.see("in force: alerts.mute_classes, ui.theme, ui.fps; from the next start on: stream.silence_s");
    assert_ne!(terminal.background(0, 40), before, "another theme");
    settings("[ui]\nfps = 2000\n");
    terminal.press("R");
    terminal.see("nothing was changed: ui.fps = 2000");
    terminal.see("config.toml:2");
    settings("");
    // What cannot be used changes nothing, and is said.
    fs::write(own.join("themes/my-own.toml"), "text = \"no colour\"").unwrap();
    terminal.press("R");
    terminal.see("nothing was changed");
    terminal.press("c");
    terminal.see("my-own");
    terminal.press("\x1b");
    terminal.miss("my-own");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

/// The terminal of these tests never says what its background is like: every other test shows that nothing waits for it.
#[test]
fn the_theme_follows_the_terminal_and_takes_no_key() {
    let folder = folder();
    let mut terminal = demo(&folder, (120, 40));
    terminal.see("Completeness");
    let dark = terminal.background(0, 40);
    terminal.written(QUESTION, 0);
    // In the midst of keys, the way a person who types ahead meets it.
    terminal.press("3j\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\?");
    terminal.see("previous pane");
    terminal.press("\x1b");
    let background = |screen: &vt100::Screen| screen.cell(0, 40).unwrap().bgcolor();
    terminal.until("another background", |screen| background(screen) != dark);
    terminal.miss("previous pane");
    terminal.miss("Completeness");
    let light = terminal.background(0, 40);
    // A theme of one's own choice stays, whatever the terminal says then.
    terminal.press(":theme ember\r");
    terminal.until("ember's background", |screen| background(screen) != light);
    let ember = terminal.background(0, 40);
    terminal.press("\x1b]11;rgb:0000/0000/0000\x07?");
    terminal.see("previous pane");
    assert_eq!(terminal.background(0, 40), ember);
    terminal.press("\x1b");
    terminal.miss("previous pane");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

/// What is typed meanwhile is answered once the terminal takes something again, and signals end the process at once.
#[test]
fn a_terminal_that_does_not_drain_holds_nobody() {
    let folder = folder();
    for drained_again in [true, false] {
        let mut terminal = demo(&folder, (200, 60));
        terminal.see("live");
        terminal.drain(false);
        // A second program's start takes long enough for many frames.
        let other = demo(&folder, (80, 24));
        other.see("bonding_curve");
        if drained_again {
            terminal.press("2");
            terminal.drain(true);
            terminal.see("Not decoded");
            terminal.press("q");
            assert_eq!(terminal.end().exit_code(), 0);
        } else {
            terminal.signal(Signal::TERM);
            terminal.end_unseen();
        }
    }
}
