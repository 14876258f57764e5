//! What goes on around a token's second pool: somebody opens it and may empty it, people trade in it, aggregators split
//! orders over both pools and lead from one token into another, and others live on differences between the prices.

use super::{
    address::{PRIVATE_PROGRAMS, ROUTERS},
    agenda::Act,
    crowd::{Crowd, LEADERS, MAKERS, SNIPERS, SOL, one_of},
    deeds::{fails, pick},
    draft::Place,
    parts::{Bound, Done, Moment, Style, Writing},
    pool_call::{self, PoolOrder},
    raydium_call::{self, AsideOrder},
    raydium_liquidity,
    state::{Token, WalletId},
    truth::{Role, Trade, What},
};

/// The aggregator among the routers.
const AGGREGATOR: usize = 1;
/// Less in a second pool is not worth opening it.
const LEAST_OPENED: u64 = 3 * SOL;
/// Less than this in it and nobody trades there any more.
const DRAINED: u64 = SOL / 2;
/// Difference between two pools' prices that pays for the fees of both.
const WORTH_IT: f64 = 0.02;
/// Lamports below which a difference is left alone.
const LEAST_HUNTED: u64 = 20_000_000;
/// Of a hundred trades of people in a token with two pools: those in the second, and those split over both.
const ASIDE: u8 = 24;
const SPLIT: u8 = 16;

impl Token {
    /// Whether its second pool is worth a look.
    fn has_aside(&self) -> bool {
        self.home.is_some() && self.aside.as_ref().is_some_and(|aside| aside.pool.quote >= DRAINED)
    }
}

impl Crowd {
    /// A large holder opens a second pool.
    pub(super) fn list(&mut self, id: u64, now: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        let home = token.home.as_ref()?;
        if token.aside.is_some() {
            return None;
        }
        let (user, held) =
            *token.holders.iter().filter(|(wallet, _)| *wallet >= MAKERS).max_by_key(|(_, held)| *held)?;
        let (base_reserve, effective) = (u128::from(home.pool.base.max(1)), home.pool.effective());
        let worth = |base: u64| u64::try_from(u128::from(base) * effective / base_reserve).unwrap_or(0);
        let most = self.rng.u64(8..40) * SOL;
        let base = held / 10 * 8;
        let base = if worth(base) > most {
            u64::try_from(u128::from(most) * base_reserve / effective.max(1)).unwrap_or(0).min(base)
        } else {
            base
        };
        // Nobody knows the price to a thousandth.
        let quote = worth(base) / 1_000 * self.rng.u64(990..1_010);
        if quote < LEAST_OPENED {
            return None;
        }
        let style = Style { router: None, sponsor: None, ..Style::human(&mut self.rng) };
        let mut writing = Writing::new(moment, &mut self.wallets, user, style, 400_000);
        let truth = raydium_liquidity::open(&mut writing, &mut self.wallets, token, user, (base, quote))?;
        // Some stay, some take a part back, some all: who holds that much rarely says when.
        match self.rng.u8(0..10) {
            0..3 => self.later(now, 25_000, 90_000, Act::Pull { token: id, percent: 100 }),
            3..5 => {
                let percent = self.rng.u64(10..60);
                self.later(now, 20_000, 80_000, Act::Pull { token: id, percent });
            }
            _ => {}
        }
        Some(writing.finish(&mut self.wallets, Role::LiquidityProvider, truth))
    }

    /// Who opened a second pool takes a share of it back.
    pub(super) fn pull(&mut self, id: u64, percent: u64, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        let (user, provided) = token.aside.as_ref().map(|aside| (aside.provider, aside.provided))?;
        if !token.is_followed(user) {
            return None;
        }
        let lp = if percent >= 100 { provided } else { provided / 100 * percent };
        let style = Style { router: None, sponsor: None, ..Style::human(&mut self.rng) };
        let mut writing = Writing::new(moment, &mut self.wallets, user, style, 300_000);
        let truth = raydium_liquidity::withdraw(&mut writing, token, user, lp)?;
        Some(writing.finish(&mut self.wallets, Role::LiquidityProvider, truth))
    }

    /// Of a token with two pools, a person's trade may go elsewhere than to the first: `None` where it does not.
    pub(super) fn elsewhere(
        &mut self,
        id: u64,
        wallet: WalletId,
        (buy, amount): (bool, u64),
        moment: &Moment,
    ) -> Option<Done> {
        let draw = self.rng.u8(0..100);
        if !self.tokens.get(&id)?.has_aside() || draw >= ASIDE + SPLIT {
            return None;
        }
        if draw < ASIDE {
            self.trade_aside(id, wallet, (buy, amount), moment)
        } else {
            self.split(id, wallet, (buy, amount), moment)
        }
    }

