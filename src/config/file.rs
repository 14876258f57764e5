//! The configuration file: finding it, reading it with the line of each value, writing the first one.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use toml::{Spanned, Value};

use super::{
    ConfigError, Env, Flags, Origin,
    error::shown_path,
    setting::{SETTINGS, Setting},
};
use crate::chain::text::Shown;

/// The documented defaults, and the lowest layer itself.
pub const DEFAULTS: &str = include_str!("default.toml");
/// Largest file read.
const MAX_BYTES: u64 = 1 << 20;
/// The list of tables that [`own`](super::own) reads.
const OWN_GROUPS: &str = "group";
/// Longest key looked at for a suggestion, in bytes.
const MAX_KEY: usize = 64;

/// Where the configuration file is, and what named it if somebody did: then it has to exist.
pub(super) fn locate(flags: &Flags, env: Env<'_>) -> Result<(PathBuf, Option<Origin>), ConfigError> {
    if let Some(path) = &flags.config {
        return Ok((path.clone(), Some(Origin::Flag("--config"))));
    }
    if let Some(path) = env("SMART_STREAM_CONFIG").filter(|path| !path.is_empty()) {
        return Ok((path.into(), Some(Origin::Variable("SMART_STREAM_CONFIG".to_owned()))));
    }
    let folder = match env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(folder) => folder,
        None => etcetera::choose_base_strategy()
            .map_err(|_| ConfigError::File {
                path: "the configuration folder".to_owned(),
                named_by: String::new(),
                why: "there is no home folder".to_owned(),
                mend: "set HOME, or name the file with --config".to_owned(),
            })?
            .config_dir(),
    };
    Ok((folder.join("smart-stream-tui").join("config.toml"), None))
}

/// Where the program keeps what it has to remember; `None` without a home folder.
pub(super) fn state_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("smart-stream-tui"))
}

