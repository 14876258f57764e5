//! The vocabulary of the venue tables, and what the venues share.

use super::event::{EventKind, Fee, FeeKind, Fees, Limit, LimitKind};
use crate::chain::{
    ids::{Key, Mint, USDC, USDT, WRAPPED_SOL},
    transaction::{Instruction, Walked},
};

/// The first eight bytes of an instruction or event, read big-endian so that constants look like the bytes.
pub(super) type Discriminator = u64;

/// Accounts of one hop of a multi-hop.
const HOP_ACCOUNTS: usize = 5;
/// More hops than the accounts of a transaction can name.
const MAX_HOPS: usize = 256 / HOP_ACCOUNTS;

/// One instruction of a venue.
#[derive(Debug, PartialEq)]
pub(super) struct Spec {
    pub(super) discriminator: Discriminator,
    pub(super) name: &'static str,
    /// What it must emit.
    pub(super) emits: Emits,
    /// Where its accounts name pool and mints.
    pub(super) place: Place,
    /// What its second argument bounds.
    pub(super) limit: Option<LimitKind>,
}

/// The events that a successful instruction must emit: the denominator of the parse rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emits {
    /// None, or only sometimes one.
    Nothing,
    One(Discriminator),
    Both(Discriminator, Discriminator),
    /// At least one trade, its own or of the curve hops below it.
    Hops,
}

/// Where an instruction's accounts name the pool (or curve) and its mints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere.
    Nowhere,
    /// At fixed positions; the quote mint, where a venue needs it, follows the base mint.
    At { mint: usize, pool: usize },
    /// In groups of five from this position: base mint, quote mint, pool or curve, base vault, quote vault.
    Hops(usize),
}

/// An instruction that trades on fixed accounts.
pub(super) const fn trade(
    discriminator: Discriminator,
    name: &'static str,
    event: Discriminator,
    (mint, pool): (usize, usize),
    limit: LimitKind,
) -> Spec {
    Spec { discriminator, name, emits: Emits::One(event), place: Place::At { mint, pool }, limit: Some(limit) }
}

/// An instruction of no trader's.
pub(super) const fn other(discriminator: Discriminator, name: &'static str, emits: Emits, place: Place) -> Spec {
    Spec { discriminator, name, emits, place, limit: None }
}

/// An instruction that need not emit anything.
pub(super) const fn silent(discriminator: Discriminator, name: &'static str) -> Spec {
    other(discriminator, name, Emits::Nothing, Place::Nowhere)
}

/// The instruction that emitted an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parent<'a> {
    pub(super) call: Instruction<'a>,
    pub(super) spec: Option<&'static Spec>,
    /// The top-level program when it is not the venue itself.
    pub(super) outer_program: Option<[u8; 32]>,
    /// The whole transaction.
    pub(super) walked: Walked<'a>,
}

impl Parent<'_> {
    /// Decimals of the token that the account at a position holds.
    pub(super) fn decimals(&self, position: usize) -> Option<u8> {
        self.walked.decimals(self.call.account_index(position)?)
    }

    /// The name by the discriminator.
    pub(super) fn name(&self) -> &'static str {
        self.spec.map_or("unknown", |spec| spec.name)
    }

    /// The trader's own bound: the second argument, unchanged.
    pub(super) fn limit(&self) -> Option<Limit> {
        let kind = self.spec?.limit?;
        let amount = self.call.data.get(16..24)?.try_into().ok().map(u64::from_le_bytes)?;
        Some(Limit { kind, amount })
    }

    /// The address at a position.
    pub(super) fn account<K>(&self, position: usize) -> Option<Key<K>> {
        self.call.account(position).map(|bytes| Key::new(*bytes))
    }

    /// The groups of five of a multi-hop: base mint, quote mint, pool or curve.
    pub(super) fn hops<K>(&self, start: usize) -> impl Iterator<Item = (Mint, Mint, Key<K>)> {
        let hop = |at: usize| Some((self.account(at)?, self.account(at + 1)?, self.account(at + 2)?));
        (start..).step_by(HOP_ACCOUNTS).take(MAX_HOPS).map_while(hop)
    }
}

/// What an event said.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    /// `None` for events that nobody asks about.
    pub(super) kind: Option<EventKind>,
    pub(super) timestamp: Option<i64>,
    /// Whether bytes were left behind the last known field.
    pub(super) tail: bool,
}

impl Read {
    /// An event that is known and of no interest.
    pub(super) const IGNORED: Self = Self { kind: None, timestamp: None, tail: false };
}

/// Why an event was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too short for its mandatory fields, or an impossible field.
    BadLayout,
    /// An unknown discriminator.
    Unknown,
}

/// The zero key means SOL where a program writes it as a quote.
pub(super) fn quote_or_sol(mint: Option<Mint>) -> Mint {
    mint.filter(|mint| *mint.bytes() != [0; 32]).unwrap_or(WRAPPED_SOL)
}

/// Whether a pool's own base is what everybody counts in: then its sides are exchanged.
///
/// A currency is the quote, whichever side the pool has it on; of two, dollars are, and USDC before USDT.
pub(super) fn is_inverted(base: Mint, quote: Mint) -> bool {
    let rank = |mint| [USDC, USDT, WRAPPED_SOL].iter().position(|currency| *currency == mint).unwrap_or(3);
    rank(base) < rank(quote)
}

/// Collects the fees that an event states.
pub(super) fn fees<const N: usize>(stated: [(FeeKind, Option<u64>, Option<u64>); N]) -> Fees {
    let mut fees = Fees::default();
    let charged = stated.into_iter().filter_map(|(kind, amount, bps)| {
        let amount = amount?;
        (amount > 0 || bps.is_some_and(|bps| bps > 0)).then_some(Fee { kind, amount, bps })
    });
    for (place, fee) in fees.iter_mut().zip(charged) {
        *place = Some(fee);
    }
    fees
}
