//! What an action does to the model, and what it asks of the outside. No terminal, no channel, no clock in here.

use std::time::{Duration, Instant};

use crate::{
    chain::group::Group,
    engine::{Command, view::GroupView},
    mev::Alert,
    stream::status::Move,
};

use super::{
    action::{Action, Argument, TABLE},
    columns::Columns,
    format::time_of_day,
    keys::{Chord, Key, Meaning},
    model::{Mode, Model, Notice, Overlay, Pane, PendingThrottle, Tab},
    mouse::show,
    movement::{by, focus, page},
    mutes::Mute,
    order::Sort,
    palette::{self, Palette},
    panes,
    search::{self, From},
    streams::{choose_target, choose_tokens, narrow, stream, throttle, throttle_to, under_way},
    typed::Typed,
};

/// What the loop has to do for the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the engine.
    Command(Command),
    /// Write what is shown as a snapshot: to this file, or to one with a name of its own.
    Export(Option<String>),
    /// Draw what is shown into an SVG file: this one, or one with a name of its own.
    Screenshot(Option<String>),
    /// The display was thawed: show the newest view.
    Thaw,
    /// Copy this address or signature.
    Copy(String),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Read the user's files again.
    Reload,
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

pub(super) const STREAM: usize = 0;
const EXPORT: usize = 1;

/// What a key does.
pub fn key(model: &mut Model, key: Key, now: Instant) -> Vec<Effect> {
    let mode = model.mode();
    let pane = model.pane();
    let mut pressed = std::mem::take(&mut model.pressed);
    pressed.push(key);
    match model.keys.lookup(&pressed, mode, pane) {
        Meaning::Action(action) => return apply(model, action, now),
        Meaning::Begun => {
            let following = model.keys.following(&pressed, mode, pane);
            say(model, &format!("{} …  {following}", Chord(pressed.clone())));
            model.pressed = pressed;
            return Vec::new();
        }
        Meaning::Nothing if pressed.len() > 1 => {
            model.notice = None;
            // A chord given up; another key than Escape means what it means by itself.
            return if key == Key::Esc { Vec::new() } else { self::key(model, key, now) };
        }
        Meaning::Nothing => {}
    }
    if mode == Mode::Typing {
        match key {
            Key::Char(c) => edit(model, |typed| typed.push(c.encode_utf8(&mut [0; 4]))),
            Key::Backspace => edit(model, Typed::pop),
            Key::Tab if model.typing && model.overlay.is_none() && model.filter.complete() => filtered(model),
            Key::Ctrl('u') => edit(model, |typed| typed.set("")),
            // Letters are text, so the palette is walked by the keys that are none.
            Key::Up if model.overlay.is_some() => by(model, -1),
            Key::Down if model.overlay.is_some() => by(model, 1),
            Key::PageUp if model.overlay.is_some() => page(model, -1),
            Key::PageDown if model.overlay.is_some() => page(model, 1),
            _ => {}
        }
    }
    Vec::new()
}

/// Text pasted at once: it goes to the line being typed or nowhere, never to the keys.
pub fn paste(model: &mut Model, text: &str) {
    if model.mode() == Mode::Typing {
        edit(model, |typed| typed.push(text));
    }
}

/// Changes the line that is being typed.
fn edit(model: &mut Model, change: impl FnOnce(&mut Typed)) {
    match &mut model.overlay {
        Some(Overlay::Palette(palette)) => palette.edit(change),
        Some(Overlay::Help { words, scroll, .. }) => {
            change(words);
            *scroll = 0;
        }
        Some(_) => {}
        None if model.searching => {
            change(&mut model.search);
            find(model, From::Here);
        }
        None => {
            model.filter.edit(change);
            filtered(model);
        }
    }
}

