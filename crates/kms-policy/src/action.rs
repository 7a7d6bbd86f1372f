//! The actions that a request can be about, and sets of them.
//!
//! A policy writes patterns of actions; they are matched against this list once, when the document is parsed, and a
//! decision looks at one bit. AWS's service authorisation reference lists the actions of AWS KMS.

use kms_types::GrantOperation;
use std::fmt;

/// An action that is authorised.
///
/// Most have the name of an operation. `ReEncrypt` is two actions, one on each key, and `SynchronizeMultiRegionKey` is
/// the service's own. The actions of other services are those that an endpoint of this service needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the names of AWS's actions")]
pub enum Action {
    CancelKeyDeletion,
    ConnectCustomKeyStore,
    CreateAlias,
    CreateCustomKeyStore,
    CreateGrant,
    CreateKey,
    Decapsulate,
    Decrypt,
    DeleteAlias,
    DeleteCustomKeyStore,
    DeleteImportedKeyMaterial,
    DeriveSharedSecret,
    DescribeCustomKeyStores,
    DescribeKey,
    DisableKey,
    DisableKeyRotation,
    DisconnectCustomKeyStore,
    EnableKey,
    EnableKeyRotation,
    Encapsulate,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyPair,
    GenerateDataKeyPairWithoutPlaintext,
    GenerateDataKeyWithoutPlaintext,
    GenerateMac,
    GenerateRandom,
    GetKeyLastUsage,
    GetKeyPolicy,
    GetKeyRotationStatus,
    GetParametersForImport,
    GetPublicKey,
    ImportKeyMaterial,
    ListAliases,
    ListGrants,
    ListKeyPolicies,
    ListKeyRotations,
    ListKeys,
    ListResourceTags,
    ListRetirableGrants,
    PutKeyPolicy,
    ReEncryptFrom,
    ReEncryptTo,
    ReplicateKey,
    RetireGrant,
    RevokeGrant,
    RotateKeyOnDemand,
    ScheduleKeyDeletion,
    Sign,
    SynchronizeMultiRegionKey,
    TagResource,
    UntagResource,
    UpdateAlias,
    UpdateCustomKeyStore,
    UpdateKeyDescription,
    UpdatePrimaryRegion,
    Verify,
    VerifyMac,
    CreateServiceLinkedRole,
    AssumeRole,
    GetCallerIdentity,
    TagSession,
    SetSourceIdentity,
}

