//! What the command line takes.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::failure::Failure;
pub use super::values::{Size, Span, Speed};
use crate::{
    chain::ids::Mint,
    config::{ConfigError, Flags},
    score::{Program, Seeds},
    simulator::scenario::Trouble,
};

/// A live dashboard for Solana Yellowstone gRPC streams.
///
/// Without an endpoint it shows the built-in demo: recorded mainnet transactions and a simulated market, served over
/// real gRPC on the loopback interface.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, disable_help_subcommand = true, max_term_width = 100)]
pub struct Args {
    /// What to do instead of showing the dashboard.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of every mode that reads a stream.
    #[command(flatten)]
    pub flags: StreamFlags,
    /// Print the keys of the dashboard as Markdown and exit.
    #[arg(long)]
    pub print_keys: bool,
}

/// Options of every mode that reads a stream. Each stands above its environment variable, that above the configuration
/// file, that above the default.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Stream options")]
#[allow(clippy::struct_excessive_bools, reason = "switches")]
pub struct StreamFlags {
    /// Read this configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Yellowstone endpoint, `https://HOST[:PORT]`; may be given several times.
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint: Vec<String>,
    /// Provider profile: limits and habits; guessed from the endpoint's host by default.
    #[arg(long, global = true, value_name = "NAME")]
    pub provider: Option<String>,
    /// File that holds the provider's token, readable by you alone (mode 0600).
    #[arg(long, global = true, value_name = "FILE")]
    pub x_token_file: Option<PathBuf>,
    /// Ask for the token on the terminal.
    #[arg(long, global = true)]
    pub ask_token: bool,
    /// Refused: a command line can be read by everybody on the machine.
    #[arg(long, global = true, hide = true, value_name = "TOKEN")]
    pub x_token: Option<String>,
    /// processed, confirmed or finalized.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub commitment: Option<String>,
    /// Connections to open, 1 to 8.
    #[arg(long, global = true, value_name = "N")]
    pub connections: Option<usize>,
    /// Allow plain http to hosts other than this one.
    #[arg(long, global = true)]
    pub insecure: bool,
    /// Theme of the dashboard; see `themes`.
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Most frames per second; a key is answered sooner.
    #[arg(long, global = true, value_name = "N")]
    pub fps: Option<u32>,
    /// Nothing but ASCII on the screen.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// No colours.
    #[arg(long, global = true)]
    pub no_color: bool,
    /// error, warn, info, debug or trace.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// US dollars per SOL while the stream does not tell.
    #[arg(long, global = true, value_name = "PRICE")]
    pub sol_usd: Option<f64>,
    /// Seed of the demo's simulated market.
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Transactions per second of the demo's simulated market.
    #[arg(long, global = true, value_name = "N")]
    pub rate: Option<f64>,
}

impl StreamFlags {
    /// As the configuration takes them.
    ///
    /// # Errors
    /// When a token is given on the command line.
    pub fn to_config(&self) -> Result<Flags, Failure> {
        if self.x_token.is_some() {
            return Err(ConfigError::token_on_the_command_line().into());
        }
        Ok(Flags {
            config: self.config.clone(),
            endpoint: self.endpoint.clone(),
            provider: self.provider.clone(),
            x_token_file: self.x_token_file.clone(),
            ask_token: self.ask_token,
            commitment: self.commitment.clone(),
            connections: self.connections,
            insecure: self.insecure,
            theme: self.theme.clone(),
            fps: self.fps,
            ascii: self.ascii,
            no_color: self.no_color,
            log_level: self.log_level.clone(),
            sol_usd: self.sol_usd,
            seed: self.seed,
            rate: self.rate,
        })
    }
}

