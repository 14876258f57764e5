//! The user's files, read again while the dashboard runs.

use super::{
    Reread,
    model::{Model, Notice, Overlay},
    update::{complain, visible},
};

/// Takes what was read, or says why nothing was. A theme that was chosen stays chosen by its name, unless the setting has
/// changed.
pub(super) fn apply(model: &mut Model, read: Result<Reread, String>) {
    let Reread { looks, changed, later, .. } = match read {
        Ok(read) => read,
        Err(reason) => return complain(model, &format!("nothing was changed: {}", visible(&reason))),
    };
    let chosen = model.themes.name(model.theme).to_owned();
    if let Some(Overlay::Themes { before }) = &mut model.overlay {
        *before = looks.themes.position(model.themes.name(*before)).unwrap_or(0);
    }
    let wanted = if changed.contains(&"ui.theme") { &looks.theme } else { &chosen };
    model.theme = looks.themes.position(wanted).unwrap_or(0);
    (model.keys, model.themes, model.ascii) = (looks.keys, looks.themes, looks.ascii);
    model.pressed.clear();
    let text = said(model.themes.names().len(), &changed, &later);
    model.notice = Some(Notice { text, bad: false, stays: true });
}

/// What has changed, in words.
fn said(themes: usize, changed: &[&str], later: &[&str]) -> String {
    if changed.is_empty() && later.is_empty() {
        return format!("settings, keys and {themes} themes are read again");
    }
    let lists = [("in force: ", changed), ("from the next start on: ", later)];
    let lists = lists.into_iter().filter(|(_, names)| !names.is_empty());
    lists.map(|(words, names)| format!("{words}{}", names.join(", "))).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_take_effect_at_once_is_said() {
        assert_eq!(said(7, &[], &[]), "settings, keys and 7 themes are read again");
        let both = said(7, &["ui.fps"], &["stream.proof", "group"]);
        assert_eq!(both, "in force: ui.fps; from the next start on: stream.proof, group");
    }
}
