//! What happens around a launch: wallets that buy as one in its block, wallets that are early in every one, and what the
//! creator and his do with what they hold.

use super::{
    alert::{Alert, AlertId, Attacker, Class, Link, Reason, Role},
    book::{Book, Entry, Seq},
    lru::{KeyHash, Lru},
    tracked::Tracked,
};
use crate::{
    chain::ids::{Mint, WRAPPED_SOL, Wallet},
    decode::event::{LiquidityAction, Side, TokenCreated},
};

const MINTS: usize = 4_096;
const WALLETS: usize = 16_384;
/// Launches whose bundles are watched.
const BUNDLES: usize = 512;
/// Wallets of one bundle.
const BUNDLE: usize = 24;
/// Least wallets of a bundle.
const LEAST: usize = 3;
/// Slots from the launch on in which a buyer is a sniper.
const EARLY: u64 = 2;
/// Launches that make a sniper, and the rank that half of its buys must reach.
const LAUNCHES: u16 = 5;
const RANK: u16 = 10;
/// Share of its bag or of the supply from which a creator's sale is told.
const OF_BAG: f64 = 0.2;
const OF_SUPPLY: f64 = 0.01;
/// Share of the peak that is gone after a rug, least peak in lamports, and longest time from the peak in microseconds.
const DRAINED: f64 = 0.8;
const PEAK: u64 = 5_000_000_000;
const RUG_US: i64 = 300_000_000;
/// What is read off the chain and not inferred.
const FACT: f64 = 0.99;
/// Wallets in consecutive transactions behind the launch, which strangers reach by chance once in a while.
const CONSECUTIVE: f64 = 0.95;

/// One token's beginning and what its creator's side holds.
#[derive(Clone, Copy, Debug, Default)]
struct Launch {
    slot: u64,
    /// 0: its creation was not seen.
    creator: u64,
    creator_wallet: Option<Wallet>,
    supply: u64,
    /// Position of the last transaction of the unbroken run behind the launch.
    run: u64,
    /// Whether wallets bought in that run.
    bundled: bool,
    /// Distinct buyers so far, as far as they matter for a rank.
    buyers: u16,
    dev_bought: u64,
    dev_sold: u64,
    dev_got: u64,
    dev_told: u64,
    dev_alert: Option<AlertId>,
    peak: u64,
    peak_us: i64,
    rugged: bool,
}

/// Wallets that bought right behind a launch.
#[derive(Clone, Copy, Debug, Default)]
struct Bundle {
    owners: [u64; BUNDLE],
    legs: [Seq; BUNDLE],
    count: usize,
    base: u64,
    sold: u64,
    alert: Option<AlertId>,
}

