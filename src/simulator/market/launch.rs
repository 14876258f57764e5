//! Launches: `create` and `create_v2`, with what they call and log on mainnet.

use super::{
    address::{
        ASSOCIATED_TOKEN, MAYHEM, MAYHEM_PARAMS, MAYHEM_VAULT, METAPLEX, MINT_AUTHORITY, PUMP, PUMP_AUTHORITY,
        PUMP_GLOBAL, Purpose, RENT, SYSTEM, TOKEN_2022, made_key,
    },
    body::{Body, Launch},
    breed::Breed,
    curve::{REAL_BASE, SUPPLY, VIRTUAL_BASE, VIRTUAL_QUOTE},
    draft::{Balance, Place},
    parts::Writing,
    state::{Account, Token},
    truth::{Reserves, What},
};

/// Rent of a mint with its metadata, and of a curve.
const MINT_RENT: u64 = 2_818_560;
const CURVE_RENT: u64 = 1_493_520;

/// Writes the launch of a token.
pub(super) fn launch(writing: &mut Writing<'_>, token: &Token) -> (Place, What) {
    let seed = writing.moment.seed;
    let names = &token.names;
    let draft = &mut writing.draft;
    let mint = draft.signer(&token.mint);
    draft.holds(mint, 0);
    let curve = draft.writable(&token.curve_key);
    draft.holds(curve, 0);
    let vault = draft.writable(&token.account(seed, Account::CurveBase));
    draft.holds(vault, 0);
    let [authority, global, system] = [&MINT_AUTHORITY, &PUMP_GLOBAL, &SYSTEM].map(|fixed| draft.fixed(fixed));
    let [associated, event_authority, program] =
        [&ASSOCIATED_TOKEN, &PUMP_AUTHORITY, &PUMP].map(|fixed| draft.fixed(fixed));
    let token_program = draft.fixed(token.program());
    let user = writing.user;
    let arguments = |discriminator| {
        Body::new(discriminator).text(&names.name).text(&names.symbol).text(&names.uri).key(&writing.user_key)
    };
    let place;
    if token.legacy {
        let metadata = draft.writable(&made_key(seed, Purpose::Recipient, token.id));
        let [metaplex, rent] = [&METAPLEX, &RENT].map(|fixed| draft.fixed(fixed));
        let accounts = [
            mint,
            authority,
            curve,
            vault,
            global,
            metaplex,
            metadata,
            user,
            system,
            token_program,
            associated,
            rent,
            event_authority,
            program,
        ];
        place = draft.enter(&PUMP, &accounts, arguments(0x181e_c828_051c_0777).done());
        draft.say("Instruction: Create");
    } else {
        let state = draft.writable(&made_key(seed, Purpose::Recipient, token.id));
        let state_vault = draft.writable(&made_key(seed, Purpose::Recipient, token.id ^ (1 << 63)));
        let [mayhem, params] = [&MAYHEM, &MAYHEM_PARAMS].map(|fixed| draft.fixed(fixed));
        let sol_vault = draft.fixed_writable(&MAYHEM_VAULT);
        let accounts = [
            mint,
            authority,
            curve,
            vault,
            global,
            user,
            system,
            token_program,
            associated,
            mayhem,
            params,
            sol_vault,
            state,
            state_vault,
            event_authority,
            program,
        ];
        let data = arguments(0xd690_4cec_5f8b_31b4)
            .bool(token.breed == Breed::Mayhem)
            .bool(token.breed == Breed::Cashback)
            .u64(0)
            .bool(token.breed == Breed::HolderRewards)
            .done();
        place = draft.enter(&PUMP, &accounts, data);
        draft.say("Instruction: CreateV2");
    }
    let create = |rent: u64, size: u64, owner: &solana_sdk::pubkey::Pubkey| {
        let mut data = vec![0; 4];
        data.extend(rent.to_le_bytes());
        data.extend(size.to_le_bytes());
        data.extend(owner.as_array());
        data
    };
    draft.call(&SYSTEM, &[user, mint], create(MINT_RENT, if token.legacy { 82 } else { 234 }, &token.program().key), 0);
    draft.pay(user, mint, MINT_RENT);
    if !token.legacy {
        draft.enter(&TOKEN_2022, &[mint], vec![39, 0]);
        draft.say("MetadataPointerInstruction::Initialize");
        draft.leave(925);
    }
    let mut initialize = vec![20, 6];
    initialize.extend(MINT_AUTHORITY.key.as_array());
    draft.enter(token.program(), &[mint], initialize);
    draft.say("Instruction: InitializeMint2");
    draft.leave(1_772);
    draft.call(&SYSTEM, &[user, curve], create(CURVE_RENT, 166, &PUMP.key), 0);
    draft.pay(user, curve, CURVE_RENT);
    writing.open_account(vault, curve, mint, token.program(), false);
    let draft = &mut writing.draft;
    if token.legacy {
        draft.enter(&METAPLEX, &[mint, authority, user, system], vec![33, 0]);
        draft.say("IX: Create Metadata Accounts v3");
        draft.leave(28_913);
    } else {
        draft.enter(
            &TOKEN_2022,
            &[mint, authority, mint, authority],
            Body::new(0xd2e1_1ea2_58b8_4d8d).text(&names.name).done(),
        );
        draft.say("TokenMetadataInstruction: Initialize");
        draft.leave(3_546);
        draft.enter(&TOKEN_2022, &[mint, authority], Body::new(0xd7e4_a6e4_5464_567b).done());
        draft.say("TokenMetadataInstruction: UpdateAuthority");
        draft.leave(3_957);
    }
    let mut mint_to = vec![7];
    mint_to.extend(SUPPLY.to_le_bytes());
    for (data, name, units) in
        [(mint_to, "Instruction: MintTo", 1_714), (vec![6, 0, 0], "Instruction: SetAuthority", 1_044)]
    {
        draft.enter(token.program(), &[mint, vault, authority], data);
        draft.say(name);
        draft.leave(units);
    }
    let event = Launch {
        name: &names.name,
        symbol: &names.symbol,
        uri: &names.uri,
        mint: &token.mint,
        curve: &token.curve_key,
        user: &writing.user_key,
        token_program: &token.program().key,
        breed: token.breed,
    };
    draft.emit(&PUMP, &PUMP_AUTHORITY, &event.event(writing.moment.time));
    draft.leave(64_000);
    let what = What::Created {
        mint: token.mint,
        curve: token.curve_key,
        name: names.name.clone(),
        symbol: names.symbol.clone(),
        uri: names.uri.clone(),
        reserves: Reserves { base: VIRTUAL_BASE, quote: VIRTUAL_QUOTE },
        mayhem: token.breed == Breed::Mayhem,
    };
    (place, what)
}

/// States the curve's tokens after a launch that nobody bought in.
pub(super) fn state_vault(writing: &mut Writing<'_>, token: &Token) {
    let account = writing.draft.writable(&token.account(writing.moment.seed, Account::CurveBase));
    writing.draft.token(&Balance {
        account,
        mint: &token.mint_text,
        owner: &token.curve_text,
        program: token.program(),
        decimals: 6,
        before: None,
        after: Some(SUPPLY),
    });
    debug_assert_eq!(token.curve.real_base, REAL_BASE);
}
