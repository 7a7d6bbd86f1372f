//! Pieces that commands and rows share: sealed boxes, initial properties, Region roles.

use crate::format::{Format, pairs, texts};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{InitialProperties, RegionRole, SealedBox};
use kms_types::RegionName;
use std::collections::BTreeMap;

pub(super) fn sealed(value: &SealedBox) -> pb::SealedBox {
    pb::SealedBox { source: value.source.to_string(), sealed: value.bytes.clone() }
}

pub(super) fn parse_sealed(format: Format, value: Option<pb::SealedBox>) -> Result<SealedBox, FormatError> {
    let value = format.required(value, "sealed box")?;
    Ok(SealedBox { source: format.region(&value.source)?, bytes: value.sealed })
}

pub(super) fn region_boxes(boxes: &BTreeMap<RegionName, SealedBox>) -> Vec<pb::RegionBox> {
    boxes.iter().map(|(region, b)| pb::RegionBox { region: region.to_string(), r#box: Some(sealed(b)) }).collect()
}

pub(super) fn parse_region_boxes(
    format: Format,
    boxes: Vec<pb::RegionBox>,
) -> Result<BTreeMap<RegionName, SealedBox>, FormatError> {
    boxes.into_iter().map(|b| Ok((format.region(&b.region)?, parse_sealed(format, b.r#box)?))).collect()
}

pub(super) fn initial(value: &InitialProperties) -> pb::InitialProperties {
    pb::InitialProperties {
        policy: value.policy.clone(),
        description: value.description.clone(),
        tags: pairs(&value.tags),
    }
}

pub(super) fn parse_initial(value: pb::InitialProperties) -> InitialProperties {
    InitialProperties { policy: value.policy, description: value.description, tags: texts(value.tags) }
}

pub(super) fn role(value: RegionRole) -> pb::RegionRole {
    match value {
        RegionRole::Full => pb::RegionRole::Full,
        RegionRole::Witness => pb::RegionRole::Witness,
    }
}

pub(super) fn parse_role(format: Format, value: i32) -> Result<RegionRole, FormatError> {
    match pb::RegionRole::try_from(value) {
        Ok(pb::RegionRole::Full) => Ok(RegionRole::Full),
        Ok(pb::RegionRole::Witness) => Ok(RegionRole::Witness),
        Ok(pb::RegionRole::Unspecified) | Err(_) => Err(format.error("Region role")),
    }
}
