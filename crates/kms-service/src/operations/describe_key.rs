//! `DescribeKey`: the metadata of a key. Works in every key state.

use super::key_metadata::KeyMetadata;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DescribeKeyRequest {
    pub key_id: String,
    pub grant_tokens: Vec<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DescribeKeyResponse {
    pub key_metadata: KeyMetadata,
}

impl Service {
    /// `DescribeKey`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn describe_key(
        &self,
        request: Authenticated<DescribeKeyRequest>,
    ) -> Result<DescribeKeyResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let entry = self.resolve(&self.access(&caller, Action::DescribeKey), &request.key_id, Accept::Alias)?;
        Ok(DescribeKeyResponse { key_metadata: KeyMetadata::of(&entry) })
    }
}
