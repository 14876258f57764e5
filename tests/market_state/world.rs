//! What is true of a simulated chain, token by token and pool by pool, as its truth tells it.

use std::collections::{BTreeMap, HashMap, HashSet};

use smart_stream_tui::{
    chain::ids::{Key, Mint, Pool, Wallet},
    market::{change::PoolAlarm, view::Stage},
    simulator::market::truth::{Reserves, Share, Truth, Venue, What},
};

/// What is true of a token.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) stage: Option<Stage>,
    /// Slot in which something last happened to it.
    pub(crate) last: u64,
    pub(crate) left: u64,
    pub(crate) reserves: Option<Reserves>,
    pub(crate) bought: u64,
    pub(crate) sold: u64,
    pub(crate) base: u64,
    pub(crate) buys: u64,
    pub(crate) sells: u64,
    pub(crate) traders: HashMap<Wallet, Account>,
    /// Milestones of progress and market cap in SOL, and which of them it is above.
    pub(crate) passed: [Vec<f64>; 2],
    pub(crate) above: [Vec<f64>; 2],
    pub(crate) burned: bool,
    pub(crate) pools: HashSet<Pool>,
    pub(crate) flags: HashSet<&'static str>,
    /// Its pool's liquidity changed twice in a row: no event says the state between, so that the trades behind it wait.
    pub(crate) late: bool,
    /// Trades below 0.01, 0.1, 1, 5 and 10 SOL and above.
    pub(crate) sizes: [u32; 6],
}

impl Wanted {
    /// Takes a figure: thresholds are passed once, and again only after a fall of a fifth below them.
    pub(crate) fn see(&mut self, kind: usize, value: f64) {
        const THRESHOLDS: [&[f64]; 2] = [&[25.0, 50.0, 75.0, 90.0, 95.0, 100.0], &[410.88, 420.0]];
        let (above, passed) = (&mut self.above[kind], &mut self.passed[kind]);
        above.retain(|threshold| value >= 0.8 * threshold);
        for threshold in THRESHOLDS[kind] {
            if value >= *threshold && !above.contains(threshold) {
                above.push(*threshold);
                passed.push(*threshold);
            }
        }
    }

    pub(crate) fn see_cap(&mut self, reserves: Reserves) {
        self.see(1, reserves.quote as f64 / reserves.base as f64 * 1e6);
    }
}

/// What a wallet did with a token.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) buys: u32,
    pub(crate) sells: u32,
    pub(crate) bought: u64,
    pub(crate) sold: u64,
    pub(crate) spent: u64,
    pub(crate) received: u64,
}

impl Account {
    pub(crate) fn turnover(&self) -> u64 {
        self.spent + self.received
    }
}

/// What is true of a pool or curve.
#[allow(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
#[derive(Default)]
pub(crate) struct WantedPool {
    pub(crate) reserves: Option<Reserves>,
    /// Of a curve.
    pub(crate) raised: Option<u64>,
    pub(crate) deposits: u64,
    pub(crate) withdrawals: u64,
    pub(crate) trades: u64,
    /// Virtual quote that the pool was opened with.
    pub(crate) hidden: u64,
    pub(crate) venue: Option<Venue>,
    /// The last thing that happened in it was a change of its liquidity.
    pub(crate) changed: bool,
    /// Its price has parted from the token's own.
    pub(crate) parted: bool,
    /// A curve that is sold out, and one that has moved to its pool.
    pub(crate) sold_out: bool,
    pub(crate) closed: bool,
}

pub(crate) const CURVE: u64 = 793_100_000_000_000;

/// What is true.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) tokens: BTreeMap<Mint, Wanted>,
    pub(crate) pools: BTreeMap<Pool, WantedPool>,
    /// Transactions that something happened in: slot and place.
    pub(crate) causes: HashSet<(u64, u64)>,
    /// What is told of pools at once, in order.
    pub(crate) alarms: Vec<(Pool, PoolAlarm)>,
}

/// What a price is made of.
pub(crate) trait Price {
    /// Quote units per base unit.
    fn price(&self) -> f64;
}

impl Price for Reserves {
    fn price(&self) -> f64 {
        self.quote as f64 / self.base as f64
    }
}

pub(crate) fn key<K>(key: solana_sdk::pubkey::Pubkey) -> Key<K> {
    Key::new(key.to_bytes())
}

pub(crate) fn progress(left: u64) -> f64 {
    (u128::from(CURVE - left) * 10_000 / u128::from(CURVE)) as f64 / 100.0
}

