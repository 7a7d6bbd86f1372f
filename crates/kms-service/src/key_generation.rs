//! Drawing keys. An RSA key takes up to a second, so it is drawn on a worker thread.

use crate::{KmsError, Service};
use kms_crypto::{DataKeyPair, KeyMaterial};
use kms_types::KeySpec;
use std::sync::Arc;

impl Service {
    /// New material for a KMS key of this spec.
    ///
    /// # Errors
    /// [`KmsError::Throttled`] when too many RSA keys are being drawn already, [`KmsError::Internal`] when randomness
    /// fails.
    pub(crate) async fn new_material(&self, spec: KeySpec) -> Result<KeyMaterial, KmsError> {
        if !takes_long(spec) {
            return Ok(self.keyring().generate(spec)?);
        }
        let keyring = Arc::clone(self.keyring());
        Ok(self.on_worker(move || keyring.generate(spec)).await??)
    }

    /// A new key pair for a caller's own use.
    ///
    /// # Errors
    /// As [`Service::new_material`].
    pub(crate) async fn new_key_pair(&self, spec: KeySpec) -> Result<DataKeyPair, KmsError> {
        if !takes_long(spec) {
            return Ok(self.keyring().generate_pair(spec)?);
        }
        let keyring = Arc::clone(self.keyring());
        Ok(self.on_worker(move || keyring.generate_pair(spec)).await??)
    }
}

/// Whether drawing a key of this spec would hold a thread of the runtime up.
const fn takes_long(spec: KeySpec) -> bool {
    matches!(spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096)
}
