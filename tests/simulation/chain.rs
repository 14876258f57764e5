//! A made chain, the truth that everything is compared with.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use smart_stream_tui::{
    chain::{group::Group, program::Program},
    simulator::feed::{Producer, SlotItem, SlotItemKind, SlotPlan},
};
use yellowstone_grpc_proto::prelude::*;

pub(crate) type Signature = [u8; 64];

/// The token of every other transaction.
pub(crate) const TOKEN: [u8; 32] = [50; 32];

/// Whether a transaction is the token's.
pub(crate) fn has_token(signature: &Signature) -> bool {
    signature[8].is_multiple_of(2)
}

/// A transaction's name: slot in which it was made, place there, group.
pub(crate) fn signature(slot: u64, index: u32, group: Group) -> Signature {
    let mut signature = [7; 64];
    signature[..8].copy_from_slice(&slot.to_le_bytes());
    signature[8..12].copy_from_slice(&index.to_le_bytes());
    signature[16] = u8::try_from(group.index()).unwrap();
    signature
}

/// What a slot had, and when it began.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) at: Duration,
    pub(crate) transactions: Vec<(Signature, Group)>,
}

impl Made {
    /// Whether the same was executed.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.transactions == other.transactions
    }
}

#[derive(Debug, Default)]
pub(crate) struct Truth {
    pub(crate) slots: BTreeMap<u64, Made>,
}

/// Makes slots for as long as it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    random: Arc<Mutex<fastrand::Rng>>,
    next: Arc<Mutex<(u64, u64)>>,
    duration: Duration,
    pub(crate) truth: Arc<Mutex<Truth>>,
}

impl Chain {
    pub(crate) fn new(seed: u64, duration: Duration) -> Self {
        let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
        Self { random, next: Arc::new(Mutex::new((1_000, 999))), duration, truth: Arc::default() }
    }

    /// The chain goes on for so long without a server. The slot at hand before that is never finished there.
    pub(crate) fn unserved(&self, pause: Duration) {
        for _ in 0..=pause.as_millis() / self.duration.as_millis() {
            self.make(turmoil::sim_elapsed().unwrap_or_default());
        }
    }

    /// The slots that begin before this time of the simulation; when the next one begins.
    pub(crate) fn unserved_until(&self, time: Duration) -> Duration {
        loop {
            let made = u32::try_from(self.truth.lock().unwrap().slots.len()).unwrap();
            let next = self.duration * made;
            if next >= time {
                return next;
            }
            self.make(next);
        }
    }

    fn make(&self, at: Duration) -> SlotPlan {
        let mut random = self.random.lock().unwrap();
        let mut next = self.next.lock().unwrap();
        let (slot, parent) = *next;
        let skipped = if random.u8(..) < 24 { random.u64(1..4) } else { 0 };
        *next = (slot + 1 + skipped, slot);
        let mut transactions = Vec::new();
        let count = random.u32(0..4);
        let share = self.duration / count.max(1);
        let items = (0..count).map(|index| {
            let group = Group::BUILT_IN[random.usize(..Group::BUILT_IN.len())];
            let signature = signature(slot, index, group);
            transactions.push((signature, group));
            let program = Program::ALL.iter().find(|program| program.group() == group).unwrap();
            let mut keys = vec![vec![9; 32], program.id().to_bytes().to_vec()];
            keys.extend(has_token(&signature).then(|| TOKEN.to_vec()));
            let message = Message { account_keys: keys, ..Message::default() };
            let at = share * index + share.mul_f64(random.f64());
            let kind = SlotItemKind::Transaction(Box::new(SubscribeUpdateTransactionInfo {
                signature: signature.to_vec(),
                is_vote: false,
                transaction: Some(Transaction { signatures: vec![signature.to_vec()], message: Some(message) }),
                meta: Some(TransactionStatusMeta { fee: 5_000, ..Default::default() }),
                index: 0,
            }));
            SlotItem { at, kind }
        });
        let items = items.collect();
        self.truth.lock().unwrap().slots.insert(slot, Made { at, transactions });
        let hash = |slot: u64| {
            let mut hash = [1; 32];
            hash[..8].copy_from_slice(&slot.to_le_bytes());
            hash
        };
        SlotPlan {
            slot,
            parent,
            block_height: slot - 500,
            block_time: 1_700_000_000,
            blockhash: hash(slot),
            parent_blockhash: hash(parent),
            duration: self.duration,
            dies: false,
            items,
        }
    }
}

impl Producer for Chain {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        Some(self.make(turmoil::sim_elapsed().unwrap_or_default()))
    }
}
