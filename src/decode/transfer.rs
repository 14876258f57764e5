//! What went from one owner to another beside the trades: how wallets of one hand supply each other.
//!
//! Transfers below a venue's instruction are the trades themselves and their fees, and tips are told with the trades. Numbers
//! and account orders of the instructions: the SPL Token, Token-2022, associated token account and system programs.

use super::{
    calls::Origin,
    event::Path,
    moves::{SYSTEM_TRANSFER, TRANSFER, TRANSFER_CHECKED, TRANSFER_FEE, amount_at, is_token},
    sender::is_tip_account,
};
use crate::chain::{
    ids::{Mint, Signature, Wallet},
    program::Role,
    transaction::{Instruction, Walked},
};

/// `InitializeAccount`, and its forms that carry the owner in their data.
const INITIALIZE: u8 = 1;
const INITIALIZE_2: u8 = 16;
const INITIALIZE_3: u8 = 18;

/// Tokens or lamports that changed hands outside of any venue's instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Slot of the transaction.
    pub slot: u64,
    /// The transaction.
    pub signature: Signature,
    /// Position of the transaction in its block.
    pub tx_index: u64,
    /// The instruction that moved them.
    pub path: Path,
    /// Who owned them: of tokens the owner of the token account, not the account.
    pub from: Wallet,
    /// Who owns them now.
    pub to: Wallet,
    /// The token; `None` for lamports.
    pub mint: Option<Mint>,
    /// Raw units of the token, or lamports.
    pub amount: u64,
}

/// Whether an instruction may be one.
pub(super) fn may_be(instruction: &Instruction<'_>) -> bool {
    if instruction.role == Some(Role::System) {
        return instruction.data.starts_with(&SYSTEM_TRANSFER);
    }
    is_token(instruction) && token_transfer(instruction.data).is_some()
}

/// Where the receiving account stands (behind the mint, where that is named), and how much it received.
fn token_transfer(data: &[u8]) -> Option<(usize, u64)> {
    let (to, offset) = match *data.first()? {
        TRANSFER => (1, 1),
        TRANSFER_CHECKED => (2, 1),
        _ if data.starts_with(&TRANSFER_FEE) => (2, 2),
        _ => return None,
    };
    Some((to, amount_at(data, offset)?))
}

/// The transfer at a place of the walk; `None` within one hand, to a tip account, or where nothing names the owners.
pub(super) fn at(place: usize, walked: &Walked<'_>, origin: &Origin) -> Option<Transfer> {
    let instruction = walked.instruction(place)?;
    let (from, to, mint, amount) = if instruction.role == Some(Role::System) {
        let to = instruction.account(1)?;
        if is_tip_account(to) {
            return None;
        }
        let owner = owner_of(instruction.account_index(1)?, walked);
        let from = Wallet::new(*instruction.account(0)?);
        (from, owner.unwrap_or_else(|| Wallet::new(*to)), None, amount_at(instruction.data, SYSTEM_TRANSFER.len())?)
    } else {
        let (to_position, amount) = token_transfer(instruction.data)?;
        let (from, to) = (instruction.account_index(0)?, instruction.account_index(to_position)?);
        let mint = match to_position {
            2 => instruction.account(1).map(|mint| Mint::new(*mint)),
            _ => [from, to].into_iter().find_map(|index| walked.token_mint(index)),
        };
        (owner_of(from, walked)?, owner_of(to, walked)?, Some(mint?), amount)
    };
    let Origin { slot, signature, tx_index, .. } = *origin;
    let path = Path { outer: instruction.outer, inner: instruction.inner };
    (from != to && amount > 0).then_some(Transfer { slot, signature, tx_index, path, from, to, mint, amount })
}

/// Who owns a token account: by the instruction that opened it, else by the transaction's balances, which do not hold what it
/// opened and closed. `None` for what is no token account.
fn owner_of(account_index: u8, walked: &Walked<'_>) -> Option<Wallet> {
    let names = |call: &Instruction<'_>, position| call.account_index(position) == Some(account_index);
    let usual = walked.calls_of(Role::AssociatedToken).find(|call| names(call, 1)).and_then(|call| call.account(2));
    let opened = || walked.calls_of(Role::Token).filter(|call| names(call, 0)).find_map(|call| owner_named_by(&call));
    usual.or_else(opened).map(|owner| Wallet::new(*owner)).or_else(|| walked.token_owner(account_index))
}

/// The owner for whom an instruction opens its first account.
fn owner_named_by<'a>(instruction: &Instruction<'a>) -> Option<&'a [u8; 32]> {
    match instruction.data {
        [INITIALIZE, ..] => instruction.account(2),
        [INITIALIZE_2 | INITIALIZE_3, owner @ ..] => owner.first_chunk(),
        _ => None,
    }
}
