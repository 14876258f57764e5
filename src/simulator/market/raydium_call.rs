//! Swaps in a token's Raydium pool as transactions: both programs, with their accounts, transfers and what they log. Neither
//! calls itself: all they say stands in the log.

use super::{
    address::{
        Fixed, OPEN_BOOK, Purpose, RAYDIUM_AMM_V4, RAYDIUM_AMM_V4_AUTHORITY, RAYDIUM_CPMM, RAYDIUM_CPMM_AUTHORITY,
        RAYDIUM_CPMM_CONFIG, TOKEN, WRAPPED_SOL,
    },
    body::Body,
    draft::{Balance, Handle, Place},
    parts::Writing,
    raydium::{Aside, Kind, Swap, Vaults},
    state::{Token, WalletId, Wallets},
    truth::{Reserves, Share, Trade, Venue, What},
};

/// A swap to be made.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "choices that have nothing to do with each other")]
pub(super) struct AsideOrder {
    pub(super) buy: bool,
    /// Says what to get, not what to give.
    pub(super) exact_out: bool,
    /// AMM v4 has an older instruction with all accounts of its market, and a newer one without.
    pub(super) older: bool,
    pub(super) amount: u64,
    pub(super) slippage_bps: u64,
    /// The price has moved beyond the user's limit.
    pub(super) fails: bool,
}

/// The pool's accounts by their roles.
pub(super) struct Seats {
    pub(super) pool: Handle,
    pub(super) base_vault: Handle,
    pub(super) quote_vault: Handle,
    pub(super) authority: Handle,
    pub(super) mint: Handle,
    pub(super) quote: Handle,
    pub(super) held: Handle,
    pub(super) wrapped: Handle,
    owner: &'static Fixed,
}

impl Kind {
    pub(super) const fn venue(self) -> Venue {
        match self {
            Self::AmmV4 => Venue::RaydiumAmmV4,
            Self::Cpmm => Venue::RaydiumCpmm,
        }
    }

    const fn program(self) -> &'static Fixed {
        match self {
            Self::AmmV4 => &RAYDIUM_AMM_V4,
            Self::Cpmm => &RAYDIUM_CPMM,
        }
    }

    const fn authority(self) -> &'static Fixed {
        match self {
            Self::AmmV4 => &RAYDIUM_AMM_V4_AUTHORITY,
            Self::Cpmm => &RAYDIUM_CPMM_AUTHORITY,
        }
    }

    /// The instruction of a swap: its name, what the program logs of it, and its first bytes.
    fn swap(self, order: &AsideOrder) -> (&'static str, Option<&'static str>, Vec<u8>) {
        match (self, order.exact_out, order.older) {
            (Self::AmmV4, false, true) => ("swap_base_in", None, vec![9]),
            (Self::AmmV4, false, false) => ("swap_base_in_v2", None, vec![16]),
            (Self::AmmV4, true, true) => ("swap_base_out", None, vec![11]),
            (Self::AmmV4, true, false) => ("swap_base_out_v2", None, vec![17]),
            (Self::Cpmm, false, _) => {
                ("swap_base_input", Some("Instruction: SwapBaseInput"), Body::new(0x8fbe_5ada_c41e_33de).done())
            }
            (Self::Cpmm, true, _) => {
                ("swap_base_output", Some("Instruction: SwapBaseOutput"), Body::new(0x37d9_6256_a34a_b4ad).done())
            }
        }
    }
}

