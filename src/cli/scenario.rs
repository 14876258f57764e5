//! `scenario`: labelled attacks and lookalikes, written to files, or played to our own detectors and scored.

use std::{
    fs,
    io::{IsTerminal, Write as _, stderr, stdout},
    path::Path,
    sync::mpsc::channel,
    time::{SystemTime, UNIX_EPOCH},
};

use prost::Message;
use tracing_subscriber::filter::LevelFilter;

use super::{
    args::{FitOptions, ScenarioCommand, ScoreOptions, WriteOptions},
    failure::Failure,
    process,
};
use crate::{
    chain::recording::Writer,
    config::{Config, Source},
    mev::Weights,
    score::{self, FitError, PlayError},
    simulator::scenario::{Trouble, label},
};

/// Microseconds of a slot in a written stream.
const SLOT_US: i64 = 212_500;

/// Runs one of them.
pub(super) fn run(config: &Config, command: &ScenarioCommand) -> Result<(), Failure> {
    process::log_to_stderr(config, LevelFilter::ERROR);
    match command {
        ScenarioCommand::Score(options) => score(config, options),
        ScenarioCommand::Write(options) => write(options),
        ScenarioCommand::Fit(options) => fit(options),
    }
}

fn score(config: &Config, options: &ScoreOptions) -> Result<(), Failure> {
    let program = options.program.program();
    let streams = |endpoint| config.streams(Source::Recording, endpoint);
    let weights = options.weights.as_deref().map(weights_of).transpose()?;
    let path = if let Some(weights) = &weights {
        score::Path::Study(weights)
    } else if options.direct {
        score::Path::Direct
    } else {
        score::Path::Served { pace: options.speed.pace(), streams: &streams }
    };
    let tallies = score::score(&program, &path, |seed| progress(&format!("seed {seed}")))?;
    progress_ends();
    let mut out = stdout().lock();
    out.write_all(score::report(&program, &tallies).as_bytes())?;
    if options.missed {
        for (seed, episode, kind) in tallies.first().iter().flat_map(|ours| &ours.missed) {
            writeln!(out, "missed: seed {seed}, episode {episode}, {}", kind.name())?;
        }
    }
    let mut goals = score::goals(&program, &tallies);
    if options.check && program.trouble == Trouble::default() {
        goals.extend(score::robustness(&program, |seed| progress(&format!("worse streams, seed {seed}")))?);
        goals.extend(score::patterns(*program.seeds.0.start()));
        progress_ends();
    }
    out.write_all(score::goals_report(&goals).as_bytes())?;
    out.flush()?;
    let missed: Vec<String> = goals
        .into_iter()
        .filter(|goal| goal.met == Some(false))
        .map(|goal| format!("{}: {}", goal.asked, goal.figure))
        .collect();
    if options.check && !missed.is_empty() {
        return Err(Failure::runtime(format!("goals not met: {}", missed.join("; "))));
    }
    Ok(())
}

fn weights_of(file: &Path) -> Result<Weights, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::runtime(format!("cannot read {}: {error}", file.display())))?;
    Weights::parse(&text).ok_or_else(|| Failure::runtime(format!("{} holds no weights", file.display())))
}

fn write(options: &WriteOptions) -> Result<(), Failure> {
    let program = options.program.program();
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::runtime(format!("cannot write {}: {error}", path.display()))
    };
    let labels_at = options.out.with_extension("labels.jsonl");
    let mut labels = label::json_lines(fs::File::create(&labels_at).map_err(|error| failed(&labels_at, &error))?);
    let mut writer = Writer::create(&options.out).map_err(|error| failed(&options.out, &error))?;
    let (mut count, mut episodes) = (0_u64, 0_u64);
    let mut now_us = program.start_us();
    for seed in program.seeds.0.clone() {
        let (sink, told) = channel();
        let mut messages =
            program.messages(seed, Box::new(move |label| drop(sink.send(label)))).map_err(PlayError::from)?;
        while let Some(slot) = messages.next_slot_messages() {
            for (message, after_us) in slot.into_iter().zip(0..) {
                writer
                    .append(&message.encode_to_vec(), now_us + after_us)
                    .map_err(|error| failed(&options.out, &error))?;
                count += 1;
            }
            now_us += SLOT_US;
        }
        for label in told.try_iter() {
            labels(label);
            episodes += 1;
        }
    }
    writer.finish().map_err(|error| failed(&options.out, &error))?;
    eprintln!("{count} messages in {}, {episodes} labels in {}", options.out.display(), labels_at.display());
    Ok(())
}

fn fit(options: &FitOptions) -> Result<(), Failure> {
    let program = options.program.program();
    let text = score::fit(&program, &today(), |round, seed| progress(&format!("round {}, seed {seed}", round + 1)))?;
    progress_ends();
    fs::write(&options.out, text)
        .map_err(|error| Failure::runtime(format!("cannot write {}: {error}", options.out.display())))
}

fn progress(what: &str) {
    if stderr().is_terminal() {
        eprint!("\r{what} ");
    }
}

fn progress_ends() {
    if stderr().is_terminal() {
        eprintln!();
    }
}

/// The date in UTC.
fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = httpdate::fmt_http_date(UNIX_EPOCH + now);
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    text.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ")
}

impl From<PlayError> for Failure {
    fn from(error: PlayError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<FitError> for Failure {
    fn from(error: FitError) -> Self {
        Self::Runtime(error.into())
    }
}
