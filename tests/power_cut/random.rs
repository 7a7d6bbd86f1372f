//! A small random source whose whole state is the printed seed.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The source of one test, from `MERIDIAN_SEED` or by chance; prints how to repeat the run.
    pub(crate) fn for_test(name: &str) -> Self {
        let seed = match std::env::var_os("MERIDIAN_SEED") {
            Some(seed) => seed.to_str().expect("a number").parse().expect("a number"),
            None => RandomState::new().hash_one(Duration::ZERO),
        };
        eprintln!(
            "{name}: seed {seed}; repeat with \
             MERIDIAN_SEED={seed} cargo test -p meridian-tests --features faults --test power_cut {name}"
        );
        Self(seed)
    }

    #[cfg(test)]
    pub(crate) const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
