//! ImportKeyMaterial: which encodings are taken, and that they leave no trace; import tokens from end to end.

use crate::fixture::{Stream, Vectors, frozen_material, kek, multi_region_key, prefix, region, specs};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use kms_crypto::{
    AsymmetricKey, CryptoError, ImportParameters, ImportToken, KekEpoch, KeyMaterial, OpenedImportToken, RegionKek,
    import_token_epoch, new_import_token,
};
use kms_types::{KeySpec, RegionName, Timestamp, WrappingAlgorithm, WrappingKeySpec};

const IMPORTS: &str = include_str!("../../../../tests/vectors/crypto/imports.txt");

#[test]
fn every_encoding_of_one_key_gives_the_same_material() {
    let v = Vectors::read(IMPORTS);
    let mut imported = 0;
    for spec in specs() {
        let encodings = v.lines().iter().filter(|(name, _)| name.starts_with(&format!("{}_", prefix(spec))));
        for (name, encoding) in encodings {
            let material = KeyMaterial::import(spec, &hex::decode(encoding).unwrap()).unwrap();
            assert_eq!(material, frozen_material(spec), "{name}");
            assert_eq!(
                material.material_id(&multi_region_key()),
                frozen_material(spec).material_id(&multi_region_key()),
                "{name}"
            );
            imported += 1;
        }
    }
    assert_eq!(imported, 14);
}

#[test]
fn other_encodings_and_other_keys_are_malformed() {
    let v = Vectors::read(IMPORTS);
    for (spec, prefix, expected) in [
        (KeySpec::Rsa2048, "rsa_bad_", CryptoError::Malformed("RSA private key of its size")),
        (KeySpec::EccNistP256, "ec_bad_", CryptoError::Malformed("PKCS #8 private key of its curve")),
    ] {
        let refused: Vec<_> = v.lines().iter().filter(|(name, _)| name.starts_with(prefix)).collect();
        assert!(refused.len() > 5);
        for (name, encoding) in refused {
            let imported = KeyMaterial::import(spec, &hex::decode(encoding).unwrap());
            assert_eq!(imported.unwrap_err(), expected, "{name}");
        }
        assert_eq!(KeyMaterial::import(spec, b"").unwrap_err(), expected);
    }
}

#[test]
fn consistent_numbers_that_are_not_prime_are_refused() {
    let v = Vectors::read(IMPORTS);
    let imported = KeyMaterial::import(KeySpec::Rsa2048, &v.hex("rsa_composite"));
    assert_eq!(imported.unwrap_err(), CryptoError::Refused);
}

#[test]
fn symmetric_and_hmac_material_is_taken_as_it_is_and_others_have_no_import_format() {
    for spec in specs() {
        match spec {
            KeySpec::SymmetricDefault | KeySpec::Hmac256 => {
                assert_eq!(
                    KeyMaterial::import(spec, &[7; 32]).unwrap(),
                    KeyMaterial::from_bytes(spec, &[7; 32]).unwrap()
                );
                let length = CryptoError::Length { what: "key material of this spec", found: 16 };
                assert_eq!(KeyMaterial::import(spec, &[7; 16]).unwrap_err(), length);
            }
            KeySpec::EccNistEdwards25519
            | KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87
            | KeySpec::MlKem512
            | KeySpec::MlKem768
            | KeySpec::MlKem1024 => {
                assert_eq!(KeyMaterial::import(spec, &[7; 32]).unwrap_err(), CryptoError::UnsupportedSpec(spec));
            }
            _ => {}
        }
    }
}

#[test]
fn implausible_stored_material_is_malformed() {
    let malformed = CryptoError::Malformed("key material of this spec");
    let of = |spec, bytes: &[u8]| KeyMaterial::from_bytes(spec, bytes).unwrap_err();
    for (spec, bytes) in [
        (KeySpec::EccNistP256, 32),
        (KeySpec::EccNistP384, 48),
        (KeySpec::EccNistP521, 66),
        (KeySpec::EccSecgP256k1, 32),
    ] {
        assert_eq!(of(spec, &vec![0; bytes]), malformed);
        assert_eq!(of(spec, &vec![0xff; bytes]), malformed);
    }
    // Primes: odd, as long as they can be, and the larger one first.
    let (larger, smaller) = ([0xf1; 128], [0xe1; 128]);
    let even = [0xe0; 128];
    let short = [[0x71; 1].as_slice(), &[0xe1; 127]].concat();
    KeyMaterial::from_bytes(KeySpec::Rsa2048, &[larger, smaller].concat()).unwrap();
    for (p, q) in [(&smaller[..], &larger[..]), (&larger, &larger), (&larger, &even), (&larger, &short)] {
        assert_eq!(of(KeySpec::Rsa2048, &[p, q].concat()), malformed);
    }
}

#[test]
fn modulus_that_is_one_bit_short_is_malformed() {
    // 2^1535 + 15 and 2^1535 + 5: what the library would take for a key of 3,071 bits.
    let number = |last| [[0x80].as_slice(), &[0; 190], &[last]].concat();
    let material = KeyMaterial::from_bytes(KeySpec::Rsa3072, &[number(15), number(5)].concat()).unwrap();
    let malformed = CryptoError::Malformed("RSA private key of its size");
    assert_eq!(AsymmetricKey::new(&material).unwrap_err(), malformed);
}

