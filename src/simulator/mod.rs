//! The loopback Geyser server: playback of recordings, a simulated market and labelled scenarios, served over real gRPC.

pub mod demo;
pub mod fault;
pub mod feed;
pub mod market;
mod noise;
pub mod playback;
pub mod scenario;
pub mod server;
