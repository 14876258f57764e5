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
    /// Meteora DLMM.
    MeteoraDlmm,
    /// Meteora DAMM v1.
    MeteoraDammV1,
    /// Orca Whirlpool.
    OrcaWhirlpool,
}

/// How a program tells what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// By calling itself with the event; some programs log the same bytes besides.
    SelfCall,
    /// By `Program data:` log lines only.
    Log,
    /// By `ray_log:` text only.
    RayLog,
}

impl Transport {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfCall => "cpi",
            Self::Log => "log",
            Self::RayLog => "ray_log",
        }
    }
}

impl Program {
    /// All programs.
    pub const ALL: [Self; 11] = [
        Self::Pump,
        Self::PumpSwap,
        Self::RaydiumAmmV4,
        Self::RaydiumCpmm,
        Self::RaydiumClmm,
        Self::RaydiumLaunchlab,
        Self::MeteoraDbc,
        Self::MeteoraDammV2,
        Self::MeteoraDlmm,
        Self::MeteoraDammV1,
        Self::OrcaWhirlpool,
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
            Self::MeteoraDlmm => &METEORA_DLMM,
            Self::MeteoraDammV1 => &METEORA_DAMM_V1,
            Self::OrcaWhirlpool => &ORCA_WHIRLPOOL,
        }
    }

    /// The address as logs write it.
    #[must_use]
    pub const fn base58(self) -> &'static str {
        match self {
            Self::Pump => PUMP_BASE58,
            Self::PumpSwap => PUMP_SWAP_BASE58,
            Self::RaydiumAmmV4 => RAYDIUM_AMM_V4_BASE58,
            Self::RaydiumCpmm => RAYDIUM_CPMM_BASE58,
            Self::RaydiumClmm => RAYDIUM_CLMM_BASE58,
            Self::RaydiumLaunchlab => RAYDIUM_LAUNCHLAB_BASE58,
            Self::MeteoraDbc => METEORA_DBC_BASE58,
            Self::MeteoraDammV2 => METEORA_DAMM_V2_BASE58,
            Self::MeteoraDlmm => METEORA_DLMM_BASE58,
            Self::MeteoraDammV1 => METEORA_DAMM_V1_BASE58,
            Self::OrcaWhirlpool => ORCA_WHIRLPOOL_BASE58,
        }
    }

    /// The program at this address, if we know it.
    #[must_use]
    pub fn from_id(id: &[u8; 32]) -> Option<Self> {
        match Role::of(id) {
            Some(Role::Venue(program)) => Some(program),
            _ => None,
        }
    }

    /// The program whose address logs write like this, if we know it.
    #[must_use]
    pub fn from_base58(id: &[u8]) -> Option<Self> {
        // Asked for every call in a log.
        let head = id.first_chunk().map(|head| u64::from_le_bytes(*head))?;
        let at = BASE58_HEADS.iter().position(|known| *known == head)?;
        Self::ALL.get(at).copied().filter(|program| program.base58().as_bytes() == id)
    }

    /// How it tells what it did.
    #[must_use]
    pub const fn transport(self) -> Transport {
        match self {
            Self::RaydiumAmmV4 => Transport::RayLog,
            Self::RaydiumCpmm | Self::RaydiumClmm | Self::MeteoraDammV1 | Self::OrcaWhirlpool => Transport::Log,
            _ => Transport::SelfCall,
        }
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

    /// The only signer of its self-CPI events, where it sends any.
    #[must_use]
    pub const fn event_authority(self) -> Option<&'static Pubkey> {
        match self {
            Self::Pump => Some(&PUMP_EVENT_AUTHORITY),
            Self::PumpSwap => Some(&PUMP_SWAP_EVENT_AUTHORITY),
            Self::RaydiumLaunchlab => Some(&RAYDIUM_LAUNCHLAB_EVENT_AUTHORITY),
            Self::MeteoraDbc => Some(&METEORA_DBC_EVENT_AUTHORITY),
            Self::MeteoraDammV2 => Some(&METEORA_DAMM_V2_EVENT_AUTHORITY),
            Self::MeteoraDlmm => Some(&METEORA_DLMM_EVENT_AUTHORITY),
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
            Self::MeteoraDlmm => "meteora_dlmm",
            Self::MeteoraDammV1 => "meteora_damm_v1",
            Self::OrcaWhirlpool => "orca_whirlpool",
        }
    }
}

