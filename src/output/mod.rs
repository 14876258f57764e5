//! The other faces of views and events: snapshot, JSON lines, recording, and their JSON Schemas.

pub mod decoded;
pub mod events;
pub mod record;
pub mod schema;
pub mod snapshot;
mod units;

pub use units::Units;
