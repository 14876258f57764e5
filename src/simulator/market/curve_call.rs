//! Trades on a curve as transactions: every instruction of the family, with the accounts, calls and logs of mainnet.

use super::{
    address::{
        ASSOCIATED_TOKEN, BUYBACK_RECIPIENTS, FEE_RECIPIENTS, PUMP, PUMP_AUTHORITY, PUMP_FEE_CONFIG, PUMP_FEES,
        PUMP_GLOBAL, PUMP_VOLUME, Purpose, SYSTEM, TOKEN, WRAPPED_SOL, one_of,
    },
    body::{Body, CurveTrade, bought_beyond, completed},
    breed::Breed,
    curve::{BUYBACK_BPS, CREATOR_BPS, Curve, CurveFill, POOL_BASE, PROTOCOL_BPS},
    curve_instructions::{CurveCall, Family},
    draft::{Balance, Handle, Place},
    parts::{Bound, Writing},
    state::{Account, Token, WalletId, Wallets},
    truth::{Reserves, Trade, Venue, What},
};

/// Fewer lamports are not worth a purchase beyond the curve.
const LEAST_BEYOND: u64 = 1_000_000;

/// Why a trade fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The price moved beyond the user's limit.
    Slippage,
    /// The curve is complete.
    Complete,
}

/// A trade to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct CurveOrder {
    pub(super) call: &'static CurveCall,
    /// Lamports to spend or tokens to sell; tokens to get where a buy that says what to get gives its bound.
    pub(super) amount: u64,
    pub(super) bound: Bound,
    pub(super) failure: Option<Failure>,
}

/// The accounts of a call by their roles.
struct Accounts {
    curve: Handle,
    vault: Handle,
    held: Handle,
    creator_vault: Handle,
    recipient: Handle,
    buyback: Handle,
    fee_config: Handle,
    program: Handle,
    mint: Handle,
}

/// Writes a trade and, unless it fails, makes it. `fresh` says that the transaction launched the token as well.
pub(super) fn trade(
    writing: &mut Writing<'_>,
    wallets: &mut Wallets,
    token: &mut Token,
    user: WalletId,
    order: &CurveOrder,
    fresh: bool,
) -> Vec<(Place, What)> {
    let call = order.call;
    let before = token.curve;
    let buyback_bps = token.breed.buyback_bps(BUYBACK_BPS);
    let fill = fill_of(&before, order).buying_back(buyback_bps);
    let failure = order.failure.or_else(|| {
        let exact_out = call.buy && !call.exact_in;
        let outcome = if exact_out {
            fill.gross()
        } else if call.buy {
            fill.base
        } else {
            fill.net()
        };
        order.bound.is_broken_by(outcome, exact_out).then_some(Failure::Slippage)
    });
    if call.buy {
        // What is bought is paid for besides the account's rent and the fees of the transaction.
        wallets.fund(user, order.amount.max(fill.gross()).saturating_mul(2) + 20_000_000);
        writing.draft.holds(writing.user, wallets.get(user).lamports);
    }
    let (first, limit) = arguments(call, order, &fill);
    let held_before = token.held_by(user);
    let accounts = accounts(writing, token);
    if call.buy {
        writing.open_account(accounts.held, writing.user, accounts.mint, token.program(), held_before > 0);
    }
    let wrapped = writing.open_for_router();
    let listed = list(writing, token, call, &accounts);
    writing.enter_router(first, limit, &listed);
    let mut data = Body::new(call.discriminator).u64s([first, limit]);
    if call.buy && call.family != Family::V2 {
        data = data.bool(false);
    }
    let place = writing.draft.enter(&PUMP, &listed, data.done());
    writing.draft.say(call.logged);
    if call.family != Family::V3 {
        writing.ask_fees(accounts.fee_config, accounts.program, fill.quote, [0, PROTOCOL_BPS, CREATOR_BPS]);
    }
    if let Some(failure) = failure {
        let code = match failure {
            Failure::Slippage if call.buy && !call.exact_in => 6_002,
            Failure::Slippage if call.buy => 6_042,
            Failure::Slippage => 6_003,
            Failure::Complete => 6_005,
        };
        state(writing, token, &accounts, (held_before, held_before), (before, fresh));
        writing.draft.fail(code, 34_000);
        return Vec::new();
    }
    settle(writing, token, call, &accounts, &fill);
    let after = &mut token.curve;
    let mut held_after = if call.buy {
        after.bought(&fill);
        held_before + fill.base
    } else {
        after.sold(&fill);
        held_before.saturating_sub(fill.base)
    };
    if call.family == Family::V3 {
        token.creator_fees += fill.creator;
    }
    token.hold(user, held_after);
    let event = CurveTrade {
        mint: &token.mint,
        user: &writing.user_key,
        creator: &wallets.get(token.creator).key,
        buy: call.buy,
        fill: &fill,
        after: &token.curve,
        recipient: (call.family != Family::V3).then(|| one_of(&FEE_RECIPIENTS, token.id)),
        name: call.event_name,
        breed: token.breed,
        creator_fees: token.creator_fees,
    };
    writing.draft.emit(&PUMP, &PUMP_AUTHORITY, &event.event(writing.moment.time));
    let mut truth = vec![(place, What::Trade(Box::new(told(writing, token, call, &fill, &before, limit))))];
    if call.buy && token.curve.is_complete() {
        let event = completed(&writing.user_key, &token.mint, &token.curve_key, writing.moment.time);
        writing.draft.emit(&PUMP, &PUMP_AUTHORITY, &event);
        held_after += go_beyond(writing, token, order, (&accounts, place), &fill, &mut truth);
        token.hold(user, held_after);
        truth.push((place, What::Completed { mint: token.mint, curve: token.curve_key }));
    }
    writing.draft.leave(29_000);
    writing.leave_router(fill.base, fill.quote);
    if let Some(wrapped) = wrapped {
        writing.close_wrapped(wrapped);
    }
    state(writing, token, &accounts, (held_before, held_after), (before, fresh));
    truth
}

