//! The one table of what can be done: key dispatch, help overlay, footer and the README's key section come from it.

use std::fmt::Write;

use super::{
    keys::Key,
    model::{Mode, Tab},
};

/// Something the user can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each action is explained by its help text in the table below")]
pub enum Action {
    Show(Tab),
    Tab,
    NextPane,
    PreviousPane,
    Down,
    Up,
    Top,
    Bottom,
    PageDown,
    PageUp,
    Open,
    Back,
    ThrottleDown,
    ThrottleUp,
    Throttle,
    Rebalance,
    MoveGroup,
    Reconnect,
    Filter,
    Narrow,
    SortColumn,
    SortDirection,
    Freeze,
    Export,
    ExportTo,
    Screenshot,
    Themes,
    Zoom,
    Search,
    NextMatch,
    PreviousMatch,
    Palette,
    ColumnLeft,
    ColumnRight,
    MoveColumnLeft,
    MoveColumnRight,
    HideColumn,
    ShowColumns,
    Copy,
    CopySignature,
    MuteClass,
    MuteWallet,
    MuteToken,
    Unmute,
    Watch,
    Mouse,
    Earlier,
    Later,
    LongerRange,
    ShorterRange,
    Help,
    Quit,
    Reload,
    Suspend,
}

/// When a key of the table works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Always, also while typing.
    Anywhere,
    /// Always but while typing.
    NotTyping,
    /// Only when nothing lies over the screen.
    Screen,
}

impl Context {
    /// Whether keys of this context work in a mode.
    #[must_use]
    pub const fn covers(self, mode: Mode) -> bool {
        match self {
            Self::Anywhere => true,
            Self::NotTyping => !matches!(mode, Mode::Typing),
            Self::Screen => matches!(mode, Mode::Screen),
        }
    }
}

/// What the palette lets follow an action's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A text.
    Text,
    /// A theme's name.
    Theme,
    /// A column of the focused pane.
    Order,
    /// A connection's number.
    Connection,
    /// A connection's number and a throttle level.
    Level,
    /// A group and the number of the connection it goes to.
    Target,
    /// A tab's number.
    Tab,
    /// A file.
    Path,
}

impl Argument {
    /// What stands for it in the palette.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Text => "WORDS",
            Self::Theme => "NAME",
            Self::Order => "COLUMN",
            Self::Connection => "CONNECTION",
            Self::Level => "CONNECTION LEVEL",
            Self::Target => "GROUP CONNECTION",
            Self::Tab => "NUMBER",
            Self::Path => "PATH",
        }
    }
}

/// Headings of the help overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// Tabs and panes.
    Places,
    /// Moving in lists.
    Movement,
    /// The streams.
    Streams,
    /// Tokens and trades.
    Tokens,
    /// Alerts.
    Alerts,
    /// The display and the program.
    Display,
}

impl Heading {
    /// All headings, in order.
    pub const ALL: [Self; 6] = [Self::Places, Self::Movement, Self::Streams, Self::Tokens, Self::Alerts, Self::Display];

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Places => "Tabs and panes",
            Self::Movement => "Movement",
            Self::Streams => "Streams",
            Self::Tokens => "Tokens and trades",
            Self::Alerts => "MEV alerts",
            Self::Display => "Display and program",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Its name in configuration.
    pub name: &'static str,
    /// The keys it has by default; without any it is for the palette.
    pub keys: &'static [Key],
    /// When they work.
    pub context: Context,
    /// Where the help lists it.
    pub heading: Heading,
    /// What it does, for the help.
    pub help: &'static str,
    /// A word or two for the footer; empty where the footer does not name it.
    pub hint: &'static str,
    /// Tabs on which the footer names it; empty means all.
    pub tabs: &'static [Tab],
    /// What may follow its name in the palette.
    pub argument: Argument,
    /// What it does.
    pub action: Action,
}

const STREAM_TABS: &[Tab] = &[Tab::Overview, Tab::Connections];
const TOKEN_TABS: &[Tab] = &[Tab::Overview, Tab::Tokens, Tab::Trades, Tab::Mev];
const MARKET_TABS: &[Tab] = &[Tab::Overview, Tab::Tokens, Tab::Trades, Tab::Mev, Tab::Liquidity];
const ALERT_TABS: &[Tab] = &[Tab::Mev];

const fn row(
    name: &'static str,
    keys: &'static [Key],
    context: Context,
    heading: Heading,
    help: &'static str,
    action: Action,
) -> Binding {
    Binding { name, keys, context, heading, help, hint: "", tabs: &[], argument: Argument::None, action }
}

impl Binding {
    const fn hint(self, hint: &'static str, tabs: &'static [Tab]) -> Self {
        Self { hint, tabs, ..self }
    }

    const fn takes(self, argument: Argument) -> Self {
        Self { argument, ..self }
    }
}

use Context::{Anywhere, NotTyping, Screen};
use Heading::{Alerts, Display, Movement, Places, Streams, Tokens};

