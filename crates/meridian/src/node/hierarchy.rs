//! The node's own keys at start: root key from its provider, Region KEKs from their files, sealing and signing key from
//! the store, made on the first start. `kek_rotation.rs` begins new epochs.

mod kek_files;

pub(crate) use kek_files::KekFiles;

use crate::config::{self, NodeConfig, RootKeyProvider};
use kms_crypto::{Entropy, KekEpoch, PassphraseParams, RegionKek, RootKey, SealingKey, SigningKey};
use kms_service::Keks;
use kms_store::{Keyspace, Store, WriteBatch, scan_prefix};
use kms_types::Timestamp;
use std::sync::Arc;

/// Proof that the root key is the one of this store.
const CHECK_KEY: &[u8] = b"hierarchy/check";
/// Salt of a passphrase.
const SALT_KEY: &[u8] = b"hierarchy/salt";
/// The wrapped sealing key.
const SEALING_KEY: &[u8] = b"hierarchy/sealing";
/// The wrapped signing key.
const SIGNING_KEY: &[u8] = b"hierarchy/signing";
/// Prefix of wrapped Region KEKs in the store, where the first versions kept them; the epoch follows, big endian.
const KEK_PREFIX: &[u8] = b"hierarchy/kek/";
/// Prefix of the times, in milliseconds, at which epochs began; the epoch follows, big endian.
const BEGAN_PREFIX: &[u8] = b"hierarchy/kek-began/";

/// The keys of an opened hierarchy.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    /// Region KEKs by epoch.
    pub(crate) keks: Keks,
    /// The Region's HPKE private key.
    pub(crate) sealing: SealingKey,
    /// What the Region signs with.
    pub(crate) signing: Arc<SigningKey>,
    /// Where the wrapped KEKs are.
    pub(crate) files: KekFiles,
}

