//! Session tokens: their frozen bytes, and that nothing else opens.

use crate::fixture::{Dry, Stream, Vectors};
use hex::encode;
use kms_crypto::{
    AccessSecret, CryptoError, SESSION_TOKEN_BYTES_MAX, SessionClaims, SessionTokenKey, open_session_token,
    seal_session_token, session_token_epoch,
};
use kms_types::{AccountId, Timestamp};

const TOKENS: &str = include_str!("../../../../tests/vectors/crypto/session-token-v1.txt");
const CLUSTER: &str = "cluster-1";

fn key(label: &str) -> SessionTokenKey {
    SessionTokenKey::generate(&Stream::new(label)).unwrap()
}

fn claims() -> SessionClaims {
    SessionClaims {
        access_key_id: "ASIAIOSFODNN7EXAMPLE".to_owned(),
        secret: AccessSecret::generate(&Stream::new("frozen session secret")).unwrap(),
        account: AccountId::parse("111122223333").unwrap(),
        role_name: "Builder".to_owned(),
        role_id: "AROADBQP57FF2AEXAMPLE".to_owned(),
        session_name: "ci".to_owned(),
        source_identity: None,
        policy: None,
        tags: [].into(),
        issued_at: Timestamp::from_millis(1_800_000_000_000),
        expires_at: Timestamp::from_millis(1_800_003_600_000),
        chained: false,
    }
}

fn full_claims() -> SessionClaims {
    SessionClaims {
        source_identity: Some("ada".to_owned()),
        policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
        tags: [("project", "apollo"), ("stage", "")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        chained: true,
        ..claims()
    }
}

/// All claims as text, the secret included.
fn shown(claims: &SessionClaims) -> String {
    format!("{claims:?} {}", claims.secret.expose())
}

fn seal(key: &SessionTokenKey, epoch: u64, claims: &SessionClaims, nonce: &str) -> Vec<u8> {
    seal_session_token(key, epoch, CLUSTER, claims, &Stream::new(nonce)).unwrap()
}

#[test]
fn frozen_tokens_are_remade_and_open() {
    let v = Vectors::read(TOKENS);
    let key = key("frozen session token key");
    let minimal = seal(&key, 1, &claims(), "frozen session token nonce");
    let full = seal(&key, u64::from(u32::MAX) + 1, &full_claims(), "frozen session token nonce, full");
    assert_eq!([v.text("minimal_token"), v.text("full_token")], [encode(minimal).as_str(), encode(full).as_str()]);
    for (name, epoch, expected) in [("minimal_token", 1, claims()), ("full_token", 0x1_0000_0000, full_claims())] {
        let token = v.hex(name);
        assert_eq!(session_token_epoch(&token), Ok(epoch));
        let opened = open_session_token(&key, v.text("cluster_id"), &token).unwrap();
        assert_eq!(shown(&opened), shown(&expected));
        assert_eq!(opened.secret.expose(), v.text("secret"));
    }
}

#[test]
fn a_token_opens_unchanged_under_its_key_in_its_cluster_only() {
    let (right, other) = (key("one"), key("other"));
    let token = seal(&right, 7, &full_claims(), "nonce");
    let refused = |key: &SessionTokenKey, cluster: &str, token: &[u8]| {
        assert_eq!(open_session_token(key, cluster, token).err(), Some(CryptoError::Refused));
    };
    open_session_token(&right, CLUSTER, &token).unwrap();
    refused(&other, CLUSTER, &token);
    refused(&right, "cluster-2", &token);
    refused(&right, "", &token);
    for at in 0..token.len() {
        for bit in 0..8 {
            let mut changed = token.clone();
            changed[at] ^= 1 << bit;
            refused(&right, CLUSTER, &changed);
        }
        refused(&right, CLUSTER, &token[..at]);
    }
    for extra in [&b"\0"[..], b"MST", &token] {
        refused(&right, CLUSTER, &[&token, extra].concat());
        refused(&right, CLUSTER, &[extra, &token].concat());
    }
}

#[test]
fn two_tokens_of_one_session_differ_and_show_no_secret() {
    let key = key("one");
    let claims = full_claims();
    let (first, second) = (seal(&key, 7, &claims, "a"), seal(&key, 7, &claims, "b"));
    assert_ne!(first, second);
    let holds = |token: &[u8], text: &str| token.windows(text.len()).any(|part| part == text.as_bytes());
    for text in [claims.secret.expose(), "ASIA", "ada", "apollo"] {
        assert!(!holds(&first, text), "{text}");
    }
    assert!(!format!("{claims:?} {key:?}").contains(claims.secret.expose()));
}

#[test]
fn what_is_too_long_is_not_sealed_and_no_nonce_makes_no_token() {
    let key = key("one");
    let long = SessionClaims { policy: Some("x".repeat(SESSION_TOKEN_BYTES_MAX)), ..claims() };
    let sealed = seal_session_token(&key, 1, CLUSTER, &long, &Stream::new("nonce"));
    assert!(matches!(sealed, Err(CryptoError::Length { .. })));
    assert!(matches!(seal_session_token(&key, 1, CLUSTER, &claims(), &Dry), Err(CryptoError::Entropy(_))));
    assert_eq!(session_token_epoch(&vec![0; SESSION_TOKEN_BYTES_MAX + 1]), Err(CryptoError::Refused));
}
