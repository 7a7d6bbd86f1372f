//! Randomness as an argument, and its adapter for libraries that want a generator.

use rand_core::{Infallible, TryCryptoRng, TryRng};
use zeroize::Zeroizing;

/// A source of random bytes that are fit for keys and nonces, handed in by the caller.
pub trait Entropy: Send + Sync {
    /// Fills `dest` with fresh random bytes.
    ///
    /// # Errors
    /// [`EntropyError`] when no random bytes are to be had; `dest` must not be used then.
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError>;
}

/// The source of random bytes failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of random bytes failed")]
pub struct EntropyError;

/// Lets a library with an infallible generator draw from an [`Entropy`]. A failure is remembered and must be asked
/// for with [`Self::finish`] before anything that the library made is used.
pub(crate) struct EntropyRng<'a> {
    source: &'a dyn Entropy,
    failed: bool,
}

impl<'a> EntropyRng<'a> {
    pub(crate) const fn new(source: &'a dyn Entropy) -> Self {
        Self { source, failed: false }
    }

    /// Whether every draw succeeded.
    pub(crate) const fn finish(self) -> Result<(), EntropyError> {
        if self.failed { Err(EntropyError) } else { Ok(()) }
    }
}

impl TryRng for EntropyRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = Zeroizing::new([0; 4]);
        self.try_fill_bytes(bytes.as_mut_slice())?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = Zeroizing::new([0; 8]);
        self.try_fill_bytes(bytes.as_mut_slice())?;
        Ok(u64::from_le_bytes(*bytes))
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Infallible> {
        if self.source.fill(dest).is_err() {
            self.failed = true;
        }
        Ok(())
    }
}

impl TryCryptoRng for EntropyRng<'_> {}
