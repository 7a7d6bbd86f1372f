//! `meridian.cluster.v1`: the operator's view of this Region and, through it, of the cluster.

use super::recording::{Recording, own};
use super::status;
use crate::node::Handles;
use kms_audit::{Elements, Member};
use kms_core::control::{HolderStatus, KeySet, MaterialVersion};
use kms_core::regional::KeyRecord;
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::cluster_server::Cluster;
use kms_service::{ControlLog as _, ControlLogError, FoundKey, Trail};
use kms_types::{KeyId, RegionName, RotationType};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// Most keys in one answer.
const KEYS_MAX: u32 = 1000;
/// Deadline of Sync when the caller names none.
const SYNC_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest deadline that Sync takes.
const SYNC_TIMEOUT_MAX: Duration = Duration::from_secs(25);

/// The service.
#[derive(Debug)]
pub(crate) struct ClusterService {
    handles: Arc<Handles>,
}

impl ClusterService {
    /// Answers for a node.
    pub(crate) fn new(handles: Arc<Handles>) -> Self {
        Self { handles }
    }

    fn find(&self, reference: &str) -> Result<FoundKey, Status> {
        self.handles.service.find_for_operator(reference).map_err(|error| status::from_kms(&error))
    }

    async fn activate(
        &self,
        trail: &Trail,
        request: pb::ActivateRotationRequest,
    ) -> Result<pb::ActivateRotationResponse, Status> {
        let found = self.find(&request.key_id)?;
        let mut without = BTreeSet::new();
        for region in &request.without_regions {
            let region = RegionName::parse(region);
            without.insert(region.map_err(|_invalid| Status::invalid_argument("without_regions: not a Region name"))?);
        }
        let activated = self.handles.service.activate_without(trail, &found, without).await;
        let material = activated.map_err(|error| status::from_kms(&error))?;
        Ok(pb::ActivateRotationResponse { material_id: material.to_string(), without_regions: request.without_regions })
    }
}

#[tonic::async_trait]
impl Cluster for ClusterService {
    async fn status(&self, _: Request<pb::StatusRequest>) -> Result<Response<pb::StatusResponse>, Status> {
        let handles = &self.handles;
        let control = handles.control.status();
        let reachable = |region: &RegionName| control.peers.iter().any(|p| p.region == *region && p.reachable);
        let census = Census::take(handles, |region| region == handles.service.region() || reachable(region));
        let now = handles.clock.now();
        let audit = handles.audit.status();
        let lease = (!handles.is_witness()).then(|| handles.identity.identities.lease());
        let peers = control.peers.iter().map(|peer| pb::PeerStatus {
            region: peer.region.to_string(),
            node_id: peer.node_id,
            voter: peer.voter,
            reachable: peer.reachable,
            round_trip_us: peer.round_trip.map_or(0, micros),
            applied_index: peer.applied.unwrap_or_default(),
            last_seen_ms: peer.last_seen.map(|seen| millis(now.since(seen))),
            role: peer.role.map(|role| role.as_str().to_owned()).unwrap_or_default(),
        });
        Ok(Response::new(pb::StatusResponse {
            cluster_id: handles.cluster_id.clone(),
            region: handles.service.region().to_string(),
            node_id: handles.node_id,
            raft_role: control.role.as_str().to_owned(),
            term: control.term,
            leader_region: control.leader.as_ref().map(ToString::to_string).unwrap_or_default(),
            last_log_index: control.last_log,
            committed_index: control.committed,
            applied_index: control.applied,
            snapshot_index: control.snapshot,
            quorum_ack_ms: control.quorum_ack_ms,
            peers: peers.collect(),
            key_count: count(census.keys),
            multi_region_key_count: count(census.held),
            single_region_key_count: count(census.single_region),
            key_set_count: count(census.key_sets),
            least_living_holders: census.least_living_holders.map(count),
            keys_behind: count(census.behind),
            keys_staged: count(census.staged),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_ms: millis(handles.started.elapsed()),
            pending_steps: count(handles.agenda.len()),
            audit_state: crate::node::audit_state_name(audit.state).to_owned(),
            audit_refusal: handles.audit.refusal().unwrap_or_default().to_owned(),
            audit_sequence: audit.head.sequence,
            audit_unrecorded: audit.unrecorded,
            audit_waiting: audit.waiting,
            audit_head_hash: audit.head.hash.to_string(),
            identity_lease_ms: lease.map(|lease| millis(lease.length())),
            identity_confirmed_age_ms: lease.and_then(|lease| lease.age()).map(millis),
            identity_lease_holds: lease.is_some_and(|lease| lease.holds()),
            role: if handles.is_witness() { "witness" } else { "full" }.to_owned(),
        }))
    }

