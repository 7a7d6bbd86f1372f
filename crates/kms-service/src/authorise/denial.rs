//! What a caller is told when it may not: AWS's texts ("Troubleshoot access denied error messages" in the IAM User Guide,
//! and answers of AWS KMS). They say on which side a permission is missing and never which statement or grant decided.
//! Of a key in another account they say nothing that they would not say of one that is not there.

use super::{Access, Resource};
use crate::KmsError;
use kms_policy::{Decision, Denied, PolicySource};
use std::borrow::Cow;

/// AWS's text for a ciphertext of a key that is not here, or of another account that does not let the caller in: AWS
/// cannot tell whose account such a ciphertext is from either.
pub(crate) const UNKNOWN_CIPHERTEXT: &str = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not \
     allowed to access.";

impl Access<'_> {
    pub(super) fn denied(&self, resource: Resource<'_>, denied: &Denied) -> KmsError {
        if *denied == Denied::Misplaced {
            tracing::error!(action = %self.context.action(), "an action was authorised on a resource that it does not have");
            return KmsError::Internal;
        }
        let start = self.start();
        let text = match resource {
            Resource::Key(entry) if self.is_hidden(resource, denied) => return self.denied_absent(entry),
            Resource::Ciphertext(_) if self.is_hidden(resource, denied) => UNKNOWN_CIPHERTEXT.to_owned(),
            Resource::Absent(arn) => match denied {
                Denied::Explicit(_) => format!("{start} resource: {arn} {}", self.reason(denied)),
                _ => format!(
                    "{start} this resource because the resource does not exist in this Region, no resource-based \
                     policies allow access, or a resource-based policy explicitly denies access"
                ),
            },
            Resource::Key(entry) => format!("{start} resource: {} {}", entry.arn_text, self.reason(denied)),
            Resource::Ciphertext(_) => {
                format!("{start} the resource associated with this ciphertext {}", self.reason(denied))
            }
            Resource::Remote(key) => format!("{start} resource: {} {}", key.arn, self.reason(denied)),
            Resource::New(arn) | Resource::Principal(arn) => format!("{start} resource: {arn} {}", self.reason(denied)),
            Resource::Alias(arn) => format!("{start} resource: {arn} {}", self.reason(denied)),
            Resource::Account => format!("{start} resource: * {}", self.reason(denied)),
            // STS gives no reason, and does not tell a role that is not there from one that may not be assumed.
            Resource::Role(arn, _) => format!("{start} resource: {arn}"),
        };
        KmsError::AccessDenied(text)
    }

    /// The answer that the caller would get if the key were not there.
    fn denied_absent(&self, entry: &crate::KeyEntry) -> KmsError {
        let absent = Resource::Absent(&entry.arn);
        match self.decide(absent) {
            Decision::Denied(denied) => self.denied(absent, &denied),
            // Does not happen: the default key policy admits nobody of another account.
            Decision::Allowed(_) => KmsError::KeyNotFound(entry.arn.clone()),
        }
    }

    /// Whether the key is another account's, and its side did not let the caller in.
    fn is_hidden(&self, resource: Resource<'_>, denied: &Denied) -> bool {
        let owner = match resource {
            Resource::Key(entry) | Resource::Ciphertext(entry) => entry.arn.account,
            _ => return false,
        };
        let by_key = match denied {
            Denied::NoKeyPolicy | Denied::CrossAccount | Denied::Misplaced => true,
            Denied::Explicit(statement) => statement.source == PolicySource::Key,
            Denied::NoIdentityPolicy | Denied::Boundary | Denied::SessionPolicy => false,
        };
        owner != self.caller.account() && by_key
    }

    fn start(&self) -> String {
        format!("User: {} is not authorized to perform: {} on", self.caller.arn(), self.context.action())
    }

    fn reason(&self, denied: &Denied) -> Cow<'static, str> {
        let missing =
            |policy: &str| Cow::Owned(format!("because no {policy} allows the {} action", self.context.action()));
        match denied {
            Denied::Explicit(statement) => Cow::Borrowed(match statement.source {
                PolicySource::Key | PolicySource::Trust => "with an explicit deny in a resource-based policy",
                PolicySource::Identity(_) => "with an explicit deny in an identity-based policy",
                PolicySource::Boundary(_) => "with an explicit deny in a permissions boundary",
                PolicySource::Session(_) => "with an explicit deny in a session policy",
            }),
            Denied::NoIdentityPolicy => missing("identity-based policy"),
            Denied::NoKeyPolicy | Denied::CrossAccount | Denied::Misplaced => missing("resource-based policy"),
            Denied::Boundary => missing("permissions boundary"),
            Denied::SessionPolicy => missing("session policy"),
        }
    }
}
