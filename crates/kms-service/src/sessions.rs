//! Sessions of roles, as requests bring them: a token is opened, and what it says is held against the directory as it is now.
//!
//! Nothing of a session is stored. What a token cannot say of itself, the role's policies, comes from the directory at each
//! request, so that a change of the role is in force as soon as it is applied.

use crate::{Identities, Identity, IdentityKind, Keyring, KnownRole};
use kms_crypto::{AccessSecret, SessionClaims, SessionTokenKey, session_token_epoch};
use kms_policy::{DocumentKind, NamedPolicy, PolicyDocument};
use kms_types::Timestamp;
use std::sync::Arc;

/// Name under which an explanation mentions a session policy.
const SESSION_POLICY_NAME: &str = "SessionPolicy";

/// Why a session is not honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionFault {
    /// No token of this cluster, one of another access key, of a role that is gone, disabled or another one by now, or under
    /// a key that has been given up.
    #[error("the session token is not valid")]
    Invalid,
    /// The session is over.
    #[error("the session is over")]
    Expired,
    /// This Region has not confirmed the directory with a majority for longer than the lease on it, or has not heard yet of
    /// the key under which the token was sealed.
    #[error("the session cannot be confirmed now")]
    Unconfirmed,
}

/// An opened session.
#[derive(Debug)]
pub struct Session {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// The secret of its access key.
    pub secret: AccessSecret,
    /// When it ends.
    pub expires_at: Timestamp,
    role: Arc<KnownRole>,
    epoch: u64,
    key: Arc<SessionTokenKey>,
}

/// What opens session tokens, and what they are held against.
#[derive(Debug)]
pub struct Sessions {
    identities: Arc<Identities>,
    keyring: Arc<Keyring>,
}

impl Sessions {
    /// The sessions of the roles of a directory.
    #[must_use]
    pub fn new(identities: Arc<Identities>, keyring: Arc<Keyring>) -> Self {
        Self { identities, keyring }
    }

    /// The directory.
    #[must_use]
    pub fn identities(&self) -> &Arc<Identities> {
        &self.identities
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Opens the token that came with an access key. Whether the session is honoured now is asked with [`Self::check`].
    ///
    /// # Errors
    /// [`SessionFault`].
    pub fn open(&self, access_key_id: &str, token: &[u8]) -> Result<Session, SessionFault> {
        let epoch = session_token_epoch(token).map_err(|_refused| SessionFault::Invalid)?;
        let keys = self.identities.session_keys();
        let Some(key) = keys.get(&epoch) else {
            let is_newer = keys.last_key_value().is_none_or(|(newest, _)| epoch > *newest);
            return Err(if is_newer { SessionFault::Unconfirmed } else { SessionFault::Invalid });
        };
        let claims = self.keyring.open_session(key, token).ok_or(SessionFault::Invalid)?;
        let role = self.identities.role_by_unique_id(&claims.role_id).ok_or(SessionFault::Invalid)?;
        let id = &role.entry.id;
        if claims.access_key_id != access_key_id || claims.account != id.account || claims.role_name != id.name.as_str()
        {
            return Err(SessionFault::Invalid);
        }
        let identity = Arc::new(identity_of(&claims, &role));
        let SessionClaims { secret, expires_at, .. } = claims;
        Ok(Session { identity, secret, expires_at, role, epoch, key: Arc::clone(key) })
    }

    /// Whether nothing has changed in the directory of what the session was opened against. One that is no longer current
    /// must be opened again.
    #[must_use]
    pub fn is_current(&self, session: &Session) -> bool {
        let role = self.identities.role_by_unique_id(&session.role.entry.unique_id);
        role.is_some_and(|role| Arc::ptr_eq(&role, &session.role))
            && self.identities.session_keys().get(&session.epoch).is_some_and(|key| Arc::ptr_eq(key, &session.key))
    }

    /// Whether a current session is honoured at this time.
    ///
    /// # Errors
    /// [`SessionFault::Expired`] or [`SessionFault::Unconfirmed`].
    pub fn check(&self, session: &Session, now: Timestamp) -> Result<(), SessionFault> {
        if now >= session.expires_at {
            return Err(SessionFault::Expired);
        }
        if self.identities.lease().holds() { Ok(()) } else { Err(SessionFault::Unconfirmed) }
    }
}

/// A session with the policies that its role has now. Session tags take the place of the role's.
fn identity_of(claims: &SessionClaims, role: &KnownRole) -> Identity {
    let mut identity = role.session(&claims.session_name, claims.issued_at);
    identity.kind = IdentityKind::Session {
        role_arn: Arc::clone(&role.arn),
        issued_at: claims.issued_at,
        source_identity: claims.source_identity.as_deref().map(Into::into),
    };
    identity.access_key_id = Some(claims.access_key_id.as_str().into());
    identity.session_policy = claims.policy.as_deref().map(session_policy);
    // Tag keys that differ by case only are one tag to conditions.
    identity.tags.retain(|key, _| !claims.tags.keys().any(|own| own.to_lowercase() == key.to_lowercase()));
    identity.tags.extend(claims.tags.iter().map(|(key, value)| (key.clone(), value.clone())));
    identity
}

/// A text that no longer parses denies everything.
fn session_policy(text: &str) -> NamedPolicy {
    let document = PolicyDocument::parse(text, DocumentKind::Identity).unwrap_or_else(|_| PolicyDocument::unreadable());
    NamedPolicy { name: SESSION_POLICY_NAME.into(), document: Arc::new(document) }
}
