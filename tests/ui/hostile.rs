//! Names as strangers write them, through every part of the screen and every file that can take one: no code point that a
//! terminal would obey or not show, no panic, and everything beside a name stays in its place.
//!
//! `HOSTILE_NAMES` says how many names each part gets; 1,000,000 take about an hour without optimization.

use std::{cell::RefCell, sync::Arc, time::Instant};

use ratatui::{buffer::Buffer, layout::Rect};
use smart_stream_tui::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL, Wallet},
        text::Shown,
    },
    decode::event::{Event, EventKind, Path, TokenCreated, Venue},
    engine::{
        Emitted, View,
        emit::ChainEvent,
        view::{AlertView, Feed, LifecycleView, TokenView, TradeView},
    },
    market::change::Status,
    mev::alert::{Alert, AlertId, Class, State},
    output::{events, snapshot::Snapshot},
    ui::{
        color::Depth,
        logs,
        model::{Model, Notice, Overlay},
        palette::Palette,
        panes, shot,
        theme::Theme,
        typed::Typed,
        widgets::{pane, width},
    },
};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use super::{
    alerts, fixture,
    names::{Names, all_fine},
    stage::{Scene, Stage, paint},
};

/// Rows of the lists.
const ROWS: usize = 40;

/// A market whose tokens, trades and steps have these names, one after the other.
fn market(mut next: impl FnMut() -> Shown) -> View {
    let mut view = fixture::view();
    let token = |index| TokenView { symbol: next(), name: next(), ..fixture::token(index) };
    let tokens: Vec<Arc<TokenView>> = (0..ROWS as u64).map(token).map(Arc::new).collect();
    let mut trades: Vec<_> = view.trades.entries.iter().take(ROWS).map(|trade| TradeView::clone(trade)).collect();
    let mut steps: Vec<_> =
        view.lifecycle.entries.iter().cycle().take(ROWS).map(|step| LifecycleView::clone(step)).collect();
    for ((trade, step), token) in trades.iter_mut().zip(&mut steps).zip(&tokens) {
        trade.symbol = token.symbol.clone();
        step.symbol = token.name.clone();
    }
    view.tokens = tokens.into();
    view.trades = Feed { entries: trades.into_iter().map(Arc::new).collect(), ..view.trades };
    view.lifecycle = Feed { entries: steps.into_iter().map(Arc::new).collect(), ..view.lifecycle };
    view
}

fn model(view: View) -> Model {
    Model::new(Arc::new(view), 0, false, Instant::now())
}

/// A pane of the market.
fn in_a_pane(seed: u64, size: (u16, u16), scene: Scene<'_>) {
    let mut names = Names::new(seed);
    let mut stage = Stage::new(size, |name, draw| {
        draw(&model(market(|| Shown::from_untrusted(name.as_bytes()))), scene);
    });
    while names.are_due() {
        let model = model(market(|| names.shown()));
        let shown = stage.show(&model, scene);
        picture(&shown);
    }
}

/// A picture of a screen: what it says is as wide as it claims, and nothing in it ends early.
fn picture(buffer: &Buffer) {
    let svg = shot::svg(buffer, shot::Defaults::default());
    all_fine(&svg.replace('\n', ""));
    for line in svg.lines().filter(|line| line.starts_with("<text ")) {
        let (head, rest) = line.split_once('>').unwrap();
        let words = rest.strip_suffix("</text>").unwrap();
        assert!(!words.contains(['<', '>']), "{line}");
        let plain = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let claimed: u16 = head.split("textLength=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        let cells: u16 = signs(&plain).iter().map(|sign| width(sign)).sum();
        assert_eq!(claimed, cells * 8, "{line}");
    }
}

fn signs(text: &str) -> Vec<&str> {
    use unicode_segmentation::UnicodeSegmentation as _;
    text.graphemes(true).collect()
}

#[test]
fn the_tokens_keep_their_columns() {
    in_a_pane(1, (200, 44), &|buffer, draw| panes::tokens::draw(buffer, buffer.area, draw));
    in_a_pane(2, (61, 44), &|buffer, draw| panes::tokens::draw(buffer, buffer.area, draw));
}

#[test]
fn the_tape_keeps_its_columns() {
    in_a_pane(3, (120, 44), &|buffer, draw| panes::trades::draw(buffer, buffer.area, draw));
}

#[test]
fn the_lifecycle_keeps_its_columns() {
    in_a_pane(4, (60, 44), &|buffer, draw| panes::lifecycle::draw(buffer, buffer.area, draw));
}

#[test]
fn the_alerts_keep_their_columns() {
    let mut names = Names::new(18);
    let scene: Scene<'_> = &|buffer, draw| panes::alerts::draw(buffer, buffer.area, draw);
    let view = fixture::view();
    let with = |next: &mut dyn FnMut() -> Shown| {
        let alert = |id| Arc::new(AlertView { alert: rug(id), symbol: next(), notify: false, record: None });
        let alerts = Feed { entries: (0..ROWS as u64).map(alert).collect(), first_seq: 0 };
        model(View { alerts, ..view.clone() })
    };
    let mut stage =
        Stage::of((120, 44), |name, draw| draw(&with(&mut || Shown::from_untrusted(name.as_bytes())), scene));
    while names.are_due() {
        stage.show(&with(&mut || names.shown()), scene);
    }
}

#[test]
fn an_alerts_page_keeps_its_places() {
    let mut names = Names::new(19);
    let scene: Scene<'_> = &|buffer, draw| {
        let id = draw.model.view.alerts.entries[0].alert.id;
        panes::evidence::draw(buffer, buffer.area, id, draw);
    };
    let with = |symbol: Shown| {
        let entry = AlertView { symbol, ..alerts::entry(alerts::sandwich(1, 1), "", false) };
        model(alerts::with(vec![entry]))
    };
    let mut stage = Stage::new((120, 30), |name, draw| draw(&with(Shown::from_untrusted(name.as_bytes())), scene));
    while names.are_due() {
        stage.show(&with(names.shown()), scene);
    }
}

