//! Metrics: names, units and where they are recorded.

mod exposition;
mod material;
mod replication;
mod uses;

use kms_aws::{ApiOperation, Outcome};
use kms_control::ControlRole;
use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::collections::HashMap;
use std::time::Duration;

/// Seconds; from well below a symmetric request to a slow control-log commit.
const LATENCY_BUCKETS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Installs the process's recorder and describes what is recorded.
///
/// # Errors
/// Fails when a recorder was installed before.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &LATENCY_BUCKETS)?
        .install_recorder()?;
    metrics::describe_counter!("meridian_requests_total", "Requests by operation and outcome code");
    metrics::describe_histogram!("meridian_request_seconds", "Time from the head of a request to its answer");
    metrics::describe_gauge!("meridian_raft_term", "Raft term");
    metrics::describe_gauge!("meridian_raft_is_leader", "1 while this Region leads the control log");
    metrics::describe_gauge!("meridian_raft_last_log_index", "Last index in this Region's log");
    metrics::describe_gauge!("meridian_raft_committed_index", "Last index known to be committed");
    metrics::describe_gauge!("meridian_raft_applied_index", "Last index applied in this Region");
    metrics::describe_gauge!("meridian_raft_snapshot_index", "Last index in the latest snapshot");
    metrics::describe_gauge!("meridian_peer_reachable", "1 while the Region answers this Region's probes");
    metrics::describe_gauge!("meridian_peer_applied_index", "Last index that the Region said it has applied");
    metrics::describe_gauge!(
        "meridian_identity_confirmed_age_seconds",
        "Seconds since the directory of principals was confirmed with a majority; -1 before the first time"
    );
    metrics::describe_gauge!("meridian_identity_lease_holds", "1 while principals of the directory are honoured");
    metrics::describe_gauge!("meridian_audit_writing", "1 while audit records can be written; 0: requests are refused");
    metrics::describe_gauge!("meridian_audit_refused_requests", "Requests refused since the audit log is in trouble");
    metrics::describe_gauge!(
        "meridian_audit_unrecorded_requests",
        "Requests without a record that no gap record counts"
    );
    metrics::describe_gauge!("meridian_audit_queue", "Audit records that wait to become durable");
    metrics::describe_gauge!("meridian_audit_sequence", "Sequence of the last durable audit record");
    metrics::describe_gauge!("meridian_audit_records_written", "Audit records written since the start");
    metrics::describe_gauge!(
        "meridian_audit_syncs",
        "Groups of audit records written since the start; each is one sync"
    );
    metrics::describe_gauge!(
        "meridian_store_failed",
        "1 once the store has failed or does not read back, until a restart"
    );
    metrics::describe_gauge!("meridian_keys", "Keys of this Region");
    metrics::describe_gauge!("meridian_multi_region_keys", "Multi-Region keys of this Region");
    metrics::describe_gauge!("meridian_pending_steps", "Keys that wait to be brought in line with the control state");
    metrics::describe_gauge!("meridian_rotations_staged", "Rotations in progress among the keys of this Region");
    material::describe();
    replication::describe();
    Ok(handle)
}

/// Counters of requests, looked up once: recording a success takes no lock of the registry.
pub(crate) struct RequestMetrics {
    successes: HashMap<ApiOperation, (Counter, Histogram)>,
}

impl std::fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestMetrics")
    }
}

impl RequestMetrics {
    /// Registers the counters of every operation; after [`install`].
    pub(crate) fn new() -> Self {
        let handles = |operation: ApiOperation| {
            let name = operation.name();
            let counter = metrics::counter!("meridian_requests_total", "operation" => name, "outcome" => "Success");
            (operation, (counter, metrics::histogram!("meridian_request_seconds", "operation" => name)))
        };
        Self { successes: ApiOperation::all().map(handles).collect() }
    }

