//! The directory of principals as requests see it: policies compiled, secrets opened, found without a lock.
//!
//! Built anew from the control state when the directory changes; whatever did not change is taken over, so that a change
//! costs the opening of new secrets alone.

mod roles;

pub use roles::KnownRole;

use crate::{Identity, IdentityKind, Keyring, Lease};
use arc_swap::ArcSwap;
use kms_core::control::identity::{AccessKeyEntry, IdentityState, PrincipalEntry};
use kms_crypto::{AccessSecret, SessionTokenKey};
use kms_policy::{DocumentKind, NamedPolicy, PolicyDocument};
use kms_types::Timestamp;
use parking_lot::Mutex;
use roles::KnownRoles;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name under which an explanation mentions a permission boundary.
const BOUNDARY_NAME: &str = "PermissionsBoundary";

/// Name of the session that an explanation about a role is about.
const EXPLAINED_SESSION: &str = "explain-access";

/// An access key that is honoured, with its opened secret.
#[derive(Debug)]
pub struct DirectoryKey {
    /// The access key as the control log has it.
    pub entry: Arc<AccessKeyEntry>,
    /// Whom it stands for.
    pub identity: Arc<Identity>,
    /// The secret.
    pub secret: Arc<AccessSecret>,
    user: Arc<PrincipalEntry>,
}

/// A user as the control log has it, and as requests see it.
type KnownUser = (Arc<PrincipalEntry>, Arc<Identity>);

/// The principals that are honoured here, as long as the [`Lease`] holds.
#[derive(Debug)]
pub struct Identities {
    keys: ArcSwap<BTreeMap<String, Arc<DirectoryKey>>>,
    by_certificate: ArcSwap<BTreeMap<String, Arc<Identity>>>,
    /// Every user that is enabled, with or without an access key, by ARN.
    users: ArcSwap<BTreeMap<String, KnownUser>>,
    roles: ArcSwap<KnownRoles>,
    session_keys: ArcSwap<BTreeMap<u64, Arc<SessionTokenKey>>>,
    lease: Arc<Lease>,
    rebuilding: Mutex<()>,
}

impl Identities {
    /// An empty directory.
    #[must_use]
    pub fn new(lease: Arc<Lease>) -> Self {
        Self {
            keys: ArcSwap::default(),
            by_certificate: ArcSwap::default(),
            users: ArcSwap::default(),
            roles: ArcSwap::default(),
            session_keys: ArcSwap::default(),
            lease,
            rebuilding: Mutex::new(()),
        }
    }

    /// The lease on what is known.
    #[must_use]
    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// The access keys that are enabled, of users that are, by ID.
    #[must_use]
    pub fn keys(&self) -> Arc<BTreeMap<String, Arc<DirectoryKey>>> {
        self.keys.load_full()
    }

    /// The user that a certificate stands for. Whether the lease holds is the caller's to ask.
    #[must_use]
    pub fn by_certificate(&self, uri: &str) -> Option<Arc<Identity>> {
        self.by_certificate.load().get(uri).cloned()
    }

    /// The role with this ARN, path included, if it is enabled. Whether the lease holds is the caller's to ask.
    #[must_use]
    pub fn role(&self, arn: &str) -> Option<Arc<KnownRole>> {
        self.roles.load().by_arn(arn)
    }

    /// The role with this unique ID (`AROA…`), if it is enabled: what a session is bound to, because a role made again
    /// under an old name is another one.
    #[must_use]
    pub fn role_by_unique_id(&self, unique_id: &str) -> Option<Arc<KnownRole>> {
        self.roles.load().by_unique_id(unique_id)
    }

    /// The session token keys that this Region can open, by epoch: the newest seals, all of them open.
    #[must_use]
    pub fn session_keys(&self) -> Arc<BTreeMap<u64, Arc<SessionTokenKey>>> {
        self.session_keys.load_full()
    }

    /// The user with this ARN, or whose access key has this ID, or a session that begins now of the role with this ARN, or
    /// the session with this ARN; as far as they are honoured. For explanations: a request is authenticated elsewhere.
    #[must_use]
    pub fn named(&self, name: &str, now: Timestamp) -> Option<Arc<Identity>> {
        if let Some(key) = self.keys.load().get(name) {
            return Some(Arc::clone(&key.identity));
        }
        if let Some((_, identity)) = self.users.load().get(name) {
            return Some(Arc::clone(identity));
        }
        let roles = self.roles.load();
        let (role, session) = match roles.by_arn(name) {
            Some(role) => (role, EXPLAINED_SESSION),
            None => roles.of_session(name)?,
        };
        Some(Arc::new(role.session(session, now)))
    }

