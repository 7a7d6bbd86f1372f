//! `COSE_Sign1` (RFC 9052 §4.2): the envelope around an attestation document, and the bytes that its signature covers.

use crate::AttestationError;
use ciborium::Value;

/// Deepest nesting of a document: the envelope, its payload's map, the registers.
const DEPTH_MAX: usize = 8;

/// The tag of `COSE_Sign1`; it may be left out.
const SIGN1_TAG: u64 = 18;

/// The algorithm parameter of a header, and its value for ES384 (RFC 9053 §2.1).
const ALGORITHM: i128 = 1;
const ES384: i128 = -35;

/// Bytes of an ES384 signature: r and s, 48 bytes each (RFC 9053 §2.1).
const SIGNATURE_BYTES: usize = 96;

/// A `COSE_Sign1` structure that claims ES384. Nothing in it is verified.
pub(crate) struct Sign1 {
    protected: Vec<u8>,
    /// The attestation document.
    pub(crate) payload: Vec<u8>,
    /// r and s.
    pub(crate) signature: Vec<u8>,
}

impl Sign1 {
    /// Reads a structure, tagged or not.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, AttestationError> {
        let parts = match decode(bytes, "it")? {
            Value::Tag(SIGN1_TAG, inner) => *inner,
            other => other,
        };
        let Value::Array(parts) = parts else { return Err(AttestationError::Structure) };
        let Ok([Value::Bytes(protected), Value::Map(unprotected), Value::Bytes(payload), Value::Bytes(signature)]) =
            <[Value; 4]>::try_from(parts)
        else {
            return Err(AttestationError::Structure);
        };
        // What is not signed has nothing to say here, so there is nothing in it.
        if !unprotected.is_empty() {
            return Err(AttestationError::Structure);
        }
        if !is_es384(&protected)? || signature.len() != SIGNATURE_BYTES {
            return Err(AttestationError::Algorithm);
        }
        Ok(Self { protected, payload, signature })
    }

    /// The `Sig_structure` (RFC 9052 §4.4), which is what is signed. There is no external data.
    pub(crate) fn signed_bytes(&self) -> Result<Vec<u8>, AttestationError> {
        let parts = vec![
            Value::Text("Signature1".to_owned()),
            Value::Bytes(self.protected.clone()),
            Value::Bytes(Vec::new()),
            Value::Bytes(self.payload.clone()),
        ];
        let mut bytes = Vec::new();
        ciborium::into_writer(&Value::Array(parts), &mut bytes).map_err(|_never| AttestationError::Structure)?;
        Ok(bytes)
    }
}

/// Whether a protected header says ES384 and nothing else; a parameter that is not understood must not be ignored.
fn is_es384(protected: &[u8]) -> Result<bool, AttestationError> {
    let Value::Map(entries) = decode(protected, "its protected header")? else { return Ok(false) };
    let number = |value: &Value| value.as_integer().map(i128::from);
    let only = match entries.as_slice() {
        [(name, value)] => number(name).zip(number(value)),
        _ => None,
    };
    Ok(only == Some((ALGORITHM, ES384)))
}

/// Reads one CBOR item that takes all of the bytes.
pub(crate) fn decode(bytes: &[u8], what: &'static str) -> Result<Value, AttestationError> {
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH_MAX)
        .map_err(|_malformed| AttestationError::Cbor(what))?;
    if rest.is_empty() { Ok(value) } else { Err(AttestationError::Cbor(what)) }
}
