//! Promotion of a replica to primary, also without the old primary.
//!
//! A plan is made first, from a linearisable read and the target's own word; it is committed only if it is still the
//! plan. The commit is one control command that expects the plan's epoch, so that of two promotions one is refused.

use crate::authorise::Resource;
use crate::operations::update_primary_region::authorise_there;
use crate::resolve::Accept;
use crate::{Caller, ControlLogError, KmsError, ReplicaAccess, Service};
use kms_core::control::{ControlBody, ControlOutcome, KeySet, Refusal, UpdatePrimary};
use kms_policy::{Action, KeyFacts, MultiRegionKeyType};
use kms_types::{KeyArn, KeyMaterialId, KeyRef, RegionName};
use std::sync::Arc;
use std::time::Duration;

/// How long the read barrier of a plan may take: long enough for an election.
const BARRIER_DEADLINE: Duration = Duration::from_secs(10);

/// What a promotion would do, and what stands in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotePlan {
    /// The key, in the Region that was asked.
    pub key: KeyArn,
    /// Present primary.
    pub from: RegionName,
    /// Region to promote.
    pub to: RegionName,
    /// Present epoch.
    pub epoch: u64,
    /// Index up to which a majority had committed when the plan was made.
    pub committed_index: u64,
    /// Index that the target has applied; zero when it does not answer.
    pub target_applied_index: u64,
    /// Regions of the cluster that do not answer.
    pub unreachable: Vec<RegionName>,
    /// Acknowledged changes that would be lost. Always empty: what was acknowledged is in the majority that commits
    /// the promotion.
    pub would_be_lost: Vec<String>,
    /// Material of a rotation in progress, which the new primary will finish.
    pub staged: Option<KeyMaterialId>,
    /// Why the promotion is refused; empty when it can go on.
    pub obstacles: Vec<String>,
}

impl PromotePlan {
    /// Names the decision that the plan shows, so that "yes" to one plan is not taken for another: key, both Regions,
    /// epoch, staged material and what is unreachable. The committed index is left out; it moves with every change of
    /// any key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let staged = self.staged.map(|id| id.to_string()).unwrap_or_default();
        let unreachable: Vec<_> = self.unreachable.iter().map(RegionName::as_str).collect();
        format!("{}:{}:{}:{}:{staged}:{}", self.key.key_id, self.from, self.to, self.epoch, unreachable.join(","))
    }
}

/// A committed promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promoted {
    /// The plan that was carried out.
    pub plan: PromotePlan,
    /// The new epoch.
    pub epoch: u64,
    /// From the request to the commit, by this Region's clock.
    pub duration: Duration,
}

/// Why a promotion was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromoteError {
    /// The key cannot be found, or the caller may not.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// Not the name of a Region.
    #[error("not a Region name")]
    RegionName,
    /// No multi-Region key.
    #[error("{0} is not a multi-Region key")]
    NotMultiRegion(KeyArn),
    /// No majority of Regions.
    #[error(
        "no majority of Regions is within reach, so no change of shared properties can be committed; \
         bring Regions back first"
    )]
    NoMajority,
    /// The plan has obstacles.
    #[error("{}", .0.obstacles.join("; "))]
    Refused(Box<PromotePlan>),
    /// The cluster is not as it was when the plan was shown.
    #[error("the plan is out of date; ask for a new one")]
    StalePlan(Box<PromotePlan>),
}

