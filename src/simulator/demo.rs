//! The built-in demo: a simulated market, attacks planted beside it and what only looks like them, and the recorded mainnet
//! transactions shipped with the program, over and over.

use std::{
    time::{Duration, SystemTime, UNIX_EPOCH},
    vec,
};

use thiserror::Error;
use yellowstone_grpc_proto::geyser::{SubscribeUpdate, SubscribeUpdateTransactionInfo, subscribe_update::UpdateOneof};

use super::{
    feed::{Producer, SlotItem, SlotItemKind, SlotPlan},
    market::{MarketSettings, SimulatedMarket},
    noise,
    scenario::{Episodes, Settings, SettingsError},
};
use crate::chain::recording::{Reader, RecordingError};

/// The shipped recording; see `data/ATTRIBUTION.md`.
const RECORDING: &[u8] = include_bytes!("data/published.pb.zst");
/// Transactions per second that come from the recording.
const RECORDED_RATE: f64 = 4.0;
/// Episodes that play at a time: each lasts some eight seconds, and about every second is an attack.
const EPISODES: usize = 2;
/// Names the bytes that make the signatures of later passes.
const SIGNATURES: u64 = 2;

/// What a demo is like.
#[derive(Clone, Copy, Debug)]
pub struct DemoSettings {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// Transactions per second of the simulated market, 1 to 20,000. The recorded ones and some ten of the planted episodes
    /// come on top.
    pub rate: f64,
}

impl Default for DemoSettings {
    fn default() -> Self {
        Self { seed: 1, rate: 100.0 }
    }
}

/// Why there is no demo.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The shipped recording cannot be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The shipped scenario settings cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// The demo as a [`Producer`]: endless slots of a simulated market with others' transactions among its own.
pub struct Demo {
    market: SimulatedMarket,
    episodes: Episodes,
    recorded: Vec<SubscribeUpdateTransactionInfo>,
    /// What is left of this pass.
    pass: vec::IntoIter<SubscribeUpdateTransactionInfo>,
    passes: u64,
    rng: fastrand::Rng,
    /// From the start of the next slot to the next recorded transaction.
    until_next: Duration,
}

impl Demo {
    /// A demo that begins now.
    ///
    /// # Errors
    /// Never, as tests check: what is shipped can be read.
    pub fn new(settings: DemoSettings) -> Result<Self, DemoError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at(settings, i64::try_from(since.as_secs()).unwrap_or(0))
    }

    /// A demo that begins at this time by its chain's clock, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn at(settings: DemoSettings, start_time: i64) -> Result<Self, DemoError> {
        let market = MarketSettings { seed: settings.seed, rate: settings.rate, start_time };
        let market = SimulatedMarket::new(market).with_bundles().with_forks().with_curve_accounts();
        let episodes = Episodes::new(settings.seed, &Settings::shipped()?, None, EPISODES);
        let mut reader = Reader::from_zstd("published.pb.zst (shipped)", RECORDING)?;
        let mut recorded = Vec::new();
        while let Some(update) = reader.next_as::<SubscribeUpdate>() {
            if let Some(UpdateOneof::Transaction(update)) = update?.update_oneof {
                recorded.extend(update.transaction);
            }
        }
        let mut rng = fastrand::Rng::with_seed(noise::mix(settings.seed));
        let until_next = pause(&mut rng);
        Ok(Self { market, episodes, pass: recorded.clone().into_iter(), recorded, passes: 0, rng, until_next })
    }

    fn next_recorded(&mut self) -> Option<SubscribeUpdateTransactionInfo> {
        if self.pass.len() == 0 {
            self.passes += 1;
            self.pass = self.recorded.clone().into_iter();
        }
        let mut info = self.pass.next()?;
        resign(&mut info, self.passes);
        Some(info)
    }
}

