//! Swaps that failed: what was asked for, by the instruction's accounts and arguments. They are no trades and count nowhere.

use super::{
    calls::Origin,
    event::{Limit, Path, Side, Venue},
    venue::Parent,
};
use crate::chain::{
    ids::{Mint, Pool, Signature, Wallet},
    program::Program,
};

/// A swap of a failed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Slot of the transaction.
    pub slot: u64,
    /// The transaction.
    pub signature: Signature,
    /// Position of the transaction in its block.
    pub tx_index: u64,
    /// The instruction.
    pub path: Path,
    /// Account key 0 of the transaction.
    pub payer: Wallet,
    /// Where.
    pub venue: Venue,
    /// The instruction's name.
    pub instruction: &'static str,
    /// What it asked for.
    pub asked: Asked,
    /// The venue's own error, if it was this swap that failed; `None` where something else did, or the log does not say what.
    pub code: Option<u32>,
}

/// What a swap's instruction asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The pool; the curve for launchpads.
    pub pool: Pool,
    /// The base token.
    pub mint: Mint,
    /// The quote token; wrapped SOL for SOL.
    pub quote_mint: Mint,
    /// Owner of the token account that would have traded.
    pub user: Wallet,
    /// Seen from the base token.
    pub side: Side,
    /// The exact side of the order in raw units: what goes in where the limit bounds the output, what comes out otherwise.
    pub amount: u64,
    /// The trader's own bound.
    pub limit: Limit,
}

/// The attempt of an instruction; `None` for one that is no swap, or does not say which way.
pub(super) fn of(venue: Venue, parent: &Parent<'_>, origin: &Origin, code: Option<u32>) -> Option<Attempt> {
    let asked = match venue.program() {
        Program::Pump => super::pump::asked(parent),
        Program::PumpSwap => super::pump_swap::asked(parent),
        Program::RaydiumLaunchlab => super::raydium_launchlab::asked(parent),
        _ => super::amm::asked(parent),
    }?;
    let Origin { slot, signature, tx_index, payer } = *origin;
    let path = Path { outer: parent.call.outer, inner: parent.call.inner };
    Some(Attempt { slot, signature, tx_index, path, payer, venue, instruction: parent.name(), asked, code })
}
