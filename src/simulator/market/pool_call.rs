//! Trades in a `PumpSwap` pool as transactions: every instruction of the family, with the accounts, calls and logs of
//! mainnet.

use super::{
    address::{
        ASSOCIATED_TOKEN, BUYBACK_RECIPIENTS, FEE_RECIPIENTS, PUMP_FEES, PUMP_SWAP, PUMP_SWAP_AUTHORITY,
        PUMP_SWAP_FEE_CONFIG, PUMP_SWAP_GLOBAL, PUMP_VOLUME, Purpose, SYSTEM, TOKEN, WRAPPED_SOL, made_key, one_of,
    },
    body::{Body, PoolTrade},
    curve::BUYBACK_BPS,
    draft::{Balance, Handle, Place},
    parts::{Bound, Writing},
    pool::{Pool, PoolFill},
    state::{Account, Home, RECIPIENTS, Token, WalletId, Wallets},
    truth::{Reserves, Trade, Venue, What},
};

/// One instruction.
#[derive(Debug)]
pub(super) struct PoolCall {
    discriminator: u64,
    name: &'static str,
    logged: &'static str,
    buy: bool,
    /// Says what to spend, not what to get.
    exact_in: bool,
    /// The newer kind: fewer accounts, and the fees stay in the pool.
    v2: bool,
}

/// Buys, and how often each comes in a hundred.
pub(super) static BUYS: [(u8, PoolCall); 4] = [
    (
        28,
        PoolCall {
            discriminator: 0x6606_3d12_01da_ebea,
            name: "buy",
            logged: "Instruction: Buy",
            buy: true,
            exact_in: false,
            v2: false,
        },
    ),
    (
        26,
        PoolCall {
            discriminator: 0xc62e_1552_b4d9_e870,
            name: "buy_exact_quote_in",
            logged: "Instruction: BuyExactQuoteIn",
            buy: true,
            exact_in: true,
            v2: false,
        },
    ),
    (
        18,
        PoolCall {
            discriminator: 0xb817_ee61_67c5_d33d,
            name: "buy_v2",
            logged: "Instruction: BuyV2",
            buy: true,
            exact_in: false,
            v2: true,
        },
    ),
    (
        28,
        PoolCall {
            discriminator: 0xc2ab_1c46_684d_5b2f,
            name: "buy_exact_quote_in_v2",
            logged: "Instruction: BuyExactQuoteInV2",
            buy: true,
            exact_in: true,
            v2: true,
        },
    ),
];

/// Sells, and how often each comes in a hundred.
pub(super) static SELLS: [(u8, PoolCall); 2] = [
    (
        55,
        PoolCall {
            discriminator: 0x33e6_85a4_017f_83ad,
            name: "sell",
            logged: "Instruction: Sell",
            buy: false,
            exact_in: true,
            v2: false,
        },
    ),
    (
        45,
        PoolCall {
            discriminator: 0x5df6_823c_e7e9_40b2,
            name: "sell_v2",
            logged: "Instruction: SellV2",
            buy: false,
            exact_in: true,
            v2: true,
        },
    ),
];

/// The call of this side and kind, of generation 1 or 2.
pub(super) fn find(buy: bool, exact_in: bool, generation: u8) -> Option<&'static PoolCall> {
    let calls = if buy { &BUYS[..] } else { &SELLS[..] };
    calls.iter().map(|(_, call)| call).find(|call| call.v2 == (generation > 1) && call.exact_in == exact_in)
}

/// A trade to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolOrder {
    pub(super) call: &'static PoolCall,
    /// Lamports to spend or tokens to sell; tokens to get where a buy that says what to get gives its bound.
    pub(super) amount: u64,
    pub(super) bound: Bound,
    /// The price has moved beyond the user's limit.
    pub(super) fails: bool,
}

struct Accounts {
    pool: Handle,
    held: Handle,
    wrapped: Handle,
    base_vault: Handle,
    quote_vault: Handle,
    recipient_quote: Handle,
    creator_quote: Handle,
    buyback_quote: Handle,
    mint: Handle,
    quote: Handle,
    fee_config: Handle,
    program: Handle,
}

