//! A multi-Region key as all Regions see it: the shared properties.

use super::InitialProperties;
use crate::RotationSchedule;
use kms_types::{AccountId, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RegionName, RotationType, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A related set of multi-Region keys: one primary, any number of replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    /// The key ID, the same in every Region.
    pub key_id: KeyId,
    /// Owner.
    pub account: AccountId,
    /// Key spec.
    pub spec: KeySpec,
    /// Key usage.
    pub usage: KeyUsage,
    /// Origin of the material.
    pub origin: Origin,
    /// When the primary was created.
    pub created_at: Timestamp,
    /// The primary Region; always one of the holders.
    pub primary: RegionName,
    /// Raised by each change of the primary, starting from 1.
    pub epoch: u64,
    /// Every Region that holds the key, the primary included.
    pub holders: BTreeMap<RegionName, Holder>,
    /// Automatic rotation; `None` when off.
    pub rotation: Option<RotationSchedule>,
    /// On-demand rotations so far.
    pub on_demand_rotations: u32,
    /// All material versions, oldest first. Only the last one may be staged, that is, not yet activated. Of an EXTERNAL
    /// key the versions that were offered, none at first.
    pub materials: Vec<MaterialVersion>,
}

/// A Region that holds the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// When the Region was added.
    pub added_at: Timestamp,
    /// Whether the Region's key resource exists by now.
    pub status: HolderStatus,
}

/// How far the key resource of a holding Region is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HolderStatus {
    /// Added; the Region has not said yet that it can use the key. Holds what the Region needs to create its resource.
    Creating(InitialProperties),
    /// The Region has said that its key is usable.
    Ready,
}

/// One version of the key material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialVersion {
    /// Proof of identity of the material.
    pub material_id: KeyMaterialId,
    /// When it was drawn.
    pub created_at: Timestamp,
    /// What started the rotation that brought it; `None` for the first material.
    pub rotation_type: Option<RotationType>,
    /// The material sealed to each holding Region; one box per holder, none for anybody else. Imported material has no
    /// box at all.
    pub boxes: BTreeMap<RegionName, SealedBox>,
    /// When it became current; `None` while staged.
    pub activation: Option<Activation>,
    /// `KeyMaterialDescription` of imported material, as it was when the material was offered.
    pub description: String,
    /// The holders that say that they have imported the material.
    pub imported_by: BTreeSet<RegionName>,
}

/// How a material version became current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// When.
    pub at: Timestamp,
    /// Regions that an operator went on without.
    pub without: BTreeSet<RegionName>,
    /// The Region that made it current, primary at that moment; `None` of first material, and of activations from before
    /// this was kept.
    pub by: Option<RegionName>,
}

/// Material sealed (HPKE) to one Region.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBox {
    /// The Region that sealed it.
    pub source: RegionName,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for SealedBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedBox(from {}, {} bytes)", self.source, self.bytes.len())
    }
}

impl KeySet {
    /// The material in use: the last activated version.
    #[must_use]
    pub fn current(&self) -> Option<&MaterialVersion> {
        self.materials.iter().rev().find(|m| m.activation.is_some())
    }

    /// The staged material of a rotation in progress.
    #[must_use]
    pub fn staged(&self) -> Option<&MaterialVersion> {
        self.materials.last().filter(|m| m.activation.is_none())
    }

    /// A version by its ID.
    #[must_use]
    pub fn material(&self, id: &KeyMaterialId) -> Option<&MaterialVersion> {
        self.materials.iter().find(|m| m.material_id == *id)
    }

    /// Whether each Region imports the material by itself.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.origin == Origin::External
    }

    /// The holders that have yet to import a version of an EXTERNAL key.
    pub fn lacking_import<'a>(&'a self, version: &'a MaterialVersion) -> impl Iterator<Item = &'a RegionName> {
        self.holders.keys().filter(|region| !version.imported_by.contains(*region))
    }

    /// Whether the Region holds the key.
    #[must_use]
    pub fn is_held_by(&self, region: &RegionName) -> bool {
        self.holders.contains_key(region)
    }

    /// The replica Regions, in order.
    pub fn replicas(&self) -> impl Iterator<Item = &RegionName> {
        self.holders.keys().filter(|r| **r != self.primary)
    }

    /// Checks what must hold for every key set at every index.
    ///
    /// # Errors
    /// The first broken invariant, in words.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        if !self.holders.contains_key(&self.primary) {
            return Err("the primary Region does not hold the key");
        }
        if self.epoch == 0 {
            return Err("the epoch is zero");
        }
        if self.current().is_none() && !(self.is_external() && self.materials.is_empty()) {
            return Err("no material is current");
        }
        let staged = self.materials.iter().filter(|m| m.activation.is_none()).count();
        if staged > 1 || (staged == 1 && self.staged().is_none()) {
            return Err("a material other than the last is staged");
        }
        self.materials.iter().try_for_each(|version| self.check_version(version))?;
        let ids: BTreeSet<_> = self.materials.iter().map(|m| m.material_id).collect();
        if ids.len() != self.materials.len() {
            return Err("a material occurs twice");
        }
        Ok(())
    }
    fn check_version(&self, version: &MaterialVersion) -> Result<(), &'static str> {
        if self.is_external() {
            if !version.boxes.is_empty() {
                return Err("imported material is sealed");
            }
            if !version.imported_by.iter().all(|region| self.is_held_by(region)) {
                return Err("a Region that does not hold the key has imported material");
            }
        } else {
            if !version.boxes.keys().eq(self.holders.keys()) {
                return Err("sealed boxes and holding Regions differ");
            }
            if !(version.imported_by.is_empty() && version.description.is_empty()) {
                return Err("material that was made here is imported");
            }
        }
        Ok(())
    }
}
