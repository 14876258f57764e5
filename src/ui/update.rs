//! What an action does to the model, and what it asks of the outside. No terminal, no channel, no clock in here.

use std::time::{Duration, Instant};

use crate::{
    engine::{Command, view::GroupView},
    stream::status::{ConnectionState, Move},
};

use super::{
    action::{Action, TABLE, lookup},
    keys::Key,
    model::{Mode, Model, Notice, Overlay, Pane, PendingThrottle, Tab},
    theme::BUILT_IN,
};

/// What the loop has to do for the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the engine.
    Command(Command),
    /// Write what is shown to a file.
    Export,
    /// The display was thawed: show the newest view.
    Thaw,
    /// Stop the process as the shell's suspend key does.
    Suspend,
    /// Leave.
    Quit,
}

/// A held key must not spend the budget: the engine is asked for at most one change of a stream in this time.
pub const STREAM_PAUSE: Duration = Duration::from_secs(2);
/// And for at most one export in this time.
pub const EXPORT_PAUSE: Duration = Duration::from_secs(1);
/// A throttle level that was not reached in this time is no longer shown as on its way.
const THROTTLE_PATIENCE: Duration = Duration::from_secs(10);

const STREAM: usize = 0;
const EXPORT: usize = 1;

/// What a key does.
pub fn key(model: &mut Model, key: Key, now: Instant) -> Vec<Effect> {
    match (model.mode(), lookup(key, model.mode())) {
        (_, Some(action)) => apply(model, action, now),
        (Mode::Typing, None) => {
            match key {
                Key::Char(c) => model.filter.push(c.encode_utf8(&mut [0; 4])),
                Key::Backspace => model.filter.pop(),
                Key::Ctrl('u') => model.filter.set(""),
                _ => return Vec::new(),
            }
            filtered(model);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Text pasted at once: it goes to the filter or nowhere, never to the keys.
pub fn paste(model: &mut Model, text: &str) {
    if model.mode() == Mode::Typing {
        model.filter.push(text);
        filtered(model);
    }
}

fn filtered(model: &mut Model) {
    model.trade = None;
    model.touch();
}

/// What an action does.
pub fn apply(model: &mut Model, action: Action, now: Instant) -> Vec<Effect> {
    model.refresh();
    if !matches!(action, Action::Export) && !model.exporting {
        model.notice = None;
    }
    let mut effects = Vec::new();
    match action {
        Action::Show(tab) => {
            model.tab = tab;
            model.zoomed = false;
            model.detail = None;
        }
        Action::NextPane => focus(model, 1),
        Action::PreviousPane => focus(model, -1),
        Action::Down => by(model, 1),
        Action::Up => by(model, -1),
        Action::PageDown => page(model, 1),
        Action::PageUp => page(model, -1),
        Action::Top => by(model, isize::MIN),
        Action::Bottom => by(model, isize::MAX),
        Action::Open => open(model, now, &mut effects),
        Action::Back => back(model),
        Action::ThrottleDown | Action::ThrottleUp => throttle(model, action == Action::ThrottleDown, now, &mut effects),
        Action::Rebalance => model.overlay = Some(Overlay::Plan(model.view.proposal.clone())),
        Action::MoveGroup => choose_target(model),
        Action::Reconnect => {
            let selected = model.connection_row().and_then(|row| model.view.connections.get(row));
            match selected.map(|connection| (connection.status.id, connection.status.state)) {
                None => complain(model, "there is no connection to reconnect"),
                Some((id, state)) if under_way(state) => {
                    complain(model, &format!("connection {id} is on its way already"));
                }
                Some((connection, _)) => {
                    if stream(model, Command::Reconnect { connection }, now, &mut effects) {
                        say(model, &format!("reconnecting connection {connection} through the budget"));
                    }
                }
            }
        }
        Action::Filter => {
            model.typing = true;
            if !matches!(model.tab, Tab::Tokens | Tab::Trades) && !has_tokens(model) {
                model.tab = Tab::Tokens;
            }
            model.detail = None;
        }
        Action::SortColumn => {
            model.sort.next_column();
            model.touch();
        }
        Action::SortDirection => {
            model.sort.ascending = !model.sort.ascending;
            model.touch();
        }
        Action::Freeze => {
            model.frozen = !model.frozen;
            if !model.frozen {
                effects.push(Effect::Thaw);
            }
        }
        Action::Export => {
            let recent = model.sent[EXPORT].is_some_and(|at| now.saturating_duration_since(at) < EXPORT_PAUSE);
            if !model.exporting && !recent {
                model.sent[EXPORT] = Some(now);
                model.exporting = true;
                say(model, "exporting the snapshot …");
                effects.push(Effect::Export);
            }
        }
        Action::NextTheme => {
            model.theme = (model.theme + 1) % BUILT_IN.len();
            let name = BUILT_IN.get(model.theme).map_or("", |(name, _)| name);
            say(model, &format!("theme {name}"));
        }
        Action::Zoom => model.zoomed = !model.zoomed,
        Action::Help => {
            model.overlay = match model.overlay {
                Some(Overlay::Help { .. }) => None,
                _ => Some(Overlay::Help { scroll: 0 }),
            };
        }
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Quit => effects.push(Effect::Quit),
    }
    effects
}

/// The export is done.
pub fn exported(model: &mut Model, result: Result<String, String>) {
    model.exporting = false;
    match result {
        Ok(place) => {
            let text = format!("exported to {}", visible(&place));
            model.notice = Some(Notice { text, bad: false, stays: true });
        }
        Err(reason) => complain(model, &format!("export failed: {}", visible(&reason))),
    }
}

/// The engine did not take a command.
pub fn refused(model: &mut Model, reason: &str) {
    model.throttle = None;
    complain(model, reason);
}

/// What has become due: a throttle level that had to wait.
pub fn due(model: &mut Model, now: Instant) -> Vec<Effect> {
    let Some(pending) = model.throttle else { return Vec::new() };
    if pending.sent {
        if elapsed(model, now) >= THROTTLE_PATIENCE {
            model.throttle = None;
        }
        return Vec::new();
    }
    if elapsed(model, now) < STREAM_PAUSE {
        return Vec::new();
    }
    let mut effects = Vec::new();
    let command = Command::Throttle { connection: pending.connection, level: pending.level };
    model.throttle = Some(PendingThrottle { sent: true, ..pending });
    stream(model, command, now, &mut effects);
    effects
}

/// When [`due`] has to be asked next, from now.
#[must_use]
pub fn next_due(model: &Model, now: Instant) -> Option<Duration> {
    let pending = model.throttle?;
    let after = if pending.sent { THROTTLE_PATIENCE } else { STREAM_PAUSE };
    Some(after.saturating_sub(elapsed(model, now)))
}

fn elapsed(model: &Model, now: Instant) -> Duration {
    model.sent[STREAM].map_or(Duration::MAX, |at| now.saturating_duration_since(at))
}

fn say(model: &mut Model, text: &str) {
    model.notice = Some(Notice { text: text.to_owned(), bad: false, stays: false });
}

fn complain(model: &mut Model, text: &str) {
    model.notice = Some(Notice { text: text.to_owned(), bad: true, stays: true });
}

/// Paths and reasons come from the system: nothing but visible characters may reach the screen.
fn visible(text: &str) -> String {
    text.chars().map(|c| if super::widgets::is_hidden(c) { '?' } else { c }).take(400).collect()
}

/// Sends a change of a stream, unless one was sent just now.
fn stream(model: &mut Model, command: Command, now: Instant, effects: &mut Vec<Effect>) -> bool {
    if elapsed(model, now) < STREAM_PAUSE {
        complain(model, "one change of the streams in two seconds: try again in a moment");
        return false;
    }
    model.sent[STREAM] = Some(now);
    effects.push(Effect::Command(command));
    true
}

const fn under_way(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::WaitingForPermit | ConnectionState::Connecting | ConnectionState::Subscribing)
}

fn throttle(model: &mut Model, down: bool, now: Instant, effects: &mut Vec<Effect>) {
    let selected = model.connection_row().and_then(|row| model.view.connections.get(row));
    let Some((connection, current)) = selected.map(|c| (c.status.id, c.status.throttle)) else {
        return complain(model, "there is no connection to throttle");
    };
    let pending = model.throttle.filter(|pending| pending.connection == connection);
    if model.throttle.is_some_and(|other| other.connection != connection && !other.sent) {
        return complain(model, "another connection is being throttled: try again in a moment");
    }
    let from = pending.map_or(current, |pending| pending.level);
    let level = if down { from.down() } else { from.up() };
    if level == from {
        return say(model, &format!("connection {connection} is at {} already", level.name()));
    }
    if elapsed(model, now) < STREAM_PAUSE {
        // A held key walks through the levels here; the engine hears of the last one only.
        model.throttle = Some(PendingThrottle { connection, level, sent: false });
    } else {
        model.throttle = Some(PendingThrottle { connection, level, sent: true });
        stream(model, Command::Throttle { connection, level }, now, effects);
    }
    say(model, &format!("connection {connection}: throttle {}", level.name()));
}

fn choose_target(model: &mut Model) {
    let row = model.group.min(model.view.groups.len().saturating_sub(1));
    let Some(group) = model.view.groups.get(row) else { return complain(model, "there is no group to move") };
    if model.view.connections.len() < 2 {
        return complain(model, "there is no other connection to move a group to");
    }
    let choice = model
        .view
        .connections
        .iter()
        .position(|connection| !group.connections.contains(&connection.status.id))
        .unwrap_or(0);
    model.overlay = Some(Overlay::MoveGroup { group: group.group, choice });
}

fn open(model: &mut Model, now: Instant, effects: &mut Vec<Effect>) {
    match model.overlay.take() {
        Some(Overlay::Help { .. }) => {}
        Some(Overlay::Plan(plan)) => {
            if !plan.moves.is_empty() && stream(model, Command::Rebalance { moves: plan.moves.clone() }, now, effects) {
                say(model, &format!("rebalancing: {} moves, make before break", plan.moves.len()));
            }
        }
        Some(Overlay::MoveGroup { group, choice }) => {
            let target = model.view.connections.get(choice).map(|connection| connection.status.id);
            match target {
                Some(to) if is_on(&model.view.groups, Move { group, from: to, to }) => {
                    complain(model, &format!("{} is on connection {to} already", group.name()));
                }
                Some(to) => {
                    if stream(model, Command::MoveGroup { group, to }, now, effects) {
                        say(model, &format!("moving {} to connection {to}", group.name()));
                    }
                }
                None => complain(model, "that connection is gone"),
            }
        }
        None if model.typing => model.typing = false,
        None => match model.pane() {
            Pane::Tokens => model.detail = model.token,
            Pane::Trades => {
                let trade = model.trade_row().and_then(|row| model.tape.get(row));
                model.detail = trade.and_then(|i| model.view.trades.entries.get(*i as usize)).map(|t| t.mint);
            }
            Pane::Lifecycle => {
                let entries = &model.view.lifecycle.entries;
                let at = model.step_row().and_then(|row| entries.len().checked_sub(row + 1));
                model.detail = at.and_then(|at| entries.get(at)).map(|entry| entry.mint);
            }
            Pane::Connections | Pane::Groups if model.tab == Tab::Overview => {
                model.tab = Tab::Connections;
                model.zoomed = false;
            }
            _ => {}
        },
    }
}

fn is_on(groups: &[GroupView], wanted: Move) -> bool {
    groups.iter().any(|group| group.group == wanted.group && group.connections == [wanted.to])
}

/// One thing at a time, the topmost first.
fn back(model: &mut Model) {
    if model.overlay.take().is_some() {
    } else if model.typing || (model.detail.is_none() && !model.filter.is_empty() && has_tokens(model)) {
        model.typing = false;
        model.filter.set("");
        filtered(model);
    } else if model.detail.take().is_some() {
    } else if model.zoomed {
        model.zoomed = false;
    } else {
        model.trade = None;
        model.step = None;
        model.logs.follow();
    }
}

const fn has_tokens(model: &Model) -> bool {
    matches!(model.tab, Tab::Overview | Tab::Tokens | Tab::Trades)
}

fn focus(model: &mut Model, step: isize) {
    let panes = model.tab.panes().len();
    if let Some(focus) = model.focus.get_mut(model.tab as usize) {
        *focus = focus.saturating_add_signed(if step < 0 { panes.cast_signed() - 1 } else { step }) % panes.max(1);
    }
}

fn page(model: &mut Model, direction: isize) {
    let rows = match model.overlay {
        Some(_) => 10,
        None => model.scroll(model.pane()).page.get().saturating_sub(1).max(1),
    };
    by(model, direction.saturating_mul(rows.cast_signed()));
}

/// Moves whatever the arrows move at the moment.
fn by(model: &mut Model, step: isize) {
    match &mut model.overlay {
        Some(Overlay::Help { scroll }) => {
            *scroll = moved(*scroll, step, TABLE.len() + 2 * super::action::Heading::ALL.len());
            return;
        }
        Some(Overlay::MoveGroup { choice, .. }) => {
            *choice = moved(*choice, step, model.view.connections.len());
            return;
        }
        Some(Overlay::Plan(_)) => return,
        None => {}
    }
    if model.detail.is_some() {
        // On a token's page the arrows walk through the list behind it.
        model.select_token(moved(model.token_row, step, model.order.len()));
        model.detail = model.token;
        return;
    }
    match model.pane() {
        Pane::Connections => {
            model.connection = moved(model.connection_row().unwrap_or(0), step, model.view.connections.len());
        }
        Pane::Groups => model.group = moved(model.group, step, model.view.groups.len()),
        Pane::Tokens => model.select_token(moved(model.token_row, step, model.order.len())),
        Pane::Undecoded => model.undecoded = moved(model.undecoded, step, model.view.undecoded.len()),
        Pane::Trades => {
            let row = moved(model.trade_row().unwrap_or(0), step, model.tape.len());
            let number = model.tape.get(row).map(|i| model.view.trades.first_seq.saturating_add(u64::from(*i)));
            model.trade = number.filter(|_| row > 0);
        }
        Pane::Lifecycle => {
            let feed = &model.view.lifecycle;
            let row = moved(model.step_row().unwrap_or(0), step, feed.entries.len());
            let index = feed.entries.len().saturating_sub(row + 1) as u64;
            model.step = Some(feed.first_seq.saturating_add(index)).filter(|_| row > 0);
        }
        Pane::Logs if step == isize::MAX => model.logs.follow(),
        Pane::Logs if step < 0 => model.logs.back(),
        Pane::Logs => model.logs.forth(),
        Pane::Budget | Pane::Alerts | Pane::Liquidity => {}
    }
}

fn moved(at: usize, step: isize, len: usize) -> usize {
    at.saturating_add_signed(step).min(len.saturating_sub(1))
}
