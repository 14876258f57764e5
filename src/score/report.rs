//! The table of a score.

use std::fmt::Write as _;

use super::{
    Program, Tally,
    goals::Goal,
    tally::{BANDS, Part},
};
use crate::simulator::scenario::Kind;

/// Width of a column of figures.
const COLUMN: usize = 9;

/// Writes the counts of all methods, ours first.
#[must_use]
pub fn report(program: &Program, tallies: &[Tally]) -> String {
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = write(&mut out, program, tallies);
    out
}

fn write(out: &mut String, program: &Program, tallies: &[Tally]) -> std::fmt::Result {
    let Some(ours) = tallies.first() else { return Ok(()) };
    let trades: u64 = ours.trades.values().sum();
    let episodes = |part: Part| part.all;
    let (planted, lookalikes) =
        (ours.recall_of_all().all, ours.lookalikes.values().copied().map(episodes).sum::<u64>());
    writeln!(
        out,
        "seeds {}: {trades} trades, {planted} planted attacks, {lookalikes} episodes without one; {:?}",
        program.seeds, program.trouble
    )?;
    let mut row = |name: &str, value: &dyn Fn(&Tally) -> String| {
        write!(out, "{name:<28}")?;
        for tally in tallies {
            write!(out, "{:>COLUMN$}", value(tally))?;
        }
        writeln!(out)
    };
    row("", &|tally| tally.method.name().to_owned())?;
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_attack()) {
        row(kind.name(), &|tally| share(tally.recall.get(&kind).copied().unwrap_or_default()))?;
    }
    row("all attacks: recall", &|tally| share(tally.recall_of_all()))?;
    row("pair precision", &|tally| share(tally.precision))?;
    row("victim precision", &|tally| share(tally.victim_precision))?;
    row("victim recall", &|tally| share(tally.victim_recall))?;
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_attack()) {
        row(&format!("said of {}", kind.name()), &|tally| {
            share(tally.lookalikes.get(&kind).copied().unwrap_or_default())
        })?;
    }
    row("said of hard negatives", &|tally| share(tally.hard_negatives()))?;
    for band in BANDS {
        let name = format!("false, {} up, /1e6 organic", band.name());
        row(&name, &|tally| million(tally.wrong_per_trade(band, |kind| kind == Kind::Organic)))?;
    }
    for band in BANDS {
        let name = format!("false, {} up, /1e6 all", band.name());
        row(&name, &|tally| million(tally.wrong_per_trade(band, |_| true)))?;
    }
    let organic = ours.trades.get(&Kind::Organic).copied().unwrap_or(0);
    writeln!(out, "({organic} organic trades)")?;
    writeln!(out, "\nconfidence   alerts   claimed   of a planted attack")?;
    for band in BANDS {
        let Some(reliability) = ours.reliability.get(&band) else { continue };
        #[allow(clippy::cast_precision_loss, reason = "a mean")]
        let claimed = reliability.claimed / reliability.right.all.max(1) as f64;
        writeln!(
            out,
            "{:<12} {:>6}   {claimed:>7.3}   {:>7}",
            band.name(),
            reliability.right.all,
            share(reliability.right)
        )?;
    }
    let losses = ours.loss_errors.all();
    writeln!(
        out,
        "\nlosses: {} figures, lamports off: p50 {}, p90 {}, p99 {}, most {}; {} not told; {} gaps",
        losses.len(),
        percentile(&losses, 50),
        percentile(&losses, 90),
        percentile(&losses, 99),
        percentile(&losses, 100),
        ours.losses_missing,
        ours.gaps
    )?;
    if !ours.latencies_us.is_empty() {
        writeln!(
            out,
            "closing leg received → alert: p50 {} µs, p99 {} µs of {}",
            percentile(&ours.latencies_us, 50),
            percentile(&ours.latencies_us, 99),
            ours.latencies_us.len()
        )?;
    }
    Ok(())
}

/// Writes goals, one a line.
#[must_use]
pub fn goals_report(goals: &[Goal]) -> String {
    let mut out = "\ngoals\n".to_owned();
    for goal in goals {
        let met = match goal.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "too few to say",
        };
        let _ = writeln!(out, "{:<62} {:<15} {}", goal.asked, met, goal.figure);
    }
    out
}

fn share(part: Part) -> String {
    part.share().map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"))
}

fn million(part: Part) -> String {
    part.per_million().map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"))
}

/// The least value that so many of a hundred do not exceed.
pub(super) fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(0)
}
