//! What transactions of both venues have in common: budgets, token accounts, transfers, tips, routers.

use fastrand::Rng;
use solana_sdk::pubkey::Pubkey;
use yellowstone_grpc_proto::geyser::SubscribeUpdateTransactionInfo;

use super::{
    address::{
        ASSOCIATED_TOKEN, AXIOM_MARK, COMPUTE_BUDGET, Fixed, PUMP_FEES, Purpose, ROUTERS, SYSTEM, TIP_ACCOUNTS, TOKEN,
        WRAPPED_SOL, made, made_key, one_of, router,
    },
    body::Body,
    draft::{Draft, Handle, Place, Version},
    state::{WalletId, Wallets},
    truth::{Role, What},
};

/// Size of a token account.
const TOKEN_ACCOUNT_BYTES: u64 = 165;
/// Rent of a token account.
const TOKEN_ACCOUNT_RENT: u64 = 2_039_280;

/// Where and when a transaction happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) seed: u64,
    /// Seconds since the Unix epoch.
    pub(super) time: i64,
    pub(super) blockhash: [u8; 32],
    /// Number of the transaction among all of this market.
    pub(super) number: u64,
}

/// How a transaction is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) version: Version,
    /// The program that calls the venue; see [`router`].
    pub(super) router: Option<usize>,
    pub(super) priority_fee: u64,
    /// Lamports for the leader.
    pub(super) tip: u64,
    /// Who pays, where it is not the user.
    pub(super) sponsor: Option<WalletId>,
}

impl Style {
    /// By a human, through an app or a wallet.
    pub(super) fn human(rng: &mut Rng) -> Self {
        let router = (rng.u8(0..100) < 66).then(|| rng.usize(0..ROUTERS.len()));
        let sponsor = (router == Some(1) && rng.u8(0..8) == 0).then(|| rng.u32(0..16));
        Self { version: version(rng), router, priority_fee: rng.u64(1_000..900_000), tip: tip(rng, 30), sponsor }
    }

    /// By a program that is in a hurry.
    pub(super) fn bot(rng: &mut Rng) -> Self {
        let priority_fee = rng.u64(200_000..4_000_000);
        Self { version: version(rng), router: None, priority_fee, tip: tip(rng, 70), sponsor: None }
    }
}

pub(super) fn version(rng: &mut Rng) -> Version {
    match rng.u8(0..100) {
        0..25 => Version::Legacy,
        25..70 => Version::V0,
        _ => Version::V1,
    }
}

fn tip(rng: &mut Rng, percent: u8) -> u64 {
    if rng.u8(0..100) < percent { 10_u64.pow(rng.u32(4..7)) * rng.u64(1..10) } else { 0 }
}

/// How much worse than expected a trade may turn out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// By so many basis points of what it would be now.
    Slippage(u64),
    /// To this: the instruction's second argument.
    Given(u64),
}

impl Bound {
    /// Whether the program refuses this outcome: more to pay where that is bound, else less to get.
    pub(super) const fn is_broken_by(self, outcome: u64, to_pay: bool) -> bool {
        match self {
            Self::Slippage(_) => false,
            Self::Given(limit) => {
                if to_pay {
                    outcome > limit
                } else {
                    outcome < limit
                }
            }
        }
    }
}

/// A transaction and what it means.
pub(super) struct Done {
    pub(super) info: SubscribeUpdateTransactionInfo,
    pub(super) role: Role,
    pub(super) payer: Pubkey,
    /// Nothing for a failed one.
    pub(super) truth: Vec<(Place, What)>,
}

/// A transaction of one user that is being written.
pub(super) struct Writing<'a> {
    pub(super) draft: Draft,
    pub(super) moment: &'a Moment,
    pub(super) style: Style,
    payer_id: WalletId,
    payer: Pubkey,
    user_id: WalletId,
    pub(super) user: Handle,
    pub(super) user_key: Pubkey,
    /// Base58.
    pub(super) user_text: String,
    /// A router's call is open that leads through several pools.
    routed: bool,
}

impl<'a> Writing<'a> {
    /// Begins: the payer, the user, the budget.
    pub(super) fn new(moment: &'a Moment, wallets: &mut Wallets, user: WalletId, style: Style, units: u32) -> Self {
        let payer_id = style.sponsor.unwrap_or(user);
        wallets.fund(payer_id, style.priority_fee + style.tip + 10_000_000);
        let payer = wallets.get(payer_id);
        let payer_key = payer.key;
        let mut draft = Draft::new(style.version, &payer_key, payer.lamports, style.priority_fee, units);
        let user_wallet = wallets.get(user);
        let (user_key, user_text) = (user_wallet.key, user_wallet.text.clone());
        let handle = draft.signer(&user_key);
        draft.holds(handle, user_wallet.lamports);
        if style.version != Version::V1 {
            let mut limit = vec![2];
            limit.extend(draft.units_limit().to_le_bytes());
            draft.call(&COMPUTE_BUDGET, &[], limit, 150);
            let mut price = vec![3];
            price.extend((draft.priority_fee() * 1_000_000 / u64::from(units.max(1))).to_le_bytes());
            draft.call(&COMPUTE_BUDGET, &[], price, 150);
            let mut loaded = vec![4];
            loaded.extend((64_u32 << 20).to_le_bytes());
            draft.call(&COMPUTE_BUDGET, &[], loaded, 150);
        }
        Self {
            draft,
            moment,
            style,
            payer_id,
            payer: payer_key,
            user_id: user,
            user: handle,
            user_key,
            user_text,
            routed: false,
        }
    }

