//! What the front end knows: the view shown, where the user is, what is selected. Nothing here draws.

mod lists;
mod selection;

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};

use ratatui::layout::Rect;

use crate::{
    chain::{
        group::Group,
        ids::{Mint, Pool},
    },
    engine::view::{TradeView, View},
    mev::alert::AlertId,
    stream::status::{RebalancePlan, Throttle},
};

pub use super::place::{Mode, Pane, Tab};

use super::{
    columns::Columns,
    dividers::Dividers,
    filter::Filter,
    format::Clock,
    history::History,
    keys::{Key, Keymap},
    logs::LogState,
    mutes::Mutes,
    page::Page,
    palette::Palette,
    theme::ThemeSource,
    typed::Typed,
};

/// What lies over the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The keys.
    Help {
        /// First row shown.
        scroll: usize,
        /// Only rows with these words are shown.
        words: Typed,
        /// Whether the words are being typed.
        typing: bool,
    },
    /// The palette.
    Palette(Palette),
    /// The themes; the chosen one is the model's.
    Themes {
        /// The theme to go back to.
        before: usize,
    },
    /// The plan of a rebalance, as it was when the key was pressed: what is applied is what was read.
    Plan(Arc<RebalancePlan>),
    /// A trade, in full.
    Trade(Arc<TradeView>),
    /// What the subscription would be narrowed to; nothing: everything is asked for again.
    Narrow {
        /// The tokens.
        mints: Vec<Mint>,
        /// Their symbols, where known.
        symbols: Vec<String>,
    },
    /// Where a group shall go.
    MoveGroup {
        /// The group.
        group: Group,
        /// Position of the chosen connection in the view's list.
        choice: usize,
    },
}

/// A line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says: our words, or text made safe.
    pub text: String,
    /// Whether something did not work.
    pub bad: bool,
    /// Whether it stays until the next key, whatever the engine has to say.
    pub stays: bool,
}

/// A list on the screen: how far it is scrolled and how many rows the last frame had room for.
#[derive(Debug, Default)]
pub struct Scroll {
    /// First row shown.
    pub offset: Cell<usize>,
    /// Rows of the last frame.
    pub page: Cell<usize>,
    /// Where the pane stood in the last frame; empty when it was not drawn.
    pub place: Cell<Rect>,
}

impl Scroll {
    /// The rows to show when there is room for `page` of `len`, moved as little as possible to hold `selected`.
    pub fn window(&self, selected: Option<usize>, len: usize, page: usize) -> std::ops::Range<usize> {
        let mut first = self.offset.get().min(len.saturating_sub(page));
        if let Some(selected) = selected.filter(|_| page > 0) {
            first = first.min(selected).max((selected + 1).saturating_sub(page));
        }
        self.offset.set(first);
        self.page.set(page);
        first..first.saturating_add(page).min(len)
    }
}

/// A throttle level on its way to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingThrottle {
    /// Which connection.
    pub connection: usize,
    /// The level asked for last.
    pub level: Throttle,
    /// Whether the engine was told.
    pub sent: bool,
}