const PUMP_BASE58: &str = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P";
const PUMP_SWAP_BASE58: &str = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA";
const RAYDIUM_AMM_V4_BASE58: &str = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8";
const RAYDIUM_CPMM_BASE58: &str = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C";
const RAYDIUM_CLMM_BASE58: &str = "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK";
const RAYDIUM_LAUNCHLAB_BASE58: &str = "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj";
const METEORA_DBC_BASE58: &str = "dbcij3LWUppWqq96dh6gJWwBifmcGfLSB5D4DuSMaqN";
const METEORA_DAMM_V2_BASE58: &str = "cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG";
const METEORA_DLMM_BASE58: &str = "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo";
const METEORA_DAMM_V1_BASE58: &str = "Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB";
const ORCA_WHIRLPOOL_BASE58: &str = "whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc";

/// What a program is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// One whose instructions we recognise.
    Venue(Program),
    /// Moves lamports.
    System,
    /// Moves tokens: the token program or Token-2022.
    Token,
    /// Opens each owner's usual token accounts.
    AssociatedToken,
    /// Sets a transaction's compute limit and price.
    ComputeBudget,
}

impl Role {
    /// The role of the program at this address, if it has one.
    #[must_use]
    #[inline]
    pub fn of(id: &[u8; 32]) -> Option<Self> {
        // Asked for every instruction: one place of a table rules out nearly everything.
        let head = head(id);
        let (_, known) = BY_HEAD.get(place(head)).filter(|(known, _)| *known == head)?;
        (*known).filter(|(known, _)| known.as_array() == id).map(|(_, role)| role)
    }
}

/// The programs with a role that are no venues.
const HELPERS: [(&Pubkey, Role); 5] = [
    (&SYSTEM, Role::System),
    (&TOKEN, Role::Token),
    (&TOKEN_2022, Role::Token),
    (&ASSOCIATED_TOKEN, Role::AssociatedToken),
    (&COMPUTE_BUDGET, Role::ComputeBudget),
];

/// The same of the addresses as logs write them.
const BASE58_HEADS: [u64; Program::ALL.len()] = {
    let mut heads = [0; Program::ALL.len()];
    let mut at = 0;
    while at < heads.len() {
        heads[at] = head(Program::ALL[at].base58().as_bytes());
        at += 1;
    }
    heads
};

/// The programs with a role by [`place`], with their heads. Two of them in one place would not compile.
static BY_HEAD: [(u64, Option<(&Pubkey, Role)>); 1 << PLACE_BITS] = {
    let mut table: [(u64, Option<(&Pubkey, Role)>); 1 << PLACE_BITS] = [(0, None); 1 << PLACE_BITS];
    let mut at = 0;
    while at < Program::ALL.len() + HELPERS.len() {
        let (id, role) = if at < HELPERS.len() {
            HELPERS[at]
        } else {
            let program = Program::ALL[at - HELPERS.len()];
            (program.id(), Role::Venue(program))
        };
        let head = head(id.as_array());
        let place = place(head);
        assert!(table[place].1.is_none(), "another multiplier is needed");
        table[place] = (head, Some((id, role)));
        at += 1;
    }
    table
};

/// Two to this power are the places of [`BY_HEAD`].
const PLACE_BITS: u32 = 7;

/// Where a program with that head stands: any odd multiplier spreads the heads, this one is that of Fibonacci hashing.
#[allow(clippy::cast_possible_truncation, reason = "seven bits")]
const fn place(head: u64) -> usize {
    (head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACE_BITS)) as usize
}