/// Goes to a row in which the searched text is found.
fn find(model: &mut Model, from: From) {
    model.refresh();
    model.notice = None;
    if model.search.is_empty() {
        return;
    }
    let hits = search::hits(model);
    let text = model.search.text().to_owned();
    if hits.is_empty() {
        return complain(model, &format!("/{text}  not found in this pane"));
    }
    if let Some((row, number)) = search::next(&hits, super::movement::selected(model).unwrap_or(0), from) {
        super::movement::select(model, row);
        say(model, &format!("/{text}  {number} of {}", hits.len()));
    }
}

fn filtered(model: &mut Model) {
    model.trade = None;
    model.touch();
}

/// What an action does.
pub fn apply(model: &mut Model, action: Action, now: Instant) -> Vec<Effect> {
    model.refresh();
    if !matches!(action, Action::Export | Action::Screenshot) && !model.exporting {
        model.notice = None;
    }
    let mut effects = Vec::new();
    if model.behind_ms > 0 && changes_streams(action) {
        complain(model, &format!("this is the past: {} returns to the present", model.keys.first(Action::Freeze)));
        return effects;
    }
    match action {
        Action::Show(tab) => show(model, tab),
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
        Action::Narrow => choose_tokens(model),
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
            if !has_tokens(model) {
                model.tab = Tab::Tokens;
            }
            model.detail = None;
            model.evidence = None;
        }
        Action::SortColumn => {
            let own = model.columns(model.pane());
            match (own.cursor(), own.sort.column) {
                (Some(chosen), _) => sort(model, chosen),
                (None, before) => next_sort(model, before),
            }
        }
        Action::SortDirection => {
            let pane = model.pane();
            if panes::titles(pane).is_empty() {
                complain(model, "the rows in here keep their order");
            } else {
                let sort = &mut model.columns[pane as usize].sort;
                sort.turned = !sort.turned;
                model.touch();
            }
        }
        Action::Freeze => {
            model.frozen = !model.frozen;
            model.behind_ms = 0;
            model.waiting = None;
            if model.frozen {
                say(model, &format!("frozen at {} UTC; {}", time_of_day(model.view.now_ms), kept(model)));
            } else {
                effects.push(Effect::Thaw);
            }
        }
        Action::Tab | Action::Throttle | Action::ExportTo => {
            let word = TABLE.iter().find(|row| row.action == action).map_or("", |row| row.name);
            ask(model, if action == Action::ExportTo { "export" } else { word });
        }
        Action::Export | Action::Screenshot => {
            let recent = model.sent[EXPORT].is_some_and(|at| now.saturating_duration_since(at) < EXPORT_PAUSE);
            if !model.exporting && !recent {
                model.sent[EXPORT] = Some(now);
                model.exporting = true;
                if action == Action::Export {
                    say(model, "exporting the snapshot …");
                    effects.push(Effect::Export(None));
                } else {
                    say(model, "drawing …");
                    effects.push(Effect::Screenshot(None));
                }
            }
        }
        Action::Themes => model.overlay = Some(Overlay::Themes { before: model.theme }),
        Action::Palette => model.overlay = Some(Overlay::Palette(Palette::new(model))),
        Action::Search => {
            let possible = search::possible(model.pane()) && !model.page_is_open();
            model.logs.searched = model.pane() == Pane::Logs;
            model.logs.select(None);
            match &mut model.overlay {
                Some(Overlay::Help { typing, .. }) => *typing = true,
                Some(_) => {}
                None if possible => {
                    model.search.set("");
                    model.searching = true;
                }
                None => complain(model, "there are no rows to search in here"),
            }
        }
        Action::NextMatch => find(model, From::Below),
        Action::PreviousMatch => find(model, From::Above),
        Action::ColumnLeft | Action::ColumnRight => columns(model, |columns, count| {
            columns.choose(action == Action::ColumnRight, count);
            true
        }),
        Action::MoveColumnLeft | Action::MoveColumnRight => {
            columns(model, |columns, count| columns.shift(action == Action::MoveColumnRight, count));
        }
        Action::HideColumn => columns(model, super::columns::Columns::hide),
        Action::ShowColumns => columns(model, |columns, _| {
            columns.reset();
            true
        }),
        Action::Copy | Action::CopySignature => {
            let (mint, signature) = model.selected_ids();
            let wanted = if action == Action::Copy { mint.or(signature) } else { signature };
            match wanted {
                Some(base58) => {
                    say(model, &format!("copied {base58}"));
                    effects.push(Effect::Copy(base58));
                }
                None => complain(model, "nothing to copy is selected here"),
            }
        }
        Action::MuteClass => mute(model, |alert| Some(Mute::Class(alert.class))),
        Action::MuteWallet => mute(model, |alert| alert.attackers.first().map(|one| Mute::Wallet(one.wallet))),
        Action::MuteToken => mute(model, |alert| Some(Mute::Mint(alert.mint))),
        Action::Unmute => match model.mutes.undo() {
            Some(mute) => {
                say(model, &format!("{} is no longer muted; {} still are", mute.name(), model.mutes.len()));
                model.touch();
            }
            None => complain(model, "nothing is muted by keys; mutes of the configuration stay"),
        },
        Action::Watch => watch(model),
        Action::Mouse => {
            model.mouse = !model.mouse;
            say(model, if model.mouse { "the mouse is ours" } else { "the mouse selects text" });
            effects.push(Effect::Mouse(model.mouse));
        }
        Action::Earlier | Action::Later => step_in_time(model, action == Action::Later, now),
        Action::LongerRange | Action::ShorterRange => {
            if model.detail.is_some() {
                model.page.range = model.page.range.step(action == Action::LongerRange);
            } else {
                complain(model, &format!("only a token's page has times: {} opens it", model.keys.first(Action::Open)));
            }
        }
        Action::Zoom if model.detail.is_some() => model.page.zoomed = !model.page.zoomed,
        Action::Zoom => model.zoomed = !model.zoomed,
        Action::Help => {
            model.overlay = match model.overlay {
                Some(Overlay::Help { .. }) => None,
                _ => Some(Overlay::Help { scroll: 0, words: Typed::default(), typing: false }),
            };
        }
        Action::Reload => effects.push(Effect::Reload),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Quit => effects.push(Effect::Quit),
    }
    effects
}

