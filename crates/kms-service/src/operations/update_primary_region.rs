//! `UpdatePrimaryRegion`: moves the primary role to a replica, asked for in the primary's Region while both are well.
//! What works without the old primary is a promotion; see `promote.rs`.

use super::refused::{control_refused, primary_already};
use super::replicate_key::check_is_multi_region_primary;
use crate::authorise::{Access, RemoteKey, Resource};
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, PeerError, ReplicaAccess, Service};
use kms_core::control::{ControlBody, HolderStatus, Refusal, UpdatePrimary};
use kms_core::{KeyOperation, StateFault, state_matrix};
use kms_policy::{Action, KeyFacts};
use kms_types::{KeyArn, RegionName};
use std::time::Duration;

/// Longest wait for a replica's report that it is ready: far more than one commit takes.
const READY_DEADLINE: Duration = Duration::from_secs(2);
/// Bound of the same wait where a barrier costs nothing. Each takes a round trip to a majority.
const READY_BARRIERS_MAX: usize = 200;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct UpdatePrimaryRegionRequest {
    pub key_id: String,
    pub primary_region: RegionName,
}

impl Service {
    /// `UpdatePrimaryRegion`. AWS's texts for a wrong target, and for a key that is not a primary, are not verified.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn update_primary_region(
        &self,
        request: Authenticated<UpdatePrimaryRegionRequest>,
    ) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let to = request.primary_region;
        let access = self.access(&caller, Action::UpdatePrimaryRegion).with(|r| r.primary_region(to.as_str()));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        let target = KeyArn { region: to.clone(), ..entry.arn.clone() };
        check_is_multi_region_primary(&entry)?;
        entry.check_state(KeyOperation::UpdatePrimaryRegion)?;
        if to == *self.region() {
            return Err(primary_already(&to));
        }
        let set = entry.set.as_ref().ok_or(KmsError::Internal)?;
        let status = set.holders.get(&to).map(|holder| &holder.status);
        let status = status.ok_or_else(|| control_refused(&entry, &to, &Refusal::NoReplica))?;
        self.check_target(&access, &entry, &target).await?;
        if *status != HolderStatus::Ready && !self.becomes_ready(&target).await {
            return Err(KmsError::InvalidState { key: target, fault: StateFault::Creating });
        }
        let body = UpdatePrimary {
            key_id: entry.arn.key_id,
            from: self.region().clone(),
            to: to.clone(),
            expected_epoch: set.epoch,
        };
        let result = self.propose(ControlBody::UpdatePrimary(body)).await?;
        result.map_err(|refusal| control_refused(&entry, &to, &refusal))
    }

    /// Waits until the control log says that a replica is ready which is Enabled by its own word: its report is on its
    /// way then, and a caller who has seen it Enabled must not be told that it is still being created.
    pub(crate) async fn becomes_ready(&self, target: &KeyArn) -> bool {
        let started = self.now();
        for _ in 0..READY_BARRIERS_MAX {
            let barrier = self.control().read_barrier(self.config().catch_up_deadline).await;
            if barrier.is_err() || self.now().since(started) > READY_DEADLINE {
                return false;
            }
            let set = self.directory().read(|_, control| control.key_set(&target.key_id).cloned());
            let holder = set.as_ref().and_then(|set| set.holders.get(&target.region));
            match holder.map(|holder| &holder.status) {
                Some(HolderStatus::Ready) => return true,
                Some(HolderStatus::Creating(_)) => {}
                None => return false,
            }
        }
        false
    }

    /// The caller must be allowed to do this to the replica too, by the replica's own policy, and the replica must be
    /// Enabled, by its own word.
    async fn check_target(&self, access: &Access<'_>, entry: &KeyEntry, target: &KeyArn) -> Result<(), KmsError> {
        let deadline = self.config().peer_deadline;
        let report = match self.peers().replica_report(&target.region, &target.key_id, deadline).await {
            Ok(report) => report,
            Err(PeerError::Unreachable(_) | PeerError::Unknown(_)) => return Err(KmsError::DependencyTimeout),
        };
        if report.state.is_some() {
            // A Region that does not say who may do what there, says nothing that could be relied on.
            let said = report.access.ok_or(KmsError::DependencyTimeout)?;
            authorise_there(access, target, entry.facts(), said)?;
        }
        let checked = match report.state {
            Some(state) => state_matrix::check(KeyOperation::UpdatePrimaryRegion, state),
            None => Err(StateFault::Creating),
        };
        checked.map_err(|fault| KmsError::InvalidState { key: target.clone(), fault })
    }
}

/// Authorises the action on a related key in another Region, as a request to that Region. `facts` are those of any member
/// of the set; what related keys share is known everywhere.
pub(crate) fn authorise_there(
    access: &Access<'_>,
    target: &KeyArn,
    facts: KeyFacts,
    said: ReplicaAccess,
) -> Result<(), KmsError> {
    let key = RemoteKey::new(target.clone(), facts, said);
    access.with(|r| r.requested_region(target.region.as_str())).authorise(Resource::Remote(&key))
}
