//! The protocol buys a token back with what its migration set aside, and burns it.

use solana_sdk::pubkey::Pubkey;

use super::{
    address::{PUMP_SWAP, PUMP_SWAP_AUTHORITY, PUMP_SWAP_GLOBAL, Purpose, TOKEN, WRAPPED_SOL, made_key},
    body::{Body, PoolTrade, burned},
    draft::{Balance, Place},
    parts::Writing,
    pool_call::{reserves, vaults},
    state::{Account, Token},
    truth::{Share, Trade, Venue, What},
};

const NAME: &str = "boost_buy_and_burn";
/// Share of its slippage that it accepts: a twentieth.
const SLACK: u64 = 20;

/// Writes the purchase and makes it. `None` where nothing is left to spend.
pub(super) fn burn(writing: &mut Writing<'_>, token: &mut Token, spend: u64) -> Option<Vec<(Place, What)>> {
    let seed = writing.moment.seed;
    let program = token.program();
    let home = token.home.as_mut()?;
    let before = home.pool;
    let (vault_before, fill) = (home.boost, before.buy_free(spend));
    if fill.base == 0 || fill.quote > vault_before {
        return None;
    }
    home.boost -= fill.quote;
    home.pool.burned(&fill);
    let (after, pool_key, boost_left) = (home.pool, home.key, home.boost);
    let limit = fill.base - fill.base / SLACK;
    let boost_key = made_key(seed, Purpose::Recipient, token.id * 8 + 4);
    let vault_key = token.account(seed, Account::BoostVault);
    let draft = &mut writing.draft;
    let [pool, base_vault, quote_vault, vault] =
        [&pool_key, &token.account(seed, Account::PoolBase), &token.account(seed, Account::PoolQuote), &vault_key]
            .map(|key| draft.writable(key));
    let mint = draft.writable(&token.mint);
    let boost = draft.readable(&boost_key);
    let [global, quote, quote_program, authority, swap, base_program] =
        [&PUMP_SWAP_GLOBAL, &WRAPPED_SOL, &TOKEN, &PUMP_SWAP_AUTHORITY, &PUMP_SWAP, program]
            .map(|fixed| draft.fixed(fixed));
    draft.holds(quote_vault, before.quote + 2_039_280);
    draft.holds(vault, vault_before + 2_039_280);
    let accounts = [
        pool,
        writing.user,
        global,
        mint,
        quote,
        base_vault,
        quote_vault,
        boost,
        vault,
        base_program,
        quote_program,
        authority,
        swap,
    ];
    let data = Body::new(0x6944_06af_0007_23a2).u64s([spend, limit]).done();
    let place = writing.draft.enter(&PUMP_SWAP, &accounts, data);
    writing.draft.say("Instruction: BoostBuyAndBurn");
    writing.move_tokens(&TOKEN, [vault, quote, quote_vault, boost], fill.quote, 9);
    writing.draft.pay(vault, quote_vault, fill.quote);
    let mut data = vec![8];
    data.extend(fill.base.to_le_bytes());
    writing.draft.enter(program, &[base_vault, mint, pool], data);
    writing.draft.say("Instruction: Burn");
    writing.draft.leave(1_944);
    let time = writing.moment.time;
    let nobody = Pubkey::default();
    let event = PoolTrade {
        pool: &pool_key,
        user: &boost_key,
        base_account: &nobody,
        quote_account: &vault_key,
        creator: &nobody,
        fill: &fill,
        before: &before,
        had: (0, vault_before),
        recipient: None,
        limit,
        buyback_bps: 0,
        share: Share::Creator,
    };
    let event = event.bought(time, "buy_exact_quote_in", true, before.creator_fees);
    writing.draft.emit(&PUMP_SWAP, &PUMP_SWAP_AUTHORITY, &event);
    let parties = [&token.mint, &token.curve_key, &pool_key, &writing.user_key];
    let event = burned(parties, &fill, &after, boost_left, time);
    writing.draft.emit(&PUMP_SWAP, &PUMP_SWAP_AUTHORITY, &event);
    writing.draft.leave(39_600);
    let home = token.home.as_ref()?;
    vaults(writing, token, home, (base_vault, quote_vault), Some(&before));
    writing.draft.token(&Balance {
        account: vault,
        mint: WRAPPED_SOL.text,
        owner: &boost_key.to_string(),
        program: &TOKEN,
        decimals: 9,
        before: Some(vault_before),
        after: Some(boost_left),
    });
    let told = Trade {
        venue: Venue::PumpSwap,
        instruction: NAME,
        pool: pool_key,
        mint: token.mint,
        user: boost_key,
        buy: true,
        base_amount: fill.base,
        quote_amount: fill.quote,
        lp_fee: (0, 0),
        protocol_fee: (0, 0),
        creator_fee: (0, 0),
        share: Share::Creator,
        buyback_fee: (0, 0),
        reserves_before: reserves(&before),
        reserves_after: reserves(&after),
        curve_after: None,
        limit,
        router: None,
    };
    Some(vec![(place, What::Trade(Box::new(told)))])
}
