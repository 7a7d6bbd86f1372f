//! RSA signatures and RSAES-OAEP (RFC 8017). The library draws salts, OAEP seeds and blinding.

use super::digest::digest_of;
use crate::{CryptoError, rsa_primes};
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    KeyPair as RsaKeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaEncoding, RsaParameters};
use kms_types::{EncryptionAlgorithm, KeySpec, MessageType, SigningAlgorithm};
use zeroize::Zeroizing;

const LIBRARY: CryptoError = CryptoError::Library("RSA");

/// The modulus size of an RSA key spec.
pub(crate) const fn key_size(spec: KeySpec) -> Option<KeySize> {
    match spec {
        KeySpec::Rsa2048 => Some(KeySize::Rsa2048),
        KeySpec::Rsa3072 => Some(KeySize::Rsa3072),
        KeySpec::Rsa4096 => Some(KeySize::Rsa4096),
        _ => None,
    }
}

/// The primes of a DER `PrivateKeyInfo` (PKCS #8) with a modulus of exactly this size. The key must work: a signature made
/// with it is checked, since numbers that fit together need not be primes (FIPS 140-3 IG 10.3.A, pairwise consistency).
pub(crate) fn primes_of_pkcs8(size: KeySize, pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    const ALGORITHM: SigningAlgorithm = SigningAlgorithm::RsassaPkcs1V15Sha256;
    const MESSAGE: &[u8] = b"pairwise consistency";
    let primes = rsa_primes::of_pkcs8(size, pkcs8)?;
    let key = RsaKey::new(size, &primes)?;
    let signature = key.sign(ALGORITHM, MessageType::Raw, MESSAGE).map_err(|_no_key| CryptoError::Refused)?;
    key.verifier().verify(ALGORITHM, MessageType::Raw, MESSAGE, &signature)?;
    Ok(primes)
}

/// A key pair.
pub(super) struct RsaKey {
    signer: RsaKeyPair,
    verifier: Verifier,
    encryptor: OaepPublicEncryptingKey,
    decryptor: OaepDecryptor,
}

impl RsaKey {
    /// Computes the key pair of two primes.
    pub(super) fn new(size: KeySize, primes: &[u8]) -> Result<Self, CryptoError> {
        let signer = rsa_primes::key_pair(size, primes)?;
        let spki = rsa_primes::public_key_der(&signer)?;
        let public = PublicEncryptingKey::from_der(&spki).map_err(|_rejected| LIBRARY)?;
        Ok(Self {
            verifier: Verifier::new(&spki)?,
            encryptor: OaepPublicEncryptingKey::new(public).map_err(|_failed| LIBRARY)?,
            decryptor: OaepDecryptor::new(&signer)?,
            signer,
        })
    }

    pub(super) fn public_key_der(&self) -> Result<Vec<u8>, CryptoError> {
        rsa_primes::public_key_der(&self.signer)
    }

    pub(super) fn private_key_der(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.signer.as_der().map(|der| Zeroizing::new(der.as_ref().to_vec())).map_err(|_failed| LIBRARY)
    }

    /// A signature as long as the modulus.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let scheme = Scheme::of(algorithm)?;
        let digest = scheme.digest(message_type, message)?;
        let mut signature = vec![0; self.signer.public_modulus_len()];
        self.signer.sign_digest(scheme.encoding, &digest, &mut signature).map_err(|_failed| LIBRARY)?;
        Ok(signature)
    }

    pub(super) const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(super) fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let algorithm = oaep(algorithm)?;
        if plaintext.len() > self.encryptor.max_plaintext_size(algorithm) {
            return Err(CryptoError::Length { what: "a plaintext for this key and algorithm", found: plaintext.len() });
        }
        let mut ciphertext = vec![0; self.encryptor.ciphertext_size()];
        let length =
            self.encryptor.encrypt(algorithm, plaintext, &mut ciphertext, None).map_err(|_failed| LIBRARY)?.len();
        ciphertext.truncate(length);
        Ok(ciphertext)
    }

    pub(super) fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.decryptor.decrypt(oaep(algorithm)?, ciphertext)
    }
}

/// The public half for signatures, parsed once for each algorithm.
pub(super) struct Verifier(Vec<(SigningAlgorithm, ParsedPublicKey)>);

