//! Who acted, as CloudTrail's `userIdentity` shows it.

use crate::json::JsonLine;
use crate::record::NAME_BYTES_MAX;
use kms_types::{AccountId, Timestamp};

/// The caller. Access key IDs are names and not secrets; secret keys and session tokens have no place here.
#[derive(Clone, Copy, Debug)]
pub enum Identity<'a> {
    /// The root user of an account.
    Root {
        /// The account.
        account: AccountId,
        /// The access key that signed.
        access_key_id: Option<&'a str>,
    },
    /// A user.
    User(UserIdentity<'a>),
    /// A session of a role.
    AssumedRole(RoleIdentity<'a>),
    /// An operator, by the name in the certificate.
    Operator {
        /// The name.
        name: &'a str,
    },
    /// A service on behalf of an account, such as the second half of an operation in another Region.
    Service {
        /// The account that it acts for.
        account: Option<AccountId>,
        /// The service's name.
        invoked_by: &'a str,
    },
    /// Nobody that could be authenticated.
    Unknown {
        /// The access key that the request named.
        access_key_id: Option<&'a str>,
    },
}

/// A user of an account.
#[derive(Clone, Copy, Debug)]
pub struct UserIdentity<'a> {
    /// The user's ARN.
    pub arn: &'a str,
    /// The user's unique ID.
    pub principal_id: &'a str,
    /// The user's account.
    pub account: AccountId,
    /// The access key that signed; absent for mutual TLS.
    pub access_key_id: Option<&'a str>,
    /// The user's name.
    pub user_name: &'a str,
}

/// A session of a role.
#[derive(Clone, Copy, Debug)]
pub struct RoleIdentity<'a> {
    /// The session's ARN (`arn:aws:sts::…:assumed-role/…`).
    pub arn: &'a str,
    /// Unique ID of the role, a colon and the session's name.
    pub principal_id: &'a str,
    /// The role's account.
    pub account: AccountId,
    /// The temporary access key that signed.
    pub access_key_id: Option<&'a str>,
    /// The role's ARN.
    pub role_arn: &'a str,
    /// The role's unique ID.
    pub role_id: &'a str,
    /// The role's name.
    pub role_name: &'a str,
    /// When the session began.
    pub session_created_at: Timestamp,
}

impl Identity<'_> {
    /// Writes the member `userIdentity`.
    pub(crate) fn write(&self, line: &mut JsonLine) {
        line.open("userIdentity");
        match self {
            Self::Root { account, access_key_id } => {
                line.word("type", "Root");
                line.word("principalId", account.as_str());
                line.word("arn", &format!("arn:aws:iam::{account}:root"));
                line.word("accountId", account.as_str());
                named(line, "accessKeyId", *access_key_id);
            }
            Self::User(user) => {
                line.word("type", "IAMUser");
                line.text("principalId", user.principal_id, NAME_BYTES_MAX);
                line.text("arn", user.arn, NAME_BYTES_MAX);
                line.word("accountId", user.account.as_str());
                named(line, "accessKeyId", user.access_key_id);
                line.text("userName", user.user_name, NAME_BYTES_MAX);
            }
            Self::AssumedRole(role) => role.write(line),
            Self::Operator { name } => {
                line.word("type", "Operator");
                line.text("principalId", name, NAME_BYTES_MAX);
            }
            Self::Service { account, invoked_by } => {
                if let Some(account) = account {
                    line.word("accountId", account.as_str());
                }
                line.text("invokedBy", invoked_by, NAME_BYTES_MAX);
            }
            Self::Unknown { access_key_id } => {
                line.word("type", "Unknown");
                line.word("principalId", "");
                line.word("accountId", "");
                named(line, "accessKeyId", *access_key_id);
            }
        }
        line.close();
    }
}

impl RoleIdentity<'_> {
    fn write(&self, line: &mut JsonLine) {
        line.word("type", "AssumedRole");
        line.text("principalId", self.principal_id, NAME_BYTES_MAX);
        line.text("arn", self.arn, NAME_BYTES_MAX);
        line.word("accountId", self.account.as_str());
        named(line, "accessKeyId", self.access_key_id);
        line.open("sessionContext");
        line.open("sessionIssuer");
        line.word("type", "Role");
        line.text("principalId", self.role_id, NAME_BYTES_MAX);
        line.text("arn", self.role_arn, NAME_BYTES_MAX);
        line.word("accountId", self.account.as_str());
        line.text("userName", self.role_name, NAME_BYTES_MAX);
        line.close();
        line.open("attributes");
        line.event_time("creationDate", self.session_created_at);
        line.word("mfaAuthenticated", "false");
        line.close();
        line.close();
    }
}

fn named(line: &mut JsonLine, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        line.text(name, value, NAME_BYTES_MAX);
    }
}
