//! What the model believes of the directory of principals.

mod roles;

pub use roles::Role;

use super::Model;
use kms_core::control::RegionRole;
use kms_core::control::identity::{IdentityBody, PrincipalChange, RecipientBoxes};
use kms_types::{AccessKeyId, IamName, PrincipalId, RegionName, RoleId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// For which sealing keys of which Regions there are boxes.
type Recipients = BTreeMap<RegionName, Timestamp>;

/// The directory as the model sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryModel {
    /// Users by name.
    pub users: BTreeMap<PrincipalId, User>,
    /// Access keys: whose they are, whether they are honoured, and for which sealing keys there are boxes.
    pub keys: BTreeMap<AccessKeyId, (PrincipalId, bool, Recipients)>,
    /// Roles by name.
    pub roles: BTreeMap<RoleId, Role>,
    /// Session token keys by epoch: when they were created, and for which sealing keys there are boxes.
    pub session_keys: BTreeMap<u64, (Timestamp, Recipients)>,
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Whether the user is honoured.
    pub enabled: bool,
    /// The certificate, if any.
    pub certificate: Option<String>,
    /// Documents by name.
    pub policies: BTreeMap<IamName, String>,
    /// The permission boundary.
    pub boundary: Option<String>,
}

impl Model {
    /// The directory of principals.
    pub fn directory(&self) -> &DirectoryModel {
        &self.directory
    }

    pub(super) fn take_in_identity(&mut self, me: &RegionName, at: Timestamp, body: &IdentityBody) -> Option<()> {
        self.may_hold(me)?;
        match body {
            IdentityBody::CreatePrincipal(b) => {
                let users = &self.directory.users;
                let is_new = !users.contains_key(&b.id)
                    && (b.certificate.is_none() || users.values().all(|user| user.certificate != b.certificate));
                (is_new && b.tags.len() <= 50).then_some(())?;
                let certificate = b.certificate.clone();
                let user = User { enabled: true, certificate, policies: BTreeMap::new(), boundary: None };
                self.directory.users.insert(b.id.clone(), user);
            }
            IdentityBody::ChangePrincipal { id, change } => self.directory.users.get_mut(id)?.change(change)?,
            IdentityBody::DeletePrincipal { id } => {
                self.directory.users.remove(id)?;
                self.directory.keys.retain(|_, (user, ..)| user != id);
            }
            IdentityBody::CreateAccessKey { id, user, boxes } => {
                let directory = &self.directory;
                let room = directory.keys.values().filter(|(owner, ..)| owner == user).count() < 2;
                let is_new = directory.users.contains_key(user) && !directory.keys.contains_key(id);
                (room && is_new && self.are_for_all(boxes)).then_some(())?;
                self.directory.keys.insert(id.clone(), (user.clone(), true, sealing_keys(boxes)));
            }
            IdentityBody::EnableAccessKey { id, enabled } => self.directory.keys.get_mut(id)?.1 = *enabled,
            IdentityBody::DeleteAccessKey { id } => drop(self.directory.keys.remove(id)?),
            IdentityBody::ResealAccessKey { id, boxes } => {
                let (.., old) = self.directory.keys.get(id)?;
                self.are_lacking(old, boxes)?;
                self.directory.keys.get_mut(id)?.2.extend(sealing_keys(boxes));
            }
            IdentityBody::CreateRole(_)
            | IdentityBody::ChangeRole { .. }
            | IdentityBody::DeleteRole { .. }
            | IdentityBody::CreateSessionKey { .. }
            | IdentityBody::ResealSessionKey { .. } => self.take_in_roles(at, body)?,
        }
        Some(())
    }

    fn serving(&self) -> impl Iterator<Item = &RegionName> {
        self.regions.iter().filter(|(_, role)| **role == RegionRole::Full).map(|(region, _)| region)
    }

    /// Whether there is a box for each Region that serves requests and for no other.
    fn are_for_all(&self, boxes: &RecipientBoxes) -> bool {
        let serving: BTreeSet<_> = self.serving().collect();
        boxes.keys().eq(serving) && self.are_current(boxes)
    }

    /// Accepts boxes for Regions that had none, or none for the sealing key that they have now.
    fn are_lacking(&self, old: &Recipients, boxes: &RecipientBoxes) -> Option<()> {
        let lacked = |region: &RegionName| old.get(region) != self.sealing.get(region).map(|(_, at)| at);
        (!boxes.is_empty() && self.are_current(boxes) && boxes.keys().all(lacked)).then_some(())
    }

    /// Whether every box is for a Region that serves requests, and for the sealing key that it has now.
    fn are_current(&self, boxes: &RecipientBoxes) -> bool {
        boxes.iter().all(|(region, sealed)| {
            let now = self.sealing.get(region).map(|(_, at)| *at);
            self.may_hold(region).is_some() && now == Some(sealed.registered_at)
        })
    }
}

impl User {
    fn change(&mut self, change: &PrincipalChange) -> Option<()> {
        match change {
            PrincipalChange::Enabled(enabled) => self.enabled = *enabled,
            PrincipalChange::PutPolicy(name, document) => {
                (!document.is_empty()).then_some(())?;
                self.policies.insert(name.clone(), document.clone());
            }
            PrincipalChange::DeletePolicy(name) => drop(self.policies.remove(name)?),
            PrincipalChange::Boundary(Some(document)) => {
                (!document.is_empty()).then_some(())?;
                self.boundary = Some(document.clone());
            }
            PrincipalChange::Boundary(None) => drop(self.boundary.take()?),
        }
        Some(())
    }
}

fn sealing_keys(boxes: &RecipientBoxes) -> Recipients {
    boxes.iter().map(|(region, sealed)| (region.clone(), sealed.registered_at)).collect()
}
