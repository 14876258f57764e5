//! A scenario as the messages of a stream, slot statuses included, and what can happen to them on their way: lost, repeated,
//! out of order, or of a slot that dies, after which the same transactions land in the next.

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;
use yellowstone_grpc_proto::geyser::{
    SlotStatus, SubscribeUpdate, SubscribeUpdateSlot, SubscribeUpdateTransaction, SubscribeUpdateTransactionInfo,
    subscribe_update::UpdateOneof,
};

use super::{DOMAIN, Scenario};
use crate::simulator::{
    feed::{Carries, Producer, SlotItem, SlotItemKind, SlotPlan},
    market::SLOT,
    noise,
};

/// Slots from processed to confirmed, behind whatever is out of order.
const CONFIRMED_AFTER: usize = 2;
/// Room for places within a slot.
const PLACES: u64 = 1 << 20;
/// Most copies of a repeated message: as many as further connections may bring.
const COPIES: u32 = 2;

/// What happens to messages on their way. Nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trouble {
    /// Share of transactions that never arrive.
    pub lost: f64,
    /// Share of transactions that arrive again.
    pub repeated: f64,
    /// Slots by which a transaction may come late.
    pub shuffled: u64,
    /// Share of slots that die.
    pub dead: f64,
}

/// See the module.
pub struct Messages {
    scenario: Scenario,
    trouble: Trouble,
    rng: Rng,
    /// Slots that died: all later ones are so much higher than the scenario counts.
    died: u64,
    /// What is still to come, by when.
    held: Vec<(u64, SubscribeUpdate)>,
    unconfirmed: VecDeque<u64>,
    newest: u64,
    ended: bool,
}

impl Messages {
    /// The messages of this scenario; the seed decides what happens to them.
    #[must_use]
    pub fn new(scenario: Scenario, trouble: Trouble, seed: u64) -> Self {
        Self {
            scenario,
            trouble,
            rng: Rng::with_seed(noise::mix(seed ^ DOMAIN.rotate_left(17))),
            died: 0,
            held: Vec::new(),
            unconfirmed: VecDeque::new(),
            newest: 0,
            ended: false,
        }
    }

    /// Transactions that did not come out as planned: always 0, as tests check.
    #[must_use]
    pub fn mismatches(&self) -> u64 {
        self.scenario.mismatches()
    }

    /// The messages of the next slot's time; `None` at the end.
    pub fn next_slot_messages(&mut self) -> Option<Vec<SubscribeUpdate>> {
        let until = if let Some(plan) = self.scenario.next_slot() {
            self.slot(plan);
            (self.newest + 1) * PLACES
        } else if self.ended {
            return None;
        } else {
            self.ended = true;
            self.confirm(0);
            u64::MAX
        };
        self.held.sort_by_key(|(due, _)| *due);
        let due = self.held.partition_point(|(due, _)| *due < until);
        Some(self.held.drain(..due).map(|(_, message)| message).collect())
    }

    fn slot(&mut self, plan: SlotPlan) {
        let infos = plan.items.into_iter().filter_map(|item| match item.kind {
            SlotItemKind::Transaction(info) => Some(*info),
            SlotItemKind::Account(_) | SlotItemKind::Recorded(_) => None,
        });
        let infos: Vec<SubscribeUpdateTransactionInfo> = infos.collect();
        let parent = self.unconfirmed.back().copied().unwrap_or(plan.parent);
        if self.rng.f64() < self.trouble.dead {
            let slot = plan.slot + self.died;
            // A leader who was cut off: its block ends early, and is known to be dead somewhat later.
            let part = self.rng.usize(0..=infos.len());
            self.block(slot, parent, infos.iter().take(part).cloned());
            let late = self.rng.u64(0..PLACES);
            self.hold(slot * PLACES + PLACES + late, status(slot, Some(parent), SlotStatus::SlotDead));
            self.died += 1;
        }
        let slot = plan.slot + self.died;
        self.newest = slot;
        self.block(slot, parent, infos.into_iter());
        let done = (slot + self.trouble.shuffled) * PLACES + PLACES - 1;
        self.hold(done, status(slot, Some(parent), SlotStatus::SlotProcessed));
        self.unconfirmed.push_back(slot);
        self.confirm(CONFIRMED_AFTER);
    }

    /// A slot's bank and transactions.
    fn block(&mut self, slot: u64, parent: u64, infos: impl Iterator<Item = SubscribeUpdateTransactionInfo>) {
        self.hold(slot * PLACES, status(slot, Some(parent), SlotStatus::SlotCreatedBank));
        for (index, mut info) in (0..).zip(infos) {
            info.index = index;
            if self.rng.f64() < self.trouble.lost {
                continue;
            }
            let copies = if self.rng.f64() < self.trouble.repeated { self.rng.u32(1..=COPIES) } else { 0 };
            for _ in 0..=copies {
                let late = if self.trouble.shuffled > 0 { self.rng.u64(0..self.trouble.shuffled * PLACES) } else { 0 };
                let transaction = SubscribeUpdateTransaction { transaction: Some(info.clone()), slot, bank_id: slot };
                let due = (slot * PLACES + 1 + index + late).min((slot + self.trouble.shuffled) * PLACES + PLACES - 2);
                self.hold(due, update(UpdateOneof::Transaction(transaction)));
            }
        }
    }

    fn confirm(&mut self, but: usize) {
        while self.unconfirmed.len() > but {
            let Some(slot) = self.unconfirmed.pop_front() else { return };
            let due = (self.newest + self.trouble.shuffled) * PLACES + PLACES - 1;
            self.hold(due, status(slot, None, SlotStatus::SlotConfirmed));
        }
    }

    fn hold(&mut self, due: u64, message: SubscribeUpdate) {
        self.held.push((due, message));
    }
}

impl Producer for Messages {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        let messages = self.next_slot_messages()?;
        let count = u32::try_from(messages.len()).unwrap_or(u32::MAX).max(1);
        let spread = |at: u32| -> Duration { SLOT * at / count };
        let items = (0..)
            .zip(messages)
            .map(|(at, message)| SlotItem { at: spread(at), kind: SlotItemKind::Recorded(Box::new(message)) });
        Some(SlotPlan { slot: self.newest, duration: SLOT, items: items.collect(), ..SlotPlan::default() })
    }

    fn carries(&self) -> Carries {
        Carries { slot_status: true, ..Carries::default() }
    }
}

fn update(message: UpdateOneof) -> SubscribeUpdate {
    SubscribeUpdate { update_oneof: Some(message), ..SubscribeUpdate::default() }
}

fn status(slot: u64, parent: Option<u64>, status: SlotStatus) -> SubscribeUpdate {
    update(UpdateOneof::Slot(SubscribeUpdateSlot { slot, parent, status: status.into(), ..Default::default() }))
}