/// The modes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The same engine without a terminal: events as JSON lines on standard output.
    Headless,
    /// Run without a terminal for a while, write one snapshot, exit.
    Snapshot(SnapshotOptions),
    /// Write the raw stream to a file that `replay` plays.
    Record(RecordOptions),
    /// Play a recording through the whole program.
    Replay(ReplayOptions),
    /// The loopback Yellowstone server alone: any Yellowstone client can use it.
    Serve(ServeOptions),
    /// Print what the decoder makes of a recording or of one transaction, as JSON lines.
    Decode(DecodeOptions),
    /// Check endpoint, TLS, token, version, replay window and clock without spending a subscription.
    Doctor,
    /// Labelled attacks and lookalikes: play them to the detectors and score what is found, or write them to files.
    Scenario(ScenarioOptions),
    /// The configuration: show it with where each value comes from, write a documented file, tell its path.
    Config(ConfigOptions),
    /// The themes: list them, preview one.
    Themes(ThemesOptions),
    /// Print the JSON Schema of what the program writes.
    Schema {
        /// Of what.
        of: SchemaOf,
    },
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// Options of `snapshot`.
#[derive(Debug, clap::Args)]
pub struct SnapshotOptions {
    /// How long to watch first, e.g. `30s`, `2m`, `500ms`.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub after: Span,
    /// Open this token's page: the snapshot holds its chart, venues, traders and creator under `detail`.
    #[arg(long, value_name = "MINT")]
    pub token: Option<Mint>,
    /// Where to write it; standard output by default.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also draw the dashboard at that moment into this SVG file.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Size of the picture in cells, `COLUMNSxROWS`.
    #[arg(long, value_name = "SIZE", default_value = "120x40")]
    pub size: Size,
}

/// Options of `record`.
#[derive(Debug, clap::Args)]
pub struct RecordOptions {
    /// The file; a name ending in `.zst` is compressed.
    pub file: PathBuf,
    /// Stop after this time, e.g. `60s`; until interrupted by default.
    #[arg(long = "for", value_name = "TIME")]
    pub duration: Option<Span>,
}

/// Options of `replay`.
#[derive(Debug, clap::Args)]
pub struct ReplayOptions {
    /// The recording.
    pub file: PathBuf,
    /// Events as JSON lines on standard output instead of the dashboard; ends with the file.
    #[arg(long)]
    pub headless: bool,
    /// Times real time, or `max` for as fast as it can be read.
    #[arg(long, value_name = "N|max", default_value = "1")]
    pub speed: Speed,
    /// Draw what the dashboard shows at a moment of the recording into this SVG file, and exit; `-` for FILE is the demo.
    #[arg(long, value_name = "FILE", conflicts_with = "headless")]
    pub screenshot: Option<PathBuf>,
    /// That moment, as time since the start of the recording.
    #[arg(long, value_name = "TIME", default_value = "10s", requires = "screenshot")]
    pub at: Span,
    /// Size of the picture in cells, `COLUMNSxROWS`.
    #[arg(long, value_name = "SIZE", default_value = "120x40", requires = "screenshot")]
    pub size: Size,
    /// Keys to press before, with blanks between them, such as `3 j Enter`.
    #[arg(long, value_name = "KEYS", default_value = "", requires = "screenshot")]
    pub keys: String,
    /// A moving picture instead, of so many moments a second apart that end there, at most 12.
    #[arg(long, value_name = "N", default_value = "1", requires = "screenshot", value_parser = clap::value_parser!(u16).range(1..=12))]
    pub frames: u16,
}

/// Options of `serve`.
#[derive(Debug, clap::Args)]
pub struct ServeOptions {
    /// Play this recording instead of the demo.
    pub file: Option<PathBuf>,
    /// Loopback address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10000")]
    pub listen: SocketAddr,
    /// Times real time, or `max` for as fast as the clients read.
    #[arg(long, value_name = "N|max", default_value = "1")]
    pub speed: Speed,
    /// Ask clients for the token in this file.
    #[arg(long, value_name = "FILE")]
    pub require_token_file: Option<PathBuf>,
    /// Subscribe calls allowed per minute and token, as a provider would.
    #[arg(long, value_name = "N")]
    pub subscribes_per_minute: Option<u32>,
    /// Streams open at a time per token.
    #[arg(long, value_name = "N")]
    pub max_streams: Option<u32>,
    /// Frozen slots kept for `from_slot`; 0 turns replay off.
    #[arg(long, value_name = "N", default_value_t = 150)]
    pub replay_slots: usize,
    /// What shall go wrong, and when: a fault plan in TOML.
    #[arg(long, value_name = "FILE")]
    pub fault: Option<PathBuf>,
    /// Write every subscribe call, request and update, and whether it was sent, as JSON lines into this file; with
    /// `--fault` they go to standard error otherwise.
    #[arg(long, value_name = "FILE")]
    pub oracle: Option<PathBuf>,
}

