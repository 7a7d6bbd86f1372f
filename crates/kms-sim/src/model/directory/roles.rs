//! What the model believes of roles and session token keys.

use super::{User, sealing_keys};
use crate::model::Model;
use kms_core::control::identity::{IdentityBody, RoleChange};
use kms_types::Timestamp;
use std::collections::BTreeMap;

/// Sessions last at most twelve hours; an hour more for Regions that hear of a new key late.
const KEPT_MS: u64 = 13 * 3_600 * 1_000;

/// One role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// What it has in common with users; never a certificate.
    pub user: User,
    /// The trust policy.
    pub trust: String,
    /// Its longest session, in seconds.
    pub max_session_seconds: u32,
}

impl Model {
    /// Takes in what is about roles and session token keys; nothing else comes here.
    pub(super) fn take_in_roles(&mut self, at: Timestamp, body: &IdentityBody) -> Option<()> {
        match body {
            IdentityBody::CreateRole(b) => {
                let fits = b.tags.len() <= 50 && is_duration(b.max_session_seconds) && !b.trust.is_empty();
                (fits && !self.directory.roles.contains_key(&b.id)).then_some(())?;
                let user = User { enabled: true, certificate: None, policies: BTreeMap::new(), boundary: None };
                let (trust, max_session_seconds) = (b.trust.clone(), b.max_session_seconds);
                self.directory.roles.insert(b.id.clone(), Role { user, trust, max_session_seconds });
            }
            IdentityBody::ChangeRole { id, change } => {
                let role = self.directory.roles.get_mut(id)?;
                match change {
                    RoleChange::Principal(change) => role.user.change(change)?,
                    RoleChange::Trust(text) => {
                        (!text.is_empty()).then_some(())?;
                        role.trust.clone_from(text);
                    }
                    RoleChange::MaxSessionSeconds(seconds) => {
                        is_duration(*seconds).then_some(())?;
                        role.max_session_seconds = *seconds;
                    }
                }
            }
            IdentityBody::DeleteRole { id } => drop(self.directory.roles.remove(id)?),
            IdentityBody::CreateSessionKey { epoch, boxes, end_sessions } => {
                let newest = self.directory.session_keys.keys().max().copied().unwrap_or_default();
                (*epoch == newest + 1 && self.are_for_all(boxes)).then_some(())?;
                self.drop_session_keys(at, *end_sessions);
                self.directory.session_keys.insert(*epoch, (at, sealing_keys(boxes)));
            }
            IdentityBody::ResealSessionKey { epoch, boxes } => {
                let (_, old) = self.directory.session_keys.get(epoch)?;
                self.are_lacking(old, boxes)?;
                self.directory.session_keys.get_mut(epoch)?.1.extend(sealing_keys(boxes));
            }
            _ => return None,
        }
        Some(())
    }

    /// Forgets, oldest first, keys that were replaced so long ago that nobody can need them, or all of them.
    fn drop_session_keys(&mut self, now: Timestamp, all: bool) {
        let keys = &mut self.directory.session_keys;
        while let Some(oldest) = keys.keys().next().copied() {
            let next = keys.get(&(oldest + 1)).map(|(created, _)| created.millis());
            let is_over = next.is_some_and(|next| next + KEPT_MS < now.millis());
            if !all && !is_over {
                return;
            }
            keys.remove(&oldest);
        }
    }
}

fn is_duration(seconds: u32) -> bool {
    (3_600..=43_200).contains(&seconds)
}
