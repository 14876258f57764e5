//! All detectors over one stream of legs: the only owner of what they share.

use super::{
    alert::{Alert, AlertId, Attacker, Class, Link, SUSPECTED},
    arbitrage::Arbitrage,
    book::{Book, Seq},
    copy_trade::CopyTrade,
    failed::{Failed, Known},
    features::{Features, Weights},
    habits::Habits,
    handed::Handed,
    launches::Launches,
    leg::Leg,
    lru::KeyHash,
    order_takers::OrderTakers,
    pools::{Pools, Step, pools},
    sandwich::{Judge, Judged, Scene},
    tracked::{Fate, Tracked},
    users::Users,
};
use crate::{
    chain::ids::Signature,
    decode::{
        Attempt, Event, EventKind, Transfer,
        event::{Flow, Liquidity},
    },
};

/// Slots from a launch on in which buying and selling on is a launch's own game.
const LAUNCH: u64 = 2;

/// Confidence below which a closed position speaks for its owner.
const HARMLESS: f64 = 0.1;

/// What the detectors hold and what they gave away at their bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes held when every table is full.
    pub bytes: usize,
    /// Pools forgotten because there were too many.
    pub pools_evicted: u64,
    /// Payers and programs forgotten because there were too many.
    pub users_evicted: u64,
    /// Receivers of tokens forgotten for newer ones. That goes on all the time: a transfer ties wallets for a short while.
    pub receivers_replaced: u64,
    /// Wallets whose round trips were forgotten for newer ones', which goes on likewise.
    pub habits_replaced: u64,
    /// Failed orders that were not looked at because too many waited.
    pub failed_dropped: u64,
}

/// See the module. Legs of a pool come in chain order.
#[derive(Debug)]
pub struct Detectors {
    weights: Weights,
    book: Book,
    pools: Pools,
    users: Users,
    tracked: Tracked,
    judge: Judge,
    arbitrage: Arbitrage,
    order_takers: OrderTakers,
    habits: Habits,
    copy_trade: CopyTrade,
    launches: Launches,
    handed: Handed,
    failed: Failed,
    /// Alerts to look at again because a leg of theirs turned out to be another's attack.
    again: Vec<AlertId>,
    /// What was looked at, where somebody wants to know.
    examined: Option<Vec<Examined>>,
}

/// A position that was looked at, whether it was told or not: what weights are fitted to.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The transaction of its first leg.
    pub front: Signature,
    /// Of its newest back leg.
    pub back: Signature,
    /// What was seen.
    pub features: Features,
}

impl Detectors {
    /// Detectors with these weights. `settled`: the stream carries confirmed slots only, so nothing is provisional.
    #[must_use]
    pub fn new(weights: Weights, settled: bool) -> Self {
        Self::with(&weights, settled, KeyHash::default())
    }

    /// The same, deciding the same each time: who serves many is estimated with hashes, and what stands on the border falls
    /// to one side or the other with the random seed of those. For streams that no stranger chooses.
    #[must_use]
    pub fn predictable(weights: Weights, settled: bool) -> Self {
        Self::with(&weights, settled, KeyHash::PREDICTABLE)
    }

    fn with(weights: &Weights, settled: bool, hash: KeyHash) -> Self {
        Self {
            weights: *weights,
            book: Book::new(hash),
            pools: pools(hash),
            users: Users::new(hash),
            tracked: Tracked::new(settled),
            judge: Judge::default(),
            arbitrage: Arbitrage::default(),
            order_takers: OrderTakers::new(hash),
            habits: Habits::default(),
            copy_trade: CopyTrade::new(hash),
            launches: Launches::new(hash),
            handed: Handed::default(),
            failed: Failed::default(),
            again: Vec::new(),
            examined: None,
        }
    }

    /// Weighs otherwise from here on, replays every position, and keeps what it looks at for [`examined`](Self::examined).
    pub fn study(&mut self, weights: &Weights) {
        self.weights = *weights;
        self.examined = Some(Vec::new());
    }

