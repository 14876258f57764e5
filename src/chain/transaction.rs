//! A walked transaction: account keys (static, loaded writable, loaded read-only) and instructions in execution order.
//!
//! Legacy, v0 and v1 transactions look alike here: the server has already parsed the message, and v1 has no loaded keys.

pub use super::walk::{Walk, WalkError};
use super::{
    balances,
    fields::{Field, Fields},
    ids::{Mint, Wallet},
    program::{Program, Role},
};

/// Depth of an instruction called by a top-level one.
const CALLED: u32 = 2;

/// One instruction of a walked transaction.
#[derive(Clone, Copy, Debug)]
pub struct Instruction<'a> {
    /// The program's address.
    pub program: &'a [u8; 32],
    /// What that program is to us, if anything.
    pub role: Option<Role>,
    /// Index of the top-level instruction.
    pub outer: u16,
    /// Index in that instruction's flattened list of inner instructions, if it is one of them.
    pub inner: Option<u16>,
    /// 1 for top level, 2 for what that calls, …; `None` where the server does not say.
    pub depth: Option<u32>,
    /// Its data.
    pub data: &'a [u8],
    pub(super) accounts: &'a [u8],
    pub(super) keys: &'a [[u8; 32]],
}

impl<'a> Instruction<'a> {
    /// The program, if its instructions are recognised.
    #[must_use]
    pub const fn venue(&self) -> Option<Program> {
        match self.role {
            Some(Role::Venue(program)) => Some(program),
            _ => None,
        }
    }

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

/// Why a transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The top-level instruction that failed, or below which one did; `None` where it was none.
    pub outer: Option<u8>,
    /// The failing program's own error.
    pub code: Option<u32>,
}

/// A transaction that was walked.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a> {
    pub(super) walk: &'a Walk,
    pub(super) transaction: &'a [u8],
    pub(super) meta: &'a [u8],
}

impl<'a> Walked<'a> {
    /// Whether it failed: then nothing of what its instructions did counts, and the last ones were not carried out.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.walk.rest.failure.is_some()
    }

    /// Why it failed, if it did.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        self.walk.rest.failure
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

    /// The token balances of an account, each with whether it is that afterwards.
    fn balances_of(&self, account_index: u8) -> impl Iterator<Item = (bool, &'a [u8])> + use<'a> {
        let meta = self.meta;
        let balances = self.walk.balances.iter().filter(move |balance| balance.account == u32::from(account_index));
        balances.map(move |balance| (balance.after, balance.content.within(meta)))
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

    /// Which token this account holds, where the transaction's token balances say.
    #[must_use]
    pub fn token_mint(&self, account_index: u8) -> Option<Mint> {
        self.balances_of(account_index).find_map(|(_, balance)| balances::mint(balance))
    }

    /// Decimals of the token that this account holds, where the transaction's token balances say.
    #[must_use]
    pub fn token_decimals(&self, account_index: u8) -> Option<u8> {
        self.balances_of(account_index).find_map(|(_, balance)| balances::decimals(balance))
    }

    /// Who owns this token account, where the transaction's token balances say.
    #[must_use]
    pub fn token_owner(&self, account_index: u8) -> Option<Wallet> {
        self.balances_of(account_index).find_map(|(_, balance)| balances::owner(balance))
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
        let amount = |after| {
            let balances = self.balances_of(account_index).filter(|(when, _)| *when == after);
            i128::from(balances.filter_map(|(_, balance)| balances::amount(balance)).last().unwrap_or(0))
        };
        amount(true) - amount(false)
    }

    /// How many instructions it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.walk.nodes.len()
    }

    /// Whether it has no instructions.
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
            role: node.role,
            outer: node.outer,
            inner: node.inner,
            depth,
            data: node.compiled.data.within(buffer),
            accounts: node.compiled.accounts.within(buffer),
            keys: &walk.keys,
        })
    }

    /// Its calls of programs with that role, in execution order.
    pub fn calls_of(&self, role: Role) -> impl Iterator<Item = Instruction<'a>> + use<'a> {
        let walked = *self;
        let nodes = self.walk.nodes.iter().enumerate().filter(move |(_, node)| node.role == Some(role));
        nodes.filter_map(move |(place, _)| walked.instruction(place))
    }

    /// Its instructions in execution order.
    pub fn instructions(&self) -> impl Iterator<Item = Instruction<'a>> + use<'a> {
        let walked = *self;
        (0..self.len()).map_while(move |place| walked.instruction(place))
    }
}
