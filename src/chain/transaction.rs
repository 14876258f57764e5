//! The transaction walk: account keys (static, loaded writable, loaded read-only) and instructions in execution order.
//!
//! Legacy, v0 and v1 transactions look alike here: the server has already parsed the message, and v1 has no loaded keys.

use std::ops::Range;

use thiserror::Error;

use super::{
    fields::{Field, Fields},
    ids::{Mint, Wallet},
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

/// How a log line begins: field 6, length-delimited.
const LOG_KEY: u8 = 6 << 3 | 2;
/// Bytes that memory brings at once.
const CACHE_LINE: usize = 64;
/// Depth of an instruction called by a top-level one.
const CALLED: u32 = 2;

/// Reads transactions; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct Walk {
    keys: Vec<[u8; 32]>,
    loaded_readonly: Vec<[u8; 32]>,
    outer: Vec<Compiled>,
    inner: Vec<Compiled>,
    groups: Vec<Group>,
    nodes: Vec<Node>,
    rest: Rest,
}

/// What is known of a transaction besides its keys and instructions.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    failed: bool,
    inner_missing: bool,
    fee: u64,
    priority_fee: Option<u64>,
    compute_unit_limit: Option<u32>,
    /// Offsets in the meta of the first log line and of the first token balance.
    logs: Option<usize>,
    balances: Option<usize>,
}

/// An instruction as it lies in the transaction or in its meta.
#[derive(Clone, Copy, Debug, Default)]
struct Compiled {
    program: u32,
    accounts: Span,
    data: Span,
    stack_height: Option<u32>,
}

/// A range of bytes: half the size of a `Range<usize>`, and there are many.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(range: &Range<usize>) -> Result<Self, WireError> {
        let offset = |offset| u32::try_from(offset).map_err(|_| WireError::Truncated);
        Ok(Self { start: offset(range.start)?, end: offset(range.end)? })
    }

    #[inline]
    fn within(self, buffer: &[u8]) -> &[u8] {
        buffer.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The inner instructions of one top-level instruction.
#[derive(Clone, Copy, Debug)]
struct Group {
    outer: u32,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    compiled: Compiled,
    outer: u16,
    inner: Option<u16>,
}

/// One instruction of a walked transaction.
#[derive(Clone, Copy, Debug)]
pub struct Instruction<'a> {
    /// The program's address.
    pub program: &'a [u8; 32],
    /// Index of the top-level instruction.
    pub outer: u16,
    /// Index in that instruction's flattened list of inner instructions, if it is one of them.
    pub inner: Option<u16>,
    /// 1 for top level, 2 for what that calls, …; `None` where the server does not say.
    pub depth: Option<u32>,
    /// Its data.
    pub data: &'a [u8],
    accounts: &'a [u8],
    keys: &'a [[u8; 32]],
}

impl<'a> Instruction<'a> {
    /// The address of its account at that position.
    #[must_use]
    pub fn account(&self, position: usize) -> Option<&'a [u8; 32]> {
        self.accounts.get(position).and_then(|index| self.keys.get(usize::from(*index)))
    }

    /// Index among the transaction's keys of its account at that position.
    #[must_use]
    pub fn account_index(&self, position: usize) -> Option<u8> {
        self.accounts.get(position).copied()
    }

    /// How many accounts it has.
    #[must_use]
    pub const fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// The addresses of its accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &'a [u8; 32]> + use<'a> {
        let keys = self.keys;
        self.accounts.iter().filter_map(move |index| keys.get(usize::from(*index)))
    }

    /// Its depth, taking it for called by the top level where the server does not say.
    #[must_use]
    pub fn assumed_depth(&self) -> u32 {
        self.depth.unwrap_or(CALLED)
    }
}

/// What a transaction says of one of its token accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBalance {
    /// Its token.
    pub mint: Mint,
    /// Decimals of that token.
    pub decimals: u8,
}

/// A transaction that was walked.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a> {
    walk: &'a Walk,
    transaction: &'a [u8],
    meta: &'a [u8],
}

