//! The user's own keys and themes, from the folder of the configuration file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::failure::Failure;
use crate::{
    chain::text::Shown,
    ui::{UiError, keys::Keymap, theme::ThemeSource},
};

/// Name of the key file.
const KEYS: &str = "keys.toml";
/// Name of the folder of themes.
const THEMES: &str = "themes";
/// Largest file read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The keys: the built-in ones, changed by the user's file if there is one.
pub(super) fn keys(folder: &Path) -> Result<Keymap, Failure> {
    let path = folder.join(KEYS);
    match read(&path)? {
        None => Ok(Keymap::default()),
        Some(text) => Keymap::load(&text, &shown(&path)).map_err(|error| Failure::usage(error.to_string())),
    }
}

/// The themes: the built-in ones and those of the user's folder, which win over built-in ones of the same name.
pub(super) fn themes(folder: &Path) -> Result<ThemeSource, Failure> {
    let mut themes = ThemeSource::default();
    let Ok(entries) = fs::read_dir(folder.join(THEMES)) else { return Ok(themes) };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    for path in paths {
        let name = Shown::from_message(&path.file_stem().unwrap_or_default().to_string_lossy()).to_string();
        if let Some(text) = read(&path)? {
            let added = themes.add(&name, &text);
            added.map_err(|error| Failure::usage(format!("{}: {}", shown(&path), UiError::Theme(error))))?;
        }
    }
    Ok(themes)
}

/// A small file's text, if there is such a file.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    let fault = |why: String| Failure::usage(format!("cannot read {}: {why}", shown(path)));
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error.to_string())),
        Ok(meta) if meta.len() > LARGEST => return Err(fault(format!("it has more than {LARGEST} bytes"))),
        Ok(_) => {}
    }
    fs::read_to_string(path).map(Some).map_err(|error| fault(error.to_string()))
}

fn shown(path: &Path) -> String {
    Shown::from_message(&path.to_string_lossy()).to_string()
}
