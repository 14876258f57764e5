//! The lists of a token's page: trades, venues, traders, apps, alerts.

use std::{fmt::Write, sync::Arc};

use ratatui::{buffer::Buffer, layout::Rect};

use super::Subject;
use crate::{
    engine::view::{AppView, SizesView, TradeView, TraderView},
    ui::{
        action::Action,
        draw::Draw,
        format::{UNKNOWN, compact, scaled, short, sol},
        page::Section,
        panes::{alerts, liquidity, trades},
        widgets::{
            after,
            pane::{self, Title},
            table::{self, Column, Selected, page},
            text, text_right,
        },
    },
};

const TRADES: [Column<trades::Field>; 10] = [
    Column::number(trades::Field::Age, "age", 3, 0),
    Column::words(trades::Field::Side, "side", 6, 0),
    Column::number(trades::Field::Sol, "SOL", 7, 0),
    Column::number(trades::Field::Base, "tokens", 7, 1),
    Column::number(trades::Field::Price, "price", 8, 1),
    Column::number(trades::Field::Cap, "mcap SOL", 8, 3),
    Column::number(trades::Field::Room, "room", 7, 2),
    Column::words(trades::Field::User, "trader", 9, 0),
    Column::words(trades::Field::Venue, "venue", 9, 4).growing(1),
    Column::words(trades::Field::Signature, "transaction", 11, 5),
];

const VENUES: [Column<liquidity::Field>; 10] = [
    Column::words(liquidity::Field::Venue, "venue", 12, 0).growing(1),
    Column::words(liquidity::Field::Pool, "pool", 9, 3),
    Column::number(liquidity::Field::Price, "price", 8, 0),
    Column::number(liquidity::Field::Divergence, "diverg.", 7, 1),
    Column::number(liquidity::Field::Worth, "TVL SOL", 8, 0),
    Column::number(liquidity::Field::Up, "+2% SOL", 8, 2),
    Column::number(liquidity::Field::Down, "-2% SOL", 8, 2),
    Column::number(liquidity::Field::Fee, "fee bp", 6, 4),
    Column::number(liquidity::Field::Trades, "trades", 6, 2),
    Column::words(liquidity::Field::Chain, "chain", 8, 1),
];

const ALERTS: [Column<alerts::Field>; 7] = [
    Column::number(alerts::Field::Age, "age", 3, 0),
    Column::words(alerts::Field::Class, "class", 15, 0).growing(1),
    Column::number(alerts::Field::Sure, "sure", 4, 0),
    Column::words(alerts::Field::State, "state", 11, 2),
    Column::number(alerts::Field::Lost, "lost SOL", 8, 1),
    Column::number(alerts::Field::Profit, "profit", 8, 3),
    Column::words(alerts::Field::Attacker, "attacker", 11, 4),
];

#[derive(Clone, Copy)]
enum Trader {
    Wallet,
    Buys,
    Sells,
    Spent,
    Received,
    Net,
    Realised,
    Last,
}

const TRADERS: [Column<Trader>; 8] = [
    Column::words(Trader::Wallet, "wallet", 11, 0).growing(1),
    Column::number(Trader::Buys, "buys", 5, 1),
    Column::number(Trader::Sells, "sells", 5, 1),
    Column::number(Trader::Spent, "spent", 7, 0),
    Column::number(Trader::Received, "got SOL", 7, 0),
    Column::number(Trader::Net, "holds", 7, 2),
    Column::number(Trader::Realised, "realised", 8, 0),
    Column::number(Trader::Last, "last", 4, 3),
];

#[derive(Clone, Copy)]
enum App {
    Name,
    Buys,
    Sells,
    Volume,
}

const APPS: [Column<App>; 4] = [
    Column::words(App::Name, "app", 12, 0).growing(1),
    Column::number(App::Buys, "buys", 6, 1),
    Column::number(App::Sells, "sells", 6, 1),
    Column::number(App::Volume, "SOL", 7, 0),
];

/// Draws one list of the page.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, section: Section, subject: &Subject<'_>, draw: &Draw<'_>) {
    let list = List { section, area, draw };
    let mint = subject.token.mint;
    match (section, subject.detail) {
        (Section::Trades, Some(detail)) => {
            list.trades(buffer, detail.trades.iter().rev().map(Arc::as_ref), &sizes(&detail.sizes));
        }
        (Section::Trades, None) => {
            let of_token = draw.model.view.trades.entries.iter().rev().filter(|trade| trade.mint == mint);
            list.trades(buffer, of_token.map(Arc::as_ref), "newest first");
        }
        (Section::Alerts, _) => {
            let of_token = draw.model.view.latest_alerts().filter(|entry| entry.alert.mint == mint);
            let words = ("newest first", "No alert about it.");
            list.table(buffer, &ALERTS, of_token.map(Arc::as_ref), words, alerts::cell);
        }
        (Section::Venues | Section::Traders | Section::Apps, None) => {
            let inner = list.frame(buffer, "");
            pane::sentence(buffer, inner, "Not in the view shown: it is gathered while the page is open.", draw);
        }
        (Section::Venues, Some(detail)) => {
            let words = ("deepest first", "No venue is known.");
            list.table(buffer, &VENUES, detail.venues.iter().map(Arc::as_ref), words, liquidity::cell);
        }
        (Section::Traders, Some(detail)) => {
            let right = format!("of {}, by turnover", compact(detail.traders as u64));
            list.table(buffer, &TRADERS, detail.top_traders.iter(), (&right, UNTRADED), trader_cell);
        }
        (Section::Apps, Some(detail)) => {
            list.table(buffer, &APPS, detail.apps.iter(), ("by volume", UNTRADED), app_cell);
        }
    }
}

