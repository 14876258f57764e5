//! Plays a producer's slots in time: items at their offsets, block meta, processed; later confirmed and finalized.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep_until};
use yellowstone_grpc_proto::{
    geyser::{
        CommitmentLevel, SlotStatus, SubscribeUpdate, SubscribeUpdateBlockMeta, SubscribeUpdateSlot,
        subscribe_update::UpdateOneof,
    },
    prelude::{BlockHeight, UnixTimestamp},
};

use super::{
    hub::Hub,
    message::{Message, Slot},
    ring::FrozenSlot,
    settings::Pace,
    slots::Slots,
};
use crate::simulator::feed::{Carries, SlotItem, SlotItemKind, SlotPlan};

/// Shortest sleep: items that are due closer together than this are sent together.
const SLICE: Duration = Duration::from_millis(5);
/// Lag beyond which the schedule starts anew instead of catching up in a burst.
const MOST_LAG: Duration = Duration::from_secs(2);
/// At full speed, messages between two chances for the other tasks.
const YIELD_EVERY: u32 = 64;

/// Plays all slots, then ends all streams.
pub(super) async fn conduct(hub: Arc<Hub>, mut slots: Slots) {
    let enough = hub.settings.start_after_streams;
    // The hub outlives the wait, so the channel cannot be closed.
    let _ = hub.stats.subscribe().wait_for(|stats| stats.streams_started >= enough).await;
    let mut conductor = Conductor {
        clock: Clock::new(hub.settings.pace),
        hub,
        carries: slots.carries,
        metas: VecDeque::new(),
        unconfirmed: VecDeque::new(),
        unfinalized: VecDeque::new(),
        dead: Dead::default(),
        died: 0,
    };
    while let Some(plan) = slots.next().await {
        conductor.play(plan).await;
    }
    conductor.finish();
}

struct Conductor {
    hub: Arc<Hub>,
    clock: Clock,
    carries: Carries,
    /// Recorded metas of slots that are not frozen yet.
    metas: VecDeque<SubscribeUpdateBlockMeta>,
    unconfirmed: VecDeque<u64>,
    unfinalized: VecDeque<u64>,
    /// Slots that died and whose data is still to land.
    dead: Dead,
    /// How many have died: blocks are that much lower than the producer counts.
    died: u64,
}

/// Dead slots since the last one that lived.
#[derive(Default)]
struct Dead {
    /// Parent and its block hash of the first of them.
    parent: Option<(u64, [u8; 32])>,
    /// What happened in them.
    items: Vec<SlotItemKind>,
}

impl Conductor {
    async fn play(&mut self, mut plan: SlotPlan) {
        let follows = self.carries.slot_status;
        if plan.dies {
            self.adopt(&mut plan);
        } else {
            self.revive(&mut plan);
        }
        let faults = self.hub.faults.clone().filter(|faults| !follows && faults.has_dead_slots());
        let kept = faults.as_ref().map(|_| plan.items.clone());
        if !follows {
            self.lifecycle(&plan, SlotStatus::SlotFirstShredReceived);
            self.lifecycle(&plan, SlotStatus::SlotCreatedBank);
        }
        let mut index = 0;
        for item in std::mem::take(&mut plan.items) {
            self.clock.wait(item.at, &self.hub).await;
            match item.kind {
                SlotItemKind::Transaction(mut info) => {
                    info.index = index;
                    index += 1;
                    let with_status = !self.carries.transaction_status;
                    self.hub.execute(
                        plan.slot,
                        Message::transaction(plan.slot, plan.slot, *info, with_status, self.hub.now()),
                    );
                }
                SlotItemKind::Account(info) => {
                    self.hub.execute(plan.slot, Message::account(plan.slot, Some(plan.slot), *info, self.hub.now()));
                }
                SlotItemKind::Recorded(update) => self.recorded(*update),
            }
        }
        self.clock.wait(plan.duration, &self.hub).await;
        self.clock.next_slot(plan.duration);
        if !follows {
            self.lifecycle(&plan, SlotStatus::SlotCompleted);
            match kept {
                _ if plan.dies => self.hub.kill(plan.slot, Some(plan.parent)),
                Some(kept) if faults.is_some_and(|faults| faults.slot_dies()) => self.die(&plan, kept),
                _ => self.complete(&plan),
            }
        }
    }

