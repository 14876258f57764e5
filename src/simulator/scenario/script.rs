//! The script of an episode while it is written: who trades what in which slot, and what comes of it.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;

use super::{
    book::{Book, Fill, Order},
    settings::{Settings, lamports, share},
};
use crate::simulator::market::{
    curve::{Curve, CurveFill, POOL_BASE, REAL_BASE, SUPPLY},
    pool::Pool,
    stage::{PRIVATE, PUBLIC, Sender},
};

/// Number of a wallet.
pub(super) type WalletId = u32;

/// Wallets by trade: attackers first, four each, then those of lookalikes, the snipers, and everybody else.
pub(super) const PER_PERSONA: WalletId = 4;
pub(super) const BOTS: WalletId = 400;
pub(super) const SNIPERS: WalletId = 800;
pub(super) const CROWD: WalletId = 1_200;
pub(super) const WALLETS: WalletId = 7_200;

/// Past states of the book that somebody may have been quoted.
const PAST: usize = 4;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Crowd,
    Front(usize),
    Back(usize),
    /// Whom the attack was planned on.
    Victim,
    /// Looks like an attack.
    Lookalike,
}

/// A trade in a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deal {
    /// Which of the episode's books.
    pub(super) book: usize,
    pub(super) order: Order,
    pub(super) generation: u8,
    /// Nothing where it fails.
    pub(super) fill: Option<Fill>,
    /// Base and effective quote before it.
    pub(super) before: (u64, u64),
}

/// A transaction to be.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) slot: u32,
    /// Acts of the same bundle stand next to each other in their block.
    pub(super) bundle: u32,
    pub(super) sender: Sender,
    pub(super) role: Role,
    /// Tokens that went from one wallet to another before, by a plain transfer off this stream.
    pub(super) gift: Option<(WalletId, WalletId, u64)>,
    pub(super) deals: Vec<Deal>,
    /// Tokens handed over at the end.
    pub(super) hand: Option<(WalletId, u64)>,
    /// Moves the curve to its pool instead of trading.
    pub(super) migrates: bool,
}

/// How an attacker's wallets belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// One wallet.
    Owner,
    /// The tokens are handed over.
    Transfer,
    /// The same payer.
    Payer,
    /// A program of their own.
    Program,
    /// Only the amount.
    ExactAmount,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Script<'a> {
    pub(super) settings: &'a Settings,
    pub(super) rng: Rng,
    pub(super) books: Vec<Book>,
    past: VecDeque<Book>,
    pub(super) slot: u32,
    /// Organic trades to come in this slot.
    quota: u32,
    bundle: u32,
    bundled: bool,
    pub(super) acts: Vec<Act>,
    /// What wallets hold of the token, and held at the start.
    pub(super) held: BTreeMap<WalletId, u64>,
    pub(super) endowed: BTreeMap<WalletId, u64>,
    pub(super) start: Vec<Book>,
    /// A transfer off this stream that happens before the next act.
    pub(super) news: Option<(WalletId, WalletId, u64)>,
    flips: VecDeque<(u32, WalletId)>,
    pub(super) flippers: f64,
    /// The links of the attacks, by number.
    pub(super) attacks: Vec<Link>,
}

impl<'a> Script<'a> {
    /// An episode at its beginning, on a curve or in a pool where that matters.
    pub(super) fn new(settings: &'a Settings, on_curve: Option<bool>, mut rng: Rng) -> Self {
        let episode = &settings.episode;
        let on_curve = on_curve.unwrap_or(rng.f64() < episode.curve_share);
        let book = if on_curve {
            let mut curve = Curve::new();
            let sold = curve.buy_base(share(REAL_BASE, episode.curve_progress.draw(&mut rng)));
            curve.bought(&sold);
            Book::Curve(curve)
        } else {
            Book::Pool(pool(settings, &mut rng))
        };
        let mut script = Self {
            settings,
            rng,
            books: vec![book],
            past: VecDeque::new(),
            slot: 0,
            quota: 0,
            bundle: 0,
            bundled: false,
            acts: Vec::new(),
            held: BTreeMap::new(),
            endowed: BTreeMap::new(),
            start: vec![book],
            news: None,
            flips: VecDeque::new(),
            flippers: settings.organic.flippers,
            attacks: Vec::new(),
        };
        let sold = SUPPLY - book.reserves().0.min(SUPPLY);
        for _ in 0..episode.holders {
            let wallet = script.anybody();
            let most = sold / u64::from(episode.holders.max(1));
            let base = share(SUPPLY, episode.holder_share.draw(&mut script.rng)).min(most);
            script.endow(wallet, base);
        }
        script.draw_quota();
        script
    }

