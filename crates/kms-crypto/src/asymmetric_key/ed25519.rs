//! Ed25519 and Ed25519ph (RFC 8032). The private key is its 32-byte seed.

use crate::CryptoError;
use aws_lc_rs::digest::SHA512_OUTPUT_LEN;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use kms_types::{MessageType, SigningAlgorithm};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

const LIBRARY: CryptoError = CryptoError::Library("Ed25519");
const MALFORMED: CryptoError = CryptoError::Malformed("Ed25519 key");

/// Bytes of the seed.
pub(crate) const SEED_BYTES: usize = 32;

/// A key pair, in the one library for pure signatures and in the other for pre-hashed ones.
pub(super) struct Ed25519Key {
    pure: Ed25519KeyPair,
    pre_hashed: Box<SigningKey>,
    verifier: Verifier,
}

impl Ed25519Key {
    /// Computes the key pair of a seed.
    pub(super) fn new(seed: &[u8]) -> Result<Self, CryptoError> {
        let pure = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_rejected| MALFORMED)?;
        let pre_hashed = Box::new(SigningKey::from_bytes(seed.try_into().map_err(|_length| MALFORMED)?));
        let verifier = Verifier::new(pre_hashed.verifying_key().as_bytes())?;
        Ok(Self { pure, pre_hashed, verifier })
    }

    pub(super) fn public_key_der(&self) -> Result<Vec<u8>, CryptoError> {
        self.pure.public_key().as_der().map(|der| der.as_ref().to_vec()).map_err(|_failed| LIBRARY)
    }

    pub(super) fn private_key_der(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.pure.to_pkcs8v1().map(|der| Zeroizing::new(der.as_ref().to_vec())).map_err(|_failed| LIBRARY)
    }

    /// 64 bytes, `R ‖ S`.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        match Mode::of(algorithm, message_type, message)? {
            Mode::Pure => {
                self.pure.try_sign(message).map(|signature| signature.as_ref().to_vec()).map_err(|_failed| LIBRARY)
            }
            Mode::PreHashed => self
                .pre_hashed
                .sign_prehashed(pre_hash(message), None)
                .map(|signature| signature.to_vec())
                .map_err(|_failed| LIBRARY),
        }
    }

    pub(super) const fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

/// The public half.
pub(super) struct Verifier {
    pure: ParsedPublicKey,
    pre_hashed: VerifyingKey,
}

impl Verifier {
    /// Takes the 32 bytes of a public key.
    pub(super) fn new(public: &[u8; 32]) -> Result<Self, CryptoError> {
        let pure = ParsedPublicKey::new(&ED25519, public).map_err(|_rejected| MALFORMED)?;
        Ok(Self { pure, pre_hashed: VerifyingKey::from_bytes(public).map_err(|_rejected| MALFORMED)? })
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match Mode::of(algorithm, message_type, message)? {
            Mode::Pure => self.pure.verify_sig(message, signature).map_err(|_differs| CryptoError::Refused),
            Mode::PreHashed => {
                let signature = Signature::from_slice(signature).map_err(|_length| CryptoError::Refused)?;
                self.pre_hashed
                    .verify_prehashed_strict(pre_hash(message), None, &signature)
                    .map_err(|_differs| CryptoError::Refused)
            }
        }
    }
}

/// Which of the two algorithms. They are not interchangeable, and each goes with one message type only (AWS KMS API
/// Reference, Sign, `MessageType`).
enum Mode {
    Pure,
    PreHashed,
}

impl Mode {
    fn of(algorithm: SigningAlgorithm, message_type: MessageType, message: &[u8]) -> Result<Self, CryptoError> {
        match (algorithm, message_type) {
            (SigningAlgorithm::Ed25519Sha512, MessageType::Raw) => Ok(Self::Pure),
            (SigningAlgorithm::Ed25519PhSha512, MessageType::Digest) if message.len() == SHA512_OUTPUT_LEN => {
                Ok(Self::PreHashed)
            }
            (SigningAlgorithm::Ed25519PhSha512, MessageType::Digest) => {
                Err(CryptoError::Length { what: "a digest for this algorithm", found: message.len() })
            }
            (SigningAlgorithm::Ed25519Sha512 | SigningAlgorithm::Ed25519PhSha512, other) => {
                Err(CryptoError::UnsupportedAlgorithm(other.as_str()))
            }
            (other, _) => Err(CryptoError::UnsupportedAlgorithm(other.as_str())),
        }
    }
}

/// The pre-hash of FIPS 186-5 §7.8.1. AWS applies it to the caller's digest as to any message, so a message whose digest
/// is signed has been hashed twice.
fn pre_hash(message: &[u8]) -> Sha512 {
    Sha512::new_with_prefix(message)
}

#[cfg(test)]
mod tests;
