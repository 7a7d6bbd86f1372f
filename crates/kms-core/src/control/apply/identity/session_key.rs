//! Commands about session token keys.

use super::Changes;
use crate::control::identity::{IdentityChange, RecipientBoxes, SESSION_KEY_KEPT, SessionKeyEntry};
use crate::control::{ControlState, Refusal};
use kms_types::{Timestamp, limits};
use std::sync::Arc;

impl ControlState {
    pub(super) fn create_session_key(
        &self,
        at: Timestamp,
        epoch: u64,
        boxes: &RecipientBoxes,
        end_sessions: bool,
    ) -> Changes {
        let newest = self.newest_epoch();
        if newest.checked_add(1) != Some(epoch) {
            return Err(Refusal::WrongEpoch { current: newest });
        }
        self.check_recipients(boxes)?;
        let dropped = if end_sessions { newest } else { self.last_epoch_without_sessions(at) };
        let kept = self.identities.session_keys().filter(|key| key.epoch > dropped).count();
        if kept >= limits::SESSION_KEYS_MAX {
            return Err(Refusal::IdentityLimit);
        }
        let gone = self.identities.session_keys().map(|key| key.epoch).filter(|old| *old <= dropped);
        let entry = SessionKeyEntry { epoch, created_at: at, boxes: boxes.clone() };
        let put = IdentityChange::PutSessionKey(Arc::new(entry));
        Ok(gone.map(IdentityChange::DeleteSessionKey).chain([put]).collect())
    }

    pub(super) fn reseal_session_key(&self, epoch: u64, boxes: &RecipientBoxes) -> Changes {
        let newest = self.newest_epoch();
        let found = self.identities.session_key(epoch).ok_or(Refusal::WrongEpoch { current: newest })?;
        let entry = SessionKeyEntry { boxes: self.resealed(&found.boxes, boxes)?, ..SessionKeyEntry::clone(found) };
        Ok(vec![IdentityChange::PutSessionKey(Arc::new(entry))])
    }

    fn newest_epoch(&self) -> u64 {
        self.identities.newest_session_key().map_or(0, |key| key.epoch)
    }

    /// The newest epoch that had a successor so long ago that no session of it can be running; 0 when there is none. The
    /// times are those of the proposers' clocks, so epochs go in order, and none that follows one that stays.
    fn last_epoch_without_sessions(&self, now: Timestamp) -> u64 {
        let keys = self.identities.session_keys();
        let successors = self.identities.session_keys().skip(1);
        let over = keys.zip(successors).take_while(|(_, next)| next.created_at.plus(SESSION_KEY_KEPT) < now);
        over.last().map_or(0, |(key, _)| key.epoch)
    }
}
