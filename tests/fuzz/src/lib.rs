//! What the fuzz targets share.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;
use smart_stream_tui::chain::{
    proto::{
        self,
        confirmed_block::{
            CompiledInstruction, InnerInstruction, InnerInstructions, Message as SolanaMessage, Transaction,
            TransactionStatusMeta,
        },
        subscribe_update::UpdateOneof,
    },
    recording::Reader,
    transaction::Walked,
};

/// Writes the shipped recording's messages into the folder that `FUZZ_SEEDS` names, one file each.
pub fn seed() {
    let Some(folder) = std::env::var_os("FUZZ_SEEDS").map(PathBuf::from) else { return };
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/published.pb.zst");
    for (at, message) in Reader::open(&recording).unwrap().enumerate() {
        std::fs::write(folder.join(format!("recorded-{at}")), message.unwrap()).unwrap();
    }
}

/// Takes bytes from the front of an input.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next byte; 0 at the end.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// Up to that many bytes.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Looks at everything that a walk offers.
pub fn touch(walked: &Walked<'_>) {
    for instruction in walked.instructions() {
        std::hint::black_box(instruction.accounts().count());
        let _ = (instruction.account(0), instruction.account(usize::MAX), instruction.assumed_depth());
    }
    for index in [0, 1, 255] {
        let _ = (walked.token_mint(index), walked.token_decimals(index), walked.token_owner(index));
    }
    std::hint::black_box(walked.logs().map(<[u8]>::len).sum::<usize>());
    let _ = (walked.payer(), walked.fee(), walked.priority_fee(), walked.compute_unit_limit());
}

/// A transaction with one instruction, what it called, and a log.
pub fn update(
    keys: Vec<[u8; 32]>,
    call: CompiledInstruction,
    inner: Vec<InnerInstruction>,
    meta: TransactionStatusMeta,
) -> Vec<u8> {
    let account_keys = keys.into_iter().map(|key| Bytes::copy_from_slice(&key)).collect();
    let message = SolanaMessage { account_keys, instructions: vec![call], ..Default::default() };
    let inner_instructions = vec![InnerInstructions { index: 0, instructions: inner }];
    let info = proto::SubscribeUpdateTransactionInfo {
        signature: vec![9; 64].into(),
        transaction: Some(Transaction { message: Some(message), ..Default::default() }),
        meta: Some(TransactionStatusMeta { inner_instructions, ..meta }),
        ..Default::default()
    };
    let update = proto::SubscribeUpdateTransaction { transaction: Some(info), slot: 5, ..Default::default() };
    proto::SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(update)), ..Default::default() }
        .encode_to_vec()
}
