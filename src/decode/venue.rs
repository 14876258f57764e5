//! The vocabulary of the venue tables, and what the venues share.

use super::{
    cursor::Cursor,
    event::{EventKind, Fee, FeeKind, Fees, Limit, LimitKind, Source},
    known_pools::KnownPools,
};
use crate::chain::{
    ids::{Key, Mint, Pool, USDC, USDT, WRAPPED_SOL},
    transaction::{Instruction, Walked},
};

/// The first eight bytes of an instruction or event, read big-endian so that constants look like the bytes.
pub(super) type Discriminator = u64;

/// Accounts of one hop of a multi-hop.
pub(super) const HOP_ACCOUNTS: usize = 5;
/// Where in a hop its quote mint, its pool or curve and its vaults stand.
pub(super) const HOP_QUOTE: usize = 1;
pub(super) const HOP_POOL: usize = 2;
pub(super) const HOP_VAULTS: [usize; 2] = [3, 4];
/// More hops than the accounts of a transaction can name.
const MAX_HOPS: usize = 256 / HOP_ACCOUNTS;

/// All that is known of a program.
#[derive(Debug)]
pub(super) struct Table {
    /// Where the layouts come from, and of which day they are.
    pub(super) origin: &'static str,
    /// How many bytes tell its instructions apart: 8, or 1 for the one that is older than Anchor.
    pub(super) tag: usize,
    /// The frequent ones first.
    pub(super) instructions: &'static [Spec],
    /// The frequent ones first.
    pub(super) events: &'static [Layout],
    /// What an instruction says that emits no event, or has lost it.
    pub(super) unsaid: fn(&Parent<'_>) -> Option<Read>,
}

/// One instruction of a venue.
#[derive(Debug, PartialEq)]
pub(super) struct Spec {
    pub(super) discriminator: Discriminator,
    pub(super) name: &'static str,
    /// What it must emit.
    pub(super) emits: Emits,
    /// Where its accounts name pool and mints.
    pub(super) place: Place,
    /// What its arguments bound.
    pub(super) bound: Bound,
}

/// One event of a venue.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) discriminator: Discriminator,
    pub(super) name: &'static str,
    /// `None` for events that say nothing about a market, or nothing that another event does not say.
    pub(super) read: Option<fn(Cursor<'_>, &Parent<'_>) -> Option<Read>>,
    /// Whether it is a trade.
    pub(super) trade: bool,
}

/// An event that is a trade.
pub(super) const fn swapped(
    discriminator: Discriminator,
    name: &'static str,
    read: fn(Cursor<'_>, &Parent<'_>) -> Option<Read>,
) -> Layout {
    Layout { discriminator, name, read: Some(read), trade: true }
}

/// An event that is none.
pub(super) const fn told(
    discriminator: Discriminator,
    name: &'static str,
    read: fn(Cursor<'_>, &Parent<'_>) -> Option<Read>,
) -> Layout {
    Layout { discriminator, name, read: Some(read), trade: false }
}

/// An event that is known and not read.
pub(super) const fn quiet(discriminator: Discriminator, name: &'static str) -> Layout {
    Layout { discriminator, name, read: None, trade: false }
}

/// The events that a successful instruction must emit: the denominator of the parse rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emits {
    /// None, or only sometimes one.
    Nothing,
    One(Discriminator),
    Both(Discriminator, Discriminator),
    /// One event twice: an instruction that trades on two pools.
    Twice(Discriminator),
    /// The same fact in two events, of which older program versions emitted only the second.
    Newer(Discriminator, Discriminator),
    /// At least one trade, its own or of the curve hops below it.
    Hops,
    /// None, but the instruction itself is a fact.
    Itself,
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
    /// At fixed positions, of a pool with two vaults.
    Pool(Seats),
    /// As [`Pool`](Self::Pool), at the one or the other positions by how many accounts there are (the first list's length).
    Either(usize, Seats, Seats),
    /// Two pools, one after the other.
    Two(Seats, Seats),
    /// At fixed positions, but of the pool's two tokens only the one that it handles: earlier instructions may tell both.
    Half,
}

/// Positions of the accounts of a pool's instruction, vaults and mints in the pool's own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seats {
    pub(super) pool: usize,
    pub(super) user: usize,
    pub(super) vaults: [usize; 2],
    /// Where the instruction does not name the mints, the transaction's token balances do, by the vaults.
    pub(super) mints: Option<[usize; 2]>,
    /// Vaults and mints stand in the order input, output. The pool's own order is then that of the mints' keys.
    pub(super) by_direction: bool,
}

