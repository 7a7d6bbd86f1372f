//! `Decapsulate`: the shared secret of a ciphertext under an ML-KEM key.

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
pub struct DecapsulateRequest {
    pub key_id: String,
    pub shared_secret_ciphertext_blob: Vec<u8>,
    pub encapsulation_algorithm: EncapsulationAlgorithm,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DecapsulateResponse {
    /// The ARN; AWS's form for this operation is not verified.
    pub key_id: Arc<str>,
    pub shared_secret: Secret,
    pub encapsulation_algorithm: EncapsulationAlgorithm,
}

const OPERATION: Named = (KeyOperation::Decapsulate, "Decapsulate");

impl Service {
    /// `Decapsulate`. A ciphertext of the right length that was not made under this key gives a secret that nobody else
    /// has, not an error (FIPS 203 §6.3, implicit rejection).
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text; [`KmsError::InvalidCiphertext`] for a ciphertext of another length.
    pub async fn decapsulate(
        &self,
        request: Authenticated<DecapsulateRequest>,
    ) -> Result<DecapsulateResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let entry = self.resolve(&self.access(&caller, Action::Decapsulate), &request.key_id, Accept::Alias)?;
        check_use(&entry, OPERATION, KeyUsage::EncapsulateDecapsulate)?;
        let algorithm = request.encapsulation_algorithm;
        check_algorithm(&entry, &algorithm, entry.record.spec.encapsulation_algorithms())?;
        let secret = self.key_pair(&entry)?.decapsulate(&request.shared_secret_ciphertext_blob);
        let secret = secret.map_err(|_opaque| KmsError::InvalidCiphertext)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(DecapsulateResponse {
            key_id: Arc::clone(&entry.arn_text),
            shared_secret: Secret(secret),
            encapsulation_algorithm: algorithm,
        })
    }
}
