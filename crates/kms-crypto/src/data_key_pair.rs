//! GenerateDataKeyPair: key pairs that are given away.

use crate::{AsymmetricKey, CryptoError, Entropy, KeyMaterial};
use kms_types::KeySpec;
use std::fmt;
use zeroize::Zeroizing;

/// A new key pair for use outside.
pub struct DataKeyPair {
    /// DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key_der: Vec<u8>,
    /// DER `PrivateKeyInfo` (PKCS #8, RFC 5208); of an ML-KEM key in the seed form.
    pub private_key_der: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for DataKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKeyPair(secret)")
    }
}

/// Makes a key pair. An RSA key takes 0.1 to a few seconds of computation: never on a runtime's thread.
///
/// # Errors
/// [`CryptoError::UnsupportedSpec`] for specs that AWS does not offer as data key pairs, [`CryptoError::Entropy`] when no
/// random bytes are to be had.
pub fn generate_data_key_pair(spec: KeySpec, entropy: &dyn Entropy) -> Result<DataKeyPair, CryptoError> {
    let key = AsymmetricKey::new(&KeyMaterial::generate(spec, entropy)?)?;
    Ok(DataKeyPair { public_key_der: key.public_key_der().to_vec(), private_key_der: key.private_key_der()? })
}
