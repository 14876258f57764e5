//! What would have happened without an attack's legs: what each victim lost, how the price would have gone, and whether
//! somebody aimed at an order's limit.

use std::sync::Arc;

use super::{Judge, Scene, entity::Entity};
use crate::mev::{
    alert::{PathPoint, Role},
    book::{Book, Entry, Position, Seq},
    replay::{Harm, PoolState, reproduces},
};

impl Judge {
    /// What each victim lost, all attackers' legs away and only this one's away.
    pub(super) fn replay(&mut self, first: Seq, entity: &Entity, position: &Position, scene: &Scene<'_>) {
        // Another attack around the same victims may have begun before this one.
        let others = self.victims.iter().filter_map(|(seq, ..)| scene.book.get(*seq)).flat_map(|entry| entry.harmed_by);
        let others = others.flatten().filter(|id| Some(*id) != position.alert);
        let start = others.filter_map(|id| scene.tracked.first(id)).fold(first, Seq::min);
        let mine = |entry: &Entry| entity.owns(entry);
        if start < first {
            let Some(last) = self.seqs.last().copied() else { return };
            if !scene.book.between(start, last, &mut self.seqs) && !scene.book.between(first, last, &mut self.seqs) {
                return;
            }
        }
        let foreign = |entry: &Entry| scene.tracked.is_part_of_another(entry, position.alert);
        let several =
            self.seqs.iter().filter_map(|seq| scene.book.get(*seq)).any(|entry| foreign(entry) && !mine(entry));
        let Self { seqs, victims } = self;
        let joint = walk(
            seqs,
            scene.book,
            |entry| mine(entry) || foreign(entry),
            |entry, harm, _| {
                if let Some(victim) = victims.iter_mut().find(|(known, ..)| *known == entry.seq) {
                    (victim.1, victim.2) = (harm, harm);
                }
            },
        );
        if joint && several {
            walk(seqs, scene.book, mine, |entry, harm, _| {
                if let Some(victim) = victims.iter_mut().find(|(known, ..)| *known == entry.seq) {
                    victim.2 = harm;
                }
            });
        }
    }
}

/// How much of its slippage an order would have lost had it stood right behind the fronts before it, with nothing in
/// between: what somebody who saw it coming could reckon with.
pub(super) fn aimed_at(prey: &Entry, position: &Position, book: &Book) -> Option<f64> {
    let mut fronts = position.fronts().filter(|seq| *seq < prey.seq).filter_map(|seq| book.get(seq)).peekable();
    let before = PoolState::before(&fronts.peek()?.leg)?;
    let behind = fronts.try_fold(before, |state, front| Some(state.fill(&front.leg)?.after))?;
    before.slack_lost_in(&behind, &prey.leg).map(share)
}

/// The price after each leg of the pool between these two, as it was and without the entity's legs.
pub(super) fn price_path(
    first: Seq,
    last: Seq,
    roles: &[(Seq, Role)],
    entity: &Entity,
    book: &Book,
) -> Option<Arc<[PathPoint]>> {
    let mut seqs = Vec::new();
    if !book.between(first, last, &mut seqs) {
        return None;
    }
    let mut path = Vec::with_capacity(seqs.len());
    let mut not_a_price = false;
    let whole = walk(
        &seqs,
        book,
        |entry| entity.owns(entry),
        |entry, _, state| {
            let role = roles.iter().find(|(seq, _)| *seq == entry.seq).map_or(Role::Other, |(_, role)| *role);
            let with = entry.leg.after.and_then(|after| price(after.base.into(), after.quote));
            let without = price(state.base, state.quote);
            not_a_price |= without.is_none();
            path.extend(without.map(|without| PathPoint { role, with, without }));
        },
    );
    (whole && !not_a_price).then(|| path.into())
}

#[allow(clippy::cast_precision_loss, reason = "a price")]
fn price(base: u128, quote: u128) -> Option<f64> {
    (base > 0).then(|| quote as f64 / base as f64)
}

/// Executes legs of a pool without some of them; tells of each, in order, what it would not have suffered (`None` of the
/// removed), and the pool afterwards. `false` where the pool cannot be replayed to the end.
fn walk(
    seqs: &[Seq],
    book: &Book,
    removed: impl Fn(&Entry) -> bool,
    mut executed: impl FnMut(&Entry, Option<Harm>, &PoolState),
) -> bool {
    let mut state = None;
    let mut expected = None;
    for entry in seqs.iter().filter_map(|seq| book.get(*seq)) {
        let leg = &entry.leg;
        // A pool that changed otherwise in between, or whose trades we do not compute as its program does: no figures.
        if expected.is_some_and(|expected| leg.before != Some(expected)) || !reproduces(leg) {
            return false;
        }
        expected = leg.after;
        let Some(now) = state.or_else(|| PoolState::before(leg)) else { return false };
        if removed(entry) {
            executed(entry, None, &now);
            state = Some(now);
            continue;
        }
        let (Some(fill), Some(harm)) = (now.fill(leg), now.harm(leg)) else { return false };
        executed(entry, Some(harm), &fill.after);
        state = Some(fill.after);
    }
    true
}

/// Share of a victim's slippage that was used up.
pub(super) fn slack_use(harm: &Harm) -> Option<f64> {
    harm.slack.map(share)
}

#[allow(clippy::cast_precision_loss, reason = "a share")]
fn share((part, whole): (i64, i64)) -> f64 {
    part as f64 / whole as f64
}
