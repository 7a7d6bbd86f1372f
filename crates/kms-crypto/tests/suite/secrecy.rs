//! Secrets do not show, compare correctly, and give identifiers that say nothing about them.

use crate::fixture::{Stream, context, kek, material, multi_region_key, region, root, single_region_key};
use kms_crypto::{
    AsymmetricKey, CryptoError, Entropy, EntropyError, ImportParameters, KekEpoch, KeyMaterial, MacKey, MessageCipher,
    OpenedImportToken, PassphraseParams, RegionKek, RootKey, SealingKey, SigningKey, generate_data_key_pair,
    new_import_token,
};
use kms_types::{KeySpec, Timestamp, WrappingAlgorithm, WrappingKeySpec};
use std::collections::BTreeSet;

/// Fills everything with one byte that is easy to find again.
struct Same(u8);

impl Entropy for Same {
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
        dest.fill(self.0);
        Ok(())
    }
}

#[test]
fn debug_output_is_fixed_text_whatever_the_secret() {
    let material = |byte| KeyMaterial::generate(KeySpec::SymmetricDefault, &Same(byte)).unwrap();
    let shown = |byte: u8| {
        let material = material(byte);
        let sealing = SealingKey::generate(&Same(byte)).unwrap();
        [
            format!("{:?} {0:#?}", RootKey::generate(&Same(byte)).unwrap()),
            format!("{:?} {0:#?}", RegionKek::generate(KekEpoch(5), &Same(byte)).unwrap()),
            format!("{material:?} {material:#?}"),
            format!("{:?} {0:#?}", MessageCipher::new(&material).unwrap()),
            format!("{:?} {0:#?}", sealing.public()),
            format!("{sealing:?} {sealing:#?}"),
            format!("{:?} {0:#?}", SigningKey::generate(&Same(byte)).unwrap()),
        ]
    };
    // The same text for any secret holds no information about it.
    assert_eq!(shown(0x11), shown(0xe7));
    let expected = [
        "RootKey(secret)",
        "RegionKek(epoch 5, secret)",
        "KeyMaterial(SYMMETRIC_DEFAULT, secret)",
        "MessageCipher(SYMMETRIC_DEFAULT, secret)",
        "SealingPublicKey(X-Wing, 1220 bytes)",
        "SealingKey(X-Wing, secret)",
        "SigningKey(Ed25519, secret)",
    ];
    assert_eq!(shown(0x11), expected.map(|text| format!("{text} {text}")));
}

#[test]
fn debug_output_of_keys_and_tokens_is_fixed_text_whatever_the_secret() {
    let (kek, here) = (kek(1), region("us-east-1"));
    let expires_at = Timestamp::from_millis(9);
    let parameters =
        ImportParameters { key_id: single_region_key(), algorithm: WrappingAlgorithm::RsaesOaepSha256, expires_at };
    let shown = |byte: u8| {
        let mac = KeyMaterial::generate(KeySpec::Hmac256, &Same(byte)).unwrap();
        let curve = KeyMaterial::generate(KeySpec::EccNistP256, &Same(byte)).unwrap();
        let pair = generate_data_key_pair(KeySpec::EccNistEdwards25519, &Same(byte)).unwrap();
        let token = new_import_token(&kek, &here, &parameters, WrappingKeySpec::Rsa2048, &Same(byte)).unwrap();
        let opened = OpenedImportToken::open(&token.token, &kek, &here).unwrap();
        [
            format!("{:?} {0:#?}", MacKey::new(&mac).unwrap()),
            format!("{:?} {0:#?}", AsymmetricKey::new(&curve).unwrap()),
            format!("{pair:?} {pair:#?}"),
            format!("{token:?} {token:#?}"),
            format!("{opened:?} {opened:#?}"),
        ]
    };
    assert_eq!(shown(0x11), shown(0x67));
    let expected = [
        "MacKey(HMAC_SHA_256, secret)".to_owned(),
        "AsymmetricKey(ECC_NIST_P256, secret)".to_owned(),
        "DataKeyPair(secret)".to_owned(),
        "ImportToken(348 bytes)".to_owned(),
        format!("OpenedImportToken({parameters:?}, secret)"),
    ];
    assert_eq!(shown(0x11), expected.map(|text| format!("{text} {text}")));
}

