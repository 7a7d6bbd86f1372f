//! About 19,000 random alterations of everything that comes from outside or from the store: each one is refused with
//! the right error, and none makes the code panic. A failure prints the smallest alteration that shows it.

use crate::fixture::{
    Stream, Vectors, context, frozen_key, frozen_material, kek, message_type, multi_region_key, region,
    single_region_key,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kms_crypto::{
    AsymmetricKey, CryptoError, ImportParameters, KekEpoch, KeyMaterial, MacKey, MessageCipher, OpenedImportToken,
    SealInfo, SealingKey, WrapContext, grant_token_epoch, import_token_epoch, new_grant_token, new_import_token,
    open_grant_token, seal,
};
use kms_types::{
    EncryptionAlgorithm, GrantId, KeySpec, MessageType, SigningAlgorithm, Timestamp, WrappingAlgorithm, WrappingKeySpec,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

const REFUSED: CryptoError = CryptoError::Refused;
const MESSAGE: &[u8; 64] = &[0x42; 64];

/// One alteration of some bytes.
#[derive(Clone, Debug)]
enum Mutation {
    FlipBit(Index),
    SetByte(Index, u8),
    InsertByte(Index, u8),
    RemoveByte(Index),
    Truncate(Index),
    Extend(Vec<u8>),
    /// Everything from here on is replaced by bytes of this stream.
    Forge(Index, u64),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        4 => index().prop_map(Mutation::FlipBit),
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::SetByte(at, byte)),
        1 => (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::InsertByte(at, byte)),
        1 => index().prop_map(Mutation::RemoveByte),
        1 => index().prop_map(Mutation::Truncate),
        1 => prop::collection::vec(any::<u8>(), 1..40).prop_map(Mutation::Extend),
        2 => (index(), any::<u64>()).prop_map(|(from, seed)| Mutation::Forge(from, seed)),
    ]
}

impl Mutation {
    /// The altered bytes, which always differ from the original.
    fn of(&self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        let length = bytes.len();
        match self {
            Self::FlipBit(bit) => bytes[bit.index(length * 8) / 8] ^= 1 << (bit.index(length * 8) % 8),
            Self::SetByte(at, byte) => bytes[at.index(length)] = *byte,
            Self::InsertByte(at, byte) => bytes.insert(at.index(length), *byte),
            Self::RemoveByte(at) => drop(bytes.remove(at.index(length))),
            Self::Truncate(at) => bytes.truncate(at.index(length)),
            Self::Extend(tail) => bytes.extend_from_slice(tail),
            Self::Forge(from, seed) => {
                let stream = Stream::new(&format!("forgery {seed}"));
                kms_crypto::Entropy::fill(&stream, &mut bytes[from.index(length)..]).unwrap();
            }
        }
        if bytes == original {
            bytes[0] ^= 1;
        }
        bytes
    }
}

/// Shows so many alterations of the original to a check.
fn alter(cases: u32, original: &[u8], check: impl Fn(&[u8])) {
    let config = Config { source_file: Some(file!()), ..Config::with_cases(cases) };
    let run = TestRunner::new(config).run(&mutation(), |mutation| {
        check(&mutation.of(original));
        Ok(())
    });
    run.unwrap_or_else(|failure| unreachable!("{failure}"));
}

#[test]
fn altered_blobs_are_refused() {
    let (material, key_id, pairs) =
        (frozen_material(KeySpec::SymmetricDefault), multi_region_key(), context(&[("a", "1")]));
    let cipher = MessageCipher::new(&material).unwrap();
    let id = material.material_id(&key_id);
    let blob = cipher.encrypt(&key_id, &id, &pairs, b"plaintext of a blob", &Stream::new("n")).unwrap();
    alter(3000, &blob, |blob| assert_eq!(cipher.decrypt(blob, &pairs), Err(REFUSED)));
}

#[test]
fn altered_rows_are_refused() {
    let (kek, here, key_id) = (kek(3), region("us-east-1"), single_region_key());
    for spec in [KeySpec::Rsa2048, KeySpec::EccNistP521, KeySpec::MlKem768] {
        let material = frozen_material(spec);
        let id = material.material_id(&key_id);
        let context = WrapContext { region: &here, key_id: &key_id, material_id: &id };
        let row = material.wrap(&kek, &context, &Stream::new("n")).unwrap();
        alter(500, &row, |row| {
            let expected = match KeyMaterial::wrapped_epoch(row) {
                Err(malformed) => malformed,
                Ok(KekEpoch(3)) => REFUSED,
                Ok(wrapped) => CryptoError::EpochMismatch { wrapped, offered: KekEpoch(3) },
            };
            assert_eq!(KeyMaterial::unwrap(row, &kek, &context).unwrap_err(), expected);
        });
    }
}

