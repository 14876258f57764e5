//! The opening of a token's Raydium pool, and what its provider takes back, as transactions of both programs.

use super::{
    address::{
        ASSOCIATED_TOKEN, OPEN_BOOK, Purpose, RAYDIUM_AMM_V4, RAYDIUM_CPMM, RAYDIUM_CPMM_CONFIG, RENT, SYSTEM, TOKEN,
        TOKEN_2022,
    },
    body::Body,
    draft::Place,
    parts::Writing,
    raydium::{Aside, Kind, Vaults, is_first},
    raydium_call::{Log, Seats, reserves, state_lp},
    state::{Token, WalletId, Wallets},
    truth::What,
};

/// Writes the opening of a user's own pool of a token and makes it.
pub(super) fn open(
    writing: &mut Writing<'_>,
    wallets: &mut Wallets,
    token: &mut Token,
    user: WalletId,
    (base, quote): (u64, u64),
) -> Option<Vec<(Place, What)>> {
    let seed = writing.moment.seed;
    let held_before = token.held_by(user);
    let held_after = held_before.checked_sub(base)?;
    wallets.fund(user, quote.saturating_mul(2) + 300_000_000);
    writing.draft.holds(writing.user, wallets.get(user).lamports);
    let aside = Aside::open(seed, token, user, base, quote);
    let (kind, key, lp_mint_key, vaults, lp) = (aside.kind, aside.key, aside.lp_mint, aside.pool, aside.provided);
    token.aside = Some(Box::new(aside));
    token.hold(user, held_after);
    let seats = Seats::of(writing, token, kind);
    let (user_lp, _) = writing.account(Purpose::AsideLp, token.id);
    writing.wrap(seats.wrapped, quote);
    let draft = &mut writing.draft;
    let lp_mint = draft.writable(&lp_mint_key);
    let mut own = |number| draft.writable(&Aside::account(seed, token, number));
    let [fifth, sixth, seventh, eighth, ninth] = [5, 6, 7, 8, 9].map(&mut own);
    let user_handle = writing.user;
    let [program, associated, system, rent, base_program] =
        [&TOKEN, &ASSOCIATED_TOKEN, &SYSTEM, &RENT, token.program()].map(|fixed| draft.fixed(fixed));
    let place = match kind {
        Kind::AmmV4 => {
            let market_program = draft.fixed(&OPEN_BOOK);
            let accounts = [
                program,
                associated,
                system,
                rent,
                seats.pool,
                seats.authority,
                fifth,
                lp_mint,
                seats.mint,
                seats.quote,
                seats.base_vault,
                seats.quote_vault,
                sixth,
                seventh,
                eighth,
                market_program,
                ninth,
                user_handle,
                seats.held,
                seats.wrapped,
                user_lp,
            ];
            let mut data = vec![1, 254];
            data.extend([0, quote, base].into_iter().flat_map(u64::to_le_bytes));
            let place = draft.enter(&RAYDIUM_AMM_V4, &accounts, data);
            let market = Aside::account(seed, token, 9);
            let log = Log::new(0).u64s([0]).bytes(&[9, 6]).u64s([1, 1, quote, base]).bytes(market.as_array());
            writing.draft.say(&log.line());
            place
        }
        Kind::Cpmm => {
            let config = draft.fixed(&RAYDIUM_CPMM_CONFIG);
            let first = is_first(&token.mint);
            let pair = |base, quote| if first { [base, quote] } else { [quote, base] };
            let (mints, vaults) = (pair(seats.mint, seats.quote), pair(seats.base_vault, seats.quote_vault));
            let (held, programs) = (pair(seats.held, seats.wrapped), pair(base_program, program));
            let accounts = [
                user_handle,
                config,
                seats.authority,
                seats.pool,
                mints[0],
                mints[1],
                lp_mint,
                held[0],
                held[1],
                user_lp,
                vaults[0],
                vaults[1],
                fifth,
                sixth,
                program,
                programs[0],
                programs[1],
                associated,
                system,
                rent,
            ];
            let [first_in, second_in] = if first { [base, quote] } else { [quote, base] };
            let data = Body::new(0xafaf_6d1f_0d98_9bed).u64s([first_in, second_in, 0]).done();
            let place = draft.enter(&RAYDIUM_CPMM, &accounts, data);
            draft.say("Instruction: Initialize");
            place
        }
    };
    let draft = &mut writing.draft;
    draft.holds(seats.base_vault, 0);
    draft.holds(seats.quote_vault, 0);
    draft.pay(user_handle, seats.base_vault, 2_039_280);
    draft.pay(user_handle, seats.quote_vault, 2_039_280 + quote);
    seats.transfer(
        writing,
        token,
        kind,
        [(seats.held, seats.base_vault, base, false), (seats.wrapped, seats.quote_vault, quote, true)],
        user_handle,
    );
    let mut data = vec![7];
    data.extend(lp.to_le_bytes());
    writing.draft.enter(&TOKEN, &[lp_mint, user_lp, seats.authority], data);
    writing.draft.say("Instruction: MintTo");
    writing.draft.leave(1_500);
    writing.draft.leave(180_000);
    writing.close_wrapped(seats.wrapped);
    let nothing = Vaults { base: 0, quote: 0, lp_supply: 0 };
    seats.state(writing, token, &nothing, &vaults, (held_before, held_after));
    state_lp(writing, (user_lp, &lp_mint_key), (None, lp));
    let told = What::Opened {
        venue: kind.venue(),
        mint: token.mint,
        pool: key,
        user: writing.user_key,
        base_amount: base,
        quote_amount: quote,
        lp_amount: lp,
    };
    Some(vec![(place, told)])
}

