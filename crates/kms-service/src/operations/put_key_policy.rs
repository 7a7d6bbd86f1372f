//! `PutKeyPolicy`: replaces the key policy of a key, in this Region only. Works in every key state.

use super::policy::{DEFAULT_POLICY_NAME, check_lockout, check_policy, check_policy_name};
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::RegionalBody;
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct PutKeyPolicyRequest {
    pub key_id: String,
    pub policy_name: Option<String>,
    pub policy: String,
    /// Conditions tell its absence from `false`.
    pub bypass_policy_lockout_safety_check: Option<bool>,
}

impl Service {
    /// `PutKeyPolicy`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn put_key_policy(&self, request: Authenticated<PutKeyPolicyRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let access = self.access(&caller, Action::PutKeyPolicy);
        let bypass = request.bypass_policy_lockout_safety_check;
        let put = access.with(|r| r.policy_name(request.policy_name.as_deref().unwrap_or(DEFAULT_POLICY_NAME)));
        let put = put.with(|r| super::create_key::bypass(r, bypass));
        let entry = self.resolve(&put, &request.key_id, Accept::KeyOnly)?;
        if request.policy_name.as_deref() == Some("AWS_RAM") {
            return Err(KmsError::service("The AWS_RAM policy can only be managed by the RAM service."));
        }
        check_policy_name(request.policy_name.as_deref())?;
        let document = check_policy(&request.policy)?;
        if !bypass.unwrap_or_default() {
            check_lockout(&access.with(|r| r.key(entry.facts())), &entry.arn_text, &document)?;
        }
        entry.check_state(KeyOperation::PutKeyPolicy)?;
        self.change_key(&entry, RegionalBody::PutKeyPolicy(entry.arn.key_id, request.policy)).await
    }
}
