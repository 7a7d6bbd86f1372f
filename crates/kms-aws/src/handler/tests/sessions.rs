//! Temporary credentials: which are honoured, and for how long.

use super::roles::{Credentials, Stage, TRUST};
use super::*;
use crate::sigv4::tests::NOW;
use kms_core::control::identity::{PrincipalChange, RoleChange};
use kms_types::Timestamp;

const INVALID: (&str, &str) = ("UnrecognizedClientException", "The security token included in the request is invalid.");
const EXPIRED: (&str, &str) = ("ExpiredTokenException", "The security token included in the request is expired");

/// A stamp of SigV4 some hours after [`NOW`], the date of all requests here.
const STAMPS: [&str; 3] = ["20150830T123600Z", "20150830T133600Z", "20150830T143600Z"];

fn list_keys(session: &Credentials) -> Draft {
    session.kms("ListKeys", b"{}")
}

async fn is_refused(stage: &Stage, request: Request<Vec<u8>>, (code, message): (&str, &str)) {
    let answer = send(&stage.api, request).await;
    assert_eq!((answer.status, answer.json()), (400, json!({"__type": code, "message": message})));
}

async fn is_honoured(stage: &Stage, request: Request<Vec<u8>>) {
    let answer = send(&stage.api, request).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

#[tokio::test]
async fn a_session_signs_with_its_token_in_header_or_query_and_is_named_in_the_record() {
    let stage = Stage::new();
    let session = stage.session("").await;
    let answer = send(&stage.api, list_keys(&session).sign()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.outcome.principal.as_deref(), Some("arn:aws:sts::111122223333:assumed-role/Builder/ci"));
    let record = stage.records().pop().unwrap().replace('\\', "");
    for part in [
        r#""type":"AssumedRole""#,
        r#""principalId":"AROABUILDER:ci""#,
        r#""arn":"arn:aws:iam::111122223333:role/team/Builder""#,
        &format!(r#""accessKeyId":"{}""#, session.access_key),
        r#""creationDate":"2015-08-30T12:36:00Z""#,
    ] {
        assert!(record.contains(part), "{part}: {record}");
    }
    let mut presigned = list_keys(&session);
    presigned.headers.retain(|(name, _)| name != "x-amz-security-token");
    presigned.signed = vec!["host", "x-amz-target"];
    let encoded = session.token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    presigned.token_parameter = format!("&X-Amz-Security-Token={encoded}");
    is_honoured(&stage, presigned.clone().presign("600")).await;
    presigned.secret = "another";
    let forged = send(&stage.api, presigned.presign("600")).await;
    assert_eq!(forged.json()["__type"], "InvalidSignatureException");
}

#[tokio::test]
async fn a_token_and_an_access_key_that_do_not_belong_together_are_not_recognised() {
    let stage = Stage::new();
    let (session, other) = (stage.session("").await, stage.session("").await);
    assert_ne!(session.access_key, other.access_key);
    assert!(session.access_key.starts_with("ASIA") && session.access_key.len() == 20, "{session:?}");
    let mut without = list_keys(&session);
    without.headers.retain(|(name, _)| name != "x-amz-security-token");
    without.signed.retain(|name| *name != "x-amz-security-token");
    is_refused(&stage, without.sign(), INVALID).await;
    is_refused(
        &stage,
        Credentials { token: other.token.clone(), ..session.clone() }.kms("ListKeys", b"{}").sign(),
        INVALID,
    )
    .await;
    let long_term =
        Credentials { access_key: "AKIDEXAMPLE".into(), secret: crate::sigv4::tests::SECRET.into(), ..session.clone() };
    is_refused(&stage, list_keys(&long_term).sign(), INVALID).await;
    // Opened before, so that a cached session is not reached with another token either.
    is_honoured(&stage, list_keys(&session).sign()).await;
    let half = &session.token[..session.token.len() / 2];
    for token in ["garbage", "", half, &"A".repeat(9_000), &other.token] {
        let garbled = Credentials { token: token.to_owned(), ..session.clone() };
        is_refused(&stage, list_keys(&garbled).sign(), INVALID).await;
    }
    for at in [30, 100, session.token.len() - 4] {
        let mut bytes = session.token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let garbled = Credentials { token: String::from_utf8(bytes).unwrap(), ..session.clone() };
        is_refused(&stage, list_keys(&garbled).sign(), INVALID).await;
    }
    let mut twice = list_keys(&session).sign();
    twice.headers_mut().append("x-amz-security-token", session.token.parse().unwrap());
    is_refused(&stage, twice, INVALID).await;
}

#[tokio::test]
async fn the_header_with_the_token_must_be_signed() {
    let stage = Stage::new();
    let mut loose = list_keys(&stage.session("").await);
    loose.signed.retain(|name| *name != "x-amz-security-token");
    let text = "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.";
    is_refused(&stage, loose.sign(), ("InvalidSignatureException", text)).await;
}

#[tokio::test]
async fn a_session_is_refused_from_the_second_of_its_end() {
    let stage = Stage::new();
    let session = stage.session("&DurationSeconds=3600").await;
    let at = |stamp: &'static str| {
        let mut draft = list_keys(&session);
        draft.set("x-amz-date", stamp);
        draft.stamp = stamp;
        draft.sign()
    };
    stage.later(3_599, true);
    is_honoured(&stage, at(STAMPS[1])).await;
    stage.later(3_600, true);
    is_refused(&stage, at(STAMPS[1]), EXPIRED).await;
    // As one that this Region has never seen before.
    stage.principals_forget();
    is_refused(&stage, at(STAMPS[1]), EXPIRED).await;
    assert_eq!(STAMPS[0], "20150830T123600Z", "the stamp of {NOW}");
}

#[tokio::test]
async fn sessions_end_with_their_role_and_are_honoured_again_when_it_is_enabled_again() {
    let mut stage = Stage::new();
    let session = stage.session("").await;
    is_honoured(&stage, list_keys(&session).sign()).await;
    stage.change(RoleChange::Principal(PrincipalChange::Enabled(false)));
    is_refused(&stage, list_keys(&session).sign(), INVALID).await;
    stage.change(RoleChange::Principal(PrincipalChange::Enabled(true)));
    is_honoured(&stage, list_keys(&session).sign()).await;
    stage.delete_role();
    is_refused(&stage, list_keys(&session).sign(), INVALID).await;
    stage.create_role("AROAANOTHER", TRUST);
    is_refused(&stage, list_keys(&session).sign(), INVALID).await;
}

#[tokio::test]
async fn a_change_of_the_role_is_in_force_for_sessions_that_run() {
    let mut stage = Stage::new();
    let session = stage.session("").await;
    is_honoured(&stage, list_keys(&session).sign()).await;
    stage
        .policy(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:ListAliases","Resource":"*"}}"#);
    let answer = send(&stage.api, list_keys(&session).sign()).await;
    let text = "User: arn:aws:sts::111122223333:assumed-role/Builder/ci is not authorized to perform: kms:ListKeys on \
                resource: * because no identity-based policy allows the kms:ListKeys action";
    assert_eq!(answer.json(), json!({"__type": "AccessDeniedException", "Message": text}));
    is_honoured(&stage, session.kms("ListAliases", b"{}").sign()).await;
    stage.change(RoleChange::Principal(PrincipalChange::Boundary(Some(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}}"#.to_owned(),
    ))));
    let answer = send(&stage.api, session.kms("ListAliases", b"{}").sign()).await;
    assert_eq!(answer.json()["__type"], "AccessDeniedException");
}