/// Wraps material as a caller of ImportKeyMaterial does.
fn wrapped(token: &ImportToken, algorithm: WrappingAlgorithm, material: &[u8]) -> Vec<u8> {
    let public = PublicEncryptingKey::from_der(&token.public_key_der).unwrap();
    let oaep = match algorithm {
        WrappingAlgorithm::RsaesOaepSha1 | WrappingAlgorithm::RsaAesKeyWrapSha1 => &OAEP_SHA1_MGF1SHA1,
        _ => &OAEP_SHA256_MGF1SHA256,
    };
    let encryptor = OaepPublicEncryptingKey::new(public).unwrap();
    let encrypt = |plaintext: &[u8]| {
        let mut out = vec![0; encryptor.ciphertext_size()];
        encryptor.encrypt(oaep, plaintext, &mut out, None).unwrap().to_vec()
    };
    match algorithm {
        WrappingAlgorithm::RsaAesKeyWrapSha1 | WrappingAlgorithm::RsaAesKeyWrapSha256 => {
            let mut out = vec![0; material.len() + 16];
            let inner = AesKek::new(&AES_256, &[3; 32]).unwrap().wrap_with_padding(material, &mut out).unwrap();
            [encrypt(&[3; 32]).as_slice(), inner].concat()
        }
        _ => encrypt(material),
    }
}

#[test]
fn material_travels_under_every_wrapping_algorithm() {
    let (kek, here) = (kek(2), region("us-east-1"));
    let v = Vectors::read(IMPORTS);
    let rsa = v.hex("rsa_4096_openssl");
    for (algorithm, material) in [
        (WrappingAlgorithm::RsaesOaepSha1, &[9; 32][..]),
        (WrappingAlgorithm::RsaesOaepSha256, &[9; 64]),
        (WrappingAlgorithm::RsaAesKeyWrapSha1, &rsa),
        (WrappingAlgorithm::RsaAesKeyWrapSha256, &rsa),
    ] {
        let expires_at = Timestamp::from_millis(u64::MAX);
        let parameters = ImportParameters { key_id: multi_region_key(), algorithm, expires_at };
        let draws = Stream::new("token");
        let token = new_import_token(&kek, &here, &parameters, WrappingKeySpec::Rsa2048, &draws).unwrap();
        assert!(token.token.len() <= 6144);
        assert_eq!(import_token_epoch(&token.token), Ok(KekEpoch(2)));
        let opened = OpenedImportToken::open(&token.token, &kek, &here).unwrap();
        assert_eq!(*opened.parameters(), parameters);
        let encrypted = wrapped(&token, algorithm, material);
        assert_eq!(*opened.unwrap(&encrypted).unwrap(), material, "{algorithm}");
        for (index, altered) in [0, encrypted.len() / 2, encrypted.len() - 1].into_iter().zip([1, 2, 0x80]) {
            let mut bytes = encrypted.clone();
            bytes[index] ^= altered;
            assert_eq!(opened.unwrap(&bytes), Err(CryptoError::Refused), "{algorithm}");
        }
        for bytes in [&encrypted[1..], &encrypted[..encrypted.len() - 1], &[encrypted.as_slice(), &[0]].concat(), b""] {
            assert_eq!(opened.unwrap(bytes), Err(CryptoError::Refused), "{algorithm}");
        }
        for other in WrappingAlgorithm::ALL.into_iter().filter(|a| *a != algorithm) {
            if !matches!(other, WrappingAlgorithm::RsaesPkcs1V15 | WrappingAlgorithm::Sm2Pke) {
                assert_eq!(opened.unwrap(&wrapped(&token, other, &[9; 32])), Err(CryptoError::Refused));
            }
        }
    }
}

#[test]
fn import_token_opens_in_its_region_and_epoch_only() {
    let (here, expires_at) = (region("us-east-1"), Timestamp::from_millis(5));
    let parameters =
        ImportParameters { key_id: multi_region_key(), algorithm: WrappingAlgorithm::RsaesOaepSha256, expires_at };
    let token =
        new_import_token(&kek(2), &here, &parameters, WrappingKeySpec::Rsa2048, &Stream::new("t")).unwrap().token;
    let open = |kek: &RegionKek, region: &RegionName| {
        OpenedImportToken::open(&token, kek, region).map(|opened| *opened.parameters())
    };
    assert_eq!(open(&kek(2), &here), Ok(parameters));
    assert_eq!(open(&kek(2), &region("us-east-2")), Err(CryptoError::Refused));
    let mismatch = CryptoError::EpochMismatch { wrapped: KekEpoch(2), offered: KekEpoch(3) };
    assert_eq!(open(&kek(3), &here), Err(mismatch));
}

#[test]
fn wrapping_that_aws_does_not_offer_is_unsupported() {
    let (kek, here) = (kek(2), region("us-east-1"));
    let make = |algorithm, spec| {
        let parameters = ImportParameters { key_id: multi_region_key(), algorithm, expires_at: Timestamp::default() };
        new_import_token(&kek, &here, &parameters, spec, &Stream::new("t")).unwrap_err()
    };
    for (algorithm, spec, name) in [
        (WrappingAlgorithm::RsaesPkcs1V15, WrappingKeySpec::Rsa2048, "RSAES_PKCS1_V1_5"),
        (WrappingAlgorithm::Sm2Pke, WrappingKeySpec::Rsa2048, "SM2PKE"),
        (WrappingAlgorithm::RsaesOaepSha256, WrappingKeySpec::Sm2, "SM2"),
    ] {
        assert_eq!(make(algorithm, spec), CryptoError::UnsupportedAlgorithm(name));
    }
}