/// Options of `decode`.
#[derive(Debug, clap::Args)]
pub struct DecodeOptions {
    /// A recording, a file with one transaction or update in base64, or `-` for base64 on standard input.
    #[arg(required_unless_present = "list")]
    pub input: Option<PathBuf>,
    /// Print what the decoder knows: programs, instructions, events.
    #[arg(long, conflicts_with = "input")]
    pub list: bool,
}

/// Options of `scenario`.
#[derive(Debug, clap::Args)]
pub struct ScenarioOptions {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ScenarioCommand,
}

/// What to do with labelled scenarios.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Play them through the whole program and print what the detectors, and the rules of others, found of them.
    Score(ScoreOptions),
    /// Write the stream, and its labels beside it as JSON lines.
    Write(WriteOptions),
    /// Fit the weights of the sandwich score to them.
    Fit(FitOptions),
}

/// Which scenarios.
#[derive(Debug, clap::Args)]
pub struct ProgramOptions {
    /// Seeds, e.g. `7` or `1..6`, both included.
    #[arg(long, value_name = "A..B")]
    pub seeds: Seeds,
    /// Episodes of each kind and seed.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub each: usize,
    /// Episodes more with nothing planted, for each seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub organic: usize,
    /// Share of transactions that never arrive.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub lost: f64,
    /// Share of transactions that arrive again.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub repeated: f64,
    /// Slots by which a transaction may come late.
    #[arg(long, value_name = "SLOTS", default_value_t = 0)]
    pub shuffled: u64,
    /// Share of slots that die.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub dead: f64,
}

impl ProgramOptions {
    /// As the scorer takes them.
    #[must_use]
    pub fn program(&self) -> Program {
        let Self { lost, repeated, shuffled, dead, .. } = *self;
        Program {
            seeds: self.seeds.clone(),
            each: self.each,
            organic: self.organic,
            trouble: Trouble { lost, repeated, shuffled, dead },
        }
    }
}

/// Options of `scenario score`.
#[derive(Debug, clap::Args)]
pub struct ScoreOptions {
    /// Which scenarios.
    #[command(flatten)]
    pub program: ProgramOptions,
    /// Leave the sockets out: the same stages without server and gRPC, and without latencies.
    #[arg(long)]
    pub direct: bool,
    /// Times real time, or `max` for as fast as it is read; latencies at `max` are those of full queues.
    #[arg(long, value_name = "N|max", default_value = "20")]
    pub speed: Speed,
    /// Weigh with this file of weights in place of the ones compiled in; implies `--direct`.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Fail if a goal is missed.
    #[arg(long)]
    pub check: bool,
    /// List the attacks that were missed.
    #[arg(long)]
    pub missed: bool,
}

/// Options of `scenario write`.
#[derive(Debug, clap::Args)]
pub struct WriteOptions {
    /// Which scenarios.
    #[command(flatten)]
    pub program: ProgramOptions,
    /// The recording; its labels stand beside it in `.labels.jsonl`. A name ending in `.zst` is compressed.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Options of `scenario fit`.
#[derive(Debug, clap::Args)]
pub struct FitOptions {
    /// Which scenarios.
    #[command(flatten)]
    pub program: ProgramOptions,
    /// Where the weights are written.
    #[arg(long, value_name = "FILE", default_value = "src/mev/weights.tsv")]
    pub out: PathBuf,
}

/// Options of `config`.
#[derive(Debug, clap::Args)]
pub struct ConfigOptions {
    /// What about it.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a documented configuration file with the defaults.
    Init,
    /// Print each value with where it comes from.
    Show,
    /// Print where the configuration file is looked for.
    Path,
}

/// Options of `themes`.
#[derive(Debug, clap::Args)]
pub struct ThemesOptions {
    /// What about them; a list by default.
    #[command(subcommand)]
    pub command: Option<ThemesCommand>,
}

/// What to do with the themes.
#[derive(Clone, Debug, Subcommand)]
pub enum ThemesCommand {
    /// List their names.
    List,
    /// Preview one.
    Show {
        /// Its name.
        name: String,
    },
}

/// What there is a schema of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaOf {
    /// The snapshot.
    Snapshot,
    /// One line of `headless`.
    Events,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
