//! The root key: the one secret that is kept outside the store.

use crate::aead::Cipher;
use crate::kdf::derive;
use crate::secret::Secret;
use crate::{CryptoError, Entropy, PassphraseParams};
use std::fmt;
use zeroize::Zeroizing;

const WRAP_LABEL: &str = "meridian/v1/root-key/wrap";
const CHECK_LABEL: &str = "meridian/v1/root-key/check";

/// The root key of one Region. It wraps the epochs of the Region KEK and nothing else.
pub struct RootKey {
    secret: Secret,
}

impl RootKey {
    /// Draws a new root key.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        Ok(Self { secret: Secret::draw(entropy)? })
    }

    /// Takes the 32 bytes of an existing root key.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for any other number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let wrong = CryptoError::Length { what: "a root key", found: bytes.len() };
        Secret::from_slice(bytes).map(|secret| Self { secret }).ok_or(wrong)
    }

    /// Derives the root key from a passphrase with Argon2id. Takes a noticeable fraction of a second and the memory
    /// that `params` name: once at start, never on a request's path.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for an empty passphrase; [`CryptoError::Library`] when Argon2 refuses the input.
    pub fn from_passphrase(passphrase: &[u8], salt: &[u8; 16], params: PassphraseParams) -> Result<Self, CryptoError> {
        if passphrase.is_empty() {
            return Err(CryptoError::Length { what: "a passphrase", found: 0 });
        }
        Ok(Self { secret: params.derive(passphrase, salt)? })
    }

    /// The bytes, for writing the root-key file (mode 0600) and for no other use.
    #[must_use]
    pub fn expose_for_file(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.secret.expose().to_vec())
    }

    /// A value that may be stored in the clear beside the data, so that a wrong root key is told before anything else
    /// is tried. It differs between clusters and Regions and reveals nothing of the key. A root key from a weak
    /// passphrase can be guessed against it, at the full cost of Argon2 for each guess.
    #[must_use]
    pub fn check_value(&self, cluster_and_region: &str) -> [u8; 16] {
        let value = derive(CHECK_LABEL, self.secret.expose(), &[cluster_and_region.as_bytes()]);
        value.expose().first_chunk().copied().unwrap_or_default()
    }

    /// The cipher that wraps Region KEKs.
    pub(crate) fn wrapping_cipher(&self) -> Cipher {
        Cipher::new(&derive(WRAP_LABEL, self.secret.expose(), &[]))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(secret)")
    }
}
