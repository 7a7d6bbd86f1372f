//! `GenerateDataKey`: a random key for the caller's own use, in plaintext and encrypted under a KMS key.

use super::encrypt::Secret;
use super::key_use::{Named, check_encryption};
use crate::authorise::Access;
use crate::error::Validation;
use crate::resolve::Accept;
use crate::{Authenticated, Caller, Delivered, KeyEntry, KmsError, Recipient, Service};
use kms_core::KeyOperation;
use kms_crypto::Zeroizing;
use kms_policy::Action;
use kms_types::{EncryptionAlgorithm, EncryptionContext, KeyMaterialId, limits};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateDataKeyRequest {
    pub key_id: String,
    pub encryption_context: EncryptionContext,
    pub number_of_bytes: Option<u32>,
    pub key_spec: Option<DataKeySpec>,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
    /// Of GenerateDataKey alone.
    pub recipient: Option<Recipient>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateDataKeyResponse {
    pub ciphertext_blob: Vec<u8>,
    pub plaintext: Delivered,
    pub key_id: Arc<str>,
    /// Absent for a request with a recipient.
    pub key_material_id: Option<KeyMaterialId>,
}

/// The API's `DataKeySpec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum DataKeySpec {
    Aes256,
    Aes128,
}

impl DataKeySpec {
    /// Every spec, in the API model's order.
    pub const ALL: [Self; 2] = [Self::Aes256, Self::Aes128];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes256 => "AES_256",
            Self::Aes128 => "AES_128",
        }
    }

    const fn bytes(self) -> u32 {
        match self {
            Self::Aes256 => 32,
            Self::Aes128 => 16,
        }
    }
}

const OPERATION: Named = (KeyOperation::GenerateDataKey, "GenerateDataKey");

impl Service {
    /// `GenerateDataKey`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn generate_data_key(
        &self,
        request: Authenticated<GenerateDataKeyRequest>,
    ) -> Result<GenerateDataKeyResponse, KmsError> {
        let Authenticated { caller, mut request } = request;
        let attested = self.attested(&caller, request.recipient.take()).await?;
        let access = self.data_key_access(&caller, Action::GenerateDataKey, &request.encryption_context);
        let (entry, length) = self.data_key_for(&access.attested_by(attested.as_ref()), &request, OPERATION)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let plaintext = self.random_secret(length)?;
        let (ciphertext_blob, key_material_id) = self.seal_under(&entry, &request.encryption_context, &plaintext.0)?;
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(GenerateDataKeyResponse {
            ciphertext_blob,
            plaintext: self.deliver(attested.as_ref(), plaintext)?,
            key_id: Arc::clone(&entry.arn_text),
            key_material_id: Some(key_material_id).filter(|_| attested.is_none()),
        })
    }

    /// Checks a request for a data key, and says under which key and how long.
    pub(crate) fn data_key_for(
        &self,
        access: &Access<'_>,
        request: &GenerateDataKeyRequest,
        operation: Named,
    ) -> Result<(Arc<KeyEntry>, u32), KmsError> {
        self.check_grant_tokens(&request.grant_tokens)?;
        let length = match (request.number_of_bytes, request.key_spec) {
            (Some(length), None) => length,
            (None, Some(spec)) => spec.bytes(),
            (None, None) | (Some(_), Some(_)) => {
                return Err(KmsError::service("Please specify either number of bytes or key spec."));
            }
        };
        check_random_length(length)?;
        let entry = self.resolve(access, &request.key_id, Accept::Alias)?;
        check_encryption(&entry, operation, None, &request.encryption_context)?;
        Ok((entry, length))
    }

    /// An action that makes a data key or a pair, under a symmetric key whatever the request says.
    pub(crate) fn data_key_access<'a>(
        &'a self,
        caller: &'a Caller,
        action: Action,
        context: &'a EncryptionContext,
    ) -> Access<'a> {
        let access = self.access(caller, action).with_context(context);
        access.with(|r| r.encryption_algorithm(EncryptionAlgorithm::SymmetricDefault))
    }

    /// Fresh random bytes, as many as [`check_random_length`] admits.
    pub(crate) fn random_secret(&self, length: u32) -> Result<Secret, KmsError> {
        let length = usize::try_from(length).map_err(|_opaque| KmsError::Internal)?;
        let mut bytes = Zeroizing::new(vec![0; length]);
        self.entropy().fill(&mut bytes).map_err(|_opaque| KmsError::Internal)?;
        Ok(Secret(bytes))
    }
}

/// Checks the length of random bytes that leave the service.
pub(crate) fn check_random_length(length: u32) -> Result<(), KmsError> {
    let max = u32::try_from(limits::RANDOM_BYTES_MAX).unwrap_or(u32::MAX);
    Validation::check_range(length, "numberOfBytes", 1..=max)
}
