//! Flag over environment over file over default: every value is checked in its own layer, so that an error names its place.

use std::path::{Path, PathBuf};

use figment::{
    Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Value as Tagged},
};
use toml::Value;

use super::{
    ConfigError, Env, Flags, Origin, file,
    setting::{SETTINGS, Setting, Wrong},
};

/// One checked value; figment's metadata carries where it came from.
struct Layered {
    setting: &'static Setting,
    value: Tagged,
    origin: Origin,
}

impl Provider for Layered {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.to_string())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let (section, key) = self.setting.split();
        let keys = Dict::from([(key.to_owned(), self.value.clone())]);
        Ok(Map::from([(Profile::Default, Dict::from([(section.to_owned(), Tagged::from(keys))]))]))
    }
}

/// Every layer on top of the one below.
pub(super) fn stack(flags: &Flags, env: Env<'_>, file: Option<(&Path, &str)>) -> Result<Figment, ConfigError> {
    let mut stack = Stack(Figment::new());
    for found in file::parse(file::DEFAULTS, Path::new("default.toml"))? {
        stack.add(found.setting, found.value, Origin::Default)?;
    }
    if let Some((path, text)) = file {
        for mut found in file::parse(text, path)? {
            if found.setting.name == "source.x_token_file" {
                found.value = match found.value {
                    Value::String(named) => Value::String(beside(&named, path).to_string_lossy().into_owned()),
                    other => other,
                };
            }
            stack.add(found.setting, found.value, Origin::File { path: path.to_owned(), line: Some(found.line) })?;
        }
    }
    stack.variables(env)?;
    stack.flags(flags)?;
    Ok(stack.0)
}

struct Stack(Figment);

impl Stack {
    fn add(&mut self, setting: &'static Setting, value: Value, origin: Origin) -> Result<(), ConfigError> {
        let shown = setting.shown(&value);
        let value = setting.check(value).map_err(|wrong| match wrong {
            Wrong::Value(why, mend) => {
                ConfigError::Value { key: setting.name, value: shown, origin: origin.to_string(), why, mend }
            }
            Wrong::Endpoint(place, bad) => ConfigError::Endpoint {
                which: format!("endpoint {place}"),
                origin: origin.to_string(),
                why: bad.why,
                mend: bad.mend,
            },
        })?;
        let value = Tagged::serialize(&value).map_err(|error| ConfigError::layers(&error))?;
        self.0 = std::mem::take(&mut self.0).merge(Layered { setting, value, origin });
        Ok(())
    }

    fn variables(&mut self, env: Env<'_>) -> Result<(), ConfigError> {
        let named = |name: &str| Origin::Variable(name.to_owned());
        // Any value but the empty one counts, says no-color.org.
        if env("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            self.set("ui.color", Value::Boolean(false), named("NO_COLOR"))?;
        }
        for setting in &SETTINGS {
            let short = (setting.name == "source.endpoint").then_some("SMART_STREAM_ENDPOINT");
            for name in short.into_iter().map(str::to_owned).chain([setting.variable()]) {
                if let Some(text) = env(&name) {
                    self.add(setting, setting.read(&text), named(&name))?;
                }
            }
        }
        Ok(())
    }

    fn flags(&mut self, flags: &Flags) -> Result<(), ConfigError> {
        if !flags.endpoint.is_empty() {
            let urls = flags.endpoint.iter().cloned().map(Value::String).collect();
            self.set("source.endpoint", Value::Array(urls), Origin::Flag("--endpoint"))?;
        }
        let text = |text: &Option<String>| text.clone().map(Value::String);
        // What TOML has no number for stays a text, which the check refuses.
        let number = |n: u64| i64::try_from(n).map_or_else(|_| Value::String(n.to_string()), Value::Integer);
        let whole = |given: Option<u64>| given.map(number);
        let token_file = flags.x_token_file.as_ref().map(|path| Value::String(path.to_string_lossy().into_owned()));
        let given = [
            ("source.provider", text(&flags.provider), "--provider"),
            ("source.x_token_file", token_file, "--x-token-file"),
            ("source.commitment", text(&flags.commitment), "--commitment"),
            ("source.connections", whole(flags.connections.map(|n| n as u64)), "--connections"),
            ("source.insecure", flags.insecure.then_some(Value::Boolean(true)), "--insecure"),
            ("ui.theme", text(&flags.theme), "--theme"),
            ("ui.fps", whole(flags.fps.map(u64::from)), "--fps"),
            ("ui.ascii", flags.ascii.then_some(Value::Boolean(true)), "--ascii"),
            ("ui.color", flags.no_color.then_some(Value::Boolean(false)), "--no-color"),
            ("market.sol_usd", flags.sol_usd.map(Value::Float), "--sol-usd"),
            ("demo.seed", whole(flags.seed), "--seed"),
            ("demo.rate", flags.rate.map(Value::Float), "--rate"),
            ("log.level", text(&flags.log_level), "--log-level"),
        ];
        for (name, value, flag) in given {
            if let Some(value) = value {
                self.set(name, value, Origin::Flag(flag))?;
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        Setting::find(name).map_or(Ok(()), |setting| self.add(setting, value, origin))
    }
}

/// A relative path in a file means: beside that file, wherever the program is started.
pub(super) fn beside(path: &str, file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !path.is_empty() && Path::new(path).is_relative() => folder.join(path),
        _ => PathBuf::from(path),
    }
}
