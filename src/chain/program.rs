//! The programs we know: ids, groups and names. Ids: the programs' published addresses, checked on mainnet transactions.

use solana_sdk::pubkey::Pubkey;

use super::group::Group;

/// A program whose instructions we recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Program {
    /// The pump bonding curve.
    Pump,
    /// `PumpSwap`, the pool program of graduated pump tokens.
    PumpSwap,
    /// Raydium AMM v4.
    RaydiumAmmV4,
    /// Raydium CPMM.
    RaydiumCpmm,
    /// Raydium CLMM.
    RaydiumClmm,
    /// Raydium `LaunchLab`.
    RaydiumLaunchlab,
    /// Meteora dynamic bonding curve.
    MeteoraDbc,
    /// Meteora DAMM v2.
    MeteoraDammV2,
}

impl Program {
    /// All programs.
    pub const ALL: [Self; 8] = [
        Self::Pump,
        Self::PumpSwap,
        Self::RaydiumAmmV4,
        Self::RaydiumCpmm,
        Self::RaydiumClmm,
        Self::RaydiumLaunchlab,
        Self::MeteoraDbc,
        Self::MeteoraDammV2,
    ];

    /// The on-chain address.
    #[must_use]
    pub const fn id(self) -> &'static Pubkey {
        match self {
            Self::Pump => &PUMP,
            Self::PumpSwap => &PUMP_SWAP,
            Self::RaydiumAmmV4 => &RAYDIUM_AMM_V4,
            Self::RaydiumCpmm => &RAYDIUM_CPMM,
            Self::RaydiumClmm => &RAYDIUM_CLMM,
            Self::RaydiumLaunchlab => &RAYDIUM_LAUNCHLAB,
            Self::MeteoraDbc => &METEORA_DBC,
            Self::MeteoraDammV2 => &METEORA_DAMM_V2,
        }
    }

    /// The program at this address, if we know it.
    #[must_use]
    pub fn from_id(id: &[u8; 32]) -> Option<Self> {
        Self::ALL.into_iter().find(|program| program.id().as_array() == id)
    }

    /// The group whose subscription brings this program's transactions.
    #[must_use]
    pub const fn group(self) -> Group {
        match self {
            Self::Pump => Group::BondingCurve,
            Self::PumpSwap => Group::AmmPool,
            _ => Group::ExternalAmm,
        }
    }

    /// Whether its events are decoded. Of the others only invocations are counted, so that their groups have a rate;
    /// parse rate and coverage speak of decoded programs alone.
    #[must_use]
    pub const fn has_decoder(self) -> bool {
        matches!(self, Self::Pump | Self::PumpSwap)
    }

    /// The only signer of its self-CPI events, where it is decoded.
    #[must_use]
    pub const fn event_authority(self) -> Option<&'static Pubkey> {
        match self {
            Self::Pump => Some(&PUMP_EVENT_AUTHORITY),
            Self::PumpSwap => Some(&PUMP_SWAP_EVENT_AUTHORITY),
            _ => None,
        }
    }

    /// The venue name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pump => "pump",
            Self::PumpSwap => "pump_swap",
            Self::RaydiumAmmV4 => "raydium_amm_v4",
            Self::RaydiumCpmm => "raydium_cpmm",
            Self::RaydiumClmm => "raydium_clmm",
            Self::RaydiumLaunchlab => "raydium_launchlab",
            Self::MeteoraDbc => "meteora_dbc",
            Self::MeteoraDammV2 => "meteora_damm_v2",
        }
    }
}

/// pump.
pub const PUMP: Pubkey = Pubkey::from_str_const("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P");
/// `PumpSwap`.
pub const PUMP_SWAP: Pubkey = Pubkey::from_str_const("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA");
/// Raydium AMM v4.
pub const RAYDIUM_AMM_V4: Pubkey = Pubkey::from_str_const("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8");
/// Raydium CPMM.
pub const RAYDIUM_CPMM: Pubkey = Pubkey::from_str_const("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C");
/// Raydium CLMM.
pub const RAYDIUM_CLMM: Pubkey = Pubkey::from_str_const("CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK");
/// Raydium `LaunchLab`.
pub const RAYDIUM_LAUNCHLAB: Pubkey = Pubkey::from_str_const("LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj");
/// Meteora dynamic bonding curve.
pub const METEORA_DBC: Pubkey = Pubkey::from_str_const("dbcij3LWUppWqq96dh6gJWwBifmcGfLSB5D4DuSMaqN");
/// Meteora DAMM v2.
pub const METEORA_DAMM_V2: Pubkey = Pubkey::from_str_const("cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG");
/// pump's event authority: the only signer of its self-CPI events.
pub const PUMP_EVENT_AUTHORITY: Pubkey = Pubkey::from_str_const("Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1");
/// `PumpSwap`'s event authority.
pub const PUMP_SWAP_EVENT_AUTHORITY: Pubkey = Pubkey::from_str_const("GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR");
/// The mayhem program's SOL vault: the user of its agent's trades.
pub const MAYHEM_AGENT: Pubkey = Pubkey::from_str_const("BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s");
