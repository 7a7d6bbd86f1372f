//! `DeleteAlias`: removes a name of a key. Works in every key state.

use crate::{Authenticated, KmsError, Service};
use kms_core::regional::RegionalBody;
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DeleteAliasRequest {
    pub alias_name: String,
}

impl Service {
    /// `DeleteAlias`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn delete_alias(&self, request: Authenticated<DeleteAliasRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let alias = self.own_alias(&caller, &request.alias_name)?;
        // On the alias and on the key.
        let access = self.access(&caller, Action::DeleteAlias);
        Self::authorise_on_alias(&access, &alias)?;
        let target = self
            .directory()
            .alias_target(caller.account(), alias.name.clone())
            .ok_or_else(|| KmsError::AliasNotFound(alias.clone()))?;
        let entry = self.authorised_key(&access, caller.account(), target)?;
        let body = RegionalBody::DeleteAlias(caller.account(), alias.name.clone());
        self.change_alias(&alias, &entry.arn, body).await
    }
}
