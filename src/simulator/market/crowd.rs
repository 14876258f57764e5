//! The actors: who does what next.

use std::collections::HashMap;

use fastrand::Rng;
use solana_sdk::pubkey::Pubkey;

use super::{
    agenda::{Act, Agenda, Plan},
    parts::{Done, Moment},
    state::{Token, WalletId, Wallets},
    truth::Role,
};

/// One SOL.
pub(super) const SOL: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000;

/// Wallets by trade, each up to the next; the rest of the crowd follows.
pub(super) const SPONSORS: WalletId = 16;
pub(super) const PROTOCOL: WalletId = SPONSORS;
pub(super) const CRANKS: WalletId = SPONSORS + 16;
pub(super) const LEADERS: WalletId = CRANKS + 16;
pub(super) const SNIPERS: WalletId = LEADERS + 64;
pub(super) const COPIERS: WalletId = SNIPERS + 64;
pub(super) const VOLUME_BOTS: WalletId = COPIERS + 64;
pub(super) const MAKERS: WalletId = VOLUME_BOTS + 64;

/// Of a thousand transactions nobody planned: launches, and moves of liquidity.
const LAUNCHES: u32 = 7;
const LIQUIDITY_MOVES: u32 = 6;
/// Of a thousand transactions nobody planned: exchanges of one token for another, if they fall into a pool.
const HOPS: u32 = 50;
/// Of a hundred trades: those in pools.
const IN_POOLS: u8 = 46;
/// Of a hundred tokens: those that run all the way.
const RUNNERS: u8 = 6;

/// All actors, and the tokens they trade.
pub(super) struct Crowd {
    pub(super) rng: Rng,
    pub(super) seed: u64,
    pub(super) wallets: Wallets,
    pub(super) tokens: HashMap<u64, Token>,
    /// Their numbers.
    pub(super) ids: HashMap<Pubkey, u64>,
    /// Tokens on their curve and in their pool; others are forgotten.
    pub(super) curves: Vec<u64>,
    pub(super) pools: Vec<u64>,
    most_curves: usize,
    most_pools: usize,
    agenda: Agenda,
    /// Some creators buy with several wallets.
    pub(super) bundles: bool,
    pub(super) launched: u64,
}

impl Crowd {
    pub(super) fn new(seed: u64, rate: f64) -> Self {
        let mut rng = Rng::with_seed(seed);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 20,000")]
        let rate = rate as u32;
        let wallets = Wallets::new(seed, MAKERS + 3_000 + 2 * rate, &mut rng);
        Self {
            rng,
            seed,
            wallets,
            tokens: HashMap::new(),
            ids: HashMap::new(),
            curves: Vec::new(),
            pools: Vec::new(),
            most_curves: (120 + 3 * rate as usize).min(6_000),
            most_pools: (24 + rate as usize / 5).min(600),
            agenda: Agenda::default(),
            bundles: false,
            launched: 0,
        }
    }

    /// Plans the beginning: tokens at all stages of life, reached by transactions like all others.
    pub(super) fn warm_up(&mut self, tokens: u32, graduates: u32, length: u64) {
        for number in 0..tokens + graduates {
            let plan = match number {
                number if number < graduates => Plan { heat: 3.0 + 9.0 * self.rng.f64(), mood: 0.52, rush: 1.1 },
                // Near graduation.
                number if number < graduates + tokens / 6 => {
                    Plan { heat: 12.0 + 12.0 * self.rng.f64(), mood: 0.7, rush: 0.8 + 0.17 * self.rng.f64() }
                }
                _ => Plan { heat: self.heat(), mood: 0.48 + 0.1 * self.rng.f64(), rush: 0.7 * self.rng.f64().powi(2) },
            };
            let creator = self.anybody();
            let at = length * u64::from(number) / u64::from(tokens + graduates);
            self.agenda.plan(at, Act::Launch { creator, plan });
        }
    }