/// An alert like any other.
fn rug(id: u64) -> Alert {
    Alert {
        id: AlertId(id),
        revision: 0,
        class: Class::Rug,
        state: State::Provisional,
        confidence: 0.9,
        reasons: Vec::new(),
        venue: Venue::PumpSwap,
        pool: Pool::new(fixture::key(id)),
        mint: Mint::new(fixture::key(id + 100)),
        quote_mint: WRAPPED_SOL,
        attackers: Vec::new(),
        legs: Vec::new(),
        victims: Vec::new(),
        victim_loss: None,
        profit: None,
        open_inventory: 0,
        chain_ok: true,
        slot: 389_112_000,
        recv_us: fixture::NOW_MS * 1_000,
        detect_us: 400,
        path: None,
        features: None,
    }
}

#[test]
fn a_tokens_page_keeps_its_places() {
    let mut names = Names::new(5);
    let scene: Scene<'_> = &|buffer, draw| {
        let mint = draw.model.view.tokens[0].mint;
        panes::token::draw(buffer, buffer.area, &mint, draw);
    };
    let (view, token) = (fixture::view(), fixture::token(0));
    let with = |symbol: Shown, name: Shown| {
        model(View { tokens: [Arc::new(TokenView { symbol, name, ..token.clone() })].into(), ..view.clone() })
    };
    let mut stage = Stage::new((44, 8), |name, draw| {
        let name = Shown::from_untrusted(name.as_bytes());
        draw(&with(name.clone(), name), scene);
    });
    while names.are_due() {
        stage.show(&with(names.shown(), names.shown()), scene);
    }
}

#[test]
fn titles_keep_the_frame() {
    let mut names = Names::new(6);
    let title = RefCell::new(Shown::default());
    let scene: Scene<'_> = &|buffer, draw| {
        let name = title.borrow();
        pane::frame(buffer, buffer.area, pane::Title { name: name.as_str(), right: "", focused: true }, draw);
    };
    let model = model(fixture::view());
    let mut stage = Stage::new((30, 3), |name, draw| {
        title.replace(Shown::from_untrusted(name.as_bytes()));
        draw(&model, scene);
    });
    while names.are_due() {
        title.replace(names.shown());
        stage.show(&model, scene);
    }
}

#[test]
fn what_servers_say_keeps_the_connections_columns() {
    let mut names = Names::new(7);
    let scene: Scene<'_> = &|buffer, draw| panes::connections::draw(buffer, buffer.area, draw);
    let with = |next: &mut dyn FnMut() -> Arc<str>| {
        let mut view = fixture::view();
        let connections = view.connections.iter().cycle().take(ROWS).cloned();
        let connections = connections.enumerate().map(|(id, mut connection)| {
            connection.status.id = id;
            connection.status.cause = Some(next());
            connection
        });
        view.connections = connections.collect();
        model(view)
    };
    let mut stage = Stage::new((220, 44), |name, draw| draw(&with(&mut || name.into()), scene));
    while names.are_due() {
        stage.show(&with(&mut || names.message()), scene);
    }
}

