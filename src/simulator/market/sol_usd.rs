//! The price of SOL, as the accounts of three pools of SOL and USDC state it.
//!
//! Layouts: the programs' published IDLs (Orca Whirlpool 0.9.0, Raydium CLMM): only what a reader of the price looks at is
//! filled in.

use fastrand::Rng;
use solana_sdk::pubkey::Pubkey;
use yellowstone_grpc_proto::geyser::SubscribeUpdateAccountInfo;

use super::address::{Purpose, WRAPPED_SOL, made};

const USDC: Pubkey = Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
const WHIRLPOOL: Pubkey = Pubkey::from_str_const("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc");
const CLMM: Pubkey = Pubkey::from_str_const("CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK");

/// How often a pool is traded in and so written, in microseconds.
const EVERY: std::ops::Range<u64> = 400_000..1_600_000;
/// Most a pool strays from the common price.
const STRAY: f64 = 0.000_6;
/// Most the price moves from one write to the next.
const STEP: f64 = 0.000_4;

/// A pool account: what it is, and where it says what.
struct Layout {
    address: Pubkey,
    owner: Pubkey,
    discriminator: [u8; 8],
    length: usize,
    sqrt_price_at: usize,
    mints_at: [usize; 2],
    /// Where decimals stand, if they do.
    decimals_at: Option<usize>,
}

const fn clmm(address: &str) -> Layout {
    Layout {
        address: Pubkey::from_str_const(address),
        owner: CLMM,
        discriminator: [0xf7, 0xed, 0xe3, 0xf5, 0xd7, 0xc3, 0xde, 0x46],
        length: 1_544,
        sqrt_price_at: 253,
        mints_at: [73, 105],
        decimals_at: Some(233),
    }
}

static POOLS: [Layout; 3] = [
    Layout {
        address: Pubkey::from_str_const("Czfq3xZZDmsdGdUyrNLtRhGc47cXcZtLG4crryfu44zE"),
        owner: WHIRLPOOL,
        discriminator: [0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09],
        length: 653,
        sqrt_price_at: 65,
        mints_at: [101, 181],
        decimals_at: None,
    },
    clmm("3ucNos4NbumPLZNWztqGHNFFgkHeRMBQAVemeeomsUxv"),
    clmm("8sLbNZoA1cfnvMJLPfp98ZLAnFSYCFApfJKMbiXNLwxj"),
];

/// The price and who states it when.
pub(super) struct SolUsd {
    seed: u64,
    rng: Rng,
    /// Dollars.
    price: f64,
    /// When each pool is written next, in microseconds.
    next: [u64; POOLS.len()],
    writes: u64,
}

impl SolUsd {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 2);
        let price = 120.0 + 120.0 * rng.f64();
        Self { seed, rng, price, next: [0, 150_000, 300_000], writes: 0 }
    }

    /// The accounts written before this time, with the times.
    pub(super) fn until(&mut self, end: u64) -> Vec<(u64, SubscribeUpdateAccountInfo)> {
        let mut written = Vec::new();
        for (place, pool) in POOLS.iter().enumerate() {
            while let Some(at) = self.next.get(place).copied().filter(|at| *at < end) {
                if let Some(next) = self.next.get_mut(place) {
                    *next = at + self.rng.u64(EVERY);
                }
                written.push((at, self.write(pool)));
            }
        }
        written.sort_by_key(|(at, _)| *at);
        written
    }

    fn write(&mut self, pool: &Layout) -> SubscribeUpdateAccountInfo {
        self.price *= 1.0 + STEP * (2.0 * self.rng.f64() - 1.0);
        let stated = self.price * (1.0 + STRAY * (2.0 * self.rng.f64() - 1.0));
        self.writes += 1;
        // SOL is the first mint: micro-dollars per lamport.
        let root = (stated / 1_000.0).sqrt();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 2^64")]
        let sqrt_price = (root * 2_f64.powi(64)) as u128;
        let mut data = vec![0; pool.length];
        let mut put = |at: usize, bytes: &[u8]| {
            for (to, from) in data.iter_mut().skip(at).zip(bytes) {
                *to = *from;
            }
        };
        put(0, &pool.discriminator);
        put(pool.sqrt_price_at, &sqrt_price.to_le_bytes());
        for (at, mint) in pool.mints_at.into_iter().zip([&WRAPPED_SOL.key, &USDC]) {
            put(at, mint.as_array());
        }
        if let Some(at) = pool.decimals_at {
            put(at, &[9, 6]);
        }
        SubscribeUpdateAccountInfo {
            pubkey: pool.address.as_array().to_vec(),
            lamports: 5_435_760,
            owner: pool.owner.as_array().to_vec(),
            executable: false,
            rent_epoch: u64::MAX,
            data,
            write_version: self.writes,
            // The trade that moved it is none of the watched programs'.
            txn_signature: Some(made::<64>(self.seed, Purpose::Signature, u64::MAX - self.writes).to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn three_pools_agree_on_a_price_that_moves_slowly() {
        let mut price = SolUsd::new(4);
        let written = price.until(60_000_000);
        assert!((120..200).contains(&written.len()), "{}", written.len());
        assert!(written.is_sorted_by_key(|(at, _)| *at));
        let read = |account: &SubscribeUpdateAccountInfo| {
            let pool = POOLS.iter().find(|pool| pool.address.as_array() == account.pubkey.as_slice()).unwrap();
            assert_eq!((account.data.len(), &account.data[..8]), (pool.length, &pool.discriminator[..]));
            let bytes = account.data[pool.sqrt_price_at..pool.sqrt_price_at + 16].try_into().unwrap();
            #[allow(clippy::cast_precision_loss, reason = "a price")]
            let root = u128::from_le_bytes(bytes) as f64 / 2_f64.powi(64);
            root * root * 1_000.0
        };
        let prices: Vec<f64> = written.iter().map(|(_, account)| read(account)).collect();
        assert!(prices.iter().all(|price| (100.0..260.0).contains(price)), "{prices:?}");
        assert!(prices.windows(2).all(|pair| (pair[1] / pair[0] - 1.0).abs() < 0.01));
    }
}
