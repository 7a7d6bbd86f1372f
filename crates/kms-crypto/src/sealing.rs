//! Sealing of key material to another Region: HPKE (RFC 9180) in base mode.
//!
//! The KEM is X-Wing (X25519 with ML-KEM-768, draft-connolly-cfrg-xwing-kem), so a recorded log stays closed unless
//! both are broken; HKDF-SHA256 and AES-256-GCM complete the suite. A box has one message, so its nonce is never
//! used twice.
//!
//! ```text
//! public key   0 version, 1   1 kind, 'P'   2..4 KEM ID   4.. public key, 1216 bytes
//! sealed box   0 version, 1   1 kind, 'B'   2..4 KEM ID   4..6 KDF ID   6..8 AEAD ID
//!              8..1128 encapsulated key     1128.. AES-256-GCM ciphertext and 16-byte tag
//! ```
//! The first eight bytes of a box are its associated data; `info` carries everything in [`SealInfo`] and the key spec.

use crate::entropy::EntropyRng;
use crate::kdf::fields;
use crate::row::{Header, Kind};
use crate::secret::Secret;
use crate::{CryptoError, Entropy, KekEpoch, KeyMaterial, RegionKek, spec_code};
use hpke::aead::{Aead, AesGcm256};
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName};
use std::fmt;
use zeroize::Zeroizing;

type Kdf = hpke::kdf::HkdfSha256;
type PrivateKey = <XWing as Kem>::PrivateKey;
type PublicKey = <XWing as Kem>::PublicKey;
type EncappedKey = <XWing as Kem>::EncappedKey;

const VERSION: u8 = 1;
/// Kinds of sealed box: key material, and other secrets (`sealed_secret.rs`).
const BOX: u8 = b'B';
const SECRET: u8 = b'S';
const INFO_LABEL: &str = "meridian/v1/sealed-box";
/// The KEM ID of X-Wing (IANA HPKE registry).
const KEM_ID: [u8; 2] = XWing::KEM_ID.to_be_bytes();
/// RFC 9180 §7.2: HKDF-SHA256. The library keeps its own constant hidden.
const KDF_ID: [u8; 2] = [0, 1];
const AEAD_ID: [u8; 2] = AesGcm256::AEAD_ID.to_be_bytes();
const ENCAPSULATED_BYTES: usize = 1120;
const PUBLIC_BYTES: usize = 1216;
/// The longest cluster ID, in bytes; keeps `info` far below the 2^16 bytes at which the library would panic.
const CLUSTER_ID_BYTES_MAX: usize = 256;

/// What a sealed box is bound to, beside the key spec. A box opens only under exactly these values.
#[derive(Clone, Copy, Debug)]
pub struct SealInfo<'a> {
    /// The cluster.
    pub cluster_id: &'a str,
    /// The key.
    pub key_id: &'a KeyId,
    /// The material version inside.
    pub material_id: &'a KeyMaterialId,
    /// The Region that seals.
    pub source: &'a RegionName,
    /// The Region that opens.
    pub destination: &'a RegionName,
}

impl SealInfo<'_> {
    fn to_bytes(self, spec: KeySpec) -> Result<Vec<u8>, CryptoError> {
        if self.cluster_id.len() > CLUSTER_ID_BYTES_MAX {
            return Err(CryptoError::Length { what: "a cluster ID", found: self.cluster_id.len() });
        }
        Ok(fields(&[
            INFO_LABEL.as_bytes(),
            self.cluster_id.as_bytes(),
            self.key_id.as_bytes(),
            self.material_id.as_bytes(),
            self.source.as_str().as_bytes(),
            self.destination.as_str().as_bytes(),
            &spec_code::encode(spec).to_be_bytes(),
        ]))
    }
}

/// A Region's HPKE private key. Whoever holds it can open every box that was sealed to the Region.
pub struct SealingKey {
    /// On the heap, so that moving the key leaves no copy behind.
    private: Box<PrivateKey>,
    public: SealingPublicKey,
}

