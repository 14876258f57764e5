//! Each value with where it came from.

use std::fmt::Write;

use super::{Config, Origin, Source, is_small, provider::Profile, setting::SETTINGS};
use crate::chain::text::Shown;

impl Config {
    /// Every setting with its value and origin, one a line, in the order of the documented file. The token is never in it.
    #[must_use]
    pub fn show(&self) -> String {
        let mut text = String::new();
        let file = match &self.file {
            Some(path) => super::error::shown_path(path),
            None => "none".to_owned(),
        };
        let _ = writeln!(text, "# file: {file}");
        let mut section = "";
        for (setting, (value, origin)) in SETTINGS.iter().zip(&self.shown) {
            let (in_section, key) = setting.split();
            if in_section != section {
                section = in_section;
                let _ = writeln!(text, "\n[{section}]");
            }
            let value = Shown::from_message(value).to_string();
            let (value, origin) = match self.resolved(setting.name) {
                Some((resolved, profile)) if value == "\"auto\"" => (resolved, profile),
                _ => (value, origin.clone()),
            };
            let _ = writeln!(text, "{:<48} # {origin}", format!("{key} = {value}"));
            if key == "x_token_file" {
                let token = self.token.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
                let _ = writeln!(text, "# the token: {token}");
            }
        }
        for group in &self.own {
            let _ = writeln!(text, "\n[[group]]{:<37} # {}", "", group.origin);
            for (key, value) in &group.values {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }

    /// What "auto" comes to, and what says so.
    fn resolved(&self, name: &str) -> Option<(String, String)> {
        let source = if self.endpoints.is_empty() { Source::Demo } else { Source::Live };
        let profile = self.profile_in_use();
        let says = format!("profile {}", profile.name);
        let budget = self.budget_for(profile);
        let number = match name {
            "source.provider" => {
                let why = match self.endpoints.first() {
                    Some(_) if self.endpoints.len() > 1 => "guessed from the first endpoint's host",
                    Some(_) => "guessed from the host",
                    None => "the built-in demo",
                };
                return Some((format!("\"{}\"", profile.name), why.to_owned()));
            }
            "stream.zstd" => {
                return Some((format!("\"{}\"", if profile.zstd { "on" } else { "off" }), says));
            }
            "source.connections" => {
                let says = if is_small(profile) { says } else { Origin::Default.to_string() };
                return Some((self.connections(source, profile).to_string(), says));
            }
            "budget.limit" => budget.limit,
            "budget.window_s" => u32::try_from(budget.window.as_secs()).ok()?,
            "budget.reserve" => budget.reserve,
            "budget.per_connection" => budget.per_connection,
            "budget.cost_new" => budget.cost_new,
            "budget.cost_update" => budget.cost_update,
            _ => return None,
        };
        Some((
            number.to_string(),
            if profile.limit_is_documented || !name.starts_with("budget.") { says } else { says + ", assumed" },
        ))
    }

    fn profile_in_use(&self) -> &'static Profile {
        match self.endpoints.first() {
            Some(url) => self.profile(Source::Live, url.host()),
            None => self.profile(Source::Demo, ""),
        }
    }
}