/// Spends what a completing exact-in buy of the newest kind has left beyond the curve; the tokens it gives.
fn go_beyond(
    writing: &mut Writing<'_>,
    token: &mut Token,
    order: &CurveOrder,
    (accounts, place): (&Accounts, Place),
    fill: &CurveFill,
    truth: &mut Vec<(Place, What)>,
) -> u64 {
    let spend = order.amount.saturating_sub(fill.gross());
    // Of other coins no such purchase has been seen.
    let usual = token.breed == Breed::Plain;
    if order.call.family != Family::V3 || !order.call.exact_in || spend < LEAST_BEYOND || !usual {
        return 0;
    }
    let beyond = token.curve.buy_beyond(spend);
    let CurveFill { base, quote, protocol, creator, buyback } = beyond.fill;
    writing.move_tokens(token.program(), [accounts.vault, accounts.mint, accounts.held, accounts.curve], base, 6);
    writing.send(accounts.curve, quote + protocol - buyback + creator);
    writing.send(accounts.buyback, buyback);
    token.beyond = (base, quote);
    token.creator_fees += creator;
    let parties = [&writing.user_key, &token.mint, &token.curve_key];
    let event = bought_beyond(parties, &beyond, writing.moment.time);
    writing.draft.emit(&PUMP, &PUMP_AUTHORITY, &event);
    truth.push((
        place,
        What::Beyond {
            mint: token.mint,
            curve: token.curve_key,
            user: writing.user_key,
            instruction: order.call.name,
            base_amount: base,
            quote_amount: quote,
            fees: [(protocol, PROTOCOL_BPS), (creator, CREATOR_BPS)],
            buyback_fee: buyback,
            reserves_before: Reserves { base: beyond.before.0, quote: beyond.before.1 },
            reserves_after: Reserves { base: beyond.after.0, quote: beyond.after.1 },
            router: writing.router_name(),
        },
    ));
    base
}

fn fill_of(curve: &Curve, order: &CurveOrder) -> CurveFill {
    let CurveOrder { call, amount, bound, .. } = *order;
    match (call.buy, call.exact_in, bound) {
        (false, ..) => curve.sell(amount),
        (true, true, _) => curve.buy_quote(amount),
        (true, false, Bound::Given(_)) => curve.buy_base(amount),
        // Who says what to get works it out from what to spend.
        (true, false, Bound::Slippage(_)) => curve.buy_base(curve.buy_quote(amount).base),
    }
}

