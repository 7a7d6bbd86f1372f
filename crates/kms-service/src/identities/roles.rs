//! Roles as requests see them.

use super::{BOUNDARY_NAME, compiled, parsed};
use kms_core::control::identity::{IdentityState, RoleEntry};
use kms_policy::{DocumentKind, NamedPolicy, PolicyDocument};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A role that is enabled, with its documents compiled. A text that does not parse denies everything.
#[derive(Debug)]
pub struct KnownRole {
    /// The role as the control log has it.
    pub entry: Arc<RoleEntry>,
    /// Its ARN, path included.
    pub arn: Arc<str>,
    /// Who may assume it.
    pub trust: Arc<PolicyDocument>,
    /// Identity policies.
    pub policies: Vec<NamedPolicy>,
    /// The permission boundary, if one is set.
    pub boundary: Option<NamedPolicy>,
}

impl KnownRole {
    fn of(entry: &Arc<RoleEntry>, arn: &str) -> Self {
        Self {
            entry: Arc::clone(entry),
            arn: arn.into(),
            trust: parsed(&entry.trust, DocumentKind::Trust),
            policies: entry.policies.iter().map(|(name, text)| compiled(name.as_str(), text)).collect(),
            boundary: entry.boundary.as_ref().map(|text| compiled(BOUNDARY_NAME, text)),
        }
    }
}

/// The roles that are enabled.
#[derive(Debug, Default)]
pub(super) struct KnownRoles {
    by_arn: BTreeMap<String, Arc<KnownRole>>,
    by_unique_id: BTreeMap<String, Arc<KnownRole>>,
}

impl KnownRoles {
    /// The roles of the directory; those that did not change are taken over with their compiled documents.
    pub(super) fn of(old: &Self, state: &IdentityState) -> Self {
        let mut known = Self::default();
        for entry in state.roles().filter(|role| role.enabled) {
            let arn = entry.id.arn(&entry.path);
            let role = match old.by_arn.get(&arn) {
                Some(same) if Arc::ptr_eq(&same.entry, entry) => Arc::clone(same),
                _ => Arc::new(KnownRole::of(entry, &arn)),
            };
            known.by_unique_id.insert(entry.unique_id.clone(), Arc::clone(&role));
            known.by_arn.insert(arn, role);
        }
        known
    }

    pub(super) fn by_arn(&self, arn: &str) -> Option<Arc<KnownRole>> {
        self.by_arn.get(arn).cloned()
    }

    pub(super) fn by_unique_id(&self, unique_id: &str) -> Option<Arc<KnownRole>> {
        self.by_unique_id.get(unique_id).cloned()
    }
}