const UNTRADED: &str = "Nobody has traded it yet.";

struct List<'a> {
    section: Section,
    area: Rect,
    draw: &'a Draw<'a>,
}

impl List<'_> {
    fn frame(&self, buffer: &mut Buffer, right: &str) -> Rect {
        let model = self.draw.model;
        let focused = model.page.section == self.section;
        let keys = format!("{right}  {} for more", model.keys.first(Action::NextPane));
        let right = if focused { keys.trim_start() } else { right };
        let title = Title { name: self.section.name(), right, focused: false };
        pane::frame(buffer, self.area, title, self.draw)
    }

    /// Draws the first rows; what they are ordered by stands in the frame, and what it means that there are none instead.
    fn table<'r, C: Copy, R: 'r>(
        &self,
        buffer: &mut Buffer,
        columns: &[Column<C>],
        rows: impl Iterator<Item = &'r R>,
        (right, empty): (&str, &str),
        cell: impl Fn(&mut Buffer, Rect, &R, C, &Draw<'_>),
    ) {
        let inner = self.frame(buffer, right);
        let rows: Vec<&R> = rows.take(page(inner)).collect();
        if rows.is_empty() {
            return pane::sentence(buffer, inner, empty, self.draw);
        }
        table::draw(buffer, inner, columns, 0..rows.len(), Selected::No, self.draw, |buffer, place, row, field| {
            if let Some(row) = rows.get(row) {
                cell(buffer, place, row, field, self.draw);
            }
        });
    }

    fn trades<'r>(&self, buffer: &mut Buffer, rows: impl Iterator<Item = &'r TradeView>, right: &str) {
        let words = (right, "None of the trades kept is of this token.");
        self.table(buffer, &TRADES, rows, words, trades::cell);
    }
}

/// How many trades were below so many SOL, of all since the token was first seen.
fn sizes(sizes: &SizesView) -> String {
    let mut words = String::new();
    for band in sizes.bands.iter().filter(|band| band.trades > 0) {
        let bound = band.below_sol.map_or_else(|| "more".to_owned(), |below| format!("<{below}"));
        let _ = write!(words, "{bound}:{} ", compact(band.trades.into()));
    }
    format!("{}{}", if words.is_empty() { "" } else { "SOL " }, words.trim_end())
}

fn trader_cell(buffer: &mut Buffer, place: Rect, trader: &TraderView, field: Trader, draw: &Draw<'_>) {
    let (theme, ascii) = (draw.theme, draw.glyphs.ascii);
    let known = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), scaled);
    match field {
        Trader::Wallet => {
            let mut taken = text(buffer, place, &short(&trader.wallet.to_string(), ascii), theme.text);
            if draw.model.mutes.is_watched(&trader.wallet) {
                taken += 1 + text(buffer, after(place, taken + 1), draw.glyphs.star, theme.accent);
            }
            if trader.creator {
                text(buffer, after(place, taken + 1), "creator", theme.warn);
            }
        }
        Trader::Buys => text_right(buffer, place, &compact(trader.buys.into()), theme.buy),
        Trader::Sells => text_right(buffer, place, &compact(trader.sells.into()), theme.sell),
        Trader::Spent => text_right(buffer, place, &scaled(trader.spent_sol), theme.text),
        Trader::Received => text_right(buffer, place, &scaled(trader.received_sol), theme.text),
        Trader::Net => text_right(buffer, place, &known(trader.net), theme.text),
        Trader::Realised => {
            let style = match trader.realised_sol {
                Some(gain) if gain > 0.0 => theme.good,
                Some(loss) if loss < 0.0 => theme.bad,
                _ => theme.dim,
            };
            text_right(buffer, place, &sol(trader.realised_sol, ascii), style);
        }
        Trader::Last => {
            text_right(buffer, place, &draw.clock.age(Some(i64::from(trader.last_s) * 1_000)), theme.dim);
        }
    }
}

fn app_cell(buffer: &mut Buffer, place: Rect, app: &AppView, field: App, draw: &Draw<'_>) {
    let theme = draw.theme;
    match field {
        App::Name => {
            text(buffer, place, app.app.unwrap_or("unknown"), theme.text);
        }
        App::Buys => text_right(buffer, place, &compact(app.buys.into()), theme.buy),
        App::Sells => text_right(buffer, place, &compact(app.sells.into()), theme.sell),
        App::Volume => text_right(buffer, place, &scaled(app.volume_sol), theme.text),
    }
}
