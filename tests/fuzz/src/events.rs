//! Every reader of every program with any event behind any instruction, as a call of the program to itself or as a log line.
//! The same event decoded twice gives the same; cut at its end it gives a prefix, a clean error or a swap by its transfers.
#![no_main]

use std::cell::RefCell;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use libfuzzer_sys::fuzz_target;
use smart_stream_tui::{
    chain::{
        program::{Program, TOKEN, Transport},
        proto::confirmed_block::{CompiledInstruction, InnerInstruction, TransactionStatusMeta},
        wire::{Kind, Update},
    },
    decode::{Decoder, Event, Known, Undecoded, list},
};
use smart_stream_tui_fuzz::{Input, update};

const EVENT_CALL: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];
const ACCOUNTS: u8 = 24;

struct State {
    known: Vec<Known>,
    decoder: Decoder,
    events: Vec<Event>,
    undecoded: Vec<Undecoded>,
}

thread_local!(static STATE: RefCell<State> = RefCell::new(State {
    known: list(),
    decoder: Decoder::default(),
    events: Vec::new(),
    undecoded: Vec::new(),
}));

fn pick<'a, T>(list: &'a [T], input: &mut Input<'_>) -> &'a T {
    &list[usize::from(input.byte()) % list.len()]
}

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    STATE.with_borrow_mut(|state| {
        let known = pick(&state.known, &mut input);
        let (program, instruction, event) =
            (known.program, pick(&known.instructions, &mut input), pick(&known.events, &mut input));
        // Keys: the accounts of the instruction, its program, its event authority, the token program.
        let mut keys: Vec<[u8; 32]> = (0..ACCOUNTS).map(|at| [at + 1; 32]).collect();
        keys.push(program.id().to_bytes());
        keys.push(program.event_authority().map_or([0xee; 32], |authority| authority.to_bytes()));
        keys.push(TOKEN.to_bytes());
        let arguments = usize::from(input.byte() % 80);
        let data = [&instruction.discriminator[..], input.bytes(arguments)].concat();
        let accounts: Vec<u8> = (0..ACCOUNTS).collect();
        let call = CompiledInstruction { program_id_index: 24, accounts: accounts.into(), data: data.into() };
        let mut inner = Vec::new();
        for _ in 0..input.byte() % 3 {
            let (from, to) = (input.byte() % ACCOUNTS, input.byte() % ACCOUNTS);
            let data = [&[3][..], &[input.byte(); 8]].concat();
            let accounts = vec![from, to, 0].into();
            inner.push(InnerInstruction { program_id_index: 26, accounts, data: data.into(), stack_height: Some(2) });
        }
        let body = [&event.discriminator[..], input.0].concat();
        let mut meta = TransactionStatusMeta::default();
        match program.transport() {
            Transport::SelfCall => {
                let data = [&EVENT_CALL[..], &body].concat().into();
                inner.push(InnerInstruction {
                    program_id_index: 24,
                    accounts: vec![25].into(),
                    data,
                    stack_height: Some(2),
                });
            }
            transport => {
                let words = if transport == Transport::RayLog { "log: ray_log:" } else { "data:" };
                meta.log_messages = vec![
                    format!("Program {} invoke [1]", program.base58()),
                    format!("Program {words} {}", STANDARD.encode(&body)),
                ];
            }
        }
        let frame = update(keys, call, inner, meta);
        let Ok(Update { kind: Kind::Transaction(transaction), .. }) = Update::scan(&frame) else { panic!() };
        state.events.clear();
        state.undecoded.clear();
        let decoded = state.decoder.decode(&transaction, &mut state.events, &mut state.undecoded).unwrap();
        let counts = decoded.tally.of(program);
        assert!(counts.decoded <= counts.expected && counts.known == 1);
        assert_eq!(decoded.tally.programs().collect::<Vec<Program>>(), [program]);
        let again = state.events.clone();
        state.events.clear();
        state.decoder.decode(&transaction, &mut state.events, &mut state.undecoded).unwrap();
        assert_eq!(again, state.events);
    });
});
