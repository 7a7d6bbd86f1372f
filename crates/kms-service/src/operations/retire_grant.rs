//! `RetireGrant`: ends a grant, by those whom the grant itself allows to. Works in every key state.

use super::grants::parse_grant_id;
use crate::authorise::Access;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;
use kms_types::{AccountId, GrantId, KeyId};

/// The request: either a token, or a key and a grant ID.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct RetireGrantRequest {
    pub grant_token: Option<String>,
    pub key_id: Option<String>,
    pub grant_id: Option<String>,
    pub dry_run: bool,
}

impl Service {
    /// `RetireGrant`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn retire_grant(&self, request: Authenticated<RetireGrantRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let access = self.access(&caller, Action::RetireGrant);
        let (account, key_id, grant_id) = self.named_grant(&access, &request)?;
        let grant = self.directory().read(|regional, _| regional.grant(&key_id, &grant_id).cloned());
        match (self.directory().key(&key_id), grant) {
            (Some(entry), Some(grant)) if grant.account == account => {
                access.authorise_retirement(&entry, &grant)?;
                self.end_grant(&entry, &grant_id, request.dry_run).await
            }
            // Only who may do it to every grant on the key learns that this one is not there.
            (_, _) => {
                let entry = self.authorised_key(&access, account, key_id)?;
                Err(KmsError::GrantNotFound { key: entry.arn.clone(), grant_id })
            }
        }
    }

    /// The key and grant that a request names. AWS's text for a request that names none, or two, is not verified; it
    /// documents both key ID and ARN for the key.
    fn named_grant(
        &self,
        access: &Access<'_>,
        request: &RetireGrantRequest,
    ) -> Result<(AccountId, KeyId, GrantId), KmsError> {
        match (&request.grant_token, &request.key_id, &request.grant_id) {
            (Some(token), None, None) => {
                let (key_id, grant_id) = self.grant_of_token(token)?;
                let entry = self.directory().key(&key_id).ok_or(KmsError::InvalidGrantToken)?;
                Ok((entry.arn.account, key_id, grant_id))
            }
            (None, Some(key_id), Some(grant_id)) => {
                let (account, key_id) = self.referenced(access, key_id, Accept::KeyOnly)?;
                Ok((account, key_id, parse_grant_id(grant_id)?))
            }
            _ => Err(KmsError::service("You must specify either a GrantToken, or a KeyId and a GrantId.")),
        }
    }
}
