//! The agents: who does what next, and what comes of it.

use std::collections::HashMap;

use fastrand::Rng;

use super::{
    agenda::{Act, Agenda, Plan},
    boost,
    curve::{REAL_BASE, VIRTUAL_BASE, VIRTUAL_QUOTE},
    curve_call::{self, CurveOrder, Failure},
    launch,
    liquidity::{self, LiquidityOrder},
    migration,
    parts::{Done, Moment, Style, Writing},
    pool_call::{self, PoolOrder},
    state::{Token, WalletId, Wallets},
    truth::Role,
};

/// One SOL.
const SOL: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000;
/// Fewer lamports buy nothing worth the fee of the transaction, fewer tokens bring nothing.
const LEAST_SPENT: u64 = 1_000_000;
const LEAST_SOLD: u64 = 100_000_000;

/// Wallets by trade; the rest of the crowd follows.
const SPONSORS: WalletId = 16;
const PROTOCOL: WalletId = SPONSORS;
const CRANKS: WalletId = SPONSORS + 16;
const LEADERS: WalletId = CRANKS + 16;
const SNIPERS: WalletId = LEADERS + 64;
const COPIERS: WalletId = SNIPERS + 64;
const VOLUME_BOTS: WalletId = COPIERS + 64;
const MAKERS: WalletId = VOLUME_BOTS + 64;

/// Of a thousand transactions nobody planned: launches, and moves of liquidity.
const LAUNCHES: u32 = 7;
const LIQUIDITY_MOVES: u32 = 6;
/// Of a hundred trades: those in pools.
const IN_POOLS: u8 = 46;
/// Of a hundred trades: failures of people and of bots.
const FAILURES: u8 = 13;
const BOT_FAILURES: u8 = 24;

/// All agents, and the tokens they trade.
pub(super) struct Crowd {
    rng: Rng,
    seed: u64,
    wallets: Wallets,
    tokens: HashMap<u64, Token>,
    /// Tokens on their curve and in their pool; others are forgotten.
    curves: Vec<u64>,
    pools: Vec<u64>,
    most_curves: usize,
    most_pools: usize,
    agenda: Agenda,
    launched: u64,
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
            curves: Vec::new(),
            pools: Vec::new(),
            most_curves: (120 + 3 * rate as usize).min(6_000),
            most_pools: (24 + rate as usize / 5).min(600),
            agenda: Agenda::default(),
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

    fn anybody(&mut self) -> WalletId {
        self.rng.u32(MAKERS..self.wallets.count())
    }

    fn bot(&mut self, from: WalletId, to: WalletId) -> WalletId {
        self.rng.u32(from..to)
    }

    /// Attention is spread unevenly.
    fn heat(&mut self) -> f64 {
        (0.02 + self.rng.f64()).powf(-0.7).min(12.0)
    }

