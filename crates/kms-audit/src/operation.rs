//! What a record is about: the service that offers an operation, its name, and whether it only reads.

/// The service that an event belongs to (`eventSource`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// The KMS API.
    Kms,
    /// The STS API.
    Sts,
    /// Meridian's own operations, which AWS does not have.
    Meridian,
}

impl EventSource {
    /// The value of `eventSource`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kms => "kms.amazonaws.com",
            Self::Sts => "sts.amazonaws.com",
            Self::Meridian => "meridian",
        }
    }

    /// Who acts when no request does (`invokedBy`, `sourceIPAddress`, `userAgent`).
    pub(crate) const fn internal(self) -> &'static str {
        match self {
            Self::Kms | Self::Sts => "AWS Internal",
            Self::Meridian => "Meridian Internal",
        }
    }
}

/// An operation that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// The service.
    pub source: EventSource,
    /// The name as in the API; of an unknown operation, what the caller wrote.
    pub name: &'a str,
    /// `readOnly`: whether the operation leaves everything as it is. CloudTrail counts cryptography as reading.
    pub read_only: bool,
}

/// Operations of KMS with `readOnly` true (kms-rules §10.1): cryptography, Get, List, Describe.
const READ_ONLY: [&str; 29] = [
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DescribeKey",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GenerateRandom",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ListAliases",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListKeys",
    "ListResourceTags",
    "ListRetirableGrants",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
];

/// Operations of STS with `readOnly` true, as CloudTrail has them: nothing that is kept changes.
const READ_ONLY_STS: [&str; 2] = ["AssumeRole", "GetCallerIdentity"];

impl<'a> Operation<'a> {
    /// An operation of the KMS API. A name that the API does not have counts as changing something.
    #[must_use]
    pub fn kms(name: &'a str) -> Self {
        Self { source: EventSource::Kms, name, read_only: READ_ONLY.binary_search(&name).is_ok() }
    }

    /// An operation of the STS API. A name that the API does not have counts as changing something.
    #[must_use]
    pub fn sts(name: &'a str) -> Self {
        Self { source: EventSource::Sts, name, read_only: READ_ONLY_STS.contains(&name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cryptography_and_reading_are_read_only_and_nothing_else_is() {
        assert!(READ_ONLY.is_sorted());
        for name in ["Encrypt", "Decrypt", "ReEncrypt", "VerifyMac", "GetParametersForImport", "ListKeys"] {
            assert!(Operation::kms(name).read_only, "{name}");
        }
        for name in ["CreateKey", "ReplicateKey", "ImportKeyMaterial", "RotateKeyOnDemand", "Nonsense", ""] {
            assert!(!Operation::kms(name).read_only, "{name}");
        }
        assert!(Operation::sts("AssumeRole").read_only && Operation::sts("GetCallerIdentity").read_only);
        assert!(!Operation::sts("Nonsense").read_only);
    }
}
