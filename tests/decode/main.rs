//! What the decoder promises, on real transactions and on broken ones.
//!
//! Recordings that may not be shipped are read from `../shared/data` beside the package, or from the folder that the
//! environment variable `SMART_STREAM_SHARED` names; where that folder is absent, stderr says what was skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss, reason = "a test")]

mod accounts;
mod beside;
mod elsewhere;
mod facts;
mod fallback;
mod found;
mod layouts;
mod ledger;
mod made;
mod made_elsewhere;
mod real;
mod scan;
mod sources;
mod tables;

use std::{env, path::PathBuf};

use bytes::Bytes;
use smart_stream_tui::chain::recording::Reader;

/// A file of `tests/data`.
fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A mainnet file that is not shipped, if it is here.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("SMART_STREAM_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join("mainnet").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {name} is not here");
    None
}

/// Every message of a recording.
fn messages(path: &std::path::Path) -> Vec<Bytes> {
    Reader::open(path).unwrap().map(Result::unwrap).collect()
}