    /// What was looked at since the last time, in order; the same position comes again when more of it is known.
    pub fn examined(&mut self) -> Vec<Examined> {
        self.examined.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes the next event; `whole` is whether the reserve chain reaches it without a gap. Appends what it shows.
    pub fn event(&mut self, event: &Event, recv_us: i64, whole: bool, out: &mut Vec<Alert>) {
        match &event.kind {
            EventKind::Trade(_) => {
                if let Some(leg) = Leg::of(event, recv_us, whole) {
                    self.trade(&leg, out);
                }
            }
            EventKind::TokenCreated(created) => self.launches.created(event.slot, event.tx_index, created),
            EventKind::Liquidity(liquidity) => {
                self.tracked.caused(recv_us);
                self.liquidity(event, liquidity, recv_us);
                self.tracked.take(out);
            }
            _ => {}
        }
    }

    /// Takes a transfer beside trades: who is handed tokens acts for who had them.
    pub fn transferred(&mut self, transfer: &Transfer) {
        if let Some(mint) = transfer.mint {
            let (from, to) = (self.book.tag(&transfer.from), self.book.tag(&transfer.to));
            self.handed.add(from, to, mint);
        }
    }

    /// Takes an order that failed.
    pub fn attempted(&mut self, attempt: &Attempt, recv_us: i64) {
        self.failed.add(attempt, recv_us);
    }

    /// Takes the next leg of its pool; appends what it shows.
    pub fn trade(&mut self, leg: &Leg, out: &mut Vec<Alert>) {
        self.leg(leg);
        self.tracked.take(out);
    }

    fn leg(&mut self, leg: &Leg) {
        self.tracked.caused(leg.recv_us);
        let (pool, _) = self.pools.touch(leg.pool);
        let seq = self.book.push(leg, pool.last);
        pool.last = seq;
        let Some(entry) = self.book.get(seq) else { return };
        let (owner, payer, program) = (entry.owner, entry.payer, entry.program);
        if payer != owner {
            self.users.used(payer, owner, leg.recv_us);
        }
        if program != 0 {
            self.users.used(program, owner, leg.recv_us);
        }
        if leg.flow != Flow::User {
            return;
        }
        pool.washers.on(entry, &self.book, &mut self.tracked);
        let step = pool.step(seq, &mut self.book, &self.users, &self.handed);
        let closes = matches!(step, Some(Step::Closes { .. }));
        let (near, sizes) = (&mut pool.near, &pool.sizes);
        self.order_takers.on(seq, closes, near, sizes, &self.book, &mut self.tracked);
        pool.sizes.add(leg.quote);
        let Self { book, pools, tracked, .. } = self;
        self.arbitrage.on(seq, book, tracked, |pool, seq| {
            if let Some(pool) = pools.get_mut(&pool) {
                pool.forget(seq);
            }
        });
        if let Some(Step::Closes { first, base, completed }) = step
            && self.book.get(seq).is_some_and(|entry| !entry.arbitrage)
            && let Some(head) = self.book.get_mut(first)
            && head.position.add_back(seq, base)
        {
            self.closed(first, leg, completed);
        }
        self.launches.on(seq, &self.book, &mut self.tracked);
        self.copy_trade.on(seq, &self.book, &mut self.tracked);
    }

    fn liquidity(&mut self, event: &Event, liquidity: &Liquidity, recv_us: i64) {
        let Some((held, _)) = liquidity.raw_reserves_before else { return };
        let alert = Alert {
            venue: liquidity.venue,
            pool: liquidity.pool,
            mint: liquidity.mint,
            quote_mint: liquidity.quote_mint,
            attackers: vec![Attacker { wallet: liquidity.user, link: Link::Owner }],
            slot: event.slot,
            recv_us,
            ..Alert::empty(Class::Rug)
        };
        self.launches.withdrawn(alert, liquidity.action, liquidity.base_amount, held, &mut self.tracked);
    }

    /// An alert was handed on so long after its cause arrived, in microseconds: what its later states say too.
    pub fn handed_on(&mut self, id: AlertId, detect_us: u64) {
        self.tracked.handed_on(id, detect_us);
    }

    /// Takes what became of a slot.
    pub fn slot(&mut self, slot: u64, fate: Fate, out: &mut Vec<Alert>) {
        if fate == Fate::Dead {
            let Self { book, pools, .. } = self;
            // What was opened there is not open, and what was closed there is.
            book.bury(slot, |first| {
                if let Some(pool) = pools.get_mut(&first.leg.pool) {
                    pool.reopen(first);
                }
            });
        }
        let Self { book, pools, order_takers, failed, tracked, .. } = self;
        failed.slot(slot, fate, &Known { book, pools, order_takers }, tracked);
        self.tracked.slot(slot, fate);
        self.tracked.take(out);
    }

    /// A position was closed, or a part of it.
    fn closed(&mut self, first: Seq, leg: &Leg, completed: bool) {
        let confidence = self.look(first, leg);
        if completed && let Some(head) = self.book.get(first) {
            if confidence.is_none_or(|confidence| confidence < HARMLESS) {
                self.habits.traded(head.owner);
            }
            if confidence.is_none()
                && let Some(pool) = self.pools.get_mut(&leg.pool)
            {
                pool.tripped(head.owner);
            }
        }
        // Once: what these change in turn is seen when their own positions change.
        for at in 0..self.again.len() {
            if let Some(first) = self.again.get(at).and_then(|id| self.tracked.first(*id)) {
                let known = self.again.len();
                self.look(first, leg);
                self.again.truncate(known);
            }
        }
        self.again.clear();
    }

    /// Judges a position: how likely it is an attack, if anybody stands between its legs.
    fn look(&mut self, first: Seq, leg: &Leg) -> Option<f64> {
        let pool = self.pools.get(&leg.pool)?;
        let Self { book, users, handed, order_takers, habits, tracked, weights, judge, .. } = self;
        let scene = Scene {
            book,
            users,
            handed,
            order_takers,
            habits,
            pool,
            tracked,
            weights,
            thorough: self.examined.is_some(),
        };
        let known = scene.book.get(first).and_then(|entry| entry.position.alert);
        let Some(judged) = judge.judge(first, &scene) else {
            if let Some(id) = known {
                self.tracked.retract(id);
            }
            return None;
        };
        let confidence = Some(judged.confidence);
        if let Some(examined) = &mut self.examined
            && let Some(head) = self.book.get(first)
            && let Some(back) = self.book.get(head.position.last_back())
        {
            let (front, back) = (head.leg.signature, back.leg.signature);
            examined.push(Examined { front, back, features: judged.features });
        }
        if judged.confidence < SUSPECTED {
            // What was told and is no longer likely is taken back.
            if let Some(id) = known {
                self.tracked.retract(id);
            }
            return confidence;
        }
        let class = self.class(first, &judged);
        let Self { book, users, handed, order_takers, habits, tracked, weights, judge, .. } = self;
        let Some(pool) = self.pools.get(&leg.pool) else { return confidence };
        let scene = Scene { book, users, handed, order_takers, habits, pool, tracked, weights, thorough: false };
        let Some(alert) = judge.alert(first, &judged, class, &scene) else { return confidence };
        let id = self.tracked.raise(known, alert, first);
        self.mark(first, id, class);
        confidence
    }

    /// What a judged position is, by what the other detectors know of it too.
    fn class(&self, first: Seq, judged: &Judged) -> Class {
        let Some(head) = self.book.get(first) else { return judged.class() };
        if self.launches.age(&head.leg.mint, head.leg.place.slot).is_some_and(|age| age <= LAUNCH) {
            return Class::Launch;
        }
        let owners = || self.judge.victims().filter_map(|seq| self.book.get(seq)).map(|entry| entry.owner);
        let copiers = owners().filter(|owner| self.copy_trade.is_copier(*owner, head.owner)).count();
        if copiers * 2 > owners().count() {
            return Class::Bait;
        }
        match judged.class() {
            Class::SandwichWideCross if self.launches.is_sniper(head.owner) => Class::Momentum,
            class => class,
        }
    }

    /// Notes with the legs whose attack they are part of, and whose victims they are.
    fn mark(&mut self, first: Seq, id: AlertId, class: Class) {
        let Some((position, new)) = self.book.get_mut(first).map(|head| {
            // What is told again after its slot died is the same attack.
            let new = head.position.alert.replace(id).is_none();
            (head.position, new)
        }) else {
            return;
        };
        if !class.is_sandwich() {
            return;
        }
        let mut owners = [None; 2];
        for (slot, seq) in owners.iter_mut().zip([first, position.last_back()]) {
            *slot = self.book.get(seq).map(|entry| entry.owner);
        }
        if owners[0] == owners[1] {
            owners[1] = None;
        }
        for owner in owners.into_iter().flatten().filter(|_| new) {
            self.order_takers.attacked(owner);
        }
        for seq in position.fronts().chain(position.backs().map(|(seq, _)| seq)) {
            if let Some(entry) = self.book.get_mut(seq)
                && entry.attack.replace(id) != Some(id)
            {
                self.again.extend(entry.harmed_by.iter().flatten().filter(|other| **other != id));
            }
        }
        for seq in self.judge.victims() {
            let Some(entry) = self.book.get_mut(seq) else { continue };
            if entry.harmed_by.contains(&Some(id)) {
                continue;
            }
            self.again.extend(entry.harmed_by.iter().flatten());
            if let Some(free) = entry.harmed_by.iter_mut().find(|slot| slot.is_none()) {
                *free = Some(id);
            }
        }
    }

    /// What is held and what was given away.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds {
            bytes: self.handed.bytes()
                + self.habits.bytes()
                + self.book.bytes()
                + self.pools.bytes()
                + self.users.bytes()
                + self.order_takers.bytes()
                + self.copy_trade.bytes()
                + self.launches.bytes(),
            pools_evicted: self.pools.evicted(),
            users_evicted: self.users.evicted(),
            receivers_replaced: self.handed.forgotten(),
            habits_replaced: self.habits.forgotten(),
            failed_dropped: self.failed.dropped(),
        }
    }
}
