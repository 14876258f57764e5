//! What the sandwich score looks at, and the weights it gives: a logistic model whose weights are data.

use std::sync::LazyLock;

use super::alert::Reason;

/// How many features there are.
pub const COUNT: usize = 30;

/// Names of the features, in the order of [`Features::values`]; also the codes of reasons.
pub const NAMES: [&str; COUNT] = [
    "bias",
    "terminal",
    "public",
    "same_slot",
    "slots",
    "adjacent",
    "front_size",
    "inventory_full",
    "inventory_most",
    "victims",
    "size_ratio",
    "slack_low",
    "slack_fit",
    "round_trips",
    "record",
    "profit",
    "cohort",
    "surprise",
    "weak_link",
    "impact",
    "slack_best",
    "gain",
    "victims_public",
    "bid",
    "cross_fit",
    "cross_front",
    "cross_impact",
    "slack_unknown",
    "adjacent_front",
    "adjacent_impact",
];

/// One possible sandwich, as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// Always 1.
    pub bias: f64,
    /// 1 if one of the attacker's legs came from a known trading app or wallet.
    pub terminal: f64,
    /// 1 if one of them came through a program that many use.
    pub public: f64,
    /// 1 if front and back are in one slot.
    pub same_slot: f64,
    /// Slots from the first front to the last back.
    pub slots: f64,
    /// 1 if the transactions follow each other in the block without another between them.
    pub adjacent: f64,
    /// ln(1 + SOL) of the front legs.
    pub front_size: f64,
    /// 1 if at least 97 % of what the front got was closed.
    pub inventory_full: f64,
    /// 1 if 85–97 % was closed.
    pub inventory_most: f64,
    /// ln of the number of victims.
    pub victims: f64,
    /// |ln(largest victim / front)| in quote.
    pub size_ratio: f64,
    /// 1 if the worst-hit victim lost less than 15 % of its slippage.
    pub slack_low: f64,
    /// 1 if it lost 40–102 % of it.
    pub slack_fit: f64,
    /// Earlier round trips of the attacker in this pool with nobody between, 3 at most.
    pub round_trips: f64,
    /// Sandwiches told of this wallet before, 3 at most: attackers come again.
    pub record: f64,
    /// 1 if it paid.
    pub profit: f64,
    /// 1 if half of the victims pay the same fee with the same compute limit as the attacker.
    pub cohort: f64,
    /// −ln of the chance that a trade as large as the largest victim falls into such a window.
    pub surprise: f64,
    /// What the link between front and back leaves unproven, 0 for the same wallet.
    pub weak_link: f64,
    /// ln of the largest victim's share of the pool's quote, in percent: nobody aims at what moves no price.
    pub impact: f64,
    /// 1 if any victim lost 45–100 % of its slippage.
    pub slack_best: f64,
    /// Profit by what the front cost, −0.2 to 0.3.
    pub gain: f64,
    /// Share of the victims who came through a program that many use or a known app.
    pub victims_public: f64,
    /// ln of what the attacker paid for its place by what its victims paid for theirs, −4 to 4.
    pub bid: f64,
    /// The same as `slack_best`, where front and back are in different slots.
    pub cross_fit: f64,
    /// `front_size`, where they are.
    pub cross_front: f64,
    /// `impact`, where they are.
    pub cross_impact: f64,
    /// 1 if it is not known how much of its slippage the worst-hit victim lost: it stated no limit that we read, or the pool
    /// cannot be replayed.
    pub slack_unknown: f64,
    /// `front_size`, where the transactions are adjacent: little money pays where nobody can come between.
    pub adjacent_front: f64,
    /// `impact`, where they are.
    pub adjacent_impact: f64,
}

impl Features {
    /// The numbers in the order of [`NAMES`].
    #[must_use]
    pub const fn values(&self) -> [f64; COUNT] {
        [
            self.bias,
            self.terminal,
            self.public,
            self.same_slot,
            self.slots,
            self.adjacent,
            self.front_size,
            self.inventory_full,
            self.inventory_most,
            self.victims,
            self.size_ratio,
            self.slack_low,
            self.slack_fit,
            self.round_trips,
            self.record,
            self.profit,
            self.cohort,
            self.surprise,
            self.weak_link,
            self.impact,
            self.slack_best,
            self.gain,
            self.victims_public,
            self.bid,
            self.cross_fit,
            self.cross_front,
            self.cross_impact,
            self.slack_unknown,
            self.adjacent_front,
            self.adjacent_impact,
        ]
    }
}

