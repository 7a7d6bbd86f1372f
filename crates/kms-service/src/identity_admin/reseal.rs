//! Secrets for Regions that joined later, or that have a new sealing key.

use super::serving;
use crate::keyring::SecretName;
use crate::{KmsError, Service, Trail};
use kms_core::control::identity::{IdentityBody, RecipientBoxes};
use kms_core::control::{ControlBody, ControlState, RegionEntry};
use std::sync::Arc;

impl Service {
    /// Seals access keys and session token keys that this Region can open to Regions that have no box that they can open:
    /// those that joined later, or that have a new sealing key. Several Regions may do it at the same time; the first has its
    /// way. Returns how many secrets were sealed.
    ///
    /// # Errors
    /// [`KmsError`] when the control log fails; asking again later is always right.
    pub async fn reseal_secrets(&self) -> Result<usize, KmsError> {
        let lacking = self.directory().read(|_, control| lacking(control));
        let mut resealed = 0;
        for (name, boxes, regions) in lacking {
            let Ok(boxes) = self.keyring().reseal(&name, &boxes, regions.iter().map(AsRef::as_ref)) else { continue };
            let body = match name {
                SecretName::AccessKey(id) => IdentityBody::ResealAccessKey { id, boxes },
                SecretName::SessionKey(epoch) => IdentityBody::ResealSessionKey { epoch, boxes },
            };
            if self.propose(&Trail::default(), ControlBody::Identity(body)).await?.is_ok() {
                resealed += 1;
            }
        }
        Ok(resealed)
    }
}

type Lacking = (SecretName, RecipientBoxes, Vec<Arc<RegionEntry>>);

/// The secrets that Regions lack, with these Regions.
fn lacking(control: &ControlState) -> Vec<Lacking> {
    let regions = serving(control);
    let lacks = |boxes: &RecipientBoxes| -> Vec<Arc<RegionEntry>> {
        let has =
            |region: &RegionEntry| boxes.get(&region.region).is_some_and(|b| control.is_recipient(&region.region, b));
        regions.iter().filter(|region| !has(region)).cloned().collect()
    };
    let identities = control.identities();
    let access_keys = identities.access_keys().map(|key| (SecretName::AccessKey(key.id.clone()), &key.boxes));
    let session_keys = identities.session_keys().map(|key| (SecretName::SessionKey(key.epoch), &key.boxes));
    let all = access_keys.chain(session_keys).map(|(name, boxes)| (name, boxes, lacks(boxes)));
    all.filter(|(_, _, lacking)| !lacking.is_empty()).map(|(name, boxes, l)| (name, boxes.clone(), l)).collect()
}
