//! The keys that seal session tokens.

use super::{IdentityState, RecipientBoxes};
use kms_types::Timestamp;
use std::time::Duration;

/// How long a session token key is kept after the next one has taken its place: the longest session, and an hour more for
/// Regions that heard of the next one late.
pub const SESSION_KEY_KEPT: Duration = Duration::from_hours(13);

/// How long a session token key seals before the Regions draw the next one.
pub const SESSION_KEY_PERIOD: Duration = Duration::from_hours(24);

/// The session token key of one epoch. The newest epoch seals; all that are here open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeyEntry {
    /// Epochs are counted from 1.
    pub epoch: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// The key.
    pub boxes: RecipientBoxes,
}

impl IdentityState {
    /// The epoch of the session token key that should be created now, if one should: there is a role to be assumed, and the
    /// newest key is older than [`SESSION_KEY_PERIOD`] or there is none.
    #[must_use]
    pub fn session_key_due(&self, now: Timestamp) -> Option<u64> {
        self.roles().next()?;
        match self.newest_session_key() {
            Some(newest) if now.since(newest.created_at) <= SESSION_KEY_PERIOD => None,
            _ => Some(self.next_session_epoch()),
        }
    }

    /// The epoch of the next session token key.
    #[must_use]
    pub fn next_session_epoch(&self) -> u64 {
        self.newest_session_key().map_or(1, |newest| newest.epoch.saturating_add(1))
    }
}
