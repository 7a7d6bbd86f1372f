//! Changes submitted for an operation, and refusals of the two state machines put into AWS's words: one total table
//! for each, so that a new refusal does not compile until somebody has decided whose fault it is.
#![deny(clippy::wildcard_enum_match_arm)]

use crate::residency::residency_denied;
use crate::{KeyEntry, KmsError, Service, Trail};
use kms_core::control::{ControlBody, Refusal};
use kms_core::regional::{RegionalBody, RegionalRefusal};
use kms_types::{AliasArn, KeyArn, RegionName};

impl Service {
    /// Changes independent properties of a key.
    pub(crate) async fn change_key(&self, entry: &KeyEntry, body: RegionalBody) -> Result<(), KmsError> {
        self.submit(body).await?.map_err(|refusal| regional_refused(&entry.arn, &refusal))
    }

    /// Creates, moves or deletes an alias of a key.
    pub(crate) async fn change_alias(
        &self,
        alias: &AliasArn,
        key: &KeyArn,
        body: RegionalBody,
    ) -> Result<(), KmsError> {
        let limit = self.config().quotas.aliases_per_key;
        self.submit(body).await?.map_err(|refusal| alias_refused(alias, key, limit, &refusal))
    }

    /// Changes shared properties of a multi-Region key that is primary here.
    pub(crate) async fn change_key_set(
        &self,
        trail: &Trail,
        entry: &KeyEntry,
        body: ControlBody,
    ) -> Result<(), KmsError> {
        self.propose(trail, body).await?.map_err(|refusal| control_refused(entry, self.region(), &refusal))
    }
}

/// AWS's error for a refused change of a key.
pub(crate) fn regional_refused(key: &KeyArn, refusal: &RegionalRefusal) -> KmsError {
    match refusal {
        RegionalRefusal::KeyNotFound => KmsError::KeyNotFound(key.clone()),
        RegionalRefusal::State(fault) => KmsError::InvalidState { key: key.clone(), fault: *fault },
        RegionalRefusal::TooManyTags => KmsError::Tag("Too many tags"),
        RegionalRefusal::RotationLimit => rotation_limit(key),
        // The operations on grants and imported material put these into AWS's words themselves.
        RegionalRefusal::MaterialNotFound
        | RegionalRefusal::IncorrectMaterial
        | RegionalRefusal::PendingRotation { .. }
        | RegionalRefusal::NothingPending
        | RegionalRefusal::NotExpired
        | RegionalRefusal::TooManyGrants
        | RegionalRefusal::GrantNotFound
        | RegionalRefusal::GrantIdTaken => KmsError::Internal,
        // Those of aliases are in `alias_refused`; the rest are commands that no operation submits for such a key.
        RegionalRefusal::AliasNotFound
        | RegionalRefusal::AliasExists
        | RegionalRefusal::TooManyAliases
        | RegionalRefusal::KindMismatch
        | RegionalRefusal::KeyExists
        | RegionalRefusal::MaterialExists
        | RegionalRefusal::WrongKind => KmsError::Internal,
    }
}

/// AWS's error for a refused change of an alias; refusals that concern its key are those of [`regional_refused`].
fn alias_refused(alias: &AliasArn, key: &KeyArn, limit: usize, refusal: &RegionalRefusal) -> KmsError {
    match refusal {
        RegionalRefusal::AliasNotFound => KmsError::AliasNotFound(alias.clone()),
        RegionalRefusal::AliasExists => {
            KmsError::AlreadyExists(format!("An alias with the name {alias} already exists"))
        }
        RegionalRefusal::TooManyAliases => KmsError::LimitExceeded(format!(
            "Aliases per key quota for this account in this region is {limit}, current usage is {limit}."
        )),
        // AWS's text is not verified.
        RegionalRefusal::KindMismatch => KmsError::service(format!(
            "Alias {} cannot be changed to a key with another key type or key usage.",
            alias.name
        )),
        RegionalRefusal::KeyNotFound
        | RegionalRefusal::State(_)
        | RegionalRefusal::TooManyTags
        | RegionalRefusal::RotationLimit
        | RegionalRefusal::KeyExists
        | RegionalRefusal::MaterialExists
        | RegionalRefusal::MaterialNotFound
        | RegionalRefusal::IncorrectMaterial
        | RegionalRefusal::PendingRotation { .. }
        | RegionalRefusal::NothingPending
        | RegionalRefusal::NotExpired
        | RegionalRefusal::TooManyGrants
        | RegionalRefusal::GrantNotFound
        | RegionalRefusal::GrantIdTaken
        | RegionalRefusal::WrongKind => regional_refused(key, refusal),
    }
}

