//! Any size, any sequence of actions, any text from outside: never a panic, never a character that does something, never
//! a column out of its place.

use std::{sync::Arc, time::Instant};

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use smart_stream_tui::{
    chain::text::{Shown, is_denied},
    engine::{
        View,
        view::{Feed, TokenView},
    },
    ui::{
        action::TABLE,
        color::Depth,
        draw,
        format::Clock,
        keys::Key,
        model::{Model, Tab},
        mouse::{self, Gesture},
        theme::{Theme, names},
        update,
        widgets::width,
    },
};

use super::fixture;

/// Something that happens to the front end.
#[derive(Clone, Debug)]
enum Happening {
    Key(Key),
    Type(String),
    Paste(String),
    Mouse(Gesture, u16, u16),
    View(i64),
    Size(u16, u16),
}

fn happening() -> impl Strategy<Value = Happening> {
    let keys: Vec<Key> = TABLE.iter().flat_map(|row| row.keys.iter().copied()).collect();
    prop_oneof![
        8 => prop::sample::select(keys).prop_map(Happening::Key),
        1 => "[a-z0-9:>< ]{1,12}".prop_map(Happening::Type),
        1 => any::<String>().prop_map(Happening::Paste),
        2 => (
            prop::sample::select(vec![Gesture::Click, Gesture::WheelUp, Gesture::WheelDown]),
            0u16..520,
            0u16..210
        )
            .prop_map(|(gesture, x, y)| Happening::Mouse(gesture, x, y)),
        2 => (-2_000i64..40_000).prop_map(Happening::View),
        2 => (1u16..=500, 1u16..=200).prop_map(|(columns, rows)| Happening::Size(columns, rows)),
        2 => (1u16..=100, 1u16..=40).prop_map(|(columns, rows)| Happening::Size(columns, rows)),
    ]
}

/// Views as they come and go: full, empty, with one of everything.
fn views() -> [View; 3] {
    let full = fixture::view();
    let empty = View {
        connections: Arc::from([]),
        groups: Arc::from([]),
        tokens: Arc::from([]),
        tokens_known: 0,
        trades: Feed::default(),
        lifecycle: Feed::default(),
        pipeline: Arc::from([]),
        undecoded: Arc::from([]),
        notice: None,
        budget: Arc::default(),
        endpoints: Arc::default(),
        proposal: Arc::default(),
        ..full.clone()
    };
    let one = View {
        connections: full.connections[..1].into(),
        groups: full.groups[..1].into(),
        tokens: full.tokens[..1].into(),
        ..full.clone()
    };
    [full, empty, one]
}

fn drawn(model: &mut Model, theme: &Theme, size: (u16, u16), now_ms: i64) -> Buffer {
    model.refresh();
    let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, size.0, size.1));
    draw::screen(&mut buffer, model, theme, &Clock::at(now_ms));
    buffer
}

fn no_hidden(buffer: &Buffer) {
    for cell in buffer.content() {
        assert!(!cell.symbol().chars().any(is_denied), "{:?}", cell.symbol());
    }
}

/// A character of several cells has them to itself, also at the right edge: else all behind it would be shifted.
fn wide_ones_have_their_room(buffer: &Buffer) {
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            for more in 1..width(symbol) {
                let next = buffer.cell((x + more, y)).map(ratatui::buffer::Cell::symbol);
                assert_eq!(next, Some(" "), "behind {symbol:?} in column {x} of row {y}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_is_ever_too_much(
        happenings in prop::collection::vec(happening(), 1..60),
        start in (1u16..=500, 1u16..=200),
        theme in prop::sample::select(names()),
        ascii: bool,
    ) {
        let views = views();
        let theme = Theme::built_in(theme, Depth::True).unwrap();
        let now = Instant::now();
        let mut model = Model::new(Arc::new(views[0].clone()), 0, ascii, now);
        let (mut size, mut now_ms) = (start, views[0].now_ms);
        for (step, happening) in happenings.into_iter().enumerate() {
            match happening {
                Happening::Key(key) => drop(update::key(&mut model, key, now)),
                Happening::Type(text) => {
                    for c in text.chars() {
                        update::key(&mut model, Key::Char(c), now);
                    }
                }
                Happening::Paste(text) => update::paste(&mut model, &text),
                Happening::Mouse(gesture, x, y) => mouse::apply(&mut model, gesture, x, y),
                Happening::View(ms) => {
                    now_ms += ms;
                    let view = &views[step % views.len()];
                    model.take(Arc::new(View { now_ms, ..view.clone() }), now);
                }
                Happening::Size(columns, rows) => size = (columns, rows),
            }
            let buffer = drawn(&mut model, &theme, size, now_ms);
            if step % 8 == 0 {
                no_hidden(&buffer);
                wide_ones_have_their_room(&buffer);
            }
        }
    }

    /// Whatever a token is called, no cell holds what is not seen, and what stands to the right of its name is where it
    /// is when the token has a plain name.
    #[test]
    fn names_from_outside_do_nothing_and_move_nothing(
        name in hostile(), symbol in hostile(), cause in hostile(), size in (60u16..220, 16u16..64),
    ) {
        let plain = named("ABC", "abc", "cause");
        let hostile = named(&symbol, &name, &cause);
        let theme = Theme::built_in("dark", Depth::True).unwrap();
        for tab in [Tab::Overview, Tab::Tokens, Tab::Trades, Tab::Connections] {
            let screens = [&plain, &hostile].map(|view| {
                let mut model = Model::new(Arc::new(view.clone()), 0, false, Instant::now());
                model.tab = tab;
                let buffer = drawn(&mut model, &theme, size, view.now_ms);
                no_hidden(&buffer);
                buffer
            });
            let [plain, hostile] = &screens;
            wide_ones_have_their_room(hostile);
            if tab == Tab::Tokens {
                // The figures of a row end where they end beside a plain name.
                for y in 0..size.1 {
                    for x in 0..size.0 {
                        if plain[(x, y)].symbol() == "%" {
                            prop_assert_eq!(hostile[(x, y)].symbol(), "%", "column {} of row {}", x, y);
                        }
                    }
                }
            }
        }
    }
}

/// Text as strangers write it: controls, escape sequences, bidi, zero width, tags, wide and combining characters.
fn hostile() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        "\u{1b}[31m",
        "\u{1b}]52;c;aGk=\u{7}",
        "\u{9b}2J",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{200d}",
        "\u{fe0f}",
        "\u{e0041}",
        "\u{feff}",
        "\r\n",
        "\u{7f}",
        "漢字",
        "ａ",
        "e\u{301}\u{301}\u{301}",
        "👩\u{200d}👩",
        "🇩🇪",
        "ب",
        "\u{ad}",
        "\u{3164}",
        "\u{115f}",
        "A",
        "mooning ",
    ]);
    prop::collection::vec(bad, 0..10).prop_map(|parts| parts.concat())
}

fn named(symbol: &str, name: &str, cause: &str) -> View {
    let mut view = fixture::view();
    let (symbol, name) = (Shown::from_untrusted(symbol.as_bytes()), Shown::from_untrusted(name.as_bytes()));
    view.tokens = view
        .tokens
        .iter()
        .map(|token| Arc::new(TokenView { symbol: symbol.clone(), name: name.clone(), ..TokenView::clone(token) }))
        .collect();
    let mut connections = view.connections.to_vec();
    for connection in &mut connections {
        connection.status.cause = Some(Shown::from_message(cause).as_str().into());
    }
    view.connections = connections.into();
    view
}