/// Everything the front end knows.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Model {
    /// What is shown; older than the engine's newest while frozen.
    pub view: Arc<View>,
    /// When `view` arrived.
    pub received: Instant,
    /// Whether new views are left aside.
    pub frozen: bool,
    /// The tab shown.
    pub tab: Tab,
    /// The pane that has the focus on each tab, as position in [`Tab::panes`].
    pub focus: [usize; Tab::ALL.len()],
    /// Whether the focused pane has the whole body.
    pub zoomed: bool,
    /// The selected connection's position.
    pub connection: usize,
    /// The selected group's position.
    pub group: usize,
    /// The selected token; stays selected wherever it moves.
    pub token: Option<Mint>,
    /// Row of the selected token when last seen, for when it leaves the list.
    pub token_row: usize,
    /// The selected trade's number; `None` follows the newest.
    pub trade: Option<u64>,
    /// The selected lifecycle entry's number; `None` follows the newest.
    pub step: Option<u64>,
    /// The selected undecoded row.
    pub undecoded: usize,
    /// The selected row of the decoding figures.
    pub decoding: usize,
    /// The selected pool; stays selected wherever it moves. `None` until one is chosen: the first is.
    pub pool: Option<Pool>,
    /// Row of the selected pool when last seen, for when it leaves the list.
    pub pool_row: usize,
    /// The selected alert; `None` follows the first row.
    pub alert: Option<AlertId>,
    /// Row of the selected alert when last seen, for when it leaves the list.
    pub alert_row: usize,
    /// The alert whose page is open.
    pub evidence: Option<AlertId>,
    /// What is not to be seen of the alerts, and who is watched.
    pub mutes: Mutes,
    /// Positions in `view.alerts.entries` of the last revision of each alert shown, newest first.
    pub alerts: Vec<u32>,
    /// Alerts that `mutes` hides.
    pub hidden_alerts: usize,
    /// Where the log is scrolled to.
    pub logs: LogState,
    /// Scroll states by pane.
    pub scrolls: [Scroll; Pane::COUNT],
    /// The columns of each pane.
    pub columns: [Columns; Pane::COUNT],
    /// The lines between panes.
    pub dividers: Dividers,
    /// Columns and rows of the last frame.
    pub size: Cell<(u16, u16)>,
    /// Whether the mouse is ours; else it selects text, as the terminal does by itself.
    pub mouse: bool,
    /// The views of the last ten minutes.
    pub history: History,
    /// How far the view shown is behind the newest one that was there when it was stepped to, in milliseconds.
    pub behind_ms: i64,
    /// While frozen, the newest view when its distance was last told.
    pub waiting: Option<Arc<View>>,
    /// The token whose page is open.
    pub detail: Option<Mint>,
    /// How that page is shown.
    pub page: Page,
    /// Which tokens are shown.
    pub filter: Filter,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// What is searched for in the panes.
    pub search: Typed,
    /// Whether the search is being typed.
    pub searching: bool,
    /// Positions in `view.tokens` of the tokens shown, in order; see [`refresh`](Self::refresh).
    pub order: Vec<u32>,
    /// Positions in `view.trades.entries` of the trades shown, in order; newest first by themselves.
    pub tape: Vec<u32>,
    /// Positions in `view.pools` of the pools shown, in order.
    pub pools: Vec<u32>,
    /// Positions in `view.connections`, in order.
    pub connections: Vec<u32>,
    /// Positions in `view.groups`, in order.
    pub groups: Vec<u32>,
    /// Positions in `view.undecoded`, in order.
    pub misses: Vec<u32>,
    /// Where the headings of tables stood in the last frame, with the positions of their columns.
    pub headings: RefCell<Vec<(Rect, u8)>>,
    stale: bool,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// The newest line for the user from the front end itself.
    pub notice: Option<Notice>,
    /// The themes to choose from.
    pub themes: ThemeSource,
    /// Position of the theme among them.
    pub theme: usize,
    /// Which keys do what.
    pub keys: Keymap,
    /// Keys pressed that more have to follow.
    pub pressed: Vec<Key>,
    /// Whether only ASCII is drawn.
    pub ascii: bool,
    /// A throttle change under way.
    pub throttle: Option<PendingThrottle>,
    /// Whether an export is being written.
    pub exporting: bool,
    /// When each kind of request was last sent; see [`super::update`].
    pub sent: [Option<Instant>; 4],
    /// The newest line of the log.
    pub log_line: Option<Arc<str>>,
}

