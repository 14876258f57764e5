//! The sandwich rules of public detectors, each from its description, with what is wrong in them left wrong: they are what
//! our figures stand beside.
//!
//! They read the same decoded trades, in the order of the chain. What a rule needs and a stream of trades does not hold is
//! left out in its favour and said with the rule.

use std::collections::{BTreeMap, HashSet};

use super::{finding::Finding, play::Told};
use crate::{
    chain::ids::{Mint, Signature},
    decode::event::{Side, Venue},
    mev::Leg,
};

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anchor {
    /// The monitor this program replaces: A buys, somebody else trades, A sells, as three consecutive trades of a token
    /// within two seconds.
    Predecessor,
    /// Dune's `dex_solana.sandwiches`: one trader, one venue, one second of block time. The "victim" it joins is the attacker.
    Dune,
    /// sandwich-rs: one signer, 1 to 3 slots apart (a sandwich within one slot is dropped), a score of 80.
    SandwichRs,
    /// pono: one signer, one block, the first pair that fits, any transaction between, a profit.
    Pono,
    /// mev-inspect-py: one sender, one pool, one block, somebody of the same direction between.
    MevInspect,
    /// brontes, reduced to its sender-or-contract rule and its quarter of victims.
    Brontes,
    /// sandwich-finder v2: one wrapper program and one token account, within the leader's four slots, amounts that nest.
    /// Accounts tied by transfers are taken for one owner only.
    SandwichFinder,
    /// `GetToasted`'s second and fourth level; the first asks Jito, the third a list of bots.
    GetToasted,
}

impl Anchor {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Predecessor,
        Self::Dune,
        Self::SandwichRs,
        Self::Pono,
        Self::MevInspect,
        Self::Brontes,
        Self::SandwichFinder,
        Self::GetToasted,
    ];

    /// A short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Predecessor => "predec.",
            Self::Dune => "dune",
            Self::SandwichRs => "sw-rs",
            Self::Pono => "pono",
            Self::MevInspect => "mev-ins",
            Self::Brontes => "brontes",
            Self::SandwichFinder => "sf-v2",
            Self::GetToasted => "toasted",
        }
    }

    /// The sandwiches it sees in these trades.
    #[must_use]
    pub fn find(self, trades: &[Told]) -> Vec<Finding> {
        let mut tokens: BTreeMap<Mint, Vec<&Told>> = BTreeMap::new();
        for trade in trades {
            tokens.entry(trade.leg.mint).or_default().push(trade);
        }
        let mut found = Vec::new();
        for trades in tokens.values_mut() {
            trades.sort_by_key(|trade| trade.leg.place);
            match self {
                Self::Predecessor => predecessor(trades, &mut found),
                Self::SandwichFinder => sandwich_finder(trades, &mut found),
                Self::Dune => pairs(trades, &mut found, false, dune),
                Self::SandwichRs => pairs(trades, &mut found, false, sandwich_rs),
                Self::Pono => pairs(trades, &mut found, true, pono),
                Self::MevInspect => pairs(trades, &mut found, true, mev_inspect),
                Self::Brontes => pairs(trades, &mut found, false, brontes),
                Self::GetToasted => pairs(trades, &mut found, false, get_toasted),
            }
        }
        found
    }
}

