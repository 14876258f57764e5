//! A live dashboard over Solana Yellowstone gRPC streams.
//!
//! ```text
//! socket ─ h2, raw bytes ─▶ connection thread   wire scan, walk, decode → batch, in place
//!         ─ bounded channel ─▶ market task      merge duplicates, order, state: one owner, no locks
//!         ─ watch<Arc<View>> ─▶ ui thread       update, draw what is dirty, one write
//! keys ─▶ Action ─▶ update(&mut Model) ─▶ Command ─ bounded channel ─▶ engine
//! ```
//!
//! * [`chain`]: what one Solana update is: wire scan, transaction walk, programs, ids
//! * [`decode`]: bytes → events, one file per venue
//! * [`stream`]: endpoint → trustworthy updates: limiter, plan, pool, policy, recovery, completeness, balance
//! * [`market`]: the single owner of market state: tokens, curves, pools, prices, rates
//! * [`mev`]: detectors over the ordered legs of each pool: sandwiches, arbitrage, copiers, bundles, wash trades, rugs
//! * [`engine`]: wires the stages: tasks and channels, commands in, views out
//! * [`output`]: the other faces of views and events: snapshot, JSON lines, recording
//! * [`simulator`]: the loopback Geyser server: playback, simulated market, faults
//! * [`score`]: the detectors against labelled scenarios, beside the rules of others
//! * [`ui`]: the terminal front end
//! * [`config`]: layers with provenance; [`cli`]: the command line

pub mod chain;
pub mod cli;
pub mod config;
pub mod decode;
pub mod engine;
pub mod market;
pub mod mev;
pub mod output;
pub mod score;
pub mod simulator;
pub mod stream;
pub mod ui;
