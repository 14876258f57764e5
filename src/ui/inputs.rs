//! Everything the front end waits for, in one channel: keys, signals, views, log lines, exports, the terminal's end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use crossterm::event::{self, KeyEvent, MouseButton, MouseEventKind};
use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGWINCH},
    iterator::Signals,
};
use tokio::sync::watch;

use crate::engine::View;

use super::{
    UiError,
    backdrop::{Backdrop, Heard, Listener},
    keys::Key,
    logs::LogTail,
    mouse::Gesture,
    terminal::{self, Readiness},
};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// The mouse was used, at this column and row.
    Mouse(Gesture, u16, u16),
    /// Text was pasted.
    Paste(String),
    /// The terminal says what its background is like.
    Backdrop(Backdrop),
    /// The terminal may have another size.
    Resize,
    /// There is a newer view.
    View,
    /// There is a newer log line.
    Log,
    /// An export is done: where, or why not.
    Exported(Result<String, String>),
    /// The user's files shall be read again.
    Reload,
    /// Stop until continued.
    Suspend,
    /// Continued.
    Continue,
    /// The process shall end by this signal.
    Signal(i32),
    /// The terminal is gone.
    Hangup,
    /// The engine is gone.
    Ended,
}

/// Events that may wait at once. A full channel holds up the threads that feed it, not the engine.
const WAITING: usize = 1024;

/// How long more keys are waited for: crossterm does not even look without any time.
const MOMENT: Duration = Duration::from_millis(1);

/// What the threads that feed the channel have to know of the loop.
#[derive(Debug, Default)]
struct Shared {
    view_waits: AtomicBool,
    log_waits: AtomicBool,
    frozen: AtomicBool,
    done: AtomicBool,
}

/// The threads and their channel.
#[derive(Debug)]
pub struct Inputs {
    sender: SyncSender<Event>,
    /// What happened, in order.
    pub events: Receiver<Event>,
    shared: Arc<Shared>,
    frozen: watch::Sender<bool>,
}

impl Inputs {
    /// Starts listening to signals, keys, views and log lines.
    ///
    /// # Errors
    /// When a thread or signal handler cannot be had.
    pub fn start(views: watch::Receiver<Arc<View>>, logs: Option<&LogTail>) -> Result<Self, UiError> {
        let (sender, events) = sync_channel(WAITING);
        let shared = Arc::new(Shared::default());
        let (frozen, thaw) = watch::channel(false);
        spawn("ui-signals", signals(sender.clone(), shared.clone())?)?;
        spawn("ui-keys", keys(sender.clone()))?;
        spawn("ui-hangup", hangup(sender.clone()))?;
        spawn("ui-views", forward(sender.clone(), shared.clone(), views, thaw)?)?;
        if let Some(logs) = logs {
            let (sender, shared) = (sender.clone(), shared.clone());
            logs.on_line(move || {
                let quiet = shared.frozen.load(Ordering::Relaxed) || shared.done.load(Ordering::Relaxed);
                if !quiet && !shared.log_waits.swap(true, Ordering::SeqCst) && sender.try_send(Event::Log).is_err() {
                    shared.log_waits.store(false, Ordering::SeqCst);
                }
            });
        }
        Ok(Self { sender, events, shared, frozen })
    }

    /// A way to put an event into the channel.
    #[must_use]
    pub fn sender(&self) -> SyncSender<Event> {
        self.sender.clone()
    }

    /// A frame is about to be drawn from the newest view and log line: later ones are worth an event again.
    pub fn taken(&self) {
        self.shared.view_waits.store(false, Ordering::SeqCst);
        self.shared.log_waits.store(false, Ordering::SeqCst);
    }

    /// While frozen, views and log lines wake nobody.
    pub fn freeze(&self, frozen: bool) {
        self.shared.frozen.store(frozen, Ordering::SeqCst);
        self.frozen.send_if_modified(|now| std::mem::replace(now, frozen) != frozen);
    }
}

impl Drop for Inputs {
    fn drop(&mut self) {
        self.shared.done.store(true, Ordering::SeqCst);
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), UiError> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop).map_err(UiError::Thread)
}

