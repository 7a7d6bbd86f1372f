//! `GenerateMac`.

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
pub struct GenerateMacRequest {
    pub message: Secret,
    pub key_id: String,
    pub mac_algorithm: MacAlgorithm,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateMacResponse {
    pub mac: Vec<u8>,
    pub mac_algorithm: MacAlgorithm,
    pub key_id: Arc<str>,
}

const OPERATION: Named = (KeyOperation::GenerateMac, "GenerateMac");

impl Service {
    /// `GenerateMac`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn generate_mac(
        &self,
        request: Authenticated<GenerateMacRequest>,
    ) -> Result<GenerateMacResponse, KmsError> {
        let Authenticated { caller, request } = request;
        Validation::check_length(request.message.0.len(), "message", limits::PLAINTEXT_BYTES_MAX)?;
        self.check_grant_tokens(&request.grant_tokens)?;
        let access = self.access(&caller, Action::GenerateMac).with(|r| r.mac_algorithm(request.mac_algorithm));
        let entry = self.resolve(&access, &request.key_id, Accept::Alias)?;
        check_use(&entry, OPERATION, KeyUsage::GenerateVerifyMac)?;
        check_algorithm(&entry, &request.mac_algorithm, entry.record.spec.mac_algorithms())?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let mac = self.mac_key(&entry)?.generate(&request.message.0);
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(GenerateMacResponse { mac, mac_algorithm: request.mac_algorithm, key_id: Arc::clone(&entry.arn_text) })
    }
}
