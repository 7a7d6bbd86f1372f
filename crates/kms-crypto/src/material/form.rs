//! The stored form of key material: how each key spec's secret is made, and what its bytes must look like.

use crate::asymmetric_key::{ed25519, ml_dsa, ml_kem, rsa};
use crate::curve::Curve;
use crate::{CryptoError, Entropy, rsa_primes};
use aws_lc_rs::rsa::KeySize;
use kms_types::KeySpec;
use zeroize::Zeroizing;

/// The stored form of one key spec.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// This many random bytes: a symmetric key, an HMAC key or a seed.
    Random(usize),
    /// A private scalar of this curve.
    Scalar(&'static Curve),
    /// The two primes of a modulus of this size.
    Primes(KeySize),
}

impl Form {
    /// The form of a key spec; none for SM2, which is not offered outside China.
    /// HMAC lengths: AWS KMS Developer Guide, "HMAC keys": as long as the output of the hash.
    pub(super) const fn of(spec: KeySpec) -> Option<Self> {
        if let Some(curve) = Curve::of(spec) {
            return Some(Self::Scalar(curve));
        }
        if let Some(size) = rsa::key_size(spec) {
            return Some(Self::Primes(size));
        }
        match spec {
            KeySpec::SymmetricDefault | KeySpec::Hmac256 => Some(Self::Random(32)),
            KeySpec::Hmac224 => Some(Self::Random(28)),
            KeySpec::Hmac384 => Some(Self::Random(48)),
            KeySpec::Hmac512 => Some(Self::Random(64)),
            KeySpec::EccNistEdwards25519 => Some(Self::Random(ed25519::SEED_BYTES)),
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => Some(Self::Random(ml_dsa::SEED_BYTES)),
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => Some(Self::Random(ml_kem::SEED_BYTES)),
            KeySpec::Sm2
            | KeySpec::Rsa2048
            | KeySpec::Rsa3072
            | KeySpec::Rsa4096
            | KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1 => None,
        }
    }

    /// Makes new material. RSA primes come from the library's own generator.
    pub(super) fn draw(self, entropy: &dyn Entropy) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match self {
            Self::Random(bytes) => {
                let mut secret = Zeroizing::new(vec![0; bytes]);
                entropy.fill(&mut secret)?;
                Ok(secret)
            }
            Self::Scalar(curve) => curve.draw(entropy),
            Self::Primes(size) => rsa_primes::generate(size),
        }
    }

    /// Checks material of this form as far as can be done without computing a key from it.
    pub(super) fn check(self, secret: &[u8]) -> Result<(), CryptoError> {
        let (bytes, plausible) = match self {
            Self::Random(bytes) => (bytes, true),
            Self::Scalar(curve) => (curve.scalar_bytes(), curve.has(secret)),
            Self::Primes(size) => (size.len(), rsa_primes::plausible(size, secret)),
        };
        if secret.len() != bytes {
            return Err(CryptoError::Length { what: "key material of this spec", found: secret.len() });
        }
        if plausible { Ok(()) } else { Err(CryptoError::Malformed("key material of this spec")) }
    }
}
