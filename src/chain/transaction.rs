//! The transaction walk: account keys (static, loaded writable, loaded read-only) and instructions in execution order.
