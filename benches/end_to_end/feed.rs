//! Messages ready to be sent, in which only slot, signature, place in the block and time are written anew.

use std::{path::Path, time::Duration};

use prost::Message as _;
use smart_stream_tui::{
    chain::recording::Reader,
    simulator::{
        feed::{Producer, SlotItemKind},
        market::{MarketSettings, SimulatedMarket},
    },
};
use yellowstone_grpc_proto::geyser::{
    SubscribeUpdate, SubscribeUpdateBlockMeta, SubscribeUpdateSlot, SubscribeUpdateTransactionInfo,
    SubscribeUpdateTransactionStatus, subscribe_update::UpdateOneof,
};

/// What our filters are called: the server sends all there is to one of them.
const FILTER: &str = "bonding_curve#1";
/// Bytes of a number that is written anew.
const NUMBER: usize = 5;
/// A length prefix as gRPC writes it.
const PREFIX: usize = 5;

/// See the module.
pub(crate) struct Feed {
    messages: Vec<Message>,
    /// Slots in one round of all messages.
    slots: u64,
}

struct Message {
    bytes: Vec<u8>,
    slot: u64,
    parent: Option<u64>,
    slot_at: usize,
    parent_at: Option<usize>,
    signature_at: Option<usize>,
    created_at: usize,
}

/// A varint of that many bytes, however small the number is.
fn padded(number: u64) -> [u8; NUMBER] {
    std::array::from_fn(|at| {
        let more = if at + 1 < NUMBER { 0x80 } else { 0 };
        u8::try_from(number >> (7 * at) & 0x7f).unwrap() | more
    })
}

fn varint(mut number: usize, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap());
}

/// A length-delimited field.
fn field(number: u8, content: &[u8], out: &mut Vec<u8>) -> usize {
    out.push(number << 3 | 2);
    varint(content.len(), out);
    out.extend(content);
    out.len() - content.len()
}

impl Message {
    /// An update whose kind is this field with this content, and where in the content numbers are written anew.
    fn of(kind: u8, content: &[u8], slot: u64, slot_at: usize) -> Self {
        let mut update = Vec::new();
        field(1, FILTER.as_bytes(), &mut update);
        let start = field(kind, content, &mut update);
        let time = [&[0x08][..], &padded(0), &[0x10], &padded(0)].concat();
        let created_at = field(11, &time, &mut update);
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(update.len()).unwrap().to_be_bytes());
        bytes.extend(update);
        let slot_at = PREFIX + start + slot_at;
        Self {
            bytes,
            slot,
            parent: None,
            slot_at,
            parent_at: None,
            signature_at: None,
            created_at: PREFIX + created_at,
        }
    }

    fn transaction(mut info: SubscribeUpdateTransactionInfo, slot: u64, index: u64) -> Self {
        info.index = index;
        let info = info.encode_to_vec();
        let mut content = Vec::new();
        let info_at = field(1, &info, &mut content);
        content.push(2 << 3);
        let slot_at = content.len();
        content.extend(padded(slot));
        let mut message = Self::of(4, &content, slot, slot_at);
        // The signature is the first field, of 64 bytes.
        let start = message.slot_at - slot_at;
        message.signature_at = Some(start + info_at + 2);
        message
    }

    /// The status of a transaction, which the server sends besides.
    fn status(info: &SubscribeUpdateTransactionInfo, slot: u64, index: u64) -> Self {
        let status = SubscribeUpdateTransactionStatus {
            signature: info.signature.clone(),
            index,
            ..SubscribeUpdateTransactionStatus::default()
        };
        let mut content = status.encode_to_vec();
        content.push(1 << 3);
        let slot_at = content.len();
        content.extend(padded(slot));
        Self::of(10, &content, slot, slot_at)
    }

    /// A slot's status, or its block's meta (`status` none).
    fn slot(status: Option<i32>, slot: u64, parent: u64, transactions: u64) -> Self {
        let content = match status {
            Some(status) => SubscribeUpdateSlot { status, ..Default::default() }.encode_to_vec(),
            None => SubscribeUpdateBlockMeta { executed_transaction_count: transactions, ..Default::default() }
                .encode_to_vec(),
        };
        let parent_field = if status.is_some() { 2 } else { 6 };
        let mut content = [&content[..], &[1 << 3]].concat();
        let slot_at = content.len();
        content.extend(padded(slot));
        content.push(parent_field << 3);
        content.extend(padded(parent));
        let mut message = Self::of(if status.is_some() { 3 } else { 7 }, &content, slot, slot_at);
        message.parent = Some(parent);
        message.parent_at = Some(message.slot_at + NUMBER + 1);
        message
    }
}

