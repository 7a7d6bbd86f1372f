//! Every row of the table, against the documented codes and recordings.

use super::*;
use kms_service::Validation;
use kms_types::{AccountId, AliasArn, AliasName, GrantId, KeyArn, KeyId, KeyMaterialId, KeySpec, KeyUsage, RegionName};
use serde_json::{Value, json};

fn region() -> RegionName {
    RegionName::parse("us-east-1").unwrap()
}

fn account() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

fn key() -> KeyArn {
    let key_id = KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").unwrap();
    KeyArn { region: region(), account: account(), key_id }
}

fn state(fault: StateFault) -> Fault {
    KmsError::InvalidState { key: key(), fault }.into()
}

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn check(fault: impl Into<Fault>, status: u16, retryable: bool, expected: Value) {
    let fault = fault.into();
    let row = fault.row();
    assert_eq!((row.status.as_u16(), row.retryable), (status, retryable), "{fault:?}");
    assert_eq!(serde_json::from_slice::<Value>(&fault.body()).unwrap(), expected, "{fault:?}");
}

/// A fault of the caller with its message.
fn client(fault: impl Into<Fault>, code: &str, message: &str) {
    check(fault, 400, false, json!({"__type": code, "message": message}));
}

#[test]
fn what_the_caller_named_wrongly() {
    client(KmsError::KeyNotFound(key()), "NotFoundException", &format!("Key '{ARN}' does not exist"));
    client(KmsError::InvalidKeyId("x".into()), "NotFoundException", "Invalid keyId 'x'");
    client(KmsError::ForeignRegionArn(region()), "NotFoundException", "Invalid arn us-east-1");
    let alias = AliasArn { region: region(), account: account(), name: AliasName::parse("alias/x").unwrap() };
    let text = "Alias arn:aws:kms:us-east-1:111122223333:alias/x is not found.";
    client(KmsError::AliasNotFound(alias), "NotFoundException", text);
    client(KmsError::PolicyNotFound, "NotFoundException", "No such policy exists");
    let missing = KmsError::ReplicaNotFound { key: key(), region: region() };
    client(missing, "NotFoundException", &format!("{ARN} has no replica key in Region us-east-1."));
    client(KmsError::InvalidArn("Invalid identifier"), "InvalidArnException", "Invalid identifier");
}

#[test]
fn grants_and_imported_material() {
    let grant_id = GrantId::from_bytes([0xab; 32]);
    let id = "ab".repeat(32);
    let missing = KmsError::GrantNotFound { key: key(), grant_id };
    client(missing, "NotFoundException", &format!("Grant '{id}' does not exist on key '{ARN}'"));
    let missing = KmsError::KeyMaterialNotFound { key: key(), material_id: KeyMaterialId::from_bytes([0xab; 32]) };
    client(missing, "NotFoundException", &format!("Key material '{id}' does not exist on key '{ARN}'"));
    let nobody = "ARN does not refer to a valid principal: x";
    client(KmsError::InvalidPrincipal("x".into()), "InvalidArnException", nobody);
    client(KmsError::InvalidGrantId("x".into()), "InvalidGrantIdException", "Invalid grantId 'x'");
    client(KmsError::MaterialState("text".into()), "KMSInvalidStateException", "text");
    client(KmsError::IncorrectKeyMaterial("text"), "IncorrectKeyMaterialException", "text");
    let text = "The import token is invalid or is associated with a different KMS key.";
    client(KmsError::InvalidImportToken, "InvalidImportTokenException", text);
    let text = "The import token has expired. Use GetParametersForImport to get a new import token and public key.";
    client(KmsError::ExpiredImportToken, "ExpiredImportTokenException", text);
}

#[test]
fn key_states_and_usages() {
    client(state(StateFault::Disabled), "DisabledException", &format!("{ARN} is disabled."));
    for (fault, text) in [
        (StateFault::PendingDeletion, "is pending deletion."),
        (StateFault::NotPendingDeletion, "is not pending deletion."),
        (StateFault::PendingImport, "is pending import."),
        (StateFault::Unavailable, "is unavailable."),
        (StateFault::Creating, "is creating."),
        (StateFault::Updating, "is updating."),
    ] {
        client(state(fault), "KMSInvalidStateException", &format!("{ARN} {text}"));
    }
    let usage = KmsError::InvalidKeyUsage { key: key(), usage: KeyUsage::SignVerify, operation: "Encrypt" };
    let text = format!("{ARN} key usage is SIGN_VERIFY which is not valid for Encrypt.");
    client(usage, "InvalidKeyUsageException", &text);
    let algorithm = KmsError::IncompatibleAlgorithm { algorithm: "SM2PKE".into(), spec: KeySpec::SymmetricDefault };
    let text = "Algorithm SM2PKE is incompatible with key spec SYMMETRIC_DEFAULT.";
    client(algorithm, "InvalidKeyUsageException", text);
    let wrong = "The key ID in the request does not identify a CMK that can perform this operation.";
    client(KmsError::IncorrectKey, "IncorrectKeyException", wrong);
    let store = "Custom key store 'cks-1' does not exist";
    client(KmsError::CustomKeyStoreNotFound("cks-1".into()), "CustomKeyStoreNotFoundException", store);
    let dry = "The request would have succeeded, but the DryRun option is set.";
    client(KmsError::DryRun, "DryRunOperationException", dry);
    let gray = "The grant token is invalid.";
    client(KmsError::InvalidGrantToken, "InvalidGrantTokenException", gray);
}

