//! JSON Schemas of what the program writes.

use schemars::{Schema, schema_for};

use super::{line::Line, snapshot::Snapshot};

/// The schema of one line of `headless`.
#[must_use]
pub fn events() -> Schema {
    schema_for!(Line)
}

/// The schema of a snapshot.
#[must_use]
pub fn snapshot() -> Schema {
    schema_for!(Snapshot)
}
