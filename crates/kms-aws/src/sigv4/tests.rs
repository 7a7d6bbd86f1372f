//! Signatures: published vectors, requests of an independent signer, and every way in which a request is refused.

use super::*;
use crate::{Principal, SecretKey};
use http::Request;
use kms_service::Identity;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub(crate) const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const STAMP: &str = "20150830T123600Z";
/// [`STAMP`] in milliseconds since the Unix epoch.
pub(crate) const NOW: u64 = 1_440_938_160_000;
const VECTORS: &str = include_str!("../../../../tests/vectors/aws/sigv4.json");

pub(crate) fn principals() -> Principals {
    Principals::new([Principal {
        access_key: ACCESS_KEY.into(),
        secret: SecretKey::new(SECRET.into()),
        identity: Arc::new(Identity::bootstrap(
            "arn:aws:iam::111122223333:user/alice",
            kms_types::AccountId::parse("111122223333").unwrap(),
            true,
            Some(ACCESS_KEY),
        )),
    }])
    .unwrap()
}

fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A request to sign, and a signer that shares no code with the verifier: it builds the canonical request as text.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) signed: Vec<&'static str>,
    pub(crate) body: Vec<u8>,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) access_key: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) stamp: &'static str,
    pub(crate) method: &'static str,
    /// Parameters of the query before those of the signature.
    pub(crate) parameters: &'static str,
    /// What is signed in the place of the body's hash.
    pub(crate) payload_hash: Option<String>,
    /// The session token of a presigned request, encoded for a query.
    pub(crate) token_parameter: String,
}

impl Draft {
    pub(crate) fn new(target: &str, body: &[u8]) -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            headers: vec![
                header("host", "kms.us-east-1.amazonaws.com"),
                header("x-amz-date", STAMP),
                header("x-amz-target", target),
            ],
            signed: vec!["host", "x-amz-date", "x-amz-target"],
            body: body.to_vec(),
            region: "us-east-1",
            service: "kms",
            access_key: ACCESS_KEY,
            secret: SECRET,
            stamp: STAMP,
            method: "POST",
            parameters: "",
            payload_hash: None,
            token_parameter: String::new(),
        }
    }

    /// A request to STS.
    pub(crate) fn form(body: &str) -> Self {
        let mut draft = Self { service: "sts", body: body.as_bytes().to_vec(), ..Self::new("", b"") };
        draft.headers.retain(|(name, _)| name != "x-amz-target");
        draft.set("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        draft.signed = vec!["content-type", "host", "x-amz-date"];
        draft
    }

    /// The same with temporary credentials.
    pub(crate) fn of_session(mut self, access_key: &str, secret: &str, token: &str) -> Self {
        self.access_key = access_key.to_owned().leak();
        self.secret = secret.to_owned().leak();
        self.set("x-amz-security-token", token);
        self.signed.push("x-amz-security-token");
        self.signed.sort_unstable();
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn signature(&self, query: &str) -> String {
        let mac = |key: &[u8], text: &str| {
            use hmac::KeyInit as _;
            let mut mac = signing_key::HmacSha256::new_from_slice(key).unwrap();
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        };
        let headers: String = self
            .signed
            .iter()
            .map(|name| {
                let values: Vec<_> = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
                format!("{name}:{}\n", values.join(","))
            })
            .collect();
        let body = self.payload_hash.clone().unwrap_or_else(|| hex::encode(Sha256::digest(&self.body)));
        let canonical = format!("{}\n/\n{query}\n{headers}\n{}\n{body}", self.method, self.signed.join(";"));
        let date = &self.stamp[..8];
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.stamp, hex::encode(Sha256::digest(canonical)));
        let parts = [date, self.region, self.service, "aws4_request"];
        let key = parts.iter().fold(format!("AWS4{}", self.secret).into_bytes(), |key, part| mac(&key, part));
        hex::encode(mac(&key, &to_sign))
    }

    pub(crate) fn sign(mut self) -> Request<Vec<u8>> {
        let scope = format!("{}/{}/{}/{}/aws4_request", self.access_key, &self.stamp[..8], self.region, self.service);
        let signature = self.signature("");
        let signed = self.signed.join(";");
        self.set(
            "authorization",
            &format!("{ALGORITHM} Credential={scope}, SignedHeaders={signed}, Signature={signature}"),
        );
        self.unsigned("/")
    }

    pub(crate) fn presign(self, expires: &str) -> Request<Vec<u8>> {
        let scope =
            format!("{}%2F{}%2F{}%2F{}%2Faws4_request", self.access_key, &self.stamp[..8], self.region, self.service);
        let query = format!(
            "{}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={scope}&X-Amz-Date={}&X-Amz-Expires={expires}{}\
             &X-Amz-SignedHeaders={}",
            self.parameters,
            self.stamp,
            self.token_parameter,
            self.signed.join("%3B"),
        );
        let uri = format!("/?{query}&X-Amz-Signature={}", self.signature(&query));
        self.unsigned(&uri)
    }

    pub(crate) fn unsigned(self, uri: &str) -> Request<Vec<u8>> {
        let mut request = Request::builder().method(self.method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body).unwrap()
    }
}

