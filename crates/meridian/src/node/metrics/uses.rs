//! Use of keys in this Region: the most used ones by name, all others together.

use super::super::Handles;
use super::exposition::{Exposition, Kind};
use kms_service::{UseClass, UsesByClass};

const BY_KEY: &str = "meridian_key_uses_total";
const IN_REGION: &str = "meridian_region_key_uses_total";
/// In the place of a key ID.
const OTHER: &str = "other";

/// Tells the uses up to now.
pub(super) fn observe(node: &Handles, series: &mut Exposition) {
    let region = node.service.region().as_str();
    let uses = node.service.key_uses();
    let help = "Successful cryptographic uses of a key in this Region, by class of operation; key_id is other for all \
                keys without a series. A series ends when its key is deleted or has gone quiet among busier ones";
    series.family(BY_KEY, Kind::Counter, help);
    for (key_id, by_class) in &uses.keys {
        // A key has one or two classes that it can be used for.
        used(by_class).for_each(|(class, count)| tell(series, region, (key_id.as_str(), class), count));
    }
    every(&uses.other).for_each(|(class, count)| tell(series, region, (OTHER, class), count));
    series.family(IN_REGION, Kind::Counter, "Successful cryptographic uses of all keys of this Region");
    for (class, count) in every(&uses.total) {
        series.sample(IN_REGION, &[("region", region), ("class", class.as_str())], count);
    }
}

fn tell(series: &mut Exposition, region: &str, (key_id, class): (&str, UseClass), count: u64) {
    series.sample(BY_KEY, &[("region", region), ("key_id", key_id), ("class", class.as_str())], count);
}

fn every(by_class: &UsesByClass) -> impl Iterator<Item = (UseClass, u64)> {
    UseClass::ALL.into_iter().zip(by_class.iter().copied())
}

fn used(by_class: &UsesByClass) -> impl Iterator<Item = (UseClass, u64)> {
    every(by_class).filter(|(_, count)| *count > 0)
}