/// Reads the file; `None` when nobody named it and it is not there.
pub(super) fn read(path: &Path, named_by: Option<&Origin>) -> Result<Option<String>, ConfigError> {
    let refuse = |why: String, mend: &str| ConfigError::File {
        path: shown_path(path),
        named_by: named_by.map(|origin| format!(" ({origin})")).unwrap_or_default(),
        why,
        mend: mend.to_owned(),
    };
    // Not blocking, or a pipe of that name would hold the start for ever.
    let file = match open(path, rustix::fs::OFlags::empty()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && named_by.is_none() => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refuse("there is no such file".to_owned(), "make it with `smart-stream-tui config init`"));
        }
        Err(error) => return Err(refuse(error.to_string(), "make it readable")),
    };
    let about = file.metadata().map_err(|error| refuse(error.to_string(), "make it readable"))?;
    if !about.is_file() {
        return Err(refuse("it is not a file".to_owned(), "name a file"));
    }
    // Who can write it can send the token elsewhere.
    if about.uid() != rustix::process::geteuid().as_raw() && about.uid() != 0 {
        return Err(refuse("it belongs to somebody else".to_owned(), "use a file of your own"));
    }
    if about.mode() & 0o002 != 0 {
        return Err(refuse("everybody can write it".to_owned(), "run chmod o-w on it"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| refuse(error.to_string(), "make it readable"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refuse("it is larger than 1 MiB".to_owned(), "name a configuration file"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| refuse("it is not UTF-8 text".to_owned(), "save it as UTF-8"))
}

/// Opens for reading without waiting and without becoming anybody's terminal.
pub(super) fn open(path: &Path, more: rustix::fs::OFlags) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | more;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Writes the documented defaults, each commented out so that a later version's defaults still count. Never overwrites.
pub fn init(path: &Path) -> Result<(), ConfigError> {
    let refuse = |error: &io::Error| {
        let (why, mend) = if error.kind() == io::ErrorKind::AlreadyExists {
            ("it is there already".to_owned(), "edit it, move it away, or name another with --config")
        } else {
            (error.to_string(), "name a file that can be written with --config")
        };
        ConfigError::File { path: shown_path(path), named_by: String::new(), why, mend: mend.to_owned() }
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| refuse(&error))?;
    }
    let mut file =
        File::options().write(true).create_new(true).mode(0o600).open(path).map_err(|error| refuse(&error))?;
    file.write_all(commented().as_bytes()).map_err(|error| refuse(&error))
}

fn commented() -> String {
    let is_value = |line: &str| !line.is_empty() && !line.starts_with(['#', '[']);
    DEFAULTS.lines().map(|line| if is_value(line) { format!("#{line}\n") } else { format!("{line}\n") }).collect()
}

/// One value of a file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) setting: &'static Setting,
    pub(super) value: Value,
    /// Line, from 1.
    pub(super) line: usize,
}

/// Reads a file's text: every value with its line, or the first thing that is wrong with it.
pub(super) fn parse(text: &str, path: &Path) -> Result<Vec<Found>, ConfigError> {
    let origin = |line: usize| Origin::File { path: path.to_owned(), line: Some(line) }.to_string();
    let line_at = |offset: usize| line_at(text, offset);
    // Only the parser's message: its display repeats the line, which may hold anything.
    let syntax = |error: toml::de::Error| ConfigError::Syntax {
        origin: origin(error.span().map_or(1, |span| line_at(span.start))),
        why: Shown::from_message(error.message()).to_string(),
    };
    let sections: BTreeMap<Spanned<String>, Value> = toml::from_str(text).map_err(syntax)?;
    for (section, content) in &sections {
        if !content.is_table() && section.get_ref() != OWN_GROUPS {
            return Err(unknown(section.get_ref(), origin(line_at(section.span().start))));
        }
    }
    let sections: BTreeMap<Spanned<String>, Section> = toml::from_str(text).map_err(syntax)?;
    let mut found = Vec::new();
    for (section, Section(keys)) in sections {
        let Some(keys) = keys else { continue };
        let is_section = SETTINGS.iter().any(|setting| setting.split().0 == section.get_ref());
        if keys.is_empty() && !is_section {
            return Err(unknown(section.get_ref(), origin(line_at(section.span().start))));
        }
        for (key, value) in keys {
            let name = format!("{}.{}", section.get_ref(), key.get_ref());
            let line = line_at(key.span().start);
            let setting = Setting::find(&name).ok_or_else(|| unknown(&name, origin(line)))?;
            found.push(Found { setting, value, line });
        }
    }
    Ok(found)
}

/// Line of that byte, from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The keys of a section; `None` for a list of tables.
struct Section(Option<BTreeMap<Spanned<String>, Value>>);

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SectionVisitor)
    }
}

struct SectionVisitor;

impl<'de> Visitor<'de> for SectionVisitor {
    type Value = Section;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Section, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(|keys| Section(Some(keys)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Section, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Section(None))
    }
}

fn unknown(name: &str, origin: String) -> ConfigError {
    let last = name.rsplit('.').next().unwrap_or(name);
    if matches!(last, "x_token" | "x-token" | "token" | "api_key" | "apikey") {
        return ConfigError::TokenInTheOpen { place: format!("in the configuration ({origin})") };
    }
    let mend = match nearest(name) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "`smart-stream-tui config show` lists every key".to_owned(),
    };
    ConfigError::UnknownKey { key: Shown::from_message(name).to_string(), origin, mend }
}

/// The known name that an unknown one was meant to be: by its key alone, or by few wrong letters.
fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > MAX_KEY {
        return None;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let distance = |setting: &Setting| {
        let (section, key) = setting.split();
        let whole = edits(name, setting.name);
        let alone = edits(last, key);
        // A key in a wrong section is one mistake, without any section none; a section may stand for its settings.
        if name.contains('.') { whole.min(1 + alone) } else { whole.min(alone).min(1 + edits(name, section)) }
    };
    let (distance, setting) = SETTINGS.iter().map(|setting| (distance(setting), setting)).min_by_key(|(d, _)| *d)?;
    (distance <= 1 + last.len() / 3).then_some(setting.name)
}

/// Levenshtein's distance in bytes.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, a) in from.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to.bytes()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or(from.len())
}
