//! The node's own keys at start: root key from its provider, Region KEKs, sealing and signing key from the store, made on
//! the first start.

use crate::config::{self, NodeConfig, RootKeyProvider};
use kms_crypto::{Entropy, KekEpoch, PassphraseParams, RegionKek, RootKey, SealingKey, SigningKey};
use kms_service::Keks;
use kms_store::{Keyspace, Store, WriteBatch, scan_prefix};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Proof that the root key is the one of this store.
const CHECK_KEY: &[u8] = b"hierarchy/check";
/// Salt of a passphrase.
const SALT_KEY: &[u8] = b"hierarchy/salt";
/// The wrapped sealing key.
const SEALING_KEY: &[u8] = b"hierarchy/sealing";
/// The wrapped signing key.
const SIGNING_KEY: &[u8] = b"hierarchy/signing";
/// Prefix of the wrapped Region KEKs; the epoch follows, big endian.
const KEK_PREFIX: &[u8] = b"hierarchy/kek/";

/// The keys of an opened hierarchy.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    /// Region KEKs by epoch.
    pub(crate) keks: Keks,
    /// The Region's HPKE private key.
    pub(crate) sealing: SealingKey,
    /// What the Region signs with.
    pub(crate) signing: SigningKey,
}

/// Opens the hierarchy of a store, or makes one in an empty store.
///
/// # Errors
/// Fails when the root key cannot be had, is another store's, or the stored keys do not open.
pub(crate) fn open(config: &NodeConfig, store: &dyn Store, entropy: &dyn Entropy) -> anyhow::Result<Hierarchy> {
    let root = root_key(config, store, entropy)?;
    let identity = format!("{}/{}", config.cluster_id, config.region);
    let check = root.check_value(&identity);
    match store.get(Keyspace::Node, CHECK_KEY)? {
        Some(stored) if stored == check => load(config, store, &root, entropy),
        Some(_) => anyhow::bail!(
            "the root key is not the one of the store in {}; give the Region its own root key back, or start with an \
             empty data directory",
            config.data_dir.display()
        ),
        None => create(config, store, entropy, &root, check),
    }
}

fn root_key(config: &NodeConfig, store: &dyn Store, entropy: &dyn Entropy) -> anyhow::Result<RootKey> {
    match &config.root_key {
        RootKeyProvider::File(path) => Ok(RootKey::from_bytes(config::read_root_key(path)?.as_slice())?),
        RootKeyProvider::Passphrase { passphrase_file } => {
            let passphrase = config::read_passphrase(passphrase_file)?;
            let salt = salt(store, entropy)?;
            Ok(RootKey::from_passphrase(passphrase.as_bytes(), &salt, PassphraseParams::default())?)
        }
    }
}

fn salt(store: &dyn Store, entropy: &dyn Entropy) -> anyhow::Result<[u8; 16]> {
    if let Some(stored) = store.get(Keyspace::Node, SALT_KEY)? {
        return stored.try_into().map_err(|_invalid| anyhow::anyhow!("the stored salt is damaged"));
    }
    let mut salt = [0; 16];
    entropy.fill(&mut salt)?;
    let mut batch = WriteBatch::new();
    batch.put(SALT_KEY, salt);
    store.write(Keyspace::Node, batch)?;
    store.barrier()?;
    Ok(salt)
}

fn load(config: &NodeConfig, store: &dyn Store, root: &RootKey, entropy: &dyn Entropy) -> anyhow::Result<Hierarchy> {
    let mut keks = BTreeMap::new();
    for row in scan_prefix(store, Keyspace::Node, KEK_PREFIX) {
        let (_, wrapped) = row?;
        let kek = RegionKek::unwrap(&wrapped, root, &config.region)?;
        keks.insert(kek.epoch(), Arc::new(kek));
    }
    let wrapped = store.get(Keyspace::Node, SEALING_KEY)?;
    let wrapped = wrapped.ok_or_else(|| anyhow::anyhow!("the store has no sealing key"))?;
    let epoch = SealingKey::wrapped_epoch(&wrapped)?;
    let kek = keks.get(&epoch).ok_or_else(|| anyhow::anyhow!("the store lacks Region KEK epoch {}", epoch.0))?;
    let sealing = SealingKey::unwrap(&wrapped, kek, &config.region)?;
    let signing = match store.get(Keyspace::Node, SIGNING_KEY)? {
        Some(wrapped) => {
            let epoch = SigningKey::wrapped_epoch(&wrapped)?;
            let kek =
                keks.get(&epoch).ok_or_else(|| anyhow::anyhow!("the store lacks Region KEK epoch {}", epoch.0))?;
            SigningKey::unwrap(&wrapped, kek, &config.region)?
        }
        None => add_signing_key(config, store, &keks, entropy)?,
    };
    Ok(Hierarchy { keks, sealing, signing })
}

/// Draws the signing key of a store from before Regions signed anything.
fn add_signing_key(
    config: &NodeConfig,
    store: &dyn Store,
    keks: &Keks,
    entropy: &dyn Entropy,
) -> anyhow::Result<SigningKey> {
    let (_, kek) = keks.last_key_value().ok_or_else(|| anyhow::anyhow!("the store has no Region KEK"))?;
    let signing = SigningKey::generate(entropy)?;
    let mut batch = WriteBatch::new();
    batch.put(SIGNING_KEY, signing.wrap(kek, &config.region, entropy)?);
    store.write(Keyspace::Node, batch)?;
    store.barrier()?;
    Ok(signing)
}

fn create(
    config: &NodeConfig,
    store: &dyn Store,
    entropy: &dyn Entropy,
    root: &RootKey,
    check: [u8; 16],
) -> anyhow::Result<Hierarchy> {
    let epoch = KekEpoch(1);
    let kek = RegionKek::generate(epoch, entropy)?;
    let sealing = SealingKey::generate(entropy)?;
    let signing = SigningKey::generate(entropy)?;
    let mut batch = WriteBatch::new();
    batch.put([KEK_PREFIX, &epoch.0.to_be_bytes()].concat(), kek.wrap(root, &config.region, entropy)?);
    batch.put(SEALING_KEY, sealing.wrap(&kek, &config.region, entropy)?);
    batch.put(SIGNING_KEY, signing.wrap(&kek, &config.region, entropy)?);
    batch.put(CHECK_KEY, check);
    store.write(Keyspace::Node, batch)?;
    store.barrier()?;
    Ok(Hierarchy { keks: BTreeMap::from([(epoch, Arc::new(kek))]), sealing, signing })
}
