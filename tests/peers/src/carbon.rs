//! What carbon's pipeline does with a transaction: the message turned into Solana's own types, its instructions flattened,
//! each offered to every decoder.

use std::{hint::black_box, sync::Arc};

use carbon_core::{
    datasource::TransactionUpdate,
    instruction::{InstructionDecoder, InstructionsWithMetadata, NestedInstruction, NestedInstructions},
    transaction::TransactionMetadata,
    transformers::{
        extract_instructions_with_metadata,
        yellowstone::{create_tx_meta, create_tx_versioned},
    },
};
use yellowstone_grpc_proto::prelude::SubscribeUpdateTransaction;

fn update(update: SubscribeUpdateTransaction) -> Option<TransactionUpdate> {
    let info = update.transaction?;
    let mut meta = info.meta?;
    // Servers say that there are none; the recorded transactions leave both out.
    meta.return_data_none = meta.return_data.is_none();
    Some(TransactionUpdate {
        signature: info.signature.as_slice().try_into().ok()?,
        transaction: create_tx_versioned(info.transaction?).ok()?,
        meta: create_tx_meta(meta).ok()?,
        is_vote: info.is_vote,
        slot: update.slot,
        index: Some(info.index),
        block_time: None,
        block_hash: None,
    })
}

fn flatten<'a>(nested: &'a NestedInstructions, all: &mut Vec<&'a NestedInstruction>) {
    for instruction in nested.iter() {
        all.push(instruction);
        flatten(&instruction.inner_instructions, all);
    }
}

fn read<D: for<'a> InstructionDecoder<'a>>(decoder: &D, all: &[&NestedInstruction]) -> usize {
    let decoded = all.iter().filter_map(|nested| decoder.decode_instruction(&nested.instruction));
    decoded.map(black_box).count()
}

/// How many instructions and events the decoders know of a message.
pub(crate) fn decoded() -> impl FnMut(&[u8]) -> usize {
    |frame| {
        let Some(update) = super::transaction(frame).and_then(update) else { return 0 };
        let Ok(metadata) = TransactionMetadata::try_from(update.clone()) else { return 0 };
        let Ok(instructions) = extract_instructions_with_metadata(&Arc::new(metadata), &update) else { return 0 };
        let instructions: InstructionsWithMetadata = instructions;
        let nested: NestedInstructions = instructions.clone().into();
        let mut all = Vec::new();
        flatten(&nested, &mut all);
        read(&carbon_pumpfun_decoder::PumpfunDecoder, &all)
            + read(&carbon_pump_swap_decoder::PumpSwapDecoder, &all)
            + read(&carbon_raydium_amm_v4_decoder::RaydiumAmmV4Decoder, &all)
            + read(&carbon_raydium_cpmm_decoder::RaydiumCpmmDecoder, &all)
            + read(&carbon_raydium_launchpad_decoder::RaydiumLaunchpadDecoder, &all)
    }
}