/// One line that shows a text, drawn again and again.
fn in_a_line(
    seed: u64,
    columns: u16,
    scene: Scene<'_>,
    next: impl Fn(&mut Names) -> String,
    set: impl Fn(&mut Model, &str),
) {
    let mut names = Names::new(seed);
    let mut model = model(fixture::view());
    let shared = RefCell::new(&mut model);
    let mut stage = Stage::new((columns, 1), |name, draw| {
        let mut model = shared.borrow_mut();
        set(&mut model, name);
        draw(&model, scene);
    });
    while names.are_due() {
        let text = next(&mut names);
        let mut model = shared.borrow_mut();
        set(&mut model, &text);
        stage.show(&model, scene);
    }
}

#[test]
fn news_keep_to_their_line() {
    let line: Scene<'_> = &|buffer, draw| panes::message::draw(buffer, buffer.area, draw);
    let message = |names: &mut Names| names.message().as_ref().to_owned();
    in_a_line(8, 80, line, message, |model, text| {
        model.notice = Some(Notice { text: text.to_owned(), bad: true, stays: false });
    });
    in_a_line(9, 80, line, message, |model, text| {
        let view = View { notice: Some((1, text.into())), ..View::clone(&model.view) };
        model.show(Arc::new(view), model.received);
    });
}

#[test]
fn a_recordings_name_keeps_to_the_header() {
    let line: Scene<'_> = &|buffer, draw| panes::header::draw(buffer, buffer.area, draw);
    in_a_line(
        10,
        60,
        line,
        |names| names.shown().as_str().to_owned(),
        |model, text| {
            let mut view = View::clone(&model.view);
            let mut source = (*view.source).clone();
            source.kind = smart_stream_tui::engine::view::SourceKind::Replay;
            source.provider = text.to_owned();
            view.source = Arc::new(source);
            model.show(Arc::new(view), model.received);
        },
    );
}

#[test]
fn what_is_typed_keeps_to_its_line() {
    let tabs: Scene<'_> = &|buffer, draw| panes::tabs::draw(buffer, buffer.area, draw);
    let footer: Scene<'_> = &|buffer, draw| panes::footer::draw(buffer, buffer.area, draw);
    let news: Scene<'_> = &|buffer, draw| panes::message::draw(buffer, buffer.area, draw);
    let raw = |names: &mut Names| names.raw();
    in_a_line(11, 150, tabs, raw, |model, text| model.filter.set(text));
    in_a_line(12, 150, footer, raw, |model, text| {
        model.searching = true;
        model.search.set(text);
    });
    // What the filter cannot read it names.
    in_a_line(13, 200, news, raw, |model, text| {
        model.typing = true;
        let mut field = Typed::default();
        field.set(&text.replace(char::is_whitespace, "_"));
        model.filter.set(&format!("{}:x", field.tail(30)));
    });
}

/// A box over the screen that repeats what is typed.
fn in_a_box(seed: u64, scene: Scene<'_>, open: impl Fn(&Model, Typed) -> Overlay) {
    let mut names = Names::new(seed);
    let mut model = model(fixture::view());
    let shared = RefCell::new(&mut model);
    let typed = |text: &str| {
        let mut typed = Typed::default();
        typed.set(text);
        typed
    };
    let mut stage = Stage::new((50, 6), |name, draw| {
        let mut model = shared.borrow_mut();
        model.overlay = Some(open(&model, typed(name)));
        draw(&model, scene);
    });
    while names.are_due() {
        let text = names.raw();
        let mut model = shared.borrow_mut();
        model.overlay = Some(open(&model, typed(&text)));
        stage.show(&model, scene);
    }
}

#[test]
fn what_is_typed_keeps_to_its_box() {
    let empty = Palette::new(&model(fixture::view()));
    let palette: Scene<'_> = &|buffer, draw| {
        let Some(Overlay::Palette(palette)) = &draw.model.overlay else { panic!() };
        panes::palette::draw(buffer, buffer.area, palette, draw);
    };
    in_a_box(14, palette, |_, typed| {
        // What matches is not looked for: the list is another's part.
        let mut palette = empty.clone();
        palette.typed = typed;
        palette.entries.clear();
        Overlay::Palette(palette)
    });
    let help: Scene<'_> = &|buffer, draw| {
        let Some(Overlay::Help { words, .. }) = &draw.model.overlay else { panic!() };
        pane::frame(
            buffer,
            buffer.area,
            pane::Title { name: &format!("Keys with: {}", words.tail(40)), ..pane::Title::default() },
            draw,
        );
    };
    in_a_box(15, help, |_, words| Overlay::Help { scroll: 0, words, typing: true });
}

