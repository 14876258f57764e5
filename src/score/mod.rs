//! Detectors against labelled scenarios: what is found of what was planted, what is found that was not, and how exact it is.
//!
//! ```text
//! play      a scenario through the whole program, or through its stages without the sockets
//! finding   what a detector says, and which planted attack that is
//! anchors   the rules of public detectors, from their description, over the same trades
//! tally     the counts                    report    the table of them
//! goals     what a score is held to                robust    the same over a worse stream
//! patterns  what is no sandwich: copiers, bundles, wash trades, creators' sales
//! fit       weights from what was looked at
//! ```

pub mod anchors;
mod finding;
mod fit;
mod goals;
mod patterns;
mod play;
mod report;
mod robust;
mod tally;

use std::{ops::RangeInclusive, str::FromStr};

pub use self::{
    finding::Finding,
    fit::{FitError, fit},
    goals::{Goal, goals},
    patterns::patterns,
    play::{Path, PlayError, Played, play},
    report::{goals_report, report},
    robust::robustness,
    tally::{Method, Tally},
};
use crate::simulator::scenario::{Kind, Messages, Scenario, Settings, SettingsError, Trouble, label::LabelSink};

/// When generated scenarios begin, in seconds since the Unix epoch.
const START_TIME: i64 = 1_795_000_000;

/// Seeds from one to another, both included: `3` or `1..6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub RangeInclusive<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let bounds = match text.split_once("..") {
            Some((from, to)) => number(from).zip(number(to.trim_start_matches('='))),
            None => number(text).map(|seed| (seed, seed)),
        };
        match bounds {
            Some((from, to)) if from <= to => Ok(Self(from..=to)),
            _ => Err("seeds look like 7 or 1..6, both included".to_owned()),
        }
    }
}

impl std::fmt::Display for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.0.start(), self.0.end())
    }
}

/// What is played for each seed.
#[derive(Clone, Debug)]
pub struct Program {
    /// The seeds.
    pub seeds: Seeds,
    /// Episodes of each kind.
    pub each: usize,
    /// Episodes with nothing planted on top of those: false alerts are rare.
    pub organic: usize,
    /// What happens to the stream.
    pub trouble: Trouble,
}

impl Program {
    /// When the first seed begins, in microseconds since the Unix epoch.
    #[must_use]
    pub const fn start_us(&self) -> i64 {
        START_TIME * 1_000_000
    }

    /// The stream of one seed; its labels go to the sink.
    ///
    /// # Errors
    /// Never: the shipped settings can be read, as a test checks.
    pub fn messages(&self, seed: u64, sink: LabelSink) -> Result<Messages, SettingsError> {
        let mut kinds: Vec<Kind> = Kind::ALL.iter().flat_map(|kind| std::iter::repeat_n(*kind, self.each)).collect();
        kinds.extend(std::iter::repeat_n(Kind::Organic, self.organic));
        let scenario = Scenario::new(seed, &Settings::shipped()?, &kinds, 1, START_TIME).with_labels(sink);
        Ok(Messages::new(scenario, self.trouble, seed))
    }
}

/// Plays and counts all seeds.
///
/// # Errors
/// When a seed cannot be played.
pub fn score(program: &Program, path: &Path<'_>, mut each: impl FnMut(u64)) -> Result<Vec<Tally>, PlayError> {
    let mut tallies: Vec<Tally> = Method::ALL.into_iter().map(Tally::new).collect();
    for seed in program.seeds.0.clone() {
        let played = play(program, seed, path)?;
        for tally in &mut tallies {
            tally.add(&played);
        }
        each(seed);
    }
    Ok(tallies)
}
