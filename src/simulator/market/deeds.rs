//! What actors do, and what comes of it: one transaction each, and plans for later.

use fastrand::Rng;

use super::{
    agenda::{Act, Plan},
    boost,
    crowd::{COPIERS, CRANKS, Crowd, LEADERS, MAKERS, PROTOCOL, SNIPERS, SOL, VOLUME_BOTS, one_of},
    curve::{REAL_BASE, VIRTUAL_BASE, VIRTUAL_QUOTE},
    curve_call::{self, CurveOrder, Failure},
    curve_instructions, launch,
    liquidity::{self, LiquidityOrder},
    migration,
    parts::{Bound, Done, Moment, Style, Writing},
    pool_call::{self, PoolOrder},
    state::{Token, WalletId},
    truth::Role,
};

/// Fewer lamports buy nothing worth the fee of the transaction, fewer tokens bring nothing.
const LEAST_SPENT: u64 = 1_000_000;
const LEAST_SOLD: u64 = 100_000_000;
/// Of a hundred trades: failures of people and of bots.
const FAILURES: u8 = 13;
const BOT_FAILURES: u8 = 24;
/// Of a hundred launches: those whose creator buys with several wallets.
const BUNDLED: u8 = 9;
/// Of a hundred migrations: those after which somebody opens a second pool.
const LISTED: u8 = 55;

impl Crowd {
    pub(super) fn launch(&mut self, creator: WalletId, plan: Plan, now: u64, moment: &Moment) -> Done {
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
            let call = pick(&mut self.rng, &curve_instructions::BUYS);
            let order = call.map(|call| CurveOrder { call, amount, bound: Bound::Slippage(3_000), failure: None });
            truth.extend(
                order
                    .map(|order| curve_call::trade(&mut writing, &mut self.wallets, &mut token, creator, &order, true))
                    .into_iter()
                    .flatten(),
            );
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
        self.ids.insert(token.mint, id);
        self.tokens.insert(id, token);
        self.curves.push(id);
        self.rush(id, &plan, now);
        self.attract_bots(id, now);
        if self.bundles && self.rng.u8(0..100) < BUNDLED {
            self.bundle(id, creator, now);
        }
        self.forget();
        writing.finish(&mut self.wallets, Role::Creator, truth)
    }

