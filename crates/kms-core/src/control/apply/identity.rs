//! Commands about the directory of principals. Documents are opaque texts here: whoever proposes has parsed them, and
//! whoever uses one that does not parse denies.

use super::Step;
use crate::control::identity::{
    AccessKeyEntry, CreatePrincipal, IdentityBody, IdentityChange, PrincipalChange, PrincipalEntry, RecipientBox,
    RecipientBoxes,
};
use crate::control::{ControlChange, ControlState, Refusal, RegionRole};
use kms_types::{AccessKeyId, IamName, PrincipalId, RegionName, Timestamp, limits};
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
        }?;
        let changes = changes.into_iter().map(ControlChange::Identity).collect();
        Ok((changes, Vec::new()))
    }

    fn create_principal(&self, at: Timestamp, body: &CreatePrincipal) -> Changes {
        let sizes_fit = (1..=UNIQUE_ID_BYTES_MAX).contains(&body.unique_id.len())
            && body.certificate.as_ref().is_none_or(|uri| (1..=CERTIFICATE_BYTES_MAX).contains(&uri.len()));
        if !sizes_fit {
            return Err(Refusal::Malformed);
        }
        let fits = |(key, value): (&String, &String)| {
            (1..=TAG_KEY_BYTES_MAX).contains(&key.len()) && value.len() <= TAG_VALUE_BYTES_MAX
        };
        if body.tags.len() > limits::TAGS_PER_PRINCIPAL_MAX || !body.tags.iter().all(fits) {
            return Err(Refusal::IdentityLimit);
        }
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
        match change {
            PrincipalChange::Enabled(enabled) => entry.enabled = *enabled,
            PrincipalChange::PutPolicy(name, document) => put_policy(&mut entry, name, document)?,
            PrincipalChange::DeletePolicy(name) => {
                entry.policies.remove(name).ok_or(Refusal::PolicyNotFound)?;
            }
            PrincipalChange::Boundary(Some(document)) => {
                check_document(document)?;
                entry.boundary = Some(document.clone());
            }
            PrincipalChange::Boundary(None) => {
                entry.boundary.take().ok_or(Refusal::PolicyNotFound)?;
            }
        }
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
        let is_new = |(region, new): (&RegionName, &RecipientBox)| {
            self.is_recipient(region, new) && old.get(region).is_none_or(|old| !self.is_recipient(region, old))
        };
        if boxes.is_empty() || !boxes.iter().all(is_new) {
            return Err(Refusal::BoxesMismatch);
        }
        self.change_access_key(id, |key| key.boxes.extend(boxes.iter().map(|(r, b)| (r.clone(), b.clone()))))
    }

    /// Refuses boxes that are not for exactly the Regions that serve requests, under the sealing keys that they have now.
    fn check_recipients(&self, boxes: &RecipientBoxes) -> Result<(), Refusal> {
        let serving = self.regions.values().filter(|entry| entry.role == RegionRole::Full).map(|entry| &entry.region);
        let current = boxes.iter().all(|(region, sealed)| self.is_recipient(region, sealed));
        if serving.eq(boxes.keys()) && current { Ok(()) } else { Err(Refusal::BoxesMismatch) }
    }
}

fn put_policy(entry: &mut PrincipalEntry, name: &IamName, document: &str) -> Result<(), Refusal> {
    check_document(document)?;
    let is_new = !entry.policies.contains_key(name);
    if is_new && entry.policies.len() >= limits::POLICIES_PER_PRINCIPAL_MAX {
        return Err(Refusal::IdentityLimit);
    }
    entry.policies.insert(name.clone(), document.to_owned());
    Ok(())
}

fn check_document(document: &str) -> Result<(), Refusal> {
    if (1..=limits::POLICY_BYTES_MAX).contains(&document.len()) { Ok(()) } else { Err(Refusal::IdentityLimit) }
}

fn put_principal(entry: PrincipalEntry) -> Changes {
    Ok(vec![IdentityChange::PutPrincipal(Arc::new(entry))])
}
