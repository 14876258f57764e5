//! The fixed addresses of the programs and what belongs to them, and keys that are made up.
//!
//! Source: the programs' published addresses, seen in mainnet transactions of October 2026.

use solana_sdk::pubkey::Pubkey;

use crate::simulator::noise;

/// A fixed address.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) key: Pubkey,
    /// Base58.
    pub(super) text: &'static str,
    /// Its place in the address lookup table that versioned transactions use.
    pub(super) table: Option<u8>,
}

const fn fixed(text: &'static str) -> Fixed {
    Fixed { key: Pubkey::from_str_const(text), text, table: None }
}

const fn listed(text: &'static str, place: u8) -> Fixed {
    Fixed { key: Pubkey::from_str_const(text), text, table: Some(place) }
}

/// pump's address lookup table.
pub(super) static LOOKUP_TABLE: Fixed = fixed("Hyif6eWb8x88RVrvjPfabsgRYnwkVnyByEXTVTXbUcyP");

pub(super) static SYSTEM: Fixed = listed("11111111111111111111111111111111", 0);
pub(super) static COMPUTE_BUDGET: Fixed = fixed("ComputeBudget111111111111111111111111111111");
pub(super) static TOKEN: Fixed = listed("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", 1);
pub(super) static TOKEN_2022: Fixed = listed("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb", 2);
pub(super) static ASSOCIATED_TOKEN: Fixed = listed("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL", 3);
pub(super) static METAPLEX: Fixed = listed("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s", 4);
pub(super) static RENT: Fixed = listed("SysvarRent111111111111111111111111111111111", 5);
pub(super) static WRAPPED_SOL: Fixed = listed("So11111111111111111111111111111111111111112", 6);

pub(super) static PUMP: Fixed = listed("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P", 7);
pub(super) static PUMP_AUTHORITY: Fixed = listed("Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1", 8);
pub(super) static PUMP_GLOBAL: Fixed = listed("4wTV1YmiEkRvAtNtsSGPtUrqRYQMe5SKy2uB4Jjaxnjf", 9);
pub(super) static PUMP_FEE_CONFIG: Fixed = listed("8Wf5TiAheLUqBrKXeYg2JtAFFMWtKdG2BSFgqUcPVwTt", 10);
pub(super) static PUMP_VOLUME: Fixed = listed("Hq2wp8uJ9jCPsYgNHex8RtqdvMPfVGoYwjvF1ATiwn2Y", 11);
pub(super) static MINT_AUTHORITY: Fixed = listed("TSLvdd1pWpHVjahSpsvCXUbgwsL3JAcvokwaKt1eokM", 12);
pub(super) static WITHDRAW_AUTHORITY: Fixed = listed("39azUYFWPz3VHgKCf3VChUwbpURdCHRxjWVowf5jUJjg", 13);

pub(super) static PUMP_SWAP: Fixed = listed("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA", 14);
pub(super) static PUMP_SWAP_AUTHORITY: Fixed = listed("GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR", 15);
pub(super) static PUMP_SWAP_GLOBAL: Fixed = listed("ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw", 16);
pub(super) static PUMP_SWAP_FEE_CONFIG: Fixed = listed("5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx", 17);

pub(super) static PUMP_FEES: Fixed = listed("pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ", 18);
pub(super) static MAYHEM: Fixed = listed("MAyhSmzXzV1pTf7LsNkrNwkWKTo4ougAJ1PPg47MD4e", 19);
pub(super) static MAYHEM_PARAMS: Fixed = listed("13ec7XdrjF3h3YcqBTFDSReRcUFwbCnJaAQspM4j6DDJ", 20);
pub(super) static MAYHEM_VAULT: Fixed = listed("BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s", 21);

pub(super) static RAYDIUM_AMM_V4: Fixed = fixed("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8");
pub(super) static RAYDIUM_AMM_V4_AUTHORITY: Fixed = fixed("5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1");
pub(super) static RAYDIUM_CPMM: Fixed = fixed("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C");
pub(super) static RAYDIUM_CPMM_AUTHORITY: Fixed = fixed("GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL");
pub(super) static RAYDIUM_CPMM_CONFIG: Fixed = fixed("D4FPEruKEHrG5TenZ2mpDGEfu1iUvTiqBxvpU8HLBvC2");
pub(super) static OPEN_BOOK: Fixed = fixed("srmqPvymJeFKQ4zGQed1GFppgkRHL9kaELCbyksJtPX");

