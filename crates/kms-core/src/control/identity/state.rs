//! The directory's rows as a whole.

use super::{AccessKeyEntry, IdentityChange, PrincipalEntry, RoleEntry, SessionKeyEntry};
use kms_types::{AccessKeyId, AccountId, PrincipalId, RoleId, limits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The directory of principals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityState {
    principals: BTreeMap<PrincipalId, Arc<PrincipalEntry>>,
    access_keys: BTreeMap<AccessKeyId, Arc<AccessKeyEntry>>,
    roles: BTreeMap<RoleId, Arc<RoleEntry>>,
    session_keys: BTreeMap<u64, Arc<SessionKeyEntry>>,
    /// Access keys by user; derived.
    keys_of: BTreeMap<PrincipalId, BTreeSet<AccessKeyId>>,
    /// Certificates that stand for somebody; derived.
    certificates: BTreeSet<String>,
}

impl IdentityState {
    /// A user.
    #[must_use]
    pub fn principal(&self, id: &PrincipalId) -> Option<&Arc<PrincipalEntry>> {
        self.principals.get(id)
    }

    /// All users, by account and name.
    pub fn principals(&self) -> impl Iterator<Item = &Arc<PrincipalEntry>> {
        self.principals.values()
    }

    /// An access key.
    #[must_use]
    pub fn access_key(&self, id: &AccessKeyId) -> Option<&Arc<AccessKeyEntry>> {
        self.access_keys.get(id)
    }

    /// All access keys, by ID.
    pub fn access_keys(&self) -> impl Iterator<Item = &Arc<AccessKeyEntry>> {
        self.access_keys.values()
    }

    /// The access keys of a user.
    pub fn access_keys_of(&self, user: &PrincipalId) -> impl Iterator<Item = &Arc<AccessKeyEntry>> {
        self.keys_of.get(user).into_iter().flatten().filter_map(|id| self.access_keys.get(id))
    }

    /// Whether the certificate stands for a user already.
    #[must_use]
    pub fn has_certificate(&self, uri: &str) -> bool {
        self.certificates.contains(uri)
    }

    /// A role.
    #[must_use]
    pub fn role(&self, id: &RoleId) -> Option<&Arc<RoleEntry>> {
        self.roles.get(id)
    }

    /// All roles, by account and name.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<RoleEntry>> {
        self.roles.values()
    }

    /// The session token key of an epoch.
    #[must_use]
    pub fn session_key(&self, epoch: u64) -> Option<&Arc<SessionKeyEntry>> {
        self.session_keys.get(&epoch)
    }

    /// The session token keys that are kept, oldest first.
    pub fn session_keys(&self) -> impl DoubleEndedIterator<Item = &Arc<SessionKeyEntry>> {
        self.session_keys.values()
    }

    /// The session token key that seals now.
    #[must_use]
    pub fn newest_session_key(&self) -> Option<&Arc<SessionKeyEntry>> {
        self.session_keys.values().next_back()
    }

    /// How many users an account has.
    pub(in crate::control) fn users_of(&self, account: &AccountId) -> usize {
        self.principals.keys().filter(|id| id.account == *account).count()
    }

    /// How many roles an account has.
    pub(in crate::control) fn roles_of(&self, account: &AccountId) -> usize {
        self.roles.keys().filter(|id| id.account == *account).count()
    }

    pub(in crate::control) fn absorb(&mut self, change: &IdentityChange) {
        match change {
            IdentityChange::PutPrincipal(entry) => {
                self.forget_certificate(&entry.id);
                self.certificates.extend(entry.certificate.clone());
                self.principals.insert(entry.id.clone(), Arc::clone(entry));
            }
            IdentityChange::DeletePrincipal(id) => {
                self.forget_certificate(id);
                self.principals.remove(id);
            }
            IdentityChange::PutAccessKey(entry) => {
                self.keys_of.entry(entry.user.clone()).or_default().insert(entry.id.clone());
                self.access_keys.insert(entry.id.clone(), Arc::clone(entry));
            }
            IdentityChange::DeleteAccessKey(id) => {
                let Some(entry) = self.access_keys.remove(id) else { return };
                if let Some(own) = self.keys_of.get_mut(&entry.user) {
                    own.remove(id);
                    if own.is_empty() {
                        self.keys_of.remove(&entry.user);
                    }
                }
            }
            IdentityChange::PutRole(entry) => {
                self.roles.insert(entry.id.clone(), Arc::clone(entry));
            }
            IdentityChange::DeleteRole(id) => {
                self.roles.remove(id);
            }
            IdentityChange::PutSessionKey(entry) => {
                self.session_keys.insert(entry.epoch, Arc::clone(entry));
            }
            IdentityChange::DeleteSessionKey(epoch) => {
                self.session_keys.remove(epoch);
            }
        }
    }

    pub(in crate::control) fn rows(&self) -> impl Iterator<Item = IdentityChange> {
        let principals = self.principals.values().map(|e| IdentityChange::PutPrincipal(Arc::clone(e)));
        let access_keys = self.access_keys.values().map(|e| IdentityChange::PutAccessKey(Arc::clone(e)));
        let roles = self.roles.values().map(|e| IdentityChange::PutRole(Arc::clone(e)));
        let session_keys = self.session_keys.values().map(|e| IdentityChange::PutSessionKey(Arc::clone(e)));
        principals.chain(access_keys).chain(roles).chain(session_keys)
    }

    /// Checks what must hold of the directory at every index.
    ///
    /// # Errors
    /// The first broken invariant, in words.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        for key in self.access_keys.values() {
            if !self.principals.contains_key(&key.user) {
                return Err("an access key has no user");
            }
            if key.boxes.is_empty() {
                return Err("no Region has the secret of an access key");
            }
        }
        self.check_roles()?;
        self.check_session_keys()
    }

    fn check_roles(&self) -> Result<(), &'static str> {
        let unique: BTreeSet<&str> = self.roles.values().map(|role| role.unique_id.as_str()).collect();
        if unique.len() != self.roles.len() {
            return Err("two roles have the same unique ID");
        }
        if !self.roles.values().all(|role| limits::ROLE_SESSION_SECONDS.contains(&role.max_session_seconds)) {
            return Err("the longest session of a role is out of range");
        }
        Ok(())
    }

    fn check_session_keys(&self) -> Result<(), &'static str> {
        if self.session_keys.len() > limits::SESSION_KEYS_MAX {
            return Err("there are too many session token keys");
        }
        let mut following = self.session_keys.keys().zip(self.session_keys.keys().skip(1));
        if following.any(|(epoch, next)| epoch.checked_add(1) != Some(*next)) {
            return Err("an epoch of the session token key is missing between others");
        }
        if self.session_keys.values().any(|key| key.boxes.is_empty()) {
            return Err("no Region has a session token key");
        }
        Ok(())
    }

    fn forget_certificate(&mut self, id: &PrincipalId) {
        if let Some(uri) = self.principals.get(id).and_then(|entry| entry.certificate.as_ref()) {
            self.certificates.remove(uri);
        }
    }
}