/// What an action does to what is named by `argument`, or to what is selected when that is empty.
fn apply_to(model: &mut Model, action: Action, argument: &str, now: Instant) -> Vec<Effect> {
    let takes = TABLE.iter().find(|row| row.action == action).map_or(Argument::None, |row| row.argument);
    if model.behind_ms > 0 && changes_streams(action) {
        return apply(model, action, now);
    }
    match takes {
        _ if argument.is_empty() => {}
        Argument::None => {}
        Argument::Theme => {
            model.theme = model.themes.position(argument).unwrap_or(model.theme);
            say(model, &format!("theme {}", model.themes.name(model.theme)));
            return Vec::new();
        }
        Argument::Order => {
            let wanted = panes::titles(model.pane()).iter().position(|title| *title == argument);
            match wanted.and_then(|position| u8::try_from(position).ok()) {
                Some(column) => sort(model, column),
                None => complain(model, &format!("no column is called {argument:?} in here")),
            }
            return Vec::new();
        }
        Argument::Text => {
            let effects = apply(model, action, now);
            if model.mode() == Mode::Typing {
                edit(model, |typed| typed.set(argument));
                (model.typing, model.searching) = (false, false);
            }
            return effects;
        }
        Argument::Connection => {
            let id = argument.parse().ok();
            let row = model.view.connections.iter().position(|connection| Some(connection.status.id) == id);
            let Some(row) = row else {
                complain(model, "that connection is gone");
                return Vec::new();
            };
            model.connection = row;
        }
        Argument::Level => {
            let words = argument.split_once(' ').unwrap_or((argument, ""));
            let id = words.0.parse().ok();
            let known = model.view.connections.iter().find(|connection| Some(connection.status.id) == id);
            let level = palette::level(words.1);
            let mut effects = Vec::new();
            match (known.map(|connection| connection.status.id), level) {
                (None, _) => complain(model, "that connection is gone"),
                (_, None) => complain(model, &format!("no throttle level is called {:?}", words.1)),
                (Some(id), Some(level)) => throttle_to(model, id, level, now, &mut effects),
            }
            return effects;
        }
        Argument::Target => {
            let (name, to) = argument.rsplit_once(' ').unwrap_or((argument, ""));
            let group = model.view.names.named(name);
            let mut effects = Vec::new();
            match (group, to.parse().ok()) {
                (Some(group), Some(to)) => move_group(model, group, to, now, &mut effects),
                _ => complain(model, &format!("{argument:?} is not a group and the number of a connection")),
            }
            return effects;
        }
        Argument::Tab => {
            let number = argument.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            match number.and_then(|number| Tab::ALL.get(number)) {
                Some(tab) => show(model, *tab),
                None => complain(model, &format!("there is no tab {argument}")),
            }
            return Vec::new();
        }
        Argument::Path => {
            let mut effects = apply(model, action, now);
            for effect in &mut effects {
                if let Effect::Export(path) | Effect::Screenshot(path) = effect {
                    *path = Some(argument.to_owned());
                }
            }
            return effects;
        }
    }
    apply(model, action, now)
}

