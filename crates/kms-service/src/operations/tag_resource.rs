//! `TagResource`: adds tags to a key or replaces their values, in this Region only. Refused when a residency rule would
//! forbid the key, so tagged, in a Region that holds it.

use super::tags::check_tags;
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::RegionalBody;
use kms_policy::{Action, Pairs};

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct TagResourceRequest {
    pub key_id: String,
    pub tags: Vec<(String, String)>,
}

impl Service {
    /// `TagResource`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn tag_resource(&self, request: Authenticated<TagResourceRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let access = self.access(&caller, Action::TagResource).with(|r| r.request_tags(Pairs::of(&request.tags)));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::TagResource)?;
        check_tags(&request.tags)?;
        let tags = request.tags.into_iter().collect();
        self.check_new_tags(&entry, &tags)?;
        self.change_key(&entry, RegionalBody::Tag(entry.arn.key_id, tags)).await
    }
}
