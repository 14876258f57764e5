//! The loop: wait for one thing, take what else is there, draw if something changed and the last frame is old enough.

use std::{
    env, io,
    sync::{Arc, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

use ratatui::{buffer::Buffer, layout::Rect};
use signal_hook::consts::SIGHUP;
use tokio::sync::{
    mpsc::{Sender, error::TrySendError},
    watch,
};

use crate::{
    chain::ids::Mint,
    engine::{Command, View},
};

use super::{
    Exit, Export, Exporter, Looks, Reloader, Reply, UiError, UiSettings,
    backdrop::{self, Backdrop},
    clipboard,
    color::Depth,
    draw,
    frame::Painter,
    inputs::{Event, Inputs},
    logs::LogState,
    model::Model,
    mouse,
    notify::Notifier,
    reload,
    shot::{self, Defaults},
    terminal::{self, Guard},
    theme::{self, Theme},
    update::{self, Effect},
};

/// Least time between a frame and the next one if that answers a key: sooner than frames come by themselves, so that the
/// program feels like one's own hand.
const ANSWER: Duration = Duration::from_millis(4);

/// An age on the screen is brought up to date at most this often.
const AGEING: Duration = Duration::from_secs(1);

/// How often a view is kept while the screen is frozen. Nothing is written for it.
const KEEPING: Duration = Duration::from_secs(1);

/// Runs the dashboard on the calling thread until the user, a signal or the engine ends it. The terminal is as it was
/// before on return.
///
/// # Errors
/// When there is no terminal that can draw, the theme cannot be used, or the system refuses a thread.
pub fn run(
    settings: UiSettings,
    views: watch::Receiver<Arc<View>>,
    commands: Sender<Command>,
    export: Exporter,
) -> Result<Exit, UiError> {
    let looks = &settings.looks;
    let depth = depth(looks);
    let theme = looks.themes.get(&looks.theme, depth)?;
    // Colours are resolved by the theme; crossterm's own idea of NO_COLOR also drops bold and reverse.
    crossterm::style::force_color_output(true);
    let terminal = Guard::enter()?;
    terminal.mouse(true).map_err(UiError::Terminal)?;
    let inputs = Inputs::start(views.clone(), settings.logs.as_ref())?;
    let first = views.borrow().clone();
    let position = looks.themes.position(&looks.theme).unwrap_or(0);
    let mut model = Model::new(first, position, looks.ascii, Instant::now());
    model.logs = settings.logs.clone().map(LogState::of).unwrap_or_default();
    model.keys = looks.keys.clone();
    model.themes = looks.themes.clone();
    let mut app = App {
        model,
        backdrop: follows(looks, depth).then_some(Backdrop::Dark),
        first_frame: Instant::now(),
        pause: pause(looks),
        painter: Painter::default(),
        dirty: true,
        asked: false,
        drawn: None,
        ages_at: None,
        keeps_at: Instant::now(),
        opened: None,
        notifier: Notifier::new(looks.notify),
        theme,
        depth,
        settings,
        terminal,
        inputs,
        views,
        commands,
        export,
    };
    app.ask_backdrop()?;
    app.run()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// The colours there are.
fn depth(looks: &Looks) -> Depth {
    let no_color = looks.no_color || !variable("NO_COLOR").is_empty();
    Depth::of(no_color, &variable("COLORTERM"), &variable("TERM"))
}

/// Whether the theme goes with the terminal's background. Linux' own console prints what it does not know.
fn follows(looks: &Looks, depth: Depth) -> bool {
    looks.theme == theme::AUTO && depth != Depth::Mono && variable("TERM") != "linux"
}

/// How long a frame stands at least.
fn pause(looks: &Looks) -> Duration {
    Duration::from_secs(1) / looks.fps.clamp(1, 120)
}

struct App {
    model: Model,
    settings: UiSettings,
    theme: Theme,
    depth: Depth,
    /// What the terminal's background is taken for, while the theme follows it.
    backdrop: Option<Backdrop>,
    /// The first frame waits until then for the answer, so that nobody sees it in two themes.
    first_frame: Instant,
    pause: Duration,
    painter: Painter,
    dirty: bool,
    /// The user has done something that the next frame answers.
    asked: bool,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
    /// When something on the screen will have aged visibly.
    ages_at: Option<Instant>,
    /// When a view is to be kept while the screen is frozen: the engine goes on, and so does the past.
    keeps_at: Instant,
    /// The token whose page the engine knows to be open.
    opened: Option<Mint>,
    notifier: Notifier,
    terminal: Guard,
    inputs: Inputs,
    views: watch::Receiver<Arc<View>>,
    commands: Sender<Command>,
    export: Exporter,
}

impl App {
    fn run(mut self) -> Result<Exit, UiError> {
        loop {
            let now = Instant::now();
            if self.ages_at.is_some_and(|at| at <= now) {
                self.dirty = true;
            }
            if self.model.frozen && self.keeps_at <= now {
                let newest = self.views.borrow().clone();
                self.dirty |= self.model.take(newest.clone(), now);
                self.keeps_at = now + KEEPING;
                self.ring(&newest, now)?;
            }
            let effects = update::due(&mut self.model, now);
            if let Some(exit) = self.carry_out(effects)? {
                return Ok(exit);
            }
            self.tell_opened();
            let ready = now >= self.next_frame();
            if self.dirty && ready {
                match self.draw(now) {
                    Ok(()) => {}
                    // Given up because a signal is waiting in the channel.
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => self.painter.forget(),
                    Err(_) => return Ok(Exit::Signal(SIGHUP)),
                }
            }
            let Some(event) = self.next() else { continue };
            if let Some(exit) = self.on(event)? {
                return Ok(exit);
            }
            // What else is there already belongs into the same frame.
            while let Ok(event) = self.inputs.events.try_recv() {
                if let Some(exit) = self.on(event)? {
                    return Ok(exit);
                }
            }
        }
    }

    /// Tells the engine which token's page is open. A full channel is tried again with the next event: views keep coming.
    fn tell_opened(&mut self) {
        let open = self.model.detail;
        if self.opened != open && self.commands.try_send(Command::Open(open)).is_ok() {
            self.opened = open;
        }
    }

    /// When the next frame may be drawn: the last one stands for a while at least.
    fn next_frame(&self) -> Instant {
        let pause = if self.asked { ANSWER.min(self.pause) } else { self.pause };
        self.drawn.map_or(self.first_frame, |drawn| drawn + pause)
    }

    /// Waits for an event, for the end of the pause between frames, or for something shown to age.
    fn next(&self) -> Option<Event> {
        let now = Instant::now();
        let frame = self.dirty.then(|| self.next_frame());
        let due = update::next_due(&self.model, now).map(|wait| now + wait);
        let keeps = Some(self.keeps_at).filter(|_| self.model.frozen);
        let until = [frame, self.ages_at.filter(|_| !self.dirty), due, keeps].into_iter().flatten().min();
        match until {
            None => self.inputs.events.recv().ok().or(Some(Event::Hangup)),
            Some(until) => match self.inputs.events.recv_timeout(until.saturating_duration_since(now)) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Event::Hangup),
            },
        }
    }

    fn on(&mut self, event: Event) -> Result<Option<Exit>, UiError> {
        match event {
            Event::Key(key) => {
                (self.dirty, self.asked) = (true, true);
                let effects = update::key(&mut self.model, key, Instant::now());
                self.inputs.freeze(self.model.frozen);
                self.dress()?;
                return self.carry_out(effects);
            }
            Event::Paste(text) => {
                (self.dirty, self.asked) = (true, true);
                update::paste(&mut self.model, &text);
            }
            Event::Mouse(gesture, column, row) => {
                (self.dirty, self.asked) = (true, true);
                mouse::apply(&mut self.model, gesture, column, row);
                self.dress()?;
            }
            Event::Backdrop(backdrop) => self.heard(backdrop)?,
            Event::View | Event::Log => self.dirty |= !self.model.frozen,
            Event::Resize => self.dirty = true,
            Event::Exported(result) => {
                self.dirty = true;
                update::exported(&mut self.model, result);
            }
            Event::Reload => self.reload()?,
            Event::Suspend => self.suspend()?,
            Event::Continue => {
                self.renew()?;
            }
            Event::Signal(signal) => return Ok(Some(Exit::Signal(signal))),
            Event::Hangup => return Ok(Some(Exit::Signal(SIGHUP))),
            Event::Ended => return Ok(Some(Exit::EngineEnded)),
        }
        Ok(None)
    }

    /// Reads the user's files again: settings, keys and themes.
    fn reload(&mut self) -> Result<(), UiError> {
        self.dirty = true;
        let read = match &self.settings.reload {
            Some(Reloader(read)) => read(),
            None => Err("there are no files to read".to_owned()),
        };
        if let Ok(read) = &read {
            self.depth = depth(&read.looks);
            self.pause = pause(&read.looks);
            self.notifier.ring_so(read.looks.notify);
            if let Some(logs) = &self.settings.logs {
                logs.set_level(read.level);
            }
            if read.changed.contains(&"ui.theme") {
                self.backdrop = follows(&read.looks, self.depth).then_some(Backdrop::Dark);
            }
        }
        let rules = read.as_ref().ok().filter(|read| read.changed.iter().any(|name| name.starts_with("alerts.")));
        let told = rules.map(|read| Effect::Command(Command::Rules(read.rules.clone())));
        reload::apply(&mut self.model, read);
        // The theme of that name may be another one now, and the colours others.
        self.theme = self.model.themes.get(self.model.themes.name(self.model.theme), self.depth)?;
        self.carry_out(told.into_iter().collect())?;
        self.ask_backdrop()
    }

    /// Asks the terminal for its background, if the theme follows it.
    fn ask_backdrop(&mut self) -> Result<(), UiError> {
        if self.backdrop.is_some() {
            self.first_frame = Instant::now() + backdrop::FIRST_FRAME;
            self.terminal.write(backdrop::QUESTION).map_err(UiError::Terminal)?;
        }
        Ok(())
    }

    /// The terminal has said what its background is like. Who has chosen a theme keeps it.
    fn heard(&mut self, heard: Backdrop) -> Result<(), UiError> {
        self.first_frame = Instant::now();
        let Some(before) = self.backdrop else { return Ok(()) };
        if self.model.themes.name(self.model.theme) != before.theme() {
            self.backdrop = None;
        } else if heard != before
            && let Some(position) = self.model.themes.position(heard.theme())
        {
            self.backdrop = Some(heard);
            self.model.theme = position;
            self.dirty = true;
            self.dress()?;
        }
        Ok(())
    }

    /// Brings the theme in line with the model's choice.
    fn dress(&mut self) -> Result<(), UiError> {
        let name = self.model.themes.name(self.model.theme);
        if name != self.theme.name {
            self.theme = self.model.themes.get(name, self.depth)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Option<Exit>, UiError> {
        for effect in effects {
            self.dirty = true;
            match effect {
                Effect::Command(command) => match self.commands.try_send(command) {
                    Ok(()) => {}
                    Err(TrySendError::Full(_)) => update::refused(&mut self.model, "the engine is busy: try again"),
                    Err(TrySendError::Closed(_)) => update::refused(&mut self.model, "the engine has stopped"),
                },
                Effect::Export(path) => {
                    let view = Export::Snapshot(self.model.view.clone());
                    (self.export)(view, path, Reply(Some(self.inputs.sender())));
                }
                Effect::Screenshot(path) => {
                    let picture = Export::Picture(self.picture());
                    (self.export)(picture, path, Reply(Some(self.inputs.sender())));
                }
                Effect::Thaw => {}
                Effect::Copy(base58) => {
                    if let Some(sequence) = clipboard::sequence(&base58) {
                        self.terminal.write(&sequence).map_err(UiError::Terminal)?;
                    }
                }
                Effect::Mouse(ours) => self.terminal.mouse(ours).map_err(UiError::Terminal)?,
                Effect::Reload => self.reload()?,
                Effect::Suspend => self.suspend()?,
                Effect::Quit => return Ok(Some(Exit::Quit)),
            }
        }
        Ok(None)
    }

    /// Lets the terminal ring for alerts that ask for it.
    fn ring(&mut self, view: &View, now: Instant) -> Result<(), UiError> {
        match self.notifier.look(view, &self.model.mutes, now) {
            Some(bytes) => self.terminal.write(&bytes).map_err(UiError::Terminal),
            None => Ok(()),
        }
    }

    /// The screen as it is now, as SVG; without the line that says that it is being drawn.
    fn picture(&mut self) -> String {
        let notice = self.model.notice.take();
        let (width, height) = self.terminal.size();
        let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
        self.model.refresh();
        draw::screen(&mut buffer, &self.model, &self.theme, &self.model.clock(Instant::now()));
        self.model.notice = notice;
        shot::svg(&buffer, Defaults::of(&self.theme))
    }

    fn suspend(&mut self) -> Result<(), UiError> {
        terminal::leave();
        terminal::suspend().map_err(UiError::Terminal)?;
        self.renew()
    }

    /// Takes the terminal again, and shows all of it anew.
    fn renew(&mut self) -> Result<(), UiError> {
        self.terminal.renew()?;
        self.painter.forget();
        self.dirty = true;
        self.terminal.mouse(self.model.mouse).map_err(UiError::Terminal)?;
        // It may be another terminal now.
        self.ask_backdrop()
    }

    fn draw(&mut self, now: Instant) -> io::Result<()> {
        (self.dirty, self.asked) = (false, false);
        self.inputs.taken();
        let newest = self.views.borrow_and_update().clone();
        let ring = self.notifier.look(&newest, &self.model.mutes, now);
        if !Arc::ptr_eq(&newest, &self.model.view) {
            self.model.take(newest, now);
        }
        if let Some(logs) = &self.settings.logs
            && !self.model.frozen
        {
            self.model.log_line = logs.newest();
        }
        self.model.refresh();
        let clock = self.model.clock(now);
        let bytes = self
            .painter
            .frame(self.terminal.size(), |buffer| draw::screen(buffer, &self.model, &self.theme, &clock))?;
        self.drawn = Some(now);
        self.ages_at = clock
            .changes_in_ms()
            .filter(|_| !self.model.frozen)
            .map(|ms| now + Duration::from_millis(ms).clamp(AGEING, Duration::from_secs(86_400)));
        if !bytes.is_empty() {
            self.terminal.write(bytes)?;
        }
        ring.map_or(Ok(()), |bytes| self.terminal.write(&bytes))
    }
}
