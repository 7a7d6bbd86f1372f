//! `GetKeyLastUsage`: when a key of this Region last served a cryptographic operation. Works in every key state.

use crate::last_use::Use;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, RequestId, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{KeyId, Timestamp};

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetKeyLastUsageRequest {
    pub key_id: String,
}

/// The response. Whether AWS shows the key ID or the ARN is not verified; its reference calls the member what it calls
/// the bare ID in `KeyMetadata`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetKeyLastUsageResponse {
    pub key_id: KeyId,
    /// An empty structure when the key was never used.
    pub key_last_usage: Option<KeyLastUsageData>,
    /// When the key was created, or when this Region began to note uses, whichever is later.
    pub tracking_start_date: Timestamp,
    pub key_creation_date: Timestamp,
}

/// The API's `KeyLastUsageData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct KeyLastUsageData {
    /// The operation's name.
    pub operation: &'static str,
    pub timestamp: Timestamp,
    /// The ID of the request's audit record, which follows from the request ID.
    pub cloud_trail_event_id: RequestId,
    pub kms_request_id: RequestId,
}

impl Service {
    /// `GetKeyLastUsage`. Each Region tracks its own keys; related keys are not asked. Uses of the last few seconds
    /// before a crash may be missing, as AWS's are for a while.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn get_key_last_usage(
        &self,
        request: Authenticated<GetKeyLastUsageRequest>,
    ) -> Result<GetKeyLastUsageResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::GetKeyLastUsage), &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::GetKeyLastUsage)?;
        let created_at = entry.record.created_at;
        let data = |used: Use| KeyLastUsageData {
            operation: used.operation.as_str(),
            timestamp: used.at,
            cloud_trail_event_id: used.request_id.event_id(),
            kms_request_id: used.request_id,
        };
        Ok(GetKeyLastUsageResponse {
            key_id: entry.arn.key_id,
            key_last_usage: entry.live.last_use.read().map(data),
            tracking_start_date: created_at.max(self.config().uses_tracked_since),
            key_creation_date: created_at,
        })
    }
}
