//! How many colours the terminal has, and the nearest one of those to the colour a theme asks for.

use ratatui::style::Color;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The xterm palette of 256.
    Indexed,
    /// The sixteen colours of the terminal's own scheme.
    Sixteen,
    /// None: weight, underline and reversal only.
    Mono,
}

impl Depth {
    /// By the environment's word: `NO_COLOR` (any value but the empty one), `COLORTERM`, `TERM`.
    #[must_use]
    pub fn of(no_color: bool, colorterm: &str, term: &str) -> Self {
        if no_color || term.starts_with("vt1") || term.starts_with("vt2") || term.ends_with("-m") {
            return Self::Mono;
        }
        if colorterm.contains("truecolor") || colorterm.contains("24bit") || term.ends_with("-direct") {
            return Self::True;
        }
        if term.contains("256color") { Self::Indexed } else { Self::Sixteen }
    }

    /// The nearest colour this depth has.
    #[must_use]
    pub fn nearest(self, (red, green, blue): (u8, u8, u8)) -> Color {
        match self {
            Self::True => Color::Rgb(red, green, blue),
            Self::Indexed => Color::Indexed(nearest_indexed((red, green, blue))),
            Self::Sixteen => nearest_sixteen((red, green, blue)),
            Self::Mono => Color::Reset,
        }
    }
}

/// Levels of the 6×6×6 cube of the xterm palette.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Position of a colour of the xterm palette among its 240 fixed ones, as red, green and blue.
#[must_use]
pub fn indexed_rgb(index: u8) -> (u8, u8, u8) {
    match index {
        0..=15 => SIXTEEN.get(usize::from(index)).map_or((0, 0, 0), |(_, rgb)| *rgb),
        16..=231 => {
            let at = |shift: u8| CUBE.get(usize::from((index - 16) / shift % 6)).copied().unwrap_or(0);
            (at(36), at(6), at(1))
        }
        232.. => {
            let level = 8 + 10 * (index - 232);
            (level, level, level)
        }
    }
}

/// Weighted squared distance: green counts most, as for the eye.
fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    2 * square(a.0, b.0) + 4 * square(a.1, b.1) + 3 * square(a.2, b.2)
}

fn nearest_indexed(rgb: (u8, u8, u8)) -> u8 {
    // The first sixteen differ from terminal to terminal; the rest are fixed.
    (16..=255).min_by_key(|index| distance(rgb, indexed_rgb(*index))).unwrap_or(16)
}

/// The sixteen colours as xterm shows them.
const SIXTEEN: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

fn nearest_sixteen(rgb: (u8, u8, u8)) -> Color {
    // By hue first: a dark tint must stay a tint and not become black on black.
    let most = rgb.0.max(rgb.1).max(rgb.2);
    let least = rgb.0.min(rgb.1).min(rgb.2);
    if most - least < 48 {
        return if most < 64 {
            Color::Black
        } else if most < 170 {
            Color::DarkGray
        } else {
            Color::Reset
        };
    }
    let stretch = |part: u8| -> u8 {
        let scaled = u16::from(part - least) * 205 / u16::from(most - least);
        u8::try_from(scaled).unwrap_or(205)
    };
    let vivid = (stretch(rgb.0), stretch(rgb.1), stretch(rgb.2));
    SIXTEEN[1..7].iter().min_by_key(|(_, of)| distance(vivid, *of)).map_or(Color::Reset, |(color, _)| *color)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_environment_decides() {
        assert_eq!(Depth::of(true, "truecolor", "xterm-256color"), Depth::Mono);
        assert_eq!(Depth::of(false, "truecolor", "xterm-256color"), Depth::True);
        assert_eq!(Depth::of(false, "", "xterm-256color"), Depth::Indexed);
        assert_eq!(Depth::of(false, "", "xterm"), Depth::Sixteen);
        assert_eq!(Depth::of(false, "", "vt220"), Depth::Mono);
    }

    proptest! {
        #[test]
        fn a_colour_of_the_palette_is_its_own_nearest(index in 16u8..) {
            prop_assert_eq!(indexed_rgb(nearest_indexed(indexed_rgb(index))), indexed_rgb(index));
        }

        #[test]
        fn no_colour_of_the_palette_is_nearer(rgb: (u8, u8, u8), other in 16u8..) {
            prop_assert!(distance(rgb, indexed_rgb(nearest_indexed(rgb))) <= distance(rgb, indexed_rgb(other)));
        }
    }

    #[test]
    fn hues_survive_sixteen_colours() {
        assert_eq!(nearest_sixteen((0x3f, 0xb9, 0x50)), Color::Green);
        assert_eq!(nearest_sixteen((0xf8, 0x51, 0x49)), Color::Red);
        assert_eq!(nearest_sixteen((0xd2, 0x99, 0x22)), Color::Yellow);
        assert_eq!(nearest_sixteen((0xff, 0xff, 0xff)), Color::Reset);
    }
}
