//! A completed curve moves to its pool: `migrate_v2`, and in it `create_pool` and `init_boost`.

use super::{
    address::{
        ASSOCIATED_TOKEN, PUMP, PUMP_AUTHORITY, PUMP_GLOBAL, PUMP_SWAP, PUMP_SWAP_AUTHORITY, PUMP_SWAP_GLOBAL, Purpose,
        RENT, SYSTEM, TOKEN, TOKEN_2022, WITHDRAW_AUTHORITY, WRAPPED_SOL, made_key,
    },
    body::{Body, Opening, boosted, migrated},
    breed::Breed,
    curve::{MIGRATION_FEE, POOL_BASE},
    draft::Place,
    parts::Writing,
    pool_call::{reserves, vaults},
    state::{Account, Token, Wallets},
    truth::What,
};

/// Writes the migration and makes it. Where it has happened before, the program says so and does nothing.
pub(super) fn migrate(writing: &mut Writing<'_>, wallets: &Wallets, token: &mut Token) -> Vec<(Place, What)> {
    let seed = writing.moment.seed;
    let base_amount = POOL_BASE - token.beyond.0;
    let quote_amount = (token.curve.real_quote + token.beyond.1).saturating_sub(MIGRATION_FEE);
    let (mut home, initial, lp) = token.graduate(base_amount, quote_amount);
    let again = token.home.is_some();
    let user = writing.user;
    let made = |number: u64| made_key(seed, Purpose::Recipient, token.id * 8 + number);
    let draft = &mut writing.draft;
    let mut own = |account| draft.writable(&token.account(seed, account));
    let [curve_vault, curve_quote, base_vault, quote_vault] =
        [Account::CurveBase, Account::CurveQuote, Account::PoolBase, Account::PoolQuote].map(&mut own);
    let boost_vault = own(Account::BoostVault);
    let [user_lp, authority_base, authority_quote, boost_authority] =
        [1, 2, 3, 4].map(|number| (draft.writable(&made(number)), made(number)));
    let [pool, authority, lp_mint, curve] =
        [&home.key, &home.authority, &home.lp_mint, &token.curve_key].map(|key| draft.writable(key));
    let mint = draft.readable(&token.mint);
    let withdraw = draft.fixed_writable(&WITHDRAW_AUTHORITY);
    let [global, quote, system, swap, swap_global, base_program] =
        [&PUMP_GLOBAL, &WRAPPED_SOL, &SYSTEM, &PUMP_SWAP, &PUMP_SWAP_GLOBAL, token.program()]
            .map(|fixed| draft.fixed(fixed));
    let [quote_program, token_2022, associated, swap_authority, rent, event_authority, program] =
        [&TOKEN, &TOKEN_2022, &ASSOCIATED_TOKEN, &PUMP_SWAP_AUTHORITY, &RENT, &PUMP_AUTHORITY, &PUMP]
            .map(|fixed| draft.fixed(fixed));
    let accounts = [
        global,
        withdraw,
        mint,
        quote,
        curve,
        curve_vault,
        curve_quote,
        user,
        system,
        swap,
        pool,
        authority,
        authority_base.0,
        authority_quote.0,
        swap_global,
        lp_mint,
        user_lp.0,
        base_vault,
        quote_vault,
        base_program,
        quote_program,
        token_2022,
        associated,
        swap_authority,
        rent,
        event_authority,
        program,
        boost_authority.0,
        boost_vault,
    ];
    let place = draft.enter(&PUMP, &accounts, Body::new(0xbbcb_121f_ceed_fe29).done());
    draft.say("Instruction: MigrateV2");
    if again {
        draft.say("Bonding curve already migrated");
        draft.leave(62_475);
        return Vec::new();
    }
    draft.holds(curve, token.curve.real_quote + token.beyond.1 + token.creator_fees + 1_493_520);
    draft.pay(curve, withdraw, MIGRATION_FEE);
    draft.pay(curve, quote_vault, quote_amount);
    draft.holds(quote_vault, 0);
    writing.open_account(base_vault, pool, mint, token.program(), false);
    writing.open_account(quote_vault, pool, quote, &TOKEN, false);
    writing.move_tokens(token.program(), [curve_vault, mint, authority_base.0, curve], base_amount, 6);
    let time = writing.moment.time;
    let opening = Opening {
        creator: &home.authority,
        mint: &token.mint,
        pool: &home.key,
        lp_mint: &home.lp_mint,
        base_account: &authority_base.1,
        quote_account: &authority_quote.1,
        coin_creator: &wallets.get(token.creator).key,
        base: base_amount,
        quote: quote_amount,
        initial,
        lp,
        breed: token.breed,
    };
    let accounts = [
        pool,
        swap_global,
        authority,
        mint,
        quote,
        lp_mint,
        authority_base.0,
        authority_quote.0,
        user_lp.0,
        base_vault,
        quote_vault,
        system,
        token_2022,
        base_program,
        quote_program,
        associated,
        swap_authority,
        swap,
    ];
    let data = Body::new(0xe992_d18e_cf68_40bc)
        .u16(0)
        .u64s([base_amount, quote_amount])
        .key(opening.coin_creator)
        .bool(token.breed == Breed::Mayhem)
        .bool(token.breed == Breed::Cashback)
        .u64(0)
        .bool(false)
        .bool(token.breed == Breed::HolderRewards);
    let creation = writing.draft.enter(&PUMP_SWAP, &accounts, data.done());
    writing.draft.say("Instruction: CreatePool");
    writing.move_tokens(token.program(), [authority_base.0, mint, base_vault, authority], base_amount, 6);
    writing.move_tokens(&TOKEN, [authority_quote.0, quote, quote_vault, authority], quote_amount, 9);
    writing.draft.emit(&PUMP_SWAP, &PUMP_SWAP_AUTHORITY, &opening.event(time));
    writing.draft.leave(91_000);
    let accounts = [
        pool,
        swap_global,
        authority,
        mint,
        quote,
        base_vault,
        quote_vault,
        boost_authority.0,
        boost_vault,
        quote_program,
        system,
        associated,
        swap_authority,
        swap,
    ];
    let boost = writing.draft.enter(&PUMP_SWAP, &accounts, Body::new(0x8ce9_215e_845a_c28f).done());
    writing.draft.say("Instruction: InitBoost");
    let virtual_quote = home.pool.boost();
    home.boost = virtual_quote;
    writing.move_tokens(&TOKEN, [quote_vault, quote, boost_vault, pool], virtual_quote, 9);
    writing.draft.pay(quote_vault, boost_vault, virtual_quote);
    let event = boosted(&token.mint, &token.curve_key, &home.key, &home.pool, time);
    writing.draft.emit(&PUMP_SWAP, &PUMP_SWAP_AUTHORITY, &event);
    writing.draft.leave(24_000);
    let parties = [&writing.user_key, &token.mint, &token.curve_key, &home.key];
    writing.draft.emit(&PUMP, &PUMP_AUTHORITY, &migrated(parties, base_amount, quote_amount, time));
    writing.draft.leave(38_000);
    vaults(writing, token, &home, (base_vault, quote_vault), None);
    let what = What::Migrated {
        mint: token.mint,
        curve: token.curve_key,
        pool: home.key,
        base_amount,
        quote_amount,
        lp_amount: lp,
        opener: home.authority,
        creation,
        boost,
        virtual_quote,
        reserves: reserves(&home.pool),
    };
    token.home = Some(Box::new(home));
    vec![(place, what)]
}
