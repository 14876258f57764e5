//! Labelled scenarios: episodes of known kinds as real transactions, and the truth about each.
//!
//! ```text
//! settings    the numbers, from scenario.toml        kind       what an episode shows
//! book        a pool or curve to plan with           script     who trades what in which slot
//! attack      planted attacks                        lookalike  what only looks like one
//! loss        what would have happened without       episode    script → transactions and label
//! label       the truth                             messages   the stream, and what happens to it
//! ```
//! An episode is planned in whole with the market's integer arithmetic before its first transaction is written: an attacker
//! sees its victim's bound and sizes the front to it, which a plan can and a market of independent actors cannot. Several
//! episodes play at a time, each in its own pool, their transactions mixed in every slot.

mod attack;
mod book;
mod episode;
pub mod kind;
pub mod label;
mod lookalike;
mod loss;
mod messages;
mod script;
mod settings;

use std::collections::VecDeque;

use fastrand::Rng;
use yellowstone_grpc_proto::geyser::SubscribeUpdateTransactionInfo;

use self::{episode::Episode, label::LabelSink, script::WALLETS};
pub use self::{
    kind::Kind,
    messages::{Messages, Trouble},
    script::Link,
    settings::{Settings, SettingsError},
};
use super::{
    feed::{Producer, SlotItem, SlotItemKind, SlotPlan},
    market::{SLOT, stage::Stage},
    noise,
};

/// The slot a scenario of seed 0 begins in.
const FIRST_SLOT: u64 = 480_000_000;
/// Slots left to each seed.
const SLOTS_PER_SEED: u64 = 100_000;
/// Blocks are fewer than slots.
const SKIPPED: u64 = 22_000_000;
/// Scenarios are told from everything else that is made of the same seed.
const DOMAIN: u64 = 0x5ce9_a810;

/// Transactions that stand next to each other in their block.
pub(super) type Bundle = Vec<SubscribeUpdateTransactionInfo>;

/// Episodes in the making: which come, and those that play.
pub(super) struct Episodes {
    seed: u64,
    settings: Settings,
    stage: Stage,
    /// What is still to come; `None` for no end.
    program: Option<VecDeque<Kind>>,
    playing: Vec<(u64, Episode)>,
    concurrent: usize,
    begun: u64,
    sink: Option<LabelSink>,
    rng: Rng,
    mismatches: u64,
}

impl Episodes {
    /// Episodes of these kinds one after the other, or drawn from all kinds without end, so many at a time.
    pub(super) fn new(seed: u64, settings: &Settings, program: Option<Vec<Kind>>, concurrent: usize) -> Self {
        let own = noise::mix(seed ^ DOMAIN);
        Self {
            seed,
            settings: *settings,
            stage: Stage::new(own, WALLETS),
            program: program.map(Into::into),
            playing: Vec::new(),
            concurrent,
            begun: 0,
            sink: None,
            rng: Rng::with_seed(own),
            mismatches: 0,
        }
    }

    fn next_kind(&mut self) -> Option<Kind> {
        match &mut self.program {
            Some(program) => program.pop_front(),
            // Who waits for something to see should not wait long.
            None if self.begun == 0 => Some(Kind::Tight),
            None => self.rng.choice(Kind::ALL),
        }
    }

    /// This slot's transactions, in order; those of a bundle stand next to each other in their block.
    pub(super) fn slot(&mut self, slot: u64, time: i64, blockhash: [u8; 32]) -> Vec<Bundle> {
        while self.playing.len() < self.concurrent {
            let Some(kind) = self.next_kind() else { break };
            self.begun += 1;
            let rng = Rng::with_seed(noise::mix(self.seed ^ DOMAIN ^ self.begun.rotate_left(32)));
            // Not all begin in the same slot.
            let from = slot + self.rng.u64(0..4);
            let episode = Episode::new(kind, &self.settings, rng, &mut self.stage, from);
            self.playing.push((self.begun, episode));
        }
        let mut bundles = Vec::new();
        let mut waiting: Vec<usize> = (0..self.playing.len()).collect();
        while !waiting.is_empty() {
            let at = self.rng.usize(0..waiting.len());
            let Some((_, episode)) = waiting.get(at).and_then(|place| self.playing.get_mut(*place)) else { break };
            let bundle = episode.bundle(&mut self.stage, slot, (time, blockhash));
            if bundle.is_empty() {
                waiting.swap_remove(at);
            } else {
                bundles.push(bundle);
            }
        }
        let (over, playing) = std::mem::take(&mut self.playing).into_iter().partition(|(_, episode)| episode.is_over());
        self.playing = playing;
        let over: Vec<(u64, Episode)> = over;
        for (number, episode) in over {
            self.mismatches += episode.mismatches;
            let label = episode.end(&mut self.stage, (self.seed, number));
            if let Some(sink) = &mut self.sink {
                sink(label);
            }
        }
        bundles
    }

    fn is_over(&self) -> bool {
        self.playing.is_empty() && self.program.as_ref().is_some_and(VecDeque::is_empty)
    }
}

/// Episodes as a chain of their own: the same seed and program make the same slots.
pub struct Scenario {
    episodes: Episodes,
    start_time: i64,
    first_slot: u64,
    blocks: u64,
}

impl Scenario {
    /// So many episodes of each of these kinds, in an order drawn from the seed.
    #[must_use]
    pub fn new(seed: u64, settings: &Settings, kinds: &[Kind], each: usize, start_time: i64) -> Self {
        let mut program: Vec<Kind> = kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, each)).collect();
        Rng::with_seed(noise::mix(seed)).shuffle(&mut program);
        let concurrent = settings.episode.concurrent;
        let episodes = Episodes::new(seed, settings, Some(program), concurrent);
        Self { episodes, start_time, first_slot: FIRST_SLOT + seed % 1_000 * SLOTS_PER_SEED, blocks: 0 }
    }

    /// Tells this sink what each episode was.
    #[must_use]
    pub fn with_labels(mut self, sink: LabelSink) -> Self {
        self.episodes.sink = Some(sink);
        self
    }

    /// Transactions that did not come out as planned: always 0, as tests check.
    #[must_use]
    pub fn mismatches(&self) -> u64 {
        self.episodes.mismatches
    }
}

impl Producer for Scenario {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        if self.episodes.is_over() {
            return None;
        }
        let slot = self.first_slot + self.blocks;
        let hash = |slot: u64| noise::bytes([self.episodes.seed, DOMAIN, slot]);
        let (blockhash, parent_blockhash) = (hash(slot), hash(slot - 1));
        let since = SLOT * u32::try_from(self.blocks).unwrap_or(u32::MAX);
        let block_time = self.start_time.saturating_add_unsigned(since.as_secs());
        self.blocks += 1;
        let infos = self.episodes.slot(slot, block_time, parent_blockhash).concat();
        let count = u32::try_from(infos.len()).unwrap_or(u32::MAX).max(1);
        let spread = |at: u32| SLOT * at / count;
        let items = (0..)
            .zip(infos)
            .map(|(at, info)| SlotItem { at: spread(at), kind: SlotItemKind::Transaction(Box::new(info)) });
        Some(SlotPlan {
            slot,
            parent: slot - 1,
            block_height: self.first_slot - SKIPPED + self.blocks,
            block_time,
            blockhash,
            parent_blockhash,
            duration: SLOT,
            dies: false,
            items: items.collect(),
        })
    }
}
