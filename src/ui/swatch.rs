//! A theme on the command line: each part of the screen in its own looks.

use ratatui::style::{Color, Modifier, Style};

use super::theme::Theme;

/// A line for each part of the screen, in its own looks where the terminal shows them.
#[must_use]
pub fn lines(theme: &Theme, coloured: bool) -> String {
    let parts = [
        ("text", theme.text),
        ("dim", theme.dim),
        ("border", theme.border),
        ("title", theme.title),
        ("focus", theme.focus),
        ("accent", theme.accent),
        ("strong", theme.strong),
        ("good", theme.good),
        ("warn", theme.warn),
        ("bad", theme.bad),
        ("buy", theme.buy),
        ("sell", theme.sell),
        ("selected", theme.selected),
        ("tab", theme.tab),
        ("badge_live", theme.badge_live),
        ("badge_demo", theme.badge_demo),
        ("badge_replay", theme.badge_replay),
        ("badge_frozen", theme.badge_frozen),
        ("series 1", theme.series[0]),
        ("series 2", theme.series[1]),
        ("series 3", theme.series[2]),
        ("bar", theme.bar),
        ("bar_rest", theme.bar_rest),
    ];
    let sample = "▁▂▃▅▇ 1,234.5 tx/s  ● live";
    let lines = parts.into_iter().map(|(name, style)| {
        let style = theme.background.patch(style);
        let (start, end) = if coloured { (escape(style), "\x1b[0m") } else { (String::new(), "") };
        format!("{start} {name:<12} {sample} {end}\n")
    });
    lines.collect()
}

/// A style as an escape sequence, in 24-bit colours.
fn escape(style: Style) -> String {
    let mut codes = Vec::new();
    for (modifier, code) in
        [(Modifier::BOLD, "1"), (Modifier::DIM, "2"), (Modifier::UNDERLINED, "4"), (Modifier::REVERSED, "7")]
    {
        if style.add_modifier.contains(modifier) {
            codes.push(code.to_owned());
        }
    }
    for (ground, color) in [("38", style.fg), ("48", style.bg)] {
        if let Some(Color::Rgb(red, green, blue)) = color {
            codes.push(format!("{ground};2;{red};{green};{blue}"));
        }
    }
    format!("\x1b[{}m", codes.join(";"))
}
