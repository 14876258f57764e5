//! A transaction in the making: keys, calls, what they log and what they move.

use std::fmt::Write;

use solana_sdk::pubkey::Pubkey;
use yellowstone_grpc_proto::{
    geyser::SubscribeUpdateTransactionInfo,
    prelude::{
        CompiledInstruction, InnerInstruction, InnerInstructions, Message, MessageAddressTableLookup, MessageHeader,
        TokenBalance, Transaction, TransactionConfig, TransactionError, TransactionStatusMeta, UiTokenAmount,
    },
};

use super::address::{Fixed, LOOKUP_TABLE, SYSTEM};

/// Anchor's mark of an event sent as a call to the program itself.
const EVENT_CALL: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];
/// Compute units that sending an event takes.
const EVENT_UNITS: u32 = 2_170;
/// A balance that nobody looks at: the rent of a token account.
const RENT: u64 = 2_039_280;
/// Lamports per signature.
const SIGNATURE_FEE: u64 = 5_000;

/// The formats of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Legacy,
    /// With addresses loaded from a table.
    V0,
    /// Fee and limits in the message (SIMD-0385).
    V1,
}

/// A key's place in the draft.
pub(super) type Handle = u8;

/// Where an instruction stands: index of the top-level one, and in its flattened list of inner ones.
pub(super) type Place = (u16, Option<u16>);

struct Key {
    address: Pubkey,
    signer: bool,
    writable: bool,
    /// Called at top level: such a program is never loaded from a table.
    called: bool,
    table: Option<u8>,
    before: u64,
    moved: i64,
}

/// A token account's balance before and after.
pub(super) struct Balance<'a> {
    pub(super) account: Handle,
    pub(super) mint: &'a str,
    pub(super) owner: &'a str,
    pub(super) program: &'static Fixed,
    pub(super) decimals: u8,
    /// `None` where the account did not exist.
    pub(super) before: Option<u64>,
    pub(super) after: Option<u64>,
}

/// See the module.
pub(super) struct Draft {
    version: Version,
    priority_fee: u64,
    units_limit: u32,
    units_left: u32,
    keys: Vec<Key>,
    outer: Vec<CompiledInstruction>,
    inner: Vec<InnerInstructions>,
    logs: Vec<String>,
    stack: Vec<(&'static Fixed, u32)>,
    before: Vec<TokenBalance>,
    after: Vec<TokenBalance>,
    error: Option<Vec<u8>>,
}

impl Draft {
    /// A transaction that this key pays for.
    pub(super) fn new(version: Version, payer: &Pubkey, lamports: u64, priority_fee: u64, units_limit: u32) -> Self {
        let mut draft = Self {
            version,
            priority_fee,
            units_limit,
            units_left: units_limit,
            keys: Vec::with_capacity(40),
            outer: Vec::with_capacity(8),
            inner: Vec::with_capacity(8),
            logs: Vec::with_capacity(96),
            stack: Vec::with_capacity(4),
            before: Vec::with_capacity(4),
            after: Vec::with_capacity(4),
            error: None,
        };
        let payer = draft.signer(payer);
        draft.holds(payer, lamports);
        draft
    }

    pub(super) const fn priority_fee(&self) -> u64 {
        self.priority_fee
    }

    pub(super) const fn units_limit(&self) -> u32 {
        self.units_limit
    }

    fn add(&mut self, address: &Pubkey, signer: bool, writable: bool, table: Option<u8>) -> Handle {
        let place = self.keys.iter().position(|key| key.address == *address).unwrap_or_else(|| {
            let key = Key { address: *address, signer, writable, called: false, table, before: RENT, moved: 0 };
            self.keys.push(key);
            self.keys.len() - 1
        });
        if let Some(key) = self.keys.get_mut(place) {
            key.signer |= signer;
            key.writable |= writable;
        }
        // No transaction has more keys than fit; a draft that had would name its last one.
        u8::try_from(place).unwrap_or(u8::MAX)
    }

    pub(super) fn signer(&mut self, address: &Pubkey) -> Handle {
        self.add(address, true, true, None)
    }

    pub(super) fn writable(&mut self, address: &Pubkey) -> Handle {
        self.add(address, false, true, None)
    }

    pub(super) fn readable(&mut self, address: &Pubkey) -> Handle {
        self.add(address, false, false, None)
    }

    pub(super) fn fixed(&mut self, address: &'static Fixed) -> Handle {
        self.add(&address.key, false, false, address.table)
    }

    pub(super) fn fixed_writable(&mut self, address: &'static Fixed) -> Handle {
        self.add(&address.key, false, true, address.table)
    }

