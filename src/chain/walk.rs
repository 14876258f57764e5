//! The transaction walk: reads keys and instructions out of a transaction and its meta, once, into memory that it keeps.

use std::ops::Range;

use thiserror::Error;

use super::{
    balances::account_index,
    fields::Fields,
    program::Role,
    transaction::{Failure, Walked},
    wire::{self, WireError},
};

/// Why a transaction could not be walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WalkError {
    /// The bytes are not the message they should be.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// An instruction names an account that the transaction does not have.
    #[error("an instruction names account {index} of {keys}")]
    AccountIndex {
        /// The index named.
        index: u32,
        /// How many accounts there are.
        keys: usize,
    },
}

/// Keys of the fields that come in long runs, each of one byte: number and wire type.
const ACCOUNT_KEY: u8 = 2 << 3 | 2;
const INDEX: u8 = 1 << 3;
const INNER: u8 = 2 << 3 | 2;
const LOG: u8 = 6 << 3 | 2;
const BALANCE_BEFORE: u8 = 7 << 3 | 2;
const BALANCE_AFTER: u8 = 8 << 3 | 2;
/// Bytes that memory brings at once.
const CACHE_LINE: usize = 64;
/// Account indices looked at together.
const LANES: usize = 16;

/// Numbers of the `TransactionError` and of the `InstructionError` in it (`solana-transaction-error`, bincode).
const INSTRUCTION_ERROR: u32 = 8;
const CUSTOM: u32 = 25;

/// Reads transactions; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct Walk {
    pub(super) keys: Vec<[u8; 32]>,
    loaded_readonly: Vec<[u8; 32]>,
    outer: Vec<Compiled>,
    pub(super) nodes: Vec<Node>,
    pub(super) balances: Vec<Balance>,
    /// How many of the top-level instructions are among the nodes.
    placed: usize,
    /// Whether groups of inner instructions came in another order than that of execution.
    unordered: bool,
    pub(super) rest: Rest,
}

/// What is known of a transaction besides its keys and instructions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    pub(super) failure: Option<Failure>,
    pub(super) inner_missing: bool,
    pub(super) fee: u64,
    pub(super) priority_fee: Option<u64>,
    pub(super) compute_unit_limit: Option<u32>,
    /// Offset in the meta of the first log line.
    pub(super) logs: Option<usize>,
}

/// An instruction as it lies in the transaction or in its meta.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Compiled {
    pub(super) program: u32,
    pub(super) accounts: Span,
    pub(super) data: Span,
    pub(super) stack_height: Option<u32>,
}

/// A range of bytes: half the size of a `Range<usize>`, and there are many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(range: &Range<usize>) -> Result<Self, WireError> {
        let offset = |offset| u32::try_from(offset).map_err(|_| WireError::Truncated);
        Ok(Self { start: offset(range.start)?, end: offset(range.end)? })
    }

    #[inline]
    pub(super) fn within(self, buffer: &[u8]) -> &[u8] {
        buffer.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// What the transaction says of a token account, before or after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Balance {
    pub(super) account: u32,
    pub(super) after: bool,
    pub(super) content: Span,
}

/// An instruction in its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) compiled: Compiled,
    pub(super) role: Option<Role>,
    pub(super) outer: u16,
    pub(super) inner: Option<u16>,
}

impl Walk {
    /// The keys of the transaction read last: static, loaded writable, loaded read-only.
    #[must_use]
    pub fn accounts(&self) -> &[[u8; 32]] {
        &self.keys
    }

    /// Reads one transaction.
    ///
    /// # Errors
    /// When the bytes are not a transaction with its meta, or an instruction names an account that is not there.
    pub fn read<'a>(&'a mut self, update: &wire::Transaction<'a>) -> Result<Walked<'a>, WalkError> {
        self.keys.clear();
        self.loaded_readonly.clear();
        self.outer.clear();
        self.nodes.clear();
        self.balances.clear();
        (self.placed, self.unordered) = (0, false);
        self.rest = Rest::default();
        touch(update.transaction);
        touch(update.meta);
        self.read_transaction(update.transaction)?;
        self.read_meta(update.meta)?;
        self.keys.append(&mut self.loaded_readonly);
        self.finish(update)?;
        Ok(Walked { walk: self, transaction: update.transaction, meta: update.meta })
    }

    fn read_transaction(&mut self, transaction: &[u8]) -> Result<(), WireError> {
        let mut message = None;
        for field in Fields::new(transaction) {
            let field = field?;
            if field.number == 2 && message.replace(field.range()?).is_some() {
                return Err(WireError::Content { field: 2 });
            }
        }
        let message = message.ok_or(WireError::Content { field: 2 })?;
        let mut fields = Fields::within(transaction, message);
        while let Some(field) = fields.next() {
            let field = field?;
            match field.number {
                2 => {
                    self.keys.push(*field.array()?);
                    while let Some(key) = fields.next_like(ACCOUNT_KEY) {
                        self.keys.push(*key);
                    }
                }
                4 => {
                    self.outer.push(compiled(transaction, field.range()?)?);
                }
                7 => self.read_config(field.bytes()?)?,
                _ => {}
            }
        }
        if self.keys.is_empty() { Err(WireError::Content { field: 2 }) } else { Ok(()) }
    }

