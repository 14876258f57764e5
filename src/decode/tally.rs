//! How well decoding goes: the counts behind parse rate and coverage.
//!
//! *expected* counts the events that known instructions of successful transactions must emit; *decoded* those obtained
//! with all mandatory fields. A new instruction lowers coverage (`known / invocations`), not silently the parse rate.

use crate::chain::{ids::Signature, program::Program};

/// Counts of one program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramCounts {
    /// Events that must have been emitted.
    pub expected: u32,
    /// Of those, decoded with all mandatory fields.
    pub decoded: u32,
    /// Invocations, self-CPI event calls left out.
    pub invocations: u32,
    /// Of those, with a known instruction.
    pub known: u32,
    /// Events with bytes behind the last known field.
    pub unknown_tails: u32,
    /// Events read from the log.
    pub logged: u32,
    /// Of the decoded, those made of the instruction and its transfers for want of an event.
    pub fallbacks: u32,
}

impl ProgramCounts {
    fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.decoded += other.decoded;
        self.invocations += other.invocations;
        self.known += other.known;
        self.unknown_tails += other.unknown_tails;
        self.logged += other.logged;
        self.fallbacks += other.fallbacks;
    }
}

/// Counts by program, of one transaction or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([ProgramCounts; Program::ALL.len()]);

impl Tally {
    /// The counts of one program.
    #[must_use]
    pub const fn of(&self, program: Program) -> &ProgramCounts {
        &self.0[program as usize]
    }

    /// The counts of one program, to be changed.
    pub const fn of_mut(&mut self, program: Program) -> &mut ProgramCounts {
        &mut self.0[program as usize]
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            mine.add(theirs);
        }
    }

    /// The programs with at least one invocation.
    pub fn programs(&self) -> impl Iterator<Item = Program> {
        Program::ALL.into_iter().filter(|program| self.of(*program).invocations > 0)
    }
}

/// Why something was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UndecodedReason {
    /// No such instruction in our tables.
    UnknownInstruction,
    /// The instruction succeeded without its event.
    MissingEvent,
    /// The log that would hold its event is cut off, and its transfers do not tell.
    TruncatedLog,
    /// An event too short for its mandatory fields, or with an impossible field, or a pool whose tokens nothing names.
    BadLayout,
    /// An event whose discriminator we do not know.
    UnknownVersion,
    /// Liquidity given in one token by an instruction that does not name the pool's other one.
    UnnamedToken,
}

impl UndecodedReason {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownInstruction => "unknown_instruction",
            Self::MissingEvent => "missing_event",
            Self::TruncatedLog => "truncated_log",
            Self::BadLayout => "bad_layout",
            Self::UnknownVersion => "unknown_version",
            Self::UnnamedToken => "unnamed_token",
        }
    }
}

/// One thing that was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecoded {
    /// Whose.
    pub program: Program,
    /// First eight bytes of the instruction or event, zero-padded.
    pub discriminator: [u8; 8],
    /// Why.
    pub reason: UndecodedReason,
    /// Where to look.
    pub signature: Signature,
}
