//! What a detector says: a class, how sure it is, why, and everything needed to check it by hand.

use std::sync::Arc;

use crate::{
    chain::{
        ids::{Mint, Pool, Signature, WRAPPED_SOL, Wallet},
        text::Shown,
    },
    decode::event::{Side, Venue},
};

use super::{features::Features, leg::Leg, records::Record};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Front, victims and back next to each other in one slot.
    SandwichTight,
    /// Front and back in one slot, others in between.
    SandwichWideSlot,
    /// Front and back in different slots.
    SandwichWideCross,
    /// Front and back by different wallets of one attacker.
    SandwichEvasive,
    /// A trade placed before another's to its harm, with no back leg seen.
    Frontrun,
    /// A trade against the move that somebody else's made.
    Backrun,
    /// One transaction through several pools that ends with more quote than it began with.
    Arbitrage,
    /// A wallet that repeats what another buys.
    CopyTrade,
    /// Several wallets buying in the block of the launch, as one.
    Bundle,
    /// A wallet that is among the first buyers launch after launch.
    Sniper,
    /// Volume made by trading with oneself.
    Wash,
    /// The creator sold.
    DevSell,
    /// The curve or pool was drained.
    Rug,
    /// Bought and sold around others without fitting their limits: a trader, not an attacker.
    Momentum,
    /// A sniper of the launch who sold to those after him.
    Launch,
    /// The victims are known copiers of the one who sold to them.
    Bait,
}

impl Class {
    /// All of them, as the formats list them.
    pub const ALL: [Self; 16] = [
        Self::SandwichTight,
        Self::SandwichWideSlot,
        Self::SandwichWideCross,
        Self::SandwichEvasive,
        Self::Frontrun,
        Self::Backrun,
        Self::Arbitrage,
        Self::CopyTrade,
        Self::Bundle,
        Self::Sniper,
        Self::Wash,
        Self::DevSell,
        Self::Rug,
        Self::Momentum,
        Self::Launch,
        Self::Bait,
    ];

    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SandwichTight => "sandwich_tight",
            Self::SandwichWideSlot => "sandwich_wide_slot",
            Self::SandwichWideCross => "sandwich_wide_cross",
            Self::SandwichEvasive => "sandwich_evasive",
            Self::Frontrun => "frontrun",
            Self::Backrun => "backrun",
            Self::Arbitrage => "arbitrage",
            Self::CopyTrade => "copy_trade",
            Self::Bundle => "bundle",
            Self::Sniper => "sniper",
            Self::Wash => "wash",
            Self::DevSell => "dev_sell",
            Self::Rug => "rug",
            Self::Momentum => "momentum",
            Self::Launch => "launch",
            Self::Bait => "bait",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// A sandwich that attacks somebody.
    #[must_use]
    pub const fn is_sandwich(self) -> bool {
        matches!(self, Self::SandwichTight | Self::SandwichWideSlot | Self::SandwichWideCross | Self::SandwichEvasive)
    }

    /// Whether somebody is attacked; the others are told for what they say of a market.
    #[must_use]
    pub const fn is_attack(self) -> bool {
        self.is_sandwich() || matches!(self, Self::Frontrun)
    }
}

/// What is known of the slots an alert rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its slots may still die.
    Provisional,
    /// All its slots are confirmed.
    Confirmed,
    /// One of its slots died, or what was taken for one attack was another's.
    Retracted,
}

impl State {
    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Confirmed => "confirmed",
            Self::Retracted => "retracted",
        }
    }
}

/// How sure a detector is, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Below what is told of an attack; patterns that are no attack may stand here.
    Low,
    /// At least 0.7.
    Suspected,
    /// At least 0.9.
    Likely,
    /// At least 0.99.
    Confirmed,
}

impl Band {
    /// The band of a confidence.
    #[must_use]
    pub fn of(confidence: f64) -> Self {
        match confidence {
            c if c >= 0.99 => Self::Confirmed,
            c if c >= 0.9 => Self::Likely,
            c if c >= SUSPECTED => Self::Suspected,
            _ => Self::Low,
        }
    }

    /// The word shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Suspected => "suspected",
            Self::Likely => "likely",
            Self::Confirmed => "confirmed",
        }
    }
}

/// Confidence from which an attack is told.
pub const SUSPECTED: f64 = 0.7;
/// Most confidence of an alert whose legs a gap in the reserve chain lies between.
pub const ACROSS_GAP: f64 = 0.5;

/// Names an alert through all its updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u64);

/// One reason for the confidence, with its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// What was looked at.
    pub code: &'static str,
    /// What was seen.
    pub value: f64,
}

/// How two wallets are known to be one attacker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// The same program that hardly anybody else uses.
    Program,
    /// The back leg gives exactly what the front leg got.
    ExactAmount,
    /// The same fee payer, who hardly pays for anybody else.
    Payer,
    /// One sent the other the tokens.
    Transfer,
    /// The same wallet.
    Owner,
}

impl Link {
    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::ExactAmount => "exact_amount",
            Self::Payer => "payer",
            Self::Transfer => "transfer",
            Self::Owner => "owner",
        }
    }

    /// How much it proves, 0–1.
    #[must_use]
    pub const fn strength(self) -> f64 {
        match self {
            Self::Program => 0.7,
            Self::ExactAmount | Self::Payer => 0.9,
            Self::Transfer => 0.97,
            Self::Owner => 1.0,
        }
    }
}

/// A wallet of the one who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attacker {
    /// The wallet.
    pub wallet: Wallet,
    /// How it is tied to the others; the first one is its own owner.
    pub link: Link,
}