impl Model {
    /// A front end that has just started.
    #[must_use]
    pub fn new(view: Arc<View>, theme: usize, ascii: bool, now: Instant) -> Self {
        let mut model = Self {
            view,
            received: now,
            frozen: false,
            tab: Tab::Overview,
            focus: [0; Tab::ALL.len()],
            zoomed: false,
            connection: 0,
            group: 0,
            token: None,
            token_row: 0,
            trade: None,
            step: None,
            undecoded: 0,
            decoding: 0,
            pool: None,
            pool_row: 0,
            alert: None,
            alert_row: 0,
            evidence: None,
            mutes: Mutes::default(),
            alerts: Vec::new(),
            hidden_alerts: 0,
            logs: LogState::default(),
            scrolls: Default::default(),
            columns: Default::default(),
            dividers: Dividers::default(),
            size: Cell::default(),
            mouse: true,
            history: History::default(),
            behind_ms: 0,
            waiting: None,
            detail: None,
            page: Page::default(),
            filter: Filter::default(),
            typing: false,
            search: Typed::default(),
            searching: false,
            order: Vec::new(),
            tape: Vec::new(),
            pools: Vec::new(),
            connections: Vec::new(),
            groups: Vec::new(),
            misses: Vec::new(),
            headings: RefCell::default(),
            stale: true,
            overlay: None,
            notice: None,
            themes: ThemeSource::default(),
            theme,
            keys: Keymap::default(),
            pressed: Vec::new(),
            ascii,
            throttle: None,
            exporting: false,
            sent: [None; 4],
            log_line: None,
        };
        model.history.push(&model.view);
        model.refresh();
        model
    }

    /// Shows a newer view, unless frozen. Then what waits is told in the coarse steps of all ages, so that a frozen screen is
    /// nearly as still as it looks. Returns whether anything on the screen reads differently.
    pub fn take(&mut self, view: Arc<View>, now: Instant) -> bool {
        self.history.push(&view);
        if !self.frozen {
            self.waiting = None;
            self.show(view, now);
            return true;
        }
        let age = |newest: &View| Clock::at(newest.now_ms).age(Some(self.view.now_ms));
        let told = self.waiting.as_deref().unwrap_or(&self.view);
        let moved = age(told) != age(&view);
        if moved {
            self.waiting = Some(view);
        }
        moved
    }

    /// Shows this view, newer or older.
    pub fn show(&mut self, view: Arc<View>, now: Instant) {
        self.stale |= !Arc::ptr_eq(&view.tokens, &self.view.tokens)
            || !Arc::ptr_eq(&view.trades.entries, &self.view.trades.entries)
            || !Arc::ptr_eq(&view.pools, &self.view.pools)
            || !Arc::ptr_eq(&view.alerts.entries, &self.view.alerts.entries);
        if let Some(pending) = self.throttle {
            let reached = view.connections.iter().any(|connection| {
                connection.status.id == pending.connection && connection.status.throttle == pending.level
            });
            if reached && pending.sent {
                self.throttle = None;
            }
        }
        let seq = |view: &View| view.notice.as_ref().map(|(seq, _)| *seq);
        if seq(&view) > seq(&self.view) {
            // What the engine has to say is newer than the answer to the last key.
            self.notice.take_if(|notice| !notice.stays);
        }
        self.view = view;
        self.received = now;
    }

    /// The order of tokens or the filter changed.
    pub const fn touch(&mut self) {
        self.stale = true;
    }

    /// Whether a page about one thing covers the panes.
    #[must_use]
    pub const fn page_is_open(&self) -> bool {
        self.detail.is_some() || self.evidence.is_some()
    }

    /// The pane that has the focus.
    #[must_use]
    pub fn pane(&self) -> Pane {
        let panes = self.tab.panes();
        let focus = self.focus.get(self.tab as usize).copied().unwrap_or(0);
        panes.get(focus).or_else(|| panes.first()).copied().unwrap_or(Pane::Tokens)
    }

    /// What keys mean now.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match &self.overlay {
            Some(Overlay::Palette(_) | Overlay::Help { typing: true, .. }) => Mode::Typing,
            Some(_) => Mode::Overlay,
            None if self.typing || self.searching => Mode::Typing,
            None => Mode::Screen,
        }
    }

    /// The user's choice of columns in a pane.
    #[must_use]
    pub fn columns(&self, pane: Pane) -> &Columns {
        &self.columns[pane as usize]
    }

    /// The scroll state of a pane.
    #[must_use]
    pub fn scroll(&self, pane: Pane) -> &Scroll {
        &self.scrolls[pane as usize]
    }

    /// The time the screen shows: it stands still while frozen and runs on when the engine is silent.
    #[must_use]
    pub fn clock(&self, now: Instant) -> Clock {
        let since = if self.frozen { Duration::ZERO } else { now.saturating_duration_since(self.received) };
        let since_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Clock::at(self.view.now_ms.saturating_add(since_ms))
    }
}
