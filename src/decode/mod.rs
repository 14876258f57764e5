//! Bytes → [`Event`]: dispatch on (program, discriminator), one file per venue.

pub mod event;
pub mod tally;

use thiserror::Error;

use crate::chain::{ids::Wallet, wire};

pub use event::{Event, EventKind};
pub use tally::{Tally, Undecoded};

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
pub struct Decoder {}

impl Decoder {
    /// Appends the events of one transaction to `events`, in chain order, and what could not be decoded to `undecoded`.
    ///
    /// # Errors
    /// When the transaction is not what its schema says; nothing is appended then.
    pub fn decode(
        &mut self,
        transaction: &wire::Transaction<'_>,
        events: &mut Vec<Event>,
        undecoded: &mut Vec<Undecoded>,
    ) -> Result<Decoded, DecodeError> {
        let _ = (transaction, events, undecoded);
        Err(DecodeError::Wire(wire::WireError::Truncated))
    }
}
