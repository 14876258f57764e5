//! The calls of one transaction: which instruction emitted which event, and what it should have emitted.
//!
//! Sources in this order: the program's calls to itself; the log, for programs that only log or whose inner instructions
//! were not recorded; the instruction with the token transfers below it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    attempt::{self, Attempt},
    call::{Call, discriminator},
    event::{Event, EventKind, Path, Source, Venue},
    known_pools::KnownPools,
    logs::{Caller, Line, Running},
    moves::lamports_sent,
    sender::Spending,
    tables,
    tally::{Tally, Undecoded, UndecodedReason},
    transfer::{self, Accounts, Transfer},
    venue::{self, Discriminator, Emits, HOP_ACCOUNTS, Layout, Parent, Read, Refused},
};
use crate::chain::{
    ids::{Pool, Signature, Wallet},
    program::{Program, Role, Transport},
    transaction::{Instruction, Walked},
};

/// Anchor's mark of an event sent as a call to the program itself.
const EVENT_CALL: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];

/// What all events of a transaction share.
pub(super) struct Origin {
    pub(super) slot: u64,
    pub(super) signature: Signature,
    pub(super) tx_index: u64,
    pub(super) payer: Wallet,
}

/// Scratch memory: the calls of known programs, and the chain of callers of the instruction at hand; and what is remembered.
#[derive(Debug, Default)]
pub(super) struct Calls {
    list: Vec<Call>,
    stack: Vec<Frame>,
    /// Places of what may be transfers beside the trades, and which token accounts were opened.
    beside: Vec<usize>,
    opened: Accounts,
    /// An event from the log, out of its base64.
    body: Vec<u8>,
    /// Of all transactions so far.
    pools: KnownPools,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    depth: u32,
    call: Option<u32>,
    /// Whether it or one above it is of a venue's program.
    in_venue: bool,
}

impl Calls {
    /// Reads every event of a successful transaction and counts; what its sender paid.
    pub(super) fn run(
        &mut self,
        walked: &Walked<'_>,
        origin: &Origin,
        events: &mut Vec<Event>,
        undecoded: &mut Vec<Undecoded>,
        tally: &mut Tally,
        transfers: &mut Vec<Transfer>,
    ) -> Spending {
        let mut found = Found { walked: *walked, origin, events, undecoded, tally };
        self.list.clear();
        let spending = self.walk(&mut found);
        let log_is_whole = !self.wants_log(&found) || self.read_log(&mut found);
        for at in 0..self.list.len() {
            self.fall_back(at, &mut found);
        }
        self.settle(log_is_whole, &mut found);
        if !self.list.is_empty() {
            let opened = self.opened;
            transfers.extend(self.beside.iter().filter_map(|place| transfer::at(*place, opened, walked, origin)));
        }
        spending
    }

    /// Collects the calls and reads the events that programs called themselves with; what else was paid on the way.
    fn walk(&mut self, found: &mut Found<'_>) -> Spending {
        let mut spending = Spending::default();
        self.stack.clear();
        self.beside.clear();
        self.opened = Accounts::default();
        let mut outer = 0;
        let mut counts = [0_u32; Program::ALL.len()];
        // The last call of each program under the same top-level instruction: the emitter where depth is unknown.
        let nobody = [None::<u32>; Program::ALL.len()];
        let mut last = nobody;
        let walked = found.walked;
        for (place, instruction) in walked.instructions().enumerate() {
            if instruction.inner.is_none() {
                outer = place;
                last = nobody;
            }
            let depth = instruction.assumed_depth();
            while self.stack.pop_if(|frame| frame.depth >= depth).is_some() {}
            let program = instruction.venue();
            let ordinal = program.map_or(0, |program| counts[program as usize]);
            if let Some(program) = program {
                counts[program as usize] += 1;
            } else if let Some(role) = instruction.role {
                let in_venue = match instruction.depth {
                    Some(_) => self.stack.last().is_some_and(|frame| frame.in_venue),
                    None => last != nobody,
                };
                self.pay(role, &instruction, place, in_venue, &mut spending);
            }
            if let Some(program) = program
                && instruction.data.starts_with(&EVENT_CALL)
            {
                let emitter = match instruction.depth {
                    Some(depth) => self
                        .stack
                        .last()
                        .filter(|frame| frame.depth.checked_add(1) == Some(depth))
                        .and_then(|frame| frame.call),
                    None => last[program as usize],
                };
                if let Some(emitter) = emitter.map(|call| call as usize)
                    && let Some((event, body)) = event_of(program, &instruction)
                    && let Some(call) = self.list.get_mut(emitter).filter(|call| call.program == program)
                {
                    call.called_itself = true;
                    self.event(emitter, event, body, Source::SelfCall, found);
                }
                continue;
            }
            let mut call = None;
            if let Some(program) = program {
                let caller = match instruction.depth {
                    Some(_) => self.stack.last().and_then(|frame| frame.call),
                    None => last[Program::PumpSwap as usize],
                };
                call = u32::try_from(self.list.len()).ok();
                last[program as usize] = call;
                let caller = caller.map(|caller| caller as usize);
                self.list.push(Call { outer, ordinal, caller, ..Call::new(program, &instruction, place) });
            }
            let in_venue = call.is_some() || self.stack.last().is_some_and(|frame| frame.in_venue);
            self.stack.push(Frame { depth, call, in_venue });
        }
        spending
    }

