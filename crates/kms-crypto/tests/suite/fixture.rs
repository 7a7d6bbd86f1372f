//! What several tests need: a repeatable source of bytes, keys made from it, and the reader of vector files.

use kms_crypto::{AsymmetricKey, Entropy, EntropyError, KekEpoch, KeyMaterial, RegionKek, RootKey};
use kms_types::{EncryptionContext, KeyId, KeySpec, MessageType, RegionName, SigningAlgorithm};
use shake::{ExtendableOutput, Shake128, Shake128Reader, Shake256, Update, XofReader};
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

/// Every key spec that has material.
pub(crate) fn specs() -> impl Iterator<Item = KeySpec> {
    KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::Sm2)
}

/// Every key spec with a public half.
pub(crate) fn asymmetric_specs() -> impl Iterator<Item = KeySpec> {
    specs().filter(|spec| spec.is_asymmetric())
}

/// The prefix of a spec's values in vector files.
pub(crate) fn prefix(spec: KeySpec) -> String {
    spec.as_str().to_lowercase()
}

/// The material of a spec in the frozen vectors.
pub(crate) fn frozen_material(spec: KeySpec) -> KeyMaterial {
    let v = Vectors::read(include_str!("../../../../tests/vectors/crypto/keys-v1.txt"));
    KeyMaterial::from_bytes(spec, &v.hex(&format!("{}_material", prefix(spec)))).unwrap()
}

/// The asymmetric key of a spec in the frozen vectors.
pub(crate) fn frozen_key(spec: KeySpec) -> AsymmetricKey {
    AsymmetricKey::new(&frozen_material(spec)).unwrap()
}

/// The message type that goes with an algorithm when the message is 64 bytes long.
pub(crate) fn message_type(algorithm: SigningAlgorithm) -> MessageType {
    if algorithm == SigningAlgorithm::Ed25519PhSha512 { MessageType::Digest } else { MessageType::Raw }
}

/// FIPS 204 §6.2 with §5.2: the message representative µ.
pub(crate) fn mu(public_key: &[u8], context: &[u8], message: &[u8]) -> [u8; 64] {
    let hash = |parts: &[&[u8]]| {
        let (mut state, mut out) = (Shake256::default(), [0; 64]);
        parts.iter().for_each(|part| state.update(part));
        state.finalize_xof().read(&mut out);
        out
    };
    let length = u8::try_from(context.len()).unwrap();
    hash(&[&hash(&[public_key]), &[0, length], context, message])
}
