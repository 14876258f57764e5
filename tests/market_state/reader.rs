//! A market, and what it says of a stream that is brought to it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use smart_stream_tui::{
    chain::ids::{Mint, Pool, Signature},
    decode::event::Path,
    market::{
        Arrived, Market,
        change::{ChainEvent, Change, MilestoneKind, PoolAlarm, Status},
        detail::TokenDetail,
        reserve_chain::{Link, Order},
    },
    simulator::market::SLOT,
};

use crate::{Decoded, TIME, world::World};

/// A market and what it said.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) market: Market,
    pub(crate) changes: Vec<Change>,
    pub(crate) said: Said,
    pub(crate) first: Option<u64>,
    pub(crate) now_ms: i64,
}

impl Reader {
    pub(crate) fn take(&mut self, connection: usize, (transaction, events): &Decoded) {
        let at = Arrived { connection, recv_us: self.now_ms * 1_000, status: Status::Processed };
        if self.market.is_new(transaction) {
            for event in events {
                self.market.apply(event.clone(), at, &mut self.changes);
            }
        }
        self.said.hear(self.changes.drain(..));
    }

    pub(crate) fn slot(&mut self, slot: u64, parent: Option<u64>, status: i32) {
        self.market.slot(slot, parent, status, &mut self.changes);
        self.market.release(self.now_ms, &mut self.changes);
        self.said.hear(self.changes.drain(..));
    }

    /// Time of a slot, by the simulated chain's clock.
    pub(crate) fn at(&mut self, slot: u64) {
        let first = *self.first.get_or_insert(slot);
        let micros = i64::try_from((slot.max(first) - first) / 2 * u64::try_from(SLOT.as_micros()).unwrap()).unwrap();
        self.now_ms = TIME * 1_000 + micros / 1_000;
    }

    pub(crate) fn settle(&mut self) {
        self.market.settle(&mut self.changes);
        self.said.hear(self.changes.drain(..));
        self.market.age(self.now_ms);
    }

    /// The page of a token.
    pub(crate) fn page(&mut self, mint: Mint) -> Option<Arc<TokenDetail>> {
        self.market.open(Some(mint));
        self.market.detail(self.now_ms)
    }
}

/// What a market told.
#[derive(Default)]
pub(crate) struct Said {
    /// Events told and not retracted: slot, place in it, and which.
    pub(crate) standing: HashSet<(u64, u64, Path, u16)>,
    /// Places of the transactions in slots that die, to find what is retracted.
    pub(crate) places: HashMap<(u64, Signature), u64>,
    pub(crate) newest: HashMap<u32, Order>,
    /// Slots that died, by the test's will.
    pub(crate) dead: HashSet<u64>,
    pub(crate) milestones: HashMap<(Mint, MilestoneKind), Vec<f64>>,
    pub(crate) gaps: usize,
    pub(crate) alarms: Vec<(Pool, PoolAlarm)>,
}

impl Said {
    /// Every event is told once and in its pool's order; of slots that die they are told and retracted.
    pub(crate) fn hear(&mut self, changes: impl Iterator<Item = Change>) {
        for change in changes {
            match change {
                Change::Chain(ChainEvent { event, placed, .. }) => {
                    let what = (event.slot, event.tx_index, event.path, event.event_index);
                    assert!(self.standing.insert(what), "told twice");
                    if self.dead.contains(&event.slot) {
                        self.places.insert((event.slot, event.signature), event.tx_index);
                    }
                    let Some(placed) = placed else { continue };
                    self.gaps += usize::from(placed.link == Link::AfterGap);
                    if placed.link != Link::Late && !self.dead.contains(&event.slot) {
                        let order = Order::of(&event);
                        let last = self.newest.insert(placed.pool.0, order);
                        assert!(last.is_none_or(|last| last < order), "out of order");
                    }
                }
                Change::Retracted { slot, signature, path, event_index } => {
                    assert!(self.dead.contains(&slot));
                    let place = self.places[&(slot, signature)];
                    assert!(self.standing.remove(&(slot, place, path, event_index)), "retracted but not told");
                }
                Change::Alarm { pool, alarm, .. } => self.alarms.push((pool, alarm)),
                Change::Milestone { mint, kind, value, .. } => {
                    self.milestones.entry((mint, kind)).or_default().push(value);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn assert_complete(&self, world: &World) {
        assert!(self.standing.iter().all(|(slot, ..)| !self.dead.contains(slot)), "what died is retracted");
        let causes: HashSet<_> = self.standing.iter().map(|(slot, place, ..)| (*slot, *place)).collect();
        assert!(causes == world.causes, "seed {}: {} of {}", world.seed, causes.len(), world.causes.len());
    }

    /// What is told of each pool at once is what the truth says, in its order, and nothing else.
    pub(crate) fn assert_alarms(&self, world: &World) {
        let by_pool = |alarms: &[(Pool, PoolAlarm)]| {
            let mut by_pool: BTreeMap<Pool, Vec<PoolAlarm>> = BTreeMap::new();
            for (pool, alarm) in alarms {
                by_pool.entry(*pool).or_default().push(*alarm);
            }
            by_pool
        };
        let (got, want) = (by_pool(&self.alarms), by_pool(&world.alarms));
        let same = |got: &PoolAlarm, want: &PoolAlarm| {
            got.name() == want.name() && (got.percent() - want.percent()).abs() <= 1e-9 * want.percent().abs().max(1.0)
        };
        // Where the price of a token's own pool may be some slots old, another's has parted from that.
        let late: HashSet<Pool> =
            world.tokens.values().filter(|token| token.late).flat_map(|token| token.pools.iter().copied()).collect();
        for pool in got.keys().chain(want.keys()) {
            let counts = |alarm: &&PoolAlarm| !late.contains(pool) || matches!(alarm, PoolAlarm::LiquidityRemoved(_));
            let [got, want] = [&got, &want]
                .map(|alarms| alarms.get(pool).into_iter().flatten().filter(counts).copied().collect::<Vec<_>>());
            let equal = got.len() == want.len() && got.iter().zip(&want).all(|(got, want)| same(got, want));
            assert!(equal, "seed {}, pool {pool}: {got:?}, {want:?}", world.seed);
        }
    }

    /// Milestones are told, in order; one that a fork passed first need not be told again.
    pub(crate) fn assert_milestones(&self, world: &World, forked: bool) {
        for (mint, want) in &world.tokens {
            for (kind, passed) in
                [(MilestoneKind::Progress, &want.passed[0]), (MilestoneKind::MarketCapSol, &want.passed[1])]
            {
                // What was burnt makes the supply, and with it the cap, smaller than this test knows.
                if want.burned && kind == MilestoneKind::MarketCapSol {
                    continue;
                }
                let mut got = self.milestones.get(&(*mint, kind)).cloned().unwrap_or_default();
                let mut passed = passed.clone();
                if forked {
                    for list in [&mut got, &mut passed] {
                        let mut met = Vec::new();
                        list.retain(|value| {
                            let first = !met.contains(value);
                            met.push(*value);
                            first
                        });
                    }
                }
                assert_eq!(got, passed, "seed {}, token {mint}, {kind:?}", world.seed);
            }
        }
    }
}
