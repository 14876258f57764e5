//! The program in a pseudo terminal: what it writes, when, and what the system says of it.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longest time that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Marks the end of a frame.
pub(crate) const FRAME_END: &[u8] = b"\x1b[?2026l";

/// Everything written so far.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    /// When the last of them were read.
    at: Option<Instant>,
}

/// A running program in a terminal of 200 by 60 cells.
pub(crate) struct Screen {
    written: Arc<(Mutex<Written>, Condvar)>,
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    pub(crate) started: Instant,
}

/// What the system has counted.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    pub(crate) at: Option<Instant>,
    /// Processor time of all threads, in seconds.
    pub(crate) cpu: f64,
    /// Voluntary context switches: how often threads went to sleep, and so were woken, by thread.
    pub(crate) wakeups: Vec<(String, u64)>,
    /// Write calls of the drawing thread.
    pub(crate) writes: u64,
    pub(crate) written: usize,
    pub(crate) frames: usize,
}

impl Screen {
    /// Starts the program with these variables, its home in this folder.
    pub(crate) fn start(home: &Path, variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 60, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_smart-stream-tui"));
        command.env_clear();
        command.cwd(home);
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env(name, home);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        for (name, value) in variables {
            command.env(name, value);
        }
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let written = Arc::new((Mutex::new(Written::default()), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let to = written.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                let at = Instant::now();
                let mut written = to.0.lock().unwrap();
                written.bytes.extend_from_slice(&buffer[..read]);
                written.at = Some(at);
                to.1.notify_all();
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { written, _master: pair.master, keys, child, started }
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.0.lock().unwrap()
    }

    /// How many bytes were written.
    pub(crate) fn len(&self) -> usize {
        self.lock().bytes.len()
    }

    /// Waits for these bytes behind `from`; when they were read.
    pub(crate) fn wait(&self, wanted: &[u8], from: usize) -> Instant {
        let until = Instant::now() + PATIENCE;
        let mut written = self.lock();
        loop {
            if holds(&written.bytes[from..], wanted) {
                return written.at.unwrap();
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{:?} was never written", String::from_utf8_lossy(wanted));
            written = self.written.1.wait_timeout(written, left).unwrap().0;
        }
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &[u8]) {
        self.keys.write_all(key).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{path}", self.child.process_id().unwrap())).unwrap_or_default()
    }

    /// What was counted until now.
    pub(crate) fn counts(&self) -> Counts {
        let pid = self.child.process_id().unwrap();
        let mut counts = Counts { at: Some(Instant::now()), ..Counts::default() };
        for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
            let id = task.file_name().to_string_lossy().into_owned();
            let ns = number(&self.read(&format!("task/{id}/schedstat")), "");
            counts.cpu += Duration::from_nanos(ns).as_secs_f64();
            let name = self.read(&format!("task/{id}/comm")).trim().to_owned();
            let switches = number(&self.read(&format!("task/{id}/status")), "voluntary_ctxt_switches:");
            counts.wakeups.push((format!("{name} {id}"), switches));
        }
        // The front end runs on the thread that the program began with.
        counts.writes = number(&self.read(&format!("task/{pid}/io")), "syscw:");
        let written = self.lock();
        counts.written = written.bytes.len();
        counts.frames = written.bytes.windows(FRAME_END.len()).filter(|part| *part == FRAME_END).count();
        counts
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        number(&self.read("status"), "VmRSS:") * 1_024
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

/// The first number on the line that begins so.
fn number(text: &str, label: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(label)).unwrap_or("");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