/// Every action with its full name, in the order of the enum.
const NAMES: [(Action, &str); 63] = {
    use Action as A;
    [
        (A::CancelKeyDeletion, "kms:CancelKeyDeletion"),
        (A::ConnectCustomKeyStore, "kms:ConnectCustomKeyStore"),
        (A::CreateAlias, "kms:CreateAlias"),
        (A::CreateCustomKeyStore, "kms:CreateCustomKeyStore"),
        (A::CreateGrant, "kms:CreateGrant"),
        (A::CreateKey, "kms:CreateKey"),
        (A::Decapsulate, "kms:Decapsulate"),
        (A::Decrypt, "kms:Decrypt"),
        (A::DeleteAlias, "kms:DeleteAlias"),
        (A::DeleteCustomKeyStore, "kms:DeleteCustomKeyStore"),
        (A::DeleteImportedKeyMaterial, "kms:DeleteImportedKeyMaterial"),
        (A::DeriveSharedSecret, "kms:DeriveSharedSecret"),
        (A::DescribeCustomKeyStores, "kms:DescribeCustomKeyStores"),
        (A::DescribeKey, "kms:DescribeKey"),
        (A::DisableKey, "kms:DisableKey"),
        (A::DisableKeyRotation, "kms:DisableKeyRotation"),
        (A::DisconnectCustomKeyStore, "kms:DisconnectCustomKeyStore"),
        (A::EnableKey, "kms:EnableKey"),
        (A::EnableKeyRotation, "kms:EnableKeyRotation"),
        (A::Encapsulate, "kms:Encapsulate"),
        (A::Encrypt, "kms:Encrypt"),
        (A::GenerateDataKey, "kms:GenerateDataKey"),
        (A::GenerateDataKeyPair, "kms:GenerateDataKeyPair"),
        (A::GenerateDataKeyPairWithoutPlaintext, "kms:GenerateDataKeyPairWithoutPlaintext"),
        (A::GenerateDataKeyWithoutPlaintext, "kms:GenerateDataKeyWithoutPlaintext"),
        (A::GenerateMac, "kms:GenerateMac"),
        (A::GenerateRandom, "kms:GenerateRandom"),
        (A::GetKeyLastUsage, "kms:GetKeyLastUsage"),
        (A::GetKeyPolicy, "kms:GetKeyPolicy"),
        (A::GetKeyRotationStatus, "kms:GetKeyRotationStatus"),
        (A::GetParametersForImport, "kms:GetParametersForImport"),
        (A::GetPublicKey, "kms:GetPublicKey"),
        (A::ImportKeyMaterial, "kms:ImportKeyMaterial"),
        (A::ListAliases, "kms:ListAliases"),
        (A::ListGrants, "kms:ListGrants"),
        (A::ListKeyPolicies, "kms:ListKeyPolicies"),
        (A::ListKeyRotations, "kms:ListKeyRotations"),
        (A::ListKeys, "kms:ListKeys"),
        (A::ListResourceTags, "kms:ListResourceTags"),
        (A::ListRetirableGrants, "kms:ListRetirableGrants"),
        (A::PutKeyPolicy, "kms:PutKeyPolicy"),
        (A::ReEncryptFrom, "kms:ReEncryptFrom"),
        (A::ReEncryptTo, "kms:ReEncryptTo"),
        (A::ReplicateKey, "kms:ReplicateKey"),
        (A::RetireGrant, "kms:RetireGrant"),
        (A::RevokeGrant, "kms:RevokeGrant"),
        (A::RotateKeyOnDemand, "kms:RotateKeyOnDemand"),
        (A::ScheduleKeyDeletion, "kms:ScheduleKeyDeletion"),
        (A::Sign, "kms:Sign"),
        (A::SynchronizeMultiRegionKey, "kms:SynchronizeMultiRegionKey"),
        (A::TagResource, "kms:TagResource"),
        (A::UntagResource, "kms:UntagResource"),
        (A::UpdateAlias, "kms:UpdateAlias"),
        (A::UpdateCustomKeyStore, "kms:UpdateCustomKeyStore"),
        (A::UpdateKeyDescription, "kms:UpdateKeyDescription"),
        (A::UpdatePrimaryRegion, "kms:UpdatePrimaryRegion"),
        (A::Verify, "kms:Verify"),
        (A::VerifyMac, "kms:VerifyMac"),
        (A::CreateServiceLinkedRole, "iam:CreateServiceLinkedRole"),
        (A::AssumeRole, "sts:AssumeRole"),
        (A::GetCallerIdentity, "sts:GetCallerIdentity"),
        (A::TagSession, "sts:TagSession"),
        (A::SetSourceIdentity, "sts:SetSourceIdentity"),
    ]
};

