//! The counts: what was planted, found and said, by kind.

use std::collections::{BTreeMap, HashSet};

use super::{
    anchors::Anchor,
    finding::{AttackId, Finding, Truth},
    play::Played,
};
use crate::{
    chain::ids::Signature,
    mev::alert::{ACROSS_GAP, Band, SUSPECTED},
    simulator::scenario::Kind,
};

/// Whose findings are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Our detectors'.
    Ours,
    /// Somebody else's rules'.
    Anchor(Anchor),
}

impl Method {
    /// Ours first.
    pub const ALL: [Self; 1 + Anchor::ALL.len()] = {
        let mut all = [Self::Ours; 1 + Anchor::ALL.len()];
        let mut at = 0;
        while at < Anchor::ALL.len() {
            all[at + 1] = Self::Anchor(Anchor::ALL[at]);
            at += 1;
        }
        all
    };

    /// A short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Anchor(anchor) => anchor.name(),
        }
    }

    fn find(self, played: &Played) -> Vec<Finding> {
        match self {
            Self::Ours => {
                let said = played.alerts.iter().filter_map(Finding::of);
                said.filter(|finding| finding.confidence >= SUSPECTED).collect()
            }
            Self::Anchor(anchor) => anchor.find(&played.trades),
        }
    }
}

/// Some of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How many it is true of,
    pub of_those: u64,
    /// of so many.
    pub all: u64,
}

impl Part {
    pub(super) fn add(&mut self, is: bool) {
        self.of_those += u64::from(is);
        self.all += 1;
    }

    /// 0–1; `None` of nothing.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    pub fn share(self) -> Option<f64> {
        (self.all > 0).then(|| self.of_those as f64 / self.all as f64)
    }

    /// Per million.
    #[must_use]
    pub fn per_million(self) -> Option<f64> {
        self.share().map(|share| share * 1e6)
    }

    pub(super) fn merge(self, other: Self) -> Self {
        Self { of_those: self.of_those + other.of_those, all: self.all + other.all }
    }
}

/// Lamports by which losses were off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LossErrors {
    /// On bonding curves.
    pub curve: Vec<u64>,
    /// In pools.
    pub pool: Vec<u64>,
}

impl LossErrors {
    const fn of(&mut self, on_curve: bool) -> &mut Vec<u64> {
        if on_curve { &mut self.curve } else { &mut self.pool }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<u64> {
        [&self.curve[..], &self.pool].concat()
    }
}

/// What is counted of the findings of one confidence band.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reliability {
    /// Those that are of a planted attack.
    pub right: Part,
    /// Sum of what was claimed.
    pub claimed: f64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Whose.
    pub method: Method,
    /// Planted attacks that were found.
    pub recall: BTreeMap<Kind, Part>,
    /// Findings that are of a planted attack.
    pub precision: Part,
    /// Victims named who were victims.
    pub victim_precision: Part,
    /// Victims who were named.
    pub victim_recall: Part,
    /// Episodes without an attack in which one was found, by kind.
    pub lookalikes: BTreeMap<Kind, Part>,
    /// False findings by kind of episode and band.
    pub wrong: BTreeMap<(Kind, Band), u64>,
    /// Trades by kind of episode.
    pub trades: BTreeMap<Kind, u64>,
    /// By band.
    pub reliability: BTreeMap<Band, Reliability>,
    /// Lamports by which the loss of a victim of a found attack was off, all attackers' and this one's.
    pub loss_errors: LossErrors,
    /// Victims of found attacks whose loss was not told.
    pub losses_missing: u64,
    /// From the closing leg's arrival to the alert, in microseconds.
    pub latencies_us: Vec<u64>,
    /// Broken chains of reserves.
    pub gaps: u64,
    /// Alerts surer than one may be across such a break.
    pub across_gaps: u64,
    /// Attacks that were missed: seed, episode, kind.
    pub missed: Vec<(u64, u64, Kind)>,
}

/// The bands in which something is told.
pub(super) const BANDS: [Band; 3] = [Band::Suspected, Band::Likely, Band::Confirmed];

