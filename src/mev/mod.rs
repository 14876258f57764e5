//! Detectors over the ordered legs of each pool: who trades around whom, and what it costs them.
//!
//! A plain state machine: legs and slot statuses in, alerts out. Everything is bounded and allocated once.

pub mod alert;
pub mod features;
pub mod leg;

pub use alert::{Alert, AlertView, Class, State};
pub use features::{Features, Weights};
pub use leg::Leg;
