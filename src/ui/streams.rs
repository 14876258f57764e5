//! Requests that change streams: one at a time, and never faster than the budget bears.

use std::time::Instant;

use super::{
    action::Action,
    model::{Model, Overlay, PendingThrottle},
    update::{Effect, STREAM, STREAM_PAUSE, complain, elapsed, say},
};
use crate::{
    engine::Command,
    stream::{
        plan::MOST_MINTS,
        status::{ConnectionState, Throttle},
    },
};

/// Sends a change of a stream, unless one was sent just now.
pub(super) fn stream(model: &mut Model, command: Command, now: Instant, effects: &mut Vec<Effect>) -> bool {
    if elapsed(model, now) < STREAM_PAUSE {
        complain(model, "one change of the streams in two seconds: try again in a moment");
        return false;
    }
    model.sent[STREAM] = Some(now);
    effects.push(Effect::Command(command));
    true
}

pub(super) const fn under_way(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::WaitingForPermit | ConnectionState::Connecting | ConnectionState::Subscribing)
}

pub(super) fn throttle(model: &mut Model, down: bool, now: Instant, effects: &mut Vec<Effect>) {
    let selected = model.connection_row().and_then(|row| model.view.connections.get(row));
    let Some((connection, current)) = selected.map(|c| (c.status.id, c.status.throttle)) else {
        return complain(model, "there is no connection to throttle");
    };
    let pending = model.throttle.filter(|pending| pending.connection == connection);
    let from = pending.map_or(current, |pending| pending.level);
    let level = if down { from.down() } else { from.up() };
    throttle_to(model, connection, level, now, effects);
}

/// Sets a connection to a level, now or as soon as the streams may be changed again.
pub(super) fn throttle_to(
    model: &mut Model,
    connection: usize,
    level: Throttle,
    now: Instant,
    effects: &mut Vec<Effect>,
) {
    let status = model.view.connections.iter().find(|known| known.status.id == connection);
    let Some(current) = status.map(|known| known.status.throttle) else {
        return complain(model, "that connection is gone");
    };
    if model.throttle.is_some_and(|other| other.connection != connection && !other.sent) {
        return complain(model, "another connection is being throttled: try again in a moment");
    }
    let from =
        model.throttle.filter(|pending| pending.connection == connection).map_or(current, |pending| pending.level);
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

pub(super) fn choose_target(model: &mut Model) {
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

/// Asks whether the subscription shall be narrowed to the filtered tokens, or to the one whose page is open; or, where it
/// is narrowed to them already or nothing is filtered, whether everything shall be asked for again.
pub(super) fn choose_tokens(model: &mut Model) {
    let row = |position: &u32| model.view.tokens.get(*position as usize);
    let open = model.detail.and_then(|mint| model.view.tokens.iter().find(|token| token.mint == mint));
    let tokens: Vec<_> = match open {
        Some(token) => vec![token],
        None if model.filter.is_empty() => Vec::new(),
        None => model.order.iter().filter_map(row).collect(),
    };
    let mut mints: Vec<_> = tokens.iter().take(MOST_MINTS + 1).map(|token| token.mint).collect();
    let mut symbols: Vec<_> = tokens.iter().take(MOST_MINTS).map(|token| token.symbol.to_string()).collect();
    let count = tokens.len();
    let narrowed = &model.view.narrowed_to;
    let same = mints.len() == narrowed.len() && mints.iter().all(|mint| narrowed.contains(mint));
    if same || (mints.is_empty() && model.filter.is_empty()) {
        if narrowed.is_empty() {
            let filter = model.keys.first(Action::Filter);
            return complain(model, &format!("filter tokens first, with {filter}: those are what is asked for then"));
        }
        (mints, symbols) = (Vec::new(), Vec::new());
    } else if mints.is_empty() {
        return complain(model, "the filter shows no token");
    } else if count > MOST_MINTS {
        return complain(model, &format!("the filter shows {count} tokens; narrow it to {MOST_MINTS} at most first"));
    }
    model.overlay = Some(Overlay::Narrow { mints, symbols });
}

/// Narrows or widens, as was just read.
pub(super) fn narrow(model: &mut Model, mints: Vec<crate::chain::ids::Mint>, now: Instant, effects: &mut Vec<Effect>) {
    let words = match mints.len() {
        0 => "asking for everything again".to_owned(),
        1 => "narrowing the subscription to one token".to_owned(),
        count => format!("narrowing the subscription to {count} tokens"),
    };
    if stream(model, Command::Narrow { mints }, now, effects) {
        say(model, &words);
    }
}