#[test]
fn errors_about_bytes_show_none_of_them() {
    let secret = [0xab; 31];
    let shown = format!("{:?}", KeyMaterial::import(KeySpec::SymmetricDefault, &secret).unwrap_err());
    assert_eq!(shown, "Length { what: \"key material of this spec\", found: 31 }");
    let shown = format!("{:?}", KeyMaterial::import(KeySpec::EccNistP256, &secret).unwrap_err());
    assert_eq!(shown, "Malformed(\"PKCS #8 private key of its curve\")");
}

#[test]
fn keys_and_opened_tokens_are_shared_between_threads() {
    const fn shared<T: Send + Sync>() {}
    shared::<KeyMaterial>();
    shared::<MacKey>();
    shared::<AsymmetricKey>();
    shared::<OpenedImportToken>();
    shared::<RegionKek>();
}

#[test]
fn material_is_equal_only_in_spec_and_every_byte() {
    let of = |spec, bytes: &[u8]| KeyMaterial::from_bytes(spec, bytes).unwrap();
    let bytes = [9; 32];
    let base = of(KeySpec::SymmetricDefault, &bytes);
    assert_eq!(base, of(KeySpec::SymmetricDefault, &bytes));
    assert_ne!(base, of(KeySpec::Hmac256, &bytes));
    for at in 0..32 {
        let mut other = bytes;
        other[at] ^= 0x80;
        assert_ne!(base, of(KeySpec::SymmetricDefault, &other));
    }
}

#[test]
fn material_id_depends_on_key_spec_and_material() {
    let bytes = [9; 32];
    let material = KeyMaterial::from_bytes(KeySpec::SymmetricDefault, &bytes).unwrap();
    let mac = KeyMaterial::from_bytes(KeySpec::Hmac256, &bytes).unwrap();
    let (key, other_key) = (multi_region_key(), single_region_key());
    let ids = BTreeSet::from([
        material.material_id(&key),
        material.material_id(&other_key),
        mac.material_id(&key),
        KeyMaterial::from_bytes(KeySpec::SymmetricDefault, &[8; 32]).unwrap().material_id(&key),
        // HMAC pads a short key with zeros; the ID must tell padded material apart.
        KeyMaterial::from_bytes(KeySpec::Hmac512, &[[9; 32], [0; 32]].concat()).unwrap().material_id(&key),
    ]);
    assert_eq!(ids.len(), 5);
}

#[test]
fn material_has_the_length_of_its_spec_and_sm2_is_unsupported() {
    // RSA material is no random bytes of ours.
    let random = [
        (KeySpec::SymmetricDefault, 32),
        (KeySpec::Hmac224, 28),
        (KeySpec::Hmac256, 32),
        (KeySpec::Hmac384, 48),
        (KeySpec::Hmac512, 64),
        (KeySpec::EccNistP256, 32),
        (KeySpec::EccNistP384, 48),
        (KeySpec::EccNistP521, 66),
        (KeySpec::EccSecgP256k1, 32),
        (KeySpec::EccNistEdwards25519, 32),
        (KeySpec::MlDsa44, 32),
        (KeySpec::MlDsa65, 32),
        (KeySpec::MlDsa87, 32),
        (KeySpec::MlKem512, 64),
        (KeySpec::MlKem768, 64),
        (KeySpec::MlKem1024, 64),
    ];
    for (spec, bytes) in random {
        let made = KeyMaterial::generate(spec, &Same(1)).unwrap();
        assert_eq!(made, KeyMaterial::from_bytes(spec, &vec![1; bytes]).unwrap());
        for found in [0, bytes - 1, bytes + 1] {
            let wrong = CryptoError::Length { what: "key material of this spec", found };
            assert_eq!(KeyMaterial::from_bytes(spec, &vec![1; found]).unwrap_err(), wrong);
        }
    }
    let unsupported = CryptoError::UnsupportedSpec(KeySpec::Sm2);
    assert_eq!(KeyMaterial::generate(KeySpec::Sm2, &Same(1)).unwrap_err(), unsupported);
    assert_eq!(KeyMaterial::from_bytes(KeySpec::Sm2, &[1; 32]).unwrap_err(), unsupported);
    assert_eq!(KeyMaterial::import(KeySpec::Sm2, &[1; 32]).unwrap_err(), unsupported);
}

