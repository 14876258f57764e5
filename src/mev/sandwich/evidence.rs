//! The alert of a judged position.

use super::{
    Judge, Judged, Scene,
    counterfactual::{price_path, slack_use},
    entity::{Entity, links},
};
use crate::mev::{
    alert::{ACROSS_GAP, Alert, AlertId, Attacker, Class, Reason, Role, State, Victim},
    book::Seq,
};

impl Judge {
    /// The alert of what was judged last.
    pub(in crate::mev) fn alert(&self, first: Seq, judged: &Judged, class: Class, scene: &Scene<'_>) -> Option<Alert> {
        let head = scene.book.get(first)?;
        let position = head.position;
        let last = scene.book.get(position.last_back())?;
        let mut attackers: Vec<Attacker> = Vec::new();
        for (wallet, link) in links(&position, scene) {
            if attackers.iter().all(|known| known.wallet != wallet) {
                attackers.push(Attacker { wallet, link });
            }
        }
        let fronts = position.fronts().map(|seq| (seq, Role::Front));
        let backs = position.backs().map(|(seq, _)| (seq, Role::Back));
        let mut roles: Vec<_> =
            fronts.chain(backs).chain(self.victims.iter().map(|(seq, ..)| (*seq, Role::Victim))).collect();
        roles.sort_unstable();
        let path = price_path(first, last.seq, &roles, &Entity::of(&position, scene), scene.book);
        let victims: Vec<Victim> = self
            .victims
            .iter()
            .filter_map(|(seq, joint, alone)| {
                let leg = &scene.book.get(*seq)?.leg;
                Some(Victim {
                    signature: leg.signature,
                    user: leg.user,
                    loss: joint.map(|harm| harm.loss),
                    marginal_loss: alone.map(|harm| harm.loss),
                    token_shortfall: joint.map(|harm| harm.shortfall),
                    slack_use: joint.as_ref().and_then(slack_use),
                })
            })
            .collect();
        let mut reasons = scene.weights.reasons(&judged.features);
        reasons.extend(judged.slack.map(|value| Reason { code: "slack_use", value }));
        Some(Alert {
            id: AlertId(0),
            revision: 0,
            class,
            state: State::Provisional,
            confidence: if judged.whole { judged.confidence } else { judged.confidence.min(ACROSS_GAP) },
            reasons,
            venue: head.leg.venue,
            pool: head.leg.pool,
            mint: head.leg.mint,
            quote_mint: head.leg.quote_mint,
            attackers,
            legs: roles.into_iter().filter_map(|(seq, role)| scene.book.evidence(seq, role)).collect(),
            victim_loss: victims.iter().map(|victim| victim.loss).sum(),
            victims,
            profit: judged.profit,
            open_inventory: position.opened.saturating_sub(position.closed),
            chain_ok: judged.whole,
            slot: last.leg.place.slot,
            recv_us: last.leg.recv_us,
            detect_us: 0,
            path,
            features: Some(judged.features),
        })
    }
}