    /// Trades in the second pool alone.
    fn trade_aside(&mut self, id: u64, wallet: WalletId, (buy, amount): (bool, u64), moment: &Moment) -> Option<Done> {
        let order = self.aside_order(id, buy, amount)?;
        let token = self.tokens.get_mut(&id)?;
        let style = Style::human(&mut self.rng);
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, 250_000);
        let truth = raydium_call::trade(&mut writing, &mut self.wallets, token, wallet, &order)?;
        writing.tip();
        Some(writing.finish(&mut self.wallets, Role::Organic, truth))
    }

    fn aside_order(&mut self, id: u64, buy: bool, amount: u64) -> Option<AsideOrder> {
        let pool = self.tokens.get(&id)?.aside.as_ref()?.pool;
        let (from, _) = pool.turned(buy);
        let given = pool.give(buy, amount.min(from / 16));
        let exact_out = self.rng.u8(0..4) == 0;
        Some(AsideOrder {
            buy,
            exact_out,
            older: self.rng.bool(),
            amount: if exact_out { given.output } else { given.input },
            slippage_bps: one_of(&mut self.rng, &[50, 100, 300, 1_000]),
            fails: fails(&mut self.rng, Role::Organic),
        })
    }

    /// An aggregator spreads an order over both pools.
    fn split(&mut self, id: u64, wallet: WalletId, (buy, amount): (bool, u64), moment: &Moment) -> Option<Done> {
        let aside = AsideOrder { exact_out: false, ..self.aside_order(id, buy, amount / 10 * 3)? };
        let calls = if buy { &pool_call::BUYS[..] } else { &pool_call::SELLS[..] };
        let call = pick(&mut self.rng, calls)?;
        let token = self.tokens.get_mut(&id)?;
        let given = token.aside.as_ref()?.pool.give(buy, aside.amount.min(amount / 10 * 3));
        let aside = AsideOrder { amount: given.input, ..aside };
        let home = PoolOrder { call, amount: amount / 10 * 7, bound: Bound::Slippage(300), fails: false };
        let style = Style { router: Some(AGGREGATOR), sponsor: None, ..Style::human(&mut self.rng) };
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, 500_000);
        writing.begin_route(if buy { amount } else { 0 }, amount);
        let mut truth = raydium_call::trade(&mut writing, &mut self.wallets, token, wallet, &aside)?;
        if !truth.is_empty() {
            let second = pool_call::trade(&mut writing, &mut self.wallets, token, wallet, &home);
            truth.extend(second.into_iter().flatten());
            writing.end_route(moved(&truth));
            writing.tip();
        }
        Some(writing.finish(&mut self.wallets, Role::Organic, truth))
    }

    /// An aggregator leads from one token over SOL into another.
    pub(super) fn hop(&mut self, from: u64, to: u64, wallet: WalletId, moment: &Moment) -> Option<Done> {
        let sell = pick(&mut self.rng, &pool_call::SELLS)?;
        let buy = pick(&mut self.rng, &pool_call::BUYS)?;
        let bound = Bound::Slippage(one_of(&mut self.rng, &[100, 300, 500]));
        let fails = fails(&mut self.rng, Role::Organic);
        let base = self.tokens.get(&from)?.held_by(wallet) / 2;
        let target = self.tokens.get(&to).filter(|token| token.is_followed(wallet))?.home.as_ref()?.pool;
        let brings = self.tokens.get(&from)?.home.as_ref()?.pool.sell(base)?.net();
        if from == to || brings < SOL / 50 || u128::from(brings) > target.effective() / 25 {
            return None;
        }
        let style = Style { router: Some(AGGREGATOR), sponsor: None, ..Style::human(&mut self.rng) };
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, 600_000);
        writing.begin_route(0, base);
        let order = PoolOrder { call: sell, amount: base, bound, fails };
        let mut truth = pool_call::trade(&mut writing, &mut self.wallets, self.tokens.get_mut(&from)?, wallet, &order)?;
        if !truth.is_empty() {
            // All that the first brought, but for the aggregator's own fee.
            let order = PoolOrder { call: buy, amount: brings / 100 * 99, bound, fails: false };
            let second = self
                .tokens
                .get_mut(&to)
                .and_then(|token| pool_call::trade(&mut writing, &mut self.wallets, token, wallet, &order));
            truth.extend(second.into_iter().flatten());
            writing.end_route(moved(&truth));
            writing.tip();
        }
        Some(writing.finish(&mut self.wallets, Role::Organic, truth))
    }

    /// Where the prices of a token's two pools have parted, somebody will see it.
    pub(super) fn look_for_hunters(&mut self, id: u64, now: u64) {
        let Some(token) = self.tokens.get_mut(&id).filter(|token| token.has_aside()) else { return };
        let gap = gap(token);
        let Some(aside) = token.aside.as_mut() else { return };
        if gap.abs() < WORTH_IT || std::mem::replace(&mut aside.hunted, true) {
            return;
        }
        let wallet = self.bot(LEADERS, SNIPERS);
        self.later(now, 200, 1_600, Act::Arbitrage { token: id, wallet });
    }

    /// Buys in the cheaper pool and sells in the dearer, in one transaction.
    pub(super) fn arbitrage(&mut self, id: u64, wallet: WalletId, moment: &Moment) -> Option<Done> {
        let token = self.tokens.get_mut(&id)?;
        token.aside.as_mut()?.hunted = false;
        if !token.has_aside() || !token.is_followed(wallet) {
            return None;
        }
        let dearer_aside = gap(token) > 0.0;
        let spend = best(token, dearer_aside).filter(|spend| *spend >= LEAST_HUNTED)?;
        let fails = fails(&mut self.rng, Role::MarketMaker);
        let style =
            Style { router: Some(ROUTERS.len() + self.rng.usize(0..PRIVATE_PROGRAMS)), ..Style::bot(&mut self.rng) };
        let (buy, sell) = (pick(&mut self.rng, &pool_call::BUYS)?, pick(&mut self.rng, &pool_call::SELLS)?);
        let before = token.held_by(wallet);
        let bound = Bound::Slippage(100);
        let aside = AsideOrder {
            buy: !dearer_aside,
            exact_out: false,
            older: false,
            amount: spend,
            slippage_bps: 100,
            fails: fails && !dearer_aside,
        };
        let mut writing = Writing::new(moment, &mut self.wallets, wallet, style, 400_000);
        writing.begin_route(spend, spend);
        let wallets = &mut self.wallets;
        let mut truth = if dearer_aside {
            let order = PoolOrder { call: buy, amount: spend, bound, fails };
            pool_call::trade(&mut writing, wallets, token, wallet, &order)?
        } else {
            raydium_call::trade(&mut writing, wallets, token, wallet, &aside)?
        };
        if !truth.is_empty() {
            let bought = token.held_by(wallet) - before;
            let second = if dearer_aside {
                let order = AsideOrder { buy: false, amount: bought, fails: false, ..aside };
                raydium_call::trade(&mut writing, wallets, token, wallet, &order)
            } else {
                let order = PoolOrder { call: sell, amount: bought, bound, fails: false };
                pool_call::trade(&mut writing, wallets, token, wallet, &order)
            };
            truth.extend(second.into_iter().flatten());
            writing.end_route(moved(&truth));
            writing.tip();
        }
        Some(writing.finish(&mut self.wallets, Role::Arbitrageur, truth))
    }
}

