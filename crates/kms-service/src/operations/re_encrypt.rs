//! `ReEncrypt`: decrypts under one key and encrypts under another, or under the same, within this Region.

use super::decrypt::OpenRequest;
use super::encrypt::check_plaintext;
use super::key_use::{Named, asked, check_encryption};
use crate::resolve::Accept;
use crate::{Authenticated, Caller, KmsError, Service};
use kms_core::KeyOperation;
use kms_crypto::parse_header;
use kms_policy::Action;
use kms_types::{EncryptionAlgorithm, EncryptionContext, KeyMaterialId};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ReEncryptRequest {
    /// Absent only with `ignore_ciphertext`.
    pub ciphertext_blob: Option<Vec<u8>>,
    pub source_encryption_context: EncryptionContext,
    pub source_key_id: Option<String>,
    pub destination_key_id: String,
    pub destination_encryption_context: EncryptionContext,
    pub source_encryption_algorithm: Option<EncryptionAlgorithm>,
    pub destination_encryption_algorithm: Option<EncryptionAlgorithm>,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
    /// `DryRunModifiers` contains `IGNORE_CIPHERTEXT`.
    pub ignore_ciphertext: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ReEncryptResponse {
    pub ciphertext_blob: Vec<u8>,
    pub source_key_id: Arc<str>,
    pub key_id: Arc<str>,
    pub source_encryption_algorithm: EncryptionAlgorithm,
    pub destination_encryption_algorithm: EncryptionAlgorithm,
    /// Of symmetric keys.
    pub source_key_material_id: Option<KeyMaterialId>,
    /// Of symmetric keys.
    pub destination_key_material_id: Option<KeyMaterialId>,
}

const OPERATION: Named = (KeyOperation::ReEncrypt, "ReEncrypt");

impl Service {
    /// `ReEncrypt`. Nothing is decrypted for a caller who may not encrypt under the destination key.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn re_encrypt(&self, request: Authenticated<ReEncryptRequest>) -> Result<ReEncryptResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let same = self.is_on_same_key(&caller, &request);
        let access = self
            .access(&caller, Action::ReEncryptTo)
            .with_context(&request.destination_encryption_context)
            .with(|r| r.encryption_algorithm(asked(request.destination_encryption_algorithm)))
            .with(|r| r.re_encrypt_on_same_key(same));
        let destination = self.resolve(&access, &request.destination_key_id, Accept::Alias)?;
        let (algorithm, context) = (request.destination_encryption_algorithm, &request.destination_encryption_context);
        let algorithm = check_encryption(&destination, OPERATION, algorithm, context)?;
        let from = self.access(&caller, Action::ReEncryptFrom).with(|r| r.re_encrypt_on_same_key(same));
        if request.ignore_ciphertext {
            super::decrypt::check_ignore_ciphertext(request.dry_run)?;
            let source = request.source_key_id.as_deref();
            let source = source.ok_or_else(|| KmsError::service("SourceKeyId is required."))?;
            let access = from
                .with_context(&request.source_encryption_context)
                .with(|r| r.encryption_algorithm(asked(request.source_encryption_algorithm)));
            let entry = self.resolve(&access, source, Accept::Alias)?;
            let (algorithm, context) = (request.source_encryption_algorithm, &request.source_encryption_context);
            check_encryption(&entry, OPERATION, algorithm, context)?;
            return Err(KmsError::DryRun);
        }
        let source = self
            .open_ciphertext(
                &from,
                &OpenRequest {
                    blob: request.ciphertext_blob.as_deref().unwrap_or_default(),
                    key_id: request.source_key_id.as_deref(),
                    context: &request.source_encryption_context,
                    algorithm: request.source_encryption_algorithm,
                    operation: OPERATION,
                },
            )
            .await?;
        check_plaintext(destination.record.spec, algorithm, source.plaintext.0.len())?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let (ciphertext_blob, destination_key_material_id) =
            self.seal_with(&destination, algorithm, context, &source.plaintext.0)?;
        self.note_use(&source.entry, &caller, OPERATION.0);
        self.note_use(&destination, &caller, OPERATION.0);
        Ok(ReEncryptResponse {
            ciphertext_blob,
            source_key_id: Arc::clone(&source.entry.arn_text),
            key_id: Arc::clone(&destination.arn_text),
            source_encryption_algorithm: source.algorithm,
            destination_encryption_algorithm: algorithm,
            source_key_material_id: source.material_id,
            destination_key_material_id,
        })
    }

    /// Whether source and destination are one key, as far as the request tells ("kms:ReEncryptOnSameKey").
    fn is_on_same_key(&self, caller: &Caller, request: &ReEncryptRequest) -> bool {
        let access = self.access(caller, Action::ReEncryptFrom);
        let named = |key_id: &str| self.referenced(&access, key_id, Accept::Alias).ok().map(|(_, key_id)| key_id);
        // The key that made a ciphertext is the source, or the request fails; one of an asymmetric key does not tell it.
        let made_it = request.ciphertext_blob.as_deref().and_then(|blob| parse_header(blob).ok());
        let made_it = made_it.map(|header| header.key_id);
        let source = made_it.or_else(|| request.source_key_id.as_deref().and_then(named));
        source.is_some() && source == named(&request.destination_key_id)
    }
}
