//! One frame: the model into a buffer. Pure, and cheap enough to be done thirty times a second.

use ratatui::{buffer::Buffer, layout::Rect};

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

impl Draw<'_> {
    /// Whether this pane has the focus.
    #[must_use]
    pub fn focused(&self, pane: Pane) -> bool {
        self.model.pane() == pane && self.model.overlay.is_none() && !self.model.typing
    }
}

/// Draws the whole screen. The model must be [fresh](Model::refresh).
pub fn screen(buffer: &mut Buffer, model: &Model, theme: &Theme, clock: &Clock) {
    let area = buffer.area;
    buffer.set_style(area, theme.background.patch(theme.text));
    let draw = Draw { model, theme, glyphs: Glyphs::new(model.ascii), clock, boxed: layout::boxed(area) };
    let Some(screen) = layout::screen(area) else {
        return too_small(buffer, area, &draw);
    };
    panes::header::draw(buffer, screen.header, &draw);
    panes::tabs::draw(buffer, screen.tabs, &draw);
    body(buffer, &screen, &draw);
    panes::pipeline::draw(buffer, screen.pipeline, &draw);
    panes::message::draw(buffer, screen.message, &draw);
    panes::footer::draw(buffer, screen.footer, &draw);
    match &model.overlay {
        Some(Overlay::Help { scroll, words, typing }) => {
            panes::help::draw(buffer, area, *scroll, (words, *typing), &draw);
        }
        Some(Overlay::Palette(palette)) => panes::palette::draw(buffer, area, palette, &draw),
        Some(Overlay::Themes { .. }) => panes::themes::draw(buffer, area, &draw),
        Some(Overlay::Plan(plan)) => panes::plan::draw(buffer, area, plan, &draw),
        Some(Overlay::MoveGroup { group, choice }) => panes::move_group::draw(buffer, area, *group, *choice, &draw),
        None => {}
    }
}

fn body(buffer: &mut Buffer, screen: &Screen, draw: &Draw<'_>) {
    let model = draw.model;
    if let Some(mint) = &model.detail {
        return panes::token::draw(buffer, screen.body, mint, draw);
    }
    if model.zoomed {
        return pane(buffer, screen.body, model.pane(), draw);
    }
    let view = &model.view;
    let places = match model.tab {
        Tab::Overview => layout::overview(screen.body, draw.boxed, view.connections.len(), view.groups.len()),
        Tab::Connections => layout::connections(screen.body, draw.boxed, view.connections.len(), view.groups.len()),
        tab => tab.panes().iter().map(|pane| (*pane, screen.body)).collect(),
    };
    for (which, area) in places {
        pane(buffer, area, which, draw);
    }
}

fn pane(buffer: &mut Buffer, area: Rect, which: Pane, draw: &Draw<'_>) {
    match which {
        Pane::Connections => panes::connections::draw(buffer, area, draw),
        Pane::Budget => panes::budget::draw(buffer, area, draw),
        Pane::Groups => panes::groups::draw(buffer, area, draw),
        Pane::Tokens => panes::tokens::draw(buffer, area, draw),
        Pane::Lifecycle => panes::lifecycle::draw(buffer, area, draw),
        Pane::Alerts => panes::alerts::draw(buffer, area, draw),
        Pane::Undecoded => panes::undecoded::draw(buffer, area, draw),
        Pane::Trades => panes::trades::draw(buffer, area, draw),
        Pane::Liquidity => panes::liquidity::draw(buffer, area, draw),
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