const fn head(id: &[u8]) -> u64 {
    match id.first_chunk() {
        Some(head) => u64::from_le_bytes(*head),
        None => 0,
    }
}

/// pump.
pub const PUMP: Pubkey = Pubkey::from_str_const(PUMP_BASE58);
/// `PumpSwap`.
pub const PUMP_SWAP: Pubkey = Pubkey::from_str_const(PUMP_SWAP_BASE58);
/// Raydium AMM v4.
pub const RAYDIUM_AMM_V4: Pubkey = Pubkey::from_str_const(RAYDIUM_AMM_V4_BASE58);
/// Raydium CPMM.
pub const RAYDIUM_CPMM: Pubkey = Pubkey::from_str_const(RAYDIUM_CPMM_BASE58);
/// Raydium CLMM.
pub const RAYDIUM_CLMM: Pubkey = Pubkey::from_str_const(RAYDIUM_CLMM_BASE58);
/// Raydium `LaunchLab`.
pub const RAYDIUM_LAUNCHLAB: Pubkey = Pubkey::from_str_const(RAYDIUM_LAUNCHLAB_BASE58);
/// Meteora dynamic bonding curve.
pub const METEORA_DBC: Pubkey = Pubkey::from_str_const(METEORA_DBC_BASE58);
/// Meteora DAMM v2.
pub const METEORA_DAMM_V2: Pubkey = Pubkey::from_str_const(METEORA_DAMM_V2_BASE58);
/// Meteora DLMM.
pub const METEORA_DLMM: Pubkey = Pubkey::from_str_const(METEORA_DLMM_BASE58);
/// Meteora DAMM v1.
pub const METEORA_DAMM_V1: Pubkey = Pubkey::from_str_const(METEORA_DAMM_V1_BASE58);
/// Orca Whirlpool.
pub const ORCA_WHIRLPOOL: Pubkey = Pubkey::from_str_const(ORCA_WHIRLPOOL_BASE58);
/// pump's event authority: the only signer of its self-CPI events.
pub const PUMP_EVENT_AUTHORITY: Pubkey = Pubkey::from_str_const("Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1");
/// `PumpSwap`'s event authority.
pub const PUMP_SWAP_EVENT_AUTHORITY: Pubkey = Pubkey::from_str_const("GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR");
/// `LaunchLab`'s event authority.
pub const RAYDIUM_LAUNCHLAB_EVENT_AUTHORITY: Pubkey =
    Pubkey::from_str_const("2DPAtwB8L12vrMRExbLuyGnC7n2J5LNoZQSejeQGpwkr");
/// The event authority of Meteora's dynamic bonding curve.
pub const METEORA_DBC_EVENT_AUTHORITY: Pubkey = Pubkey::from_str_const("8Ks12pbrD6PXxfty1hVQiE9sc289zgU1zHkvXhrSdriF");
/// DAMM v2's event authority.
pub const METEORA_DAMM_V2_EVENT_AUTHORITY: Pubkey =
    Pubkey::from_str_const("3rmHSu74h1ZcmAisVcWerTCiRDQbUrBKmcwptYGjHfet");
/// DLMM's event authority.
pub const METEORA_DLMM_EVENT_AUTHORITY: Pubkey = Pubkey::from_str_const("D1ZN9Wj1fRSUQfCjhvnu1hqDMT7hzjzBBpi12nVniYD6");
/// The mayhem program's SOL vault: the user of its agent's trades.
pub const MAYHEM_AGENT: Pubkey = Pubkey::from_str_const("BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s");
/// The token program.
pub const TOKEN: Pubkey = Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// Token-2022.
pub const TOKEN_2022: Pubkey = Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
/// The program that opens each owner's usual token accounts.
pub const ASSOCIATED_TOKEN: Pubkey = Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// The compute budget program.
pub const COMPUTE_BUDGET: Pubkey = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
/// The system program.
pub const SYSTEM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");
