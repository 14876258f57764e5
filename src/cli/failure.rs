//! How a run can end badly, and the exit code that says so.

use color_eyre::eyre::Report;
use thiserror::Error;

use crate::{
    chain::recording::RecordingError,
    config::ConfigError,
    engine::EngineError,
    output::save::SnapshotError,
    simulator::{demo::DemoError, server::ServerError},
    ui::UiError,
};

/// Why the program ends with another code than 0.
#[derive(Debug, Error)]
pub enum Failure {
    /// The arguments or the configuration cannot be used: code 2.
    #[error("{0}")]
    Usage(String),
    /// The provider refuses the token: code 3.
    #[error(
        "the provider refuses the token ({0}); check --x-token-file or SMART_STREAM_X_TOKEN against the provider's \
         page, nothing was retried"
    )]
    Token(String),
    /// Something else: code 1.
    #[error("{0}")]
    Runtime(Report),
    /// A signal asks the process to end; everything is closed.
    #[error("ended by signal {0}")]
    Signal(i32),
}

impl Failure {
    /// A usage error.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// A failure at run time, in words.
    pub fn runtime(text: impl Into<String>) -> Self {
        Self::Runtime(Report::msg(text.into()))
    }

    /// The process's exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Runtime(_) => 1,
            Self::Usage(_) => 2,
            Self::Token(_) => 3,
            Self::Signal(_) => 130,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Interrupted(signal) => Self::Signal(signal),
            error => Self::Usage(error.to_string()),
        }
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<UiError> for Failure {
    fn from(error: UiError) -> Self {
        match error {
            UiError::NoTerminal | UiError::DumbTerminal | UiError::Theme(_) => Self::Usage(error.to_string()),
            UiError::Terminal(_) | UiError::Thread(_) => Self::Runtime(error.into()),
        }
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::NotLoopback(_) => Self::Usage(error.to_string()),
            _ => Self::Runtime(error.into()),
        }
    }
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Runtime(error.into())
    }
}
