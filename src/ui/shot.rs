//! A frame as SVG: the same picture on every machine. Blocks, braille and lines are drawn as shapes, because fonts differ
//! in them or lack them; the rest is text.

use std::fmt::Write;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr;

use super::{color::indexed_rgb, theme::Theme};

/// Size of a cell in the picture's units.
const CELL: (u32, u32) = (8, 17);
/// Where letters stand, from the top of the cell.
const BASELINE: u32 = 13;

/// Colours of text and ground where the frame leaves them to the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// Of text.
    pub text: (u8, u8, u8),
    /// Of the ground.
    pub ground: (u8, u8, u8),
}

impl Default for Defaults {
    fn default() -> Self {
        Self { text: (0xc9, 0xd1, 0xd9), ground: (0x0d, 0x11, 0x17) }
    }
}

impl Defaults {
    /// Those of a theme, where it has colours of its own.
    #[must_use]
    pub fn of(theme: &Theme) -> Self {
        let default = Self::default();
        let or = |color: Option<Color>, default| color.map_or(default, |color| rgb(color, default));
        Self { text: or(theme.text.fg, default.text), ground: or(theme.background.bg, default.ground) }
    }
}

/// The frame as an SVG document.
#[must_use]
pub fn svg(buffer: &Buffer, defaults: Defaults) -> String {
    let (width, height) = (u32::from(buffer.area.width) * CELL.0, u32::from(buffer.area.height) * CELL.1);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"13.3\" xml:space=\"preserve\">"
    );
    let _ = writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>", hex(defaults.ground));
    for y in 0..buffer.area.height {
        grounds(&mut out, buffer, y, defaults);
        signs(&mut out, buffer, y, defaults);
    }
    out.push_str("</svg>\n");
    out
}

fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text and ground of a cell, reversal applied.
fn colors(cell: &Cell, defaults: Defaults) -> ((u8, u8, u8), (u8, u8, u8)) {
    let mut text = rgb(cell.fg, defaults.text);
    let ground = rgb(cell.bg, defaults.ground);
    if cell.modifier.contains(Modifier::DIM) {
        let half = |a: u8, b: u8| u8::midpoint(a, b);
        text = (half(text.0, ground.0), half(text.1, ground.1), half(text.2, ground.2));
    }
    if cell.modifier.contains(Modifier::REVERSED) { (ground, text) } else { (text, ground) }
}

fn rgb(color: Color, default: (u8, u8, u8)) -> (u8, u8, u8) {
    match color {
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Indexed(index) => indexed_rgb(index),
        Color::Black => indexed_rgb(0),
        Color::Red => indexed_rgb(1),
        Color::Green => indexed_rgb(2),
        Color::Yellow => indexed_rgb(3),
        Color::Blue => indexed_rgb(4),
        Color::Magenta => indexed_rgb(5),
        Color::Cyan => indexed_rgb(6),
        Color::Gray => indexed_rgb(7),
        Color::DarkGray => indexed_rgb(8),
        Color::LightRed => indexed_rgb(9),
        Color::LightGreen => indexed_rgb(10),
        Color::LightYellow => indexed_rgb(11),
        Color::LightBlue => indexed_rgb(12),
        Color::LightMagenta => indexed_rgb(13),
        Color::LightCyan => indexed_rgb(14),
        Color::White => indexed_rgb(15),
        Color::Reset => default,
    }
}

/// Runs of one ground colour.
fn grounds(out: &mut String, buffer: &Buffer, y: u16, defaults: Defaults) {
    let ground = |x: u16| buffer.cell((x, y)).map(|cell| colors(cell, defaults).1);
    let mut x = 0;
    while let Some(color) = ground(x) {
        let start = x;
        while ground(x) == Some(color) {
            x += 1;
        }
        if color != defaults.ground {
            rect(
                out,
                (f64::from(start) * f64::from(CELL.0), 0.0),
                (f64::from((x - start) * 8), f64::from(CELL.1)),
                y,
                color,
            );
        }
    }
}

fn rect(out: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), row: u16, color: (u8, u8, u8)) {
    let y = y + f64::from(row) * f64::from(CELL.1);
    let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>", hex(color));
}

