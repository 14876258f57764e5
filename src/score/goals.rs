//! What a score is held to: each goal with its figure, and whether it is met.

use super::{
    Program, Tally,
    report::percentile,
    tally::{BANDS, Part},
};
use crate::{mev::alert::Band, simulator::scenario::Kind};

/// Least alerts of a band from which its reliability says anything.
const TELLING: u64 = 100;
/// What trouble on the way may cost: a point.
const POINT: f64 = 0.01;

/// One goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// What is asked for.
    pub asked: String,
    /// What came out.
    pub figure: String,
    /// Whether that is enough; `None` where too little was played to say.
    pub met: Option<bool>,
}

impl Goal {
    pub(super) fn new(asked: impl Into<String>, figure: impl Into<String>, met: Option<bool>) -> Self {
        Self { asked: asked.into(), figure: figure.into(), met }
    }

    pub(super) fn share(asked: &str, part: Part, holds: impl Fn(f64) -> bool) -> Self {
        let share = part.share();
        let figure = format!(
            "{} ({} of {})",
            share.map_or("-".to_owned(), |share| format!("{share:.4}")),
            part.of_those,
            part.all
        );
        Self::new(asked, figure, share.map(holds))
    }
}

/// The goals that this program of scenarios can show, ours being the first of the tallies. A stream that loses messages is
/// held to less, one that repeats or reorders them to a point less.
#[must_use]
pub fn goals(program: &Program, tallies: &[Tally]) -> Vec<Goal> {
    let Some((ours, others)) = tallies.split_first() else { return Vec::new() };
    let trouble = &program.trouble;
    let mut goals = Vec::new();
    if trouble.lost > 0.0 {
        goals.push(Goal::share("recall in spite of what was lost ≥ .90", ours.recall_of_all(), |share| share >= 0.9));
    } else {
        let plain = *trouble == super::Trouble::default();
        let slack = if plain { 0.0 } else { POINT };
        let recall = ours.recall_of_all();
        goals.push(Goal::share(&format!("recall ≥ {:.2}", 0.97 - slack), recall, |share| share >= 0.97 - slack));
        goals.extend(weakest(ours, 0.9 - slack));
        let asked = format!("pair precision ≥ {:.3}", 0.985 - slack);
        goals.push(Goal::share(&asked, ours.precision, |share| share >= 0.985 - slack));
        let asked = format!("hard negatives with an alert ≤ {:.2}", 0.02 + slack);
        goals.push(Goal::share(&asked, ours.hard_negatives(), |share| share <= 0.02 + slack));
        for (band, most) in [(Band::Likely, 60), (Band::Confirmed, 12)] {
            goals.push(false_alerts(ours, band, most));
        }
        goals.extend(beaten(ours, others));
        goals.extend(BANDS.into_iter().filter_map(|band| reliability(ours, band)));
    }
    for (what, errors, most) in [("curve", &ours.loss_errors.curve, 0), ("PumpSwap", &ours.loss_errors.pool, 1)] {
        let worst = errors.iter().max().copied();
        let within = errors.iter().filter(|error| **error <= most).count();
        let figure = format!("{within} of {} figures, most {}", errors.len(), worst.unwrap_or(0));
        goals.push(Goal::new(
            format!("losses on the {what}: off by ≤ {most}"),
            figure,
            worst.map(|worst| worst <= most),
        ));
    }
    let figure = ours.across_gaps.to_string();
    goals.push(Goal::new("alerts above .5 across a gap: 0", figure, Some(ours.across_gaps == 0)));
    if !ours.latencies_us.is_empty() {
        let p99 = percentile(&ours.latencies_us, 99);
        let figure = format!("{p99} µs of {}", ours.latencies_us.len());
        goals.push(Goal::new("closing leg received → alert: p99 ≤ 1 ms", figure, Some(p99 <= 1_000)));
    }
    goals
}

fn weakest(ours: &Tally, least: f64) -> Option<Goal> {
    let shares = ours.recall.iter().filter_map(|(kind, part)| Some((*kind, part.share()?, *part)));
    let (kind, _, part) = shares.min_by(|one, other| one.1.total_cmp(&other.1))?;
    Some(Goal::share(&format!("recall of the weakest kind ≥ {least:.2}: {}", kind.name()), part, |share| {
        share >= least
    }))
}

fn false_alerts(ours: &Tally, band: Band, most: u64) -> Goal {
    let wrong = ours.wrong_per_trade(band, |kind| kind == Kind::Organic);
    let asked = format!("false, {} up, per 10^6 organic trades ≤ {most}", band.name());
    let figure = format!("{} in {} trades", wrong.of_those, wrong.all);
    // Of fewer trades than one alert is allowed for, none says nothing.
    let enough = wrong.all * most >= 1_000_000;
    let met = wrong.of_those * 1_000_000 <= most * wrong.all;
    Goal::new(asked, figure, (enough || !met).then_some(met))
}

/// Whether no other rules do better in any row.
fn beaten(ours: &Tally, others: &[Tally]) -> Option<Goal> {
    let mut better = Vec::new();
    for other in others {
        let name = other.method.name();
        for (kind, part) in &other.recall {
            if part.share() > ours.recall.get(kind).copied().unwrap_or_default().share() {
                better.push(format!("{name} on {}", kind.name()));
            }
        }
        if other.precision.share() > ours.precision.share() {
            better.push(format!("{name} in precision"));
        }
        if other.victim_precision.share() > ours.victim_precision.share() {
            better.push(format!("{name} in precision of victims"));
        }
        if other.victim_recall.share() > ours.victim_recall.share() {
            better.push(format!("{name} in recall of victims"));
        }
        if other.hard_negatives().share() < ours.hard_negatives().share() {
            better.push(format!("{name} on hard negatives"));
        }
    }
    let figure = if better.is_empty() { "none".to_owned() } else { better.join(", ") };
    (!others.is_empty())
        .then(|| Goal::new("rows in which others' rules do better: none", figure, Some(better.is_empty())))
}

/// Whether a band's alerts are right as often as they claim.
#[allow(clippy::cast_precision_loss, reason = "a mean")]
fn reliability(ours: &Tally, band: Band) -> Option<Goal> {
    let reliability = ours.reliability.get(&band)?;
    let right = reliability.right.share()?;
    let claimed = reliability.claimed / reliability.right.all.max(1) as f64;
    let figure = format!("claimed {claimed:.3}, right {right:.3} of {}", reliability.right.all);
    let met = (right - claimed).abs() <= 0.05;
    let asked = format!("{}: right as often as claimed, ± 5 points", band.name());
    Some(Goal::new(asked, figure, (reliability.right.all >= TELLING).then_some(met)))
}
