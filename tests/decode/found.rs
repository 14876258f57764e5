//! Real bytes of events that no recording holds, found in public places, in transactions made around them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use smart_stream_tui::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL, Wallet},
        program::Program,
        wire::{Kind, Update},
    },
    decode::{
        Decoder, EventKind,
        event::{LiquidityAction, Venue},
    },
};

use crate::{
    elsewhere::sides,
    made::{Body, Bytes32, Made, USER, key},
    made_elsewhere::accounts,
};

fn address(base58: &str) -> Bytes32 {
    *base58.parse::<Wallet>().unwrap().bytes()
}

/// The `AddLiquidity` that mainnet transaction
/// `5PeXkA5PLLR39ZecnB2khGcLiqPjUoDnK2kERgcZLSY8qpWFJEwdUnK5sJuULFPqBeJ2VzKFxFsQtnKZyb6jwM3J` (slot 449,907,325) emitted,
/// by `add_liquidity_one_side`: the pool's vault of wrapped SOL went from 600,217,509,224 to 601,003,578,435.
const ADDED: &str = "e445a52e51cb9a1d1f5e7d5ae3343dbadd526a4268bd4908203b6a6a2e42b5305b7eab7c1e3ab67ab7303fa4098b7246\
    42376bc43206f2022ba5f4441b4749fd5cd3465df946e6c171921dab77f798cf84f09cbdd7ee48baf6b3a1e28fbfb9db697a428e3fa2822\
    20e9e72f40d415d1c0000000000000000db76da2e0000000017feffff";

/// A `Swap2Evt` on that pool.
fn swap_of(pool: Bytes32) -> Body {
    let body = Body::event(0x2e74_52d7_941b_544d).key(pool).key(USER).b(&[0; 8]).b(&[1]).b(&[0; 16]);
    body.n(&[1_000, 0, 2_000])
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_real_deposit_in_one_token_is_known_for_what_it_is() {
    let (pool, vault) = (address("FtwzPjTqoFuy8aF8bMBi7QF7UxpdYN5n9YUH6R7DcHjB"), key(40));
    let user = address("5TUvWjeid81ivRQTWSQ6ibfst4x6XGinMWW3J4EkGoug");
    let token = address("HSUMi4rMgjrx7zRUabw3ogGu1pa5hmF2eVcXj9Apump");
    let event = || Body(hex(ADDED));

    // As it came: the instruction names wrapped SOL, and nothing names the other token.
    let named = [(1, pool), (4, vault), (5, *WRAPPED_SOL.bytes()), (8, user)];
    let call = Body::of(0x5e9b_6797_465f_dca5).n(&[786_069_230]);
    let (events, undecoded, decoded) = Made::of(Program::MeteoraDlmm, &accounts(12, &named), call)
        .transfer(2, user, vault, 786_069_211)
        .emits(Program::MeteoraDlmm, event())
        .decode();
    assert_eq!(events, []);
    assert_eq!(undecoded.iter().map(|miss| miss.reason.name()).collect::<Vec<_>>(), ["unnamed_token"]);
    assert_eq!(decoded.tally.of(Program::MeteoraDlmm).unknown_tails, 0);

    // After a swap on that pool both are known, to the decoder that saw it; not to one that saw another pool's.
    for (seen, found) in [(pool, 1), (key(41), 0)] {
        let named = [(0, seen), (6, token), (7, *WRAPPED_SOL.bytes()), (10, USER)];
        let swap = Made::of(Program::MeteoraDlmm, &accounts(14, &named), Body::of(0x414b_3f4c_eb5b_5b88).n(&[1, 1]))
            .emits(Program::MeteoraDlmm, swap_of(seen))
            .frame();
        let named = [(1, pool), (4, vault), (5, *WRAPPED_SOL.bytes()), (8, user)];
        let deposit =
            Made::of(Program::MeteoraDlmm, &accounts(12, &named), Body::of(0x5e9b_6797_465f_dca5).n(&[786_069_230]))
                .emits(Program::MeteoraDlmm, event())
                .frame();
        let (mut decoder, mut events, mut undecoded) = (Decoder::default(), Vec::new(), Vec::new());
        for frame in [swap, deposit] {
            events.clear();
            let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { panic!() };
            decoder.decode(&transaction, &mut events, &mut undecoded).unwrap();
        }
        assert_eq!((events.len(), undecoded.len()), (found, 1 - found), "{events:?} {undecoded:?}");
        let Some(EventKind::Liquidity(added)) = events.first().map(|event| &event.kind) else { continue };
        assert_eq!(
            (added.mint, added.quote_mint, added.action),
            (Mint::new(token), WRAPPED_SOL, LiquidityAction::Deposit)
        );
        assert_eq!((added.base_amount, added.quote_amount), (0, 601_003_578_435 - 600_217_509_224));
    }

    // The same bytes behind an instruction that names both.
    let named = [(1, pool), (7, token), (8, *WRAPPED_SOL.bytes()), (11, user)];
    let call = Body::of(0x0703_967f_9428_3dc8);
    let events =
        Made::of(Program::MeteoraDlmm, &accounts(16, &named), call).emits(Program::MeteoraDlmm, event()).events();
    let EventKind::Liquidity(added) = &events[0].kind else { panic!("{events:?}") };
    assert_eq!((added.venue, added.pool, added.user), (Venue::MeteoraDlmm, Pool::new(pool), Wallet::new(user)));
    assert_eq!((added.mint, added.quote_mint, added.action), (Mint::new(token), WRAPPED_SOL, LiquidityAction::Deposit));
    assert_eq!((added.base_amount, added.quote_amount), (0, 601_003_578_435 - 600_217_509_224));
}

/// The event of a deposit that a public test reads with the program's own IDL.
#[test]
fn a_real_cpmm_deposit_has_no_more_fields_than_we_know() {
    let line = "eaPNyTnadTzdhRPKDwus/5Zu2GxjHohlqAXtBbfEKD5ALX5T6bBywABcsuwiAAAAN0A61F0BAAAAzdR9AwAAAAPvGgtcAQAAXdREeQMAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    let event = STANDARD.decode(line).unwrap();
    let pool: Bytes32 = event[8..40].try_into().unwrap();
    let named = [(0, USER), (2, pool), (10, key(30)), (11, key(31))];
    let call = Body::of(0xf223_c689_52e1_f2b6).n(&[1, 2, 3]);
    let events =
        Made::of(Program::RaydiumCpmm, &accounts(13, &named), call).logs(Program::RaydiumCpmm, &[Body(event)]).events();
    let EventKind::Liquidity(added) = &events[0].kind else { panic!("{events:?}") };
    assert_eq!((added.pool, added.action), (Pool::new(pool), LiquidityAction::Deposit));
    let amounts = sides((added.base_amount.into(), 0), (added.quote_amount.into(), 0));
    assert_eq!(amounts, sides((1_494_834_933_507, 0), (14_919_455_837, 0)));
    let (base, quote) = added.raw_reserves_before.unwrap();
    assert_eq!(sides((base.into(), 0), (quote.into(), 0)), sides((1_502_504_173_623, 0), (14_996_000_000, 0)));
}