impl<'a> Walked<'a> {
    /// Whether it failed. Its instructions are not walked then.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.walk.rest.failed
    }

    /// Whether the server did not record the inner instructions.
    #[must_use]
    pub const fn inner_missing(&self) -> bool {
        self.walk.rest.inner_missing
    }

    /// The fee paid, in lamports, priority fee included.
    #[must_use]
    pub const fn fee(&self) -> u64 {
        self.walk.rest.fee
    }

    /// The priority fee in lamports, where the message itself carries it (format v1).
    #[must_use]
    pub const fn priority_fee(&self) -> Option<u64> {
        self.walk.rest.priority_fee
    }

    /// The compute unit limit, where the message itself carries it (format v1).
    #[must_use]
    pub const fn compute_unit_limit(&self) -> Option<u32> {
        self.walk.rest.compute_unit_limit
    }

    /// Its log, line by line as the server sent it: a line may contain line breaks. Ends at what cannot be read.
    pub fn logs(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.meta_from(self.walk.rest.logs).filter(|field| field.number == 6).map_while(|field| field.bytes().ok())
    }

    fn meta_from(&self, offset: Option<usize>) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let end = self.meta.len();
        Fields::within(self.meta, offset.unwrap_or(end)..end).map_while(Result::ok)
    }

    /// Its account keys: static, loaded writable, loaded read-only.
    #[must_use]
    pub fn keys(&self) -> &'a [[u8; 32]] {
        &self.walk.keys
    }

    /// Account key 0, who pays the fee.
    #[must_use]
    pub fn payer(&self) -> Option<Wallet> {
        self.walk.keys.first().map(|key| Wallet::new(*key))
    }

    /// What this account holds, where the transaction's token balances say.
    #[must_use]
    pub fn token_balance(&self, account_index: u8) -> Option<TokenBalance> {
        let balances = self.meta_from(self.walk.rest.balances).filter(|field| matches!(field.number, 7 | 8));
        balances.filter_map(|field| field.bytes().ok()).find_map(|bytes| token_balance(bytes, account_index))
    }

    /// By how much the lamports of this account changed, where the transaction's balances say.
    #[must_use]
    pub fn lamports_change(&self, account_index: u8) -> Option<i128> {
        let balance = |number| {
            let balances = self.meta_from(Some(0)).filter(move |field| field.number == number);
            balances.flat_map(|field| field.varints()).nth(account_index.into()).map(i128::from)
        };
        Some(balance(4)? - balance(3)?)
    }

    /// By how many base units the tokens in this account changed, by the transaction's balances; 0 where they name none.
    #[must_use]
    pub fn token_change(&self, account_index: u8) -> i128 {
        let amount = |number| {
            let balances = self.meta_from(self.walk.rest.balances).filter(move |field| field.number == number);
            let amounts = balances.filter_map(|field| token_amount(field.bytes().ok()?, account_index));
            i128::from(amounts.last().unwrap_or(0))
        };
        amount(8) - amount(7)
    }

    /// How many instructions it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.walk.nodes.len()
    }

    /// Whether it has no instructions, as a failed one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.walk.nodes.is_empty()
    }

    /// Its instruction at that place of the execution order: each top-level one, then what it called.
    #[must_use]
    #[inline]
    pub fn instruction(&self, place: usize) -> Option<Instruction<'a>> {
        let Self { walk, transaction, meta } = *self;
        let node = walk.nodes.get(place)?;
        let (buffer, depth) = match node.inner {
            None => (transaction, Some(1)),
            Some(_) => (meta, node.compiled.stack_height),
        };
        Some(Instruction {
            program: walk.keys.get(node.compiled.program as usize)?,
            outer: node.outer,
            inner: node.inner,
            depth,
            data: node.compiled.data.within(buffer),
            accounts: node.compiled.accounts.within(buffer),
            keys: &walk.keys,
        })
    }

    /// Its instructions in execution order.
    pub fn instructions(&self) -> impl Iterator<Item = Instruction<'a>> + use<'a> {
        let walked = *self;
        (0..self.len()).map_while(move |place| walked.instruction(place))
    }
}

