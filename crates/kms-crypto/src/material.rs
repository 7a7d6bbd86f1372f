//! Key material: the secret of one key, in one version.

mod form;
mod import;

use self::form::Form;
use crate::kdf::derive;
use crate::region_kek::{KekEpoch, RegionKek};
use crate::row::{Header, Kind};
use crate::secret::Secret;
use crate::{CryptoError, Entropy, spec_code};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const ID_SEED_LABEL: &str = "meridian/v1/key-material/id-seed";
const ID_LABEL: &str = "meridian/v1/key-material/id";

/// The key material of one version of a key, with the key spec that it is for.
pub struct KeyMaterial {
    spec: KeySpec,
    secret: Zeroizing<Vec<u8>>,
}

/// What wrapped key material is bound to, beside the KEK epoch and the key spec.
#[derive(Clone, Copy, Debug)]
pub struct WrapContext<'a> {
    /// The Region whose store holds the row.
    pub region: &'a RegionName,
    /// The key.
    pub key_id: &'a KeyId,
    /// The material version.
    pub material_id: &'a KeyMaterialId,
}

impl WrapContext<'_> {
    fn bound(&self) -> [&[u8]; 3] {
        [self.region.as_str().as_bytes(), self.key_id.as_bytes(), self.material_id.as_bytes()]
    }
}

impl KeyMaterial {
    /// Draws new material. RSA keys are drawn by the library's own generator and take 0.1 to a few seconds of computation:
    /// never on a runtime's thread.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSpec`] when material of this spec cannot be made here (SM2), [`CryptoError::Entropy`]
    /// when no random bytes are to be had, [`CryptoError::Library`] when no RSA key was found.
    pub fn generate(spec: KeySpec, entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        let form = Form::of(spec).ok_or(CryptoError::UnsupportedSpec(spec))?;
        Ok(Self { spec, secret: form.draw(entropy)? })
    }

    /// Takes material that was made elsewhere (`ImportKeyMaterial`): the bytes of a symmetric or HMAC key, the DER
    /// `PrivateKeyInfo` (PKCS #8) of an RSA or ECC key. Two encodings of one key give the same material.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSpec`] for a spec whose material cannot be imported, [`CryptoError::Length`] when the
    /// number of bytes is not that of the spec, [`CryptoError::Malformed`] when they are not a private key of this very
    /// spec, [`CryptoError::Refused`] when they are one that cannot be used.
    pub fn import(spec: KeySpec, bytes: &[u8]) -> Result<Self, CryptoError> {
        Self::checked(spec, import::stored_form(spec, bytes)?)
    }

    /// Takes material in its stored form (`OVERVIEW.md`, "Key material").
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSpec`] for a spec that cannot be held, [`CryptoError::Length`] when the number of
    /// bytes is not that of the spec, [`CryptoError::Malformed`] when no key of the spec has these bytes.
    pub fn from_bytes(spec: KeySpec, bytes: &[u8]) -> Result<Self, CryptoError> {
        Self::checked(spec, Zeroizing::new(bytes.to_vec()))
    }

    /// The key spec.
    #[must_use]
    pub const fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The material ID under a key ID: HKDF-SHA256 of the material, its spec and the key ID. Collision resistant, so it
    /// commits to the material; one way, so it may be shown to anyone.
    #[must_use]
    pub fn material_id(&self, key_id: &KeyId) -> KeyMaterialId {
        self.id_seed().material_id(key_id)
    }

    /// Wraps the material for a Region's store.
    ///
    /// # Errors
    /// [`CryptoError::MaterialMismatch`] when the context names another material ID than that of this material,
    /// [`CryptoError::Entropy`] when no nonce is to be had.
    pub fn wrap(
        &self,
        kek: &RegionKek,
        context: &WrapContext<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        if self.material_id(context.key_id) != *context.material_id {
            return Err(CryptoError::MaterialMismatch);
        }
        kek.wrap_row(Kind::Material, spec_code::encode(self.spec), &context.bound(), &self.secret, entropy)
    }

    /// Opens wrapped material with the KEK of its epoch (see [`Self::wrapped_epoch`]).
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped material, [`CryptoError::EpochMismatch`] when the KEK
    /// is of another epoch, [`CryptoError::Refused`] when they do not open in this context.
    pub fn unwrap(bytes: &[u8], kek: &RegionKek, context: &WrapContext<'_>) -> Result<Self, CryptoError> {
        let (code, secret) = kek.unwrap_row(Kind::Material, &context.bound(), bytes)?;
        let spec = spec_code::decode(code).ok_or(Kind::Material.malformed())?;
        let material = Self::checked(spec, secret)?;
        if material.material_id(context.key_id) == *context.material_id {
            Ok(material)
        } else {
            Err(CryptoError::Refused)
        }
    }

    /// The epoch of the KEK that wrapped these bytes. Not yet authenticated: [`Self::unwrap`] does that.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped material.
    pub fn wrapped_epoch(bytes: &[u8]) -> Result<KekEpoch, CryptoError> {
        Header::parse(Kind::Material, bytes).map(|(header, _)| header.epoch)
    }

    /// Takes bytes in the stored form after a check.
    pub(crate) fn checked(spec: KeySpec, secret: Zeroizing<Vec<u8>>) -> Result<Self, CryptoError> {
        Form::of(spec).ok_or(CryptoError::UnsupportedSpec(spec))?.check(&secret)?;
        Ok(Self { spec, secret })
    }

    /// The bytes, for the ciphers of this crate.
    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// What is needed to compute material IDs without the material.
    pub(crate) fn id_seed(&self) -> IdSeed {
        // The material is HKDF's input, not its HMAC key: two lengths of zero-padded material must not share an ID.
        IdSeed(derive(ID_SEED_LABEL, &self.secret, &[&spec_code::encode(self.spec).to_be_bytes()]))
    }
}

impl ConstantTimeEq for KeyMaterial {
    /// The spec is public; the bytes are compared in constant time.
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        let same_spec = subtle::Choice::from(u8::from(self.spec == other.spec));
        same_spec & self.secret.ct_eq(&other.secret)
    }
}

impl PartialEq for KeyMaterial {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for KeyMaterial {}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial({}, secret)", self.spec)
    }
}

/// A one-way image of key material from which its ID follows for any key ID.
pub(crate) struct IdSeed(Secret);

impl IdSeed {
    pub(crate) fn material_id(&self, key_id: &KeyId) -> KeyMaterialId {
        KeyMaterialId::from_bytes(*derive(ID_LABEL, self.0.expose(), &[key_id.as_bytes()]).expose())
    }
}