/// What an instruction's arguments bound, and at which offset of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Nothing,
    /// Of a venue whose instructions are buys or sells: the second argument.
    Second(LimitKind),
    /// Least output.
    MinOut(usize),
    /// Most input.
    MaxIn(usize),
    /// The second argument, by a flag behind a price limit: least output if it is set, most input otherwise.
    Flagged,
    /// The second argument, by a mode behind it: most input if it is 2 (exact out), least output otherwise.
    Mode,
}

/// An instruction that trades on fixed accounts.
pub(super) const fn trade(
    discriminator: Discriminator,
    name: &'static str,
    event: Discriminator,
    (mint, pool): (usize, usize),
    limit: LimitKind,
) -> Spec {
    let (emits, place) = (Emits::One(event), Place::At { mint, pool });
    Spec { discriminator, name, emits, place, bound: Bound::Second(limit) }
}

/// An instruction that swaps on a pool.
pub(super) const fn swap(
    discriminator: Discriminator,
    name: &'static str,
    emits: Emits,
    place: Place,
    bound: Bound,
) -> Spec {
    Spec { discriminator, name, emits, place, bound }
}

/// An instruction of no trader's.
pub(super) const fn other(discriminator: Discriminator, name: &'static str, emits: Emits, place: Place) -> Spec {
    Spec { discriminator, name, emits, place, bound: Bound::Nothing }
}

/// An instruction that need not emit anything.
pub(super) const fn silent(discriminator: Discriminator, name: &'static str) -> Spec {
    other(discriminator, name, Emits::Nothing, Place::Nowhere)
}

/// The seats of a pool whose vaults and mints stand in its own order.
pub(super) const fn seats(pool: usize, user: usize, vaults: [usize; 2], mints: Option<[usize; 2]>) -> Seats {
    Seats { pool, user, vaults, mints, by_direction: false }
}

/// The seats of a pool whose vaults and mints stand in the order input, output.
pub(super) const fn directed(pool: usize, user: usize, vaults: [usize; 2], mints: Option<[usize; 2]>) -> Seats {
    Seats { pool, user, vaults, mints, by_direction: true }
}

/// The instruction that emitted an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parent<'a> {
    pub(super) call: Instruction<'a>,
    pub(super) spec: Option<&'static Spec>,
    /// Its place in the walk.
    pub(super) at: usize,
    /// The top-level program when it is not the venue itself.
    pub(super) outer_program: Option<[u8; 32]>,
    /// Where its event was found.
    pub(super) source: Source,
    /// The whole transaction.
    pub(super) walked: Walked<'a>,
    /// What earlier transactions told of pools.
    pub(super) known: Option<&'a KnownPools>,
    /// Where the accounts of the hop in question begin, of a multi-hop that is read without its events.
    pub(super) hop: Option<usize>,
}