impl World {
    pub(crate) fn learn(&mut self, truth: &Truth) {
        self.causes.insert((truth.slot * 2, truth.transaction.into()));
        let (tokens, pools) = (&mut self.tokens, &mut self.pools);
        let mint = match &truth.what {
            What::Trade(trade) => trade.mint,
            What::Created { mint, .. }
            | What::Completed { mint, .. }
            | What::Beyond { mint, .. }
            | What::Migrated { mint, .. }
            | What::Opened { mint, .. }
            | What::Liquidity { mint, .. } => *mint,
        };
        tokens.entry(key(mint)).or_default().last = truth.slot * 2;
        match &truth.what {
            What::Created { mint, curve, reserves, mayhem, .. } => {
                let token = tokens.entry(key(*mint)).or_default();
                token.pools.insert(key(*curve));
                token.flags.extend(mayhem.then_some("mayhem"));
                (token.stage, token.left, token.reserves) = (Some(Stage::Created), CURVE, Some(*reserves));
                let curve = pools.entry(key(*curve)).or_default();
                (curve.reserves, curve.raised) = (Some(*reserves), Some(0));
            }
            What::Trade(trade) => {
                let pool = pools.entry(key(trade.pool)).or_default();
                pool.reserves = Some(trade.reserves_after);
                (pool.venue, pool.changed) = (Some(trade.venue), false);
                pool.trades += 1;
                pool.raised = trade.curve_after.map(|(_, raised)| raised);
                let token = tokens.entry(key(trade.mint)).or_default();
                token.pools.insert(key(trade.pool));
                if trade.creator_fee.0 > 0 {
                    token.flags.extend(match trade.share {
                        Share::Creator => None,
                        Share::Cashback => Some("cashback"),
                        Share::HolderRewards => Some("holder_rewards"),
                    });
                }
                if matches!(trade.venue, Venue::Pump | Venue::PumpSwap) {
                    token.reserves = Some(trade.reserves_after);
                    token.see_cap(trade.reserves_after);
                    let in_pool = trade.venue == Venue::PumpSwap;
                    token.stage = Some(if in_pool { Stage::Amm } else { Stage::Trading });
                } else {
                    let apart = (trade.reserves_after.price() / token.reserves.unwrap().price() - 1.0) * 100.0;
                    let parted = apart.abs() >= if pool.parted { 2.5 } else { 5.0 };
                    if parted && !std::mem::replace(&mut pool.parted, parted) {
                        self.alarms.push((key(trade.pool), PoolAlarm::Parted(apart)));
                    }
                    pool.parted = parted;
                }
                if let Some((left, _)) = trade.curve_after {
                    token.see(0, progress(left));
                    token.left = left;
                    if left == 0 {
                        token.stage = Some(Stage::Completing);
                    }
                }
                if trade.instruction == "boost_buy_and_burn" {
                    token.burned = true;
                    return;
                }
                let (money, count) =
                    if trade.buy { (&mut token.bought, &mut token.buys) } else { (&mut token.sold, &mut token.sells) };
                *money += trade.quote_amount;
                *count += 1;
                token.base += trade.base_amount;
                let bounds = [0.01, 0.1, 1.0, 5.0, 10.0, f64::INFINITY];
                let band = bounds.iter().position(|bound| (trade.quote_amount as f64) < bound * 1e9);
                token.sizes[band.unwrap()] += 1;
                let account = token.traders.entry(key(trade.user)).or_default();
                let (count, base, money) = if trade.buy {
                    (&mut account.buys, &mut account.bought, &mut account.spent)
                } else {
                    (&mut account.sells, &mut account.sold, &mut account.received)
                };
                *count += 1;
                *base += trade.base_amount;
                *money += trade.quote_amount;
            }
            What::Beyond { mint, user, base_amount, quote_amount, .. } => {
                let token = tokens.entry(key(*mint)).or_default();
                let account = token.traders.entry(key(*user)).or_default();
                account.bought += base_amount;
                account.spent += quote_amount;
                token.bought += quote_amount;
                token.base += base_amount;
            }
            What::Completed { mint, curve } => {
                tokens.entry(key(*mint)).or_default().stage = Some(Stage::Completing);
                pools.entry(key(*curve)).or_default().sold_out = true;
            }
            What::Migrated { mint, curve, pool, reserves, virtual_quote, .. } => {
                pools.entry(key(*curve)).or_default().closed = true;
                let token = tokens.entry(key(*mint)).or_default();
                token.flags.insert("graduated");
                token.pools.insert(key(*pool));
                (token.stage, token.reserves) = (Some(Stage::Migrated), Some(*reserves));
                let pool = pools.entry(key(*pool)).or_default();
                (pool.reserves, pool.hidden) = (Some(*reserves), *virtual_quote);
            }
            What::Opened { venue, mint, pool, base_amount, quote_amount, .. } => {
                tokens.entry(key(*mint)).or_default().pools.insert(key(*pool));
                let pool = pools.entry(key(*pool)).or_default();
                pool.venue = Some(*venue);
                pool.reserves = Some(Reserves { base: *base_amount, quote: *quote_amount });
            }
            What::Liquidity {
                venue, mint, pool: address, deposit, base_amount, vaults_before, reserves_after, ..
            } => {
                let pool = pools.entry(key(*address)).or_default();
                pool.reserves = Some(*reserves_after);
                *(if *deposit { &mut pool.deposits } else { &mut pool.withdrawals }) += 1;
                if *venue == Venue::PumpSwap {
                    let token = tokens.entry(key(*mint)).or_default();
                    token.late |= std::mem::replace(&mut pool.changed, true);
                    token.reserves = Some(*reserves_after);
                }
                let share = *base_amount as f64 / vaults_before.0 as f64 * 100.0;
                if !deposit && share >= 20.0 {
                    self.alarms.push((key(*address), PoolAlarm::LiquidityRemoved(share)));
                }
            }
        }
    }
}