/// Writes a swap and, unless it fails, makes it. `None` where the pool cannot fill it.
pub(super) fn trade(
    writing: &mut Writing<'_>,
    wallets: &mut Wallets,
    token: &mut Token,
    user: WalletId,
    order: &AsideOrder,
) -> Option<Vec<(Place, What)>> {
    let aside = token.aside.as_ref()?;
    let (kind, before, key) = (aside.kind, aside.pool, aside.key);
    let swap =
        if order.exact_out { before.take(order.buy, order.amount)? } else { before.give(order.buy, order.amount) };
    if swap.input == 0 || swap.output == 0 {
        return None;
    }
    let wrapped = if swap.buy { swap.input } else { 0 };
    if swap.buy {
        wallets.fund(user, wrapped.saturating_mul(2) + 20_000_000);
        writing.draft.holds(writing.user, wallets.get(user).lamports);
    }
    let (first, second) = arguments(order, &swap);
    let limit = if order.exact_out { first } else { second };
    let held_before = token.held_by(user);
    let seats = Seats::of(writing, token, kind);
    writing.wrap(seats.wrapped, wrapped);
    if swap.buy {
        writing.open_account(seats.held, writing.user, seats.mint, token.program(), held_before > 0);
    }
    let listed = seats.swap(writing, token, kind, order);
    writing.enter_router(first, second, &listed);
    let (name, logged, mut data) = kind.swap(order);
    data.extend([first, second].into_iter().flat_map(u64::to_le_bytes));
    let place = writing.draft.enter(kind.program(), &listed, data);
    if let Some(logged) = logged {
        writing.draft.say(logged);
    }
    if order.fails {
        seats.state(writing, token, &before, &before, (held_before, held_before));
        writing.draft.fail(if kind == Kind::AmmV4 { 30 } else { 6_005 }, 32_000);
        return Some(Vec::new());
    }
    say(writing, token, kind, order, &swap, (&before, held_before, limit));
    seats.settle(writing, token, kind, &swap);
    writing.draft.leave(if kind == Kind::AmmV4 { 24_000 } else { 38_000 });
    let held_after = if swap.buy { held_before + swap.output } else { held_before.saturating_sub(swap.input) };
    token.hold(user, held_after);
    let mut after = before;
    after.swapped(&swap);
    token.aside.as_mut()?.pool = after;
    writing.leave_router(swap.base(), swap.quote());
    writing.close_wrapped(seats.wrapped);
    seats.state(writing, token, &before, &after, (held_before, held_after));
    let told = Trade {
        venue: kind.venue(),
        instruction: name,
        pool: key,
        mint: token.mint,
        user: writing.user_key,
        buy: swap.buy,
        base_amount: swap.base(),
        quote_amount: swap.quote(),
        lp_fee: (swap.fee, 0),
        protocol_fee: (0, 0),
        creator_fee: (0, 0),
        share: Share::Creator,
        buyback_fee: (0, 0),
        reserves_before: reserves(&before),
        reserves_after: reserves(&after),
        curve_after: None,
        limit,
        router: writing.router_name(),
    };
    Some(vec![(place, What::Trade(Box::new(told)))])
}

pub(super) fn reserves(pool: &Vaults) -> Reserves {
    Reserves { base: pool.base, quote: pool.quote }
}

/// The two arguments: of one that says what to give, that and the least to get; else the most to give and what to get.
fn arguments(order: &AsideOrder, swap: &Swap) -> (u64, u64) {
    let bps = order.slippage_bps.min(10_000);
    let missed = |amount: u64| amount / 50;
    if order.exact_out {
        let more = swap.input + swap.input / 10_000 * order.slippage_bps;
        (if order.fails { swap.input - missed(swap.input) } else { more }, swap.output)
    } else {
        let less = swap.output - swap.output / 10_000 * bps;
        (swap.input, if order.fails { swap.output + missed(swap.output) + 1 } else { less })
    }
}

