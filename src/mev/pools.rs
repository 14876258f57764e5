//! What is held of each hot pool: its newest leg, what its traders have open, and how large its trades are.

use super::{
    alert::Link,
    book::{Book, Entry, Position, Seq},
    handed::Handed,
    lru::{KeyHash, Lru},
    order_takers::Neighbours,
    users::Users,
    wash::Washers,
};
use crate::{chain::ids::Pool, decode::event::Side};

/// Pools kept.
pub(super) const POOLS: usize = 4_096;
/// Open positions of one pool.
const OPENS: usize = 48;
/// Slots after which an open position is no longer waited for.
const SLOTS: u32 = 12;
/// Least raw units of which an equal amount says anything.
const TELLING: u64 = 1_000_000;
/// Wallets of a pool whose round trips are counted.
const TRIPPERS: usize = 8;

/// The pools by their address.
pub(super) type Pools = Lru<Pool, HotPool>;

pub(super) fn pools(hash: KeyHash) -> Pools {
    Lru::new(POOLS, hash)
}

/// One pool.
#[derive(Clone, Debug)]
pub(super) struct HotPool {
    /// Its newest leg.
    pub(super) last: Seq,
    opens: [Open; OPENS],
    count: usize,
    trips: [(u64, u8); TRIPPERS],
    next_trip: usize,
    pub(super) sizes: Sizes,
    pub(super) near: Neighbours,
    pub(super) washers: Washers,
}

impl Default for HotPool {
    fn default() -> Self {
        Self {
            last: 0,
            opens: [Open::NONE; OPENS],
            count: 0,
            trips: [(0, 0); TRIPPERS],
            next_trip: 0,
            sizes: Sizes::default(),
            near: Neighbours::default(),
            washers: Washers::default(),
        }
    }
}

/// An open position, as far as a search needs it: the lower halves of tags and numbers; the rest stands with its first leg.
#[derive(Clone, Copy, Debug)]
struct Open {
    remaining: u64,
    first: u32,
    owner: u32,
    payer: u32,
    program: u32,
    slot: u32,
    side: Side,
}

impl Open {
    const NONE: Self = Self { remaining: 0, first: 0, owner: 0, payer: 0, program: 0, slot: 0, side: Side::Buy };

    /// All of a leg.
    fn of(entry: &Entry) -> Self {
        Self {
            remaining: entry.leg.base,
            first: low(entry.seq),
            owner: low(entry.owner),
            payer: low(entry.payer),
            program: low(entry.program),
            slot: low(entry.leg.place.slot),
            side: entry.leg.side,
        }
    }
}

/// The lower half.
#[allow(clippy::cast_possible_truncation, reason = "what is meant")]
const fn low(value: u64) -> u32 {
    value as u32
}

/// A leg begins a position of so much.
fn begin(entry: &mut Entry, base: u64) {
    entry.position.add_front(entry.seq, base);
    entry.adds_to = low(entry.seq);
}

/// What a leg does to the positions of its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It opens one, or adds to one.
    Opens,
    /// It closes so much of the position whose first leg this is.
    Closes {
        first: Seq,
        base: u64,
        /// Nearly all is closed now and was not before.
        completed: bool,
    },
}

impl HotPool {
    /// Lets a leg open, add to or close a position.
    pub(super) fn step(&mut self, seq: Seq, book: &mut Book, users: &Users, handed: &Handed) -> Option<Step> {
        let entry = book.get(seq)?;
        let (base, payer, program) = (entry.leg.base, entry.payer, entry.program);
        let new = Open::of(entry);
        self.expire(new.slot);
        let from = handed.to(entry.owner, &entry.leg.mint).map(low);
        let mut own = None;
        let mut best: Option<(usize, Link)> = None;
        for (at, open) in self.opens.iter().enumerate().take(self.count) {
            if open.side == new.side {
                if open.owner == new.owner {
                    own = Some(at);
                }
                continue;
            }
            let link = if open.owner == new.owner {
                Link::Owner
            } else if from.is_some_and(|from| from == open.owner) {
                Link::Transfer
            } else if open.payer == new.payer && users.is_private(payer) {
                Link::Payer
            } else if open.remaining == base && base > TELLING {
                Link::ExactAmount
            } else if program != 0 && open.program == new.program && users.is_private(program) {
                Link::Program
            } else {
                continue;
            };
            if best.is_none_or(|(_, known)| link > known) {
                best = Some((at, link));
            }
        }
        if let Some((at, _)) = best {
            return self.close(at, new, seq, book);
        }
        if let Some(open) = own.map(|at| &mut self.opens[at])
            && let Some(first) = book.recent_mut(open.first, seq)
            && first.position.has_room()
        {
            first.position.add_front(seq, base);
            open.remaining = open.remaining.saturating_add(base);
            let first = open.first;
            book.get_mut(seq)?.adds_to = first;
            return Some(Step::Opens);
        }
        self.open(new);
        begin(book.get_mut(seq)?, base);
        Some(Step::Opens)
    }