#[tokio::test]
async fn sessions_last_through_a_new_session_key_unless_they_are_to_end() {
    let mut stage = Stage::new();
    let session = stage.session("").await;
    is_honoured(&stage, list_keys(&session).sign()).await;
    stage.session_key(2, false);
    is_honoured(&stage, list_keys(&session).sign()).await;
    let newer = stage.session("").await;
    is_honoured(&stage, list_keys(&newer).sign()).await;
    stage.session_key(3, true);
    is_refused(&stage, list_keys(&session).sign(), INVALID).await;
    is_refused(&stage, list_keys(&newer).sign(), INVALID).await;
}

#[tokio::test]
async fn a_region_that_cannot_confirm_its_directory_honours_no_session_and_begins_none() {
    let stage = Stage::new();
    let session = stage.session("&DurationSeconds=7200").await;
    stage.later(3_601, false);
    let mut draft = list_keys(&session);
    draft.set("x-amz-date", STAMPS[1]);
    draft.stamp = STAMPS[1];
    let answer = send(&stage.api, draft.sign()).await;
    assert_eq!((answer.status, answer.outcome.code), (503, Some("ServiceUnavailableException")));
    let mut form = Draft::form(&super::roles::assume_role(""));
    form.set("x-amz-date", STAMPS[1]);
    form.stamp = STAMPS[1];
    let answer = send(&stage.api, form.sign()).await;
    assert_eq!((answer.status, answer.outcome.code), (503, Some("ServiceUnavailable")));
}

#[tokio::test]
async fn a_session_policy_narrows_the_session() {
    let stage = Stage::new();
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22\
                  %3A%22kms%3AListKeys%22%2C%22Resource%22%3A%22*%22%7D%7D";
    let session = stage.session(&format!("&Policy={policy}")).await;
    is_honoured(&stage, list_keys(&session).sign()).await;
    let answer = send(&stage.api, session.kms("ListAliases", b"{}").sign()).await;
    let text = answer.json()["Message"].as_str().unwrap().to_owned();
    assert!(text.ends_with("because no session policy allows the kms:ListAliases action"), "{text}");
}

#[tokio::test]
async fn remembered_sessions_are_bounded_and_those_that_are_over_go_first() {
    let mut stage = Stage::new();
    let cache = stage.cache(8);
    let now = Timestamp::from_millis(NOW);
    let lasting = stage.session("&DurationSeconds=7200").await;
    let find = |session: &Credentials, now| cache.find(&session.access_key, &session.token, now).map(drop);
    find(&lasting, now).unwrap();
    for _ in 0..7 {
        find(&stage.session("&DurationSeconds=900").await, now).unwrap();
    }
    assert_eq!(cache.len(), 8);
    let later = Timestamp::from_millis(NOW + 900_000);
    find(&stage.session("&DurationSeconds=7200").await, later).unwrap();
    assert_eq!(cache.len(), 2, "the seven that are over are gone");
    for _ in 0..20 {
        find(&stage.session("&DurationSeconds=7200").await, later).unwrap();
        assert!(cache.len() <= 8);
    }
    // Whoever had to leave comes back.
    find(&lasting, later).unwrap();
    stage.policy(r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#);
    cache.forget_outdated();
    assert_eq!(cache.len(), 0);
}
