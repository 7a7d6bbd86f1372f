//! ImportKeyMaterial: from what AWS takes to the stored form.

use crate::CryptoError;
use crate::asymmetric_key::{elliptic, rsa};
use crate::curve::Curve;
use kms_types::KeySpec;
use zeroize::Zeroizing;

/// The stored form of material that was made elsewhere. AWS KMS Developer Guide, "Requirements for imported key material":
/// the bytes of a symmetric or HMAC key, DER `PrivateKeyInfo` (PKCS #8, RFC 5208) of an RSA or ECC key. The specs that
/// the page does not name are refused.
pub(super) fn stored_form(spec: KeySpec, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    if let Some(curve) = Curve::of(spec) {
        return elliptic::scalar_of_pkcs8(curve, bytes);
    }
    if let Some(size) = rsa::key_size(spec) {
        return rsa::primes_of_pkcs8(size, bytes);
    }
    match spec {
        KeySpec::SymmetricDefault | KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
            Ok(Zeroizing::new(bytes.to_vec()))
        }
        KeySpec::EccNistEdwards25519
        | KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024
        | KeySpec::Sm2
        | KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccSecgP256k1 => Err(CryptoError::UnsupportedSpec(spec)),
    }
}