impl SealingKey {
    /// Draws a new key pair.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        // An X-Wing private key is 32 random bytes (draft-connolly-cfrg-xwing-kem §5.2).
        Self::from_seed(Secret::draw(entropy)?.expose()).ok_or(CryptoError::Library("HPKE"))
    }

    /// The public key, for the Region directory.
    #[must_use]
    pub fn public(&self) -> SealingPublicKey {
        self.public.clone()
    }

    /// Wraps the private key for its Region's store.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no nonce is to be had.
    pub fn wrap(&self, kek: &RegionKek, region: &RegionName, entropy: &dyn Entropy) -> Result<Vec<u8>, CryptoError> {
        let mut seed = Secret::zero();
        self.private.write_exact(seed.as_mut());
        kek.wrap_row(Kind::SealingKey, XWing::KEM_ID, &[region.as_str().as_bytes()], seed.expose(), entropy)
    }

    /// Opens a wrapped private key with the KEK of its epoch (see [`Self::wrapped_epoch`]).
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped sealing key or name an unknown KEM,
    /// [`CryptoError::EpochMismatch`] when the KEK is of another epoch, [`CryptoError::Refused`] for another Region or
    /// when a byte was changed.
    pub fn unwrap(bytes: &[u8], kek: &RegionKek, region: &RegionName) -> Result<Self, CryptoError> {
        let (kem_id, seed) = kek.unwrap_row(Kind::SealingKey, &[region.as_str().as_bytes()], bytes)?;
        if kem_id != XWing::KEM_ID {
            return Err(Kind::SealingKey.malformed());
        }
        Self::from_seed(&seed).ok_or(Kind::SealingKey.malformed())
    }

    /// The epoch of the KEK that wrapped these bytes. Not yet authenticated: [`Self::unwrap`] does that.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped sealing key.
    pub fn wrapped_epoch(bytes: &[u8]) -> Result<KekEpoch, CryptoError> {
        Header::parse(Kind::SealingKey, bytes).map(|(header, _)| header.epoch)
    }

    /// Opens a sealed box and checks that it holds the material that `info` names.
    ///
    /// # Errors
    /// [`CryptoError::Refused`], whatever the reason; [`CryptoError::Length`] when the cluster ID is too long.
    pub fn open(&self, info: &SealInfo<'_>, sealed: &[u8], spec: KeySpec) -> Result<KeyMaterial, CryptoError> {
        let opened = self.open_box(BOX, &info.to_bytes(spec)?, sealed)?;
        let material = KeyMaterial::checked(spec, opened).map_err(|_opaque| CryptoError::Refused)?;
        if material.material_id(info.key_id) == *info.material_id { Ok(material) } else { Err(CryptoError::Refused) }
    }

    /// Opens a box that holds a secret which is no key material.
    pub(crate) fn open_secret(&self, info: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.open_box(SECRET, info, sealed)
    }

    fn open_box(&self, kind: u8, info: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (header, rest) = sealed.split_first_chunk::<8>().ok_or(CryptoError::Refused)?;
        if *header != box_header(kind) {
            return Err(CryptoError::Refused);
        }
        let (encapped, ciphertext) = rest.split_first_chunk::<ENCAPSULATED_BYTES>().ok_or(CryptoError::Refused)?;
        let encapped = EncappedKey::from_bytes(encapped).map_err(|_opaque| CryptoError::Refused)?;
        let mode = OpModeR::Base;
        let opened =
            hpke::single_shot_open::<AesGcm256, Kdf, XWing>(&mode, &self.private, &encapped, info, ciphertext, header);
        opened.map(Zeroizing::new).map_err(|_opaque| CryptoError::Refused)
    }

    fn from_seed(seed: &[u8]) -> Option<Self> {
        let private = Box::new(PrivateKey::from_bytes(seed).ok()?);
        let public = SealingPublicKey::of(&XWing::sk_to_pk(&private));
        Some(Self { private, public })
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(X-Wing, secret)")
    }
}

/// A Region's HPKE public key with its version and KEM ID, checked when it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingPublicKey(Vec<u8>);

impl SealingPublicKey {
    const HEADER: [u8; 4] = {
        let [kem0, kem1] = KEM_ID;
        [VERSION, b'P', kem0, kem1]
    };

    /// Reads a public key.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no public key of a known version and KEM.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let key = Self(bytes.to_vec());
        key.parse().ok_or(CryptoError::Malformed("sealing public key"))?;
        Ok(key)
    }

    /// The bytes, as [`Self::from_bytes`] reads them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Seals a secret that is no key material.
    pub(crate) fn seal_secret(
        &self,
        info: &[u8],
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        self.seal_box(SECRET, info, secret, entropy)
    }

    fn seal_box(&self, kind: u8, info: &[u8], secret: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, CryptoError> {
        let recipient = self.parse().ok_or(CryptoError::Malformed("sealing public key"))?;
        let header = box_header(kind);
        let mut rng = EntropyRng::new(entropy);
        let mode = OpModeS::Base;
        let sealed = hpke::single_shot_seal_with_rng::<AesGcm256, Kdf, XWing>(
            &mode, &recipient, info, secret, &header, &mut rng,
        );
        // Before anything that was made from these draws is looked at.
        rng.finish()?;
        let (encapped, ciphertext) = sealed.map_err(|_failed| CryptoError::Library("HPKE"))?;
        let length = header.len().saturating_add(ENCAPSULATED_BYTES).saturating_add(ciphertext.len());
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&header);
        out.extend_from_slice(&encapped.to_bytes());
        out.extend_from_slice(&ciphertext);
        Ok(out)
    }

    fn of(key: &PublicKey) -> Self {
        let mut bytes = Vec::with_capacity(Self::HEADER.len().saturating_add(PUBLIC_BYTES));
        bytes.extend_from_slice(&Self::HEADER);
        bytes.extend_from_slice(&key.to_bytes());
        Self(bytes)
    }

    fn parse(&self) -> Option<PublicKey> {
        let key = self.0.strip_prefix(&Self::HEADER)?;
        PublicKey::from_bytes(key).ok()
    }
}

impl fmt::Debug for SealingPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingPublicKey(X-Wing, {} bytes)", self.0.len())
    }
}

/// Seals key material to a Region's public key.
///
/// # Errors
/// [`CryptoError::MaterialMismatch`] when `info` names another material ID than that of this material,
/// [`CryptoError::Length`] when the cluster ID has more than 256 bytes, [`CryptoError::Entropy`] when no random bytes
/// are to be had.
pub fn seal(
    public: &SealingPublicKey,
    info: &SealInfo<'_>,
    material: &KeyMaterial,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    if material.material_id(info.key_id) != *info.material_id {
        return Err(CryptoError::MaterialMismatch);
    }
    public.seal_box(BOX, &info.to_bytes(material.spec())?, material.secret(), entropy)
}

const fn box_header(kind: u8) -> [u8; 8] {
    let ([kem0, kem1], [kdf0, kdf1], [aead0, aead1]) = (KEM_ID, KDF_ID, AEAD_ID);
    [VERSION, kind, kem0, kem1, kdf0, kdf1, aead0, aead1]
}
