//! Recovery and proof against a model of the server: random chains, breaks, replays, refusals and drops; made from a seed.
//!
//! What was executed is delivered or declared as missed, and what is called proven was delivered whole.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use smart_stream_tui::{
    chain::group::GroupSet,
    stream::{
        Gap, GapCause, ProofMode, Share,
        completeness::{Completeness, Proof, SlotProof},
        ledger::StreamLedger,
        policy::Class,
        recovery::{Recovery, Repair},
    },
};

/// Slots without trouble at the end of a history: longer than it takes to give up an ignored replay twice.
const CALM: usize = 110;

/// What the server sends.
#[derive(Clone, Debug)]
enum Message {
    Transaction(u64, u64),
    Status(u64, u64),
    Meta { slot: u64, parent: u64, executed: u64 },
    Processed(u64),
}

#[derive(Clone, Copy, Debug)]
struct Server {
    /// Finished slots kept for a replay; 0 is none.
    ring: usize,
    /// Of a thousand transactions, so many are not sent.
    drop: u32,
    /// Whether it takes a `from_slot` at the beginning of a stream only.
    ignores_from_slot: bool,
    /// Whether it sends nothing of what a request with one says.
    deaf: bool,
    /// Whether it says what it has.
    tells: bool,
}

/// The engine's side: what `live` does, without a network.
struct Client {
    recovery: Recovery,
    ledger: StreamLedger,
    completeness: Completeness,
    gaps: Vec<Gap>,
    delivered: BTreeSet<(u64, u64)>,
    since: Option<u64>,
    /// How each slot stood last.
    proofs: BTreeMap<u64, SlotProof>,
    ask: bool,
    /// The server has taken a request for a replay on this stream, and what it sends bears its mark.
    asked: bool,
}

impl Client {
    fn take(&mut self, message: &Message) {
        match *message {
            Message::Transaction(slot, index) => {
                self.recovery.data(slot, self.asked);
                self.ledger.transaction(slot, index);
                self.delivered.insert((slot, index));
            }
            Message::Status(slot, index) => {
                self.recovery.data(slot, self.asked);
                self.ledger.status(slot, index, true);
            }
            Message::Meta { slot, parent, executed } => {
                self.recovery.came(slot, self.asked);
                self.ledger.meta(slot, parent, executed);
            }
            Message::Processed(slot) => {
                let replayed = self.recovery.came(slot, self.asked);
                let mut gaps = Vec::new();
                self.ask |= self.recovery.finished(slot, &mut gaps);
                let finished = self.ledger.finished(slot, replayed);
                if let Some(record) = finished.record {
                    if record.whole {
                        self.since.get_or_insert(slot);
                    }
                    let mut changes = Vec::new();
                    self.completeness.record(0, record, Share::ALL, &mut changes);
                    self.proofs.extend(changes.into_iter().map(|change| (change.slot, change)));
                    let broken = finished.broken_at.map(|parent| (parent, GapCause::ChainBreak));
                    let dropped = (record.lost > 0).then_some((slot, GapCause::Dropped));
                    for (from_slot, cause) in broken.into_iter().chain(dropped) {
                        match if replayed { Repair::Impossible } else { self.recovery.repair(from_slot, cause) } {
                            Repair::Ask => self.ask = true,
                            Repair::Already => {}
                            Repair::Impossible => {
                                gaps.push(Gap { connection: 0, from_slot, to_slot: from_slot, cause, repaired: false });
                            }
                        }
                    }
                }
                self.declare(gaps);
            }
        }
    }

    fn declare(&mut self, gaps: Vec<Gap>) {
        for gap in gaps {
            let mut changes = Vec::new();
            self.completeness.gap(&gap, GroupSet::ALL, &mut changes);
            self.proofs.extend(changes.into_iter().map(|change| (change.slot, change)));
            self.gaps.push(gap);
        }
    }
}