    /// Says what an account holds before the transaction, in lamports.
    pub(super) fn holds(&mut self, account: Handle, lamports: u64) {
        // What was said first stands: since then something has moved.
        if let Some(key) = self.keys.get_mut(usize::from(account)).filter(|key| key.moved == 0) {
            key.before = lamports;
        }
    }

    /// Moves lamports.
    pub(super) fn pay(&mut self, from: Handle, to: Handle, lamports: u64) {
        let lamports = i64::try_from(lamports).unwrap_or(i64::MAX);
        for (account, change) in [(from, -lamports), (to, lamports)] {
            if let Some(key) = self.keys.get_mut(usize::from(account)) {
                key.moved = key.moved.saturating_add(change);
            }
        }
    }

    /// States a token account's balances; of one stated before, what it has in the end.
    pub(super) fn token(&mut self, balance: &Balance<'_>) {
        let account = u32::from(balance.account);
        if let Some(stated) = self.after.iter_mut().find(|stated| stated.account_index == account) {
            stated.ui_token_amount = balance.after.map(|amount| amount_of(amount, balance.decimals));
            return;
        }
        let entry = |amount: u64| TokenBalance {
            account_index: balance.account.into(),
            mint: balance.mint.to_owned(),
            ui_token_amount: Some(amount_of(amount, balance.decimals)),
            owner: balance.owner.to_owned(),
            program_id: balance.program.text.to_owned(),
        };
        self.before.extend(balance.before.map(entry));
        self.after.extend(balance.after.map(entry));
    }

    /// Changes what was stated of a token account's balance afterwards.
    pub(super) fn restate(&mut self, account: Handle, amount: u64, decimals: u8) {
        for balance in self.after.iter_mut().filter(|balance| balance.account_index == u32::from(account)) {
            balance.ui_token_amount = Some(amount_of(amount, decimals));
        }
    }

    /// Begins a call: at top level, or from the call that is open.
    pub(super) fn enter(&mut self, program: &'static Fixed, accounts: &[Handle], data: Vec<u8>) -> Place {
        let handle = self.fixed(program);
        let depth = self.stack.len() + 1;
        let place = if self.stack.is_empty() {
            if let Some(key) = self.keys.get_mut(usize::from(handle)) {
                key.called = true;
            }
            let call = CompiledInstruction { program_id_index: handle.into(), accounts: accounts.to_vec(), data };
            self.outer.push(call);
            (self.outer.len() - 1, None)
        } else {
            let outer = self.outer.len() - 1;
            let index = u32::try_from(outer).unwrap_or(u32::MAX);
            if self.inner.last().is_none_or(|group| group.index != index) {
                self.inner.push(InnerInstructions { index, instructions: Vec::with_capacity(12) });
            }
            let stack_height = u32::try_from(depth).ok();
            let call =
                InnerInstruction { program_id_index: handle.into(), accounts: accounts.to_vec(), data, stack_height };
            let group = self.inner.last_mut().map(|group| &mut group.instructions);
            let inner = group.map(|calls| {
                calls.push(call);
                calls.len() - 1
            });
            (outer, inner)
        };
        self.log(&["Program ", program.text, " invoke [", digit(depth), "]"]);
        self.stack.push((program, self.units_left));
        let narrow = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
        (narrow(place.0), place.1.map(narrow))
    }

    /// Ends the open call, which took so many units besides those of its own calls.
    pub(super) fn leave(&mut self, units: u32) {
        let Some((program, at_start)) = self.stack.pop() else { return };
        self.units_left = self.units_left.saturating_sub(units);
        if is_metered(program) {
            self.log_units(program, at_start);
        }
        self.log(&["Program ", program.text, " success"]);
    }

    /// A call that calls nothing.
    pub(super) fn call(&mut self, program: &'static Fixed, accounts: &[Handle], data: Vec<u8>, units: u32) {
        self.enter(program, accounts, data);
        self.leave(units);
    }

    /// A `Program log:` line.
    pub(super) fn say(&mut self, text: &str) {
        self.log(&["Program log: ", text]);
    }

    /// The open call's return value.
    pub(super) fn returns(&mut self, program: &Fixed, data: &[u8]) {
        let mut line = String::with_capacity(96);
        line.extend(["Program return: ", program.text, " "]);
        encode_base64(data, &mut line);
        self.logs.push(line);
    }

    /// A `Program data:` line.
    pub(super) fn print(&mut self, data: &[u8]) {
        let mut line = String::with_capacity(16 + data.len().div_ceil(3) * 4);
        line.push_str("Program data: ");
        encode_base64(data, &mut line);
        self.logs.push(line);
    }

