//! `GetKeyPolicy`: the key policy of a key. Works in every key state.

use super::policy::{DEFAULT_POLICY_NAME, check_policy_name};
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetKeyPolicyRequest {
    pub key_id: String,
    pub policy_name: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetKeyPolicyResponse {
    pub policy: String,
    pub policy_name: &'static str,
}

impl Service {
    /// `GetKeyPolicy`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn get_key_policy(
        &self,
        request: Authenticated<GetKeyPolicyRequest>,
    ) -> Result<GetKeyPolicyResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let name = request.policy_name.as_deref().unwrap_or(DEFAULT_POLICY_NAME);
        let access = self.access(&caller, Action::GetKeyPolicy).with(|r| r.policy_name(name));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        let policy_name = check_policy_name(request.policy_name.as_deref())?;
        Ok(GetKeyPolicyResponse { policy: entry.record.policy.clone(), policy_name })
    }
}
