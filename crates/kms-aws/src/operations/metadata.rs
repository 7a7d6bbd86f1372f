//! Writing `KeyMetadata`.

use super::algorithms;
use super::choices::is_customer_master_key_spec;
use crate::json::Object;
use kms_service::operations::key_metadata::{KeyMetadata, MultiRegionConfiguration};
use kms_types::{ExpirationModel, KeyArn, KeyState, RegionName};

/// Expected length of a written `KeyMetadata` without its description, in bytes.
pub(super) const CAPACITY: usize = 1024;

pub(super) fn write(object: &mut Object<'_>, name: &str, key: &KeyMetadata) {
    object.object(name, |o| {
        o.text("AWSAccountId", key.account.as_str());
        o.text("KeyId", key.arn.key_id.as_str());
        o.text("Arn", &key.arn.to_string());
        o.timestamp("CreationDate", key.creation_date);
        o.boolean("Enabled", key.key_state == KeyState::Enabled);
        o.text("Description", &key.description);
        o.text("KeyUsage", key.key_usage.as_str());
        o.text("KeyState", key.key_state.as_str());
        if let Some(date) = key.deletion_date {
            o.timestamp("DeletionDate", date);
        }
        if let Some(date) = key.valid_to {
            o.timestamp("ValidTo", date);
        }
        o.text("Origin", key.origin.as_str());
        o.optional_text("ExpirationModel", key.expiration_model.map(ExpirationModel::as_str));
        o.text("KeyManager", "CUSTOMER");
        if is_customer_master_key_spec(key.key_spec) {
            o.text("CustomerMasterKeySpec", key.key_spec.as_str());
        }
        o.text("KeySpec", key.key_spec.as_str());
        algorithms::write(o, key.key_spec, key.key_usage);
        o.boolean("MultiRegion", key.multi_region.is_some());
        if let Some(set) = &key.multi_region {
            write_set(o, &key.arn, set);
        }
        if let Some(days) = key.pending_deletion_window_in_days {
            o.integer("PendingDeletionWindowInDays", days);
        }
        if let Some(material) = &key.current_key_material_id {
            o.text("CurrentKeyMaterialId", &material.to_string());
        }
    });
}

fn write_set(object: &mut Object<'_>, key: &KeyArn, set: &MultiRegionConfiguration) {
    // Related keys differ in nothing but their Region.
    let member = |o: &mut Object<'_>, region: &RegionName| {
        o.text("Arn", &KeyArn { region: region.clone(), ..key.clone() }.to_string());
        o.text("Region", region.as_str());
    };
    object.object("MultiRegionConfiguration", |o| {
        o.text("MultiRegionKeyType", if set.is_primary { "PRIMARY" } else { "REPLICA" });
        o.object("PrimaryKey", |o| member(o, &set.primary));
        o.objects("ReplicaKeys", &set.replicas, member);
    });
}
