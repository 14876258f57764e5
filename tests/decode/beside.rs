//! What transactions say beside their events: transfers between owners, and swaps that failed.

use std::{collections::HashMap, path::Path};

use prost::Message;
use smart_stream_tui::{
    chain::{
        ids::{Mint, WRAPPED_SOL, Wallet},
        program::{ASSOCIATED_TOKEN, Program, SYSTEM, TOKEN, TOKEN_2022},
        proto::{self, confirmed_block::TransactionError, subscribe_update::UpdateOneof},
        wire::{Kind, Update},
    },
    decode::{
        Attempt, Decoder, Event, EventKind, Transfer,
        event::{Flow, LimitKind, Side, Venue},
    },
};

use crate::{
    data,
    layouts::{parts, published},
    made::{Body, Bytes32, Made, USER, key},
    messages, shared,
};

fn decode(frame: &[u8]) -> (Vec<Event>, Vec<Transfer>, Vec<Attempt>) {
    let Kind::Transaction(transaction) = Update::scan(frame).unwrap().kind else { panic!() };
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.decode(&transaction, &mut events, &mut Vec::new()).unwrap();
    (events, decoder.transfers().into(), decoder.attempts().into())
}

/// From, to, token, amount.
type Plain = (String, String, Option<String>, u64);

fn plain(transfer: &Transfer) -> Plain {
    let Transfer { from, to, mint, amount, .. } = transfer;
    (from.to_string(), to.to_string(), mint.map(|mint| mint.to_string()), *amount)
}

