//! Frames as bytes: only what changed, as one piece, marked as one update.

use std::io;

use ratatui::{
    backend::{Backend, CrosstermBackend},
    buffer::Buffer,
    layout::Rect,
};

/// Nothing is shown until the end mark, on terminals that know the mark.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";

/// What the terminal shows, and the next frame.
#[derive(Debug, Default)]
pub struct Painter {
    shown: Buffer,
    next: Buffer,
    whole: bool,
    bytes: Vec<u8>,
}

impl Painter {
    /// The next frame is sent whole: the terminal may show anything.
    pub fn forget(&mut self) {
        self.whole = true;
    }

    /// Draws a frame of this size and returns the bytes that bring the terminal there; none when nothing changed.
    ///
    /// # Errors
    /// Never in practice: the bytes go to memory.
    pub fn frame(&mut self, (columns, rows): (u16, u16), draw: impl FnOnce(&mut Buffer)) -> io::Result<&[u8]> {
        let area = Rect { x: 0, y: 0, width: columns, height: rows };
        if self.next.area != area {
            self.next = Buffer::empty(area);
            self.whole = true;
        }
        self.next.reset();
        draw(&mut self.next);
        self.bytes.clear();
        self.bytes.extend_from_slice(BEGIN);
        if self.whole {
            self.whole = false;
            self.shown = Buffer::empty(area);
            self.bytes.extend_from_slice(CLEAR);
        }
        let before = self.bytes.len();
        let mut changes = self.shown.diff_iter(&self.next).peekable();
        if changes.peek().is_some() {
            CrosstermBackend::new(&mut self.bytes).draw(changes)?;
        } else if before == BEGIN.len() {
            return Ok(&[]);
        }
        self.bytes.extend_from_slice(END);
        std::mem::swap(&mut self.shown, &mut self.next);
        if self.next.area != area {
            self.next = Buffer::empty(area);
        }
        Ok(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Style};

    fn paint(painter: &mut Painter, size: (u16, u16), words: &[(u16, u16, String, u8)]) -> Vec<u8> {
        let draw = |buffer: &mut Buffer| {
            for (x, y, text, color) in words {
                let style = Style::new().fg(Color::Indexed(*color));
                super::super::widgets::text(buffer, Rect { x: *x, y: *y, width: 20, height: 1 }, text, style);
            }
        };
        painter.frame(size, draw).unwrap().to_vec()
    }

    #[test]
    fn an_unchanged_frame_costs_nothing() {
        let mut painter = Painter::default();
        let words = [(1, 1, "abc".to_owned(), 3)];
        assert!(paint(&mut painter, (20, 5), &words).starts_with(BEGIN));
        assert_eq!(paint(&mut painter, (20, 5), &words), b"");
        painter.forget();
        let again = paint(&mut painter, (20, 5), &words);
        assert!(again.windows(CLEAR.len()).any(|part| part == CLEAR) && again.ends_with(END));
    }

    proptest! {
        /// Whatever came before, the terminal ends up showing the last frame.
        #[test]
        fn differences_lead_to_the_frame(
            frames in prop::collection::vec(
                (
                    (1u16..40, 1u16..12),
                    prop::collection::vec((0u16..40, 0u16..12, "[a-z中é● ]{0,12}", 16u8..), 0..8),
                ),
                1..6,
            ),
        ) {
            let mut painter = Painter::default();
            let whole = |cells: u16| std::num::NonZero::new(cells).unwrap();
            let mut terminal = vt100::Parser::new(whole(12), whole(40), 0);
            let mut last = None;
            for (size, words) in &frames {
                terminal.screen_mut().set_size(whole(size.1), whole(size.0));
                terminal.process(&paint(&mut painter, *size, words));
                last = Some((*size, words));
            }
            let (size, words) = last.unwrap();
            let mut fresh = vt100::Parser::new(whole(size.1), whole(size.0), 0);
            fresh.process(&paint(&mut Painter { whole: true, ..Painter::default() }, size, words));
            // A cell that was cleared by writing a blank over it looks like one that was never written.
            let shown = |terminal: &vt100::Parser| -> Vec<String> {
                let lines = terminal.screen().rows(0, 40);
                lines.map(|line| line.trim_end().to_owned()).collect()
            };
            prop_assert_eq!(shown(&terminal), shown(&fresh));
        }
    }
}
