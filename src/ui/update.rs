//! What an action does to the model, and what it asks of the outside. No terminal, no channel, no clock in here.

use std::time::{Duration, Instant};

use crate::engine::Command;

use super::{
    action::{Action, TABLE},
    arguments::ask,
    enter::{back, has_tokens, open},
    format::time_of_day,
    keys::{Chord, Key, Meaning},
    model::{Mode, Model, Notice, Overlay, Pane, PendingThrottle, Tab},
    mouse::show,
    movement::{by, focus, page},
    mutes::Mute,
    muting::{mute, watch},
    palette::Palette,
    panes,
    past::{kept, step_in_time},
    search::{self, From},
    sorting::{columns, next_sort, sort},
    streams::{choose_target, choose_tokens, stream, throttle, under_way},
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
pub(super) fn edit(model: &mut Model, change: impl FnOnce(&mut Typed)) {
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

pub(super) fn filtered(model: &mut Model) {
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

/// Whether an action works on the streams as they are now.
pub(super) const fn changes_streams(action: Action) -> bool {
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
