//! `ListKeys`: the caller's keys in this Region, by key ID.

use super::page::{Limits, Pages};
use crate::authorise::Resource;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;
use kms_types::{KeyArn, KeyId};

/// Most keys looked at for one page. Keys of other accounts are passed over, so a page may be short, even empty, while
/// more follow; the API allows that.
const SCAN_MAX: usize = 10_000;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListKeysRequest {
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
pub struct ListKeysResponse {
    /// Each gives an entry's `KeyId` and `KeyArn`.
    pub keys: Vec<KeyArn>,
    /// Present exactly when the list is truncated.
    pub next_marker: Option<String>,
}

impl Service {
    /// `ListKeys`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn list_keys(&self, request: Authenticated<ListKeysRequest>) -> Result<ListKeysResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.access(&caller, Action::ListKeys).authorise(Resource::Account)?;
        let size = Limits::KEYS.size(request.limit)?;
        let pages = Pages { operation: "ListKeys", scope: caller.identity.account.as_str() };
        let after = pages.after(request.marker.as_deref())?;
        let after = after.map(|name| KeyId::parse(&name)).transpose().map_err(|_foreign| KmsError::InvalidMarker)?;
        let mut last = after;
        let mut keys = Vec::new();
        let mut more = false;
        self.directory().read(|regional, _| {
            for (scanned, record) in regional.keys_after(after.as_ref()).enumerate() {
                if keys.len() == size || scanned == SCAN_MAX {
                    more = true;
                    return;
                }
                last = Some(record.key_id);
                if record.account == caller.account() {
                    let (region, account) = (self.region().clone(), record.account);
                    keys.push(KeyArn { region, account, key_id: record.key_id });
                }
            }
        });
        let next_marker = last.filter(|_| more).map(|last| pages.marker(last.as_str()));
        Ok(ListKeysResponse { keys, next_marker })
    }
}
