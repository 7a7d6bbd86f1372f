//! The directory of principals: users, roles, access keys, and the keys under which session tokens are sealed.
//!
//! A secret is here as sealed boxes only, one for every Region that serves requests.

use super::SealedBox;
use kms_types::{AccessKeyId, IamName, IamPath, PrincipalId, RegionName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A user or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// Account, type and name.
    pub id: PrincipalId,
    /// The unique ID, `AIDA…` or `AROA…`; a principal made again under an old name has another.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether its access keys, its certificate and its sessions are honoured.
    pub enabled: bool,
    /// SPIFFE URI of the client certificate that stands for the user on gRPC.
    pub certificate: Option<String>,
    /// What only roles have.
    pub role: Option<RoleTerms>,
    /// Identity policies by name: the texts of the documents.
    pub policies: BTreeMap<IamName, String>,
    /// The permission boundary: the text of the document.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Who may assume a role, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleTerms {
    /// The trust policy: the text of the document.
    pub trust_policy: String,
    /// Longest session, in seconds.
    pub max_session_seconds: u32,
}

/// A secret sealed to one Region, and to which sealing key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientBox {
    /// When the Region entered the sealing key in the Region directory; with a later key the box opens no more.
    pub registered_at: Timestamp,
    /// The box.
    pub sealed: SealedBox,
}

/// Sealed boxes of one secret, by destination.
pub type RecipientBoxes = BTreeMap<RegionName, RecipientBox>;

/// An access key of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKeyEntry {
    /// Its ID.
    pub id: AccessKeyId,
    /// The user.
    pub user: PrincipalId,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether it is honoured.
    pub enabled: bool,
    /// The secret.
    pub boxes: RecipientBoxes,
}

/// A key under which session tokens are sealed. Numbers count up from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeyEntry {
    /// Its number.
    pub number: u32,
    /// When it was drawn.
    pub created_at: Timestamp,
    /// The key.
    pub boxes: RecipientBoxes,
}

/// Names a secret of the directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretName {
    /// The secret of an access key.
    AccessKey(AccessKeyId),
    /// A session key.
    SessionKey(u32),
}

/// What may be asked about the directory of principals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityBody {
    /// A new user or role.
    CreatePrincipal(Box<CreatePrincipal>),
    /// Changes one property of a user or role.
    ChangePrincipal {
        /// Which.
        id: PrincipalId,
        /// How.
        change: PrincipalChange,
    },
    /// Removes a user, its access keys included, or a role.
    DeletePrincipal {
        /// Which.
        id: PrincipalId,
    },
    /// A new access key of a user.
    CreateAccessKey {
        /// A new ID.
        id: AccessKeyId,
        /// The user.
        user: PrincipalId,
        /// The secret, sealed to exactly the Regions that serve requests.
        boxes: RecipientBoxes,
    },
    /// Disables an access key, or enables it again.
    EnableAccessKey {
        /// Which.
        id: AccessKeyId,
        /// Whether it is honoured from now on.
        enabled: bool,
    },
    /// Removes an access key.
    DeleteAccessKey {
        /// Which.
        id: AccessKeyId,
    },
    /// A new session key.
    CreateSessionKey {
        /// The number after the newest one.
        number: u32,
        /// The key, sealed to exactly the Regions that serve requests.
        boxes: RecipientBoxes,
    },
    /// Boxes of a secret for Regions that had none, or none that they can open.
    Reseal {
        /// Which secret.
        secret: SecretName,
        /// The new boxes.
        boxes: RecipientBoxes,
    },
}

/// See [`IdentityBody::CreatePrincipal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePrincipal {
    /// Account, type and name.
    pub id: PrincipalId,
    /// A new unique ID.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// SPIFFE URI, for users only.
    pub certificate: Option<String>,
    /// Present exactly for roles.
    pub role: Option<RoleTerms>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One changed property of a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalChange {
    /// Disables the principal, or enables it again.
    Enabled(bool),
    /// A new identity policy, or a new text of one.
    PutPolicy(IamName, String),
    /// Removes an identity policy.
    DeletePolicy(IamName),
    /// Sets or removes the permission boundary.
    Boundary(Option<String>),
}

