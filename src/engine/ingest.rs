//! The first stage, on each connection's own thread: wire scan, walk and venue decode, in place.

use std::time::Instant;

use bytes::Bytes;

use crate::{
    chain::{
        group::{Group, GroupSet, Groups},
        ids::{Key, Signature},
        program::Program,
        wire::{self, Kind, Update, WireError},
    },
    decode::{Decoder, accounts::Account},
    market::input::{Batch, Item, ItemKind, Transaction},
    stream::{Arrival, Gap, Share, Sink, SlotRecord},
};

/// What one connection hands on.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// For the market.
    pub(super) batch: Batch,
    /// What the stream says of itself.
    pub(super) notes: Vec<Note>,
}

/// See [`Delivery`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Note {
    /// A slot is finished on this connection, with its share of it.
    Slot(SlotRecord, Share),
    /// Slots were missed on it, or fetched again, with the groups concerned.
    Gap(Gap, GroupSet),
    /// Everything that another connection carried has come here, from this slot on.
    TakenOver {
        /// The other connection.
        connection: usize,
        /// The slot.
        from_slot: u64,
    },
}

/// Decodes what one connection receives into batches.
#[derive(Debug)]
pub(super) struct Ingest {
    decoder: Decoder,
    batch: Batch,
    notes: Vec<Note>,
    keep_frames: bool,
    groups: Groups,
}

impl Ingest {
    pub(super) fn new(connection: usize, keep_frames: bool, groups: Groups) -> Self {
        let batch = Batch { connection, ..Batch::default() };
        Self { decoder: Decoder::default(), batch, notes: Vec::new(), keep_frames, groups }
    }

    fn transaction(
        &mut self,
        frame: &Bytes,
        update: &Update<'_>,
        transaction: &wire::Transaction<'_>,
    ) -> Option<ItemKind> {
        let (events, undecoded) = (self.batch.events.len(), self.batch.undecoded.len());
        let Ok(decoded) = self.decoder.decode(transaction, &mut self.batch.events, &mut self.batch.undecoded) else {
            self.batch.bad_frames += 1;
            return None;
        };
        let accounts = self.decoder.accounts();
        let mut groups: GroupSet = decoded.tally.programs().map(Program::group).collect();
        if groups.is_empty() {
            // A failed transaction has no counts, and one may name a program without calling it: that is what filters go by.
            groups = accounts.iter().filter_map(Program::from_id).map(Program::group).collect();
        }
        // Not by the names of the filters that matched: another group's may have brought it first.
        groups = groups.union(self.groups.own_of(accounts, decoded.failed));
        if groups.is_empty() && update.filters.iter().any(|name| self.is_own_filter(name)) {
            // The server's filter holds keys that nobody put in.
            self.batch.events.truncate(events);
            self.batch.undecoded.truncate(undecoded);
            self.batch.unwanted += 1;
            return None;
        }
        let (transfers, attempts) = (self.decoder.transfers(), self.decoder.attempts());
        self.batch.transfers.extend_from_slice(transfers);
        self.batch.attempts.extend_from_slice(attempts);
        let added = |before: usize, after: usize| u32::try_from(after - before).unwrap_or(u32::MAX);
        Some(ItemKind::Transaction(Transaction {
            slot: transaction.slot,
            signature: Signature::from(*transaction.signature),
            bytes: u32::try_from(frame.len()).unwrap_or(u32::MAX),
            failed: decoded.failed,
            groups,
            tally: decoded.tally,
            events: added(events, self.batch.events.len()),
            undecoded: added(undecoded, self.batch.undecoded.len()),
            transfers: added(0, transfers.len()),
            attempts: added(0, attempts.len()),
        }))
    }

    /// Our filters are named after their group, with a part behind `~` where they are split, and a version behind `#`.
    fn is_own_filter(&self, name: &str) -> bool {
        let group = name.split(['#', '~']).next().and_then(|name| self.groups.named(name));
        matches!(group, Some(Group::Own(_)))
    }
}

impl Sink for Ingest {
    type Batch = Delivery;

    fn on_update(&mut self, frame: &Bytes, update: &Update<'_>, arrival: Arrival) {
        if matches!(update.kind, Kind::Ping | Kind::Pong(_)) {
            // Of the chain it says nothing: nobody is woken for it.
            return;
        }
        let started = Instant::now();
        self.batch.frames += 1;
        self.batch.bytes += frame.len() as u64;
        let kind = match &update.kind {
            Kind::Transaction(transaction) => self.transaction(frame, update, transaction),
            Kind::Slot(slot) => Some(ItemKind::Slot { slot: slot.slot, status: slot.status, parent: slot.parent }),
            Kind::BlockMeta(meta) => Some(ItemKind::BlockMeta { slot: meta.slot, parent: meta.parent_slot }),
            Kind::Account(account) => Account::decode(account)
                .filter(|known| known.sol_usd().is_some() || matches!(known, Account::BondingCurve(_)))
                .map(|known| ItemKind::Account {
                    slot: account.slot,
                    address: Key::new(*account.pubkey),
                    account: known,
                }),
            Kind::TransactionStatus(_) | Kind::Ping | Kind::Pong(_) | Kind::Other => None,
        };
        if let Some(kind) = kind {
            let frame = self.keep_frames.then(|| frame.clone());
            let created_us = update.created_at_us.filter(|_| !arrival.replayed);
            self.batch.items.push(Item {
                recv_us: arrival.unix_us,
                created_us,
                replayed: arrival.replayed,
                frame,
                kind,
            });
        }
        self.batch.busy_ns += u64::try_from(started.elapsed().as_nanos()).unwrap_or(0);
    }

    fn on_slot(&mut self, record: &SlotRecord, share: Share) {
        self.notes.push(Note::Slot(*record, share));
    }

    fn on_gap(&mut self, gap: &Gap, needs: GroupSet) {
        self.notes.push(Note::Gap(*gap, needs));
    }

    fn on_taken_over(&mut self, connection: usize, from_slot: u64) {
        self.notes.push(Note::TakenOver { connection, from_slot });
    }

    fn on_bad_frame(&mut self, frame: &Bytes, _error: WireError, _arrival: Arrival) {
        self.batch.frames += 1;
        self.batch.bytes += frame.len() as u64;
        self.batch.bad_frames += 1;
    }

    fn take_batch(&mut self) -> Option<Delivery> {
        let connection = self.batch.connection;
        (self.batch.frames > 0 || !self.notes.is_empty()).then(|| Delivery {
            batch: std::mem::replace(&mut self.batch, Batch { connection, ..Batch::default() }),
            notes: std::mem::take(&mut self.notes),
        })
    }
}