const REQUEST: RequestId = RequestId::from_random([7; 16]);

fn verify(request: Request<Vec<u8>>, now: u64) -> Result<Caller, SignatureFault> {
    let (parts, body) = request.into_parts();
    Verifier::new(region("us-east-1"), KMS).verify(&principals(), &parts, &body, at(now), REQUEST)
}

fn refused(request: Request<Vec<u8>>, expected: &str) {
    assert_eq!(verify(request, NOW).unwrap_err().to_string(), expected);
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";

fn draft() -> Draft {
    Draft::new("TrentService.ListKeys", b"{}")
}

/// The requests and signatures of AWS's published test suite and guide, and two KMS requests of a widely used signer.
#[test]
fn published_vectors_verify_and_their_alterations_do_not() {
    let vectors: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.len() >= 18);
    for vector in vectors {
        let field = |name: &str| vector[name].as_str().unwrap_or_default();
        let uri = if field("query").is_empty() { "/".to_owned() } else { format!("/?{}", field("query")) };
        let build = |alter: bool| {
            let mut request = Request::builder().method(field("method")).uri(&uri);
            for header in vector["headers"].as_array().unwrap() {
                request = request.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
            }
            if let Some(authorization) = vector["authorization"].as_str() {
                request = request.header("authorization", authorization);
            }
            let body = field("body").as_bytes().to_vec();
            request.body(if alter { [body, b" ".to_vec()].concat() } else { body }).unwrap()
        };
        let service = ["service", "iam", "kms"].into_iter().find(|s| *s == field("service")).unwrap();
        let verifier = Verifier::new(region(field("region")), service);
        let verify = |request: Request<Vec<u8>>| {
            let (parts, body) = request.into_parts();
            verifier.verify(&principals(), &parts, &body, at(NOW), REQUEST)
        };
        let caller = verify(build(false)).unwrap_or_else(|fault| panic!("{}: {fault}", field("name")));
        assert_eq!(&**caller.arn(), "arn:aws:iam::111122223333:user/alice");
        assert_eq!(verify(build(true)).unwrap_err(), SignatureFault::Mismatch, "{}", field("name"));
    }
}

#[test]
fn signed_and_presigned_requests_name_their_caller() {
    verify(draft().sign(), NOW).unwrap();
    let mut presigned = draft();
    presigned.signed = vec!["host", "x-amz-target"];
    verify(presigned.clone().presign("600"), NOW + 600_000).unwrap();
    let late = verify(presigned.presign("600"), NOW + 601_000).unwrap_err();
    assert_eq!(
        late.to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124601Z - 10 min.)"
    );
}

#[test]
fn the_authority_of_http2_is_the_signed_host() {
    let (mut parts, body) = draft().sign().into_parts();
    parts.headers.remove("host");
    parts.uri = "https://kms.us-east-1.amazonaws.com/".parse().unwrap();
    Verifier::new(region("us-east-1"), KMS).verify(&principals(), &parts, &body, at(NOW), REQUEST).unwrap();
}

#[test]
fn an_unsigned_request_lacks_a_token() {
    refused(draft().unsigned("/"), "Missing Authentication Token");
}

#[test]
fn an_incomplete_header_is_told_what_it_lacks() {
    let with = |authorization: &str| {
        let mut draft = draft();
        draft.set("authorization", authorization);
        draft.unsigned("/")
    };
    refused(
        with("AWS4-HMAC-SHA256 Signature=00, SignedHeaders=host"),
        "Authorization header requires 'Credential' parameter. Authorization=AWS4-HMAC-SHA256 Signature=00, \
         SignedHeaders=host",
    );
    refused(
        with("Basic QWxhZGRpbg=="),
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. Authorization=Basic QWxhZGRpbg==",
    );
    refused(
        with("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00"),
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c'",
    );
    refused(with("AWS4-ECDSA-P256-SHA256 Credential=a"), "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.");
    refused(
        with("AWS4-HMAC-SHA256 FooBar"),
        "'FooBar' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 FooBar'.",
    );
    refused(
        with("AWS4-HMAC-SHA256 Signature=00, Signature=01"),
        "Authorization header has more than one 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Signature=00, \
         Signature=01",
    );
    let mut undated = draft();
    undated.headers.retain(|(name, _)| name != "x-amz-date");
    let fault = verify(undated.sign(), NOW).unwrap_err().to_string();
    let start = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=";
    assert!(fault.starts_with(start), "{fault}");
    let mut misdated = draft();
    misdated.set("x-amz-date", "yesterday");
    refused(
        misdated.sign(),
        "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601",
    );
}