impl Walk {
    /// Reads one transaction.
    ///
    /// # Errors
    /// When the bytes are not a transaction with its meta, or an instruction names an account that is not there.
    pub fn read<'a>(&'a mut self, update: &wire::Transaction<'a>) -> Result<Walked<'a>, WalkError> {
        self.keys.clear();
        self.loaded_readonly.clear();
        self.outer.clear();
        self.inner.clear();
        self.groups.clear();
        self.nodes.clear();
        self.rest = Rest::default();
        touch(update.transaction);
        touch(update.meta);
        self.read_transaction(update.transaction)?;
        self.read_meta(update.meta)?;
        self.keys.append(&mut self.loaded_readonly);
        if !self.rest.failed {
            self.order()?;
            self.check(update)?;
        }
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
        for field in Fields::within(transaction, message) {
            let field = field?;
            match field.number {
                2 => self.keys.push(*field.array()?),
                4 => self.outer.push(compiled(transaction, field.range()?)?),
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
                1 => self.rest.failed = field.bytes().map(|_| true)?,
                2 => self.rest.fee = field.varint()?,
                5 => self.read_group(meta, field.range()?)?,
                6 => {
                    self.rest.logs = self.rest.logs.or(Some(offset));
                    fields.pass_like(LOG_KEY);
                }
                7 | 8 => self.rest.balances = self.rest.balances.or(Some(offset)),
                10 => self.rest.inner_missing = field.varint()? != 0,
                12 => self.keys.push(*field.array()?),
                13 => self.loaded_readonly.push(*field.array()?),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_group(&mut self, meta: &[u8], range: Range<usize>) -> Result<(), WireError> {
        let start = self.inner.len();
        let mut outer = 0;
        for field in Fields::within(meta, range) {
            let field = field?;
            match field.number {
                1 => outer = field.uint32()?,
                2 => self.inner.push(compiled(meta, field.range()?)?),
                _ => {}
            }
        }
        self.groups.push(Group { outer, start, end: self.inner.len() });
        Ok(())
    }

    /// Merges top-level and inner instructions into execution order.
    fn order(&mut self) -> Result<(), WireError> {
        // Servers send the groups in order; others are put in order without changing what is equal.
        if !self.groups.is_sorted_by_key(|group| group.outer) {
            self.groups.sort_by_key(|group| group.outer);
        }
        let impossible = |_| WireError::Content { field: 5 };
        let mut groups = self.groups.iter().peekable();
        for (outer, instruction) in self.outer.iter().enumerate() {
            let index = u16::try_from(outer).map_err(impossible)?;
            self.nodes.push(Node { compiled: *instruction, outer: index, inner: None });
            let mut inner = 0_usize;
            while let Some(group) = groups.next_if(|group| group.outer == u32::from(index)) {
                for called in self.inner.get(group.start..group.end).unwrap_or_default() {
                    let position = Some(u16::try_from(inner).map_err(impossible)?);
                    self.nodes.push(Node { compiled: *called, outer: index, inner: position });
                    inner += 1;
                }
            }
        }
        // A group left over belongs to no instruction.
        if groups.next().is_some() { Err(WireError::Content { field: 5 }) } else { Ok(()) }
    }

    fn check(&self, update: &wire::Transaction<'_>) -> Result<(), WalkError> {
        let keys = self.keys.len();
        for node in &self.nodes {
            let buffer = if node.inner.is_some() { update.meta } else { update.transaction };
            let accounts = node.compiled.accounts.within(buffer);
            let highest = accounts.iter().fold(0, |highest: u8, index| highest.max(*index));
            let highest = u32::from(highest).max(node.compiled.program);
            if highest as usize >= keys {
                return Err(WalkError::AccountIndex { index: highest, keys });
            }
        }
        Ok(())
    }
}

/// Reads one byte of every cache line. The walk goes from length to length, so every line that is not in the cache would
/// be waited for by itself; these reads do not depend on each other, and the lines come many at a time.
fn touch(bytes: &[u8]) {
    std::hint::black_box(bytes.iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte));
}

/// Reads a `TokenBalance`, if it is that account's.
fn token_balance(bytes: &[u8], account_index: u8) -> Option<TokenBalance> {
    // The index comes first but for 0, which is not written: most are ruled out by two bytes.
    if let [0x08, index, ..] = *bytes
        && index < 0x80
        && index != account_index
    {
        return None;
    }
    let (mut index, mut mint, mut decimals) = (0, None, 0);
    for field in Fields::new(bytes).map_while(Result::ok) {
        match field.number {
            1 => index = field.uint32().ok()?,
            2 => mint = field.text().ok(),
            3 => {
                let amount = Fields::new(field.bytes().ok()?).map_while(Result::ok);
                decimals = amount.filter(|field| field.number == 2).find_map(|field| field.uint32().ok()).unwrap_or(0);
            }
            _ => {}
        }
    }
    if index != u32::from(account_index) {
        return None;
    }
    Some(TokenBalance { mint: mint?.parse().ok()?, decimals: u8::try_from(decimals).ok()? })
}

/// The amount in a `TokenBalance`, if it is that account's.
fn token_amount(bytes: &[u8], account_index: u8) -> Option<u64> {
    let (mut index, mut amount) = (0, None);
    for field in Fields::new(bytes).map_while(Result::ok) {
        match field.number {
            1 => index = field.uint32().ok()?,
            3 => {
                let fields = Fields::new(field.bytes().ok()?).map_while(Result::ok);
                amount = fields.filter(|field| field.number == 3).find_map(|field| field.text().ok()?.parse().ok());
            }
            _ => {}
        }
    }
    amount.filter(|_| index == u32::from(account_index))
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