    /// A made-up account of the user.
    pub(super) fn account(&mut self, purpose: Purpose, token: u64) -> (Handle, Pubkey) {
        let key = self.account_key(purpose, token);
        (self.draft.writable(&key), key)
    }

    pub(super) fn account_key(&self, purpose: Purpose, token: u64) -> Pubkey {
        made_key(self.moment.seed ^ u64::from(self.user_id), purpose, token)
    }

    /// Creates a token account, at top level or from the call that is open, unless it is there already.
    pub(super) fn open_account(
        &mut self,
        account: Handle,
        owner: Handle,
        mint: Handle,
        program: &'static Fixed,
        exists: bool,
    ) {
        let (draft, token) = (&mut self.draft, program);
        let (system, token_handle) = (draft.fixed(&SYSTEM), draft.fixed(token));
        draft.enter(&ASSOCIATED_TOKEN, &[self.user, account, owner, mint, system, token_handle], vec![1]);
        draft.say("CreateIdempotent");
        if !exists {
            draft.enter(token, &[mint], vec![21, 7, 0]);
            draft.say("Instruction: GetAccountDataSize");
            draft.returns(token, &TOKEN_ACCOUNT_BYTES.to_le_bytes());
            draft.leave(1_523);
            let mut create = vec![0; 4];
            create.extend(TOKEN_ACCOUNT_RENT.to_le_bytes());
            create.extend(TOKEN_ACCOUNT_BYTES.to_le_bytes());
            create.extend(token.key.as_array());
            draft.call(&SYSTEM, &[self.user, account], create, 0);
            draft.holds(account, 0);
            draft.pay(self.user, account, TOKEN_ACCOUNT_RENT);
            draft.say("Initialize the associated token account");
            draft.enter(token, &[account], vec![22]);
            draft.say("Instruction: InitializeImmutableOwner");
            draft.leave(736);
            let mut initialize = vec![18];
            initialize.extend(self.user_key.as_array());
            draft.enter(token, &[account, mint], initialize);
            draft.say("Instruction: InitializeAccount3");
            draft.leave(2_153);
        }
        draft.leave(if exists { 4_338 } else { 12_211 });
    }

    /// Closes the user's account of wrapped SOL.
    pub(super) fn close_wrapped(&mut self, account: Handle) {
        if self.routed {
            return;
        }
        self.draft.call(&TOKEN, &[account, self.user, self.user], vec![9], 118);
    }

    /// Wraps lamports.
    pub(super) fn wrap(&mut self, account: Handle, lamports: u64) {
        if self.routed {
            return;
        }
        let wrapped = self.draft.fixed(&WRAPPED_SOL);
        self.open_account(account, self.user, wrapped, &TOKEN, false);
        if lamports > 0 {
            self.draft.call(&SYSTEM, &[self.user, account], transfer_data(lamports), 150);
            self.draft.call(&TOKEN, &[account], vec![17], 201);
        }
    }

    /// A system transfer from the user.
    pub(super) fn send(&mut self, to: Handle, lamports: u64) {
        self.draft.call(&SYSTEM, &[self.user, to], transfer_data(lamports), 150);
        self.draft.pay(self.user, to, lamports);
    }

    /// A `TransferChecked`.
    pub(super) fn move_tokens(
        &mut self,
        program: &'static Fixed,
        from_mint_to_owner: [Handle; 4],
        amount: u64,
        decimals: u8,
    ) {
        let mut data = vec![12];
        data.extend(amount.to_le_bytes());
        data.push(decimals);
        self.draft.enter(program, &from_mint_to_owner, data);
        let slow = !std::ptr::eq(program, &raw const TOKEN);
        if slow {
            self.draft.say("Instruction: TransferChecked");
        }
        self.draft.leave(if slow { 2_562 } else { 105 });
    }

    /// The venue asks the fee program what to charge.
    pub(super) fn ask_fees(&mut self, config: Handle, venue: Handle, size: u64, bps: [u64; 3]) {
        let mut data = Body::new(0x9aed_8a5c_a202_a2bb).bool(true).u64s([size, 0]).done();
        data.extend(WRAPPED_SOL.key.as_array());
        self.draft.enter(&PUMP_FEES, &[config, venue], data);
        self.draft.say("Instruction: GetFeesWithQuoteMint");
        self.draft.returns(&PUMP_FEES, &bps.map(u64::to_le_bytes).concat());
        self.draft.leave(3_360);
    }

