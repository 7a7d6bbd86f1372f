//! What operations that use key material check of a key: its state, then its usage, then the algorithm (AWS's order is
//! not verified), and the prepared key that they use then.

use crate::{KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_crypto::{AsymmetricKey, MacKey};
use kms_types::{EncryptionAlgorithm, EncryptionContext, KeyUsage};
use std::fmt::Display;
use std::sync::Arc;

/// An operation as the key state matrix and as error texts know it.
pub(crate) type Named = (KeyOperation, &'static str);

/// Checks state and usage of a key.
pub(crate) fn check_use(entry: &KeyEntry, (operation, name): Named, usage: KeyUsage) -> Result<(), KmsError> {
    entry.check_state(operation)?;
    if entry.record.usage == usage {
        return Ok(());
    }
    Err(KmsError::InvalidKeyUsage { key: entry.arn.clone(), usage: entry.record.usage, operation: name })
}

/// Checks that the algorithm is one of those that fit the key's spec.
pub(crate) fn check_algorithm<A: PartialEq + Display>(
    entry: &KeyEntry,
    algorithm: &A,
    fitting: &[A],
) -> Result<(), KmsError> {
    if fitting.contains(algorithm) {
        return Ok(());
    }
    Err(KmsError::IncompatibleAlgorithm { algorithm: algorithm.to_string(), spec: entry.record.spec })
}

/// Checks that the key encrypts with the algorithm, and answers which one that is when the request names none.
pub(crate) fn check_encryption(
    entry: &KeyEntry,
    operation: Named,
    algorithm: Option<EncryptionAlgorithm>,
    context: &EncryptionContext,
) -> Result<EncryptionAlgorithm, KmsError> {
    check_use(entry, operation, KeyUsage::EncryptDecrypt)?;
    let algorithm = asked(algorithm);
    check_algorithm(entry, &algorithm, entry.record.spec.encryption_algorithms())?;
    if algorithm != EncryptionAlgorithm::SymmetricDefault && !context.is_empty() {
        // Code and text as two independent emulators have them; not recorded.
        return Err(KmsError::service(
            "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.",
        ));
    }
    Ok(algorithm)
}

/// The algorithm that a request asks for; one that names none means that of symmetric keys.
pub(crate) fn asked(algorithm: Option<EncryptionAlgorithm>) -> EncryptionAlgorithm {
    algorithm.unwrap_or(EncryptionAlgorithm::SymmetricDefault)
}

impl Service {
    /// The key pair of an asymmetric key, of which there is one version only.
    pub(crate) fn key_pair(&self, entry: &KeyEntry) -> Result<Arc<AsymmetricKey>, KmsError> {
        let material_id = entry.current.ok_or(KmsError::KeyUnavailable)?;
        Ok(self.keyring().asymmetric(&entry.arn.key_id, &material_id)?)
    }

    /// The key of an HMAC key, of which there is one version only.
    pub(crate) fn mac_key(&self, entry: &KeyEntry) -> Result<Arc<MacKey>, KmsError> {
        let material_id = entry.current.ok_or(KmsError::KeyUnavailable)?;
        Ok(self.keyring().mac(&entry.arn.key_id, &material_id)?)
    }
}
