//! `GetKeyRotationStatus`: whether and when a key is rotated. Works in every key state and on every related key.

use super::rotate_key_on_demand::check_own_material;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_policy::Action;
use kms_types::{RotationType, Timestamp};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetKeyRotationStatusRequest {
    pub key_id: String,
}

/// The response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetKeyRotationStatusResponse {
    pub key_id: Arc<str>,
    pub key_rotation_enabled: bool,
    pub rotation_period_in_days: Option<u32>,
    pub next_rotation_date: Option<Timestamp>,
    /// Present while an on-demand rotation is in progress.
    pub on_demand_rotation_start_date: Option<Timestamp>,
}

impl Service {
    /// `GetKeyRotationStatus`. Keys that cannot rotate say that rotation is off (kms-rules §6.6: clients ask this of
    /// every key); a key whose deletion is pending says so too, until the deletion is cancelled.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn get_key_rotation_status(
        &self,
        request: Authenticated<GetKeyRotationStatusRequest>,
    ) -> Result<GetKeyRotationStatusResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry =
            self.resolve(&self.access(&caller, Action::GetKeyRotationStatus), &request.key_id, Accept::KeyOnly)?;
        check_own_material(&entry)?;
        let schedule = entry.rotation().filter(|_| !entry.state().is_pending_deletion());
        Ok(GetKeyRotationStatusResponse {
            key_id: Arc::clone(&entry.arn_text),
            key_rotation_enabled: schedule.is_some(),
            rotation_period_in_days: schedule.map(|s| s.period_days),
            next_rotation_date: schedule.map(|s| s.next_at),
            on_demand_rotation_start_date: on_demand_since(&entry),
        })
    }
}

fn on_demand_since(entry: &KeyEntry) -> Option<Timestamp> {
    let staged = entry.set.as_ref()?.staged()?;
    (staged.rotation_type == Some(RotationType::OnDemand)).then_some(staged.created_at)
}