impl Tally {
    /// Nothing yet.
    #[must_use]
    pub fn new(method: Method) -> Self {
        Self {
            method,
            recall: BTreeMap::new(),
            precision: Part::default(),
            victim_precision: Part::default(),
            victim_recall: Part::default(),
            lookalikes: BTreeMap::new(),
            wrong: BTreeMap::new(),
            trades: BTreeMap::new(),
            reliability: BTreeMap::new(),
            loss_errors: LossErrors::default(),
            losses_missing: 0,
            latencies_us: Vec::new(),
            gaps: 0,
            across_gaps: 0,
            missed: Vec::new(),
        }
    }

    /// Counts a seed.
    pub fn add(&mut self, played: &Played) {
        let truth = Truth::of(played);
        let findings = self.method.find(played);
        let mut found: HashSet<AttackId> = HashSet::new();
        let mut accused: HashSet<usize> = HashSet::new();
        let mut named: HashSet<(AttackId, Signature)> = HashSet::new();
        for finding in &findings {
            let attack = truth.attack(&finding.fronts, &finding.backs);
            let band = Band::of(finding.confidence);
            self.precision.add(attack.is_some());
            let reliability = self.reliability.entry(band).or_default();
            reliability.right.add(attack.is_some());
            reliability.claimed += finding.confidence;
            for (victim, loss) in &finding.victims {
                let planted = attack.and_then(|(episode, number)| {
                    played.labels.get(episode)?.attacks.get(number)?.victims.iter().find(|v| v.signature == *victim)
                });
                self.victim_precision.add(planted.is_some());
                let (Some(planted), Some(attack)) = (planted, attack) else { continue };
                named.insert((attack, *victim));
                match loss {
                    Some((joint, marginal)) => self.loss_errors.of(finding.on_curve).extend([
                        joint.abs_diff(planted.loss_lamports),
                        marginal.abs_diff(planted.marginal_loss_lamports),
                    ]),
                    None => self.losses_missing += 1,
                }
            }
            if let Some(attack) = attack {
                found.insert(attack);
            } else if let Some((episode, label)) =
                truth.episode(finding.mint).and_then(|episode| Some((episode, played.labels.get(episode)?)))
            {
                accused.insert(episode);
                *self.wrong.entry((label.kind, band)).or_default() += 1;
            }
        }
        for (episode, label) in played.labels.iter().enumerate() {
            *self.trades.entry(label.kind).or_default() += label.trades;
            if label.attacks.is_empty() {
                self.lookalikes.entry(label.kind).or_default().add(accused.contains(&episode));
            }
            for (number, attack) in label.attacks.iter().enumerate() {
                let id = (episode, number);
                self.recall.entry(label.kind).or_default().add(found.contains(&id));
                if !found.contains(&id) {
                    self.missed.push((label.seed, label.episode, label.kind));
                }
                for victim in &attack.victims {
                    self.victim_recall.add(named.contains(&(id, victim.signature)));
                }
            }
        }
        self.gaps += played.gaps;
        if self.method == Method::Ours {
            self.latencies_us.extend(&played.latencies_us);
            let sure = played.alerts.iter().filter(|alert| !alert.chain_ok && alert.confidence > ACROSS_GAP);
            self.across_gaps += sure.count() as u64;
        }
    }
}

impl Tally {
    /// All planted attacks.
    #[must_use]
    pub fn recall_of_all(&self) -> Part {
        self.recall.values().fold(Part::default(), |sum, part| sum.merge(*part))
    }

    /// All episodes without an attack but those with nothing planted at all.
    #[must_use]
    pub fn hard_negatives(&self) -> Part {
        let hard = self.lookalikes.iter().filter(|(kind, _)| **kind != Kind::Organic);
        hard.fold(Part::default(), |sum, (_, part)| sum.merge(*part))
    }

    /// False findings of at least this band, of the trades of the kinds of episodes that are asked for.
    #[must_use]
    pub fn wrong_per_trade(&self, from: Band, of: impl Fn(Kind) -> bool) -> Part {
        let wrong = self.wrong.iter().filter(|((kind, band), _)| of(*kind) && *band >= from);
        let trades = self.trades.iter().filter(|(kind, _)| of(**kind));
        Part { of_those: wrong.map(|(_, count)| count).sum(), all: trades.map(|(_, count)| count).sum() }
    }
}
