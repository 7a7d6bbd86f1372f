//! The parameters of a request that conditions ask for.

use super::{Fact, Names, Pairs, RequestContext};
use crate::action::Action;
use crate::condition_key::NamedKey;
use kms_types::{
    EncryptionAlgorithm, ExpirationModel, KeyAgreementAlgorithm, KeySpec, MacAlgorithm, MessageType, SigningAlgorithm,
    Timestamp, WrappingAlgorithm, WrappingKeySpec,
};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parameters<'a> {
    bypass: Option<bool>,
    data_key_pair_spec: Option<KeySpec>,
    encryption_algorithm: Option<EncryptionAlgorithm>,
    expiration_model: Option<ExpirationModel>,
    grant_is_for_aws_resource: bool,
    key_agreement_algorithm: Option<KeyAgreementAlgorithm>,
    mac_algorithm: Option<MacAlgorithm>,
    message_type: Option<MessageType>,
    pending_window_in_days: Option<u32>,
    policy_name: Option<&'a str>,
    primary_region: Option<&'a str>,
    re_encrypt_on_same_key: Option<bool>,
    replica_region: Option<&'a str>,
    request_alias: Option<&'a str>,
    retiring_principal: Option<&'a str>,
    retiring_service_principal: Option<&'a str>,
    rotation_period_in_days: Option<u32>,
    signing_algorithm: Option<SigningAlgorithm>,
    tag_keys: Option<Names<'a>>,
    pub(super) tags: Option<Pairs<'a>>,
    valid_to: Option<Timestamp>,
    via_service: Option<&'a str>,
    wrapping_algorithm: Option<WrappingAlgorithm>,
    wrapping_key_spec: Option<WrappingKeySpec>,
}

impl Parameters<'_> {
    pub(super) fn fact(&self, key: NamedKey) -> Option<Fact<'_>> {
        Some(match key {
            NamedKey::BypassPolicyLockoutSafetyCheck => Fact::Boolean(self.bypass?),
            NamedKey::DataKeyPairSpec => Fact::Text(self.data_key_pair_spec?.as_str()),
            NamedKey::EncryptionAlgorithm => Fact::Text(self.encryption_algorithm?.as_str()),
            NamedKey::ExpirationModel => Fact::Text(self.expiration_model?.as_str()),
            NamedKey::GrantIsForAwsResource => Fact::Boolean(self.grant_is_for_aws_resource),
            NamedKey::KeyAgreementAlgorithm => Fact::Text(self.key_agreement_algorithm?.as_str()),
            NamedKey::MacAlgorithm => Fact::Text(self.mac_algorithm?.as_str()),
            NamedKey::MessageType => Fact::Text(self.message_type?.as_str()),
            NamedKey::PolicyName => Fact::Text(self.policy_name?),
            NamedKey::PrimaryRegion => Fact::Text(self.primary_region?),
            NamedKey::ReEncryptOnSameKey => Fact::Boolean(self.re_encrypt_on_same_key?),
            NamedKey::ReplicaRegion => Fact::Text(self.replica_region?),
            NamedKey::RequestAlias => Fact::Text(self.request_alias?),
            NamedKey::RetiringPrincipal => Fact::Text(self.retiring_principal?),
            NamedKey::RetiringServicePrincipal => Fact::Text(self.retiring_service_principal?),
            NamedKey::RotationPeriodInDays => Fact::Number(self.rotation_period_in_days?.into()),
            NamedKey::ScheduleKeyDeletionPendingWindowInDays => Fact::Number(self.pending_window_in_days?.into()),
            NamedKey::SigningAlgorithm => Fact::Text(self.signing_algorithm?.as_str()),
            NamedKey::ValidTo => Fact::Moment(self.valid_to?),
            NamedKey::ViaService => Fact::Text(self.via_service?),
            NamedKey::WrappingAlgorithm => Fact::Text(self.wrapping_algorithm?.as_str()),
            NamedKey::WrappingKeySpec => Fact::Text(self.wrapping_key_spec?.as_str()),
            _ => return None,
        })
    }

    pub(super) fn visit_tag_keys(&self, see: &mut dyn FnMut(Fact<'_>)) -> bool {
        let mut found = false;
        let mut see = |key: &str| {
            found = true;
            see(Fact::Text(key));
        };
        if let Some(keys) = self.tag_keys {
            keys.walk(&mut see);
        } else if let Some(tags) = self.tags {
            tags.walk(&mut |key, _| see(key));
        }
        found
    }
}

impl<'a> RequestContext<'a> {
    /// The same caller under the same circumstances, putting a policy of this name without the bypass.
    pub(crate) const fn to_put_next_policy(mut self, name: &'a str) -> Self {
        self.action = Action::PutKeyPolicy;
        self.parameters.bypass = None;
        self.parameters.policy_name = Some(name);
        self
    }

    /// With `kms:BypassPolicyLockoutSafetyCheck`, only when the request names the parameter: policies tell its absence from
    /// `false`.
    #[must_use]
    pub const fn bypass_policy_lockout_safety_check(mut self, bypass: bool) -> Self {
        self.parameters.bypass = Some(bypass);
        self
    }

    /// With `kms:DataKeyPairSpec`.
    #[must_use]
    pub const fn data_key_pair_spec(mut self, spec: KeySpec) -> Self {
        self.parameters.data_key_pair_spec = Some(spec);
        self
    }

