//! Who may call: access keys, their secrets, and the identities they stand for.

use crate::session_cache::SessionCache;
use crate::sigv4::SigningKeys;
use arc_swap::ArcSwap;
use kms_service::{Caller, DirectoryKey, Identities, Identity, Lease, RequestId, SessionFault, Sessions};
use kms_types::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A secret access key. Wiped when dropped, never shown.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// Takes the secret over.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// One principal and its long-term credentials.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Access key ID.
    pub access_key: String,
    /// Secret access key.
    pub secret: SecretKey,
    /// Whom they stand for.
    pub identity: Arc<Identity>,
}

/// Two principals share an access key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two principals have the access key {0}")]
pub struct DuplicateAccessKey(pub String);

/// A principal with the signing keys derived for it so far. They live and die with the entry, so that a replaced
/// secret leaves no derived key behind.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) principal: Principal,
    pub(crate) signing_keys: SigningKeys,
}

impl Entry {
    pub(crate) fn caller(&self, request_id: RequestId) -> Caller {
        Caller::new(Arc::clone(&self.principal.identity), request_id)
    }
}

type Entries = HashMap<String, Arc<Entry>>;
/// Access keys of the directory, each with what authenticates it.
type DirectoryEntries = BTreeMap<String, (Arc<DirectoryKey>, Arc<Entry>)>;

/// All principals, by access key: those of the principals file, and those of the directory, which are honoured as long as
/// the lease on it holds. Readers take no lock; replacing swaps all of one kind at once.
#[derive(Debug)]
pub struct Principals {
    bootstrap: ArcSwap<Entries>,
    directory: ArcSwap<DirectoryEntries>,
    lease: Option<Arc<Lease>>,
    sessions: Option<SessionCache>,
}

/// The access key may be good, but what this Region knows of it is too old to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unconfirmed;

impl Principals {
    /// The same principals, and those of the directory, with the sessions of its roles, as long as its lease holds; see
    /// [`Self::take_in`].
    #[must_use]
    pub fn with_directory(self, sessions: Arc<Sessions>) -> Self {
        let lease = Some(Arc::clone(sessions.identities().lease()));
        Self { lease, sessions: Some(SessionCache::new(sessions)), ..self }
    }

    /// What opens session tokens here; nothing without a directory.
    pub(crate) fn sessions(&self) -> Option<&Sessions> {
        self.sessions.as_ref().map(SessionCache::sessions)
    }

    /// A directory of these principals.
    ///
    /// # Errors
    /// [`DuplicateAccessKey`] when two have the same access key.
    pub fn new(principals: impl IntoIterator<Item = Principal>) -> Result<Self, DuplicateAccessKey> {
        let bootstrap = ArcSwap::from_pointee(entries(principals)?);
        Ok(Self { bootstrap, directory: ArcSwap::default(), lease: None, sessions: None })
    }

    /// Replaces all principals. Requests that have been authenticated go on.
    ///
    /// # Errors
    /// [`DuplicateAccessKey`] when two have the same access key; nothing is replaced then.
    pub fn replace(&self, principals: impl IntoIterator<Item = Principal>) -> Result<(), DuplicateAccessKey> {
        self.bootstrap.store(Arc::new(entries(principals)?));
        Ok(())
    }

    /// Whether the principals file has this access key; it stands for nobody else then.
    #[must_use]
    pub fn is_bootstrap(&self, access_key: &str) -> bool {
        self.bootstrap.load().contains_key(access_key)
    }

    /// Replaces the principals of the directory. What did not change keeps its derived signing keys; what did, or is gone,
    /// takes them along.
    pub fn take_in(&self, identities: &Identities) {
        let (old, new) = (self.directory.load(), identities.keys());
        let entries = new.iter().map(|(id, key)| {
            let same = old.get(id).filter(|(before, _)| Arc::ptr_eq(before, key)).map(|(_, entry)| Arc::clone(entry));
            let entry = same.unwrap_or_else(|| {
                let principal = Principal {
                    access_key: id.clone(),
                    secret: SecretKey::new(key.secret.expose().to_owned()),
                    identity: Arc::clone(&key.identity),
                };
                Arc::new(Entry { principal, signing_keys: SigningKeys::default() })
            });
            (id.clone(), (Arc::clone(key), entry))
        });
        self.directory.store(Arc::new(entries.collect()));
        self.sessions.iter().for_each(SessionCache::forget_outdated);
    }

    /// Lets go of every opened session; each is opened again when it comes.
    #[cfg(test)]
    pub(crate) fn forget_sessions(&self) {
        self.sessions.iter().for_each(SessionCache::clear);
    }

    /// The session that a token stands for. An access key of the principals file has none.
    pub(crate) fn find_session(
        &self,
        access_key: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Arc<Entry>, SessionFault> {
        let sessions = self.sessions.as_ref().filter(|_| !self.is_bootstrap(access_key));
        sessions.ok_or(SessionFault::Invalid)?.find(access_key, token, now)
    }

    /// Whom an access key stands for; the principals file has the first say.
    pub(crate) fn find(&self, access_key: &str) -> Result<Option<Arc<Entry>>, Unconfirmed> {
        if let Some(entry) = self.bootstrap.load().get(access_key) {
            return Ok(Some(Arc::clone(entry)));
        }
        match self.directory.load().get(access_key) {
            None => Ok(None),
            Some((_, entry)) if self.lease.as_ref().is_some_and(|lease| lease.holds()) => Ok(Some(Arc::clone(entry))),
            Some(_) => Err(Unconfirmed),
        }
    }
}

fn entries(principals: impl IntoIterator<Item = Principal>) -> Result<Entries, DuplicateAccessKey> {
    let mut entries = Entries::new();
    for principal in principals {
        let key = principal.access_key.clone();
        let entry = Arc::new(Entry { principal, signing_keys: SigningKeys::default() });
        if entries.insert(key.clone(), entry).is_some() {
            return Err(DuplicateAccessKey(key));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_types::AccountId;

    fn principal(access_key: &str, secret: &str) -> Principal {
        Principal {
            access_key: access_key.into(),
            secret: SecretKey::new(secret.into()),
            identity: Arc::new(Identity::bootstrap(
                "arn:aws:iam::111122223333:user/alice",
                AccountId::parse("111122223333").unwrap(),
                true,
                Some(access_key),
            )),
        }
    }

    fn find(principals: &Principals, access_key: &str) -> Option<Arc<Entry>> {
        principals.find(access_key).unwrap()
    }

    #[test]
    fn replacing_drops_who_is_gone_and_their_signing_keys() {
        let principals = Principals::new([principal("A", "one"), principal("B", "two")]).unwrap();
        let before = find(&principals, "A").unwrap();
        principals.replace([principal("A", "other")]).unwrap();
        assert!(find(&principals, "B").is_none());
        assert!(!Arc::ptr_eq(&before, &find(&principals, "A").unwrap()));
    }

    #[test]
    fn a_shared_access_key_is_refused_and_changes_nothing() {
        let principals = Principals::new([principal("A", "one")]).unwrap();
        let again = principals.replace([principal("B", "one"), principal("B", "two")]);
        assert_eq!(again, Err(DuplicateAccessKey("B".into())));
        assert!(find(&principals, "A").is_some());
    }

    #[test]
    fn no_secret_is_shown() {
        assert!(!format!("{:?}", principal("A", "hunter2")).contains("hunter2"));
    }
}