    fn close(&mut self, at: usize, new: Open, seq: Seq, book: &mut Book) -> Option<Step> {
        let open = &mut self.opens[at];
        let base = open.remaining.min(new.remaining);
        let head = book.recent_mut(open.first, seq);
        let Some((first, opened)) = head.map(|head| (head.seq, head.position.opened)) else {
            self.remove(at);
            return None;
        };
        let most = opened - opened / 100 * 85;
        let was_open = open.remaining > most;
        open.remaining -= base;
        let completed = was_open && open.remaining <= most;
        if open.remaining <= opened / 50 {
            self.remove(at);
        }
        // What goes beyond is a position of its own, if it is most of the leg.
        let beyond = new.remaining - base;
        if beyond > new.remaining / 2 {
            self.open(Open { remaining: beyond, ..new });
            begin(book.get_mut(seq)?, beyond);
        }
        book.get_mut(seq)?.closes = low(first);
        Some(Step::Closes { first, base, completed })
    }

    /// A leg of this position's did not happen: what is left of it is open again.
    pub(super) fn reopen(&mut self, first: &Entry) {
        self.forget(first.seq);
        let Position { opened, closed, .. } = first.position;
        let remaining = opened.saturating_sub(closed);
        if !first.dead && remaining > opened / 50 {
            self.open(Open { remaining, ..Open::of(first) });
        }
    }

    fn open(&mut self, new: Open) {
        if self.count == OPENS {
            self.remove(0);
        }
        self.opens[self.count] = new;
        self.count += 1;
    }

    /// Forgets a position that turned out to be something else.
    pub(super) fn forget(&mut self, first: Seq) {
        if let Some(at) = self.opens.iter().take(self.count).position(|open| open.first == low(first)) {
            self.remove(at);
        }
    }

    fn remove(&mut self, at: usize) {
        self.opens.copy_within(at + 1..self.count, at);
        self.count -= 1;
    }

    /// The oldest stand first.
    fn expire(&mut self, slot: u32) {
        let old = self.opens.iter().take(self.count).take_while(|open| slot.saturating_sub(open.slot) > SLOTS).count();
        if old > 0 {
            self.opens.copy_within(old..self.count, 0);
            self.count -= old;
        }
    }

    /// Counts a round trip with nobody between.
    pub(super) fn tripped(&mut self, owner: u64) {
        if let Some((_, count)) = self.trips.iter_mut().find(|(known, _)| *known == owner) {
            *count = count.saturating_add(1);
            return;
        }
        self.trips[self.next_trip] = (owner, 1);
        self.next_trip = (self.next_trip + 1) % TRIPPERS;
    }

    /// Round trips of a wallet with nobody between.
    pub(super) fn trips(&self, owner: u64) -> u8 {
        self.trips.iter().find(|(known, _)| *known == owner).map_or(0, |(_, count)| *count)
    }
}

/// Sizes of a pool's trades in half powers of two, older ones fading.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    counts: [u16; 64],
    total: u16,
    /// Class from which on a trade is in the largest quarter, as of a few trades ago.
    large: u8,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { counts: [0; 64], total: 0, large: 0 }
    }
}

impl Sizes {
    const FADE_AT: u16 = 1_024;

    /// Half powers of two from 2¹⁶ on: smaller trades are all alike.
    fn class(quote: u64) -> usize {
        let quote = quote.max(1 << 16);
        let power = quote.ilog2();
        let half = u32::from(quote >> (power - 1) & 1 == 1);
        usize::try_from((power - 16) * 2 + half).unwrap_or(63).min(63)
    }

    pub(super) fn add(&mut self, quote: u64) {
        if self.total >= Self::FADE_AT {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
        self.counts[Self::class(quote)] += 1;
        self.total += 1;
        if self.total.is_multiple_of(8) {
            self.large = self.quarter();
        }
    }

    /// Share of trades at least this large, with one such trade more than were seen: never 0.
    pub(super) fn share_from(&self, quote: u64) -> f64 {
        let larger: u16 = self.counts.iter().skip(Self::class(quote)).sum();
        f64::from(larger + 1) / f64::from(self.total + 2)
    }

    /// The lowest class that no more than a quarter of the trades reach.
    fn quarter(&self) -> u8 {
        let (mut class, mut above) = (63_u8, 0);
        while class > 0 && above + self.counts[usize::from(class)] <= self.total / 4 {
            above += self.counts[usize::from(class)];
            class -= 1;
        }
        class + 1
    }

    /// Whether a trade is in the largest quarter.
    pub(super) fn is_large(&self, quote: u64) -> bool {
        self.large > 0 && Self::class(quote) >= self.large.into()
    }
}
