//! Plays a recording: its messages in their order, each in its own slot, at the pace at which they were received.

use std::{collections::VecDeque, mem, path::Path, time::Duration};

use prost::Message;
use yellowstone_grpc_proto::geyser::{SubscribeUpdate, subscribe_update::UpdateOneof};

use super::{
    feed::{Carries, Producer, SlotItem, SlotItemKind, SlotPlan},
    noise,
};
use crate::chain::recording::{Reader, RecordingError};

/// How long a slot lasts where the recording has no times (mainnet, October 2026).
pub const SLOT: Duration = Duration::from_micros(212_500);
/// Longest silence that is played as it was; a longer one is cut down to this.
pub const LONGEST_GAP: Duration = Duration::from_secs(2);

/// Leading messages looked at to find out what the recording carries.
const LOOK_AHEAD: usize = 4_096;
/// Leading bytes looked at: a recording of whole blocks has few but large messages.
const LOOK_AHEAD_BYTES: usize = 16 << 20;
/// Most messages in one plan; a slot with more goes out in several.
const PLAN_MESSAGES: usize = 8_192;
/// Most bytes in one plan.
const PLAN_BYTES: usize = 16 << 20;
/// Slots further apart than this are not of one stretch of time: no clock can be made of their distance.
const WILD: u64 = 1_000;
/// Names the block hashes of slots whose hash is not recorded.
const BLOCK_HASH: u64 = 1;

/// A recording as a [`Producer`].
///
/// Memory does not grow with the file: at most the leading messages and one plan are held. What the recording carries is
/// found in its first 4,096 messages (or 16 MiB): a live stream names its first slot well within them. Times come from
/// `created_at` where two messages have it (a jump back is no wait), else from the distance of their slots.
pub struct Playback {
    reader: Reader,
    ahead: VecDeque<SubscribeUpdate>,
    carries: Carries,
    failure: Option<RecordingError>,
    /// The first message of the next plan.
    pending: Option<SubscribeUpdate>,
    clock: Clock,
    last_slot: Option<u64>,
}

impl Playback {
    /// Opens a recording and looks at its beginning.
    ///
    /// # Errors
    /// When the file cannot be opened, or not even its first message can be read. Damage further on ends the playback
    /// there; [`Producer::failure`] then names it.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        Self::read(Reader::open(path)?)
    }

    /// Plays what this reader gives.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(reader: Reader) -> Result<Self, RecordingError> {
        let mut playback = Self {
            reader,
            ahead: VecDeque::new(),
            carries: Carries::default(),
            failure: None,
            pending: None,
            clock: Clock::default(),
            last_slot: None,
        };
        let mut bytes = 0;
        while playback.ahead.len() < LOOK_AHEAD && bytes < LOOK_AHEAD_BYTES {
            let Some(update) = playback.next_read() else { break };
            bytes += update.encoded_len();
            match &update.update_oneof {
                Some(UpdateOneof::Slot(_)) => playback.carries.slot_status = true,
                Some(UpdateOneof::BlockMeta(_)) => playback.carries.block_meta = true,
                Some(UpdateOneof::TransactionStatus(_)) => playback.carries.transaction_status = true,
                _ => {}
            }
            playback.ahead.push_back(update);
        }
        match playback.failure.take_if(|_| playback.ahead.is_empty()) {
            Some(error) => Err(error),
            None => Ok(playback),
        }
    }

    fn next_read(&mut self) -> Option<SubscribeUpdate> {
        match self.reader.next_as()? {
            Ok(update) => Some(update),
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }

    fn next_update(&mut self) -> Option<SubscribeUpdate> {
        self.ahead.pop_front().or_else(|| self.next_read())
    }

    /// The message the next plan begins with; its wait was part of the plan before.
    fn first(&mut self) -> Option<SubscribeUpdate> {
        self.pending.take().or_else(|| {
            let update = self.next_update()?;
            self.clock.step(&update);
            Some(update)
        })
    }

    /// Whether a message still belongs to the plan of this slot, which lasts so long already.
    fn goes_on(&self, slot: Option<u64>, lasts: Duration, update: &SubscribeUpdate) -> bool {
        if self.carries.slot_status { lasts < SLOT } else { slot_of(update).is_none_or(|next| Some(next) == slot) }
    }

    /// The plan of a slot; where the recording has slot statuses, only its items and duration are looked at.
    fn plan(&mut self, slot: u64, items: Vec<SlotItem>, duration: Duration, block_time: i64) -> SlotPlan {
        // The nearest slot played before is the best parent that can be named.
        let before = self.last_slot.replace(slot).filter(|last| (1..=WILD).contains(&slot.wrapping_sub(*last)));
        let parent = before.unwrap_or(slot.saturating_sub(1));
        SlotPlan {
            slot,
            parent,
            block_height: slot,
            block_time,
            blockhash: block_hash(slot),
            parent_blockhash: block_hash(parent),
            duration,
            dies: false,
            items,
        }
    }
}

