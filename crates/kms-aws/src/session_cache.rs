//! Sessions that were opened lately, each with the signing keys derived for it.
//!
//! Bounded, and read without a lock that requests share. A session is found by its access key and must come with the very
//! token that it was opened from; what changed in the directory since then makes it be opened again.

use crate::Principal;
use crate::principals::{Entry, SecretKey};
use crate::sigv4::SigningKeys;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kms_service::{Session, SessionFault, Sessions};
use kms_types::Timestamp;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Most sessions that are remembered; each takes a few kilobytes, most of it a session policy and signing keys.
const SESSIONS_MAX: usize = 4_096;
/// Longest token in base64, in bytes.
const TOKEN_TEXT_BYTES_MAX: usize = 8_192;

/// A session, and what authenticates its requests.
struct Opened {
    token: [u8; 32],
    session: Session,
    entry: Arc<Entry>,
}

/// See the module.
pub(crate) struct SessionCache {
    sessions: Arc<Sessions>,
    opened: papaya::HashMap<String, Arc<Opened>>,
    max: usize,
}

impl SessionCache {
    pub(crate) fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions, opened: papaya::HashMap::new(), max: SESSIONS_MAX }
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The session that a token stands for, if it goes with the access key and is honoured now.
    ///
    /// # Errors
    /// [`SessionFault`].
    pub(crate) fn find(&self, access_key: &str, token: &str, now: Timestamp) -> Result<Arc<Entry>, SessionFault> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let known = self.opened.pin().get(access_key).filter(|known| known.token.ct_eq(&hash).into()).cloned();
        let opened = match known.filter(|known| self.sessions.is_current(&known.session)) {
            Some(known) => known,
            None => self.open(access_key, token, hash, now)?,
        };
        self.sessions.check(&opened.session, now)?;
        Ok(Arc::clone(&opened.entry))
    }

    /// Lets go of sessions of which something changed in the directory, and of what was derived for them.
    pub(crate) fn forget_outdated(&self) {
        self.opened.pin().retain(|_, known| self.sessions.is_current(&known.session));
    }

    /// Lets go of everything.
    #[cfg(test)]
    pub(crate) fn clear(&self) {
        self.opened.pin().clear();
    }

    /// A smaller one.
    #[cfg(test)]
    pub(crate) fn with_max(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// How many sessions are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.opened.len()
    }

    fn open(&self, access_key: &str, token: &str, hash: [u8; 32], now: Timestamp) -> Result<Arc<Opened>, SessionFault> {
        if token.len() > TOKEN_TEXT_BYTES_MAX {
            return Err(SessionFault::Invalid);
        }
        let bytes = BASE64_STANDARD.decode(token).map_err(|_not_base64| SessionFault::Invalid)?;
        let session = self.sessions.open(access_key, &bytes)?;
        self.sessions.check(&session, now)?;
        let principal = Principal {
            access_key: access_key.to_owned(),
            secret: SecretKey::new(session.secret.expose().to_owned()),
            identity: Arc::clone(&session.identity),
        };
        let entry = Arc::new(Entry { principal, signing_keys: SigningKeys::default() });
        let opened = Arc::new(Opened { token: hash, session, entry });
        self.make_room(now);
        self.opened.pin().insert(access_key.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }

    /// Below the bound again: sessions that are over go first, then a quarter of the others, whichever they are.
    fn make_room(&self, now: Timestamp) {
        let opened = self.opened.pin();
        if opened.len() < self.max {
            return;
        }
        opened.retain(|_, known| known.session.expires_at > now);
        let too_many = opened.len().saturating_sub(self.max / 4 * 3);
        let leaving: Vec<String> = opened.keys().take(too_many).cloned().collect();
        for access_key in leaving {
            opened.remove(&access_key);
        }
    }
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionCache({} sessions)", self.opened.len())
    }
}
