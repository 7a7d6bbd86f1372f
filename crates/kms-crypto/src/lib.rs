//! Key material of every spec and what is done with it, wrapping, sealing between Regions, ciphertext blobs, tokens.
//!
//! The only crate in which key bytes exist. It can neither log nor serialise them: it depends on no logging, no
//! serde, no file system, no runtime and no clock, and randomness is an argument ([`Entropy`]) wherever the library
//! below lets it be one. Every primitive comes from a library; this crate composes them and owns the formats, which are
//! described byte by byte in `OVERVIEW.md` and frozen in `tests/vectors/crypto`.
//!
//! Invariants: a secret is zeroised when dropped, has a hand-written `Debug` that shows no byte of it, is never
//! `Clone`, and is compared in constant time; each use of a key is separated from the others by a label; a failed
//! decryption is [`CryptoError::Refused`] and says nothing more.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod aead;
mod asymmetric_key;
mod blob;
mod curve;
mod data_key_pair;
mod entropy;
mod error;
mod grant_token;
mod import_token;
mod kdf;
mod mac_key;
mod material;
mod message_cipher;
mod passphrase;
mod recipient_key;
mod region_kek;
mod root_key;
mod row;
mod rsa_primes;
mod sealed_secret;
mod sealing;
mod secret;
mod signing_key;
mod spec_code;

pub use asymmetric_key::AsymmetricKey;
pub use blob::{BLOB_OVERHEAD_BYTES, BlobHeader, parse_header};
pub use data_key_pair::{DataKeyPair, generate_data_key_pair};
pub use entropy::{Entropy, EntropyError};
pub use error::CryptoError;
pub use grant_token::{grant_token_epoch, new_grant_token, open_grant_token};
pub use import_token::{ImportParameters, ImportToken, OpenedImportToken, import_token_epoch, new_import_token};
pub use mac_key::MacKey;
pub use material::{KeyMaterial, WrapContext};
pub use message_cipher::MessageCipher;
pub use passphrase::PassphraseParams;
pub use recipient_key::RecipientKey;
pub use region_kek::{KekEpoch, RegionKek};
pub use root_key::RootKey;
pub use sealed_secret::{AccessSecret, SecretInfo, SessionTokenKey};
pub use sealing::{SealInfo, SealingKey, SealingPublicKey, seal};
pub use signing_key::{SigningKey, SigningPublicKey};
pub use zeroize::Zeroizing;