    /// Records one answered request; its operation and code travel in the response's extensions.
    pub(crate) fn record<B>(&self, response: &http::Response<B>, elapsed: Duration) {
        let outcome = response.extensions().get::<Outcome>();
        let operation = outcome.and_then(|o| o.operation);
        let handles = operation.and_then(|operation| self.successes.get(&operation));
        if let Some((_, latency)) = handles {
            latency.record(elapsed.as_secs_f64());
        }
        match (handles, outcome.map(|o| o.code)) {
            (Some((count, _)), Some(None)) => count.increment(1),
            (_, code) => {
                let operation = operation.map_or("Unknown", ApiOperation::name);
                let code = code.flatten().unwrap_or("Unknown");
                metrics::counter!("meridian_requests_total", "operation" => operation, "outcome" => code).increment(1);
            }
        }
    }
}

/// Takes the gauges' values from the node's state; called when metrics are read. Answers the series of single keys, which come
/// and go, as text.
pub(crate) fn observe(node: &super::Handles) -> String {
    observe_audit(node);
    let status = node.control.status();
    metrics::gauge!("meridian_raft_term").set(as_f64(status.term));
    metrics::gauge!("meridian_raft_is_leader").set(if status.role == ControlRole::Leader { 1.0 } else { 0.0 });
    metrics::gauge!("meridian_raft_last_log_index").set(as_f64(status.last_log));
    metrics::gauge!("meridian_raft_committed_index").set(as_f64(status.committed));
    metrics::gauge!("meridian_raft_applied_index").set(as_f64(status.applied));
    metrics::gauge!("meridian_raft_snapshot_index").set(as_f64(status.snapshot));
    let lease = node.identity.identities.lease();
    let age = lease.age().map_or(-1.0, |age| age.as_secs_f64());
    metrics::gauge!("meridian_identity_confirmed_age_seconds").set(age);
    metrics::gauge!("meridian_identity_lease_holds").set(if lease.holds() { 1.0 } else { 0.0 });
    observe_peers(&status.peers);
    let (keys, multi_region, staged) = node.service.directory().read(|regional, control| {
        let staged = control.key_sets().filter(|set| set.staged().is_some()).count();
        (regional.key_count(), control.key_sets().filter(|s| s.is_held_by(node.service.region())).count(), staged)
    });
    metrics::gauge!("meridian_keys").set(as_f64(keys as u64));
    metrics::gauge!("meridian_multi_region_keys").set(as_f64(multi_region as u64));
    metrics::gauge!("meridian_rotations_staged").set(as_f64(staged as u64));
    metrics::gauge!("meridian_pending_steps").set(as_f64(node.agenda.len() as u64));
    let failed = node.store_trouble.text().is_some();
    metrics::gauge!("meridian_store_failed").set(if failed { 1.0 } else { 0.0 });
    material::observe(node);
    let mut series = exposition::Exposition::default();
    replication::observe(node, &mut series);
    uses::observe(node, &mut series);
    series.into_text()
}

fn observe_peers(peers: &[kms_control::PeerProbe]) {
    for peer in peers {
        let region = peer.region.to_string();
        metrics::gauge!("meridian_peer_reachable", "region" => region.clone()).set(if peer.reachable {
            1.0
        } else {
            0.0
        });
        metrics::gauge!("meridian_peer_applied_index", "region" => region)
            .set(as_f64(peer.applied.unwrap_or_default()));
    }
}

/// Gauges of the audit log.
fn observe_audit(node: &super::Handles) {
    let status = node.audit.status();
    let writing = status.state == kms_audit::LogState::Writing;
    metrics::gauge!("meridian_audit_writing").set(if writing { 1.0 } else { 0.0 });
    metrics::gauge!("meridian_audit_refused_requests").set(as_f64(status.refused));
    metrics::gauge!("meridian_audit_unrecorded_requests").set(as_f64(status.unrecorded));
    metrics::gauge!("meridian_audit_queue").set(as_f64(status.waiting));
    metrics::gauge!("meridian_audit_sequence").set(as_f64(status.head.sequence));
    metrics::gauge!("meridian_audit_records_written").set(as_f64(status.records_total));
    metrics::gauge!("meridian_audit_syncs").set(as_f64(status.groups_total));
}

/// Prometheus has floats only; counts and indexes stay exact far beyond what a cluster reaches.
fn as_f64(value: u64) -> f64 {
    value as f64
}
