//! `UntagResource`: removes tags from a key. Keys of tags that it does not have are ignored.

use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::RegionalBody;
use kms_policy::{Action, Names};

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct UntagResourceRequest {
    pub key_id: String,
    pub tag_keys: Vec<String>,
}

impl Service {
    /// `UntagResource`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn untag_resource(&self, request: Authenticated<UntagResourceRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let access = self.access(&caller, Action::UntagResource).with(|r| r.tag_keys(Names::of(&request.tag_keys)));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::UntagResource)?;
        let tag_keys = request.tag_keys.into_iter().collect();
        self.change_key(&entry, RegionalBody::Untag(entry.arn.key_id, tag_keys)).await
    }
}
