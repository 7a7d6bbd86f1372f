//! Bad input, byte by byte: the right AWS error each time, and the process stays up.

use meridian_tests::http1::{self, RawRequest, RawResponse};
use meridian_tests::sigv4::{Signer, time};
use meridian_tests::{Cluster, EU, REGIONS, Shared, US, keys};
use std::sync::OnceLock;

fn cluster() -> Shared {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    Shared(CLUSTER.get_or_init(Cluster::start))
}

/// The error's name without a namespace, and its text.
fn error(answer: &RawResponse) -> (u16, String, String) {
    let body = answer.json();
    let name = body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    let message = body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default().to_owned();
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert!(answer.header("x-amzn-requestid").is_some_and(|id| id.len() == 36), "{answer:?}");
    (answer.status, name, message)
}

/// Sends to the Region and to the front door, which must not differ, and compares the error's name.
async fn refused(cluster: &Cluster, make: impl Fn(&str) -> RawRequest, expected: &str) -> String {
    let mut texts = Vec::new();
    for address in [cluster.api(US), cluster.front_door()] {
        let (status, name, message) = error(&make(&address).send(&address).await);
        assert_eq!((status, name.as_str()), (400, expected), "{message}");
        texts.push(message);
    }
    texts.swap_remove(0)
}

fn signer() -> Signer {
    Signer::administrator(US)
}

