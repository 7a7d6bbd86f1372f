//! Attestation documents of AWS Nitro Enclaves and NitroTPM: what an enclave hands in with `Recipient`, so that the answer
//! is encrypted for it alone and key policies can ask what runs in it.
//!
//! A pure function: document, trusted roots and time in, an [`Attestation`] or the reason out. Nothing else makes an
//! [`Attestation`], so whoever holds one knows that it was verified. The rules are those of AWS's "Nitro Enclaves
//! Attestation Process" (`docs/attestation_process.md` of aws-nitro-enclaves-nsm-api); see `OVERVIEW.md`.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod certificates;
mod cose;
mod document;
mod error;
mod fields;
mod trust_roots;
mod verify;

pub use document::{Platform, Registers};
pub use error::AttestationError;
pub use trust_roots::{RootError, TrustRoots};
pub use verify::{Attestation, AttestationVerifier, DOCUMENT_AGE_MAX, DOCUMENT_BYTES_MAX};
