//! Keys with a public half: Sign, Verify, Encrypt, Decrypt, DeriveSharedSecret, Encapsulate, Decapsulate.

mod digest;
pub(crate) mod ed25519;
pub(crate) mod elliptic;
pub(crate) mod ml_dsa;
pub(crate) mod ml_kem;
pub(crate) mod rsa;

use self::ed25519::Ed25519Key;
use self::elliptic::EllipticKey;
use self::ml_dsa::MlDsaKey;
use self::ml_kem::MlKemKey;
use self::rsa::RsaKey;
use crate::curve::Curve;
use crate::{CryptoError, Entropy, KeyMaterial};
use kms_types::{EncryptionAlgorithm, KeySpec, MessageType, SigningAlgorithm};
use std::fmt;
use zeroize::Zeroizing;

/// An asymmetric key in one material version, parsed once and shared by reference between any number of threads.
///
/// What a key can do follows from its spec. Its `KeyUsage` is the caller's to check: an RSA key here signs and decrypts.
pub struct AsymmetricKey {
    spec: KeySpec,
    public_key_der: Vec<u8>,
    family: Family,
}

/// The libraries' keys, by algorithm family. Boxed, so that a move leaves nothing behind.
enum Family {
    Rsa(Box<RsaKey>),
    Elliptic(Box<EllipticKey>),
    Ed25519(Box<Ed25519Key>),
    MlDsa(Box<MlDsaKey>),
    MlKem(MlKemKey),
}

impl AsymmetricKey {
    /// Parses the key of some key material. Takes up to a few milliseconds.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSpec`] when the material is not that of an asymmetric key,
    /// [`CryptoError::Malformed`] when it is not a key of its spec.
    pub fn new(material: &KeyMaterial) -> Result<Self, CryptoError> {
        let spec = material.spec();
        let family = Family::of(spec, material.secret())?;
        Ok(Self { spec, public_key_der: family.public_key_der()?, family })
    }

    /// The private key as a DER `PrivateKeyInfo` (PKCS #8), for key pairs that are given away.
    pub(crate) fn private_key_der(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match &self.family {
            Family::Rsa(key) => key.private_key_der(),
            Family::Elliptic(key) => key.private_key_der(),
            Family::Ed25519(key) => key.private_key_der(),
            Family::MlKem(key) => key.private_key_der(),
            // Not in `DataKeyPairSpec` of the API model.
            Family::MlDsa(_) => Err(CryptoError::UnsupportedSpec(self.spec)),
        }
    }

