//! Why there is no configuration: the cause, the value, where it came from and the mend, in one line.

use std::path::Path;

use thiserror::Error;

use crate::chain::text::Shown;

/// Why there is no configuration. No variant ever holds a token, or a text that could contain one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// A value that the setting cannot have.
    #[error("{key} = {value} ({origin}): {why}; {mend}")]
    Value {
        /// `section.key`
        key: &'static str,
        /// The value as it may be shown.
        value: String,
        /// Where it came from.
        origin: String,
        /// What is wrong.
        why: String,
        /// What to do.
        mend: String,
    },
    /// An endpoint that cannot be used; named by its position, because the text may hold a secret.
    #[error("{which} ({origin}): {why}; {mend}")]
    Endpoint {
        /// Which one: its position, or its checked host.
        which: String,
        /// Where it came from.
        origin: String,
        /// What is wrong.
        why: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// A key that there is not.
    #[error("unknown key `{key}` ({origin}); {mend}")]
    UnknownKey {
        /// The key as it may be shown.
        key: String,
        /// The file and line.
        origin: String,
        /// The nearest known key.
        mend: String,
    },
    /// A file that is not TOML.
    #[error("{origin}: {why}; correct that line, or compare with `smart-stream-tui config init`")]
    Syntax {
        /// The file and line.
        origin: String,
        /// What the parser says, without the text of the line.
        why: String,
    },
    /// Values that do not go together.
    #[error("{why} ({origin}); {mend}")]
    Conflict {
        /// The values and what is wrong with them.
        why: String,
        /// Where they came from.
        origin: String,
        /// What to do.
        mend: String,
    },
    /// A file that cannot be used.
    #[error("{path}{named_by}: {why}; {mend}")]
    File {
        /// The file.
        path: String,
        /// What named it, in brackets, or nothing.
        named_by: String,
        /// What is wrong.
        why: String,
        /// What to do.
        mend: String,
    },
    /// A token that cannot be used. Its value is not in here.
    #[error("the token from {origin} {why}; {mend}")]
    Token {
        /// Where it came from.
        origin: String,
        /// What is wrong.
        why: String,
        /// What to do.
        mend: &'static str,
    },
    /// A token in a place where others can read it.
    #[error(
        "a token does not belong {place}; write it to a file of its own (chmod 600) and name that with --x-token-file, or set SMART_STREAM_X_TOKEN"
    )]
    TokenInTheOpen {
        /// Where it is: "on the command line …".
        place: String,
    },
    /// A checked value that has no place: the tables of this program do not agree.
    #[error("the settings cannot be put together: {0}; please report this")]
    Layers(String),
    /// The prompt was left by this signal: 2 for Ctrl-C.
    #[error("interrupted")]
    Interrupted(i32),
}

impl ConfigError {
    /// Without the values that figment's own display repeats.
    pub(super) fn layers(error: &figment::Error) -> Self {
        Self::Layers(error.path.join("."))
    }

    /// For a `--x-token` on the command line: everyone on the machine can read that.
    #[must_use]
    pub fn token_on_the_command_line() -> Self {
        Self::TokenInTheOpen { place: "on the command line, which everyone on this machine can read".to_owned() }
    }
}

/// A path as it may be shown: a file name can hold escape sequences.
pub(super) fn shown_path(path: &Path) -> String {
    Shown::from_message(&path.to_string_lossy()).to_string()
}
