//! The format of wrapped secrets: what a Region's store holds of its KEK, its key material and its sealing key, and
//! what its import and grant tokens carry.
//!
//! ```text
//! 0      version, 1
//! 1      kind: 'K' Region KEK, 'M' key material, 'S' sealing key, 'V' signing key, 'I' import token, 'G' grant token
//! 2..6   KEK epoch, u32 big endian: of the KEK itself ('K') or of the KEK that wraps (the others)
//! 6..8   parameter, u16 big endian: 0 ('K', 'G'), key spec ('M'), HPKE KEM ID ('S'), 1 for
//!        Ed25519 ('V'), wrapping algorithm and spec ('I')
//! 8..32  nonce
//! 32..   XAES-256-GCM ciphertext and 16-byte tag
//! ```
//! Associated data: the label of the kind, these first eight bytes, and what the kind is bound to.

use crate::aead::Cipher;
use crate::kdf::fields;
use crate::{CryptoError, Entropy, KekEpoch};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 8;

/// Which secret a row or token wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RegionKek,
    Material,
    SealingKey,
    SigningKey,
    ImportToken,
    GrantToken,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::RegionKek => b'K',
            Self::Material => b'M',
            Self::SealingKey => b'S',
            Self::SigningKey => b'V',
            Self::ImportToken => b'I',
            Self::GrantToken => b'G',
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::RegionKek => "meridian/v1/row/region-kek",
            Self::Material => "meridian/v1/row/key-material",
            Self::SealingKey => "meridian/v1/row/sealing-key",
            Self::SigningKey => "meridian/v1/row/signing-key",
            Self::ImportToken => "meridian/v1/token/import",
            Self::GrantToken => "meridian/v1/token/grant",
        }
    }

    /// What bytes of another form are: corruption where they come from our own store, a fault of the caller where they
    /// come from outside.
    pub(crate) const fn malformed(self) -> CryptoError {
        match self {
            Self::RegionKek => CryptoError::Malformed("wrapped Region KEK"),
            Self::Material => CryptoError::Malformed("wrapped key material"),
            Self::SealingKey => CryptoError::Malformed("wrapped sealing key"),
            Self::SigningKey => CryptoError::Malformed("wrapped signing key"),
            Self::ImportToken | Self::GrantToken => CryptoError::Refused,
        }
    }
}

/// The clear part of a row. It is authenticated, but only once the row has been opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) epoch: KekEpoch,
    pub(crate) parameter: u16,
}

impl Header {
    fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let [e0, e1, e2, e3] = self.epoch.0.to_be_bytes();
        let [p0, p1] = self.parameter.to_be_bytes();
        [VERSION, self.kind.byte(), e0, e1, e2, e3, p0, p1]
    }

    /// Reads the header of a row of one kind and returns what follows it.
    pub(crate) fn parse(kind: Kind, row: &[u8]) -> Result<(Self, &[u8]), CryptoError> {
        let (&[version, found, e0, e1, e2, e3, p0, p1], rest) =
            row.split_first_chunk::<HEADER_BYTES>().ok_or(kind.malformed())?;
        if version != VERSION || found != kind.byte() {
            return Err(kind.malformed());
        }
        let epoch = KekEpoch(u32::from_be_bytes([e0, e1, e2, e3]));
        Ok((Self { kind, epoch, parameter: u16::from_be_bytes([p0, p1]) }, rest))
    }

    fn associated_data(self, bound: &[&[u8]]) -> Vec<u8> {
        let header = self.to_bytes();
        let mut parts: Vec<&[u8]> = vec![self.kind.label().as_bytes(), &header];
        parts.extend_from_slice(bound);
        fields(&parts)
    }

    /// Wraps a secret into a row with this header.
    pub(crate) fn wrap(
        self,
        cipher: &Cipher,
        bound: &[&[u8]],
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        cipher.seal(&self.to_bytes(), &self.associated_data(bound), secret, entropy)
    }

    /// Opens what followed this header in its row.
    pub(crate) fn unwrap(
        self,
        cipher: &Cipher,
        bound: &[&[u8]],
        rest: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        cipher.open(&self.associated_data(bound), rest)
    }
}
