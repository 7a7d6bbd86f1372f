//! Which protocol a request speaks, and the operations that either has.

use crate::operations::Operation;
use crate::sts::{StsOperation, is_query_request};
use http::Method;
use http::request::Parts;

/// The two wire protocols; each stands for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// AWS JSON 1.1, of KMS.
    Json,
    /// AWS Query, of STS.
    Query,
}

impl Protocol {
    pub(super) fn of(parts: &Parts) -> Self {
        if is_query_request(parts) { Self::Query } else { Self::Json }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Query => "text/xml",
        }
    }
}

/// Whether KMS answers such a request at all.
pub(super) fn is_for_kms(parts: &Parts) -> bool {
    parts.method == Method::POST && parts.uri.path() == "/"
}

/// Whether STS answers such a request at all.
pub(super) fn is_for_sts(parts: &Parts) -> bool {
    (parts.method == Method::POST || parts.method == Method::GET) && parts.uri.path() == "/"
}

/// An operation of either service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiOperation {
    /// Of KMS.
    Kms(Operation),
    /// Of STS.
    Sts(StsOperation),
}

impl ApiOperation {
    /// Every operation.
    pub fn all() -> impl Iterator<Item = Self> {
        Operation::ALL.into_iter().map(Self::Kms).chain(StsOperation::ALL.into_iter().map(Self::Sts))
    }

    /// The operation's name in its API; no name is in both.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kms(operation) => operation.name(),
            Self::Sts(operation) => operation.name(),
        }
    }
}
