//! Who asks, and whom a statement names (IAM User Guide, "AWS JSON policy elements: Principal").

use crate::PolicyError;
use crate::decision::AccessRequest;
use crate::json::Json;
use crate::statement::Effect;
use kms_types::{AccountId, PARTITION};

/// An authenticated principal as policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal<'a> {
    /// ARN of the user, of the role session, or of the account's root user.
    pub arn: &'a str,
    /// The principal's account.
    pub account: AccountId,
    /// What kind of principal it is.
    pub kind: PrincipalKind<'a>,
}

/// The kinds of principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind<'a> {
    /// The account's root user, who needs no identity policy.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    Session {
        /// ARN of the role, path included.
        role_arn: &'a str,
    },
}

impl<'a> Principal<'a> {
    /// ARN of the account's root, which stands for the whole account in policies.
    #[must_use]
    pub fn account_arn(account: &AccountId) -> String {
        format!("arn:{PARTITION}:iam::{account}:root")
    }

    /// ARN of the identity that has the policies: the role, not its session.
    pub(crate) const fn identity_arn(&self) -> &'a str {
        match self.kind {
            PrincipalKind::Root | PrincipalKind::User => self.arn,
            PrincipalKind::Session { role_arn } => role_arn,
        }
    }

    /// A user's name without its path.
    pub(crate) fn user_name(&self) -> Option<&'a str> {
        match self.kind {
            PrincipalKind::User => self.arn.rsplit('/').next(),
            PrincipalKind::Root | PrincipalKind::Session { .. } => None,
        }
    }

    /// How an ARN, or an account ID, names the principal, if it does.
    pub(crate) fn named_by(&self, name: &str) -> Option<Named> {
        if name == self.arn {
            return Some(Named::Exactly);
        }
        match self.kind {
            PrincipalKind::Session { role_arn } if role_arn == name => Some(Named::Broadly),
            PrincipalKind::Root | PrincipalKind::User | PrincipalKind::Session { .. } => {
                (account_of(name)? == self.account).then(|| self.named_by_account())
            }
        }
    }

    fn named_by_account(&self) -> Named {
        match self.kind {
            PrincipalKind::Root => Named::Exactly,
            PrincipalKind::User | PrincipalKind::Session { .. } => Named::Account,
        }
    }
}

/// The account that a name stands for: its ID, or the ARN of its root.
fn account_of(name: &str) -> Option<AccountId> {
    let id = name
        .strip_prefix("arn:")
        .map_or(Some(name), |rest| rest.strip_prefix(PARTITION)?.strip_prefix(":iam::")?.strip_suffix(":root"));
    AccountId::parse(id?).ok()
}

/// How a statement or a grant names the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// As the account, which leaves the decision to that account's identity policies.
    Account,
    /// As everybody, or by its role: permission boundary and session policy still narrow what is allowed.
    ///
    /// AWS documents that they do not narrow what a statement for everybody allows. Here they do: whoever sets a boundary
    /// expects it to hold.
    Broadly,
    /// As this very user or session: what is allowed is allowed (IAM User Guide, "Policy evaluation logic").
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
    Account(AccountId),
    Arn(Box<str>),
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
            Json::Null | Json::Object(_) => return Err(PolicyError::NoPrincipal),
            _ => return Err(PolicyError::InvalidPrincipal),
        };
        if names.is_empty() {
            return Err(PolicyError::NoPrincipal);
        }
        Ok(if not { Self::AllBut(names) } else { Self::These(names) })
    }

    /// How the element names the caller, if it does.
    pub(crate) fn named(&self, effect: Effect, request: &AccessRequest<'_>) -> Option<Named> {
        let principal = request.context.principal();
        match self {
            Self::These(names) => names.iter().filter_map(|name| name.named(principal)).max(),
            Self::AllBut(names) => {
                let exempt = match effect {
                    Effect::Allow => names.iter().any(|name| name.named(principal).is_some()),
                    Effect::Deny => is_exempt(names, principal) && request.policies.boundary.is_none(),
                };
                (!exempt).then_some(Named::Broadly)
            }
        }
    }

    /// The ARNs of users, roles and sessions that the element names.
    pub(crate) fn arns(&self) -> impl Iterator<Item = &str> {
        let (Self::These(names) | Self::AllBut(names)) = self;
        names.iter().filter_map(|name| match name {
            PrincipalName::Arn(arn) => Some(&**arn),
            PrincipalName::Everyone | PrincipalName::Account(_) | PrincipalName::Elsewhere => None,
        })
    }
}

/// Whether `NotPrincipal` of a Deny lists the caller in every form that it has: the account alone, or the user without the
/// account, leaves the other form denied, and a principal with a permission boundary is denied in any case (IAM User Guide,
/// "NotPrincipal" and "Permissions boundaries for IAM entities").
fn is_exempt(names: &[PrincipalName], principal: &Principal<'_>) -> bool {
    let listed = |wanted: &dyn Fn(&PrincipalName) -> bool| names.iter().any(wanted);
    let account = || listed(&|name| matches!(name, PrincipalName::Account(id) if *id == principal.account));
    let arn = |wanted: &str| listed(&|name| matches!(name, PrincipalName::Arn(arn) if **arn == *wanted));
    listed(&|name| *name == PrincipalName::Everyone)
        || match principal.kind {
            PrincipalKind::Root => account(),
            PrincipalKind::User => account() && arn(principal.arn),
            PrincipalKind::Session { role_arn } => account() && arn(role_arn) && arn(principal.arn),
        }
}

impl PrincipalName {
    fn parse(kind: &str, text: &str) -> Result<Self, PolicyError> {
        match kind {
            "AWS" if text == "*" => Ok(Self::Everyone),
            "AWS" => match AccountId::parse(text) {
                Ok(account) => Ok(Self::Account(account)),
                Err(_) => Self::parse_arn(text),
            },
            "Service" if !text.is_empty() && !text.contains(['*', '?']) => Ok(Self::Elsewhere),
            "Federated" if !text.is_empty() && !text.contains(['*', '?']) => Ok(Self::Elsewhere),
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
        let account = AccountId::parse(account).map_err(|_invalid| PolicyError::InvalidArn)?;
        if partition != PARTITION || !region.is_empty() || text.contains(['*', '?']) {
            return Err(PolicyError::InvalidArn);
        }
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        let is_path = !name.is_empty() && name.split('/').all(|part| !part.is_empty());
        match (service, kind) {
            ("iam", "root") if resource == "root" => Ok(Self::Account(account)),
            ("iam", "user" | "role") | ("sts", "federated-user") if is_path => Ok(Self::Arn(text.into())),
            ("sts", "assumed-role") if is_path && name.split('/').count() == 2 => Ok(Self::Arn(text.into())),
            _ => Err(PolicyError::InvalidArn),
        }
    }

    fn named(&self, principal: &Principal<'_>) -> Option<Named> {
        match self {
            Self::Everyone => Some(Named::Broadly),
            Self::Account(id) => (*id == principal.account).then(|| principal.named_by_account()),
            Self::Arn(arn) if **arn == *principal.arn => Some(Named::Exactly),
            Self::Arn(arn) => match principal.kind {
                PrincipalKind::Session { role_arn } if *role_arn == **arn => Some(Named::Broadly),
                PrincipalKind::Root | PrincipalKind::User | PrincipalKind::Session { .. } => None,
            },
            Self::Elsewhere => None,
        }
    }
}
