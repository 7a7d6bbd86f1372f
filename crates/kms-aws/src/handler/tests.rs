//! The whole way of a request, against a Region in memory: what is answered, in which order faults are found, and that
//! nothing a client sends can do worse than earn an AWS error.

mod kinds;
mod management;
mod mutations;
mod recipient;
mod region;
mod validation;
mod walk;

use super::*;
use crate::sigv4::tests::Draft;
use http::HeaderMap;
use proptest::prelude::*;
use region::api;
use serde_json::{Value, json};

/// An answer as a client sees it.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    outcome: Outcome,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

async fn send(api: &Api, request: Request<Vec<u8>>) -> Answer {
    let response = api.handle(api.request_id(), request.map(Bytes::from)).await;
    let outcome = response.extensions().get::<Outcome>().unwrap().clone();
    let (parts, body) = response.into_parts();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body, outcome }
}

async fn call(api: &Api, operation: &str, body: &[u8]) -> Answer {
    send(api, Draft::new(&format!("TrentService.{operation}"), body).sign()).await
}

async fn refused(request: Request<Vec<u8>>, expected: Value) {
    let answer = send(&api(), request).await;
    assert_eq!((answer.status, answer.json()), (400, expected.clone()));
    assert_eq!(answer.outcome.code, expected["__type"].as_str());
}

#[tokio::test]
async fn a_success_has_the_headers_of_aws() {
    let answer = call(&api(), "GenerateRandom", br#"{"NumberOfBytes":32}"#).await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "application/x-amz-json-1.1"),
        ("cache-control", "no-cache, no-store, must-revalidate, private"),
        ("expires", "0"),
        ("pragma", "no-cache"),
        ("x-amzn-requestid", "07070707-0707-4707-8707-070707070707"),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    let expected = Outcome {
        request_id: "07070707-0707-4707-8707-070707070707".into(),
        operation: Some(Operation::GenerateRandom),
        principal: Some("arn:aws:iam::111122223333:user/alice".into()),
        code: None,
    };
    assert_eq!(answer.outcome, expected);
}

#[tokio::test]
async fn authentication_comes_before_everything_that_a_request_says() {
    let missing = json!({"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"});
    refused(Draft::new("TrentService.Nonsense", b"not json").unsigned("/"), missing.clone()).await;
    refused(Draft::new("", b"").unsigned("/"), missing).await;
    let mut unknown = Draft::new("TrentService.Encrypt", b"{");
    unknown.access_key = "AKIDOTHER";
    let text = "The security token included in the request is invalid.";
    refused(unknown.sign(), json!({"__type": "UnrecognizedClientException", "message": text})).await;
}

#[tokio::test]
async fn only_post_to_the_root_is_served() {
    let unknown = json!({"__type": "UnknownOperationException"});
    let mut get = Draft::new("TrentService.ListKeys", b"{}").sign();
    *get.method_mut() = Method::GET;
    refused(get, unknown.clone()).await;
    let mut elsewhere = Draft::new("TrentService.ListKeys", b"{}").sign();
    *elsewhere.uri_mut() = "/keys".parse().unwrap();
    refused(elsewhere, unknown).await;
}

#[tokio::test]
async fn targets_that_name_nothing_are_told_apart() {
    let text = "Unable to determine service/operation name to be authorized";
    let undetermined = json!({"__type": "AccessDeniedException", "Message": text});
    refused(Draft::new("", b"{}").sign(), undetermined.clone()).await;
    refused(Draft::new("DynamoDB_20120810.ListTables", b"{}").sign(), undetermined.clone()).await;
    let mut without = Draft::new("", b"{}");
    without.headers.retain(|(name, _)| name != "x-amz-target");
    without.signed.retain(|name| *name != "x-amz-target");
    refused(without.sign(), undetermined).await;
    for name in ["Nonsense", "listKeys", ""] {
        let target = format!("TrentService.{name}");
        refused(Draft::new(&target, b"{}").sign(), json!({"__type": "UnknownOperationException"})).await;
    }
}

#[tokio::test]
async fn what_the_listener_refuses_looks_like_every_other_error() {
    let api = api();
    for (error, status, code) in [
        (WireError::RequestEntityTooLarge, 413, "RequestEntityTooLargeException"),
        (WireError::MalformedHttpRequest, 400, "MalformedHttpRequestException"),
        (WireError::RequestTimeout, 408, "RequestTimeoutException"),
        (WireError::ServiceUnavailable, 503, "ServiceUnavailableException"),
    ] {
        let response = api.refuse(api.request_id(), Origin::default(), error).await;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(serde_json::from_slice::<Value>(response.body()).unwrap()["__type"], code);
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
    }
    let large = send(&api, Draft::new("TrentService.ListKeys", &vec![b' '; BODY_BYTES_MAX + 1]).sign()).await;
    assert_eq!((large.status, large.outcome.code), (413, Some("RequestEntityTooLargeException")));
}

/// Members of requests.
#[rustfmt::skip]
const MEMBERS: [&str; 42] = [
    "KeyId", "Plaintext", "CiphertextBlob", "EncryptionContext", "GrantTokens", "Tags", "TagKeys", "Limit", "Marker",
    "DryRun", "DryRunModifiers", "KeySpec", "KeyUsage", "NumberOfBytes", "Policy", "PolicyName", "Description",
    "AliasName", "TargetKeyId", "Recipient", "ReplicaRegion", "PrimaryRegion", "DestinationKeyId",
    "PendingWindowInDays", "RotationPeriodInDays", "ResourceOwners", "MultiRegion", "Origin", "Message", "MessageType",
    "Signature", "SigningAlgorithm", "MacAlgorithm", "Mac", "PublicKey", "KeyAgreementAlgorithm",
    "EncapsulationAlgorithm", "SharedSecretCiphertextBlob", "KeyPairSpec", "CustomKeyStoreId", "CustomKeyStoreName",
    "XksProxyAuthenticationCredential",
];

/// Text that looks like JSON of this API more often than chance would have it.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("AAAA")),
        Just(json!("alias/a")),
        proptest::sample::select(vec![
            "ECDSA_SHA_256",
            "HMAC_SHA_256",
            "ECDH",
            "ML_KEM",
            "ECC_NIST_P256",
            "SIGN_VERIFY",
            "HMAC_256",
            "RAW",
        ])
        .prop_map(Value::from),
        proptest::collection::vec("[A-Z_]{0,8}", 0..3).prop_map(Value::from),
        Just(json!([{"TagKey": "k", "TagValue": "v"}, null, 7])),
        Just(json!({"a": "b", "c": 1})),
    ];
    let names = proptest::sample::select(&MEMBERS);
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        proptest::collection::vec((names, value), 0..8).prop_map(|members| members
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v))
            .collect::<Value>()
            .to_string()
            .into()),
    ]
}

