//! The first line: where the data comes from and how the whole stream is doing.

use std::fmt::Write;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    engine::view::{ParseView, SolUsdState, SolUsdView, SourceKind},
    ui::{
        draw::Draw,
        format::{self, UNKNOWN, count, megabytes, percent, rate, time_of_day},
        panes::completeness::complete_percent,
        widgets::{after, text, text_right, width},
    },
};

/// Draws the header.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (theme, view) = (draw.theme, &draw.model.view);
    let (word, badge) = match view.source.kind {
        SourceKind::Live => (" LIVE ", theme.badge_live),
        SourceKind::Demo => (" DEMO ", theme.badge_demo),
        SourceKind::Replay => (" REPLAY ", theme.badge_replay),
    };
    let mut taken = text(buffer, area, word, badge);
    if draw.model.frozen {
        let mut words = " FROZEN ".to_owned();
        if area.width >= 80 {
            words.push_str(&time_of_day(view.now_ms));
            words.push(' ');
        }
        if let Some(newest) = &draw.model.waiting {
            let behind = newest.now_ms.saturating_sub(view.now_ms).max(0);
            let trades = newest.totals.trades.saturating_sub(view.totals.trades);
            let _ = write!(words, "-{} +{}", format::wait(u64::try_from(behind).ok()), format::compact(trades));
            words.push_str(if area.width >= 100 { " trades " } else { " " });
        }
        taken += text(buffer, after(area, taken), &words, theme.badge_frozen);
    } else if view.finished {
        taken += text(buffer, after(area, taken), " ENDED ", theme.badge_frozen);
    }
    let source = match view.source.kind {
        SourceKind::Demo => String::new(),
        _ => format!(" {}", view.source.provider),
    };
    let up = format!("up {} ", draw.clock.uptime(view.uptime_s, view.now_ms));
    let room = Rect { width: area.width.saturating_sub(taken + width(&up)), ..after(area, taken) };
    text_right(buffer, after(area, taken + room.width), &up, theme.dim);

    let totals = &view.totals;
    // What no stream has confirmed for seconds is marked.
    let stale = if draw.all_silent() { "~" } else { "" };
    let slot = format!("{stale}{}", totals.slot.map_or_else(|| UNKNOWN.to_owned(), count));
    let behind = stale.to_owned() + &totals.slots_behind.map_or_else(|| UNKNOWN.to_owned(), format::compact);
    let tps = format!("{stale}{}", rate(totals.tps));
    let volume = format!("{stale}{}", megabytes(totals.bytes_per_s));
    let shares = stale.to_owned() + &percent(totals.parsed.all.percent());
    let parse = parsed(&totals.parsed.all);
    let whole = stale.to_owned() + &percent(complete_percent(&view.completeness));
    let lost = view.completeness.counts.lost > 0;
    // Rank 0 is never left out; of the others, the highest goes first when the line is too short.
    let narrowed = view.narrowed_to.len().to_string();
    let mut items = vec![
        (0, "slot", slot.as_str(), "", theme.text),
        (
            2,
            "behind",
            behind.as_str(),
            "",
            if totals.slots_behind.is_some_and(|n| n > 8) { theme.warn } else { theme.text },
        ),
        (0, "", tps.as_str(), "tx/s", theme.strong),
        (3, "", volume.as_str(), "MB/s", theme.text),
        (
            0,
            "parse",
            shares.as_str(),
            "",
            if totals.parsed.all.decoded < totals.parsed.all.expected { theme.warn } else { theme.good },
        ),
        (5, "", parse.as_str(), "", theme.dim),
        (1, "complete", whole.as_str(), "", if lost { theme.bad } else { theme.text }),
        (6, "", view.source.commitment, "", theme.dim),
    ];
    let usd = sol_usd(view.sol_usd);
    if !usd.is_empty() {
        let style = if view.sol_usd.state == SolUsdState::Live { theme.text } else { theme.warn };
        items.push((4, "SOL", usd.as_str(), "", style));
    }
    if !view.narrowed_to.is_empty() {
        let unit = if view.narrowed_to.len() == 1 { "token" } else { "tokens" };
        items.insert(0, (0, "only", narrowed.as_str(), unit, theme.warn));
    }
    let size = |label: &str, value: &str, unit: &str| {
        3 + width(value) + [label, unit].iter().map(|word| u16::from(!word.is_empty()) + width(word)).sum::<u16>()
    };
    while items.iter().map(|(_, label, value, unit, _)| u32::from(size(label, value, unit))).sum::<u32>()
        + u32::from(width(&source))
        > u32::from(room.width)
    {
        let Some(highest) = items.iter().map(|item| item.0).max().filter(|rank| *rank > 0) else { break };
        items.retain(|item| item.0 != highest);
    }
    let mut x = text(buffer, room, &source, theme.strong);
    for (_, label, value, unit, style) in items {
        x += text(buffer, after(room, x), "  ", theme.dim);
        if !label.is_empty() {
            x += text(buffer, after(room, x), label, theme.dim) + 1;
        }
        x += text(buffer, after(room, x), value, style);
        if !unit.is_empty() {
            x += 1 + text(buffer, after(room, x + 1), unit, theme.dim);
        }
        x += 1;
    }
}

/// The price of SOL, and what it is where it is not that of the moment; empty while none is known.
fn sol_usd(view: SolUsdView) -> String {
    let Some(price) = view.price else { return String::new() };
    match view.state {
        SolUsdState::Live | SolUsdState::Unknown => format!("${price:.1}"),
        SolUsdState::Assumed | SolUsdState::Stale => format!("${price:.1} {}", view.state.name()),
    }
}

/// `decoded/expected`, so that the percentage can be judged.
fn parsed(parse: &ParseView) -> String {
    format!("{}/{}", count(parse.decoded), count(parse.expected))
}
