//! `GenerateDataKeyPairWithoutPlaintext`: as GenerateDataKeyPair, for a caller who needs the private key later only.

use super::generate_data_key_pair::GenerateDataKeyPairRequest;
use super::key_use::Named;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{KeyMaterialId, KeySpec};
use std::sync::Arc;

/// The response. The request is that of GenerateDataKeyPair.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateDataKeyPairWithoutPlaintextResponse {
    pub private_key_ciphertext_blob: Vec<u8>,
    /// DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Vec<u8>,
    pub key_id: Arc<str>,
    pub key_pair_spec: KeySpec,
    pub key_material_id: KeyMaterialId,
}

const OPERATION: Named = (KeyOperation::GenerateDataKeyPairWithoutPlaintext, "GenerateDataKeyPairWithoutPlaintext");

impl Service {
    /// `GenerateDataKeyPairWithoutPlaintext`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn generate_data_key_pair_without_plaintext(
        &self,
        request: Authenticated<GenerateDataKeyPairRequest>,
    ) -> Result<GenerateDataKeyPairWithoutPlaintextResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let action = Action::GenerateDataKeyPairWithoutPlaintext;
        let made = self.data_key_pair(&caller, request, (OPERATION, action)).await?;
        Ok(GenerateDataKeyPairWithoutPlaintextResponse {
            private_key_ciphertext_blob: made.private_key_ciphertext_blob,
            public_key: made.public_key,
            key_id: made.key_id,
            key_pair_spec: made.key_pair_spec,
            key_material_id: made.key_material_id,
        })
    }
}