    /// Gives a wallet tokens from before the episode.
    pub(super) fn endow(&mut self, wallet: WalletId, base: u64) {
        *self.held.entry(wallet).or_default() += base;
        *self.endowed.entry(wallet).or_default() += base;
    }

    pub(super) fn anybody(&mut self) -> WalletId {
        self.rng.u32(CROWD..WALLETS)
    }

    pub(super) fn book(&self) -> Book {
        self.books.first().copied().unwrap_or(Book::Curve(Curve::new()))
    }

    pub(super) fn holds(&self, wallet: WalletId) -> u64 {
        self.held.get(&wallet).copied().unwrap_or(0)
    }

    /// The effective quote.
    pub(super) fn depth(&self) -> u64 {
        self.book().reserves().1
    }

    fn draw_quota(&mut self) {
        // Knuth's way to a Poisson number.
        let floor = (-self.settings.episode.trades_per_slot).exp();
        let (mut count, mut product) = (0, self.rng.f64());
        while product > floor {
            count += 1;
            product *= self.rng.f64();
        }
        self.quota = count;
    }

    /// Lets this slot's organic trades happen and goes on to the next.
    pub(super) fn next_slot(&mut self) {
        while self.quota > 0 {
            self.organic();
        }
        self.slot += 1;
        self.draw_quota();
    }

    /// Lets so many slots go by.
    pub(super) fn wait(&mut self, slots: u32) {
        for _ in 0..slots {
            self.next_slot();
        }
        self.some_of_the_slot();
    }

    /// Goes on to somewhere in that slot.
    pub(super) fn until(&mut self, slot: u32) {
        while self.slot < slot {
            self.next_slot();
        }
        self.some_of_the_slot();
    }

    /// What comes next comes somewhere among this slot's organic trades.
    pub(super) fn some_of_the_slot(&mut self) {
        for _ in 0..self.rng.u32(0..=self.quota) {
            self.organic();
        }
    }

    /// Transactions from here on stand next to each other, until [`apart`](Self::apart).
    pub(super) fn together(&mut self) {
        self.bundle += 1;
        self.bundled = true;
    }

    pub(super) fn apart(&mut self) {
        self.bundled = false;
    }

    /// Writes an act.
    pub(super) fn act(&mut self, sender: Sender, role: Role, deals: Vec<Deal>) -> &mut Act {
        if !self.bundled {
            self.bundle += 1;
        }
        let act = Act {
            slot: self.slot,
            bundle: self.bundle,
            sender,
            role,
            gift: self.news.take(),
            deals,
            hand: None,
            migrates: false,
        };
        let at = self.acts.len();
        self.acts.push(act);
        // Just pushed.
        &mut self.acts[at]
    }

    /// Makes a deal in a book, if its bound allows.
    pub(super) fn deal(&mut self, number: usize, wallet: WalletId, order: Order) -> Option<Deal> {
        let book = *self.books.get(number)?;
        let fill = book.fill(order)?;
        let generation = self.rng.u8(1..=3);
        let accepted = order.accepts(&fill);
        if accepted {
            let after = book.after(order.buys(), &fill, generation > 1);
            if let Some(book) = self.books.get_mut(number) {
                *book = after;
            }
            if number == 0 {
                self.past.push_front(book);
                self.past.truncate(PAST);
            }
            let held = self.held.entry(wallet).or_default();
            *held = if order.buys() { *held + fill.base() } else { held.saturating_sub(fill.base()) };
        }
        Some(Deal { book: number, order, generation, fill: accepted.then_some(fill), before: book.reserves() })
    }

