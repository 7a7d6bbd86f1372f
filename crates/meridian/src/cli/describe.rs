//! One key for people: what it is, where it is, its materials, its rotation.

use super::keys::summary;
use super::output;
use kms_proto::cluster::v1::{DescribeKeyResponse, MaterialStatus};
use kms_types::RegionName;

/// Prints a described key.
///
/// # Errors
/// Fails when the answer is incomplete.
pub(super) fn print(region: &RegionName, described: &DescribeKeyResponse) -> anyhow::Result<()> {
    let key = summary(described)?;
    let mut facts = vec![
        ("Key", key.key_id.clone()),
        ("ARN", described.arn.clone()),
        ("Description", described.description.clone()),
        ("State", format!("{} in {region}", key.key_state)),
        ("Spec", key.key_spec.clone()),
        ("Aliases", key.aliases.join(", ")),
    ];
    if key.multi_region {
        facts.push(("Primary", format!("{} (epoch {})", key.primary_region, key.epoch)));
    }
    if let Some(rotation) = &described.rotation {
        facts.push(("Rotation", rotation_words(rotation)));
        if !rotation.waits_for.is_empty() {
            facts.push(("In progress", rotation.waits_for.clone()));
        }
    }
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(format_args!("{name:<12} {value}"));
    }
    if !described.holders.is_empty() {
        output::line("");
        let rows = described.holders.iter().map(|holder| {
            let role = if holder.primary { "primary" } else { "replica" };
            let staged = match holder.has_staged_material {
                Some(true) => "installed",
                Some(false) => "not yet",
                None => "-",
            };
            vec![holder.region.clone(), role.to_owned(), holder.status.clone(), staged.to_owned()]
        });
        output::line(output::table(&["REGION", "ROLE", "STATUS", "STAGED MATERIAL"], rows));
    }
    output::line("");
    let rows = described.materials.iter().map(material_row);
    output::line(output::table(&["MATERIAL", "STATE", "CREATED", "ACTIVATED", "ROTATION", "WITHOUT"], rows));
    Ok(())
}

fn rotation_words(rotation: &kms_proto::cluster::v1::RotationStatus) -> String {
    let schedule = match (rotation.enabled, rotation.next_rotation_ms) {
        (true, Some(next)) => format!("every {} days, next {}", rotation.period_days, time(next)),
        (true, None) => format!("every {} days", rotation.period_days),
        (false, _) => "not scheduled".to_owned(),
    };
    format!("{schedule}; {} on demand", rotation.on_demand_rotations)
}

fn material_row(material: &MaterialStatus) -> Vec<String> {
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    vec![
        // The first digits tell materials of one key apart; JSON has all of them.
        material.material_id.chars().take(16).collect(),
        material.state.clone(),
        time(material.created_at_ms),
        material.activated_at_ms.map_or_else(|| "-".to_owned(), time),
        or_dash(material.rotation_type.clone()),
        or_dash(material.without_regions.join(",")),
    ]
}

/// Universal time to the second.
pub(super) fn time(millis: u64) -> String {
    let instant = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    instant.map_or_else(|| "-".to_owned(), |instant| instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