/// By how much the second pool is dearer than the first, a share.
#[allow(clippy::cast_precision_loss, reason = "actors only look at it")]
fn gap(token: &Token) -> f64 {
    let prices = token
        .home
        .as_ref()
        .zip(token.aside.as_ref())
        .map(|(home, aside)| (home.pool.effective() as f64 / home.pool.base.max(1) as f64, aside.price()));
    prices.map_or(0.0, |(home, aside)| aside / home - 1.0)
}

/// What to spend in the cheaper pool so that the most remains: where what both give for a little more is the same.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
fn best(token: &Token, dearer_aside: bool) -> Option<u64> {
    /// What is left of a trade after both pools' fees.
    const KEPT: f64 = 0.9875 * 0.9975;
    let (home, aside) = token.home.as_ref().zip(token.aside.as_ref())?;
    let first = (home.pool.base as f64, home.pool.effective() as f64);
    let second = (aside.pool.base as f64, aside.pool.quote as f64);
    let ((cheap_base, cheap_quote), (dear_base, dear_quote)) =
        if dearer_aside { (first, second) } else { (second, first) };
    let spend = ((KEPT * cheap_quote * dear_quote * cheap_base * dear_base).sqrt() - cheap_quote * dear_base)
        / (cheap_base + dear_base);
    (spend > 0.0).then_some(spend as u64)
}

/// What all trades of a route moved together.
fn moved(truth: &[(Place, What)]) -> (u64, u64) {
    let trades = truth.iter().filter_map(|(_, what)| match what {
        What::Trade(trade) => Some(&**trade),
        _ => None,
    });
    trades.fold((0, 0), |(base, quote), trade: &Trade| (base + trade.base_amount, quote.max(trade.quote_amount)))
}
