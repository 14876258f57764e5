//! The dashboard, and `replay` with it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::SystemTime,
};

use tokio::time::timeout;

use super::{
    failure::Failure,
    looks,
    process::{self, HURRY},
    source::{Sinks, Source, Wanted},
};
use crate::{
    config::{self, Config, Flags},
    output::save,
    ui::{
        self, Exit, Export, Looks, Reloader, Reply, Reread, UiError, UiSettings,
        color::Depth,
        notify::{By, NotifySettings, Protocol},
        terminal,
    },
};

/// Shows the dashboard until the user has had enough. The flags are those of the configuration, which is read again by them.
pub(super) fn run(config: &Config, flags: Flags, wanted: Wanted) -> Result<(), Failure> {
    // Before anything is spent: is there a terminal, and does the theme exist?
    terminal::check()?;
    let looks = looks(config)?;
    let logs = ui::logs::init(process::level(config)).map_err(|error| Failure::runtime(error.to_string()))?;
    let runtime = process::runtime()?;
    let source = runtime.block_on(Source::open(config, wanted, Sinks::default(), Some("dashboard")))?;
    let settings = UiSettings { looks, logs: Some(logs), reload: Some(reloader(config.clone(), flags)) };
    let (views, commands) = (source.engine.views(), source.engine.commands());
    let exit = ui::run(settings, views.clone(), commands, Box::new(export));
    let closed = runtime.block_on(async { timeout(HURRY, source.close()).await });
    let damage = closed.ok().flatten();
    runtime.shutdown_background();
    match exit? {
        Exit::Quit => match damage {
            Some(damage) => Err(Failure::runtime(damage)),
            None => Ok(()),
        },
        Exit::Signal(signal) => Err(Failure::Signal(signal)),
        Exit::EngineEnded => {
            process::outcome(&views.borrow())?;
            Err(Failure::runtime("the streaming engine has ended"))
        }
    }
}

/// How the front end looks by the settings and the user's files.
fn looks(config: &Config) -> Result<Looks, Failure> {
    let (keys, themes) = (looks::keys(config.folder())?, looks::themes(config.folder())?);
    themes.get(config.theme(), Depth::Mono).map_err(UiError::Theme)?;
    Ok(Looks {
        theme: config.theme().to_owned(),
        no_color: config.no_color(),
        ascii: config.ascii(),
        fps: config.fps(),
        keys,
        notify: notify(config),
        themes,
    })
}

/// Reads the settings, the key file and the folder of themes again.
fn reloader(start: Config, flags: Flags) -> Reloader {
    // The terminal is the dashboard's now: nobody can be asked.
    let flags = Flags { ask_token: false, ..flags };
    let newest = Mutex::new(start.clone());
    let read = move || {
        let config = config::load(&flags, &|name| std::env::var(name).ok())?;
        let looks = looks(&config)?;
        let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
        let differ = |earlier, at_once| {
            let changed = config.changed_since(earlier).into_iter();
            changed.filter(|(_, live)| *live == at_once).map(|(name, _)| name).collect::<Vec<_>>()
        };
        let (changed, later) = (differ(&newest, true), differ(&start, false));
        tracing::info!(in_force = ?changed, from_the_next_start = ?later, "settings, keys and themes are read again");
        let (rules, level) = (Arc::new(config.alerts()), process::level(&config));
        *newest = config;
        Ok(Reread { looks, rules, level, changed, later })
    };
    Reloader(Arc::new(move || read().map_err(|failure: Failure| failure.to_string())))
}

/// How alerts ring. What the terminal cannot do is said in the log.
fn notify(config: &Config) -> NotifySettings {
    let by = match config.notify_by() {
        "desktop" => By::Desktop,
        "both" => By::Both,
        _ => By::Bell,
    };
    let protocol = Protocol::from_environment();
    if by != By::Bell && protocol.is_none() {
        tracing::warn!("this terminal is not known to show notifications: alerts ring its bell");
    }
    NotifySettings { by, protocol, pause: config.notify_pause() }
}

/// Writes a snapshot or a picture, on a thread of its own: the disk may be slow. Without a path it goes into the current
/// folder under a new name.
fn export(what: Export, path: Option<String>, reply: Reply) {
    let write = move || {
        let path = path.map(|path| save::typed_path(&path, std::env::home_dir()));
        let result = match what {
            Export::Snapshot(view) => {
                let path = path.unwrap_or_else(|| save::new_name(view.now_ms, "json"));
                save::write(&view, &path).map(|()| path)
            }
            Export::Picture(svg) => {
                let path = path.unwrap_or_else(|| save::new_name(now_ms(), "svg"));
                save::write_text(&svg, &path).map(|()| path)
            }
        };
        reply.send(result.map(|path| path.display().to_string()).map_err(|error| error.to_string()));
    };
    // Without a thread the reply is dropped, which says so.
    if let Err(error) = thread::Builder::new().name("export".into()).spawn(write) {
        tracing::warn!(%error, "no thread for the export");
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