impl Verifier {
    /// Parses a `SubjectPublicKeyInfo`.
    pub(super) fn new(spki_der: &[u8]) -> Result<Self, CryptoError> {
        let algorithms = KeySpec::Rsa2048.signing_algorithms().iter();
        let keys = algorithms.map(|algorithm| {
            let key = ParsedPublicKey::new(Scheme::of(*algorithm)?.parameters, spki_der)
                .map_err(|_rejected| CryptoError::Malformed("RSA public key"))?;
            Ok((*algorithm, key))
        });
        keys.collect::<Result<_, CryptoError>>().map(Self)
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let digest = Scheme::of(algorithm)?.digest(message_type, message)?;
        let key = self.0.iter().find(|(known, _)| *known == algorithm);
        let (_, key) = key.ok_or(CryptoError::UnsupportedAlgorithm(algorithm.as_str()))?;
        key.verify_digest_sig(&digest, signature).map_err(|_differs| CryptoError::Refused)
    }
}

/// The private half for RSAES-OAEP with an empty label.
pub(crate) struct OaepDecryptor(OaepPrivateDecryptingKey);

impl OaepDecryptor {
    pub(crate) fn new(key: &RsaKeyPair) -> Result<Self, CryptoError> {
        let der = key.as_der().map_err(|_failed| LIBRARY)?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_ref()).map_err(|_rejected| LIBRARY)?;
        OaepPrivateDecryptingKey::new(key).map(Self).map_err(|_failed| LIBRARY)
    }

    /// Bytes of a ciphertext.
    pub(crate) fn ciphertext_bytes(&self) -> usize {
        self.0.key_size_bytes()
    }

    pub(crate) fn decrypt(
        &self,
        algorithm: &'static OaepAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut plaintext = Zeroizing::new(vec![0; self.0.min_output_size()]);
        let length =
            self.0.decrypt(algorithm, ciphertext, &mut plaintext, None).map_err(|_opaque| CryptoError::Refused)?.len();
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

fn oaep(algorithm: EncryptionAlgorithm) -> Result<&'static OaepAlgorithm, CryptoError> {
    match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => Ok(&OAEP_SHA1_MGF1SHA1),
        EncryptionAlgorithm::RsaesOaepSha256 => Ok(&OAEP_SHA256_MGF1SHA256),
        EncryptionAlgorithm::SymmetricDefault | EncryptionAlgorithm::Sm2Pke => {
            Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str()))
        }
    }
}

/// A signature algorithm in the library's words. The salt of PSS is as long as the hash, also when verifying.
struct Scheme {
    encoding: &'static dyn RsaEncoding,
    parameters: &'static RsaParameters,
    hash: &'static digest::Algorithm,
}

impl Scheme {
    fn of(algorithm: SigningAlgorithm) -> Result<Self, CryptoError> {
        use SigningAlgorithm as A;
        let scheme = |encoding, parameters, hash| Ok(Self { encoding, parameters, hash });
        match algorithm {
            A::RsassaPssSha256 => {
                scheme(&signature::RSA_PSS_SHA256, &signature::RSA_PSS_2048_8192_SHA256, &digest::SHA256)
            }
            A::RsassaPssSha384 => {
                scheme(&signature::RSA_PSS_SHA384, &signature::RSA_PSS_2048_8192_SHA384, &digest::SHA384)
            }
            A::RsassaPssSha512 => {
                scheme(&signature::RSA_PSS_SHA512, &signature::RSA_PSS_2048_8192_SHA512, &digest::SHA512)
            }
            A::RsassaPkcs1V15Sha256 => {
                scheme(&signature::RSA_PKCS1_SHA256, &signature::RSA_PKCS1_2048_8192_SHA256, &digest::SHA256)
            }
            A::RsassaPkcs1V15Sha384 => {
                scheme(&signature::RSA_PKCS1_SHA384, &signature::RSA_PKCS1_2048_8192_SHA384, &digest::SHA384)
            }
            A::RsassaPkcs1V15Sha512 => {
                scheme(&signature::RSA_PKCS1_SHA512, &signature::RSA_PKCS1_2048_8192_SHA512, &digest::SHA512)
            }
            A::EcdsaSha256
            | A::EcdsaSha384
            | A::EcdsaSha512
            | A::Sm2Dsa
            | A::MlDsaShake256
            | A::Ed25519Sha512
            | A::Ed25519PhSha512 => Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str())),
        }
    }

    fn digest(&self, message_type: MessageType, message: &[u8]) -> Result<Digest, CryptoError> {
        digest_of(self.hash, message_type, message)
    }
}

#[cfg(test)]
mod tests;
