//! Configuration: layers (flag > environment > file > default), each value with its origin.
//!
//! ```text
//! default.toml, file ─▶ parse (lines) ─┐
//! environment, flags ──────────────────┴▶ check by the table of settings ─▶ figment ─▶ Config
//! ```
//!
//! A value is checked in its own layer, so that an error names the value, where it came from and the mend.
//! Tokens come from a file of their owner's, the environment or the terminal, and are never shown.

mod ask;
mod endpoint;
mod error;
mod file;
mod flags;
mod layers;
mod origin;
mod own;
pub mod provider;
mod secret;
mod setting;
mod show;
mod values;

use std::{
    collections::HashSet,
    hash::Hash,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use crate::{
    chain::{
        group::{Group, Groups},
        program::PUMP,
    },
    decode::accounts::{BONDING_CURVE, SOL_USD_SOURCES},
    mev::{AlertRules, Class, alert::Band, rules::Notify},
    stream::{
        BudgetRules, CheckpointRules, Endpoint, OnEnd, ProofMode, Resume, Standby, StreamSettings, plan::AccountFilter,
    },
};
use endpoint::{BadEndpoint, Url};
use provider::Profile;
use setting::SETTINGS;
use values::Values;

pub use error::ConfigError;
pub use file::{DEFAULTS, init};
pub use flags::Flags;
pub use origin::Origin;
pub use secret::Token;

/// The environment: the value of a variable, if it is set. Handed in, so that a test needs no process of its own.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Connections where nothing says otherwise: one may fail.
const CONNECTIONS: u32 = 2;
/// Permits kept for recovery, and per connection, where the limit is large enough.
const RESERVE: u32 = 20;
const PER_CONNECTION: u32 = 15;

/// What the streams come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A provider's endpoint.
    Live,
    /// The simulated market on the loopback server.
    Demo,
    /// A recording on the loopback server; it ends.
    Recording,
}

/// The settings in effect.
#[derive(Clone, Debug)]
pub struct Config {
    values: Values,
    /// Value and origin of each of [`SETTINGS`].
    shown: Vec<(String, String)>,
    endpoints: Vec<Url>,
    rules: Groups,
    /// The user's groups as they were written.
    own: Vec<own::Written>,
    token: Option<Token>,
    /// The profile asked for by name.
    named: Option<&'static Profile>,
    file: Option<PathBuf>,
    /// The folder of the configuration file, whether that is there or not.
    folder: PathBuf,
}

/// Puts the layers together and checks them; reads the token, and asks for it if the flags say so.
pub fn load(flags: &Flags, env: Env<'_>) -> Result<Config, ConfigError> {
    let (path, named_by) = file::locate(flags, env)?;
    let text = file::read(&path, named_by.as_ref())?;
    let figment = layers::stack(flags, env, text.as_deref().map(|text| (path.as_path(), text)))?;
    let (rules, own) = match &text {
        Some(text) => own::read(text, &path)?,
        None => Default::default(),
    };
    let values: Values = figment.extract().map_err(|error| ConfigError::layers(&error))?;
    let shown = SETTINGS
        .iter()
        .map(|setting| {
            let value: toml::Value =
                figment.extract_inner(setting.name).map_err(|error| ConfigError::layers(&error))?;
            Ok((value.to_string(), origin_of(&figment, setting.name)))
        })
        .collect::<Result<_, ConfigError>>()?;

    let origin = origin_of(&figment, "source.endpoint");
    let mut endpoints = Vec::with_capacity(values.source.endpoint.len());
    for (index, text) in values.source.endpoint.iter().enumerate() {
        let refuse = |which, bad: BadEndpoint| ConfigError::Endpoint {
            which,
            origin: origin.clone(),
            why: bad.why,
            mend: bad.mend,
        };
        let url = endpoint::parse(text).map_err(|bad| refuse(format!("endpoint {}", index + 1), bad))?;
        if !values.source.insecure && !url.is_private() {
            return Err(refuse(url.to_string(), BadEndpoint::CLEAR_TEXT));
        }
        endpoints.push(url);
    }

    let named = provider::named(&values.source.provider);
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let file = text.is_some().then_some(path);
    let mut config = Config { values, shown, endpoints, rules, own, token: None, named, file, folder };
    config.check_together()?;
    config.token = config.find_token(flags, env)?;
    Ok(config)
}

/// The configuration file that [`load`] looks for, whether it is there or not.
pub fn path(flags: &Flags, env: Env<'_>) -> Result<PathBuf, ConfigError> {
    file::locate(flags, env).map(|(path, _)| path)
}

