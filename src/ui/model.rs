//! What the front end knows: the view shown, where the user is, what is selected. Nothing here draws.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use ratatui::layout::Rect;

use crate::{
    chain::{
        group::Group,
        ids::{Mint, Pool},
    },
    engine::view::{AlertView, PoolView, TokenView, TradeView, View},
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
    order::{self, Sort, Value},
    page::Page,
    palette::Palette,
    panes,
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

    /// Brings the order of tokens and the tape up to date with view, filter and sort. To be called before drawing and
    /// before anything that depends on rows.
    pub fn refresh(&mut self) {
        self.order_small();
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.order.clear();
        for (index, token) in self.view.tokens.iter().enumerate() {
            if self.filter.shows_token(token, self.view.now_ms) {
                self.order.extend(u32::try_from(index).ok());
            }
        }
        let view = &self.view;
        let sort = self.columns[Pane::Tokens as usize].sort;
        let column = sort.column.map_or(panes::tokens::LEADING, usize::from);
        let mint = |index: u32| view.tokens.get(index as usize).map(|token| token.mint);
        let value = |index: u32| panes::value(view, Pane::Tokens, index as usize, column).unwrap_or(Value::Unknown);
        order::by(&mut self.order, sort.turned, value, |a, b| mint(a).cmp(&mint(b)));
        self.tape.clear();
        // Figures are those of the token, so a trade is shown with its token.
        let shown: Option<HashSet<Mint>> = self.filter.has_conditions().then(|| {
            let tokens = self.view.tokens.iter();
            let now = self.view.now_ms;
            tokens.filter(|token| self.filter.shows_things_of(token, now)).map(|token| token.mint).collect()
        });
        let filter = &mut self.filter;
        let passes = |filter: &mut Filter, mint: &Mint, symbol: &str| match &shown {
            Some(mints) => mints.contains(mint),
            None => filter.shows(mint, symbol, ""),
        };
        for (index, trade) in self.view.trades.entries.iter().enumerate().rev() {
            if filter.lets_trade(trade) && passes(filter, &trade.mint, trade.symbol.as_str()) {
                self.tape.extend(u32::try_from(index).ok());
            }
        }
        self.pools.clear();
        for (index, pool) in self.view.pools.iter().enumerate() {
            if filter.lets_pool(pool) && passes(filter, &pool.mint, pool.symbol.as_str()) {
                self.pools.extend(u32::try_from(index).ok());
            }
        }
        arrange(&self.view, Pane::Trades, &self.columns[Pane::Trades as usize], &mut self.tape, |a, b| b.cmp(&a));
        let own = &self.columns[Pane::Liquidity as usize];
        if own.sort.column.is_none() {
            order::pools(&mut self.pools, &self.view.pools, own.sort.turned);
        }
        let pool = |index: u32| self.view.pools.get(index as usize).map(|pool| pool.pool);
        arrange(&self.view, Pane::Liquidity, own, &mut self.pools, |a, b| pool(a).cmp(&pool(b)));
        self.refresh_alerts(shown.as_ref());
        let pools = &self.view.pools;
        let at =
            |chosen: Pool| self.pools.iter().position(|i| pools.get(*i as usize).is_some_and(|p| p.pool == chosen));
        match self.pool.and_then(at) {
            Some(row) => self.pool_row = row,
            None if self.pool.is_some() => self.select_pool(self.pool_row),
            None => {}
        }
        match self.token.and_then(|mint| self.row_of_token(&mint)) {
            Some(row) => self.token_row = row,
            None => self.select_token(self.token_row),
        }
    }

    /// Brings the list of alerts up to date; `mints` are those the filter's figures leave, if it names any.
    fn refresh_alerts(&mut self, mints: Option<&HashSet<Mint>>) {
        let entries = &self.view.alerts.entries;
        let mut known = HashSet::new();
        self.alerts.clear();
        self.hidden_alerts = 0;
        for (index, entry) in entries.iter().enumerate().rev() {
            if !known.insert(entry.alert.id) {
                continue;
            }
            if self.mutes.hides(&entry.alert) {
                self.hidden_alerts += 1;
                continue;
            }
            let filter = &mut self.filter;
            let named = |filter: &mut Filter| match mints {
                Some(mints) => mints.contains(&entry.alert.mint),
                None => filter.shows(&entry.alert.mint, entry.symbol.as_str(), ""),
            };
            if filter.lets_alert(entry) && named(filter) {
                self.alerts.extend(u32::try_from(index).ok());
            }
        }
        let own = &self.columns[Pane::Alerts as usize];
        arrange(&self.view, Pane::Alerts, own, &mut self.alerts, |a, b| b.cmp(&a));
        let at = |id| self.alerts.iter().position(|i| entries.get(*i as usize).is_some_and(|e| e.alert.id == id));
        match self.alert.map(at) {
            Some(Some(row)) => self.alert_row = row,
            Some(None) => self.select_alert(self.alert_row),
            None => self.alert_row = 0,
        }
    }

    /// The lists that are short enough to be ordered before every frame.
    fn order_small(&mut self) {
        let view = &self.view;
        let lists = [
            (Pane::Connections, view.connections.len(), &mut self.connections),
            (Pane::Groups, view.groups.len(), &mut self.groups),
            (Pane::Undecoded, view.undecoded.len(), &mut self.misses),
        ];
        for (pane, len, list) in lists {
            list.clear();
            list.extend(0..u32::try_from(len).unwrap_or(u32::MAX));
            arrange(view, pane, &self.columns[pane as usize], list, |a, b| a.cmp(&b));
        }
    }

    /// Position in the view's list of what stands in this row of a pane's table.
    #[must_use]
    pub fn index_at(&self, pane: Pane, row: usize) -> Option<usize> {
        self.rows(pane).get(row).map(|index| *index as usize)
    }

    /// The row of a pane's table in which this entry of the view's list stands.
    #[must_use]
    pub fn row_of(&self, pane: Pane, index: usize) -> Option<usize> {
        self.rows(pane).iter().position(|other| *other as usize == index)
    }

    /// Positions in the view's list of the rows of a pane's table, in order; none where rows have no order of their own.
    #[must_use]
    pub fn rows(&self, pane: Pane) -> &[u32] {
        match pane {
            Pane::Connections => &self.connections,
            Pane::Groups => &self.groups,
            Pane::Undecoded => &self.misses,
            Pane::Tokens => &self.order,
            Pane::Trades => &self.tape,
            Pane::Liquidity => &self.pools,
            Pane::Alerts => &self.alerts,
            Pane::Budget | Pane::Completeness | Pane::Decoding | Pane::Lifecycle | Pane::Logs => &[],
        }
    }

    fn row_of_token(&self, mint: &Mint) -> Option<usize> {
        self.order.iter().position(|index| self.view.tokens.get(*index as usize).is_some_and(|t| t.mint == *mint))
    }

    /// Selects the token in this row of the list, or the last.
    pub fn select_token(&mut self, row: usize) {
        self.token_row = row.min(self.order.len().saturating_sub(1));
        self.token = self.token_at(self.token_row).map(|token| token.mint);
    }

    /// The token in this row of the list.
    #[must_use]
    pub fn token_at(&self, row: usize) -> Option<&Arc<TokenView>> {
        self.view.tokens.get(*self.order.get(row)? as usize)
    }

    /// Selects the pool in this row of the list, or the last.
    pub fn select_pool(&mut self, row: usize) {
        self.pool_row = row.min(self.pools.len().saturating_sub(1));
        self.pool = self.pool_at(self.pool_row).map(|pool| pool.pool);
    }

    /// The pool in this row of the list.
    #[must_use]
    pub fn pool_at(&self, row: usize) -> Option<&Arc<PoolView>> {
        self.view.pools.get(*self.pools.get(row)? as usize)
    }

    /// Selects the alert in this row of the list, or the last; the first row follows what comes.
    pub fn select_alert(&mut self, row: usize) {
        self.alert_row = row.min(self.alerts.len().saturating_sub(1));
        self.alert = self.alert_at(self.alert_row).map(|entry| entry.alert.id).filter(|_| self.alert_row > 0);
    }

    /// The alert in this row of the list.
    #[must_use]
    pub fn alert_at(&self, row: usize) -> Option<&Arc<AlertView>> {
        self.view.alerts.entries.get(*self.alerts.get(row)? as usize)
    }

    /// The last revision of an alert, if the view still has it.
    #[must_use]
    pub fn alert_by_id(&self, id: AlertId) -> Option<&Arc<AlertView>> {
        self.view.alerts.entries.iter().rev().find(|entry| entry.alert.id == id)
    }

    /// The alert that keys work on: the one whose page is open, else the selected one where alerts have the focus.
    #[must_use]
    pub fn chosen_alert(&self) -> Option<&Arc<AlertView>> {
        match (self.evidence, self.pane()) {
            (Some(id), _) => self.alert_by_id(id),
            (None, Pane::Alerts) => self.alert_at(self.alert_row),
            (None, _) => None,
        }
    }

    /// Whether a page about one thing covers the panes.
    #[must_use]
    pub const fn page_is_open(&self) -> bool {
        self.detail.is_some() || self.evidence.is_some()
    }

    /// A token by its mint, if the view still has it.
    #[must_use]
    pub fn token(&self, mint: &Mint) -> Option<&Arc<TokenView>> {
        self.view.tokens.iter().find(|token| token.mint == *mint)
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

    /// Position of the selected connection, within the view's list.
    #[must_use]
    pub fn connection_row(&self) -> Option<usize> {
        self.view.connections.len().checked_sub(1).map(|last| self.connection.min(last))
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

    /// Mint and transaction of the selected row, in base58, where it has them.
    #[must_use]
    pub fn selected_ids(&self) -> (Option<String>, Option<String>) {
        if let Some(Overlay::Trade(trade)) = &self.overlay {
            return (Some(trade.mint.to_string()), Some(trade.signature.to_string()));
        }
        if let Some(mint) = self.detail {
            return (Some(mint.to_string()), None);
        }
        if let Some(entry) = self.chosen_alert() {
            let signature = entry.alert.legs.first().map(|leg| leg.signature.to_string());
            return (Some(entry.alert.mint.to_string()), signature);
        }
        match self.pane() {
            Pane::Tokens => (self.token.map(|mint| mint.to_string()), None),
            Pane::Trades => {
                let trade = self.chosen_trade();
                (trade.map(|trade| trade.mint.to_string()), trade.map(|trade| trade.signature.to_string()))
            }
            Pane::Lifecycle => {
                let entries = &self.view.lifecycle.entries;
                let at = self.step_row().and_then(|row| entries.len().checked_sub(row + 1));
                (at.and_then(|at| entries.get(at)).map(|entry| entry.mint.to_string()), None)
            }
            Pane::Liquidity => (self.pool_at(self.pool_row).map(|pool| pool.mint.to_string()), None),
            Pane::Undecoded => {
                let row = self.undecoded.min(self.view.undecoded.len().saturating_sub(1));
                (None, self.view.undecoded.get(row).map(|row| row.example.to_string()))
            }
            _ => (None, None),
        }
    }

    /// The time the screen shows: it stands still while frozen and runs on when the engine is silent.
    #[must_use]
    pub fn clock(&self, now: Instant) -> Clock {
        let since = if self.frozen { Duration::ZERO } else { now.saturating_duration_since(self.received) };
        let since_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Clock::at(self.view.now_ms.saturating_add(since_ms))
    }

    /// Position in `tape` of the selected trade: the newest while following.
    #[must_use]
    pub fn trade_row(&self) -> Option<usize> {
        let last = self.tape.len().checked_sub(1)?;
        let Some(seq) = self.trade else { return Some(0) };
        let first = self.view.trades.first_seq;
        if self.columns(Pane::Trades).sort != Sort::default() {
            let index = seq.checked_sub(first).and_then(|index| usize::try_from(index).ok());
            return Some(index.and_then(|index| self.row_of(Pane::Trades, index)).unwrap_or(0));
        }
        // The tape is newest first, so numbers fall along it; one that has left the feed selects the oldest.
        Some(self.tape.partition_point(|index| first.saturating_add(u64::from(*index)) > seq).min(last))
    }

    /// The trade in that row.
    #[must_use]
    pub fn chosen_trade(&self) -> Option<&Arc<TradeView>> {
        let index = self.trade_row().and_then(|row| self.tape.get(row))?;
        self.view.trades.entries.get(*index as usize)
    }

    /// Position from the newest of the selected lifecycle entry.
    #[must_use]
    pub fn step_row(&self) -> Option<usize> {
        let feed = &self.view.lifecycle;
        let last = feed.entries.len().checked_sub(1)?;
        let Some(seq) = self.step else { return Some(0) };
        let newest = feed.first_seq.saturating_add(last as u64);
        Some(usize::try_from(newest.saturating_sub(seq)).unwrap_or(last).min(last))
    }
}

/// Orders a pane's rows by the column of the user's choice; without one they stay as they are, or turned round.
fn arrange(view: &View, pane: Pane, columns: &Columns, rows: &mut [u32], tie: impl Fn(u32, u32) -> std::cmp::Ordering) {
    let value = |index: u32, column: u8| {
        panes::value(view, pane, index as usize, usize::from(column)).unwrap_or(Value::Unknown)
    };
    match columns.sort.column {
        Some(column) => order::by(rows, columns.sort.turned, |index| value(index, column), tie),
        None if columns.sort.turned && pane != Pane::Liquidity => rows.reverse(),
        None => {}
    }
}
