//! What the operations on grants share: principals, how a list of grants shows one, and how a request names one.

use crate::{KmsError, Service};
use kms_core::regional::GrantRecord;
pub use kms_core::regional::{GrantConstraints, GrantPrincipal};
use kms_types::{AccountId, GrantId, GrantOperation, KeyArn, PARTITION, Timestamp};

/// The API's `GrantListEntry`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GrantListEntry {
    pub key: KeyArn,
    pub grant_id: GrantId,
    /// Empty for a grant without a name, as in AWS's samples.
    pub name: String,
    pub creation_date: Timestamp,
    /// `GranteePrincipal` or `GranteeServicePrincipal`.
    pub grantee: GrantPrincipal,
    /// `RetiringPrincipal` or `RetiringServicePrincipal`.
    pub retiring: Option<GrantPrincipal>,
    /// Shown as the ARN of the account.
    pub issuing_account: AccountId,
    /// In the API model's order.
    pub operations: Vec<GrantOperation>,
    pub constraints: GrantConstraints,
}

impl Service {
    pub(crate) fn grant_entry(&self, grant: &GrantRecord) -> GrantListEntry {
        GrantListEntry {
            key: KeyArn { region: self.region().clone(), account: grant.account, key_id: grant.key_id },
            grant_id: grant.grant_id,
            name: grant.name.clone().unwrap_or_default(),
            creation_date: grant.created_at,
            grantee: grant.grantee.clone(),
            retiring: grant.retiring.clone(),
            issuing_account: grant.issuing_account,
            operations: grant.operations.iter().copied().collect(),
            constraints: grant.constraints.clone(),
        }
    }
}

/// Reads the `GrantId` of a request. What has another form than the IDs that are given out is invalid rather than
/// unknown; AWS's distinction is not verified.
pub(crate) fn parse_grant_id(grant_id: &str) -> Result<GrantId, KmsError> {
    GrantId::parse(grant_id).map_err(|_form| KmsError::InvalidGrantId(grant_id.to_owned()))
}

/// The principal that two members of a request name: one takes an ARN, the other the name of a service. `None` when both
/// are absent.
///
/// # Errors
/// A validation error when both are there (AWS's text is not verified), `InvalidArnException` for an ARN of nobody.
pub(crate) fn principal_of(
    (name, arn): (&str, Option<&String>),
    (service_name, service): (&str, Option<&String>),
) -> Result<Option<GrantPrincipal>, KmsError> {
    match (arn, service) {
        (None, None) => Ok(None),
        (Some(arn), None) => parse_principal(arn).map(Some),
        (None, Some(service)) => Ok(Some(GrantPrincipal::Service(service.clone()))),
        (Some(_), Some(_)) => {
            Err(KmsError::service(format!("You can specify either {name} or {service_name}, but not both.")))
        }
    }
}

/// Checks the ARN of a principal: an account, a user, a role, or a session of either. Groups and organisations are
/// nobody's identity. The name of a service is taken too, as AWS does in the older members (Terraform's provider for AWS,
/// issue 13994).
pub(crate) fn parse_principal(principal: &str) -> Result<GrantPrincipal, KmsError> {
    if is_principal_arn(principal) || is_service(principal) {
        Ok(GrantPrincipal::Arn(principal.to_owned()))
    } else {
        Err(KmsError::InvalidPrincipal(principal.to_owned()))
    }
}

fn is_principal_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (head, partition, service, region, account, resource) = (next(), next(), next(), next(), next(), next());
    if (head, partition, region) != ("arn", PARTITION, "") || AccountId::parse(account).is_err() {
        return false;
    }
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    // A path may come before the name of a user or role, and nothing is empty.
    let names = name.split('/').filter(|part| !part.is_empty()).count();
    let whole = names == name.split('/').count() && !name.contains(':');
    match (service, kind) {
        ("iam", "root") => resource == "root",
        ("iam", "user" | "role") => names >= 1 && whole,
        ("sts", "assumed-role") => names == 2 && whole,
        ("sts", "federated-user") => names == 1 && whole,
        _ => false,
    }
}

/// `sns.amazonaws.com`, `rds.eu-west-1.amazonaws.com`.
fn is_service(name: &str) -> bool {
    let label = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    name.strip_suffix(".amazonaws.com").is_some_and(|service| service.split('.').all(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_accounts_users_roles_sessions_and_services() {
        for arn in [
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:user/team/alice",
            "arn:aws:iam::111122223333:role/aws-service-role/a.amazonaws.com/R",
            "arn:aws:sts::111122223333:assumed-role/R/session",
            "arn:aws:sts::111122223333:federated-user/bob",
            "sns.amazonaws.com",
            "rds.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(parse_principal(arn), Ok(GrantPrincipal::Arn(arn.to_owned())));
        }
    }

    #[test]
    fn anything_else_is_no_principal() {
        for text in [
            "",
            "alice",
            "111122223333",
            "arn:aws:iam::111122223333:group/admins",
            "arn:aws:organizations::111122223333:organization/o-1",
            "arn:aws:iam::111122223333:policy/p",
            "arn:aws:iam::1111:user/alice",
            "arn:aws:iam:us-east-1:111122223333:user/alice",
            "arn:aws-cn:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:user",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user//a",
            "arn:aws:iam::111122223333:root/x",
            "arn:aws:sts::111122223333:assumed-role/R",
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            ".amazonaws.com",
            "sns.example.com",
        ] {
            assert_eq!(parse_principal(text), Err(KmsError::InvalidPrincipal(text.to_owned())), "{text}");
        }
    }
}
