//! Sealed secrets of access keys and session token keys: their frozen bytes, and what they do not open under.

use crate::fixture::{Stream, Vectors, kek, region, root};
use hex::encode;
use kms_crypto::{AccessSecret, CryptoError, Entropy, RegionKek, RootKey, SealingKey, SecretInfo, SessionTokenKey};
use kms_types::RegionName;

const SEALED_SECRET: &str = include_str!("../../../../tests/vectors/crypto/sealed-secret-v1.txt");
const SEALED_SESSION_KEY: &str = include_str!("../../../../tests/vectors/crypto/sealed-session-key-v1.txt");
const SESSION_KEY_NAME: &str = "session-key/1";
const NAME: &str = "access-key/AKIAIOSFODNN7EXAMPLE";

fn info<'a>(source: &'a RegionName, destination: &'a RegionName) -> SecretInfo<'a> {
    SecretInfo { cluster_id: "cluster-1", name: NAME, source, destination }
}

#[test]
fn a_sealed_secret_is_remade() {
    let (source, destination) = (region("us-east-1"), region("eu-west-1"));
    let (root, kek) = (root("frozen root key"), kek(7));
    let sealing = SealingKey::generate(&Stream::new("frozen sealing key")).unwrap();
    let nonces = Stream::new("frozen sealed secret nonces");
    let secret = AccessSecret::generate(&Stream::new("frozen access secret")).unwrap();
    let entropy = Stream::new("frozen encapsulation of a secret");
    let sealed = secret.seal(&sealing.public(), &info(&source, &destination), &entropy).unwrap();
    let remade = [
        ("root_key", encode(root.expose_for_file())),
        ("wrapped_kek", encode(kek.wrap(&root, &destination, &nonces).unwrap())),
        ("wrapped_sealing_key", encode(sealing.wrap(&kek, &destination, &nonces).unwrap())),
        ("cluster_id", "cluster-1".to_owned()),
        ("name", NAME.to_owned()),
        ("source", source.to_string()),
        ("destination", destination.to_string()),
        ("secret", secret.expose().to_owned()),
        ("sealed_secret", encode(sealed)),
    ];
    let remade: Vec<(&str, &str)> = remade.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(remade, Vectors::read(SEALED_SECRET).lines());
}

#[test]
fn the_frozen_secret_opens() {
    let v = Vectors::read(SEALED_SECRET);
    let (source, destination) = (region(v.text("source")), region(v.text("destination")));
    let root = RootKey::from_bytes(&v.hex("root_key")).unwrap();
    let kek = RegionKek::unwrap(&v.hex("wrapped_kek"), &root, &destination).unwrap();
    let sealing = SealingKey::unwrap(&v.hex("wrapped_sealing_key"), &kek, &destination).unwrap();
    let opened = AccessSecret::open(&sealing, &info(&source, &destination), &v.hex("sealed_secret")).unwrap();
    assert_eq!(opened.expose(), v.text("secret"));
}

#[test]
fn a_secret_opens_under_its_own_name_in_its_destination_only_and_unchanged() {
    let (us, eu) = (region("us-east-1"), region("eu-west-1"));
    let (sealing, other) = (SealingKey::generate(&Stream::new("one")), SealingKey::generate(&Stream::new("other")));
    let (sealing, other) = (sealing.unwrap(), other.unwrap());
    let secret = AccessSecret::generate(&Stream::new("secret")).unwrap();
    assert_eq!(secret.expose().len(), 40);
    assert_eq!(format!("{secret:?}"), "AccessSecret(secret)");
    let right = info(&us, &eu);
    let sealed = secret.seal(&sealing.public(), &right, &Stream::new("encapsulation")).unwrap();
    assert_eq!(AccessSecret::open(&sealing, &right, &sealed).unwrap().expose(), secret.expose());
    let refused = |key: &SealingKey, info: &SecretInfo<'_>, sealed: &[u8]| {
        assert_eq!(AccessSecret::open(key, info, sealed).err(), Some(CryptoError::Refused));
    };
    refused(&other, &right, &sealed);
    refused(&sealing, &SecretInfo { name: "access-key/AKIAIOSFODNN7ANOTHER", ..right }, &sealed);
    refused(&sealing, &SecretInfo { cluster_id: "cluster-2", ..right }, &sealed);
    refused(&sealing, &SecretInfo { source: &eu, ..right }, &sealed);
    refused(&sealing, &SecretInfo { destination: &us, ..right }, &sealed);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        refused(&sealing, &right, &changed);
        refused(&sealing, &right, &sealed[..at]);
    }
    let long = "x".repeat(257);
    let too_long = secret.seal(&sealing.public(), &SecretInfo { name: &long, ..right }, &Stream::new("again"));
    assert!(matches!(too_long, Err(CryptoError::Length { .. })));
}

#[test]
fn the_frozen_session_token_key_opens_and_is_remade() {
    let v = Vectors::read(SEALED_SESSION_KEY);
    let (source, destination) = (region(v.text("source")), region(v.text("destination")));
    let root = RootKey::from_bytes(&v.hex("root_key")).unwrap();
    let kek = RegionKek::unwrap(&v.hex("wrapped_kek"), &root, &destination).unwrap();
    let sealing = SealingKey::unwrap(&v.hex("wrapped_sealing_key"), &kek, &destination).unwrap();
    let info = SecretInfo { name: v.text("name"), ..info(&source, &destination) };
    let mut drawn = [0; 32];
    Stream::new("frozen session token key").fill(&mut drawn).unwrap();
    assert_eq!(encode(drawn), v.text("session_key"));
    let drawn = SessionTokenKey::generate(&Stream::new("frozen session token key")).unwrap();
    let sealed = |key: &SessionTokenKey| {
        let entropy = Stream::new("frozen encapsulation of a session token key");
        encode(key.seal(&sealing.public(), &info, &entropy).unwrap())
    };
    assert_eq!(sealed(&drawn), v.text("sealed_session_key"));
    let opened = SessionTokenKey::open(&sealing, &info, &v.hex("sealed_session_key")).unwrap();
    assert_eq!(sealed(&opened), v.text("sealed_session_key"));
}

#[test]
fn a_session_token_key_opens_as_itself_only() {
    let (us, eu) = (region("us-east-1"), region("eu-west-1"));
    let sealing = SealingKey::generate(&Stream::new("one")).unwrap();
    let key = SessionTokenKey::generate(&Stream::new("session key")).unwrap();
    assert_eq!(format!("{key:?}"), "SessionTokenKey(secret)");
    let right = SecretInfo { name: SESSION_KEY_NAME, ..info(&us, &eu) };
    let sealed = key.seal(&sealing.public(), &right, &Stream::new("encapsulation")).unwrap();
    SessionTokenKey::open(&sealing, &right, &sealed).unwrap();
    let refused = |info: &SecretInfo<'_>, sealed: &[u8]| {
        assert_eq!(SessionTokenKey::open(&sealing, info, sealed).err(), Some(CryptoError::Refused));
    };
    refused(&SecretInfo { name: "session-key/2", ..right }, &sealed);
    refused(&SecretInfo { name: NAME, ..right }, &sealed);
    refused(&SecretInfo { destination: &us, ..right }, &sealed);
    refused(&right, &sealed[..sealed.len() - 1]);
    // Of another length, under the very same name.
    let secret = AccessSecret::generate(&Stream::new("secret")).unwrap();
    refused(&right, &secret.seal(&sealing.public(), &right, &Stream::new("again")).unwrap());
}
