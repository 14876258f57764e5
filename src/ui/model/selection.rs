//! What is selected in each pane. A selection stays with its thing wherever that moves.

use std::sync::Arc;

use crate::{
    chain::ids::Mint,
    engine::view::{AlertView, PoolView, TokenView, TradeView},
    mev::alert::AlertId,
    ui::{order::Sort, place::Pane},
};

use super::{Model, Overlay};

impl Model {
    pub(super) fn row_of_token(&self, mint: &Mint) -> Option<usize> {
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

    /// A token by its mint, if the view still has it.
    #[must_use]
    pub fn token(&self, mint: &Mint) -> Option<&Arc<TokenView>> {
        self.view.tokens.iter().find(|token| token.mint == *mint)
    }

    /// Position of the selected connection, within the view's list.
    #[must_use]
    pub fn connection_row(&self) -> Option<usize> {
        self.view.connections.len().checked_sub(1).map(|last| self.connection.min(last))
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
