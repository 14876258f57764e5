//! What an episode was: the truth that detectors are compared with, as JSON lines.

use std::io;

use serde::Serialize;
use solana_sdk::{pubkey::Pubkey, signature::Signature};

use super::{kind::Kind, script::Link};

/// Base58, of keys and signatures.
fn base58<T: std::fmt::Display, S: serde::Serializer>(key: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

fn all_base58<S: serde::Serializer>(keys: &[Pubkey], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(keys.iter().map(ToString::to_string))
}

/// One episode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    /// Seed of the run.
    pub seed: u64,
    /// Number of the episode in it, from 1.
    pub episode: u64,
    /// What it was.
    pub kind: Kind,
    /// Whether an attack was planted.
    pub attack: bool,
    /// The token.
    #[serde(serialize_with = "base58")]
    pub mint: Pubkey,
    /// Where it traded.
    #[serde(serialize_with = "all_base58")]
    pub pools: Vec<Pubkey>,
    /// First and last slot.
    pub slots: (u64, u64),
    /// Trades that happened.
    pub trades: u64,
    /// Transactions that failed.
    pub failed: u64,
    /// Wallets that act a part which is no attack.
    #[serde(serialize_with = "all_base58")]
    pub lookalikes: Vec<Pubkey>,
    /// The planted attacks.
    pub attacks: Vec<PlantedAttack>,
}

/// A planted attack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlantedAttack {
    /// How its wallets belong together.
    pub link: Link,
    /// Its legs, in order.
    pub legs: Vec<PlantedLeg>,
    /// Everybody whom it cost something, in order: trades on the front's side between the first front and the last back.
    pub victims: Vec<PlantedVictim>,
    /// Quote got less quote spent on what was bought and sold again, after the venue's fees, the transactions' fees and tips;
    /// in lamports.
    pub profit_lamports: i64,
}

/// A trade, by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PlantedLeg {
    /// Front, else back.
    pub front: bool,
    /// Its transaction.
    #[serde(serialize_with = "base58")]
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
    /// Its instruction: the top-level one, and the inner one in it.
    pub path: (u16, Option<u16>),
    /// Whose.
    #[serde(serialize_with = "base58")]
    pub user: Pubkey,
}

/// Somebody whom an attack cost something.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PlantedVictim {
    /// The transaction.
    #[serde(serialize_with = "base58")]
    pub signature: Signature,
    /// The instruction.
    pub path: (u16, Option<u16>),
    /// Who.
    #[serde(serialize_with = "base58")]
    pub user: Pubkey,
    /// Whether the attack was planned on this one, not merely in its way.
    pub intended: bool,
    /// What all attackers together cost it, without fees, in lamports.
    pub loss_quote: i64,
    /// The same with the fees charged on what it paid and would have paid.
    pub loss_lamports: i64,
    /// What this attacker alone cost it, with fees.
    pub marginal_loss_lamports: i64,
}

/// Where labels go: each when the last transaction of its episode was handed out.
pub type LabelSink = Box<dyn FnMut(Label) + Send>;

/// A sink that writes JSON lines. What cannot be written is given up: labels are for tests, which miss it.
pub fn json_lines(mut output: impl io::Write + Send + 'static) -> LabelSink {
    Box::new(move |label| {
        if serde_json::to_writer(&mut output, &label).is_ok() {
            let _ = output.write_all(b"\n").and_then(|()| output.flush());
        }
    })
}