/// Writes a trade and, unless it fails, makes it. `None` where the pool cannot fill it.
pub(super) fn trade(
    writing: &mut Writing<'_>,
    wallets: &mut Wallets,
    token: &mut Token,
    user: WalletId,
    order: &PoolOrder,
) -> Option<Vec<(Place, What)>> {
    let call = order.call;
    let before = token.home.as_ref()?.pool;
    let buyback_bps = token.breed.buyback_bps(BUYBACK_BPS);
    let fill = fill_of(&before, order)?.buying_back(buyback_bps);
    let gross = fill.gross();
    let exact_out = call.buy && !call.exact_in;
    let outcome = if exact_out {
        gross
    } else if call.buy {
        fill.base
    } else {
        fill.net()
    };
    let fails = order.fails || order.bound.is_broken_by(outcome, exact_out);
    if call.buy {
        wallets.fund(user, gross.saturating_mul(2) + 20_000_000);
        writing.draft.holds(writing.user, wallets.get(user).lamports);
    }
    let (first, limit) = arguments(call, order, &fill);
    let held_before = token.held_by(user);
    let accounts = accounts(writing, token);
    let wrapped = if call.buy { gross } else { 0 };
    writing.wrap(accounts.wrapped, wrapped);
    if call.buy {
        writing.open_account(accounts.held, writing.user, accounts.mint, token.program(), held_before > 0);
    }
    let listed = list(writing, token, call, &accounts);
    writing.enter_router(first, limit, &listed);
    let data = Body::new(call.discriminator).u64s([first, limit]);
    let data = if call.v2 || !call.buy { data } else { data.bool(false) };
    let place = writing.draft.enter(&PUMP_SWAP, &listed, data.done());
    writing.draft.say(call.logged);
    let rates = fill.rates;
    if !call.v2 {
        writing.ask_fees(accounts.fee_config, accounts.program, fill.quote, [rates.lp, rates.protocol, rates.creator]);
    }
    if fails {
        state(writing, token, &accounts, (held_before, held_before), &before);
        writing.draft.fail(if call.exact_in && call.buy { 6_040 } else { 6_004 }, 41_000);
        return Some(Vec::new());
    }
    settle(writing, token, call, &accounts, &fill);
    state_fees(writing, wallets, token, call, (&accounts, &fill));
    let creator_key = wallets.get(token.creator).key;
    let home = token.home.as_mut()?;
    let held_after = if call.buy {
        home.pool.bought(&fill, call.v2);
        held_before + fill.base
    } else {
        home.pool.sold(&fill, call.v2);
        held_before.saturating_sub(fill.base)
    };
    let after = home.pool;
    let home_key = home.key;
    token.hold(user, held_after);
    let recipient_account = recipient_account(place_of(token));
    let event = PoolTrade {
        pool: &home_key,
        user: &writing.user_key,
        base_account: &writing.account_key(Purpose::TokenAccount, token.id),
        quote_account: &writing.account_key(Purpose::QuoteAccount, 0),
        creator: &creator_key,
        fill: &fill,
        before: &before,
        had: (held_before, wrapped),
        recipient: (!call.v2).then_some((one_of(&FEE_RECIPIENTS, token.id), &recipient_account)),
        limit,
        buyback_bps,
        share: token.breed.share(),
    };
    let time = writing.moment.time;
    let event = if call.buy {
        event.bought(time, call.name, call.exact_in, after.creator_fees)
    } else {
        event.sold(time, after.creator_fees)
    };
    writing.draft.emit(&PUMP_SWAP, &PUMP_SWAP_AUTHORITY, &event);
    writing.draft.leave(56_000);
    writing.leave_router(fill.base, fill.quote);
    writing.close_wrapped(accounts.wrapped);
    state(writing, token, &accounts, (held_before, held_after), &before);
    let told = Trade {
        venue: Venue::PumpSwap,
        instruction: call.name,
        pool: home_key,
        mint: token.mint,
        user: writing.user_key,
        buy: call.buy,
        base_amount: fill.base,
        quote_amount: fill.quote,
        lp_fee: (fill.lp, rates.lp),
        protocol_fee: (fill.protocol, rates.protocol),
        creator_fee: (fill.creator, rates.creator),
        share: token.breed.share(),
        buyback_fee: (fill.buyback, buyback_bps),
        reserves_before: reserves(&before),
        reserves_after: reserves(&after),
        curve_after: None,
        limit,
        router: writing.router_name(),
    };
    Some(vec![(place, What::Trade(Box::new(told)))])
}

/// The reserves that prices are made of.
pub(super) fn reserves(pool: &Pool) -> Reserves {
    Reserves { base: pool.base, quote: u64::try_from(pool.effective()).unwrap_or(u64::MAX) }
}

fn fill_of(pool: &Pool, order: &PoolOrder) -> Option<PoolFill> {
    let PoolOrder { call, amount, bound, .. } = *order;
    match (call.buy, call.exact_in, bound) {
        (false, ..) => pool.sell(amount),
        (true, true, _) => Some(pool.buy_quote(amount)),
        (true, false, Bound::Given(_)) => pool.buy_base(amount),
        // Who says what to get works it out from what to spend.
        (true, false, Bound::Slippage(_)) => pool.buy_base(pool.buy_quote(amount).base),
    }
}