/// Who gets the protocol's fee of the older instructions.
pub(super) static FEE_RECIPIENTS: [Fixed; 8] = [
    listed("62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV", 22),
    listed("7VtfL8fvgNfhz17qKRMjzQEXgbdpnHHHQRh54R9jP2RJ", 23),
    listed("7hTckgnGnLQR6sdH7YkqFTAA7VwTfYFaZ6EhEsU3saCX", 24),
    listed("9rPYyANsfQZw3DnDmKE3YCQF5E8oD89UXoHn9JFEhJUz", 25),
    listed("AVmoTthdrX6tKt4nDjco2D775W2YK3sDhxPcMmzUAmTY", 26),
    listed("CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM", 27),
    listed("FWsW1xNtWscwNmKv6wVsU1iTzRN6wmmk3MjxRP5tT7hz", 28),
    listed("G5UZAVbAf46s7cKWoyKu8kYTip9DGTpbLZ2qa9Aq69dP", 29),
];
/// Who gets the slice of the protocol's fee that buys back.
pub(super) static BUYBACK_RECIPIENTS: [Fixed; 8] = [
    listed("5YxQFdt3Tr9zJLvkFccqXVUwhdTWJQc1fFg2YPbxvxeD", 30),
    listed("9M4giFFMxmFGXtc3feFzRai56WbBqehoSeRE5GK7gf7", 31),
    listed("GXPFM2caqTtQYC2cJ5yJRi9VDkpsYZXzYdwYpGnLmtDL", 32),
    listed("3BpXnfJaUTiwXnJNe7Ej1rcbzqTTQUvLShZaWazebsVR", 33),
    listed("5cjcW9wExnJJiqgLjq7DEG75Pm6JBgE1hNv4B2vHXUW6", 34),
    listed("EHAAiTxcdDwQ3U4bU6YcMsQGaekdzLS3B5SmYo46kJtL", 35),
    listed("5eHhjP8JaYkz83CWwvGU2uMUXefd3AazWGx4gpcuEEYD", 36),
    listed("A7hAgCzFw14fejgCp387JUJRMNyz4j89JKnhtKU8piqW", 37),
];
/// One of a list, by number.
pub(super) fn one_of(list: &'static [Fixed; 8], number: u64) -> &'static Fixed {
    let [first, ..] = list;
    usize::try_from(number % 8).ok().and_then(|place| list.get(place)).unwrap_or(first)
}

/// Jito's tip accounts.
pub(super) static TIP_ACCOUNTS: [Fixed; 8] = [
    fixed("96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5"),
    fixed("HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe"),
    fixed("Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY"),
    fixed("ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49"),
    fixed("DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh"),
    fixed("ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt"),
    fixed("DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL"),
    fixed("3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT"),
];

/// Programs of trading terminals and aggregators that call the venues for their users.
pub(super) static ROUTERS: [Fixed; 6] = [
    fixed("FLASHX8DrLbgeR8FcfNV1F5krxYcYMUdBkrP1EPBtxB9"),
    fixed("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"),
    fixed("BSfD6SHZigAfDWSjzD5Q41jw8LmKwtmjskPH9XW1mrRW"),
    fixed("GMgnVFR8Jb39LoXsEVzb3DvBy3ywCmdmJquHUy1Lrkqb"),
    fixed("troyXT7Ty3s2rjJe4bqWaroUrS4Fjd8rbHHNHxcACF4"),
    fixed("term9YPb9mzAsABaqN71A4xdbxHmpBNZavpBiQKZzN3"),
];
/// Programs that only their owners call: made up.
static PRIVATE: [Fixed; PRIVATE_PROGRAMS] = [
    fixed("58nMbeheiSJf9o3MorY76BJvtZVXySGBGmfFFhGz1xSC"),
    fixed("8wYmss3V6YEifcuntZk8K1Fxeg9HyqviBK9JJySoS5YT"),
    fixed("3r6kNJe2JBPr7tT7dqEMxA3PmMfiyZwbAcmvXah5Yj8B"),
    fixed("4TTEHvgapGCJRV8jyabK3Gob3Uza5mryyFbmPfVbFqAn"),
    fixed("9yMcGb9KHksvDT7PRHmKwKFJCg2Fye9CLWL2QcHvLMAG"),
    fixed("EswHXnQZaTwUKPBGgWUybo6WaoZqatniNrQPnetNATMU"),
    fixed("42NZzQZ9FaqoarRR5UbQyW2Gp7hix3PxwdnZ4QTTRswz"),
    fixed("2SYGnBovE6gf1jJ3JpTPCcaZE5mU5oEhZ1wfaoxS5GU3"),
    fixed("7J72BeorNqLkPEbzHngVqEvkFPhgotdguGDEN3GYCmVs"),
    fixed("BhrAU8rEqsHYmYkhcpL9xhFGZVRsdwDVesFNGHzh1Sfk"),
    fixed("5rBNYLU6AVEisKgGjqkvuVxVJ4wykBuSFKTcWMoVfExN"),
    fixed("58y8EMEwXiBppU9H6rzVrjFyJVp5hjHj6hnXPtKyxDYA"),
    fixed("8fAonVNHFJpDtfCgoVhHHpL9YaRUjL4xGRm2adCndVVG"),
    fixed("CeJjKbXFFJDZVPGd7J39mYGYEVGiSX46NicRLYBZjvJq"),
    fixed("DeP4rFiZ4ksZgumY5BxU3ihmpyDjkZbGA7BGXj7tjeqT"),
    fixed("82vh5VNLb9jU3CWgkPRFyz2YjNnM5uDgje5LD1bJm7PF"),
    fixed("FC2EvLPXEjGqejTt8p2YoqwdF5bLr6ThC5WzQ1Z5rw2x"),
    fixed("8BzaEkwVmoatRZ4AmDTteaC7wkdwf8MrevQJohggemPR"),
    fixed("Hh82aCVPEzPPQ1HVhfHVMfVokGpwjmVdcT5Yj3QurjzL"),
    fixed("4WTBQQkBbwntdPSNAKsVm4ktdcPtStXrB36kDvZ9f3qy"),
    fixed("7mvbK98UDJB9sN6rhuxGLRpKEyD3mVjjtKPmiJd5F28o"),
    fixed("EazU3ZNwcAV59W3DynuG357giuHTkozkjT2ZthczzUoR"),
    fixed("7Dg95r9omJEh5Dw8gunkBvVxbAyh9m6AJQZBmAL8JdqY"),
    fixed("6MJH23XLubhvP2akvvDMxBMQRqGFjR7F2cfCKdfxzdpe"),
];
pub(super) const PRIVATE_PROGRAMS: usize = 24;

/// The program that calls the venue, by number: the routers, then the private ones.
pub(super) fn router(number: usize) -> Option<&'static Fixed> {
    ROUTERS.get(number).or_else(|| PRIVATE.get(number.checked_sub(ROUTERS.len())?))
}

