//! What went from one owner to another beside the trades: how wallets of one hand supply each other.
//!
//! Transfers below a venue's instruction are the trades themselves and their fees, and tips are told with the trades. Numbers
//! and account orders of the instructions: the SPL Token, Token-2022, associated token account and system programs.

use super::{
    calls::Origin,
    event::Path,
    moves::{TRANSFER, TRANSFER_CHECKED, TRANSFER_FEE, amount_at, lamports_sent},
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
/// Where an instruction of the associated token program's names the account, and whose it is.
const USUAL: usize = 1;
const USUAL_OWNER: usize = 2;

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

/// Accounts of a transaction, by index.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accounts([u64; 4]);

impl Accounts {
    /// Adds an account.
    pub(super) fn insert(&mut self, index: Option<u8>) {
        if let Some(index) = index
            && let Some(word) = self.0.get_mut(usize::from(index / 64))
        {
            *word |= 1 << (index % 64);
        }
    }

    fn contains(self, index: u8) -> bool {
        self.0.get(usize::from(index / 64)).is_some_and(|word| word >> (index % 64) & 1 != 0)
    }
}

/// The account that an instruction of the token program's opens.
pub(super) fn opened_by(instruction: &Instruction<'_>) -> Option<u8> {
    match instruction.data {
        [INITIALIZE | INITIALIZE_2 | INITIALIZE_3, ..] => instruction.account_index(0),
        _ => None,
    }
}

/// The account that an instruction of the associated token program's opens.
pub(super) fn usual_opened_by(instruction: &Instruction<'_>) -> Option<u8> {
    instruction.account_index(USUAL)
}

/// Where the receiving account stands (behind the mint, where that is named), and how much it received.
pub(super) fn token_transfer(data: &[u8]) -> Option<(usize, u64)> {
    let (to, offset) = match *data.first()? {
        TRANSFER => (1, 1),
        TRANSFER_CHECKED => (2, 1),
        _ if data.starts_with(&TRANSFER_FEE) => (2, 2),
        _ => return None,
    };
    Some((to, amount_at(data, offset)?))
}

/// The transfer at a place of the walk, given which token accounts the transaction opened; `None` within one hand, or where
/// nothing names the owners.
pub(super) fn at(place: usize, opened: Accounts, walked: &Walked<'_>, origin: &Origin) -> Option<Transfer> {
    let instruction = walked.instruction(place)?;
    let (from, to, mint, amount) = if instruction.role == Some(Role::System) {
        let (to, amount) = lamports_sent(&instruction)?;
        let owner = owner_of(instruction.account_index(1)?, opened, walked);
        let from = Wallet::new(*instruction.account(0)?);
        (from, owner.unwrap_or_else(|| Wallet::new(*to)), None, amount)
    } else {
        let (to_position, amount) = token_transfer(instruction.data)?;
        let (from, to) = (instruction.account_index(0)?, instruction.account_index(to_position)?);
        let mint = match to_position {
            2 => instruction.account(1).map(|mint| Mint::new(*mint)),
            _ => [from, to].into_iter().find_map(|index| walked.token_mint(index)),
        };
        (owner_of(from, opened, walked)?, owner_of(to, opened, walked)?, Some(mint?), amount)
    };
    let Origin { slot, signature, tx_index, .. } = *origin;
    let path = Path { outer: instruction.outer, inner: instruction.inner };
    (from != to && amount > 0).then_some(Transfer { slot, signature, tx_index, path, from, to, mint, amount })
}

/// Who owns a token account: by the instruction that opened it, else by the transaction's balances, which do not hold what it
/// opened and closed. `None` for what is no token account.
fn owner_of(account: u8, opened: Accounts, walked: &Walked<'_>) -> Option<Wallet> {
    let by_opening = || {
        let mut usual = walked.calls_of(Role::AssociatedToken);
        let usual =
            usual.find(|call| usual_opened_by(call) == Some(account)).and_then(|call| call.account(USUAL_OWNER));
        let named =
            || walked.calls_of(Role::Token).filter(|call| opened_by(call) == Some(account)).find_map(owner_named_by);
        usual.or_else(named).map(|owner| Wallet::new(*owner))
    };
    opened.contains(account).then(by_opening).flatten().or_else(|| walked.token_owner(account))
}

/// The owner for whom an instruction opens its first account.
fn owner_named_by(instruction: Instruction<'_>) -> Option<&[u8; 32]> {
    match instruction.data {
        [INITIALIZE, ..] => instruction.account(2),
        [INITIALIZE_2 | INITIALIZE_3, owner @ ..] => owner.first_chunk(),
        _ => None,
    }
}
