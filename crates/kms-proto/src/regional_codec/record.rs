//! Rows of key resources.

use crate::format::{Format, VERSION, pairs, parse_schedule, rotation_type, schedule, texts};
use crate::{FormatError, state::v1 as pb};
use kms_core::regional::{ImportedMaterial, KeyRecord, Lifecycle, LocalMaterial};
use kms_types::Timestamp;
use pb::LifecycleState as State;
use prost::Message;

const F: Format = Format("key record");

pub(super) fn encode(record: &KeyRecord) -> Vec<u8> {
    pb::KeyRecord {
        format: VERSION,
        key_id: record.key_id.to_string(),
        account: record.account.to_string(),
        spec: record.spec.to_string(),
        usage: record.usage.to_string(),
        origin: record.origin.to_string(),
        created_at_ms: record.created_at.millis(),
        description: record.description.clone(),
        policy: record.policy.clone(),
        tags: pairs(&record.tags),
        lifecycle: Some(lifecycle(record.lifecycle)),
        materials: record.materials.iter().map(material).collect(),
        rotation: record.rotation.map(schedule),
        on_demand_rotations: record.on_demand_rotations,
    }
    .encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<KeyRecord, FormatError> {
    let m: pb::KeyRecord = F.message(bytes)?;
    F.version(m.format)?;
    Ok(KeyRecord {
        key_id: F.key_id(&m.key_id)?,
        account: F.account(&m.account)?,
        spec: F.spec(&m.spec)?,
        usage: F.usage(&m.usage)?,
        origin: F.origin(&m.origin)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        description: m.description,
        policy: m.policy,
        tags: texts(m.tags),
        lifecycle: parse_lifecycle(F.required(m.lifecycle, "key state")?)?,
        materials: m.materials.iter().map(parse_material).collect::<Result<_, _>>()?,
        rotation: m.rotation.map(parse_schedule),
        on_demand_rotations: m.on_demand_rotations,
    })
}

fn lifecycle(value: Lifecycle) -> pb::Lifecycle {
    let (state, window_days, deletion_date_ms) = match value {
        Lifecycle::Creating => (State::Creating, 0, 0),
        Lifecycle::Enabled => (State::Enabled, 0, 0),
        Lifecycle::Disabled => (State::Disabled, 0, 0),
        Lifecycle::PendingDeletion { deletion_date, window_days } => {
            (State::PendingDeletion, window_days, deletion_date.millis())
        }
        Lifecycle::PendingReplicaDeletion { window_days } => (State::PendingReplicaDeletion, window_days, 0),
    };
    pb::Lifecycle { state: state.into(), window_days, deletion_date_ms }
}

fn parse_lifecycle(m: pb::Lifecycle) -> Result<Lifecycle, FormatError> {
    let window_days = m.window_days;
    Ok(match State::try_from(m.state) {
        Ok(State::Creating) => Lifecycle::Creating,
        Ok(State::Enabled) => Lifecycle::Enabled,
        Ok(State::Disabled) => Lifecycle::Disabled,
        Ok(State::PendingDeletion) => {
            Lifecycle::PendingDeletion { deletion_date: Timestamp::from_millis(m.deletion_date_ms), window_days }
        }
        Ok(State::PendingReplicaDeletion) => Lifecycle::PendingReplicaDeletion { window_days },
        Ok(State::Unspecified) | Err(_) => return Err(F.error("key state")),
    })
}

fn material(value: &LocalMaterial) -> pb::LocalMaterial {
    let (kind, at) =
        value.rotation.map_or((pb::RotationType::Unspecified, 0), |(kind, at)| (rotation_type(kind), at.millis()));
    pb::LocalMaterial {
        material_id: value.material_id.as_bytes().to_vec(),
        created_at_ms: value.created_at.millis(),
        rotation_type: kind.into(),
        rotated_at_ms: at,
        import: value.import.as_ref().map(import),
    }
}

fn parse_material(m: &pb::LocalMaterial) -> Result<LocalMaterial, FormatError> {
    let kind = F.rotation_type(m.rotation_type)?;
    Ok(LocalMaterial {
        material_id: F.material_id(&m.material_id)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        rotation: kind.map(|kind| (kind, Timestamp::from_millis(m.rotated_at_ms))),
        import: m.import.as_ref().map(parse_import),
    })
}

fn import(value: &ImportedMaterial) -> pb::ImportedMaterial {
    pb::ImportedMaterial {
        present: value.present,
        expires_at_ms: value.expires_at.map(Timestamp::millis),
        description: value.description.clone(),
        pending: value.pending,
    }
}

fn parse_import(m: &pb::ImportedMaterial) -> ImportedMaterial {
    ImportedMaterial {
        present: m.present,
        expires_at: m.expires_at_ms.map(Timestamp::from_millis),
        description: m.description.clone(),
        pending: m.pending,
    }
}
