//! Commands about the directory of principals. Documents are opaque texts here: whoever proposes has parsed them, and
//! whoever uses one that does not parse denies.

use super::Step;
use crate::control::identity::{
    AccessKeyEntry, CreatePrincipal, IdentityBody, IdentityChange, PrincipalChange, PrincipalEntry, RecipientBoxes,
    SecretName, SessionKeyEntry,
};
use crate::control::{ControlChange, ControlState, Refusal, RegionRole};
use kms_types::{AccessKeyId, IamName, PrincipalId, PrincipalType, RegionName, Timestamp, limits};
use std::sync::Arc;
use std::time::Duration;

/// Session keys that are kept: the newest one, and the one before it for the tokens that it has sealed.
const SESSION_KEYS_KEPT: u32 = 2;
/// A session key is followed by the next one at the earliest when every session under the one before it is over.
const SESSION_KEY_AGE_MIN: Duration = Duration::from_secs(43_200);
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
            IdentityBody::CreateSessionKey { number, boxes } => self.create_session_key(at, *number, boxes),
            IdentityBody::Reseal { secret, boxes } => self.reseal(secret, boxes),
        }?;
        let changes = changes.into_iter().map(ControlChange::Identity).collect();
        Ok((changes, Vec::new()))
    }

    fn create_principal(&self, at: Timestamp, body: &CreatePrincipal) -> Changes {
        let is_role = body.id.kind == PrincipalType::Role;
        let sizes_fit = (1..=UNIQUE_ID_BYTES_MAX).contains(&body.unique_id.len())
            && body.certificate.as_ref().is_none_or(|uri| (1..=CERTIFICATE_BYTES_MAX).contains(&uri.len()));
        if body.role.is_some() != is_role || (is_role && body.certificate.is_some()) || !sizes_fit {
            return Err(Refusal::Malformed);
        }
        if let Some(terms) = &body.role {
            check_document(&terms.trust_policy)?;
            if !limits::SESSION_SECONDS.contains(&terms.max_session_seconds) {
                return Err(Refusal::Malformed);
            }
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
        let most = if is_role { limits::ROLES_PER_ACCOUNT_MAX } else { limits::USERS_PER_ACCOUNT_MAX };
        if self.identities.count_like(&body.id) >= most {
            return Err(Refusal::IdentityLimit);
        }
        put_principal(PrincipalEntry {
            id: body.id.clone(),
            unique_id: body.unique_id.clone(),
            path: body.path.clone(),
            created_at: at,
            enabled: true,
            certificate: body.certificate.clone(),
            role: body.role.clone(),
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
        if user.kind != PrincipalType::User {
            return Err(Refusal::Malformed);
        }
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

    fn create_session_key(&self, at: Timestamp, number: u32, boxes: &RecipientBoxes) -> Changes {
        let newest = self.identities.session_keys().next_back();
        if let Some(newest) = newest
            && at < newest.created_at.plus(SESSION_KEY_AGE_MIN)
        {
            return Err(Refusal::NotDue);
        }
        // Several Regions propose at the same time; the first one has its way.
        if number != newest.map_or(0, |key| key.number).saturating_add(1) {
            return Err(Refusal::NotDue);
        }
        self.check_recipients(boxes)?;
        let entry = SessionKeyEntry { number, created_at: at, boxes: boxes.clone() };
        let oldest_kept = number.saturating_sub(SESSION_KEYS_KEPT.saturating_sub(1));
        let outdated = self.identities.session_keys().filter(|key| key.number < oldest_kept);
        let gone = outdated.map(|key| IdentityChange::DeleteSessionKey(key.number));
        Ok(gone.chain([IdentityChange::PutSessionKey(Arc::new(entry))]).collect())
    }

    fn reseal(&self, secret: &SecretName, boxes: &RecipientBoxes) -> Changes {
        let lacks = |old: &RecipientBoxes| {
            let is_new = |(region, new): (&RegionName, &_)| {
                self.is_recipient(region, new) && old.get(region).is_none_or(|old| !self.is_recipient(region, old))
            };
            !boxes.is_empty() && boxes.iter().all(is_new)
        };
        let add = |old: &mut RecipientBoxes| old.extend(boxes.iter().map(|(r, b)| (r.clone(), b.clone())));
        match secret {
            SecretName::AccessKey(id) => {
                let found = self.identities.access_key(id).ok_or(Refusal::AccessKeyNotFound)?;
                if !lacks(&found.boxes) {
                    return Err(Refusal::BoxesMismatch);
                }
                self.change_access_key(id, |key| add(&mut key.boxes))
            }
            SecretName::SessionKey(number) => {
                let found = self.identities.session_key(*number).ok_or(Refusal::AccessKeyNotFound)?;
                if !lacks(&found.boxes) {
                    return Err(Refusal::BoxesMismatch);
                }
                let mut entry = SessionKeyEntry::clone(found);
                add(&mut entry.boxes);
                Ok(vec![IdentityChange::PutSessionKey(Arc::new(entry))])
            }
        }
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
