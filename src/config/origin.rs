//! Where a value came from.

use std::{fmt, path::PathBuf};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The built-in `default.toml`.
    Default,
    /// A configuration or token file.
    File {
        /// The file.
        path: PathBuf,
        /// Line, from 1, where it is known.
        line: Option<usize>,
    },
    /// An environment variable.
    Variable(String),
    /// A flag on the command line, with its dashes.
    Flag(&'static str),
    /// A provider's profile.
    Profile(&'static str),
    /// Typed in at the terminal.
    Prompt,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: None } => write!(f, "file {}", super::error::shown_path(path)),
            Self::File { path, line: Some(line) } => write!(f, "file {}:{line}", super::error::shown_path(path)),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::Prompt => f.write_str("the prompt"),
        }
    }
}
