//! `RotateKeyOnDemand`, and the first half of every rotation.
//!
//! Imported material that waits for its rotation becomes current; other keys get new material. A single-Region key gets
//! it at once. A multi-Region key gets it staged in every holding Region first;
//! `background/synchronise.rs` activates it when all of them have it.

use super::external_origin::{nothing_pending, wrong_origin};
use super::refused::{control_refused, not_primary, regional_refused};
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::control::{ActivateMaterial, ControlBody, KeySet, Refusal, StageMaterial};
use kms_core::regional::{RegionalBody, RegionalRefusal, RotateMaterial};
use kms_policy::Action;
use kms_types::{KeySpec, Origin, RotationType, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// AWS refuses an on-demand rotation this close to an automatic one (API reference of RotateKeyOnDemand).
const AUTOMATIC_IS_NEAR: Duration = Duration::from_secs(20 * 60);

/// How often a stage is made anew because the holding Regions changed meanwhile.
const STAGE_ATTEMPTS: usize = 5;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct RotateKeyOnDemandRequest {
    pub key_id: String,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct RotateKeyOnDemandResponse {
    pub key_id: Arc<str>,
}

impl Service {
    /// `RotateKeyOnDemand`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn rotate_key_on_demand(
        &self,
        request: Authenticated<RotateKeyOnDemandRequest>,
    ) -> Result<RotateKeyOnDemandResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::RotateKeyOnDemand), &request.key_id, Accept::KeyOnly)?;
        check_symmetric(&entry)?;
        entry.check_state(KeyOperation::RotateKeyOnDemand)?;
        check_is_primary(&entry)?;
        if entry.record.origin == Origin::External {
            self.rotate_to_imported(&entry).await?;
        } else {
            check_rotatable(&entry)?;
            self.check_automatic_is_not_near(&entry)?;
            self.rotate(&entry, RotationType::OnDemand).await?;
        }
        Ok(RotateKeyOnDemandResponse { key_id: Arc::clone(&entry.arn_text) })
    }

    /// Makes the imported material current that waits for it. Of a multi-Region key every Region must have imported it.
    async fn rotate_to_imported(&self, entry: &KeyEntry) -> Result<(), KmsError> {
        let on_demand_limit = self.config().quotas.on_demand_rotations_per_key;
        let key_id = entry.arn.key_id;
        let Some(set) = &entry.set else {
            let body = RegionalBody::RotateToImported { key_id, on_demand_limit };
            return match self.submit(body).await? {
                Err(RegionalRefusal::NothingPending) => Err(nothing_pending(entry)),
                done => done.map_err(|refusal| regional_refused(&entry.arn, &refusal)),
            };
        };
        let staged = set.staged().ok_or_else(|| nothing_pending(entry))?;
        let (expected_epoch, material_id) = (set.epoch, staged.material_id);
        let without = BTreeSet::new();
        let body = ActivateMaterial { key_id, expected_epoch, material_id, without, on_demand_limit };
        match self.propose(ControlBody::ActivateMaterial(body)).await? {
            Ok(()) => {}
            Err(Refusal::ImportMissing | Refusal::NotStaged) => return Err(nothing_pending(entry)),
            Err(refusal) => return Err(control_refused(entry, self.region(), &refusal)),
        }
        self.tell_key_set(&key_id).await;
        Ok(())
    }

    fn check_automatic_is_not_near(&self, entry: &KeyEntry) -> Result<(), KmsError> {
        let schedule = entry.rotation();
        let horizon = self.now().plus(self.config().day_length.scale(AUTOMATIC_IS_NEAR));
        match schedule {
            Some(schedule) if schedule.next_at <= horizon => Err(KmsError::Conflict(
                "The request was rejected because an automatic rotation of this key is in progress or scheduled within \
                 the next 20 minutes.",
            )),
            _ => Ok(()),
        }
    }

    /// Starts a rotation of a key whose state and role have been checked.
    pub(crate) async fn rotate(&self, entry: &KeyEntry, rotation_type: RotationType) -> Result<(), KmsError> {
        if entry.record.is_multi_region() {
            self.stage(entry, rotation_type).await
        } else {
            self.rotate_single_region(entry, rotation_type).await
        }
    }

    async fn rotate_single_region(&self, entry: &KeyEntry, rotation_type: RotationType) -> Result<(), KmsError> {
        let key_id = entry.arn.key_id;
        let material = self.keyring().generate(entry.record.spec)?;
        let period = entry.record.rotation.map(|r| r.period_days);
        let body = RotateMaterial {
            key_id,
            material: self.keyring().wrap(&key_id, &material)?,
            rotation_type,
            next_rotation_at: self.next_rotation(rotation_type, period),
            on_demand_limit: self.config().quotas.on_demand_rotations_per_key,
        };
        self.change_key(entry, RegionalBody::RotateMaterial(body)).await
    }

    /// Draws new material, seals it to every holding Region and commits the stage. Made anew when a replica came or went
    /// between the reading and the commit.
    async fn stage(&self, entry: &KeyEntry, rotation_type: RotationType) -> Result<(), KmsError> {
        for _ in 0..STAGE_ATTEMPTS {
            let set = self
                .directory()
                .read(|_, control| control.key_set(&entry.arn.key_id).cloned())
                .ok_or_else(|| KmsError::KeyNotFound(entry.arn.clone()))?;
            let body = self.sealed_stage(&set, rotation_type)?;
            match self.propose(ControlBody::StageMaterial(body)).await? {
                Ok(()) => return Ok(()),
                Err(Refusal::BoxesMismatch) => {}
                Err(refusal) => return Err(control_refused(entry, self.region(), &refusal)),
            }
        }
        Err(KmsError::DependencyTimeout)
    }

    fn sealed_stage(&self, set: &KeySet, rotation_type: RotationType) -> Result<StageMaterial, KmsError> {
        let key_id = set.key_id;
        let material = self.keyring().generate(set.spec)?;
        let mut boxes = BTreeMap::new();
        for region in set.holders.keys() {
            let directory = self.directory();
            let public = directory.read(|_, c| c.region(region).map(|r| r.sealing_public_key.clone()));
            let public = public.ok_or(KmsError::Internal)?;
            boxes.insert(region.clone(), self.keyring().seal(&key_id, &material, region, &public)?);
        }
        Ok(StageMaterial {
            key_id,
            expected_epoch: set.epoch,
            material_id: material.material_id(&key_id),
            rotation_type,
            boxes,
            next_rotation_at: self.next_rotation(rotation_type, set.rotation.map(|r| r.period_days)),
            on_demand_limit: self.config().quotas.on_demand_rotations_per_key,
        })
    }

    /// An automatic rotation moves the schedule; an on-demand one leaves it.
    fn next_rotation(&self, rotation_type: RotationType, period_days: Option<u32>) -> Option<Timestamp> {
        match rotation_type {
            RotationType::Automatic => period_days.map(|days| self.now().plus(self.config().day_length.days(days))),
            RotationType::OnDemand => None,
        }
    }
}

/// Only symmetric keys with material made here rotate by schedule.
pub(crate) fn check_rotatable(entry: &KeyEntry) -> Result<(), KmsError> {
    check_symmetric(entry)?;
    check_own_material(entry)
}

/// Only symmetric keys rotate. AWS sends no message for other specs.
pub(crate) fn check_symmetric(entry: &KeyEntry) -> Result<(), KmsError> {
    if entry.record.spec == KeySpec::SymmetricDefault { Ok(()) } else { Err(KmsError::UnsupportedOperation(None)) }
}

/// Refuses keys with imported material.
pub(crate) fn check_own_material(entry: &KeyEntry) -> Result<(), KmsError> {
    if entry.record.origin == Origin::AwsKms { Ok(()) } else { Err(wrong_origin(entry)) }
}

/// Rotation belongs to the primary. AWS's text on a replica is not verified; this is its text for ReplicateKey.
pub(crate) fn check_is_primary(entry: &KeyEntry) -> Result<(), KmsError> {
    if !entry.record.is_multi_region() || entry.is_primary() { Ok(()) } else { Err(not_primary(entry)) }
}