/// Tries a rule on each two trades of a token that go opposite ways, with those between; `first`: on the first that fits only.
fn pairs<'a>(
    trades: &[&'a Told],
    found: &mut Vec<Finding>,
    first: bool,
    rule: impl Fn(&Told, &Told, &[&'a Told]) -> Option<Vec<&'a Told>>,
) {
    for (at, front) in trades.iter().enumerate() {
        for (more, back) in trades.iter().skip(at + 1).enumerate() {
            if front.leg.side == back.leg.side {
                continue;
            }
            let between = trades.get(at + 1..=at + more).unwrap_or_default();
            if let Some(victims) = rule(front, back, between) {
                found.push(finding(&[front], &[back], &victims));
                if first {
                    break;
                }
            }
        }
    }
}

fn finding(fronts: &[&Told], backs: &[&Told], victims: &[&Told]) -> Finding {
    let signatures = |trades: &[&Told]| -> Vec<Signature> { trades.iter().map(|trade| trade.leg.signature).collect() };
    Finding {
        mint: fronts.first().map_or(Mint::new([0; 32]), |front| front.leg.mint),
        fronts: signatures(fronts),
        backs: signatures(backs),
        victims: signatures(victims).into_iter().map(|victim| (victim, None)).collect(),
        confidence: 1.0,
        on_curve: fronts.first().is_some_and(|front| front.leg.venue == Venue::Pump),
    }
}

fn predecessor(trades: &[&Told], found: &mut Vec<Finding>) {
    for three in trades.windows(3) {
        let [front, other, back] = three else { continue };
        let same = front.leg.user == back.leg.user && other.leg.user != front.leg.user;
        let within = front.time.zip(back.time).is_some_and(|(from, to)| to - from < 2);
        if same && within && front.leg.side == Side::Buy && back.leg.side == Side::Sell {
            found.push(finding(&[front], &[back], &[other]));
        }
    }
}

fn dune<'a>(front: &Told, back: &Told, between: &[&'a Told]) -> Option<Vec<&'a Told>> {
    let fits = front.leg.user == back.leg.user
        && front.leg.venue == back.leg.venue
        && front.time.is_some()
        && front.time == back.time
        && front.leg.place.tx_index + 1 < back.leg.place.tx_index;
    fits.then(|| between.iter().filter(|trade| trade.leg.user == front.leg.user).copied().collect())
}

fn sandwich_rs<'a>(front: &Told, back: &Told, between: &[&'a Told]) -> Option<Vec<&'a Told>> {
    let span = slots(front, back);
    if front.leg.pool != back.leg.pool || front.leg.payer != back.leg.payer || !(1..=3).contains(&span) {
        return None;
    }
    let others = in_pool(between, &front.leg);
    let others: Vec<_> = others.filter(|trade| trade.leg.payer != front.leg.payer).collect();
    let directed = others.iter().any(|trade| trade.leg.side == front.leg.side);
    // The two go opposite ways.
    let score = 50 + 20 + if directed { 10 } else { 0 } + if gain(&front.leg, &back.leg) > 0 { 10 } else { 0 };
    (!others.is_empty() && score >= 80).then_some(others)
}

fn pono<'a>(front: &Told, back: &Told, between: &[&'a Told]) -> Option<Vec<&'a Told>> {
    let fits = front.leg.payer == back.leg.payer
        && slots(front, back) == 0
        && back.leg.place.tx_index > front.leg.place.tx_index + 1
        && gain(&front.leg, &back.leg) > 0;
    fits.then(|| between.iter().filter(|trade| trade.leg.payer != front.leg.payer).copied().collect())
}

fn mev_inspect<'a>(front: &Told, back: &Told, between: &[&'a Told]) -> Option<Vec<&'a Told>> {
    if front.leg.pool != back.leg.pool || front.leg.user != back.leg.user || slots(front, back) != 0 {
        return None;
    }
    let victims = in_pool(between, &front.leg);
    let victims = victims
        .filter(|trade| trade.leg.side == front.leg.side && trade.leg.user != front.leg.user)
        .collect::<Vec<_>>();
    (!victims.is_empty()).then_some(victims)
}

fn brontes<'a>(front: &Told, back: &Told, between: &[&'a Told]) -> Option<Vec<&'a Told>> {
    let contract = |leg: &Leg| leg.outer_program.filter(|_| !leg.terminal);
    let same = front.leg.payer == back.leg.payer
        || contract(&front.leg).is_some_and(|program| contract(&back.leg) == Some(program));
    if !same || slots(front, back) != 0 {
        return None;
    }
    let others: Vec<_> = between.iter().filter(|trade| trade.leg.payer != front.leg.payer).copied().collect();
    let suffers = |trade: &&Told| trade.leg.pool == front.leg.pool && trade.leg.side == front.leg.side;
    let count = |trades: &[&Told]| trades.iter().map(|trade| trade.leg.payer).collect::<HashSet<_>>().len();
    let victims: Vec<_> = others.iter().filter(|trade| suffers(trade)).copied().collect();
    (!victims.is_empty() && count(&victims) * 4 >= count(&others)).then_some(victims)
}

