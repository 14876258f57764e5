//! Search in a pane: which rows a text is found in, and the way to the next one.

use super::{
    model::{Model, Pane},
    panes::decoding,
};

/// From where a search goes on, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The selected row itself, downwards.
    Here,
    /// The row below it.
    Below,
    /// The row above it, upwards.
    Above,
}

/// The words of a row of the focused pane; `None` behind the last row, and in panes without rows.
fn words(model: &Model, pane: Pane, row: usize) -> Option<Vec<String>> {
    let view = &model.view;
    Some(match pane {
        Pane::Connections => {
            let status = &view.connections.get(model.index_at(pane, row)?)?.status;
            let groups = view.names.names(status.groups);
            let mut words = vec![status.endpoint.to_string(), status.state.name().to_owned()];
            words.extend(status.cause.as_deref().map(str::to_owned));
            words.extend(groups);
            words
        }
        Pane::Groups => {
            let group = view.groups.get(model.index_at(pane, row)?)?.group;
            vec![view.names.name(group).to_owned()]
        }
        Pane::Tokens => {
            let token = model.token_at(row)?;
            vec![token.symbol.to_string(), token.name.to_string(), token.mint.to_string(), token.flags.join(" ")]
        }
        Pane::Trades => {
            let trade = view.trades.entries.get(*model.tape.get(row)? as usize)?;
            let venue = trade.venue.name().to_owned();
            let side = trade.side.name().to_owned();
            vec![trade.symbol.to_string(), trade.mint.to_string(), trade.user.to_string(), venue, side]
        }
        Pane::Lifecycle => {
            let entries = &view.lifecycle.entries;
            let entry = entries.get(entries.len().checked_sub(row + 1)?)?;
            vec![entry.symbol.to_string(), entry.mint.to_string()]
        }
        Pane::Liquidity => {
            let pool = model.pool_at(row)?;
            let venue = pool.venue.name().to_owned();
            vec![pool.symbol.to_string(), pool.mint.to_string(), pool.pool.to_string(), venue]
        }
        Pane::Undecoded => {
            let row = view.undecoded.get(model.index_at(pane, row)?)?;
            vec![row.program.name().to_owned(), row.reason.name().replace('_', " "), row.example.to_string()]
        }
        Pane::Decoding => {
            let (name, _) = decoding::rows(view, model.connection_row()).into_iter().nth(row)?;
            vec![name]
        }
        Pane::Alerts => {
            let entry = model.alert_at(row)?;
            let alert = &entry.alert;
            let mut words = vec![entry.symbol.to_string(), alert.mint.to_string(), alert.venue.name().to_owned()];
            words.push(format!("{} {}", alert.class.name().replace('_', " "), alert.state.name()));
            words.extend(alert.attackers.iter().map(|one| one.wallet.to_string()));
            words.extend(alert.victims.iter().map(|victim| victim.user.to_string()));
            words
        }
        Pane::Budget | Pane::Completeness | Pane::Logs => return None,
    })
}

/// Rows of the focused pane in which the text is found.
pub(super) fn hits(model: &Model) -> Vec<usize> {
    let pane = model.pane();
    if pane == Pane::Logs {
        return model.logs.hits(&model.search).into_iter().enumerate().map(|(row, _)| row).collect();
    }
    let rows = (0..).map_while(|row| words(model, pane, row).map(|words| (row, words)));
    let found = rows.filter(|(_, words)| model.search.matches(&words.iter().map(String::as_str).collect::<Vec<_>>()));
    found.map(|(row, _)| row).collect()
}

/// Whether the focused pane has rows to search in.
pub(super) const fn possible(pane: Pane) -> bool {
    !matches!(pane, Pane::Budget | Pane::Completeness)
}

/// The hit to go to, going round at the ends; its row and its number among the hits.
pub(super) fn next(hits: &[usize], selected: usize, from: From) -> Option<(usize, usize)> {
    let index = match from {
        From::Here => hits.iter().position(|row| *row >= selected).unwrap_or(0),
        From::Below => hits.iter().position(|row| *row > selected).unwrap_or(0),
        From::Above => hits.iter().rposition(|row| *row < selected).unwrap_or(hits.len().saturating_sub(1)),
    };
    hits.get(index).map(|row| (*row, index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_walked_in_a_round() {
        let hits = [2, 5, 9];
        assert_eq!(next(&hits, 5, From::Here), Some((5, 2)));
        assert_eq!(next(&hits, 5, From::Below), Some((9, 3)));
        assert_eq!(next(&hits, 9, From::Below), Some((2, 1)));
        assert_eq!(next(&hits, 2, From::Above), Some((9, 3)));
        assert_eq!(next(&hits, 6, From::Above), Some((5, 2)));
        assert_eq!(next(&[], 6, From::Above), None);
    }
}
