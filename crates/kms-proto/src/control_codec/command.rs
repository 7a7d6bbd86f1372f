//! Commands of the control log.

use super::{checkpoint, identity, parts, residency};
use crate::format::{
    Format, VERSION, names, on_demand_limit, pairs, parse_on_demand_limit, parse_schedule, rotation_type, schedule,
    texts,
};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{
    ActivateMaterial, AddReplica, ControlBody, ControlCommand, CreateKeySet, OfferImportedMaterial, ProposalId,
    RegisterRegion, ReportImport, SetRotation, StageMaterial, UpdatePrimary,
};
use kms_types::{KeyId, Timestamp};
use pb::control_command::Body;
use prost::Message;

const F: Format = Format("control command");

/// Encodes a command.
#[must_use]
pub fn encode_command(command: &ControlCommand) -> Vec<u8> {
    pb::ControlCommand {
        format: VERSION,
        proposal_id: command.proposal_id.0.to_vec(),
        region: command.region.to_string(),
        at_ms: command.at.millis(),
        body: Some(body(&command.body)),
    }
    .encode_to_vec()
}

/// Decodes a command.
///
/// # Errors
/// [`FormatError`] for any bytes that [`encode_command`] does not write.
pub fn decode_command(bytes: &[u8]) -> Result<ControlCommand, FormatError> {
    let message: pb::ControlCommand = F.message(bytes)?;
    F.version(message.format)?;
    let command = ControlCommand {
        proposal_id: ProposalId(F.required(message.proposal_id.try_into().ok(), "proposal ID")?),
        region: F.region(&message.region)?,
        at: Timestamp::from_millis(message.at_ms),
        body: parse_body(F.required(message.body, "kind of command")?)?,
    };
    F.canonical(bytes, &encode_command(&command))?;
    Ok(command)
}

fn body(body: &ControlBody) -> Body {
    match body {
        ControlBody::RegisterRegion(b) => Body::RegisterRegion(pb::RegisterRegion {
            sealing_public_key: b.sealing_public_key.clone(),
            role: parts::role(b.role).into(),
            signing_public_key: b.signing_public_key.clone(),
        }),
        ControlBody::CreateKeySet(b) => Body::CreateKeySet(create_key_set(b)),
        ControlBody::AddReplica(b) => Body::AddReplica(add_replica(b)),
        ControlBody::ReplicaReady { key_id, added_at } => Body::ReplicaReady(one_replica(key_id, *added_at)),
        ControlBody::RemoveReplica { key_id, added_at } => Body::RemoveReplica(one_replica(key_id, *added_at)),
        ControlBody::DeleteKeySet { key_id } => Body::DeleteKeySet(pb::DeleteKeySet { key_id: key_id.to_string() }),
        ControlBody::StageMaterial(b) => Body::StageMaterial(pb::StageMaterial {
            key_id: b.key_id.to_string(),
            expected_epoch: b.expected_epoch,
            material_id: b.material_id.as_bytes().to_vec(),
            rotation_type: rotation_type(b.rotation_type).into(),
            boxes: parts::region_boxes(&b.boxes),
            next_rotation_at_ms: b.next_rotation_at.map(Timestamp::millis),
            on_demand_limit: on_demand_limit(b.on_demand_limit),
        }),
        ControlBody::ActivateMaterial(b) => Body::ActivateMaterial(pb::ActivateMaterial {
            key_id: b.key_id.to_string(),
            expected_epoch: b.expected_epoch,
            material_id: b.material_id.as_bytes().to_vec(),
            without: names(&b.without),
            on_demand_limit: on_demand_limit(b.on_demand_limit),
        }),
        ControlBody::SetRotation(b) => Body::SetRotation(pb::SetRotation {
            key_id: b.key_id.to_string(),
            expected_epoch: b.expected_epoch,
            schedule: b.schedule.map(schedule),
        }),
        ControlBody::UpdatePrimary(b) => Body::UpdatePrimary(pb::UpdatePrimary {
            key_id: b.key_id.to_string(),
            from: b.from.to_string(),
            to: b.to.to_string(),
            expected_epoch: b.expected_epoch,
        }),
        ControlBody::OfferImportedMaterial(b) => Body::OfferImportedMaterial(pb::OfferImportedMaterial {
            key_id: b.key_id.to_string(),
            expected_epoch: b.expected_epoch,
            material_id: b.material_id.as_bytes().to_vec(),
            description: b.description.clone(),
        }),
        ControlBody::ReportImport(b) => Body::ReportImport(pb::ReportImport {
            key_id: b.key_id.to_string(),
            added_at_ms: b.added_at.millis(),
            material_id: b.material_id.as_bytes().to_vec(),
            present: b.present,
        }),
        ControlBody::Identity(body) => identity::body(body),
        ControlBody::SignCheckpoint(b) => Body::SignCheckpoint(checkpoint::checkpoint(b)),
        ControlBody::CountersignCheckpoint(b) => Body::CountersignCheckpoint(checkpoint::countersign(b)),
        ControlBody::WithdrawImportedMaterial { key_id, expected_epoch, material_id } => {
            Body::WithdrawImportedMaterial(pb::WithdrawImportedMaterial {
                key_id: key_id.to_string(),
                expected_epoch: *expected_epoch,
                material_id: material_id.as_bytes().to_vec(),
            })
        }
        ControlBody::PutResidencyRules(b) => Body::PutResidencyRules(residency::put_rules(b)),
    }
}