    /// What an instruction of no venue's pays, moves and opens.
    fn pay(
        &mut self,
        role: Role,
        instruction: &Instruction<'_>,
        place: usize,
        in_venue: bool,
        spending: &mut Spending,
    ) {
        let beside = match role {
            Role::System => lamports_sent(instruction).is_some_and(|(to, amount)| !spending.send(to, amount)),
            Role::Token => {
                self.opened.insert(transfer::opened_by(instruction));
                !in_venue && transfer::token_transfer(instruction.data).is_some()
            }
            Role::AssociatedToken => {
                self.opened.insert(transfer::usual_opened_by(instruction));
                false
            }
            Role::ComputeBudget => {
                spending.budget(instruction);
                false
            }
            Role::Venue(_) => false,
        };
        if beside && !in_venue {
            self.beside.push(place);
        }
    }

    /// Whether events may still be in the log.
    fn wants_log(&self, found: &Found<'_>) -> bool {
        let inner_missing = found.walked.inner_missing();
        self.list.iter().any(|call| call.wants_log(inner_missing) && call.may_emit())
    }

    /// Reads the events that are only in the log, until all are there that can be; whether it was whole.
    fn read_log(&mut self, found: &mut Found<'_>) -> bool {
        let walked = found.walked;
        let inner_missing = walked.inner_missing();
        let mut running = Running::new(inner_missing);
        let mut next = [0; Program::ALL.len()];
        let mut body = std::mem::take(&mut self.body);
        let mut whole = false;
        for line in walked.logs() {
            whole = true;
            let (caller, text) = match running.line(line) {
                Line::Data(caller, text) if caller.program.transport() != Transport::RayLog => (caller, text),
                Line::RayLog(caller, text) if caller.program.transport() == Transport::RayLog => (caller, text),
                Line::Cut => {
                    whole = false;
                    break;
                }
                _ => continue,
            };
            let Some(emitter) = self.call_of(caller, &mut next) else { continue };
            if !self.list.get(emitter).is_some_and(|call| call.wants_log(inner_missing)) {
                continue;
            }
            body.clear();
            // What is no base64 is none of ours: one program prints other text behind the same words.
            if STANDARD.decode_vec(text, &mut body).is_err() {
                continue;
            }
            let (tag, source) = match caller.program.transport() {
                Transport::RayLog => (1, Source::RayLog),
                _ => (8, Source::Log),
            };
            if let Some((event, body)) = body.split_at_checked(tag).filter(|(_, body)| !body.is_empty()) {
                self.event(emitter, discriminator(event), body, source, found);
                if !self.wants_log(found) {
                    break;
                }
            }
        }
        self.body = body;
        whole
    }

    /// The call of that program and ordinal. Lines come in the order of calls' beginnings but for callers that go on after
    /// what they called, so the search starts again for those.
    fn call_of(&self, caller: Caller, next: &mut [usize; Program::ALL.len()]) -> Option<usize> {
        let start = next.get_mut(caller.program as usize)?;
        let is_it = |at: &usize| {
            self.list.get(*at).is_some_and(|call| call.program == caller.program && call.ordinal == caller.ordinal)
        };
        let found = (*start..self.list.len()).find(is_it).or_else(|| (0..*start).find(is_it));
        *start = found.unwrap_or(*start);
        found
    }

