//! Ways of bringing the stream.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use smart_stream_tui::{
    chain::ids::Pool,
    market::view::EtaScoreView,
    simulator::market::truth::{Venue, What},
};

use crate::{
    Block, Bringer, CONFIRMED, DEAD, Decoded, PROCESSED,
    check::assert_is_truth,
    decoded,
    reader::Reader,
    world::{World, key},
};

/// As it happened.
#[derive(Default)]
pub(crate) struct InOrder {
    pub(crate) reader: Reader,
    pub(crate) parent: u64,
    pub(crate) score: EtaScoreView,
}

impl Bringer for InOrder {
    fn block(&mut self, block: &Block) {
        self.reader.at(block.slot);
        block.decoded.iter().for_each(|one| self.reader.take(0, one));
        let parent = std::mem::replace(&mut self.parent, block.slot);
        self.reader.slot(block.slot, Some(parent), PROCESSED);
        self.reader.slot(block.slot.saturating_sub(20), None, CONFIRMED);
        self.reader.market.age(self.reader.now_ms);
    }

    fn finish(&mut self, world: &World) {
        self.score = self.reader.market.eta_score();
        self.reader.settle();
        assert_is_truth(&mut self.reader, world);
        self.reader.said.assert_complete(world);
        self.reader.said.assert_milestones(world, false);
        self.reader.said.assert_alarms(world);
        assert_eq!(self.reader.said.gaps, 0);
    }
}

/// On three connections, each of which brings a transaction within two slots.
pub(crate) struct Shuffled {
    pub(crate) reader: Reader,
    pub(crate) dice: fastrand::Rng,
    /// By time of arrival, in slots.
    pub(crate) due: Vec<(f64, usize, Arc<Decoded>)>,
}

impl Shuffled {
    pub(crate) fn new(seed: u64) -> Self {
        Self { reader: Reader::default(), dice: fastrand::Rng::with_seed(seed), due: Vec::new() }
    }

    pub(crate) fn bring(&mut self, until: f64) {
        self.due.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = self.due.partition_point(|(at, ..)| *at < until);
        for (_, connection, one) in self.due.drain(..count).collect::<Vec<_>>() {
            self.reader.at(one.0.slot);
            self.reader.take(connection, &one);
        }
    }
}

impl Bringer for Shuffled {
    fn block(&mut self, block: &Block) {
        self.bring(block.slot as f64);
        for one in &block.decoded {
            for connection in 0..3 {
                // Slots count double here.
                self.due.push((block.slot as f64 + 2.0 * self.dice.f64(), connection, Arc::clone(one)));
            }
        }
        self.reader.slot(block.slot.saturating_sub(20), None, CONFIRMED);
    }

    fn finish(&mut self, world: &World) {
        self.bring(f64::INFINITY);
        self.reader.settle();
        assert_is_truth(&mut self.reader, world);
        self.reader.said.assert_complete(world);
    }
}

/// With forks that die.
pub(crate) struct Forked {
    pub(crate) reader: Reader,
    pub(crate) dice: fastrand::Rng,
    pub(crate) parent: u64,
}

impl Forked {
    pub(crate) fn new(seed: u64) -> Self {
        Self { reader: Reader::default(), dice: fastrand::Rng::with_seed(seed + 77), parent: 0 }
    }
}

impl Bringer for Forked {
    fn block(&mut self, block: &Block) {
        let (reader, dice) = (&mut self.reader, &mut self.dice);
        reader.at(block.slot);
        let parent = std::mem::replace(&mut self.parent, block.slot);
        let fork = block.slot - 1;
        let forked = dice.u8(0..4) == 0;
        let said = dice.bool();
        let before = dice.bool();
        if forked {
            reader.said.dead.insert(fork);
            reader.slot(fork, Some(parent), PROCESSED);
            let some = block.infos.len() * usize::from(dice.u8(0..=4)) / 4;
            for info in &block.infos[..some] {
                reader.take(0, &decoded(fork, info));
            }
            if said && before {
                reader.slot(fork, Some(parent), DEAD);
            }
        }
        block.decoded.iter().for_each(|one| reader.take(1, one));
        if forked && said && !before {
            reader.slot(fork, Some(parent), DEAD);
        }
        reader.slot(block.slot, Some(parent), PROCESSED);
        if dice.bool() || forked && !said {
            reader.slot(block.slot, Some(parent), CONFIRMED);
        }
    }

    fn finish(&mut self, world: &World) {
        self.reader.settle();
        assert_is_truth(&mut self.reader, world);
        self.reader.said.assert_complete(world);
        self.reader.said.assert_milestones(world, true);
    }
}

/// With one of 200 transactions lost.
pub(crate) struct Lossy {
    pub(crate) reader: Reader,
    pub(crate) dice: fastrand::Rng,
    pub(crate) pools: HashMap<Pool, Losses>,
    pub(crate) told: usize,
}

/// What was lost of a pool.
#[derive(Default)]
pub(crate) struct Losses {
    /// Something arrived.
    pub(crate) begun: bool,
    /// Something was lost since then, and since the last thing that arrived.
    pub(crate) open: bool,
    /// Something was lost between two things that were not.
    pub(crate) concerned: bool,
}

impl Lossy {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = fastrand::Rng::with_seed(seed + 5);
        Self { reader: Reader::default(), dice, pools: HashMap::new(), told: 0 }
    }
}

impl Bringer for Lossy {
    fn block(&mut self, block: &Block) {
        self.reader.at(block.slot);
        let mut lost = HashSet::new();
        for (one, place) in block.decoded.iter().zip(0_u32..) {
            if self.dice.u16(0..1_000) < 5 {
                lost.insert(place);
            } else {
                self.reader.take(0, one);
            }
        }
        self.reader.slot(block.slot, None, PROCESSED);
        self.reader.slot(block.slot.saturating_sub(20), None, CONFIRMED);
        for truth in &block.truths {
            let pool = match &truth.what {
                What::Created { curve: pool, .. }
                | What::Migrated { pool, .. }
                | What::Opened { pool, .. }
                | What::Liquidity { pool, .. } => *pool,
                What::Trade(trade) => trade.pool,
                _ => continue,
            };
            let losses = self.pools.entry(key(pool)).or_default();
            // What a swap leaves in such a pool no event says, so that none says what is missing either; what a change of
            // liquidity starts from may be less than where the last trade ended.
            let unsaid = match &truth.what {
                What::Trade(trade) => trade.venue == Venue::RaydiumCpmm,
                What::Opened { venue, .. } | What::Liquidity { venue, .. } => *venue != Venue::PumpSwap,
                _ => false,
            };
            if lost.contains(&truth.transaction) {
                losses.open |= losses.begun;
            } else {
                losses.concerned |= std::mem::take(&mut losses.open) && !unsaid;
                losses.begun = true;
            }
        }
    }

    fn finish(&mut self, world: &World) {
        self.reader.settle();
        for mint in world.tokens.keys() {
            let Some(page) = self.reader.page(*mint) else { continue };
            for got in &page.venues {
                let losses = self.pools.remove(&got.pool).unwrap();
                let what = format!("seed {}, pool {}", world.seed, got.pool);
                assert!(losses.begun, "{what}");
                assert_eq!(got.broken_since.is_some(), losses.concerned, "{what}");
                self.told += usize::from(losses.concerned);
            }
        }
        assert!(self.pools.values().all(|losses| !losses.begun), "every pool of which something arrived is known");
    }
}
