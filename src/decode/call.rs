//! One call of a known program: what it owes, and what of that was there.

use super::{
    event::Source,
    tables,
    venue::{Discriminator, Emits, Parent, Place, Spec},
};
use crate::chain::{
    program::{Program, Transport},
    transaction::{Instruction, Walked},
};

/// A call of a known program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) program: Program,
    pub(super) spec: Option<&'static Spec>,
    pub(super) discriminator: Discriminator,
    /// Its place in the walk.
    pub(super) place: usize,
    /// The place of the top-level instruction above it.
    pub(super) outer: usize,
    /// Its number among the calls of its program, event calls included.
    pub(super) ordinal: u32,
    /// The call that made it.
    pub(super) caller: Option<usize>,
    /// Which of the events that it must emit were there, as a bit each.
    pub(super) seen: u8,
    /// Which of them were decoded.
    pub(super) decoded: u8,
    /// Whether it called itself with an event.
    pub(super) called_itself: bool,
    /// Where the event lies that a newer form of the same fact would replace.
    pub(super) held: Option<usize>,
}

impl Call {
    pub(super) fn new(program: Program, instruction: &Instruction<'_>, place: usize) -> Self {
        let table = tables::of(program);
        let discriminator = discriminator(instruction.data.get(..table.tag).unwrap_or(instruction.data));
        let spec = table.instruction(discriminator, instruction.data);
        Self {
            program,
            spec,
            discriminator,
            place,
            outer: 0,
            ordinal: 0,
            caller: None,
            seen: 0,
            decoded: 0,
            called_itself: false,
            held: None,
        }
    }

    pub(super) fn parent<'a>(&self, source: Source, walked: &Walked<'a>) -> Option<Parent<'a>> {
        let instruction = walked.instruction(self.place)?;
        let outer = walked.instruction(self.outer)?.program;
        let outer_program = (outer != instruction.program).then_some(*outer);
        Some(Parent {
            call: instruction,
            spec: self.spec,
            at: self.place,
            outer_program,
            source,
            walked: *walked,
            known: None,
            hop: None,
        })
    }

    /// Where its hops begin among its accounts, if it is a multi-hop.
    pub(super) fn hops(&self) -> Option<usize> {
        match self.spec?.place {
            Place::Hops(start) => Some(start),
            _ => None,
        }
    }

    pub(super) fn emits(&self) -> Emits {
        self.spec.map_or(Emits::Nothing, |spec| spec.emits)
    }

    /// Whether its events have to be looked for in the log.
    pub(super) fn wants_log(&self, inner_missing: bool) -> bool {
        self.program.transport() != Transport::SelfCall || (inner_missing && !self.called_itself)
    }

    /// Whether it may have emitted an event that is not there yet.
    pub(super) fn may_emit(&self) -> bool {
        let Some(spec) = self.spec else { return true };
        match spec.emits {
            // Instructions that may emit something say where their accounts are.
            Emits::Nothing | Emits::Itself | Emits::Hops => spec.place != Place::Nowhere,
            // A router trades on as many pools as it likes.
            Emits::One(_) if spec.place == Place::Nowhere => true,
            owing => self.seen.count_ones() < owing.owed(),
        }
    }

    /// The bit of an event among those owed, 0 if it is not.
    pub(super) fn owed(&self, event: Discriminator, trade: bool) -> u8 {
        match self.emits() {
            Emits::One(first) | Emits::Both(first, _) if first == event => 1,
            Emits::Newer(newer, older) if newer == event || older == event => 1,
            Emits::Twice(first) if first == event => 1 << (self.seen & 1),
            Emits::Both(_, second) if second == event => 2,
            Emits::Hops if trade => 1,
            _ => 0,
        }
    }

    pub(super) fn mark(&mut self, bit: u8, decoded: bool) {
        self.seen |= bit;
        if decoded {
            self.decoded |= bit;
        }
    }
}

impl Emits {
    /// How many events.
    pub(super) const fn owed(self) -> u32 {
        match self {
            Self::Nothing | Self::Itself => 0,
            Self::One(_) | Self::Newer(..) | Self::Hops => 1,
            Self::Both(..) | Self::Twice(_) => 2,
        }
    }

    /// A bit for each.
    pub(super) const fn bits(self) -> u8 {
        (1 << self.owed()) - 1
    }

    /// A bit for each that can be a trade: of two different ones the first alone.
    pub(super) const fn trades(self) -> u8 {
        match self {
            Self::Both(..) => 1,
            other => other.bits(),
        }
    }
}

/// Up to eight bytes, zero-padded.
pub(super) fn discriminator(data: &[u8]) -> Discriminator {
    let mut bytes = [0; 8];
    for (place, byte) in bytes.iter_mut().zip(data) {
        *place = *byte;
    }
    Discriminator::from_be_bytes(bytes)
}