/// The read-only key by which Axiom's users ask not to be front-run.
pub(super) static AXIOM_MARK: Fixed = fixed("jitodontfront81111111TradeWithAxiomDotTrade");

/// A program-derived address, as the chain derives it.
pub(super) fn derive(program: &Fixed, seeds: &[&[u8]]) -> Pubkey {
    Pubkey::try_find_program_address(seeds, &program.key).map_or_else(Pubkey::default, |(key, _)| key)
}

/// What a made-up key is for.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Purpose {
    Wallet = 16,
    Mint,
    /// A token account; on the chain it would be derived, which costs too much for every trade and is checked by nobody.
    TokenAccount,
    QuoteAccount,
    PoolAccount,
    VolumeAccount,
    Recipient,
    Signature,
    Blockhash,
    Route,
    Aside,
    AsideLp,
}

/// Made-up bytes that belong to this seed, purpose and number.
pub(super) fn made<const N: usize>(seed: u64, purpose: Purpose, number: u64) -> [u8; N] {
    noise::bytes([seed, purpose as u64, number])
}

/// A made-up key.
pub(super) fn made_key(seed: u64, purpose: Purpose, number: u64) -> Pubkey {
    Pubkey::new_from_array(made(seed, purpose, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_addresses_are_those_the_programs_derive() {
        for (address, program, seed) in [
            (&PUMP_AUTHORITY, &PUMP, "__event_authority"),
            (&PUMP_GLOBAL, &PUMP, "global"),
            (&PUMP_VOLUME, &PUMP, "global_volume_accumulator"),
            (&MINT_AUTHORITY, &PUMP, "mint-authority"),
            (&PUMP_SWAP_AUTHORITY, &PUMP_SWAP, "__event_authority"),
            (&PUMP_SWAP_GLOBAL, &PUMP_SWAP, "global_config"),
            (&RAYDIUM_AMM_V4_AUTHORITY, &RAYDIUM_AMM_V4, "amm authority"),
            (&RAYDIUM_CPMM_AUTHORITY, &RAYDIUM_CPMM, "vault_and_lp_mint_auth_seed"),
        ] {
            assert_eq!(derive(program, &[seed.as_bytes()]), address.key, "{seed}");
        }
        for (address, program) in [(&PUMP_FEE_CONFIG, &PUMP), (&PUMP_SWAP_FEE_CONFIG, &PUMP_SWAP)] {
            let seeds: [&[u8]; 2] = [b"fee_config", program.key.as_array()];
            assert_eq!(derive(&PUMP_FEES, &seeds), address.key);
        }
    }
}
