//! `EnableKeyRotation`: switches automatic rotation on, or changes its period; for a multi-Region key on the primary.

use super::rotate_key_on_demand::{check_is_primary, check_rotatable};
use crate::error::Validation;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::control::{ControlBody, SetRotation};
use kms_core::regional::RegionalBody;
use kms_core::{KeyOperation, RotationSchedule};
use kms_policy::Action;
use kms_types::limits;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EnableKeyRotationRequest {
    pub key_id: String,
    pub rotation_period_in_days: Option<u32>,
}

impl Service {
    /// `EnableKeyRotation`. The first rotation comes one period from now. Asking again for the period that is set
    /// already leaves the date as it is, so that a tool which keeps asking does not put rotation off for ever.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn enable_key_rotation(&self, request: Authenticated<EnableKeyRotationRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let period_days = request.rotation_period_in_days.unwrap_or(limits::ROTATION_PERIOD_DAYS_DEFAULT);
        let access = self.access(&caller, Action::EnableKeyRotation).with(|r| r.rotation_period_in_days(period_days));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        Validation::check_range(period_days, "rotationPeriodInDays", limits::ROTATION_PERIOD_DAYS)?;
        check_rotatable(&entry)?;
        entry.check_state(KeyOperation::EnableKeyRotation)?;
        check_is_primary(&entry)?;
        if entry.rotation().is_some_and(|schedule| schedule.period_days == period_days) {
            return Ok(());
        }
        let next_at = self.now().plus(self.config().day_length.days(period_days));
        self.set_rotation(&entry, Some(RotationSchedule { period_days, next_at })).await
    }

    /// Changes the schedule where it lives: in the key set of a multi-Region key, in the record of any other.
    pub(crate) async fn set_rotation(
        &self,
        entry: &KeyEntry,
        schedule: Option<RotationSchedule>,
    ) -> Result<(), KmsError> {
        let key_id = entry.arn.key_id;
        match &entry.set {
            Some(set) => {
                let body = SetRotation { key_id, expected_epoch: set.epoch, schedule };
                self.change_key_set(entry, ControlBody::SetRotation(body)).await
            }
            None => self.change_key(entry, RegionalBody::SetRotation(key_id, schedule)).await,
        }
    }
}
