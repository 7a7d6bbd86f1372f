//! Every condition key of AWS KMS and those of all services that a request to this one can have (AWS KMS Developer Guide,
//! "AWS KMS condition keys"; IAM User Guide, "AWS global condition context keys").

use crate::action::{Action, ActionSet};

/// Where requests have a condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In every request, if its circumstances give it a value.
    Everywhere,
    /// In actions on a key.
    Keys,
    /// In actions on a key, and on a role that somebody wants to assume.
    KeysAndRoles,
    /// In actions on a key, and in CreateKey for the key that is to be.
    KeysAndCreateKey,
    /// In actions on a key and on custom key stores.
    KeysAndStores,
    /// In these actions.
    Actions(ActionSet),
}

impl Scope {
    /// Whether a request for the action has the key.
    pub(crate) const fn includes(self, action: Action) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Keys => action.is_on_key(),
            Self::KeysAndRoles => action.is_on_key() || matches!(action, Action::AssumeRole | Action::TagSession),
            Self::KeysAndCreateKey => action.is_on_key() || matches!(action, Action::CreateKey),
            Self::KeysAndStores => action.is_on_key() || ON_STORES.contains(action),
            Self::Actions(actions) => actions.contains(action),
        }
    }
}

/// A condition key with a fixed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NamedKey {
    BypassPolicyLockoutSafetyCheck,
    CallerAccount,
    CustomerMasterKeySpec,
    CustomerMasterKeyUsage,
    DataKeyPairSpec,
    EncryptionAlgorithm,
    EncryptionContextKeys,
    ExpirationModel,
    GrantConstraintSourceArn,
    GrantConstraintType,
    GrantIsForAwsResource,
    GrantOperations,
    GranteePrincipal,
    GranteeServicePrincipal,
    KeyAgreementAlgorithm,
    KeyOrigin,
    KeySpec,
    KeyUsage,
    MacAlgorithm,
    MessageType,
    MultiRegion,
    MultiRegionKeyType,
    PolicyName,
    PrimaryRegion,
    ReEncryptOnSameKey,
    ReplicaRegion,
    RequestAlias,
    ResourceAliases,
    RetiringPrincipal,
    RetiringServicePrincipal,
    RotationPeriodInDays,
    ScheduleKeyDeletionPendingWindowInDays,
    SigningAlgorithm,
    ValidTo,
    ViaService,
    WrappingAlgorithm,
    WrappingKeySpec,
    CurrentTime,
    EpochTime,
    MultiFactorAuthAge,
    MultiFactorAuthPresent,
    PrincipalAccount,
    PrincipalArn,
    PrincipalIsAwsService,
    PrincipalType,
    Referer,
    RequestedRegion,
    ResourceAccount,
    SecureTransport,
    SourceAccount,
    SourceArn,
    SourceIdentity,
    SourceIp,
    TagKeys,
    TokenIssueTime,
    UserAgent,
    UserId,
    UserName,
    ViaAwsService,
}

