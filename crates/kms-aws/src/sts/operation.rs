//! The operations of STS that are there, and how each is run.

use super::form::Form;
use super::{StsFault, assume_role, xml};
use bytes::Bytes;
use kms_audit::Elements;
use kms_service::{Caller, Identity, IdentityKind, Service, Sessions};

/// The one version of the API.
const VERSION: &str = "2011-06-15";

/// An operation of STS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StsOperation {
    /// Temporary credentials for a session of a role.
    AssumeRole,
    /// Who the caller is.
    GetCallerIdentity,
}

/// What the audit record shows of a request and of its answer.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) parameters: Elements<'static>,
    pub(crate) response: Elements<'static>,
}

impl StsOperation {
    /// Every operation.
    pub const ALL: [Self; 2] = [Self::AssumeRole, Self::GetCallerIdentity];

    /// The operation's name, as in `Action`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::GetCallerIdentity => "GetCallerIdentity",
        }
    }

    /// The operation that a form asks for.
    ///
    /// # Errors
    /// [`StsFault`] when it names none, or one that is not here.
    pub(crate) fn of(form: &Form) -> Result<Self, StsFault> {
        let name = form.only("Action")?.ok_or(StsFault::MissingAction)?;
        let version = form.only("Version")?.unwrap_or("NO_VERSION_SPECIFIED");
        let known = Self::ALL.into_iter().find(|operation| operation.name() == name);
        known
            .filter(|_| version == VERSION)
            .ok_or_else(|| StsFault::InvalidAction { action: name.to_owned(), version: version.to_owned() })
    }

    /// Reads the form, does what it asks for, and writes the answer.
    ///
    /// # Errors
    /// [`StsFault`].
    pub(crate) fn run(
        self,
        (service, sessions): (&Service, Option<&Sessions>),
        caller: Caller,
        form: &Form,
        shown: &mut Shown,
    ) -> Result<Bytes, StsFault> {
        match self {
            Self::AssumeRole => assume_role::run((service, sessions), caller, form, shown),
            Self::GetCallerIdentity => Ok(caller_identity(&caller)),
        }
    }
}

/// `GetCallerIdentity` answers every caller, whatever policies say (STS API Reference).
fn caller_identity(caller: &Caller) -> Bytes {
    let Identity { arn, account, kind, principal_id, .. } = &*caller.identity;
    let user_id = match kind {
        IdentityKind::Root => account.as_str(),
        IdentityKind::User | IdentityKind::Session { .. } => principal_id,
    };
    xml::response(StsOperation::GetCallerIdentity.name(), caller.request_id, |result| {
        result.text("Arn", arn);
        result.text("UserId", user_id);
        result.text("Account", account.as_str());
    })
}