    /// Names all accounts of the calls below the newest top-level one as its own.
    pub(super) fn widen(&mut self) {
        let Some(call) = self.outer.last_mut() else { return };
        for inner in self.inner.last().iter().flat_map(|group| &group.instructions) {
            for account in &inner.accounts {
                if !call.accounts.contains(account) {
                    call.accounts.push(*account);
                }
            }
        }
    }

    /// An event: in the log, and as a call of the program to itself signed by its event authority.
    pub(super) fn emit(&mut self, program: &'static Fixed, authority: &'static Fixed, event: &[u8]) {
        let authority = self.fixed(authority);
        self.emit_as(program, authority, event);
    }

    /// An event signed by this authority.
    pub(super) fn emit_as(&mut self, program: &'static Fixed, authority: Handle, event: &[u8]) {
        self.print(event);
        let mut data = Vec::with_capacity(EVENT_CALL.len() + event.len());
        data.extend(EVENT_CALL);
        data.extend(event);
        self.call(program, &[authority], data, EVENT_UNITS);
    }

    /// Ends all open calls with a program's error: nothing moves but the fee.
    pub(super) fn fail(&mut self, code: u32, units: u32) {
        self.units_left = self.units_left.saturating_sub(units);
        let reason = format!(" failed: custom program error: {code:#x}");
        while let Some((program, at_start)) = self.stack.pop() {
            if is_metered(program) {
                self.log_units(program, at_start);
            }
            self.log(&["Program ", program.text, &reason]);
        }
        for key in &mut self.keys {
            key.moved = 0;
        }
        self.after.clone_from(&self.before);
        // bincode of `TransactionError::InstructionError(index, InstructionError::Custom(code))`.
        let mut error = Vec::with_capacity(13);
        error.extend(8_u32.to_le_bytes());
        error.push(u8::try_from(self.outer.len().saturating_sub(1)).unwrap_or(u8::MAX));
        error.extend(25_u32.to_le_bytes());
        error.extend(code.to_le_bytes());
        self.error = Some(error);
    }

    fn log(&mut self, parts: &[&str]) {
        self.logs.push(parts.concat());
    }

    fn log_units(&mut self, program: &Fixed, at_start: u32) {
        let mut line = String::with_capacity(96);
        let used = at_start - self.units_left;
        // Writing to a string cannot fail.
        let _ = write!(line, "Program {} consumed {used} of {at_start} compute units", program.text);
        self.logs.push(line);
    }

    /// What an account has afterwards, in lamports.
    pub(super) fn after(&self, account: Handle) -> u64 {
        let fee = if account == 0 { self.fee() } else { 0 };
        let key = self.keys.get(usize::from(account));
        key.map_or(0, |key| key.before.saturating_add_signed(key.moved).saturating_sub(fee))
    }

    fn signers(&self) -> usize {
        self.keys.iter().filter(|key| key.signer).count()
    }

    fn fee(&self) -> u64 {
        SIGNATURE_FEE * self.signers() as u64 + self.priority_fee
    }

