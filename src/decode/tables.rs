//! The tables of all programs.

use super::{
    meteora_damm_v1, meteora_damm_v2, meteora_dbc, meteora_dlmm, orca_whirlpool, pump, pump_swap, raydium_amm_v4,
    raydium_clmm, raydium_cpmm, raydium_launchlab, venue::Table,
};
use crate::chain::program::Program;

/// All that is known of a program.
pub(super) fn of(program: Program) -> &'static Table {
    match program {
        Program::Pump => &pump::TABLE,
        Program::PumpSwap => &pump_swap::TABLE,
        Program::RaydiumAmmV4 => &raydium_amm_v4::TABLE,
        Program::RaydiumCpmm => &raydium_cpmm::TABLE,
        Program::RaydiumClmm => &raydium_clmm::TABLE,
        Program::RaydiumLaunchlab => &raydium_launchlab::TABLE,
        Program::MeteoraDbc => &meteora_dbc::TABLE,
        Program::MeteoraDammV2 => &meteora_damm_v2::TABLE,
        Program::MeteoraDlmm => &meteora_dlmm::TABLE,
        Program::MeteoraDammV1 => &meteora_damm_v1::TABLE,
        Program::OrcaWhirlpool => &orca_whirlpool::TABLE,
    }
}
