//! The names of condition keys: which exist, and what each is about.
//!
//! A key of `kms:` or `aws:` that does not exist is refused when a document is parsed: a Deny that asks for it would never
//! apply, and its author would not notice. Keys of other services are taken as they are and have no value here.

mod table;

pub(crate) use table::{NamedKey, Scope};

use std::borrow::Cow;

/// A condition key as a policy names it. Case does not count in any part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ConditionKey {
    /// A key with a fixed name.
    Named(NamedKey),
    /// `kms:EncryptionContext:…`, with the name of the pair in lower case.
    EncryptionContext(Box<str>),
    /// `aws:PrincipalTag/…`, with the tag key in lower case.
    PrincipalTag(Box<str>),
    /// `aws:RequestTag/…`, with the tag key in lower case.
    RequestTag(Box<str>),
    /// `aws:ResourceTag/…`, with the tag key in lower case.
    ResourceTag(Box<str>),
    /// `kms:RecipientAttestation:…`, with the name of the measurement in lower case.
    RecipientAttestation(Box<str>),
    /// A key of another service, or one that no request to this service brings; in lower case.
    Elsewhere(Box<str>),
}

const ENCRYPTION_CONTEXT: &str = "kms:encryptioncontext:";
const PRINCIPAL_TAG: &str = "aws:principaltag/";
const REQUEST_TAG: &str = "aws:requesttag/";
const RESOURCE_TAG: &str = "aws:resourcetag/";

const RECIPIENT_ATTESTATION: &str = "kms:recipientattestation:";

impl ConditionKey {
    /// Reads a name; nothing when no such key exists.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let lower = lowercase(name);
        if let Some(named) = NamedKey::find(&lower) {
            return Some(Self::Named(named));
        }
        let rest = |prefix: &str| lower.strip_prefix(prefix).filter(|rest| !rest.is_empty()).map(Box::from);
        if let Some(name) = rest(ENCRYPTION_CONTEXT) {
            return Some(Self::EncryptionContext(name));
        }
        if let Some(name) = rest(PRINCIPAL_TAG) {
            return Some(Self::PrincipalTag(name));
        }
        if let Some(name) = rest(REQUEST_TAG) {
            return Some(Self::RequestTag(name));
        }
        if let Some(name) = rest(RESOURCE_TAG) {
            return Some(Self::ResourceTag(name));
        }
        if let Some(name) = rest(RECIPIENT_ATTESTATION).filter(|name| is_measurement(name)) {
            return Some(Self::RecipientAttestation(name));
        }
        let (vendor, name) = lower.split_once(':')?;
        let exists = match vendor {
            // Registers that no platform has yet; no request brings them.
            "kms" => rest(RECIPIENT_ATTESTATION).is_some(),
            "aws" => table::AWS_ELSEWHERE.contains(&name),
            // Identity providers are vendors as well: their names hold dots and slashes.
            _ => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
                !vendor.is_empty() && vendor.chars().all(is_part) && !name.is_empty()
            }
        };
        exists.then(|| Self::Elsewhere(lower.into_boxed_str()))
    }

    /// The whole name, in lower case.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Named(named) => Cow::Borrowed(named.name()),
            Self::EncryptionContext(name) => Cow::Owned(format!("{ENCRYPTION_CONTEXT}{name}")),
            Self::PrincipalTag(name) => Cow::Owned(format!("{PRINCIPAL_TAG}{name}")),
            Self::RequestTag(name) => Cow::Owned(format!("{REQUEST_TAG}{name}")),
            Self::ResourceTag(name) => Cow::Owned(format!("{RESOURCE_TAG}{name}")),
            Self::RecipientAttestation(name) => Cow::Owned(format!("{RECIPIENT_ATTESTATION}{name}")),
            Self::Elsewhere(name) => Cow::Borrowed(name),
        }
    }

    /// Whether a request may bring several values.
    pub(crate) fn is_multi_valued(&self) -> bool {
        matches!(self, Self::Named(named) if named.is_multi_valued())
    }

    /// Whether only identity policies may ask for it: aliases and tags of a key are changed by people who may not change
    /// its policy (AWS KMS Developer Guide, "ABAC for AWS KMS").
    pub(crate) const fn is_for_identity_policies(&self) -> bool {
        matches!(self, Self::ResourceTag(_) | Self::Named(NamedKey::ResourceAliases))
    }

    /// Where requests have the key.
    pub(crate) fn scope(&self) -> Scope {
        match self {
            Self::Named(named) => named.scope(),
            Self::EncryptionContext(_) => Scope::Actions(table::WITH_ENCRYPTION_CONTEXT),
            Self::PrincipalTag(_) | Self::Elsewhere(_) => Scope::Everywhere,
            Self::RequestTag(_) => Scope::Actions(table::WITH_TAGS),
            Self::ResourceTag(_) => Scope::KeysAndRoles,
            Self::RecipientAttestation(_) => Scope::Actions(table::WITH_RECIPIENT),
        }
    }
}

