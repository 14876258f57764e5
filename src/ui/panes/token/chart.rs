//! The token's price over time, what was bought and sold, and when whales and attackers acted.

use ratatui::{buffer::Buffer, layout::Rect};

use super::Subject;
use crate::{
    engine::view::{CandleView, SeriesView},
    mev::State,
    ui::{
        action::Action,
        draw::Draw,
        format::{count, sol, time_of_day},
        page::{Range, Window},
        panes::{alerts, tokens::change_style},
        widgets::{
            after, line,
            pane::{self, Title},
            spark, text, text_right, width,
        },
    },
};

/// Width of the axis.
const AXIS: u16 = 9;
/// Columns of the frame around the ranges.
const TITLE: u16 = 24;
/// Fewest lines with bars below the price.
const WITH_BARS: u16 = 7;

/// Draws the chart, or the last trades' prices while the engine has not sent the series yet.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, subject: &Subject<'_>, draw: &Draw<'_>) {
    match subject.detail {
        Some(detail) => over_time(buffer, area, subject, &detail.series, draw),
        None => last_trades(buffer, area, subject, draw),
    }
}

fn over_time(buffer: &mut Buffer, area: Rect, subject: &Subject<'_>, series: &[SeriesView; 3], draw: &Draw<'_>) {
    let range = draw.model.page.range;
    let ranges = range_words(range, area.width, draw);
    let inner = pane::frame(buffer, area, Title { name: "Price in SOL", right: &ranges, focused: false }, draw);
    let now_s = u32::try_from(draw.model.view.now_ms.div_euclid(1000)).unwrap_or(0);
    let window = range.window(series, now_s);
    let candles = placed(&window);
    if candles.iter().all(Option::is_none) {
        return pane::sentence(buffer, inner, "No trade in this time.", draw);
    }
    if inner.height < 2 || inner.width <= AXIS + 2 {
        return;
    }
    let bars = if inner.height >= WITH_BARS { 2 } else { 0 };
    let height = inner.height - 1 - bars;
    let plot = Rect { width: inner.width - AXIS - 1, height, ..after(inner, AXIS) };
    price(buffer, inner, plot, &window, &candles, subject, draw);
    let below = |rows: u16| Rect { y: plot.y + height + rows, height: 1, ..plot };
    if bars > 0 {
        let volumes = [true, false].map(|bought| volumes(&candles, plot.width, bought));
        let highest = volumes.iter().flatten().copied().max().unwrap_or(0);
        let rows = [("bought", draw.theme.buy), ("sold", draw.theme.sell)];
        for (row, ((name, style), volumes)) in (0..).zip(rows.into_iter().zip(&volumes)) {
            let label = Rect { x: inner.x, width: AXIS - 1, ..below(row) };
            text_right(buffer, label, name, draw.theme.dim);
            spark::bars_up_to(buffer, below(row), volumes, highest, style, draw.glyphs.ascii);
        }
    }
    foot(buffer, below(bars), &window, subject, draw);
}

/// The keys and the ranges, the chosen one in brackets; without room for all that one alone.
fn range_words(range: Range, room: u16, draw: &Draw<'_>) -> String {
    let [longer, shorter] = [Action::LongerRange, Action::ShorterRange].map(|action| draw.model.keys.first(action));
    let names = Range::ALL.map(|one| if one == range { format!("[{}]", one.name()) } else { one.name().to_owned() });
    let all = format!("{shorter} {longer}  {}", names.join(" "));
    if width(&all) + TITLE <= room { all } else { format!("{shorter} {longer}  [{}]", range.name()) }
}

/// The candles of a window, each in its place.
fn placed<'a>(window: &Window<'a>) -> Vec<Option<&'a CandleView>> {
    let mut placed = vec![None; window.len()];
    for candle in &window.series.candles {
        if let Some(place) = window.position(candle.start_s).and_then(|at| placed.get_mut(at)) {
            *place = Some(candle);
        }
    }
    placed
}

fn price(
    buffer: &mut Buffer,
    inner: Rect,
    plot: Rect,
    window: &Window<'_>,
    candles: &[Option<&CandleView>],
    subject: &Subject<'_>,
    draw: &Draw<'_>,
) {
    let before = window.series.candles.iter().rfind(|candle| candle.start_s < window.first_s);
    let (traded, held) = lines(before.map(|candle| candle.close), candles);
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let lines = [
        // Between trades the price stays where it is, and that is all that is known.
        spark::Line { values: &held, style: theme.dim, dotted: true },
        spark::Line { values: &traded, style: change_style(subject.token.change_5m_pct, draw), dotted: false },
    ];
    let Some((low, high)) = spark::lines(buffer, plot, &lines, ascii) else { return };
    let scale = Rect { width: AXIS - 1, ..inner };
    text_right(buffer, line(scale, 0), &sol(Some(f64::from(high)), ascii), theme.dim);
    if plot.height > 1 {
        text_right(buffer, line(scale, plot.height - 1), &sol(Some(f64::from(low)), ascii), theme.dim);
    }
}