    /// Opens the user's account of wrapped SOL, which routers do whether it is needed or not; says which it is.
    pub(super) fn open_for_router(&mut self) -> Option<Handle> {
        self.style.router.filter(|_| !self.routed)?;
        let (wrapped, _) = self.account(Purpose::QuoteAccount, 0);
        self.wrap(wrapped, 0);
        Some(wrapped)
    }

    /// Opens the router's call, if there is one; the venue is called from it.
    pub(super) fn enter_router(&mut self, amount: u64, limit: u64, accounts: &[Handle]) {
        let Some(router) = self.style.router.and_then(router).filter(|_| !self.routed) else { return };
        let number = self.moment.number;
        let [kind, ..] = made::<8>(self.moment.seed, Purpose::Route, number);
        let data = Body::new(0xe517_cb97_7ae3_ad2a).u8(kind).u64s([amount, limit]).u16(u16::from(kind)).done();
        self.draft.enter(router, accounts, data);
        self.draft.say("Instruction: Route");
    }

    /// Takes the router's own fee, says what it did and closes its call.
    pub(super) fn leave_router(&mut self, base: u64, quote: u64) {
        let router = self.style.router.and_then(|number| Some((number as u64, router(number)?)));
        let Some((number, program)) = router.filter(|_| !self.routed) else { return };
        if self.style.router >= Some(ROUTERS.len()) {
            // A program of the user's own takes nothing and says nothing.
            self.draft.leave(12_000);
            return;
        }
        let collector = self.draft.writable(&made_key(0, Purpose::Recipient, number));
        self.send(collector, quote / 125);
        // Half the users were brought by somebody.
        if self.moment.number.is_multiple_of(2) {
            let referrer = self.draft.writable(&made_key(2, Purpose::Recipient, self.moment.number % 512));
            self.send(referrer, quote / 500);
        }
        let authority = self.draft.readable(&made_key(1, Purpose::Recipient, number));
        let route: [u8; 160] = made(self.moment.seed, Purpose::Route, self.moment.number);
        let event = Body::new(0x40c6_cde8_2608_71e2).key(&self.user_key).u64s([base, quote]).bytes(&route).done();
        self.draft.emit_as(program, authority, &event);
        self.draft.leave(31_400);
    }

    /// Opens a router's call that leads through several pools, of which each trade from now on is one. So many lamports are
    /// wrapped for it.
    pub(super) fn begin_route(&mut self, lamports: u64, amount: u64) {
        let (wrapped, _) = self.account(Purpose::QuoteAccount, 0);
        self.wrap(wrapped, lamports);
        self.enter_router(amount, 0, &[self.user]);
        self.routed = true;
    }

    /// Closes it; it moved so much.
    pub(super) fn end_route(&mut self, (base, quote): (u64, u64)) {
        self.routed = false;
        self.draft.widen();
        self.leave_router(base, quote);
        let (wrapped, _) = self.account(Purpose::QuoteAccount, 0);
        self.close_wrapped(wrapped);
    }

    /// The router's name for the truth.
    pub(super) fn router_name(&self) -> Option<String> {
        self.style.router.and_then(router).map(|router| router.text.to_owned())
    }

    /// Tips the leader; Axiom's users also ask not to be front-run.
    pub(super) fn tip(&mut self) {
        if self.style.tip > 0 {
            let tips = self.draft.fixed_writable(one_of(&TIP_ACCOUNTS, self.moment.number));
            self.send(tips, self.style.tip);
        }
        if self.style.router == Some(0) {
            let mark = self.draft.fixed(&AXIOM_MARK);
            self.draft.call(&SYSTEM, &[self.user, self.user, mark], transfer_data(0), 150);
        }
    }

    /// Signs; the payer has paid.
    pub(super) fn finish(self, wallets: &mut Wallets, role: Role, truth: Vec<(Place, What)>) -> Done {
        let (seed, number) = (self.moment.seed, self.moment.number);
        let sign = |signer: u64| made::<64>(seed, Purpose::Signature, number * 4 + signer);
        wallets.set_lamports(self.payer_id, self.draft.after(0));
        if self.user_id != self.payer_id {
            wallets.set_lamports(self.user_id, self.draft.after(self.user));
        }
        let info = self.draft.finish(sign, self.moment.blockhash);
        Done { info, role, payer: self.payer, truth }
    }
}

/// Data of a system transfer.
fn transfer_data(lamports: u64) -> Vec<u8> {
    let mut data = vec![2, 0, 0, 0];
    data.extend(lamports.to_le_bytes());
    data
}
