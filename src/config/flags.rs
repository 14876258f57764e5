//! The settings that have a flag on the command line.

use std::path::PathBuf;

/// What was given on the command line. A switch that was not given changes nothing.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Flags {
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// `--endpoint URL`, any number of times.
    pub endpoint: Vec<String>,
    /// `--provider NAME`
    pub provider: Option<String>,
    /// `--x-token-file FILE`
    pub x_token_file: Option<PathBuf>,
    /// `--ask-token`
    pub ask_token: bool,
    /// `--commitment LEVEL`
    pub commitment: Option<String>,
    /// `--connections N`
    pub connections: Option<usize>,
    /// `--insecure`
    pub insecure: bool,
    /// `--theme NAME`
    pub theme: Option<String>,
    /// `--fps N`
    pub fps: Option<u32>,
    /// `--ascii`
    pub ascii: bool,
    /// `--no-color`
    pub no_color: bool,
    /// `--log-level LEVEL`
    pub log_level: Option<String>,
    /// `--sol-usd PRICE`
    pub sol_usd: Option<f64>,
    /// `--seed N`
    pub seed: Option<u64>,
    /// `--rate N`
    pub rate: Option<f64>,
}