fn origin_of(figment: &figment::Figment, name: &str) -> String {
    figment.find_metadata(name).map_or_else(|| Origin::Default.to_string(), |metadata| metadata.name.to_string())
}

/// Addresses that the table of settings has checked.
fn keys<K: Eq + Hash + FromStr>(list: &[String]) -> HashSet<K> {
    list.iter().filter_map(|key| key.parse().ok()).collect()
}

/// Whether the provider's smallest plan allows no second stream.
fn is_small(profile: &Profile) -> bool {
    profile.max_streams.is_some_and(|most| most < CONNECTIONS)
}

impl Config {
    /// The configuration file in use.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The folder in which the user's key file and themes are looked for: that of the configuration file.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings that have another value than in an earlier configuration, each with whether that takes effect while the
    /// dashboard runs. `group`: the user's own groups.
    #[must_use]
    pub fn changed_since(&self, earlier: &Self) -> Vec<(&'static str, bool)> {
        let pairs = SETTINGS.iter().zip(self.shown.iter().zip(&earlier.shown));
        let changed = pairs.filter(|(_, ((now, _), (before, _)))| now != before);
        let mut changed: Vec<_> = changed.map(|(setting, _)| (setting.name, setting.is_live())).collect();
        let written = |config: &Self| config.own.iter().map(|group| group.values.clone()).collect::<Vec<_>>();
        if written(self) != written(earlier) {
            changed.push(("group", false));
        }
        changed
    }

