//! The calls of one transaction: which instruction emitted which event, and what it should have emitted.

use super::{
    event::{Event, Path},
    pump, pump_swap,
    tally::{Tally, Undecoded, UndecodedReason},
    venue::{Discriminator, Emits, Parent, Read, Refused, Spec},
};
use crate::chain::{
    ids::{Signature, Wallet},
    program::Program,
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

/// Scratch memory: the calls of decoded programs, and the chain of callers of the instruction at hand.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    stack: Vec<Frame>,
}

/// A call of a decoded program.
#[derive(Clone, Copy, Debug)]
struct Call {
    program: Program,
    spec: Option<&'static Spec>,
    discriminator: Discriminator,
    /// Its place in the walk.
    place: usize,
    /// The call that made it.
    caller: Option<usize>,
    /// Which of the events that it must emit were there, as a bit each.
    seen: u8,
    /// Which of them were decoded.
    decoded: u8,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    depth: u32,
    call: Option<usize>,
}

impl Calls {
    /// Reads every event of a successful transaction and counts.
    pub(super) fn run(
        &mut self,
        walked: &Walked<'_>,
        origin: &Origin,
        events: &mut Vec<Event>,
        undecoded: &mut Vec<Undecoded>,
        tally: &mut Tally,
    ) {
        self.calls.clear();
        self.stack.clear();
        let mut outer_program = None;
        // The last call of each decoded program under the same top-level instruction: the emitter where depth is unknown.
        let mut last = [None; Program::ALL.len()];
        for (place, instruction) in walked.instructions().enumerate() {
            if instruction.inner.is_none() {
                outer_program = Some(instruction.program);
                last = [None; Program::ALL.len()];
            }
            let depth = instruction.assumed_depth();
            while self.stack.pop_if(|frame| frame.depth >= depth).is_some() {}
            let program = Program::from_id(instruction.program);
            if let Some(program) = program
                && instruction.data.starts_with(&EVENT_CALL)
            {
                let emitter = match instruction.depth {
                    Some(depth) => {
                        self.stack.last().filter(|frame| frame.depth + 1 == depth).and_then(|frame| frame.call)
                    }
                    None => last[program as usize],
                };
                if let Some(emitter) = emitter
                    && let Some(body) = event_of(program, &instruction)
                    && self.calls.get(emitter).is_some_and(|call| call.program == program)
                {
                    let outer = outer_program.filter(|outer| *outer != instruction.program).copied();
                    let mut found = Found { origin, events, undecoded, tally };
                    self.event(walked, emitter, outer, body, &mut found);
                }
                continue;
            }
            let mut call = None;
            if let Some(program) = program {
                tally.of_mut(program).invocations += 1;
                if program.has_decoder() {
                    let caller = match instruction.depth {
                        Some(_) => self.stack.last().and_then(|frame| frame.call),
                        None => last[Program::PumpSwap as usize],
                    };
                    call = Some(self.calls.len());
                    last[program as usize] = call;
                    self.calls.push(Call::new(program, &instruction, place, caller));
                }
            }
            self.stack.push(Frame { depth, call });
        }
        self.settle(origin, undecoded, tally);
    }

    fn event(
        &mut self,
        walked: &Walked<'_>,
        emitter: usize,
        outer_program: Option<[u8; 32]>,
        (event, body): (Discriminator, &[u8]),
        found: &mut Found<'_>,
    ) {
        let Some(call) = self.calls.get(emitter).copied() else { return };
        let Some(instruction) = walked.instruction(call.place) else { return };
        let parent = Parent { call: instruction, spec: call.spec, outer_program, walked: *walked };
        let read = match call.program {
            Program::Pump => pump::read(event, body, &parent),
            _ => pump_swap::read(event, body, &parent),
        };
        self.mark(emitter, event, read.is_ok());
        match read {
            Ok(read) => found.push(call.program, &instruction, read),
            Err(refused) => {
                let reason = match refused {
                    Refused::BadLayout => UndecodedReason::BadLayout,
                    Refused::Unknown => UndecodedReason::UnknownVersion,
                };
                found.miss(call.program, event, reason);
            }
        }
    }