    /// The transaction with its result.
    pub(super) fn finish(
        mut self,
        signatures: impl Fn(u64) -> [u8; 64],
        blockhash: [u8; 32],
    ) -> SubscribeUpdateTransactionInfo {
        let fee = self.fee();
        let loads = self.version == Version::V0;
        // Static keys: signers, writable before read-only; then the loaded ones.
        let class = |key: &Key| match (key.signer, key.writable) {
            (true, _) => 0_u8,
            (false, writable) => {
                let loaded = loads && !key.called && key.table.is_some();
                1 + 2 * u8::from(loaded) + u8::from(!writable)
            }
        };
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_by_key(|place| self.keys.get(*place).map(class));
        let mut moved_to = vec![0_u8; order.len()];
        for (to, from) in (0_u8..).zip(&order) {
            if let Some(place) = moved_to.get_mut(*from) {
                *place = to;
            }
        }
        let place_of = |handle: u32| moved_to.get(handle as usize).copied().unwrap_or(u8::MAX);
        let renumber = |program: &mut u32, accounts: &mut [u8]| {
            *program = place_of(*program).into();
            for account in accounts {
                *account = place_of(u32::from(*account));
            }
        };
        for call in &mut self.outer {
            renumber(&mut call.program_id_index, &mut call.accounts);
        }
        for call in self.inner.iter_mut().flat_map(|group| &mut group.instructions) {
            renumber(&mut call.program_id_index, &mut call.accounts);
        }
        for balances in [&mut self.before, &mut self.after] {
            for balance in balances.iter_mut() {
                balance.account_index = place_of(balance.account_index).into();
            }
            balances.sort_by_key(|balance| balance.account_index);
        }
        let keys = || order.iter().filter_map(|place| self.keys.get(*place));
        let of_class = |wanted: u8| keys().filter(move |key| class(key) == wanted);
        let bytes = |key: &Key| key.address.as_array().to_vec();
        let mut pre_balances = Vec::with_capacity(order.len());
        let mut post_balances = Vec::with_capacity(order.len());
        for (number, key) in keys().enumerate() {
            let spent = if number == 0 { fee } else { 0 };
            // An account pays only what it has: where nobody said what that is, it has enough.
            let before = key.before.max(key.moved.min(0).unsigned_abs() + spent);
            pre_balances.push(before);
            post_balances.push(before.saturating_add_signed(key.moved).saturating_sub(spent));
        }
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let header = MessageHeader {
            num_required_signatures: count(self.signers()),
            num_readonly_signed_accounts: 0,
            num_readonly_unsigned_accounts: count(of_class(2).count()),
        };
        let indexes = |wanted| of_class(wanted).filter_map(|key| key.table).collect();
        let lookup = MessageAddressTableLookup {
            account_key: LOOKUP_TABLE.key.as_array().to_vec(),
            writable_indexes: indexes(3),
            readonly_indexes: indexes(4),
        };
        let config = (self.version == Version::V1).then_some(TransactionConfig {
            priority_fee: Some(self.priority_fee),
            compute_unit_limit: Some(self.units_limit),
            loaded_accounts_data_size_limit: Some(64 << 20),
            heap_size: None,
        });
        let message = Message {
            header: Some(header),
            account_keys: keys().filter(|key| class(key) < 3).map(bytes).collect(),
            recent_blockhash: blockhash.to_vec(),
            versioned: self.version != Version::Legacy,
            address_table_lookups: if loads { vec![lookup] } else { Vec::new() },
            config,
            instructions: self.outer,
        };
        let meta = TransactionStatusMeta {
            err: self.error.map(|err| TransactionError { err }),
            fee,
            pre_balances,
            post_balances,
            loaded_writable_addresses: of_class(3).map(bytes).collect(),
            loaded_readonly_addresses: of_class(4).map(bytes).collect(),
            inner_instructions: self.inner,
            log_messages: self.logs,
            pre_token_balances: self.before,
            post_token_balances: self.after,
            compute_units_consumed: Some(u64::from(self.units_limit - self.units_left)),
            ..TransactionStatusMeta::default()
        };
        let signed = self.keys.iter().filter(|key| key.signer).count() as u64;
        let signatures: Vec<Vec<u8>> = (0..signed).map(|number| signatures(number).to_vec()).collect();
        SubscribeUpdateTransactionInfo {
            signature: signatures.first().cloned().unwrap_or_default(),
            is_vote: false,
            transaction: Some(Transaction { signatures, message: Some(message) }),
            meta: Some(meta),
            index: 0,
        }
    }
}

/// Built-in programs log no units.
fn is_metered(program: &Fixed) -> bool {
    !std::ptr::eq(program, &raw const SYSTEM) && !program.text.starts_with("ComputeBudget")
}

fn digit(number: usize) -> &'static str {
    ["0", "1", "2", "3", "4", "5"].get(number).copied().unwrap_or("9")
}

/// A token amount as servers state it.
fn amount_of(amount: u64, decimals: u8) -> UiTokenAmount {
    let unit = 10_u64.pow(decimals.into());
    let mut text = format!("{}.{:0width$}", amount / unit, amount % unit, width = usize::from(decimals));
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    #[allow(clippy::cast_precision_loss, reason = "that is what servers send")]
    let ui_amount = amount as f64 / unit as f64;
    UiTokenAmount { ui_amount, decimals: decimals.into(), amount: amount.to_string(), ui_amount_string: text }
}

/// Appends base64 with padding.
pub(super) fn encode_base64(bytes: &[u8], text: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        for (to, from) in three.iter_mut().zip(chunk) {
            *to = *from;
        }
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_known_answers() {
        for (bytes, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            let mut text = String::new();
            encode_base64(bytes.as_bytes(), &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn amounts_read_as_servers_write_them() {
        for (amount, decimals, expected) in [
            (2_059_759_314_256, 9, "2059.759314256"),
            (1_000_000_000_000_000, 6, "1000000000"),
            (0, 9, "0"),
            (10, 6, "0.00001"),
        ] {
            assert_eq!(amount_of(amount, decimals).ui_amount_string, expected);
        }
    }
}
