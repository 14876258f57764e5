//! Where things stand, by the size of the terminal.
//!
//! ```text
//! header    source, slot, rates, parse rate, uptime
//! tabs
//! body      panes
//! pipeline  from 24 rows
//! message   newest notice or log line
//! footer    keys
//! ```

use ratatui::layout::Rect;

use super::{
    dividers::{Divider, Dividers},
    model::Pane,
    widgets::line,
};

/// Fewest columns and rows in which something useful can be shown.
pub const LEAST: (u16, u16) = (60, 16);
/// Fewest columns in which two tables stand side by side.
const SIDE_BY_SIDE: u16 = 110;

/// The fixed parts of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see the drawing above")]
pub struct Screen {
    pub header: Rect,
    pub tabs: Rect,
    pub body: Rect,
    pub pipeline: Rect,
    pub message: Rect,
    pub footer: Rect,
}

/// Whether there is room for boxes around the panes.
#[must_use]
pub const fn boxed(area: Rect) -> bool {
    area.width >= 100 && area.height >= 30
}

/// The parts; `None` below [`LEAST`].
#[must_use]
pub fn screen(area: Rect) -> Option<Screen> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let pipeline = u16::from(area.height >= 24);
    let foot = 2 + pipeline;
    let last = area.height - 1;
    Some(Screen {
        header: line(area, 0),
        tabs: line(area, 1),
        body: Rect { y: area.y + 2, height: area.height - 2 - foot, ..area },
        pipeline: Rect { height: pipeline, ..line(area, last.saturating_sub(2)) },
        message: line(area, last - 1),
        footer: line(area, last),
    })
}

/// Takes lines off the top.
fn top(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    let taken = Rect { height: rows, ..*area };
    area.y += rows;
    area.height -= rows;
    taken
}

/// So many percent of a width.
fn part(area: Rect, percent: u16) -> u16 {
    u16::try_from(u32::from(area.width) * u32::from(percent) / 100).unwrap_or(area.width)
}

/// Rows of a table pane: frame, heading and this many rows.
fn table(rows: usize, most: u16, boxed: bool) -> u16 {
    let rows = u16::try_from(rows).unwrap_or(most).clamp(1, most);
    rows + if boxed { 3 } else { 2 }
}

/// The panes of the Overview, for so many connections and groups. A column stays free between rules, none between boxes.
#[must_use]
pub fn overview(
    body: Rect,
    boxed: bool,
    (connections, groups): (usize, usize),
    dividers: &Dividers,
) -> Vec<(Pane, Rect)> {
    let mut rest = body;
    let gap = u16::from(!boxed);
    if body.height < 16 {
        // Small: the budget stands in the connections' title.
        let first = top(&mut rest, table(connections, 2, boxed));
        let second = top(&mut rest, table(groups, 3, boxed).min(5));
        return vec![(Pane::Connections, first), (Pane::Groups, second), (Pane::Tokens, rest)];
    }
    if boxed && body.width >= 150 && body.height >= 38 {
        let upper = top(&mut rest, table(connections, 8, true).max(7));
        let (left, right) = dividers.beside(upper, Divider::Budget, part(upper, 68), 0);
        let middle = top(&mut rest, table(groups, 4, true));
        let proofs = top(&mut rest, 4);
        let (tokens, side) = dividers.beside(rest, Divider::Tokens, part(rest, 68), 0);
        let (lifecycle, alerts) = dividers.below(side, Divider::Alerts, rest.height - 5);
        return vec![
            (Pane::Connections, left),
            (Pane::Budget, right),
            (Pane::Groups, middle),
            (Pane::Completeness, proofs),
            (Pane::Tokens, tokens),
            (Pane::Lifecycle, lifecycle),
            (Pane::Alerts, alerts),
        ];
    }
    let most = (body.height / 3).saturating_sub(3).max(3);
    let first = top(&mut rest, table(connections, most, boxed));
    let second = top(&mut rest, table(groups, 4, boxed));
    // In 80 by 24 the header's share has to do.
    let wide = body.height >= if boxed { 32 } else { 22 };
    let mut proofs = top(&mut rest, if wide { 2 + 2 * u16::from(boxed) } else { 0 });
    let usual = part(rest, if boxed { 62 } else { 60 });
    let (mut tokens, mut side) = dividers.beside(rest, Divider::Tokens, usual, gap);
    if boxed && !wide {
        let list = top(&mut tokens, rest.height.saturating_sub(3));
        proofs = std::mem::replace(&mut tokens, list);
    }
    let budget = top(&mut side, if boxed { 5 + u16::from(rest.height >= 16) } else { 3 });
    let alerts = if boxed { 3 + u16::from(rest.height >= 18) } else { 2 };
    let (lifecycle, alerts) = dividers.below(side, Divider::Alerts, side.height.saturating_sub(alerts));
    vec![
        (Pane::Connections, first),
        (Pane::Groups, second),
        (Pane::Completeness, proofs),
        (Pane::Tokens, tokens),
        (Pane::Budget, budget),
        (Pane::Lifecycle, lifecycle),
        (Pane::Alerts, alerts),
    ]
}

