//! Who asks, from where and when: the condition keys of all services (IAM User Guide, "AWS global condition context keys").

use super::{Fact, Pairs, RequestContext};
use crate::condition_key::NamedKey;
use crate::principal::{Principal, PrincipalKind};
use kms_types::Timestamp;
use std::net::IpAddr;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circumstances<'a> {
    user_id: Option<&'a str>,
    pub(super) principal_tags: Option<Pairs<'a>>,
    source_identity: Option<&'a str>,
    token_issue_time: Option<Timestamp>,
    multi_factor_auth_present: Option<bool>,
    multi_factor_auth_age: Option<u64>,
    time: Option<Timestamp>,
    source_ip: Option<IpAddr>,
    secure_transport: Option<bool>,
    user_agent: Option<&'a str>,
    referer: Option<&'a str>,
    requested_region: Option<&'a str>,
    source_arn: Option<&'a str>,
    source_account: Option<&'a str>,
}

impl Circumstances<'_> {
    pub(super) fn fact<'f>(&'f self, key: NamedKey, principal: &'f Principal<'_>) -> Option<Fact<'f>> {
        Some(match key {
            NamedKey::PrincipalAccount | NamedKey::CallerAccount => Fact::Text(principal.account.as_str()),
            // The role, not its session ("aws:PrincipalArn").
            NamedKey::PrincipalArn => Fact::Text(principal.identity_arn()),
            NamedKey::PrincipalType => Fact::Text(match principal.kind {
                PrincipalKind::Root => "Account",
                PrincipalKind::User => "User",
                PrincipalKind::Session { .. } => "AssumedRole",
            }),
            NamedKey::UserName => Fact::Text(principal.user_name()?),
            NamedKey::UserId => match (self.user_id, principal.kind) {
                (Some(id), _) => Fact::Text(id),
                (None, PrincipalKind::Root) => Fact::Text(principal.account.as_str()),
                (None, PrincipalKind::User | PrincipalKind::Session { .. }) => return None,
            },
            // Nobody who calls this service is a service of AWS, or acts for one.
            NamedKey::PrincipalIsAwsService | NamedKey::ViaAwsService => Fact::Boolean(false),
            NamedKey::SourceIdentity => Fact::Text(self.source_identity?),
            NamedKey::TokenIssueTime => Fact::Moment(self.token_issue_time?),
            NamedKey::MultiFactorAuthPresent => Fact::Boolean(self.multi_factor_auth_present?),
            NamedKey::MultiFactorAuthAge => Fact::Number(self.multi_factor_auth_age?),
            NamedKey::CurrentTime => Fact::Moment(self.time?),
            NamedKey::EpochTime => Fact::Number(self.time?.millis() / 1_000),
            NamedKey::SourceIp => Fact::Address(self.source_ip?),
            NamedKey::SecureTransport => Fact::Boolean(self.secure_transport?),
            NamedKey::UserAgent => Fact::Text(self.user_agent?),
            NamedKey::Referer => Fact::Text(self.referer?),
            NamedKey::RequestedRegion => Fact::Text(self.requested_region?),
            NamedKey::SourceArn => Fact::Text(self.source_arn?),
            NamedKey::SourceAccount => Fact::Text(self.source_account?),
            _ => return None,
        })
    }
}

impl<'a> RequestContext<'a> {
    /// With `aws:userid`: a user's ID, or a role's with the name of the session behind a colon. The root user's is its
    /// account and need not be told.
    #[must_use]
    pub const fn user_id(mut self, id: &'a str) -> Self {
        self.circumstances.user_id = Some(id);
        self
    }

    /// With the tags of the user, or of the role and its session: `aws:PrincipalTag/…`.
    #[must_use]
    pub const fn principal_tags(mut self, tags: Pairs<'a>) -> Self {
        self.circumstances.principal_tags = Some(tags);
        self
    }

    /// With `aws:SourceIdentity` of a role session.
    #[must_use]
    pub const fn source_identity(mut self, identity: &'a str) -> Self {
        self.circumstances.source_identity = Some(identity);
        self
    }

    /// With `aws:TokenIssueTime`, for temporary credentials alone.
    #[must_use]
    pub const fn token_issue_time(mut self, time: Timestamp) -> Self {
        self.circumstances.token_issue_time = Some(time);
        self
    }

    /// With `aws:MultiFactorAuthPresent`, for temporary credentials alone: with access keys of a user the condition key is
    /// absent, not false.
    #[must_use]
    pub const fn multi_factor_auth_present(mut self, present: bool) -> Self {
        self.circumstances.multi_factor_auth_present = Some(present);
        self
    }

    /// With `aws:MultiFactorAuthAge`, in seconds since the second factor was given.
    #[must_use]
    pub const fn multi_factor_auth_age(mut self, seconds: u64) -> Self {
        self.circumstances.multi_factor_auth_age = Some(seconds);
        self
    }

    /// With `aws:CurrentTime` and `aws:EpochTime`.
    #[must_use]
    pub const fn time(mut self, now: Timestamp) -> Self {
        self.circumstances.time = Some(now);
        self
    }

    /// With `aws:SourceIp`.
    #[must_use]
    pub const fn source_ip(mut self, address: IpAddr) -> Self {
        self.circumstances.source_ip = Some(address);
        self
    }

    /// With `aws:SecureTransport`: whether the request came over TLS.
    #[must_use]
    pub const fn secure_transport(mut self, secure: bool) -> Self {
        self.circumstances.secure_transport = Some(secure);
        self
    }

    /// With `aws:UserAgent`.
    #[must_use]
    pub const fn user_agent(mut self, agent: &'a str) -> Self {
        self.circumstances.user_agent = Some(agent);
        self
    }

    /// With `aws:Referer`.
    #[must_use]
    pub const fn referer(mut self, referer: &'a str) -> Self {
        self.circumstances.referer = Some(referer);
        self
    }

    /// With `aws:RequestedRegion`: the Region whose endpoint was called.
    #[must_use]
    pub const fn requested_region(mut self, region: &'a str) -> Self {
        self.circumstances.requested_region = Some(region);
        self
    }

    /// With `aws:SourceArn`, which a service gives that calls for a resource, and which the constraint of grants looks at.
    #[must_use]
    pub const fn source_arn(mut self, arn: &'a str) -> Self {
        self.circumstances.source_arn = Some(arn);
        self
    }

    /// With `aws:SourceAccount`, which a service gives that calls for a resource.
    #[must_use]
    pub const fn source_account(mut self, account: &'a str) -> Self {
        self.circumstances.source_account = Some(account);
        self
    }

    pub(crate) const fn arn_of_source(&self) -> Option<&'a str> {
        self.circumstances.source_arn
    }
}
