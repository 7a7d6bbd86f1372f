//! Commands about the directory of principals. Documents are opaque texts here: whoever proposes has parsed them, and
//! whoever uses one that does not parse denies.

mod role;
mod session_key;

use super::Step;
use crate::control::identity::{
    AccessKeyEntry, CreatePrincipal, IdentityBody, IdentityChange, PrincipalChange, PrincipalEntry, RecipientBox,
    RecipientBoxes,
};
use crate::control::{ControlChange, ControlState, Refusal, RegionRole};
use kms_types::{AccessKeyId, IamName, PrincipalId, RegionName, Timestamp, limits};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest unique ID and certificate URI, in bytes.
const UNIQUE_ID_BYTES_MAX: usize = 128;
const CERTIFICATE_BYTES_MAX: usize = 2_048;
/// Longest key and value of a tag, in bytes: 128 and 256 characters of up to four bytes each.
const TAG_KEY_BYTES_MAX: usize = 512;
const TAG_VALUE_BYTES_MAX: usize = 1_024;

type Changes = Result<Vec<IdentityChange>, Refusal>;

impl ControlState {
    pub(super) fn change_identity(&self, region: &RegionName, at: Timestamp, body: &IdentityBody) -> Step {
        self.check_holds_keys(region)?;
        let changes = match body {
            IdentityBody::CreatePrincipal(body) => self.create_principal(at, body),
            IdentityBody::ChangePrincipal { id, change } => self.change_principal(id, change),
            IdentityBody::DeletePrincipal { id } => self.delete_principal(id),
            IdentityBody::CreateAccessKey { id, user, boxes } => self.create_access_key(at, id, user, boxes),
            IdentityBody::EnableAccessKey { id, enabled } => self.change_access_key(id, |key| key.enabled = *enabled),
            IdentityBody::DeleteAccessKey { id } => self
                .identities
                .access_key(id)
                .map(|key| vec![IdentityChange::DeleteAccessKey(key.id.clone())])
                .ok_or(Refusal::AccessKeyNotFound),
            IdentityBody::ResealAccessKey { id, boxes } => self.reseal_access_key(id, boxes),
            IdentityBody::CreateRole(body) => self.create_role(at, body),
            IdentityBody::ChangeRole { id, change } => self.change_role(id, change),
            IdentityBody::DeleteRole { id } => {
                let known = self.identities.role(id).ok_or(Refusal::PrincipalNotFound);
                known.map(|_| vec![IdentityChange::DeleteRole(id.clone())])
            }
            IdentityBody::CreateSessionKey { epoch, boxes, end_sessions } => {
                self.create_session_key(at, *epoch, boxes, *end_sessions)
            }
            IdentityBody::ResealSessionKey { epoch, boxes } => self.reseal_session_key(*epoch, boxes),
        }?;
        let changes = changes.into_iter().map(ControlChange::Identity).collect();
        Ok((changes, Vec::new()))
    }

    fn create_principal(&self, at: Timestamp, body: &CreatePrincipal) -> Changes {
        check_unique_id(&body.unique_id)?;
        if !body.certificate.as_ref().is_none_or(|uri| (1..=CERTIFICATE_BYTES_MAX).contains(&uri.len())) {
            return Err(Refusal::Malformed);
        }
        check_tags(&body.tags)?;
        if self.identities.principal(&body.id).is_some() {
            return Err(Refusal::PrincipalExists);
        }
        if body.certificate.as_ref().is_some_and(|uri| self.identities.has_certificate(uri)) {
            return Err(Refusal::PrincipalExists);
        }
        if self.identities.users_of(&body.id.account) >= limits::USERS_PER_ACCOUNT_MAX {
            return Err(Refusal::IdentityLimit);
        }
        put_principal(PrincipalEntry {
            id: body.id.clone(),
            unique_id: body.unique_id.clone(),
            path: body.path.clone(),
            created_at: at,
            enabled: true,
            certificate: body.certificate.clone(),
            policies: Default::default(),
            boundary: None,
            tags: body.tags.clone(),
        })
    }

    fn change_principal(&self, id: &PrincipalId, change: &PrincipalChange) -> Changes {
        let found = self.identities.principal(id).ok_or(Refusal::PrincipalNotFound)?;
        let mut entry = PrincipalEntry::clone(found);
        let PrincipalEntry { enabled, policies, boundary, .. } = &mut entry;
        Common { enabled, policies, boundary }.change(change)?;
        put_principal(entry)
    }

    fn delete_principal(&self, id: &PrincipalId) -> Changes {
        self.identities.principal(id).ok_or(Refusal::PrincipalNotFound)?;
        let keys = self.identities.access_keys_of(id).map(|key| IdentityChange::DeleteAccessKey(key.id.clone()));
        Ok(keys.chain([IdentityChange::DeletePrincipal(id.clone())]).collect())
    }

