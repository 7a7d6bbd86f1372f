//! A 32-byte secret that stays where it was made.

use crate::{Entropy, EntropyError};
use zeroize::Zeroizing;

/// 32 secret bytes, zeroised when dropped. On the heap, so that moving the owner leaves no copy behind on the stack.
pub(crate) struct Secret(Box<Zeroizing<[u8; 32]>>);

impl Secret {
    /// Draws a secret.
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut secret = Self::zero();
        entropy.fill(secret.as_mut())?;
        Ok(secret)
    }

    /// Copies a secret; none when there are not 32 bytes.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let mut secret = Self::zero();
        secret.as_mut().copy_from_slice(bytes);
        Some(secret)
    }

    /// A buffer to be filled in place.
    pub(crate) fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}