/// The two arguments: what is asked for, and the bound.
fn arguments(call: &PoolCall, order: &PoolOrder, fill: &PoolFill) -> (u64, u64) {
    let bps = match order.bound {
        Bound::Slippage(bps) => bps,
        Bound::Given(limit) => return (order.amount, limit),
    };
    let less = |amount: u64| amount - amount / 10_000 * bps.min(10_000);
    let more = |amount: u64| amount + amount / 10_000 * bps;
    match (call.buy, call.exact_in) {
        (true, false) => (fill.base, if order.fails { fill.gross() - fill.gross() / 50 } else { more(fill.gross()) }),
        (true, true) => (order.amount, if order.fails { fill.base + fill.base / 50 } else { less(fill.base) }),
        (false, _) => (fill.base, if order.fails { fill.net() + fill.net() / 50 } else { less(fill.net()) }),
    }
}

fn place_of(token: &Token) -> usize {
    usize::try_from(token.id % FEE_RECIPIENTS.len() as u64).unwrap_or(0)
}

/// A fee recipient's account of wrapped SOL.
fn recipient_account(place: usize) -> solana_sdk::pubkey::Pubkey {
    made_key(0, Purpose::QuoteAccount, place as u64)
}

fn accounts(writing: &mut Writing<'_>, token: &Token) -> Accounts {
    let seed = writing.moment.seed;
    let (held, _) = writing.account(Purpose::TokenAccount, token.id);
    let (wrapped, _) = writing.account(Purpose::QuoteAccount, 0);
    let draft = &mut writing.draft;
    let pool = token.home.as_ref().map(|home| home.key).unwrap_or_default();
    let mut own = |account| draft.writable(&token.account(seed, account));
    let (base_vault, quote_vault, creator_quote) =
        (own(Account::PoolBase), own(Account::PoolQuote), own(Account::CreatorVault));
    Accounts {
        pool: draft.writable(&pool),
        held,
        wrapped,
        base_vault,
        quote_vault,
        recipient_quote: draft.writable(&recipient_account(place_of(token))),
        creator_quote,
        buyback_quote: draft.writable(&recipient_account(place_of(token) + FEE_RECIPIENTS.len())),
        mint: draft.readable(&token.mint),
        quote: draft.fixed(&WRAPPED_SOL),
        fee_config: draft.fixed(&PUMP_SWAP_FEE_CONFIG),
        program: draft.fixed(&PUMP_SWAP),
    }
}

/// The accounts in the order of the instruction.
fn list(writing: &mut Writing<'_>, token: &Token, call: &PoolCall, accounts: &Accounts) -> Vec<Handle> {
    let seed = writing.moment.seed;
    let user = writing.user;
    let (volume, _) = writing.account(Purpose::VolumeAccount, 2);
    let draft = &mut writing.draft;
    let base_program = draft.fixed(token.program());
    let [global, system, authority, quote_program] =
        [&PUMP_SWAP_GLOBAL, &SYSTEM, &PUMP_SWAP_AUTHORITY, &TOKEN].map(|fixed| draft.fixed(fixed));
    let mut list = vec![
        accounts.pool,
        user,
        global,
        accounts.mint,
        accounts.quote,
        accounts.held,
        accounts.wrapped,
        accounts.base_vault,
        accounts.quote_vault,
    ];
    if call.v2 {
        list.extend([
            base_program,
            quote_program,
            system,
            volume,
            accounts.fee_config,
            accounts.buyback_quote,
            authority,
            accounts.program,
        ]);
        return list;
    }
    let [associated, fees] = [&ASSOCIATED_TOKEN, &PUMP_FEES].map(|fixed| draft.fixed(fixed));
    let recipient = draft.fixed(one_of(&FEE_RECIPIENTS, token.id));
    let vault_authority = draft.readable(&made_key(seed, Purpose::Recipient, u64::from(token.creator)));
    list.extend([
        recipient,
        accounts.recipient_quote,
        base_program,
        quote_program,
        system,
        associated,
        authority,
        accounts.program,
        accounts.creator_quote,
        vault_authority,
    ]);
    if call.buy {
        let all_volume = draft.fixed(&PUMP_VOLUME);
        list.extend([all_volume, volume]);
    }
    let pool_v2 = draft.readable(&token.account(seed, Account::CurveV2));
    let buyback = draft.fixed(one_of(&BUYBACK_RECIPIENTS, token.id));
    list.extend([accounts.fee_config, fees, pool_v2, buyback, accounts.buyback_quote]);
    list
}

