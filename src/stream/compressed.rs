//! Large sets of keys as cuckoo filters: a key in 2.6 bytes instead of 46, at the price of keys that nobody put in.
//!
//! With fingerprints of 16 bits in two buckets of four, a strange key passes with a chance of at most 8 in 65,536: who
//! reads what such a filter brings has to look again ([`Groups::own_of`](crate::chain::group::Groups::own_of)).

use solana_sdk::pubkey::Pubkey;
use yellowstone_grpc_proto::cuckoo;

use crate::chain::proto::CuckooFilter;

/// Of each table that turns out too full one of twice the size is tried, so often.
const TRIES: u32 = 3;

/// The keys as a filter that Yellowstone servers read since the schema 12.4. `None` where they fit into none.
#[must_use]
pub fn compressed(keys: &[Pubkey]) -> Option<CuckooFilter> {
    let made = (0..TRIES).find_map(|doublings| {
        let mut filter = cuckoo::CuckooFilter::<[u8; 32]>::with_capacity(keys.len() << doublings).ok()?;
        keys.iter().try_for_each(|key| filter.insert(key.as_array())).ok()?;
        Some(filter)
    })?;
    let encoded = yellowstone_grpc_proto::geyser::CuckooFilter::from(&made);
    Some(CuckooFilter {
        data: encoded.data.into(),
        bucket_count: encoded.bucket_count,
        entries_per_bucket: encoded.entries_per_bucket,
        fingerprint_bits: encoded.fingerprint_bits,
        hash_seed: encoded.hash_seed,
        hash_algorithm: encoded.hash_algorithm,
    })
}