    fn event(&mut self, emitter: usize, event: Discriminator, body: &[u8], source: Source, found: &mut Found<'_>) {
        let Some(call) = self.list.get(emitter).copied() else { return };
        let Some(parent) = call.parent(source, &found.walked) else { return };
        self.learn(call.program, &parent);
        let cause = parent.call;
        let parent = Parent { known: Some(&self.pools), ..parent };
        let layout = tables::of(call.program).event(event);
        let (newer, older) = match call.emits() {
            Emits::Newer(newer, older) => (newer == event, older == event),
            _ => (false, false),
        };
        if older && call.decoded & 1 != 0 {
            return;
        }
        let read = venue::read(layout, body, &parent);
        self.mark(emitter, event, layout, read.is_ok());
        match read {
            Ok(read) => {
                found.count(call.program, source, read.tail);
                let at = found.events.len();
                found.push(&cause, read, call.held.filter(|_| newer));
                if older && let Some(call) = self.list.get_mut(emitter) {
                    call.held = Some(at);
                }
            }
            Err(refused) => {
                let reason = match refused {
                    Refused::BadLayout => UndecodedReason::BadLayout,
                    Refused::Unknown => UndecodedReason::UnknownVersion,
                    Refused::Unnamed => UndecodedReason::UnnamedToken,
                };
                found.miss(call.program, event, reason);
            }
        }
    }

    /// Remembers the tokens of a pool of the program that has instructions which name only one of them.
    fn learn(&mut self, program: Program, parent: &Parent<'_>) {
        if program == Program::MeteoraDlmm
            && let Some(seats) = parent.seats(None)
            && let Some((pool, mints)) = parent.account(seats.pool).zip(parent.mints(&seats))
        {
            self.pools.learn(pool, mints);
        }
    }

    /// Notes that a call emitted an event it owed, and a multi-hop that one of its hops traded.
    fn mark(&mut self, emitter: usize, event: Discriminator, layout: Option<&Layout>, decoded: bool) {
        let Some(call) = self.list.get_mut(emitter) else { return };
        let trade = layout.is_some_and(|layout| layout.trade);
        call.mark(call.owed(event, trade), decoded);
        if let Some(caller) = call.caller.filter(|_| trade)
            && let Some(caller) = self.list.get_mut(caller)
            && caller.emits() == Emits::Hops
        {
            caller.mark(1, decoded);
        }
    }

    /// What an instruction says itself: the only source of some facts, and the last of trades.
    fn fall_back(&mut self, at: usize, found: &mut Found<'_>) {
        let Some(call) = self.list.get_mut(at) else { return };
        let missing = call.emits().owed() - call.decoded.count_ones();
        if missing == 0 && call.emits() != Emits::Itself {
            return;
        }
        let call = *call;
        let Some(parent) = call.parent(Source::Fallback, &found.walked) else { return };
        // Half of an instruction's trades are not told from the other half.
        if call.decoded & call.emits().trades() != 0 {
            return;
        }
        let unsaid = tables::of(call.program).unsaid;
        let before = found.events.len();
        if let Some(start) = call.hops() {
            for hop in self.own_hops(at, start, &parent) {
                if let Some(read) = unsaid(&Parent { hop: Some(hop), ..parent }) {
                    found.push(&parent.call, read, None);
                }
            }
        } else if let Some(read) = unsaid(&parent) {
            found.push(&parent.call, read, None);
        }
        if found.events.len() == before {
            return;
        }
        self.stand_in(at, found);
        // A multi-hop is complete with a trade of the curves below it.
        if let Some(caller) = call.caller.filter(|_| call.hops().is_some())
            && self.list.get(caller).is_some_and(|caller| caller.emits() == Emits::Hops && caller.decoded == 0)
        {
            self.stand_in(caller, found);
        }
    }

    /// Counts what a call owes as read from its instruction.
    fn stand_in(&mut self, at: usize, found: &mut Found<'_>) {
        let Some(call) = self.list.get_mut(at) else { return };
        found.tally.of_mut(call.program).fallbacks += call.emits().owed() - call.decoded.count_ones();
        call.seen |= call.emits().bits();
        call.decoded |= call.emits().bits();
    }

    /// Where the hops of a multi-hop begin that no call below it makes.
    fn own_hops(&self, at: usize, start: usize, parent: &Parent<'_>) -> Vec<usize> {
        let pools =
            |parent: &Parent<'_>, start| parent.hops(start).map(|(.., pool): (_, _, Pool)| pool).collect::<Vec<_>>();
        let below = self
            .list
            .iter()
            .filter(|call| call.caller == Some(at))
            .filter_map(|call| Some(pools(&call.parent(Source::Fallback, &parent.walked)?, call.hops()?)));
        let below: Vec<Pool> = below.flatten().collect();
        let hops = pools(parent, start).into_iter().enumerate().filter(|(_, pool)| !below.contains(pool));
        hops.map(|(hop, _)| start + hop * HOP_ACCOUNTS).collect()
    }

