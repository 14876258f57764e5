//! One token: its figures, its price over time, and lists of all that is known about it.

mod chart;
mod figures;
mod lists;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    chain::ids::Mint,
    engine::view::{TokenDetail, TokenView},
    ui::{
        draw::Draw,
        page::Section,
        panes::tokens::symbol,
        widgets::{
            after,
            pane::{self, Title},
        },
    },
};

/// Fewest columns and rows in which all lists stand beside each other.
const ALL_AT_ONCE: (u16, u16) = (100, 26);
/// Rows of the apps' and the alerts' lists beside the trades, frames and headings included.
const ASIDE: u16 = 6;

/// The token of the page, with its detail once the engine has sent it.
struct Subject<'a> {
    token: &'a TokenView,
    detail: Option<&'a TokenDetail>,
}

/// Draws the page of a token.
pub fn draw(buffer: &mut Buffer, area: Rect, mint: &Mint, draw: &Draw<'_>) {
    let Some(token) = draw.model.token(mint) else {
        let inner = pane::frame(buffer, area, Title { name: "Token", right: "", focused: true }, draw);
        return pane::sentence(buffer, inner, &format!("{mint} is no longer among the tokens kept in memory."), draw);
    };
    let detail = draw.model.view.detail.as_deref().filter(|detail| detail.mint == *mint);
    let subject = Subject { token, detail };
    let section = draw.model.page.section;
    if draw.model.page.zoomed {
        return lists::draw(buffer, area, section, &subject, draw);
    }
    let frame = if draw.boxed { 2 } else { 1 };
    let left_width = (area.width * 2 / 5).clamp(38, 66).min(area.width);
    let facts = figures::facts(&subject, left_width.saturating_sub(4), draw);
    let wanted = u16::try_from(facts.len()).unwrap_or(u16::MAX).saturating_add(frame);
    let all = area.width >= ALL_AT_ONCE.0 && area.height >= ALL_AT_ONCE.1;
    // The lists keep a part of the page, however much there is to say.
    let height = wanted.min(if all { area.height / 2 } else { (area.height * 3 / 5).max(area.height.min(6)) });
    let upper = Rect { height, ..area };
    let left = Rect { width: left_width, ..upper };
    let name = format!("{} {}", symbol(token.symbol.as_str()), token.name.as_str());
    let inner = pane::frame(buffer, left, Title { name: name.trim(), right: "", focused: true }, draw);
    figures::draw(buffer, inner, &facts, draw);
    let gap = u16::from(!draw.boxed);
    chart::draw(buffer, after(upper, left.width + gap), &subject, draw);
    let lower = Rect { y: area.y + height, height: area.height - height, ..area };
    if !all {
        return lists::draw(buffer, lower, section, &subject, draw);
    }
    for (section, place) in places(lower, gap) {
        lists::draw(buffer, place, section, &subject, draw);
    }
}

/// Where the lists stand when there is room for all.
fn places(area: Rect, gap: u16) -> [(Section, Rect); 5] {
    let half = area.width / 2;
    let beside = |area: Rect, width: u16| (Rect { width, ..area }, after(area, (width + gap).min(area.width)));
    let upper = Rect { height: (area.height * 2 / 5).clamp(5, 11).min(area.height), ..area };
    let lower = Rect { y: area.y + upper.height, height: area.height - upper.height, ..area };
    let (venues, traders) = beside(upper, half);
    let (trades, side) = beside(lower, area.width * 3 / 5);
    let apps = Rect { height: ASIDE.max(side.height / 3).min(side.height), ..side };
    let alerts = Rect { y: side.y + apps.height, height: side.height - apps.height, ..side };
    [
        (Section::Venues, venues),
        (Section::Traders, traders),
        (Section::Trades, trades),
        (Section::Apps, apps),
        (Section::Alerts, alerts),
    ]
}
