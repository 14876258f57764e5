//! The tables against the published layouts, where those are here.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;
use smart_stream_tui::{
    chain::program::Program,
    decode::{Known, list},
};

/// A file of the shared layouts, if it is here.
fn layout(name: &str) -> Option<Value> {
    let folder = std::env::var_os("SMART_STREAM_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let text = fs::read_to_string(folder.join("layouts").join(name)).ok();
    if text.is_none() {
        eprintln!("skipped: {name} is not here");
    }
    serde_json::from_str(&text?).unwrap()
}

/// Programs with an IDL, by the name of its file.
const IDLS: [(&str, Program); 10] = [
    ("pump", Program::Pump),
    ("pump_amm", Program::PumpSwap),
    ("raydium_cpmm", Program::RaydiumCpmm),
    ("raydium_clmm", Program::RaydiumClmm),
    ("raydium_launchpad", Program::RaydiumLaunchlab),
    ("meteora_dynamic_bonding_curve", Program::MeteoraDbc),
    ("meteora_damm_v2", Program::MeteoraDammV2),
    ("meteora_dlmm", Program::MeteoraDlmm),
    ("meteora_amm", Program::MeteoraDammV1),
    ("orca_whirlpool", Program::OrcaWhirlpool),
];

fn known(program: Program) -> Known {
    list().into_iter().find(|known| known.program == program).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect()
}

#[test]
fn every_published_instruction_and_event_is_known() {
    for (file, program) in IDLS {
        let Some(idl) = layout(&format!("{file}.json")) else { return };
        let known = known(program);
        let ours = |kind: &str| -> BTreeMap<String, &str> {
            if kind == "instructions" {
                known.instructions.iter().map(|one| (hex(&one.discriminator), one.name)).collect()
            } else {
                known.events.iter().map(|one| (hex(&one.discriminator), one.name)).collect()
            }
        };
        for kind in ["instructions", "events"] {
            let ours = ours(kind);
            for row in idl[kind].as_array().unwrap() {
                let discriminator = row["disc"].as_str().or(row["discriminator"].as_str()).unwrap();
                assert_eq!(ours.get(discriminator).copied(), row["name"].as_str(), "{file} {kind}");
            }
        }
    }
}

#[test]
fn the_parse_rate_counts_what_must_be_emitted() {
    let Some(table) = layout("expected_events.json") else { return };
    for (file, program) in IDLS {
        let known = known(program);
        let must = table["programs"][file]["must"].as_object();
        for instruction in &known.instructions {
            let owed = must.and_then(|must| must.get(instruction.name)).and_then(Value::as_array);
            let owed: u64 = owed.map_or(0, |owed| owed.iter().map(|event| event[1].as_u64().unwrap()).sum());
            // DAMM v1 is not in that table, nor are launches with a transfer hook.
            let beyond = program == Program::MeteoraDammV1 || instruction.name.ends_with("_transfer_hook");
            assert!(beyond || instruction.must_emit.len() as u64 == owed, "{file} {}", instruction.name);
        }
    }
}

#[test]
fn discriminators_are_unique_within_a_program() {
    for known in list() {
        let instructions = known.instructions.iter().map(|one| one.discriminator.clone());
        let events = known.events.iter().map(|one| one.discriminator.clone());
        for mut all in [instructions.collect::<Vec<_>>(), events.collect()] {
            let count = all.len();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), count, "{:?}", known.program);
        }
    }
}