#[test]
fn what_the_request_says() {
    let service = KmsError::Validation(Validation::Service("NumberOfBytes is required.".into()));
    client(service, "ValidationException", "NumberOfBytes is required.");
    let both = Validation::Constraints(vec!["a".into(), "b".into()]);
    client(KmsError::Validation(both), "ValidationException", "2 validation errors detected: a; b");
    client(KmsError::AlreadyExists("t".into()), "AlreadyExistsException", "t");
    client(KmsError::InvalidAliasName("t"), "InvalidAliasNameException", "t");
    let reserved = "The alias name for a customer managed CMK cannot begin with alias/aws/.";
    client(KmsError::ReservedAlias, "NotAuthorizedException", reserved);
    client(KmsError::LimitExceeded("t".into()), "LimitExceededException", "t");
    client(KmsError::Tag("t"), "TagException", "t");
    client(KmsError::MalformedPolicy("t".into()), "MalformedPolicyDocumentException", "t");
    client(KmsError::InvalidMarker, "InvalidMarkerException", "Invalid marker");
    client(KmsError::UnsupportedOperation(Some("t".into())), "UnsupportedOperationException", "t");
    client(KmsError::Conflict("t"), "ConflictException", "t");
}

#[test]
fn some_errors_have_no_message_and_access_denied_has_a_capital_one() {
    check(KmsError::InvalidCiphertext, 400, false, json!({"__type": "InvalidCiphertextException"}));
    check(KmsError::InvalidSignature, 400, false, json!({"__type": "KMSInvalidSignatureException"}));
    check(KmsError::InvalidMac, 400, false, json!({"__type": "KMSInvalidMacException"}));
    check(KmsError::InvalidPublicKey, 400, false, json!({"__type": "ValidationException"}));
    check(KmsError::UnsupportedOperation(None), 400, false, json!({"__type": "UnsupportedOperationException"}));
    check(WireError::UnknownOperation, 400, false, json!({"__type": "UnknownOperationException"}));
    let denied = json!({"__type": "AccessDeniedException", "Message": "User: …"});
    check(KmsError::AccessDenied("User: …".into()), 400, false, denied);
    let text = "Unable to determine service/operation name to be authorized";
    let target = json!({"__type": "AccessDeniedException", "Message": text});
    check(WireError::UndeterminedOperation, 400, false, target);
}

#[test]
fn not_now_and_our_own_faults_are_retryable() {
    for (error, status, code) in [
        (KmsError::DependencyTimeout, 503, "DependencyTimeoutException"),
        (KmsError::KeyUnavailable, 500, "KeyUnavailableException"),
        (KmsError::Throttled, 400, "ThrottlingException"),
        (KmsError::Internal, 500, "KMSInternalException"),
    ] {
        let message = error.to_string();
        check(error, status, true, json!({"__type": code, "message": message}));
    }
    let throttled = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
    assert_eq!(KmsError::Throttled.to_string(), throttled);
}

#[test]
fn protocol_failures() {
    client(WireError::Serialization("t".into()), "SerializationException", "t");
    let malformed = WireError::MalformedHttpRequest;
    client(malformed.clone(), "MalformedHttpRequestException", &malformed.to_string());
    for (error, status, retryable, code) in [
        (WireError::RequestEntityTooLarge, 413, false, "RequestEntityTooLargeException"),
        (WireError::RequestTimeout, 408, true, "RequestTimeoutException"),
        (WireError::ServiceUnavailable, 503, true, "ServiceUnavailableException"),
        (WireError::InternalFailure, 500, true, "InternalFailure"),
    ] {
        let message = error.to_string();
        check(error, status, retryable, json!({"__type": code, "message": message}));
    }
}

#[test]
fn signature_failures() {
    use SignatureFault as S;
    client(S::MissingToken, "MissingAuthenticationTokenException", "Missing Authentication Token");
    client(S::Incomplete("t".into()), "IncompleteSignatureException", "t");
    let unknown = "The security token included in the request is invalid.";
    client(S::UnrecognizedClient, "UnrecognizedClientException", unknown);
    // Their texts, and those of dates and scopes, are tested with the signatures.
    for fault in [S::Mismatch, S::UnsignedHeader("X-Amz-Date")] {
        let message = fault.to_string();
        client(fault, "InvalidSignatureException", &message);
    }
}
