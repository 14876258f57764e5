//! The other faces of views and events: snapshot, JSON lines, recording, and their JSON Schemas.

mod alert;
pub mod decoded;
pub mod events;
pub mod fields;
mod json;
pub mod line;
pub mod record;
pub mod save;
pub mod schema;
pub mod snapshot;
mod units;

pub use alert::AlertFields;
pub use units::Units;
