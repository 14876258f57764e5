//! The ring of frozen slots: what `from_slot` replays, what commitments release and what unary calls answer from.

use std::collections::VecDeque;

use prost_types::Timestamp;
use tonic::Status;
use yellowstone_grpc_proto::geyser::{CommitmentLevel, SlotStatus};

use super::message::{Message, Slot};

/// A slot whose block is complete.
#[derive(Debug)]
pub(super) struct FrozenSlot {
    pub(super) slot: u64,
    pub(super) parent: Option<u64>,
    pub(super) height: u64,
    pub(super) blockhash: String,
    pub(super) level: CommitmentLevel,
    /// Its data in order; of accounts only the last write.
    pub(super) data: Vec<Message>,
    pub(super) meta: Option<Message>,
}

impl FrozenSlot {
    /// Data, then meta: the order in which a finished slot is sent.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.data.iter().chain(&self.meta)
    }

    /// The statuses it has reached, told at this time.
    pub(super) fn statuses(&self, created_at: Timestamp) -> impl Iterator<Item = Message> {
        let reached = [SlotStatus::SlotProcessed, SlotStatus::SlotConfirmed, SlotStatus::SlotFinalized];
        let (slot, parent, level) = (self.slot, self.parent, self.level as i32);
        reached
            .into_iter()
            .filter(move |status| *status as i32 <= level)
            .map(move |status| Message::Slot(Slot { slot, parent, status, created_at }))
    }
}

/// Frozen slots in the order they froze.
#[derive(Debug)]
pub(super) struct Ring {
    /// Each with the bytes of its data when it froze.
    slots: VecDeque<(FrozenSlot, usize)>,
    bytes: usize,
    replay: usize,
    /// Slots that are held whatever they weigh, and bytes beyond which no others are.
    least: usize,
    most_bytes: usize,
    /// Slots before this one are not offered any more.
    forgotten: u64,
}

impl Ring {
    /// Offers `replay` slots for replay, but holds no more of them than weigh `most_bytes`; the newest `least` it holds
    /// always.
    pub(super) fn new(replay: usize, least: usize, most_bytes: usize) -> Self {
        Self { slots: VecDeque::new(), bytes: 0, replay, least, most_bytes, forgotten: 0 }
    }

    pub(super) fn push(&mut self, slot: FrozenSlot) {
        let bytes = slot.messages().map(Message::bytes).sum();
        self.bytes += bytes;
        self.slots.push_back((slot, bytes));
        while self.slots.len() > self.least
            && (self.slots.len() > self.replay || self.bytes > self.most_bytes)
            && let Some((_, bytes)) = self.slots.pop_front()
        {
            self.bytes -= bytes;
        }
    }

    pub(super) fn get(&self, slot: u64) -> Option<&FrozenSlot> {
        self.iter().rev().find(|frozen| frozen.slot == slot)
    }

    pub(super) fn get_mut(&mut self, slot: u64) -> Option<&mut FrozenSlot> {
        self.slots.iter_mut().rev().map(|(frozen, _)| frozen).find(|frozen| frozen.slot == slot)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &FrozenSlot> {
        self.slots.iter().map(|(frozen, _)| frozen)
    }

    /// The newest slot of at least this level.
    pub(super) fn newest(&self, level: CommitmentLevel) -> Option<&FrozenSlot> {
        self.iter().rev().find(|frozen| frozen.level >= level)
    }

    /// The slots offered for replay.
    fn offered(&self) -> impl Iterator<Item = &FrozenSlot> {
        let kept = self.iter().skip(self.slots.len().saturating_sub(self.replay));
        kept.filter(|frozen| frozen.slot >= self.forgotten)
    }

    /// From now on, nothing older than the newest slot is offered for replay.
    pub(super) fn forget(&mut self) {
        self.forgotten = self.slots.back().map_or(0, |(frozen, _)| frozen.slot);
    }

    /// The oldest slot that can be replayed; `None` also when replay is off.
    pub(super) fn first_available(&self) -> Option<u64> {
        self.offered().map(|frozen| frozen.slot).min()
    }

    /// The slots from this one on that have reached this level, or the real server's refusal.
    pub(super) fn replay(&self, from: u64, level: CommitmentLevel) -> Result<Vec<&FrozenSlot>, Status> {
        if self.replay == 0 {
            return Err(Status::internal("from_slot is not supported"));
        }
        let Some(first) = self.first_available() else {
            return Err(Status::internal("failed to get replay response"));
        };
        if from < first {
            let message = format!("broadcast from {from} is not available, last available: {first}");
            return Err(Status::out_of_range(message));
        }
        let slots: Vec<_> = self.offered().filter(|frozen| frozen.slot >= from && frozen.level >= level).collect();
        if slots.is_empty() { Err(Status::internal("failed to get replay response")) } else { Ok(slots) }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::message::BlockMeta;
    use super::*;

    #[test]
    fn old_slots_go_by_number_and_by_weight_but_the_newest_stay() {
        let mut ring = Ring::new(8, 3, 1_000);
        let slot = |slot, bytes: usize| FrozenSlot {
            slot,
            parent: None,
            height: slot,
            blockhash: String::new(),
            level: CommitmentLevel::Processed,
            data: Vec::new(),
            meta: Some(Message::BlockMeta(BlockMeta { slot, body: Bytes::from(vec![0; bytes]) })),
        };
        let held = |ring: &Ring| ring.iter().map(|frozen| frozen.slot).collect::<Vec<_>>();
        for number in 1..=10 {
            ring.push(slot(number, 10));
        }
        assert_eq!(held(&ring), (3..=10).collect::<Vec<_>>());
        ring.push(slot(11, 950));
        assert_eq!(held(&ring), [6, 7, 8, 9, 10, 11]);
        ring.push(slot(12, 5_000));
        assert_eq!(held(&ring), [10, 11, 12]);
        assert_eq!(ring.first_available(), Some(10));
        for number in 13..=30 {
            ring.push(slot(number, 10));
        }
        assert_eq!(held(&ring), (23..=30).collect::<Vec<_>>());
    }
}