fn get_toasted<'a>(front: &Told, back: &Told, between: &[&'a Told]) -> Option<Vec<&'a Told>> {
    if front.leg.pool != back.leg.pool || front.leg.payer != back.leg.payer || slots(front, back) != 0 {
        return None;
    }
    let victims = in_pool(between, &front.leg);
    let victims = victims
        .filter(|trade| trade.leg.side == front.leg.side && trade.leg.payer != front.leg.payer)
        .collect::<Vec<_>>();
    let closes = |percent: u128| u128::from(back.leg.base) * 100 >= u128::from(front.leg.base) * percent;
    let largest = victims.iter().map(|trade| trade.leg.quote).max()?;
    let alike = largest >= front.leg.quote / 20 && largest <= front.leg.quote.saturating_mul(25);
    let near = back.leg.place.tx_index - front.leg.place.tx_index <= 20;
    let fourth = closes(85) && gain(&front.leg, &back.leg) >= 0 && alike && near;
    (closes(95) || fourth).then_some(victims)
}

/// One of a leg's amounts.
type Amount = fn(&Leg) -> u64;

/// Runs of legs of one owner, all one way and then all the other.
fn sandwich_finder(trades: &[&Told], found: &mut Vec<Finding>) {
    const LEGS: usize = 4;
    for (at, first) in trades.iter().enumerate() {
        // A known aggregator's trades are nobody's own.
        if first.leg.terminal {
            continue;
        }
        let mine = |trade: &&&Told| {
            trade.leg.pool == first.leg.pool
                && trade.leg.user == first.leg.user
                && trade.leg.outer_program == first.leg.outer_program
                && trade.leg.place.slot / 4 == first.leg.place.slot / 4
        };
        let legs: Vec<&Told> = trades.iter().skip(at).filter(mine).copied().collect();
        let fronts: Vec<&Told> =
            legs.iter().take_while(|leg| leg.leg.side == first.leg.side).take(LEGS).copied().collect();
        let backs: Vec<&Told> = legs
            .iter()
            .skip(fronts.len())
            .take_while(|leg| leg.leg.side != first.leg.side)
            .take(LEGS)
            .copied()
            .collect();
        let Some(last) = backs.last() else { continue };
        let sum = |trades: &[&Told], amount: Amount| trades.iter().map(|trade| amount(&trade.leg)).sum::<u64>();
        let (base, quote): (Amount, Amount) = (|leg| leg.base, Leg::with_fees);
        let ((inner, inner_of), (outer, outer_of)) = match first.leg.side {
            Side::Buy => ((base, &fronts), (quote, &backs)),
            Side::Sell => ((quote, &fronts), (base, &backs)),
        };
        // What the fronts got covers what the backs gave, and the backs got at least what the fronts had given.
        let nests = sum(inner_of, inner) >= sum(&backs, inner) && sum(outer_of, outer) >= sum(&fronts, outer);
        let between = trades.iter().skip_while(|trade| trade.leg.place <= first.leg.place);
        let victims: Vec<&Told> = between
            .take_while(|trade| trade.leg.place < last.leg.place)
            .filter(|trade| trade.leg.pool == first.leg.pool && trade.leg.side == first.leg.side)
            .filter(|trade| trade.leg.outer_program.is_none() || trade.leg.outer_program != first.leg.outer_program)
            .filter(|trade| trade.leg.user != first.leg.user)
            .copied()
            .collect();
        if nests && !victims.is_empty() {
            found.push(finding(&fronts, &backs, &victims));
        }
    }
}

fn slots(front: &Told, back: &Told) -> u64 {
    back.leg.place.slot.saturating_sub(front.leg.place.slot)
}

fn in_pool<'a>(between: &[&'a Told], front: &Leg) -> impl Iterator<Item = &'a Told> {
    let pool = front.pool;
    between.iter().copied().filter(move |trade| trade.leg.pool == pool)
}

/// Quote out − quote in, less network fees and tips, with what was not closed at the back's price.
fn gain(front: &Leg, back: &Leg) -> i128 {
    let costs = i128::from(front.tx_fee) + i128::from(front.tip) + i128::from(back.tx_fee) + i128::from(back.tip);
    let (bought, sold) = if front.side == Side::Buy { (front, back) } else { (back, front) };
    let open = i128::from(bought.base) - i128::from(sold.base);
    let value = open * i128::from(back.quote) / i128::from(back.base.max(1));
    i128::from(sold.with_fees()) - i128::from(bought.with_fees()) + value - costs
}
