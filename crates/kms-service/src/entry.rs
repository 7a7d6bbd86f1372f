//! A key as the data path sees it: regional record and key set joined once per change, not once per request.

use kms_core::control::KeySet;
use kms_core::regional::KeyRecord;
use kms_core::{KeyOperation, RotationSchedule, state_matrix};
use kms_policy::{DocumentKind, KeyFacts, MultiRegionKeyType, PolicyDocument};
use kms_types::{AliasName, KeyArn, KeyMaterialId, KeyState, RegionName};
use std::sync::Arc;

use crate::authorise::KeyView;
use crate::key_grants::KeyGrants;
use crate::key_uses::UseCell;
use crate::last_use::LastUseCell;
use crate::{KmsError, ReplicaAccess};

/// One key resource of this Region with everything that a request needs to know of it. Immutable; a change publishes
/// a new one.
#[derive(Debug)]
pub struct KeyEntry {
    /// The key's ARN in this Region.
    pub arn: KeyArn,
    /// The ARN as text.
    pub arn_text: Arc<str>,
    /// Independent properties.
    pub record: Arc<KeyRecord>,
    /// Shared properties of a multi-Region key.
    pub set: Option<Arc<KeySet>>,
    /// The material that this Region encrypts with: the newest that is activated and installed here. Imported material is
    /// named also while it is not here; the key waits for its import then.
    pub current: Option<KeyMaterialId>,
    /// The key policy, compiled.
    pub(crate) policy: Arc<PolicyDocument>,
    /// The names that point at the key.
    pub(crate) aliases: Box<[AliasName]>,
    /// What changes without a new entry.
    pub(crate) live: Arc<Live>,
}

/// What belongs to a key for as long as it exists, and changes too often to publish a new entry each time. Passed on from
/// entry to entry.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) grants: KeyGrants,
    pub(crate) last_use: LastUseCell,
    pub(crate) uses: UseCell,
}

impl KeyEntry {
    /// Joins the two halves of a key. `policy` is the record's, compiled.
    #[must_use]
    pub(crate) fn new(
        region: &RegionName,
        record: Arc<KeyRecord>,
        set: Option<Arc<KeySet>>,
        policy: Arc<PolicyDocument>,
        aliases: Box<[AliasName]>,
        live: Arc<Live>,
    ) -> Self {
        let arn = KeyArn { region: region.clone(), account: record.account, key_id: record.key_id };
        let current = match &set {
            Some(set) if set.is_external() => set.current().map(|m| m.material_id),
            Some(set) => {
                let usable = set.materials.iter().rev().filter(|m| m.activation.is_some());
                usable.map(|m| m.material_id).find(|id| record.has_material(id))
            }
            None if record.is_multi_region() => None,
            None => record.current_material().map(|m| m.material_id),
        };
        Self { arn_text: arn.to_string().into(), arn, record, set, current, policy, aliases, live }
    }

    /// The key state as a caller sees it.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.record.state()
    }

    /// Whether this Region is the primary of a multi-Region key.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.set.as_ref().is_some_and(|set| set.primary == self.arn.region)
    }

    /// The schedule of automatic rotation, `None` when it is off.
    #[must_use]
    pub fn rotation(&self) -> Option<RotationSchedule> {
        self.set.as_ref().map_or(self.record.rotation, |set| set.rotation)
    }

    /// What conditions can ask of the key.
    pub(crate) fn facts(&self) -> KeyFacts {
        let record = &self.record;
        let role = if self.is_primary() { MultiRegionKeyType::Primary } else { MultiRegionKeyType::Replica };
        KeyFacts {
            account: record.account,
            spec: record.spec,
            usage: record.usage,
            origin: record.origin,
            multi_region: record.is_multi_region().then_some(role),
        }
    }

    /// The key as decisions see it.
    pub(crate) fn view(&self) -> KeyView<'_> {
        KeyView {
            arn: &self.arn_text,
            account: self.arn.account,
            policy: &self.policy,
            facts: self.facts(),
            tags: &self.record.tags,
            aliases: &self.aliases,
            grants: Some(&self.live.grants),
        }
    }

    /// What this Region tells others of who may do what to the key.
    #[must_use]
    pub fn replica_access(&self) -> ReplicaAccess {
        let KeyRecord { policy, tags, .. } = &*self.record;
        ReplicaAccess { policy: policy.clone(), tags: tags.clone(), aliases: self.aliases.to_vec() }
    }

    /// Checks that the key state allows the operation.
    ///
    /// # Errors
    /// [`KmsError::InvalidState`].
    pub fn check_state(&self, operation: KeyOperation) -> Result<(), KmsError> {
        state_matrix::check(operation, self.state())
            .map_err(|fault| KmsError::InvalidState { key: self.arn.clone(), fault })
    }
}

/// Compiles the text of a key policy. One that no longer parses denies everything.
pub(crate) fn compile(policy: &str) -> PolicyDocument {
    PolicyDocument::parse(policy, DocumentKind::Key).unwrap_or_else(|_unreadable| PolicyDocument::unreadable())
}