/// The price after each candle's last trade, and where nothing was traded the one before: with a point of each neighbour, so that
/// the lines meet.
#[allow(clippy::cast_possible_truncation, reason = "drawn")]
fn lines(before: Option<f64>, candles: &[Option<&CandleView>]) -> (Vec<f32>, Vec<f32>) {
    let mut traded = Vec::with_capacity(candles.len());
    let mut held = Vec::with_capacity(candles.len());
    let mut last = before.map_or(f32::NAN, |price| price as f32);
    for (index, candle) in candles.iter().enumerate() {
        let quiet_before = index > 0 && candles.get(index - 1).is_some_and(Option::is_none);
        let Some(candle) = candle else {
            held.push(last);
            traded.push(f32::NAN);
            continue;
        };
        let close = candle.close as f32;
        let quiet_after = candles.get(index + 1).is_some_and(Option::is_none);
        held.push(match (quiet_before, quiet_after) {
            (true, _) => last,
            (false, true) => close,
            (false, false) => f32::NAN,
        });
        traded.push(close);
        last = close;
    }
    (traded, held)
}

/// What was bought or sold in each cell of the chart's width, in thousandths of a SOL.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn volumes(candles: &[Option<&CandleView>], cells: u16, bought: bool) -> Vec<u32> {
    let of = |candle: &CandleView| if bought { candle.bought_sol } else { candle.sold_sol };
    let milli = |sol: f64| (sol * 1_000.0).clamp(0.0, f64::from(u32::MAX)) as u32;
    let cells = usize::from(cells);
    let mut volumes = vec![0u32; cells];
    for (index, candle) in candles.iter().enumerate() {
        let Some(candle) = candle else { continue };
        // A candle is as wide as its time; of several in a cell the sum counts.
        let first = index * cells / candles.len();
        let last = ((index + 1) * cells / candles.len()).max(first + 1);
        for volume in volumes.get_mut(first..last.min(cells)).into_iter().flatten() {
            *volume = volume.saturating_add(milli(of(candle)));
        }
    }
    volumes
}

/// Where the chart's time begins, and above it the whales and attacks within.
fn foot(buffer: &mut Buffer, foot: Rect, window: &Window<'_>, subject: &Subject<'_>, draw: &Draw<'_>) {
    let theme = draw.theme;
    let begin = time_of_day(i64::from(window.first_s) * 1_000);
    text(buffer, foot, &begin, theme.dim);
    text_right(buffer, foot, "now", theme.dim);
    // Signs must not stand in the words.
    let free = Rect { width: foot.width.saturating_sub(5), ..foot };
    let mut put = |ms: i64, sign: &str, style| {
        let at = u32::try_from(ms.div_euclid(1_000)).ok().and_then(|time| window.position(time));
        let Some(at) = at else { return };
        let cell = u16::try_from(at * usize::from(foot.width) / window.len()).unwrap_or(u16::MAX);
        if cell > width(&begin) && cell < free.width {
            text(buffer, Rect { width: 1, ..after(foot, cell) }, sign, style);
        }
    };
    let whales = subject.detail.into_iter().flat_map(|detail| detail.trades.iter()).filter(|trade| trade.whale);
    for whale in whales {
        put(whale.recv_ms, draw.glyphs.star, theme.strong);
    }
    let of_token = |entry: &&std::sync::Arc<_>| {
        let entry: &crate::engine::view::AlertView = entry;
        entry.alert.mint == subject.token.mint && entry.alert.state != State::Retracted
    };
    for entry in draw.model.view.latest_alerts().filter(of_token) {
        put(entry.alert.recv_us.div_euclid(1_000), "!", alerts::style(entry, draw));
    }
}

fn last_trades(buffer: &mut Buffer, area: Rect, subject: &Subject<'_>, draw: &Draw<'_>) {
    let (theme, ascii, prices) = (draw.theme, draw.glyphs.ascii, &subject.token.prices);
    let right = format!("last {} trades, SOL", count(prices.len() as u64));
    let inner = pane::frame(buffer, area, Title { name: "Price", right: &right, focused: false }, draw);
    if prices.is_empty() {
        return pane::sentence(buffer, inner, "No price has been seen yet.", draw);
    }
    let axis = AXIS.min(inner.width);
    let plot = Rect { width: inner.width.saturating_sub(1), ..inner };
    let style = change_style(subject.token.change_5m_pct, draw);
    let Some((low, high)) = spark::line(buffer, after(plot, axis), prices, style, ascii) else { return };
    let scale = Rect { width: axis.saturating_sub(1), ..inner };
    text_right(buffer, line(scale, 0), &sol(Some(f64::from(high)), ascii), theme.dim);
    text_right(buffer, line(scale, inner.height.saturating_sub(1)), &sol(Some(f64::from(low)), ascii), theme.dim);
}
