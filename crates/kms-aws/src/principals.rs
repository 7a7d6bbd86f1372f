//! Who may call: access keys, their secrets, and the identities they stand for.

use crate::sigv4::SigningKeys;
use arc_swap::ArcSwap;
use kms_service::{Caller, Identity, RequestId};
use std::collections::HashMap;
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

/// All principals, by access key. Readers take no lock; replacing swaps the whole directory at once.
#[derive(Debug)]
pub struct Principals(ArcSwap<Entries>);

impl Principals {
    /// A directory of these principals.
    ///
    /// # Errors
    /// [`DuplicateAccessKey`] when two have the same access key.
    pub fn new(principals: impl IntoIterator<Item = Principal>) -> Result<Self, DuplicateAccessKey> {
        Ok(Self(ArcSwap::from_pointee(entries(principals)?)))
    }

    /// Replaces all principals. Requests that have been authenticated go on.
    ///
    /// # Errors
    /// [`DuplicateAccessKey`] when two have the same access key; nothing is replaced then.
    pub fn replace(&self, principals: impl IntoIterator<Item = Principal>) -> Result<(), DuplicateAccessKey> {
        self.0.store(Arc::new(entries(principals)?));
        Ok(())
    }

    pub(crate) fn find(&self, access_key: &str) -> Option<Arc<Entry>> {
        self.0.load().get(access_key).cloned()
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

    #[test]
    fn replacing_drops_who_is_gone_and_their_signing_keys() {
        let principals = Principals::new([principal("A", "one"), principal("B", "two")]).unwrap();
        let before = principals.find("A").unwrap();
        principals.replace([principal("A", "other")]).unwrap();
        assert!(principals.find("B").is_none());
        assert!(!Arc::ptr_eq(&before, &principals.find("A").unwrap()));
    }

    #[test]
    fn a_shared_access_key_is_refused_and_changes_nothing() {
        let principals = Principals::new([principal("A", "one")]).unwrap();
        let again = principals.replace([principal("B", "one"), principal("B", "two")]);
        assert_eq!(again, Err(DuplicateAccessKey("B".into())));
        assert!(principals.find("A").is_some());
    }

    #[test]
    fn no_secret_is_shown() {
        assert!(!format!("{:?}", principal("A", "hunter2")).contains("hunter2"));
    }
}
