//! Which rows a pane shows, and in which order: by the view, the filter, the mutes and the columns.

use std::{cmp::Ordering, collections::HashSet};

use crate::{
    chain::ids::{Mint, Pool},
    engine::view::View,
    ui::{
        columns::Columns,
        filter::Filter,
        order::{self, Value},
        panes,
        place::Pane,
    },
};

use super::Model;

impl Model {
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
}

/// Orders a pane's rows by the column of the user's choice; without one they stay as they are, or turned round.
fn arrange(view: &View, pane: Pane, columns: &Columns, rows: &mut [u32], tie: impl Fn(u32, u32) -> Ordering) {
    let value = |index: u32, column: u8| {
        panes::value(view, pane, index as usize, usize::from(column)).unwrap_or(Value::Unknown)
    };
    match columns.sort.column {
        Some(column) => order::by(rows, columns.sort.turned, |index| value(index, column), tie),
        None if columns.sort.turned && pane != Pane::Liquidity => rows.reverse(),
        None => {}
    }
}