    /// Takes in the directory of the control log. A secret that does not open leaves its access key out: fail closed.
    pub fn rebuild(&self, state: &IdentityState, keyring: &Keyring) {
        let _one_at_a_time = self.rebuilding.lock();
        let users = known_users(&self.users.load(), state);
        let old = self.keys.load_full();
        let mut keys = BTreeMap::new();
        for entry in state.access_keys().filter(|key| key.enabled) {
            let Some(user) = state.principal(&entry.user) else { continue };
            let Some((_, identity)) = users.get(&user.id.arn(&user.path)) else { continue };
            let id = entry.id.as_str();
            let before = old.get(id).filter(|before| before.entry.boxes == entry.boxes);
            if let Some(same) = before.filter(|b| Arc::ptr_eq(&b.entry, entry) && Arc::ptr_eq(&b.user, user)) {
                keys.insert(id.to_owned(), Arc::clone(same));
                continue;
            }
            let secret = match before {
                Some(before) => Arc::clone(&before.secret),
                None => match keyring.open_access_secret(&entry.id, &entry.boxes) {
                    Ok(secret) => Arc::new(secret),
                    Err(error) => {
                        tracing::debug!(access_key_id = id, %error, "no box of an access key opens here yet");
                        continue;
                    }
                },
            };
            let identity = Arc::new(Identity { access_key_id: Some(id.into()), ..Identity::clone(identity) });
            let (entry, user) = (Arc::clone(entry), Arc::clone(user));
            keys.insert(id.to_owned(), Arc::new(DirectoryKey { entry, identity, secret, user }));
        }
        self.session_keys.store(Arc::new(known_session_keys(&self.session_keys.load(), state, keyring)));
        self.roles.store(Arc::new(KnownRoles::of(&self.roles.load(), state)));
        let certified = users.values().filter_map(|(user, id)| Some((user.certificate.clone()?, Arc::clone(id))));
        self.by_certificate.store(Arc::new(certified.collect()));
        self.users.store(Arc::new(users));
        self.keys.store(Arc::new(keys));
    }
}

/// The users that are enabled; those that did not change are taken over with their compiled policies.
fn known_users(old: &BTreeMap<String, KnownUser>, state: &IdentityState) -> BTreeMap<String, KnownUser> {
    let users = state.principals().filter(|user| user.enabled);
    let known = users.map(|user| {
        let arn = user.id.arn(&user.path);
        let identity = match old.get(&arn) {
            Some((same, identity)) if Arc::ptr_eq(same, user) => Arc::clone(identity),
            _ => Arc::new(user_identity(user, &arn)),
        };
        (arn, (Arc::clone(user), identity))
    });
    known.collect()
}

/// The session token keys that open here. The key of an epoch never changes, so what was opened is taken over.
fn known_session_keys(
    old: &BTreeMap<u64, Arc<SessionTokenKey>>,
    state: &IdentityState,
    keyring: &Keyring,
) -> BTreeMap<u64, Arc<SessionTokenKey>> {
    let opened = state.session_keys().filter_map(|entry| {
        let epoch = entry.epoch;
        if let Some(same) = old.get(&epoch) {
            return Some((epoch, Arc::clone(same)));
        }
        match keyring.open_session_key(epoch, &entry.boxes) {
            Ok(key) => Some((epoch, Arc::new(key))),
            Err(error) => {
                tracing::debug!(epoch, %error, "no box of a session token key opens here yet");
                None
            }
        }
    });
    opened.collect()
}

/// A user with its policies compiled.
fn user_identity(user: &PrincipalEntry, arn: &str) -> Identity {
    Identity {
        arn: arn.into(),
        account: user.id.account,
        kind: IdentityKind::User,
        principal_id: user.unique_id.as_str().into(),
        access_key_id: None,
        policies: user.policies.iter().map(|(name, text)| compiled(name.as_str(), text)).collect(),
        boundary: user.boundary.as_ref().map(|text| compiled(BOUNDARY_NAME, text)),
        session_policy: None,
        tags: user.tags.clone(),
    }
}

/// A text that no longer parses denies everything: a Deny of its author's may be what cannot be read.
fn compiled(name: &str, text: &str) -> NamedPolicy {
    NamedPolicy { name: name.into(), document: parsed(text, DocumentKind::Identity) }
}

fn parsed(text: &str, kind: DocumentKind) -> Arc<PolicyDocument> {
    Arc::new(PolicyDocument::parse(text, kind).unwrap_or_else(|_| PolicyDocument::unreadable()))
}
