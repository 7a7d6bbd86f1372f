//! What is in the data directory of a Region that is not running: its store, its own keys, and every sealed box.
//!
//! The store and the sealing key are opened with the product's own code. Wrapped rows are opened a second time with code
//! written here from the documented format, because the product never gives raw secrets away, and a test that looks for
//! them has to know them.

use hkdf::Hkdf;
use kms_crypto::{KekEpoch, RegionKek, RootKey, SealInfo, SealingKey, SigningKey};
use kms_store::{Keyspace, SledStore, StoreOptions, scan_prefix};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::path::Path;
use xaes_256_gcm::Xaes256Gcm;
use xaes_256_gcm::aead::{AeadInOut as _, KeyInit as _};

/// First bytes of a sealed box: version 1, `B`, then the numbers of KEM (X-Wing), KDF (HKDF-SHA256) and AEAD
/// (AES-256-GCM) of RFC 9180 and its registry.
const BOX_START: [u8; 2] = [1, b'B'];
/// Bytes of a box with 32 bytes of material: header, encapsulated key of X-Wing, material, tag.
const BOX_BYTES: usize = 8 + 1120 + 32 + 16;

/// A Region's data directory with its root key.
#[derive(Debug)]
pub struct Offline {
    region: RegionName,
    cluster_id: String,
    rows: Vec<(Keyspace, Vec<u8>, Vec<u8>)>,
    files: Vec<Vec<u8>>,
    sealing: SealingKey,
    root: [u8; 32],
    wrapped_keks: Vec<Vec<u8>>,
}

/// A wrapped secret of the store, opened: its bytes and what it is.
#[derive(Debug)]
pub struct RawSecret {
    /// What it is.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Offline {
    /// Reads a copy of `directory` (a Region's directory of a stopped development cluster).
    #[must_use]
    pub fn read(directory: &Path, region: &str, cluster_id: &str) -> Self {
        let region = RegionName::parse(region).expect("a Region");
        let files = crate::search::files(directory).into_iter().map(|path| std::fs::read(path).expect("readable"));
        let files = files.collect();
        let copy = tempfile::tempdir().expect("a directory");
        copy_tree(&directory.join("data"), copy.path());
        let store = SledStore::open(&store_of(copy.path()), StoreOptions::default()).expect("the store opens");
        let mut rows = Vec::new();
        for keyspace in Keyspace::ALL {
            let found = scan_prefix(&store, keyspace, b"").map(|row| row.expect("the store is readable"));
            rows.extend(found.map(|(key, value)| (keyspace, key, value)));
        }
        let text = std::fs::read_to_string(directory.join("root.key")).expect("the root key is readable");
        let root: [u8; 32] = hex::decode(text.trim()).expect("hexadecimal").try_into().expect("32 bytes");
        let root_key = RootKey::from_bytes(&root).expect("a root key");
        let own: Vec<Vec<u8>> =
            rows.iter().filter(|(keyspace, ..)| *keyspace == Keyspace::Node).map(|(.., value)| value.clone()).collect();
        let in_files = crate::search::files(&directory.join("data/region-keks")).into_iter();
        let in_files = in_files.map(|path| std::fs::read(path).expect("readable"));
        // Earlier versions kept them in the store.
        let in_store = own.iter().filter(|row| RegionKek::wrapped_epoch(row).is_ok()).cloned();
        let wrapped_keks: Vec<Vec<u8>> = in_files.chain(in_store).collect();
        let keks: Vec<RegionKek> =
            wrapped_keks.iter().map(|row| RegionKek::unwrap(row, &root_key, &region).expect("it opens")).collect();
        let sealing = own.iter().find_map(|row| {
            let epoch = SealingKey::wrapped_epoch(row).ok()?;
            let kek = keks.iter().find(|kek| kek.epoch() == epoch)?;
            SealingKey::unwrap(row, kek, &region).ok()
        });
        let sealing = sealing.expect("the store has a sealing key");
        Self { region, cluster_id: cluster_id.to_owned(), rows, files, sealing, root, wrapped_keks }
    }

    /// Every sealed box in rows and, byte by byte, in files, also in what was overwritten but is still on disk.
    #[must_use]
    pub fn boxes(&self) -> BTreeSet<Vec<u8>> {
        let values = self.rows.iter().map(|(_, _, value)| value);
        values.chain(&self.files).flat_map(|bytes| boxes_in(bytes)).collect()
    }

    /// How many of the boxes open as material of this key. Tries every box with every material ID and every pair of
    /// source and destination Region.
    #[must_use]
    pub fn opened(&self, key_id: &str, materials: &[String], regions: &[String]) -> usize {
        let key_id = KeyId::parse(key_id).expect("a key ID");
        let regions: Vec<RegionName> = regions.iter().map(|region| RegionName::parse(region).expect("valid")).collect();
        let ids: Vec<KeyMaterialId> =
            materials.iter().map(|id| KeyMaterialId::parse(id).expect("a material ID")).collect();
        let boxes = self.boxes();
        let opens = |sealed: &Vec<u8>| {
            ids.iter().any(|material_id| {
                regions.iter().any(|source| {
                    regions.iter().any(|destination| {
                        let cluster_id = &self.cluster_id;
                        let info = SealInfo { cluster_id, key_id: &key_id, material_id, source, destination };
                        self.sealing.open(&info, sealed, KeySpec::SymmetricDefault).is_ok()
                    })
                })
            })
        };
        boxes.iter().filter(|sealed| opens(sealed)).count()
    }

