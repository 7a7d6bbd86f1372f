//! The AWS SDK as a client of one Region, and its errors as the wire sent them.

use crate::recording::Recorder;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::fmt::Debug;
use std::time::Duration;

/// A client of one Region.
pub type Kms = aws_sdk_kms::Client;

/// The development administrator.
pub const ACCESS_KEY: &str = "meridian";
/// Its secret.
pub const SECRET_KEY: &str = "meridian-dev";
/// Its account.
pub const ACCOUNT: &str = "111122223333";

/// A client that signs for `region` as the development administrator and never tries again by itself.
#[must_use]
pub fn client(endpoint: &str, region: &str) -> Kms {
    client_as(endpoint, region, ACCESS_KEY, SECRET_KEY)
}

/// A client with other credentials.
#[must_use]
pub fn client_as(endpoint: &str, region: &str, access_key: &str, secret_key: &str) -> Kms {
    client_with(endpoint, region, Credentials::new(access_key, secret_key, None, None, "tests"))
}

/// A client with temporary credentials.
#[must_use]
pub fn client_of_session(endpoint: &str, region: &str, session: &TemporaryCredentials) -> Kms {
    let TemporaryCredentials { access_key, secret_key, token } = session;
    client_with(endpoint, region, Credentials::new(access_key, secret_key, Some(token.clone()), None, "tests"))
}

/// What AssumeRole answers.
#[derive(Clone, Debug)]
pub struct TemporaryCredentials {
    /// Access key ID.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token.
    pub token: String,
}

fn client_with(endpoint: &str, region: &str, credentials: Credentials) -> Kms {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(20))
        .build();
    let mut config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(credentials)
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(recorder) = Recorder::of_this_test() {
        config = config.interceptor(recorder);
    }
    Kms::from_conf(config.build())
}

/// Bytes of a request or an answer.
#[must_use]
pub fn blob(bytes: impl AsRef<[u8]>) -> Blob {
    Blob::new(bytes.as_ref())
}

/// An error as the service sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The error's name, such as `NotFoundException`.
    pub code: String,
    /// The text, or nothing where none was sent.
    pub message: String,
}

impl Refusal {
    /// Compares name and text of a refusal with status 400.
    #[track_caller]
    pub fn is(&self, code: &str, message: &str) {
        assert_eq!((self.status, self.code.as_str(), self.message.as_str()), (400, code, message));
    }

    /// Compares the name of a refusal with status 400.
    #[track_caller]
    pub fn is_code(&self, code: &str) {
        assert_eq!((self.status, self.code.as_str()), (400, code), "{}", self.message);
    }
}

/// The service's refusal of a call that must not succeed.
#[track_caller]
pub fn refused<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> Refusal
where
    T: Debug,
    E: ProvideErrorMetadata + Debug,
{
    match answer {
        Ok(answer) => panic!("this had to be refused: {answer:?}"),
        Err(error) => refusal(&error).unwrap_or_else(|| panic!("not an answer of the service: {error:?}")),
    }
}

/// The service's refusal; nothing when it did not answer.
pub fn refusal<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<Refusal> {
    let SdkError::ServiceError(service) = error else { return None };
    Some(Refusal {
        status: service.raw().status().as_u16(),
        code: service.err().code().unwrap_or_default().to_owned(),
        message: service.err().message().unwrap_or_default().to_owned(),
    })
}
