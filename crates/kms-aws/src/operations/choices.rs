//! The closed sets of texts in requests. Messages list them as recordings of the service do, newer values behind;
//! values of other partitions are read but not listed.

use crate::json::Members;
use kms_service::operations::generate_data_key::DataKeySpec;
use kms_service::operations::generate_data_key_pair::DATA_KEY_PAIR_SPECS;
use kms_types::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm, MessageType,
    Origin, SigningAlgorithm,
};

const KEY_USAGES: [&str; 5] =
    ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"];

const KEY_SPECS: [&str; 19] = [
    "RSA_2048",
    "ECC_NIST_P384",
    "ECC_NIST_P256",
    "ECC_NIST_P521",
    "HMAC_384",
    "RSA_3072",
    "ECC_SECG_P256K1",
    "RSA_4096",
    "SYMMETRIC_DEFAULT",
    "HMAC_256",
    "HMAC_224",
    "HMAC_512",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];

/// How many of [`KEY_SPECS`] the deprecated `CustomerMasterKeySpec` has as well; it got no new values.
const CUSTOMER_MASTER_KEY_SPECS: usize = 12;

pub(super) fn key_usage(members: &mut Members<'_>) -> Option<KeyUsage> {
    members.choice("KeyUsage", &KEY_USAGES, |value| KeyUsage::parse(value).ok())
}

pub(super) fn key_spec(members: &mut Members<'_>) -> Option<KeySpec> {
    members.choice("KeySpec", &KEY_SPECS, |value| KeySpec::parse(value).ok())
}

pub(super) fn customer_master_key_spec(members: &mut Members<'_>) -> Option<KeySpec> {
    let listed = &KEY_SPECS[..CUSTOMER_MASTER_KEY_SPECS];
    let parse = |value: &str| KeySpec::parse(value).ok().filter(|spec| is_customer_master_key_spec(*spec));
    members.choice("CustomerMasterKeySpec", listed, parse)
}

/// Whether the deprecated enumeration has the key spec.
pub(super) fn is_customer_master_key_spec(spec: KeySpec) -> bool {
    spec == KeySpec::Sm2 || KEY_SPECS[..CUSTOMER_MASTER_KEY_SPECS].contains(&spec.as_str())
}

pub(super) fn origin(members: &mut Members<'_>) -> Option<Origin> {
    members.choice("Origin", &Origin::ALL.map(Origin::as_str), |value| Origin::parse(value).ok())
}

pub(super) fn encryption_algorithm(members: &mut Members<'_>, name: &str) -> Option<EncryptionAlgorithm> {
    let listed = ["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
    members.choice(name, &listed, |value| EncryptionAlgorithm::parse(value).ok())
}

pub(super) fn signing_algorithm(members: &mut Members<'_>) -> Option<SigningAlgorithm> {
    let listed = SigningAlgorithm::ALL.into_iter().filter(|algorithm| *algorithm != SigningAlgorithm::Sm2Dsa);
    let listed: Vec<&str> = listed.map(SigningAlgorithm::as_str).collect();
    members.required_choice("SigningAlgorithm", &listed, |value| SigningAlgorithm::parse(value).ok())
}

/// `MessageType`, which is `RAW` unless the request says otherwise.
pub(super) fn message_type(members: &mut Members<'_>) -> MessageType {
    let listed = MessageType::ALL.map(MessageType::as_str);
    members.choice("MessageType", &listed, |value| MessageType::parse(value).ok()).unwrap_or(MessageType::Raw)
}

pub(super) fn mac_algorithm(members: &mut Members<'_>) -> Option<MacAlgorithm> {
    let listed = ["HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"];
    members.required_choice("MacAlgorithm", &listed, |value| MacAlgorithm::parse(value).ok())
}

pub(super) fn key_agreement_algorithm(members: &mut Members<'_>) -> Option<KeyAgreementAlgorithm> {
    let listed = KeyAgreementAlgorithm::ALL.map(KeyAgreementAlgorithm::as_str);
    members.required_choice("KeyAgreementAlgorithm", &listed, |value| KeyAgreementAlgorithm::parse(value).ok())
}

pub(super) fn encapsulation_algorithm(members: &mut Members<'_>) -> Option<EncapsulationAlgorithm> {
    let listed = EncapsulationAlgorithm::ALL.map(EncapsulationAlgorithm::as_str);
    members.required_choice("EncapsulationAlgorithm", &listed, |value| EncapsulationAlgorithm::parse(value).ok())
}

/// `KeyPairSpec` of a data key pair.
pub(super) fn key_pair_spec(members: &mut Members<'_>) -> Option<KeySpec> {
    let listed = DATA_KEY_PAIR_SPECS.into_iter().filter(|spec| *spec != KeySpec::Sm2);
    let listed: Vec<&str> = listed.map(KeySpec::as_str).collect();
    let parse = |value: &str| KeySpec::parse(value).ok().filter(|spec| DATA_KEY_PAIR_SPECS.contains(spec));
    members.required_choice("KeyPairSpec", &listed, parse)
}

/// `DryRunModifiers`: whether the ciphertext is to be ignored; otherwise there must be one.
pub(super) fn ignore_ciphertext(members: &mut Members<'_>) -> bool {
    let only = "IGNORE_CIPHERTEXT";
    let modifiers = members.choices("DryRunModifiers", 0..=usize::MAX, &[only], |value| (value == only).then_some(()));
    let ignore = modifiers.is_some_and(|modifiers| !modifiers.is_empty());
    if !ignore {
        members.require("CiphertextBlob");
    }
    ignore
}

/// `KeySpec` of a data key.
pub(super) fn data_key_spec(members: &mut Members<'_>) -> Option<DataKeySpec> {
    let parse = |value: &str| DataKeySpec::ALL.into_iter().find(|spec| spec.as_str() == value);
    members.choice("KeySpec", &DataKeySpec::ALL.map(DataKeySpec::as_str), parse)
}
