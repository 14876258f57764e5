//! Back in time, and what is shown of sources that have gone silent.

use std::{sync::Arc, time::Instant};

use smart_stream_tui::{
    engine::{View, view::TokenView},
    ui::{
        color::Depth,
        draw,
        format::Clock,
        history::{BYTES, History, SPAN_MS},
        keys::Key,
        model::{Model, Tab},
        theme::Theme,
    },
};

use super::{fixture, lines, model, press};

fn later(view: &View, ms: i64) -> View {
    View { seq: view.seq + 1, now_ms: view.now_ms + ms, ..view.clone() }
}

fn shown(model: &mut Model, now_ms: i64, size: (u16, u16)) -> Vec<String> {
    model.refresh();
    let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, size.0, size.1));
    let theme = Theme::built_in("dark", Depth::True).unwrap();
    draw::screen(&mut buffer, model, &theme, &Clock::at(now_ms));
    lines(&buffer)
}

#[test]
fn steps_go_back_and_forth_and_end_at_both_ends() {
    let now = Instant::now();
    let mut view = fixture::view();
    let first = view.now_ms;
    let mut model = model(view.clone());
    for _ in 0..30 {
        view = later(&view, 1_000);
        model.take(Arc::new(view.clone()), now);
    }
    assert_eq!(model.history.len(), 31);
    press(&mut model, &[Key::Char('[')]);
    assert!(model.frozen);
    assert_eq!(model.view.now_ms, view.now_ms - 1_000);
    for key in ['t', 'T', 'b', 'm', 'r'] {
        assert_eq!(press(&mut model, &[Key::Char(key)]), [], "the streams of the past are not to be changed");
        assert!(model.overlay.is_none() && model.notice.as_ref().unwrap().text.contains("the past"));
    }
    press(&mut model, &[Key::Char('['); 4]);
    let screen = shown(&mut model, view.now_ms - 5_000, (120, 40));
    assert!(screen[0].contains("FROZEN 14:13:45 -5s"), "{}", screen[0]);
    press(&mut model, &[Key::Char('['); 100]);
    assert_eq!(model.view.now_ms, first);
    assert!(model.notice.as_ref().unwrap().bad);
    press(&mut model, &[Key::Char(']'); 3]);
    assert_eq!(model.view.now_ms, first + 3_000);
    // The past goes on being kept.
    model.take(Arc::new(later(&view, 1_000)), now);
    press(&mut model, &[Key::Char(']'); 100]);
    assert_eq!(model.view.now_ms, view.now_ms + 1_000);
    press(&mut model, &[Key::Char(' ')]);
    assert!(!model.frozen && model.behind_ms == 0);
}

/// In steps, as all ages: in between nothing is drawn.
#[test]
fn a_frozen_screen_says_how_old_it_is_and_what_waits() {
    let now = Instant::now();
    let mut view = fixture::view();
    let frozen_at = view.now_ms;
    let mut model = model(view.clone());
    press(&mut model, &[Key::Char(' ')]);
    let mut told = Vec::new();
    for _ in 0..12 {
        view = later(&view, 1_000);
        view.totals.trades += 150;
        told.push(model.take(Arc::new(view.clone()), now));
        assert_eq!(model.view.now_ms, frozen_at);
    }
    let seconds: Vec<usize> = (1..).zip(told).filter(|(_, told)| *told).map(|(second, _)| second).collect();
    assert_eq!(seconds, [1, 2, 3, 5, 10]);
    let screen = shown(&mut model, frozen_at, (120, 40));
    assert!(screen[0].contains("FROZEN 14:13:20 -10s +1500 trades"), "{}", screen[0]);
    press(&mut model, &[Key::Char(' ')]);
    assert!(model.take(Arc::new(view.clone()), now) && model.waiting.is_none());
    assert!(!shown(&mut model, view.now_ms, (120, 40))[0].contains("FROZEN"));
}

#[test]
fn a_strip_shows_where_in_the_last_ten_minutes_one_is() {
    let now = Instant::now();
    let mut view = fixture::view();
    let mut model = model(view.clone());
    for _ in 0..300 {
        view = later(&view, 1_000);
        model.take(Arc::new(view.clone()), now);
    }
    let marker = |model: &mut Model, size: (u16, u16)| {
        let at = model.view.now_ms;
        let row = shown(model, at, size)[usize::from(size.1) - 2].clone();
        let strip = row.split("-10m ").nth(1)?.split(" now").next()?.to_owned();
        let kept = strip.chars().filter(|sign| *sign != '.').count();
        Some((strip.chars().position(|sign| sign == '●')?, kept, strip.chars().count()))
    };
    assert_eq!(marker(&mut model, (120, 40)), None, "the present needs no marker");
    press(&mut model, &[Key::Char('[')]);
    let (first, kept, cells) = marker(&mut model, (120, 40)).unwrap();
    assert_eq!((first, cells), (cells - 2, 30));
    assert!(kept.abs_diff(cells / 2) <= 1, "five of ten minutes are kept: {kept} of {cells}");
    press(&mut model, &[Key::Char('['); 299]);
    let (oldest, ..) = marker(&mut model, (120, 40)).unwrap();
    assert!(oldest.abs_diff(cells / 2) <= 1, "five minutes back: {oldest} of {cells}");
    for size in [(60, 16), (80, 24), (200, 60)] {
        assert!(marker(&mut model, size).is_some(), "{size:?}");
    }
}

