//! The user's own groups: `[[group]]` tables of the configuration file.

use std::{collections::BTreeMap, io::Read, path::Path};

use serde::Deserialize;
use solana_sdk::pubkey::Pubkey;
use toml::{Spanned, Value};

use super::{
    ConfigError, Origin,
    file::{line_at, open},
};
use crate::chain::{
    group::{BadGroup, Groups, OwnGroup, Priority, Rule},
    program::Program,
    text::Shown,
};

/// Most keys of one group.
const MOST_KEYS: usize = 200_000;
/// Most keys that all of a transaction's accounts have to be: more than a transaction names is never met.
const MOST_REQUIRED: usize = 64;
/// Largest file of addresses, in bytes: that many, each on a line.
const MOST_BYTES: u64 = MOST_KEYS as u64 * 64;
/// The keys of a table.
const KEYS: [&str; 7] = ["name", "priority", "programs", "accounts", "accounts_file", "account_required", "failed"];

/// The tables, with everything else of the file left out.
#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    group: Vec<Table>,
}

type Table = BTreeMap<Spanned<String>, Value>;

/// Keys with their values, as they may be shown.
type Values = Vec<(&'static str, String)>;

/// One of the user's groups as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// What it says.
    pub(super) values: Values,
    /// File and line.
    pub(super) origin: String,
}

/// Reads the groups of a file's text. Errors of the syntax are found before.
pub(super) fn read(text: &str, path: &Path) -> Result<(Groups, Vec<Written>), ConfigError> {
    let tables = toml::from_str::<Tables>(text).map(|tables| tables.group);
    let tables = tables.map_err(|error| ConfigError::Value {
        key: "group",
        value: "…".to_owned(),
        origin: at(path, error.span().map(|span| line_at(text, span.start))),
        why: "it is not a list of tables".to_owned(),
        mend: "begin each group with a line [[group]]".to_owned(),
    })?;
    let (mut groups, mut written, mut named) = (Vec::new(), Vec::new(), Vec::new());
    for table in &tables {
        let reader = Reader { text, path, table };
        let (group, values) = reader.group()?;
        named.push((reader.origin("name"), group.name.clone()));
        written.push(Written { values, origin: reader.origin("name") });
        groups.push(group);
    }
    let refused = |(position, bad): (usize, BadGroup)| {
        let (origin, name) = named.get(position).cloned().unwrap_or_default();
        ConfigError::Value {
            key: "group.name",
            value: Shown::from_message(&format!("{name:?}")).to_string(),
            origin,
            why: bad.to_string(),
            mend: match bad {
                BadGroup::TooMany => "join some of them, or leave some out",
                BadGroup::Name => "choose such a name",
                BadGroup::Taken => "choose another name",
                BadGroup::Everything => "add programs = [\"…\"], accounts = [\"…\"] or account_required = [\"…\"]",
            }
            .to_owned(),
        }
    };
    Ok((Groups::with(groups).map_err(refused)?, written))
}

fn at(path: &Path, line: Option<usize>) -> String {
    Origin::File { path: path.to_owned(), line }.to_string()
}

/// One table.
struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    table: &'a Table,
}

