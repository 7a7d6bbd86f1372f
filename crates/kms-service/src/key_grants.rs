//! The grants on one key, arranged for decisions: by grantee, and by ID for grant tokens.

use kms_core::regional::{GrantPrincipal, GrantRecord};
use kms_types::GrantId;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

type ById = papaya::HashMap<GrantId, Arc<GrantRecord>>;

/// The grants on one key. Readers take no lock; whoever publishes rows is the only writer. A key without grants costs
/// next to no memory.
#[derive(Default)]
pub(crate) struct KeyGrants(OnceLock<Box<Maps>>);

#[derive(Default)]
struct Maps {
    by_id: ById,
    /// Grants to services are not here: no request comes from one.
    by_grantee: papaya::HashMap<String, Arc<ById>>,
}

impl std::fmt::Debug for KeyGrants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyGrants({})", self.0.get().map_or(0, |maps| maps.by_id.len()))
    }
}

impl KeyGrants {
    /// Takes in a grant.
    pub(crate) fn insert(&self, grant: &Arc<GrantRecord>) {
        let maps = self.0.get_or_init(Box::default);
        if let GrantPrincipal::Arn(grantee) = &grant.grantee {
            let by_grantee = maps.by_grantee.pin();
            let of_grantee = match by_grantee.get(grantee) {
                Some(of_grantee) => Arc::clone(of_grantee),
                None => Arc::clone(by_grantee.get_or_insert_with(grantee.clone(), Arc::default)),
            };
            of_grantee.pin().insert(grant.grant_id, Arc::clone(grant));
        }
        maps.by_id.pin().insert(grant.grant_id, Arc::clone(grant));
    }

    /// Forgets a grant.
    pub(crate) fn remove(&self, grant_id: &GrantId) {
        let Some(maps) = self.0.get() else { return };
        let by_id = maps.by_id.pin();
        let Some(grant) = by_id.remove(grant_id) else { return };
        let GrantPrincipal::Arn(grantee) = &grant.grantee else { return };
        let by_grantee = maps.by_grantee.pin();
        let Some(of_grantee) = by_grantee.get(grantee) else { return };
        of_grantee.pin().remove(grant_id);
        if of_grantee.is_empty() {
            by_grantee.remove(grantee);
        }
    }

    /// Whether there is such a grant.
    pub(crate) fn has(&self, grant_id: &GrantId) -> bool {
        self.0.get().is_some_and(|maps| maps.by_id.pin().contains_key(grant_id))
    }

    /// Shows the grants to this grantee one after the other until told to stop.
    pub(crate) fn walk(&self, grantee: &str, see: &mut dyn FnMut(&GrantRecord) -> ControlFlow<()>) -> ControlFlow<()> {
        let Some(maps) = self.0.get() else { return ControlFlow::Continue(()) };
        let by_grantee = maps.by_grantee.pin();
        let Some(of_grantee) = by_grantee.get(grantee) else { return ControlFlow::Continue(()) };
        of_grantee.pin().values().try_for_each(|grant| see(grant))
    }
}
