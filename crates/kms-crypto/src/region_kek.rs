//! Epochs of the Region KEK, which wraps every secret in this Region's store.

use crate::aead::Cipher;
use crate::kdf::derive;
use crate::row::{Header, Kind};
use crate::secret::Secret;
use crate::{CryptoError, Entropy, RootKey};
use kms_types::RegionName;
use std::fmt;
use zeroize::Zeroizing;

const IMPORT_TOKEN_LABEL: &str = "meridian/v1/region-kek/import-token";
const GRANT_TOKEN_LABEL: &str = "meridian/v1/region-kek/grant-token";

/// The number of a Region KEK: each rotation takes the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KekEpoch(pub u32);

impl fmt::Display for KekEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One epoch of a Region's key encryption key. Prepared once and shared by reference between threads.
pub struct RegionKek {
    epoch: KekEpoch,
    secret: Secret,
    rows: Cipher,
    import_tokens: Cipher,
    grant_tokens: Cipher,
}

impl RegionKek {
    /// Draws the KEK of a new epoch.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn generate(epoch: KekEpoch, entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        Ok(Self::new(epoch, Secret::draw(entropy)?))
    }

    /// The epoch of this KEK.
    #[must_use]
    pub const fn epoch(&self) -> KekEpoch {
        self.epoch
    }

    /// Wraps the KEK under the root key, bound to its Region and epoch.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no nonce is to be had.
    pub fn wrap(&self, root: &RootKey, region: &RegionName, entropy: &dyn Entropy) -> Result<Vec<u8>, CryptoError> {
        let header = Header { kind: Kind::RegionKek, epoch: self.epoch, parameter: 0 };
        header.wrap(&root.wrapping_cipher(), &[region.as_str().as_bytes()], self.secret.expose(), entropy)
    }

    /// Opens a wrapped KEK.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped KEK; [`CryptoError::Refused`] under another root key,
    /// for another Region, or when a byte was changed.
    pub fn unwrap(bytes: &[u8], root: &RootKey, region: &RegionName) -> Result<Self, CryptoError> {
        let (header, rest) = Header::parse(Kind::RegionKek, bytes)?;
        let opened = header.unwrap(&root.wrapping_cipher(), &[region.as_str().as_bytes()], rest)?;
        match (header.parameter, Secret::from_slice(&opened)) {
            (0, Some(secret)) => Ok(Self::new(header.epoch, secret)),
            (_, _) => Err(Kind::RegionKek.malformed()),
        }
    }

    /// The epoch that a wrapped KEK claims. Not yet authenticated: [`Self::unwrap`] does that.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped KEK.
    pub fn wrapped_epoch(bytes: &[u8]) -> Result<KekEpoch, CryptoError> {
        Header::parse(Kind::RegionKek, bytes).map(|(header, _)| header.epoch)
    }

    fn new(epoch: KekEpoch, secret: Secret) -> Self {
        Self {
            epoch,
            rows: Cipher::new(&secret),
            import_tokens: Cipher::new(&derive(IMPORT_TOKEN_LABEL, secret.expose(), &[])),
            grant_tokens: Cipher::new(&derive(GRANT_TOKEN_LABEL, secret.expose(), &[])),
            secret,
        }
    }

    /// The cipher of a kind. Rows go under the KEK itself; tokens, whose bytes leave the Region, under derived keys.
    const fn cipher(&self, kind: Kind) -> &Cipher {
        match kind {
            Kind::RegionKek | Kind::Material | Kind::SealingKey | Kind::SigningKey => &self.rows,
            Kind::ImportToken => &self.import_tokens,
            Kind::GrantToken => &self.grant_tokens,
        }
    }

    /// Wraps a secret of this Region under this epoch.
    pub(crate) fn wrap_row(
        &self,
        kind: Kind,
        parameter: u16,
        bound: &[&[u8]],
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        Header { kind, epoch: self.epoch, parameter }.wrap(self.cipher(kind), bound, secret, entropy)
    }

    /// Opens a row that was wrapped under this epoch, and returns its parameter and secret.
    pub(crate) fn unwrap_row(
        &self,
        kind: Kind,
        bound: &[&[u8]],
        row: &[u8],
    ) -> Result<(u16, Zeroizing<Vec<u8>>), CryptoError> {
        let (header, rest) = Header::parse(kind, row)?;
        if header.epoch != self.epoch {
            return Err(CryptoError::EpochMismatch { wrapped: header.epoch, offered: self.epoch });
        }
        Ok((header.parameter, header.unwrap(self.cipher(kind), bound, rest)?))
    }
}

impl fmt::Debug for RegionKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionKek(epoch {}, secret)", self.epoch)
    }
}
