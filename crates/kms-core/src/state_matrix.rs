//! Which operation works in which key state: the table "Key states of AWS KMS keys" of the AWS KMS Developer Guide.
//!
//! Refusals because of origin or key spec are not here; they depend on more than the state.

use kms_types::KeyState;

/// Operations whose success depends on the key state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are the API's own operation names")]
pub enum KeyOperation {
    CancelKeyDeletion,
    CreateAlias,
    CreateGrant,
    Decapsulate,
    Decrypt,
    DeleteAlias,
    DeleteImportedKeyMaterial,
    DeriveSharedSecret,
    DescribeKey,
    DisableKey,
    DisableKeyRotation,
    EnableKey,
    EnableKeyRotation,
    Encapsulate,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyPair,
    GenerateDataKeyPairWithoutPlaintext,
    GenerateDataKeyWithoutPlaintext,
    GenerateMac,
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
    ListResourceTags,
    PutKeyPolicy,
    ReEncrypt,
    ReplicateKey,
    RetireGrant,
    RevokeGrant,
    RotateKeyOnDemand,
    ScheduleKeyDeletion,
    Sign,
    TagResource,
    UntagResource,
    UpdateAlias,
    UpdateKeyDescription,
    UpdatePrimaryRegion,
    Verify,
    VerifyMac,
}

/// Why a key state refuses an operation. `Disabled` is AWS's `DisabledException`, the others are its
/// `KMSInvalidStateException`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateFault {
    /// The key is disabled.
    #[error("is disabled.")]
    Disabled,
    /// A deletion is pending.
    #[error("is pending deletion.")]
    PendingDeletion,
    /// No deletion is pending.
    #[error("is not pending deletion.")]
    NotPendingDeletion,
    /// Key material has yet to be imported.
    #[error("is pending import.")]
    PendingImport,
    /// The custom key store is away.
    #[error("is unavailable.")]
    Unavailable,
    /// The replica is not ready yet.
    #[error("is creating.")]
    Creating,
    /// The primary Region is being moved.
    #[error("is updating.")]
    Updating,
}

/// How an operation behaves over the states; each row of the published table is one of these.
enum Row {
    /// Works in every state.
    Always,
    /// Uses the material: only when Enabled, and while the primary moves.
    Use,
    /// Like `Use`, but not while the primary moves.
    UseNotUpdating,
    /// Like `Use`, but also while the custom key store is away.
    Grant,
    /// Changes Enabled and Disabled.
    Switch,
    /// Changes metadata: not while a deletion is pending.
    Edit,
    /// Like `Edit`, but not while the primary moves.
    Schedule,
    /// Only while a deletion is pending.
    Cancel,
    /// Imports material.
    Import,
    /// Prepares an import: like `Import`, but not while the primary moves.
    PrepareImport,
    /// Removes imported material, even while a deletion is pending.
    DeleteImport,
}

const fn row(operation: KeyOperation) -> Row {
    use KeyOperation as O;
    match operation {
        O::CancelKeyDeletion => Row::Cancel,
        O::CreateAlias | O::TagResource | O::UntagResource | O::UpdateAlias | O::UpdateKeyDescription => Row::Edit,
        O::ScheduleKeyDeletion => Row::Schedule,
        O::DisableKey | O::EnableKey => Row::Switch,
        O::CreateGrant => Row::Grant,
        O::Decapsulate
        | O::Decrypt
        | O::DeriveSharedSecret
        | O::DisableKeyRotation
        | O::EnableKeyRotation
        | O::Encapsulate
        | O::Encrypt
        | O::GenerateDataKey
        | O::GenerateDataKeyPair
        | O::GenerateDataKeyPairWithoutPlaintext
        | O::GenerateDataKeyWithoutPlaintext
        | O::GenerateMac
        | O::GetPublicKey
        | O::ReEncrypt
        | O::RotateKeyOnDemand
        | O::Sign
        | O::UpdatePrimaryRegion
        | O::Verify
        | O::VerifyMac => Row::Use,
        O::ReplicateKey => Row::UseNotUpdating,
        O::ImportKeyMaterial => Row::Import,
        O::GetParametersForImport => Row::PrepareImport,
        O::DeleteImportedKeyMaterial => Row::DeleteImport,
        O::DeleteAlias
        | O::DescribeKey
        | O::GetKeyLastUsage
        | O::GetKeyPolicy
        | O::GetKeyRotationStatus
        | O::ListAliases
        | O::ListGrants
        | O::ListKeyPolicies
        | O::ListKeyRotations
        | O::ListResourceTags
        | O::PutKeyPolicy
        | O::RetireGrant
        | O::RevokeGrant => Row::Always,
    }
}

/// Whether the operation works on a key in this state.
///
/// # Errors
/// The [`StateFault`] that AWS answers.
pub const fn check(operation: KeyOperation, state: KeyState) -> Result<(), StateFault> {
    use KeyState as S;
    use StateFault as F;
    match (row(operation), state) {
        (Row::Cancel, S::PendingDeletion | S::PendingReplicaDeletion) => Ok(()),
        (Row::Cancel, _) => Err(F::NotPendingDeletion),
        (Row::Always, _) | (_, S::Enabled) => Ok(()),
        (Row::Import | Row::PrepareImport | Row::DeleteImport, S::Creating) => Err(F::Creating),
        (Row::PrepareImport | Row::DeleteImport, S::Updating) => Err(F::Updating),
        (Row::DeleteImport, _) => Ok(()),
        (_, S::PendingDeletion | S::PendingReplicaDeletion) => Err(F::PendingDeletion),
        (Row::Edit | Row::Import | Row::PrepareImport, _) => Ok(()),
        (Row::Schedule, S::Updating) => Err(F::Updating),
        (Row::Schedule, _) => Ok(()),
        (Row::Switch, S::Disabled | S::Unavailable) => Ok(()),
        (_, S::PendingImport) => Err(F::PendingImport),
        (_, S::Creating) => Err(F::Creating),
        (Row::Switch | Row::UseNotUpdating, S::Updating) => Err(F::Updating),
        (Row::Use | Row::Grant, S::Updating) | (Row::Grant, S::Unavailable) => Ok(()),
        (Row::Use | Row::UseNotUpdating | Row::Grant, S::Disabled) => Err(F::Disabled),
        (Row::Use | Row::UseNotUpdating, S::Unavailable) => Err(F::Unavailable),
    }
}
