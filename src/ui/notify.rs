//! Which alerts ring, and the bytes that make a terminal ring. Nothing is written here: the loop that draws does.

use std::{
    collections::VecDeque,
    env,
    time::{Duration, Instant},
};

use crate::{
    chain::text::is_denied,
    engine::View,
    mev::{AlertView, State, alert::AlertId},
};

use super::{format::share, mutes::Mutes};

/// Alerts remembered as told; a later revision of one does not ring again.
const TOLD: usize = 512;
/// Characters of a notification: some desktops show no more.
const LONGEST: usize = 120;

/// How the user wants to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The terminal's bell.
    #[default]
    Bell,
    /// A notification on the desktop; the bell where the terminal is not known to show one.
    Desktop,
    /// Both.
    Both,
}

/// How a terminal is asked for a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `OSC 9 ; text BEL`: iTerm2, `WezTerm`, Ghostty, kitty. Source: iTerm2's documentation of escape codes; kitty's of
    /// desktop notifications, which keeps it for compatibility.
    Osc9,
    /// `OSC 777 ; notify ; title ; text BEL`: foot, rxvt-unicode. Source: foot's `foot-ctlseqs(7)`.
    Osc777,
}

impl Protocol {
    /// What a terminal understands, by its own names for itself. Behind `tmux` and `screen` nothing is known.
    #[must_use]
    pub fn of(term_program: &str, term: &str) -> Option<Self> {
        if term.starts_with("tmux") || term.starts_with("screen") {
            return None;
        }
        match term_program {
            "iTerm.app" | "WezTerm" | "ghostty" => Some(Self::Osc9),
            "tmux" => None,
            _ if term.starts_with("xterm-kitty") || term.starts_with("xterm-ghostty") => Some(Self::Osc9),
            _ if term.starts_with("foot") || term.starts_with("rxvt-unicode") => Some(Self::Osc777),
            _ => None,
        }
    }

    /// The same from the environment.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        let variable = |name| env::var(name).unwrap_or_default();
        Self::of(&variable("TERM_PROGRAM"), &variable("TERM"))
    }
}

/// How and how often to ring.
#[derive(Clone, Copy, Debug)]
pub struct NotifySettings {
    /// How.
    pub by: By,
    /// What the terminal understands.
    pub protocol: Option<Protocol>,
    /// At most once in this time.
    pub pause: Duration,
}

impl Default for NotifySettings {
    fn default() -> Self {
        Self { by: By::default(), protocol: None, pause: Duration::from_secs(5) }
    }
}

/// Looks through views for alerts that ring.
#[derive(Debug)]
pub struct Notifier {
    settings: NotifySettings,
    /// Number of the first feed entry that was not looked at.
    next: u64,
    told: VecDeque<AlertId>,
    /// Alerts that ask to be told and were not yet: the newest one in words, and how many.
    waiting: Option<(String, u64)>,
    rang: Option<Instant>,
}

impl Notifier {
    /// Nothing has rung yet.
    #[must_use]
    pub const fn new(settings: NotifySettings) -> Self {
        Self { settings, next: 0, told: VecDeque::new(), waiting: None, rang: None }
    }

    /// Rings so from now on.
    pub const fn ring_so(&mut self, settings: NotifySettings) {
        self.settings = settings;
    }

    /// What to write so that the terminal rings for what is new in a view; `None` when nothing is to be told, or the last
    /// ring was just now.
    pub fn look(&mut self, view: &View, mutes: &Mutes, now: Instant) -> Option<Vec<u8>> {
        let feed = &view.alerts;
        let skip = usize::try_from(self.next.saturating_sub(feed.first_seq)).unwrap_or(usize::MAX);
        for entry in feed.entries.iter().skip(skip) {
            let alert = &entry.alert;
            let rings = (entry.notify || mutes.watches(alert)) && !mutes.hides(alert);
            if !rings || alert.state == State::Retracted || self.told.contains(&alert.id) {
                continue;
            }
            if self.told.len() == TOLD {
                self.told.pop_front();
            }
            self.told.push_back(alert.id);
            let more = self.waiting.as_ref().map_or(0, |(_, count)| *count);
            self.waiting = Some((words(entry), more + 1));
        }
        self.next = self.next.max(feed.first_seq.saturating_add(feed.entries.len() as u64));
        if self.rang.is_some_and(|rang| now.saturating_duration_since(rang) < self.settings.pause) {
            return None;
        }
        let (newest, count) = self.waiting.take()?;
        self.rang = Some(now);
        let text = if count > 1 { format!("{newest} (and {} more)", count - 1) } else { newest };
        Some(bytes(self.settings, &text))
    }
}

fn words(entry: &AlertView) -> String {
    let alert = &entry.alert;
    let sure = share(Some(alert.confidence));
    format!("{} {sure} {}", alert.class.name().replace('_', " "), entry.symbol.as_str())
}

/// The bytes that ring. The text comes from strangers in part: no control character can stand in it, nor the sign that
/// ends a field.
fn bytes(settings: NotifySettings, text: &str) -> Vec<u8> {
    let safe = |c: &char| !c.is_control() && !is_denied(*c) && *c != ';';
    let text: String = text.chars().filter(safe).take(LONGEST).collect();
    let mut bytes = Vec::new();
    let desktop = settings.protocol.filter(|_| settings.by != By::Bell);
    match desktop {
        Some(Protocol::Osc9) => bytes.extend_from_slice(format!("\x1b]9;smart-stream-tui: {text}\x07").as_bytes()),
        Some(Protocol::Osc777) => {
            bytes.extend_from_slice(format!("\x1b]777;notify;smart-stream-tui;{text}\x07").as_bytes());
        }
        None => {}
    }
    if desktop.is_none() || settings.by == By::Both {
        bytes.push(b'\x07');
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_known_terminals_are_asked_for_notifications() {
        for (program, term, protocol) in [
            ("iTerm.app", "xterm-256color", Some(Protocol::Osc9)),
            ("", "xterm-kitty", Some(Protocol::Osc9)),
            ("", "foot", Some(Protocol::Osc777)),
            ("WezTerm", "tmux-256color", None),
            ("tmux", "xterm-256color", None),
            ("Apple_Terminal", "xterm-256color", None),
            ("", "", None),
        ] {
            assert_eq!(Protocol::of(program, term), protocol, "{program} {term}");
        }
    }

    proptest! {
        /// Whatever a token is called, a terminal sees one sequence that ends where we end it.
        #[test]
        fn names_cannot_end_a_notification(name: String, osc9: bool) {
            let protocol = if osc9 { Protocol::Osc9 } else { Protocol::Osc777 };
            let settings = NotifySettings { by: By::Desktop, protocol: Some(protocol), ..NotifySettings::default() };
            let written = bytes(settings, &name);
            let (body, end) = written.split_at(written.len() - 1);
            prop_assert_eq!(end, b"\x07");
            prop_assert!(body.starts_with(b"\x1b]"));
            let text = std::str::from_utf8(&body[2..]).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(text.matches(';').count(), if osc9 { 1 } else { 3 });
            prop_assert_eq!(bytes(NotifySettings::default(), &name), b"\x07");
        }
    }
}