#[test]
fn only_symmetric_default_makes_a_message_cipher() {
    let mac = KeyMaterial::generate(KeySpec::Hmac256, &Same(1)).unwrap();
    assert_eq!(MessageCipher::new(&mac).unwrap_err(), CryptoError::UnsupportedSpec(KeySpec::Hmac256));
}

#[test]
fn equal_messages_give_different_blobs() {
    let (material, key_id) = (material("a"), multi_region_key());
    let cipher = MessageCipher::new(&material).unwrap();
    let (id, empty, nonces) = (material.material_id(&key_id), context(&[]), Stream::new("n"));
    let encrypt = || cipher.encrypt(&key_id, &id, &empty, b"same", &nonces).unwrap();
    let (one, other) = (encrypt(), encrypt());
    assert_eq!(one[..53], other[..53]);
    assert_ne!(one[53..77], other[53..77]);
    assert_ne!(one[77..], other[77..]);
}

#[test]
fn one_cipher_serves_many_threads() {
    let (material, key_id) = (material("a"), multi_region_key());
    let cipher = MessageCipher::new(&material).unwrap();
    let (id, nonces) = (material.material_id(&key_id), Stream::new("n"));
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let (cipher, nonces) = (&cipher, &nonces);
            scope.spawn(move || {
                let pairs = context(&[("thread", &thread.to_string())]);
                for message in 0..100_u8 {
                    let plaintext = [thread, message];
                    let blob = cipher.encrypt(&key_id, &id, &pairs, &plaintext, nonces).unwrap();
                    assert_eq!(*cipher.decrypt(&blob, &pairs).unwrap(), plaintext);
                }
            });
        }
    });
}

#[test]
fn check_value_tells_root_keys_and_places_apart() {
    let values = BTreeSet::from([
        root("a").check_value("c/us-east-1"),
        root("b").check_value("c/us-east-1"),
        root("a").check_value("c/us-east-2"),
    ]);
    assert_eq!(values.len(), 3);
    assert_eq!(root("a").check_value("c/us-east-1"), root("a").check_value("c/us-east-1"));
}

#[test]
fn passphrase_salt_and_cost_all_count() {
    let cheap = PassphraseParams::new(PassphraseParams::MEMORY_KIB_MIN, PassphraseParams::PASSES_MIN, 1).unwrap();
    let dear = PassphraseParams::new(PassphraseParams::MEMORY_KIB_MIN, PassphraseParams::PASSES_MIN, 2).unwrap();
    let of = |passphrase: &str, salt: u8, params: &PassphraseParams| {
        let root = RootKey::from_passphrase(passphrase.as_bytes(), &[salt; 16], params.clone()).unwrap();
        root.expose_for_file().to_vec()
    };
    let base = of("one", 1, &cheap);
    assert_eq!(base, of("one", 1, &cheap));
    let keys = BTreeSet::from([base, of("two", 1, &cheap), of("one", 2, &cheap), of("one", 1, &dear)]);
    assert_eq!(keys.len(), 4);
}

#[test]
fn root_key_survives_its_file_and_a_kek_opens_with_it() {
    let first = root("a");
    let again = RootKey::from_bytes(&first.expose_for_file()).unwrap();
    let here = region("us-east-1");
    let row = kek(2).wrap(&first, &here, &Stream::new("n")).unwrap();
    assert_eq!(RegionKek::unwrap(&row, &again, &here).unwrap().epoch(), KekEpoch(2));
}