    /// A transaction with one trade: what it got, unless it failed.
    pub(super) fn trade(&mut self, sender: Sender, order: Order, role: Role) -> Option<Fill> {
        let deal = self.deal(0, sender.wallet, order)?;
        self.act(sender, role, vec![deal]);
        deal.fill
    }

    /// Bounds an order as somebody would who saw the price a few trades ago.
    pub(super) fn quoted(&mut self, order: Order) -> Option<Order> {
        let organic = &self.settings.organic;
        let (ago, slippage) =
            (organic.quoted_trades_ago.whole(&mut self.rng), organic.slippage.draw_log(&mut self.rng));
        let past = (ago as usize).checked_sub(1).and_then(|ago| self.past.get(ago)).copied();
        let expected = past.unwrap_or(self.book()).fill(order)?;
        Some(order.slipping(&expected, slippage))
    }

    /// A buy of this size, exact in or out.
    pub(super) fn buy_of(&mut self, quote: u64, exact_out: f64) -> Option<Order> {
        let spend = Order::Spend { quote, least: 0 };
        if self.rng.f64() >= exact_out {
            return Some(spend);
        }
        let base = self.book().fill(spend)?.base();
        Some(Order::Take { base, most: u64::MAX / 4 })
    }

    /// What people spend.
    pub(super) fn size(&mut self) -> u64 {
        let organic = &self.settings.organic;
        // Box and Muller's way to a normal number.
        let radius = (-2.0 * (1.0 - self.rng.f64()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.rng.f64()).cos();
        let sol = organic.size_median_sol * (organic.size_sigma * normal).exp();
        lamports(sol.clamp(0.004, 20.0)).min(self.depth() / 12)
    }

    /// Somebody's way to send a transaction.
    pub(super) fn person(&mut self, wallet: WalletId) -> Sender {
        let organic = &self.settings.organic;
        let rng = &mut self.rng;
        Sender {
            wallet,
            payer: None,
            program: (rng.f64() < organic.routed).then(|| rng.usize(0..PUBLIC)),
            priority_fee: share(1, organic.priority_lamports.draw_log(rng)),
            tip: if rng.f64() < organic.tipped { share(1, organic.tip_lamports.draw_log(rng)) } else { 0 },
            units: rng.u32(180..400) * 1_000,
        }
    }

    /// A bot's: it calls the venue itself, or through a program of its own.
    pub(super) fn bot(&mut self, wallet: WalletId, own_program: bool) -> Sender {
        let attack = &self.settings.attack;
        let rng = &mut self.rng;
        let program = if rng.f64() < attack.public_program {
            Some(rng.usize(0..PUBLIC))
        } else {
            own_program.then_some(PUBLIC + wallet as usize / PER_PERSONA as usize % PRIVATE)
        };
        Sender {
            wallet,
            payer: None,
            program,
            priority_fee: share(1, attack.priority_lamports.draw_log(rng)),
            tip: if rng.f64() < attack.tipped { share(1, attack.tip_lamports.draw_log(rng)) } else { 0 },
            units: rng.u32(180..400) * 1_000,
        }
    }

    /// One of the trades that happen anyway.
    pub(super) fn organic(&mut self) {
        self.quota = self.quota.saturating_sub(1);
        if self.flips.front().is_some_and(|(slot, _)| *slot <= self.slot)
            && let Some((_, wallet)) = self.flips.pop_front()
        {
            let base = self.holds(wallet);
            let sender = self.person(wallet);
            if let Some(order) = self.quoted(Order::Sell { base, least: 0 }) {
                self.trade(sender, order, Role::Crowd);
            }
            return;
        }
        let fails = self.rng.f64() < self.settings.organic.fails;
        let buys = self.rng.f64() < self.settings.organic.buys;
        let size = self.size();
        let (wallet, order) = match self.holder() {
            Some((wallet, held)) if !buys => {
                let part = [0.25, 0.5, 1.0, 1.0][self.rng.usize(0..4)];
                let base = share(held, part).min(self.book().tokens(size.saturating_mul(2))).max(1);
                (wallet, Some(Order::Sell { base, least: 0 }))
            }
            _ => (self.anybody(), self.buy_of(size, self.settings.organic.exact_out)),
        };
        let Some(order) = order.and_then(|order| self.quoted(order)) else { return };
        let order = if fails { self.missed(order).unwrap_or(order) } else { order };
        let sender = self.person(wallet);
        let filled = self.trade(sender, order, Role::Crowd);
        if filled.is_some() && order.buys() && self.rng.f64() < self.flippers {
            let slot = self.slot + self.settings.organic.flip_slots.whole(&mut self.rng);
            let place = self.flips.partition_point(|(other, _)| *other <= slot);
            self.flips.insert(place, (slot, wallet));
        }
    }

    /// The same order with a bound that the price has left behind.
    fn missed(&self, order: Order) -> Option<Order> {
        let outcome = order.outcome(&self.book().fill(order)?);
        let most = matches!(order, Order::Take { .. });
        Some(order.bounded(if most { outcome - outcome / 50 } else { outcome + outcome / 50 }))
    }

    /// Somebody of the crowd who has some of the token.
    pub(super) fn holder(&mut self) -> Option<(WalletId, u64)> {
        let holders = self.held.range(CROWD..).filter(|(_, held)| **held > 1_000_000);
        let count = holders.clone().count();
        let at = self.rng.usize(0..count.max(1));
        holders.clone().nth(at).map(|(wallet, held)| (*wallet, *held))
    }

    /// Buys all that is left on the curve.
    pub(super) fn complete(&mut self, sender: Sender, base: u64, fill: CurveFill) {
        let order = Order::Take { base, most: fill.gross() };
        let before = self.book().reserves();
        if let Some(Book::Curve(curve)) = self.books.first_mut() {
            curve.bought(&fill);
        }
        *self.held.entry(sender.wallet).or_default() += base;
        let deal = Deal { book: 0, order, generation: 1, fill: Some(Fill::Curve(fill)), before };
        self.act(sender, Role::Crowd, vec![deal]);
    }

    /// Tokens and lamports that a completed curve takes to its pool.
    pub(super) fn raised(&self) -> (u64, u64) {
        match self.book() {
            Book::Curve(curve) => (POOL_BASE, curve.real_quote),
            Book::Pool(pool) => (pool.base, pool.quote),
        }
    }

    /// Moves the completed curve to its pool, where trading goes on.
    pub(super) fn migrate(&mut self, sender: Sender, pool: Pool) {
        self.act(sender, Role::Lookalike, Vec::new()).migrates = true;
        self.past.clear();
        if let Some(book) = self.books.first_mut() {
            *book = Book::Pool(pool);
        }
    }

    /// Opens another pool of the token.
    pub(super) fn open(&mut self, book: Book) {
        self.books.push(book);
        self.start.push(book);
    }

    /// Tokens change hands.
    pub(super) fn shift(&mut self, from: WalletId, to: WalletId, base: u64) {
        let held = self.held.entry(from).or_default();
        *held = held.saturating_sub(base);
        *self.held.entry(to).or_default() += base;
    }
}

/// A pool in a state as pools are in after a migration.
pub(super) fn pool(settings: &Settings, rng: &mut Rng) -> Pool {
    let effective = lamports(settings.episode.pool_quote_sol.draw(rng));
    let part = settings.episode.pool_virtual_share.draw(rng);
    let virtual_quote = i128::from(share(effective, part.abs())) * if part < 0.0 { -1 } else { 1 };
    let quote = u64::try_from(i128::from(effective) - virtual_quote).unwrap_or(effective);
    // The migration's product of base and quote.
    let base = u64::try_from(206_900_000_000_000_u128 * 85_000_000_000 / u128::from(effective.max(1))).unwrap_or(1);
    Pool { quote, virtual_quote, ..Pool::open(base, effective).0 }
}
