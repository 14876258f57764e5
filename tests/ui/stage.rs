//! A part of the screen on a terminal of its own, to be drawn with any names.

use std::num::NonZero;

use ratatui::{buffer::Buffer, layout::Rect};
use smart_stream_tui::ui::{
    color::Depth,
    draw::Draw,
    format::Clock,
    frame::Painter,
    model::Model,
    theme::Theme,
    widgets::{Glyphs, width},
};

use super::{fixture, names::all_fine};

/// A part of the screen on a terminal of its own, with what stands there beside plain names. The terminal adds up the widths
/// of characters, as most do.
pub(crate) struct Stage {
    painter: Painter,
    terminal: vt100::Parser,
    theme: Theme,
    /// With a long plain name, and where names may stand: whatever is another with another plain name.
    plain: Buffer,
    names: Vec<bool>,
}

/// Draws the part into a buffer.
pub(crate) type Scene<'a> = &'a dyn Fn(&mut Buffer, &Draw<'_>);

impl Stage {
    /// A part that shows names; `with` draws it, given what to fill every name with.
    pub(crate) fn new(size: (u16, u16), with: impl Fn(&str, &mut dyn FnMut(&Model, Scene<'_>))) -> Self {
        let stage = Self::of(size, with);
        assert!(stage.names.contains(&true), "no name is shown here");
        stage
    }

    /// The same of a part that may show none.
    pub(crate) fn of((columns, rows): (u16, u16), with: impl Fn(&str, &mut dyn FnMut(&Model, Scene<'_>))) -> Self {
        let theme = Theme::built_in("dark", Depth::True).unwrap();
        let area = Rect::new(0, 0, columns, rows);
        let drawn = |name: &str| {
            let mut buffer = Buffer::empty(area);
            with(name, &mut |model, scene| paint(&mut buffer, model, &theme, scene));
            buffer
        };
        let plain = drawn(&"A".repeat(300));
        let mut names = vec![false; plain.content().len()];
        for other in ["B".repeat(300), "A".repeat(7), String::new()] {
            for (name, (one, two)) in names.iter_mut().zip(plain.content().iter().zip(drawn(&other).content())) {
                *name |= one != two;
            }
        }
        let terminal = vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap(), 0);
        Self { painter: Painter::default(), terminal, theme, plain, names }
    }

    /// Draws over what was drawn before, and looks at what was drawn and at what the terminal shows of it.
    pub(crate) fn show(&mut self, model: &Model, scene: Scene<'_>) -> Buffer {
        let mut drawn = Buffer::default();
        let Rect { width: columns, height: rows, .. } = self.plain.area;
        let bytes = self.painter.frame((columns, rows), |buffer| {
            paint(buffer, model, &self.theme, scene);
            drawn = buffer.clone();
        });
        // The terminal of the tests takes the replacement character for a broken byte and leaves it out.
        self.terminal.process(String::from_utf8(bytes.unwrap().to_vec()).unwrap().replace('\u{fffd}', "?").as_bytes());
        for y in 0..rows {
            let mut x = 0;
            while x < columns {
                let symbol = drawn[(x, y)].symbol();
                all_fine(symbol);
                let cells = width(symbol);
                assert!((1..=4).contains(&cells), "{symbol:?} in column {x} of row {y}");
                for behind in x + 1..x + cells {
                    let next = drawn.cell((behind, y)).map(ratatui::buffer::Cell::symbol);
                    assert_eq!(next, Some(" "), "behind {symbol:?} in column {x} of row {y}");
                }
                x += cells;
            }
            assert_eq!(x, columns, "row {y} is shifted");
        }
        let screen = self.terminal.screen();
        for ((place, cell), plain) in drawn.content().iter().enumerate().zip(self.plain.content()) {
            if !self.names[place] {
                let (x, y) = drawn.pos_of(place);
                assert_eq!(
                    cell.symbol(),
                    plain.symbol(),
                    "column {x} of row {y}, beside {:?}",
                    drawn.content()[usize::from(y) * usize::from(columns)..]
                        .iter()
                        .take(columns.into())
                        .map(ratatui::buffer::Cell::symbol)
                        .collect::<String>()
                );
                let told = screen.cell(y, x).map(vt100::Cell::contents).filter(|told| !told.is_empty()).unwrap_or(" ");
                assert_eq!(
                    told,
                    plain.symbol(),
                    "column {x} of row {y} on the terminal: {:?}",
                    screen.rows(0, columns).nth(y.into())
                );
            }
        }
        drawn
    }
}

/// Draws a scene as the screen would.
pub(crate) fn paint(buffer: &mut Buffer, model: &Model, theme: &Theme, scene: Scene<'_>) {
    let clock = Clock::at(fixture::NOW_MS);
    scene(buffer, &Draw { model, theme, glyphs: Glyphs::new(false), clock: &clock, boxed: true });
}