/// The two arguments: what is asked for, and the bound.
fn arguments(call: &CurveCall, order: &CurveOrder, fill: &CurveFill) -> (u64, u64) {
    let bps = match order.bound {
        Bound::Slippage(bps) => bps,
        Bound::Given(limit) => return (order.amount, limit),
    };
    let less = |amount: u64| amount - amount / 10_000 * bps.min(10_000);
    let more = |amount: u64| amount + amount / 10_000 * bps;
    // A limit that the price has left behind.
    let missed = order.failure == Some(Failure::Slippage);
    match (call.buy, call.exact_in) {
        (true, false) => (fill.base, if missed { fill.gross() - fill.gross() / 50 } else { more(fill.gross()) }),
        (true, true) => (order.amount, if missed { fill.base + fill.base / 50 } else { less(fill.base) }),
        (false, _) => (fill.base, if missed { fill.net() + fill.net() / 50 } else { less(fill.net()) }),
    }
}

fn accounts(writing: &mut Writing<'_>, token: &Token) -> Accounts {
    let seed = writing.moment.seed;
    let (held, _) = writing.account(Purpose::TokenAccount, token.id);
    let draft = &mut writing.draft;
    Accounts {
        curve: draft.writable(&token.curve_key),
        vault: draft.writable(&token.account(seed, Account::CurveBase)),
        held,
        creator_vault: draft.writable(&token.account(seed, Account::CreatorVault)),
        recipient: draft.fixed_writable(one_of(&FEE_RECIPIENTS, token.id)),
        buyback: draft.fixed_writable(one_of(&BUYBACK_RECIPIENTS, token.id)),
        fee_config: draft.fixed(&PUMP_FEE_CONFIG),
        program: draft.fixed(&PUMP),
        mint: draft.readable(&token.mint),
    }
}

/// The accounts in the order of the instruction.
fn list(writing: &mut Writing<'_>, token: &Token, call: &CurveCall, accounts: &Accounts) -> Vec<Handle> {
    let seed = writing.moment.seed;
    let user = writing.user;
    let (volume, _) = writing.account(Purpose::VolumeAccount, 0);
    let (user_quote, _) = writing.account(Purpose::QuoteAccount, 0);
    let (user_volume_quote, _) = writing.account(Purpose::VolumeAccount, 1);
    let draft = &mut writing.draft;
    let Accounts { curve, vault, held, creator_vault, recipient, buyback, fee_config, program, mint } = *accounts;
    let [global, system, authority, fees] =
        [&PUMP_GLOBAL, &SYSTEM, &PUMP_AUTHORITY, &PUMP_FEES].map(|fixed| draft.fixed(fixed));
    let base_program = draft.fixed(token.program());
    let mut own = |account| draft.writable(&token.account(seed, account));
    let (curve_v2, curve_quote, sharing) = (own(Account::CurveV2), own(Account::CurveQuote), own(Account::Sharing));
    match call.family {
        Family::V1 if call.buy => {
            let all_volume = draft.fixed(&PUMP_VOLUME);
            vec![
                global,
                recipient,
                mint,
                curve,
                vault,
                held,
                user,
                system,
                base_program,
                creator_vault,
                authority,
                program,
                all_volume,
                volume,
                fee_config,
                fees,
                curve_v2,
                buyback,
            ]
        }
        Family::V1 => vec![
            global,
            recipient,
            mint,
            curve,
            vault,
            held,
            user,
            system,
            creator_vault,
            base_program,
            authority,
            program,
            fee_config,
            fees,
            curve_v2,
            buyback,
        ],
        Family::V2 => {
            let [quote, quote_program, associated] =
                [&WRAPPED_SOL, &TOKEN, &ASSOCIATED_TOKEN].map(|fixed| draft.fixed(fixed));
            let all_volume = call.buy.then(|| draft.fixed(&PUMP_VOLUME));
            // For SOL the quote accounts of the recipients are named but never touched.
            let mut list = vec![
                global,
                mint,
                quote,
                base_program,
                quote_program,
                associated,
                recipient,
                recipient,
                buyback,
                buyback,
                curve,
                vault,
                curve_quote,
                user,
                held,
                user_quote,
                creator_vault,
                creator_vault,
                sharing,
            ];
            list.extend(all_volume);
            list.extend([volume, user_volume_quote, fee_config, fees, system, authority, program]);
            list
        }
        Family::V3 => {
            let [quote, quote_program] = [&WRAPPED_SOL, &TOKEN].map(|fixed| draft.fixed(fixed));
            vec![
                global,
                mint,
                quote,
                base_program,
                quote_program,
                curve,
                vault,
                curve_quote,
                user,
                held,
                user_quote,
                volume,
                fee_config,
                buyback,
                system,
                authority,
                program,
            ]
        }
    }
}

