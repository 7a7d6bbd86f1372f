//! `DescribeCustomKeyStores` on the wire.

use super::{WireOperation, paging};
use crate::json::{CUSTOM_KEY_STORE_ID, CUSTOM_KEY_STORE_NAME, Members, object};
use bytes::Bytes;
use kms_service::operations::describe_custom_key_stores::{
    DescribeCustomKeyStoresRequest, DescribeCustomKeyStoresResponse,
};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DescribeCustomKeyStoresRequest;
    type Response = DescribeCustomKeyStoresResponse;

    fn decode(members: &mut Members<'_>) -> DescribeCustomKeyStoresRequest {
        DescribeCustomKeyStoresRequest {
            custom_key_store_id: members.text("CustomKeyStoreId", &CUSTOM_KEY_STORE_ID),
            custom_key_store_name: members.text("CustomKeyStoreName", &CUSTOM_KEY_STORE_NAME),
            limit: paging::limit(members),
            marker: paging::marker(members),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<DescribeCustomKeyStoresRequest>,
    ) -> Result<DescribeCustomKeyStoresResponse, KmsError> {
        service.describe_custom_key_stores(request).await
    }

    fn encode(_: &DescribeCustomKeyStoresResponse) -> Bytes {
        object(64, |o| {
            o.texts("CustomKeyStores", []);
            paging::write_end(o, None);
        })
        .into()
    }
}
