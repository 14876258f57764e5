//! Asking for the token at the terminal, without showing it and without leaving the terminal changed.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Mode, OFlags},
    io::Errno,
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr},
};
use secrecy::zeroize::Zeroizing;
use signal_hook::{
    SigId,
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    low_level::{pipe, unregister},
};

use super::{
    ConfigError, Origin,
    secret::{MAX_TOKEN, Token},
};

/// Asks on the process's terminal. Blocks until Enter, Ctrl-C, or a signal to end.
///
/// A signal that arrives meanwhile is handed back as [`ConfigError::Interrupted`], and after the prompt its handler stays
/// in place without an effect: who goes on should handle these signals, as the dashboard and the engine do.
pub(super) fn ask() -> Result<Token, ConfigError> {
    let failed = |error: &io::Error| ConfigError::Token {
        origin: Origin::Prompt.to_string(),
        why: format!("cannot be asked for: {error}"),
        mend: "name a file with --x-token-file, or set SMART_STREAM_X_TOKEN",
    };
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal =
        rustix::fs::open("/dev/tty", flags, Mode::empty()).map(File::from).map_err(|errno| failed(&errno.into()))?;
    // In this order, so that the terminal is given back before the signals are.
    let signals = Signals::watch().map_err(|error| failed(&error))?;
    let line = {
        let _quiet = Quiet::new(&terminal).map_err(|error| failed(&error))?;
        (&terminal)
            .write_all(b"Token (not shown): ")
            .and_then(|()| read_line(&terminal, &signals))
            .map_err(|error| failed(&error))?
    };
    // Where the echo of Enter would have been.
    let _ = (&terminal).write_all(b"\r\n");
    match line {
        Line::Text(text) => Token::check(std::str::from_utf8(&text).unwrap_or("\u{fffd}"), Origin::Prompt),
        Line::Interrupted(signal) => Err(ConfigError::Interrupted(signal)),
    }
}

enum Line {
    Text(Zeroizing<Vec<u8>>),
    Interrupted(i32),
}

fn read_line(mut terminal: &File, signals: &Signals) -> io::Result<Line> {
    // One more than fits, so that too long is seen; and all at once, because a buffer that grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_TOKEN + 1));
    let mut byte = Zeroizing::new([0]);
    loop {
        if let Some(signal) = signals.wait(terminal)? {
            return Ok(Line::Interrupted(signal));
        }
        let end = terminal.read(&mut *byte)? == 0;
        match byte[0] {
            _ if end => return Ok(Line::Interrupted(SIGHUP)),
            // Ctrl-D ends the line as Enter does.
            b'\r' | b'\n' | 0x04 => return Ok(Line::Text(line)),
            0x03 => return Ok(Line::Interrupted(SIGINT)),
            0x1c => return Ok(Line::Interrupted(SIGQUIT)),
            // Ctrl-U starts again; Backspace is either of two.
            0x15 => line.clear(),
            0x08 | 0x7f => drop(line.pop()),
            other if line.len() <= MAX_TOKEN => line.push(other),
            _ => {}
        }
    }
}

/// The terminal without echo, line editing and keys that signal, until dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // Flushing what is left of a pasted token, lest the shell runs it.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// The signals that end a process, caught until dropped.
struct Signals(Vec<(i32, SigId, UnixStream)>);

impl Signals {
    fn watch() -> io::Result<Self> {
        let mut watched = Self(Vec::new());
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            let (ours, theirs) = UnixStream::pair()?;
            watched.0.push((signal, pipe::register(signal, theirs)?, ours));
        }
        Ok(watched)
    }

    /// Waits for the terminal; a signal that came first is returned.
    fn wait(&self, terminal: &File) -> io::Result<Option<i32>> {
        let mut watched: Vec<PollFd<'_>> = self.0.iter().map(|(_, _, pipe)| PollFd::new(pipe, PollFlags::IN)).collect();
        watched.push(PollFd::new(terminal, PollFlags::IN));
        loop {
            match poll(&mut watched, None) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => break,
            }
        }
        let came = self.0.iter().zip(&watched).find(|(_, poll)| !poll.revents().is_empty());
        Ok(came.map(|((signal, ..), _)| *signal))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for (_, id, _) in &self.0 {
            unregister(*id);
        }
    }
}
