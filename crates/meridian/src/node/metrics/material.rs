//! Gauges of where key material is on its way, what keeps it out, and when it and the node's certificate end. One series for each Region of the
//! directory, never one for each key: keys would make as many series as they are many.

use super::super::Handles;
use super::as_f64;
use kms_core::control::{ControlState, Holding, RegionRole};
use kms_types::Timestamp;

/// What a look at the states finds.
struct Findings {
    /// For each Region: keys whose newest material is on its way there, and for how many milliseconds the oldest.
    regions: Vec<(String, u64, u64)>,
    oldest_stage_ms: u64,
    rules_version: u64,
    next_expiry: Option<Timestamp>,
}

/// Describes the gauges.
pub(super) fn describe() {
    metrics::describe_gauge!(
        "meridian_replication_lag_milliseconds",
        "Longest time for which material sealed to the Region, of a replica being created or of a rotation in progress, \
         has waited for the word that it is installed there"
    );
    metrics::describe_gauge!("meridian_replication_waiting_keys", "Keys with material that waits so in the Region");
    metrics::describe_gauge!(
        "meridian_rotation_oldest_stage_seconds",
        "Age of the oldest staged material of a rotation in progress; 0 without one"
    );
    metrics::describe_gauge!(
        "meridian_imported_material_expires_seconds",
        "Seconds until the next imported material of this Region is deleted; +Inf when none expires"
    );
    metrics::describe_gauge!("meridian_certificate_expires_seconds", "Seconds until the node's certificate ends");
    metrics::describe_gauge!("meridian_residency_rules_version", "Version of the residency rules in force; 0 for none");
    metrics::describe_gauge!(
        "meridian_residency_refused_keys",
        "Keys that this Region does not take in because a residency rule forbids them here"
    );
}

/// Takes the gauges' values from the states.
pub(super) fn observe(node: &Handles) {
    let now = node.clock.now();
    let found = node.service.directory().read(|regional, control| Findings {
        regions: waiting(control, now),
        oldest_stage_ms: oldest_stage(control, now),
        rules_version: control.residency().map_or(0, |rules| rules.version),
        next_expiry: regional.next_expiry(),
    });
    for (region, keys, lag) in found.regions {
        metrics::gauge!("meridian_replication_lag_milliseconds", "region" => region.clone()).set(as_f64(lag));
        metrics::gauge!("meridian_replication_waiting_keys", "region" => region).set(as_f64(keys));
    }
    metrics::gauge!("meridian_rotation_oldest_stage_seconds").set(as_f64(found.oldest_stage_ms) / 1000.0);
    let left = found.next_expiry.map_or(f64::INFINITY, |at| as_f64(since(at, now)) / 1000.0);
    metrics::gauge!("meridian_imported_material_expires_seconds").set(left);
    metrics::gauge!("meridian_residency_rules_version").set(as_f64(found.rules_version));
    if let Some(ends) = node.certificate_ends {
        let now = i64::try_from(now.millis() / 1000).unwrap_or(i64::MAX);
        metrics::gauge!("meridian_certificate_expires_seconds").set(ends.saturating_sub(now) as f64);
    }
    let refused = node.service.directory().refused_residency().len();
    metrics::gauge!("meridian_residency_refused_keys").set(as_f64(refused as u64));
}

fn waiting(control: &ControlState, now: Timestamp) -> Vec<(String, u64, u64)> {
    // A Region that an operator went on without is not waited for any more, so only two kinds of key set count: with a
    // holder that is being created, and with staged material.
    let busy = control.key_sets().filter(|set| {
        let ready = |holder: &kms_core::control::Holder| holder.status == kms_core::control::HolderStatus::Ready;
        set.staged().is_some() || !set.holders.values().all(ready)
    });
    let waits: Vec<&Holding> = busy
        .filter_map(|set| Some((set, control.history(&set.key_id)?)))
        .flat_map(|(set, history)| {
            let newest = set.materials.last().map(|version| version.material_id);
            history.open().filter(move |h| h.installed.is_none() && Some(h.material_id) == newest)
        })
        .collect();
    let full = control.regions().filter(|line| line.role == RegionRole::Full);
    full.map(|line| {
        let here = waits.iter().filter(|holding| holding.region == line.region);
        let lags: Vec<u64> = here.map(|holding| since(now, holding.from.at)).collect();
        (line.region.to_string(), lags.len() as u64, lags.into_iter().max().unwrap_or_default())
    })
    .collect()
}

fn oldest_stage(control: &ControlState, now: Timestamp) -> u64 {
    let staged = control.key_sets().filter_map(|set| set.staged().filter(|_| !set.is_external()));
    staged.map(|version| since(now, version.created_at)).max().unwrap_or_default()
}

/// Milliseconds from `earlier` to `later`; 0 when the clocks of two Regions make it negative.
fn since(later: Timestamp, earlier: Timestamp) -> u64 {
    later.millis().saturating_sub(earlier.millis())
}
