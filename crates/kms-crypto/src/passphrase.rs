//! The cost of turning a passphrase into a root key.

use crate::CryptoError;
use crate::secret::Secret;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::fmt;
use zeroize::Zeroize;

/// Cost parameters of Argon2id (RFC 9106). They must be kept beside the salt: other parameters give another key.
#[derive(Clone, PartialEq, Eq)]
pub struct PassphraseParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PassphraseParams {
    /// The least memory accepted, in KiB (OWASP Password Storage Cheat Sheet, Argon2id with two passes).
    pub const MEMORY_KIB_MIN: u32 = 19 * 1024;
    /// The most memory accepted, in KiB: 4 GiB.
    pub const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;
    /// The least number of passes accepted.
    pub const PASSES_MIN: u32 = 2;
    /// The largest number of passes accepted.
    pub const PASSES_MAX: u32 = 64;
    /// The largest number of lanes accepted.
    pub const LANES_MAX: u32 = 64;

    /// Parameters other than the default.
    ///
    /// # Errors
    /// [`CryptoError::PassphraseParams`] when one is out of its range.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CryptoError> {
        let accepted = (Self::MEMORY_KIB_MIN..=Self::MEMORY_KIB_MAX).contains(&memory_kib)
            && (Self::PASSES_MIN..=Self::PASSES_MAX).contains(&passes)
            && (1..=Self::LANES_MAX).contains(&lanes);
        if accepted { Ok(Self { memory_kib, passes, lanes }) } else { Err(CryptoError::PassphraseParams) }
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Number of passes over the memory.
    #[must_use]
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// Number of lanes.
    #[must_use]
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Runs Argon2id, version 1.3, and wipes its memory.
    pub(crate) fn derive(&self, passphrase: &[u8], salt: &[u8; 16]) -> Result<Secret, CryptoError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_out_of_range| CryptoError::PassphraseParams)?;
        let mut out = Secret::zero();
        let mut memory = vec![Block::default(); params.block_count()];
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let done = argon.hash_password_into_with_memory(passphrase, salt, out.as_mut(), &mut memory);
        for block in &mut memory {
            block.zeroize();
        }
        done.map_err(|_limits| CryptoError::Library("Argon2"))?;
        Ok(out)
    }
}

impl Default for PassphraseParams {
    /// 64 MiB, three passes, one lane: the second recommended option of RFC 9106 §4, with one lane since lanes run
    /// one after the other here.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

impl fmt::Debug for PassphraseParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Argon2id(m={} KiB, t={}, p={})", self.memory_kib, self.passes, self.lanes)
    }
}