/// Moves tokens and lamports.
fn settle(writing: &mut Writing<'_>, token: &Token, call: &CurveCall, accounts: &Accounts, fill: &CurveFill) {
    let Accounts { curve, vault, held, creator_vault, recipient, buyback, mint, .. } = *accounts;
    let kept = call.family == Family::V3;
    if call.buy {
        writing.move_tokens(token.program(), [vault, mint, held, curve], fill.base, 6);
        let stays = if kept { fill.quote + fill.protocol - fill.buyback + fill.creator } else { fill.quote };
        writing.send(curve, stays);
        if !kept {
            writing.send(recipient, fill.protocol - fill.buyback);
            writing.send(creator_vault, fill.creator);
        }
        writing.send(buyback, fill.buyback);
    } else {
        writing.move_tokens(token.program(), [held, mint, vault, writing.user], fill.base, 6);
        // A curve pays from its own balance, without a call.
        let (draft, user) = (&mut writing.draft, writing.user);
        draft.pay(curve, user, fill.net());
        draft.pay(curve, buyback, fill.buyback);
        if !kept {
            draft.pay(curve, recipient, fill.protocol - fill.buyback);
            draft.pay(curve, creator_vault, fill.creator);
        }
    }
}

/// States the balances.
fn state(
    writing: &mut Writing<'_>,
    token: &Token,
    accounts: &Accounts,
    (held_before, held_after): (u64, u64),
    (curve_before, fresh): (Curve, bool),
) {
    let draft = &mut writing.draft;
    if !fresh {
        draft.holds(accounts.curve, curve_before.real_quote + token.creator_fees + 1_493_520);
    }
    let (mint, program) = (&token.mint_text, token.program());
    let vault = |curve: &Curve| curve.real_base + POOL_BASE;
    let beyond = if curve_before.is_complete() { 0 } else { token.beyond.0 };
    draft.token(&Balance {
        account: accounts.vault,
        mint,
        owner: &token.curve_text,
        program,
        decimals: 6,
        before: (!fresh).then(|| vault(&curve_before)),
        after: Some(vault(&token.curve) - beyond),
    });
    draft.token(&Balance {
        account: accounts.held,
        mint,
        owner: &writing.user_text,
        program,
        decimals: 6,
        before: (held_before > 0).then_some(held_before),
        after: Some(held_after),
    });
}

fn told(writing: &Writing<'_>, token: &Token, call: &CurveCall, fill: &CurveFill, before: &Curve, limit: u64) -> Trade {
    let reserves = |curve: &Curve| Reserves { base: curve.virtual_base, quote: curve.virtual_quote };
    Trade {
        venue: Venue::Pump,
        instruction: call.name,
        pool: token.curve_key,
        mint: token.mint,
        user: writing.user_key,
        buy: call.buy,
        base_amount: fill.base,
        quote_amount: fill.quote,
        lp_fee: (0, 0),
        protocol_fee: (fill.protocol, PROTOCOL_BPS),
        creator_fee: (fill.creator, CREATOR_BPS),
        share: token.breed.share(),
        buyback_fee: (fill.buyback, token.breed.buyback_bps(BUYBACK_BPS)),
        reserves_before: reserves(before),
        reserves_after: reserves(&token.curve),
        curve_after: Some((token.curve.real_base, token.curve.real_quote)),
        limit,
        router: writing.router_name(),
    }
}