    async fn list_keys(&self, request: Request<pb::ListKeysRequest>) -> Result<Response<pb::ListKeysResponse>, Status> {
        let request = request.into_inner();
        let limit = if request.limit == 0 { KEYS_MAX } else { request.limit.min(KEYS_MAX) };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let after = match request.after_key_id.as_str() {
            "" => None,
            id => Some(KeyId::parse(id).map_err(|_invalid| Status::invalid_argument("after_key_id is not a key ID"))?),
        };
        let mut keys: Vec<_> = self.handles.service.directory().read(|regional, control| {
            let wanted = |r: &&Arc<KeyRecord>| !request.multi_region_only || r.is_multi_region();
            let page = regional.keys_after(after.as_ref()).filter(wanted).take(limit.saturating_add(1));
            page.map(|record| {
                let aliases = regional.aliases_of(&record.key_id).map(ToString::to_string).collect();
                summary(record, control.key_set(&record.key_id).map(AsRef::as_ref), aliases)
            })
            .collect()
        });
        let truncated = keys.len() > limit;
        keys.truncate(limit);
        Ok(Response::new(pb::ListKeysResponse { keys, truncated }))
    }

    async fn describe_key(
        &self,
        request: Request<pb::DescribeKeyRequest>,
    ) -> Result<Response<pb::DescribeKeyResponse>, Status> {
        let found = self.find(&request.into_inner().key_id)?;
        let service = &self.handles.service;
        let missing = match &found.set {
            Some(set) => match set.staged() {
                Some(staged) => Some(service.holders_missing(set, &staged.material_id).await),
                None => None,
            },
            None => None,
        };
        let aliases = service
            .directory()
            .read(|regional, _| regional.aliases_of(&found.key_id).map(ToString::to_string).collect());
        let applied_index = self.handles.control.status().applied;
        Ok(Response::new(description(&found, aliases, missing.as_deref(), applied_index)))
    }

    async fn activate_rotation(
        &self,
        request: Request<pb::ActivateRotationRequest>,
    ) -> Result<Response<pb::ActivateRotationResponse>, Status> {
        let asked = request.get_ref();
        let shown = Elements::new()
            .text(Member::KEY_ID, asked.key_id.clone())
            .texts(Member::WITHOUT_REGIONS, asked.without_regions.clone());
        let recording = Recording::begin(&self.handles, own("ActivateRotation", false), &request, shown)?;
        let outcome = recording.traced(self.activate(recording.trail(), request.into_inner())).await;
        recording.finish(outcome).await
    }

    async fn sync(&self, request: Request<pb::SyncRequest>) -> Result<Response<pb::SyncResponse>, Status> {
        let timeout = match request.into_inner().timeout_ms {
            0 => SYNC_TIMEOUT,
            ms => Duration::from_millis(ms.into()).min(SYNC_TIMEOUT_MAX),
        };
        match self.handles.control.read_barrier(timeout).await {
            Ok(applied_index) => Ok(Response::new(pb::SyncResponse { applied_index })),
            Err(error @ ControlLogError::NoMajority { .. }) => Err(Status::unavailable(error.to_string())),
            Err(error @ ControlLogError::Stopped) => Err(Status::internal(error.to_string())),
        }
    }
}

/// Counts of keys for the status.
struct Census {
    keys: usize,
    held: usize,
    single_region: usize,
    key_sets: usize,
    least_living_holders: Option<usize>,
    behind: usize,
    staged: usize,
}

impl Census {
    fn take(handles: &Handles, lives: impl Fn(&RegionName) -> bool) -> Self {
        let region = handles.service.region();
        handles.service.directory().read(|regional, control| {
            let has_current = |set: &KeySet| {
                let current = set.current().map(|material| material.material_id);
                regional.key(&set.key_id).is_some_and(|key| current.is_some_and(|id| key.has_material(&id)))
            };
            let held: Vec<_> = control.key_sets().filter(|set| set.is_held_by(region)).collect();
            let living = |set: &Arc<KeySet>| set.holders.keys().filter(|holder| lives(holder)).count();
            let resources = regional.keys_after(None).filter(|key| key.is_multi_region()).count();
            Self {
                keys: regional.key_count(),
                held: held.len(),
                single_region: regional.key_count().saturating_sub(resources),
                key_sets: control.key_sets().count(),
                least_living_holders: control.key_sets().map(living).min(),
                behind: held.iter().filter(|set| !has_current(set)).count(),
                staged: held.iter().filter(|set| set.staged().is_some()).count(),
            }
        })
    }
}

fn summary(record: &KeyRecord, set: Option<&KeySet>, aliases: Vec<String>) -> pb::KeySummary {
    let local_current = record.current_material().map(|m| m.material_id);
    let current = set.map_or(local_current, |s| s.current().map(|m| m.material_id));
    pb::KeySummary {
        key_id: record.key_id.to_string(),
        account: record.account.to_string(),
        key_state: record.state().to_string(),
        key_spec: record.spec.to_string(),
        multi_region: record.is_multi_region(),
        primary_region: set.map(|s| s.primary.to_string()).unwrap_or_default(),
        replica_regions: set.map(|s| s.replicas().map(ToString::to_string).collect()).unwrap_or_default(),
        epoch: set.map_or(0, |s| s.epoch),
        current_material_id: current.map(|id| id.to_string()).unwrap_or_default(),
        staged_material_id: set.and_then(KeySet::staged).map(|m| m.material_id.to_string()).unwrap_or_default(),
        aliases,
    }
}

