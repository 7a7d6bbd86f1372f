//! The directory of principals: users and their access keys.
//!
//! A secret is here as sealed boxes only, one for every Region that serves requests.

use super::SealedBox;
use kms_types::{AccessKeyId, AccountId, IamName, IamPath, PrincipalId, RegionName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// Account and name.
    pub id: PrincipalId,
    /// The unique ID, `AIDA…`; a user made again under an old name has another.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether its access keys and its certificate are honoured.
    pub enabled: bool,
    /// SPIFFE URI of the client certificate that stands for the user on gRPC.
    pub certificate: Option<String>,
    /// Identity policies by name: the texts of the documents.
    pub policies: BTreeMap<IamName, String>,
    /// The permission boundary: the text of the document.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
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

/// What may be asked about the directory of principals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityBody {
    /// A new user.
    CreatePrincipal(Box<CreatePrincipal>),
    /// Changes one property of a user.
    ChangePrincipal {
        /// Which.
        id: PrincipalId,
        /// How.
        change: PrincipalChange,
    },
    /// Removes a user with its access keys.
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
    /// Boxes of an access key's secret for Regions that had none, or none that they can open.
    ResealAccessKey {
        /// Of which access key.
        id: AccessKeyId,
        /// The new boxes.
        boxes: RecipientBoxes,
    },
}

/// See [`IdentityBody::CreatePrincipal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePrincipal {
    /// Account and name.
    pub id: PrincipalId,
    /// A new unique ID.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// SPIFFE URI of the client certificate, if there is one.
    pub certificate: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One changed property of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalChange {
    /// Disables the user, or enables it again.
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
    /// A user is new or changed.
    PutPrincipal(Arc<PrincipalEntry>),
    /// A user is gone.
    DeletePrincipal(PrincipalId),
    /// An access key is new or changed.
    PutAccessKey(Arc<AccessKeyEntry>),
    /// An access key is gone.
    DeleteAccessKey(AccessKeyId),
}

/// The directory of principals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityState {
    principals: BTreeMap<PrincipalId, Arc<PrincipalEntry>>,
    access_keys: BTreeMap<AccessKeyId, Arc<AccessKeyEntry>>,
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

    /// How many users an account has.
    pub(super) fn users_of(&self, account: &AccountId) -> usize {
        self.principals.keys().filter(|id| id.account == *account).count()
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
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = IdentityChange> {
        let principals = self.principals.values().map(|e| IdentityChange::PutPrincipal(Arc::clone(e)));
        let access_keys = self.access_keys.values().map(|e| IdentityChange::PutAccessKey(Arc::clone(e)));
        principals.chain(access_keys)
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
        Ok(())
    }

    fn forget_certificate(&mut self, id: &PrincipalId) {
        if let Some(uri) = self.principals.get(id).and_then(|entry| entry.certificate.as_ref()) {
            self.certificates.remove(uri);
        }
    }
}