    /// The key spec.
    #[must_use]
    pub const fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The public key as a DER `SubjectPublicKeyInfo` (RFC 5280).
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }

    /// Signs a message.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not sign with this algorithm and message type,
    /// [`CryptoError::Length`] when a digest or µ does not have the length that they require,
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        match &self.family {
            Family::Rsa(key) => key.sign(algorithm, message_type, message),
            Family::Elliptic(key) => key.sign(algorithm, message_type, message),
            Family::Ed25519(key) => key.sign(algorithm, message_type, message),
            Family::MlDsa(key) => key.sign(algorithm, message_type, message, entropy),
            Family::MlKem(_) => Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str())),
        }
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] when it is not one of this key on this message; [`CryptoError::UnsupportedAlgorithm`] and
    /// [`CryptoError::Length`] as in [`Self::sign`].
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match &self.family {
            Family::Rsa(key) => key.verifier().verify(algorithm, message_type, message, signature),
            Family::Elliptic(key) => key.verifier().verify(algorithm, message_type, message, signature),
            Family::Ed25519(key) => key.verifier().verify(algorithm, message_type, message, signature),
            Family::MlDsa(key) => key.verify(algorithm, message_type, message, signature),
            Family::MlKem(_) => Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str())),
        }
    }

    /// Encrypts with the public key of an RSA key. The library draws the seed of the padding.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not encrypt with this algorithm, [`CryptoError::Length`]
    /// when the plaintext is too long for both.
    pub fn encrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        plaintext: &[u8],
        _entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        match &self.family {
            Family::Rsa(key) => key.encrypt(algorithm, plaintext),
            Family::Elliptic(_) | Family::Ed25519(_) | Family::MlDsa(_) | Family::MlKem(_) => {
                Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str()))
            }
        }
    }

    /// Decrypts what [`Self::encrypt`] made.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not decrypt with this algorithm, else
    /// [`CryptoError::Refused`], whatever the reason.
    pub fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match &self.family {
            Family::Rsa(key) => key.decrypt(algorithm, ciphertext),
            Family::Elliptic(_) | Family::Ed25519(_) | Family::MlDsa(_) | Family::MlKem(_) => {
                Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str()))
            }
        }
    }

    /// Agrees on a secret with the holder of another key of the same NIST curve: the x-coordinate of the common point, 32,
    /// 48 or 66 bytes.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the peer's bytes are not a `SubjectPublicKeyInfo` of a point of this curve,
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not agree on secrets.
    pub fn derive_shared_secret(&self, peer_spki_der: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match &self.family {
            Family::Elliptic(key) => key.derive_shared_secret(peer_spki_der),
            Family::Rsa(_) | Family::Ed25519(_) | Family::MlDsa(_) | Family::MlKem(_) => {
                Err(CryptoError::UnsupportedAlgorithm("ECDH"))
            }
        }
    }

    /// Draws a 32-byte secret and encapsulates it to the public key of an ML-KEM key: the ciphertext, then the secret.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not encapsulate, [`CryptoError::Entropy`] when no random
    /// bytes are to be had.
    pub fn encapsulate(&self, entropy: &dyn Entropy) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), CryptoError> {
        match &self.family {
            Family::MlKem(key) => key.encapsulate(entropy),
            Family::Rsa(_) | Family::Elliptic(_) | Family::Ed25519(_) | Family::MlDsa(_) => {
                Err(CryptoError::UnsupportedAlgorithm("ML_KEM"))
            }
        }
    }

    /// The secret inside an encapsulation; for an altered one of the right length, other bytes that only this key can tell
    /// (implicit rejection, FIPS 203 §6.3).
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the ciphertext has not the length of this spec's,
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not decapsulate.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match &self.family {
            Family::MlKem(key) => key.decapsulate(ciphertext),
            Family::Rsa(_) | Family::Elliptic(_) | Family::Ed25519(_) | Family::MlDsa(_) => {
                Err(CryptoError::UnsupportedAlgorithm("ML_KEM"))
            }
        }
    }
}

impl Family {
    fn of(spec: KeySpec, secret: &[u8]) -> Result<Self, CryptoError> {
        if let Some(size) = rsa::key_size(spec) {
            return RsaKey::new(size, secret).map(|key| Self::Rsa(Box::new(key)));
        }
        if let Some(curve) = Curve::of(spec) {
            return EllipticKey::new(curve, secret).map(|key| Self::Elliptic(Box::new(key)));
        }
        if spec == KeySpec::EccNistEdwards25519 {
            return Ed25519Key::new(secret).map(|key| Self::Ed25519(Box::new(key)));
        }
        if let Some(key) = MlDsaKey::new(spec, secret) {
            return key.map(|key| Self::MlDsa(Box::new(key)));
        }
        MlKemKey::new(spec, secret).map(Self::MlKem).ok_or(CryptoError::UnsupportedSpec(spec))
    }

    fn public_key_der(&self) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Rsa(key) => key.public_key_der(),
            Self::Elliptic(key) => key.public_key_der(),
            Self::Ed25519(key) => key.public_key_der(),
            Self::MlDsa(key) => key.public_key_der(),
            Self::MlKem(key) => key.public_key_der(),
        }
    }
}

impl fmt::Debug for AsymmetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsymmetricKey({}, secret)", self.spec)
    }
}
