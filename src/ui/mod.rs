//! The terminal front end: a model, a pure update, a pure draw, and a loop that draws only when something changed.
//!
//! ```text
//! keys, signals, views ─▶ inputs ─▶ run ─▶ action ─▶ update(model) ─▶ effects ─▶ engine, export
//!                                    └─▶ draw(model) ─▶ frame ─▶ terminal
//! ```
//!
//! * [`terminal`]: taken once, given back on every way out; [`inputs`]: everything waited for; [`backdrop`]; [`frame`]: bytes
//! * [`action`]: the one table of keys; [`keys`]; [`update`]: what actions do; [`mouse`], [`palette`], [`typed`], [`clipboard`]
//! * [`model`]: what is known; [`page`], [`mutes`], [`filter`], [`order`], [`columns`], [`history`]
//! * [`draw`]: one frame; [`layout`], [`dividers`], [`panes`], [`widgets`], [`theme`], [`color`], [`format`](mod@format), [`logs`]
//! * [`shot`]: a frame as SVG; [`picture`]: a view as one; [`notify`]: which alerts ring; [`swatch`]: a theme on the command line

pub mod action;
mod arguments;
pub mod backdrop;
pub mod clipboard;
pub mod color;
pub mod columns;
pub mod dividers;
pub mod draw;
mod enter;
pub mod filter;
pub mod format;
pub mod frame;
pub mod history;
pub mod inputs;
mod keymap;
pub mod keys;
pub mod layout;
pub mod logs;
pub mod model;
pub mod mouse;
mod movement;
pub mod mutes;
mod muting;
pub mod notify;
pub mod order;
pub mod page;
pub mod palette;
pub mod panes;
mod past;
pub mod picture;
mod place;
mod reload;
mod run;
mod search;
pub mod shot;
mod sorting;
mod streams;
pub mod swatch;
pub mod terminal;
pub mod theme;
pub mod typed;
pub mod update;
pub mod widgets;

use std::{
    io,
    sync::{Arc, mpsc::SyncSender},
};

use tracing_subscriber::filter::LevelFilter;

use crate::{engine::View, mev::AlertRules};

pub use run::run;

/// What the front end begins with.
#[derive(Clone, Debug, Default)]
pub struct UiSettings {
    /// How it looks and what can be changed of it while it runs.
    pub looks: Looks,
    /// The newest log line is read from here; see [`logs::init`].
    pub logs: Option<logs::LogTail>,
    /// How the user's files are read again.
    pub reload: Option<Reloader>,
}

/// How the front end shall look, how often it may draw and how it rings.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Name of the theme, or [`theme::AUTO`].
    pub theme: String,
    /// No colours, as if `NO_COLOR` were set.
    pub no_color: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// Most frames per second; a key is answered sooner.
    pub fps: u32,
    /// The keys; see [`keys::Keymap::load`].
    pub keys: keys::Keymap,
    /// How alerts ring.
    pub notify: notify::NotifySettings,
    /// The themes to choose from.
    pub themes: theme::ThemeSource,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            theme: theme::AUTO.to_owned(),
            no_color: false,
            ascii: false,
            fps: 30,
            keys: keys::Keymap::default(),
            notify: notify::NotifySettings::default(),
            themes: theme::ThemeSource::default(),
        }
    }
}

/// What the user's files say when they are read again.
#[derive(Clone, Debug)]
pub struct Reread {
    /// How the front end shall look now.
    pub looks: Looks,
    /// Which alerts are shown and ring.
    pub rules: Arc<AlertRules>,
    /// Lines of this level and above are kept in the log.
    pub level: LevelFilter,
    /// The settings that have another value than before, and take effect.
    pub changed: Vec<&'static str>,
    /// The settings that have another value than at the start, and take effect at the next one.
    pub later: Vec<&'static str>,
}

/// Reads the user's files again, or says in a line why they cannot be used.
#[derive(Clone)]
pub struct Reloader(pub Arc<dyn Fn() -> Result<Reread, String> + Send + Sync>);

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reloader")
    }
}

/// Why the front end returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The user asked for it.
    Quit,
    /// The process was asked to end by this signal, and should after cleaning up; see [`terminal::die_by`].
    Signal(i32),
    /// The engine is gone.
    EngineEnded,
}

/// Why the front end could not run.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// Standard output is not a terminal.
    #[error(
        "the dashboard needs a terminal; without one use `smart-stream-tui headless` or `smart-stream-tui snapshot`"
    )]
    NoTerminal,
    /// A terminal that cannot place text.
    #[error(
        "the terminal cannot draw (TERM is unset or \"dumb\"); use `smart-stream-tui headless` or `smart-stream-tui snapshot`"
    )]
    DumbTerminal,
    /// The terminal failed.
    #[error("terminal: {0}")]
    Terminal(#[source] io::Error),
    /// The system has no thread or signal handler for us.
    #[error("cannot start the front end: {0}")]
    Thread(#[source] io::Error),
    /// The theme cannot be used.
    #[error(transparent)]
    Theme(#[from] theme::ThemeError),
}

/// What is to be written to a file.
#[derive(Clone, Debug)]
pub enum Export {
    /// A view, as snapshot.
    Snapshot(Arc<View>),
    /// A picture of the screen, as SVG.
    Picture(String),
}

/// Hands something to whoever writes files, without waiting: with the path that the user typed, if any. The answer comes
/// through the [`Reply`].
pub type Exporter = Box<dyn Fn(Export, Option<String>, Reply) + Send>;

/// The way back for the result of an export. Dropped without a word, it says so.
#[derive(Debug)]
pub struct Reply(Option<SyncSender<inputs::Event>>);

impl Reply {
    /// Where the snapshot was written, or why it was not.
    pub fn send(mut self, result: Result<String, String>) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(inputs::Event::Exported(result));
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.try_send(inputs::Event::Exported(Err("it was given up".to_owned())));
        }
    }
}
