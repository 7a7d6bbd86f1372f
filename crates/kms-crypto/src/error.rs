//! Everything that can go wrong here, sorted by whose fault it is.

use crate::{EntropyError, KekEpoch};
use kms_types::KeySpec;

/// Why an operation on keys or ciphertexts failed. No variant carries a byte of a secret or of a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    // The caller of the API, who is told nothing more.
    /// A ciphertext, sealed box or wrapped secret did not open: it was altered, is not one at all, belongs to another
    /// key, or is bound to another context. Which of these is not said, on purpose.
    #[error("refused")]
    Refused,

    // The code or configuration that called this crate.
    /// Material of this key spec cannot be made, held or used for the operation.
    #[error("key spec {0} is not supported by this operation")]
    UnsupportedSpec(KeySpec),
    /// The key does not do this: an algorithm or message type of other keys, or an operation of another kind of key.
    #[error("{0} does not go with this key")]
    UnsupportedAlgorithm(&'static str),
    /// A secret, message or ciphertext does not have a length that its type allows.
    #[error("{what} must not have {found} bytes")]
    Length {
        /// What has the wrong length.
        what: &'static str,
        /// The number of bytes that were handed in.
        found: usize,
    },
    /// The cost parameters of the passphrase are outside the accepted range.
    #[error("passphrase cost parameters are out of range")]
    PassphraseParams,
    /// The named material ID is not that of this material under the named key ID.
    #[error("the key material does not have the named material ID")]
    MaterialMismatch,
    /// The row was wrapped under another epoch of the Region KEK than the one offered.
    #[error("wrapped under Region KEK epoch {wrapped}, offered epoch {offered}")]
    EpochMismatch {
        /// The epoch that the row names.
        wrapped: KekEpoch,
        /// The epoch of the KEK that was handed in.
        offered: KekEpoch,
    },

    // The machine.
    /// The source of random bytes failed; nothing was made.
    #[error("no random bytes")]
    Entropy(#[from] EntropyError),
    /// A library refused an input that is far below its limits.
    #[error("the {0} library failed")]
    Library(&'static str),

    // Corruption; or the caller of the API, where the bytes are a caller's key.
    /// The bytes are not what they should be, or come from a newer version of the format.
    #[error("these bytes are not a {0} of a known form")]
    Malformed(&'static str),
}
