//! What an instruction moved: the token instructions below it. The fallback where an event is missing, and the only source
//! for facts that a program emits no event for.
//!
//! Instruction numbers and account orders: the SPL Token and Token-2022 programs.

use super::{
    amm::{Swap, turned},
    event::{EventKind, Fees, Venue},
    venue::{Parent, Read, Seats},
};
use crate::chain::{ids::Mint, program::Role, transaction::Instruction};

pub(super) const TRANSFER: u8 = 3;
const MINT_TO: u8 = 7;
const BURN: u8 = 8;
pub(super) const TRANSFER_CHECKED: u8 = 12;
const MINT_TO_CHECKED: u8 = 14;
const BURN_CHECKED: u8 = 15;
/// Token-2022's transfer fee extension, and in it `TransferCheckedWithFee`.
pub(super) const TRANSFER_FEE: [u8; 2] = [26, 1];
/// The system program's `Transfer`.
pub(super) const SYSTEM_TRANSFER: [u8; 4] = [2, 0, 0, 0];

/// One token transfer; what is burned goes to its mint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move<'a> {
    from: &'a [u8; 32],
    to: &'a [u8; 32],
    amount: u64,
}

pub(super) fn amount_at(data: &[u8], offset: usize) -> Option<u64> {
    data.get(offset..offset + 8)?.try_into().ok().map(u64::from_le_bytes)
}

pub(super) fn is_token(instruction: &Instruction<'_>) -> bool {
    instruction.role == Some(Role::Token)
}

fn as_move<'a>(instruction: &Instruction<'a>) -> Option<Move<'a>> {
    if !is_token(instruction) {
        return None;
    }
    let data = instruction.data;
    let (to, offset) = match *data.first()? {
        TRANSFER | BURN | BURN_CHECKED => (1, 1),
        TRANSFER_CHECKED => (2, 1),
        _ if data.starts_with(&TRANSFER_FEE) => (2, 2),
        _ => return None,
    };
    Some(Move { from: instruction.account(0)?, to: instruction.account(to)?, amount: amount_at(data, offset)? })
}

/// The instructions below one, in order; where depths are unknown, those up to the next known program's.
fn below<'a>(parent: &Parent<'a>) -> impl Iterator<Item = Instruction<'a>> + use<'a> {
    let (walked, call) = (parent.walked, parent.call);
    let inner = (parent.at + 1..walked.len()).map_while(move |place| walked.instruction(place));
    inner.take_while(move |called| {
        called.outer == call.outer
            && called.inner.is_some()
            && match called.depth.zip(call.depth) {
                Some((depth, above)) => depth > above,
                None => call.inner.is_none() || !matches!(called.role, Some(Role::Venue(_))),
            }
    })
}

/// The token transfers below an instruction.
pub(super) fn moves<'a>(parent: &Parent<'a>) -> impl Iterator<Item = Move<'a>> + use<'a> {
    below(parent).filter_map(|called| as_move(&called))
}

/// What a system instruction transfers, and to whom.
pub(super) fn lamports_sent<'a>(instruction: &Instruction<'a>) -> Option<(&'a [u8; 32], u64)> {
    if instruction.role != Some(Role::System) || !instruction.data.starts_with(&SYSTEM_TRANSFER) {
        return None;
    }
    Some((instruction.account(1)?, amount_at(instruction.data, SYSTEM_TRANSFER.len())?))
}

/// Lamports that system transfers below an instruction brought to the account at a position; `None` without any. By the
/// account's balance where the server recorded no transfers.
pub(super) fn lamports_into(parent: &Parent<'_>, position: usize) -> Option<u64> {
    if parent.walked.inner_missing() {
        return u64::try_from(lamports_change(parent, position)?).ok();
    }
    let account = parent.call.account(position)?;
    let sent = below(parent).filter_map(|called| lamports_sent(&called)).filter(|(to, _)| *to == account);
    sent.map(|(_, amount)| amount).reduce(u64::saturating_add)
}

/// Lamports that a program took out of its own account at a position, which no instruction shows: by the account's balance.
pub(super) fn lamports_out_of(parent: &Parent<'_>, position: usize) -> Option<u64> {
    u64::try_from(-lamports_change(parent, position)?).ok()
}

/// How the lamports of a program's account changed, where nothing else in the transaction can have changed them.
fn lamports_change(parent: &Parent<'_>, position: usize) -> Option<i128> {
    let account = parent.call.account(position)?;
    let touches = |other: &Instruction<'_>| {
        (other.program == parent.call.program && other.accounts().any(|named| named == account))
            || lamports_sent(other).is_some_and(|(to, _)| to == account)
    };
    if others(parent).any(|other| touches(&other)) {
        return None;
    }
    parent.walked.lamports_change(parent.call.account_index(position)?)
}

