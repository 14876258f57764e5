//! The loopback server keeps to the behaviour measured on the real one, seen through the published Yellowstone client.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod calls;
mod filters;
mod order;
#[path = "../support/stage.rs"]
mod stage;
mod streams;
