//! One token: its figures, its price over time, and lists of all that is known about it.

mod chart;
mod figures;
mod lists;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    chain::ids::Mint,
    engine::view::{TokenDetail, TokenView},
    ui::{
        dividers::{Divider, Dividers},
        draw::Draw,
        page::Section,
        panes::tokens::symbol,
        widgets::pane::{self, Title},
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
    let gap = u16::from(!draw.boxed);
    let usual = (area.width * 2 / 5).clamp(38, 66).min(area.width);
    let dividers = &draw.model.dividers;
    let (left, right) = dividers.beside(area, Divider::Chart, usual, gap);
    let facts = figures::facts(&subject, left.width.saturating_sub(4), draw);
    let wanted = u16::try_from(facts.len()).unwrap_or(u16::MAX).saturating_add(frame);
    let all = area.width >= ALL_AT_ONCE.0 && area.height >= ALL_AT_ONCE.1;
    // The lists keep a part of the page, however much there is to say.
    let height = wanted.min(if all { area.height / 2 } else { (area.height * 3 / 5).max(area.height.min(6)) });
    let [left, right] = [left, right].map(|side| Rect { height, ..side });
    let name = format!("{} {}", symbol(token.symbol.as_str()), token.name.as_str());
    let inner = pane::frame(buffer, left, Title { name: name.trim(), right: "", focused: true }, draw);
    figures::draw(buffer, inner, &facts, draw);
    chart::draw(buffer, right, &subject, draw);
    let lower = Rect { y: area.y + height, height: area.height - height, ..area };
    if !all {
        return lists::draw(buffer, lower, section, &subject, draw);
    }
    for (section, place) in places(lower, gap, dividers) {
        lists::draw(buffer, place, section, &subject, draw);
    }
}

/// Where the lists stand when there is room for all.
fn places(area: Rect, gap: u16, dividers: &Dividers) -> [(Section, Rect); 5] {
    let upper = Rect { height: (area.height * 2 / 5).clamp(5, 11).min(area.height), ..area };
    let lower = Rect { y: area.y + upper.height, height: area.height - upper.height, ..area };
    let (venues, traders) = dividers.beside(upper, Divider::Traders, area.width / 2, gap);
    let (trades, side) = dividers.beside(lower, Divider::Trades, area.width * 3 / 5, gap);
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
