//! Proof that nothing was lost: what one stream says of each slot, and what all of them say together.
//!
//! A server derives `transactions` and `transactions_status` updates from the same message and sends both on the same
//! ordered stream. So the same filters subscribed as both must give pairs: a status without its transaction is a loss.
//! The block meta comes last and names the parent, so that a slot that was skipped can be told from one that is lost.

use std::collections::BTreeMap;

use serde::Serialize;

/// Slots of a stream that are remembered.
const REMEMBERED: usize = 512;
/// Positions in a block that are told apart; no block has as many transactions.
const MAX_INDEX: u64 = 1 << 16;

/// What the streams are asked for in addition, so that completeness can be proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofMode {
    /// Nothing: only the chain of parents is checked.
    Chain,
    /// The statuses of what our filters match: about 100 bytes for each transaction.
    #[default]
    Filters,
    /// The statuses of all transactions, votes included, counted against the block: proves that the server saw its whole
    /// block. About 0.5 MB/s on mainnet.
    Block,
}

impl ProofMode {
    /// What holds when a slot is proven, in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chain => "parent chain only",
            Self::Filters => "status of every match",
            Self::Block => "status count of the block",
        }
    }
}

/// What one stream says of a finished slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRecord {
    /// The slot.
    pub slot: u64,
    /// Its parent.
    pub parent: Option<u64>,
    /// Transactions executed in it, by its block meta.
    pub executed: Option<u64>,
    /// Transactions that arrived.
    pub matched: u32,
    /// Transactions that did not arrive although their statuses, or the block's count, say that they should have.
    pub lost: u32,
    /// Whether the stream had it from its beginning, live or replayed, and has its meta.
    pub whole: bool,
    /// Whether a replay was needed for it.
    pub replayed: bool,
}

/// Positions in a block.
#[derive(Clone, Debug, Default)]
struct Indexes {
    words: Vec<u64>,
}

impl Indexes {
    fn insert(&mut self, index: u64) {
        if index >= MAX_INDEX {
            return;
        }
        let (word, bit) = (usize::try_from(index / 64).unwrap_or(0), index % 64);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(bits) = self.words.get_mut(word) {
            *bits |= 1 << bit;
        }
    }

    fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// How many are here and not there.
    fn without(&self, other: &Self) -> u32 {
        let theirs = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words.iter().zip(theirs).map(|(mine, theirs)| (mine & !theirs).count_ones()).sum()
    }
}

#[derive(Clone, Debug, Default)]
struct OpenSlot {
    transactions: Indexes,
    /// Statuses that our filters match.
    matched: Indexes,
    /// All statuses.
    statuses: Indexes,
    parent: Option<u64>,
    executed: Option<u64>,
    finished: bool,
}

/// What one connection received, slot by slot.
#[derive(Clone, Debug)]
pub struct StreamLedger {
    mode: ProofMode,
    slots: BTreeMap<u64, OpenSlot>,
    /// The first slot that was finished on the stream at hand: it may have begun before the stream.
    joined: Option<u64>,
    /// Whether a stream was ever joined.
    covered: bool,
}

/// What is learnt when a slot is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// About the slot; `None` for the first slot ever, which is not covered.
    pub record: Option<SlotRecord>,
    /// Its parent, if that should have been on this stream and was not.
    pub broken_at: Option<u64>,
}

impl StreamLedger {
    /// With nothing received.
    #[must_use]
    pub const fn new(mode: ProofMode) -> Self {
        Self { mode, slots: BTreeMap::new(), joined: None, covered: false }
    }

    /// A stream was opened.
    pub const fn opened(&mut self) {
        self.joined = None;
    }

    /// A transaction arrived.
    pub fn transaction(&mut self, slot: u64, index: u64) {
        self.slot(slot).transactions.insert(index);
    }

    /// The status of a transaction arrived; `matched` is whether one of our own filters is named in it.
    pub fn status(&mut self, slot: u64, index: u64, matched: bool) {
        let open = self.slot(slot);
        open.statuses.insert(index);
        if matched {
            open.matched.insert(index);
        }
    }

    /// The meta of a block arrived.
    pub fn meta(&mut self, slot: u64, parent: u64, executed: u64) {
        let open = self.slot(slot);
        open.parent = Some(parent);
        open.executed = Some(executed);
    }

    /// A slot is finished, live or in a replay.
    pub fn finished(&mut self, slot: u64, replayed: bool) -> Finished {
        let joined = *self.joined.get_or_insert(slot);
        let live = slot > joined;
        let first_ever = !std::mem::replace(&mut self.covered, true);
        let mode = self.mode;
        let open = self.slot(slot);
        open.finished = true;
        let mut lost = open.matched.without(&open.transactions);
        if mode == ProofMode::Block
            && let Some(executed) = open.executed
        {
            lost = lost.max(u32::try_from(executed).unwrap_or(u32::MAX).saturating_sub(open.statuses.len()));
        }
        let record = SlotRecord {
            slot,
            parent: open.parent,
            executed: open.executed,
            matched: open.transactions.len(),
            lost: if live || replayed { lost } else { 0 },
            whole: (live || replayed) && open.parent.is_some(),
            replayed,
        };
        let missing = |parent: &u64| live && *parent >= joined && !self.has_finished(*parent);
        Finished { record: (!first_ever).then_some(record), broken_at: record.parent.filter(missing) }
    }

    /// Whether a slot was finished on this connection, as far as is remembered.
    #[must_use]
    pub fn has_finished(&self, slot: u64) -> bool {
        self.slots.get(&slot).is_some_and(|open| open.finished)
    }

    fn slot(&mut self, slot: u64) -> &mut OpenSlot {
        if self.slots.len() >= REMEMBERED && !self.slots.contains_key(&slot) {
            self.slots.pop_first();
        }
        self.slots.entry(slot).or_default()
    }
}
