//! Frozen bytes of every format. What was written once must open for ever; the files in `tests/vectors/crypto` may
//! get company but never change.

use crate::fixture::{Stream, Vectors, context, kek, material, multi_region_key, region, root, single_region_key};
use hex::encode;
use kms_crypto::{
    BlobHeader, KekEpoch, KeyMaterial, MessageCipher, PassphraseParams, RegionKek, RootKey, SealInfo, SealingKey,
    SealingPublicKey, SigningKey, SigningPublicKey, WrapContext, parse_header, seal,
};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName};

type Lines = Vec<(&'static str, String)>;

const ROOT_KEY: &str = include_str!("../../../../tests/vectors/crypto/root-key-v1.txt");
const ROWS: &str = include_str!("../../../../tests/vectors/crypto/rows-v1.txt");
const SIGNING_KEY: &str = include_str!("../../../../tests/vectors/crypto/signing-key-v1.txt");
const MATERIAL_ID: &str = include_str!("../../../../tests/vectors/crypto/material-id-v1.txt");
const SEALED_BOX: &str = include_str!("../../../../tests/vectors/crypto/sealed-box-v1.txt");
const BLOB: &str = include_str!("../../../../tests/vectors/crypto/blob-v1.txt");

fn assert_frozen(file: &'static str, remade: &Lines) {
    let frozen = Vectors::read(file);
    let remade: Vec<(&str, &str)> = remade.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(remade, frozen.lines());
}

fn secret_hex(label: &str, bytes: usize) -> String {
    let mut secret = vec![0; bytes];
    kms_crypto::Entropy::fill(&Stream::new(label), &mut secret).unwrap();
    encode(secret)
}

#[test]
fn root_key_values_are_remade() {
    let root = root("frozen root key");
    let (passphrase, salt, params) =
        ("correct horse battery staple", *b"frozen salt 0001", PassphraseParams::default());
    let derived = RootKey::from_passphrase(passphrase.as_bytes(), &salt, params.clone()).unwrap();
    let lines = vec![
        ("root_key", encode(root.expose_for_file())),
        ("check_scope", "cluster-1/us-east-1".to_owned()),
        ("check_value", encode(root.check_value("cluster-1/us-east-1"))),
        ("passphrase", passphrase.to_owned()),
        ("salt", encode(salt)),
        ("memory_kib", params.memory_kib().to_string()),
        ("passes", params.passes().to_string()),
        ("lanes", params.lanes().to_string()),
        ("passphrase_root_key", encode(derived.expose_for_file())),
    ];
    assert_frozen(ROOT_KEY, &lines);
}

#[test]
fn frozen_root_key_is_recognised() {
    let v = Vectors::read(ROOT_KEY);
    let root = RootKey::from_bytes(&v.hex("root_key")).unwrap();
    assert_eq!(root.check_value(v.text("check_scope")).as_slice(), v.hex("check_value"));
    let params = PassphraseParams::new(v.number("memory_kib"), v.number("passes"), v.number("lanes")).unwrap();
    let salt = v.hex("salt").try_into().unwrap();
    let derived = RootKey::from_passphrase(v.text("passphrase").as_bytes(), &salt, params).unwrap();
    assert_eq!(*derived.expose_for_file(), v.hex("passphrase_root_key"));
}

#[test]
fn rows_are_remade() {
    let (root, kek, region, key_id) = (root("frozen root key"), kek(7), region("eu-west-1"), multi_region_key());
    let material = material("frozen material");
    let mac = KeyMaterial::generate(KeySpec::Hmac384, &Stream::new("frozen mac")).unwrap();
    let (material_id, mac_id) = (material.material_id(&key_id), mac.material_id(&single_region_key()));
    let sealing = SealingKey::generate(&Stream::new("frozen sealing key")).unwrap();
    let nonces = Stream::new("frozen row nonces");
    let wrap = |m: &KeyMaterial, key_id: &KeyId, material_id: &KeyMaterialId| {
        encode(m.wrap(&kek, &WrapContext { region: &region, key_id, material_id }, &nonces).unwrap())
    };
    let lines = vec![
        ("root_key", encode(root.expose_for_file())),
        ("region", region.to_string()),
        ("kek_epoch", "7".to_owned()),
        ("wrapped_kek", encode(kek.wrap(&root, &region, &nonces).unwrap())),
        ("key_id", key_id.to_string()),
        ("material", secret_hex("frozen material", 32)),
        ("material_id", material_id.to_string()),
        ("wrapped_material", wrap(&material, &key_id, &material_id)),
        ("mac_key_id", single_region_key().to_string()),
        ("mac_material", secret_hex("frozen mac", 48)),
        ("mac_material_id", mac_id.to_string()),
        ("wrapped_mac_material", wrap(&mac, &single_region_key(), &mac_id)),
        ("sealing_public_key", encode(sealing.public().as_bytes())),
        ("wrapped_sealing_key", encode(sealing.wrap(&kek, &region, &nonces).unwrap())),
    ];
    assert_frozen(ROWS, &lines);
}

#[test]
fn frozen_rows_open() {
    let v = Vectors::read(ROWS);
    let region = RegionName::parse(v.text("region")).unwrap();
    let root = RootKey::from_bytes(&v.hex("root_key")).unwrap();
    let epoch = KekEpoch(v.number("kek_epoch"));
    let kek = RegionKek::unwrap(&v.hex("wrapped_kek"), &root, &region).unwrap();
    assert_eq!((kek.epoch(), RegionKek::wrapped_epoch(&v.hex("wrapped_kek"))), (epoch, Ok(epoch)));

    for (spec, prefix) in [(KeySpec::SymmetricDefault, ""), (KeySpec::Hmac384, "mac_")] {
        let key_id = KeyId::parse(v.text(&format!("{prefix}key_id"))).unwrap();
        let material_id = KeyMaterialId::parse(v.text(&format!("{prefix}material_id"))).unwrap();
        let row = v.hex(&format!("wrapped_{prefix}material"));
        assert_eq!(KeyMaterial::wrapped_epoch(&row), Ok(epoch));
        let context = WrapContext { region: &region, key_id: &key_id, material_id: &material_id };
        let opened = KeyMaterial::unwrap(&row, &kek, &context).unwrap();
        assert_eq!(opened, KeyMaterial::from_bytes(spec, &v.hex(&format!("{prefix}material"))).unwrap());
    }

    let row = v.hex("wrapped_sealing_key");
    assert_eq!(SealingKey::wrapped_epoch(&row), Ok(epoch));
    let sealing = SealingKey::unwrap(&row, &kek, &region).unwrap();
    assert_eq!(sealing.public().as_bytes(), v.hex("sealing_public_key"));
}

#[test]
fn the_signing_key_is_remade_and_opens_from_its_frozen_row() {
    let (kek, region, message) = (kek(7), region("eu-west-1"), b"meridian frozen label v1\0message");
    let signing = SigningKey::generate(&Stream::new("frozen signing key")).unwrap();
    let row = signing.wrap(&kek, &region, &Stream::new("frozen signing row nonces")).unwrap();
    let lines = vec![
        ("root_key", encode(root("frozen root key").expose_for_file())),
        ("region", region.to_string()),
        ("kek_epoch", "7".to_owned()),
        ("seed", secret_hex("frozen signing key", 32)),
        ("signing_public_key", encode(signing.public().as_bytes())),
        ("signing_key_id", encode(signing.public().id())),
        ("wrapped_signing_key", encode(row)),
        ("message", encode(message)),
        ("signature", encode(signing.sign(message).unwrap())),
    ];
    assert_frozen(SIGNING_KEY, &lines);

    let v = Vectors::read(SIGNING_KEY);
    let row = v.hex("wrapped_signing_key");
    assert_eq!(SigningKey::wrapped_epoch(&row), Ok(KekEpoch(7)));
    let opened = SigningKey::unwrap(&row, &kek, &region).unwrap();
    assert_eq!(opened.public(), SigningPublicKey::from_bytes(&v.hex("signing_public_key")).unwrap());
    assert!(opened.public().verify(&v.hex("message"), &v.hex("signature")));
}

#[test]
fn material_ids_are_remade() {
    let of = |spec, key_id: KeyId| {
        let bytes = if spec == KeySpec::Hmac512 { 64 } else { 32 };
        let secret = hex::decode(secret_hex("frozen material", bytes)).unwrap();
        KeyMaterial::from_bytes(spec, &secret).unwrap().material_id(&key_id).to_string()
    };
    let lines = vec![
        ("material", secret_hex("frozen material", 64)),
        ("key_id", multi_region_key().to_string()),
        ("other_key_id", single_region_key().to_string()),
        ("symmetric_default", of(KeySpec::SymmetricDefault, multi_region_key())),
        ("symmetric_default_other_key", of(KeySpec::SymmetricDefault, single_region_key())),
        ("hmac_256", of(KeySpec::Hmac256, multi_region_key())),
        ("hmac_512", of(KeySpec::Hmac512, multi_region_key())),
    ];
    assert_frozen(MATERIAL_ID, &lines);
}

fn sealed_box_lines() -> (Lines, Vec<u8>) {
    let (key_id, material) = (multi_region_key(), material("frozen material"));
    let (source, destination) = (region("us-east-1"), region("eu-west-1"));
    let (kek, sealing) = (kek(7), SealingKey::generate(&Stream::new("frozen sealing key")).unwrap());
    let material_id = material.material_id(&key_id);
    let info = SealInfo {
        cluster_id: "cluster-1",
        key_id: &key_id,
        material_id: &material_id,
        source: &source,
        destination: &destination,
    };
    let root = root("frozen root key");
    let nonces = Stream::new("frozen sealed box nonces");
    let sealed = seal(&sealing.public(), &info, &material, &Stream::new("frozen encapsulation")).unwrap();
    let lines = vec![
        ("root_key", encode(root.expose_for_file())),
        ("wrapped_kek", encode(kek.wrap(&root, &destination, &nonces).unwrap())),
        ("wrapped_sealing_key", encode(sealing.wrap(&kek, &destination, &nonces).unwrap())),
        ("sealing_public_key", encode(sealing.public().as_bytes())),
        ("cluster_id", "cluster-1".to_owned()),
        ("key_id", key_id.to_string()),
        ("material_id", material_id.to_string()),
        ("source", source.to_string()),
        ("destination", destination.to_string()),
        ("material", secret_hex("frozen material", 32)),
        ("sealed_box", encode(&sealed)),
    ];
    (lines, sealed)
}

#[test]
fn sealed_box_is_remade() {
    assert_frozen(SEALED_BOX, &sealed_box_lines().0);
}

#[test]
fn frozen_sealed_box_opens() {
    let v = Vectors::read(SEALED_BOX);
    let (source, destination) = (region(v.text("source")), region(v.text("destination")));
    let key_id = KeyId::parse(v.text("key_id")).unwrap();
    let material_id = KeyMaterialId::parse(v.text("material_id")).unwrap();
    let root = RootKey::from_bytes(&v.hex("root_key")).unwrap();
    let kek = RegionKek::unwrap(&v.hex("wrapped_kek"), &root, &destination).unwrap();
    let sealing = SealingKey::unwrap(&v.hex("wrapped_sealing_key"), &kek, &destination).unwrap();
    assert_eq!(SealingPublicKey::from_bytes(&v.hex("sealing_public_key")).unwrap(), sealing.public());
    let info = SealInfo {
        cluster_id: v.text("cluster_id"),
        key_id: &key_id,
        material_id: &material_id,
        source: &source,
        destination: &destination,
    };
    let opened = sealing.open(&info, &v.hex("sealed_box"), KeySpec::SymmetricDefault).unwrap();
    assert_eq!(opened, KeyMaterial::from_bytes(KeySpec::SymmetricDefault, &v.hex("material")).unwrap());
}

#[test]
fn blobs_are_remade() {
    let material = material("frozen material");
    let cipher = MessageCipher::new(&material).unwrap();
    let (multi, single) = (multi_region_key(), single_region_key());
    let nonces = Stream::new("frozen blob nonces");
    let pairs = context(&[("purpose", "frozen"), ("tenant", "1")]);
    let (multi_id, single_id) = (material.material_id(&multi), material.material_id(&single));
    let with_context = cipher.encrypt(&multi, &multi_id, &pairs, b"attack at dawn", &nonces).unwrap();
    let empty = cipher.encrypt(&single, &single_id, &context(&[]), b"", &nonces).unwrap();
    let lines = vec![
        ("material", secret_hex("frozen material", 32)),
        ("key_id", multi.to_string()),
        ("material_id", multi_id.to_string()),
        ("context", "purpose:frozen,tenant:1".to_owned()),
        ("plaintext", encode(b"attack at dawn")),
        ("blob", encode(with_context)),
        ("empty_key_id", single.to_string()),
        ("empty_material_id", single_id.to_string()),
        ("empty_blob", encode(empty)),
    ];
    assert_frozen(BLOB, &lines);
}

#[test]
fn frozen_blobs_decrypt() {
    let v = Vectors::read(BLOB);
    let material = KeyMaterial::from_bytes(KeySpec::SymmetricDefault, &v.hex("material")).unwrap();
    let cipher = MessageCipher::new(&material).unwrap();
    let pairs: Vec<_> = v.text("context").split(',').map(|pair| pair.split_once(':').unwrap()).collect();

    let check = |blob: &[u8], prefix: &str, pairs: &[(&str, &str)], plaintext: &[u8]| {
        let BlobHeader { key_id, material_id, .. } = parse_header(blob).unwrap();
        assert_eq!(key_id.as_str(), v.text(&format!("{prefix}key_id")));
        assert_eq!(material_id.to_string(), v.text(&format!("{prefix}material_id")));
        assert_eq!(*cipher.decrypt(blob, &context(pairs)).unwrap(), plaintext);
    };
    check(&v.hex("blob"), "", &pairs, &v.hex("plaintext"));
    check(&v.hex("empty_blob"), "empty_", &[], b"");
}
