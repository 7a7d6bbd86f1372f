//! `VerifyMac`. There is no negative answer: a MAC that does not verify is an error.

use super::encrypt::Secret;
use super::key_use::{Named, check_algorithm, check_use};
use crate::error::Validation;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{KeyUsage, MacAlgorithm, limits};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct VerifyMacRequest {
    pub message: Secret,
    pub key_id: String,
    pub mac_algorithm: MacAlgorithm,
    pub mac: Vec<u8>,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
}

/// The response: the MAC is valid.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct VerifyMacResponse {
    pub key_id: Arc<str>,
    pub mac_algorithm: MacAlgorithm,
}

const OPERATION: Named = (KeyOperation::VerifyMac, "VerifyMac");

impl Service {
    /// `VerifyMac`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text; [`KmsError::InvalidMac`] for everything that is wrong with the MAC.
    pub async fn verify_mac(&self, request: Authenticated<VerifyMacRequest>) -> Result<VerifyMacResponse, KmsError> {
        let Authenticated { caller, request } = request;
        Validation::check_length(request.message.0.len(), "message", limits::PLAINTEXT_BYTES_MAX)?;
        self.check_grant_tokens(&request.grant_tokens)?;
        let access = self.access(&caller, Action::VerifyMac).with(|r| r.mac_algorithm(request.mac_algorithm));
        let entry = self.resolve(&access, &request.key_id, Accept::Alias)?;
        check_use(&entry, OPERATION, KeyUsage::GenerateVerifyMac)?;
        check_algorithm(&entry, &request.mac_algorithm, entry.record.spec.mac_algorithms())?;
        let key = self.mac_key(&entry)?;
        key.verify(&request.message.0, &request.mac).map_err(|_opaque| KmsError::InvalidMac)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(VerifyMacResponse { key_id: Arc::clone(&entry.arn_text), mac_algorithm: request.mac_algorithm })
    }
}
