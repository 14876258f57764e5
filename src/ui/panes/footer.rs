//! The last line: keys that are useful here.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    action::TABLE,
    draw::Draw,
    model::{Mode, Overlay},
    widgets::{after, pieces, width},
};

/// Draws the hints that fit; help and quit come first because they always must.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let model = draw.model;
    let hints: Vec<(String, &str)> = match (model.mode(), &model.overlay) {
        (Mode::Typing, _) => vec![
            ("Enter".into(), "keep"),
            ("Esc".into(), "clear"),
            (String::new(), "words are alternatives: part of a mint, or letters of a symbol"),
        ],
        (_, Some(Overlay::Plan(plan))) if plan.moves.is_empty() => vec![("Esc".into(), "close")],
        (_, Some(Overlay::Plan(_))) => vec![("Enter".into(), "apply"), ("Esc".into(), "cancel")],
        (_, Some(Overlay::MoveGroup { .. })) => {
            vec![("j/k".into(), "choose"), ("Enter".into(), "move"), ("Esc".into(), "cancel")]
        }
        (_, Some(Overlay::Help { .. })) => vec![("j/k".into(), "scroll"), ("Esc".into(), "close")],
        _ if model.detail.is_some() => {
            vec![
                ("Esc".into(), "back"),
                ("j/k".into(), "next token"),
                ("Space".into(), "freeze"),
                ("e".into(), "export"),
                ("?".into(), "help"),
                ("q".into(), "quit"),
            ]
        }
        _ => screen(model.tab),
    };
    let mut x = 1;
    for (key, hint) in hints {
        if x + width(&key) + width(hint) + 1 > area.width {
            continue;
        }
        x +=
            pieces(buffer, after(area, x), &[(&key, draw.theme.accent), (" ", draw.theme.dim), (hint, draw.theme.dim)])
                + 2;
    }
}

fn screen(tab: crate::ui::model::Tab) -> Vec<(String, &'static str)> {
    let mut hints: Vec<(String, &'static str)> = TABLE
        .iter()
        .filter(|row| !row.hint.is_empty() && (row.tabs.is_empty() || row.tabs.contains(&tab)))
        .map(|row| (row.keys.first().map(ToString::to_string).unwrap_or_default(), row.hint))
        .collect();
    // Stable: what is of this tab first, but the two that everybody looks for before all.
    hints.sort_by_key(|(_, hint)| match *hint {
        "help" => 0,
        "quit" => 1,
        _ => 2,
    });
    hints
}
