//! Commands about roles and session token keys.

use super::super::{Draw, Flaw, Proposer, Wish};
use super::{boxes_for, lacking_boxes, name};
use crate::cast;
use kms_core::control::ControlState;
use kms_core::control::identity::{CreateRole, IdentityBody, RoleChange};
use kms_types::{IamPath, RegionName, RoleId, Timestamp};

const HOUR_MS: u64 = 3_600 * 1_000;

/// The time of a command about session token keys: hours after the one before, so that keys grow old within a log.
pub(in crate::draw) fn hours_apart(number: u64) -> Timestamp {
    Timestamp::from_millis(number * HOUR_MS)
}

impl Wish {
    pub(super) const fn is_about_roles(self) -> bool {
        matches!(
            self,
            Self::CreateRole | Self::ChangeRole | Self::DeleteRole | Self::CreateSessionKey | Self::ResealSessionKey
        )
    }
}

impl Proposer {
    pub(super) fn about_roles(&mut self, state: &ControlState, region: &RegionName, draw: &Draw) -> IdentityBody {
        let id = RoleId { account: cast::account(), name: name(draw) };
        let identities = state.identities();
        match draw.wish {
            Wish::ChangeRole => IdentityBody::ChangeRole { id, change: self.change_role(draw) },
            Wish::DeleteRole => IdentityBody::DeleteRole { id },
            Wish::CreateSessionKey => {
                let epoch = identities.next_session_epoch() + u64::from(draw.flaw == Some(Flaw::Key));
                let boxes = boxes_for(state, region, &cast::session_key_secret(epoch), draw, |_| true);
                IdentityBody::CreateSessionKey { epoch, boxes, end_sessions: self.next().is_multiple_of(8) }
            }
            Wish::ResealSessionKey => {
                let keys: Vec<_> = identities.session_keys().collect();
                let known = (!keys.is_empty() && draw.flaw != Some(Flaw::Key)).then(|| *draw.key.get(&keys));
                let (epoch, old) = known.map_or((0, Default::default()), |key| (key.epoch, key.boxes.clone()));
                let boxes = lacking_boxes(state, region, &cast::session_key_secret(epoch), draw, &old);
                IdentityBody::ResealSessionKey { epoch, boxes }
            }
            _ => {
                let tags = if draw.flaw == Some(Flaw::Boxes) { 51 } else { draw.region };
                IdentityBody::CreateRole(Box::new(CreateRole {
                    id,
                    unique_id: format!("AROA{}", self.next()),
                    path: IamPath::default(),
                    trust: self.document(draw),
                    max_session_seconds: if draw.flaw == Some(Flaw::Epoch) { 60 } else { 3_600 },
                    tags: (0..tags).map(|n| (format!("tag-{n}"), String::new())).collect(),
                }))
            }
        }
    }

    fn change_role(&mut self, draw: &Draw) -> RoleChange {
        match self.next() % 4 {
            0 => RoleChange::Trust(self.document(draw)),
            1 => RoleChange::MaxSessionSeconds(if draw.flaw == Some(Flaw::Value) { 43_201 } else { 7_200 }),
            _ => RoleChange::Principal(self.change(draw)),
        }
    }
}
