//! Bytes → [`Event`]: dispatch on (program, discriminator), one file per venue.
//!
//! Sources in this order: the program's calls to itself, which cannot be forged (the event authority signs), are never cut
//! off, and say by their depth which instruction emitted them; the log with its invoke stack, for programs that only log;
//! the instruction with the token transfers below it. Each event has one source: the same bytes elsewhere are left alone.

pub mod accounts;
mod amm;
pub mod attempt;
mod call;
mod calls;
mod cursor;
pub mod event;
mod known_pools;
mod list;
mod logs;
mod meteora_damm_v1;
mod meteora_damm_v2;
mod meteora_dbc;
mod meteora_dlmm;
mod moves;
mod orca_whirlpool;
mod pump;
mod pump_swap;
mod raydium_amm_v4;
mod raydium_clmm;
mod raydium_cpmm;
mod raydium_launchlab;
mod sender;
mod shared;
mod tables;
pub mod tally;
mod trade;
pub mod transfer;
mod venue;
mod words;

use thiserror::Error;

use self::{calls::Calls, sender::Sender};
use crate::chain::{
    ids::{Signature, Wallet},
    transaction::{Walk, WalkError},
    wire,
};

pub use attempt::Attempt;
pub use event::{Event, EventKind};
pub use list::{Known, KnownEvent, KnownInstruction, list};
pub use shared::{EventRef, EventRefs};
pub use tally::{Tally, Undecoded};
pub use transfer::Transfer;

/// Why a transaction could not be walked at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes are not the message they should be.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    /// An instruction names an account that the transaction does not have.
    #[error("an instruction names account {index} of {keys}")]
    AccountIndex {
        /// The index named.
        index: u32,
        /// How many accounts there are.
        keys: usize,
    },
}

impl From<WalkError> for DecodeError {
    fn from(error: WalkError) -> Self {
        match error {
            WalkError::Wire(error) => Self::Wire(error),
            WalkError::AccountIndex { index, keys } => Self::AccountIndex { index, keys },
        }
    }
}

/// What one transaction gave besides its events.
#[derive(Clone, Copy, Debug)]
pub struct Decoded {
    /// Whether it failed: such a transaction has no events and no counts.
    pub failed: bool,
    /// Account key 0.
    pub payer: Wallet,
    /// Its counts by program; also tells which programs it touched.
    pub tally: Tally,
}

/// Decodes transactions; owns the scratch memory that makes it allocation-free after warm-up.
#[derive(Debug, Default)]
pub struct Decoder {
    walk: Walk,
    calls: Calls,
    transfers: Vec<Transfer>,
    attempts: Vec<Attempt>,
}

impl Decoder {
    /// Appends the events of one transaction to `events`, in chain order of the instructions that caused them, and what
    /// could not be decoded to `undecoded`. Of one instruction's events the trades come first, so that a completing buy's
    /// leg beyond the curve has `event_index` 1 whatever else it emitted.
    ///
    /// # Errors
    /// When the transaction is not what its schema says; nothing is appended then.
    pub fn decode(
        &mut self,
        transaction: &wire::Transaction<'_>,
        events: &mut Vec<Event>,
        undecoded: &mut Vec<Undecoded>,
    ) -> Result<Decoded, DecodeError> {
        self.transfers.clear();
        self.attempts.clear();
        let walked = self.walk.read(transaction)?;
        let payer = walked.payer().ok_or(wire::WireError::Content { field: 2 })?;
        let mut tally = Tally::default();
        let origin = calls::Origin {
            slot: transaction.slot,
            signature: Signature::from(*transaction.signature),
            tx_index: transaction.index,
            payer,
        };
        if walked.failed() {
            calls::attempts(&walked, &origin, &mut self.attempts);
            return Ok(Decoded { failed: true, payer, tally });
        }
        let first = events.len();
        let spending = self.calls.run(&walked, &origin, events, undecoded, &mut tally, &mut self.transfers);
        let events = events.get_mut(first..).unwrap_or_default();
        number(events);
        let mut trades = events.iter_mut().filter_map(|event| event.kind.trade_mut()).peekable();
        if trades.peek().is_some() {
            let sender = Sender::of(&walked, &spending);
            trades.for_each(|trade| sender.sign(trade));
        }
        Ok(Decoded { failed: false, payer, tally })
    }

    /// The accounts of the last transaction read, those loaded from tables included.
    #[must_use]
    pub fn accounts(&self) -> &[[u8; 32]] {
        self.walk.accounts()
    }

    /// What went from one owner to another beside the trades of the last decoded transaction; nothing where it called no
    /// program that we know.
    #[must_use]
    pub fn transfers(&self) -> &[Transfer] {
        &self.transfers
    }

    /// The swaps of the last decoded transaction, if it failed.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}

/// Puts one transaction's events in order and numbers those of each instruction.
fn number(events: &mut [Event]) {
    let order = |event: &Event| (event.path, !matches!(event.kind, EventKind::Trade(_)));
    if !events.is_sorted_by_key(order) {
        events.sort_by_key(order);
    }
    let mut last = None;
    for event in events {
        event.event_index = match last {
            Some((path, index)) if path == event.path => u16::saturating_add(index, 1),
            _ => 0,
        };
        last = Some((event.path, event.event_index));
    }
}
