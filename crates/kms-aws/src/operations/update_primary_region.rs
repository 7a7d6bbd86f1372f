//! `UpdatePrimaryRegion` on the wire.

use super::{WireOperation, whole};
use crate::json::{KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::update_primary_region::UpdatePrimaryRegionRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    /// `None` only if something was wrong with the Region.
    type Request = Option<UpdatePrimaryRegionRequest>;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> Option<UpdatePrimaryRegionRequest> {
        let key_id = members.required_text("KeyId", &KEY_ID);
        let primary_region = members.required_region("PrimaryRegion")?;
        Some(UpdatePrimaryRegionRequest { key_id, primary_region })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<UpdatePrimaryRegionRequest>>,
    ) -> Result<(), KmsError> {
        service.update_primary_region(whole(request)?).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