/// One changed row of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityChange {
    /// A user or role is new or changed.
    PutPrincipal(Arc<PrincipalEntry>),
    /// A user or role is gone.
    DeletePrincipal(PrincipalId),
    /// An access key is new or changed.
    PutAccessKey(Arc<AccessKeyEntry>),
    /// An access key is gone.
    DeleteAccessKey(AccessKeyId),
    /// A session key is new or changed.
    PutSessionKey(Arc<SessionKeyEntry>),
    /// A session key is gone.
    DeleteSessionKey(u32),
}

/// The directory of principals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityState {
    principals: BTreeMap<PrincipalId, Arc<PrincipalEntry>>,
    access_keys: BTreeMap<AccessKeyId, Arc<AccessKeyEntry>>,
    session_keys: BTreeMap<u32, Arc<SessionKeyEntry>>,
    /// Access keys by user; derived.
    keys_of: BTreeMap<PrincipalId, BTreeSet<AccessKeyId>>,
    /// Certificates that stand for somebody; derived.
    certificates: BTreeSet<String>,
}

impl IdentityState {
    /// A user or role.
    #[must_use]
    pub fn principal(&self, id: &PrincipalId) -> Option<&Arc<PrincipalEntry>> {
        self.principals.get(id)
    }

    /// All users and roles, by account, type and name.
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

    /// A session key.
    #[must_use]
    pub fn session_key(&self, number: u32) -> Option<&Arc<SessionKeyEntry>> {
        self.session_keys.get(&number)
    }

    /// The session keys, oldest first; the last one seals.
    pub fn session_keys(&self) -> impl DoubleEndedIterator<Item = &Arc<SessionKeyEntry>> {
        self.session_keys.values()
    }

    /// Whether the certificate stands for a user already.
    #[must_use]
    pub fn has_certificate(&self, uri: &str) -> bool {
        self.certificates.contains(uri)
    }

    /// How many principals of one type an account has.
    pub(super) fn count_like(&self, id: &PrincipalId) -> usize {
        self.principals.keys().filter(|other| other.account == id.account && other.kind == id.kind).count()
    }

    /// Every secret with its boxes.
    pub fn secrets(&self) -> impl Iterator<Item = (SecretName, &RecipientBoxes)> {
        let access = self.access_keys.values().map(|key| (SecretName::AccessKey(key.id.clone()), &key.boxes));
        let session = self.session_keys.values().map(|key| (SecretName::SessionKey(key.number), &key.boxes));
        access.chain(session)
    }

    pub(super) fn absorb(&mut self, change: &IdentityChange) {
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
            IdentityChange::PutSessionKey(entry) => {
                self.session_keys.insert(entry.number, Arc::clone(entry));
            }
            IdentityChange::DeleteSessionKey(number) => {
                self.session_keys.remove(number);
            }
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = IdentityChange> {
        let principals = self.principals.values().map(|e| IdentityChange::PutPrincipal(Arc::clone(e)));
        let access_keys = self.access_keys.values().map(|e| IdentityChange::PutAccessKey(Arc::clone(e)));
        let session_keys = self.session_keys.values().map(|e| IdentityChange::PutSessionKey(Arc::clone(e)));
        principals.chain(access_keys).chain(session_keys)
    }

    /// Checks what must hold of the directory at every index.
    ///
    /// # Errors
    /// The first broken invariant, in words.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        for entry in self.principals.values() {
            if entry.role.is_some() != (entry.id.kind == kms_types::PrincipalType::Role) {
                return Err("a user has a trust policy, or a role has none");
            }
        }
        for key in self.access_keys.values() {
            if !self.principals.contains_key(&key.user) {
                return Err("an access key has no user");
            }
            if key.boxes.is_empty() {
                return Err("no Region has the secret of an access key");
            }
        }
        Ok(())
    }

    fn forget_certificate(&mut self, id: &PrincipalId) {
        if let Some(uri) = self.principals.get(id).and_then(|entry| entry.certificate.as_ref()) {
            self.certificates.remove(uri);
        }
    }
}
