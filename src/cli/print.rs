//! What only prints: configuration, themes, schemas, completions, manual page, keys.

use std::io::{self, IsTerminal, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::{
    args::{Args, ConfigCommand, ConfigOptions, SchemaOf, ThemesCommand},
    failure::Failure,
};
use crate::{
    config::{self, Config, Flags},
    output::schema,
    ui::{UiError, action, color::Depth, swatch, theme::ThemeSource},
};

/// Name under which the program is called.
const NAME: &str = "smart-stream-tui";

/// Writes text to standard output; a reader that has read enough is no error.
fn out(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::runtime(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The key section of the README.
pub(super) fn keys() -> Result<(), Failure> {
    out(&action::markdown())
}

/// `config show|init|path`.
pub(super) fn config(
    options: &ConfigOptions,
    flags: &Flags,
    load: impl FnOnce() -> Result<Config, Failure>,
) -> Result<(), Failure> {
    let path = || config::path(flags, &|name| std::env::var(name).ok());
    match options.command {
        ConfigCommand::Show => out(&load()?.show()),
        ConfigCommand::Path => out(&format!("{}\n", path()?.display())),
        ConfigCommand::Init => {
            let path = path()?;
            config::init(&path)?;
            out(&format!("wrote {}\n", path.display()))
        }
    }
}

/// `themes` and `themes show NAME`, of the built-in themes and the user's.
pub(super) fn themes(command: Option<ThemesCommand>, themes: &ThemeSource) -> Result<(), Failure> {
    match command {
        None | Some(ThemesCommand::List) => {
            let names: Vec<String> = themes.names().map(|name| format!("{name}\n")).collect();
            out(&names.concat())
        }
        Some(ThemesCommand::Show { name }) => {
            let depth = if io::stdout().is_terminal() { Depth::True } else { Depth::Mono };
            let theme = themes.get(&name, depth).map_err(UiError::Theme)?;
            out(&swatch::lines(&theme, depth != Depth::Mono))
        }
    }
}

/// `schema`.
pub(super) fn schema(of: SchemaOf) -> Result<(), Failure> {
    let schema = match of {
        SchemaOf::Snapshot => schema::snapshot(),
        SchemaOf::Events => schema::events(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(io::Error::from)?;
    out(&format!("{text}\n"))
}

/// `completions`.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut text);
    out(&String::from_utf8_lossy(&text))
}

/// `man`.
pub(super) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    out(&String::from_utf8_lossy(&page))
}