fn one_replica(key_id: &KeyId, added_at: Timestamp) -> pb::OneReplica {
    pb::OneReplica { key_id: key_id.to_string(), added_at_ms: added_at.millis() }
}

fn create_key_set(b: &CreateKeySet) -> pb::CreateKeySet {
    let first = b.first.as_ref();
    pb::CreateKeySet {
        key_id: b.key_id.to_string(),
        account: b.account.to_string(),
        spec: b.spec.to_string(),
        usage: b.usage.to_string(),
        origin: b.origin.to_string(),
        material_id: first.map(|(id, _)| id.as_bytes().to_vec()).unwrap_or_default(),
        sealed: first.map(|(_, sealed)| parts::sealed(sealed)),
        initial: Some(parts::initial(&b.initial)),
    }
}

fn add_replica(b: &AddReplica) -> pb::AddReplica {
    let boxes = b.boxes.iter().map(|(id, sealed)| pb::MaterialBox {
        material_id: id.as_bytes().to_vec(),
        r#box: Some(parts::sealed(sealed)),
    });
    pb::AddReplica {
        key_id: b.key_id.to_string(),
        expected_epoch: b.expected_epoch,
        replica: b.replica.to_string(),
        boxes: boxes.collect(),
        initial: Some(parts::initial(&b.initial)),
        primary_tags: pairs(&b.primary_tags),
    }
}

