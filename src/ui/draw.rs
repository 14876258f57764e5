//! One frame: the model into a buffer. Pure, and cheap enough to be done thirty times a second.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::engine::view::{ConnectionView, GroupView};

use super::{
    format::Clock,
    layout::{self, Screen},
    model::{Model, Overlay, Pane, Tab},
    panes,
    theme::Theme,
    widgets::{self, Glyphs, line, text},
};

/// What everything that draws needs.
#[derive(Debug)]
pub struct Draw<'a> {
    /// What is shown.
    pub model: &'a Model,
    /// How it looks.
    pub theme: &'a Theme,
    /// Signs.
    pub glyphs: Glyphs,
    /// When.
    pub clock: &'a Clock,
    /// Whether panes have boxes; else a rule above each.
    pub boxed: bool,
}

/// A stream that has brought neither a slot nor a transaction for so long is silent, whatever it says besides, and what is
/// known by it may be stale: milliseconds.
pub const SILENT_MS: i64 = 5_000;

impl Draw<'_> {
    /// Whether this connection has been silent for [`SILENT_MS`]. A source that has ended is not silent.
    #[must_use]
    pub fn silent(&self, connection: &ConnectionView) -> bool {
        let Some(last) = connection.status.last_data_ms.filter(|_| !self.model.view.finished) else { return false };
        let silence = self.clock.now_ms.saturating_sub(last);
        if silence <= SILENT_MS {
            self.clock.expect(u64::try_from(SILENT_MS.saturating_sub(silence).saturating_add(1)).unwrap_or(1));
        }
        silence > SILENT_MS
    }

    /// Whether all the connections that carry this group are silent.
    #[must_use]
    pub fn group_silent(&self, group: &GroupView) -> bool {
        self.all(|connection| group.connections.contains(&connection.status.id))
    }

    /// Whether every connection is silent.
    #[must_use]
    pub fn all_silent(&self) -> bool {
        self.all(|_| true)
    }

    fn all(&self, of: impl Fn(&ConnectionView) -> bool) -> bool {
        let mut some = false;
        for connection in self.model.view.connections.iter().filter(|connection| of(connection)) {
            if !self.silent(connection) {
                return false;
            }
            some = true;
        }
        some
    }

    /// Whether this pane has the focus.
    #[must_use]
    pub fn focused(&self, pane: Pane) -> bool {
        self.model.pane() == pane && self.model.overlay.is_none() && !self.model.typing
    }
}

/// Draws the whole screen. The model must be [fresh](Model::refresh).
pub fn screen(buffer: &mut Buffer, model: &Model, theme: &Theme, clock: &Clock) {
    let area = buffer.area;
    model.size.set((area.width, area.height));
    buffer.set_style(area, theme.background.patch(theme.text));
    let draw = Draw { model, theme, glyphs: Glyphs::new(model.ascii), clock, boxed: layout::boxed(area) };
    let Some(screen) = layout::screen(area) else {
        return too_small(buffer, area, &draw);
    };
    panes::header::draw(buffer, screen.header, &draw);
    panes::tabs::draw(buffer, screen.tabs, &draw);
    body(buffer, &screen, &draw);
    if let Some(line) = model.dividers.held() {
        buffer.set_style(line.intersection(area), theme.focus);
    }
    panes::pipeline::draw(buffer, screen.pipeline, &draw);
    panes::message::draw(buffer, screen.message, &draw);
    panes::footer::draw(buffer, screen.footer, &draw);
    match &model.overlay {
        Some(Overlay::Help { scroll, words, typing }) => {
            panes::help::draw(buffer, area, *scroll, (words, *typing), &draw);
        }
        Some(Overlay::Palette(palette)) => panes::palette::draw(buffer, area, palette, &draw),
        Some(Overlay::Themes { .. }) => panes::themes::draw(buffer, area, &draw),
        Some(Overlay::Trade(trade)) => panes::trade::draw(buffer, area, trade, &draw),
        Some(Overlay::Plan(plan)) => panes::plan::draw(buffer, area, plan, &draw),
        Some(Overlay::Narrow { mints, symbols }) => panes::narrow::draw(buffer, area, (mints, symbols), &draw),
        Some(Overlay::MoveGroup { group, choice }) => panes::move_group::draw(buffer, area, *group, *choice, &draw),
        None => {}
    }
}

fn body(buffer: &mut Buffer, screen: &Screen, draw: &Draw<'_>) {
    let model = draw.model;
    for scroll in &model.scrolls {
        scroll.place.set(Rect::default());
    }
    model.headings.borrow_mut().clear();
    model.dividers.begin();
    if let Some(mint) = &model.detail {
        return panes::token::draw(buffer, screen.body, mint, draw);
    }
    if let Some(id) = model.evidence {
        return panes::evidence::draw(buffer, screen.body, id, draw);
    }
    if model.zoomed {
        return pane(buffer, screen.body, model.pane(), draw);
    }
    let counts = (model.view.connections.len(), model.view.groups.len());
    let places = match model.tab {
        Tab::Overview => layout::overview(screen.body, draw.boxed, counts, &model.dividers),
        Tab::Connections => layout::connections(screen.body, draw.boxed, counts, &model.dividers),
        tab => tab.panes().iter().map(|pane| (*pane, screen.body)).collect(),
    };
    for (which, area) in places {
        pane(buffer, area, which, draw);
    }
}

fn pane(buffer: &mut Buffer, area: Rect, which: Pane, draw: &Draw<'_>) {
    draw.model.scroll(which).place.set(area);
    match which {
        Pane::Connections => panes::connections::draw(buffer, area, draw),
        Pane::Budget => panes::budget::draw(buffer, area, draw),
        Pane::Groups => panes::groups::draw(buffer, area, draw),
        Pane::Tokens => panes::tokens::draw(buffer, area, draw),
        Pane::Lifecycle => panes::lifecycle::draw(buffer, area, draw),
        Pane::Alerts => panes::alerts::draw(buffer, area, draw),
        Pane::Undecoded => panes::undecoded::draw(buffer, area, draw),
        Pane::Decoding => panes::decoding::draw(buffer, area, draw),
        Pane::Trades => panes::trades::draw(buffer, area, draw),
        Pane::Liquidity => panes::liquidity::draw(buffer, area, draw),
        Pane::Completeness => panes::completeness::draw(buffer, area, draw),
        Pane::Logs => panes::logs::draw(buffer, area, draw),
    }
}

fn too_small(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (columns, rows) = layout::LEAST;
    let words = format!(
        "smart-stream-tui needs {columns} by {rows} cells; this terminal has {} by {}",
        area.width, area.height
    );
    for (index, words) in widgets::wrapped(&words, area.width).iter().enumerate() {
        text(buffer, line(area, u16::try_from(index).unwrap_or(u16::MAX)), words, draw.theme.text);
    }
}