impl Producer for Demo {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        let mut plan = self.market.next_slot()?;
        if plan.dies {
            // What is planted and what is recorded happens once.
            return Some(plan);
        }
        let bundles = self.episodes.slot(plan.slot, plan.block_time, plan.parent_blockhash);
        let count = u32::try_from(bundles.len()).unwrap_or(u32::MAX).max(1);
        // In their order, spread over the slot; nothing comes between those of a bundle.
        for (number, bundle) in (0..).zip(bundles) {
            let at = plan.duration * number / count;
            let place = plan.items.partition_point(|item| item.at <= at);
            let bundle = bundle.into_iter();
            let items = bundle.map(|info| SlotItem { at, kind: SlotItemKind::Transaction(Box::new(info)) });
            plan.items.splice(place..place, items);
        }
        while self.until_next < plan.duration {
            let at = self.until_next;
            self.until_next += pause(&mut self.rng);
            if let Some(info) = self.next_recorded() {
                let place = plan.items.partition_point(|item| item.at <= at);
                plan.items.insert(place, SlotItem { at, kind: SlotItemKind::Transaction(Box::new(info)) });
            }
        }
        self.until_next -= plan.duration;
        Some(plan)
    }
}

/// The time between two recorded transactions: around the mean, never long.
fn pause(rng: &mut fastrand::Rng) -> Duration {
    Duration::from_secs_f64((0.2 + 1.6 * rng.f64()) / RECORDED_RATE)
}

/// Gives a transaction of a later pass a signature of its own.
///
/// A signature happens once on a chain, so everything behind the stream drops a transaction whose signature it has seen. The
/// first pass is played as recorded, with signatures that an explorer finds; of later passes each signature is the real one
/// crossed with bytes of the pass, so that none comes twice and all are the same in every run.
fn resign(info: &mut SubscribeUpdateTransactionInfo, pass: u64) {
    if pass == 0 {
        return;
    }
    let cross = |signature: &mut Vec<u8>| {
        for (byte, noise) in signature.iter_mut().zip(noise::bytes::<64>([SIGNATURES, pass, 0])) {
            *byte ^= noise;
        }
    };
    cross(&mut info.signature);
    info.transaction.iter_mut().flat_map(|transaction| &mut transaction.signatures).for_each(cross);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn passes_carry_the_same_transactions_under_signatures_of_their_own() {
        let mut demo = Demo::new(DemoSettings::default()).unwrap();
        let recorded = demo.recorded.clone();
        let mut signatures = HashSet::new();
        for pass in 0..3 {
            for real in &recorded {
                let mut info = demo.next_recorded().unwrap();
                assert_eq!(info.signature, info.transaction.as_ref().unwrap().signatures[0]);
                assert_eq!(pass == 0, info == *real);
                assert!(signatures.insert(info.signature.clone()), "a signature came twice");
                resign(&mut info, pass);
                assert_eq!(info, *real, "nothing but the signatures differs");
            }
        }
        assert_eq!(signatures.len(), 3 * 58);
    }

    #[test]
    fn recorded_transactions_come_at_their_rate_in_advancing_slots() {
        let mut demo = Demo::new(DemoSettings { rate: 1.0, ..DemoSettings::default() }).unwrap();
        let recorded: HashSet<_> = demo.recorded.iter().map(|info| info.signature.clone()).collect();
        let mut elapsed = Duration::ZERO;
        let mut times = Vec::new();
        let mut slot = None;
        while times.len() < 58 {
            let plan = demo.next_slot().unwrap();
            assert!(slot.is_none_or(|last| last == plan.parent && last < plan.slot));
            if !plan.dies {
                slot = Some(plan.slot);
            }
            assert!(plan.items.is_sorted_by_key(|item| item.at));
            for item in &plan.items {
                assert!(item.at < plan.duration);
                if let SlotItemKind::Transaction(info) = &item.kind
                    && recorded.contains(&info.signature)
                {
                    times.push(elapsed + item.at);
                }
            }
            elapsed += plan.duration;
        }
        let rate = 57.0 / times.last().unwrap().abs_diff(times[0]).as_secs_f64();
        assert!((3.0..5.0).contains(&rate), "{rate}");
        assert!(
            times.windows(2).all(|pair| pair[1].abs_diff(pair[0]) < Duration::from_secs(1)),
            "spread, not in heaps"
        );
    }
}
