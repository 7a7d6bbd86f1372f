//! `RevokeGrant`: ends a grant, by whoever may do that to the key's grants. Works in every key state.

use super::grants::parse_grant_id;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::regional::{RegionalBody, RegionalRefusal};
use kms_policy::Action;
use kms_types::GrantId;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct RevokeGrantRequest {
    pub key_id: String,
    pub grant_id: String,
    pub dry_run: bool,
}

impl Service {
    /// `RevokeGrant`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn revoke_grant(&self, request: Authenticated<RevokeGrantRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::RevokeGrant), &request.key_id, Accept::KeyOnly)?;
        let grant_id = parse_grant_id(&request.grant_id)?;
        self.end_grant(&entry, &grant_id, request.dry_run).await
    }

    /// Ends a grant for a caller who may.
    pub(crate) async fn end_grant(&self, entry: &KeyEntry, grant_id: &GrantId, dry_run: bool) -> Result<(), KmsError> {
        let not_found = || KmsError::GrantNotFound { key: entry.arn.clone(), grant_id: *grant_id };
        if !entry.live.grants.has(grant_id) {
            return Err(not_found());
        }
        if dry_run {
            return Err(KmsError::DryRun);
        }
        let body = RegionalBody::DeleteGrant { key_id: entry.arn.key_id, grant_id: *grant_id };
        match self.submit(body).await? {
            Err(RegionalRefusal::GrantNotFound) => Err(not_found()),
            done => done.map_err(|refusal| super::refused::regional_refused(&entry.arn, &refusal)),
        }
    }
}
