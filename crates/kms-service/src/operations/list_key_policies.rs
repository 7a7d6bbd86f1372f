//! `ListKeyPolicies`: the names of a key's policies, which is `default` alone. Works in every key state.

use super::page::Limits;
use super::policy::DEFAULT_POLICY_NAME;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListKeyPoliciesRequest {
    pub key_id: String,
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The response. The list is never truncated.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListKeyPoliciesResponse {
    pub policy_names: Vec<&'static str>,
}

impl Service {
    /// `ListKeyPolicies`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn list_key_policies(
        &self,
        request: Authenticated<ListKeyPoliciesRequest>,
    ) -> Result<ListKeyPoliciesResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.resolve(&self.access(&caller, Action::ListKeyPolicies), &request.key_id, Accept::KeyOnly)?;
        Limits::KEYS.size(request.limit)?;
        if request.marker.is_some() {
            // No list ends early, so no marker was ever given out.
            return Err(KmsError::InvalidMarker);
        }
        Ok(ListKeyPoliciesResponse { policy_names: vec![DEFAULT_POLICY_NAME] })
    }
}