/// Moves tokens and wrapped SOL.
fn settle(writing: &mut Writing<'_>, token: &Token, call: &PoolCall, accounts: &Accounts, fill: &PoolFill) {
    let Accounts { pool, held, wrapped, base_vault, quote_vault, mint, quote, .. } = *accounts;
    let user = writing.user;
    let kept = if call.v2 { fill.protocol - fill.buyback + fill.creator } else { 0 };
    let mut paid_out = vec![(accounts.buyback_quote, fill.buyback)];
    if !call.v2 {
        paid_out.push((accounts.recipient_quote, fill.protocol - fill.buyback));
        paid_out.push((accounts.creator_quote, fill.creator));
    }
    let source = if call.buy { (wrapped, user) } else { (quote_vault, pool) };
    if call.buy {
        writing.move_tokens(token.program(), [base_vault, mint, held, pool], fill.base, 6);
        let to_pool = fill.quote + fill.lp + kept;
        writing.move_tokens(&TOKEN, [wrapped, quote, quote_vault, user], to_pool, 9);
        writing.draft.pay(user, quote_vault, to_pool);
    } else {
        writing.move_tokens(token.program(), [held, mint, base_vault, user], fill.base, 6);
        writing.move_tokens(&TOKEN, [quote_vault, quote, wrapped, pool], fill.net(), 9);
        writing.draft.pay(quote_vault, user, fill.net());
    }
    let payer = if call.buy { user } else { quote_vault };
    for (to, amount) in paid_out {
        writing.move_tokens(&TOKEN, [source.0, quote, to, source.1], amount, 9);
        writing.draft.pay(payer, to, amount);
    }
}

/// States what the recipients of the fees had and have.
fn state_fees(
    writing: &mut Writing<'_>,
    wallets: &mut Wallets,
    token: &mut Token,
    call: &PoolCall,
    (accounts, fill): (&Accounts, &PoolFill),
) {
    let place = place_of(token);
    let (creator, Some(home)) = (wallets.get(token.creator).text.clone(), token.home.as_mut()) else { return };
    let buyback = wallets.collect(place + RECIPIENTS, fill.buyback);
    let mut stated = vec![(accounts.buyback_quote, one_of(&BUYBACK_RECIPIENTS, token.id).text, buyback)];
    if !call.v2 {
        let paid = home.creator_paid;
        home.creator_paid += fill.creator;
        stated.push((accounts.creator_quote, creator.as_str(), (paid, paid + fill.creator)));
        let protocol = wallets.collect(place, fill.protocol - fill.buyback);
        stated.push((accounts.recipient_quote, one_of(&FEE_RECIPIENTS, token.id).text, protocol));
    }
    for (account, owner, (before, after)) in stated {
        writing.draft.holds(account, before + 2_039_280);
        writing.draft.token(&Balance {
            account,
            mint: WRAPPED_SOL.text,
            owner,
            program: &TOKEN,
            decimals: 9,
            before: Some(before),
            after: Some(after),
        });
    }
}

/// States the balances. The user's wrapped SOL lives and dies within the transaction.
fn state(
    writing: &mut Writing<'_>,
    token: &Token,
    accounts: &Accounts,
    (held_before, held_after): (u64, u64),
    before: &Pool,
) {
    let Some(home) = token.home.as_ref() else { return };
    writing.draft.holds(accounts.quote_vault, before.quote + 2_039_280);
    vaults(writing, token, home, (accounts.base_vault, accounts.quote_vault), Some(before));
    writing.draft.token(&Balance {
        account: accounts.held,
        mint: &token.mint_text,
        owner: &writing.user_text,
        program: token.program(),
        decimals: 6,
        before: (held_before > 0).then_some(held_before),
        after: Some(held_after),
    });
}

/// States the balances of a pool's vaults.
pub(super) fn vaults(
    writing: &mut Writing<'_>,
    token: &Token,
    home: &Home,
    (base, quote): (Handle, Handle),
    before: Option<&Pool>,
) {
    writing.draft.token(&Balance {
        account: base,
        mint: &token.mint_text,
        owner: &home.text,
        program: token.program(),
        decimals: 6,
        before: before.map(|pool| pool.base),
        after: Some(home.pool.base),
    });
    writing.draft.token(&Balance {
        account: quote,
        mint: WRAPPED_SOL.text,
        owner: &home.text,
        program: &TOKEN,
        decimals: 9,
        before: before.map(|pool| pool.quote),
        after: Some(home.pool.quote),
    });
}