impl Parent<'_> {
    /// Decimals of the token that the account at a position holds.
    pub(super) fn decimals(&self, position: usize) -> Option<u8> {
        self.walked.token_decimals(self.call.account_index(position)?)
    }

    /// The name by the discriminator.
    pub(super) fn name(&self) -> &'static str {
        self.spec.map_or("unknown", |spec| spec.name)
    }

    /// The argument at an offset of its data.
    pub(super) fn argument(&self, offset: usize) -> Option<u64> {
        self.call.data.get(offset..offset.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// The trader's own bound, unchanged, as the pool sees it: `buy` if its own quote comes in.
    pub(super) fn limit(&self, buy: bool) -> Option<Limit> {
        let kind = |most_in| match (most_in, buy) {
            (true, true) => LimitKind::MaxQuoteIn,
            (true, false) => LimitKind::MaxBaseIn,
            (false, true) => LimitKind::MinBaseOut,
            (false, false) => LimitKind::MinQuoteOut,
        };
        let (kind, offset) = match self.spec?.bound {
            Bound::Nothing => return None,
            Bound::Second(kind) => (kind, 16),
            Bound::MinOut(offset) => (kind(false), offset),
            Bound::MaxIn(offset) => (kind(true), offset),
            Bound::Flagged => (kind(*self.call.data.get(40)? == 0), 16),
            Bound::Mode => (kind(*self.call.data.get(24)? == 2), 16),
        };
        self.argument(offset).map(|amount| Limit { kind, amount })
    }

    /// The argument that stands beside the bound: the exact side of the order.
    pub(super) fn exact(&self) -> Option<u64> {
        let offset = match self.spec?.bound {
            Bound::Nothing => return None,
            Bound::Second(_) | Bound::Flagged | Bound::Mode => 8,
            Bound::MinOut(offset) => offset.checked_sub(8)?,
            // Most input comes first but where all instructions have the exact amount first.
            Bound::MaxIn(offset) if offset <= 8 => offset + 8,
            Bound::MaxIn(offset) => offset - 8,
        };
        self.argument(offset)
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

    /// The seats of a pool's instruction; of an instruction on two pools those of the named one.
    pub(super) fn seats(&self, pool: Option<Pool>) -> Option<Seats> {
        let is_at = |seats: &Seats| pool.is_none_or(|pool| self.account(seats.pool) == Some(pool));
        match self.spec?.place {
            Place::Pool(seats) => Some(seats),
            Place::Either(accounts, first, second) => {
                Some(if self.call.account_count() == accounts { first } else { second })
            }
            Place::Two(first, second) => Some(if is_at(&first) { first } else { second }),
            Place::Nowhere | Place::At { .. } | Place::Hops(_) | Place::Half => None,
        }
        .filter(is_at)
    }

    /// The two mints of that pool in its own order: by the instruction, or by earlier ones where it does not name both.
    pub(super) fn mints_of(&self, pool: Pool) -> Option<[Mint; 2]> {
        match self.spec?.place {
            Place::Half => self.known?.mints(pool),
            _ => self.mints(&self.seats(Some(pool))?),
        }
    }

    /// The two mints of a pool, in the order of its seats.
    pub(super) fn mints(&self, seats: &Seats) -> Option<[Mint; 2]> {
        let [first, second] = match seats.mints {
            Some([first, second]) => [self.account(first), self.account(second)],
            None => seats.vaults.map(|vault| self.walked.token_mint(self.call.account_index(vault)?)),
        };
        Some([first?, second?])
    }
}

/// What an event said.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    /// `None` for events that nobody asks about.
    pub(super) kind: Option<EventKind>,
    /// A second fact that the same event states: so rare that its box does not count, so large that its place would.
    pub(super) also: Option<Box<EventKind>>,
    pub(super) timestamp: Option<i64>,
    /// Whether bytes were left behind the last known field.
    pub(super) tail: bool,
}

impl Read {
    /// An event that is known and of no interest.
    pub(super) const IGNORED: Self = Self { kind: None, also: None, timestamp: None, tail: false };

    /// What an event says that was read to the cursor's place.
    pub(super) const fn of(kind: EventKind, timestamp: Option<i64>, cursor: Cursor<'_>) -> Self {
        Self { kind: Some(kind), also: None, timestamp, tail: cursor.has_tail() }
    }

    /// What an instruction says itself.
    pub(super) const fn unsaid(kind: EventKind) -> Self {
        Self { kind: Some(kind), also: None, timestamp: None, tail: false }
    }
}

/// Why an event was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too short for its mandatory fields, or an impossible field.
    BadLayout,
    /// An unknown discriminator.
    Unknown,
    /// The pool's other token is named nowhere.
    Unnamed,
}

impl Table {
    /// The event of that discriminator.
    pub(super) fn event(&self, discriminator: Discriminator) -> Option<&'static Layout> {
        self.events.iter().find(|event| event.discriminator == discriminator)
    }

    /// The instruction that these data call.
    pub(super) fn instruction(&self, discriminator: Discriminator, data: &[u8]) -> Option<&'static Spec> {
        let named = data.len() >= self.tag;
        self.instructions.iter().find(|spec| named && spec.discriminator == discriminator)
    }
}

/// Reads an event. What comes of it is long: inlined, it is copied less often.
#[inline]
pub(super) fn read(event: Option<&Layout>, body: &[u8], parent: &Parent<'_>) -> Result<Read, Refused> {
    match event.ok_or(Refused::Unknown)?.read {
        Some(read) => read(Cursor::new(body), parent).ok_or_else(|| match parent.spec.map(|spec| spec.place) {
            Some(Place::Half) => Refused::Unnamed,
            _ => Refused::BadLayout,
        }),
        None => Ok(Read::IGNORED),
    }
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

/// A fee as an event states it: kind, amount, basis points.
pub(super) type Stated = (FeeKind, Option<u64>, Option<u64>);

/// Collects fees in the quote token that an event states.
pub(super) fn fees<const N: usize>(stated: [Stated; N]) -> Fees {
    fees_in([(false, stated)].into_iter())
}

/// Collects fees that an event states, by whether they are in the base token.
pub(super) fn fees_in<const N: usize>(stated: impl Iterator<Item = (bool, [Stated; N])>) -> Fees {
    let mut fees = Fees::default();
    let each = stated.flat_map(|(in_base, stated)| stated.map(|stated| (in_base, stated)));
    let charged = each.filter_map(|(in_base, (kind, amount, bps))| {
        let amount = amount?;
        let bps = bps.map(|bps| u16::try_from(bps).unwrap_or(u16::MAX));
        (amount > 0 || bps.is_some_and(|bps| bps > 0)).then_some(Fee { kind, amount, bps, in_base })
    });
    for (place, fee) in fees.iter_mut().zip(charged) {
        *place = Some(fee);
    }
    fees
}
