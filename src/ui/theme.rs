//! Themes: what each part of the screen looks like, read from TOML and fitted to what the terminal can show.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use super::{backdrop::Backdrop, color::Depth};

/// The themes compiled in: name and source, in the order in which they are offered.
pub const BUILT_IN: [(&str, &str); 7] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("ember", include_str!("../../themes/ember.toml")),
    ("sea", include_str!("../../themes/sea.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// Stands for the theme that goes with the terminal's background; where nobody knows that, for the one of a dark one.
pub const AUTO: &str = "auto";

fn known(wanted: &str) -> &str {
    if wanted == AUTO { Backdrop::Dark.theme() } else { wanted }
}

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ThemeError {
    /// No theme of that name.
    #[error("no theme is called {name:?}; there are {}", names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// More themes than are kept.
    #[error("theme {name}: there are {MOST} themes already")]
    TooMany {
        /// Which theme.
        name: String,
    },
    /// Not TOML, or not text under each key.
    #[error("theme {name}: {reason}")]
    Syntax {
        /// Which theme.
        name: String,
        /// The reader's reason.
        reason: String,
    },
    /// A part of the screen without a style.
    #[error("theme {name}: nothing is said about {role}")]
    Missing {
        /// Which theme.
        name: String,
        /// Which part.
        role: &'static str,
    },
    /// A key that is no part of the screen.
    #[error("theme {name}: {role} is not a part of the screen")]
    Unused {
        /// Which theme.
        name: String,
        /// The key.
        role: String,
    },
    /// A style that cannot be read.
    #[error("theme {name}: {role} = {value:?} is not [#rrggbb] [on #rrggbb] [bold] [dim] [underlined] [reversed]")]
    Style {
        /// Which theme.
        name: String,
        /// Which part.
        role: &'static str,
        /// What stands there.
        value: String,
    },
}

/// The looks of one theme at one colour depth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field is the part of the screen that its name says")]
pub struct Theme {
    pub name: String,
    pub background: Style,
    pub text: Style,
    pub dim: Style,
    pub border: Style,
    pub title: Style,
    pub focus: Style,
    pub accent: Style,
    pub strong: Style,
    pub good: Style,
    pub warn: Style,
    pub bad: Style,
    pub buy: Style,
    pub sell: Style,
    pub selected: Style,
    pub tab: Style,
    pub badge_live: Style,
    pub badge_demo: Style,
    pub badge_replay: Style,
    pub badge_frozen: Style,
    pub series: [Style; 3],
    pub bar: Style,
    pub bar_rest: Style,
}

/// The themes to choose from: the built-in ones, and what the caller adds from the user's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeSource(Vec<(String, String)>);

/// Themes kept at most, the built-in ones counted.
const MOST: usize = 64;

impl Default for ThemeSource {
    fn default() -> Self {
        Self(BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }
}

impl ThemeSource {
    /// Adds a theme, or replaces the one of that name.
    ///
    /// # Errors
    /// When it cannot be read, or there are too many; nothing is added then.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), ThemeError> {
        Theme::parse(name, text, Depth::True)?;
        let entry = (name.to_owned(), text.to_owned());
        let full = self.0.len() >= MOST;
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(known) => *known = entry,
            None if full => return Err(ThemeError::TooMany { name: entry.0 }),
            None => self.0.push(entry),
        }
        Ok(())
    }

    /// The names, in the order in which they are offered.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The position of a theme among the names.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        let name = known(name);
        self.names().position(|known| known == name)
    }

    /// The name at a position.
    #[must_use]
    pub fn name(&self, position: usize) -> &str {
        self.0.get(position).map_or("", |(name, _)| name)
    }

    /// The theme of that name, at a colour depth.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str, depth: Depth) -> Result<Theme, ThemeError> {
        let name = known(name);
        let (name, text) = self
            .0
            .iter()
            .find(|(other, _)| other == name)
            .ok_or_else(|| ThemeError::Unknown { name: name.to_owned() })?;
        Theme::parse(name, text, depth)
    }
}