/// The same by the generated types: every transfer whose callers are no venues, between the owners that the balances name.
/// Those of accounts without a balance are left to the made transactions.
fn reference(update: &proto::SubscribeUpdate) -> Option<Vec<Plain>> {
    let Some(UpdateOneof::Transaction(update)) = &update.update_oneof else { return None };
    let info = update.transaction.as_ref()?;
    let (message, meta) = (info.transaction.as_ref()?.message.as_ref()?, info.meta.as_ref()?);
    if meta.err.is_some() {
        return None;
    }
    let loaded = meta.loaded_writable_addresses.iter().chain(&meta.loaded_readonly_addresses);
    let keys: Vec<&[u8]> = message.account_keys.iter().chain(loaded).map(|key| &key[..]).collect();
    let balances = meta.pre_token_balances.iter().chain(&meta.post_token_balances);
    let held: HashMap<usize, (&str, &str)> =
        balances.map(|held| (held.account_index as usize, (held.owner.as_str(), held.mint.as_str()))).collect();
    let (mut found, mut called) = (Vec::new(), false);
    for (outer, instruction) in message.instructions.iter().enumerate() {
        let top = (instruction.program_id_index, &instruction.accounts, &instruction.data, 1);
        let groups = meta.inner_instructions.iter().filter(|group| group.index as usize == outer);
        let inner = groups.flat_map(|group| &group.instructions);
        let inner = inner.map(|call| (call.program_id_index, &call.accounts, &call.data, call.stack_height.unwrap()));
        let mut venue_at = None::<u32>;
        for (program, accounts, data, depth) in std::iter::once(top).chain(inner) {
            let program = keys[program as usize];
            let known = Program::ALL.iter().any(|known| known.id().as_array() == program);
            called |= known && !data.starts_with(&crate::layouts::EVENT_CALL);
            venue_at = venue_at.filter(|above| depth > *above);
            if known {
                venue_at = venue_at.or(Some(depth));
            }
            if venue_at.is_some() {
                continue;
            }
            let amount = |at: usize| data.get(at..at + 8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
            let account = |at: usize| usize::from(accounts[at]);
            let key = |at: usize| Wallet::new(keys[account(at)].try_into().unwrap()).to_string();
            let owner = |at: usize| held.get(&account(at)).map(|(owner, _)| (*owner).to_owned());
            let transfer = if program == SYSTEM.as_array() && data.starts_with(&[2, 0, 0, 0]) {
                (Some(key(0)), owner(1).or_else(|| Some(key(1))), None, amount(4))
            } else if program == TOKEN.as_array() || program == TOKEN_2022.as_array() {
                match data[0] {
                    3 => (owner(0), owner(1), held.get(&account(0)).map(|(_, mint)| (*mint).to_owned()), amount(1)),
                    12 => (owner(0), owner(2), Some(key(1)), amount(1)),
                    26 if data[1] == 1 => (owner(0), owner(2), Some(key(1)), amount(2)),
                    _ => continue,
                }
            } else {
                continue;
            };
            let (Some(from), Some(to), mint, Some(amount)) = transfer else { continue };
            if from != to && amount > 0 {
                found.push((from, to, mint, amount));
            }
        }
    }
    Some(if called { found } else { Vec::new() })
}

/// Accounts that take tips, and token accounts that a transaction opens and closes: the generated types alone do not tell.
fn is_told_apart(transfer: &Plain, tips: &str, opened: &[String]) -> bool {
    let (from, to, ..) = transfer;
    tips.contains(to.as_str()) || [from, to].into_iter().any(|end| opened.contains(end))
}

/// Every account that some instruction opens as a token account.
fn opened(update: &mut proto::SubscribeUpdate) -> Vec<String> {
    let (message, meta) = parts(update);
    let loaded = meta.loaded_writable_addresses.iter().chain(&meta.loaded_readonly_addresses);
    let keys: Vec<[u8; 32]> =
        message.account_keys.iter().chain(loaded).map(|key| key[..].try_into().unwrap()).collect();
    let outer = message.instructions.iter().map(|call| (call.program_id_index, &call.accounts, &call.data));
    let inner = meta.inner_instructions.iter().flat_map(|group| &group.instructions);
    let inner = inner.map(|call| (call.program_id_index, &call.accounts, &call.data));
    let opening = outer.chain(inner).filter_map(|(program, accounts, data)| {
        let program = &keys[program as usize];
        if program == ASSOCIATED_TOKEN.as_array() {
            return accounts.get(1).copied();
        }
        let starts =
            [1, 16, 18].contains(data.first()?) && [TOKEN.as_array(), TOKEN_2022.as_array()].contains(&program);
        accounts.first().copied().filter(|_| starts)
    });
    opening.map(|account| Wallet::new(keys[usize::from(account)]).to_string()).collect()
}

fn compare(recording: &Path, least: usize) {
    let tips = include_str!("../../src/decode/tips.tsv");
    let mut total = 0;
    for frame in messages(recording) {
        let mut update = proto::SubscribeUpdate::decode(frame.clone()).unwrap();
        let Some(theirs) = reference(&update) else { continue };
        let opened = opened(&mut update);
        let (_, ours, attempts) = decode(&frame);
        assert_eq!(attempts, []);
        let theirs: Vec<_> = theirs.into_iter().filter(|one| !is_told_apart(one, tips, &opened)).collect();
        let ours: Vec<_> = ours.iter().map(plain).collect();
        let known: Vec<_> = ours.iter().filter(|one| theirs.contains(one)).cloned().collect();
        assert_eq!(known, theirs);
        // What we find besides has an end at an account that the transaction opened for somebody.
        assert!(ours.len() == known.len() || !opened.is_empty(), "{ours:?}");
        total += known.len();
    }
    eprintln!("{total} transfers in {}", recording.display());
    assert!(total >= least);
}

#[test]
fn transfers_beside_trades_are_those_of_the_generated_types() {
    compare(&data("published.pb.zst"), 20);
    for (name, least) in [("reference.pb.zst", 20), ("reference-block-285000037.pb.zst", 15)] {
        if let Some(path) = shared(name) {
            compare(&path, least);
        }
    }
}

/// The swaps of one block that failed, against the text of the log.
#[test]
fn errors_of_real_swaps_are_those_of_the_log() {
    let Some(path) = shared("reference-block-285000037.pb.zst") else { return };
    let (mut tried, mut told) = (0, 0);
    for frame in messages(&path) {
        let mut update = proto::SubscribeUpdate::decode(frame.clone()).unwrap();
        let (_, _, attempts) = decode(&frame);
        let logs = &parts(&mut update).1.log_messages;
        let first = logs.iter().find(|line| line.contains(" failed: ")).cloned().unwrap_or_default();
        for Attempt { venue, code, .. } in &attempts {
            tried += 1;
            let program = venue.program().base58();
            let Some(code) = code else { continue };
            told += 1;
            assert_eq!(first, format!("Program {program} failed: custom program error: {code:#x}"));
        }
        assert!(attempts.iter().filter(|attempt| attempt.code.is_some()).count() <= 1);
    }
    eprintln!("{tried} failed swaps, {told} by an error of their own");
    assert!(told > 0 && tried > told);
}

const OTHER: Bytes32 = key(7);

/// A transaction that calls a venue, somewhere.
fn called() -> Made {
    Made::new().call(1, Program::Pump.id().as_array(), &[key(90)], Body::of(0xea66_c2cb_9648_3ee5))
}

fn lamports(made: Made, depth: u32, from: Bytes32, to: Bytes32, amount: u64) -> Made {
    made.call(depth, SYSTEM.as_array(), &[from, to], Body(vec![2, 0, 0, 0]).n(&[amount]))
}

fn transfers(made: Made) -> Vec<(Wallet, Wallet, Option<Mint>, u64)> {
    decode(&made.frame()).1.iter().map(|one| (one.from, one.to, one.mint, one.amount)).collect()
}

#[test]
fn owners_are_told_from_accounts() {
    let (user, other, mint) = (Wallet::new(USER), Wallet::new(OTHER), Mint::new(key(30)));
    let opens = |data: Body, accounts: &[Bytes32]| {
        called().holds(key(40), key(30), 6).owned_by(USER).call(1, TOKEN.as_array(), accounts, data)
    };
    let by_balances = called().holds(key(40), key(30), 6).owned_by(USER).holds(key(41), key(30), 6).owned_by(OTHER);
    // The account at the other end is closed before the end: its opening names the owner.
    let ways = [
        by_balances,
        opens(Body(vec![18]).key(OTHER), &[key(41), key(30)]),
        opens(Body(vec![16]).key(OTHER), &[key(41), key(30)]),
        opens(Body(vec![1]), &[key(41), key(30), OTHER]),
        called().holds(key(40), key(30), 6).owned_by(USER).call(
            1,
            ASSOCIATED_TOKEN.as_array(),
            &[USER, key(41), OTHER, key(30)],
            Body(vec![1]),
        ),
    ];
    for made in ways {
        assert_eq!(transfers(made.transfer(1, key(40), key(41), 5)), [(user, other, Some(mint), 5)]);
    }
    // Nothing tells: nothing is told.
    let unknown = called().holds(key(40), key(30), 6).owned_by(USER).transfer(1, key(40), key(41), 5);
    assert_eq!(transfers(unknown), []);
    // A checked transfer names its token itself, also between accounts that are closed.
    let checked = opens(Body(vec![18]).key(OTHER), &[key(41), key(30)])
        .call(1, TOKEN.as_array(), &[key(42), key(31)], Body(vec![18]).key(USER))
        .call(1, TOKEN.as_array(), &[key(42), key(31), key(41), USER], Body(vec![12]).n(&[6]).b(&[9]));
    assert_eq!(transfers(checked), [(user, other, Some(Mint::new(key(31))), 6)]);
    assert_eq!(transfers(lamports(called(), 1, USER, OTHER, 9)), [(user, other, None, 9)]);
}

#[test]
fn what_stays_in_one_hand_or_belongs_to_a_trade_is_no_transfer() {
    let to_self = called().holds(key(40), key(30), 6).owned_by(USER).holds(key(41), key(30), 6).owned_by(USER);
    assert_eq!(transfers(to_self.transfer(1, key(40), key(41), 5)), []);
    // SOL wrapped by its owner.
    let sol = *WRAPPED_SOL.bytes();
    let wrapped = called().call(1, ASSOCIATED_TOKEN.as_array(), &[USER, key(41), USER, sol], Body(vec![1]));
    assert_eq!(transfers(lamports(wrapped, 1, USER, key(41), 9)), []);
    // A tip is told with the trades.
    let tip = *"96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5".parse::<Wallet>().unwrap().bytes();
    assert_eq!(transfers(lamports(called(), 1, USER, tip, 9)), []);
    assert_eq!(transfers(lamports(called(), 1, USER, OTHER, 0)), []);
    // Below a venue, however deep; beside it under the same router.
    let routed = Made::new().call(1, &key(200), &[], Body::default()).call(
        2,
        Program::Pump.id().as_array(),
        &[key(90)],
        Body::of(0xea66_c2cb_9648_3ee5),
    );
    let routed = lamports(lamports(routed, 3, USER, OTHER, 1), 2, USER, OTHER, 2);
    assert_eq!(transfers(routed).iter().map(|one| one.3).collect::<Vec<_>>(), [2]);
    // No venue at all.
    assert_eq!(transfers(lamports(Made::new(), 1, USER, OTHER, 9)), []);
}

/// Every published transaction, failed instead: each of its trades was asked for.
#[test]
fn a_failed_swap_asks_for_what_it_would_have_got() {
    let mut compared = 0;
    for update in published() {
        let mut update = update.clone();
        let (events, ..) = decode(&update.encode_to_vec());
        parts(&mut update).1.err = Some(TransactionError { err: vec![4, 0, 0, 0].into() });
        let (none, transfers, attempts) = decode(&update.encode_to_vec());
        assert_eq!((none, transfers), (Vec::new(), Vec::new()));
        for event in &events {
            let EventKind::Trade(trade) = &event.kind else { continue };
            let told = trade.instruction.contains("_exact_")
                || matches!(trade.instruction, "buy" | "sell" | "buy_v2" | "sell_v2" | "buy_v3" | "sell_v3");
            let own = !matches!(trade.flow, Flow::Boost | Flow::PostCompletion);
            let attempt = attempts.iter().find(|attempt| attempt.path == event.path);
            let Some(Attempt { asked, code, .. }) = attempt else {
                assert!(!(told && own), "{trade:?}");
                continue;
            };
            compared += 1;
            assert_eq!(*code, None);
            assert_eq!((asked.pool, asked.mint, asked.quote_mint), (trade.pool, trade.mint, trade.quote_mint));
            assert_eq!((asked.side, Some(asked.limit)), (trade.side, trade.limit));
            if trade.flow == Flow::User {
                assert_eq!(asked.user, trade.user);
            }
            match (asked.side, asked.limit.kind) {
                (Side::Buy, LimitKind::MinBaseOut) => {
                    assert!(asked.amount >= trade.quote_amount && asked.limit.amount <= trade.base_amount, "{trade:?}");
                }
                (Side::Buy, _) => assert!(asked.amount >= trade.base_amount, "{trade:?}"),
                // Some tokens of other launchpads keep a part for themselves on their way to the pool.
                (Side::Sell, LimitKind::MinQuoteOut) => {
                    let whole = asked.amount == trade.base_amount;
                    let taxed = trade.venue == Venue::RaydiumLaunchlab && asked.amount > trade.base_amount;
                    assert!(whole || taxed, "{trade:?}");
                }
                (Side::Sell, _) => assert!(asked.amount <= trade.quote_amount, "{trade:?}"),
            }
        }
    }
    eprintln!("{compared} attempts compared");
    assert!(compared > 40);
}

#[test]
fn the_error_is_the_call_s_that_failed_first() {
    let accounts: Vec<_> = (40..57).map(key).collect();
    let id = Program::Pump.base58();
    let failed = |lines: &[String]| {
        let made = Made::new()
            .call(1, &key(200), &[], Body::default())
            .call(2, Program::Pump.id().as_array(), &accounts, Body::of(0x33e6_85a4_017f_83ad).n(&[38_000, 1800]))
            .call(2, Program::Pump.id().as_array(), &accounts, Body::of(0x6606_3d12_01da_ebea).n(&[39_000, 1900]));
        let mut update =
            proto::SubscribeUpdate::decode(&lines.iter().cloned().fold(made, Made::log).frame()[..]).unwrap();
        let error = [&8_u32.to_le_bytes()[..], &[0], &25_u32.to_le_bytes(), &6_003_u32.to_le_bytes()].concat();
        parts(&mut update).1.err = Some(TransactionError { err: error.into() });
        let attempts = decode(&update.encode_to_vec()).2;
        attempts.iter().map(|one| (one.instruction, one.asked.amount, one.code)).collect::<Vec<_>>()
    };
    let router = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4";
    let begin = [
        format!("Program {router} invoke [1]"),
        format!("Program {id} invoke [2]"),
        format!("Program {id} success"),
        format!("Program {id} invoke [2]"),
    ];
    let ends = |lines: &[&str]| [&begin[..], &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()].concat();
    let own = format!("Program {id} failed: custom program error: 0x1773");
    let routers = format!("Program {router} failed: custom program error: 0x1773");
    assert_eq!(failed(&ends(&[&own, &routers])), [("sell", 38_000, None), ("buy", 39_000, Some(6_003))]);
    let success = format!("Program {id} success");
    assert_eq!(failed(&ends(&[&success, &routers])), [("sell", 38_000, None), ("buy", 39_000, None)]);
    assert_eq!(failed(&ends(&["Log truncated", &own])), [("sell", 38_000, None), ("buy", 39_000, None)]);
}
