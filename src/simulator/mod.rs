//! The loopback Geyser server: playback of recordings and a simulated market, served over real gRPC.

pub mod feed;

pub mod server;
