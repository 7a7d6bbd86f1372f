//! Gauges of what ends with time, and of what may not be here.

use super::super::Handles;
use super::as_f64;
use kms_types::Timestamp;

/// Describes the gauges.
pub(super) fn describe() {
    metrics::describe_gauge!(
        "meridian_imported_material_expires_seconds",
        "Seconds until the next imported material of this Region is deleted; +Inf when none expires"
    );
    metrics::describe_gauge!(
        "meridian_certificate_expires_seconds",
        "Seconds until a certificate that the node uses ends: api, that of the AWS KMS API; cluster, the node's own \
         towards peers and operators; authority, that of the cluster"
    );
    metrics::describe_gauge!("meridian_residency_rules_version", "Version of the residency rules in force; 0 for none");
    metrics::describe_gauge!(
        "meridian_residency_refused_keys",
        "Keys that this Region does not take in because a residency rule forbids them here"
    );
}

/// Takes the gauges' values from the states.
pub(super) fn observe(node: &Handles) {
    let now = node.clock.now();
    let (rules_version, next_expiry) = node
        .service
        .directory()
        .read(|regional, control| (control.residency().map_or(0, |rules| rules.version), regional.next_expiry()));
    let left = |at: Timestamp| as_f64(at.millis().saturating_sub(now.millis())) / 1000.0;
    metrics::gauge!("meridian_imported_material_expires_seconds").set(next_expiry.map_or(f64::INFINITY, left));
    metrics::gauge!("meridian_residency_rules_version").set(as_f64(rules_version));
    let seconds = i64::try_from(now.millis() / 1000).unwrap_or(i64::MAX);
    for end in &node.certificates {
        let left = end.ends_at.saturating_sub(seconds);
        metrics::gauge!("meridian_certificate_expires_seconds", "certificate" => end.certificate).set(left as f64);
    }
    let refused = node.service.directory().refused_residency().len();
    metrics::gauge!("meridian_residency_refused_keys").set(as_f64(refused as u64));
}
