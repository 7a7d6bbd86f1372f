//! The message of Sign and Verify: what its `MessageType` requires.

use crate::{KmsError, Validation};
use kms_types::{KeySpec, MessageType, SigningAlgorithm, limits};

/// Bytes of the message representative µ (FIPS 204 §6.2).
const MU_BYTES: usize = 64;

/// Checks message type and length. AWS's texts are recorded for digests of RSA and ECC keys; those of message types that
/// do not fit are as an emulator has them.
pub(crate) fn check_message(
    spec: KeySpec,
    algorithm: SigningAlgorithm,
    message_type: MessageType,
    message: &[u8],
) -> Result<(), KmsError> {
    use MessageType as M;
    use SigningAlgorithm as A;
    Validation::check_length(message.len(), "message", limits::PLAINTEXT_BYTES_MAX)?;
    match (algorithm, message_type) {
        (A::Ed25519Sha512, M::Digest | M::ExternalMu) | (A::Ed25519PhSha512, M::Raw | M::ExternalMu) => {
            Err(KmsError::service(format!("Message type {message_type} is incompatible with algorithm {algorithm}.")))
        }
        (A::MlDsaShake256, M::Digest) => Err(incompatible(message_type, spec)),
        (A::MlDsaShake256, M::ExternalMu) if message.len() == MU_BYTES => Ok(()),
        (A::MlDsaShake256, M::ExternalMu) => {
            Err(KmsError::service(format!("External Mu is invalid length for algorithm {algorithm}.")))
        }
        (_, M::Raw) => Ok(()),
        (_, M::ExternalMu) => Err(incompatible(message_type, spec)),
        (_, M::Digest) if Some(message.len()) == digest_bytes(algorithm) => Ok(()),
        (_, M::Digest) => Err(KmsError::service(format!("Digest is invalid length for algorithm {algorithm}."))),
    }
}

fn incompatible(message_type: MessageType, spec: KeySpec) -> KmsError {
    KmsError::service(format!("Message type {message_type} is incompatible with key spec {spec}."))
}

/// Length of the hash that the algorithm signs; `None` where it signs no hash.
const fn digest_bytes(algorithm: SigningAlgorithm) -> Option<usize> {
    use SigningAlgorithm as A;
    match algorithm {
        A::RsassaPssSha256 | A::RsassaPkcs1V15Sha256 | A::EcdsaSha256 | A::Sm2Dsa => Some(32),
        A::RsassaPssSha384 | A::RsassaPkcs1V15Sha384 | A::EcdsaSha384 => Some(48),
        A::RsassaPssSha512 | A::RsassaPkcs1V15Sha512 | A::EcdsaSha512 | A::Ed25519PhSha512 => Some(64),
        A::MlDsaShake256 | A::Ed25519Sha512 => None,
    }
}
