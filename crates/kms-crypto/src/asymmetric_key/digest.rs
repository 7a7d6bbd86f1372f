//! The hash of a message to be signed, computed here or by the caller.

use crate::CryptoError;
use aws_lc_rs::digest::{Algorithm, Digest, digest};
use kms_types::MessageType;

/// Hashes a raw message, or takes the caller's digest after a check of its length.
pub(super) fn digest_of(
    hash: &'static Algorithm,
    message_type: MessageType,
    message: &[u8],
) -> Result<Digest, CryptoError> {
    match message_type {
        MessageType::Raw => Ok(digest(hash, message)),
        MessageType::Digest => Digest::import_less_safe(message, hash)
            .map_err(|_length| CryptoError::Length { what: "a digest for this algorithm", found: message.len() }),
        MessageType::ExternalMu => Err(CryptoError::UnsupportedAlgorithm(message_type.as_str())),
    }
}