    /// Notes that a call emitted an event it owed, and a multi-hop that one of its hops traded.
    fn mark(&mut self, emitter: usize, event: Discriminator, decoded: bool) {
        let Some(call) = self.calls.get_mut(emitter) else { return };
        let trade = match call.program {
            Program::Pump => pump::is_trade(event),
            _ => pump_swap::is_trade(event),
        };
        call.mark(call.owed(event, trade), decoded);
        if let Some(caller) = call.caller.filter(|_| trade)
            && let Some(caller) = self.calls.get_mut(caller)
            && caller.emits() == Emits::Hops
        {
            caller.mark(1, decoded);
        }
    }

    /// Counts what was owed and what came.
    fn settle(&self, origin: &Origin, undecoded: &mut Vec<Undecoded>, tally: &mut Tally) {
        for call in &self.calls {
            let counts = tally.of_mut(call.program);
            let miss = |reason| Undecoded {
                program: call.program,
                discriminator: call.discriminator.to_be_bytes(),
                reason,
                signature: origin.signature,
            };
            if call.spec.is_none() {
                undecoded.push(miss(UndecodedReason::UnknownInstruction));
                continue;
            }
            counts.known += 1;
            let owed = match call.emits() {
                Emits::Nothing => 0,
                Emits::One(_) | Emits::Hops => 1,
                Emits::Both(..) => 2,
            };
            counts.expected += owed;
            counts.decoded += call.decoded.count_ones();
            for _ in call.seen.count_ones()..owed {
                undecoded.push(miss(UndecodedReason::MissingEvent));
            }
        }
    }
}

impl Call {
    fn new(program: Program, instruction: &Instruction<'_>, place: usize, caller: Option<usize>) -> Self {
        let table = if program == Program::Pump { pump::INSTRUCTIONS } else { pump_swap::INSTRUCTIONS };
        let discriminator = discriminator(instruction.data);
        let spec = table.iter().find(|spec| spec.discriminator == discriminator && instruction.data.len() >= 8);
        Self { program, spec, discriminator, place, caller, seen: 0, decoded: 0 }
    }

    fn emits(&self) -> Emits {
        self.spec.map_or(Emits::Nothing, |spec| spec.emits)
    }

    /// The bit of an event among those owed, 0 if it is not.
    fn owed(&self, event: Discriminator, trade: bool) -> u8 {
        match self.emits() {
            Emits::One(first) | Emits::Both(first, _) if first == event => 1,
            Emits::Both(_, second) if second == event => 2,
            Emits::Hops if trade => 1,
            _ => 0,
        }
    }

    fn mark(&mut self, bit: u8, decoded: bool) {
        self.seen |= bit;
        if decoded {
            self.decoded |= bit;
        }
    }
}

/// Where the findings of a transaction go.
struct Found<'a> {
    origin: &'a Origin,
    events: &'a mut Vec<Event>,
    undecoded: &'a mut Vec<Undecoded>,
    tally: &'a mut Tally,
}

impl Found<'_> {
    fn push(&mut self, program: Program, cause: &Instruction<'_>, read: Read) {
        self.tally.of_mut(program).unknown_tails += u32::from(read.tail);
        let Some(kind) = read.kind else { return };
        self.events.push(Event {
            slot: self.origin.slot,
            signature: self.origin.signature,
            tx_index: self.origin.tx_index,
            path: Path { outer: cause.outer, inner: cause.inner },
            event_index: 0,
            timestamp: read.timestamp,
            payer: self.origin.payer,
            kind,
        });
    }

    fn miss(&mut self, program: Program, event: Discriminator, reason: UndecodedReason) {
        let signature = self.origin.signature;
        self.undecoded.push(Undecoded { program, discriminator: event.to_be_bytes(), reason, signature });
    }
}

/// The event in a call of a program to itself: its discriminator and body. The bare mark carries none.
fn event_of<'a>(program: Program, instruction: &Instruction<'a>) -> Option<(Discriminator, &'a [u8])> {
    let event = instruction.data.get(EVENT_CALL.len()..)?;
    let body = event.get(8..).filter(|body| !body.is_empty())?;
    let authority = program.event_authority()?;
    (instruction.account(0) == Some(authority.as_array())).then(|| (discriminator(event), body))
}

/// The first eight bytes, zero-padded.
fn discriminator(data: &[u8]) -> Discriminator {
    let mut bytes = [0; 8];
    for (place, byte) in bytes.iter_mut().zip(data) {
        *place = *byte;
    }
    Discriminator::from_be_bytes(bytes)
}