/// Shapes, and runs of text of one look.
fn signs(out: &mut String, buffer: &Buffer, y: u16, defaults: Defaults) {
    let mut x = 0;
    while let Some(cell) = buffer.cell((x, y)) {
        let symbol = cell.symbol();
        let color = colors(cell, defaults).0;
        if symbol.trim().is_empty() {
            x += 1;
            continue;
        }
        if let Some(sign) = single(symbol)
            && shape(out, sign, x, y, color)
        {
            x += 1;
            continue;
        }
        let start = x;
        let look = |cell: &Cell| (colors(cell, defaults).0, cell.modifier & (Modifier::BOLD | Modifier::UNDERLINED));
        let mine = look(cell);
        let mut words = String::new();
        let mut columns = 0;
        while let Some(cell) = buffer.cell((x, y)) {
            let symbol = cell.symbol();
            let is_shape = single(symbol).is_some_and(|sign| shape(&mut String::new(), sign, x, y, color));
            let breaks = look(cell) != mine && !symbol.trim().is_empty();
            if is_shape || breaks || (symbol.trim().is_empty() && ends(buffer, x, y)) {
                break;
            }
            let cells = u16::try_from(symbol.width().max(1)).unwrap_or(1);
            words.push_str(symbol);
            columns += cells;
            x += cells;
        }
        let trimmed = words.trim_end();
        columns -= u16::try_from(words.len() - trimmed.len()).unwrap_or(0);
        text(out, (start, y), trimmed, columns, mine);
    }
}

/// Whether two empty cells follow: there a run of text may end.
fn ends(buffer: &Buffer, x: u16, y: u16) -> bool {
    buffer.cell((x + 1, y)).is_none_or(|cell| cell.symbol().trim().is_empty())
}

fn single(symbol: &str) -> Option<char> {
    let mut chars = symbol.chars();
    chars.next().filter(|_| chars.next().is_none())
}

fn text(out: &mut String, (x, y): (u16, u16), words: &str, columns: u16, (color, modifier): ((u8, u8, u8), Modifier)) {
    let escaped = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let bold = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let under = if modifier.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" textLength=\"{}\" fill=\"{}\"{bold}{under}>{escaped}</text>",
        u32::from(x) * CELL.0,
        u32::from(y) * CELL.1 + BASELINE,
        u32::from(columns) * CELL.0,
        hex(color),
    );
}

/// Draws a block, braille or line sign; says whether it is one.
fn shape(out: &mut String, sign: char, x: u16, y: u16, color: (u8, u8, u8)) -> bool {
    let (width, height) = (f64::from(CELL.0), f64::from(CELL.1));
    let left = f64::from(x) * width;
    let mut put = |x: f64, y_in: f64, w: f64, h: f64| rect(out, (left + x, y_in), (w, h), y, color);
    let code = u32::from(sign);
    match sign {
        '▁'..='█' => {
            let part = height * f64::from(code - 0x2580) / 8.0;
            put(0.0, height - part, width, part);
        }
        '▉'..='▏' => put(0.0, 0.0, width * f64::from(0x2590 - code) / 8.0, height),
        '\u{2800}'..='\u{28ff}' => {
            const PLACES: [(f64, f64); 8] =
                [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];
            for (bit, (column, row)) in PLACES.into_iter().enumerate() {
                if code & (1 << bit) != 0 {
                    put(1.0 + column * 4.0, 1.0 + row * 4.25, 2.0, 2.0);
                }
            }
        }
        '╾' => {
            put(0.0, 6.5, 4.0, 3.0);
            put(4.0, 7.5, 4.0, 1.0);
        }
        _ => {
            let Some((arms, thick)) = arms(sign) else { return false };
            let (mid_x, mid_y) = (width / 2.0, (height - 1.0) / 2.0);
            let half = thick / 2.0;
            let [up, right, down, left_arm] = arms;
            if left_arm {
                put(0.0, mid_y - half, mid_x + half, thick);
            }
            if right {
                put(mid_x - half, mid_y - half, width - mid_x + half, thick);
            }
            if up {
                put(mid_x - half, 0.0, thick, mid_y + half);
            }
            if down {
                put(mid_x - half, mid_y - half, thick, height - mid_y + half);
            }
        }
    }
    true
}

/// Arms up, right, down and left of a line sign, and its thickness.
const fn arms(sign: char) -> Option<([bool; 4], f64)> {
    Some(match sign {
        '─' => ([false, true, false, true], 1.0),
        '│' => ([true, false, true, false], 1.0),
        '╭' | '┌' => ([false, true, true, false], 1.0),
        '╮' | '┐' => ([false, false, true, true], 1.0),
        '╰' | '└' => ([true, true, false, false], 1.0),
        '╯' | '┘' => ([true, false, false, true], 1.0),
        '━' => ([false, true, false, true], 3.0),
        '┃' => ([true, false, true, false], 2.0),
        '┏' => ([false, true, true, false], 2.0),
        '┓' => ([false, false, true, true], 2.0),
        '┗' => ([true, true, false, false], 2.0),
        '┛' => ([true, false, false, true], 2.0),
        _ => return None,
    })
}
