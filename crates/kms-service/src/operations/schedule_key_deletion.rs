//! `ScheduleKeyDeletion`: starts the waiting period after which a key is deleted, in this Region only.
//!
//! A primary that has replicas waits for them first: its period starts when the last of them is gone.

use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::{RegionalBody, ScheduleDeletion};
use kms_policy::Action;
use kms_types::{KeyState, Timestamp, limits};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ScheduleKeyDeletionRequest {
    pub key_id: String,
    pub pending_window_in_days: Option<u32>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ScheduleKeyDeletionResponse {
    pub key_id: Arc<str>,
    /// Absent while the primary waits for its replicas.
    pub deletion_date: Option<Timestamp>,
    pub key_state: KeyState,
    pub pending_window_in_days: u32,
}

impl Service {
    /// `ScheduleKeyDeletion`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn schedule_key_deletion(
        &self,
        request: Authenticated<ScheduleKeyDeletionRequest>,
    ) -> Result<ScheduleKeyDeletionResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let window_days = request.pending_window_in_days.unwrap_or(limits::DELETION_WINDOW_DAYS_DEFAULT);
        let access = self.access(&caller, Action::ScheduleKeyDeletion).with(|r| r.pending_window_in_days(window_days));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        if !limits::DELETION_WINDOW_DAYS.contains(&window_days) {
            return Err(KmsError::service("PendingWindowInDays must be between 7 and 30"));
        }
        entry.check_state(KeyOperation::ScheduleKeyDeletion)?;
        let deletion_date =
            (!waits_for_replicas(&entry)).then(|| self.now().plus(self.config().day_length.days(window_days)));
        let body = ScheduleDeletion { key_id: entry.arn.key_id, window_days, deletion_date };
        self.change_key(&entry, RegionalBody::ScheduleDeletion(body)).await?;
        Ok(ScheduleKeyDeletionResponse {
            key_id: Arc::clone(&entry.arn_text),
            deletion_date,
            key_state: match deletion_date {
                Some(_) => KeyState::PendingDeletion,
                None => KeyState::PendingReplicaDeletion,
            },
            pending_window_in_days: window_days,
        })
    }
}

/// Whether the key is a primary with replicas. One that is added at the same moment is noticed when the waiting period
/// ends: the primary goes back to waiting for it.
fn waits_for_replicas(entry: &KeyEntry) -> bool {
    entry.is_primary() && entry.set.as_ref().is_some_and(|set| set.replicas().next().is_some())
}
