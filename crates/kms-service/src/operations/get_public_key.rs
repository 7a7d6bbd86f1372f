//! `GetPublicKey`: the public half of an asymmetric key, for use outside.

use super::key_use::Named;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{KeySpec, KeyUsage};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetPublicKeyRequest {
    pub key_id: String,
    pub grant_tokens: Vec<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetPublicKeyResponse {
    pub key_id: Arc<str>,
    /// DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Vec<u8>,
    pub key_spec: KeySpec,
    pub key_usage: KeyUsage,
}

const OPERATION: Named = (KeyOperation::GetPublicKey, "GetPublicKey");

impl Service {
    /// `GetPublicKey`. Knows no dry run.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text; that of keys without a public half is not verified.
    pub async fn get_public_key(
        &self,
        request: Authenticated<GetPublicKeyRequest>,
    ) -> Result<GetPublicKeyResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let (operation, name) = OPERATION;
        let entry = self.resolve(&self.access(&caller, Action::GetPublicKey), &request.key_id, Accept::Alias)?;
        entry.check_state(operation)?;
        let spec = entry.record.spec;
        if !spec.is_asymmetric() {
            let text = format!("{} key spec is {spec} which is not valid for {name}.", entry.arn);
            return Err(KmsError::UnsupportedOperation(Some(text)));
        }
        Ok(GetPublicKeyResponse {
            key_id: Arc::clone(&entry.arn_text),
            public_key: self.key_pair(&entry)?.public_key_der().to_vec(),
            key_spec: spec,
            key_usage: entry.record.usage,
        })
    }
}
