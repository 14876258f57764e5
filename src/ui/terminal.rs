//! The terminal: taken once, given back exactly once on every way out.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr},
};

use super::UiError;

/// Alternate screen, cleared, pasted text marked as such, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[2J\x1b[?2004h\x1b[?25l";
/// All of that undone, and an update that was cut short ended.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[?25h";
/// Presses, drags and the wheel are reported, at columns and rows of any size.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// The mouse is the terminal's own again.
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";
/// Ends whatever escape sequence a cut frame left open.
const CANCEL: &[u8] = b"\x18";
/// How long a terminal that does not drain may hold up leaving it.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often a write that waits looks whether it is still wanted.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
/// Largest screen that is drawn; a terminal may claim any size.
const LARGEST: (u16, u16) = (1000, 500);

/// The terminal while it is ours. One per process, because the panic hook has no other way to find it: whoever takes it
/// out gives it back, and nobody draws after that.
static OPEN: Mutex<Option<Tty>> = Mutex::new(None);
/// A write under way shall be given up.
static STOP: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
struct Tty {
    /// Opened anew and not blocking, so that a terminal that does not drain cannot hold the program.
    out: File,
    saved: Termios,
    /// A frame was cut: the terminal may be inside an escape sequence.
    cut: bool,
}

fn open_slot() -> MutexGuard<'static, Option<Tty>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the terminal; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When there is none, or one that cannot draw.
    pub fn enter() -> Result<Self, UiError> {
        check()?;
        STOP.store(false, Ordering::SeqCst);
        let mut slot = open_slot();
        if slot.is_none() {
            *slot = Some(Tty::open()?);
        }
        Ok(Self(()))
    }

    /// Takes the terminal again: after it was given back for a while, or when somebody else may have changed it.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn renew(&self) -> Result<(), UiError> {
        let mut slot = open_slot();
        match slot.as_mut() {
            Some(tty) => tty.take()?,
            None => *slot = Some(Tty::open()?),
        }
        Ok(())
    }

    /// Writes a frame. Waits for a terminal that does not drain, until [`stop`] is called.
    ///
    /// # Errors
    /// When the terminal is gone or was given back.
    pub fn write(&self, frame: &[u8]) -> io::Result<()> {
        let mut slot = open_slot();
        let tty = slot.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let result = push(&tty.out, frame, || STOP.load(Ordering::SeqCst));
        tty.cut = result.is_err();
        result
    }

    /// Asks the terminal to report the mouse, or not to.
    ///
    /// # Errors
    /// When the terminal is gone or was given back.
    pub fn mouse(&self, ours: bool) -> io::Result<()> {
        self.write(if ours { MOUSE } else { NO_MOUSE })
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let size = open_slot().as_ref().and_then(|tty| tcgetwinsize(&tty.out).ok());
        let (columns, rows) = size.map_or((80, 24), |size| (size.ws_col, size.ws_row));
        (columns.min(LARGEST.0), rows.min(LARGEST.1))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

impl Tty {
    fn open() -> Result<Self, UiError> {
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let out = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(nonblocking)
            .open("/dev/tty")
            .map_err(|_| UiError::NoTerminal)?;
        let saved = tcgetattr(&out).map_err(|error| UiError::Terminal(error.into()))?;
        let mut tty = Self { out, saved, cut: false };
        tty.take()?;
        Ok(tty)
    }

    fn take(&mut self) -> Result<(), UiError> {
        let mut raw = self.saved.clone();
        raw.make_raw();
        tcsetattr(&self.out, OptionalActions::Now, &raw).map_err(|error| UiError::Terminal(error.into()))?;
        push(&self.out, ENTER, || STOP.load(Ordering::SeqCst)).map_err(UiError::Terminal)
    }
}

/// Whether there is a terminal that can draw, without taking it.
///
/// # Errors
/// When there is none, or one that cannot.
pub fn check() -> Result<(), UiError> {
    if !isatty(io::stdout()) {
        return Err(UiError::NoTerminal);
    }
    match std::env::var("TERM").as_deref() {
        Ok("dumb" | "") | Err(_) => Err(UiError::DumbTerminal),
        Ok(_) => Ok(()),
    }
}

/// Makes a write that waits for the terminal give up.
pub fn stop() {
    STOP.store(true, Ordering::SeqCst);
}

/// Gives the terminal back, if it is still ours.
pub fn leave() {
    give_back(open_slot().take());
}

fn give_back(tty: Option<Tty>) {
    let Some(tty) = tty else { return };
    let until = Instant::now() + PATIENCE;
    // Nothing can be done about a terminal that is gone.
    if tty.cut {
        let _ = push(&tty.out, CANCEL, || Instant::now() >= until);
    }
    let _ = push(&tty.out, LEAVE, || Instant::now() >= until);
    let _ = tcsetattr(&tty.out, OptionalActions::Now, &tty.saved);
}

/// Writes everything, waiting as long as it is wanted.
fn push(out: &File, mut bytes: &[u8], given_up: impl Fn() -> bool) -> io::Result<()> {
    let mut out = out;
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or(&[]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if given_up() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let mut wait = [PollFd::new(&out, PollFlags::OUT)];
                let _ = poll(&mut wait, Some(&LOOK));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What the terminal has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Keys can be read.
    Input,
    /// It is gone.
    Hangup,
    /// Nothing yet.
    Silence,
}

/// Waits until keys can be read or the terminal is gone, at most so long; with `input` false, for the latter alone.
#[must_use]
pub fn wait(input: bool, longest: Option<Duration>) -> Readiness {
    let longest = longest.and_then(|longest| Timespec::try_from(longest).ok());
    let stdin = io::stdin();
    let fallback;
    let tty = if isatty(&stdin) {
        stdin.as_fd()
    } else {
        match File::open("/dev/tty") {
            Ok(file) => {
                fallback = file;
                fallback.as_fd()
            }
            Err(_) => return Readiness::Hangup,
        }
    };
    loop {
        let mut wait = [PollFd::new(&tty, if input { PollFlags::IN } else { PollFlags::empty() })];
        match poll(&mut wait, longest.as_ref()) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Readiness::Hangup,
            Ok(0) => return Readiness::Silence,
            Ok(_) => {}
        }
        let events = wait[0].revents();
        if events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Readiness::Hangup;
        }
        if events.contains(PollFlags::IN) {
            return Readiness::Input;
        }
    }
}