    /// When the next planned act is due, in microseconds.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.agenda.first()
    }

    /// Planned acts that were given up because there were too many.
    pub(super) const fn refused(&self) -> u64 {
        self.agenda.refused()
    }

    /// The next transaction.
    pub(super) fn act(&mut self, now: u64, moment: &Moment) -> Done {
        for _ in 0..8 {
            let act = match self.agenda.pop(now) {
                Some(act) => act,
                None => self.spontaneous(),
            };
            if let Some(done) = self.perform(act, now, moment) {
                return done;
            }
        }
        // Somebody always wants to launch a token.
        let plan = self.fate();
        let creator = self.anybody();
        self.launch(creator, plan, now, moment)
    }

    pub(super) fn anybody(&mut self) -> WalletId {
        self.rng.u32(MAKERS..self.wallets.count())
    }

    pub(super) fn bot(&mut self, from: WalletId, to: WalletId) -> WalletId {
        self.rng.u32(from..to)
    }

    /// Attention is spread unevenly.
    fn heat(&mut self) -> f64 {
        (0.02 + self.rng.f64()).powf(-0.7).min(12.0)
    }

    fn fate(&mut self) -> Plan {
        if self.rng.u8(0..100) < RUNNERS {
            return Plan { heat: 16.0 + 14.0 * self.rng.f64(), mood: 0.76, rush: 0.05 };
        }
        Plan { heat: self.heat(), mood: 0.46 + 0.12 * self.rng.f64(), rush: 0.0 }
    }

    fn spontaneous(&mut self) -> Act {
        let draw = self.rng.u32(0..1_000);
        if draw < LAUNCHES || self.curves.is_empty() {
            return Act::Launch { creator: self.anybody(), plan: self.fate() };
        }
        let in_pool = !self.pools.is_empty() && self.rng.u8(0..100) < IN_POOLS;
        let Some(token) = self.attractive(in_pool) else {
            return Act::Launch { creator: self.anybody(), plan: self.fate() };
        };
        if in_pool && draw < LAUNCHES + LIQUIDITY_MOVES {
            return Act::Provide { token };
        }
        if in_pool && draw >= 1_000 - HOPS {
            let holders = self.tokens.get(&token).map(|token| token.holders.as_slice()).unwrap_or_default();
            let holder = self.rng.choice(holders).map(|(wallet, _)| *wallet).filter(|wallet| *wallet >= MAKERS);
            if let Some((wallet, to)) = holder.zip(self.attractive(true)) {
                return Act::Hop { from: token, to, wallet };
            }
        }
        self.organic(token)
    }

    /// One of the more attractive tokens.
    fn attractive(&mut self, in_pool: bool) -> Option<u64> {
        let ids = if in_pool { &self.pools } else { &self.curves };
        let (rng, tokens) = (&mut self.rng, &self.tokens);
        let drawn = (0..if in_pool { 3 } else { 7 }).filter_map(|_| rng.choice(ids).copied());
        let heat = |id: &u64| tokens.get(id).map_or(0.0, |token| token.heat);
        drawn.max_by(|one, other| heat(one).total_cmp(&heat(other)))
    }

    fn organic(&mut self, token: u64) -> Act {
        let followed = self.rng.u8(0..100) < 3;
        let (sells, holder) = match self.tokens.get_mut(&token) {
            Some(known) => {
                // Attention wears off.
                known.heat *= 0.998;
                (self.rng.f64() > known.mood, self.rng.choice(&known.holders).copied())
            }
            None => (false, None),
        };
        if let Some((wallet, _)) = holder.filter(|(wallet, _)| sells && *wallet >= MAKERS) {
            let percent = self.part_to_sell(token, wallet);
            return Act::Sell { token, wallet, percent, role: Role::Organic };
        }
        let wallet = match holder {
            // Some buy more of what they have.
            Some((wallet, _)) if wallet >= MAKERS && self.rng.u8(0..5) == 0 => wallet,
            _ if followed => self.bot(CRANKS, LEADERS),
            _ => self.anybody(),
        };
        Act::Buy { token, wallet, lamports: self.size(), role: Role::Organic }
    }

    /// The share of a holding that somebody sells: small holdings whole, large ones a bit at a time.
    fn part_to_sell(&mut self, token: u64, wallet: WalletId) -> u64 {
        let Some(token) = self.tokens.get(&token) else { return 100 };
        let (base, quote) = token.home.as_ref().map_or_else(
            || (token.curve.virtual_base, u128::from(token.curve.virtual_quote)),
            |home| (home.pool.base, home.pool.effective()),
        );
        let value = u128::from(token.held_by(wallet)) * quote / u128::from(base.max(1));
        let wanted = one_of(&mut self.rng, &[25, 50, 50, 75, 100, 100]);
        let most = u128::from(self.size()) * 150 / value.max(1);
        u64::try_from(most).unwrap_or(u64::MAX).clamp(1, wanted)
    }

    /// What people spend.
    fn size(&mut self) -> u64 {
        const USUAL: [u64; 12] = [20, 50, 100, 100, 150, 200, 250, 500, 500, 1_000, 1_000, 2_000];
        let thousandths = match self.rng.u8(0..100) {
            0..2 => self.rng.u64(3_000..12_000),
            _ => one_of(&mut self.rng, &USUAL),
        };
        let size = thousandths * SOL / 1_000;
        if self.rng.u8(0..3) == 0 { size } else { size / 1_000 * self.rng.u64(600..1_400) }
    }

    fn perform(&mut self, act: Act, now: u64, moment: &Moment) -> Option<Done> {
        match act {
            Act::Launch { creator, plan } => Some(self.launch(creator, plan, now, moment)),
            Act::Buy { token, wallet, lamports, role } => self.buy(token, wallet, lamports, role, now, moment),
            Act::Sell { token, wallet, percent, role } => self.sell(token, wallet, percent, role, now, moment),
            Act::Migrate { token, wallet } => self.migrate(token, wallet, now, moment),
            Act::Churn { token, wallet, lamports, rounds } => {
                let done = self.buy(token, wallet, lamports, Role::VolumeBot, now, moment)?;
                let sale = Act::Sell { token, wallet, percent: 100, role: Role::VolumeBot };
                self.later(now, 300, 1_500, sale);
                if rounds > 0 {
                    let lamports = lamports / 1_000 * self.rng.u64(850..1_150);
                    self.later(now, 1_600, 5_000, Act::Churn { token, wallet, lamports, rounds: rounds - 1 });
                }
                Some(done)
            }
            Act::Provide { token } => self.provide(token, moment),
            Act::Burn { token } => self.burn(token, now, moment),
            Act::List { token } => self.list(token, now, moment),
            Act::Pull { token, percent } => {
                let done = self.pull(token, percent, moment);
                self.look_for_hunters(token, now);
                done
            }
            Act::Arbitrage { token, wallet } => self.arbitrage(token, wallet, moment),
            Act::Hop { from, to, wallet } => {
                let done = self.hop(from, to, wallet, moment);
                self.look_for_hunters(from, now);
                self.look_for_hunters(to, now);
                done
            }
            Act::Watch { token, wallet, price } => self.watch(token, wallet, price, now, moment),
        }
    }

    /// Plans an act before all others.
    pub(super) fn at_once(&mut self, act: Act) {
        self.agenda.plan(0, act);
    }

    /// Plans an act so many milliseconds from now.
    pub(super) fn later(&mut self, now: u64, from: u64, to: u64, act: Act) {
        let wait = self.rng.u64(from..to.max(from + 1)) * MILLISECOND;
        self.agenda.plan(now + wait, act);
    }

    /// A token, if it is still looked at.
    pub(super) fn by_mint(&self, mint: &Pubkey) -> Option<&Token> {
        self.tokens.get(self.ids.get(mint)?)
    }

    /// Forgets tokens that nobody looks at any more.
    pub(super) fn forget(&mut self) {
        for (ids, most) in [(&mut self.curves, self.most_curves), (&mut self.pools, self.most_pools)] {
            while ids.len() > most {
                let heat = |place: &usize| {
                    ids.get(*place).and_then(|id| self.tokens.get(id)).map_or(0.0, |token| {
                        if token.curve.is_complete() && token.home.is_none() { f64::INFINITY } else { token.heat }
                    })
                };
                let drawn = (0..12).map(|_| self.rng.usize(0..ids.len()));
                let Some(place) = drawn.min_by(|one, other| heat(one).total_cmp(&heat(other))) else { break };
                if let Some(token) = self.tokens.remove(&ids.swap_remove(place)) {
                    self.ids.remove(&token.mint);
                }
            }
        }
    }
}

/// One of a list.
pub(super) fn one_of(rng: &mut Rng, list: &[u64]) -> u64 {
    rng.choice(list).copied().unwrap_or_default()
}
