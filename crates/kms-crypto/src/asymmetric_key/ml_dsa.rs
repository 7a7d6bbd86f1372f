//! ML-DSA (FIPS 204), pure and hedged. The private key is its 32-byte seed ξ.

use crate::entropy::EntropyRng;
use crate::{CryptoError, Entropy};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    KeyPair, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING, ParsedPublicKey,
    PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
};
use kms_types::{KeySpec, MessageType, SigningAlgorithm};
use ml_dsa::{Keypair, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Seed, Signature, SignatureEncoding, SigningKey};
use std::sync::OnceLock;
use zeroize::{Zeroize, Zeroizing};

const LIBRARY: CryptoError = CryptoError::Library("ML-DSA");
const MALFORMED: CryptoError = CryptoError::Malformed("ML-DSA key");

/// Bytes of the seed.
pub(crate) const SEED_BYTES: usize = 32;
/// Bytes of the message representative µ (FIPS 204 §6.2).
const MU_BYTES: usize = 64;

/// A key pair of one parameter set.
pub(super) struct MlDsaKey {
    signer: PqdsaKeyPair,
    verifier: ParsedPublicKey,
    set: Set,
    seed: Zeroizing<Vec<u8>>,
    /// The same key in the library that takes an external µ: tens of kilobytes, so only once it is asked for.
    external_mu: OnceLock<MuKey>,
}

impl MlDsaKey {
    /// Expands a seed. None for specs of other families.
    pub(super) fn new(spec: KeySpec, seed: &[u8]) -> Option<Result<Self, CryptoError>> {
        Set::of(spec).map(|set| Self::expand(set, seed))
    }

    fn expand(set: Set, seed: &[u8]) -> Result<Self, CryptoError> {
        let (signing, verification) = set.algorithms();
        let signer = PqdsaKeyPair::from_seed(signing, seed).map_err(|_rejected| MALFORMED)?;
        let verifier =
            ParsedPublicKey::new(verification, signer.public_key().as_ref()).map_err(|_rejected| MALFORMED)?;
        Ok(Self { signer, verifier, set, seed: Zeroizing::new(seed.to_vec()), external_mu: OnceLock::new() })
    }

    pub(super) fn public_key_der(&self) -> Result<Vec<u8>, CryptoError> {
        self.signer.public_key().as_der().map(|der| der.as_ref().to_vec()).map_err(|_failed| LIBRARY)
    }

    /// A raw message is hashed with the public key and an empty context into µ, then both message types sign µ.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        match Input::of(algorithm, message_type, message)? {
            Input::Message => {
                let mut signature = vec![0; self.signer.algorithm().signature_len()];
                let length = self.signer.sign(message, &mut signature).map_err(|_failed| LIBRARY)?;
                signature.truncate(length);
                Ok(signature)
            }
            Input::Mu(mu) => self.mu_key()?.sign(mu, entropy),
        }
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match Input::of(algorithm, message_type, message)? {
            Input::Message => self.verifier.verify_sig(message, signature).map_err(|_differs| CryptoError::Refused),
            Input::Mu(mu) => self.mu_key()?.verify(mu, signature),
        }
    }

    fn mu_key(&self) -> Result<&MuKey, CryptoError> {
        let mut seed = Seed::try_from(self.seed.as_slice()).map_err(|_length| MALFORMED)?;
        let key = self.external_mu.get_or_init(|| MuKey::new(self.set, &seed));
        seed.zeroize();
        Ok(key)
    }
}

/// The parameter set.
#[derive(Clone, Copy)]
enum Set {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl Set {
    const fn of(spec: KeySpec) -> Option<Self> {
        match spec {
            KeySpec::MlDsa44 => Some(Self::MlDsa44),
            KeySpec::MlDsa65 => Some(Self::MlDsa65),
            KeySpec::MlDsa87 => Some(Self::MlDsa87),
            _ => None,
        }
    }

    const fn algorithms(self) -> (&'static PqdsaSigningAlgorithm, &'static PqdsaVerificationAlgorithm) {
        match self {
            Self::MlDsa44 => (&ML_DSA_44_SIGNING, &ML_DSA_44),
            Self::MlDsa65 => (&ML_DSA_65_SIGNING, &ML_DSA_65),
            Self::MlDsa87 => (&ML_DSA_87_SIGNING, &ML_DSA_87),
        }
    }
}

/// What is signed.
enum Input<'a> {
    Message,
    Mu(&'a [u8; MU_BYTES]),
}

impl<'a> Input<'a> {
    fn of(algorithm: SigningAlgorithm, message_type: MessageType, message: &'a [u8]) -> Result<Self, CryptoError> {
        if algorithm != SigningAlgorithm::MlDsaShake256 {
            return Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str()));
        }
        match message_type {
            MessageType::Raw => Ok(Self::Message),
            MessageType::ExternalMu => message
                .try_into()
                .map(Self::Mu)
                .map_err(|_length| CryptoError::Length { what: "a message representative µ", found: message.len() }),
            MessageType::Digest => Err(CryptoError::UnsupportedAlgorithm(message_type.as_str())),
        }
    }
}

/// An expanded key for external µ, on the heap.
enum MuKey {
    MlDsa44(Box<SigningKey<MlDsa44>>),
    MlDsa65(Box<SigningKey<MlDsa65>>),
    MlDsa87(Box<SigningKey<MlDsa87>>),
}

impl MuKey {
    fn new(set: Set, seed: &Seed) -> Self {
        match set {
            Set::MlDsa44 => Self::MlDsa44(Box::new(SigningKey::from_seed(seed))),
            Set::MlDsa65 => Self::MlDsa65(Box::new(SigningKey::from_seed(seed))),
            Set::MlDsa87 => Self::MlDsa87(Box::new(SigningKey::from_seed(seed))),
        }
    }

    fn sign(&self, mu: &[u8; MU_BYTES], entropy: &dyn Entropy) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::MlDsa44(key) => sign_mu(key, mu, entropy),
            Self::MlDsa65(key) => sign_mu(key, mu, entropy),
            Self::MlDsa87(key) => sign_mu(key, mu, entropy),
        }
    }

    fn verify(&self, mu: &[u8; MU_BYTES], signature: &[u8]) -> Result<(), CryptoError> {
        let valid = match self {
            Self::MlDsa44(key) => verify_mu(key, mu, signature),
            Self::MlDsa65(key) => verify_mu(key, mu, signature),
            Self::MlDsa87(key) => verify_mu(key, mu, signature),
        };
        if valid { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

fn sign_mu<P: MlDsaParams>(
    key: &SigningKey<P>,
    mu: &[u8; MU_BYTES],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let mut rng = EntropyRng::new(entropy);
    let signature = key.expanded_key().sign_mu_randomized(&(*mu).into(), &mut rng);
    // Before anything that was made from these draws is looked at.
    rng.finish()?;
    signature.map(|signature| signature.to_vec()).map_err(|_failed| LIBRARY)
}

fn verify_mu<P: MlDsaParams>(key: &SigningKey<P>, mu: &[u8; MU_BYTES], signature: &[u8]) -> bool {
    Signature::<P>::try_from(signature).is_ok_and(|signature| key.verifying_key().verify_mu(&(*mu).into(), &signature))
}
