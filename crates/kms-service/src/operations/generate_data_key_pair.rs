//! `GenerateDataKeyPair`: a key pair for the caller's own use, its private half in plaintext and encrypted under a
//! symmetric KMS key.

use super::encrypt::Secret;
use super::key_use::{Named, check_encryption};
use crate::recipient::Attested;
use crate::resolve::Accept;
use crate::{Authenticated, Caller, Delivered, KeyEntry, KmsError, Recipient, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{EncryptionContext, KeyMaterialId, KeySpec};
use std::sync::Arc;

/// The API's `DataKeyPairSpec`, in the API model's order.
pub const DATA_KEY_PAIR_SPECS: [KeySpec; 12] = [
    KeySpec::Rsa2048,
    KeySpec::Rsa3072,
    KeySpec::Rsa4096,
    KeySpec::EccNistP256,
    KeySpec::EccNistP384,
    KeySpec::EccNistP521,
    KeySpec::EccSecgP256k1,
    KeySpec::Sm2,
    KeySpec::EccNistEdwards25519,
    KeySpec::MlKem512,
    KeySpec::MlKem768,
    KeySpec::MlKem1024,
];

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateDataKeyPairRequest {
    pub encryption_context: EncryptionContext,
    pub key_id: String,
    /// One of [`DATA_KEY_PAIR_SPECS`].
    pub key_pair_spec: KeySpec,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
    /// Of GenerateDataKeyPair alone.
    pub recipient: Option<Recipient>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateDataKeyPairResponse {
    pub private_key_ciphertext_blob: Vec<u8>,
    /// DER `PrivateKeyInfo` (PKCS #8).
    pub private_key_plaintext: Delivered,
    /// DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Vec<u8>,
    pub key_id: Arc<str>,
    pub key_pair_spec: KeySpec,
    pub key_material_id: KeyMaterialId,
}

const OPERATION: Named = (KeyOperation::GenerateDataKeyPair, "GenerateDataKeyPair");

impl Service {
    /// `GenerateDataKeyPair`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn generate_data_key_pair(
        &self,
        request: Authenticated<GenerateDataKeyPairRequest>,
    ) -> Result<GenerateDataKeyPairResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.data_key_pair(&caller, request, (OPERATION, Action::GenerateDataKeyPair)).await
    }

    /// Checks a request for a data key pair and makes it.
    pub(crate) async fn data_key_pair(
        &self,
        caller: &Caller,
        mut request: GenerateDataKeyPairRequest,
        (operation, action): (Named, Action),
    ) -> Result<GenerateDataKeyPairResponse, KmsError> {
        let attested = self.attested(caller, request.recipient.take()).await?;
        let entry = self.data_key_pair_for(caller, &request, (operation, action), attested.as_ref())?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let pair = self.new_key_pair(request.key_pair_spec).await?;
        let private = Secret(pair.private_key_der);
        let (private_key_ciphertext_blob, key_material_id) =
            self.seal_under(&entry, &request.encryption_context, &private.0)?;
        self.note_use(&entry, caller, operation.0);
        Ok(GenerateDataKeyPairResponse {
            private_key_ciphertext_blob,
            private_key_plaintext: self.deliver(attested.as_ref(), private)?,
            public_key: pair.public_key_der,
            key_id: Arc::clone(&entry.arn_text),
            key_pair_spec: request.key_pair_spec,
            key_material_id,
        })
    }

    fn data_key_pair_for(
        &self,
        caller: &Caller,
        request: &GenerateDataKeyPairRequest,
        (operation, action): (Named, Action),
        attested: Option<&Attested>,
    ) -> Result<Arc<KeyEntry>, KmsError> {
        let spec = request.key_pair_spec;
        if spec == KeySpec::Sm2 || !DATA_KEY_PAIR_SPECS.contains(&spec) {
            // AWS's text for SM2 outside China is not verified; this is its text for CreateKey.
            return Err(KmsError::service(format!("KeyPairSpec {spec} is not supported in this Region")));
        }
        self.check_grant_tokens(&request.grant_tokens)?;
        let access = self.data_key_access(caller, action, &request.encryption_context);
        let access = access.attested_by(attested).with(|r| r.data_key_pair_spec(spec));
        let entry = self.resolve(&access, &request.key_id, Accept::Alias)?;
        check_encryption(&entry, operation, None, &request.encryption_context)?;
        Ok(entry)
    }
}
