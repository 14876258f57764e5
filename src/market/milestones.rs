//! Thresholds that people look at, told when they are passed: again only after a fall of a fifth below them.

use super::change::MilestoneKind;

/// Percent of a curve sold.
const PROGRESS: [f64; 6] = [25.0, 50.0, 75.0, 90.0, 95.0, 100.0];
/// SOL: the cap at which a pump curve completes, and the first boundary of `PumpSwap`'s fee tiers.
const CAP_SOL: [f64; 2] = [410.88, 420.0];
/// US dollars.
const CAP_USD: [f64; 8] = [10e3, 30e3, 69e3, 100e3, 250e3, 500e3, 1e6, 10e6];
/// Below this share of a threshold it can be passed again.
const REARM: f64 = 0.8;

/// Which thresholds a token is above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Milestones {
    /// How many of each kind: whoever is above one is above all that are lower.
    passed: [u8; 3],
    /// Kinds of which a figure was known before: what a token had passed when it was met is no news.
    met: [bool; 3],
}

impl Milestones {
    /// Takes a figure; tells the thresholds newly passed, in order.
    pub(super) fn see(&mut self, kind: MilestoneKind, value: f64, mut told: impl FnMut(f64)) {
        let (place, thresholds): (usize, &[f64]) = match kind {
            MilestoneKind::Progress => (0, &PROGRESS),
            MilestoneKind::MarketCapSol => (1, &CAP_SOL),
            MilestoneKind::MarketCapUsd => (2, &CAP_USD),
        };
        let (Some(passed), Some(met)) = (self.passed.get_mut(place), self.met.get_mut(place)) else { return };
        let news = std::mem::replace(met, true);
        while let Some(lost) = usize::from(*passed).checked_sub(1).and_then(|at| thresholds.get(at))
            && value < REARM * lost
        {
            *passed -= 1;
        }
        while let Some(next) = thresholds.get(usize::from(*passed))
            && value >= *next
        {
            *passed += 1;
            if news {
                told(*next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(milestones: &mut Milestones, value: f64) -> Vec<f64> {
        let mut told = Vec::new();
        milestones.see(MilestoneKind::Progress, value, |threshold| told.push(threshold));
        told
    }

    #[test]
    fn each_is_told_once_and_again_only_after_a_fall() {
        let mut milestones = Milestones::default();
        assert_eq!(told(&mut milestones, 30.0), [0.0; 0], "passed before it was met");
        assert_eq!(told(&mut milestones, 76.0), [50.0, 75.0]);
        for value in [74.0, 76.0, 61.0, 80.0] {
            assert_eq!(told(&mut milestones, value), [0.0; 0]);
        }
        assert_eq!(told(&mut milestones, 59.0), [0.0; 0]);
        assert_eq!(told(&mut milestones, 75.0), [75.0]);
    }
}
