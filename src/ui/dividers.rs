//! The lines between panes, which the mouse drags. Where one was dragged to is kept as a share of what it divides, so that it
//! outlives another size of the terminal; neither side ever gets smaller than what is useful.

use std::cell::RefCell;

use ratatui::layout::{Position, Rect};

use super::widgets::after;

/// Fewest columns and rows that a side keeps.
pub const LEAST: (u16, u16) = (24, 3);

/// A line between panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divider {
    /// Overview: connections from the budget.
    Budget,
    /// Overview: tokens from what happens to them.
    Tokens,
    /// Overview: what happens to tokens from the alerts.
    Alerts,
    /// Connections: decoding from what was not decoded.
    Decoding,
    /// A token's page: figures from the chart.
    Chart,
    /// A token's page: venues from traders.
    Traders,
    /// A token's page: trades from apps and alerts.
    Trades,
}

impl Divider {
    const COUNT: usize = Self::Trades as usize + 1;
}

/// One that stood in the last frame.
#[derive(Clone, Copy, Debug)]
struct Line {
    which: Divider,
    /// The cells by which it is taken.
    place: Rect,
    /// What it divides.
    area: Rect,
    /// Whether sides stand beside each other; else one below the other.
    upright: bool,
}

/// Where the lines are.
#[derive(Debug, Default)]
pub struct Dividers {
    /// The first side's share in thousandths, of those that were dragged.
    shares: [Option<u16>; Divider::COUNT],
    lines: RefCell<Vec<Line>>,
    held: Option<Divider>,
}

impl Dividers {
    /// Forgets the lines of the last frame, before the next.
    pub fn begin(&self) {
        self.lines.borrow_mut().clear();
    }

    /// Divides an area into one side with so many columns, unless the line was dragged, and another behind a gap.
    pub fn beside(&self, area: Rect, which: Divider, usual: u16, gap: u16) -> (Rect, Rect) {
        let left = self.first(which, area.width.saturating_sub(gap), LEAST.0).unwrap_or(usual).min(area.width);
        let right = after(area, left.saturating_add(gap).min(area.width));
        // Between boxes there is no gap, but each has an edge.
        let (x, width) = if gap > 0 { (area.x + left, gap) } else { ((area.x + left).saturating_sub(1), 2) };
        self.lines.borrow_mut().push(Line { which, place: Rect { x, width, ..area }, area, upright: true });
        (Rect { width: left, ..area }, right)
    }

    /// Divides an area into one side with so many rows, unless the line was dragged, and another below it. The line is the
    /// upper edge of the latter.
    pub fn below(&self, area: Rect, which: Divider, usual: u16) -> (Rect, Rect) {
        let upper = self.first(which, area.height, LEAST.1).unwrap_or(usual).min(area.height);
        let lower = Rect { y: area.y + upper, height: area.height - upper, ..area };
        let place = Rect { height: lower.height.min(1), ..lower };
        self.lines.borrow_mut().push(Line { which, place, area, upright: false });
        (Rect { height: upper, ..area }, lower)
    }

    /// What a dragged line leaves the first side of so many cells.
    fn first(&self, which: Divider, cells: u16, least: u16) -> Option<u16> {
        let share = self.shares.get(which as usize).copied().flatten()?;
        let least = least.min(cells / 2);
        let wanted = u16::try_from((u32::from(share) * u32::from(cells) + 500) / 1_000).unwrap_or(cells);
        Some(wanted.clamp(least, cells - least))
    }

    /// Takes the line that stood here, if one did.
    pub fn grab(&mut self, at: Position) -> bool {
        self.held = self.lines.borrow().iter().find(|line| line.place.contains(at)).map(|line| line.which);
        self.held.is_some()
    }

    /// Drags the line that is held to this place.
    pub fn drag(&mut self, at: Position) {
        let lines = self.lines.borrow();
        let Some(line) = self.held.and_then(|held| lines.iter().find(|line| line.which == held)) else { return };
        let (cells, to) = if line.upright {
            (line.area.width, at.x.saturating_sub(line.area.x))
        } else {
            (line.area.height, at.y.saturating_sub(line.area.y))
        };
        let share = (u32::from(to.min(cells)) * 1_000).checked_div(u32::from(cells));
        if let (Some(share), Some(own)) = (share, self.shares.get_mut(line.which as usize)) {
            *own = u16::try_from(share).ok();
        }
    }

    /// Lets go.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// The cells of the line that is held.
    #[must_use]
    pub fn held(&self) -> Option<Rect> {
        let lines = self.lines.borrow();
        self.held.and_then(|held| lines.iter().find(|line| line.which == held)).map(|line| line.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Wherever it is dragged, both sides stay inside and apart, and useful where there is room for two.
        #[test]
        fn sides_stay_useful(width in 0u16..300, height in 0u16..100, x in 0u16..320, y in 0u16..120, gap in 0u16..2, upright: bool) {
            let area = Rect { x: 3, y: 2, width, height };
            let mut dividers = Dividers::default();
            let split = |dividers: &Dividers| {
                dividers.begin();
                if upright {
                    dividers.beside(area, Divider::Tokens, width / 2, gap)
                } else {
                    dividers.below(area, Divider::Alerts, height / 2)
                }
            };
            split(&dividers);
            let grip = dividers.lines.borrow().first().map(|line| line.place).unwrap_or_default();
            dividers.grab(grip.as_position());
            dividers.drag(Position { x, y });
            let (first, second) = split(&dividers);
            prop_assert_eq!(first.intersection(area), first);
            prop_assert_eq!(second.intersection(area), second);
            prop_assert!(first.intersection(second).is_empty());
            if upright && width >= 2 * LEAST.0 + gap && height > 0 {
                prop_assert!(first.width.min(second.width) >= LEAST.0, "{} and {}", first.width, second.width);
                prop_assert_eq!(first.width + gap + second.width, width);
            }
            if !upright && height >= 2 * LEAST.1 && width > 0 {
                prop_assert!(first.height.min(second.height) >= LEAST.1, "{} and {}", first.height, second.height);
                prop_assert_eq!(first.height + second.height, height);
            }
        }

        /// It comes to stand under the pointer, where that leaves both sides their least.
        #[test]
        fn the_line_follows_the_pointer(width in 100u16..300, to in 30u16..70) {
            let area = Rect { x: 5, y: 0, width, height: 10 };
            let mut dividers = Dividers::default();
            dividers.beside(area, Divider::Tokens, width / 2, 0);
            let grip = Position { x: 5 + width / 2, y: 4 };
            prop_assert!(dividers.grab(grip));
            dividers.drag(Position { x: 5 + to, y: 4 });
            dividers.begin();
            let (left, _) = dividers.beside(area, Divider::Tokens, width / 2, 0);
            prop_assert!(left.width.abs_diff(to) <= 1, "{} for {to}", left.width);
            dividers.release();
            dividers.drag(Position { x: 90, y: 4 });
            dividers.begin();
            prop_assert_eq!(dividers.beside(area, Divider::Tokens, width / 2, 0).0, left);
        }
    }
}
