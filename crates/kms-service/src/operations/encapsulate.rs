//! `Encapsulate`: a fresh shared secret, and its ciphertext under an ML-KEM key.

use super::encrypt::Secret;
use super::key_use::{Named, check_algorithm, check_use};
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{EncapsulationAlgorithm, KeyUsage};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EncapsulateRequest {
    pub key_id: String,
    pub encapsulation_algorithm: EncapsulationAlgorithm,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EncapsulateResponse {
    /// The ARN; AWS's form for this operation is not verified.
    pub key_id: Arc<str>,
    pub shared_secret: Secret,
    pub shared_secret_ciphertext_blob: Vec<u8>,
    pub encapsulation_algorithm: EncapsulationAlgorithm,
}

const OPERATION: Named = (KeyOperation::Encapsulate, "Encapsulate");

impl Service {
    /// `Encapsulate`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn encapsulate(
        &self,
        request: Authenticated<EncapsulateRequest>,
    ) -> Result<EncapsulateResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let entry = self.resolve(&self.access(&caller, Action::Encapsulate), &request.key_id, Accept::Alias)?;
        check_use(&entry, OPERATION, KeyUsage::EncapsulateDecapsulate)?;
        let algorithm = request.encapsulation_algorithm;
        check_algorithm(&entry, &algorithm, entry.record.spec.encapsulation_algorithms())?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let made = self.key_pair(&entry)?.encapsulate(self.entropy()).map_err(|_opaque| KmsError::Internal)?;
        let (shared_secret_ciphertext_blob, secret) = made;
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(EncapsulateResponse {
            key_id: Arc::clone(&entry.arn_text),
            shared_secret: Secret(secret),
            shared_secret_ciphertext_blob,
            encapsulation_algorithm: algorithm,
        })
    }
}
