//! One alert with all that is needed to check it: who, whom, how much, how sure, why.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    chain::ids::WRAPPED_SOL,
    decode::event::Side,
    engine::view::AlertView,
    mev::alert::{AlertId, AlertLeg, PathPoint, Role, Victim},
    ui::{
        draw::Draw,
        format::{UNKNOWN, change, compact, count, share, short, sol, time_of_day},
        panes::{
            alerts::{class, in_sol, state_style, style},
            tokens::symbol,
        },
        widgets::{
            after, line,
            pane::{self, Title},
            spark,
            table::{self, Column, Selected, page},
            text, text_right, words, wrapped,
        },
    },
};

#[derive(Clone, Copy)]
enum Field {
    Role,
    Slot,
    Index,
    Side,
    Quote,
    Base,
    Lost,
    Slack,
    Fees,
    Tip,
    User,
    Signature,
}

const COLUMNS: [Column<Field>; 12] = [
    Column::words(Field::Role, "leg", 6, 0),
    Column::number(Field::Slot, "slot", 11, 1),
    Column::number(Field::Index, "index", 5, 1),
    Column::words(Field::Side, "side", 6, 0),
    Column::number(Field::Quote, "SOL", 8, 0),
    Column::number(Field::Base, "base units", 10, 3),
    Column::number(Field::Lost, "lost SOL", 8, 0),
    Column::number(Field::Slack, "limit used", 10, 4),
    Column::number(Field::Fees, "fees SOL", 8, 5),
    Column::number(Field::Tip, "tip SOL", 8, 5),
    Column::words(Field::User, "who", 11, 0),
    Column::words(Field::Signature, "transaction", 11, 2).growing(1),
];

/// Fewest columns in which the figures and the price stand side by side.
const SIDE_BY_SIDE: u16 = 100;
/// Width of the labels.
const LABEL: u16 = 9;

/// Draws the page of an alert.
pub fn draw(buffer: &mut Buffer, area: Rect, id: AlertId, draw: &Draw<'_>) {
    let Some(entry) = draw.model.alert_by_id(id) else {
        let inner = pane::frame(buffer, area, Title { name: "Alert", right: "", focused: true }, draw);
        return pane::sentence(buffer, inner, "This alert is no longer among those kept in memory.", draw);
    };
    let alert = &entry.alert;
    let frame = if draw.boxed { 2 } else { 1 };
    // The legs come first: they are what can be checked.
    let legs = u16::try_from(alert.legs.len()).unwrap_or(u16::MAX).max(1).saturating_add(1 + frame);
    let name = format!("{} on {}", class(entry), symbol(entry.symbol.as_str()));
    let title = Title { name: &name, right: "", focused: true };
    let side_by_side = area.width >= SIDE_BY_SIDE;
    let left_width = if side_by_side { (area.width / 2).min(88) } else { area.width };
    let facts = facts(entry, left_width.saturating_sub(4 + LABEL), draw);
    let wanted = u16::try_from(facts.len()).unwrap_or(u16::MAX).saturating_add(frame);
    let rest = area.height.saturating_sub(legs.min(area.height / 2));
    let upper_height = if side_by_side { wanted.max(12).min(rest) } else { wanted.min(rest) };
    let upper = Rect { height: upper_height, ..area };
    let inner = pane::frame(buffer, Rect { width: left_width, ..upper }, title, draw);
    lines(buffer, inner, &facts, draw);
    let mut below = Rect { y: area.y + upper_height, height: area.height - upper_height, ..area };
    if side_by_side {
        price(buffer, after(upper, left_width + u16::from(!draw.boxed)), alert.path.as_deref(), draw);
    } else if below.height > legs.saturating_add(4 + frame) && alert.path.is_some() {
        let chart = Rect { height: below.height - legs, ..below };
        price(buffer, chart, alert.path.as_deref(), draw);
        below = Rect { y: chart.bottom(), height: legs, ..below };
    }
    table(buffer, below, entry, draw);
}

/// So many of them.
fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