/// Names of the built-in themes.
#[must_use]
pub fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

impl Theme {
    /// The built-in theme of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn built_in(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        let (name, source) = BUILT_IN
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| ThemeError::Unknown { name: name.to_owned() })?;
        Self::parse(name, source, depth)
    }

    /// A theme from its TOML source.
    ///
    /// # Errors
    /// When a part is missing, unknown or unreadable.
    pub fn parse(name: &str, source: &str, depth: Depth) -> Result<Self, ThemeError> {
        let entries: BTreeMap<String, String> = toml::from_str(source)
            .map_err(|error| ThemeError::Syntax { name: name.to_owned(), reason: error.message().to_owned() })?;
        let mut reader = Reader { name, entries, depth };
        let background = reader.take("background")?;
        let theme = Self {
            name: name.to_owned(),
            // The background is written as the foreground of its entry.
            background: match (depth, background.fg) {
                (Depth::True | Depth::Indexed, Some(color)) => Style::new().bg(color),
                _ => Style::new(),
            },
            text: match depth {
                // The terminal's own scheme knows whether it is light or dark; we do not.
                Depth::Sixteen => Style::new().fg(Color::Reset),
                _ => reader.peek("text")?,
            },
            dim: reader.take("dim")?,
            border: reader.take("border")?,
            title: reader.take("title")?,
            focus: reader.take("focus")?,
            accent: reader.take("accent")?,
            strong: reader.take("strong")?,
            good: reader.take("good")?,
            warn: reader.take("warn")?,
            bad: reader.take("bad")?,
            buy: reader.take("buy")?,
            sell: reader.take("sell")?,
            selected: reader.take_surface("selected")?,
            tab: reader.take_surface("tab")?,
            badge_live: reader.take_surface("badge_live")?,
            badge_demo: reader.take_surface("badge_demo")?,
            badge_replay: reader.take_surface("badge_replay")?,
            badge_frozen: reader.take_surface("badge_frozen")?,
            series: [reader.take("series_1")?, reader.take("series_2")?, reader.take("series_3")?],
            bar: reader.take("bar")?,
            bar_rest: reader.take("bar_rest")?,
        };
        reader.entries.remove("text");
        match reader.entries.into_keys().next() {
            Some(role) => Err(ThemeError::Unused { name: name.to_owned(), role }),
            None => Ok(theme),
        }
    }
}

struct Reader<'a> {
    name: &'a str,
    entries: BTreeMap<String, String>,
    depth: Depth,
}

impl Reader<'_> {
    fn peek(&self, role: &'static str) -> Result<Style, ThemeError> {
        let value = self.entries.get(role).ok_or_else(|| ThemeError::Missing { name: self.name.to_owned(), role })?;
        parse_style(value, self.depth).ok_or_else(|| ThemeError::Style {
            name: self.name.to_owned(),
            role,
            value: value.clone(),
        })
    }

    fn take(&mut self, role: &'static str) -> Result<Style, ThemeError> {
        let style = self.peek(role)?;
        self.entries.remove(role);
        Ok(style)
    }

    /// A style that has to be told from its surroundings by its background: reversed where backgrounds are not ours.
    fn take_surface(&mut self, role: &'static str) -> Result<Style, ThemeError> {
        let style = self.take(role)?;
        Ok(match self.depth {
            Depth::True | Depth::Indexed => style,
            Depth::Sixteen | Depth::Mono => Style::new().add_modifier(style.add_modifier.union(Modifier::REVERSED)),
        })
    }
}

