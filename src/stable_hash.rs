//! A hash that is the same in every run and every version of remoteexe. std's hashes may change with Rust.

/// A uniform number: the FNV-1a hash of 64 bits, and the last step of `SplitMix64`, because the upper bits of FNV-1a
/// hardly differ for texts that differ at their ends.
pub fn hash(text: &[u8]) -> u64 {
    let fnv = text
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (fnv ^ fnv >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
