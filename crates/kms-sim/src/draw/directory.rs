//! Commands about the directory of principals, out of wishes. Few names, so that they meet again.

mod roles;

pub(super) use roles::hours_apart;

use super::{Draw, Flaw, Proposer, Wish};
use crate::cast;
use kms_core::control::identity::{CreatePrincipal, IdentityBody, PrincipalChange, RecipientBox, RecipientBoxes};
use kms_core::control::{ControlBody, ControlState, RegionEntry, RegionRole};
use kms_types::{AccessKeyId, IamName, IamPath, PrincipalId, RegionName, Timestamp};
use std::collections::BTreeMap;

/// How many users the draws know, and how many roles, which have the same names.
const USERS: usize = 4;

impl Wish {
    pub(super) const fn is_about_the_directory(self) -> bool {
        matches!(
            self,
            Self::CreateUser
                | Self::ChangeUser
                | Self::DeleteUser
                | Self::CreateAccessKey
                | Self::EnableAccessKey
                | Self::DeleteAccessKey
                | Self::ResealAccessKey
        ) || self.is_about_roles()
    }
}

impl Proposer {
    pub(super) fn about_the_directory(&mut self, state: &ControlState, draw: &Draw) -> (RegionName, ControlBody) {
        let region = cast::region(draw.region);
        let user = user(draw);
        let key = existing_key(state, draw);
        let body = match draw.wish {
            Wish::ChangeUser => IdentityBody::ChangePrincipal { id: user, change: self.change(draw) },
            Wish::DeleteUser => IdentityBody::DeletePrincipal { id: user },
            Wish::CreateAccessKey => {
                let fresh = access_key(self.next());
                let id = if draw.flaw == Some(Flaw::Material) { key } else { fresh };
                let boxes = boxes_for(state, &region, &cast::access_key_secret(&id), draw, |_| true);
                IdentityBody::CreateAccessKey { id, user, boxes }
            }
            Wish::EnableAccessKey => IdentityBody::EnableAccessKey { id: key, enabled: draw.region != 0 },
            Wish::DeleteAccessKey => IdentityBody::DeleteAccessKey { id: key },
            Wish::ResealAccessKey => {
                let old = state.identities().access_key(&key).map(|entry| entry.boxes.clone()).unwrap_or_default();
                let boxes = lacking_boxes(state, &region, &cast::access_key_secret(&key), draw, &old);
                IdentityBody::ResealAccessKey { id: key, boxes }
            }
            wish if wish.is_about_roles() => self.about_roles(state, &region, draw),
            _ => IdentityBody::CreatePrincipal(Box::new(self.create_user(user, draw))),
        };
        (region, ControlBody::Identity(body))
    }

    fn create_user(&mut self, id: PrincipalId, draw: &Draw) -> CreatePrincipal {
        let tags = if draw.flaw == Some(Flaw::Value) { 51 } else { draw.region };
        CreatePrincipal {
            unique_id: format!("AIDA{}", self.next()),
            path: IamPath::default(),
            // Two users want the same certificate.
            certificate: (draw.region != 0).then(|| format!("spiffe://cluster/principal/{}", draw.region)),
            tags: (0..tags).map(|n| (format!("tag-{n}"), String::new())).collect(),
            id,
        }
    }

    fn document(&self, draw: &Draw) -> String {
        if draw.flaw == Some(Flaw::Value) { String::new() } else { format!("document of {}", self.number) }
    }

    fn change(&mut self, draw: &Draw) -> PrincipalChange {
        let document = self.document(draw);
        let name = IamName::parse(&format!("policy-{}", draw.region)).unwrap();
        match self.next() % 6 {
            0 => PrincipalChange::Enabled(draw.region != 0),
            1 | 2 => PrincipalChange::PutPolicy(name, document),
            3 => PrincipalChange::DeletePolicy(name),
            4 => PrincipalChange::Boundary(Some(document)),
            _ => PrincipalChange::Boundary(None),
        }
    }
}

fn user(draw: &Draw) -> PrincipalId {
    PrincipalId { account: cast::account(), name: name(draw) }
}

fn name(draw: &Draw) -> IamName {
    let number = if draw.flaw == Some(Flaw::Key) { USERS } else { draw.key.index(USERS) };
    IamName::parse_principal(&format!("user-{number}")).unwrap()
}

fn access_key(number: u64) -> AccessKeyId {
    AccessKeyId::parse(&format!("AKIA{number:016}")).unwrap()
}

/// One of the access keys, or one that never was.
fn existing_key(state: &ControlState, draw: &Draw) -> AccessKeyId {
    let keys: Vec<_> = state.identities().access_keys().map(|entry| &entry.id).collect();
    if keys.is_empty() || draw.flaw == Some(Flaw::Key) { access_key(0) } else { (*draw.key.get(&keys)).clone() }
}

/// Pretended boxes for the Regions that have none that they can open.
fn lacking_boxes(
    state: &ControlState,
    source: &RegionName,
    secret: &str,
    draw: &Draw,
    old: &RecipientBoxes,
) -> RecipientBoxes {
    let lacks =
        |entry: &RegionEntry| old.get(&entry.region).is_none_or(|sealed| !state.is_recipient(&entry.region, sealed));
    boxes_for(state, source, secret, draw, lacks)
}

/// Pretended boxes for the Regions that serve requests and are wanted; with a flaw, one is missing, is for an earlier
/// sealing key, or is for a Region that never serves.
fn boxes_for(
    state: &ControlState,
    source: &RegionName,
    secret: &str,
    draw: &Draw,
    is_wanted: impl Fn(&RegionEntry) -> bool,
) -> RecipientBoxes {
    let boxed = |region: &RegionName, registered_at: Timestamp| {
        (region.clone(), RecipientBox { registered_at, sealed: cast::sealed_secret(source, region, secret) })
    };
    let serving = state.regions().filter(|entry| entry.role == RegionRole::Full && is_wanted(entry));
    let mut boxes: BTreeMap<_, _> = serving.map(|entry| boxed(&entry.region, entry.registered_at)).collect();
    match draw.flaw {
        Some(Flaw::Boxes) => drop(boxes.pop_last()),
        Some(Flaw::Value) => boxes.extend([boxed(&cast::region(cast::HOLDING_REGIONS), Timestamp::from_millis(4))]),
        Some(Flaw::Epoch) => {
            for sealed in boxes.values_mut().take(1) {
                sealed.registered_at = Timestamp::from_millis(sealed.registered_at.millis().saturating_sub(1));
            }
        }
        _ => {}
    }
    boxes
}