impl Features {
    /// The same position had no limit been known.
    #[must_use]
    pub const fn without_slack(&self) -> Self {
        Self { slack_low: 0.0, slack_fit: 0.0, slack_best: 0.0, cross_fit: 0.0, slack_unknown: 1.0, ..*self }
    }
}

/// A weight for each feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights(pub [f64; COUNT]);

static BUILT_IN: LazyLock<Weights> =
    LazyLock::new(|| Weights::parse(include_str!("weights.tsv")).unwrap_or(Weights([0.0; COUNT])));

impl Weights {
    /// The ones compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        *BUILT_IN
    }

    /// Reads lines of a name, a tab and a number; `#` begins a comment. `None` unless every feature has one weight.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut weights = [None; COUNT];
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (name, value) = line.split_once('\t')?;
            let at = NAMES.iter().position(|known| *known == name)?;
            if weights[at].replace(value.trim().parse::<f64>().ok()?).is_some() {
                return None;
            }
        }
        let mut all = [0.0; COUNT];
        for (slot, weight) in all.iter_mut().zip(weights) {
            *slot = weight.filter(|weight| weight.is_finite())?;
        }
        Some(Self(all))
    }

    /// Log-odds that these features are of an attack.
    #[must_use]
    pub fn log_odds(&self, features: &Features) -> f64 {
        self.0.iter().zip(features.values()).map(|(weight, value)| weight * value).sum()
    }

    /// The probability that these features are of an attack.
    #[must_use]
    pub fn score(&self, features: &Features) -> f64 {
        1.0 / (1.0 + (-self.log_odds(features)).exp())
    }

    /// The highest probability that a replay could still bring about.
    #[must_use]
    pub(super) fn best(&self, features: &Features) -> f64 {
        let cross = 1.0 - features.same_slot;
        let aimed = Features { slack_best: 1.0, cross_fit: cross, ..*features };
        let outcomes = [
            *features,
            Features { slack_fit: 1.0, ..*features },
            Features { slack_fit: 1.0, ..aimed },
            Features { slack_low: 1.0, ..aimed },
            features.without_slack(),
            aimed,
        ];
        outcomes.iter().map(|outcome| self.score(outcome)).fold(0.0, f64::max)
    }

    /// What moved the score, the weightiest first: each feature's name and value where it weighs anything.
    #[must_use]
    pub fn reasons(&self, features: &Features) -> Vec<Reason> {
        let weighed = NAMES.iter().zip(features.values()).zip(self.0).skip(1);
        let mut weighed: Vec<_> = weighed
            .filter(|((_, value), weight)| value * weight != 0.0)
            .map(|((code, value), weight)| ((value * weight).abs(), Reason { code, value }))
            .collect();
        weighed.sort_by(|one, other| other.0.total_cmp(&one.0));
        weighed.into_iter().map(|(_, reason)| reason).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_built_in_weights_are_read_and_bad_files_are_not() {
        let text = include_str!("weights.tsv");
        assert_eq!(Weights::parse(text).unwrap(), Weights::built_in());
        assert!(Weights::built_in().0.iter().any(|weight| *weight != 0.0));
        let rows = || text.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rows().count(), COUNT);
        let without_last: Vec<&str> = rows().take(COUNT - 1).collect();
        assert_eq!(Weights::parse(&without_last.join("\n")), None, "one is missing");
        assert_eq!(Weights::parse(&format!("{text}\nprofit\t1")), None, "one is twice");
        assert_eq!(Weights::parse(&text.replace("profit", "profits")), None, "a name is unknown");
        assert_eq!(Weights::parse(&text.replace("profit\t", "profit\tx")), None, "a number is none");
    }

    #[test]
    fn reasons_name_what_weighed_most() {
        let features = Features { bias: 1.0, front_size: 2.0, terminal: 1.0, ..Features::default() };
        let mut weights = Weights([0.0; COUNT]);
        weights.0[1] = -3.0;
        weights.0[6] = 1.0;
        assert_eq!(
            weights.reasons(&features),
            [Reason { code: "terminal", value: 1.0 }, Reason { code: "front_size", value: 2.0 }]
        );
        assert!((weights.log_odds(&features) + 1.0).abs() < 1e-12);
        assert!((weights.score(&features) - 0.268_941_421).abs() < 1e-9);
    }
}