    /// With `kms:EncryptionAlgorithm`: the algorithm that is used, for data keys `SYMMETRIC_DEFAULT`.
    #[must_use]
    pub const fn encryption_algorithm(mut self, algorithm: EncryptionAlgorithm) -> Self {
        self.parameters.encryption_algorithm = Some(algorithm);
        self
    }

    /// With `kms:ExpirationModel`, only when the request names it: AWS's own example tells its absence from the default.
    #[must_use]
    pub const fn expiration_model(mut self, model: ExpirationModel) -> Self {
        self.parameters.expiration_model = Some(model);
        self
    }

    /// With `kms:GrantIsForAWSResource`, which is false unless told otherwise: no service of AWS calls here.
    #[must_use]
    pub const fn grant_is_for_aws_resource(mut self, is: bool) -> Self {
        self.parameters.grant_is_for_aws_resource = is;
        self
    }

    /// With `kms:KeyAgreementAlgorithm`.
    #[must_use]
    pub const fn key_agreement_algorithm(mut self, algorithm: KeyAgreementAlgorithm) -> Self {
        self.parameters.key_agreement_algorithm = Some(algorithm);
        self
    }

    /// With `kms:MacAlgorithm`.
    #[must_use]
    pub const fn mac_algorithm(mut self, algorithm: MacAlgorithm) -> Self {
        self.parameters.mac_algorithm = Some(algorithm);
        self
    }

    /// With `kms:MessageType`.
    #[must_use]
    pub const fn message_type(mut self, message_type: MessageType) -> Self {
        self.parameters.message_type = Some(message_type);
        self
    }

    /// With `kms:ScheduleKeyDeletionPendingWindowInDays`.
    #[must_use]
    pub const fn pending_window_in_days(mut self, days: u32) -> Self {
        self.parameters.pending_window_in_days = Some(days);
        self
    }

    /// With `kms:PolicyName`.
    #[must_use]
    pub const fn policy_name(mut self, name: &'a str) -> Self {
        self.parameters.policy_name = Some(name);
        self
    }

    /// With `kms:PrimaryRegion`: the Region of the primary that is to be.
    #[must_use]
    pub const fn primary_region(mut self, region: &'a str) -> Self {
        self.parameters.primary_region = Some(region);
        self
    }

    /// With `kms:ReEncryptOnSameKey`.
    #[must_use]
    pub const fn re_encrypt_on_same_key(mut self, same: bool) -> Self {
        self.parameters.re_encrypt_on_same_key = Some(same);
        self
    }

    /// With `kms:ReplicaRegion`.
    #[must_use]
    pub const fn replica_region(mut self, region: &'a str) -> Self {
        self.parameters.replica_region = Some(region);
        self
    }

    /// With `kms:RequestAlias`: the name behind the ARN's last colon, when the request names the key by an alias.
    #[must_use]
    pub const fn request_alias(mut self, name: &'a str) -> Self {
        self.parameters.request_alias = Some(name);
        self
    }

    /// With `kms:RetiringPrincipal`.
    #[must_use]
    pub const fn retiring_principal(mut self, arn: &'a str) -> Self {
        self.parameters.retiring_principal = Some(arn);
        self
    }

    /// With `kms:RetiringServicePrincipal`.
    #[must_use]
    pub const fn retiring_service_principal(mut self, name: &'a str) -> Self {
        self.parameters.retiring_service_principal = Some(name);
        self
    }

    /// With `kms:RotationPeriodInDays`.
    #[must_use]
    pub const fn rotation_period_in_days(mut self, days: u32) -> Self {
        self.parameters.rotation_period_in_days = Some(days);
        self
    }

    /// With `kms:SigningAlgorithm`.
    #[must_use]
    pub const fn signing_algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.parameters.signing_algorithm = Some(algorithm);
        self
    }

    /// With the tag keys of UntagResource: `aws:TagKeys`.
    #[must_use]
    pub const fn tag_keys(mut self, keys: Names<'a>) -> Self {
        self.parameters.tag_keys = Some(keys);
        self
    }

    /// With the tags of CreateKey or TagResource, or of a session: `aws:RequestTag/…` and `aws:TagKeys`.
    #[must_use]
    pub const fn request_tags(mut self, tags: Pairs<'a>) -> Self {
        self.parameters.tags = Some(tags);
        self
    }

    /// With `kms:ValidTo`.
    #[must_use]
    pub const fn valid_to(mut self, time: Timestamp) -> Self {
        self.parameters.valid_to = Some(time);
        self
    }

    /// With `kms:ViaService`, as in `s3.us-east-1.amazonaws.com`.
    #[must_use]
    pub const fn via_service(mut self, name: &'a str) -> Self {
        self.parameters.via_service = Some(name);
        self
    }

    /// With `kms:WrappingAlgorithm`.
    #[must_use]
    pub const fn wrapping_algorithm(mut self, algorithm: WrappingAlgorithm) -> Self {
        self.parameters.wrapping_algorithm = Some(algorithm);
        self
    }

    /// With `kms:WrappingKeySpec`.
    #[must_use]
    pub const fn wrapping_key_spec(mut self, spec: WrappingKeySpec) -> Self {
        self.parameters.wrapping_key_spec = Some(spec);
        self
    }
}