/// AWS's error for a refused change of shared properties. `target` is the Region that the command names, or the key's
/// own if it names none.
pub(crate) fn control_refused(entry: &KeyEntry, target: &RegionName, refusal: &Refusal) -> KmsError {
    match refusal {
        Refusal::KeyNotFound => KmsError::KeyNotFound(entry.arn.clone()),
        Refusal::NotPrimary { .. } => not_primary(entry),
        // The primary has moved away and back since it was looked at; another try looks again.
        Refusal::WrongEpoch { .. } => KmsError::DependencyTimeout,
        Refusal::ReplicaExists => KmsError::AlreadyExists(
            "You can create only one replica of each primary key in each AWS Region.".to_owned(),
        ),
        Refusal::NoReplica => KmsError::ReplicaNotFound { key: entry.arn.clone(), region: target.clone() },
        Refusal::RegionUnknown => unknown_region(target),
        Refusal::ResidencyForbidden { rule } => residency_denied(&entry.arn, target, rule),
        Refusal::RotationInProgress => {
            KmsError::Conflict("The request was rejected because a rotation of this key is in progress.")
        }
        Refusal::RotationLimit => rotation_limit(&entry.arn),
        Refusal::NotRotatable => KmsError::UnsupportedOperation(None),
        Refusal::AlreadyPrimary => primary_already(target),
        // The holding Regions or the material versions changed at the same time, again and again.
        Refusal::BoxesMismatch => KmsError::DependencyTimeout,
        // The operations on imported material put these into AWS's words themselves.
        Refusal::PendingRotation { .. }
        | Refusal::MaterialExists
        | Refusal::MaterialNotFound
        | Refusal::IncorrectMaterial
        | Refusal::ImportMissing
        | Refusal::PrincipalExists
        | Refusal::PrincipalNotFound
        | Refusal::AccessKeyExists
        | Refusal::AccessKeyNotFound
        | Refusal::PolicyNotFound
        | Refusal::IdentityLimit => KmsError::Internal,
        // The schedule has changed since it was looked at; what is due is looked at again.
        Refusal::NotDue => KmsError::DependencyTimeout,
        // Answers to commands that no operation of the API proposes.
        Refusal::ResidencyVersion { .. }
        | Refusal::KeyExists
        | Refusal::ReplicasRemain
        | Refusal::NotStaged
        | Refusal::RoleMismatch
        | Refusal::Malformed => KmsError::Internal,
    }
}

/// `UnsupportedOperationException` of an operation that only a primary supports.
pub(crate) fn not_primary(entry: &KeyEntry) -> KmsError {
    KmsError::UnsupportedOperation(Some(format!("{} is not a multi-region primary key.", entry.arn)))
}

/// A Region that is not in the cluster, or holds no keys. AWS's code and text for such a Region are not verified.
pub(crate) fn unknown_region(region: &RegionName) -> KmsError {
    KmsError::service(format!("Region {region} is not available for multi-Region keys."))
}

/// UpdatePrimaryRegion to where the primary is. AWS's code and text are not verified.
pub(crate) fn primary_already(region: &RegionName) -> KmsError {
    KmsError::service(format!("The primary key is already in Region {region}."))
}

fn rotation_limit(key: &KeyArn) -> KmsError {
    KmsError::LimitExceeded(format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
         performed for this key: {key}"
    ))
}
