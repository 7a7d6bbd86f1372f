//! Fixed names: Regions, the account, key IDs, material IDs and pretended sealed boxes.

use kms_core::control::{InitialProperties, SealedBox};
use kms_types::{AccessKeyId, AccountId, KeyId, KeyMaterialId, RegionName, Timestamp};
use std::collections::BTreeMap;

/// Three Regions that hold keys and, last, one that never does.
#[must_use]
pub fn region(n: usize) -> RegionName {
    let names = ["us-east-1", "eu-west-1", "ap-southeast-1", "sa-east-1"];
    RegionName::parse(names[n % names.len()]).unwrap()
}

/// How many of the Regions may hold keys.
pub const HOLDING_REGIONS: usize = 3;

/// The n-th of the Regions that may hold keys, counted round.
#[must_use]
pub fn holding_region(n: usize) -> RegionName {
    region(n % HOLDING_REGIONS)
}

/// The one account.
#[must_use]
pub fn account() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

/// The n-th multi-Region key ID.
#[must_use]
pub fn multi_region_key(n: u64) -> KeyId {
    KeyId::multi_region(u128::from(n).to_be_bytes())
}

/// The n-th single-Region key ID.
#[must_use]
pub fn single_region_key(n: u64) -> KeyId {
    KeyId::single_region(u128::from(n).to_be_bytes())
}

/// The n-th material ID.
#[must_use]
pub fn material(n: u64) -> KeyMaterialId {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&n.to_be_bytes());
    KeyMaterialId::from_bytes(bytes)
}

/// A pretended box: readable text that names the destination and the material, so that claims can look inside.
#[must_use]
pub fn sealed(source: &RegionName, destination: &RegionName, material_id: &KeyMaterialId) -> SealedBox {
    SealedBox { source: source.clone(), bytes: format!("to {destination}: {material_id}").into_bytes() }
}

/// Opens a pretended box, in its destination only.
#[must_use]
pub fn open(destination: &RegionName, sealed: &SealedBox) -> Option<KeyMaterialId> {
    let text = str::from_utf8(&sealed.bytes).ok()?;
    let id = text.strip_prefix(&format!("to {destination}: "))?;
    KeyMaterialId::parse(id).ok()
}

/// A pretended box with a secret of the directory of principals.
#[must_use]
pub fn sealed_secret(source: &RegionName, destination: &RegionName, what: &str) -> SealedBox {
    SealedBox { source: source.clone(), bytes: format!("to {destination}: {what}").into_bytes() }
}

/// The name of an access key's secret.
#[must_use]
pub fn access_key_secret(id: &AccessKeyId) -> String {
    format!("access key {id}")
}

/// The name of the session token key of an epoch.
#[must_use]
pub fn session_key_secret(epoch: u64) -> String {
    format!("session key {epoch}")
}

/// Independent properties that tell one life of a replica from another.
#[must_use]
pub fn initial(at: Timestamp) -> InitialProperties {
    let at = at.millis();
    InitialProperties {
        policy: format!("policy of {at}"),
        description: String::new(),
        tags: BTreeMap::from([("life".to_owned(), at.to_string())]),
    }
}
