//! `UpdateAlias`: points an alias at another key of the same kind.

use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::{RegionalBody, SetAlias};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct UpdateAliasRequest {
    pub alias_name: String,
    pub target_key_id: String,
}

impl Service {
    /// `UpdateAlias`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn update_alias(&self, request: Authenticated<UpdateAliasRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let alias = self.own_alias(&caller, &request.alias_name)?;
        // On the alias, on the key it points at, and on the key it is to point at.
        let access = self.access(&caller, Action::UpdateAlias);
        Self::authorise_on_alias(&access, &alias)?;
        let current = self
            .directory()
            .alias_target(caller.account(), alias.name.clone())
            .ok_or_else(|| KmsError::AliasNotFound(alias.clone()))?;
        self.authorised_key(&access, caller.account(), current)?;
        let entry = self.alias_target(&access, &request.target_key_id)?;
        // Only the new key's state counts: an alias may be taken from a key that is pending deletion.
        entry.check_state(KeyOperation::UpdateAlias)?;
        let body = RegionalBody::UpdateAlias(SetAlias {
            account: caller.account(),
            name: alias.name.clone(),
            target: entry.arn.key_id,
            alias_limit: self.config().quotas.aliases_per_key,
        });
        self.change_alias(&alias, &entry.arn, body).await
    }
}
