//! When Regions have said that they have the material of a rotation in progress: for the record of the synchronisation, and
//! decided upon by nobody.

use kms_core::control::KeySet;
use kms_types::{KeyId, KeyMaterialId, RegionName, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// One rotation for each key that is primary here: a later one takes the place of an earlier one.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements(Mutex<BTreeMap<KeyId, Rotation>>);

#[derive(Debug)]
struct Rotation {
    material_id: KeyMaterialId,
    first_said: BTreeMap<RegionName, Timestamp>,
}

impl Acknowledgements {
    /// Notes that a Region says that it has the material. The first time counts.
    pub(crate) fn note(&self, set: &KeySet, material_id: &KeyMaterialId, region: &RegionName, now: Timestamp) {
        let mut rotations = self.0.lock();
        let new = || Rotation { material_id: *material_id, first_said: BTreeMap::new() };
        let rotation = rotations.entry(set.key_id).or_insert_with(new);
        if rotation.material_id != *material_id {
            *rotation = new();
        }
        rotation.first_said.entry(region.clone()).or_insert(now);
    }

    /// What was noted of a rotation.
    pub(crate) fn of(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> BTreeMap<RegionName, Timestamp> {
        let rotations = self.0.lock();
        let rotation = rotations.get(key_id).filter(|rotation| rotation.material_id == *material_id);
        rotation.map(|rotation| rotation.first_said.clone()).unwrap_or_default()
    }

    /// Forgets a rotation that is recorded.
    pub(crate) fn forget(&self, key_id: &KeyId, material_id: &KeyMaterialId) {
        let mut rotations = self.0.lock();
        if rotations.get(key_id).is_some_and(|rotation| rotation.material_id == *material_id) {
            rotations.remove(key_id);
        }
    }
}