fn play(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let mut server = Server {
        ring: [0, 3, 20, 150][random.usize(0..4)],
        drop: [0, 0, 0, 2, 30][random.usize(0..5)],
        ignores_from_slot: random.u32(0..4) == 0,
        deaf: random.u32(0..4) == 0,
        tells: random.bool(),
    };
    let mut client = Client {
        recovery: Recovery::new(0, random.u32(0..10) > 0),
        ledger: StreamLedger::new(ProofMode::Filters),
        completeness: Completeness::new(ProofMode::Filters),
        gaps: Vec::new(),
        delivered: BTreeSet::new(),
        since: None,
        proofs: BTreeMap::new(),
        ask: false,
        asked: false,
    };
    let mut made: BTreeMap<u64, u64> = BTreeMap::new();
    let mut parents: BTreeMap<u64, u64> = BTreeMap::new();
    let mut ring: Vec<u64> = Vec::new();
    let (mut up, mut slot, mut parent, mut since_break) = (true, 1_000, 999, 0);
    client.recovery.opened();
    client.asked = false;
    client.ledger.opened();
    let breaks = random.u32(0..4);
    let steps = random.usize(60..160);
    let mut end_of_history = 0;
    for step in 0..steps + CALM {
        let calm = step >= steps;
        if step == steps {
            // From here on nothing goes wrong, so that everything must be settled in time.
            end_of_history = parent;
            server = Server { drop: 0, ignores_from_slot: false, ..server };
            if !up {
                up = true;
                client.recovery.opened();
                client.asked = false;
                client.ledger.opened();
            }
        }
        let count = random.u64(1..12);
        made.insert(slot, count);
        parents.insert(slot, parent);
        // A break may come anywhere in a slot, and the stream may come back anywhere in one.
        let turn = (random.u32(0..12) < breaks && !calm).then(|| random.u64(0..=count));
        let send = |client: &mut Client, message: Message, random: &mut Rng| {
            let lost = matches!(message, Message::Transaction(..)) && random.u32(0..1_000) < server.drop;
            if !lost {
                client.take(&message);
            }
        };
        for index in 0..=count {
            if turn == Some(index) {
                up = !up;
                if up {
                    client.recovery.opened();
                    client.asked = false;
                    client.ledger.opened();
                } else {
                    client.ask = false;
                    let mut gaps = Vec::new();
                    client.recovery.lost(Class::Transport, "", GapCause::Disconnect, &mut gaps);
                    client.declare(gaps);
                }
            }
            if up && index < count {
                send(&mut client, Message::Transaction(slot, index), &mut random);
                send(&mut client, Message::Status(slot, index), &mut random);
            }
        }
        ring.push(slot);
        let keep = ring.len().saturating_sub(server.ring);
        ring.drain(..keep);
        if up {
            client.take(&Message::Meta { slot, parent, executed: count });
            client.take(&Message::Processed(slot));
        }
        since_break += 1;
        if up && client.ask && (calm || random.bool()) {
            client.ask = false;
            let told = if server.tells { Ok(ring.first().copied()) } else { Err(()) };
            let mut gaps = Vec::new();
            let from = client.recovery.request(told, &mut gaps);
            client.declare(gaps);
            // A second stream has its own frames, all of which are asked for; the live one's are not.
            let second = client.recovery.takes_a_second_stream();
            client.asked = from.is_some() && !second && !(server.ignores_from_slot && server.deaf);
            if let Some(from) = from.filter(|_| second || !server.ignores_from_slot) {
                let refusal = match ring.first() {
                    None => Some("from_slot is not supported".to_owned()),
                    Some(first) if from < *first => {
                        Some(format!("broadcast from {from} is not available, last available: {first}"))
                    }
                    Some(_) if !calm && random.u32(0..20) == 0 => Some("failed to get replay response".to_owned()),
                    Some(_) => None,
                };
                if let Some(text) = refusal.as_ref().filter(|_| second) {
                    let mut gaps = Vec::new();
                    client.ask |= client.recovery.second_lost(Class::Replay, text, &mut gaps);
                    client.declare(gaps);
                } else if let Some(text) = refusal {
                    let mut gaps = Vec::new();
                    client.recovery.lost(Class::Replay, &text, GapCause::Disconnect, &mut gaps);
                    client.declare(gaps);
                    client.recovery.opened();
                    client.asked = false;
                    client.ledger.opened();
                } else {
                    client.asked = true;
                    for slot in ring.clone().into_iter().filter(|slot| *slot >= from) {
                        let (count, parent) = (made[&slot], parents[&slot]);
                        for index in 0..count {
                            client.take(&Message::Transaction(slot, index));
                            client.take(&Message::Status(slot, index));
                        }
                        client.take(&Message::Meta { slot, parent, executed: count });
                        client.take(&Message::Processed(slot));
                    }
                    client.asked = !second;
                }
            }
        }
        if !up && since_break > 3 && random.u32(0..4) == 0 {
            up = true;
            client.recovery.opened();
            client.asked = false;
            client.ledger.opened();
        }
        parent = slot;
        slot += if random.u32(0..10) == 0 { random.u64(2..5) } else { 1 };
    }
    let Some(since) = client.since else { return };
    let declared =
        |slot: u64| client.gaps.iter().any(|gap| !gap.repaired && (gap.from_slot..=gap.to_slot).contains(&slot));
    for (slot, count) in made.range(since..=end_of_history) {
        let missing = (0..*count).filter(|index| !client.delivered.contains(&(*slot, *index))).count();
        let shown = client.proofs.get(slot);
        let context = || format!("seed {seed}: {missing} missing in {slot}, {shown:?}, {server:?}, {:?}", client.gaps);
        match shown.map(|shown| shown.proof) {
            Some(Proof::Proven | Proof::Repaired) => assert_eq!(missing, 0, "{}", context()),
            Some(Proof::Lost) => {
                let told = declared(*slot) || shown.is_some_and(|shown| shown.lost.is_some_and(|lost| lost > 0));
                assert!(told, "{}", context());
            }
            Some(Proof::Skipped | Proof::Pending) | None => panic!("{}", context()),
        }
    }
    for (slot, shown) in &client.proofs {
        assert!(shown.proof != Proof::Skipped || !made.contains_key(slot), "seed {seed}: {slot} was made");
    }
}

#[test]
fn nothing_missing_is_called_proven() {
    let seeds = std::env::var("STREAM_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    for seed in 0..seeds {
        play(seed);
    }
}