impl Producer for Playback {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        let first = self.first()?;
        let block_time = first.created_at.as_ref().map_or(0, |time| time.seconds);
        let mut slot = slot_of(&first);
        let mut bytes = first.encoded_len();
        let mut timed = first.created_at.is_some();
        let mut at = Duration::ZERO;
        let mut updates = vec![(at, first)];
        let duration = loop {
            let Some(update) = self.next_update() else { break at.max(SLOT) };
            let wait = self.clock.step(&update);
            bytes += update.encoded_len();
            if updates.len() >= PLAN_MESSAGES || bytes > PLAN_BYTES || !self.goes_on(slot, at + wait, &update) {
                self.pending = Some(update);
                break at + wait;
            }
            at += wait;
            slot = slot.or_else(|| slot_of(&update));
            timed |= update.created_at.is_some();
            updates.push((at, update));
        };
        if !timed && !self.carries.slot_status {
            spread(&mut updates, duration.min(SLOT));
        }
        let item = |(at, update)| SlotItem { at, kind: SlotItemKind::Recorded(Box::new(update)) };
        let items = updates.into_iter().map(item).collect();
        Some(self.plan(slot.unwrap_or(0), items, duration, block_time))
    }

    fn carries(&self) -> Carries {
        self.carries
    }

    fn failure(&self) -> Option<String> {
        self.failure.as_ref().map(ToString::to_string)
    }
}

/// Spreads messages whose times within the slot are not known evenly over it.
fn spread(updates: &mut [(Duration, SubscribeUpdate)], slot: Duration) {
    let count = u32::try_from(updates.len()).unwrap_or(u32::MAX);
    for (number, (at, _)) in (0_u32..).zip(updates) {
        *at = slot * number / count;
    }
}

/// A stand-in for a block hash that is not recorded.
fn block_hash(slot: u64) -> [u8; 32] {
    noise::bytes([BLOCK_HASH, slot, 0])
}

/// The slot a message belongs to; 0, which stands for an unknown one, included.
fn slot_of(update: &SubscribeUpdate) -> Option<u64> {
    Some(match update.update_oneof.as_ref()? {
        UpdateOneof::Account(update) => update.slot,
        UpdateOneof::Slot(update) => update.slot,
        UpdateOneof::Transaction(update) => update.slot,
        UpdateOneof::TransactionStatus(update) => update.slot,
        UpdateOneof::Block(update) => update.slot,
        UpdateOneof::BlockMeta(update) => update.slot,
        UpdateOneof::Entry(update) => update.slot,
        _ => return None,
    })
}

/// How long to wait between two messages.
#[derive(Debug, Default)]
struct Clock {
    /// Microseconds since the Unix epoch.
    time: Option<i128>,
    slot: Option<u64>,
}

impl Clock {
    /// The wait before this message.
    fn step(&mut self, update: &SubscribeUpdate) -> Duration {
        let time = update.created_at.as_ref();
        let time = time.map(|time| i128::from(time.seconds) * 1_000_000 + i128::from(time.nanos) / 1_000);
        let waited = mem::replace(&mut self.time, time).zip(time).map(|(before, now)| {
            let gap = u64::try_from((now - before).max(0)).map_or(Duration::MAX, Duration::from_micros);
            gap.min(LONGEST_GAP)
        });
        let by_slots = slot_of(update).map_or(Duration::ZERO, |slot| self.step_slot(slot));
        waited.unwrap_or(by_slots)
    }

    fn step_slot(&mut self, slot: u64) -> Duration {
        let Some(last) = self.slot else {
            self.slot = Some(slot);
            return Duration::ZERO;
        };
        if slot == last || (slot < last && last - slot <= WILD && slot > 0) {
            return Duration::ZERO; // A status or a late message of a slot before: the time goes on from the newest.
        }
        self.slot = Some(slot);
        let slots = slot.checked_sub(last).filter(|slots| *slots <= WILD && last > 0).unwrap_or(1);
        u32::try_from(slots).map_or(LONGEST_GAP, |slots| SLOT.saturating_mul(slots)).min(LONGEST_GAP)
    }
}

#[cfg(test)]
mod tests {
    use yellowstone_grpc_proto::{geyser::SubscribeUpdateSlot, prost_types::Timestamp};

    use super::*;

    fn update(slot: u64, micros: Option<i64>) -> SubscribeUpdate {
        SubscribeUpdate {
            update_oneof: Some(UpdateOneof::Slot(SubscribeUpdateSlot { slot, ..SubscribeUpdateSlot::default() })),
            created_at: micros.map(|micros| Timestamp {
                seconds: micros.div_euclid(1_000_000),
                nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or(0),
            }),
            ..SubscribeUpdate::default()
        }
    }

    fn waits(updates: &[SubscribeUpdate]) -> Vec<Duration> {
        let mut clock = Clock::default();
        updates.iter().map(|update| clock.step(update)).collect()
    }

    #[test]
    fn times_rule_where_there_are_any() {
        let times = [0, 1_500, 1_400, 1_600, 60_000_000].map(|micros| update(7, Some(micros)));
        let micros = [0, 1_500, 0, 200].map(Duration::from_micros);
        assert_eq!(waits(&times), [&micros[..], &[LONGEST_GAP]].concat(), "back is no wait, a long gap is cut");
        let hostile = [i64::MIN, i64::MAX, 0].map(|seconds| SubscribeUpdate {
            created_at: Some(Timestamp { seconds, nanos: i32::MAX }),
            ..SubscribeUpdate::default()
        });
        assert_eq!(waits(&hostile), [Duration::ZERO, LONGEST_GAP, Duration::ZERO]);
    }

    #[test]
    fn slots_rule_where_there_are_no_times() {
        let slots = [100, 100, 101, 103, 102, 104, 154, 9_000, 0, 0, 9_000, 7, u64::MAX];
        let expected = [0, 0, 1, 2, 0, 1, 50, 1, 1, 0, 1, 1, 1].map(|slots| (SLOT * slots).min(LONGEST_GAP));
        assert_eq!(waits(&slots.map(|slot| update(slot, None))), expected);
    }
}
