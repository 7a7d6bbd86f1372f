//! ML-KEM (FIPS 203). The private key is its 64-byte seed, d ‖ z.

use crate::entropy::EntropyRng;
use crate::{CryptoError, Entropy};
use kms_types::KeySpec;
use ml_kem::array::{Array, ArraySize};
use ml_kem::kem::{Decapsulate, Encapsulate};
use ml_kem::pkcs8::{EncodePrivateKey, EncodePublicKey};
use ml_kem::{B32, DecapsulationKey, MlKem512, MlKem768, MlKem1024, Seed};
use zeroize::{Zeroize, Zeroizing};

const LIBRARY: CryptoError = CryptoError::Library("ML-KEM");

/// Bytes of the seed.
pub(crate) const SEED_BYTES: usize = 64;

/// A key pair of one parameter set, on the heap.
pub(super) enum MlKemKey {
    MlKem512(Box<DecapsulationKey<MlKem512>>),
    MlKem768(Box<DecapsulationKey<MlKem768>>),
    MlKem1024(Box<DecapsulationKey<MlKem1024>>),
}

impl MlKemKey {
    /// Expands a seed. None for specs of other families.
    pub(super) fn new(spec: KeySpec, seed: &[u8]) -> Option<Self> {
        let mut seed = Seed::try_from(seed).ok()?;
        let key = match spec {
            KeySpec::MlKem512 => Some(Self::MlKem512(Box::new(DecapsulationKey::from_seed(seed)))),
            KeySpec::MlKem768 => Some(Self::MlKem768(Box::new(DecapsulationKey::from_seed(seed)))),
            KeySpec::MlKem1024 => Some(Self::MlKem1024(Box::new(DecapsulationKey::from_seed(seed)))),
            _ => None,
        };
        seed.zeroize();
        key
    }

    pub(super) fn public_key_der(&self) -> Result<Vec<u8>, CryptoError> {
        let der = match self {
            Self::MlKem512(key) => key.encapsulation_key().to_public_key_der(),
            Self::MlKem768(key) => key.encapsulation_key().to_public_key_der(),
            Self::MlKem1024(key) => key.encapsulation_key().to_public_key_der(),
        };
        der.map(pkcs8::Document::into_vec).map_err(|_failed| LIBRARY)
    }

    /// The seed form of RFC 9935 §6, the same length for all three parameter sets.
    pub(super) fn private_key_der(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let der = match self {
            Self::MlKem512(key) => key.to_pkcs8_der(),
            Self::MlKem768(key) => key.to_pkcs8_der(),
            Self::MlKem1024(key) => key.to_pkcs8_der(),
        };
        der.map(|der| der.to_bytes()).map_err(|_failed| LIBRARY)
    }

    pub(super) fn encapsulate(&self, entropy: &dyn Entropy) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), CryptoError> {
        let mut rng = EntropyRng::new(entropy);
        let made = match self {
            Self::MlKem512(key) => owned(key.encapsulation_key().encapsulate_with_rng(&mut rng)),
            Self::MlKem768(key) => owned(key.encapsulation_key().encapsulate_with_rng(&mut rng)),
            Self::MlKem1024(key) => owned(key.encapsulation_key().encapsulate_with_rng(&mut rng)),
        };
        rng.finish()?;
        Ok(made)
    }

    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let length = CryptoError::Length { what: "an ML-KEM ciphertext of this key", found: ciphertext.len() };
        let secret = match self {
            Self::MlKem512(key) => key.decapsulate_slice(ciphertext),
            Self::MlKem768(key) => key.decapsulate_slice(ciphertext),
            Self::MlKem1024(key) => key.decapsulate_slice(ciphertext),
        };
        secret.map(kept).map_err(|_length| length)
    }
}

fn owned<N: ArraySize>((ciphertext, secret): (Array<u8, N>, B32)) -> (Vec<u8>, Zeroizing<Vec<u8>>) {
    (ciphertext.to_vec(), kept(secret))
}

/// Moves a secret to the heap and wipes the array it came in.
fn kept(mut secret: B32) -> Zeroizing<Vec<u8>> {
    let kept = Zeroizing::new(secret.to_vec());
    secret.zeroize();
    kept
}