/// Who asks for a promotion.
#[derive(Clone, Copy, Debug)]
pub enum Promoter<'a> {
    /// A principal, who needs the permission.
    Principal(&'a Caller),
    /// An operator of the cluster, whom no key policy stops: a promotion is how a cluster survives the loss of a Region.
    Operator(&'a Caller),
}

/// What related keys have in common, as conditions can ask for it.
fn facts_of(set: &KeySet) -> KeyFacts {
    let KeySet { account, spec, usage, origin, .. } = *set;
    KeyFacts { account, spec, usage, origin, multi_region: Some(MultiRegionKeyType::Replica) }
}

impl Service {
    /// Makes the plan of a promotion. Changes nothing.
    ///
    /// # Errors
    /// [`PromoteError`]; a plan with obstacles is not an error here.
    pub async fn plan_promotion(
        &self,
        promoter: Promoter<'_>,
        key_id: &str,
        to: &str,
    ) -> Result<PromotePlan, PromoteError> {
        let to = RegionName::parse(to).map_err(|_invalid| PromoteError::RegionName)?;
        let found = self.find_for_promotion(promoter, key_id, &to)?;
        let committed_index = match self.control().read_barrier(BARRIER_DEADLINE).await {
            Ok(index) => index,
            Err(ControlLogError::NoMajority { .. }) => return Err(PromoteError::NoMajority),
            Err(ControlLogError::Stopped) => return Err(KmsError::Internal.into()),
        };
        let set = self.directory().read(|_, control| control.key_set(&found.key_id).cloned());
        let set = set.ok_or_else(|| PromoteError::NotMultiRegion(found.clone()))?;
        let (plan, access) = self.plan_from(found, &set, to, committed_index).await;
        if let (Promoter::Principal(caller), Some(said)) = (promoter, access) {
            let access = self.access(caller, Action::UpdatePrimaryRegion).with(|r| r.primary_region(plan.to.as_str()));
            let target = KeyArn { region: plan.to.clone(), ..plan.key.clone() };
            authorise_there(&access, &target, facts_of(&set), said)?;
        }
        Ok(plan)
    }

    /// A promotion may be asked of any Region, also of one that holds no replica: the control state knows the key.
    /// A principal needs `kms:UpdatePrimaryRegion` on the key here and, if it answers, in the Region that is to become
    /// primary; the old primary, which may be gone, is not asked. An operator acts through the cluster's own service and is
    /// not subject to key policies.
    fn find_for_promotion(&self, promoter: Promoter<'_>, key_id: &str, to: &RegionName) -> Result<KeyArn, KmsError> {
        let (Promoter::Principal(caller) | Promoter::Operator(caller)) = promoter;
        let access = self.access(caller, Action::UpdatePrimaryRegion).with(|r| r.primary_region(to.as_str()));
        let shared = match KeyRef::parse(key_id) {
            Ok(KeyRef::Id(id)) => Some(id),
            Ok(KeyRef::Arn(arn)) => Some(arn.key_id),
            Ok(KeyRef::Alias(_) | KeyRef::AliasArn(_)) | Err(_) => None,
        };
        let set = shared.and_then(|id| self.directory().read(|_, control| control.key_set(&id).cloned()));
        match set {
            Some(set) => {
                let arn = KeyArn { region: self.region().clone(), account: set.account, key_id: set.key_id };
                let entry = self.directory().key(&set.key_id);
                match (promoter, &entry) {
                    (Promoter::Operator(_), _) => caller.trail.touched(&arn.to_string().into(), arn.account),
                    (Promoter::Principal(_), Some(entry)) => access.authorise(Resource::Key(entry))?,
                    (Promoter::Principal(_), None) => access.authorise(Resource::Absent(&arn))?,
                }
                Ok(arn)
            }
            None => match promoter {
                Promoter::Operator(_) => Ok(self.find_for_operator(key_id)?.arn),
                Promoter::Principal(_) => Ok(self.resolve(&access, key_id, Accept::Alias)?.arn.clone()),
            },
        }
    }

    /// The plan, and what the target says of who may do what to its replica.
    async fn plan_from(
        &self,
        key: KeyArn,
        set: &Arc<KeySet>,
        to: RegionName,
        committed_index: u64,
    ) -> (PromotePlan, Option<ReplicaAccess>) {
        let regions =
            self.directory().read(|_, control| control.regions().map(|entry| entry.region.clone()).collect::<Vec<_>>());
        let asks = regions.iter().map(|region| async move {
            (region, self.peers().replica_report(region, &set.key_id, self.config().peer_deadline).await)
        });
        let reports = futures::future::join_all(asks).await;
        let unreachable = reports.iter().filter(|(_, r)| r.is_err()).map(|(region, _)| (*region).clone()).collect();
        let target = reports.into_iter().find(|(region, _)| **region == to).and_then(|(_, report)| report.ok());
        let access = target.as_ref().and_then(|report| report.access.clone());
        let mut obstacles = Vec::new();
        let mut target_applied_index = 0;
        if to == set.primary {
            obstacles.push(format!("{to} is the primary Region already"));
        } else if !set.is_held_by(&to) {
            obstacles.push(format!("{to} holds no replica of the key"));
        } else if let Some(report) = target {
            target_applied_index = report.applied_index;
            if report.applied_index < committed_index {
                obstacles.push(format!(
                    "{to} is behind: it has applied the control log up to {} of {committed_index}",
                    report.applied_index
                ));
            }
            match report.state {
                None => obstacles.push(format!("the replica in {to} does not exist yet")),
                Some(state) if state.is_pending_deletion() || state == kms_types::KeyState::Creating => {
                    obstacles.push(format!("the replica in {to} is {state}"));
                }
                Some(_) => {}
            }
        } else {
            obstacles.push(format!("{to} does not answer"));
        }
        let plan = PromotePlan {
            key,
            from: set.primary.clone(),
            to,
            epoch: set.epoch,
            committed_index,
            target_applied_index,
            unreachable,
            would_be_lost: Vec::new(),
            staged: set.staged().map(|m| m.material_id),
            obstacles,
        };
        (plan, access)
    }

    /// Carries a promotion out. `still_the_plan` compares the plan made now with the one that the caller agreed to.
    ///
    /// # Errors
    /// [`PromoteError`] with the reason; nothing was changed then, unless it is `NoMajority` after the change had been
    /// sent, which the next plan shows.
    pub async fn promote(
        &self,
        promoter: Promoter<'_>,
        (key_id, to): (&str, &str),
        still_the_plan: impl FnOnce(&PromotePlan) -> bool,
    ) -> Result<Promoted, PromoteError> {
        let started = self.now();
        let plan = self.plan_promotion(promoter, key_id, to).await?;
        if !still_the_plan(&plan) {
            return Err(PromoteError::StalePlan(Box::new(plan)));
        }
        if !plan.obstacles.is_empty() {
            return Err(PromoteError::Refused(Box::new(plan)));
        }
        let body = UpdatePrimary {
            key_id: plan.key.key_id,
            from: plan.from.clone(),
            to: plan.to.clone(),
            expected_epoch: plan.epoch,
        };
        let mut outcome = self.control().propose(ControlBody::UpdatePrimary(body.clone())).await;
        if outcome == Ok(ControlOutcome::Refused(Refusal::NoReplica)) {
            // The target says that its replica exists; its report of that may be on its way through the log.
            let target = KeyArn { region: plan.to.clone(), ..plan.key.clone() };
            if self.becomes_ready(&target).await {
                outcome = self.control().propose(ControlBody::UpdatePrimary(body)).await;
            }
        }
        match outcome {
            Ok(ControlOutcome::Done) => {}
            Ok(ControlOutcome::Refused(Refusal::NoReplica)) => {
                let obstacles = vec![format!("the replica in {} is not ready", plan.to)];
                return Err(PromoteError::Refused(Box::new(PromotePlan { obstacles, ..plan })));
            }
            Ok(ControlOutcome::Refused(_)) => return Err(PromoteError::StalePlan(Box::new(plan))),
            Err(ControlLogError::NoMajority { .. }) => return Err(PromoteError::NoMajority),
            Err(ControlLogError::Stopped) => return Err(KmsError::Internal.into()),
        }
        let epoch = plan.epoch.saturating_add(1);
        tracing::info!(key = %plan.key, from = %plan.from, to = %plan.to, epoch, "primary Region moved by promotion");
        Ok(Promoted { plan, epoch, duration: self.now().since(started) })
    }
}
