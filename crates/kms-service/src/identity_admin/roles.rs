//! What an operator asks about roles.

use super::{IdentityError, check_documents};
use crate::Service;
use kms_core::control::identity::{CreateRole, IdentityBody, RoleChange, RoleEntry};
use kms_policy::{DocumentKind, PolicyDocument};
use kms_types::{IamPath, RoleId, limits};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A new role.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Account and name.
    pub id: RoleId,
    /// The path.
    pub path: IamPath,
    /// The trust policy's document.
    pub trust: String,
    /// Longest session, in seconds; `None` for the default of an hour.
    pub max_session_seconds: Option<u32>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Service {
    /// Creates a role, and the first session token key if there is none yet.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn create_role(&self, new: NewRole) -> Result<Arc<RoleEntry>, IdentityError> {
        let NewRole { id, path, trust, max_session_seconds, tags } = new;
        PolicyDocument::parse(&trust, DocumentKind::Trust)?;
        let max_session_seconds = max_session_seconds.unwrap_or(limits::ROLE_SESSION_SECONDS_DEFAULT);
        check_session_seconds(max_session_seconds)?;
        let unique_id = self.draw_id("AROA", 17)?;
        let body = CreateRole { id: id.clone(), unique_id, path, trust, max_session_seconds, tags };
        self.change(&id, IdentityBody::CreateRole(Box::new(body))).await?;
        // Whoever waits for the background work instead waits a few seconds longer; the role is there in any case.
        if let Err(error) = self.renew_session_key().await {
            tracing::debug!(%error, "the session token key of a new role could not be created yet");
        }
        self.role(&id)
    }

    /// A role.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`].
    pub fn role(&self, id: &RoleId) -> Result<Arc<RoleEntry>, IdentityError> {
        let found = self.directory().read(|_, control| control.identities().role(id).cloned());
        found.ok_or_else(|| IdentityError::NotFound(format!("the {id}")))
    }

    /// Changes a role.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn change_role(&self, id: RoleId, change: RoleChange) -> Result<(), IdentityError> {
        match &change {
            RoleChange::Principal(change) => check_documents(change)?,
            RoleChange::Trust(text) => drop(PolicyDocument::parse(text, DocumentKind::Trust)?),
            RoleChange::MaxSessionSeconds(seconds) => check_session_seconds(*seconds)?,
        }
        self.change(&id.clone(), IdentityBody::ChangeRole { id, change }).await
    }

    /// Deletes a role; its sessions end.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn delete_role(&self, id: RoleId) -> Result<(), IdentityError> {
        self.change(&id.clone(), IdentityBody::DeleteRole { id }).await
    }
}

fn check_session_seconds(seconds: u32) -> Result<(), IdentityError> {
    let range = limits::ROLE_SESSION_SECONDS;
    if range.contains(&seconds) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(IdentityError::Invalid(format!("a role's longest session has {least} to {most} seconds, not {seconds}")))
}