    /// The slot dies: the next one gets its data and its parent.
    fn die(&mut self, plan: &SlotPlan, items: Vec<SlotItem>) {
        self.hub.kill(plan.slot, Some(plan.parent));
        self.died += 1;
        self.dead.parent = Some((plan.parent, plan.parent_blockhash));
        self.dead.items = items.into_iter().map(|item| item.kind).collect();
    }

    /// A slot behind dead ones stands on the last that lived.
    fn adopt(&self, plan: &mut SlotPlan) {
        plan.block_height = plan.block_height.saturating_sub(self.died);
        if let Some((parent, blockhash)) = self.dead.parent {
            (plan.parent, plan.parent_blockhash) = (parent, blockhash);
        }
    }

    /// What dead slots have left behind happens in this one, first of all.
    fn revive(&mut self, plan: &mut SlotPlan) {
        self.adopt(plan);
        let Dead { items, .. } = std::mem::take(&mut self.dead);
        plan.items.splice(0..0, items.into_iter().map(|kind| SlotItem { at: Duration::ZERO, kind }));
    }

    fn told(&self, slot: u64, parent: Option<u64>, status: SlotStatus) -> Slot {
        Slot { slot, parent, status, created_at: self.hub.now() }
    }

    fn lifecycle(&self, plan: &SlotPlan, status: SlotStatus) {
        self.hub.status(self.told(plan.slot, Some(plan.parent), status));
    }

    /// A message of a recording, in its own slot.
    fn recorded(&mut self, update: SubscribeUpdate) {
        match update.update_oneof {
            Some(UpdateOneof::Transaction(transaction)) => {
                let Some(info) = transaction.transaction else { return };
                let with_status = !self.carries.transaction_status;
                let message =
                    Message::transaction(transaction.slot, transaction.bank_id, info, with_status, self.hub.now());
                self.hub.execute(transaction.slot, message);
            }
            Some(UpdateOneof::TransactionStatus(status)) => {
                self.hub.execute(status.slot, Message::transaction_status(status, self.hub.now()));
            }
            Some(UpdateOneof::Account(account)) => {
                let Some(info) = account.account else { return };
                self.hub.execute(account.slot, Message::account(account.slot, account.bank_id, info, self.hub.now()));
            }
            Some(UpdateOneof::BlockMeta(meta)) => {
                self.hub.block_meta(&Message::block_meta(meta.clone(), self.hub.now()));
                if !self.hub.is_frozen(meta.slot) {
                    self.metas.push_back(meta);
                }
            }
            Some(UpdateOneof::Slot(slot)) => self.recorded_status(&slot),
            _ => {}
        }
    }

    fn recorded_status(&mut self, slot: &SubscribeUpdateSlot) {
        let Ok(status) = SlotStatus::try_from(slot.status) else { return };
        let level = match status {
            SlotStatus::SlotProcessed => CommitmentLevel::Processed,
            SlotStatus::SlotConfirmed => CommitmentLevel::Confirmed,
            SlotStatus::SlotFinalized => CommitmentLevel::Finalized,
            _ => return self.hub.status(self.told(slot.slot, slot.parent, status)),
        };
        if self.hub.is_frozen(slot.slot) {
            if level == CommitmentLevel::Processed {
                self.hub.status(self.told(slot.slot, slot.parent, status));
            }
        } else if level == CommitmentLevel::Processed || self.hub.executed(slot.slot) > 0 {
            let meta = self.take_meta(slot.slot);
            let plan = SlotPlan { slot: slot.slot, parent: slot.parent.unwrap_or_default(), ..SlotPlan::default() };
            self.freeze(&plan, slot.parent, meta);
        } else {
            return self.hub.status(self.told(slot.slot, slot.parent, status));
        }
        if level > CommitmentLevel::Processed {
            self.hub.reach(slot.slot, level, true);
        }
    }

    fn take_meta(&mut self, slot: u64) -> Option<SubscribeUpdateBlockMeta> {
        let place = self.metas.iter().position(|meta| meta.slot == slot)?;
        self.metas.remove(place)
    }