    fn fate(&mut self) -> Plan {
        // A few run all the way.
        if self.rng.u8(0..100) < 4 {
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
        let wanted = [25, 50, 50, 75, 100, 100][self.rng.usize(0..6)];
        let most = u128::from(self.size()) * 150 / value.max(1);
        u64::try_from(most).unwrap_or(u64::MAX).clamp(1, wanted)
    }

    /// What people spend.
    fn size(&mut self) -> u64 {
        const USUAL: [u64; 12] = [20, 50, 100, 100, 150, 200, 250, 500, 500, 1_000, 1_000, 2_000];
        let thousandths = match self.rng.u8(0..100) {
            0..2 => self.rng.u64(3_000..12_000),
            _ => USUAL[self.rng.usize(0..USUAL.len())],
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
            Act::Watch { token, wallet, price } => self.watch(token, wallet, price, now, moment),
        }
    }

    /// Plans an act so many milliseconds from now.
    fn later(&mut self, now: u64, from: u64, to: u64, act: Act) {
        let wait = self.rng.u64(from..to.max(from + 1)) * MILLISECOND;
        self.agenda.plan(now + wait, act);
    }

    fn launch(&mut self, creator: WalletId, plan: Plan, now: u64, moment: &Moment) -> Done {
        self.launched += 1;
        let id = self.launched;
        let mut token = Token::launch(self.seed, id, creator, &mut self.rng);
        (token.heat, token.mood) = (plan.heat, plan.mood);
        let style = Style { router: None, sponsor: None, ..Style::human(&mut self.rng) };
        self.wallets.fund(creator, SOL);
        let mut writing = Writing::new(moment, &mut self.wallets, creator, style, 500_000);
        let mut truth = vec![launch::launch(&mut writing, &token)];
        if self.rng.u8(0..100) < 86 {
            let amount = self.rng.u64(1..30) * SOL / 10;
            let call = pick(&mut self.rng, &curve_call::BUYS);
            let order = CurveOrder { call, amount, slippage_bps: 3_000, failure: None };
            truth.extend(curve_call::trade(&mut writing, &mut self.wallets, &mut token, creator, &order, true));
            if self.rng.u8(0..100) < 55 {
                self.later(
                    now,
                    15_000,
                    120_000,
                    Act::Sell { token: id, wallet: creator, percent: 100, role: Role::Creator },
                );
            }
        } else {
            launch::state_vault(&mut writing, &token);
        }
        writing.tip();
        self.tokens.insert(id, token);
        self.curves.push(id);
        self.rush(id, &plan, now);
        self.attract_bots(id, now);
        self.forget();
        writing.finish(&mut self.wallets, Role::Creator, truth)
    }

    /// Early buyers carry a token to where its plan wants it.
    fn rush(&mut self, token: u64, plan: &Plan, now: u64) {
        if plan.rush <= 0.0 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "agents only look at it")]
        let (base, quote, real) = (VIRTUAL_BASE as f64, VIRTUAL_QUOTE as f64, REAL_BASE as f64);
        let wanted = quote * base / (base - plan.rush.min(1.0) * real) - quote;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 85 SOL")]
        let (wanted, buyers) = (wanted as u64, 3 + wanted as u64 / (9 * SOL));
        // Some of them fail, and those who come too late do too.
        let spare = if plan.rush > 1.0 { wanted / 2 } else { wanted / 10 };
        for number in 0..buyers {
            let lamports = (wanted + spare) / buyers / 100 * self.rng.u64(90..110);
            let wallet = self.anybody();
            let from = 40 + 50 * number;
            self.later(now, from, from + 50, Act::Buy { token, wallet, lamports, role: Role::Organic });
        }
    }

    /// Snipers come at once, volume bots stay for a while.
    fn attract_bots(&mut self, token: u64, now: u64) {
        for _ in 0..self.rng.u32(0..4) {
            let wallet = self.bot(LEADERS, SNIPERS);
            let lamports = self.rng.u64(2..18) * SOL / 10;
            self.later(now, 50, 700, Act::Buy { token, wallet, lamports, role: Role::Sniper });
            self.later(now, 4_000, 45_000, Act::Sell { token, wallet, percent: 100, role: Role::Sniper });
        }
        if self.rng.u8(0..100) < 12 {
            let wallet = self.bot(COPIERS, VOLUME_BOTS);
            let (lamports, rounds) = (self.rng.u64(1..8) * SOL / 10, self.rng.u32(3..16));
            self.later(now, 2_000, 15_000, Act::Churn { token, wallet, lamports, rounds });
        }
    }

    fn buy(&mut self, id: u64, wallet: WalletId, lamports: u64, role: Role, now: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        if lamports < LEAST_SPENT || !token.is_followed(wallet) {
            return None;
        }
        let human = matches!(role, Role::Organic | Role::Creator);
        let style = if human { Style::human(&mut self.rng) } else { Style::bot(&mut self.rng) };
        let fails = self.rng.u8(0..100) < if human { FAILURES } else { BOT_FAILURES };
        let slippage_bps = if human { [100, 300, 500, 1_000][self.rng.usize(0..4)] } else { 2_000 };
        let units = self.rng.u32(180..400) * 1_000;
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, units);
        let was_complete = token.curve.is_complete();
        let truth = if let Some(home) = token.home.as_ref() {
            let most = u64::try_from(home.pool.effective() / 25).unwrap_or(0);
            let call = pick(&mut self.rng, &pool_call::BUYS);
            let order = PoolOrder { call, amount: lamports.min(most), slippage_bps, fails };
            pool_call::trade(&mut writing, &mut self.wallets, token, wallet, &order)?
        } else {
            let call = pick(&mut self.rng, &curve_call::BUYS);
            let failure = if was_complete { Some(Failure::Complete) } else { fails.then_some(Failure::Slippage) };
            let order = CurveOrder { call, amount: lamports, slippage_bps, failure };
            curve_call::trade(&mut writing, &mut self.wallets, token, wallet, &order, false)
        };
        let completes = !was_complete && token.curve.is_complete();
        if human {
            writing.tip();
        }
        if completes {
            for _ in 0..self.rng.u32(1..3) {
                let crank = self.bot(PROTOCOL + 1, CRANKS);
                self.later(now, 250, 1_800, Act::Migrate { token: id, wallet: crank });
            }
        }
        if !truth.is_empty() && (CRANKS..LEADERS).contains(&wallet) {
            for _ in 0..self.rng.u32(1..4) {
                let copier = self.bot(SNIPERS, COPIERS);
                let lamports = lamports / 100 * self.rng.u64(20..90);
                self.later(now, 250, 1_200, Act::Buy { token: id, wallet: copier, lamports, role: Role::Copier });
                self.later(
                    now,
                    8_000,
                    40_000,
                    Act::Sell { token: id, wallet: copier, percent: 100, role: Role::Copier },
                );
            }
        }
        Some(writing.finish(&mut self.wallets, role, truth))
    }

    fn sell(&mut self, id: u64, wallet: WalletId, percent: u64, role: Role, now: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        let held = token.held_by(wallet);
        let base = if percent >= 100 { held } else { held / 100 * percent };
        if base < LEAST_SOLD {
            return None;
        }
        if token.home.is_none() && token.curve.is_complete() {
            // Nobody can sell until the pool is there.
            self.later(now, 2_000, 6_000, Act::Sell { token: id, wallet, percent, role });
            return None;
        }
        let human = matches!(role, Role::Organic | Role::Creator);
        let style = if human { Style::human(&mut self.rng) } else { Style::bot(&mut self.rng) };
        let fails = self.rng.u8(0..100) < if human { FAILURES } else { BOT_FAILURES };
        let slippage_bps = if human { [100, 500, 1_500, 10_000][self.rng.usize(0..4)] } else { 5_000 };
        let units = self.rng.u32(160..360) * 1_000;
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, units);
        let truth = if token.home.is_some() {
            let call = pick(&mut self.rng, &pool_call::SELLS);
            let order = PoolOrder { call, amount: base, slippage_bps, fails };
            pool_call::trade(&mut writing, &mut self.wallets, token, wallet, &order)?
        } else {
            let call = pick(&mut self.rng, &curve_call::SELLS);
            let failure = fails.then_some(Failure::Slippage);
            let order = CurveOrder { call, amount: base, slippage_bps, failure };
            curve_call::trade(&mut writing, &mut self.wallets, token, wallet, &order, false)
        };
        if human {
            writing.tip();
        }
        if truth.is_empty() {
            // Who must sell tries again.
            self.later(now, 400, 2_500, Act::Sell { token: id, wallet, percent, role });
        }
        Some(writing.finish(&mut self.wallets, role, truth))
    }

    fn migrate(&mut self, id: u64, wallet: WalletId, now: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        let style = Style::bot(&mut self.rng);
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, 600_000);
        let truth = migration::migrate(&mut writing, &self.wallets, token);
        if !truth.is_empty() {
            token.heat = token.heat.max(4.0);
            token.mood = 0.5;
            self.curves.retain(|curve| *curve != id);
            self.pools.push(id);
            self.later(now, 8_000, 40_000, Act::Burn { token: id });
            for _ in 0..2 {
                let maker = self.bot(VOLUME_BOTS, MAKERS);
                let lamports = self.rng.u64(5..20) * SOL / 10;
                self.later(now, 300, 2_500, Act::Buy { token: id, wallet: maker, lamports, role: Role::MarketMaker });
                self.later(now, 3_000, 6_000, Act::Watch { token: id, wallet: maker, price: 0.0 });
            }
        }
        self.forget();
        Some(writing.finish(&mut self.wallets, Role::Crank, truth))
    }

    /// A market maker leans against moves of the price.
    fn watch(&mut self, id: u64, wallet: WalletId, price: f64, now: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get(&id)?;
        let pool = token.home.as_ref()?.pool;
        #[allow(clippy::cast_precision_loss, reason = "agents only look at it")]
        let (seen, depth) = (pool.effective() as f64 / pool.base as f64, pool.effective() as f64);
        let held = token.held_by(wallet);
        let usual = if price > 0.0 { price + 0.2 * (seen - price) } else { seen };
        self.later(now, 800, 3_500, Act::Watch { token: id, wallet, price: usual });
        let away = if price > 0.0 { seen / price - 1.0 } else { 0.0 };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a pool")]
        let lamports = (depth * away.abs().min(0.06) / 3.0) as u64;
        if away < -0.01 {
            self.buy(id, wallet, lamports, Role::MarketMaker, now, moment)
        } else if away > 0.01 && held > 0 {
            self.sell(id, wallet, 40, Role::MarketMaker, now, moment)
        } else {
            None
        }
    }

    /// The protocol spends a bit of a pool's boost.
    fn burn(&mut self, id: u64, now: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        let spend = token.home.as_ref()?.boost / 100 * self.rng.u64(2..6);
        let style = Style::bot(&mut self.rng);
        let mut writing = Writing::new(moment, &mut self.wallets, PROTOCOL, style, 200_000);
        let truth = boost::burn(&mut writing, token, spend)?;
        writing.tip();
        self.later(now, 15_000, 60_000, Act::Burn { token: id });
        Some(writing.finish(&mut self.wallets, Role::Protocol, truth))
    }

    /// Somebody provides liquidity, or takes it back.
    fn provide(&mut self, id: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        let home = token.home.as_ref()?;
        let leaves = !home.providers.is_empty() && self.rng.u8(0..5) < 2;
        let (wallet, order) = if leaves {
            let (wallet, lp) = *self.rng.choice(&home.providers)?;
            let lp = if self.rng.bool() { lp } else { lp / 2 };
            (wallet, LiquidityOrder { deposit: false, lp })
        } else {
            let (wallet, held) = *self.rng.choice(&token.holders)?;
            let share = u128::from(held) * u128::from(home.pool.lp_supply) / u128::from(home.pool.base.max(1));
            let lp = u64::try_from(share * 9 / 10).unwrap_or(0).min(home.pool.lp_supply / 20);
            (wallet, LiquidityOrder { deposit: true, lp })
        };
        let style = Style { router: None, sponsor: None, ..Style::human(&mut self.rng) };
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, 250_000);
        let truth = liquidity::change(&mut writing, &mut self.wallets, token, wallet, order)?;
        Some(writing.finish(&mut self.wallets, Role::LiquidityProvider, truth))
    }

    /// Forgets tokens that nobody looks at any more.
    fn forget(&mut self) {
        for (ids, most) in [(&mut self.curves, self.most_curves), (&mut self.pools, self.most_pools)] {
            while ids.len() > most {
                let heat = |place: &usize| {
                    ids.get(*place).and_then(|id| self.tokens.get(id)).map_or(0.0, |token| {
                        if token.curve.is_complete() && token.home.is_none() { f64::INFINITY } else { token.heat }
                    })
                };
                let drawn = (0..12).map(|_| self.rng.usize(0..ids.len()));
                let Some(place) = drawn.min_by(|one, other| heat(one).total_cmp(&heat(other))) else { break };
                self.tokens.remove(&ids.swap_remove(place));
            }
        }
    }
}

/// One of a list, by its weights of a hundred.
fn pick<T>(rng: &mut Rng, weighted: &'static [(u8, T)]) -> &'static T {
    let mut draw = rng.u8(0..100);
    for (weight, item) in weighted {
        if draw < *weight {
            return item;
        }
        draw -= weight;
    }
    &weighted[0].1
}
