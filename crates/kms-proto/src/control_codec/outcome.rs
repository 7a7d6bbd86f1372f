//! Outcomes of control commands.

use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{ControlOutcome, Refusal};
use pb::RefusalKind as Kind;
use prost::Message;

const F: Format = Format("control outcome");

/// Encodes an outcome.
#[must_use]
pub fn encode_outcome(outcome: &ControlOutcome) -> Vec<u8> {
    pb::ControlOutcome { format: VERSION, refused: refused(outcome) }.encode_to_vec()
}

/// Decodes an outcome.
///
/// # Errors
/// [`FormatError`] for any bytes that [`encode_outcome`] does not write.
pub fn decode_outcome(bytes: &[u8]) -> Result<ControlOutcome, FormatError> {
    let message: pb::ControlOutcome = F.message(bytes)?;
    F.version(message.format)?;
    let outcome = parse_refused(F, message.refused)?;
    F.canonical(bytes, &encode_outcome(&outcome))?;
    Ok(outcome)
}

pub(super) fn refused(outcome: &ControlOutcome) -> Option<pb::Refusal> {
    let ControlOutcome::Refused(refusal) = outcome else { return None };
    let mut message = pb::Refusal { kind: kind(refusal).into(), ..pb::Refusal::default() };
    if let Refusal::NotPrimary { primary } = refusal {
        message.primary = primary.to_string();
    }
    if let Refusal::WrongEpoch { current } = refusal {
        message.current_epoch = *current;
    }
    if let Refusal::PendingRotation { pending } = refusal {
        message.pending_material_id = pending.as_bytes().to_vec();
    }
    if let Refusal::ResidencyForbidden { rule } = refusal {
        message.residency_rule.clone_from(rule);
    }
    if let Refusal::ResidencyVersion { current } = refusal {
        message.current_version = *current;
    }
    Some(message)
}

pub(super) fn parse_refused(format: Format, value: Option<pb::Refusal>) -> Result<ControlOutcome, FormatError> {
    let Some(value) = value else { return Ok(ControlOutcome::Done) };
    let kind = format.required(Kind::try_from(value.kind).ok(), "kind of refusal")?;
    Ok(ControlOutcome::Refused(match kind {
        Kind::Unspecified => return Err(format.error("kind of refusal")),
        Kind::KeyNotFound => Refusal::KeyNotFound,
        Kind::KeyExists => Refusal::KeyExists,
        Kind::NotPrimary => Refusal::NotPrimary { primary: format.region(&value.primary)? },
        Kind::WrongEpoch => Refusal::WrongEpoch { current: value.current_epoch },
        Kind::ReplicaExists => Refusal::ReplicaExists,
        Kind::NoReplica => Refusal::NoReplica,
        Kind::RegionUnknown => Refusal::RegionUnknown,
        Kind::ReplicasRemain => Refusal::ReplicasRemain,
        Kind::RotationInProgress => Refusal::RotationInProgress,
        Kind::NotStaged => Refusal::NotStaged,
        Kind::BoxesMismatch => Refusal::BoxesMismatch,
        Kind::RotationLimit => Refusal::RotationLimit,
        Kind::NotRotatable => Refusal::NotRotatable,
        Kind::AlreadyPrimary => Refusal::AlreadyPrimary,
        Kind::RoleMismatch => Refusal::RoleMismatch,
        Kind::Malformed => Refusal::Malformed,
        Kind::NotDue => Refusal::NotDue,
        Kind::PendingRotation => Refusal::PendingRotation { pending: format.material_id(&value.pending_material_id)? },
        Kind::MaterialExists => Refusal::MaterialExists,
        Kind::MaterialNotFound => Refusal::MaterialNotFound,
        Kind::IncorrectMaterial => Refusal::IncorrectMaterial,
        Kind::ImportMissing => Refusal::ImportMissing,
        Kind::PrincipalExists => Refusal::PrincipalExists,
        Kind::PrincipalNotFound => Refusal::PrincipalNotFound,
        Kind::AccessKeyExists => Refusal::AccessKeyExists,
        Kind::AccessKeyNotFound => Refusal::AccessKeyNotFound,
        Kind::PolicyNotFound => Refusal::PolicyNotFound,
        Kind::IdentityLimit => Refusal::IdentityLimit,
        Kind::ResidencyForbidden => Refusal::ResidencyForbidden { rule: value.residency_rule },
        Kind::ResidencyVersion => Refusal::ResidencyVersion { current: value.current_version },
    }))
}

fn kind(refusal: &Refusal) -> Kind {
    match refusal {
        Refusal::KeyNotFound => Kind::KeyNotFound,
        Refusal::KeyExists => Kind::KeyExists,
        Refusal::NotPrimary { .. } => Kind::NotPrimary,
        Refusal::WrongEpoch { .. } => Kind::WrongEpoch,
        Refusal::ReplicaExists => Kind::ReplicaExists,
        Refusal::NoReplica => Kind::NoReplica,
        Refusal::RegionUnknown => Kind::RegionUnknown,
        Refusal::ReplicasRemain => Kind::ReplicasRemain,
        Refusal::RotationInProgress => Kind::RotationInProgress,
        Refusal::NotStaged => Kind::NotStaged,
        Refusal::BoxesMismatch => Kind::BoxesMismatch,
        Refusal::RotationLimit => Kind::RotationLimit,
        Refusal::NotRotatable => Kind::NotRotatable,
        Refusal::AlreadyPrimary => Kind::AlreadyPrimary,
        Refusal::RoleMismatch => Kind::RoleMismatch,
        Refusal::Malformed => Kind::Malformed,
        Refusal::NotDue => Kind::NotDue,
        Refusal::PendingRotation { .. } => Kind::PendingRotation,
        Refusal::MaterialExists => Kind::MaterialExists,
        Refusal::MaterialNotFound => Kind::MaterialNotFound,
        Refusal::IncorrectMaterial => Kind::IncorrectMaterial,
        Refusal::ImportMissing => Kind::ImportMissing,
        Refusal::PrincipalExists => Kind::PrincipalExists,
        Refusal::PrincipalNotFound => Kind::PrincipalNotFound,
        Refusal::AccessKeyExists => Kind::AccessKeyExists,
        Refusal::AccessKeyNotFound => Kind::AccessKeyNotFound,
        Refusal::PolicyNotFound => Kind::PolicyNotFound,
        Refusal::IdentityLimit => Kind::IdentityLimit,
        Refusal::ResidencyForbidden { .. } => Kind::ResidencyForbidden,
        Refusal::ResidencyVersion { .. } => Kind::ResidencyVersion,
    }
}
