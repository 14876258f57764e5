//! Who sent a transaction and what they paid for speed: app, tip, priority fee, compute limit.

use std::{
    fmt::{self, Write as _},
    sync::LazyLock,
};

use super::event::{Cost, Trade};
use crate::chain::{
    ids::{Key, Wallet},
    transaction::{Instruction, Walked},
};

/// The first bytes of all keys of 43 characters that begin with `jitodontfront`: a word that is quickly compared, and one
/// more.
const MARK: (u64, u8) = (0x0af1_c343_2188_ca3a, 0x63);
const MARK_BYTES: usize = size_of::<u64>();
/// What a transaction is called whose top level is the venue itself and that nothing else names.
pub const DIRECT: &str = "direct";
/// A compute budget's limit and price: the first byte of their data.
const UNIT_LIMIT: u8 = 2;
const UNIT_PRICE: u8 = 3;
/// Parts of a lamport in which the unit price is given.
const PRICE_PARTS: u128 = 1_000_000;

/// Words of 64 bits that tell most accounts from those that take tips.
const TIP_WORDS: usize = 64;

/// Both tables, by key: the first eight bytes, for a quick search, and all.
struct Tables {
    apps: Vec<(u64, [u8; 32], &'static str)>,
    /// Names in marked keys, and their apps.
    marks: Vec<(&'static str, &'static str)>,
    tips: Vec<(u64, [u8; 32])>,
    /// A bit for each of those, by its first two bytes.
    tip_bits: [u64; TIP_WORDS],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let rows = |text: &'static str| text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t'));
    let key = |base58: &str| base58.parse::<Wallet>().ok().map(|key| *key.bytes());
    let (mut apps, mut marks) = (Vec::new(), Vec::new());
    for (id, app) in rows(include_str!("apps.tsv")).filter_map(|mut row| row.next().zip(row.next())) {
        match id.strip_prefix('*') {
            Some(name) => marks.push((name, app)),
            None => apps.extend(key(id).map(|key| (head(&key), key, app))),
        }
    }
    let tips = rows(include_str!("tips.tsv")).filter_map(|mut row| key(row.next()?));
    let mut tips: Vec<_> = tips.map(|key| (head(&key), key)).collect();
    apps.sort_unstable();
    tips.sort_unstable();
    let mut tip_bits = [0; TIP_WORDS];
    for (_, key) in &tips {
        let (word, bit) = bit_of(key);
        if let Some(bits) = tip_bits.get_mut(word) {
            *bits |= bit;
        }
    }
    Tables { apps, marks, tips, tip_bits }
});

/// What all trades of a transaction share.
pub(super) struct Sender {
    cost: Cost,
    marked: Option<&'static str>,
}

impl Sender {
    pub(super) fn of(walked: &Walked<'_>, spending: &Spending) -> Self {
        Self { cost: spending.cost(walked), marked: walked.keys().iter().find_map(marked) }
    }

    /// Tells a trade of its sender.
    pub(super) fn sign(&self, trade: &mut Trade) {
        let direct = trade.outer_program.is_none().then_some(DIRECT);
        trade.app = trade.outer_program.as_ref().and_then(app_of_program).or(self.marked).or(direct);
        trade.cost = self.cost;
    }
}

fn app_of_program(id: &[u8; 32]) -> Option<&'static str> {
    let apps = &TABLES.apps;
    let first = apps.partition_point(|(known, ..)| *known < head(id));
    let alike = apps.get(first..).unwrap_or_default().iter().take_while(|(known, ..)| *known == head(id));
    alike.into_iter().find(|(_, known, _)| known == id).map(|(.., app)| *app)
}

const fn head(key: &[u8; 32]) -> u64 {
    match key.first_chunk() {
        Some(head) => u64::from_be_bytes(*head),
        None => 0,
    }
}