/// Opens the hierarchy of a store, or makes one in an empty store.
///
/// # Errors
/// Fails when the root key cannot be had, is another store's, or the stored keys do not open.
pub(crate) fn open(config: &NodeConfig, store: &dyn Store, entropy: &dyn Entropy) -> anyhow::Result<Hierarchy> {
    let root = root_key(config, store, entropy)?;
    let check = check_value(config, &root);
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

/// The root key once more, for a new epoch: the node does not keep it.
///
/// # Errors
/// Fails when the provider has another one by now, or none.
pub(crate) fn reread_root_key(
    config: &NodeConfig,
    store: &dyn Store,
    entropy: &dyn Entropy,
) -> anyhow::Result<RootKey> {
    let root = root_key(config, store, entropy)?;
    match store.get(Keyspace::Node, CHECK_KEY)? {
        Some(stored) if stored == check_value(config, &root) => Ok(root),
        _ => anyhow::bail!("the provider of the root key has another key now than at the start of this node"),
    }
}

fn check_value(config: &NodeConfig, root: &RootKey) -> [u8; 16] {
    root.check_value(&format!("{}/{}", config.cluster_id, config.region))
}

/// When an epoch began; `None` for one of which nothing is noted.
///
/// # Errors
/// Fails when the store does.
pub(crate) fn began_at(store: &dyn Store, epoch: KekEpoch) -> anyhow::Result<Option<Timestamp>> {
    let Some(stored) = store.get(Keyspace::Node, &row_of(BEGAN_PREFIX, epoch))? else { return Ok(None) };
    let millis: [u8; 8] = stored.try_into().map_err(|_invalid| anyhow::anyhow!("a noted time is damaged"))?;
    Ok(Some(Timestamp::from_millis(u64::from_be_bytes(millis))))
}

/// Notes when an epoch began; durable afterwards.
///
/// # Errors
/// Fails when the store does.
pub(crate) fn note_beginning(store: &dyn Store, epoch: KekEpoch, at: Timestamp) -> anyhow::Result<()> {
    let mut batch = WriteBatch::new();
    batch.put(row_of(BEGAN_PREFIX, epoch), at.millis().to_be_bytes());
    store.write(Keyspace::Node, batch)?;
    Ok(store.barrier()?)
}

/// Wraps the Region's own keys in the store under the newest KEK; durable afterwards.
///
/// # Errors
/// Fails when the store does, or a key does not open.
pub(crate) fn rewrap_own_keys(
    config: &NodeConfig,
    store: &dyn Store,
    keks: &Keks,
    entropy: &dyn Entropy,
) -> anyhow::Result<()> {
    let (newest, kek) = keks.last_key_value().ok_or_else(|| anyhow::anyhow!("there is no Region KEK"))?;
    let mut batch = WriteBatch::new();
    let wrapped = stored_sealing_key(store)?;
    if SealingKey::wrapped_epoch(&wrapped)? != *newest {
        let sealing = open_sealing_key(config, keks, &wrapped)?;
        batch.put(SEALING_KEY, sealing.wrap(kek, &config.region, entropy)?);
    }
    if let Some(wrapped) = store.get(Keyspace::Node, SIGNING_KEY)?
        && SigningKey::wrapped_epoch(&wrapped)? != *newest
    {
        let signing = open_signing_key(config, keks, &wrapped)?;
        batch.put(SIGNING_KEY, signing.wrap(kek, &config.region, entropy)?);
    }
    store.write(Keyspace::Node, batch)?;
    Ok(store.barrier()?)
}

/// Destroys the wrapped KEK of an epoch that wraps nothing any more.
///
/// # Errors
/// Fails when the disk does.
pub(crate) fn destroy(store: &dyn Store, files: &KekFiles, epoch: KekEpoch) -> anyhow::Result<()> {
    files.destroy(epoch)?;
    let mut batch = WriteBatch::new();
    batch.remove(row_of(KEK_PREFIX, epoch));
    batch.remove(row_of(BEGAN_PREFIX, epoch));
    store.write(Keyspace::Node, batch)?;
    Ok(store.barrier()?)
}

fn row_of(prefix: &[u8], epoch: KekEpoch) -> Vec<u8> {
    [prefix, &epoch.0.to_be_bytes()].concat()
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
    let files = KekFiles::open(&config.data_dir)?;
    let mut wrapped = files.read()?;
    for row in scan_prefix(store, Keyspace::Node, KEK_PREFIX) {
        wrapped.push(row?.1);
    }
    let mut keks = Keks::new();
    for wrapped in wrapped {
        let kek = RegionKek::unwrap(&wrapped, root, &config.region)?;
        keks.insert(kek.epoch(), Arc::new(kek));
    }
    let sealing = open_sealing_key(config, &keks, &stored_sealing_key(store)?)?;
    let signing = match store.get(Keyspace::Node, SIGNING_KEY)? {
        Some(wrapped) => open_signing_key(config, &keks, &wrapped)?,
        None => add_signing_key(config, store, &keks, entropy)?,
    };
    Ok(Hierarchy { keks, sealing, signing: Arc::new(signing), files })
}

fn open_signing_key(config: &NodeConfig, keks: &Keks, wrapped: &[u8]) -> anyhow::Result<SigningKey> {
    let kek = kek_of(config, keks, SigningKey::wrapped_epoch(wrapped)?)?;
    Ok(SigningKey::unwrap(wrapped, kek, &config.region)?)
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

fn stored_sealing_key(store: &dyn Store) -> anyhow::Result<Vec<u8>> {
    store.get(Keyspace::Node, SEALING_KEY)?.ok_or_else(|| anyhow::anyhow!("the store has no sealing key"))
}

fn open_sealing_key(config: &NodeConfig, keks: &Keks, wrapped: &[u8]) -> anyhow::Result<SealingKey> {
    let kek = kek_of(config, keks, SealingKey::wrapped_epoch(wrapped)?)?;
    Ok(SealingKey::unwrap(wrapped, kek, &config.region)?)
}

fn kek_of<'a>(config: &NodeConfig, keks: &'a Keks, epoch: KekEpoch) -> anyhow::Result<&'a RegionKek> {
    keks.get(&epoch).map(AsRef::as_ref).ok_or_else(|| {
        let directory = config.data_dir.join("region-keks");
        anyhow::anyhow!("the Region KEK of epoch {epoch} is missing in {}", directory.display())
    })
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
    // First: a store that has its check value has its KEK. What a crash in between leaves is written over.
    let files = KekFiles::open(&config.data_dir)?;
    files.write(epoch, &kek.wrap(root, &config.region, entropy)?)?;
    let mut batch = WriteBatch::new();
    batch.put(SEALING_KEY, sealing.wrap(&kek, &config.region, entropy)?);
    batch.put(SIGNING_KEY, signing.wrap(&kek, &config.region, entropy)?);
    batch.put(CHECK_KEY, check);
    store.write(Keyspace::Node, batch)?;
    store.barrier()?;
    Ok(Hierarchy { keks: Keks::from([(epoch, Arc::new(kek))]), sealing, signing: Arc::new(signing), files })
}