impl Action {
    /// Every action.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(action, _)| *action)
    }

    /// The full name, as in `kms:Decrypt`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        // The table is in the order of the enum, which a test checks.
        NAMES.get(self as usize).map_or("", |(_, name)| *name)
    }

    /// Reads a full name, whose case does not count.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(action, _)| *action)
    }

    /// Reads the name of an action of AWS KMS without its prefix, as in `Decrypt`.
    #[must_use]
    pub fn kms(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| known.strip_prefix("kms:") == Some(name)).map(|(action, _)| *action)
    }

    /// Whether the action is authorised on a key, and so by its key policy ("KMS key resource operations" in the AWS KMS
    /// Developer Guide). Those on an alias and a key are authorised on each.
    #[must_use]
    pub const fn is_on_key(self) -> bool {
        !NOT_ON_A_KEY.contains(self)
    }

    /// Whether key policies and grants can open the action to other accounts (AWS KMS Developer Guide, "Allowing users in
    /// other accounts to use a KMS key").
    #[must_use]
    pub const fn is_across_accounts(self) -> bool {
        ACROSS_ACCOUNTS.contains(self)
    }

    /// Whether the action is authorised on a role, and so by its trust policy.
    #[must_use]
    pub const fn is_on_role(self) -> bool {
        matches!(self, Self::AssumeRole | Self::TagSession | Self::SetSourceIdentity)
    }

    /// The operation of grants that permits the action.
    #[must_use]
    pub const fn grant_operation(self) -> Option<GrantOperation> {
        use GrantOperation as G;
        Some(match self {
            Self::CreateGrant => G::CreateGrant,
            Self::Decapsulate => G::Decapsulate,
            Self::Decrypt => G::Decrypt,
            Self::DeriveSharedSecret => G::DeriveSharedSecret,
            Self::DescribeKey => G::DescribeKey,
            Self::Encapsulate => G::Encapsulate,
            Self::Encrypt => G::Encrypt,
            Self::GenerateDataKey => G::GenerateDataKey,
            Self::GenerateDataKeyPair => G::GenerateDataKeyPair,
            Self::GenerateDataKeyPairWithoutPlaintext => G::GenerateDataKeyPairWithoutPlaintext,
            Self::GenerateDataKeyWithoutPlaintext => G::GenerateDataKeyWithoutPlaintext,
            Self::GenerateMac => G::GenerateMac,
            Self::GetPublicKey => G::GetPublicKey,
            Self::ReEncryptFrom => G::ReEncryptFrom,
            Self::ReEncryptTo => G::ReEncryptTo,
            Self::RetireGrant => G::RetireGrant,
            Self::Sign => G::Sign,
            Self::Verify => G::Verify,
            Self::VerifyMac => G::VerifyMac,
            _ => return None,
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Actions of the account, of custom key stores, and of other services.
const NOT_ON_A_KEY: ActionSet = ActionSet::of(&[
    Action::AssumeRole,
    Action::ConnectCustomKeyStore,
    Action::CreateCustomKeyStore,
    Action::CreateKey,
    Action::CreateServiceLinkedRole,
    Action::DeleteCustomKeyStore,
    Action::DescribeCustomKeyStores,
    Action::DisconnectCustomKeyStore,
    Action::GenerateRandom,
    Action::GetCallerIdentity,
    Action::ListAliases,
    Action::ListKeys,
    Action::ListRetirableGrants,
    Action::SetSourceIdentity,
    Action::TagSession,
    Action::UpdateCustomKeyStore,
]);

/// Cryptographic operations and those on grants, and the few that read.
const ACROSS_ACCOUNTS: ActionSet = ActionSet::of(&[
    Action::CreateGrant,
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
    Action::GetKeyRotationStatus,
    Action::GetPublicKey,
    Action::ListGrants,
    Action::ReEncryptFrom,
    Action::ReEncryptTo,
    Action::RetireGrant,
    Action::RevokeGrant,
    Action::Sign,
    Action::Verify,
    Action::VerifyMac,
]);

/// A set of actions, one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ActionSet(u64);

impl ActionSet {
    /// The set of these actions.
    pub(crate) const fn of(mut actions: &[Action]) -> Self {
        let mut bits = 0;
        while let [first, rest @ ..] = actions {
            bits |= 1 << *first as u64;
            actions = rest;
        }
        Self(bits)
    }

    pub(crate) const fn contains(self, action: Action) -> bool {
        self.0 & (1 << action as u64) != 0
    }

    pub(crate) fn insert(&mut self, action: Action) {
        self.0 |= 1 << action as u64;
    }

    /// Every action that is not in this set.
    pub(crate) const fn complement(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Action::all().filter(|action| self.contains(*action))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_the_order_of_the_enum_and_fits_a_set() {
        for (place, (action, name)) in NAMES.iter().enumerate() {
            assert_eq!((*action as usize, action.as_str(), Action::parse(name)), (place, *name, Some(*action)));
        }
        assert!(NAMES.len() <= 64);
        assert_eq!(Action::parse("KMS:decrypt"), Some(Action::Decrypt));
        assert_eq!((Action::kms("Decrypt"), Action::kms("AssumeRole")), (Some(Action::Decrypt), None));
    }

    #[test]
    fn every_operation_of_grants_has_its_action() {
        for operation in GrantOperation::ALL {
            let action = Action::kms(operation.as_str()).unwrap();
            assert_eq!(action.grant_operation(), Some(operation));
            assert!(action.is_on_key() && action.is_across_accounts(), "{action}");
        }
        assert_eq!(
            Action::all().filter(|action| action.grant_operation().is_some()).count(),
            GrantOperation::ALL.len()
        );
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = ActionSet::of(&[Action::Sign]);
        set.insert(Action::TagSession);
        let held: Vec<Action> = Action::all().filter(|action| set.contains(*action)).collect();
        assert_eq!(held, [Action::Sign, Action::TagSession]);
        assert_eq!(Action::all().filter(|action| set.complement().contains(*action)).count(), NAMES.len() - 2);
    }
}
