//! What an action does to what is named behind it in the palette.

use std::time::Instant;

use crate::{
    chain::group::Group,
    engine::{Command, view::GroupView},
    stream::status::Move,
};

use super::{
    action::{Action, Argument, TABLE},
    model::{Mode, Model, Overlay, Tab},
    mouse::show,
    palette::{self, Palette},
    panes,
    sorting::sort,
    streams::{stream, throttle_to},
    update::{Effect, apply, changes_streams, complain, edit, say},
};

/// What an action does to what is named by `argument`, or to what is selected when that is empty.
pub(super) fn apply_to(model: &mut Model, action: Action, argument: &str, now: Instant) -> Vec<Effect> {
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
pub(super) fn ask(model: &mut Model, name: &str) {
    let mut palette = Palette::new(model);
    palette.edit(|typed| typed.set(&format!("{name} ")));
    model.overlay = Some(Overlay::Palette(palette));
}

pub(super) fn move_group(model: &mut Model, group: Group, to: usize, now: Instant, effects: &mut Vec<Effect>) {
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

fn is_on(groups: &[GroupView], wanted: Move) -> bool {
    groups.iter().any(|group| group.group == wanted.group && group.connections == [wanted.to])
}