fn parse_style(text: &str, depth: Depth) -> Option<Style> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        style = match word {
            "bold" => style.add_modifier(Modifier::BOLD),
            "dim" => style.add_modifier(Modifier::DIM),
            "underlined" => style.add_modifier(Modifier::UNDERLINED),
            "reversed" => style.add_modifier(Modifier::REVERSED),
            "on" => style.bg(depth.nearest(parse_rgb(words.next()?)?)),
            _ => style.fg(depth.nearest(parse_rgb(word)?)),
        };
    }
    Some(style)
}

fn parse_rgb(text: &str) -> Option<(u8, u8, u8)> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = value.to_be_bytes();
    Some((red, green, blue))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    const DEPTHS: [Depth; 4] = [Depth::True, Depth::Indexed, Depth::Sixteen, Depth::Mono];

    fn surfaces(theme: &Theme) -> [Style; 6] {
        [theme.selected, theme.tab, theme.badge_live, theme.badge_demo, theme.badge_replay, theme.badge_frozen]
    }

    #[test]
    fn every_built_in_theme_reads_at_every_depth_and_shows_its_selection() {
        for name in names() {
            for depth in DEPTHS {
                let theme = Theme::built_in(name, depth).unwrap();
                for surface in surfaces(&theme) {
                    let reversed = surface.add_modifier.contains(Modifier::REVERSED);
                    let own_ground = surface.bg.is_some_and(|bg| Some(bg) != theme.background.bg);
                    assert!(reversed || own_ground, "{name} at {depth:?}: {surface:?}");
                }
            }
        }
    }

    #[test]
    fn mono_has_no_colour_at_all() {
        for name in names() {
            let theme = Theme::built_in(name, Depth::Mono).unwrap();
            let described = format!("{theme:?}");
            assert!(!described.contains("Rgb") && !described.contains("Indexed"), "{described}");
            for style in [theme.text, theme.bad, theme.buy, theme.series[0], theme.background] {
                assert!(matches!(style.fg, None | Some(Color::Reset)));
                assert!(matches!(style.bg, None | Some(Color::Reset)));
            }
        }
    }

    fn linear(color: Color) -> [f64; 3] {
        let Color::Rgb(red, green, blue) = color else { panic!("{color:?} is not RGB") };
        [red, green, blue].map(|level| {
            let level = f64::from(level) / 255.0;
            if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// Relative luminance and contrast as in WCAG 2.1.
    fn contrast(text: Color, ground: Color) -> f64 {
        let luminance = |color| {
            let [red, green, blue] = linear(color);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let (one, two) = (luminance(text), luminance(ground));
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_its_ground() {
        for name in names().into_iter().filter(|name| *name != "mono") {
            let least = if name == "high-contrast" { 7.0 } else { 4.5 };
            let theme = Theme::built_in(name, Depth::True).unwrap();
            let ground = theme.background.bg.unwrap();
            let marked = theme.selected.bg.unwrap();
            let (good, bad, buy, sell) = (theme.good, theme.bad, theme.buy, theme.sell);
            for style in [theme.text, theme.strong, good, theme.warn, bad, buy, sell, theme.accent, theme.focus] {
                let fg = style.fg.unwrap();
                assert!(contrast(fg, ground) >= least, "{name}: {fg:?} on its ground {}", contrast(fg, ground));
                assert!(contrast(fg, marked) >= 4.0, "{name}: {fg:?} when selected {}", contrast(fg, marked));
            }
            for badge in &surfaces(&theme)[1..] {
                assert!(contrast(badge.fg.unwrap(), badge.bg.unwrap()) >= least, "{name}: {badge:?}");
            }
            assert!(contrast(theme.dim.fg.unwrap(), ground) >= least.min(4.0), "{name}: dim");
            for series in theme.series {
                assert!(contrast(series.fg.unwrap(), ground) >= 3.0, "{name}: {series:?}");
            }
        }
    }

    /// What eyes without red or green cones see, in linear light: Viénot, Brettel and Mollon, "Digital video colourmaps
    /// for checking the legibility of displays by dichromats", 1999.
    const DICHROMATS: [[[f64; 3]; 3]; 2] = [
        [[0.112_38, 0.887_62, 0.0], [0.112_38, 0.887_62, 0.0], [0.004_01, -0.004_01, 1.0]],
        [[0.292_75, 0.707_25, 0.0], [0.292_75, 0.707_25, 0.0], [-0.022_34, 0.022_34, 1.0]],
    ];

    /// Distance in CIE L*a*b* of two colours as such eyes see them.
    fn apart(one: Color, two: Color, eyes: [[f64; 3]; 3]) -> f64 {
        let lab = |color| {
            let rgb = linear(color);
            let [red, green, blue] =
                eyes.map(|row| row.iter().zip(rgb).map(|(k, v)| k * v).sum::<f64>().clamp(0.0, 1.0));
            let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
            let x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.950_47);
            let y = f(0.2126 * red + 0.7152 * green + 0.0722 * blue);
            let z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.088_83);
            [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
        };
        lab(one).iter().zip(lab(two)).map(|(one, two)| (one - two).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_colour_blind_theme_needs_neither_red_nor_green_cones() {
        let least = |name| {
            let theme = Theme::built_in(name, Depth::True).unwrap();
            let fg = |style: Style| style.fg.unwrap();
            let pairs = [
                (theme.buy, theme.sell),
                (theme.good, theme.bad),
                (theme.good, theme.warn),
                (theme.warn, theme.bad),
                (theme.series[0], theme.series[1]),
                (theme.series[0], theme.series[2]),
                (theme.series[1], theme.series[2]),
            ];
            let distances = pairs.iter().flat_map(|(a, b)| DICHROMATS.map(|eyes| apart(fg(*a), fg(*b), eyes)));
            distances.fold(f64::MAX, f64::min)
        };
        assert!(least("colour-blind") >= 20.0, "{}", least("colour-blind"));
        assert!(least("dark") < 20.0, "the measure tells themes apart: {}", least("dark"));
    }

    #[test]
    fn every_theme_fits_256_colours_as_well_as_they_can() {
        for name in names().into_iter().filter(|name| *name != "mono") {
            let (exact, fitted) =
                (Theme::built_in(name, Depth::True).unwrap(), Theme::built_in(name, Depth::Indexed).unwrap());
            let ground = super::super::color::indexed_rgb;
            let rgb = |style: Style, color: fn(&Style) -> Option<Color>| match color(&style) {
                Some(Color::Indexed(index)) => {
                    let (red, green, blue) = ground(index);
                    Color::Rgb(red, green, blue)
                }
                other => panic!("{name}: {other:?}"),
            };
            let paper = rgb(fitted.background, |style| style.bg);
            for (one, two) in [(exact.text, fitted.text), (exact.bad, fitted.bad), (exact.good, fitted.good)] {
                assert!(two.fg.is_some() && one.fg.is_some());
                assert!(contrast(rgb(two, |style| style.fg), paper) >= 4.5, "{name}: {two:?}");
            }
        }
    }

    #[test]
    fn mistakes_are_named() {
        let source = BUILT_IN[0].1;
        let without = source.replace("warn = ", "# warn = ");
        assert_eq!(
            Theme::parse("x", &without, Depth::True),
            Err(ThemeError::Missing { name: "x".into(), role: "warn" })
        );
        let more = format!("{source}\nwran = \"#ffffff\"\n");
        assert_eq!(
            Theme::parse("x", &more, Depth::True),
            Err(ThemeError::Unused { name: "x".into(), role: "wran".into() })
        );
        let wrong = source.replace("dim = \"#7d8590\"", "dim = \"gray\"");
        assert!(matches!(Theme::parse("x", &wrong, Depth::True), Err(ThemeError::Style { role: "dim", .. })));
        let message = Theme::built_in("drak", Depth::True).unwrap_err().to_string();
        assert!(message.contains("drak") && message.contains("dark, light"), "{message}");
    }
}
