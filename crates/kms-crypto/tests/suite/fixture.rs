//! What several tests need: a repeatable source of bytes, keys made from it, and the reader of vector files.

use kms_crypto::{Entropy, EntropyError, KekEpoch, KeyMaterial, RegionKek, RootKey};
use kms_types::{EncryptionContext, KeyId, KeySpec, RegionName};
use shake::{ExtendableOutput, Shake128, Shake128Reader, Update, XofReader};
use std::sync::Mutex;

/// SHAKE-128 of a label: the same bytes for ever.
pub(crate) struct Stream(Mutex<Shake128Reader>);

impl Stream {
    pub(crate) fn new(label: &str) -> Self {
        let mut hash = Shake128::default();
        hash.update(label.as_bytes());
        Self(Mutex::new(hash.finalize_xof()))
    }
}

impl Entropy for Stream {
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().read(dest);
        Ok(())
    }
}

/// A source that fails at every draw.
pub(crate) struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

pub(crate) fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

pub(crate) fn multi_region_key() -> KeyId {
    KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap()
}

pub(crate) fn single_region_key() -> KeyId {
    KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").unwrap()
}

pub(crate) fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

pub(crate) fn root(label: &str) -> RootKey {
    RootKey::generate(&Stream::new(label)).unwrap()
}

pub(crate) fn kek(epoch: u32) -> RegionKek {
    RegionKek::generate(KekEpoch(epoch), &Stream::new(&format!("kek {epoch}"))).unwrap()
}

pub(crate) fn material(label: &str) -> KeyMaterial {
    KeyMaterial::generate(KeySpec::SymmetricDefault, &Stream::new(label)).unwrap()
}

/// A vector file: `name = value` lines, `#` for comments. Values are hex or plain text, as the reader knows.
pub(crate) struct Vectors(Vec<(&'static str, &'static str)>);

impl Vectors {
    pub(crate) fn read(file: &'static str) -> Self {
        let line = |line: &'static str| line.split_once('=').map(|(name, value)| (name.trim(), value.trim())).unwrap();
        Self(file.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(line).collect())
    }

    pub(crate) fn text(&self, name: &str) -> &'static str {
        self.0.iter().find(|(n, _)| *n == name).unwrap_or_else(|| unreachable!("the vector file lacks {name}")).1
    }

    pub(crate) fn hex(&self, name: &str) -> Vec<u8> {
        hex::decode(self.text(name)).unwrap()
    }

    pub(crate) fn number(&self, name: &str) -> u32 {
        self.text(name).parse().unwrap()
    }

    pub(crate) fn lines(&self) -> &[(&'static str, &'static str)] {
        &self.0
    }
}
