//! What the sandwich score looks at, and the weights it gives: a logistic model whose weights are data.

use std::sync::LazyLock;

use super::alert::Reason;

/// How many features there are.
pub const COUNT: usize = 36;

/// Names of the features, in the order of [`Features::values`]; also the codes of reasons.
pub const NAMES: [&str; COUNT] = [
    "bias",
    "terminal",
    "public",
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
    "slack_unknown",
    "adjacent_front",
    "adjacent_impact",
    "aimed_low",
    "aimed_fit",
    "aimed_over",
    "delay",
    "prey_public",
    "harmed",
    "trader",
    "prey_trader",
    "chased",
    "leaned",
];

/// One possible sandwich, as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// Whether front and back are in one slot: which weights are taken.
    pub same_slot: bool,
    /// Always 1.
    pub bias: f64,
    /// 1 if one of the attacker's legs came from a known trading app or wallet.
    pub terminal: f64,
    /// 1 if one of them came through a program that many use.
    pub public: f64,
    /// Slots from the first front to the last back.
    pub slots: f64,
    /// Where the transactions follow each other in the block without another between them: ln of how many the block holds at
    /// least, 20 or more. By chance they do so the more seldom, the more there are.
    pub adjacent: f64,
    /// ln(1 + SOL) of the front legs, as far as they were closed.
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
    /// ln(1 + sandwiches told of this wallet before): attackers come again.
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
    /// 1 if it is not known how much of its slippage the worst-hit victim lost: it stated no limit that we read, or the pool
    /// cannot be replayed.
    pub slack_unknown: f64,
    /// `front_size`, where the transactions are adjacent: little money pays where nobody can come between.
    pub adjacent_front: f64,
    /// `impact`, where they are.
    pub adjacent_impact: f64,
    /// 1 if the largest victim would have lost less than 15 % of its slippage right behind the front: it was not aimed at.
    pub aimed_low: f64,
    /// 1 if it would have lost 45–100 % of it there.
    pub aimed_fit: f64,
    /// 1 if it would have failed there: nobody lands in front of an order to make it fail.
    pub aimed_over: f64,
    /// Slots from the first front to the largest victim.
    pub delay: f64,
    /// 1 if the largest victim came through a program that many use or a known app.
    pub prey_public: f64,
    /// 1 if the attacker's first leg is among the victims of another attack.
    pub harmed: f64,
    /// ln(1 + positions) that this wallet closed, in any pool, without an attack.
    pub trader: f64,
    /// The same of the largest victim: who trades around others is seldom prey.
    pub prey_trader: f64,
    /// 1 if the leg right before the front moved the price by at least 1 % the same way: it was run after.
    pub chased: f64,
    /// 1 if it moved it so the other way: it was leant against.
    pub leaned: f64,
}

impl Features {
    /// The numbers in the order of [`NAMES`].
    #[must_use]
    pub const fn values(&self) -> [f64; COUNT] {
        [
            self.bias,
            self.terminal,
            self.public,
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
            self.slack_unknown,
            self.adjacent_front,
            self.adjacent_impact,
            self.aimed_low,
            self.aimed_fit,
            self.aimed_over,
            self.delay,
            self.prey_public,
            self.harmed,
            self.trader,
            self.prey_trader,
            self.chased,
            self.leaned,
        ]
    }
}

impl Features {
    /// The same position had no limit been known.
    #[must_use]
    pub const fn without_slack(&self) -> Self {
        Self {
            slack_low: 0.0,
            slack_fit: 0.0,
            slack_best: 0.0,
            aimed_low: 0.0,
            aimed_fit: 0.0,
            aimed_over: 0.0,
            slack_unknown: 1.0,
            ..*self
        }
    }
}

/// A weight for each feature, apart for what begins and ends in one slot and for what does not: other things tell there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Where front and back are in one slot.
    pub same_slot: [f64; COUNT],
    /// Where they are not.
    pub cross_slots: [f64; COUNT],
}

static BUILT_IN: LazyLock<Weights> =
    LazyLock::new(|| Weights::parse(include_str!("weights.tsv")).unwrap_or(Weights::NONE));

impl Weights {
    /// Nothing tells anything.
    pub const NONE: Self = Self { same_slot: [0.0; COUNT], cross_slots: [0.0; COUNT] };