/// Writes that the provider of a pool takes so many LP tokens' worth out, and does it.
pub(super) fn withdraw(
    writing: &mut Writing<'_>,
    token: &mut Token,
    user: WalletId,
    lp: u64,
) -> Option<Vec<(Place, What)>> {
    let seed = writing.moment.seed;
    let held_before = token.held_by(user);
    let aside = token.aside.as_mut()?;
    let left = aside.provided.checked_sub(lp).filter(|_| lp > 0)?;
    let (kind, key, lp_mint_key, before, had) = (aside.kind, aside.key, aside.lp_mint, aside.pool, aside.provided);
    let (base, quote) = before.withdraw(lp);
    aside.pool = Vaults { base: before.base - base, quote: before.quote - quote, lp_supply: before.lp_supply - lp };
    aside.provided = left;
    let after = aside.pool;
    token.hold(user, held_before + base);
    let seats = Seats::of(writing, token, kind);
    let (user_lp, _) = writing.account(Purpose::AsideLp, token.id);
    writing.wrap(seats.wrapped, 0);
    writing.open_account(seats.held, writing.user, seats.mint, token.program(), held_before > 0);
    let draft = &mut writing.draft;
    let lp_mint = draft.writable(&lp_mint_key);
    let mut own = |number| draft.writable(&Aside::account(seed, token, number));
    let user_handle = writing.user;
    let place = match kind {
        Kind::AmmV4 => {
            let [orders, targets, market, market_base, market_quote, queue, bids, asks] =
                [5, 6, 9, 10, 11, 12, 13, 14].map(&mut own);
            let signer = draft.readable(&Aside::account(seed, token, 15));
            let [program, market_program] = [&TOKEN, &OPEN_BOOK].map(|fixed| draft.fixed(fixed));
            let accounts = [
                program,
                seats.pool,
                seats.authority,
                orders,
                targets,
                lp_mint,
                seats.base_vault,
                seats.quote_vault,
                market_program,
                market,
                market_base,
                market_quote,
                signer,
                user_lp,
                seats.held,
                seats.wrapped,
                user_handle,
                queue,
                bids,
                asks,
            ];
            let mut data = vec![4];
            data.extend(lp.to_le_bytes());
            let place = draft.enter(&RAYDIUM_AMM_V4, &accounts, data);
            let log = Log::new(2).u64s([lp, had, before.base, before.quote, before.lp_supply]).bytes(&[0; 32]);
            draft.say(&log.u64s([base, quote]).line());
            place
        }
        Kind::Cpmm => {
            let [program, program_2022] = [&TOKEN, &TOKEN_2022].map(|fixed| draft.fixed(fixed));
            let first = is_first(&token.mint);
            let pair = |base, quote| if first { [base, quote] } else { [quote, base] };
            let (mints, vaults) = (pair(seats.mint, seats.quote), pair(seats.base_vault, seats.quote_vault));
            let held = pair(seats.held, seats.wrapped);
            let accounts = [
                user_handle,
                seats.authority,
                seats.pool,
                user_lp,
                held[0],
                held[1],
                vaults[0],
                vaults[1],
                program,
                program_2022,
                mints[0],
                mints[1],
                lp_mint,
            ];
            let data = Body::new(0xb712_469c_946d_a122).u64s([lp, 0, 0]).done();
            let place = draft.enter(&RAYDIUM_CPMM, &accounts, data);
            draft.say("Instruction: Withdraw");
            let sorted = |base: u64, quote: u64| if first { [base, quote] } else { [quote, base] };
            let event = Body::new(0x79a3_cdc9_39da_753c)
                .key(&key)
                .u64(before.lp_supply)
                .u64s(sorted(before.base, before.quote))
                .u64s(sorted(base, quote))
                .u64s([0, 0])
                .u8(1);
            draft.print(&event.done());
            place
        }
    };
    let mut data = vec![8];
    data.extend(lp.to_le_bytes());
    writing.draft.enter(&TOKEN, &[user_lp, lp_mint, user_handle], data);
    writing.draft.say("Instruction: Burn");
    writing.draft.leave(1_500);
    writing.draft.holds(seats.quote_vault, before.quote + 2_039_280);
    writing.draft.pay(seats.quote_vault, user_handle, quote);
    seats.transfer(
        writing,
        token,
        kind,
        [(seats.base_vault, seats.held, base, false), (seats.quote_vault, seats.wrapped, quote, true)],
        seats.authority,
    );
    writing.draft.leave(62_000);
    writing.close_wrapped(seats.wrapped);
    seats.state(writing, token, &before, &after, (held_before, held_before + base));
    state_lp(writing, (user_lp, &lp_mint_key), (Some(had), left));
    let told = What::Liquidity {
        venue: kind.venue(),
        mint: token.mint,
        pool: key,
        deposit: false,
        base_amount: base,
        quote_amount: quote,
        lp_amount: lp,
        vaults_before: (before.base, before.quote),
        reserves_before: reserves(&before),
        reserves_after: reserves(&after),
    };
    Some(vec![(place, told)])
}