/// Opens the palette with an action's name in it, for what has to follow.
fn ask(model: &mut Model, name: &str) {
    let mut palette = Palette::new(model);
    palette.edit(|typed| typed.set(&format!("{name} ")));
    model.overlay = Some(Overlay::Palette(palette));
}

fn move_group(model: &mut Model, group: Group, to: usize, now: Instant, effects: &mut Vec<Effect>) {
    if !model.view.connections.iter().any(|connection| connection.status.id == to) {
        complain(model, &format!("there is no connection {to}"));
    } else if is_on(&model.view.groups, Move { group, from: to, to }) {
        let words = format!("{} is on connection {to} already", model.view.names.name(group));
        complain(model, &words);
    } else if stream(model, Command::MoveGroup { group, to }, now, effects) {
        let words = format!("moving {} to connection {to}", model.view.names.name(group));
        say(model, &words);
    }
}

/// Shows the view a step earlier or later, and says how far back it is. What is shown is frozen then.
fn step_in_time(model: &mut Model, later: bool, now: Instant) {
    let at = model.view.now_ms;
    let wanted = if later { model.history.after(at) } else { model.history.before(at) };
    let Some(view) = wanted.cloned() else {
        return complain(model, if later { "this is the newest view kept" } else { "this is the oldest view kept" });
    };
    model.frozen = true;
    model.show(view, now);
    let newest = model.history.newest().map_or(0, |newest| newest.now_ms);
    model.behind_ms = newest.saturating_sub(model.view.now_ms).max(0);
    model.waiting = model.history.newest().cloned();
    say(model, &format!("{} s before the newest view; {}", model.behind_ms / 1000, kept(model)));
}

/// How far the keys can step.
fn kept(model: &Model) -> String {
    let [earlier, later] = [Action::Earlier, Action::Later].map(|action| model.keys.first(action));
    let reach = model.history.span_ms().map_or(0, |span| span.end.saturating_sub(span.start).max(0) / 1000);
    format!("{earlier} and {later} step through {} views of {reach} s", model.history.len())
}

/// Whether an action works on the streams as they are now.
const fn changes_streams(action: Action) -> bool {
    matches!(
        action,
        Action::ThrottleDown
            | Action::ThrottleUp
            | Action::Throttle
            | Action::Rebalance
            | Action::MoveGroup
            | Action::Narrow
            | Action::Reconnect
    )
}