#[tokio::test]
async fn bodies_that_are_not_the_operations_json_are_serialization_errors() {
    let cluster = cluster();
    let deep = format!("{{\"KeyId\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [&[u8]; 12] = [
        b"{",
        b"nonsense",
        b"[]",
        b"\"text\"",
        b"5",
        b"{\"KeyId\": 5}",
        b"{\"KeyId\": {\"a\": 1}}",
        b"{\"KeyId\": \"x\"} trailing",
        b"{\"KeyId\": \"\xff\xfe\"}",
        b"\xff\xfe\xfd",
        b"{\"KeyId\": \"\\ud800\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        refused(&cluster, |host| RawRequest::signed(host, &signer(), "DescribeKey", body), "SerializationException")
            .await;
    }
    let wrong_types = [
        ("Encrypt", r#"{"KeyId":"alias/x","Plaintext":5}"#),
        ("Encrypt", r#"{"KeyId":"alias/x","Plaintext":"not base64!"}"#),
        ("Encrypt", r#"{"KeyId":"alias/x","Plaintext":"eA==","EncryptionContext":["a"]}"#),
        ("Encrypt", r#"{"KeyId":"alias/x","Plaintext":"eA==","EncryptionContext":{"a":1}}"#),
        ("GenerateRandom", r#"{"NumberOfBytes":"ten"}"#),
        ("GenerateRandom", r#"{"NumberOfBytes":{}}"#),
        ("CreateKey", r#"{"MultiRegion":"perhaps"}"#),
        ("CreateKey", r#"{"Tags":{"TagKey":"a"}}"#),
    ];
    for (operation, body) in wrong_types {
        refused(&cluster, |host| RawRequest::signed(host, &signer(), operation, body), "SerializationException").await;
    }
}

#[tokio::test]
async fn missing_members_are_named() {
    let cluster = cluster();
    let missing = async |operation: &'static str, body: &'static str| {
        refused(&cluster, |host| RawRequest::signed(host, &signer(), operation, body), "ValidationException").await
    };
    let key_id = "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be \
                  null";
    assert_eq!(missing("DescribeKey", "{}").await, key_id);
    assert_eq!(missing("DescribeKey", r#"{"KeyId":null}"#).await, key_id);
    assert_eq!(missing("DescribeKey", r#"{"keyid":"x"}"#).await, key_id);
    let both = missing("Encrypt", "{}").await;
    assert!(both.starts_with("2 validation errors detected: "), "{both}");
    assert!(both.contains("'keyId'") && both.contains("'plaintext'"), "{both}");
    missing("CreateAlias", "{}").await;
    missing("TagResource", r#"{"KeyId":"x"}"#).await;
    missing("ReplicateKey", r#"{"KeyId":"x"}"#).await;
}

#[tokio::test]
async fn a_request_without_a_body_is_no_request() {
    let cluster = cluster();
    for address in [cluster.api(US), cluster.front_door()] {
        let answer = RawRequest::signed(&address, &signer(), "DescribeKey", "").send(&address).await;
        let (status, name, _) = error(&answer);
        assert_eq!(status, 400);
        assert!(["SerializationException", "ValidationException"].contains(&name.as_str()), "{name}");
    }
}

#[tokio::test]
async fn a_target_that_names_no_operation_is_refused() {
    let cluster = cluster();
    let with = |target: Option<&'static str>| {
        move |host: &str| RawRequest::signed_target(host, &signer(), target, "{}", &time(0))
    };
    for target in ["TrentService.NoSuchOperation", "TrentService.encrypt", "TrentService."] {
        refused(&cluster, with(Some(target)), "UnknownOperationException").await;
    }
    for target in [None, Some("nonsense"), Some("OtherService.Encrypt"), Some("")] {
        let text = refused(&cluster, with(target), "AccessDeniedException").await;
        assert_eq!(text, "Unable to determine service/operation name to be authorized");
    }
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_too_large() {
    let cluster = cluster();
    let body = format!("{{\"Description\":\"{}\"}}", "x".repeat(10 << 20));
    for address in [cluster.api(US), cluster.front_door()] {
        let answer = RawRequest::signed(&address, &signer(), "CreateKey", &body).send(&address).await;
        assert_eq!(answer.status, 413, "{answer:?}");
        let (_, name, _) = error(&answer);
        assert_eq!(name, "RequestEntityTooLargeException");
    }
}

#[tokio::test]
async fn requests_that_are_not_signed_as_they_should_be_are_refused() {
    let cluster = cluster();
    let list = |host: &str| RawRequest::signed(host, &signer(), "ListKeys", "{}");
    let text = refused(&cluster, |host| list(host).with("authorization", None), "MissingAuthenticationTokenException");
    assert_eq!(text.await, "Missing Authentication Token");

    let incomplete = |host: &str| {
        let request = list(host);
        let whole = request.header("authorization").to_owned();
        request.with("authorization", Some(whole.split(", Signature=").next().unwrap()))
    };
    refused(&cluster, incomplete, "IncompleteSignatureException").await;
    refused(
        &cluster,
        |host| list(host).with("authorization", Some("AWS4-HMAC-SHA256")),
        "IncompleteSignatureException",
    )
    .await;

    let badly_signed = |host: &str| {
        let request = list(host);
        let whole = request.header("authorization").to_owned();
        let last = if whole.ends_with('0') { "1" } else { "0" };
        let changed = format!("{}{last}", &whole[..whole.len() - 1]);
        request.with("authorization", Some(&changed))
    };
    let text = refused(&cluster, badly_signed, "InvalidSignatureException").await;
    assert!(text.starts_with("The request signature we calculated does not match the signature you provided."));
    let other_body = |host: &str| {
        let mut request = list(host);
        request.body = b"{\"Limit\":1}".to_vec();
        request
    };
    refused(&cluster, other_body, "InvalidSignatureException").await;
    let other_operation = |host: &str| list(host).with("x-amz-target", Some("TrentService.CreateKey"));
    refused(&cluster, other_operation, "InvalidSignatureException").await;
}

#[tokio::test]
async fn requests_of_another_time_or_scope_are_refused() {
    let cluster = cluster();
    let at = |offset: i64| move |host: &str| RawRequest::signed_at(host, &signer(), "ListKeys", "{}", &time(offset));
    let text = refused(&cluster, at(-20 * 60), "InvalidSignatureException").await;
    assert!(text.starts_with("Signature expired: ") && text.contains(" is now earlier than "), "{text}");
    let text = refused(&cluster, at(20 * 60), "InvalidSignatureException").await;
    assert!(text.starts_with("Signature not yet current: ") && text.contains(" is still later than "), "{text}");

    let scoped = |region: &'static str, service: &'static str| {
        move |host: &str| {
            let signer = Signer { region: region.to_owned(), service: service.to_owned(), ..signer() };
            RawRequest::signed(host, &signer, "ListKeys", "{}")
        }
    };
    let text = refused(&cluster, scoped("mars-north-1", "kms"), "InvalidSignatureException").await;
    assert!(text.starts_with("Credential should be scoped to a valid region"), "{text}");
    let text = refused(&cluster, scoped(US, "s3"), "InvalidSignatureException").await;
    assert!(text.starts_with("Credential should be scoped to correct service: 'kms'."), "{text}");
}

#[tokio::test]
async fn a_request_replayed_to_another_region_is_refused_there() {
    let cluster = cluster();
    let request = RawRequest::signed(&cluster.api(US), &signer(), "GenerateRandom", r#"{"NumberOfBytes":16}"#);
    assert_eq!(request.send(&cluster.api(US)).await.status, 200);
    let (status, name, text) = error(&request.send(&cluster.api(EU)).await);
    assert_eq!((status, name.as_str()), (400, "InvalidSignatureException"));
    assert!(text.starts_with("Credential should be scoped to a valid region"), "{text}");
}

#[tokio::test]
async fn whatever_comes_in_the_process_stays_up() {
    let cluster = cluster();
    let before = REGIONS.map(|region| cluster.pid(region));
    let long_header = format!("POST / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "y".repeat(1 << 20));
    let noises: [&[u8]; 7] = [
        b"\r\n\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"PUT /key HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nffffffffff\r\n",
        long_header.as_bytes(),
    ];
    for address in [cluster.api(US), cluster.front_door(), cluster.operations(US), cluster.grpc(US)] {
        for noise in noises {
            send_noise(&address, noise).await;
        }
    }
    let paths = ["/../../etc/passwd", "/metrics/../../x", "/%00", "*"];
    for path in paths {
        assert_ne!(http1::get(&cluster.operations(US), path).await.status, 500);
    }
    assert_eq!(REGIONS.map(|region| cluster.pid(region)), before, "a process was replaced");
    for region in REGIONS {
        assert_eq!(http1::get(&cluster.operations(region), "/healthz").await.status, 200);
        assert_eq!(http1::get(&cluster.operations(region), "/readyz").await.status, 200);
        keys::create(&cluster.kms(region)).await;
    }
}

/// Writes bytes and closes; what the server says to that is its own affair.
async fn send_noise(address: &str, noise: &[u8]) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    drop(socket.write_all(noise).await);
    drop(socket.shutdown().await);
    let mut rest = Vec::new();
    let read = tokio::time::timeout(std::time::Duration::from_secs(15), socket.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the server neither answers nor closes {address}: {:?}", &noise[..noise.len().min(60)]);
}
