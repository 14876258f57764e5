//! Tables: conditions, columns, copying, the mouse.

use std::time::Instant;

use smart_stream_tui::ui::{
    clipboard,
    color::Depth,
    keys::Key,
    model::{Model, Pane, Tab},
    mouse::{self, Gesture},
    order::Value,
    panes,
    theme::Theme,
    update::{self, Effect},
};

use super::{fixture, frame, lines, model, press, sorted};

fn dark() -> Theme {
    Theme::built_in("dark", Depth::True).unwrap()
}

fn filtered(model: &mut Model, text: &str) -> usize {
    model.filter.set(text);
    model.touch();
    model.refresh();
    model.order.len()
}

#[test]
fn conditions_say_which_tokens_are_shown() {
    let mut model = model(fixture::view());
    let tokens = model.view.tokens.clone();
    let now = model.view.now_ms;
    #[allow(clippy::type_complexity, reason = "a table of cases")]
    let cases: [(&str, fn(&smart_stream_tui::engine::view::TokenView, i64) -> bool); 9] = [
        ("mc>100", |t, _| t.market_cap_sol.is_some_and(|mc| mc > 100.0)),
        ("progress>80", |t, _| t.progress_pct.is_some_and(|p| p > 80.0)),
        ("progress<=50% mc<200", |t, _| {
            t.progress_pct.is_some_and(|p| p <= 50.0) && t.market_cap_sol.is_some_and(|mc| mc < 200.0)
        }),
        ("flag:mayhem", |t, _| t.flags.contains(&"mayhem")),
        ("stage:amm", |t, _| t.stage == smart_stream_tui::engine::view::Stage::Amm),
        ("trades>=1k", |t, _| t.buys + t.sells >= 1_000),
        ("age<1h", |t, now| t.created_ms.is_some_and(|c| now - c < 3_600_000)),
        ("symbol:goat", |t, _| t.symbol.as_str() == "GOAT"),
        ("goat giga flag:mayhem", |t, _| t.flags.contains(&"mayhem") && ["GOAT", "GIGA"].contains(&t.symbol.as_str())),
    ];
    for (text, expected) in cases {
        let wanted = tokens.iter().filter(|token| expected(token, now)).count();
        assert_eq!(filtered(&mut model, text), wanted, "{text}");
        assert!(wanted < tokens.len(), "{text} leaves something out");
    }
    let mint = tokens[7].mint.to_string();
    assert_eq!(filtered(&mut model, &format!("mint:{}", &mint[3..12])), 1);
    assert_eq!(filtered(&mut model, "mc>"), tokens.len(), "what cannot be read hides nothing");
    filtered(&mut model, "flag:mayhem");
    assert!(!model.tape.is_empty() && model.tape.len() < model.view.trades.entries.len());
    for index in &model.tape {
        let mint = model.view.trades.entries[*index as usize].mint;
        assert!(model.token(&mint).unwrap().flags.contains(&"mayhem"));
    }
}

fn heading(model: &mut Model) -> String {
    let screen = lines(&frame(model, (200, 60), &dark()));
    screen.into_iter().find(|line| line.contains("mint") && line.contains("symbol")).unwrap()
}

#[test]
fn columns_are_chosen_moved_hidden_and_brought_back() {
    let mut model = model(fixture::view());
    model.tab = Tab::Tokens;
    let before = heading(&mut model);
    let at = |line: &str, word: &str| line.find(word).unwrap();
    assert!(at(&before, "symbol") < at(&before, "mint"));
    press(&mut model, &[Key::Char('x')]);
    assert!(model.notice.as_ref().unwrap().bad, "nothing is chosen yet");
    press(&mut model, &[Key::Char('l'), Key::Char('>')]);
    let moved = heading(&mut model);
    assert!(at(&moved, "mint") < at(&moved, "symbol"));
    press(&mut model, &[Key::Right, Key::Char('x')]);
    assert!(!heading(&mut model).contains("progress"));
    press(&mut model, &[Key::Char('X')]);
    assert_eq!(heading(&mut model), before);
    // Each pane has its own.
    press(&mut model, &[Key::Char('l'), Key::Char('>'), Key::Char('4')]);
    assert_eq!(model.columns(Pane::Trades).cursor(), None);
}

