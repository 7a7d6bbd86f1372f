//! What Regions sign and how it is checked: the signing key of this Region behind the port of `kms-audit`, and the public keys
//! of all Regions from the Region directory.

use kms_audit::{Signature, Signer, SignerError, SigningKeyId, Verifier};
use kms_core::control::ControlState;
use kms_crypto::{SigningKey, SigningPublicKey};
use kms_types::RegionName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Signs in the name of this Region. Signed bytes begin with a label of their purpose.
#[derive(Debug)]
pub(crate) struct RegionSigner(Arc<SigningKey>);

impl RegionSigner {
    pub(crate) const fn new(key: Arc<SigningKey>) -> Self {
        Self(key)
    }

    /// The public key, for the Region directory.
    pub(crate) fn public(&self) -> SigningPublicKey {
        self.0.public()
    }
}

impl Signer for RegionSigner {
    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignerError> {
        let key = SigningKeyId::from_bytes(self.0.public().id());
        let bytes = self.0.sign(bytes).map_err(|_library| SignerError)?;
        Ok(Signature { key, bytes })
    }
}

/// The public signing keys of all Regions, former ones included.
#[derive(Clone, Debug, Default)]
pub(crate) struct RegionKeys(BTreeMap<RegionName, Vec<SigningPublicKey>>);

impl RegionKeys {
    /// The keys in the Region directory.
    pub(crate) fn of(state: &ControlState) -> Self {
        let mut keys = Self::default();
        for line in state.regions() {
            for key in line.former_signing_keys.iter().chain([&line.signing_public_key]) {
                // A key of a kind that this version does not know checks nothing.
                if let Ok(key) = SigningPublicKey::from_bytes(key) {
                    keys.add(line.region.clone(), key);
                }
            }
        }
        keys
    }

    /// One more key of a Region.
    pub(crate) fn add(&mut self, region: RegionName, key: SigningPublicKey) {
        self.0.entry(region).or_default().push(key);
    }
}

impl Verifier for RegionKeys {
    fn verify(&self, region: &RegionName, bytes: &[u8], signature: &Signature) -> bool {
        let keys = self.0.get(region).map(Vec::as_slice).unwrap_or_default();
        let named = keys.iter().find(|key| key.id() == *signature.key.as_bytes());
        named.is_some_and(|key| key.verify(bytes, &signature.bytes))
    }
}
