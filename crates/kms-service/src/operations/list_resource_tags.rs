//! `ListResourceTags`: the tags of a key, by tag key. Works in every key state.

use super::page::{Limits, Pages};
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;
use std::ops::Bound;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListResourceTagsRequest {
    pub key_id: String,
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListResourceTagsResponse {
    pub tags: Vec<(String, String)>,
    /// Present exactly when the list is truncated.
    pub next_marker: Option<String>,
}

impl Service {
    /// `ListResourceTags`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn list_resource_tags(
        &self,
        request: Authenticated<ListResourceTagsRequest>,
    ) -> Result<ListResourceTagsResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::ListResourceTags), &request.key_id, Accept::KeyOnly)?;
        let size = Limits::TAGS.size(request.limit)?;
        let pages = Pages { operation: "ListResourceTags", scope: entry.arn.key_id.as_str() };
        let from = pages.after(request.marker.as_deref())?.map_or(Bound::Unbounded, Bound::Excluded);
        let tags = entry.record.tags.range((from, Bound::Unbounded)).map(|(k, v)| (k.clone(), v.clone()));
        let (tags, next_marker) = pages.take(size, tags, |(key, _)| key.clone());
        Ok(ListResourceTagsResponse { tags, next_marker })
    }
}
