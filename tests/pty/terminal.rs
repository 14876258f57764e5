//! A terminal for the program: what it draws, what is typed, how it ends.

use std::{
    io::{Read, Write},
    num::NonZero,
    path::Path,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Long enough for any machine: a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

struct Screen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
    /// The reader shall let go of the terminal.
    hung_up: bool,
    /// The reader shall take nothing for a while.
    undrained: bool,
}

/// A running program and its terminal.
pub(crate) struct Terminal {
    shared: Arc<(Mutex<Screen>, Condvar)>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    before: String,
}

/// A command that runs the program itself, away from this machine's settings.
pub(crate) fn program(folder: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_smart-stream-tui"));
    clean(&mut command, folder);
    command
}

/// Takes the machine's settings out of a command's environment.
pub(crate) fn clean(command: &mut CommandBuilder, folder: &Path) {
    command.cwd(folder);
    command.env("TERM", "xterm-256color");
    command.env("HOME", folder);
    command.env("XDG_CONFIG_HOME", folder);
    command.env("XDG_STATE_HOME", folder);
    for name in ["NO_COLOR", "COLORTERM", "SMART_STREAM_ENDPOINT", "SMART_STREAM_X_TOKEN", "SMART_STREAM_CONFIG"] {
        command.env_remove(name);
    }
}

const fn size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count.max(1)).unwrap()
}

impl Terminal {
    pub(crate) fn run(command: CommandBuilder, dimensions: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(dimensions)).unwrap();
        let before = format!("{:?}", pair.master.get_termios());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Screen {
            parser: vt100::Parser::new(cells(dimensions.1), cells(dimensions.0), 0),
            bytes: Vec::new(),
            closed: false,
            hung_up: false,
            undrained: false,
        };
        let shared = Arc::new((Mutex::new(screen), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let to = shared.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let mut screen = to.0.lock().unwrap();
                if read == 0 {
                    screen.closed = true;
                } else {
                    screen.parser.process(&buffer[..read]);
                    screen.bytes.extend_from_slice(&buffer[..read]);
                }
                to.1.notify_all();
                if read == 0 || screen.hung_up {
                    return;
                }
                drop(to.1.wait_while(screen, |screen| screen.undrained).unwrap());
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { shared, master: Some(pair.master), keys: Some(keys), child, before }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        let keyboard = self.keys.as_mut().unwrap();
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap()
    }

    pub(crate) fn resize(&self, dimensions: (u16, u16)) {
        self.shared.0.lock().unwrap().parser.screen_mut().set_size(cells(dimensions.1), cells(dimensions.0));
        self.master.as_ref().unwrap().resize(size(dimensions)).unwrap();
    }

    /// What is on the screen.
    pub(crate) fn text(&self) -> String {
        self.shared.0.lock().unwrap().parser.screen().contents()
    }

    /// The colour of a cell's background.
    pub(crate) fn background(&self, row: u16, column: u16) -> vt100::Color {
        self.shared.0.lock().unwrap().parser.screen().cell(row, column).unwrap().bgcolor()
    }

    /// Everything the program has written.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shared.0.lock().unwrap().bytes.clone()
    }

    /// Waits until the screen is as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let until = Instant::now() + PATIENCE;
        let mut screen = self.shared.0.lock().unwrap();
        while !wanted(screen.parser.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            let shown = screen.parser.screen().contents();
            assert!(!left.is_zero() && !screen.closed, "{what} never came; the screen was\n{shown}");
            screen = self.shared.1.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// Waits for a text on the screen.
    pub(crate) fn see(&self, text: &str) {
        self.until(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until something is no longer on the screen.
    pub(crate) fn miss(&self, text: &str) {
        self.until(&format!("the end of {text:?}"), |screen| !screen.contents().contains(text));
    }

    /// Waits until the frame under way is whole: everything the program has written so far ends an update.
    pub(crate) fn settled(&self) {
        let until = Instant::now() + PATIENCE;
        let mut screen = self.shared.0.lock().unwrap();
        while !screen.bytes.ends_with(b"\x1b[?2026l") {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the frame is never whole");
            screen = self.shared.1.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// Waits until the program has written these bytes somewhere behind `from`.
    pub(crate) fn written(&self, bytes: &[u8], from: usize) {
        let until = Instant::now() + PATIENCE;
        let mut screen = self.shared.0.lock().unwrap();
        while !screen.bytes[from.min(screen.bytes.len())..].windows(bytes.len()).any(|part| part == bytes) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{:?} was never written", String::from_utf8_lossy(bytes));
            screen = self.shared.1.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// Lets the terminal take what is written, or take nothing from the next piece on.
    pub(crate) fn drain(&self, takes: bool) {
        self.shared.0.lock().unwrap().undrained = !takes;
        self.shared.1.notify_all();
    }

    /// Takes the terminal away: at the next frame, when the reader lets go of it too.
    pub(crate) fn hang_up(&mut self) {
        self.shared.0.lock().unwrap().hung_up = true;
        self.keys = None;
        self.master = None;
    }

    /// Waits for the end, and checks that the terminal was given back: its modes as before, alternate screen left,
    /// cursor shown, and nothing drawn behind that.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let status = self.wait();
        let after = format!("{:?}", self.master.as_ref().unwrap().get_termios());
        assert_eq!(after, self.before, "the terminal's modes");
        let mut screen = self.shared.0.lock().unwrap();
        // The end of the output is the end of the reader.
        let until = Instant::now() + PATIENCE;
        while !screen.closed {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the terminal was never closed");
            screen = self.shared.1.wait_timeout(screen, left).unwrap().0;
        }
        assert!(!screen.parser.screen().alternate_screen(), "the alternate screen is left");
        assert!(!screen.parser.screen().hide_cursor(), "the cursor is shown");
        assert!(!screen.parser.screen().bracketed_paste(), "pastes are as before");
        status
    }

    /// Waits for the end without a terminal to look at.
    pub(crate) fn end_unseen(&mut self) -> ExitStatus {
        self.wait()
    }

    fn wait(&mut self) -> ExitStatus {
        let mut killer = self.child.clone_killer();
        let (done, waiting) = mpsc::channel::<()>();
        let watchdog = thread::spawn(move || {
            let in_time = waiting.recv_timeout(PATIENCE).is_ok();
            if !in_time {
                // It may have ended this very moment.
                let _ = killer.kill();
            }
            in_time
        });
        let status = self.child.wait().unwrap();
        // The watchdog may have given up this very moment.
        let _ = done.send(());
        assert!(watchdog.join().unwrap(), "the program does not end; the screen was\n{}", self.text());
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed half way must not leave the program behind.
        let _ = self.child.kill();
    }
}