type Fact = (&'static str, String, Style);

fn facts(entry: &AlertView, width: u16, draw: &Draw<'_>) -> Vec<Fact> {
    let (theme, ascii, alert) = (draw.theme, draw.glyphs.ascii, &entry.alert);
    let mut facts: Vec<Fact> = vec![(
        "state",
        format!("{}, {} {}", alert.state.name(), share(Some(alert.confidence)), alert.band().name()),
        state_style(alert.state, draw),
    )];
    if alert.victims.is_empty() {
        // A launch, a dump or a habit: nobody's order was made worse, and what is known is what was traded.
        let traded = alert.legs.iter().fold(0_u64, |sum, leg| sum.saturating_add(leg.quote));
        let traded = i64::try_from(traded).ok().filter(|_| !alert.legs.is_empty());
        if traded.is_some() {
            let legs = counted(alert.legs.len() as u64, "leg");
            let words = format!("{} in the {legs} shown", amount(entry, traded, ascii));
            facts.push(("traded", words, style(entry, draw)));
        }
    } else {
        let victims = counted(alert.victims.len() as u64, "victim");
        let lost = format!("{} by {victims}", amount(entry, alert.victim_loss, ascii));
        facts.push(("lost", lost, style(entry, draw)));
    }
    if alert.profit.is_some() {
        facts.push(("profit", format!("{} after fees and tips", amount(entry, alert.profit, ascii)), theme.strong));
    }
    if alert.open_inventory > 0 {
        facts.push(("open", format!("{} base units not closed", compact(alert.open_inventory)), theme.dim));
    }
    for one in &alert.attackers {
        let tie = if facts.iter().any(|(label, ..)| *label == "attacker") {
            format!("  by {}", one.link.name().replace('_', " "))
        } else {
            String::new()
        };
        let watched = if draw.model.mutes.is_watched(&one.wallet) { "  watched" } else { "" };
        facts.push(("attacker", format!("{}{tie}{watched}", one.wallet), theme.accent));
    }
    if let Some(record) = entry.record {
        #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
        let profit = record.profit as f64 / 1e9;
        let unpriced = match record.unpriced {
            0 => String::new(),
            some => format!(", {some} without a known profit"),
        };
        let words = format!(
            "{}, {} of them attacks; {} SOL profit in all{unpriced}",
            counted(record.alerts.into(), "alert"),
            record.attacks,
            sol(Some(profit), ascii)
        );
        facts.push(("record", words, theme.text));
    }
    facts.push(("mint", alert.mint.to_string(), theme.text));
    facts.push(("pool", format!("{} on {}", alert.pool, alert.venue.name()), theme.dim));
    if !alert.chain_ok {
        let words = "trades between the legs were missed: the confidence is held down";
        facts.push(("chain", words.to_owned(), theme.warn));
    }
    let at_ms = alert.recv_us.div_euclid(1_000);
    let seen = format!(
        "{} UTC  {}, found in {} us, revision {}",
        time_of_day(at_ms),
        draw.clock.age(Some(at_ms)),
        count(alert.detect_us),
        alert.revision
    );
    facts.push(("seen", seen, theme.dim));
    let reasons: Vec<String> = alert
        .reasons
        .iter()
        .map(|reason| {
            #[allow(clippy::cast_possible_truncation, reason = "raw units, far below 2^53")]
            let value = match reason.code {
                "volume" => amount(entry, Some(reason.value as i64), ascii).replace(' ', "_"),
                _ if reason.value.fract() == 0.0 || reason.value.abs() >= 100.0 => format!("{:.0}", reason.value),
                _ => format!("{:.2}", reason.value),
            };
            // A name and its value stay on one line.
            format!("{}_{value}", reason.code)
        })
        .collect();
    for (index, part) in wrapped(&reasons.join(", "), width).into_iter().enumerate() {
        facts.push((if index == 0 { "why" } else { "" }, part.replace('_', " "), theme.text));
    }
    facts
}

fn amount(entry: &AlertView, amount: Option<i64>, ascii: bool) -> String {
    match (amount, entry.alert.quote_mint == WRAPPED_SOL) {
        (None, _) => format!("{UNKNOWN} (cannot be replayed)"),
        (Some(_), true) => format!("{} SOL", sol(in_sol(entry, amount), ascii)),
        (Some(units), false) => format!("{units} units of {}", short(&entry.alert.quote_mint.to_string(), ascii)),
    }
}

/// Draws the facts; what finds no room is counted in the last line.
fn lines(buffer: &mut Buffer, inner: Rect, facts: &[Fact], draw: &Draw<'_>) {
    let inner = Rect { width: inner.width.saturating_sub(2), ..after(inner, 1) };
    let room = usize::from(inner.height);
    let shown = if facts.len() > room { room.saturating_sub(1) } else { facts.len() };
    for (index, (label, value, style)) in (0..).zip(facts.iter().take(shown)) {
        text(buffer, line(inner, index), label, draw.theme.dim);
        words(buffer, after(line(inner, index), LABEL), value, *style, &draw.glyphs);
    }
    if shown < facts.len() {
        let more = format!("{} more lines in a larger terminal", facts.len() - shown);
        text(buffer, line(inner, inner.height.saturating_sub(1)), &more, draw.theme.dim);
    }
}

/// Draws the price through the attack, as it was and as it would have been.
fn price(buffer: &mut Buffer, area: Rect, path: Option<&[PathPoint]>, draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let title = Title { name: "Price", right: "solid: as it was; dots: without the attack", focused: false };
    let inner = pane::frame(buffer, area, title, draw);
    let start = path.and_then(|path| path.first()).map(|first| first.without).filter(|start| *start > 0.0);
    let (Some(path), Some(start)) = (path, start) else {
        let words =
            "Not replayed: this class has no legs around others' trades, or the pool's arithmetic is not known.";
        return pane::sentence(buffer, inner, words, draw);
    };
    if inner.height < 3 {
        return;
    }
    #[allow(clippy::cast_possible_truncation, reason = "drawn")]
    let percent = |price: f64| ((price / start - 1.0) * 100.0) as f32;
    // Both begin where the pool stood before the first leg.
    let with: Vec<f32> =
        std::iter::once(0.0).chain(path.iter().map(|point| point.with.map_or(f32::NAN, percent))).collect();
    let without: Vec<f32> = std::iter::once(0.0).chain(path.iter().map(|point| percent(point.without))).collect();
    let axis = 9.min(inner.width);
    let plot = Rect { width: inner.width.saturating_sub(axis + 1), height: inner.height - 1, ..after(inner, axis) };
    let series = [
        spark::Line { values: &without, style: theme.good, dotted: true },
        spark::Line { values: &with, style: theme.bad, dotted: false },
    ];
    if let Some((low, high)) = spark::lines(buffer, plot, &series, ascii) {
        let scale = Rect { width: axis.saturating_sub(1), ..inner };
        text_right(buffer, line(scale, 0), &change(Some(high.into())), theme.dim);
        text_right(buffer, line(scale, plot.height.saturating_sub(1)), &change(Some(low.into())), theme.dim);
    }
    let foot = Rect { y: plot.bottom(), height: 1, ..plot };
    for (index, point) in path.iter().enumerate() {
        let (sign, style) = match point.role {
            Role::Front => ("F", theme.bad),
            Role::Back => ("B", theme.bad),
            Role::Victim => ("V", theme.strong),
            Role::Other => (".", theme.dim),
        };
        let x = spark::cell_of(index + 1, with.len(), plot.width);
        text(buffer, Rect { width: 1, ..after(foot, x.min(plot.width.saturating_sub(1))) }, sign, style);
    }
    text_right(buffer, Rect { width: axis.saturating_sub(1), ..line(inner, inner.height - 1) }, "leg", theme.dim);
}

/// Draws the legs in pool order.
fn table(buffer: &mut Buffer, area: Rect, entry: &AlertView, draw: &Draw<'_>) {
    let legs = &entry.alert.legs;
    let frame = if draw.boxed && area.height >= 3 { 2 } else { 1 };
    let room = usize::from(area.height.saturating_sub(frame + 1));
    let right = if legs.len() > room { format!("first {room} of {}", legs.len()) } else { String::new() };
    let title = Title { name: "Legs in the order of the pool", right: &right, focused: false };
    let inner = pane::frame(buffer, area, title, draw);
    if legs.is_empty() {
        return pane::sentence(buffer, inner, "This class has no legs: see the reasons.", draw);
    }
    let rows = 0..legs.len().min(page(inner));
    table::draw(buffer, inner, &COLUMNS, rows, Selected::No, draw, |buffer, place, row, field| {
        if let Some(leg) = legs.get(row) {
            cell(buffer, place, leg, field, entry, draw);
        }
    });
}

fn cell(buffer: &mut Buffer, place: Rect, leg: &AlertLeg, field: Field, entry: &AlertView, draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let role = match leg.role {
        Role::Front | Role::Back => theme.bad,
        Role::Victim => theme.strong,
        Role::Other => theme.dim,
    };
    let quote = |units: u64| sol(in_sol(entry, i64::try_from(units).ok()), ascii);
    #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
    let lamports = |lamports: u64| sol(Some(lamports as f64 / 1e9), ascii);
    let victim = || -> Option<&Victim> {
        let of_leg = |victim: &&Victim| victim.signature == leg.signature && victim.user == leg.user;
        entry.alert.victims.iter().find(of_leg).filter(|_| leg.role == Role::Victim)
    };
    match field {
        Field::Role => {
            text(buffer, place, leg.role.name(), role);
        }
        Field::Slot => text_right(buffer, place, &count(leg.slot), theme.dim),
        Field::Index => text_right(buffer, place, &leg.tx_index.to_string(), theme.dim),
        Field::Side => {
            let (sign, style) = match leg.side {
                Side::Buy => (draw.glyphs.up, theme.buy),
                Side::Sell => (draw.glyphs.down, theme.sell),
            };
            let taken = text(buffer, place, sign, style);
            text(buffer, after(place, taken + 1), leg.side.name(), style);
        }
        Field::Quote => text_right(buffer, place, &quote(leg.quote), theme.text),
        Field::Base => text_right(buffer, place, &compact(leg.base), theme.text),
        Field::Lost => {
            if let Some(victim) = victim() {
                text_right(buffer, place, &sol(in_sol(entry, victim.loss), ascii), theme.warn);
            }
        }
        Field::Slack => {
            if let Some(victim) = victim() {
                text_right(buffer, place, &share(victim.slack_use), theme.text);
            }
        }
        Field::Fees => text_right(buffer, place, &quote(leg.fees), theme.dim),
        Field::Tip => text_right(buffer, place, &lamports(leg.tip), theme.dim),
        Field::User => {
            let taken = text(buffer, place, &short(&leg.user.to_string(), ascii), role);
            if draw.model.mutes.is_watched(&leg.user) {
                text(buffer, after(place, taken + 1), draw.glyphs.star, theme.accent);
            }
        }
        Field::Signature => {
            text(buffer, place, &short(&leg.signature.to_string(), ascii), theme.dim);
        }
    }
}