#[test]
fn altered_boxes_are_refused() {
    let (material, key_id) = (frozen_material(KeySpec::Rsa2048), multi_region_key());
    let (source, destination) = (region("us-east-1"), region("eu-west-1"));
    let id = material.material_id(&key_id);
    let info =
        SealInfo { cluster_id: "c", key_id: &key_id, material_id: &id, source: &source, destination: &destination };
    let sealing = SealingKey::generate(&Stream::new("s")).unwrap();
    let sealed = seal(&sealing.public(), &info, &material, &Stream::new("n")).unwrap();
    alter(500, &sealed, |sealed| {
        assert_eq!(sealing.open(&info, sealed, KeySpec::Rsa2048).unwrap_err(), REFUSED);
    });
}

/// What opening an altered token says: the epoch is read first, and everything else is refused.
fn of_token(epoch: Result<KekEpoch, CryptoError>) -> CryptoError {
    match epoch {
        Ok(wrapped) if wrapped != KekEpoch(3) => CryptoError::EpochMismatch { wrapped, offered: KekEpoch(3) },
        _ => REFUSED,
    }
}

#[test]
fn altered_import_tokens_and_wrapped_material_are_refused() {
    let v = Vectors::read(include_str!("../../../../tests/vectors/crypto/tokens-v1.txt"));
    let (kek, here) = (kek(3), region("us-east-1"));
    let algorithm = WrappingAlgorithm::RsaesOaepSha256;
    let parameters = ImportParameters { key_id: multi_region_key(), algorithm, expires_at: Timestamp::from_millis(1) };
    let token = new_import_token(&kek, &here, &parameters, WrappingKeySpec::Rsa2048, &Stream::new("n")).unwrap().token;
    alter(1500, &token, |token| {
        let opened = OpenedImportToken::open(token, &kek, &here);
        assert_eq!(opened.unwrap_err(), of_token(import_token_epoch(token)));
    });
    let here = region(v.text("region"));
    let frozen = OpenedImportToken::open(&v.hex("import_0_token"), &crate::fixture::kek(7), &here).unwrap();
    alter(300, &v.hex("import_0_encrypted"), |encrypted| assert_eq!(frozen.unwrap(encrypted), Err(REFUSED)));
    let frozen = OpenedImportToken::open(&v.hex("import_2_token"), &crate::fixture::kek(7), &here).unwrap();
    alter(300, &v.hex("import_2_encrypted"), |encrypted| assert_eq!(frozen.unwrap(encrypted), Err(REFUSED)));
}