    fn create_access_key(
        &self,
        at: Timestamp,
        id: &AccessKeyId,
        user: &PrincipalId,
        boxes: &RecipientBoxes,
    ) -> Changes {
        self.identities.principal(user).ok_or(Refusal::PrincipalNotFound)?;
        if self.identities.access_key(id).is_some() {
            return Err(Refusal::AccessKeyExists);
        }
        if self.identities.access_keys_of(user).count() >= limits::ACCESS_KEYS_PER_USER_MAX {
            return Err(Refusal::IdentityLimit);
        }
        self.check_recipients(boxes)?;
        let (id, user, boxes) = (id.clone(), user.clone(), boxes.clone());
        let entry = AccessKeyEntry { id, user, created_at: at, enabled: true, boxes };
        Ok(vec![IdentityChange::PutAccessKey(Arc::new(entry))])
    }

    fn change_access_key(&self, id: &AccessKeyId, change: impl FnOnce(&mut AccessKeyEntry)) -> Changes {
        let mut entry = AccessKeyEntry::clone(self.identities.access_key(id).ok_or(Refusal::AccessKeyNotFound)?);
        change(&mut entry);
        Ok(vec![IdentityChange::PutAccessKey(Arc::new(entry))])
    }

    fn reseal_access_key(&self, id: &AccessKeyId, boxes: &RecipientBoxes) -> Changes {
        let old = &self.identities.access_key(id).ok_or(Refusal::AccessKeyNotFound)?.boxes;
        let resealed = self.resealed(old, boxes)?;
        self.change_access_key(id, |key| key.boxes = resealed)
    }

    /// The boxes of a secret with new ones, which must be for Regions that have none that they can open.
    fn resealed(&self, old: &RecipientBoxes, new: &RecipientBoxes) -> Result<RecipientBoxes, Refusal> {
        let is_wanted = |(region, new): (&RegionName, &RecipientBox)| {
            self.is_recipient(region, new) && old.get(region).is_none_or(|old| !self.is_recipient(region, old))
        };
        if new.is_empty() || !new.iter().all(is_wanted) {
            return Err(Refusal::BoxesMismatch);
        }
        let both = old.iter().chain(new);
        Ok(both.map(|(region, sealed)| (region.clone(), sealed.clone())).collect())
    }

    /// Refuses boxes that are not for exactly the Regions that serve requests, under the sealing keys that they have now.
    fn check_recipients(&self, boxes: &RecipientBoxes) -> Result<(), Refusal> {
        let serving = self.regions.values().filter(|entry| entry.role == RegionRole::Full).map(|entry| &entry.region);
        let current = boxes.iter().all(|(region, sealed)| self.is_recipient(region, sealed));
        if serving.eq(boxes.keys()) && current { Ok(()) } else { Err(Refusal::BoxesMismatch) }
    }
}

/// What users and roles have in common, while it is changed.
struct Common<'a> {
    enabled: &'a mut bool,
    policies: &'a mut BTreeMap<IamName, String>,
    boundary: &'a mut Option<String>,
}

impl Common<'_> {
    fn change(self, change: &PrincipalChange) -> Result<(), Refusal> {
        match change {
            PrincipalChange::Enabled(enabled) => *self.enabled = *enabled,
            PrincipalChange::PutPolicy(name, document) => {
                check_document(document)?;
                let is_new = !self.policies.contains_key(name);
                if is_new && self.policies.len() >= limits::POLICIES_PER_PRINCIPAL_MAX {
                    return Err(Refusal::IdentityLimit);
                }
                self.policies.insert(name.clone(), document.clone());
            }
            PrincipalChange::DeletePolicy(name) => {
                self.policies.remove(name).ok_or(Refusal::PolicyNotFound)?;
            }
            PrincipalChange::Boundary(Some(document)) => {
                check_document(document)?;
                *self.boundary = Some(document.clone());
            }
            PrincipalChange::Boundary(None) => {
                self.boundary.take().ok_or(Refusal::PolicyNotFound)?;
            }
        }
        Ok(())
    }
}

fn check_unique_id(id: &str) -> Result<(), Refusal> {
    if (1..=UNIQUE_ID_BYTES_MAX).contains(&id.len()) { Ok(()) } else { Err(Refusal::Malformed) }
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let fits = |(key, value): (&String, &String)| {
        (1..=TAG_KEY_BYTES_MAX).contains(&key.len()) && value.len() <= TAG_VALUE_BYTES_MAX
    };
    let all_fit = tags.len() <= limits::TAGS_PER_PRINCIPAL_MAX && tags.iter().all(fits);
    if all_fit { Ok(()) } else { Err(Refusal::IdentityLimit) }
}

fn check_document(document: &str) -> Result<(), Refusal> {
    if (1..=limits::POLICY_BYTES_MAX).contains(&document.len()) { Ok(()) } else { Err(Refusal::IdentityLimit) }
}

fn put_principal(entry: PrincipalEntry) -> Changes {
    Ok(vec![IdentityChange::PutPrincipal(Arc::new(entry))])
}
