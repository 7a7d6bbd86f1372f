//! Doing what is due: the end of waiting periods, automatic rotations, and the end of imported material.

use super::Progress;
use crate::{KmsError, Service, Trail};
use kms_core::control::{ControlBody, Refusal};
use kms_core::regional::{RegionalBody, RegionalRefusal};
use kms_core::schedule::{self, Due};
use kms_types::RotationType;

/// Most items of one round; the next round follows at once when there were as many.
const DUE_MAX: usize = 256;

impl Service {
    /// Does everything that is due now. Returns how many items were due.
    ///
    /// # Errors
    /// The first [`KmsError`]; what was not done stays due.
    pub async fn do_what_is_due(&self) -> Result<usize, KmsError> {
        let now = self.now();
        let items =
            self.directory().read(|regional, control| schedule::due(self.region(), regional, control, now, DUE_MAX));
        // All at once, so that what needs no other Region does not wait for what does.
        let work = items.iter().map(|item| async move {
            self.do_one(item)
                .await
                .inspect_err(|error| tracing::warn!(?item, %error, "something due could not be done; it stays due"))
        });
        let done = futures::future::join_all(work).await;
        done.into_iter().find_map(Result::err).map_or(Ok(items.len()), Err)
    }

    async fn do_one(&self, item: &Due) -> Result<Progress, KmsError> {
        match item {
            Due::DestroyKey(key_id) => {
                let refused = self.submit(RegionalBody::DestroyKey(*key_id)).await?;
                settled(refused, |r| matches!(r, RegionalRefusal::KeyNotFound | RegionalRefusal::State(_)))
            }
            Due::RemoveReplica { key_id, added_at } => {
                let refused = self
                    .propose(&Trail::default(), ControlBody::RemoveReplica { key_id: *key_id, added_at: *added_at })
                    .await?;
                settled(refused, |r| matches!(r, Refusal::NoReplica | Refusal::KeyNotFound | Refusal::AlreadyPrimary))
            }
            Due::DeleteKeySet(key_id) => {
                let refused = self.propose(&Trail::default(), ControlBody::DeleteKeySet { key_id: *key_id }).await?;
                settled(refused, |r| {
                    matches!(r, Refusal::KeyNotFound | Refusal::ReplicasRemain | Refusal::NotPrimary { .. })
                })
            }
            Due::AwaitReplicaDeletion(key_id) => {
                let refused = self.submit(RegionalBody::AwaitReplicaDeletion(*key_id)).await?;
                settled(refused, |_| true)
            }
            Due::ExpireMaterial { key_id, material_id } => {
                let (key_id, material_id) = (*key_id, *material_id);
                let refused = self.submit(RegionalBody::ExpireMaterial { key_id, material_id }).await?;
                settled(refused, |_| true)
            }
            Due::RotateKey(key_id) | Due::RotateKeySet(key_id) => {
                if let Some(entry) = self.directory().key(key_id) {
                    self.rotate(&Trail::default(), &entry, RotationType::Automatic).await?;
                }
                Ok(Progress::Quiet)
            }
        }
    }
}

/// A refusal that says that the item is no longer due counts as done.
fn settled<R: std::fmt::Debug>(result: Result<(), R>, stale: impl Fn(&R) -> bool) -> Result<Progress, KmsError> {
    match result {
        Ok(()) => Ok(Progress::Quiet),
        Err(refusal) if stale(&refusal) => Ok(Progress::Quiet),
        Err(refusal) => {
            tracing::warn!(?refusal, "something due was refused");
            Err(KmsError::Internal)
        }
    }
}