impl Feed {
    /// The shipped recording's transactions, all in one slot.
    pub(crate) fn recorded() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/published.pb.zst");
        let frames = Reader::open(&path).unwrap().map(|frame| SubscribeUpdate::decode(frame.unwrap()).unwrap());
        let infos = frames.filter_map(|update| match update.update_oneof? {
            UpdateOneof::Transaction(update) => update.transaction,
            _ => None,
        });
        let messages = infos.zip(0..).map(|(info, index)| Message::transaction(info, 470_000_000, index)).collect();
        Self { messages, slots: 1 }
    }

    /// So many slots of a simulated market, with their statuses, block metas and the transactions' statuses.
    pub(crate) fn simulated(slots: usize) -> Self {
        let mut market = SimulatedMarket::new(MarketSettings { seed: 3, rate: 1_000.0, start_time: 1_795_000_000 });
        let mut messages = Vec::new();
        let (mut first, mut last) = (None, 0);
        for plan in std::iter::from_fn(|| market.next_slot()).take(slots) {
            let parent = if first.is_none() { plan.slot - 1 } else { plan.parent };
            first.get_or_insert(plan.slot);
            last = plan.slot;
            let mut index = 0;
            for item in plan.items {
                if let SlotItemKind::Transaction(info) = item.kind {
                    messages.push(Message::status(&info, plan.slot, index));
                    messages.push(Message::transaction(*info, plan.slot, index));
                    index += 1;
                }
            }
            messages.push(Message::slot(None, plan.slot, parent, index));
            messages.push(Message::slot(Some(0), plan.slot, parent, 0));
            messages.push(Message::slot(Some(1), plan.slot, parent, 0));
        }
        Self { messages, slots: last + 1 - first.unwrap() }
    }

    pub(crate) fn len(&self) -> u64 {
        self.messages.len() as u64
    }

    /// How many of the first so many messages are transactions.
    pub(crate) fn transactions(&self, count: u64) -> u64 {
        let of = |messages: &[Message]| messages.iter().filter(|one| one.signature_at.is_some()).count() as u64;
        let rest = usize::try_from(count % self.len()).unwrap();
        count / self.len() * of(&self.messages) + of(&self.messages[..rest])
    }

    /// Mean bytes of a transaction's message.
    pub(crate) fn mean_bytes(&self) -> usize {
        let transactions = self.messages.iter().filter(|one| one.signature_at.is_some());
        let (count, bytes) = transactions.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.bytes.len()));
        bytes / count
    }

    /// Appends the message of that number, made at this time: every round has slots and signatures of its own.
    pub(crate) fn append(&self, number: u64, now: Duration, out: &mut Vec<u8>) {
        let round = number / self.len();
        let message = &self.messages[usize::try_from(number % self.len()).unwrap()];
        let start = out.len();
        out.extend(&message.bytes);
        let bytes = &mut out[start..];
        let mut write = |at: usize, number: u64| bytes[at..at + NUMBER].copy_from_slice(&padded(number));
        write(message.slot_at, message.slot + round * self.slots);
        if let Some((at, parent)) = message.parent_at.zip(message.parent) {
            write(at, parent + round * self.slots);
        }
        write(message.created_at + 1, now.as_secs());
        write(message.created_at + 1 + NUMBER + 1, now.subsec_nanos().into());
        if let Some(at) = message.signature_at {
            bytes[at + 24..at + 32].copy_from_slice(&number.to_le_bytes());
        }
    }
}
