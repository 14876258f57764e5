//! Where the user can be: tabs, panes, and what keys mean there.

/// The tabs, in the order of their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the tab of that name")]
pub enum Tab {
    #[default]
    Overview,
    Connections,
    Tokens,
    Trades,
    Mev,
    Liquidity,
    Logs,
}

impl Tab {
    /// All tabs.
    pub const ALL: [Self; 7] =
        [Self::Overview, Self::Connections, Self::Tokens, Self::Trades, Self::Mev, Self::Liquidity, Self::Logs];

    /// As shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Connections => "Connections",
            Self::Tokens => "Tokens",
            Self::Trades => "Trades",
            Self::Mev => "MEV",
            Self::Liquidity => "Liquidity",
            Self::Logs => "Logs",
        }
    }

    /// The same where there is little room.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Overview => "All",
            Self::Connections => "Conns",
            Self::Liquidity => "Pools",
            _ => self.name(),
        }
    }

    /// The panes that can have the focus, in the order of the Tab key.
    #[must_use]
    pub const fn panes(self) -> &'static [Pane] {
        match self {
            Self::Overview => &[
                Pane::Connections,
                Pane::Budget,
                Pane::Groups,
                Pane::Completeness,
                Pane::Tokens,
                Pane::Lifecycle,
                Pane::Alerts,
            ],
            Self::Connections => {
                &[Pane::Connections, Pane::Groups, Pane::Completeness, Pane::Budget, Pane::Decoding, Pane::Undecoded]
            }
            Self::Tokens => &[Pane::Tokens],
            Self::Trades => &[Pane::Trades],
            Self::Mev => &[Pane::Alerts],
            Self::Liquidity => &[Pane::Liquidity],
            Self::Logs => &[Pane::Logs],
        }
    }
}

/// The panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the pane of that name")]
pub enum Pane {
    Connections,
    Budget,
    Groups,
    Tokens,
    Lifecycle,
    Alerts,
    Undecoded,
    Trades,
    Liquidity,
    Logs,
    Completeness,
    Decoding,
}

impl Pane {
    /// Number of panes.
    pub const COUNT: usize = Self::ALL.len();

    /// All panes.
    pub const ALL: [Self; 12] = [
        Self::Connections,
        Self::Budget,
        Self::Groups,
        Self::Tokens,
        Self::Lifecycle,
        Self::Alerts,
        Self::Undecoded,
        Self::Trades,
        Self::Liquidity,
        Self::Logs,
        Self::Completeness,
        Self::Decoding,
    ];

    /// Its name in the key file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Budget => "budget",
            Self::Groups => "groups",
            Self::Tokens => "tokens",
            Self::Lifecycle => "lifecycle",
            Self::Alerts => "alerts",
            Self::Undecoded => "undecoded",
            Self::Trades => "trades",
            Self::Liquidity => "liquidity",
            Self::Logs => "logs",
            Self::Completeness => "completeness",
            Self::Decoding => "decoding",
        }
    }
}

/// What keys mean at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing lies over the screen.
    Screen,
    /// Text is being typed: a filter, a search, the name of an action.
    Typing,
    /// An overlay is open.
    Overlay,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Screen, Self::Typing, Self::Overlay];
}