    /// Counts what was owed and what came.
    fn settle(&self, log_is_whole: bool, found: &mut Found<'_>) {
        for call in &self.list {
            let counts = found.tally.of_mut(call.program);
            counts.invocations += 1;
            if call.spec.is_none() {
                found.miss(call.program, call.discriminator, UndecodedReason::UnknownInstruction);
                continue;
            }
            counts.known += 1;
            let owed = call.emits().owed();
            counts.expected += owed;
            counts.decoded += call.decoded.count_ones();
            let only_logs = call.program.transport() != Transport::SelfCall;
            let reason =
                if only_logs && !log_is_whole { UndecodedReason::TruncatedLog } else { UndecodedReason::MissingEvent };
            for _ in call.seen.count_ones()..owed {
                found.miss(call.program, call.discriminator, reason);
            }
        }
    }
}

/// Where the findings of a transaction go.
struct Found<'a> {
    walked: Walked<'a>,
    origin: &'a Origin,
    events: &'a mut Vec<Event>,
    undecoded: &'a mut Vec<Undecoded>,
    tally: &'a mut Tally,
}

impl Found<'_> {
    fn count(&mut self, program: Program, source: Source, tail: bool) {
        let counts = self.tally.of_mut(program);
        counts.unknown_tails += u32::from(tail);
        counts.logged += u32::from(source != Source::SelfCall);
    }

    /// Adds what was read, or puts it in place of what it replaces. An event is long: inlined, it is copied less often.
    #[allow(clippy::inline_always, reason = "measured: three hundredths of a transaction's decoding")]
    #[inline(always)]
    fn push(&mut self, cause: &Instruction<'_>, read: Read, replaced: Option<usize>) {
        let Some(kind) = read.kind else { return };
        let event = self.event(cause, read.timestamp, kind);
        match replaced.and_then(|at| self.events.get_mut(at)) {
            Some(place) => *place = event,
            None => self.events.push(event),
        }
        if let Some(also) = read.also {
            let event = self.event(cause, read.timestamp, *also);
            self.events.push(event);
        }
    }

    #[allow(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn event(&self, cause: &Instruction<'_>, timestamp: Option<i64>, kind: EventKind) -> Event {
        Event {
            slot: self.origin.slot,
            signature: self.origin.signature,
            tx_index: self.origin.tx_index,
            path: Path { outer: cause.outer, inner: cause.inner },
            event_index: 0,
            timestamp,
            payer: self.origin.payer,
            kind,
        }
    }

    fn miss(&mut self, program: Program, event: Discriminator, reason: UndecodedReason) {
        let signature = self.origin.signature;
        self.undecoded.push(Undecoded { program, discriminator: event.to_be_bytes(), reason, signature });
    }
}

/// The swaps of a failed transaction.
pub(super) fn attempts(walked: &Walked<'_>, origin: &Origin, attempts: &mut Vec<Attempt>) {
    let mut ordinals = [0_u32; Program::ALL.len()];
    let mut outer = 0;
    let failed = failed_call(walked);
    for (place, instruction) in walked.instructions().enumerate() {
        if instruction.inner.is_none() {
            outer = place;
        }
        let Some(program) = instruction.venue() else { continue };
        let Some(ordinal) = ordinals.get_mut(program as usize) else { continue };
        let caller = Caller { program, ordinal: *ordinal };
        *ordinal += 1;
        let call = Call { outer, ..Call::new(program, &instruction, place) };
        let Some(parent) = call.parent(Source::Fallback, walked) else { continue };
        let code = walked.failure().and_then(|failure| failure.code).filter(|_| failed == Some(caller));
        attempts.extend(attempt::of(Venue::of(program), &parent, origin, code));
    }
}

/// The call that failed first, by the log: the innermost one.
fn failed_call(walked: &Walked<'_>) -> Option<Caller> {
    let mut running = Running::new(walked.inner_missing());
    walked.logs().map(|line| running.line(line)).find_map(|line| match line {
        Line::Failed(call) => Some(call),
        Line::Cut => Some(None),
        _ => None,
    })?
}

/// The event in a call of a program to itself: its discriminator and body. The bare mark carries none.
fn event_of<'a>(program: Program, instruction: &Instruction<'a>) -> Option<(Discriminator, &'a [u8])> {
    let event = instruction.data.get(EVENT_CALL.len()..)?;
    let body = event.get(8..).filter(|body| !body.is_empty())?;
    let authority = program.event_authority()?;
    let event = event.get(..8)?;
    (instruction.account(0) == Some(authority.as_array())).then(|| (discriminator(event), body))
}
