//! Compressed sets of keys (cuckoo filters). They may hold a key that nobody put in: clients check again.

use yellowstone_grpc_proto::{
    cuckoo::CuckooFilter,
    geyser::{CuckooFilter as Encoded, CuckooHashAlgorithm},
};

use super::FilterError;

/// The one layout of yellowstone-grpc-proto 14.
const FINGERPRINT_BITS: u32 = 16;
const ENTRIES_PER_BUCKET: u32 = 4;
const BUCKET_BYTES: usize = 8;

/// A compressed set of keys.
pub(super) type Compressed = CuckooFilter<[u8; 32]>;

/// Reads a set.
pub(super) fn compile(encoded: &Encoded) -> Result<Compressed, FilterError> {
    let buckets = usize::try_from(encoded.bucket_count).unwrap_or(usize::MAX);
    let known = encoded.hash_algorithm == CuckooHashAlgorithm::SipHash as i32
        && encoded.fingerprint_bits == FINGERPRINT_BITS
        && encoded.entries_per_bucket == ENTRIES_PER_BUCKET;
    if !known {
        return Err(FilterError::Cuckoo("cuckoo filter: unknown layout"));
    }
    if !buckets.is_power_of_two() || encoded.data.len() != buckets.saturating_mul(BUCKET_BYTES) {
        return Err(FilterError::Cuckoo("cuckoo filter: not as many buckets as it says"));
    }
    Ok(Compressed::from(encoded))
}
