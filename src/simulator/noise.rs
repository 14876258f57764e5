//! Bytes that look random and are a function of their names: hashes, keys and signatures of the simulated chain.

/// Steps of `SplitMix64` (public domain, Vigna): every output bit depends on every input bit.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A well-mixed number.
pub(super) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `N` bytes that belong to these names, and to no other names but by chance.
pub(super) fn bytes<const N: usize>(names: [u64; 3]) -> [u8; N] {
    let mut state = names.into_iter().fold(0, |state, name| mix(state ^ name));
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(8) {
        state = state.wrapping_add(STEP);
        chunk.copy_from_slice(&mix(state).to_le_bytes()[..chunk.len()]);
    }
    bytes
}
