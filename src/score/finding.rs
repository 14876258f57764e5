//! What a detector says, and which planted attack that is.

use std::collections::HashMap;

use super::play::Played;
use crate::{
    chain::ids::{Mint, Signature},
    decode::event::Venue,
    mev::{Alert, State, alert::Role},
};

/// A sandwich that somebody says there was.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The token.
    pub mint: Mint,
    /// Transactions that open.
    pub fronts: Vec<Signature>,
    /// Transactions that close.
    pub backs: Vec<Signature>,
    /// Transactions that suffer, each with its loss and what this attacker alone cost it, where that is said: in lamports.
    pub victims: Vec<(Signature, Option<(i64, i64)>)>,
    /// 0–1.
    pub confidence: f64,
    /// On a bonding curve.
    pub on_curve: bool,
}

impl Finding {
    /// What our detectors say.
    pub(super) fn of(alert: &Alert) -> Option<Self> {
        if !alert.class.is_sandwich() || alert.state == State::Retracted {
            return None;
        }
        let legs = |role: Role| alert.legs.iter().filter(move |leg| leg.role == role).map(|leg| leg.signature);
        let victims = alert.victims.iter().map(|victim| (victim.signature, victim.loss.zip(victim.marginal_loss)));
        Some(Self {
            mint: alert.mint,
            fronts: legs(Role::Front).collect(),
            backs: legs(Role::Back).collect(),
            victims: victims.collect(),
            confidence: alert.confidence,
            on_curve: alert.venue == Venue::Pump,
        })
    }
}

/// Names a planted attack: its episode's place among the labels, and its own among the episode's.
pub(super) type AttackId = (usize, usize);

/// The planted attacks by their legs.
#[derive(Debug, Default)]
pub(super) struct Truth {
    fronts: HashMap<Signature, AttackId>,
    backs: HashMap<Signature, AttackId>,
    episodes: HashMap<Mint, usize>,
}

impl Truth {
    pub(super) fn of(played: &Played) -> Self {
        let mut truth = Self::default();
        for (episode, label) in played.labels.iter().enumerate() {
            truth.episodes.insert(Mint::new(label.mint.to_bytes()), episode);
            for (number, attack) in label.attacks.iter().enumerate() {
                for leg in &attack.legs {
                    let side = if leg.front { &mut truth.fronts } else { &mut truth.backs };
                    side.insert(leg.signature, (episode, number));
                }
            }
        }
        truth
    }

    /// The attack of which this is a front and a back.
    pub(super) fn attack(&self, fronts: &[Signature], backs: &[Signature]) -> Option<AttackId> {
        let fronts = fronts.iter().filter_map(|front| self.fronts.get(front));
        let backs = || backs.iter().filter_map(|back| self.backs.get(back));
        fronts.copied().find(|front| backs().any(|back| back == front))
    }

    /// The episode of a token.
    pub(super) fn episode(&self, mint: Mint) -> Option<usize> {
        self.episodes.get(&mint).copied()
    }
}
