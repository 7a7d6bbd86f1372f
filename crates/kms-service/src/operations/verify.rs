//! `Verify`. There is no negative answer: a signature that does not verify is an error.

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
pub struct VerifyRequest {
    pub key_id: String,
    pub message: Secret,
    pub message_type: MessageType,
    pub signature: Vec<u8>,
    pub signing_algorithm: SigningAlgorithm,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
}

/// The response: the signature is valid.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct VerifyResponse {
    pub key_id: Arc<str>,
    pub signing_algorithm: SigningAlgorithm,
}

const OPERATION: Named = (KeyOperation::Verify, "Verify");

impl Service {
    /// `Verify`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text; [`KmsError::InvalidSignature`] for everything that is wrong with the
    /// signature.
    pub async fn verify(&self, request: Authenticated<VerifyRequest>) -> Result<VerifyResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let access = self
            .access(&caller, Action::Verify)
            .with(|r| r.signing_algorithm(request.signing_algorithm).message_type(request.message_type));
        let entry = self.resolve(&access, &request.key_id, Accept::Alias)?;
        check_use(&entry, OPERATION, KeyUsage::SignVerify)?;
        let (spec, algorithm) = (entry.record.spec, request.signing_algorithm);
        check_algorithm(&entry, &algorithm, spec.signing_algorithms())?;
        check_message(spec, algorithm, request.message_type, &request.message.0)?;
        self.key_pair(&entry)?
            .verify(algorithm, request.message_type, &request.message.0, &request.signature)
            .map_err(|_opaque| KmsError::InvalidSignature)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(VerifyResponse { key_id: Arc::clone(&entry.arn_text), signing_algorithm: algorithm })
    }
}
