//! Why a document is not believed.

/// Why an attestation document is refused. The texts say nothing that is not in the document itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// Empty, or longer than [`crate::DOCUMENT_BYTES_MAX`].
    #[error("it is empty or too long")]
    Length,
    /// Not CBOR (RFC 8949), nested too deep, or followed by other bytes.
    #[error("{0} is not well-formed CBOR")]
    Cbor(&'static str),
    /// Not a `COSE_Sign1` structure (RFC 9052 §4.2).
    #[error("it is not a COSE_Sign1 structure")]
    Structure,
    /// Signed with something else than ES384.
    #[error("it is not signed with ES384")]
    Algorithm,
    /// A field of the document is missing, there twice, or not as documented.
    #[error("its {0} is missing or not as documented")]
    Field(&'static str),
    /// A field that no attestation document has.
    #[error("it has a field that attestation documents do not have")]
    UnknownField,
    /// The first certificate of the bundle is none of the trusted roots.
    #[error("its root certificate is not trusted")]
    UntrustedRoot,
    /// A certificate is not valid at this time.
    #[error("a certificate of it has expired or is not valid yet")]
    Expired,
    /// The certificates do not lead from the root to the one that signs, or may not be used for it.
    #[error("its certificates do not form a valid chain")]
    Chain,
    /// The signature is not that of the signing certificate's key.
    #[error("its signature is not valid")]
    Signature,
    /// Made longer ago than [`crate::DOCUMENT_AGE_MAX`].
    #[error("it is too old")]
    TooOld,
    /// Made at a time that is further ahead than [`crate::DOCUMENT_AGE_MAX`].
    #[error("its timestamp lies in the future")]
    FromTheFuture,
}
