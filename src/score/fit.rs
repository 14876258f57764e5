//! Weights from labelled scenarios: logistic regression with a ridge, by Newton's method.

use std::{collections::HashMap, fmt::Write as _};

use thiserror::Error;

use super::{
    Program,
    finding::Truth,
    play::{Path, PlayError, play},
};
use crate::mev::{
    Features, Weights,
    features::{COUNT, NAMES},
};

/// Strength of the ridge, on features as they come.
const RIDGE: f64 = 0.1;
/// Newton steps: it converges in some ten.
const STEPS: usize = 40;
/// Rounds of looking and fitting, the first with no weights at all: what was told of others before is part of what is seen.
const ROUNDS: usize = 3;

/// Why nothing could be fitted.
#[derive(Debug, Error)]
pub enum FitError {
    /// A seed could not be played.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The matrix of second derivatives cannot be inverted.
    #[error("the weights cannot be fitted to these scenarios")]
    Singular,
}

/// A position as numbers, and whether an attack was planted there.
type Row = (Features, bool);

/// Fits weights to what is looked at in these scenarios; the text of the data file, which states when and to what.
///
/// # Errors
/// When a seed cannot be played, or shows too little.
pub fn fit(program: &Program, date: &str, mut each: impl FnMut(usize, u64)) -> Result<String, FitError> {
    let mut weights = Weights::NONE;
    let mut count = 0;
    for round in 0..ROUNDS {
        let mut rows: Vec<Row> = Vec::new();
        for seed in program.seeds.0.clone() {
            let played = play(program, seed, &Path::Study(&weights))?;
            let truth = Truth::of(&played);
            // Of a position that was looked at again, what it was in the end.
            let last: HashMap<_, _> = played.examined.iter().map(|examined| (examined.front, examined)).collect();
            rows.extend(last.into_values().flat_map(|examined| {
                let is_attack = truth.attack(&[examined.front], &[examined.back]).is_some();
                // Every generated limit is known, and not every real one is: each position counts as it would be without, too.
                [examined.features, examined.features.without_slack()].map(|features| (features, is_attack))
            }));
            each(round, seed);
        }
        count = rows.len() / 2;
        let fitted = |same_slot: bool| {
            let rows = rows.iter().filter(|(features, _)| features.same_slot == same_slot);
            regress(&rows.map(|(features, is_attack)| (features.values(), *is_attack)).collect::<Vec<_>>())
        };
        weights = fitted(true)
            .zip(fitted(false))
            .map(|(same_slot, cross_slots)| Weights { same_slot, cross_slots })
            .ok_or(FitError::Singular)?;
    }
    Ok(text(&weights, program, date, count))
}

fn text(weights: &Weights, program: &Program, date: &str, count: usize) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# Weights of the sandwich score by feature: log-odds per unit of the feature (src/mev/features.rs), where front and\n\
         # back are in one slot and where they are not.\n\
         # Made on {date} by `smart-stream-tui scenario fit --seeds {} --each {}`: logistic regression (ridge {RIDGE})\n\
         # over {count} positions, each with its victims' limits and without.",
        program.seeds, program.each,
    );
    for (name, (same_slot, cross_slots)) in NAMES.iter().zip(weights.same_slot.iter().zip(weights.cross_slots)) {
        let _ = writeln!(text, "{name}\t{same_slot:.3}\t{cross_slots:.3}");
    }
    text
}

/// The weights under which these outcomes are likeliest, large ones being less likely beforehand.
fn regress(rows: &[([f64; COUNT], bool)]) -> Option<[f64; COUNT]> {
    let mut weights = [0.0; COUNT];
    for _ in 0..STEPS {
        let mut gradient = [0.0; COUNT];
        let mut hessian = [[0.0; COUNT]; COUNT];
        for (at, (gradient, row)) in gradient.iter_mut().zip(&mut hessian).enumerate() {
            // The bias is free.
            let ridge = if at == 0 { 1e-6 } else { RIDGE };
            *gradient = -ridge * weights[at];
            row[at] = ridge;
        }
        for (values, is_attack) in rows {
            let odds: f64 = weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
            let chance = 1.0 / (1.0 + (-odds).exp());
            let error = f64::from(u8::from(*is_attack)) - chance;
            let weight = (chance * (1.0 - chance)).max(1e-9);
            for (at, value) in values.iter().enumerate() {
                gradient[at] += error * value;
                for (row, other) in hessian[at].iter_mut().zip(values) {
                    *row += weight * value * other;
                }
            }
        }
        let step = solve(hessian, gradient)?;
        let mut largest = 0.0_f64;
        for (weight, step) in weights.iter_mut().zip(step) {
            // A step that overshoots where the data is separable.
            let step = step.clamp(-2.0, 2.0);
            *weight += step;
            largest = largest.max(step.abs());
        }
        if largest < 1e-6 {
            break;
        }
    }
    Some(weights)
}

/// Gauss with the largest pivot first.
fn solve(mut matrix: [[f64; COUNT]; COUNT], mut right: [f64; COUNT]) -> Option<[f64; COUNT]> {
    for at in 0..COUNT {
        let pivot = (at..COUNT).max_by(|one, other| matrix[*one][at].abs().total_cmp(&matrix[*other][at].abs()))?;
        matrix.swap(at, pivot);
        right.swap(at, pivot);
        let lead = matrix[at][at];
        if lead.abs() < 1e-12 {
            return None;
        }
        let (top, value) = (matrix[at], right[at]);
        for row in (0..COUNT).filter(|row| *row != at) {
            let factor = matrix[row][at] / lead;
            for (cell, above) in matrix[row].iter_mut().zip(top) {
                *cell -= factor * above;
            }
            right[row] -= factor * value;
        }
    }
    let mut solved = [0.0; COUNT];
    for (at, value) in solved.iter_mut().enumerate() {
        *value = right[at] / matrix[at][at];
    }
    Some(solved)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_weights_that_made_the_outcomes_are_found() {
        let mut rng = fastrand::Rng::with_seed(5);
        let mut truth = [0.0; COUNT];
        (truth[0], truth[3], truth[7]) = (-1.0, 2.0, -1.5);
        let rows: Vec<([f64; COUNT], bool)> = (0..20_000)
            .map(|_| {
                let mut values = [1.0; COUNT];
                values.iter_mut().skip(1).for_each(|value| *value = 2.0 * rng.f64() - 1.0);
                let odds: f64 = truth.iter().zip(values).map(|(weight, value)| weight * value).sum();
                (values, rng.f64() < 1.0 / (1.0 + (-odds).exp()))
            })
            .collect();
        let fitted = regress(&rows).unwrap();
        for (weight, truth) in fitted.iter().zip(truth) {
            assert!((weight - truth).abs() < 0.15, "{fitted:?}");
        }
    }
}