#[test]
fn altered_grant_tokens_are_refused() {
    let (kek, here, grant_id) = (kek(3), region("us-east-1"), GrantId::from_bytes([7; 32]));
    let token = new_grant_token(&kek, &here, &multi_region_key(), &grant_id, &Stream::new("n")).unwrap();
    let refused = |text: &str| {
        assert_eq!(open_grant_token(text, &kek, &here), Err(of_token(grant_token_epoch(text))));
    };
    alter(1500, &BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap(), |bytes| {
        refused(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    });
    alter(1000, token.as_bytes(), |text| refused(&String::from_utf8_lossy(text)));
}

#[test]
fn altered_macs_are_refused() {
    for spec in [KeySpec::Hmac224, KeySpec::Hmac256, KeySpec::Hmac384, KeySpec::Hmac512] {
        let key = MacKey::new(&frozen_material(spec)).unwrap();
        alter(400, &key.generate(MESSAGE), |mac| assert_eq!(key.verify(MESSAGE, mac), Err(REFUSED)));
    }
}

#[test]
fn altered_signatures_are_refused() {
    use SigningAlgorithm as A;
    for (cases, spec, algorithm) in [
        (600, KeySpec::Rsa2048, A::RsassaPssSha256),
        (600, KeySpec::Rsa2048, A::RsassaPkcs1V15Sha256),
        (200, KeySpec::Rsa4096, A::RsassaPssSha512),
        (1000, KeySpec::EccNistP256, A::EcdsaSha256),
        (200, KeySpec::EccNistP384, A::EcdsaSha384),
        (200, KeySpec::EccNistP521, A::EcdsaSha512),
        (200, KeySpec::EccSecgP256k1, A::EcdsaSha256),
        (300, KeySpec::EccNistEdwards25519, A::Ed25519Sha512),
        (300, KeySpec::EccNistEdwards25519, A::Ed25519PhSha512),
        (150, KeySpec::MlDsa44, A::MlDsaShake256),
        (100, KeySpec::MlDsa65, A::MlDsaShake256),
        (100, KeySpec::MlDsa87, A::MlDsaShake256),
    ] {
        let key = frozen_key(spec);
        let signature = key.sign(algorithm, message_type(algorithm), MESSAGE, &Stream::new("s")).unwrap();
        alter(cases, &signature, |signature| {
            assert_eq!(key.verify(algorithm, message_type(algorithm), MESSAGE, signature), Err(REFUSED));
        });
        // The message may not be altered either; a digest stays as long as it is.
        if message_type(algorithm) == MessageType::Raw {
            alter(cases / 4, MESSAGE, |message| {
                assert_eq!(key.verify(algorithm, MessageType::Raw, message, &signature), Err(REFUSED));
            });
        }
    }
}

#[test]
fn altered_signatures_of_mu_are_refused() {
    for (cases, spec) in [(150, KeySpec::MlDsa44), (100, KeySpec::MlDsa65), (100, KeySpec::MlDsa87)] {
        let (key, algorithm) = (frozen_key(spec), SigningAlgorithm::MlDsaShake256);
        let signature = key.sign(algorithm, MessageType::ExternalMu, MESSAGE, &Stream::new("s")).unwrap();
        alter(cases, &signature, |signature| {
            assert_eq!(key.verify(algorithm, MessageType::ExternalMu, MESSAGE, signature), Err(REFUSED));
        });
    }
}

#[test]
fn altered_rsa_ciphertexts_are_refused() {
    let key = frozen_key(KeySpec::Rsa2048);
    for algorithm in [EncryptionAlgorithm::RsaesOaepSha1, EncryptionAlgorithm::RsaesOaepSha256] {
        let ciphertext = key.encrypt(algorithm, b"plaintext", &Stream::new("s")).unwrap();
        alter(300, &ciphertext, |ciphertext| assert_eq!(key.decrypt(algorithm, ciphertext), Err(REFUSED)));
    }
}

#[test]
fn altered_encapsulations_give_another_secret_or_are_too_long_or_short() {
    for spec in [KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024] {
        let key = frozen_key(spec);
        let (ciphertext, secret) = key.encapsulate(&Stream::new("s")).unwrap();
        alter(150, &ciphertext, |altered| match key.decapsulate(altered) {
            Ok(other) => assert!(altered.len() == ciphertext.len() && other != secret),
            Err(CryptoError::Length { found, .. }) => assert!(found == altered.len() && found != ciphertext.len()),
            Err(other) => unreachable!("{other}"),
        });
    }
}

#[test]
fn altered_peer_keys_are_malformed() {
    for spec in [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521] {
        let key = frozen_key(spec);
        let peer = AsymmetricKey::new(&KeyMaterial::generate(spec, &Stream::new("peer")).unwrap()).unwrap();
        alter(300, peer.public_key_der(), |peer| {
            let malformed = CryptoError::Malformed("public key of this key's curve");
            assert_eq!(key.derive_shared_secret(peer), Err(malformed));
        });
    }
}

#[test]
fn hybrid_points_are_malformed() {
    for spec in [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521] {
        let key = frozen_key(spec);
        let peer = AsymmetricKey::new(&KeyMaterial::generate(spec, &Stream::new("peer")).unwrap()).unwrap();
        let point_bytes = match spec {
            KeySpec::EccNistP256 => 65,
            KeySpec::EccNistP384 => 97,
            _ => 133,
        };
        let first = peer.public_key_der().len() - point_bytes;
        for form in [0x06, 0x07] {
            let mut hybrid = peer.public_key_der().to_vec();
            assert_eq!(hybrid[first], 0x04);
            hybrid[first] = form;
            let malformed = CryptoError::Malformed("public key of this key's curve");
            assert_eq!(key.derive_shared_secret(&hybrid), Err(malformed), "{spec}: {form}");
        }
    }
}

#[test]
fn altered_private_keys_are_refused_or_still_the_same_key() {
    let v = Vectors::read(include_str!("../../../../tests/vectors/crypto/imports.txt"));
    for (cases, spec, name) in [
        (400, KeySpec::Rsa2048, "rsa_2048_openssl"),
        (400, KeySpec::EccNistP256, "ecc_nist_p256_openssl"),
        (200, KeySpec::EccSecgP256k1, "ecc_secg_p256k1_openssl"),
    ] {
        let original = frozen_material(spec);
        alter(cases, &v.hex(name), |pkcs8| match KeyMaterial::import(spec, pkcs8) {
            // A few bytes, such as the optional parameters, carry nothing of the key.
            Ok(material) => assert_eq!(material, original),
            Err(error) => assert!(matches!(error, CryptoError::Malformed(_) | CryptoError::Refused), "{error}"),
        });
    }
}