/// A key set of which this Region has no resource: what the control state says of it.
fn summary_of_set(set: &KeySet) -> pb::KeySummary {
    pb::KeySummary {
        key_id: set.key_id.to_string(),
        account: set.account.to_string(),
        key_state: String::new(),
        key_spec: set.spec.to_string(),
        multi_region: true,
        primary_region: set.primary.to_string(),
        replica_regions: set.replicas().map(ToString::to_string).collect(),
        epoch: set.epoch,
        current_material_id: set.current().map(|m| m.material_id.to_string()).unwrap_or_default(),
        staged_material_id: set.staged().map(|m| m.material_id.to_string()).unwrap_or_default(),
        aliases: Vec::new(),
    }
}

fn description(
    found: &FoundKey,
    aliases: Vec<String>,
    missing: Option<&[RegionName]>,
    applied_index: u64,
) -> pb::DescribeKeyResponse {
    let set = found.set.as_deref();
    let key = match (&found.record, set) {
        (Some(record), set) => Some(summary(record, set, aliases)),
        (None, Some(set)) => Some(summary_of_set(set)),
        (None, None) => None,
    };
    let materials = match (set, &found.record) {
        (Some(set), _) => set.materials.iter().map(|m| shared_material(set, m)).collect(),
        (None, Some(record)) => local_materials(record),
        (None, None) => Vec::new(),
    };
    let holders = set.map(|set| {
        let holder = |(region, holder): (&RegionName, &kms_core::control::Holder)| pb::HolderStatus {
            region: region.to_string(),
            primary: set.primary == *region,
            status: if holder.status == HolderStatus::Ready { "READY" } else { "CREATING" }.to_owned(),
            has_staged_material: missing.map(|missing| !missing.contains(region)),
        };
        set.holders.iter().map(holder).collect()
    });
    let schedule = set.map_or(found.record.as_ref().and_then(|r| r.rotation), |s| s.rotation);
    let on_demand = found.record.as_ref().map_or(0, |r| r.on_demand_rotations);
    let waits_for = match missing {
        None => String::new(),
        Some([]) => "activation by the primary Region".to_owned(),
        Some(regions) => {
            let names: Vec<_> = regions.iter().map(RegionName::as_str).collect();
            format!("{} to install the new material", names.join(", "))
        }
    };
    pb::DescribeKeyResponse {
        key,
        arn: found.arn.to_string(),
        description: found.record.as_ref().map(|r| r.description.clone()).unwrap_or_default(),
        materials,
        holders: holders.unwrap_or_default(),
        rotation: Some(pb::RotationStatus {
            enabled: schedule.is_some(),
            period_days: schedule.map_or(0, |s| s.period_days),
            next_rotation_ms: schedule.map(|s| s.next_at.millis()),
            on_demand_rotations: set.map_or(on_demand, |s| s.on_demand_rotations),
            waits_for,
        }),
        applied_index,
    }
}

fn shared_material(set: &KeySet, material: &MaterialVersion) -> pb::MaterialStatus {
    let is_current = set.current().is_some_and(|current| current.material_id == material.material_id);
    let state = match &material.activation {
        None => "STAGED",
        Some(_) if is_current => "CURRENT",
        Some(_) => "NON_CURRENT",
    };
    let without = material.activation.iter().flat_map(|a| &a.without);
    pb::MaterialStatus {
        material_id: material.material_id.to_string(),
        state: state.to_owned(),
        created_at_ms: material.created_at.millis(),
        activated_at_ms: material.activation.as_ref().map(|a| a.at.millis()),
        rotation_type: rotation_type(material.rotation_type),
        without_regions: without.map(ToString::to_string).collect(),
    }
}

fn local_materials(record: &KeyRecord) -> Vec<pb::MaterialStatus> {
    let current = record.current_material().map(|m| m.material_id);
    let status = |m: &kms_core::regional::LocalMaterial| pb::MaterialStatus {
        material_id: m.material_id.to_string(),
        state: match m {
            m if m.is_pending() => "STAGED",
            m if Some(m.material_id) == current => "CURRENT",
            _ => "NON_CURRENT",
        }
        .to_owned(),
        created_at_ms: m.created_at.millis(),
        activated_at_ms: Some(m.created_at.millis()),
        rotation_type: rotation_type(m.rotation.map(|(kind, _)| kind)),
        without_regions: Vec::new(),
    };
    record.materials.iter().map(status).collect()
}

fn rotation_type(kind: Option<RotationType>) -> String {
    kind.map(RotationType::as_str).unwrap_or_default().to_owned()
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