/// Orders the focused pane by this column; if it is ordered by it already, the other way round.
pub(super) fn sort(model: &mut Model, column: u8) {
    let pane = model.pane();
    let title = panes::titles(pane).get(usize::from(column)).copied().unwrap_or("");
    if !sortable(model, pane, column) {
        return complain(model, &format!("rows cannot be ordered by {title}"));
    }
    let sort = &mut model.columns[pane as usize].sort;
    sort.by(column);
    let round = if sort.turned { ", turned round" } else { "" };
    say(model, &format!("by {title}{round}"));
    model.touch();
}

/// Orders the focused pane by the next column that gives an order; behind the last comes the pane's own order.
fn next_sort(model: &mut Model, before: Option<u8>) {
    let pane = model.pane();
    let count = u8::try_from(panes::titles(pane).len()).unwrap_or(0);
    if count == 0 {
        return complain(model, "the rows in here keep their order");
    }
    let first = before.map_or(0, |before| before + 1);
    if let Some(column) = (first..count).find(|column| sortable(model, pane, *column)) {
        return sort(model, column);
    }
    model.columns[pane as usize].sort = Sort::default();
    say(model, "in their own order");
    model.touch();
}

/// Whether rows of a pane can be ordered by a column. Where there are no rows, nothing speaks against it.
fn sortable(model: &Model, pane: Pane, column: u8) -> bool {
    let position = usize::from(column);
    position < panes::titles(pane).len()
        && model.index_at(pane, 0).is_none_or(|first| panes::value(&model.view, pane, first, position).is_some())
}

/// Does something with the columns of the focused pane.
fn columns(model: &mut Model, change: impl FnOnce(&mut Columns, usize) -> bool) {
    let pane = model.pane();
    let count = panes::columns(pane);
    if count == 0 || model.page_is_open() {
        complain(model, "there are no columns in here");
    } else if !change(&mut model.columns[pane as usize], count) {
        let keys = [Action::ColumnLeft, Action::ColumnRight].map(|action| model.keys.first(action));
        complain(model, &format!("choose a column first, with {} and {}", keys[0], keys[1]));
    }
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

pub(super) fn elapsed(model: &Model, now: Instant) -> Duration {
    model.sent[STREAM].map_or(Duration::MAX, |at| now.saturating_duration_since(at))
}

pub(super) fn say(model: &mut Model, text: &str) {
    model.notice = Some(Notice { text: text.to_owned(), bad: false, stays: false });
}

pub(super) fn complain(model: &mut Model, text: &str) {
    model.notice = Some(Notice { text: text.to_owned(), bad: true, stays: true });
}

/// Paths and reasons come from the system: nothing but visible characters may reach the screen.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if crate::chain::text::is_denied(c) { '?' } else { c }).take(400).collect()
}