    /// Early buyers carry a token to where its plan wants it.
    fn rush(&mut self, token: u64, plan: &Plan, now: u64) {
        if plan.rush <= 0.0 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "actors only look at it")]
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

    /// Wallets of the creator's buy right behind the launch, and leave together. What they carried up falls with them: where
    /// nobody else has come, nothing is left.
    fn bundle(&mut self, token: u64, creator: WalletId, now: u64) {
        let leaves = self.rng.u64(6_000..40_000);
        for number in 0..self.rng.u64(3..7) {
            let wallet = self.anybody();
            let lamports = self.rng.u64(10..60) * SOL / 10;
            self.at_once(Act::Buy { token, wallet, lamports, role: Role::Bundler });
            let sale = Act::Sell { token, wallet, percent: 100, role: Role::Bundler };
            self.later(now, leaves + 200 * number, leaves + 200 * number + 400, sale);
        }
        let sale = Act::Sell { token, wallet: creator, percent: 100, role: Role::Creator };
        self.later(now, leaves, leaves + 1_000, sale);
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

    pub(super) fn buy(
        &mut self,
        id: u64,
        wallet: WalletId,
        lamports: u64,
        role: Role,
        now: u64,
        moment: &Moment,
    ) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        if lamports < LEAST_SPENT || !token.is_followed(wallet) {
            return None;
        }
        if role == Role::Organic
            && let Some(done) = self.elsewhere(id, wallet, (true, lamports), moment)
        {
            self.look_for_hunters(id, now);
            return Some(done);
        }
        let token = self.tokens.get_mut(&id)?;
        let human = matches!(role, Role::Organic | Role::Creator);
        let style = if human { Style::human(&mut self.rng) } else { Style::bot(&mut self.rng) };
        let fails = fails(&mut self.rng, role);
        let slippage_bps = if human { one_of(&mut self.rng, &[100, 300, 500, 1_000]) } else { 2_000 };
        let units = self.rng.u32(180..400) * 1_000;
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, units);
        let was_complete = token.curve.is_complete();
        let truth = if let Some(home) = token.home.as_ref() {
            let most = u64::try_from(home.pool.effective() / 25).unwrap_or(0);
            let call = pick(&mut self.rng, &pool_call::BUYS)?;
            let order = PoolOrder { call, amount: lamports.min(most), bound: Bound::Slippage(slippage_bps), fails };
            pool_call::trade(&mut writing, &mut self.wallets, token, wallet, &order)?
        } else {
            let call = pick(&mut self.rng, &curve_instructions::BUYS)?;
            let failure = if was_complete { Some(Failure::Complete) } else { fails.then_some(Failure::Slippage) };
            let order = CurveOrder { call, amount: lamports, bound: Bound::Slippage(slippage_bps), failure };
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
        self.look_for_hunters(id, now);
        Some(writing.finish(&mut self.wallets, role, truth))
    }

    pub(super) fn sell(
        &mut self,
        id: u64,
        wallet: WalletId,
        percent: u64,
        role: Role,
        now: u64,
        moment: &Moment,
    ) -> Option<Done> {
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
        if role == Role::Organic
            && let Some(done) = self.elsewhere(id, wallet, (false, base), moment)
        {
            self.look_for_hunters(id, now);
            return Some(done);
        }
        let token = self.tokens.get_mut(&id)?;
        let human = matches!(role, Role::Organic | Role::Creator);
        let style = if human { Style::human(&mut self.rng) } else { Style::bot(&mut self.rng) };
        let fails = fails(&mut self.rng, role);
        let slippage_bps = if human { one_of(&mut self.rng, &[100, 500, 1_500, 10_000]) } else { 5_000 };
        let units = self.rng.u32(160..360) * 1_000;
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, units);
        let truth = if token.home.is_some() {
            let call = pick(&mut self.rng, &pool_call::SELLS)?;
            let order = PoolOrder { call, amount: base, bound: Bound::Slippage(slippage_bps), fails };
            pool_call::trade(&mut writing, &mut self.wallets, token, wallet, &order)?
        } else {
            let call = pick(&mut self.rng, &curve_instructions::SELLS)?;
            let failure = fails.then_some(Failure::Slippage);
            let order = CurveOrder { call, amount: base, bound: Bound::Slippage(slippage_bps), failure };
            curve_call::trade(&mut writing, &mut self.wallets, token, wallet, &order, false)
        };
        if human {
            writing.tip();
        }
        if truth.is_empty() {
            // Who must sell tries again.
            self.later(now, 400, 2_500, Act::Sell { token: id, wallet, percent, role });
        }
        self.look_for_hunters(id, now);
        Some(writing.finish(&mut self.wallets, role, truth))
    }

    pub(super) fn migrate(&mut self, id: u64, wallet: WalletId, now: u64, moment: &Moment) -> Option<Done> {
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
            if self.rng.u8(0..100) < LISTED {
                self.later(now, 1_000, 25_000, Act::List { token: id });
            }
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
    pub(super) fn watch(&mut self, id: u64, wallet: WalletId, price: f64, now: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get(&id)?;
        let pool = token.home.as_ref()?.pool;
        #[allow(clippy::cast_precision_loss, reason = "actors only look at it")]
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
    pub(super) fn burn(&mut self, id: u64, now: u64, moment: &Moment) -> Option<Done> {
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
    pub(super) fn provide(&mut self, id: u64, moment: &Moment) -> Option<Done> {
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
}

/// Whether a trade fails; a bundle lands as a whole or not at all.
pub(super) fn fails(rng: &mut Rng, role: Role) -> bool {
    let share = match role {
        Role::Bundler => 0,
        Role::Organic | Role::Creator => FAILURES,
        _ => BOT_FAILURES,
    };
    rng.u8(0..100) < share
}

/// One of a list, by its weights of a hundred.
pub(super) fn pick<T>(rng: &mut Rng, weighted: &'static [(u8, T)]) -> Option<&'static T> {
    let draw = rng.u8(0..100);
    let mut sum = 0;
    weighted
        .iter()
        .find(|(weight, _)| {
            sum += weight;
            draw < sum
        })
        .map(|(_, item)| item)
}
