//! The program without sockets, threads and clocks, up to a moment of a recording or of the demo: the same slots show the
//! same, always. For pictures.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use prost::Message;
use yellowstone_grpc_proto::geyser::{
    SlotStatus, SubscribeUpdate, SubscribeUpdateAccount, SubscribeUpdateBlockMeta, SubscribeUpdateSlot,
    SubscribeUpdateTransaction, subscribe_update::UpdateOneof,
};

use crate::{
    chain::{group::Group, ids::Mint},
    engine::{Direct, SourceView, View},
    simulator::feed::{Carries, Producer, SlotItemKind, SlotPlan},
    stream::status::{ConnectionState, ConnectionStatus, StreamStatus, Throttle},
};

/// Where time begins when the slots do not say, and for the demo: 21 September 2026, in seconds since the Unix epoch.
pub const EPOCH_S: i64 = 1_790_000_000;
/// Slots after which one is confirmed here.
const CONFIRMED_AFTER: u64 = 3;

/// See the module.
pub struct Still {
    producer: Box<dyn Producer>,
    carries: Carries,
    direct: Direct,
    /// The slot being played, and how many of its items were.
    plan: Option<(SlotPlan, usize)>,
    /// Time of the start, of the slot being played, and of the second closed last, in microseconds since the Unix epoch.
    start_us: i64,
    slot_us: i64,
    second_us: i64,
    now_us: i64,
    ended: bool,
}

impl Still {
    /// At the start of what the producer plays.
    #[must_use]
    pub fn new(mut producer: Box<dyn Producer>, source: SourceView) -> Self {
        let carries = producer.carries();
        let first = producer.next_slot();
        let start_s = first.as_ref().map_or(0, |plan| plan.block_time);
        let start_us = if start_s > 0 { start_s } else { EPOCH_S }.saturating_mul(1_000_000);
        Self {
            producer,
            carries,
            direct: Direct::of(source, start_us / 1_000),
            ended: first.is_none(),
            plan: first.map(|plan| (plan, 0)),
            start_us,
            slot_us: start_us,
            second_us: start_us,
            now_us: start_us,
        }
    }

    /// Plays on to this time since the start, or to the end.
    pub fn advance(&mut self, to: Duration) {
        let until = self.start_us.saturating_add(micros(to));
        while let Some((plan, played)) = self.plan.take() {
            let next = plan.items.get(played);
            let due = self.slot_us.saturating_add(micros(next.map_or(plan.duration, |item| item.at)));
            if due > until {
                self.plan = Some((plan, played));
                break;
            }
            self.pass(due);
            if played == 0 && !self.carries.slot_status {
                self.status(plan.slot, Some(plan.parent), SlotStatus::SlotCreatedBank);
            }
            let Some(item) = next else {
                self.close(&plan);
                self.slot_us = due;
                self.plan = self.producer.next_slot().map(|plan| (plan, 0));
                self.ended = self.plan.is_none();
                continue;
            };
            let update = match item.kind.clone() {
                SlotItemKind::Transaction(mut info) => {
                    info.index = played as u64;
                    UpdateOneof::Transaction(SubscribeUpdateTransaction {
                        transaction: Some(*info),
                        slot: plan.slot,
                        ..SubscribeUpdateTransaction::default()
                    })
                }
                SlotItemKind::Account(account) => UpdateOneof::Account(SubscribeUpdateAccount {
                    account: Some(*account),
                    slot: plan.slot,
                    ..SubscribeUpdateAccount::default()
                }),
                SlotItemKind::Recorded(update) => match update.update_oneof {
                    Some(update) => update,
                    None => UpdateOneof::Ping(yellowstone_grpc_proto::geyser::SubscribeUpdatePing {}),
                },
            };
            self.send(update);
            self.plan = Some((plan, played + 1));
        }
        if self.ended {
            self.direct.finish();
        } else {
            self.pass(until);
        }
    }

    /// Opens the page of a token, or closes it.
    pub fn open(&mut self, mint: Option<Mint>) {
        self.direct.open(mint);
    }

    /// What is shown now.
    pub fn view(&mut self) -> Arc<View> {
        let now_ms = self.now_us / 1_000;
        let connection = ConnectionStatus {
            id: 0,
            endpoint: Arc::from("file"),
            state: ConnectionState::Live,
            since_ms: self.start_us / 1_000,
            cause: None,
            groups: Group::BUILT_IN.into_iter().collect(),
            throttle: Throttle::Full,
            filter_version: 0,
            active_version: 0,
            reconnects: 0,
            last_message_ms: Some(now_ms),
            last_data_ms: Some(now_ms),
            permits_in_window: 0,
            narrowed: false,
            standby: false,
        };
        let streams = StreamStatus { connections: vec![connection], ..StreamStatus::default() };
        Arc::new(self.direct.view(now_ms, &streams, self.ended))
    }

    /// Time goes on: whole seconds are closed on the way.
    fn pass(&mut self, to_us: i64) {
        while self.second_us.saturating_add(1_000_000) <= to_us {
            self.second_us += 1_000_000;
            self.direct.second(self.second_us / 1_000);
        }
        self.now_us = self.now_us.max(to_us);
    }

    /// The end of a slot, as a server tells it.
    fn close(&mut self, plan: &SlotPlan) {
        if plan.dies {
            return self.status(plan.slot, Some(plan.parent), SlotStatus::SlotDead);
        }
        if !self.carries.block_meta {
            self.send(UpdateOneof::BlockMeta(SubscribeUpdateBlockMeta {
                slot: plan.slot,
                parent_slot: plan.parent,
                executed_transaction_count: plan.items.len() as u64,
                ..SubscribeUpdateBlockMeta::default()
            }));
        }
        if !self.carries.slot_status {
            self.status(plan.slot, Some(plan.parent), SlotStatus::SlotProcessed);
            self.status(plan.slot.saturating_sub(CONFIRMED_AFTER), None, SlotStatus::SlotConfirmed);
        }
    }

    fn status(&mut self, slot: u64, parent: Option<u64>, status: SlotStatus) {
        let status = status.into();
        self.send(UpdateOneof::Slot(SubscribeUpdateSlot { slot, parent, status, ..SubscribeUpdateSlot::default() }));
    }

    fn send(&mut self, update: UpdateOneof) {
        // Without a time of its own: nothing is on its way here, so there is no delay to be shown.
        let update = SubscribeUpdate { filters: Vec::new(), created_at: None, update_oneof: Some(update) };
        self.direct.update(&Bytes::from(update.encode_to_vec()), self.now_us);
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