fn parse_body(body: Body) -> Result<ControlBody, FormatError> {
    Ok(match body {
        Body::RegisterRegion(m) => ControlBody::RegisterRegion(RegisterRegion {
            sealing_public_key: m.sealing_public_key,
            role: parts::parse_role(F, m.role)?,
            signing_public_key: m.signing_public_key,
        }),
        Body::CreateKeySet(m) => ControlBody::CreateKeySet(parse_create_key_set(m)?),
        Body::AddReplica(m) => ControlBody::AddReplica(parse_add_replica(m)?),
        Body::ReplicaReady(m) => {
            ControlBody::ReplicaReady { key_id: F.key_id(&m.key_id)?, added_at: Timestamp::from_millis(m.added_at_ms) }
        }
        Body::RemoveReplica(m) => {
            ControlBody::RemoveReplica { key_id: F.key_id(&m.key_id)?, added_at: Timestamp::from_millis(m.added_at_ms) }
        }
        Body::DeleteKeySet(m) => ControlBody::DeleteKeySet { key_id: F.key_id(&m.key_id)? },
        Body::StageMaterial(m) => ControlBody::StageMaterial(StageMaterial {
            key_id: F.key_id(&m.key_id)?,
            expected_epoch: m.expected_epoch,
            material_id: F.material_id(&m.material_id)?,
            rotation_type: F.required(F.rotation_type(m.rotation_type)?, "rotation type")?,
            boxes: parts::parse_region_boxes(F, m.boxes)?,
            next_rotation_at: m.next_rotation_at_ms.map(Timestamp::from_millis),
            on_demand_limit: parse_on_demand_limit(m.on_demand_limit),
        }),
        Body::ActivateMaterial(m) => ControlBody::ActivateMaterial(ActivateMaterial {
            key_id: F.key_id(&m.key_id)?,
            expected_epoch: m.expected_epoch,
            material_id: F.material_id(&m.material_id)?,
            without: F.regions(&m.without)?,
            on_demand_limit: parse_on_demand_limit(m.on_demand_limit),
        }),
        Body::SetRotation(m) => ControlBody::SetRotation(SetRotation {
            key_id: F.key_id(&m.key_id)?,
            expected_epoch: m.expected_epoch,
            schedule: m.schedule.map(parse_schedule),
        }),
        Body::UpdatePrimary(m) => ControlBody::UpdatePrimary(parse_update_primary(m)?),
        Body::OfferImportedMaterial(m) => ControlBody::OfferImportedMaterial(parse_offer(m)?),
        Body::ReportImport(m) => ControlBody::ReportImport(ReportImport {
            key_id: F.key_id(&m.key_id)?,
            added_at: Timestamp::from_millis(m.added_at_ms),
            material_id: F.material_id(&m.material_id)?,
            present: m.present,
        }),
        body @ (Body::CreatePrincipal(_)
        | Body::ChangePrincipal(_)
        | Body::DeletePrincipal(_)
        | Body::CreateAccessKey(_)
        | Body::EnableAccessKey(_)
        | Body::DeleteAccessKey(_)
        | Body::ResealAccessKey(_)
        | Body::CreateRole(_)
        | Body::ChangeRole(_)
        | Body::DeleteRole(_)
        | Body::CreateSessionKey(_)
        | Body::ResealSessionKey(_)) => ControlBody::Identity(identity::parse_body(F, body)?),
        Body::SignCheckpoint(m) => ControlBody::SignCheckpoint(checkpoint::parse_checkpoint(F, m)?),
        Body::CountersignCheckpoint(m) => ControlBody::CountersignCheckpoint(checkpoint::parse_countersign(F, m)?),
        Body::WithdrawImportedMaterial(m) => ControlBody::WithdrawImportedMaterial {
            key_id: F.key_id(&m.key_id)?,
            expected_epoch: m.expected_epoch,
            material_id: F.material_id(&m.material_id)?,
        },
        Body::PutResidencyRules(m) => ControlBody::PutResidencyRules(residency::parse_put_rules(F, m)?),
    })
}

fn parse_update_primary(m: pb::UpdatePrimary) -> Result<UpdatePrimary, FormatError> {
    Ok(UpdatePrimary {
        key_id: F.key_id(&m.key_id)?,
        from: F.region(&m.from)?,
        to: F.region(&m.to)?,
        expected_epoch: m.expected_epoch,
    })
}

fn parse_offer(m: pb::OfferImportedMaterial) -> Result<OfferImportedMaterial, FormatError> {
    Ok(OfferImportedMaterial {
        key_id: F.key_id(&m.key_id)?,
        expected_epoch: m.expected_epoch,
        material_id: F.material_id(&m.material_id)?,
        description: m.description,
    })
}

fn parse_create_key_set(m: pb::CreateKeySet) -> Result<CreateKeySet, FormatError> {
    let first = match (m.material_id.is_empty(), m.sealed) {
        (true, None) => None,
        (_, sealed) => Some((F.material_id(&m.material_id)?, parts::parse_sealed(F, sealed)?)),
    };
    Ok(CreateKeySet {
        key_id: F.key_id(&m.key_id)?,
        account: F.account(&m.account)?,
        spec: F.spec(&m.spec)?,
        usage: F.usage(&m.usage)?,
        origin: F.origin(&m.origin)?,
        first,
        initial: parts::parse_initial(F.required(m.initial, "initial properties")?),
    })
}

fn parse_add_replica(m: pb::AddReplica) -> Result<AddReplica, FormatError> {
    let boxes = m.boxes.into_iter().map(|b| Ok((F.material_id(&b.material_id)?, parts::parse_sealed(F, b.r#box)?)));
    Ok(AddReplica {
        key_id: F.key_id(&m.key_id)?,
        expected_epoch: m.expected_epoch,
        replica: F.region(&m.replica)?,
        boxes: boxes.collect::<Result<_, FormatError>>()?,
        initial: parts::parse_initial(F.required(m.initial, "initial properties")?),
        primary_tags: texts(m.primary_tags),
    })
}
