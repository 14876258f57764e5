//! What one Solana update is: identities, programs, the wire scan and the transaction walk.

mod balances;
pub mod envelope;
mod fields;
pub mod group;
pub mod ids;
mod merge;
pub mod program;
pub mod proto;
pub mod recording;
pub mod text;
pub mod transaction;
mod walk;
pub mod wire;
