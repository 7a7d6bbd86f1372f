//! ECDSA and ECDH on the short Weierstrass curves.

use super::digest::digest_of;
use crate::CryptoError;
use crate::curve::Curve;
use aws_lc_rs::agreement::{self, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair, ParsedPublicKey};
use kms_types::{MessageType, SigningAlgorithm};
use pkcs8::der::Decode;
use pkcs8::{PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

const LIBRARY: CryptoError = CryptoError::Library("ECC");
const MALFORMED_PEER: CryptoError = CryptoError::Malformed("public key of this key's curve");

/// A key pair of one curve.
pub(super) struct EllipticKey {
    signer: EcdsaKeyPair,
    verifier: Verifier,
    agreement: Option<agreement::PrivateKey>,
}

impl EllipticKey {
    /// Computes the key pair of a scalar.
    pub(super) fn new(curve: &'static Curve, scalar: &[u8]) -> Result<Self, CryptoError> {
        let malformed = CryptoError::Malformed("private key of its curve");
        let agreement = match curve.agreement {
            Some(algorithm) => {
                Some(agreement::PrivateKey::from_private_key(algorithm, scalar).map_err(|_rejected| malformed)?)
            }
            None => None,
        };
        let point = match &agreement {
            Some(key) => key.compute_public_key().map_err(|_failed| LIBRARY)?.as_ref().to_vec(),
            // aws-lc-rs computes no public key of a secp256k1 scalar.
            None => {
                k256::SecretKey::from_slice(scalar).map_err(|_rejected| malformed)?.public_key().to_sec1_bytes().into()
            }
        };
        let signer = EcdsaKeyPair::from_private_key_and_public_key(curve.signing, scalar, &point)
            .map_err(|_rejected| malformed)?;
        let spki = signer.public_key().as_der().map_err(|_failed| LIBRARY)?;
        Ok(Self { verifier: Verifier::new(curve, spki.as_ref())?, signer, agreement })
    }

    pub(super) fn public_key_der(&self) -> Result<Vec<u8>, CryptoError> {
        self.signer.public_key().as_der().map(|der| der.as_ref().to_vec()).map_err(|_failed| LIBRARY)
    }

    pub(super) fn private_key_der(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.signer.to_pkcs8v1().map(|der| Zeroizing::new(der.as_ref().to_vec())).map_err(|_failed| LIBRARY)
    }

    /// A DER signature (RFC 3279 §2.2.3). The library draws the nonce.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let digest = self.verifier.digest(algorithm, message_type, message)?;
        self.signer.sign_digest(&digest).map(|signature| signature.as_ref().to_vec()).map_err(|_failed| LIBRARY)
    }

    pub(super) const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(super) fn derive_shared_secret(&self, peer_spki_der: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = self.agreement.as_ref().ok_or(CryptoError::UnsupportedAlgorithm("ECDH"))?;
        // The library takes bare points, trailing bytes and spelled-out curves too; the API takes a SubjectPublicKeyInfo.
        let spki = SubjectPublicKeyInfoRef::from_der(peer_spki_der).map_err(|_not_der| MALFORMED_PEER)?;
        if !self.verifier.curve.is_named_by(&spki.algorithm) || !is_point(&spki) {
            return Err(MALFORMED_PEER);
        }
        let peer = UnparsedPublicKey::new(key.algorithm(), peer_spki_der);
        agree(key, peer, MALFORMED_PEER, |secret| Ok(Zeroizing::new(secret.to_vec())))
    }
}

/// The public half.
pub(super) struct Verifier {
    curve: &'static Curve,
    key: ParsedPublicKey,
}

impl Verifier {
    /// Parses a `SubjectPublicKeyInfo`.
    pub(super) fn new(curve: &'static Curve, spki_der: &[u8]) -> Result<Self, CryptoError> {
        let key = ParsedPublicKey::new(curve.verification, spki_der).map_err(|_rejected| MALFORMED_PEER)?;
        Ok(Self { curve, key })
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let digest = self.digest(algorithm, message_type, message)?;
        self.key.verify_digest_sig(&digest, signature).map_err(|_differs| CryptoError::Refused)
    }

    fn digest(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<aws_lc_rs::digest::Digest, CryptoError> {
        if algorithm != self.curve.algorithm {
            return Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str()));
        }
        digest_of(self.curve.hash, message_type, message)
    }
}

/// Whether the key is written as a compressed or an uncompressed point. The library takes the hybrid form too, a second way
/// to write the same key, which must not be used (RFC 5480 §2.2).
fn is_point(spki: &SubjectPublicKeyInfoRef<'_>) -> bool {
    matches!(spki.subject_public_key.as_bytes(), Some([0x02..=0x04, ..]))
}

/// The scalar of a DER `PrivateKeyInfo` (PKCS #8) of this very curve. The public key inside, if any, must be its own.
pub(crate) fn scalar_of_pkcs8(curve: &Curve, pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    use aws_lc_rs::encoding::AsBigEndian;
    let malformed = CryptoError::Malformed("PKCS #8 private key of its curve");
    // The library takes BER, trailing bytes and spelled-out curves too.
    let info = PrivateKeyInfoRef::from_der(pkcs8).map_err(|_not_der| malformed)?;
    if !curve.is_named_by(&info.algorithm) {
        return Err(malformed);
    }
    let key = EcdsaKeyPair::from_pkcs8(curve.signing, pkcs8).map_err(|_rejected| malformed)?;
    let scalar = key.private_key().as_be_bytes().map_err(|_failed| LIBRARY)?;
    Ok(Zeroizing::new(scalar.as_ref().to_vec()))
}

#[cfg(test)]
mod tests;