/// Installs the reports of errors and panics for the whole process. A panic in any thread stops the drawing, gives the
/// terminal back, reports, and ends the process with code 101: an engine that lost a part must not go on looking alive.
///
/// # Errors
/// When another error report is installed already.
pub fn install_panic_hook() -> Result<(), color_eyre::eyre::Report> {
    let (panic_hook, eyre_hook) =
        color_eyre::config::HookBuilder::default().display_env_section(false).try_into_hooks()?;
    eyre_hook.install()?;
    std::panic::set_hook(Box::new(move |info| {
        leave_from_panic();
        let mut error = io::stderr().lock();
        let _ = writeln!(error, "{}", panic_hook.panic_report(info));
        let _ = error.flush();
        std::process::exit(101);
    }));
    Ok(())
}

/// The panicking thread may be the one that is drawing: the lock is asked for, not waited for.
fn leave_from_panic() {
    stop();
    let until = Instant::now() + PATIENCE;
    loop {
        match OPEN.try_lock() {
            Ok(mut slot) => return give_back(slot.take()),
            Err(std::sync::TryLockError::Poisoned(slot)) => return give_back(slot.into_inner().take()),
            Err(std::sync::TryLockError::WouldBlock) if Instant::now() >= until => return,
            Err(std::sync::TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}

/// Ends the process by this signal, as if it had never been caught.
pub fn die_by(signal: i32) -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    std::process::exit(128 + signal)
}

/// Stops the process as the shell's suspend key does; returns when it is continued.
///
/// # Errors
/// When the signal cannot be sent.
pub fn suspend() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
}
