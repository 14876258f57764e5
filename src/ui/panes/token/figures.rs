//! What is to be said of a token in words, the most important first: what finds no room is left out from the end.

use std::fmt::Write as _;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::Subject;
use crate::{
    chain::ids::WRAPPED_SOL,
    engine::view::{CreatorView, CurveView, EtaView, MomentumView, WindowView},
    ui::{
        draw::Draw,
        format::{UNKNOWN, change, compact, count, percent, scaled, sol, wait},
        panes::tokens::change_style,
        widgets::{after, bar, line, text, text_right, words},
    },
};

/// Width of the labels.
const LABEL: u16 = 12;

/// A line.
pub(super) enum Fact {
    /// Words.
    Words(&'static str, String, Style),
    /// The share of the curve that is sold, in percent.
    Progress(f64),
}

/// The lines, for so many columns.
pub(super) fn facts(subject: &Subject<'_>, width: u16, draw: &Draw<'_>) -> Vec<Fact> {
    let room = usize::from(width.saturating_sub(LABEL));
    let (token, detail) = (subject.token, subject.detail);
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    // What is known by silent streams may have changed since.
    let stale = draw.all_silent();
    let moving = |words: String| if stale && words != UNKNOWN { format!("~{words}") } else { words };
    let strong = if stale { theme.dim } else { theme.strong };
    let unknown = || UNKNOWN.to_owned();
    let slot = token.created_slot.map_or_else(unknown, count);
    let quote = if token.quote_mint == WRAPPED_SOL { "SOL".to_owned() } else { token.quote_mint.to_string() };
    let dollars =
        |value: Option<f64>| value.map_or_else(String::new, |value| format!("  ${}", sol(Some(value), ascii)));
    let mut facts = vec![
        Fact::Words("mint", token.mint.to_string(), theme.accent),
        Fact::Words(
            "price",
            format!("{} {quote}{}", moving(sol(token.price_sol, ascii)), dollars(token.price_usd)),
            strong,
        ),
        Fact::Words(
            "market cap",
            format!("{} SOL{}", moving(sol(token.market_cap_sol, ascii)), dollars(token.market_cap_usd)),
            strong,
        ),
        Fact::Words("stage", format!("{} on {}", token.stage.name(), token.venue.name()), theme.text),
    ];
    facts.extend(token.progress_pct.map(Fact::Progress));
    if token.progress_pct.is_some() {
        facts.push(Fact::Words("sold out in", moving(eta(token.eta.as_ref())), theme.text));
    }
    if let Some(curve) = detail.and_then(|detail| detail.curve.as_ref()) {
        facts.push(Fact::Words("curve", raised(curve, ascii), theme.text));
    }
    let five = format!("{} in 5 minutes", moving(change(token.change_5m_pct)));
    facts.push(Fact::Words("change", five, change_style(token.change_5m_pct, draw)));
    facts.push(Fact::Words(
        "trades",
        row(&["SOL", "net", "buys", "sells", "by", "vwap"].map(str::to_owned), room),
        theme.dim,
    ));
    for (label, window) in ["1 minute", "5 minutes", "1 hour"].into_iter().zip(&token.windows) {
        facts.push(Fact::Words(label, flow(window, room, ascii), theme.text));
    }
    facts.push(Fact::Words("age", format!("{}  slot {slot}", draw.clock.age(token.created_ms)), theme.text));
    let more = match detail {
        Some(detail) if detail.traders_over > 0 => format!(", {} trades of more", compact(detail.traders_over)),
        _ => String::new(),
    };
    facts.push(Fact::Words(
        "since then",
        format!("{} buys, {} sells, {} traders{more}", count(token.buys), count(token.sells), compact(token.traders)),
        theme.text,
    ));
    let momentum = token.momentum.as_ref().map_or_else(unknown, |momentum| explained(momentum, token.leader));
    facts.push(Fact::Words("momentum", momentum, theme.text));
    facts.push(Fact::Words("creator", token.creator.map_or_else(unknown, |creator| creator.to_string()), theme.dim));
    let record = detail.and_then(|detail| detail.creator.as_ref()).map_or_else(unknown, record);
    facts.push(Fact::Words("its record", record, theme.text));
    facts.push(Fact::Words("pool", token.pool.map_or_else(unknown, |pool| pool.to_string()), theme.dim));
    let supply = detail.and_then(|detail| detail.supply).map_or_else(unknown, scaled);
    facts.push(Fact::Words("supply", supply, theme.dim));
    if !token.flags.is_empty() {
        // Before all that may find no room: flags are warnings.
        facts.insert(1, Fact::Words("flags", token.flags.join(" ").replace('_', " "), theme.warn));
    }
    facts
}

fn seconds(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let ms = (seconds.clamp(0.0, 1e9) * 1000.0) as u64;
    wait(Some(ms))
}

fn eta(eta: Option<&EtaView>) -> String {
    match eta {
        None => UNKNOWN.to_owned(),
        Some(eta) => {
            let high = eta.high_s.map_or_else(|| "never".to_owned(), seconds);
            format!("{}  (80% sure: {} to {high})", seconds(eta.eta_s), seconds(eta.low_s))
        }
    }
}

fn raised(curve: &CurveView, ascii: bool) -> String {
    let [raised, missing] = [curve.raised_sol, curve.missing_sol].map(|value| sol(value, ascii));
    format!("{raised} SOL raised, {missing} to go for {} tokens", scaled(curve.tokens_left))
}

fn flow(window: &WindowView, room: usize, ascii: bool) -> String {
    row(
        &[
            scaled(window.volume_sol),
            scaled(window.net_inflow_sol),
            compact(window.buys),
            compact(window.sells),
            compact(window.traders),
            sol(window.vwap_sol, ascii),
        ],
        room,
    )
}

/// Figures under each other, as many as there is room for.
fn row(figures: &[String; 6], room: usize) -> String {
    const WIDTHS: [usize; 6] = [6, 7, 6, 6, 6, 9];
    let mut words = String::new();
    let mut taken = 0;
    for (figure, width) in figures.iter().zip(WIDTHS) {
        taken += width;
        if taken > room {
            break;
        }
        let _ = write!(words, "{figure:>width$}");
    }
    words
}

fn explained(momentum: &MomentumView, leader: bool) -> String {
    format!(
        "{:.0} = inflow {:.0} + traders {:.0} + pace {:.0} + buys {:.0}{}",
        momentum.score,
        momentum.inflow,
        momentum.traders,
        momentum.pace,
        momentum.buys,
        if leader { "  leader" } else { "" }
    )
}

fn record(creator: &CreatorView) -> String {
    let CreatorView { launches, graduated, dev_sold, rugged, .. } = creator;
    format!("{launches} seen, {graduated} graduated, {dev_sold} dev sold, {rugged} rugged")
}

/// Draws the lines there is room for.
pub(super) fn draw(buffer: &mut Buffer, inner: Rect, facts: &[Fact], draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let inner = Rect { width: inner.width.saturating_sub(2), ..after(inner, 1) };
    for (index, fact) in (0..inner.height).zip(facts) {
        let place = after(line(inner, index), LABEL);
        let label = match fact {
            Fact::Words(label, value, style) => {
                words(buffer, place, value, *style, &draw.glyphs);
                label
            }
            Fact::Progress(share) => {
                let width = place.width.saturating_sub(9);
                bar::draw(buffer, Rect { width, ..place }, Some(share / 100.0), (theme.bar, theme.bar_rest), ascii);
                text_right(buffer, after(place, width), &percent(Some(*share)), theme.text);
                "progress"
            }
        };
        text(buffer, line(inner, index), label, theme.dim);
    }
}
