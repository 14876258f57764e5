//! The last line: what is being typed, and keys that are useful here.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    action::{Action, TABLE},
    draw::Draw,
    model::{Mode, Model, Overlay},
    widgets::{after, pieces, width},
};

/// Draws the hints that fit; help and quit come first because they always must.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let hints: Vec<(String, &str)> = match (model.mode(), &model.overlay) {
        (Mode::Typing, Some(Overlay::Palette(_))) => {
            vec![("Up/Down".into(), "choose"), ("Enter".into(), "do it"), ("Esc".into(), "close")]
        }
        (Mode::Typing, Some(_)) => vec![("Enter".into(), "keep"), ("Esc".into(), "clear")],
        (Mode::Typing, None) if model.searching => {
            vec![("Enter".into(), "keep"), ("Esc".into(), "clear"), (String::new(), "all words must be in a row")]
        }
        (Mode::Typing, _) => {
            vec![("Enter".into(), "keep"), ("Esc".into(), "clear"), ("Tab".into(), "complete"), ("!".into(), "not")]
        }
        (_, Some(Overlay::Plan(plan))) if plan.moves.is_empty() => vec![("Esc".into(), "close")],
        (_, Some(Overlay::Plan(_) | Overlay::Narrow { .. })) => {
            vec![("Enter".into(), "apply"), ("Esc".into(), "cancel")]
        }
        (_, Some(Overlay::MoveGroup { .. })) => {
            vec![("j/k".into(), "choose"), ("Enter".into(), "move"), ("Esc".into(), "cancel")]
        }
        (_, Some(Overlay::Help { .. })) => {
            vec![("j/k".into(), "scroll"), (model.keys.first(Action::Search), "search"), ("Esc".into(), "close")]
        }
        (_, Some(Overlay::Trade(_))) => vec![
            (model.keys.first(Action::Open), "its token"),
            (model.keys.first(Action::Copy), "copy mint"),
            (model.keys.first(Action::CopySignature), "transaction"),
            (model.keys.first(Action::Watch), "watch its trader"),
            (model.keys.first(Action::Back), "close"),
        ],
        (_, Some(Overlay::Themes { .. })) => {
            vec![("j/k".into(), "choose"), ("Enter".into(), "keep"), ("Esc".into(), "back to the former")]
        }
        (_, None) if model.detail.is_some() => {
            vec![
                (model.keys.first(Action::Back), "back"),
                ("j/k".into(), "next token"),
                (model.keys.first(Action::NextPane), "next list"),
                (model.keys.first(Action::Zoom), "zoom it"),
                (model.keys.first(Action::ShorterRange) + "/" + &model.keys.first(Action::LongerRange), "time"),
                (model.keys.first(Action::Freeze), "freeze"),
                (model.keys.first(Action::Export), "export"),
                (model.keys.first(Action::Help), "help"),
                (model.keys.first(Action::Quit), "quit"),
            ]
        }
        (_, None) if model.evidence.is_some() => {
            let key = |action| model.keys.first(action);
            vec![
                (key(Action::Back), "back"),
                ("j/k".into(), "next alert"),
                (key(Action::Open), "its token"),
                (key(Action::Copy), "copy mint"),
                (key(Action::CopySignature), "signature"),
                (key(Action::MuteClass), "mute class"),
                (key(Action::MuteWallet), "wallet"),
                (key(Action::MuteToken), "token"),
                (key(Action::Unmute), "undo"),
                (key(Action::Watch), "watch"),
                (key(Action::Help), "help"),
            ]
        }
        _ => screen(model),
    };
    let mut x = 1;
    let prompt = match (model.mode(), &model.overlay) {
        (Mode::Typing, None) if model.searching => Some(("/", &model.search)),
        (Mode::Typing, None) => Some(("filter ", model.filter.typed())),
        _ => None,
    };
    if let Some((label, typed)) = prompt {
        // Its end is seen, whatever the width; the hints take what is left.
        let room = Rect { width: (area.width / 2).min(60), ..after(area, x) };
        let tail = typed.tail(room.width.saturating_sub(width(label) + 1));
        pieces(buffer, room, &[(label, draw.theme.accent), (tail, draw.theme.strong), (" ", draw.theme.tab)]);
        x += room.width + 2;
    }
    for (key, hint) in hints {
        if x + width(&key) + width(hint) + 1 > area.width {
            continue;
        }
        x +=
            pieces(buffer, after(area, x), &[(&key, draw.theme.accent), (" ", draw.theme.dim), (hint, draw.theme.dim)])
                + 2;
    }
}

fn screen(model: &Model) -> Vec<(String, &'static str)> {
    let mut hints: Vec<(String, &'static str)> = TABLE
        .iter()
        .enumerate()
        .filter(|(_, row)| !row.hint.is_empty() && (row.tabs.is_empty() || row.tabs.contains(&model.tab)))
        .filter_map(|(position, row)| Some((model.keys.of(position).first()?.to_string(), row.hint)))
        .collect();
    // Stable: what is of this tab first, but the two that everybody looks for before all.
    hints.sort_by_key(|(_, hint)| match *hint {
        "help" => 0,
        "quit" => 1,
        _ => 2,
    });
    hints
}
