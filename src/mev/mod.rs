//! Detectors over the ordered legs of each pool: who trades around whom, and what it costs them.
//!
//! A plain state machine: legs and slot statuses in, alerts out. Everything is bounded, and grows up to its bounds only as far as it is used.

pub mod alert;
mod arbitrage;
mod book;
mod copy_trade;
mod detectors;
mod failed;
pub mod features;
mod habits;
mod handed;
mod launches;
pub mod leg;
mod lru;
mod order_takers;
mod pools;
mod records;
pub mod replay;
pub mod rules;
mod sandwich;
mod tracked;
mod users;
mod wash;

pub use alert::{Alert, AlertView, Class, State};
pub use detectors::{Bounds, Detectors, Examined};
pub use features::{Features, Weights};
pub use leg::Leg;
pub use records::{Record, Records};
pub use rules::AlertRules;
pub use tracked::Fate;
