//! `Sign`.

use super::encrypt::Secret;
use super::key_use::{Named, check_algorithm, check_use};
use super::message::check_message;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{KeyUsage, MessageType, SigningAlgorithm};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct SignRequest {
    pub key_id: String,
    pub message: Secret,
    pub message_type: MessageType,
    pub grant_tokens: Vec<String>,
    pub signing_algorithm: SigningAlgorithm,
    pub dry_run: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct SignResponse {
    pub key_id: Arc<str>,
    pub signature: Vec<u8>,
    pub signing_algorithm: SigningAlgorithm,
}

const OPERATION: Named = (KeyOperation::Sign, "Sign");

impl Service {
    /// `Sign`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn sign(&self, request: Authenticated<SignRequest>) -> Result<SignResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let access = self
            .access(&caller, Action::Sign)
            .with(|r| r.signing_algorithm(request.signing_algorithm).message_type(request.message_type));
        let entry = self.resolve(&access, &request.key_id, Accept::Alias)?;
        check_use(&entry, OPERATION, KeyUsage::SignVerify)?;
        let (spec, algorithm) = (entry.record.spec, request.signing_algorithm);
        check_algorithm(&entry, &algorithm, spec.signing_algorithms())?;
        check_message(spec, algorithm, request.message_type, &request.message.0)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let signature = self
            .key_pair(&entry)?
            .sign(algorithm, request.message_type, &request.message.0, self.entropy())
            .map_err(|_opaque| KmsError::Internal)?;
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(SignResponse { key_id: Arc::clone(&entry.arn_text), signature, signing_algorithm: algorithm })
    }
}