    /// Where to connect, the primary one first, each with the token; none: the demo.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let x_token = self.token.as_ref().map(|token| token.secret().clone());
        self.endpoints
            .iter()
            .map(|url| Endpoint { url: url.to_string(), host: url.authority(), x_token: x_token.clone() })
            .collect()
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// What is known of the provider behind a host (with or without a port), or what was asked for by name.
    #[must_use]
    pub fn profile(&self, source: Source, host: &str) -> &'static Profile {
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        match source {
            Source::Demo | Source::Recording => &provider::LOCAL,
            Source::Live => self.named.unwrap_or_else(|| provider::of_host(host)),
        }
    }

    /// What the streams of an endpoint need to know.
    #[must_use]
    pub fn streams(&self, source: Source, endpoint: Endpoint) -> StreamSettings {
        let profile = self.profile(source, &endpoint.host);
        let stream = &self.values.stream;
        StreamSettings {
            connections: self.connections(source, profile),
            groups: self.groups(),
            accounts: self.accounts(),
            rules: self.rules.clone(),
            budget: self.budget_for(profile),
            commitment: match self.values.source.commitment.as_str() {
                "finalized" => 2,
                "confirmed" => 1,
                _ => 0,
            },
            keepalive_interval: Duration::from_secs(stream.keepalive_s),
            keepalive_timeout: Duration::from_secs(stream.keepalive_timeout_s),
            window_bytes: stream.window_kib.saturating_mul(1 << 10),
            max_message_bytes: stream.max_message_mib.saturating_mul(1 << 20),
            connect_timeout: Duration::from_secs(stream.connect_timeout_s),
            subscribe_timeout: Duration::from_secs(stream.subscribe_timeout_s),
            silence_timeout: Duration::from_secs(stream.silence_s),
            backoff: (Duration::from_millis(stream.backoff_first_ms), Duration::from_secs(stream.backoff_longest_s)),
            zstd: match stream.zstd.as_str() {
                "on" => true,
                "off" => false,
                _ => profile.zstd,
            },
            on_end: if source == Source::Recording { OnEnd::Finish } else { OnEnd::Reconnect },
            ledger: if source == Source::Live { file::state_folder() } else { None },
            checkpoint: None,
            resume: Resume::Fresh,
            recover: source != Source::Recording,
            balance: stream.balance && source != Source::Recording,
            rest: Duration::from_secs(60),
            update_spacing: Duration::from_secs(2),
            proof: match stream.proof.as_str() {
                // What was not recorded cannot be counted.
                _ if source == Source::Recording => ProofMode::Chain,
                "block" => ProofMode::Block,
                "chain" => ProofMode::Chain,
                _ => ProofMode::Filters,
            },
            standby: match stream.standby.as_str() {
                "high" => Standby::High,
                "all" => Standby::All,
                _ => Standby::Off,
            },
            failover: match source {
                Source::Live => self.endpoints().into_iter().filter(|other| other.host != endpoint.host).collect(),
                Source::Demo | Source::Recording => Vec::new(),
            },
            endpoint,
        }
    }

    /// Where a run that is used for this keeps its end. Only what a provider sends goes on at the next start.
    #[must_use]
    pub fn checkpoint(&self, source: Source, purpose: &'static str) -> Option<CheckpointRules> {
        let within = self.values.stream.resume_slots;
        let folder = file::state_folder().filter(|_| source == Source::Live && within > 0)?;
        Some(CheckpointRules { folder, purpose, within })
    }

    /// Streams to hold open. A recording has one order, which one connection keeps, unless more are asked for.
    #[must_use]
    pub fn connections(&self, source: Source, profile: &Profile) -> usize {
        let automatic = if source == Source::Recording || is_small(profile) { 1 } else { CONNECTIONS };
        self.values.source.connections.unwrap_or(automatic) as usize
    }

    /// How settled a transaction must be: "processed", "confirmed" or "finalized".
    #[must_use]
    pub fn commitment(&self) -> &'static str {
        match self.values.source.commitment.as_str() {
            "finalized" => "finalized",
            "confirmed" => "confirmed",
            _ => "processed",
        }
    }

    /// The groups to subscribe to, at least one.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        let groups = self.values.groups;
        let is_on = |group: &Group| match group {
            Group::BondingCurve => groups.bonding_curve,
            Group::AmmPool => groups.amm_pool,
            Group::ExternalAmm => groups.external_amm,
            Group::Own(_) => true,
        };
        self.rules.iter().filter(is_on).collect()
    }

    /// Accounts whose writes are wanted besides.
    fn accounts(&self) -> Vec<AccountFilter> {
        let market = &self.values.market;
        let price = AccountFilter { name: "sol_usd", accounts: SOL_USD_SOURCES.to_vec(), owned: None };
        let curves =
            AccountFilter { name: "curves", accounts: Vec::new(), owned: Some((PUMP, BONDING_CURVE.to_vec())) };
        [(market.sol_usd_accounts, price), (market.curve_accounts, curves)]
            .into_iter()
            .filter_map(|(wanted, filter)| wanted.then_some(filter))
            .collect()
    }

    /// US dollars per SOL while the stream does not tell, if the user has said so.
    #[must_use]
    pub fn sol_usd(&self) -> Option<f64> {
        Some(self.values.market.sol_usd).filter(|price| *price > 0.0)
    }

    /// What the groups are called and what belongs to them.
    #[must_use]
    pub const fn rules(&self) -> &Groups {
        &self.rules
    }

    /// What the user wants to see of the alerts.
    #[must_use]
    pub fn alerts(&self) -> AlertRules {
        let set = &self.values.alerts;
        AlertRules {
            mute_classes: set.mute_classes.iter().filter_map(|name| Class::from_name(name)).collect(),
            mute_wallets: keys(&set.mute_wallets),
            mute_mints: keys(&set.mute_mints),
            watch_wallets: keys(&set.watch_wallets),
            watch_mints: keys(&set.watch_mints),
            notify: match set.notify.as_str() {
                "off" => Notify::Off,
                "watched" => Notify::Watched,
                "all" => Notify::All,
                _ => Notify::Attacks,
            },
            notify_from: Some(match set.notify_from.as_str() {
                "suspected" => Band::Suspected,
                "confirmed" => Band::Confirmed,
                _ => Band::Likely,
            }),
        }
    }

    /// How alerts ring: `bell`, `desktop` or `both`.
    #[must_use]
    pub fn notify_by(&self) -> &str {
        &self.values.alerts.notify_by
    }

    /// Alerts ring at most once in this time.
    #[must_use]
    pub const fn notify_pause(&self) -> Duration {
        Duration::from_secs(self.values.alerts.notify_pause_s)
    }

    /// Name of the theme, which the front end looks up.
    #[must_use]
    pub fn theme(&self) -> &str {
        &self.values.ui.theme
    }

    /// Most frames per second; a key is answered sooner.
    #[must_use]
    pub const fn fps(&self) -> u32 {
        self.values.ui.fps
    }

    /// Nothing but ASCII.
    #[must_use]
    pub const fn ascii(&self) -> bool {
        self.values.ui.ascii
    }

    /// Whether colours are off.
    #[must_use]
    pub const fn no_color(&self) -> bool {
        !self.values.ui.color
    }

    /// Seed of the simulated market.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.values.demo.seed
    }

    /// Transactions per second of the simulated market.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.values.demo.rate
    }

    /// "off", "error", "warn", "info", "debug" or "trace".
    #[must_use]
    pub fn log_level(&self) -> &str {
        &self.values.log.level
    }

    fn budget_for(&self, profile: &Profile) -> BudgetRules {
        let set = &self.values.budget;
        let limit = set.limit.unwrap_or(profile.limit);
        let cost_new = set.cost_new.unwrap_or(1);
        BudgetRules {
            limit,
            window: Duration::from_secs(set.window_s.unwrap_or(profile.window_s).into()),
            reserve: set.reserve.unwrap_or(RESERVE.min(limit / 5)),
            per_connection: set.per_connection.unwrap_or(PER_CONNECTION.min(limit.div_ceil(2)).max(cost_new)),
            cost_new,
            cost_update: set.cost_update.unwrap_or(profile.cost_update),
        }
    }

    /// Values that are good alone and not together.
    fn check_together(&self) -> Result<(), ConfigError> {
        let conflict = |why: String, names: &[&str], mend: &str| {
            let mut origins: Vec<&str> = Vec::new();
            for (setting, (_, origin)) in SETTINGS.iter().zip(&self.shown) {
                if names.contains(&setting.name) && origin != "default" && !origins.contains(&origin.as_str()) {
                    origins.push(origin);
                }
            }
            Err(ConfigError::Conflict { why, origin: origins.join(", "), mend: mend.to_owned() })
        };
        let stream = &self.values.stream;
        if self.groups().is_empty() {
            let names = Group::BUILT_IN.map(|group| format!("groups.{}", self.rules.name(group)));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return conflict("every group is off".to_owned(), &names, "leave one on");
        }
        if stream.standby != "off" && self.endpoints.len() == 1 {
            let why = format!("stream.standby = \"{}\" needs a second endpoint", stream.standby);
            let mend = "name another in source.endpoint, or set stream.standby to \"off\"";
            return conflict(why, &["stream.standby", "source.endpoint"], mend);
        }
        if stream.backoff_first_ms > stream.backoff_longest_s * 1_000 {
            let why = format!(
                "stream.backoff_first_ms = {} is longer than stream.backoff_longest_s = {}",
                stream.backoff_first_ms, stream.backoff_longest_s
            );
            return conflict(why, &["stream.backoff_first_ms", "stream.backoff_longest_s"], "make the longest longer");
        }
        let live = self.endpoints.iter().map(|url| self.profile(Source::Live, url.host()));
        for profile in live.chain([&provider::LOCAL]) {
            let budget = self.budget_for(profile);
            let dearest = budget.cost_new.max(budget.cost_update);
            let limit = format!("budget.limit = {} (profile {})", budget.limit, profile.name);
            if budget.reserve.saturating_add(dearest) > budget.limit {
                let why = format!(
                    "budget.reserve = {} leaves too little of {limit} for an operation that costs {dearest}",
                    budget.reserve
                );
                let names = ["budget.limit", "budget.reserve", "budget.cost_new", "budget.cost_update"];
                return conflict(why, &names, "raise the limit if the provider allows it, or lower the others");
            }
            if !(dearest..=budget.limit).contains(&budget.per_connection) {
                let why = format!(
                    "budget.per_connection = {} is not between {dearest}, the dearest operation, and {limit}",
                    budget.per_connection
                );
                let names = ["budget.limit", "budget.per_connection", "budget.cost_new", "budget.cost_update"];
                return conflict(why, &names, "set it in between, or to \"auto\"");
            }
        }
        Ok(())
    }

    /// A prompt or file named by a flag wins over the variable, which wins over a file named elsewhere.
    fn find_token(&self, flags: &Flags, env: Env<'_>) -> Result<Option<Token>, ConfigError> {
        if flags.ask_token {
            if self.endpoints.is_empty() {
                return Err(ConfigError::Conflict {
                    why: "a token is to be asked for, and there is no endpoint to send it to".to_owned(),
                    origin: Origin::Flag("--ask-token").to_string(),
                    mend: "name one with --endpoint".to_owned(),
                });
            }
            return ask::ask().map(Some);
        }
        if flags.x_token_file.is_none()
            && let Some(token) = Token::from_variable(env)?
        {
            return Ok(Some(token));
        }
        let path = &self.values.source.x_token_file;
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        let named_by = SETTINGS.iter().zip(&self.shown).find(|(setting, _)| setting.name == "source.x_token_file");
        Token::from_file(path, named_by.map_or("", |(_, (_, origin))| origin)).map(Some)
    }
}
