//! The settings with their types. The table in `setting` has checked every value before it comes here.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// Every setting, by section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    pub(super) source: Source,
    pub(super) budget: Budget,
    pub(super) stream: Stream,
    pub(super) groups: Groups,
    pub(super) market: Market,
    pub(super) alerts: Alerts,
    pub(super) ui: Ui,
    pub(super) demo: Demo,
    pub(super) log: Log,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) endpoint: Vec<String>,
    pub(super) provider: String,
    pub(super) x_token_file: PathBuf,
    pub(super) commitment: String,
    #[serde(deserialize_with = "or_auto")]
    pub(super) connections: Option<u32>,
    pub(super) insecure: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    #[serde(deserialize_with = "or_auto")]
    pub(super) limit: Option<u32>,
    #[serde(deserialize_with = "or_auto")]
    pub(super) window_s: Option<u32>,
    #[serde(deserialize_with = "or_auto")]
    pub(super) reserve: Option<u32>,
    #[serde(deserialize_with = "or_auto")]
    pub(super) per_connection: Option<u32>,
    #[serde(deserialize_with = "or_auto")]
    pub(super) cost_new: Option<u32>,
    #[serde(deserialize_with = "or_auto")]
    pub(super) cost_update: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stream {
    pub(super) keepalive_s: u64,
    pub(super) keepalive_timeout_s: u64,
    pub(super) window_kib: u32,
    pub(super) max_message_mib: usize,
    pub(super) connect_timeout_s: u64,
    pub(super) subscribe_timeout_s: u64,
    pub(super) silence_s: u64,
    pub(super) backoff_first_ms: u64,
    pub(super) backoff_longest_s: u64,
    pub(super) zstd: String,
    pub(super) proof: String,
    pub(super) balance: bool,
    pub(super) standby: String,
    pub(super) resume_slots: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Groups {
    pub(super) bonding_curve: bool,
    pub(super) amm_pool: bool,
    pub(super) external_amm: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Market {
    pub(super) sol_usd_accounts: bool,
    pub(super) sol_usd: f64,
    pub(super) curve_accounts: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alerts {
    pub(super) mute_classes: Vec<String>,
    pub(super) mute_wallets: Vec<String>,
    pub(super) mute_mints: Vec<String>,
    pub(super) watch_wallets: Vec<String>,
    pub(super) watch_mints: Vec<String>,
    pub(super) notify: String,
    pub(super) notify_from: String,
    pub(super) notify_by: String,
    pub(super) notify_pause_s: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ui {
    pub(super) theme: String,
    pub(super) fps: u32,
    pub(super) ascii: bool,
    pub(super) color: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demo {
    pub(super) seed: u64,
    pub(super) rate: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: String,
}

/// A number, or a word in its place: `None`.
fn or_auto<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrWord {
        Number(u32),
        #[allow(dead_code, reason = "which word it is has been checked")]
        Word(String),
    }
    Ok(match NumberOrWord::deserialize(deserializer)? {
        NumberOrWord::Number(number) => Some(number),
        NumberOrWord::Word(_) => None,
    })
}
