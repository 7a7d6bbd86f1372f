//! How far the Regions are behind, as this Region knows it: the longest lag of each Region, and the keys that lag most by
//! name. A key lags in a Region that has not acknowledged a change of its shared properties, or has not said that it
//! has installed its newest material.

use super::super::Handles;
use super::super::unacknowledged::Said;
use super::as_f64;
use super::exposition::{Exposition, Kind};
use kms_core::control::{ControlState, Holder, HolderStatus, Holding, RegionRole};
use kms_types::{KeyId, RegionName, Timestamp};
use std::collections::BTreeMap;

const KEY_LAG: &str = "meridian_key_replication_lag_milliseconds";
const KEY_STAGE: &str = "meridian_key_rotation_stage_seconds";

/// Since when each key lags in each Region.
type Lags = BTreeMap<(KeyId, RegionName), Timestamp>;

/// Describes the gauges.
pub(super) fn describe() {
    metrics::describe_gauge!(
        "meridian_replication_lag_milliseconds",
        "Longest time for which a key has waited for the Region: to acknowledge a change of its shared properties, or to \
         say that it has installed material of a new replica or of a rotation in progress"
    );
    metrics::describe_gauge!("meridian_replication_waiting_keys", "Keys that wait so for the Region");
    metrics::describe_gauge!(
        "meridian_rotation_oldest_stage_seconds",
        "Age of the oldest staged material of a rotation in progress; 0 without one"
    );
}

/// Takes the gauges' values from the states, and tells the keys that lag.
pub(super) fn observe(node: &Handles, series: &mut Exposition) {
    let now = node.clock.now();
    let status = node.control.status();
    let (regions, lags, mut staged) = node.service.directory().read(|_, control| {
        let full: Vec<RegionName> = full_regions(control).cloned().collect();
        let said = status.peers.iter().filter(|peer| full.contains(&peer.region));
        let said: Vec<Said> = said.map(Said::of).collect();
        let holds = |region: &RegionName, key: &KeyId| control.key_set(key).is_some_and(|set| set.is_held_by(region));
        let mut lags = not_installed(control);
        for waiting in node.unacknowledged.waiting(&said, holds) {
            let since = lags.entry((waiting.key_id, waiting.region)).or_insert(waiting.since);
            *since = (*since).min(waiting.since);
        }
        (full, lags, staged(control))
    });
    for region in regions {
        let here: Vec<u64> =
            lags.iter().filter(|((_, at), _)| *at == region).map(|(_, since)| elapsed(now, *since)).collect();
        let longest = here.iter().copied().max().unwrap_or_default();
        let region = region.to_string();
        metrics::gauge!("meridian_replication_lag_milliseconds", "region" => region.clone()).set(as_f64(longest));
        metrics::gauge!("meridian_replication_waiting_keys", "region" => region).set(as_f64(here.len() as u64));
    }
    staged.sort_by_key(|(_, since)| *since);
    let oldest = staged.first().map_or(0, |(_, since)| elapsed(now, *since));
    metrics::gauge!("meridian_rotation_oldest_stage_seconds").set(as_f64(oldest) / 1000.0);
    let most = node.service.config().key_series;
    let mut lags: Vec<_> = lags.into_iter().collect();
    lags.sort_by_key(|(_, since)| *since);
    series.family(KEY_LAG, Kind::Gauge, "Time for which the key has waited for the Region; the longest ones only");
    for ((key_id, region), since) in lags.iter().take(most) {
        series.sample(KEY_LAG, &[("key_id", key_id.as_str()), ("region", region.as_str())], elapsed(now, *since));
    }
    let help = "Age of the staged material of a rotation in progress; the longest ones only";
    series.family(KEY_STAGE, Kind::Gauge, help);
    for (key_id, since) in staged.iter().take(most) {
        let age = as_f64(elapsed(now, *since)) / 1000.0;
        series.sample(KEY_STAGE, &[("key_id", key_id.as_str())], age);
    }
}

fn full_regions(control: &ControlState) -> impl Iterator<Item = &RegionName> {
    control.regions().filter(|line| line.role == RegionRole::Full).map(|line| &line.region)
}

/// Keys whose newest material is on its way to a Region.
fn not_installed(control: &ControlState) -> Lags {
    // A Region that an operator went on without is not waited for any more, so only two kinds of key set count: with a
    // holder that is being created, and with staged material.
    let busy = control.key_sets().filter(|set| {
        let ready = |holder: &Holder| holder.status == HolderStatus::Ready;
        set.staged().is_some() || !set.holders.values().all(ready)
    });
    let mut lags = Lags::new();
    for set in busy {
        let newest = set.materials.last().map(|version| version.material_id);
        let waits = |h: &&Holding| h.installed.is_none() && Some(h.material_id) == newest;
        for holding in control.history(&set.key_id).iter().flat_map(|history| history.open()).filter(waits) {
            lags.insert((set.key_id, holding.region.clone()), holding.from.at);
        }
    }
    lags
}

/// Keys with a rotation in progress, and since when.
fn staged(control: &ControlState) -> Vec<(KeyId, Timestamp)> {
    let sets = control.key_sets().filter(|set| !set.is_external());
    sets.filter_map(|set| Some((set.key_id, set.staged()?.created_at))).collect()
}

/// Milliseconds since then; 0 when the clocks of two Regions make it negative.
fn elapsed(now: Timestamp, since: Timestamp) -> u64 {
    now.millis().saturating_sub(since.millis())
}
