//! `GenerateRandom`: random bytes, without a key.

use super::generate_data_key::check_random_length;
use crate::authorise::Resource;
use crate::{Authenticated, Delivered, KmsError, Recipient, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateRandomRequest {
    pub number_of_bytes: Option<u32>,
    pub custom_key_store_id: Option<String>,
    pub recipient: Option<Recipient>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GenerateRandomResponse {
    pub plaintext: Delivered,
}

impl Service {
    /// `GenerateRandom`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn generate_random(
        &self,
        request: Authenticated<GenerateRandomRequest>,
    ) -> Result<GenerateRandomResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let attested = self.attested(&caller, request.recipient).await?;
        self.access(&caller, Action::GenerateRandom).attested_by(attested.as_ref()).authorise(Resource::Account)?;
        let length = request.number_of_bytes.ok_or_else(|| KmsError::service("NumberOfBytes is required."))?;
        check_random_length(length)?;
        if let Some(named) = request.custom_key_store_id {
            return Err(KmsError::CustomKeyStoreNotFound(named));
        }
        Ok(GenerateRandomResponse { plaintext: self.deliver(attested.as_ref(), self.random_secret(length)?)? })
    }
}