    /// The ones compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        *BUILT_IN
    }

    /// Reads lines of a name and two numbers, tabs between them: the weight in one slot and that across slots; `#` begins a
    /// comment. `None` unless every feature has its weights once.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut weights = [None; COUNT];
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let mut parts = line.split('\t');
            let name = parts.next()?;
            let mut weight = || parts.next()?.trim().parse::<f64>().ok().filter(|weight| weight.is_finite());
            let both = (weight()?, weight()?);
            let at = NAMES.iter().position(|known| *known == name)?;
            if parts.next().is_some() || weights[at].replace(both).is_some() {
                return None;
            }
        }
        let mut all = Self::NONE;
        for (at, weight) in weights.into_iter().enumerate() {
            (all.same_slot[at], all.cross_slots[at]) = weight?;
        }
        Some(all)
    }

    /// Those that such a position is weighed with.
    #[must_use]
    pub const fn of(&self, features: &Features) -> &[f64; COUNT] {
        if features.same_slot { &self.same_slot } else { &self.cross_slots }
    }

    /// Log-odds that these features are of an attack.
    #[must_use]
    pub fn log_odds(&self, features: &Features) -> f64 {
        self.of(features).iter().zip(features.values()).map(|(weight, value)| weight * value).sum()
    }

    /// The probability that these features are of an attack.
    #[must_use]
    pub fn score(&self, features: &Features) -> f64 {
        probability(self.log_odds(features))
    }

    /// A bound of the probability that a replay could still bring about.
    #[must_use]
    pub(super) fn best(&self, features: &Features) -> f64 {
        let none = Features { same_slot: features.same_slot, ..Features::default() };
        let gain = |outcome: Features| self.log_odds(&outcome);
        let best = |outcomes: &[Features]| outcomes.iter().copied().map(gain).fold(0.0, f64::max);
        let worst_hit = [Features { slack_low: 1.0, ..none }, Features { slack_fit: 1.0, ..none }];
        let any = [Features { slack_best: 1.0, ..none }];
        let aimed = [
            Features { aimed_low: 1.0, ..none },
            Features { aimed_fit: 1.0, ..none },
            Features { aimed_over: 1.0, ..none },
        ];
        let known = best(&worst_hit) + best(&any) + best(&aimed);
        let unknown = gain(Features { slack_unknown: 1.0, ..none });
        probability(self.log_odds(features) + known.max(unknown))
    }

    /// What moved the score, the weightiest first: each feature's name and value where it weighs anything.
    #[must_use]
    pub fn reasons(&self, features: &Features) -> Vec<Reason> {
        let weighed = NAMES.iter().zip(features.values()).zip(self.of(features)).skip(1);
        let mut weighed: Vec<_> = weighed
            .filter(|((_, value), weight)| value * **weight != 0.0)
            .map(|((code, value), weight)| ((value * weight).abs(), Reason { code, value }))
            .collect();
        weighed.sort_by(|one, other| other.0.total_cmp(&one.0));
        weighed.into_iter().map(|(_, reason)| reason).collect()
    }
}

fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_built_in_weights_are_read_and_bad_files_are_not() {
        let text = include_str!("weights.tsv");
        assert_eq!(Weights::parse(text).unwrap(), Weights::built_in());
        let Weights { same_slot, cross_slots } = Weights::built_in();
        assert!([same_slot, cross_slots].iter().all(|weights| weights.iter().any(|weight| *weight != 0.0)));
        let rows = || text.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rows().count(), COUNT);
        let without_last: Vec<&str> = rows().take(COUNT - 1).collect();
        assert_eq!(Weights::parse(&without_last.join("\n")), None, "one is missing");
        assert_eq!(Weights::parse(&format!("{text}\nprofit\t1\t1")), None, "one is twice");
        assert_eq!(Weights::parse(&text.replace("profit", "profits")), None, "a name is unknown");
        assert_eq!(Weights::parse(&text.replace("profit\t", "profit\tx")), None, "a number is none");
    }

    #[test]
    fn reasons_name_what_weighed_most() {
        let features = Features { bias: 1.0, front_size: 2.0, terminal: 1.0, ..Features::default() };
        let mut weights = Weights::NONE;
        let at = |name| NAMES.iter().position(|known| *known == name).unwrap();
        weights.cross_slots[at("terminal")] = -3.0;
        weights.cross_slots[at("front_size")] = 1.0;
        assert_eq!(
            weights.reasons(&features),
            [Reason { code: "terminal", value: 1.0 }, Reason { code: "front_size", value: 2.0 }]
        );
        assert!((weights.log_odds(&features) + 1.0).abs() < 1e-12);
        assert!((weights.score(&features) - 0.268_941_421).abs() < 1e-9);
        let in_one_slot = Features { same_slot: true, ..features };
        assert_eq!((weights.reasons(&in_one_slot), weights.log_odds(&in_one_slot).to_bits()), (Vec::new(), 0));
    }

    #[test]
    fn no_replay_shows_more_than_the_bound() {
        let mut rng = fastrand::Rng::with_seed(8);
        for _ in 0..500 {
            let mut weights = Weights::NONE;
            weights.cross_slots.iter_mut().for_each(|weight| *weight = 4.0 * rng.f64() - 2.0);
            let before = Features { bias: 1.0, front_size: rng.f64(), ..Features::default() };
            let bound = weights.best(&before);
            let outcome = match rng.u8(0..4) {
                0 => before.without_slack(),
                1 => Features { slack_low: 1.0, aimed_over: 1.0, ..before },
                2 => Features { slack_fit: 1.0, slack_best: 1.0, aimed_fit: 1.0, ..before },
                _ => Features { slack_best: 1.0, aimed_low: 1.0, ..before },
            };
            assert!(weights.score(&outcome) <= bound + 1e-12);
        }
    }
}