/// Says what happened, in the log.
fn say(
    writing: &mut Writing<'_>,
    token: &Token,
    kind: Kind,
    order: &AsideOrder,
    swap: &Swap,
    (before, held, limit): (&Vaults, u64, u64),
) {
    let Swap { buy, input, output, fee } = *swap;
    match kind {
        Kind::AmmV4 => {
            let source = if buy { input } else { held };
            let pool = [if buy { 1 } else { 2 }, source, before.base, before.quote];
            let log = if order.exact_out {
                Log::new(4).u64s([limit, output]).u64s(pool).u64s([input])
            } else {
                Log::new(3).u64s([input, limit]).u64s(pool).u64s([output])
            };
            writing.draft.say(&log.line());
        }
        Kind::Cpmm => {
            let (from, to) = before.turned(buy);
            let (source, target) = if buy { (&WRAPPED_SOL.key, &token.mint) } else { (&token.mint, &WRAPPED_SOL.key) };
            let pool = token.aside.as_ref().map(|aside| aside.key).unwrap_or_default();
            let event = Body::new(0x40c6_cde8_2608_71e2)
                .key(&pool)
                .u64s([from, to, input, output, 0, 0])
                .bool(!order.exact_out)
                .keys([source, target])
                .u64s([fee, 0])
                .bool(true);
            writing.draft.print(&event.done());
        }
    }
}

impl Seats {
    pub(super) fn of(writing: &mut Writing<'_>, token: &Token, kind: Kind) -> Self {
        let seed = writing.moment.seed;
        let (held, _) = writing.account(Purpose::TokenAccount, token.id);
        let (wrapped, _) = writing.account(Purpose::QuoteAccount, 0);
        let draft = &mut writing.draft;
        let pool = token.aside.as_ref().map(|aside| aside.key).unwrap_or_default();
        Self {
            pool: draft.writable(&pool),
            base_vault: draft.writable(&Aside::account(seed, token, 2)),
            quote_vault: draft.writable(&Aside::account(seed, token, 3)),
            authority: draft.fixed(kind.authority()),
            mint: draft.readable(&token.mint),
            quote: draft.fixed(&WRAPPED_SOL),
            held,
            wrapped,
            owner: kind.authority(),
        }
    }

    /// The accounts of a swap in the order of its instruction.
    fn swap(&self, writing: &mut Writing<'_>, token: &Token, kind: Kind, order: &AsideOrder) -> Vec<Handle> {
        let seed = writing.moment.seed;
        let user = writing.user;
        let draft = &mut writing.draft;
        let (source, target) = if order.buy { (self.wrapped, self.held) } else { (self.held, self.wrapped) };
        let program = draft.fixed(&TOKEN);
        let mut own = |number| draft.writable(&Aside::account(seed, token, number));
        match kind {
            Kind::AmmV4 if order.older => {
                let [orders, targets, market, bids, asks, queue, market_base, market_quote] =
                    [5, 6, 9, 13, 14, 12, 10, 11].map(&mut own);
                let signer = draft.readable(&Aside::account(seed, token, 15));
                let market_program = draft.fixed(&OPEN_BOOK);
                vec![
                    program,
                    self.pool,
                    self.authority,
                    orders,
                    targets,
                    self.base_vault,
                    self.quote_vault,
                    market_program,
                    market,
                    bids,
                    asks,
                    queue,
                    market_base,
                    market_quote,
                    signer,
                    source,
                    target,
                    user,
                ]
            }
            Kind::AmmV4 => {
                vec![program, self.pool, self.authority, self.base_vault, self.quote_vault, source, target, user]
            }
            Kind::Cpmm => {
                let observation = own(6);
                let [config, base_program] = [&RAYDIUM_CPMM_CONFIG, token.program()].map(|fixed| draft.fixed(fixed));
                let turned = |base, quote| if order.buy { [quote, base] } else { [base, quote] };
                let (vaults, mints) = (turned(self.base_vault, self.quote_vault), turned(self.mint, self.quote));
                let programs = turned(base_program, program);
                vec![
                    user,
                    self.authority,
                    config,
                    self.pool,
                    source,
                    target,
                    vaults[0],
                    vaults[1],
                    programs[0],
                    programs[1],
                    mints[0],
                    mints[1],
                    observation,
                ]
            }
        }
    }

