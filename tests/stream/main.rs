//! The streaming engine against the loopback server, through a network that breaks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test")]

mod checkpoint;
mod failover;
mod limits;
mod narrow;
mod own_groups;
mod policy;
mod rebalance;
mod recovery;
mod recovery_model;
mod room;
mod standby;
mod support;
mod take_over;
