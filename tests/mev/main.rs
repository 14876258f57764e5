//! The detectors against real trades and against made ones whose harm is known.
//!
//! The block of volume bots may not be shipped: it is read from `../shared/data` beside the package, or from the folder
//! that the variable `SMART_STREAM_SHARED` names, and its test passes over it when it is not there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod patterns;
mod real;
mod replay;
mod sandwich;
mod support;