#[test]
fn the_chosen_column_is_what_is_sorted_by() {
    let mut model = model(fixture::view());
    model.tab = Tab::Tokens;
    press(&mut model, &[Key::Char('l'), Key::Char('l'), Key::Char('l'), Key::Char('l'), Key::Char('s')]);
    assert_eq!(sorted(&model, Pane::Tokens), Some("mcap SOL"));
    press(&mut model, &[Key::Esc, Key::Char('s')]);
    assert_eq!(sorted(&model, Pane::Tokens), Some("price"), "without a chosen one, the next");
}

#[test]
fn what_is_copied_is_an_address_or_a_signature() {
    for (tab, key, length) in
        [(Tab::Tokens, 'y', 32), (Tab::Trades, 'y', 32), (Tab::Trades, 'Y', 64), (Tab::Connections, 'y', 64)]
    {
        let mut model = model(fixture::view());
        model.tab = tab;
        if tab == Tab::Connections {
            press(&mut model, &[Key::ShiftTab]);
            assert_eq!(model.pane(), Pane::Undecoded);
        }
        let effects = press(&mut model, &[Key::Char(key)]);
        let [Effect::Copy(base58)] = &effects[..] else { panic!("{effects:?}") };
        assert!(clipboard::sequence(base58).is_some());
        let bytes: usize = if base58.len() > 60 { 64 } else { 32 };
        assert_eq!(bytes, length, "{tab:?} {key}");
    }
    let mut model = model(fixture::view());
    assert_eq!(press(&mut model, &[Key::Char('Y')]), []);
    assert!(model.notice.unwrap().bad);
}

fn find(model: &mut Model, size: (u16, u16), text: &str) -> (u16, u16) {
    let buffer = frame(model, size, &dark());
    let row = lines(&buffer).iter().position(|line| line.contains(text)).unwrap();
    let line = &lines(&buffer)[row];
    let column = line[..line.find(text).unwrap()].chars().count();
    (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

#[test]
fn a_click_opens_the_tab_under_it() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        for tab in Tab::ALL {
            let mut model = model(fixture::view());
            let (x, y) = find(&mut model, size, &format!("{} {}", tab as usize + 1, tab.name()));
            for x in x..x + 2 + u16::try_from(tab.name().len()).unwrap() {
                model.tab = Tab::Overview;
                mouse::apply(&mut model, Gesture::Click, x, y);
                assert_eq!(model.tab, tab, "column {x} at {size:?}");
            }
        }
    }
}

#[test]
fn a_click_selects_the_row_that_is_drawn_there() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut model = model(fixture::view());
        model.tab = Tab::Tokens;
        frame(&mut model, size, &dark());
        for row in [3, 1, 0, 2] {
            let mint = model.token_at(row).unwrap().mint.to_string();
            let (x, y) = find(&mut model, size, &mint[..4]);
            mouse::apply(&mut model, Gesture::Click, x, y);
            assert_eq!((model.pane(), model.token_row), (Pane::Tokens, row), "at {size:?}");
        }
        model.tab = Tab::Overview;
        let (x, y) = find(&mut model, size, "degraded");
        mouse::apply(&mut model, Gesture::Click, x, y);
        assert_eq!((model.pane(), model.connection), (Pane::Connections, 2), "at {size:?}");
    }
}

#[test]
fn the_wheel_moves_what_is_under_it() {
    let mut model = model(fixture::view());
    let (x, y) = find(&mut model, (120, 40), "symbol");
    mouse::apply(&mut model, Gesture::WheelDown, x, y);
    assert_eq!((model.pane(), model.token_row), (Pane::Tokens, 3));
    mouse::apply(&mut model, Gesture::WheelUp, x, y);
    assert_eq!(model.token_row, 0);
    press(&mut model, &[Key::Char('?')]);
    mouse::apply(&mut model, Gesture::Click, x, y);
    assert!(model.overlay.is_some(), "what lies under an overlay is not touched");
}

