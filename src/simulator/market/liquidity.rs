//! Deposits to and withdrawals from a pool.

use super::{
    address::{PUMP_SWAP, PUMP_SWAP_AUTHORITY, PUMP_SWAP_GLOBAL, Purpose, TOKEN, TOKEN_2022, WRAPPED_SOL},
    body::{Body, LiquidityMove},
    draft::{Balance, Place},
    parts::Writing,
    pool_call::{reserves, vaults},
    state::{Account, Token, WalletId, Wallets},
    truth::{Venue, What},
};

/// LP tokens put in for or taken out of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiquidityOrder {
    pub(super) deposit: bool,
    pub(super) lp: u64,
}

/// Writes the change and makes it. `None` where it cannot be made.
pub(super) fn change(
    writing: &mut Writing<'_>,
    wallets: &mut Wallets,
    token: &mut Token,
    user: WalletId,
    order: LiquidityOrder,
) -> Option<Vec<(Place, What)>> {
    let seed = writing.moment.seed;
    let LiquidityOrder { deposit, lp } = order;
    let held_before = token.held_by(user);
    let home = token.home.as_mut()?;
    let before = home.pool;
    let provider = home.providers.iter().position(|(provider, _)| *provider == user);
    let provided = provider.and_then(|place| home.providers.get(place)).map_or(0, |(_, lp)| *lp);
    let (base, quote) = if deposit { before.deposit(lp) } else { before.withdraw(lp) };
    if lp == 0 || (deposit && base > held_before) || (!deposit && lp > provided) {
        return None;
    }
    let (provided_after, held_after);
    if deposit {
        home.pool.base += base;
        home.pool.quote += quote;
        home.pool.lp_supply += lp;
        (provided_after, held_after) = (provided + lp, held_before - base);
        wallets.fund(user, quote.saturating_mul(2) + 20_000_000);
        writing.draft.holds(writing.user, wallets.get(user).lamports);
    } else {
        home.pool.base -= base;
        home.pool.quote -= quote;
        home.pool.lp_supply -= lp;
        (provided_after, held_after) = (provided - lp, held_before + base);
    }
    match provider {
        Some(place) if provided_after == 0 => drop(home.providers.swap_remove(place)),
        Some(place) => home.providers.iter_mut().skip(place).take(1).for_each(|provider| provider.1 = provided_after),
        None => home.providers.push((user, provided_after)),
    }
    let (pool_key, lp_mint_key, after) = (home.key, home.lp_mint, home.pool);
    token.hold(user, held_after);
    let (held, held_key) = writing.account(Purpose::TokenAccount, token.id);
    let (wrapped, wrapped_key) = writing.account(Purpose::QuoteAccount, 0);
    let (lp_account, lp_key) = writing.account(Purpose::PoolAccount, token.id);
    writing.wrap(wrapped, if deposit { quote } else { 0 });
    let draft = &mut writing.draft;
    let [pool, lp_mint] = [&pool_key, &lp_mint_key].map(|key| draft.writable(key));
    let [base_vault, quote_vault] =
        [Account::PoolBase, Account::PoolQuote].map(|account| draft.writable(&token.account(seed, account)));
    draft.holds(quote_vault, before.quote + 2_039_280);
    let mint = draft.readable(&token.mint);
    let [global, quote_mint, program, program_2022, authority, swap] =
        [&PUMP_SWAP_GLOBAL, &WRAPPED_SOL, &TOKEN, &TOKEN_2022, &PUMP_SWAP_AUTHORITY, &PUMP_SWAP]
            .map(|fixed| draft.fixed(fixed));
    let user_handle = writing.user;
    if deposit {
        writing.open_account(lp_account, user_handle, lp_mint, &TOKEN_2022, provided > 0);
    } else {
        writing.open_account(held, user_handle, mint, token.program(), held_before > 0);
    }
    let slack = |amount: u64| if deposit { amount + amount / 100 } else { amount - amount / 100 };
    let limits = (slack(base), slack(quote));
    let discriminator = if deposit { 0xf223_c689_52e1_f2b6 } else { 0xb712_469c_946d_a122 };
    let accounts = [
        pool,
        global,
        user_handle,
        mint,
        quote_mint,
        lp_mint,
        held,
        wrapped,
        lp_account,
        base_vault,
        quote_vault,
        program,
        program_2022,
        authority,
        swap,
    ];
    let data = Body::new(discriminator).u64s([lp, limits.0, limits.1]).done();
    let place = writing.draft.enter(&PUMP_SWAP, &accounts, data);
    writing.draft.say(if deposit { "Instruction: Deposit" } else { "Instruction: Withdraw" });
    if deposit {
        writing.move_tokens(token.program(), [held, mint, base_vault, user_handle], base, 6);
        writing.move_tokens(&TOKEN, [wrapped, quote_mint, quote_vault, user_handle], quote, 9);
        writing.draft.pay(user_handle, quote_vault, quote);
    } else {
        writing.move_tokens(token.program(), [base_vault, mint, held, pool], base, 6);
        writing.move_tokens(&TOKEN, [quote_vault, quote_mint, wrapped, pool], quote, 9);
        writing.draft.pay(quote_vault, user_handle, quote);
    }
    let mut data = vec![if deposit { 7 } else { 8 }];
    data.extend(lp.to_le_bytes());
    writing.draft.enter(&TOKEN_2022, &[lp_mint, lp_account, if deposit { pool } else { user_handle }], data);
    writing.draft.say(if deposit { "Instruction: MintTo" } else { "Instruction: Burn" });
    writing.draft.leave(1_714);
    let event = LiquidityMove {
        pool: &pool_key,
        user: &writing.user_key,
        accounts: [&held_key, &wrapped_key, &lp_key],
        lp,
        limits,
        had: (held_before, if deposit { quote } else { 0 }),
        before: &before,
        amounts: (base, quote),
    };
    writing.draft.emit(&PUMP_SWAP, &PUMP_SWAP_AUTHORITY, &event.event(deposit, writing.moment.time));
    writing.draft.leave(47_000);
    writing.close_wrapped(wrapped);
    let home = token.home.as_ref()?;
    vaults(writing, token, home, (base_vault, quote_vault), Some(&before));
    for (account, owner_mint, balance_before, balance_after) in [
        (held, token.mint_text.clone(), held_before, held_after),
        (lp_account, lp_mint_key.to_string(), provided, provided_after),
    ] {
        let decimals = if account == held { 6 } else { 9 };
        writing.draft.token(&Balance {
            account,
            mint: &owner_mint,
            owner: &writing.user_text,
            program: if account == held { token.program() } else { &TOKEN_2022 },
            decimals,
            before: (balance_before > 0).then_some(balance_before),
            after: Some(balance_after),
        });
    }
    let what = What::Liquidity {
        venue: Venue::PumpSwap,
        mint: token.mint,
        pool: pool_key,
        deposit,
        base_amount: base,
        quote_amount: quote,
        lp_amount: lp,
        vaults_before: (before.base, before.quote),
        reserves_before: reserves(&before),
        reserves_after: reserves(&after),
    };
    Some(vec![(place, what)])
}
