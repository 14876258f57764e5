//! Prost types of our lean schema (`proto/`): requests, cold paths, and the oracle the wire scan is held against.

#![allow(
    missing_docs,
    clippy::pedantic,
    clippy::large_enum_variant,
    reason = "generated from proto/, which carries the comments"
)]

/// Package `geyser`.
pub mod geyser {
    include!(concat!(env!("OUT_DIR"), "/geyser.rs"));
}

/// Package `solana.storage`.
pub mod solana {
    /// Package `solana.storage`.
    pub mod storage {
        /// Package `solana.storage.ConfirmedBlock`.
        pub mod confirmed_block {
            include!(concat!(env!("OUT_DIR"), "/solana.storage.confirmed_block.rs"));
        }
    }
}

pub use geyser::*;
pub use solana::storage::confirmed_block;