fn open(model: &mut Model, now: Instant, effects: &mut Vec<Effect>) {
    match model.overlay.take() {
        Some(Overlay::Help { words, scroll, typing: true }) => {
            model.overlay = Some(Overlay::Help { words, scroll, typing: false });
        }
        Some(Overlay::Help { .. }) => {}
        Some(Overlay::Trade(trade)) => model.detail = Some(trade.mint),
        Some(Overlay::Themes { .. }) => say(model, &format!("theme {}", model.themes.name(model.theme))),
        Some(Overlay::Palette(palette)) => match palette.chosen() {
            Some((action, argument)) => effects.extend(apply_to(model, action, argument, now)),
            None => complain(model, &format!("nothing is called {:?}", palette.typed.text())),
        },
        Some(Overlay::Plan(plan)) => {
            if !plan.moves.is_empty() && stream(model, Command::Rebalance { moves: plan.moves.clone() }, now, effects) {
                say(model, &format!("rebalancing: {} moves, make before break", plan.moves.len()));
            }
        }
        Some(Overlay::Narrow { mints, .. }) => narrow(model, mints, now, effects),
        Some(Overlay::MoveGroup { group, choice }) => {
            let target = model.view.connections.get(choice).map(|connection| connection.status.id);
            match target {
                Some(to) => move_group(model, group, to, now, effects),
                None => complain(model, "that connection is gone"),
            }
        }
        None if model.searching => model.searching = false,
        None if model.typing => {
            // A word that cannot be read must not be taken for a filter that finds nothing to hide.
            model.typing = model.filter.problem().is_some();
        }
        None if model.evidence.is_some() => {
            model.detail = model.chosen_alert().map(|entry| entry.alert.mint);
        }
        None => match model.pane() {
            Pane::Alerts => model.evidence = model.chosen_alert().map(|entry| entry.alert.id),
            Pane::Tokens => model.detail = model.token,
            Pane::Trades => model.overlay = model.chosen_trade().cloned().map(Overlay::Trade),
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

/// Mutes what the chosen alert has.
fn mute(model: &mut Model, of: impl FnOnce(&Alert) -> Option<Mute>) {
    let undo = model.keys.first(Action::Unmute);
    match model.chosen_alert().map(|entry| of(&entry.alert)) {
        None => complain(model, "choose an alert first"),
        Some(None) => complain(model, "nobody acts in this alert"),
        Some(Some(mute)) if model.mutes.add(mute) => {
            model.evidence = None;
            say(model, &format!("{} is muted; {undo} takes it back", mute.name()));
            model.touch();
        }
        Some(Some(mute)) => complain(model, &format!("{} is muted already, or too much is", mute.name())),
    }
}

/// Watches the chosen alert's attacker, or the chosen trade's trader; or no longer.
fn watch(model: &mut Model) {
    let acts = model.chosen_alert().and_then(|entry| entry.alert.attackers.first()).map(|one| one.wallet);
    let trades = || match &model.overlay {
        Some(Overlay::Trade(trade)) => Some(trade.user),
        _ if model.pane() == Pane::Trades && !model.page_is_open() => Some(model.chosen_trade()?.user),
        _ => None,
    };
    let Some(wallet) = acts.or_else(trades) else { return complain(model, "choose an alert or a trade first") };
    match model.mutes.toggle_watch(wallet) {
        Some(true) => say(model, &format!("{wallet} is watched: its alerts ring and are never muted")),
        Some(false) => say(model, &format!("{wallet} is no longer watched")),
        None => complain(model, "too many wallets are watched"),
    }
    model.touch();
}

fn is_on(groups: &[GroupView], wanted: Move) -> bool {
    groups.iter().any(|group| group.group == wanted.group && group.connections == [wanted.to])
}

/// One thing at a time, the topmost first.
fn back(model: &mut Model) {
    match model.overlay.take() {
        Some(Overlay::Themes { before }) => return model.theme = before,
        Some(Overlay::Help { words, .. }) if !words.is_empty() => {
            model.overlay = Some(Overlay::Help { scroll: 0, words: Typed::default(), typing: false });
            return;
        }
        Some(_) => return,
        None => {}
    }
    if model.searching || (model.pane() == Pane::Logs && model.logs.lists(&model.search)) {
        model.searching = false;
        model.search.set("");
        model.notice = None;
    } else if model.typing || (!model.page_is_open() && !model.filter.is_empty() && has_tokens(model)) {
        model.typing = false;
        model.filter.set("");
        filtered(model);
        if !model.view.narrowed_to.is_empty() && model.behind_ms == 0 {
            // What it costs is shown before; who leaves that keeps the subscription as it is.
            model.overlay = Some(Overlay::Narrow { mints: Vec::new(), symbols: Vec::new() });
        }
    } else if model.detail.is_some() && std::mem::take(&mut model.page.zoomed)
        || model.detail.take().is_some()
        || model.evidence.take().is_some()
        || model.columns[model.pane() as usize].release()
    {
    } else if model.zoomed {
        model.zoomed = false;
    } else {
        model.trade = None;
        model.step = None;
        model.alert = None;
        model.alert_row = 0;
        model.logs.follow();
    }
}

const fn has_tokens(model: &Model) -> bool {
    matches!(model.tab, Tab::Overview | Tab::Tokens | Tab::Trades | Tab::Mev | Tab::Liquidity)
}