/// The log takes what libraries write, so it gets it raw.
#[test]
fn the_log_shows_nothing_that_does_something() {
    let mut names = Names::new(16);
    let (layer, tail) = logs::layer(LevelFilter::INFO);
    let model = model(fixture::view());
    let theme = Theme::built_in("dark", Depth::True).unwrap();
    let mut shown = Buffer::empty(Rect::new(0, 0, 80, 24));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        while names.are_due() {
            for _ in 0..20 {
                tracing::warn!("{} {:?}", names.raw(), names.raw());
                all_fine(&tail.newest().unwrap());
            }
            let scene: Scene<'_> = &|buffer, draw| panes::logs::draw(buffer, buffer.area, draw);
            shown.reset();
            paint(&mut shown, &model, &theme, scene);
            shown.content().iter().for_each(|cell| all_fine(cell.symbol()));
            for y in 0..24 {
                let edge = shown[(79, y)].symbol();
                assert!(["┃", "┓", "┛", "│", "╮", "╯"].contains(&edge), "row {y} is shifted: {edge:?}");
            }
        }
    });
}

#[test]
fn files_hold_nothing_that_does_something() {
    let mut names = Names::new(17);
    let mut output = Vec::new();
    while names.are_due() {
        let view = market(|| names.shown());
        all_fine(&serde_json::to_string(&Snapshot::of(&view)).unwrap());

        let texts: Vec<[Vec<u8>; 3]> = (0..ROWS).map(|_| [names.bytes(), names.bytes(), names.bytes()]).collect();
        let items: Vec<Emitted> = texts.iter().map(launch).collect();
        output.clear();
        events::Writer::new(&mut output, smart_stream_tui::chain::group::Groups::default()).write(&items).unwrap();
        let lines = std::str::from_utf8(&output).unwrap();
        assert_eq!(lines.lines().count(), texts.len());
        for (line, [name, symbol, uri]) in lines.lines().zip(&texts) {
            all_fine(line);
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            for (field, bytes) in [("name", name), ("symbol", symbol), ("uri", uri)] {
                assert_eq!(
                    line[field].as_str().unwrap(),
                    String::from_utf8_lossy(bytes),
                    "the text itself is unchanged"
                );
            }
        }
    }
}

/// A launch with these texts.
fn launch([name, symbol, uri]: &[Vec<u8>; 3]) -> Emitted {
    let created = TokenCreated {
        venue: Venue::Pump,
        mint: Mint::new(fixture::key(1)),
        curve: Pool::new(fixture::key(2)),
        name: name[..].into(),
        symbol: symbol[..].into(),
        uri: uri[..].into(),
        creator: Wallet::new(fixture::key(3)),
        token_program: None,
        quote_mint: WRAPPED_SOL,
        mayhem: false,
        initial: None,
        initial_tokens_left: None,
        supply: None,
    };
    let event = Event {
        slot: 5,
        signature: fixture::signature(4),
        tx_index: 0,
        path: Path { outer: 0, inner: None },
        event_index: 0,
        timestamp: None,
        payer: Wallet::new(fixture::key(3)),
        kind: EventKind::TokenCreated(created),
    };
    let group = event.venue().program().group();
    let status = Status::Processed;
    let chain = ChainEvent {
        event: event.into(),
        recv_us: 0,
        group,
        connection: 0,
        status,
        placed: None,
        price_sol: None,
        market_cap_sol: None,
    };
    Emitted::Chain(Box::new(chain))
}

#[test]
fn what_is_narrowed_to_keeps_its_columns() {
    let mut names = Names::new(20);
    let scene: Scene<'_> = &|buffer, draw| {
        let Some(Overlay::Narrow { mints, symbols }) = &draw.model.overlay else { panic!() };
        panes::narrow::draw(buffer, buffer.area, (mints, symbols), draw);
    };
    let mut model = model(fixture::view());
    let shared = RefCell::new(&mut model);
    let mints: Vec<Mint> = (0..4).map(|index| Mint::new(fixture::key(index))).collect();
    let open = |next: &mut dyn FnMut() -> Shown| Overlay::Narrow {
        mints: mints.clone(),
        symbols: mints.iter().map(|_| next().as_str().to_owned()).collect(),
    };
    let mut stage = Stage::new((70, 12), |name, draw| {
        let mut model = shared.borrow_mut();
        model.overlay = Some(open(&mut || Shown::from_untrusted(name.as_bytes())));
        draw(&model, scene);
    });
    while names.are_due() {
        let mut model = shared.borrow_mut();
        model.overlay = Some(open(&mut || names.shown()));
        stage.show(&model, scene);
    }
}