/// The table.
pub const TABLE: [Binding; 60] = [
    row("overview", &[Key::Char('1')], Screen, Places, "Overview", Action::Show(Tab::Overview)),
    row("connections", &[Key::Char('2')], Screen, Places, "Connections", Action::Show(Tab::Connections)),
    row("tokens", &[Key::Char('3')], Screen, Places, "Tokens", Action::Show(Tab::Tokens)),
    row("trades", &[Key::Char('4')], Screen, Places, "Trades", Action::Show(Tab::Trades)),
    row("mev", &[Key::Char('5')], Screen, Places, "MEV", Action::Show(Tab::Mev)),
    row("liquidity", &[Key::Char('6')], Screen, Places, "Liquidity", Action::Show(Tab::Liquidity)),
    row("logs", &[Key::Char('7')], Screen, Places, "Logs", Action::Show(Tab::Logs)),
    row("tab", &[], Screen, Places, "the tab of that number", Action::Tab).takes(Argument::Tab),
    row("next_pane", &[Key::Tab], Screen, Places, "next pane", Action::NextPane)
        .hint("pane", &[Tab::Overview, Tab::Connections]),
    row("previous_pane", &[Key::ShiftTab], Screen, Places, "previous pane", Action::PreviousPane),
    row("zoom", &[Key::Char('z')], Screen, Places, "give the pane the whole screen, or take it back", Action::Zoom)
        .hint("zoom", &[Tab::Overview, Tab::Connections]),
    row("down", &[Key::Char('j'), Key::Down], NotTyping, Movement, "one row down", Action::Down),
    row("up", &[Key::Char('k'), Key::Up], NotTyping, Movement, "one row up", Action::Up),
    row("top", &[Key::Char('g'), Key::Home], NotTyping, Movement, "to the first row", Action::Top),
    row("bottom", &[Key::Char('G'), Key::End], NotTyping, Movement, "to the last row", Action::Bottom),
    row("page_down", &[Key::PageDown], NotTyping, Movement, "one page down", Action::PageDown),
    row("page_up", &[Key::PageUp], NotTyping, Movement, "one page up", Action::PageUp),
    row("search", &[Key::Char('/')], NotTyping, Movement, "search in the pane, or in the help", Action::Search)
        .hint("search", TOKEN_TABS)
        .takes(Argument::Text),
    row("next_match", &[Key::Char('n')], Screen, Movement, "next row that the search finds", Action::NextMatch),
    row("previous_match", &[Key::Char('N')], Screen, Movement, "previous row that it finds", Action::PreviousMatch),
    row(
        "open",
        &[Key::Enter],
        Anywhere,
        Movement,
        "open the selected token, trade or alert, apply a plan, keep a filter",
        Action::Open,
    )
    .hint("open", TOKEN_TABS),
    row(
        "back",
        &[Key::Esc],
        Anywhere,
        Movement,
        "back: close what is open, clear the filter and what it narrowed",
        Action::Back,
    ),
    row(
        "throttle_down",
        &[Key::Char('t')],
        Screen,
        Streams,
        "selected connection one level down: full, without low, high only, paused",
        Action::ThrottleDown,
    )
    .hint("throttle", STREAM_TABS)
    .takes(Argument::Connection),
    row("throttle_up", &[Key::Char('T')], Screen, Streams, "selected connection one level up", Action::ThrottleUp)
        .takes(Argument::Connection),
    row("throttle", &[], Screen, Streams, "a connection to a level: throttle 2 high-only", Action::Throttle)
        .takes(Argument::Level),
    row(
        "rebalance",
        &[Key::Char('b')],
        Screen,
        Streams,
        "show the rebalancing plan, Enter applies it",
        Action::Rebalance,
    )
    .hint("rebalance", STREAM_TABS),
    row(
        "move_group",
        &[Key::Char('m')],
        Screen,
        Streams,
        "move the selected group to another connection",
        Action::MoveGroup,
    )
    .hint("move", STREAM_TABS)
    .takes(Argument::Target),
    row(
        "reconnect",
        &[Key::Char('r')],
        Screen,
        Streams,
        "reconnect the selected connection, within the budget",
        Action::Reconnect,
    )
    .hint("reconnect", &[Tab::Connections])
    .takes(Argument::Connection),
    row(
        "filter",
        &[Key::Char('f')],
        Screen,
        Tokens,
        "only rows with one of the words, and as in mc>100, side:buy or class:wash",
        Action::Filter,
    )
    .hint("filter", MARKET_TABS)
    .takes(Argument::Text),
    row(
        "narrow",
        &[Key::Char('F')],
        Screen,
        Streams,
        "ask the server for the filtered tokens only, or for everything again; says what it costs first",
        Action::Narrow,
    ),
    row(
        "sort_column",
        &[Key::Char('s')],
        Screen,
        Tokens,
        "order the rows by the chosen column, else by the next; again turns them round",
        Action::SortColumn,
    )
    .hint("sort", &[Tab::Tokens, Tab::Trades, Tab::Liquidity])
    .takes(Argument::Order),
    row("sort_direction", &[Key::Char('S')], Screen, Tokens, "turn the order round", Action::SortDirection),
    row("copy", &[Key::Char('y')], NotTyping, Tokens, "copy the selected row's mint, or its transaction", Action::Copy)
        .hint("copy", &[Tab::Tokens, Tab::Trades, Tab::Mev]),
    row(
        "copy_signature",
        &[Key::Char('Y')],
        NotTyping,
        Tokens,
        "copy the selected row's transaction",
        Action::CopySignature,
    ),
    row("mute_class", &[Key::Char('d')], Screen, Alerts, "hide alerts of the chosen one's class", Action::MuteClass)
        .hint("mute class", ALERT_TABS),
    row("mute_token", &[Key::Char('D')], Screen, Alerts, "hide alerts of its token", Action::MuteToken),
    row("mute_wallet", &[Key::Char('i')], Screen, Alerts, "hide alerts in which its attacker acts", Action::MuteWallet),
    row("unmute", &[Key::Char('u')], Screen, Alerts, "take the last of these back", Action::Unmute)
        .hint("unmute", ALERT_TABS),
    row(
        "watch",
        &[Key::Char('w')],
        NotTyping,
        Alerts,
        "watch its attacker or the trade's trader: it rings and is never hidden",
        Action::Watch,
    )
    .hint("watch", ALERT_TABS),
    row(
        "column_left",
        &[Key::Char('h'), Key::Left],
        Screen,
        Movement,
        "choose a column to the left",
        Action::ColumnLeft,
    ),
    row(
        "column_right",
        &[Key::Char('l'), Key::Right],
        Screen,
        Movement,
        "choose a column to the right",
        Action::ColumnRight,
    ),
    row("move_column_left", &[Key::Char('<')], Screen, Display, "move the chosen column left", Action::MoveColumnLeft),
    row(
        "move_column_right",
        &[Key::Char('>')],
        Screen,
        Display,
        "move the chosen column right",
        Action::MoveColumnRight,
    ),
    row("hide_column", &[Key::Char('x')], Screen, Display, "hide the chosen column", Action::HideColumn),
    row("show_columns", &[Key::Char('X')], Screen, Display, "show all columns of the pane again", Action::ShowColumns),
    row("earlier", &[Key::Char('[')], Screen, Display, "freeze, and step back through ten minutes", Action::Earlier),
    row("later", &[Key::Char(']')], Screen, Display, "step forth again", Action::Later),
    row("longer_range", &[Key::Char('-')], Screen, Display, "more time in a token's chart", Action::LongerRange),
    row(
        "shorter_range",
        &[Key::Char('+'), Key::Char('=')],
        Screen,
        Display,
        "less time in a token's chart",
        Action::ShorterRange,
    ),
    row(
        "mouse",
        &[Key::Char('M')],
        NotTyping,
        Display,
        "leave the mouse to the terminal, to select text, or take it back",
        Action::Mouse,
    ),
    row("freeze", &[Key::Char(' ')], Screen, Display, "freeze the display; the engine goes on", Action::Freeze)
        .hint("freeze", &[]),
    row("export", &[Key::Char('e')], Screen, Display, "write what is shown to a snapshot file", Action::Export)
        .hint("export", &[])
        .takes(Argument::Path),
    row(
        "export_to",
        &[Key::Char('E')],
        Screen,
        Display,
        "write the snapshot to a path that you type",
        Action::ExportTo,
    ),
    row("screenshot", &[Key::Char('P')], Screen, Display, "draw what is shown into an SVG file", Action::Screenshot)
        .takes(Argument::Path),
    row("themes", &[Key::Char('c')], Screen, Display, "choose a theme, seen at once", Action::Themes)
        .takes(Argument::Theme),
    row("palette", &[Key::Char(':')], Screen, Display, "find any action by its name", Action::Palette)
        .hint("palette", &[]),
    row("help", &[Key::Char('?')], NotTyping, Display, "this help", Action::Help).hint("help", &[]),
    row(
        "reload",
        &[Key::Char('R')],
        Screen,
        Display,
        "read settings, keys and themes again, as the signal USR1 does",
        Action::Reload,
    ),
    row("suspend", &[Key::Ctrl('z')], Anywhere, Display, "suspend to the shell", Action::Suspend),
    row(
        "quit",
        &[Key::Char('q'), Key::Ctrl('c')],
        NotTyping,
        Display,
        "quit, closing every stream properly",
        Action::Quit,
    )
    .hint("quit", &[]),
];

/// The key section of the README: a Markdown table by heading.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for heading in Heading::ALL {
        let _ = writeln!(text, "**{}**\n\n| key | does |\n|---|---|", heading.name());
        for row in TABLE.iter().filter(|row| row.heading == heading) {
            let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
            let keys = if keys.is_empty() { format!("`:{}`", row.name) } else { keys.join(" ") };
            let _ = writeln!(text, "| {keys} | {} |", row.help);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_helped() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(index + 1).all(|other| other.name != row.name && other.action != row.action));
            assert!(!row.help.is_empty());
            assert!(markdown().contains(row.help));
        }
    }
}