/// The signals a terminal program is sent. The thread outlives the front end: a second wish to end the process, while
/// the engine is closing its streams, is granted at once.
fn signals(sender: SyncSender<Event>, shared: Arc<Shared>) -> Result<impl FnOnce() + Send, UiError> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGUSR1, SIGWINCH])
        .map_err(UiError::Thread)?;
    Ok(move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGWINCH => Event::Resize,
                SIGCONT => Event::Continue,
                SIGUSR1 if shared.done.load(Ordering::SeqCst) => continue,
                SIGUSR1 => Event::Reload,
                SIGTSTP if shared.done.load(Ordering::SeqCst) => {
                    let _ = terminal::suspend();
                    continue;
                }
                SIGTSTP => Event::Suspend,
                ending => {
                    if shared.done.load(Ordering::SeqCst) {
                        terminal::die_by(ending);
                    }
                    // The loop may be waiting for a terminal that does not drain.
                    terminal::stop();
                    Event::Signal(ending)
                }
            };
            let _ = sender.send(event);
        }
    })
}

/// Keys and pastes. The wait is our own: crossterm's never returns from a terminal that is gone.
fn keys(sender: SyncSender<Event>) -> impl FnOnce() + Send {
    move || {
        let mut listener = Listener::default();
        loop {
            match terminal::wait(true, listener.patience()) {
                Readiness::Input => {}
                Readiness::Hangup => break,
                Readiness::Silence if press(&sender, &listener.give_up()) => continue,
                Readiness::Silence => return,
            }
            while let Ok(true) = event::poll(MOMENT) {
                let Ok(event) = event::read() else { break };
                let event = match event {
                    event::Event::Key(key) => match listener.on(key) {
                        Heard::Keys(keys) if press(&sender, &keys) => continue,
                        Heard::Keys(_) => return,
                        Heard::Answer(backdrop) => Some(Event::Backdrop(backdrop)),
                    },
                    event::Event::Paste(text) => Some(Event::Paste(text)),
                    event::Event::Mouse(mouse) => {
                        gesture(mouse.kind).map(|it| Event::Mouse(it, mouse.column, mouse.row))
                    }
                    _ => None,
                };
                let Some(event) = event else { continue };
                if !press(&sender, &listener.give_up()) || sender.send(event).is_err() {
                    return;
                }
            }
        }
        let _ = sender.send(Event::Hangup);
    }
}

/// Hands keys on; whether there still is anybody to take them.
fn press(sender: &SyncSender<Event>, keys: &[KeyEvent]) -> bool {
    keys.iter().filter_map(Key::from_event).all(|key| sender.send(Event::Key(key)).is_ok())
}

/// What we make of the mouse.
const fn gesture(kind: MouseEventKind) -> Option<Gesture> {
    match kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Gesture::Click),
        MouseEventKind::Drag(MouseButton::Left) => Some(Gesture::Drag),
        MouseEventKind::Up(MouseButton::Left) => Some(Gesture::Release),
        MouseEventKind::ScrollUp => Some(Gesture::WheelUp),
        MouseEventKind::ScrollDown => Some(Gesture::WheelDown),
        _ => None,
    }
}

/// The terminal's end, seen also when the thread above is caught inside a read.
fn hangup(sender: SyncSender<Event>) -> impl FnOnce() + Send {
    move || {
        let _ = terminal::wait(false, None);
        terminal::stop();
        let _ = sender.send(Event::Hangup);
    }
}

/// Says that there is a newer view: once until it is drawn, and never while frozen.
fn forward(
    sender: SyncSender<Event>,
    shared: Arc<Shared>,
    mut views: watch::Receiver<Arc<View>>,
    mut frozen: watch::Receiver<bool>,
) -> Result<impl FnOnce() + Send, UiError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(UiError::Thread)?;
    Ok(move || {
        runtime.block_on(async move {
            loop {
                if frozen.wait_for(|frozen| !*frozen).await.is_err() {
                    return;
                }
                tokio::select! {
                    changed = views.changed() => {
                        if changed.is_err() {
                            let _ = sender.send(Event::Ended);
                            return;
                        }
                    }
                    changed = frozen.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        continue;
                    }
                }
                if !shared.view_waits.swap(true, Ordering::SeqCst) && sender.send(Event::View).is_err() {
                    return;
                }
            }
        });
    })
}
