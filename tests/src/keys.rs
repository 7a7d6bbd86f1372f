//! The steps that most tests share: making keys, replicas and rotations, and waiting until they are done.

use crate::aws::{Kms, blob};
use crate::eventually;
use aws_sdk_kms::types::KeyState;
use std::collections::HashMap;

/// Creates a single-Region key and returns its key ID.
pub async fn create(kms: &Kms) -> String {
    kms.create_key().send().await.expect("a key is created").key_metadata.expect("metadata").key_id
}

/// Creates a multi-Region primary key and returns its key ID.
pub async fn create_primary(kms: &Kms) -> String {
    let created = kms.create_key().multi_region(true).send().await.expect("a key is created");
    created.key_metadata.expect("metadata").key_id
}

/// Replicates a key and waits until the replica is usable.
pub async fn replicate(primary: &Kms, replica: &Kms, key_id: &str) {
    let region = replica.config().region().expect("a Region").as_ref().to_owned();
    primary.replicate_key().key_id(key_id).replica_region(&region).send().await.expect("the key is replicated");
    state_becomes(replica, key_id, &KeyState::Enabled).await;
}

/// Waits until a key is in a state.
pub async fn state_becomes(kms: &Kms, key_id: &str, expected: &KeyState) {
    let region = kms.config().region().expect("a Region").clone();
    eventually(&format!("{key_id} in {region} is {expected}"), || async {
        (state(kms, key_id).await.as_ref() == Some(expected)).then_some(())
    })
    .await;
}

/// The state of a key; nothing when there is no such key or no answer.
pub async fn state(kms: &Kms, key_id: &str) -> Option<KeyState> {
    let described = kms.describe_key().key_id(key_id).send().await.ok()?;
    described.key_metadata?.key_state
}

/// The ID of the material that a key encrypts with.
pub async fn material(kms: &Kms, key_id: &str) -> String {
    let described = kms.describe_key().key_id(key_id).send().await.expect("the key is described");
    described.key_metadata.expect("metadata").current_key_material_id.expect("symmetric keys have a material")
}

/// Rotates a key on demand and waits until this Region encrypts with new material; returns that material's ID.
pub async fn rotate(primary: &Kms, key_id: &str) -> String {
    let before = material(primary, key_id).await;
    primary.rotate_key_on_demand().key_id(key_id).send().await.expect("the key is rotated");
    material_changes(primary, key_id, &before).await
}

/// Waits until a key encrypts with another material than `before`.
pub async fn material_changes(kms: &Kms, key_id: &str, before: &str) -> String {
    eventually(&format!("{key_id} has new material"), || async {
        let described = kms.describe_key().key_id(key_id).send().await.ok()?;
        described.key_metadata?.current_key_material_id.filter(|material| material != before)
    })
    .await
}

/// Waits until a key encrypts with this material.
pub async fn material_becomes(kms: &Kms, key_id: &str, expected: &str) {
    eventually(&format!("{key_id} has material {expected}"), || async {
        let described = kms.describe_key().key_id(key_id).send().await.ok()?;
        (described.key_metadata?.current_key_material_id? == expected).then_some(())
    })
    .await;
}

/// Encrypts and returns the ciphertext.
pub async fn encrypt(kms: &Kms, key_id: &str, plaintext: &[u8]) -> Vec<u8> {
    let answer = kms.encrypt().key_id(key_id).plaintext(blob(plaintext)).send().await.expect("it is encrypted");
    answer.ciphertext_blob.expect("a ciphertext").into_inner()
}

/// Decrypts and returns the plaintext.
pub async fn decrypt(kms: &Kms, ciphertext: &[u8]) -> Vec<u8> {
    let answer = kms.decrypt().ciphertext_blob(blob(ciphertext)).send().await.expect("it is decrypted");
    answer.plaintext.expect("a plaintext").into_inner()
}

/// Decrypts in an encryption context.
pub async fn decrypt_with(kms: &Kms, ciphertext: &[u8], context: HashMap<String, String>) -> Vec<u8> {
    let decrypt = kms.decrypt().ciphertext_blob(blob(ciphertext)).set_encryption_context(Some(context));
    decrypt.send().await.expect("it is decrypted").plaintext.expect("a plaintext").into_inner()
}

/// An encryption context.
#[must_use]
pub fn context(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