    /// Moves what a swap moves.
    fn settle(&self, writing: &mut Writing<'_>, token: &Token, kind: Kind, swap: &Swap) {
        let user = writing.user;
        if swap.buy {
            self.transfer(writing, token, kind, [(self.wrapped, self.quote_vault, swap.input, true)], user);
            self.transfer(writing, token, kind, [(self.base_vault, self.held, swap.output, false)], self.authority);
            writing.draft.pay(user, self.quote_vault, swap.input);
        } else {
            self.transfer(writing, token, kind, [(self.held, self.base_vault, swap.input, false)], user);
            self.transfer(writing, token, kind, [(self.quote_vault, self.wrapped, swap.output, true)], self.authority);
            writing.draft.pay(self.quote_vault, user, swap.output);
        }
    }

    /// Transfers by this owner, each from one account to another, of SOL or of the token: AMM v4 does it unchecked.
    pub(super) fn transfer<const N: usize>(
        &self,
        writing: &mut Writing<'_>,
        token: &Token,
        kind: Kind,
        transfers: [(Handle, Handle, u64, bool); N],
        owner: Handle,
    ) {
        for (from, to, amount, of_sol) in transfers {
            if kind == Kind::AmmV4 {
                let mut data = vec![3];
                data.extend(amount.to_le_bytes());
                writing.draft.call(&TOKEN, &[from, to, owner], data, 76);
            } else {
                let (program, mint, decimals) =
                    if of_sol { (&TOKEN, self.quote, 9) } else { (token.program(), self.mint, 6) };
                writing.move_tokens(program, [from, mint, to, owner], amount, decimals);
            }
        }
    }

    /// States the balances: of a new pool nothing before.
    pub(super) fn state(
        &self,
        writing: &mut Writing<'_>,
        token: &Token,
        before: &Vaults,
        after: &Vaults,
        (held_before, held_after): (u64, u64),
    ) {
        let known = before.lp_supply > 0;
        if known {
            writing.draft.holds(self.quote_vault, before.quote + 2_039_280);
        }
        let draft = &mut writing.draft;
        let owner = self.owner.text;
        draft.token(&Balance {
            account: self.base_vault,
            mint: &token.mint_text,
            owner,
            program: token.program(),
            decimals: 6,
            before: known.then_some(before.base),
            after: Some(after.base),
        });
        draft.token(&Balance {
            account: self.quote_vault,
            mint: WRAPPED_SOL.text,
            owner,
            program: &TOKEN,
            decimals: 9,
            before: known.then_some(before.quote),
            after: Some(after.quote),
        });
        draft.token(&Balance {
            account: self.held,
            mint: &token.mint_text,
            owner: &writing.user_text,
            program: token.program(),
            decimals: 6,
            before: (held_before > 0).then_some(held_before),
            after: Some(held_after),
        });
    }
}

/// States what the provider has of the pool's own tokens.
pub(super) fn state_lp(
    writing: &mut Writing<'_>,
    (account, mint): (Handle, &solana_sdk::pubkey::Pubkey),
    (before, after): (Option<u64>, u64),
) {
    writing.draft.token(&Balance {
        account,
        mint: &mint.to_string(),
        owner: &writing.user_text,
        program: &TOKEN,
        decimals: 9,
        before,
        after: Some(after),
    });
}

/// A line of AMM v4's log.
pub(super) struct Log(Body);

impl Log {
    pub(super) fn new(kind: u8) -> Self {
        Self(Body::bare().u8(kind))
    }

    pub(super) fn u64s<const N: usize>(self, values: [u64; N]) -> Self {
        Self(self.0.u64s(values))
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        Self(self.0.bytes(bytes))
    }

    pub(super) fn line(self) -> String {
        let mut line = "ray_log: ".to_owned();
        super::draft::encode_base64(&self.0.done(), &mut line);
        line
    }
}
