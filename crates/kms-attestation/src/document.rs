//! The attestation document itself: a CBOR map with the measurements and the certificates ("Nitro Enclaves Attestation
//! Process" §2.2 and §3.2.2).

use crate::AttestationError;
use crate::cose::decode;
use crate::fields::Fields;
use ciborium::Value;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Bytes of a certificate or a public key.
const CERTIFICATE_BYTES: RangeInclusive<usize> = 1..=1024;
/// Bytes of `user_data` and `nonce`, which mean nothing here. The specification of the structure says 1,024, that of the
/// check 512.
const FREE_BYTES: RangeInclusive<usize> = 0..=1024;
/// Most certificates of a bundle. AWS's have four.
const BUNDLE_MAX: usize = 10;
/// Bytes of a register; the digest is always SHA-384, the structure admits others.
const REGISTER_BYTES: [usize; 3] = [32, 48, 64];

/// Platform configuration registers by their number.
pub type Registers = BTreeMap<u8, Vec<u8>>;

/// What a document attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// A Nitro enclave (`pcrs`, 0 to 31).
    Enclave,
    /// An EC2 instance with NitroTPM (`nitrotpm_pcrs`, 0 to 23).
    NitroTpm,
}

impl Platform {
    const fn registers_field(self) -> &'static str {
        match self {
            Self::Enclave => "pcrs",
            Self::NitroTpm => "nitrotpm_pcrs",
        }
    }

    const fn registers_max(self) -> u8 {
        match self {
            Self::Enclave => 32,
            Self::NitroTpm => 24,
        }
    }
}

/// A document as it was read. Nothing in it is verified.
pub(crate) struct Document {
    pub(crate) module_id: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) timestamp: u64,
    pub(crate) platform: Platform,
    pub(crate) registers: Registers,
    /// DER; signs the document.
    pub(crate) certificate: Vec<u8>,
    /// DER, the root first; not empty.
    pub(crate) bundle: Vec<Vec<u8>>,
    pub(crate) public_key: Vec<u8>,
}

impl Document {
    /// Reads a payload. A document without a public key is of no use here.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, AttestationError> {
        let mut fields = Fields::of(decode(payload, "its payload")?)?;
        let module_id = fields.text("module_id")?;
        if fields.text("digest")? != "SHA384" {
            return Err(AttestationError::Field("digest"));
        }
        let timestamp = fields.positive("timestamp")?;
        let (platform, registers) = match (fields.take("pcrs"), fields.take("nitrotpm_pcrs")) {
            (Some(pcrs), None) => (Platform::Enclave, pcrs),
            (None, Some(pcrs)) => (Platform::NitroTpm, pcrs),
            (None, None) | (Some(_), Some(_)) => return Err(AttestationError::Field("pcrs")),
        };
        let registers = registers_of(platform, registers).ok_or(AttestationError::Field(platform.registers_field()))?;
        let certificate = fields.bytes("certificate", CERTIFICATE_BYTES)?;
        let bundle = fields.take("cabundle").and_then(bundle_of).ok_or(AttestationError::Field("cabundle"))?;
        let public_key = fields.bytes("public_key", CERTIFICATE_BYTES)?;
        fields.optional_bytes("user_data", FREE_BYTES)?;
        fields.optional_bytes("nonce", FREE_BYTES)?;
        Ok(Self { module_id, timestamp, platform, registers, certificate, bundle, public_key })
    }
}

fn registers_of(platform: Platform, value: Value) -> Option<Registers> {
    let entries = value.into_map().ok()?;
    let mut registers = Registers::new();
    for (number, content) in entries {
        let number = u8::try_from(number.into_integer().ok()?).ok()?;
        let content = content.into_bytes().ok()?;
        let admitted = number < platform.registers_max() && REGISTER_BYTES.contains(&content.len());
        if !admitted || registers.insert(number, content).is_some() {
            return None;
        }
    }
    (!registers.is_empty()).then_some(registers)
}

fn bundle_of(value: Value) -> Option<Vec<Vec<u8>>> {
    let certificates = value.into_array().ok()?;
    if !(1..=BUNDLE_MAX).contains(&certificates.len()) {
        return None;
    }
    let certificate = |value: Value| value.into_bytes().ok().filter(|der| CERTIFICATE_BYTES.contains(&der.len()));
    certificates.into_iter().map(certificate).collect()
}
