//! A small random source whose whole state is the printed seed.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The source of one test, from `MERIDIAN_SEED` or by chance; prints how to repeat the run.
    pub fn for_test(target: &str, name: &str) -> Self {
        let seed = match std::env::var_os("MERIDIAN_SEED") {
            Some(seed) => seed.to_str().and_then(|seed| seed.parse().ok()).expect("MERIDIAN_SEED is a number"),
            None => RandomState::new().hash_one(Duration::ZERO),
        };
        say(&format!(
            "{name}: seed {seed}; repeat with MERIDIAN_SEED={seed} cargo test --release -p meridian-tests \
             --features faults --test {target} {name}"
        ));
        Self(seed)
    }

    /// A source of its own for a part of the test, so that threads do not disturb each other's sequence.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(self.number())
    }

    /// Any number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// One of the values.
    pub fn pick<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        let count = u64::try_from(values.len()).expect("fits");
        &values[usize::try_from(self.below(count)).expect("fits")]
    }

    /// Any bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.number().to_le_bytes()).flatten().take(count).collect()
    }
}

/// Prints a line of the test's report.
#[expect(clippy::print_stderr, reason = "tests report to standard error; the test runner shows it when they fail")]
pub fn say(line: &str) {
    eprintln!("{line}");
}
