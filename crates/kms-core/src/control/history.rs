//! Which Region held which material version of a key, from when to when. Written by `apply` from the difference that a
//! command makes to the key set, so no kind of command can be forgotten; it outlives replicas and the key itself.

use super::{HolderStatus, KeySet, MaterialVersion};
use kms_types::{AccountId, KeyId, KeyMaterialId, RegionName, Timestamp};
use std::collections::BTreeSet;

/// Most holdings that are kept for one key; beyond it the oldest that have ended are dropped, and counted.
pub const HOLDINGS_MAX: usize = 1024;

/// A point of the control log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Index in the log; zero for a time before histories were kept.
    pub index: u64,
    /// The proposer's clock.
    pub at: Timestamp,
}

/// Everything that is known of where the material of one key has been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHistory {
    /// The key.
    pub key_id: KeyId,
    /// Owner.
    pub account: AccountId,
    /// Whether the key is older than its history: holdings that had ended before are not known.
    pub reconstructed: bool,
    /// Ended holdings that were dropped, oldest first, to keep the history bounded.
    pub dropped: u64,
    /// When the key was deleted for good.
    pub deleted: Option<Mark>,
    /// In the order in which they began; those of one command by material and Region.
    pub holdings: Vec<Holding>,
}

/// One material version in one Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The Region.
    pub region: RegionName,
    /// The material.
    pub material_id: KeyMaterialId,
    /// From here on the Region could have it: the material was sealed to it, or, imported material, it said it had it.
    pub from: Mark,
    /// From here on it is known to have it installed, by its own word or by the primary's, which had asked it.
    pub installed: Option<Mark>,
    /// From here on it has no right to it any more; the Region destroys its rows when it applies this entry.
    pub ended: Option<(Mark, HoldingEnd)>,
}

/// Why a Region holds a material version no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldingEnd {
    /// The Region gave its replica up.
    ReplicaRemoved,
    /// The key was deleted.
    KeyDeleted,
    /// Imported material was deleted in the Region, or has expired there.
    ImportRemoved,
    /// Imported material was taken back before it became current.
    Withdrawn,
}

impl HoldingEnd {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReplicaRemoved => "REPLICA_REMOVED",
            Self::KeyDeleted => "KEY_DELETED",
            Self::ImportRemoved => "IMPORT_REMOVED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

impl KeyHistory {
    /// The history after a command that made `old` into `new`; `None` when it says nothing new.
    #[must_use]
    pub fn after(before: Option<&Self>, old: Option<&KeySet>, new: Option<&KeySet>, mark: Mark) -> Option<Self> {
        let mut history = match (before, old.or(new)) {
            (Some(before), _) => before.clone(),
            (None, Some(set)) => Self::of_older_key(set, old.is_some()),
            (None, None) => return None,
        };
        match new {
            None => history.end_all(mark),
            Some(new) => history.compare(old, new, mark),
        }
        history.drop_oldest();
        (before != Some(&history)).then_some(history)
    }

    /// The holdings that have not ended.
    pub fn open(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.iter().filter(|holding| holding.ended.is_none())
    }

    /// The history of a key of which only the key set is known.
    #[must_use]
    pub fn of_key_set(set: &KeySet) -> Self {
        Self::of_older_key(set, true)
    }

    /// Whether the open holdings are those of the key set.
    pub(super) fn tells(&self, set: &KeySet) -> bool {
        let open: BTreeSet<_> = self.open().map(|holding| (&holding.region, holding.material_id)).collect();
        open == held(set).map(|(region, version)| (region, version.material_id)).collect()
    }

    /// An empty history, or, for a key that exists already, what its key set tells.
    fn of_older_key(set: &KeySet, exists: bool) -> Self {
        let since = |region: &RegionName, version: &MaterialVersion| {
            let added_at = set.holders.get(region).map_or(version.created_at, |holder| holder.added_at);
            Mark { index: 0, at: added_at.max(version.created_at) }
        };
        let known = held(set).map(|(region, version)| Holding {
            region: region.clone(),
            material_id: version.material_id,
            from: since(region, version),
            installed: None,
            ended: None,
        });
        Self {
            key_id: set.key_id,
            account: set.account,
            reconstructed: exists,
            dropped: 0,
            deleted: None,
            holdings: if exists { known.collect() } else { Vec::new() },
        }
    }

    fn end_all(&mut self, mark: Mark) {
        self.deleted = Some(mark);
        for holding in self.holdings.iter_mut().filter(|holding| holding.ended.is_none()) {
            holding.ended = Some((mark, HoldingEnd::KeyDeleted));
        }
    }

    fn compare(&mut self, old: Option<&KeySet>, new: &KeySet, mark: Mark) {
        self.deleted = None;
        let now: BTreeSet<(KeyMaterialId, &RegionName)> = held(new).map(|(r, v)| (v.material_id, r)).collect();
        for holding in self.holdings.iter_mut().filter(|holding| holding.ended.is_none()) {
            if !now.contains(&(holding.material_id, &holding.region)) {
                holding.ended = Some((mark, why_ended(new, holding)));
            }
        }
        let open: BTreeSet<_> = self.open().map(|h| (h.material_id, h.region.clone())).collect();
        let begun = now.into_iter().filter(|(material_id, region)| !open.contains(&(*material_id, (*region).clone())));
        self.holdings.extend(begun.map(|(material_id, region)| Holding {
            region: region.clone(),
            material_id,
            from: mark,
            installed: None,
            ended: None,
        }));
        for holding in self.holdings.iter_mut().filter(|h| h.ended.is_none() && h.installed.is_none()) {
            if new.is_external() || is_now_installed(old, new, holding) {
                holding.installed = Some(mark);
            }
        }
    }

    fn drop_oldest(&mut self) {
        while self.holdings.len() > HOLDINGS_MAX {
            let Some(oldest) = self.holdings.iter().position(|holding| holding.ended.is_some()) else { return };
            self.holdings.remove(oldest);
            self.dropped = self.dropped.saturating_add(1);
        }
    }
}

/// Who may have which version: whom it is sealed to, or, imported material, who says that it has it.
fn held(set: &KeySet) -> impl Iterator<Item = (&RegionName, &MaterialVersion)> {
    set.materials
        .iter()
        .flat_map(|version| version.boxes.keys().chain(&version.imported_by).map(move |region| (region, version)))
}

fn why_ended(new: &KeySet, holding: &Holding) -> HoldingEnd {
    if !new.is_held_by(&holding.region) {
        HoldingEnd::ReplicaRemoved
    } else if new.material(&holding.material_id).is_none() {
        HoldingEnd::Withdrawn
    } else {
        HoldingEnd::ImportRemoved
    }
}

/// A version is known to be installed when it is activated, since the primary has asked every holder that it did not
/// go on without; and in a Region that says for the first time that it is ready, for versions activated by then.
fn is_now_installed(old: Option<&KeySet>, new: &KeySet, holding: &Holding) -> bool {
    let Some(version) = new.material(&holding.material_id) else { return false };
    if version.activation.as_ref().is_none_or(|activation| activation.without.contains(&holding.region)) {
        return false;
    }
    let was_staged =
        old.and_then(|old| old.material(&holding.material_id)).is_some_and(|version| version.activation.is_none());
    let ready = |set: &KeySet| set.holders.get(&holding.region).is_some_and(|h| h.status == HolderStatus::Ready);
    was_staged || (ready(new) && !old.is_some_and(ready))
}
