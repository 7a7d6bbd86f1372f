//! Rows of key sets.

use super::parts;
use crate::format::{Format, VERSION, names, parse_schedule, rotation_type, schedule};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{Activation, Holder, HolderStatus, KeySet, MaterialVersion};
use kms_types::{RegionName, Timestamp};
use pb::holder::{Ready, Status};
use prost::Message;

const F: Format = Format("key set");

pub(super) fn encode(set: &KeySet) -> Vec<u8> {
    pb::KeySet {
        format: VERSION,
        key_id: set.key_id.to_string(),
        account: set.account.to_string(),
        spec: set.spec.to_string(),
        usage: set.usage.to_string(),
        origin: set.origin.to_string(),
        created_at_ms: set.created_at.millis(),
        primary: set.primary.to_string(),
        epoch: set.epoch,
        holders: set.holders.iter().map(|(region, h)| holder(region, h)).collect(),
        rotation: set.rotation.map(schedule),
        on_demand_rotations: set.on_demand_rotations,
        materials: set.materials.iter().map(material).collect(),
    }
    .encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<KeySet, FormatError> {
    let m: pb::KeySet = F.message(bytes)?;
    F.version(m.format)?;
    let set = KeySet {
        key_id: F.key_id(&m.key_id)?,
        account: F.account(&m.account)?,
        spec: F.spec(&m.spec)?,
        usage: F.usage(&m.usage)?,
        origin: F.origin(&m.origin)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        primary: F.region(&m.primary)?,
        epoch: m.epoch,
        holders: m.holders.into_iter().map(parse_holder).collect::<Result<_, _>>()?,
        rotation: m.rotation.map(parse_schedule),
        on_demand_rotations: m.on_demand_rotations,
        materials: m.materials.into_iter().map(parse_material).collect::<Result<_, _>>()?,
    };
    set.check_invariants().map_err(|broken| F.error(broken))?;
    Ok(set)
}

fn holder(region: &RegionName, holder: &Holder) -> pb::Holder {
    let status = match &holder.status {
        HolderStatus::Creating(initial) => Status::Creating(parts::initial(initial)),
        HolderStatus::Ready => Status::Ready(Ready {}),
    };
    pb::Holder { region: region.to_string(), added_at_ms: holder.added_at.millis(), status: Some(status) }
}

fn parse_holder(m: pb::Holder) -> Result<(RegionName, Holder), FormatError> {
    let status = match F.required(m.status, "status of a holder")? {
        Status::Creating(initial) => HolderStatus::Creating(parts::parse_initial(initial)),
        Status::Ready(Ready {}) => HolderStatus::Ready,
    };
    Ok((F.region(&m.region)?, Holder { added_at: Timestamp::from_millis(m.added_at_ms), status }))
}

fn material(version: &MaterialVersion) -> pb::MaterialVersion {
    let activation = version.activation.as_ref();
    pb::MaterialVersion {
        material_id: version.material_id.as_bytes().to_vec(),
        created_at_ms: version.created_at.millis(),
        rotation_type: version.rotation_type.map_or(pb::RotationType::Unspecified, rotation_type).into(),
        boxes: parts::region_boxes(&version.boxes),
        activation: activation.map(|a| pb::Activation {
            at_ms: a.at.millis(),
            without: names(&a.without),
            by: a.by.as_ref().map(ToString::to_string).unwrap_or_default(),
        }),
        description: version.description.clone(),
        imported_by: names(&version.imported_by),
    }
}

fn parse_material(m: pb::MaterialVersion) -> Result<MaterialVersion, FormatError> {
    let activation = m.activation.map(|a| {
        let by = if a.by.is_empty() { None } else { Some(F.region(&a.by)?) };
        Ok(Activation { at: Timestamp::from_millis(a.at_ms), without: F.regions(&a.without)?, by })
    });
    Ok(MaterialVersion {
        material_id: F.material_id(&m.material_id)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        rotation_type: F.rotation_type(m.rotation_type)?,
        boxes: parts::parse_region_boxes(F, m.boxes)?,
        activation: activation.transpose()?,
        description: m.description,
        imported_by: F.regions(&m.imported_by)?,
    })
}