/// The panes of the Connections tab, for so many connections and groups.
#[must_use]
pub fn connections(
    body: Rect,
    boxed: bool,
    (connections, groups): (usize, usize),
    dividers: &Dividers,
) -> Vec<(Pane, Rect)> {
    let mut rest = body;
    let most = (body.height / 3).max(3);
    let first = top(&mut rest, table(connections, most, boxed));
    let second = top(&mut rest, table(groups, 4, boxed));
    let proofs = top(&mut rest, if boxed { 4 } else { 2 });
    let budget = top(&mut rest, if boxed { 6 } else { 4 });
    let (decoding, undecoded) = if rest.width >= SIDE_BY_SIDE {
        dividers.beside(rest, Divider::Decoding, part(rest, 55), u16::from(!boxed))
    } else {
        // Without room for both, what is missing comes first: `z` gives the other the screen.
        let half = if rest.height >= 12 { rest.height / 2 } else { 0 };
        let decoding = top(&mut rest, half);
        (decoding, rest)
    };
    vec![
        (Pane::Connections, first),
        (Pane::Groups, second),
        (Pane::Completeness, proofs),
        (Pane::Budget, budget),
        (Pane::Decoding, decoding),
        (Pane::Undecoded, undecoded),
    ]
}

/// A rectangle of this size in the middle, no larger than the screen allows.
#[must_use]
pub fn middle(area: Rect, columns: u16, rows: u16) -> Rect {
    let width = columns.min(area.width);
    let height = rows.min(area.height);
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(body: Rect, places: &[(Pane, Rect)]) -> Result<(), TestCaseError> {
        for (index, (pane, area)) in places.iter().enumerate() {
            prop_assert_eq!(area.intersection(body), *area, "{:?} leaves the body", pane);
            for (other, area_of_other) in &places[index + 1..] {
                let shared = area.intersection(*area_of_other);
                prop_assert!(shared.is_empty(), "{:?} and {:?} overlap", pane, other);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn panes_stay_in_the_body_and_apart(
            width in 60u16..500, height in 16u16..200, connections in 0usize..40, groups in 0usize..5,
        ) {
            let area = Rect { x: 0, y: 0, width, height };
            let Some(screen) = screen(area) else { return Err(TestCaseError::fail("no screen")) };
            let (counts, dividers) = ((connections, groups), Dividers::default());
            check(screen.body, &overview(screen.body, boxed(area), counts, &dividers))?;
            check(screen.body, &super::connections(screen.body, boxed(area), counts, &dividers))?;
        }
    }

    #[test]
    fn the_overview_shows_every_pane_from_eighty_by_twenty_four() {
        for (width, height) in [(80, 24), (100, 30), (120, 40), (160, 45), (200, 60)] {
            let area = Rect { x: 0, y: 0, width, height };
            let body = screen(area).map(|screen| screen.body).unwrap_or_default();
            let places = overview(body, boxed(area), (3, 3), &Dividers::default());
            for pane in super::super::model::Tab::Overview.panes() {
                let place = places.iter().find(|(which, _)| which == pane).map(|(_, area)| *area).unwrap_or_default();
                let headed = *pane == Pane::Completeness && height < 30;
                assert!(headed || place.height >= 2 && place.width >= 20, "{pane:?} at {width}x{height}: {place:?}");
            }
        }
    }

    #[test]
    fn too_small_is_said() {
        assert_eq!(screen(Rect { x: 0, y: 0, width: 59, height: 50 }), None);
        assert_eq!(screen(Rect { x: 0, y: 0, width: 200, height: 15 }), None);
    }
}