/// Every named key in the order of the enum, its name in lower case, and where requests have it.
const TABLE: [(NamedKey, &str, Scope); 59] = {
    use NamedKey as K;
    use Scope::{Actions, Everywhere, Keys, KeysAndCreateKey, KeysAndStores};
    [
        (K::BypassPolicyLockoutSafetyCheck, "kms:bypasspolicylockoutsafetycheck", Actions(WITH_BYPASS)),
        (K::CallerAccount, "kms:calleraccount", KeysAndStores),
        (K::CustomerMasterKeySpec, "kms:customermasterkeyspec", KeysAndCreateKey),
        (K::CustomerMasterKeyUsage, "kms:customermasterkeyusage", KeysAndCreateKey),
        (K::DataKeyPairSpec, "kms:datakeypairspec", Actions(WITH_KEY_PAIR)),
        (K::EncryptionAlgorithm, "kms:encryptionalgorithm", Actions(WITH_ENCRYPTION)),
        (K::EncryptionContextKeys, "kms:encryptioncontextkeys", Actions(WITH_ENCRYPTION_CONTEXT)),
        (K::ExpirationModel, "kms:expirationmodel", Actions(ActionSet::of(&[Action::ImportKeyMaterial]))),
        (K::GrantConstraintSourceArn, "kms:grantconstraintsourcearn", Actions(WITH_NEW_GRANT)),
        (K::GrantConstraintType, "kms:grantconstrainttype", Actions(WITH_NEW_GRANT)),
        (K::GrantIsForAwsResource, "kms:grantisforawsresource", Actions(WITH_GRANTS)),
        (K::GrantOperations, "kms:grantoperations", Actions(WITH_NEW_GRANT)),
        (K::GranteePrincipal, "kms:granteeprincipal", Actions(WITH_NEW_GRANT)),
        (K::GranteeServicePrincipal, "kms:granteeserviceprincipal", Actions(WITH_NEW_GRANT)),
        (K::KeyAgreementAlgorithm, "kms:keyagreementalgorithm", Actions(ActionSet::of(&[Action::DeriveSharedSecret]))),
        (K::KeyOrigin, "kms:keyorigin", KeysAndCreateKey),
        (K::KeySpec, "kms:keyspec", KeysAndCreateKey),
        (K::KeyUsage, "kms:keyusage", KeysAndCreateKey),
        (K::MacAlgorithm, "kms:macalgorithm", Actions(ActionSet::of(&[Action::GenerateMac, Action::VerifyMac]))),
        (K::MessageType, "kms:messagetype", Actions(WITH_SIGNATURE)),
        (K::MultiRegion, "kms:multiregion", KeysAndCreateKey),
        (K::MultiRegionKeyType, "kms:multiregionkeytype", KeysAndCreateKey),
        (K::PolicyName, "kms:policyname", Actions(ActionSet::of(&[Action::GetKeyPolicy, Action::PutKeyPolicy]))),
        (K::PrimaryRegion, "kms:primaryregion", Actions(ActionSet::of(&[Action::UpdatePrimaryRegion]))),
        (K::ReEncryptOnSameKey, "kms:reencryptonsamekey", Actions(WITH_TWO_KEYS)),
        (K::ReplicaRegion, "kms:replicaregion", Actions(ActionSet::of(&[Action::ReplicateKey]))),
        (K::RequestAlias, "kms:requestalias", Actions(WITH_ALIAS)),
        (K::ResourceAliases, "kms:resourcealiases", Keys),
        (K::RetiringPrincipal, "kms:retiringprincipal", Actions(WITH_NEW_GRANT)),
        (K::RetiringServicePrincipal, "kms:retiringserviceprincipal", Actions(WITH_NEW_GRANT)),
        (K::RotationPeriodInDays, "kms:rotationperiodindays", Actions(ActionSet::of(&[Action::EnableKeyRotation]))),
        (
            K::ScheduleKeyDeletionPendingWindowInDays,
            "kms:schedulekeydeletionpendingwindowindays",
            Actions(ActionSet::of(&[Action::ScheduleKeyDeletion])),
        ),
        (K::SigningAlgorithm, "kms:signingalgorithm", Actions(WITH_SIGNATURE)),
        (K::ValidTo, "kms:validto", Actions(ActionSet::of(&[Action::ImportKeyMaterial]))),
        (K::ViaService, "kms:viaservice", Keys),
        (K::WrappingAlgorithm, "kms:wrappingalgorithm", Actions(WITH_WRAPPING)),
        (K::WrappingKeySpec, "kms:wrappingkeyspec", Actions(WITH_WRAPPING)),
        (K::CurrentTime, "aws:currenttime", Everywhere),
        (K::EpochTime, "aws:epochtime", Everywhere),
        (K::MultiFactorAuthAge, "aws:multifactorauthage", Everywhere),
        (K::MultiFactorAuthPresent, "aws:multifactorauthpresent", Everywhere),
        (K::PrincipalAccount, "aws:principalaccount", Everywhere),
        (K::PrincipalArn, "aws:principalarn", Everywhere),
        (K::PrincipalIsAwsService, "aws:principalisawsservice", Everywhere),
        (K::PrincipalType, "aws:principaltype", Everywhere),
        (K::Referer, "aws:referer", Everywhere),
        (K::RequestedRegion, "aws:requestedregion", Everywhere),
        (K::ResourceAccount, "aws:resourceaccount", Everywhere),
        (K::SecureTransport, "aws:securetransport", Everywhere),
        (K::SourceAccount, "aws:sourceaccount", Everywhere),
        (K::SourceArn, "aws:sourcearn", Everywhere),
        (K::SourceIdentity, "aws:sourceidentity", Everywhere),
        (K::SourceIp, "aws:sourceip", Everywhere),
        (K::TagKeys, "aws:tagkeys", Actions(WITH_TAG_KEYS)),
        (K::TokenIssueTime, "aws:tokenissuetime", Everywhere),
        (K::UserAgent, "aws:useragent", Everywhere),
        (K::UserId, "aws:userid", Everywhere),
        (K::UserName, "aws:username", Everywhere),
        (K::ViaAwsService, "aws:viaawsservice", Everywhere),
    ]
};

/// Keys of all services that no request to this one brings: there are no organisations, endpoints of a virtual network,
/// or services that act for somebody. Their names behind `aws:`, in lower case.
pub(super) const AWS_ELSEWHERE: [&str; 27] = [
    "assumedroot",
    "calledvia",
    "calledviaawsmcp",
    "calledviafirst",
    "calledvialast",
    "chatbotsourcearn",
    "ec2instancesourceprivateipv4",
    "ec2instancesourcevpc",
    "federatedprovider",
    "principalorgid",
    "principalorgpaths",
    "principalservicename",
    "principalservicenameslist",
    "resourceorgid",
    "resourceorgpaths",
    "signinsessionarn",
    "sourceorgid",
    "sourceorgpaths",
    "sourceowner",
    "sourcevpc",
    "sourcevpcarn",
    "sourcevpce",
    "viaawsmcpservice",
    "vpceaccount",
    "vpceorgid",
    "vpceorgpaths",
    "vpcsourceip",
];

