//! `GenerateDataKeyWithoutPlaintext`: as GenerateDataKey, for a caller who needs the data key later only.

use super::generate_data_key::GenerateDataKeyRequest;
use super::key_use::Named;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::KeyMaterialId;
use std::sync::Arc;

/// The response. The request is that of GenerateDataKey.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateDataKeyWithoutPlaintextResponse {
    pub ciphertext_blob: Vec<u8>,
    pub key_id: Arc<str>,
    pub key_material_id: KeyMaterialId,
}

const OPERATION: Named = (KeyOperation::GenerateDataKeyWithoutPlaintext, "GenerateDataKeyWithoutPlaintext");

impl Service {
    /// `GenerateDataKeyWithoutPlaintext`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn generate_data_key_without_plaintext(
        &self,
        request: Authenticated<GenerateDataKeyRequest>,
    ) -> Result<GenerateDataKeyWithoutPlaintextResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let action = Action::GenerateDataKeyWithoutPlaintext;
        let access = self.data_key_access(&caller, action, &request.encryption_context);
        let (entry, length) = self.data_key_for(&access, &request, OPERATION)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let plaintext = self.random_secret(length)?;
        let (ciphertext_blob, key_material_id) = self.seal_under(&entry, &request.encryption_context, &plaintext.0)?;
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(GenerateDataKeyWithoutPlaintextResponse {
            ciphertext_blob,
            key_id: Arc::clone(&entry.arn_text),
            key_material_id,
        })
    }
}