/// Whether a platform has a measurement of this name: the registers 0 to 31 of an enclave, 0 to 23 of NitroTPM, and the
/// digest of an enclave's image (AWS KMS Developer Guide, "Condition keys for attested platforms").
fn is_measurement(name: &str) -> bool {
    let number =
        |prefix: &str, count: u8| (0..count).any(|number| name.strip_prefix(prefix) == Some(&number.to_string()));
    name == "imagesha384" || number("pcr", 32) || number("nitrotpmpcr", 24)
}

/// Lower case, character by character, so that [`equals_lowercase`] agrees with it.
pub(crate) fn lowercase(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether `text` is `lower` but for case.
pub(crate) fn equals_lowercase(text: &str, lower: &str) -> bool {
    if text.is_ascii() && lower.is_ascii() {
        text.eq_ignore_ascii_case(lower)
    } else {
        text.chars().flat_map(char::to_lowercase).eq(lower.chars())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        let cases = [
            ("KMS:KeySpec", "kms:keyspec"),
            ("aws:userid", "aws:userid"),
            ("kms:EncryptionContext:App:Name", "kms:encryptioncontext:app:name"),
            ("aws:PrincipalTag/Cost Center", "aws:principaltag/cost center"),
            ("aws:ResourceTag/ÄB", "aws:resourcetag/äb"),
            ("aws:RequestTag/a", "aws:requesttag/a"),
            ("kms:RecipientAttestation:PCR8", "kms:recipientattestation:pcr8"),
            ("aws:PrincipalOrgID", "aws:principalorgid"),
            ("sts:ExternalId", "sts:externalid"),
            ("oidc.example.com/id/AB:sub", "oidc.example.com/id/ab:sub"),
        ];
        for (name, expected) in cases {
            assert_eq!(ConditionKey::parse(name).map(|key| key.name().into_owned()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn names_that_do_not_exist_are_refused() {
        for name in [
            "",
            "username",
            ":x",
            "x:",
            "kms:",
            "kms:KeySpecs",
            "kms :KeySpec",
            " kms:KeySpec",
            "kms:KeySpec ",
            "kms:EncryptionContext",
            "kms:EncryptionContext:",
            "kms:RecipientAttestation:",
            "aws:PrincipalTag/",
            "aws:PrincipalTags/x",
            "aws:SourceIpAddress",
        ] {
            assert_eq!(ConditionKey::parse(name), None, "{name}");
        }
    }

    #[test]
    fn measurements_are_those_that_platforms_have() {
        for name in ["imagesha384", "pcr0", "pcr31", "nitrotpmpcr0", "nitrotpmpcr23"] {
            assert!(is_measurement(name), "{name}");
        }
        for name in ["", "pcr", "pcr32", "pcr00", "pcr-1", "pcr+1", "nitrotpmpcr24", "imagesha256", "pcr0 "] {
            assert!(!is_measurement(name), "{name}");
        }
    }

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert!(equals_lowercase("ÄPFEL", &lowercase("äPfel")));
        assert!(!equals_lowercase("ÄPFEL", "äpfe"));
    }
}