    fn read_config(&mut self, config: &[u8]) -> Result<(), WireError> {
        for field in Fields::new(config) {
            let field = field?;
            match field.number {
                1 => self.rest.priority_fee = Some(field.varint()?),
                2 => self.rest.compute_unit_limit = Some(field.uint32()?),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_meta(&mut self, meta: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(meta);
        loop {
            let offset = fields.offset();
            let Some(field) = fields.next() else { break };
            let field = field?;
            match field.number {
                1 => self.rest.failure = Some(failure(field.bytes()?)),
                2 => self.rest.fee = field.varint()?,
                5 => self.read_group(meta, field.range()?)?,
                6 => {
                    self.rest.logs = self.rest.logs.or(Some(offset));
                    fields.pass_like(LOG);
                }
                7 => self.read_balances(meta, field.range()?, false, &mut fields)?,
                8 => self.read_balances(meta, field.range()?, true, &mut fields)?,
                10 => self.rest.inner_missing = field.varint()? != 0,
                12 => self.keys.push(*field.array()?),
                13 => self.loaded_readonly.push(*field.array()?),
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads one token balance and those behind it.
    fn read_balances(
        &mut self,
        meta: &[u8],
        first: Range<usize>,
        after: bool,
        fields: &mut Fields<'_>,
    ) -> Result<(), WireError> {
        let key = if after { BALANCE_AFTER } else { BALANCE_BEFORE };
        let mut next = Some(first);
        while let Some(range) = next {
            let content = Span::of(&range)?;
            self.balances.push(Balance { account: account_index(content.within(meta))?, after, content });
            next = fields.next_range(key);
        }
        Ok(())
    }

    /// Reads the inner instructions of one top-level one, behind that and those before it.
    fn read_group(&mut self, meta: &[u8], range: Range<usize>) -> Result<(), WireError> {
        let mut fields = Fields::within(meta, range);
        // Servers write the index first, and 0 not at all.
        let index = fields.next_number(INDEX).unwrap_or(0);
        let mut outer = self.place_outer(index.into())?;
        let start = self.nodes.len();
        let mut inner = match self.nodes.last() {
            Some(Node { outer: last, inner: Some(inner), .. }) if *last == outer => usize::from(*inner) + 1,
            _ => 0,
        };
        loop {
            let instruction = if let Some(range) = fields.next_range(INNER) {
                compiled(meta, range)?
            } else {
                let Some(field) = fields.next() else { break };
                let field = field?;
                match field.number {
                    1 => {
                        outer = self.place_outer(field.uint32()?)?;
                        self.unordered = true;
                        continue;
                    }
                    2 => compiled(meta, field.range()?)?,
                    _ => continue,
                }
            };
            let position = Some(u16::try_from(inner).map_err(impossible)?);
            self.nodes.push(Node { compiled: instruction, role: None, outer, inner: position });
            inner += 1;
        }
        if self.unordered {
            let group = self.nodes.get_mut(start..).unwrap_or_default();
            group.iter_mut().filter(|node| node.inner.is_some()).for_each(|node| node.outer = outer);
        }
        Ok(())
    }

    /// Places the top-level instructions up to that one.
    fn place_outer(&mut self, index: u32) -> Result<u16, WireError> {
        let outer = u16::try_from(index).map_err(impossible)?;
        let wanted = usize::from(outer) + 1;
        self.unordered |= wanted < self.placed;
        while self.placed < wanted {
            // A group that is left over belongs to no instruction.
            let instruction = *self.outer.get(self.placed).ok_or(WireError::Content { field: 5 })?;
            let outer = u16::try_from(self.placed).map_err(impossible)?;
            self.nodes.push(Node { compiled: instruction, role: None, outer, inner: None });
            self.placed += 1;
        }
        Ok(outer)
    }

    /// Places what is left, looks every program up and every account index over.
    fn finish(&mut self, update: &wire::Transaction<'_>) -> Result<(), WalkError> {
        if let Some(last) = self.outer.len().checked_sub(1) {
            self.place_outer(u32::try_from(last).map_err(|_| WireError::Content { field: 4 })?)?;
        }
        if self.unordered {
            self.order()?;
        }
        let keys = self.keys.len();
        for node in &mut self.nodes {
            let Compiled { program, accounts, .. } = node.compiled;
            let buffer = if node.inner.is_some() { update.meta } else { update.transaction };
            let Some(id) = self.keys.get(program as usize) else {
                return Err(WalkError::AccountIndex { index: program, keys });
            };
            if may_reach(buffer, accounts, keys) {
                let highest = accounts.within(buffer).iter().max().copied().unwrap_or(0);
                if usize::from(highest) >= keys {
                    return Err(WalkError::AccountIndex { index: highest.into(), keys });
                }
            }
            node.role = Role::of(id);
        }
        Ok(())
    }

    /// Puts groups in the order of their top-level instructions, without changing what is equal.
    fn order(&mut self) -> Result<(), WireError> {
        self.nodes.sort_by_key(|node| (node.outer, node.inner.is_some()));
        let mut inner = 0_usize;
        for node in &mut self.nodes {
            if node.inner.is_some() {
                node.inner = Some(u16::try_from(inner).map_err(impossible)?);
                inner += 1;
            } else {
                inner = 0;
            }
        }
        Ok(())
    }
}

/// Whether an account index may be as high as that number of keys; certain if not.
#[inline]
fn may_reach(buffer: &[u8], accounts: Span, keys: usize) -> bool {
    const HIGH: u128 = u128::from_le_bytes([0x80; LANES]);
    let Some(room) = 0x80_usize.checked_sub(keys).and_then(|room| u8::try_from(room).ok()) else { return true };
    let room = u128::from_le_bytes([room; LANES]);
    let (mut at, end) = (accounts.start as usize, accounts.end as usize);
    while at < end {
        let Some(indices) = buffer.get(at..).and_then(|rest| rest.first_chunk::<LANES>()) else { return true };
        // Those behind the end count as nothing. What reaches the number of keys carries into its highest bit.
        let kept = (end - at).min(LANES);
        let indices = u128::from_le_bytes(*indices) & (u128::MAX >> (8 * (LANES - kept)));
        if (indices.wrapping_add(room) | indices) & HIGH != 0 {
            return true;
        }
        at += LANES;
    }
    false
}

fn impossible<E>(_: E) -> WireError {
    WireError::Content { field: 5 }
}

/// Reads one byte of every cache line. The walk goes from length to length, so every line that is not in the cache would
/// be waited for by itself; these reads do not depend on each other, and the lines come many at a time.
fn touch(bytes: &[u8]) {
    std::hint::black_box(bytes.iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte));
}

/// Reads a `TransactionError`.
fn failure(error: &[u8]) -> Failure {
    let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let bincode = Fields::new(error).map_while(Result::ok).find(|field| field.number == 1);
    match bincode.and_then(|field| field.bytes().ok()?.split_at_checked(4)) {
        Some((what, [outer, error @ ..])) if number(what) == Some(INSTRUCTION_ERROR) => {
            let code = error.split_at_checked(4).filter(|(what, _)| number(what) == Some(CUSTOM));
            Failure { outer: Some(*outer), code: code.and_then(|(_, code)| number(code)) }
        }
        _ => Failure { outer: None, code: None },
    }
}

/// Reads a `CompiledInstruction` or an `InnerInstruction`: they share their first fields.
fn compiled(buffer: &[u8], range: Range<usize>) -> Result<Compiled, WireError> {
    match usual(buffer, &range) {
        Some(instruction) => Ok(instruction),
        None => any(buffer, range),
    }
}

/// Reads an instruction that is written as servers write nearly all: every field once, in order, with short lengths.
fn usual(buffer: &[u8], range: &Range<usize>) -> Option<Compiled> {
    let [0x08, program @ 0..0x80, 0x12, accounts @ 0..0x80, rest @ ..] = buffer.get(range.clone())? else {
        return None;
    };
    let accounts = usize::from(*accounts);
    let start = range.start + 4;
    let (head, length) = match rest.get(accounts..)? {
        [0x1a, low @ 0..0x80, ..] => (2, usize::from(*low)),
        [0x1a, low, high @ 0..0x80, ..] => (3, usize::from(low & 0x7f) | usize::from(*high) << 7),
        _ => return None,
    };
    let data = accounts + head;
    let stack_height = match rest.get(data + length..)? {
        [] => None,
        [0x20, height @ 0..0x80] => Some(u32::from(*height)),
        _ => return None,
    };
    Some(Compiled {
        program: u32::from(*program),
        accounts: Span::of(&(start..start + accounts)).ok()?,
        data: Span::of(&(start + data..start + data + length)).ok()?,
        stack_height,
    })
}

/// Reads an instruction however it is written.
fn any(buffer: &[u8], range: Range<usize>) -> Result<Compiled, WireError> {
    let mut instruction = Compiled::default();
    for field in Fields::within(buffer, range) {
        let field = field?;
        match field.number {
            1 => instruction.program = field.uint32()?,
            2 => instruction.accounts = Span::of(&field.range()?)?,
            3 => instruction.data = Span::of(&field.range()?)?,
            4 => instruction.stack_height = Some(field.uint32()?),
            _ => {}
        }
    }
    Ok(instruction)
}
