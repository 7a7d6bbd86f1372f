//! Frozen bytes of the formats that carry a key of any spec, or a token. The files in `tests/vectors/crypto` may get
//! company but never change.

use crate::fixture::{
    Stream, Vectors, asymmetric_specs, frozen_key, frozen_material, kek, multi_region_key, prefix, region, root, specs,
};
use hex::encode;
use kms_crypto::{
    AsymmetricKey, ImportParameters, KekEpoch, KeyMaterial, MacKey, OpenedImportToken, RegionKek, RootKey, SealInfo,
    SealingKey, WrapContext, grant_token_epoch, import_token_epoch, new_grant_token, open_grant_token, seal,
};
use kms_types::{
    EncryptionAlgorithm, GrantId, KeyId, KeyMaterialId, KeySpec, MessageType, RegionName, SigningAlgorithm, Timestamp,
    WrappingAlgorithm,
};

const KEYS: &str = include_str!("../../../../tests/vectors/crypto/keys-v1.txt");
const SEALED_BOXES: &str = include_str!("../../../../tests/vectors/crypto/sealed-box-specs-v1.txt");
const TOKENS: &str = include_str!("../../../../tests/vectors/crypto/tokens-v1.txt");
const OPERATIONS: &str = include_str!("../../../../tests/vectors/crypto/operations-v1.txt");

/// What the files with a wrapped KEK have in common.
struct Store {
    kek: RegionKek,
    region: RegionName,
    key_id: KeyId,
}

impl Store {
    fn of(v: &Vectors) -> Self {
        let region = region(v.text("region"));
        let root = RootKey::from_bytes(&v.hex("root_key")).unwrap();
        let kek = RegionKek::unwrap(&v.hex("wrapped_kek"), &root, &region).unwrap();
        Self { kek, region, key_id: KeyId::parse(v.text("key_id")).unwrap() }
    }

    fn context<'a>(&'a self, material_id: &'a KeyMaterialId) -> WrapContext<'a> {
        WrapContext { region: &self.region, key_id: &self.key_id, material_id }
    }
}

fn material_id(v: &Vectors, spec: KeySpec) -> KeyMaterialId {
    KeyMaterialId::parse(v.text(&format!("{}_material_id", prefix(spec)))).unwrap()
}

#[test]
fn rows_of_every_spec_are_remade() {
    let v = Vectors::read(KEYS);
    let remade_kek = kek(7).wrap(&root("frozen root key"), &region("eu-west-1"), &Stream::new("frozen kek nonces"));
    assert_eq!(remade_kek.unwrap(), v.hex("wrapped_kek"));
    let store = Store::of(&v);
    for spec in specs() {
        let (material, id) = (frozen_material(spec), material_id(&v, spec));
        assert_eq!(material.material_id(&multi_region_key()), id, "{spec}");
        let row = material.wrap(&store.kek, &store.context(&id), &Stream::new(&format!("frozen row {spec}"))).unwrap();
        assert_eq!(row, v.hex(&format!("{}_row", prefix(spec))), "{spec}");
    }
}

#[test]
fn material_is_drawn_from_the_same_bytes_as_ever() {
    // All but RSA: its primes are the library's own draws.
    for spec in specs().filter(|spec| !matches!(spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096)) {
        let drawn = KeyMaterial::generate(spec, &Stream::new(&format!("frozen {spec}"))).unwrap();
        assert_eq!(drawn, frozen_material(spec));
    }
}

#[test]
fn frozen_rows_of_every_spec_open_and_give_the_same_public_key() {
    let v = Vectors::read(KEYS);
    let store = Store::of(&v);
    for spec in specs() {
        let (row, id) = (v.hex(&format!("{}_row", prefix(spec))), material_id(&v, spec));
        assert_eq!(KeyMaterial::wrapped_epoch(&row), Ok(KekEpoch(7)));
        let opened = KeyMaterial::unwrap(&row, &store.kek, &store.context(&id)).unwrap();
        assert_eq!((opened.spec(), &opened), (spec, &frozen_material(spec)));
        if spec.is_asymmetric() {
            let key = AsymmetricKey::new(&opened).unwrap();
            assert_eq!(encode(key.public_key_der()), v.text(&format!("{}_public_key", prefix(spec))), "{spec}");
        }
    }
}

#[test]
fn boxes_of_every_form_of_material_are_remade_and_open() {
    let v = Vectors::read(SEALED_BOXES);
    let (store, source) = (Store::of(&v), region(v.text("source")));
    let sealing = SealingKey::unwrap(&v.hex("wrapped_sealing_key"), &store.kek, &store.region).unwrap();
    for spec in [KeySpec::Rsa2048, KeySpec::EccNistP521, KeySpec::MlKem768, KeySpec::Hmac384] {
        let id = material_id(&v, spec);
        let info = SealInfo {
            cluster_id: v.text("cluster_id"),
            key_id: &store.key_id,
            material_id: &id,
            source: &source,
            destination: &store.region,
        };
        let frozen = v.hex(&format!("{}_box", prefix(spec)));
        let draws = Stream::new(&format!("frozen encapsulation {spec}"));
        assert_eq!(seal(&sealing.public(), &info, &frozen_material(spec), &draws).unwrap(), frozen, "{spec}");
        assert_eq!(sealing.open(&info, &frozen, spec).unwrap(), frozen_material(spec));
    }
}

