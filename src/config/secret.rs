//! The provider's token: from a file of its owner's, the environment, or the terminal. Its value is in no error.

use std::{fmt, fs::File, io::Read, os::unix::fs::MetadataExt, path::Path};

use rustix::{fs::OFlags, io::Errno};
use secrecy::{SecretString, zeroize::Zeroizing};

use super::{ConfigError, Env, Origin, error::shown_path, file};

/// The variable that may hold the token itself.
pub(super) const VARIABLE: &str = "SMART_STREAM_X_TOKEN";
/// Longest token, in bytes.
pub(super) const MAX_TOKEN: usize = 4096;

/// A token and where it came from.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    origin: Origin,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set, from {}", self.origin)
    }
}

impl Token {
    /// The token itself.
    #[must_use]
    pub const fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Where it came from.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Checks a token: what could not be sent in a header as it is, or is a slip of copying, is refused.
    pub(super) fn check(text: &str, origin: Origin) -> Result<Self, ConfigError> {
        let why = if text.is_empty() {
            "is empty"
        } else if text.len() > MAX_TOKEN {
            "is too long for a token"
        } else if text.bytes().any(|byte| byte == b'\n' || byte == b'\r') {
            "has more than one line"
        } else if text.contains(char::is_whitespace) {
            "has a space in it"
        } else if text.contains(['"', '\'']) {
            "has a quotation mark in it"
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            "has a character in it that no token has"
        } else {
            return Ok(Self { secret: SecretString::from(text), origin });
        };
        let mend = match &origin {
            Origin::Variable(_) => "set it to the token alone, or unset it",
            Origin::Prompt => "type or paste the token alone",
            _ => "put the token alone into the file",
        };
        Err(ConfigError::Token { origin: origin.to_string(), why: why.to_owned(), mend })
    }

    /// Reads the token from the environment.
    pub(super) fn from_variable(env: Env<'_>) -> Result<Option<Self>, ConfigError> {
        let Some(text) = env(VARIABLE).map(Zeroizing::new) else { return Ok(None) };
        Self::check(&text, Origin::Variable(VARIABLE.to_owned())).map(Some)
    }

    /// Reads the token from a file that only we can read.
    pub fn from_file(path: &Path, named_by: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str, mend: &str| ConfigError::File {
            path: shown_path(path),
            named_by: format!(" ({named_by})"),
            why: why.to_owned(),
            mend: mend.to_owned(),
        };
        // What is opened is what is checked: nobody can exchange the file in between.
        let file = file::open(path, OFlags::NOFOLLOW).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::LOOP | Errno::MLINK) => refuse("the token file is a symbolic link", "name the file itself"),
            Some(Errno::NOENT) => refuse("there is no such token file", "write the token into it and chmod 600 it"),
            _ => refuse(&error.to_string(), "make it readable by you alone (chmod 600)"),
        })?;
        let about = file.metadata().map_err(|error| refuse(&error.to_string(), "name a file"))?;
        if !about.is_file() {
            return Err(refuse("the token file is not a file", "name a file"));
        }
        if about.uid() != rustix::process::geteuid().as_raw() {
            return Err(refuse("the token file belongs to somebody else", "use a file of your own"));
        }
        if about.mode() & 0o077 != 0 {
            let why = format!("others can use the token file (mode {:04o})", about.mode() & 0o7777);
            return Err(refuse(&why, "run chmod 600 on it, and change the token if others may have read it"));
        }
        let text = read(file).map_err(|error| refuse(&error, "put the token alone into it"))?;
        let line = text.strip_suffix('\n').map_or(&**text, |line| line.strip_suffix('\r').unwrap_or(line));
        Self::check(line, Origin::File { path: path.to_owned(), line: None })
    }
}

fn read(file: File) -> Result<Zeroizing<String>, String> {
    let most = MAX_TOKEN + 2;
    // Full size at once, because a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 2));
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > most {
        return Err("the token file is too large for a token".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "the token file is not text".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}