impl Reader<'_> {
    /// File and line of a key; of the table's first one where that is missing.
    fn origin(&self, key: &str) -> String {
        let start = |(key, _): (&Spanned<String>, &Value)| key.span().start;
        let own = self.table.iter().find(|(known, _)| known.get_ref() == key).map(start);
        let line = own.or_else(|| self.table.iter().map(start).min()).map(|start| line_at(self.text, start));
        at(self.path, line)
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.table.iter().find(|(known, _)| known.get_ref() == key).map(|(_, value)| value)
    }

    fn wrong(&self, key: &'static str, value: &str, why: &str, mend: &str) -> ConfigError {
        let name = KEYS.iter().find(|known| key.ends_with(**known)).copied().unwrap_or_default();
        ConfigError::Value {
            key,
            value: Shown::from_message(value).to_string(),
            origin: self.origin(name),
            why: why.to_owned(),
            mend: mend.to_owned(),
        }
    }

    fn group(&self) -> Result<(OwnGroup, Values), ConfigError> {
        if let Some((key, _)) = self.table.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_str())) {
            return Err(ConfigError::UnknownKey {
                key: Shown::from_message(&format!("group.{}", key.get_ref())).to_string(),
                origin: self.origin(key.get_ref()),
                mend: format!("a group has {}", KEYS.join(", ")),
            });
        }
        let name = match self.value("name") {
            Some(Value::String(name)) => name.clone(),
            other => {
                let shown = other.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                return Err(self.wrong("group.name", &shown, "a group needs a name", "write name = \"my_pools\""));
            }
        };
        let words = "write \"high\", \"medium\" or \"low\"";
        let priority = match self.value("priority") {
            None => Priority::Low,
            Some(word) => Priority::ALL
                .into_iter()
                .find(|priority| word.as_str() == Some(priority.name()))
                .ok_or_else(|| self.wrong("group.priority", &word.to_string(), "there is no such choice", words))?,
        };
        let failed = match self.value("failed") {
            None => true,
            Some(Value::Boolean(failed)) => *failed,
            Some(other) => {
                let why = "it is not a switch";
                return Err(self.wrong("group.failed", &other.to_string(), why, "write true or false"));
            }
        };
        let programs = self.keys("group.programs", |text| {
            let known = Program::ALL.into_iter().find(|program| program.name() == text);
            known.map(|program| *program.id()).or_else(|| text.parse().ok())
        })?;
        let accounts = self.keys("group.accounts", |text| text.parse().ok())?;
        let required = self.keys("group.account_required", |text| text.parse().ok())?;
        let listed = self.file()?;
        if required.len() > MOST_REQUIRED {
            let (shown, why) = (format!("{} addresses", required.len()), "no transaction names so many accounts");
            return Err(self.wrong("group.account_required", &shown, why, &format!("name {MOST_REQUIRED} at most")));
        }
        let shown = |keys: &[Pubkey]| match keys {
            [] => "[]".to_owned(),
            [key] => format!("[\"{key}\"]"),
            [first, ..] => format!("[\"{first}\", …] ({} in all)", keys.len()),
        };
        let mut values = vec![
            ("name", Shown::from_message(&format!("{name:?}")).to_string()),
            ("priority", format!("\"{}\"", priority.name())),
            ("programs", shown(&programs)),
            ("accounts", shown(&accounts)),
        ];
        if let Some((path, keys)) = &listed {
            values.push(("accounts_file", format!("{} ({} addresses)", super::error::shown_path(path), keys.len())));
        }
        values.extend([("account_required", shown(&required)), ("failed", failed.to_string())]);
        let include = [programs, accounts, listed.map(|(_, keys)| keys).unwrap_or_default()].concat();
        if include.len() > MOST_KEYS {
            let (shown, why) = (format!("{} addresses", include.len()), "these are too many for one group");
            return Err(self.wrong("group.accounts", &shown, why, &format!("name {MOST_KEYS} at most")));
        }
        Ok((OwnGroup { name, priority, rule: Rule { include, required, failed } }, values))
    }

    fn keys(&self, key: &'static str, read: impl Fn(&str) -> Option<Pubkey>) -> Result<Vec<Pubkey>, ConfigError> {
        let list = match self.value(key.trim_start_matches("group.")) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(other) => {
                let mend = "write it as [\"one\", \"another\"]";
                return Err(self.wrong(key, &other.to_string(), "it is not a list", mend));
            }
        };
        let keys = list.iter().map(|entry| {
            let mend = match key {
                "group.programs" => "write addresses in base58, or names of venues such as \"pump_swap\"",
                _ => "write addresses in base58",
            };
            let found = entry.as_str().and_then(&read);
            found.ok_or_else(|| self.wrong(key, &entry.to_string(), "this is no address", mend))
        });
        keys.collect()
    }

    /// The file of addresses, one a line; lines that are empty or begin with `#` say nothing.
    fn file(&self) -> Result<Option<(std::path::PathBuf, Vec<Pubkey>)>, ConfigError> {
        let key = "group.accounts_file";
        let path = match self.value("accounts_file") {
            None => return Ok(None),
            Some(Value::String(path)) => super::layers::beside(path, self.path),
            Some(other) => return Err(self.wrong(key, &other.to_string(), "it is not a path", "write a path")),
        };
        let shown = super::error::shown_path(&path);
        let refuse = |why: String| self.wrong(key, &shown, &why, "name a file with an address on each line");
        let file = open(&path, rustix::fs::OFlags::empty()).map_err(|error| refuse(error.to_string()))?;
        if !file.metadata().map_err(|error| refuse(error.to_string()))?.is_file() {
            return Err(refuse("it is not a file".to_owned()));
        }
        let mut text = String::new();
        file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| refuse(error.to_string()))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(refuse(format!("it is larger than {MOST_BYTES} bytes")));
        }
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        let keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| line.parse().map_err(|_| refuse(format!("line {number} is no address"))));
        Ok(Some((path, keys.collect::<Result<_, _>>()?)))
    }
}
