//! `Encrypt`.

use crate::authorise::Access;
use crate::error::Validation;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_types::{EncryptionAlgorithm, EncryptionContext, KeyMaterialId, KeyUsage, limits};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EncryptRequest {
    pub key_id: String,
    pub plaintext: Secret,
    pub encryption_context: EncryptionContext,
    pub grant_tokens: Vec<String>,
    pub encryption_algorithm: Option<EncryptionAlgorithm>,
    pub dry_run: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EncryptResponse {
    pub ciphertext_blob: Vec<u8>,
    pub key_id: Arc<str>,
    pub encryption_algorithm: EncryptionAlgorithm,
}

/// Bytes that are wiped when dropped and never shown.
#[derive(Clone, Default)]
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

impl Service {
    /// `Encrypt`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn encrypt(&self, request: Authenticated<EncryptRequest>) -> Result<EncryptResponse, KmsError> {
        let Authenticated { caller, request } = request;
        Validation::check_length(request.plaintext.0.len(), "plaintext", limits::PLAINTEXT_BYTES_MAX)?;
        self.check_grant_tokens(&request.grant_tokens)?;
        let access = Access::to(&caller, "Encrypt").with_context(&request.encryption_context);
        let entry = self.resolve_for(&access, &request.key_id, Accept::Alias)?;
        check_usable(&entry, KeyOperation::Encrypt, "Encrypt", request.encryption_algorithm)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let (ciphertext_blob, _) = self.seal_under(&entry, &request.encryption_context, &request.plaintext.0)?;
        Ok(EncryptResponse {
            ciphertext_blob,
            key_id: Arc::clone(&entry.arn_text),
            encryption_algorithm: EncryptionAlgorithm::SymmetricDefault,
        })
    }

    /// Encrypts under the key's current material.
    pub(crate) fn seal_under(
        &self,
        entry: &KeyEntry,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, KeyMaterialId), KmsError> {
        let material_id = entry.current.ok_or(KmsError::KeyUnavailable)?;
        let cipher = self.keyring().cipher(&entry.arn.key_id, &material_id)?;
        let blob = cipher
            .encrypt(&entry.arn.key_id, &material_id, context, plaintext, self.entropy())
            .map_err(|_opaque| KmsError::Internal)?;
        Ok((blob, material_id))
    }
}

/// Checks state, usage and algorithm of a key for symmetric encryption, in that order (AWS's order is not verified).
pub(crate) fn check_usable(
    entry: &KeyEntry,
    operation: KeyOperation,
    name: &'static str,
    algorithm: Option<EncryptionAlgorithm>,
) -> Result<(), KmsError> {
    entry.check_state(operation)?;
    if entry.record.usage != KeyUsage::EncryptDecrypt {
        let (key, usage) = (entry.arn.clone(), entry.record.usage);
        return Err(KmsError::InvalidKeyUsage { key, usage, operation: name });
    }
    match algorithm {
        None | Some(EncryptionAlgorithm::SymmetricDefault) => Ok(()),
        Some(other) => {
            Err(KmsError::IncompatibleAlgorithm { algorithm: other.as_str().to_owned(), spec: entry.record.spec })
        }
    }
}