const ON_STORES: ActionSet = ActionSet::of(&[
    Action::ConnectCustomKeyStore,
    Action::CreateCustomKeyStore,
    Action::DeleteCustomKeyStore,
    Action::DescribeCustomKeyStores,
    Action::DisconnectCustomKeyStore,
    Action::UpdateCustomKeyStore,
]);
const WITH_BYPASS: ActionSet = ActionSet::of(&[Action::CreateKey, Action::PutKeyPolicy]);
const WITH_KEY_PAIR: ActionSet =
    ActionSet::of(&[Action::GenerateDataKeyPair, Action::GenerateDataKeyPairWithoutPlaintext]);
const WITH_ENCRYPTION: ActionSet = ActionSet::of(&[
    Action::Decrypt,
    Action::Encrypt,
    Action::GenerateDataKey,
    Action::GenerateDataKeyPair,
    Action::GenerateDataKeyPairWithoutPlaintext,
    Action::GenerateDataKeyWithoutPlaintext,
    Action::ReEncryptFrom,
    Action::ReEncryptTo,
]);
/// RetireGrant is in AWS's service authorisation data and not in the guide.
pub(super) const WITH_ENCRYPTION_CONTEXT: ActionSet = ActionSet::of(&[
    Action::CreateGrant,
    Action::Decrypt,
    Action::Encrypt,
    Action::GenerateDataKey,
    Action::GenerateDataKeyPair,
    Action::GenerateDataKeyPairWithoutPlaintext,
    Action::GenerateDataKeyWithoutPlaintext,
    Action::ReEncryptFrom,
    Action::ReEncryptTo,
    Action::RetireGrant,
]);
const WITH_NEW_GRANT: ActionSet = ActionSet::of(&[Action::CreateGrant]);
const WITH_GRANTS: ActionSet = ActionSet::of(&[Action::CreateGrant, Action::ListGrants, Action::RevokeGrant]);
const WITH_SIGNATURE: ActionSet = ActionSet::of(&[Action::Sign, Action::Verify]);
const WITH_TWO_KEYS: ActionSet = ActionSet::of(&[Action::ReEncryptFrom, Action::ReEncryptTo]);
const WITH_WRAPPING: ActionSet = ActionSet::of(&[Action::GetParametersForImport]);
/// Cryptographic operations on a key, DescribeKey and GetPublicKey. Not the operations on aliases.
const WITH_ALIAS: ActionSet = ActionSet::of(&[
    Action::Decapsulate,
    Action::Decrypt,
    Action::DeriveSharedSecret,
    Action::DescribeKey,
    Action::Encapsulate,
    Action::Encrypt,
    Action::GenerateDataKey,
    Action::GenerateDataKeyPair,
    Action::GenerateDataKeyPairWithoutPlaintext,
    Action::GenerateDataKeyWithoutPlaintext,
    Action::GenerateMac,
    Action::GetPublicKey,
    Action::ReEncryptFrom,
    Action::ReEncryptTo,
    Action::Sign,
    Action::Verify,
    Action::VerifyMac,
]);
/// Operations that can answer an attested recipient.
pub(super) const WITH_RECIPIENT: ActionSet = ActionSet::of(&[
    Action::Decrypt,
    Action::DeriveSharedSecret,
    Action::GenerateDataKey,
    Action::GenerateDataKeyPair,
    Action::GenerateRandom,
]);
pub(super) const WITH_TAGS: ActionSet =
    ActionSet::of(&[Action::AssumeRole, Action::CreateKey, Action::TagResource, Action::TagSession]);
const WITH_TAG_KEYS: ActionSet = ActionSet::of(&[
    Action::AssumeRole,
    Action::CreateKey,
    Action::TagResource,
    Action::TagSession,
    Action::UntagResource,
]);

impl NamedKey {
    /// Finds a key by its name in lower case.
    pub(super) fn find(lower: &str) -> Option<Self> {
        TABLE.iter().find(|(_, name, _)| *name == lower).map(|(key, _, _)| *key)
    }

    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(key, _, _)| *key)
    }

    /// The whole name, in lower case.
    pub(crate) fn name(self) -> &'static str {
        TABLE.get(self as usize).map_or("", |(_, name, _)| *name)
    }

    /// Where requests have the key.
    pub(crate) fn scope(self) -> Scope {
        // The table is in the order of the enum, which a test checks.
        TABLE.get(self as usize).map_or(Scope::Actions(ActionSet::of(&[])), |(_, _, scope)| *scope)
    }

    /// Whether a request may bring several values.
    pub(crate) const fn is_multi_valued(self) -> bool {
        matches!(self, Self::EncryptionContextKeys | Self::GrantOperations | Self::ResourceAliases | Self::TagKeys)
    }
}

#[cfg(test)]
mod tests;