fn check_shape(answer: &Answer) -> Result<(), TestCaseError> {
    let body = answer.json();
    if answer.status == 200 {
        prop_assert_eq!(answer.outcome.code, None);
        prop_assert!(answer.body.is_empty() || body.is_object());
    } else {
        prop_assert_eq!(body["__type"].as_str(), answer.outcome.code);
        prop_assert!(answer.outcome.code.is_some());
        // No fault of a client may look like one of ours. There is no control log here, so that may be missed.
        let ours = answer.status >= 500 && answer.outcome.code != Some("DependencyTimeoutException");
        prop_assert!(!ours, "{body}");
    }
    Ok(())
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn any_signed_body_earns_an_answer_in_the_shape_of_aws(
        body in bodies(),
        operation in proptest::sample::select(Operation::ALL.to_vec()),
    ) {
        check_shape(&block(call(&api(), operation.name(), &body)))?;
    }

    #[test]
    fn any_header_earns_an_answer_in_the_shape_of_aws(
        headers in proptest::collection::vec(
            (
                "(authorization|x-amz-date|x-amz-target|host|date|[a-z-]{1,12})",
                proptest::collection::vec(32..=255_u8, 0..60),
            ),
            0..6,
        ),
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut request = Request::post("/").body(body).unwrap();
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(&value)) else { continue };
            request.headers_mut().append(name, value);
        }
        let answer = block(send(&api(), request));
        check_shape(&answer)?;
        prop_assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn every_request_leaves_one_record_and_nobody_is_answered_without_one() {
    let audit = Arc::new(region::MemoryAudit::default());
    let api = region::audited_api(Arc::clone(&audit));
    let created = call(&api, "CreateKey", br#"{"Description":"d","Tags":[{"TagKey":"k","TagValue":"v"}]}"#).await;
    let key_id = created.json()["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let body = json!({"KeyId": key_id, "Plaintext": "c2VjcmV0", "EncryptionContext": {"a": "1"}}).to_string();
    assert_eq!(call(&api, "Encrypt", body.as_bytes()).await.status, 200);
    assert_eq!(call(&api, "Encrypt", b"{").await.status, 400);
    assert_eq!(send(&api, Draft::new("TrentService.Decrypt", b"{}").unsigned("/")).await.status, 400);
    let refused = api.refuse(api.request_id(), Origin::default(), WireError::RequestEntityTooLarge).await;
    assert_eq!(refused.status().as_u16(), 413);
    drop(api.handle(api.request_id(), Draft::new("TrentService.ListKeys", b"{}").sign().map(Bytes::from)));
    let lines = audit.lines.lock().unwrap().clone();
    let of = |line: usize, part: &str| assert!(lines[line].contains(part), "{part}: {}", lines[line]);
    assert_eq!(lines.len(), 5, "a request that was never begun has no record");
    for part in ["CreateKey", "keyMetadata", "tagKey", "user/alice"] {
        of(0, part);
    }
    for part in ["Encrypt", "SYMMETRIC_DEFAULT", "encryptionContext", &key_id] {
        of(1, part);
    }
    assert!(!lines[1].contains("c2VjcmV0") && !lines[1].to_lowercase().contains("plaintext"), "{}", lines[1]);
    of(2, "SerializationException");
    of(3, "MissingAuthenticationTokenException");
    of(3, "Decrypt");
    of(4, "RequestEntityTooLarge");

    audit.full.store(true, std::sync::atomic::Ordering::Relaxed);
    let answer = call(&api, "Encrypt", body.as_bytes()).await;
    assert_eq!((answer.status, answer.outcome.code), (500, Some("KMSInternalException")));
    assert_eq!(audit.lines.lock().unwrap().len(), 5);
}