#[test]
fn an_incomplete_query_is_told_what_it_lacks() {
    refused(
        draft().unsigned("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=b&X-Amz-Expires=1"),
        "AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include \
         'X-Amz-SignedHeaders'. Re-examine the query-string parameters.",
    );
    refused(draft().presign("604801"), "X-Amz-Expires must be a number of seconds from 1 to 604800.");
}

#[test]
fn an_unknown_access_key_and_a_session_token_are_unrecognized() {
    let text = "The security token included in the request is invalid.";
    let mut unknown = draft();
    unknown.access_key = "AKIDOTHER";
    refused(unknown.sign(), text);
    refused(draft().of_session(ACCESS_KEY, SECRET, "FwoGZXIvYXdzE").sign(), text);
}

#[test]
fn a_wrong_secret_body_or_header_is_a_mismatch() {
    let mut other = draft();
    other.secret = "another";
    refused(other.sign(), MISMATCH);
    let mut request = draft().sign();
    request.body_mut().push(b' ');
    refused(request, MISMATCH);
    let mut request = draft().sign();
    request.headers_mut().insert("x-amz-target", "TrentService.ScheduleKeyDeletion".parse().unwrap());
    refused(request, MISMATCH);
    let mut unsorted = draft();
    unsorted.signed = vec!["x-amz-date", "host", "x-amz-target"];
    refused(unsorted.sign(), MISMATCH);
}

/// The hash is that of the body as read: neither a hash that is claimed nor a body in signed chunks takes its place.
#[test]
fn a_claimed_payload_hash_does_not_stand_for_the_body() {
    for claimed in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &"0".repeat(64)] {
        let mut draft = draft();
        draft.set("x-amz-content-sha256", claimed);
        draft.signed = vec!["host", "x-amz-content-sha256", "x-amz-date", "x-amz-target"];
        assert!(verify(draft.clone().sign(), NOW).is_ok(), "the body itself is signed");
        draft.payload_hash = Some(claimed.to_owned());
        refused(draft.sign(), MISMATCH);
    }
}

#[test]
fn what_decides_must_be_signed() {
    for (header, text) in [
        ("host", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."),
        ("x-amz-date", "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."),
        ("x-amz-target", "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."),
    ] {
        let mut loose = draft();
        loose.signed.retain(|name| *name != header);
        refused(loose.sign(), text);
    }
}

#[test]
fn five_minutes_are_the_window_in_both_directions() {
    for edge in [NOW - 300_000, NOW + 300_000, NOW + 300_999] {
        assert!(verify(draft().sign(), edge).is_ok(), "{edge}");
    }
    assert_eq!(
        verify(draft().sign(), NOW + 301_000).unwrap_err().to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    assert_eq!(
        verify(draft().sign(), NOW - 301_000).unwrap_err().to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
}

#[test]
fn a_request_for_another_region_or_service_is_refused_by_its_scope() {
    let mut other = draft();
    other.region = "eu-west-1";
    refused(other.clone().sign(), "Credential should be scoped to a valid region. ");
    other.service = "s3";
    other.stamp = "20150829T123600Z";
    refused(
        other.sign(),
        "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'kms'. Date in \
         Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', \
         from '20150830T123600Z'. ",
    );
}

#[test]
fn a_replaced_secret_ends_the_old_one_at_once() {
    let principals = principals();
    let check = || {
        let (parts, body) = draft().sign().into_parts();
        Verifier::new(region("us-east-1"), KMS).verify(&principals, &parts, &body, at(NOW), REQUEST)
    };
    check().unwrap();
    let mut entry = principals.find(ACCESS_KEY).unwrap().unwrap().principal.clone();
    entry.secret = SecretKey::new("rotated".into());
    principals.replace([entry]).unwrap();
    assert_eq!(check().unwrap_err(), SignatureFault::Mismatch);
}

proptest! {
    #[test]
    fn whatever_is_presented_is_refused_without_panic(
        authorization in "(AWS4-HMAC-SHA256 )?[ -~]{0,120}",
        date in "[ -~]{0,20}",
        query in "[!-~&&[^#<>\"`{}\\\\^|]]{0,80}",
        signed in "[a-z;-]{0,30}",
    ) {
        let scope = "AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request";
        let shaped = format!("{ALGORITHM} Credential={scope}, SignedHeaders={signed}, Signature={authorization}");
        for authorization in [authorization, shaped] {
            for date in [date.as_str(), STAMP] {
                let mut draft = draft();
                draft.set("authorization", &authorization);
                draft.set("x-amz-date", date);
                let uri = format!("/?{query}");
                prop_assert!(verify(draft.unsigned(&uri), NOW).is_err());
            }
        }
    }

    #[test]
    fn any_signed_body_and_header_verifies(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        value in "[!-~]{1,30}",
    ) {
        let mut draft = Draft::new("TrentService.Encrypt", &body);
        draft.set("x-amz-user-agent", &value);
        draft.signed = vec!["host", "x-amz-date", "x-amz-target", "x-amz-user-agent"];
        prop_assert!(verify(draft.sign(), NOW).is_ok());
    }
}