#[test]
fn frozen_import_tokens_open_and_unwrap() {
    let v = Vectors::read(TOKENS);
    let store = Store::of(&v);
    for i in 0..4 {
        let hex = |name: &str| v.hex(&format!("import_{i}_{name}"));
        let text = |name: &str| v.text(&format!("import_{i}_{name}"));
        assert_eq!(import_token_epoch(&hex("token")), Ok(KekEpoch(7)));
        let opened = OpenedImportToken::open(&hex("token"), &store.kek, &store.region).unwrap();
        let parameters = ImportParameters {
            key_id: store.key_id,
            algorithm: WrappingAlgorithm::parse(text("algorithm")).unwrap(),
            expires_at: Timestamp::from_millis(text("expires_at").parse().unwrap()),
        };
        assert_eq!(*opened.parameters(), parameters);
        assert_eq!(*opened.unwrap(&hex("encrypted")).unwrap(), hex("material"));
    }
}

#[test]
fn grant_token_is_remade_and_opens() {
    let v = Vectors::read(TOKENS);
    let (store, grant_id) = (Store::of(&v), GrantId::parse(v.text("grant_id")).unwrap());
    let nonces = Stream::new("frozen grant token");
    let token = new_grant_token(&store.kek, &store.region, &store.key_id, &grant_id, &nonces).unwrap();
    assert_eq!(token, v.text("grant_token"));
    assert_eq!(grant_token_epoch(&token), Ok(KekEpoch(7)));
    assert_eq!(open_grant_token(&token, &store.kek, &store.region), Ok((store.key_id, grant_id)));
}

#[test]
fn frozen_signatures_verify() {
    let v = Vectors::read(OPERATIONS);
    let mut verified = 0;
    for spec in asymmetric_specs() {
        let key = frozen_key(spec);
        for algorithm in spec.signing_algorithms() {
            let name = format!("{}_{}", prefix(spec), algorithm.as_str().to_lowercase());
            // Of the larger RSA keys, one algorithm each.
            let Some((_, signature)) = v.lines().iter().find(|(n, _)| *n == name) else { continue };
            let (message_type, message) = match algorithm {
                SigningAlgorithm::Ed25519PhSha512 => (MessageType::Digest, v.hex("ed25519_ph_digest")),
                _ => (MessageType::Raw, v.hex("message")),
            };
            let signature = hex::decode(signature).unwrap();
            assert_eq!(key.verify(*algorithm, message_type, &message, &signature), Ok(()), "{name}");
            verified += 1;
        }
    }
    assert_eq!(verified, 17);
}

#[test]
fn frozen_ciphertexts_macs_and_secrets_are_those_of_their_keys() {
    let v = Vectors::read(OPERATIONS);
    let hex = |spec, name: &str| v.hex(&format!("{}_{name}", prefix(spec)));
    let message = v.hex("message");
    for (spec, algorithm, name) in [
        (KeySpec::Rsa2048, EncryptionAlgorithm::RsaesOaepSha1, "rsaes_oaep_sha_1"),
        (KeySpec::Rsa2048, EncryptionAlgorithm::RsaesOaepSha256, "rsaes_oaep_sha_256"),
        (KeySpec::Rsa3072, EncryptionAlgorithm::RsaesOaepSha256, "rsaes_oaep_sha_256"),
        (KeySpec::Rsa4096, EncryptionAlgorithm::RsaesOaepSha256, "rsaes_oaep_sha_256"),
    ] {
        assert_eq!(*frozen_key(spec).decrypt(algorithm, &hex(spec, name)).unwrap(), message);
    }
    for spec in [KeySpec::Hmac224, KeySpec::Hmac256, KeySpec::Hmac384, KeySpec::Hmac512] {
        let key = MacKey::new(&frozen_material(spec)).unwrap();
        assert_eq!(key.generate(&message), hex(spec, "mac"));
        assert_eq!(key.verify(&message, &hex(spec, "mac")), Ok(()));
    }
    for spec in [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521] {
        let secret = frozen_key(spec).derive_shared_secret(&hex(spec, "peer")).unwrap();
        assert_eq!(*secret, hex(spec, "shared_secret"));
    }
    for spec in [KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024] {
        let secret = frozen_key(spec).decapsulate(&hex(spec, "encapsulation")).unwrap();
        assert_eq!(*secret, hex(spec, "encapsulated_secret"));
    }
}