#[test]
fn one_view_a_second_and_ten_minutes_are_kept() {
    let mut history = History::default();
    let mut view = fixture::view();
    for _ in 0..20_000 {
        view = later(&view, 40);
        history.push(&Arc::new(view.clone()));
    }
    let span = history.span_ms().unwrap();
    assert!(span.end - span.start <= SPAN_MS && span.end - span.start > SPAN_MS - 3_000);
    assert!((590..=601).contains(&history.len()), "{}", history.len());
    assert_eq!(history.thinned(), 0, "what is shared costs little");
}

#[test]
fn a_busy_market_makes_longer_steps_and_not_more_memory() {
    let mut history = History::default();
    let mut view = fixture::view();
    let start = view.now_ms;
    for second in 0..600_u64 {
        view = later(&view, 1_000);
        // Every token is another one.
        view.tokens = (0..300)
            .map(|index| {
                let token = fixture::token(index % 40);
                Arc::new(TokenView { buys: second, ..token })
            })
            .collect();
        history.push(&Arc::new(view.clone()));
        assert!(history.bytes() <= BYTES);
    }
    let span = history.span_ms().unwrap();
    assert!(history.thinned() > 0);
    assert!(span.start - start < 60_000, "the ten minutes are still there: {}", span.start - start);
    assert!(history.len() > 20, "{}", history.len());
}

#[test]
fn figures_of_a_silent_stream_are_marked() {
    let mut view = fixture::view();
    let now = view.now_ms;
    let mut model_live = model(view.clone());
    // Connection 2 of the fixture has been silent for 12 s, the others have not.
    let screen = shown(&mut model_live, now, (200, 60));
    let row = |screen: &[String], what: &str| screen.iter().find(|line| line.contains(what)).unwrap().clone();
    assert!(row(&screen, "degraded").contains('~'));
    assert!(!row(&screen, "grpc.ny").contains('~'));
    assert!(!screen[0].contains('~'));
    let later = now + 5_500;
    let screen = shown(&mut model_live, later, (200, 60));
    assert!(row(&screen, "grpc.ny").contains('~'));
    assert!(screen[0].contains('~'), "{}", screen[0]);
    assert!(row(&screen, "bonding_curve").contains('~'));
    // Pings say that the stream lives, not that its figures do.
    let mut pinged = view.clone();
    pinged.now_ms = later;
    let connections = pinged.connections.iter().cloned().map(|mut connection| {
        connection.status.last_message_ms = Some(later);
        connection
    });
    pinged.connections = connections.collect();
    assert!(pinged.shows_the_same(&view), "nobody is woken for a ping");
    let screen = shown(&mut model(pinged), later, (200, 60));
    assert!(row(&screen, "grpc.ny").contains('~') && screen[0].contains('~'));
    // A recording that is over is not silent; what is uncertain of itself is marked whatever comes.
    view.finished = true;
    view.lifecycle.entries = view.lifecycle.entries.iter().filter(|step| !step.uncertain).cloned().collect();
    let mut over = model(view);
    assert!(!shown(&mut over, later, (200, 60)).concat().contains('~'));
}

#[test]
fn trades_that_rest_on_less_than_an_event_are_marked() {
    let mut model = model(fixture::view());
    model.tab = Tab::Trades;
    let now = model.view.now_ms;
    let screen = shown(&mut model, now, (200, 60));
    let rows = screen.iter().skip(4).map(|line| line.contains('~'));
    let trades = model.view.trades.entries.iter().rev().map(|trade| trade.basis.is_uncertain());
    let pairs: Vec<_> = rows.zip(trades).take(50).collect();
    assert!(pairs.iter().filter(|(marked, _)| *marked).count() > 3);
    assert!(pairs.iter().all(|(marked, uncertain)| marked == uncertain), "{pairs:?}");
}

#[test]
fn the_screen_wakes_to_mark_them() {
    let mut model = model(fixture::view());
    let clock = Clock::at(model.view.now_ms);
    model.refresh();
    let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 120, 40));
    draw::screen(&mut buffer, &model, &Theme::built_in("dark", Depth::True).unwrap(), &clock);
    assert!(clock.changes_in_ms().unwrap() <= 5_000);
}
