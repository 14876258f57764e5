//! What a frame costs: the time to draw it and to find what changed, and the bytes it sends.
//!
//! Drawn are all the tabs, and the page of a token, of a market of a thousand tokens. "changed": every figure is another one in every frame;
//! "unchanged": the same view again. Times are the processor time of the drawing thread alone.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a bench")]

#[path = "../tests/ui/fixture.rs"]
mod fixture;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use smart_stream_tui::{
    chain::ids::Mint,
    engine::{
        View,
        view::{ConnectionView, GroupView, TokenView},
    },
    ui::{
        color::Depth,
        draw,
        frame::Painter,
        model::{Model, Tab},
        theme::Theme,
    },
};

const FRAMES: u64 = 400;
const TOKENS: u64 = 1_000;

/// A market in which every figure depends on `round`.
fn view(round: u64) -> View {
    let mut view = fixture::view();
    view.seq = round;
    view.now_ms += i64::try_from(round * 33).unwrap();
    let shift = 1.0 + (round % 89) as f64 / 100.0;
    view.tokens = (0..TOKENS)
        .map(|index| {
            let token = fixture::token(index % 40);
            Arc::new(TokenView {
                mint: Mint::new(fixture::key(index)),
                price_sol: token.price_sol.map(|price| price * shift),
                market_cap_sol: token.market_cap_sol.map(|cap| cap * shift),
                change_5m_pct: token.change_5m_pct.map(|change| change * shift),
                volume_sol_5m: token.volume_sol_5m * shift,
                buys: token.buys + round,
                sells: token.sells + round * 3,
                traders: token.traders + round,
                ..token
            })
        })
        .collect();
    view.tokens_known = TOKENS as usize;
    view.trades.entries = (round..round + 200).map(|index| Arc::new(fixture::trade(index % 200))).collect();
    view.trades.first_seq += round;
    let connections = view.connections.iter().map(|connection| ConnectionView {
        tps: connection.tps.map(|tps| tps * shift),
        bytes_per_s: connection.bytes_per_s.map(|bytes| bytes * shift),
        ..connection.clone()
    });
    view.connections = connections.collect();
    let groups = view.groups.iter().map(|group| GroupView {
        tps: group.tps.map(|tps| tps * shift),
        per_second: group.per_second.iter().map(|count| count + u32::try_from(round % 50).unwrap()).collect(),
        ..group.clone()
    });
    view.groups = groups.collect();
    view.totals.slot = view.totals.slot.map(|slot| slot + round);
    view.totals.tps = view.totals.tps.map(|tps| tps * shift);
    view
}

struct Figures {
    /// Bringing the list up to date with the view, per frame.
    refresh: Vec<Duration>,
    /// Drawing and comparing, per frame.
    frame: Vec<Duration>,
    bytes: usize,
}

/// What is drawn: a tab, or the page of a token.
#[derive(Clone, Copy)]
enum Page {
    Tab(Tab),
    Token,
}

impl Page {
    fn all() -> impl Iterator<Item = Self> {
        Tab::ALL.into_iter().map(Self::Tab).chain([Self::Token])
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tab(tab) => tab.name(),
            Self::Token => "one token",
        }
    }
}

fn measure(page: Page, size: (u16, u16), changed: bool) -> Figures {
    let views: Vec<Arc<View>> = (0..16).map(|round| Arc::new(view(round * 7))).collect();
    let theme = Theme::built_in("dark", Depth::True).unwrap();
    let start = Instant::now();
    let mut model = Model::new(views[0].clone(), 0, false, start);
    match page {
        Page::Tab(tab) => model.tab = tab,
        Page::Token => model.detail = Some(views[0].tokens[0].mint),
    }
    let mut painter = Painter::default();
    let mut figures = Figures { refresh: Vec::new(), frame: Vec::new(), bytes: 0 };
    for round in 0..FRAMES + 20 {
        let next = &views[if changed { round as usize % views.len() } else { 0 }];
        model.show(next.clone(), start);
        let before = processor();
        model.refresh();
        let refreshed = processor();
        let clock = model.clock(start);
        let bytes = painter.frame(size, |buffer| draw::screen(buffer, &model, &theme, &clock)).unwrap().len();
        if round >= 20 {
            figures.refresh.push(refreshed.saturating_sub(before));
            figures.frame.push(processor().saturating_sub(refreshed));
            figures.bytes += bytes;
        }
    }
    figures
}

/// Processor time of this thread so far.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

fn quantile(times: &mut [Duration], part: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e6
}

fn main() {
    println!(
        "{:<9} {:<12} {:<10} {:>22} {:>22} {:>12}",
        "size", "tab", "", "frame p50/p99 µs", "list p50/p99 µs", "bytes/frame"
    );
    for size in [(120, 40), (200, 60)] {
        for page in Page::all() {
            for changed in [true, false] {
                let mut figures = measure(page, size, changed);
                let both =
                    |times: &mut Vec<Duration>| format!("{:.0} / {:.0}", quantile(times, 50), quantile(times, 99));
                println!(
                    "{:<9} {:<12} {:<10} {:>22} {:>22} {:>12}",
                    format!("{}x{}", size.0, size.1),
                    page.name(),
                    if changed { "changed" } else { "unchanged" },
                    both(&mut figures.frame),
                    both(&mut figures.refresh),
                    figures.bytes / FRAMES as usize,
                );
            }
        }
    }
}
