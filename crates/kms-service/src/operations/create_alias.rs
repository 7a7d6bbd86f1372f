//! `CreateAlias`: a new name for a key, in this Region only.

use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::{RegionalBody, SetAlias};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateAliasRequest {
    pub alias_name: String,
    pub target_key_id: String,
}

impl Service {
    /// `CreateAlias`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn create_alias(&self, request: Authenticated<CreateAliasRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let alias = self.own_alias(&caller, &request.alias_name)?;
        // On the alias and on the key.
        let access = self.access(&caller, Action::CreateAlias);
        Self::authorise_on_alias(&access, &alias)?;
        let entry = self.alias_target(&access, &request.target_key_id)?;
        entry.check_state(KeyOperation::CreateAlias)?;
        let body = RegionalBody::CreateAlias(SetAlias {
            account: caller.account(),
            name: alias.name.clone(),
            target: entry.arn.key_id,
            alias_limit: self.config().quotas.aliases_per_key,
        });
        self.change_alias(&alias, &entry.arn, body).await
    }
}
