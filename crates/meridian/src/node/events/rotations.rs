//! Which rotations a key has had since they were recorded last.

use kms_core::control::MaterialVersion;
use kms_service::KeyEntry;
use kms_types::{KeyMaterialId, RotationType, Timestamp};

/// A version of key material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) material: KeyMaterialId,
    /// What started the rotation that made it current.
    pub(super) rotation_type: Option<RotationType>,
    /// When it became current; `None` for the first, and for one that has not.
    pub(super) current_at: Option<Timestamp>,
}

/// A rotation: what was current, and what has been since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rotation {
    pub(super) previous: KeyMaterialId,
    pub(super) to: Version,
}

/// The versions of a key, the first one first.
pub(super) fn versions(entry: &KeyEntry) -> Vec<Version> {
    match &entry.set {
        Some(set) => {
            let at = |version: &MaterialVersion| version.activation.as_ref().map(|activation| activation.at);
            let shared = set.materials.iter().map(|version| Version {
                material: version.material_id,
                rotation_type: version.rotation_type,
                current_at: at(version),
            });
            shared.collect()
        }
        None => {
            let local = entry.record.materials.iter().map(|version| Version {
                material: version.material_id,
                rotation_type: version.rotation.map(|(kind, _)| kind),
                current_at: version.rotation.map(|(_, at)| at),
            });
            local.collect()
        }
    }
}

/// Every rotation from the version that was current to the one that is. If none was (the key is new to whoever asks, or was
/// still being created), those that became current at `not_before` or later.
pub(super) fn between(
    versions: &[Version],
    was: Option<KeyMaterialId>,
    is: Option<KeyMaterialId>,
    not_before: Timestamp,
) -> Vec<Rotation> {
    let place = |wanted| versions.iter().position(|version| Some(version.material) == wanted);
    let from = match was {
        Some(_) => place(was),
        None => Some(0),
    };
    let (Some(from), Some(to)) = (from, place(is)) else { return Vec::new() };
    let passed = versions.get(from..=to).unwrap_or_default();
    let rotations = passed.iter().zip(passed.iter().skip(1));
    let rotations = rotations.map(|(before, after)| Rotation { previous: before.material, to: *after });
    rotations.filter(|it| was.is_some() || it.to.current_at.is_some_and(|at| at >= not_before)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn id(byte: u8) -> KeyMaterialId {
        KeyMaterialId::from_bytes([byte; 32])
    }

    /// Version n became current at 10 n; the first has no time.
    fn history(count: u8) -> Vec<Version> {
        let version = |n: u8| Version {
            material: id(n),
            rotation_type: None,
            current_at: (n > 0).then(|| Timestamp::from_millis(u64::from(n) * 10)),
        };
        (0..count).map(version).collect()
    }

    fn steps(was: Option<u8>, is: Option<u8>, not_before: u64) -> Vec<(u8, u8)> {
        let found = between(&history(4), was.map(id), is.map(id), Timestamp::from_millis(not_before));
        found.iter().map(|it| (it.previous.as_bytes()[0], it.to.material.as_bytes()[0])).collect()
    }

    #[test]
    fn each_version_since_the_recorded_one_is_a_rotation() {
        assert_eq!(steps(Some(0), Some(2), 0), [(0, 1), (1, 2)]);
        assert_eq!(steps(Some(2), Some(3), u64::MAX), [(2, 3)]);
        assert_eq!(steps(Some(2), Some(2), 0), []);
        // A staged version is not current yet; one that is not known says nothing.
        assert_eq!(steps(Some(0), Some(1), 0), [(0, 1)]);
        assert_eq!(steps(Some(9), Some(1), 0), []);
        assert_eq!(steps(Some(1), None, 0), []);
    }

    #[test]
    fn a_key_that_was_still_being_created_has_had_all_rotations_since() {
        assert_eq!(steps(None, Some(0), 0), []);
        assert_eq!(steps(None, Some(2), 0), [(0, 1), (1, 2)]);
        assert_eq!(steps(None, Some(3), 20), [(1, 2), (2, 3)]);
        assert_eq!(steps(None, Some(3), 31), []);
    }
}