/// What a leg is in an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Opens.
    Front,
    /// Suffers.
    Victim,
    /// Closes.
    Back,
    /// Belongs to it otherwise.
    Other,
}

impl Role {
    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Victim => "victim",
            Self::Back => "back",
            Self::Other => "other",
        }
    }
}

/// A leg as evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertLeg {
    /// What it is.
    pub role: Role,
    /// Its transaction.
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
    /// Position of its transaction in the block.
    pub tx_index: u64,
    /// Whose.
    pub user: Wallet,
    /// Seen from the base token.
    pub side: Side,
    /// Raw base units.
    pub base: u64,
    /// Raw quote units that move the price.
    pub quote: u64,
    /// Fees on top, raw quote units.
    pub fees: u64,
    /// Its transaction's tip, lamports.
    pub tip: u64,
}

/// The pool's price after one of its trades, in raw quote units for one raw base unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathPoint {
    /// What the trade is in the alert; trades that only passed by are [`Role::Other`].
    pub role: Role,
    /// As it was; `None` where the event does not tell.
    pub with: Option<f64>,
    /// As it would have been without the attacker's legs, everybody else re-executed by intent.
    pub without: f64,
}

/// What an attack cost somebody. Amounts are in raw units of the pool's quote token and base token.
#[derive(Clone, Debug, PartialEq)]
pub struct Victim {
    /// Its transaction.
    pub signature: Signature,
    /// Whose.
    pub user: Wallet,
    /// Quote lost with the fees charged on it, all attackers' legs removed; `None` where the pool cannot be replayed.
    pub loss: Option<i64>,
    /// The same with only this attacker's legs removed.
    pub marginal_loss: Option<i64>,
    /// Base tokens the same order would have brought more; 0 for orders that name what they get.
    pub token_shortfall: Option<u64>,
    /// Share of the victim's slippage that was used up; `None` without a limit or a replay.
    pub slack_use: Option<f64>,
}

/// One finding. The same `id` comes again, with a higher `revision`, whenever more is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Names it.
    pub id: AlertId,
    /// Counts its updates from 0.
    pub revision: u32,
    /// What.
    pub class: Class,
    /// What is known of its slots.
    pub state: State,
    /// 0–1.
    pub confidence: f64,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// Where.
    pub venue: Venue,
    /// The pool or curve.
    pub pool: Pool,
    /// The base token.
    pub mint: Mint,
    /// The quote token.
    pub quote_mint: Mint,
    /// Who acts.
    pub attackers: Vec<Attacker>,
    /// The evidence, in chain order.
    pub legs: Vec<AlertLeg>,
    /// Who suffers.
    pub victims: Vec<Victim>,
    /// Sum of the losses, raw quote units.
    pub victim_loss: Option<i64>,
    /// Quote out − quote in on matched inventory after fees, transaction fees and tips; raw quote units.
    pub profit: Option<i64>,
    /// Base units the attacker has not closed.
    pub open_inventory: u64,
    /// Whether the reserve chain is whole over all legs.
    pub chain_ok: bool,
    /// Highest slot of its legs: confirmed when this one is.
    pub slot: u64,
    /// When what caused its newest revision but those of slots arrived, in microseconds since the Unix epoch.
    pub recv_us: i64,
    /// From that arrival until the alert was handed on, in microseconds; 0 until then.
    pub detect_us: u64,
    /// The price of the pool through the attack, in pool order; `None` where the pool cannot be replayed, and for classes
    /// that are no position around others' trades.
    pub path: Option<Arc<[PathPoint]>>,
    /// What its confidence was computed from; sandwich classes and their harmless look-alikes.
    pub features: Option<Features>,
}

impl Alert {
    /// How sure, in words.
    #[must_use]
    pub fn band(&self) -> Band {
        Band::of(self.confidence)
    }
}

impl Alert {
    /// An alert about one leg, by its trader, to be filled in.
    pub(super) fn about(leg: &Leg, class: Class, confidence: f64) -> Self {
        Self {
            confidence: if leg.whole { confidence } else { confidence.min(ACROSS_GAP) },
            venue: leg.venue,
            pool: leg.pool,
            mint: leg.mint,
            quote_mint: leg.quote_mint,
            attackers: vec![Attacker { wallet: leg.user, link: Link::Owner }],
            chain_ok: leg.whole,
            slot: leg.place.slot,
            recv_us: leg.recv_us,
            ..Self::empty(class)
        }
    }

    /// An alert to be filled in: a fact until something says otherwise.
    pub(super) const fn empty(class: Class) -> Self {
        Self {
            id: AlertId(0),
            revision: 0,
            class,
            state: State::Provisional,
            confidence: 0.99,
            reasons: Vec::new(),
            venue: Venue::Pump,
            pool: Pool::new([0; 32]),
            mint: Mint::new([0; 32]),
            quote_mint: WRAPPED_SOL,
            attackers: Vec::new(),
            legs: Vec::new(),
            victims: Vec::new(),
            victim_loss: None,
            profit: None,
            open_inventory: 0,
            chain_ok: true,
            slot: 0,
            recv_us: 0,
            detect_us: 0,
            path: None,
            features: None,
        }
    }
}

/// An alert as the view carries it: one entry per revision, of which the last of an `id` holds.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertView {
    /// The alert.
    pub alert: Alert,
    /// Symbol of its token, made safe; empty when unknown.
    pub symbol: Shown,
    /// Whether the user wants to be told at once: by a watch list, or by class and confidence.
    pub notify: bool,
    /// What its first attacker has done so far, this included; `None` where nobody acts.
    pub record: Option<Record>,
}