/// All instructions of the transaction but this one.
fn others<'a>(parent: &Parent<'a>) -> impl Iterator<Item = Instruction<'a>> + use<'a> {
    let at = parent.at;
    parent.walked.instructions().enumerate().filter(move |(place, _)| *place != at).map(|(_, other)| other)
}

/// What an instruction moved into the token accounts at two positions, and what out of them. By their balances where the
/// server recorded no transfers and no other instruction names them.
pub(super) fn flows(parent: &Parent<'_>, positions: [usize; 2]) -> Option<[[u64; 2]; 2]> {
    if !parent.walked.inner_missing() {
        return Some([moved_into(parent, positions)?, moved_out(parent, positions)?]);
    }
    let change = |position: usize| {
        let account = parent.call.account(position)?;
        if others(parent).any(|other| other.accounts().any(|named| named == account)) {
            return None;
        }
        // An account that holds no tokens, as one of a pair that is not traded in tokens, changes by none.
        Some(parent.walked.token_change(parent.call.account_index(position)?))
    };
    let [first, second] = positions.map(change);
    let changes = [first?, second?];
    Some([
        changes.map(|change| u64::try_from(change).unwrap_or(0)),
        changes.map(|change| u64::try_from(-change).unwrap_or(0)),
    ])
}

/// All that an instruction moved into the accounts at two positions.
pub(super) fn moved_into(parent: &Parent<'_>, positions: [usize; 2]) -> Option<[u64; 2]> {
    sums(parent, positions, |moved| moved.to)
}

/// All that an instruction moved out of the accounts at two positions.
pub(super) fn moved_out(parent: &Parent<'_>, positions: [usize; 2]) -> Option<[u64; 2]> {
    sums(parent, positions, |moved| moved.from)
}

fn sums<'a>(parent: &Parent<'a>, positions: [usize; 2], end: impl Fn(&Move<'a>) -> &'a [u8; 32]) -> Option<[u64; 2]> {
    let [first, second] = positions.map(|position| parent.call.account(position));
    let accounts = [first?, second?];
    let mut sums = [0_u64; 2];
    for moved in moves(parent) {
        for (sum, account) in sums.iter_mut().zip(accounts) {
            if end(&moved) == account {
                *sum = sum.saturating_add(moved.amount);
            }
        }
    }
    Some(sums)
}

/// Tokens of the mint at a position that an instruction minted.
pub(super) fn minted(parent: &Parent<'_>, position: usize) -> Option<u64> {
    let mint = parent.call.account(position)?;
    let minting = below(parent).filter(|called| {
        is_token(called)
            && matches!(called.data.first(), Some(&(MINT_TO | MINT_TO_CHECKED)))
            && called.account(0) == Some(mint)
    });
    minting.map(|called| amount_at(called.data, 1)).try_fold(0_u64, |sum, amount| sum.checked_add(amount?))
}

/// What went into one of two vaults and what came out of the other: the first transfer each way, and whether the second
/// vault took in.
pub(super) fn exchanged(parent: &Parent<'_>, vaults: [usize; 2]) -> Option<(bool, [u64; 2])> {
    let [first, second] = vaults.map(|vault| parent.call.account(vault));
    let (first, second) = (first?, second?);
    let taken = moves(parent).find(|moved| moved.to == first || moved.to == second)?;
    let buy = taken.to == second;
    let given_from = if buy { first } else { second };
    let given = moves(parent).find(|moved| moved.from == given_from)?;
    Some((buy, turned([given.amount, taken.amount], !buy)))
}

/// A swap by the instruction's accounts and the transfers below it.
pub(super) fn swapped(venue: Venue, parent: &Parent<'_>) -> Option<Read> {
    swapped_at(venue, parent, parent.seats(None)?).map(Read::unsaid)
}

/// A swap on the pool at those seats.
pub(super) fn swapped_at(venue: Venue, parent: &Parent<'_>, seats: Seats) -> Option<EventKind> {
    let [first, second]: [Mint; 2] = parent.mints(&seats)?;
    // Where the accounts stand in the order of the swap, the pool's own order is that of the keys.
    let exchange = seats.by_direction && first > second;
    let vaults = turned(seats.vaults, exchange);
    let (buy, amounts) = exchanged(parent, vaults)?;
    let swap = Swap {
        venue,
        pool: parent.account(seats.pool)?,
        user: parent.account(seats.user)?,
        mints: turned([first, second], exchange),
        buy,
        amounts,
        fees: Fees::default(),
        before: None,
        after: None,
        sqrt_price: None,
        base_supply: None,
        vaults: Some(vaults),
        limit: parent.limit(buy),
    };
    Some(EventKind::Trade(swap.trade(parent)))
}