    /// How many rows of wrapped material this Region has for a key.
    #[must_use]
    pub fn wrapped_materials(&self, key_id: &str) -> usize {
        self.materials().iter().filter(|(id, _, _)| id == key_id).count()
    }

    /// Every secret that this Region's root key opens: the root key, Region KEKs, sealing and signing key, all material.
    #[must_use]
    pub fn raw_secrets(&self) -> Vec<RawSecret> {
        let region = self.region.as_str().as_bytes();
        let mut secrets = vec![RawSecret { name: format!("root key of {}", self.region), bytes: self.root.to_vec() }];
        let wrapping = derive("meridian/v1/root-key/wrap", &self.root);
        let mut keks: Vec<(KekEpoch, Vec<u8>)> = Vec::new();
        for row in &self.wrapped_keks {
            let kek =
                open(&wrapping, "meridian/v1/row/region-kek", row, &[region]).expect("the root key opens the KEK");
            let epoch = RegionKek::wrapped_epoch(row).expect("a wrapped KEK");
            secrets.push(RawSecret { name: format!("Region KEK {epoch} of {}", self.region), bytes: kek.clone() });
            keks.push((epoch, kek));
        }
        for (keyspace, _, value) in &self.rows {
            if *keyspace == Keyspace::Node && SealingKey::wrapped_epoch(value).is_ok() {
                let found = keks.iter().find_map(|(_, kek)| open(kek, "meridian/v1/row/sealing-key", value, &[region]));
                let name = format!("sealing key of {}", self.region);
                secrets.extend(found.map(|bytes| RawSecret { name, bytes }));
            }
            if *keyspace == Keyspace::Node && SigningKey::wrapped_epoch(value).is_ok() {
                let found = keks.iter().find_map(|(_, kek)| open(kek, "meridian/v1/row/signing-key", value, &[region]));
                let name = format!("signing key of {}", self.region);
                secrets.extend(found.map(|bytes| RawSecret { name, bytes }));
            }
        }
        for (key_id, material_id, wrapped) in self.materials() {
            let bound = [region, key_id.as_bytes(), material_id.as_slice()];
            let found = keks.iter().find_map(|(_, kek)| open(kek, "meridian/v1/row/key-material", &wrapped, &bound));
            let bytes = found.expect("a KEK opens the material");
            secrets.push(RawSecret { name: format!("material of {key_id} in {}", self.region), bytes });
        }
        secrets
    }

    /// Wrapped material: key ID, material ID, wrapped bytes.
    fn materials(&self) -> Vec<(String, Vec<u8>, Vec<u8>)> {
        use kms_core::regional::RegionalChange;
        let regional = self.rows.iter().filter(|(keyspace, _, _)| *keyspace == Keyspace::Regional);
        let changes = regional.filter_map(|(_, key, value)| kms_proto::regional_codec::row_to_change(key, value).ok());
        changes
            .filter_map(|change| match change {
                RegionalChange::PutMaterial(key_id, material) => {
                    Some((key_id.to_string(), material.material_id.as_bytes().to_vec(), material.wrapped))
                }
                _ => None,
            })
            .collect()
    }
}

fn boxes_in(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts = (0..bytes.len().saturating_sub(BOX_BYTES - 1)).filter(|at| bytes[*at..].starts_with(&BOX_START));
    starts.map(|at| bytes[at..at + BOX_BYTES].to_vec()).filter(|found| found[4..8] == [0, 1, 0, 2]).collect()
}

/// The store's directory: the one below which there is a `sled` directory.
fn store_of(directory: &Path) -> std::path::PathBuf {
    let below = std::fs::read_dir(directory).expect("readable").map(|entry| entry.expect("readable").path());
    let mut places = std::iter::once(directory.to_owned()).chain(below);
    places.find(|place| place.join("sled").is_dir()).expect("a Region's data has a store")
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory can be made");
    for entry in std::fs::read_dir(from).expect("readable") {
        let path = entry.expect("readable").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("the file can be copied");
        }
    }
}

/// HKDF-SHA256 as `kms-crypto`'s overview describes it: the label is the salt, the info is empty.
fn derive(label: &str, secret: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 32];
    Hkdf::<Sha256>::new(Some(label.as_bytes()), secret).expand(&[], &mut out).expect("32 bytes");
    out
}

/// Opens a row: eight bytes of header, nonce, ciphertext, tag; XAES-256-GCM with label, header and names bound.
fn open(key: &[u8], label: &str, row: &[u8], bound: &[&[u8]]) -> Option<Vec<u8>> {
    let (header, rest) = row.split_at_checked(8)?;
    let (nonce, rest) = rest.split_at_checked(24)?;
    let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
    let parts = [&[label.as_bytes(), header], bound].concat();
    let length = |part: &&[u8]| u32::try_from(part.len()).expect("short").to_be_bytes();
    let data: Vec<u8> = parts.iter().flat_map(|part| [length(part).to_vec(), part.to_vec()].concat()).collect();
    let key: [u8; 32] = key.try_into().ok()?;
    let nonce: [u8; 24] = nonce.try_into().ok()?;
    let tag: [u8; 16] = tag.try_into().ok()?;
    let mut buffer = ciphertext.to_vec();
    let cipher = Xaes256Gcm::new(&key.into());
    cipher.decrypt_inout_detached(&nonce.into(), &data, buffer.as_mut_slice().into(), &tag.into()).ok()?;
    Some(buffer)
}