#[test]
fn the_mouse_is_left_to_the_terminal_when_asked() {
    let mut model = model(fixture::view());
    let toggle = |model: &mut Model| update::key(model, Key::Char('M'), Instant::now());
    assert_eq!(toggle(&mut model), [Effect::Mouse(false)]);
    assert_eq!(toggle(&mut model), [Effect::Mouse(true)]);
}

#[test]
fn the_focus_goes_round_the_panes_that_are_drawn() {
    for (size, drawn) in [((60, 16), 3), ((80, 24), 6), ((120, 40), 7), ((200, 60), 7)] {
        for key in [Key::Tab, Key::ShiftTab] {
            let mut model = model(fixture::view());
            frame(&mut model, size, &dark());
            let mut seen = vec![model.pane()];
            loop {
                press(&mut model, &[key]);
                frame(&mut model, size, &dark());
                assert!(!model.scroll(model.pane()).place.get().is_empty(), "{:?} at {size:?}", model.pane());
                if model.pane() == seen[0] {
                    break;
                }
                seen.push(model.pane());
            }
            assert_eq!(seen.len(), drawn, "{seen:?} at {size:?}");
        }
    }
}

/// In every table, every heading: a click orders by it, another turns the order round, and what is selected stays so.
#[test]
fn a_click_on_a_heading_orders_the_rows() {
    for (tab, pane) in [
        (Tab::Connections, Pane::Connections),
        (Tab::Connections, Pane::Groups),
        (Tab::Connections, Pane::Undecoded),
        (Tab::Tokens, Pane::Tokens),
        (Tab::Trades, Pane::Trades),
    ] {
        let mut model = model(fixture::view());
        model.tab = tab;
        model.focus[tab as usize] = tab.panes().iter().position(|other| *other == pane).unwrap();
        frame(&mut model, (200, 60), &dark());
        let place = model.scroll(pane).place.get();
        let headings: Vec<_> =
            model.headings.borrow().iter().copied().filter(|(at, _)| place.contains(at.as_position())).collect();
        assert!(headings.len() > 4, "{pane:?}");
        let rows = model.rows(pane).to_vec();
        for (at, column) in headings {
            let (connection, token) = (model.connection, model.token);
            let view = model.view.clone();
            let ordered = panes::value(&view, pane, 0, usize::from(column)).is_some();
            mouse::apply(&mut model, Gesture::Click, at.x, at.y);
            frame(&mut model, (200, 60), &dark());
            if !ordered {
                assert!(model.notice.as_ref().unwrap().bad, "{pane:?} {column}");
                continue;
            }
            let value = |row: &u32| panes::value(&view, pane, *row as usize, usize::from(column)).unwrap();
            let known = |rows: &[u32]| rows.iter().map(value).filter(|v| *v != Value::Unknown).collect::<Vec<_>>();
            let down = known(model.rows(pane));
            for pair in down.windows(2) {
                let fine = match (&pair[0], &pair[1]) {
                    (Value::Number(a), Value::Number(b)) => a >= b,
                    (Value::Words(a), Value::Words(b)) => a <= b,
                    _ => false,
                };
                assert!(fine, "{pane:?} {column}: {pair:?}");
            }
            mouse::apply(&mut model, Gesture::Click, at.x, at.y);
            frame(&mut model, (200, 60), &dark());
            let mut up: Vec<_> = model.rows(pane).iter().map(value).filter(|v| *v != Value::Unknown).collect();
            up.reverse();
            assert_eq!(up, down, "{pane:?} {column}");
            assert_eq!((model.connection, model.token), (connection, token));
            let mut same = model.rows(pane).to_vec();
            same.sort_unstable();
            assert_eq!(same.len(), rows.len());
        }
    }
}
