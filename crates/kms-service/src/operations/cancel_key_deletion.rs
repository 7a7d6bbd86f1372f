//! `CancelKeyDeletion`: ends the waiting period. The key is then disabled.

use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::RegionalBody;
use kms_policy::Action;
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CancelKeyDeletionRequest {
    pub key_id: String,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CancelKeyDeletionResponse {
    pub key_id: Arc<str>,
}

impl Service {
    /// `CancelKeyDeletion`. Refused once the deletion date has passed: the deletion is on its way then, and an
    /// acknowledged cancellation must keep the key (AWS's answer at that moment is not verified).
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn cancel_key_deletion(
        &self,
        request: Authenticated<CancelKeyDeletionRequest>,
    ) -> Result<CancelKeyDeletionResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::CancelKeyDeletion), &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::CancelKeyDeletion)?;
        self.change_key(&entry, RegionalBody::CancelDeletion(entry.arn.key_id)).await?;
        Ok(CancelKeyDeletionResponse { key_id: Arc::clone(&entry.arn_text) })
    }
}
