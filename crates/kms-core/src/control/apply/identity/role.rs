//! Commands about roles.

use super::{Changes, Common, check_document, check_tags, check_unique_id};
use crate::control::identity::{CreateRole, IdentityChange, RoleChange, RoleEntry};
use crate::control::{ControlState, Refusal};
use kms_types::{RoleId, Timestamp, limits};
use std::sync::Arc;

impl ControlState {
    pub(super) fn create_role(&self, at: Timestamp, body: &CreateRole) -> Changes {
        check_unique_id(&body.unique_id)?;
        check_session_seconds(body.max_session_seconds)?;
        check_document(&body.trust)?;
        check_tags(&body.tags)?;
        let same_unique_id = |role: &Arc<RoleEntry>| role.unique_id == body.unique_id;
        if self.identities.role(&body.id).is_some() || self.identities.roles().any(same_unique_id) {
            return Err(Refusal::PrincipalExists);
        }
        if self.identities.roles_of(&body.id.account) >= limits::ROLES_PER_ACCOUNT_MAX {
            return Err(Refusal::IdentityLimit);
        }
        put_role(RoleEntry {
            id: body.id.clone(),
            unique_id: body.unique_id.clone(),
            path: body.path.clone(),
            created_at: at,
            enabled: true,
            trust: body.trust.clone(),
            max_session_seconds: body.max_session_seconds,
            policies: Default::default(),
            boundary: None,
            tags: body.tags.clone(),
        })
    }

    pub(super) fn change_role(&self, id: &RoleId, change: &RoleChange) -> Changes {
        let mut entry = RoleEntry::clone(self.identities.role(id).ok_or(Refusal::PrincipalNotFound)?);
        match change {
            RoleChange::Principal(change) => {
                let RoleEntry { enabled, policies, boundary, .. } = &mut entry;
                Common { enabled, policies, boundary }.change(change)?;
            }
            RoleChange::Trust(document) => {
                check_document(document)?;
                entry.trust.clone_from(document);
            }
            RoleChange::MaxSessionSeconds(seconds) => {
                check_session_seconds(*seconds)?;
                entry.max_session_seconds = *seconds;
            }
        }
        put_role(entry)
    }
}

fn check_session_seconds(seconds: u32) -> Result<(), Refusal> {
    if limits::ROLE_SESSION_SECONDS.contains(&seconds) { Ok(()) } else { Err(Refusal::Malformed) }
}

fn put_role(entry: RoleEntry) -> Changes {
    Ok(vec![IdentityChange::PutRole(Arc::new(entry))])
}