impl Bundle {
    fn owners(&self) -> &[u64] {
        self.owners.get(..self.count).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sniper {
    launches: u16,
    low_ranks: u16,
    told: u16,
    last: Option<Mint>,
    alert: Option<AlertId>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Launches {
    mints: Lru<Mint, Launch>,
    bundles: Lru<Mint, Bundle>,
    snipers: Lru<u64, Sniper>,
    hash: KeyHash,
}

impl Launches {
    pub(super) fn new(hash: KeyHash) -> Self {
        Self { mints: Lru::new(MINTS, hash), bundles: Lru::new(BUNDLES, hash), snipers: Lru::new(WALLETS, hash), hash }
    }

    pub(super) fn bytes(&self) -> usize {
        self.mints.bytes() + self.bundles.bytes() + self.snipers.bytes()
    }

    /// A token was created.
    pub(super) fn created(&mut self, slot: u64, tx_index: u64, created: &TokenCreated) {
        *self.mints.touch(created.mint).0 = Launch {
            slot,
            creator: self.hash.tag(created.creator.bytes()),
            creator_wallet: Some(created.creator),
            supply: created.supply.unwrap_or(0),
            run: tx_index,
            ..Launch::default()
        };
    }

    /// Slots from a token's launch to this one, where the launch was seen.
    pub(super) fn age(&self, mint: &Mint, slot: u64) -> Option<u64> {
        self.mints.get(mint).filter(|launch| launch.creator != 0).map(|launch| slot.saturating_sub(launch.slot))
    }

    /// Whether this wallet is known to snipe launches.
    pub(super) fn is_sniper(&self, owner: u64) -> bool {
        self.snipers.get(&owner).is_some_and(|sniper| sniper.alert.is_some())
    }

    /// Takes a leg in.
    pub(super) fn on(&mut self, seq: Seq, book: &Book, tracked: &mut Tracked) {
        let Some(entry) = book.get(seq) else { return };
        let launch = self.mints.touch(entry.leg.mint).0;
        if launch.creator != 0 {
            let age = entry.leg.place.slot.saturating_sub(launch.slot);
            match entry.leg.side {
                Side::Buy if age <= EARLY => {
                    launch.buyers = launch.buyers.saturating_add(1);
                    let rank = launch.buyers;
                    if age == 0 {
                        bundled(launch, &mut self.bundles, entry, book, tracked);
                    }
                    if entry.owner == launch.creator {
                        launch.dev_bought = launch.dev_bought.saturating_add(entry.leg.base);
                    } else {
                        sniped(&mut self.snipers, entry, rank, book, tracked);
                    }
                }
                Side::Buy if entry.owner == launch.creator => {
                    launch.dev_bought = launch.dev_bought.saturating_add(entry.leg.base);
                }
                Side::Buy => {}
                Side::Sell => sold(launch, &mut self.bundles, entry, book, tracked),
            }
        }
        drained(launch, entry, book, tracked);
    }

    /// Liquidity was taken out of a pool; `held` is the pool's base before.
    pub(super) fn withdrawn(
        &mut self,
        alert: Alert,
        action: LiquidityAction,
        base: u64,
        held: u64,
        tracked: &mut Tracked,
    ) {
        if action != LiquidityAction::Withdraw || held == 0 || base < held / 2 {
            return;
        }
        let launch = self.mints.touch(alert.mint).0;
        if std::mem::replace(&mut launch.rugged, true) {
            return;
        }
        let mut alert = alert;
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        alert.reasons.push(Reason { code: "withdrawn_share", value: base as f64 / held as f64 });
        tracked.raise(None, alert, 0);
    }
}

/// A buy in the launch's own slot: one of a run of transactions right behind it belongs together with the others.
fn bundled(launch: &mut Launch, bundles: &mut Lru<Mint, Bundle>, entry: &Entry, book: &Book, tracked: &mut Tracked) {
    let leg = &entry.leg;
    if leg.place.tx_index > launch.run + 1 {
        return;
    }
    launch.run = launch.run.max(leg.place.tx_index);
    launch.bundled = true;
    let bundle = bundles.touch(leg.mint).0;
    if bundle.count == BUNDLE {
        return;
    }
    bundle.base = bundle.base.saturating_add(leg.base);
    if bundle.owners().contains(&entry.owner) {
        return;
    }
    bundle.owners[bundle.count] = entry.owner;
    bundle.legs[bundle.count] = entry.seq;
    bundle.count += 1;
    if bundle.count >= LEAST {
        tell_bundle(launch, bundle, entry, book, tracked);
    }
}

#[allow(clippy::cast_precision_loss, reason = "shares and counts")]
fn tell_bundle(launch: &Launch, bundle: &mut Bundle, last: &Entry, book: &Book, tracked: &mut Tracked) {
    let seqs = bundle.legs.get(..bundle.count).unwrap_or_default();
    let legs = || seqs.iter().filter_map(|seq| book.get(*seq)).map(|entry| &entry.leg);
    let Some(first) = legs().next() else { return };
    // Several wallets in one transaction, or the same fee and limit in all: no chance run of strangers.
    let one_transaction =
        legs().any(|leg| legs().any(|other| other.signature == leg.signature && other.user != leg.user));
    let alike = legs().all(|leg| (leg.tx_fee, leg.compute_units) == (first.tx_fee, first.compute_units));
    let confidence = if one_transaction || alike { FACT } else { CONSECUTIVE };
    let mut alert = Alert::about(&last.leg, Class::Bundle, confidence);
    alert.attackers = legs().map(|leg| Attacker { wallet: leg.user, link: Link::Owner }).collect();
    if launch.supply > 0 {
        let share = bundle.base as f64 / launch.supply as f64;
        alert.reasons.push(Reason { code: "supply_share", value: share });
    }
    alert.reasons.push(Reason { code: "wallets", value: bundle.count as f64 });
    if bundle.owners().contains(&launch.creator) {
        alert.reasons.push(Reason { code: "creator_included", value: 1.0 });
    }
    let sizes: Vec<f64> = legs().map(|leg| leg.quote as f64).collect();
    alert.reasons.push(Reason { code: "size_variation", value: variation(&sizes) });
    if bundle.sold > 0 {
        let share = bundle.sold as f64 / bundle.base.max(1) as f64;
        alert.reasons.push(Reason { code: "sold_share", value: share.min(1.0) });
    }
    alert.open_inventory = bundle.base.saturating_sub(bundle.sold);
    alert.legs = seqs.iter().filter_map(|seq| book.evidence(*seq, Role::Other)).collect();
    bundle.alert = Some(tracked.raise(bundle.alert, alert, 0));
}

/// A buy in the first slots: whoever is that early in launch after launch waits for launches.
fn sniped(snipers: &mut Lru<u64, Sniper>, entry: &Entry, rank: u16, book: &Book, tracked: &mut Tracked) {
    let sniper = snipers.touch(entry.owner).0;
    if sniper.last.replace(entry.leg.mint) == Some(entry.leg.mint) {
        return;
    }
    sniper.launches = sniper.launches.saturating_add(1);
    sniper.low_ranks = sniper.low_ranks.saturating_add(u16::from(rank <= RANK));
    let enough = sniper.launches >= LAUNCHES && sniper.low_ranks * 2 >= sniper.launches;
    if !enough || sniper.launches < sniper.told.saturating_mul(2) {
        return;
    }
    sniper.told = sniper.launches;
    let mut alert = Alert::about(&entry.leg, Class::Sniper, FACT);
    alert.reasons = vec![
        Reason { code: "launches", value: f64::from(sniper.launches) },
        Reason { code: "among_first_ten", value: f64::from(sniper.low_ranks) / f64::from(sniper.launches) },
    ];
    alert.legs = book.evidence(entry.seq, Role::Other).into_iter().collect();
    sniper.alert = Some(tracked.raise(sniper.alert, alert, 0));
}

/// Somebody sells: the creator, or one of the bundle.
#[allow(clippy::cast_precision_loss, reason = "shares")]
fn sold(launch: &mut Launch, bundles: &mut Lru<Mint, Bundle>, entry: &Entry, book: &Book, tracked: &mut Tracked) {
    let leg = &entry.leg;
    let bundle = if launch.bundled { bundles.get_mut(&leg.mint) } else { None };
    if let Some(bundle) = bundle.filter(|bundle| bundle.alert.is_some() && bundle.owners().contains(&entry.owner)) {
        let before = bundle.sold;
        bundle.sold = before.saturating_add(leg.base);
        // Told at its first sale, and when half and nearly all is sold.
        let passed = |share: f64| {
            let mark = bundle.base as f64 * share;
            (before as f64) < mark && bundle.sold as f64 >= mark
        };
        if before == 0 || passed(0.5) || passed(0.98) {
            tell_bundle(launch, bundle, entry, book, tracked);
        }
    }
    if entry.owner != launch.creator {
        return;
    }
    launch.dev_sold = launch.dev_sold.saturating_add(leg.base);
    launch.dev_got = launch.dev_got.saturating_add(leg.with_fees());
    let (bag, supply) = (launch.dev_bought.max(launch.dev_sold) as f64, launch.supply as f64);
    let of_bag = launch.dev_sold as f64 / bag.max(1.0);
    let of_supply = if supply > 0.0 { launch.dev_sold as f64 / supply } else { 0.0 };
    let more =
        (launch.dev_sold - launch.dev_told) as f64 >= bag * OF_BAG || (launch.dev_told == 0 && of_supply >= OF_SUPPLY);
    if !more {
        return;
    }
    launch.dev_told = launch.dev_sold;
    let mut alert = Alert::about(leg, Class::DevSell, FACT);
    alert.reasons = vec![Reason { code: "sold_share", value: of_bag }];
    if supply > 0.0 {
        alert.reasons.push(Reason { code: "supply_share", value: of_supply });
    }
    if let Some((before, after)) = leg.before.zip(leg.after) {
        let price = |quote: u128, base: u64| quote as f64 / (base as f64).max(1.0);
        let hit = 1.0 - price(after.quote, after.base) / price(before.quote, before.base);
        alert.reasons.push(Reason { code: "price_hit", value: hit });
    }
    alert.profit = (leg.quote_mint == WRAPPED_SOL).then(|| i64::try_from(launch.dev_got).unwrap_or(i64::MAX));
    alert.open_inventory = launch.dev_bought.saturating_sub(launch.dev_sold);
    alert.legs = book.evidence(entry.seq, Role::Other).into_iter().collect();
    launch.dev_alert = Some(tracked.raise(launch.dev_alert, alert, 0));
}

/// Watches the quote that can be taken out, against its peak.
#[allow(clippy::cast_precision_loss, reason = "shares")]
fn drained(launch: &mut Launch, entry: &Entry, book: &Book, tracked: &mut Tracked) {
    let leg = &entry.leg;
    if leg.quote_mint != WRAPPED_SOL || launch.rugged {
        return;
    }
    let in_pool = || leg.after.and_then(|after| u64::try_from(after.quote).ok());
    let Some(real) = (if leg.venue.is_launchpad() { leg.curve_quote } else { in_pool() }) else { return };
    if real >= launch.peak || leg.recv_us - launch.peak_us > RUG_US {
        (launch.peak, launch.peak_us) = (real, leg.recv_us);
        return;
    }
    if launch.peak < PEAK || real as f64 > launch.peak as f64 * (1.0 - DRAINED) {
        return;
    }
    launch.rugged = true;
    let mut alert = Alert::about(leg, Class::Rug, FACT);
    if let Some(creator) = launch.creator_wallet.filter(|_| launch.dev_sold > 0) {
        alert.attackers = vec![Attacker { wallet: creator, link: Link::Owner }];
    }
    alert.reasons = vec![
        Reason { code: "drained_share", value: 1.0 - real as f64 / launch.peak as f64 },
        Reason { code: "peak_sol", value: launch.peak as f64 / 1e9 },
        Reason { code: "seconds", value: (leg.recv_us - launch.peak_us) as f64 / 1e6 },
    ];
    alert.legs = book.evidence(entry.seq, Role::Other).into_iter().collect();
    tracked.raise(None, alert, 0);
}

/// Standard deviation by mean.
#[allow(clippy::cast_precision_loss, reason = "small counts")]
fn variation(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    squares.sqrt() / mean.max(1.0)
}
