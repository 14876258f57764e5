//! Configuration: what wins, what is refused and in which words, and that no token is ever in them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

mod layers;
mod own_groups;
mod refused;
mod streams;
mod token;

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf};

use smart_stream_tui::config::{self, Config, ConfigError, Flags};
use tempfile::TempDir;

const CANARY: &str = "CANARY-7f3a9c";

/// A folder of its own, an environment, and flags.
struct Case {
    folder: TempDir,
    env: BTreeMap<String, String>,
    flags: Flags,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env = BTreeMap::from([("XDG_CONFIG_HOME".to_owned(), folder.path().to_str().unwrap().to_owned())]);
        Self { folder, env, flags: Flags::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn file(self, text: &str) -> Self {
        self.write("smart-stream-tui/config.toml", text, 0o600);
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flags(mut self, set: impl FnOnce(&mut Flags)) -> Self {
        set(&mut self.flags);
        self
    }

    fn endpoint(self, url: &str) -> Self {
        self.flags(|flags| flags.endpoint.push(url.to_owned()))
    }

    fn load(&self) -> Result<Config, ConfigError> {
        config::load(&self.flags, &|name| self.env.get(name).cloned())
    }

    fn ok(&self) -> Config {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The error in words; neither these nor its `Debug` may hold the canary.
    fn error(&self) -> String {
        let error = self.load().expect_err("it should be refused");
        let words = error.to_string();
        for text in [&words, &format!("{error:?}")] {
            assert!(!text.contains("CANARY"), "{text}");
        }
        assert!(!words.contains('\n') && !words.contains('\x1b'), "{words:?}");
        words
    }

    fn refused(&self, parts: &[&str]) {
        let words = self.error();
        for part in parts {
            assert!(words.contains(part), "{part:?} is not in: {words}");
        }
    }
}

/// Value and origin as shown.
fn shown(config: &Config, name: &str) -> (String, String) {
    let (section, key) = name.split_once('.').unwrap();
    let text = config.show();
    let start = text.find(&format!("[{section}]\n")).unwrap();
    let line = text[start..].lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
    let (value, origin) = line.rsplit_once(" # ").unwrap();
    (value.split_once(" = ").unwrap().1.trim().to_owned(), origin.to_owned())
}
