//! Alerts that may still change: updated under one id, confirmed or retracted by what becomes of their slots.

use super::{
    alert::{Alert, AlertId, State},
    book::{self, Seq},
};

/// Alerts kept for updates.
const ALERTS: usize = 1_024;

/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A supermajority voted for it, and so for all slots it descends from.
    Confirmed,
    /// It is on no fork that goes on.
    Dead,
}

#[derive(Debug)]
struct Entry {
    alert: Alert,
    /// First leg of the position it is about; 0 where it is about none.
    first: Seq,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tracked {
    entries: Vec<Entry>,
    /// Revisions not handed on yet, in order.
    raised: Vec<Alert>,
    next: u64,
    /// When what is looked at now arrived, in microseconds since the Unix epoch.
    caused_us: i64,
    /// State of a new alert: on a stream of settled slots nothing is provisional.
    initial: State,
}

impl Tracked {
    pub(super) fn new(settled: bool) -> Self {
        let initial = if settled { State::Confirmed } else { State::Provisional };
        Self { entries: Vec::with_capacity(ALERTS), raised: Vec::new(), next: 1, caused_us: 0, initial }
    }

    /// What is raised from here on is caused by what arrived then.
    pub(super) const fn caused(&mut self, recv_us: i64) {
        self.caused_us = recv_us;
    }

    /// How long an alert took from its cause until it was handed on.
    pub(super) fn handed_on(&mut self, id: AlertId, detect_us: u64) {
        if let Some(entry) = self.entries.get_mut(Self::place(id)).filter(|entry| entry.alert.id == id) {
            entry.alert.detect_us = detect_us;
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "a remainder")]
    const fn place(id: AlertId) -> usize {
        (id.0.wrapping_sub(1) % ALERTS as u64) as usize
    }

    fn get(&self, id: AlertId) -> Option<&Entry> {
        self.entries.get(Self::place(id)).filter(|entry| entry.alert.id == id)
    }

    /// First leg of the position an alert is about.
    pub(super) fn first(&self, id: AlertId) -> Option<Seq> {
        self.get(id).map(|entry| entry.first).filter(|first| *first > 0)
    }

    /// Whether it stands, as far as it is known still: what is forgotten was not taken back.
    pub(super) fn is_live(&self, id: AlertId) -> bool {
        self.get(id).is_none_or(|entry| entry.alert.state != State::Retracted)
    }

    /// Whether a leg is part of an attack that stands and is not this one.
    pub(super) fn is_part_of_another(&self, leg: &book::Entry, this: Option<AlertId>) -> bool {
        leg.attack.is_some_and(|id| Some(id) != this && self.is_live(id))
    }

    /// Takes a new alert, or a new revision where `id` is known; gives it its number and state.
    pub(super) fn raise(&mut self, id: Option<AlertId>, mut alert: Alert, first: Seq) -> AlertId {
        let known = id.and_then(|id| self.entries.get_mut(Self::place(id)).filter(|entry| entry.alert.id == id));
        if let Some(known) = known.filter(|known| known.alert.state != State::Retracted) {
            let Alert { id, revision, state, recv_us, detect_us, .. } = known.alert;
            let same = Alert { id, revision, state, recv_us, detect_us, ..alert };
            if same == known.alert {
                return known.alert.id;
            }
            // A new leg's slot is not settled because the others' were.
            let state = if same.slot > known.alert.slot { self.initial } else { same.state };
            known.alert = Alert { revision: same.revision + 1, state, recv_us: self.caused_us, ..same };
            self.raised.push(known.alert.clone());
            return known.alert.id;
        }
        let id = AlertId(self.next);
        self.next += 1;
        (alert.id, alert.revision, alert.state, alert.recv_us) = (id, 0, self.initial, self.caused_us);
        self.raised.push(alert.clone());
        let entry = Entry { alert, first };
        match self.entries.get_mut(Self::place(id)) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
        id
    }

    /// Takes back an alert that later legs showed to be wrong.
    pub(super) fn retract(&mut self, id: AlertId) {
        if let Some(entry) = self.entries.get_mut(Self::place(id)).filter(|entry| entry.alert.id == id) {
            entry.alert.recv_us = self.caused_us;
            turn(&mut entry.alert, State::Retracted, &mut self.raised);
        }
    }

    /// Hands on what was raised since the last time.
    pub(super) fn take(&mut self, out: &mut Vec<Alert>) {
        out.append(&mut self.raised);
    }

    /// Takes what became of a slot.
    pub(super) fn slot(&mut self, slot: u64, fate: Fate) {
        for Entry { alert, .. } in &mut self.entries {
            match fate {
                Fate::Confirmed if alert.state == State::Provisional && alert.slot <= slot => {
                    turn(alert, State::Confirmed, &mut self.raised);
                }
                Fate::Dead if alert.legs.iter().any(|leg| leg.slot == slot) => {
                    turn(alert, State::Retracted, &mut self.raised);
                }
                Fate::Confirmed | Fate::Dead => {}
            }
        }
    }
}

fn turn(alert: &mut Alert, state: State, raised: &mut Vec<Alert>) {
    if alert.state != state && alert.state != State::Retracted {
        alert.state = state;
        alert.revision += 1;
        raised.push(alert.clone());
    }
}