    /// The end of a slot whose statuses the server makes.
    fn complete(&mut self, plan: &SlotPlan) {
        if self.hub.is_frozen(plan.slot) {
            return; // A recording out of order: the slot was completed when it came first.
        }
        let meta = if self.carries.block_meta {
            self.take_meta(plan.slot)
        } else {
            let meta = self.made_meta(plan);
            self.hub.block_meta(&Message::block_meta(meta.clone(), self.hub.now()));
            Some(meta)
        };
        self.freeze(plan, Some(plan.parent), meta);
        self.unconfirmed.push_back(plan.slot);
        self.unfinalized.push_back(plan.slot);
        self.age(self.hub.settings.confirmed_after, self.hub.settings.finalized_after);
    }

    fn made_meta(&self, plan: &SlotPlan) -> SubscribeUpdateBlockMeta {
        SubscribeUpdateBlockMeta {
            slot: plan.slot,
            blockhash: Pubkey::new_from_array(plan.blockhash).to_string(),
            rewards: None,
            block_time: (plan.block_time != 0).then_some(UnixTimestamp { timestamp: plan.block_time }),
            block_height: Some(BlockHeight { block_height: plan.block_height }),
            parent_slot: plan.parent,
            parent_blockhash: Pubkey::new_from_array(plan.parent_blockhash).to_string(),
            executed_transaction_count: self.hub.executed(plan.slot),
            entries_count: 0,
            bank_id: plan.slot,
        }
    }

    fn freeze(&self, plan: &SlotPlan, parent: Option<u64>, meta: Option<SubscribeUpdateBlockMeta>) {
        let height = meta.as_ref().and_then(|meta| meta.block_height).map(|height| height.block_height);
        let blockhash = meta.as_ref().map(|meta| meta.blockhash.clone());
        self.hub.freeze(FrozenSlot {
            slot: plan.slot,
            parent,
            height: height.unwrap_or(plan.block_height),
            blockhash: blockhash.unwrap_or_else(|| Pubkey::new_from_array(plan.blockhash).to_string()),
            level: CommitmentLevel::Processed,
            data: Vec::new(),
            meta: meta.map(|meta| Message::block_meta(meta, self.hub.now())),
        });
    }

    /// Confirms and finalizes all but the newest so many slots.
    fn age(&mut self, unconfirmed: usize, unfinalized: usize) {
        while self.unconfirmed.len() > unconfirmed {
            let Some(slot) = self.unconfirmed.pop_front() else { break };
            self.hub.reach(slot, CommitmentLevel::Confirmed, true);
        }
        while self.unfinalized.len() > unfinalized {
            let Some(slot) = self.unfinalized.pop_front() else { break };
            self.hub.reach(slot, CommitmentLevel::Finalized, true);
        }
    }

    /// Releases what waits for a commitment that will not come any more, and ends.
    fn finish(&mut self) {
        self.age(0, 0);
        for level in [CommitmentLevel::Confirmed, CommitmentLevel::Finalized] {
            for slot in self.hub.below(level) {
                self.hub.reach(slot, level, false);
            }
        }
        self.hub.end();
    }
}

/// When the next thing is due.
struct Clock {
    speed: Option<f64>,
    slot_start: Instant,
    woken: Instant,
    since_yield: u32,
}

impl Clock {
    fn new(pace: Pace) -> Self {
        let speed = match pace {
            Pace::Real => Some(1.0),
            Pace::Speed(times) if times.is_finite() && times > 0.0 => Some(times),
            Pace::Speed(_) | Pace::Max => None,
        };
        let now = Instant::now();
        Self { speed, slot_start: now, woken: now, since_yield: 0 }
    }

    /// Waits until this time of the slot; at full speed, until the clients have room.
    async fn wait(&mut self, at: Duration, hub: &Hub) {
        let Some(speed) = self.speed else {
            hub.room().await;
            self.since_yield += 1;
            if self.since_yield >= YIELD_EVERY {
                self.since_yield = 0;
                tokio::task::yield_now().await;
            }
            return;
        };
        let due = self.slot_start + at.div_f64(speed);
        if due > Instant::now() {
            sleep_until(due.max(self.woken + SLICE)).await;
            self.woken = Instant::now();
        }
    }

    fn next_slot(&mut self, duration: Duration) {
        let Some(speed) = self.speed else { return };
        let now = Instant::now();
        self.slot_start += duration.div_f64(speed);
        if now.saturating_duration_since(self.slot_start) > MOST_LAG {
            self.slot_start = now;
        }
    }
}
