//! The loopback Geyser server: playback of recordings and a simulated market, served over real gRPC.

pub mod demo;
pub mod fault;
pub mod feed;
pub mod market;
mod noise;
pub mod playback;
pub mod server;
