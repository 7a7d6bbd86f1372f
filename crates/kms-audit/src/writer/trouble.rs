//! Why records cannot be written, and for whom.

use super::{AuditError, Priority};
use kms_types::Timestamp;

/// The writer cannot write everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: TroubleKind,
    /// Since when.
    pub(super) since: Timestamp,
    /// Requests that were refused since.
    pub(super) refused: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// The disk is full; the reserve is for operators.
    Full,
    /// The reserve is used up as well.
    Exhausted,
    /// The device fails.
    Device,
}

impl TroubleKind {
    /// Whether a record may be tried.
    pub(super) const fn admits(self, priority: Priority) -> Result<(), AuditError> {
        match (self, priority) {
            (Self::Full, Priority::Operator) => Ok(()),
            (Self::Full, Priority::Request) => Err(AuditError::Full),
            (Self::Exhausted, _) => Err(AuditError::Exhausted),
            (Self::Device, _) => Err(AuditError::Device),
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Exhausted => "exhausted",
            Self::Device => "device failed",
        }
    }
}
