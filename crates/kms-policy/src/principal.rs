//! Who asks, and whom a statement names (IAM User Guide, "AWS JSON policy elements: Principal").

use crate::PolicyError;
use crate::json::Json;
use kms_types::{AccountId, PARTITION};

/// An authenticated principal as policies see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// ARN of the user, of the role session, or of the account's root user.
    pub arn: String,
    /// The principal's account.
    pub account: AccountId,
    /// What kind of principal it is.
    pub kind: PrincipalKind,
}

/// The kinds of principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The account's root user, who needs no identity policy.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    Session {
        /// ARN of the role, path included.
        role_arn: String,
    },
}

impl Principal {
    /// ARN of the account's root, which stands for the whole account in policies.
    #[must_use]
    pub fn account_arn(account: &AccountId) -> String {
        format!("arn:{PARTITION}:iam::{account}:root")
    }
}

/// How a statement names the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// As the account, which leaves the decision to that account's identity policies.
    Account,
    /// As everybody, or by its role: permission boundary and session policy still narrow what is allowed.
    Broadly,
    /// As this very user or session: what is allowed is allowed (IAM User Guide, "Evaluating effective permissions with
    /// boundaries").
    Exactly,
}

/// The `Principal` or `NotPrincipal` of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principals {
    These(Vec<PrincipalName>),
    AllBut(Vec<PrincipalName>),
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalName {
    Everyone,
    Account(String),
    Arn(String),
    /// A service or an identity provider; no caller of this service is one.
    Elsewhere,
}

impl Principals {
    /// Reads the element.
    ///
    /// # Errors
    /// [`PolicyError::NoPrincipal`], [`PolicyError::InvalidPrincipal`] or [`PolicyError::InvalidArn`].
    pub(crate) fn parse(value: &Json, not: bool) -> Result<Self, PolicyError> {
        let names = match value {
            Json::Text(text) if text == "*" => vec![PrincipalName::Everyone],
            Json::Object(kinds) if !kinds.is_empty() => {
                let mut names = Vec::new();
                for (kind, values) in kinds {
                    for value in values.one_or_many() {
                        let text = value.text().ok_or(PolicyError::InvalidPrincipal)?;
                        names.push(PrincipalName::parse(kind, text)?);
                    }
                }
                names
            }
            Json::Text(_) => return Err(PolicyError::InvalidPrincipal),
            _ => return Err(PolicyError::NoPrincipal),
        };
        if names.is_empty() {
            return Err(PolicyError::NoPrincipal);
        }
        Ok(if not { Self::AllBut(names) } else { Self::These(names) })
    }

    /// How the element names the caller, if it does.
    pub(crate) fn named(&self, principal: &Principal) -> Option<Named> {
        match self {
            Self::These(names) => names.iter().filter_map(|name| name.named(principal)).max(),
            // Whoever is to be exempt must be named in every form that the caller has: the account alone, or the user
            // without the account, leaves the other form named (IAM User Guide, "NotPrincipal").
            Self::AllBut(names) => {
                let listed = |form: &dyn Fn(&PrincipalName) -> bool| names.iter().any(form);
                let everyone = listed(&|name| *name == PrincipalName::Everyone);
                let account =
                    listed(&|name| matches!(name, PrincipalName::Account(id) if id == principal.account.as_str()));
                let arn = |wanted: &str| listed(&|name| matches!(name, PrincipalName::Arn(arn) if arn == wanted));
                let exempt = match &principal.kind {
                    PrincipalKind::Root => account,
                    PrincipalKind::User => account && arn(&principal.arn),
                    PrincipalKind::Session { role_arn } => account && arn(role_arn) && arn(&principal.arn),
                };
                if everyone || exempt { None } else { Some(Named::Broadly) }
            }
        }
    }

    /// The ARNs of users, roles and sessions that the element names.
    pub(crate) fn arns(&self) -> impl Iterator<Item = &str> {
        let (Self::These(names) | Self::AllBut(names)) = self;
        names.iter().filter_map(|name| match name {
            PrincipalName::Arn(arn) => Some(arn.as_str()),
            PrincipalName::Everyone | PrincipalName::Account(_) | PrincipalName::Elsewhere => None,
        })
    }
}

impl PrincipalName {
    fn parse(kind: &str, text: &str) -> Result<Self, PolicyError> {
        match kind {
            "AWS" if text == "*" => Ok(Self::Everyone),
            "AWS" if AccountId::parse(text).is_ok() => Ok(Self::Account(text.to_owned())),
            "AWS" => Self::parse_arn(text),
            "Service" if !text.is_empty() && !text.contains('*') => Ok(Self::Elsewhere),
            "Federated" if !text.is_empty() => Ok(Self::Elsewhere),
            _ => Err(PolicyError::InvalidPrincipal),
        }
    }

    /// Users, roles, sessions and accounts; groups are no principals, and wildcards name nobody.
    fn parse_arn(text: &str) -> Result<Self, PolicyError> {
        let mut segments = text.splitn(6, ':');
        let mut next = || segments.next().unwrap_or_default();
        let (arn, partition, service, region, account, resource) = (next(), next(), next(), next(), next(), next());
        if arn != "arn" {
            return Err(PolicyError::InvalidPrincipal);
        }
        let form = partition == PARTITION && region.is_empty() && AccountId::parse(account).is_ok();
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        match (service, kind) {
            _ if !form || text.contains(['*', '?']) => Err(PolicyError::InvalidArn),
            ("iam", "root") if name.is_empty() => Ok(Self::Account(account.to_owned())),
            ("iam", "user" | "role") | ("sts", "federated-user") if !name.is_empty() => Ok(Self::Arn(text.to_owned())),
            ("sts", "assumed-role") if name.split('/').filter(|part| !part.is_empty()).count() == 2 => {
                Ok(Self::Arn(text.to_owned()))
            }
            _ => Err(PolicyError::InvalidArn),
        }
    }

    fn named(&self, principal: &Principal) -> Option<Named> {
        match self {
            Self::Everyone => Some(Named::Broadly),
            Self::Account(id) if id == principal.account.as_str() => Some(match principal.kind {
                PrincipalKind::Root => Named::Exactly,
                PrincipalKind::User | PrincipalKind::Session { .. } => Named::Account,
            }),
            Self::Arn(arn) if *arn == principal.arn => Some(Named::Exactly),
            Self::Arn(arn) => match &principal.kind {
                PrincipalKind::Session { role_arn } if role_arn == arn => Some(Named::Broadly),
                _ => None,
            },
            Self::Account(_) | Self::Elsewhere => None,
        }
    }
}