/// The app that a key names.
fn marked(key: &[u8; 32]) -> Option<&'static str> {
    // Asked of every key of every transaction with a trade.
    if head(key) != MARK.0 || key[MARK_BYTES] != MARK.1 {
        return None;
    }
    let mut text = Base58::EMPTY;
    write!(text, "{}", Key::<()>::new(*key)).ok()?;
    TABLES.marks.iter().find(|(name, _)| text.as_str().contains(name)).map(|(_, app)| *app)
}

/// Room for a key in base58.
struct Base58 {
    bytes: [u8; 44],
    length: usize,
}

impl Base58 {
    const EMPTY: Self = Self { bytes: [0; 44], length: 0 };

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Write for Base58 {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// What instructions of no venue's spent, while the transaction is walked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spending {
    tip: u64,
    unit_price: Option<u64>,
    unit_limit: Option<u32>,
}

impl Spending {
    /// Takes a transfer of lamports into account; whether it was a tip.
    pub(super) fn send(&mut self, to: &[u8; 32], amount: u64) -> bool {
        let tip = is_tip_account(to);
        if tip {
            self.tip = self.tip.saturating_add(amount);
        }
        tip
    }

    /// Takes an instruction of the compute budget's into account.
    pub(super) fn budget(&mut self, instruction: &Instruction<'_>) {
        if let [what, rest @ ..] = instruction.data
            && instruction.inner.is_none()
        {
            match *what {
                UNIT_LIMIT => self.unit_limit = number(rest).map(u32::from_le_bytes).or(self.unit_limit),
                UNIT_PRICE => self.unit_price = number(rest).map(u64::from_le_bytes).or(self.unit_price),
                _ => {}
            }
        }
    }

    fn cost(&self, walked: &Walked<'_>) -> Cost {
        let limit = walked.compute_unit_limit().or(self.unit_limit);
        let priced = match (self.unit_price, limit) {
            (None, _) => Some(0),
            (Some(price), Some(limit)) => {
                u64::try_from((u128::from(price) * u128::from(limit)).div_ceil(PRICE_PARTS)).ok()
            }
            (Some(_), None) => None,
        };
        Cost { tip: self.tip, priority_fee: walked.priority_fee().or(priced), compute_unit_limit: limit }
    }
}

/// Whether what is sent to that account is a tip.
fn is_tip_account(account: &[u8; 32]) -> bool {
    // Asked for every transfer of lamports: one bit rules out nearly all.
    let tables = &*TABLES;
    let (word, bit) = bit_of(account);
    if tables.tip_bits.get(word).is_none_or(|bits| bits & bit == 0) {
        return false;
    }
    let found = tables.tips.binary_search_by_key(&head(account), |(known, _)| *known);
    found.is_ok_and(|at| tables.tips.get(at).is_some_and(|(_, known)| known == account))
}

/// Where a key stands in [`Tables::tip_bits`]: the word and the bit in it.
const fn bit_of(key: &[u8; 32]) -> (usize, u64) {
    let [first, second, ..] = *key;
    ((first as usize) % TIP_WORDS, 1 << (second % 64))
}

fn number<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let rows = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(TABLES.apps.len() + TABLES.marks.len(), rows(include_str!("apps.tsv")));
        assert_eq!(TABLES.tips.len(), rows(include_str!("tips.tsv")));
        assert!(TABLES.tips.windows(2).all(|pair| pair[0].0 < pair[1].0), "no head twice: one look is enough");
    }

    #[test]
    fn keys_name_their_app() {
        let app = |base58: &str| marked(base58.parse::<Wallet>().ok()?.bytes());
        assert_eq!(app("jitodontfrontB1111111TradeWithAxiomDotTrade"), Some("Axiom"));
        assert_eq!(app("jitodontfront11111111111JustUseJupiterU1tra"), Some("Jupiter"));
        assert_eq!(app("jitodontfronttitanssoLfLare1111111111111111"), Some("Solflare via Titan"));
        assert_eq!(app("jitodontfronttitana111111111111111111111111"), Some("Titan"));
        assert_eq!(app("jitodontfront111111111111111111nopainnogain"), None);
        assert_eq!(app("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"), None);
    }
}
