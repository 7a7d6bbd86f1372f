//! What is said when the machine or the caller is at fault.

use crate::fixture::{
    Dry, Stream, context, frozen_key, kek, material, multi_region_key, region, root, single_region_key, specs,
};
use kms_crypto::{
    CryptoError, EntropyError, ImportParameters, KekEpoch, KeyMaterial, MessageCipher, PassphraseParams, RegionKek,
    RootKey, SealInfo, SealingKey, WrapContext, generate_data_key_pair, new_grant_token, new_import_token, seal,
};
use kms_types::{
    GrantId, KeyId, KeySpec, MessageType, SigningAlgorithm, Timestamp, WrappingAlgorithm, WrappingKeySpec,
};

#[test]
fn nothing_is_made_without_random_bytes() {
    const DRY: CryptoError = CryptoError::Entropy(EntropyError);
    let (root, kek, region, key_id) = (root("r"), kek(1), region("us-east-1"), multi_region_key());
    let (material, sealing) = (material("a"), SealingKey::generate(&Stream::new("s")).unwrap());
    let material_id = material.material_id(&key_id);
    let wrap = WrapContext { region: &region, key_id: &key_id, material_id: &material_id };
    let info =
        SealInfo { cluster_id: "c", key_id: &key_id, material_id: &material_id, source: &region, destination: &region };
    let cipher = MessageCipher::new(&material).unwrap();
    assert_eq!(RootKey::generate(&Dry).unwrap_err(), DRY);
    assert_eq!(RegionKek::generate(KekEpoch(1), &Dry).unwrap_err(), DRY);
    assert_eq!(kek.wrap(&root, &region, &Dry).unwrap_err(), DRY);
    assert_eq!(KeyMaterial::generate(KeySpec::SymmetricDefault, &Dry).unwrap_err(), DRY);
    assert_eq!(material.wrap(&kek, &wrap, &Dry).unwrap_err(), DRY);
    assert_eq!(SealingKey::generate(&Dry).unwrap_err(), DRY);
    assert_eq!(sealing.wrap(&kek, &region, &Dry).unwrap_err(), DRY);
    assert_eq!(seal(&sealing.public(), &info, &material, &Dry).unwrap_err(), DRY);
    assert_eq!(cipher.encrypt(&key_id, &material_id, &context(&[]), b"x", &Dry).unwrap_err(), DRY);
}

#[test]
fn no_key_signature_token_or_encapsulation_is_made_without_random_bytes() {
    const DRY: CryptoError = CryptoError::Entropy(EntropyError);
    let (kek, region, key_id) = (kek(1), region("us-east-1"), multi_region_key());
    // The library draws RSA keys itself.
    for spec in specs().filter(|spec| !matches!(spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096)) {
        assert_eq!(KeyMaterial::generate(spec, &Dry).unwrap_err(), DRY, "{spec}");
    }
    assert_eq!(generate_data_key_pair(KeySpec::EccNistP256, &Dry).unwrap_err(), DRY);
    for spec in [KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024] {
        assert_eq!(frozen_key(spec).encapsulate(&Dry).unwrap_err(), DRY, "{spec}");
    }
    for spec in [KeySpec::MlDsa44, KeySpec::MlDsa65, KeySpec::MlDsa87] {
        let signed = frozen_key(spec).sign(SigningAlgorithm::MlDsaShake256, MessageType::ExternalMu, &[0; 64], &Dry);
        assert_eq!(signed, Err(DRY), "{spec}");
    }
    let grant_id = GrantId::from_bytes([1; 32]);
    assert_eq!(new_grant_token(&kek, &region, &key_id, &grant_id, &Dry), Err(DRY));
    let algorithm = WrappingAlgorithm::RsaesOaepSha256;
    let parameters = ImportParameters { key_id, algorithm, expires_at: Timestamp::default() };
    let token = new_import_token(&kek, &region, &parameters, WrappingKeySpec::Rsa2048, &Dry);
    assert_eq!(token, Err(DRY));
}

#[test]
fn material_under_a_foreign_id_is_neither_wrapped_nor_used() {
    let (kek, region, key_id) = (kek(1), region("us-east-1"), multi_region_key());
    let (ours, theirs) = (material("ours"), material("theirs"));
    let foreign = theirs.material_id(&key_id);
    let wrap = WrapContext { region: &region, key_id: &key_id, material_id: &foreign };
    assert_eq!(ours.wrap(&kek, &wrap, &Stream::new("n")), Err(CryptoError::MaterialMismatch));
    let cipher = MessageCipher::new(&ours).unwrap();
    let encrypt = |key_id: &KeyId, id| cipher.encrypt(key_id, id, &context(&[]), b"x", &Stream::new("n")).map(|_| ());
    let right = ours.material_id(&key_id);
    for _ in 0..2 {
        // Before and after the right pair has been remembered.
        assert_eq!(encrypt(&key_id, &foreign), Err(CryptoError::MaterialMismatch));
        assert_eq!(encrypt(&single_region_key(), &right), Err(CryptoError::MaterialMismatch));
        assert_eq!(encrypt(&key_id, &right), Ok(()));
    }
}

#[test]
fn root_key_of_another_length_is_told() {
    for found in [0, 31, 33] {
        let expected = CryptoError::Length { what: "a root key", found };
        assert_eq!(RootKey::from_bytes(&vec![0; found]).unwrap_err(), expected);
    }
}

#[test]
fn empty_passphrase_and_weak_cost_are_refused() {
    let empty = RootKey::from_passphrase(b"", &[0; 16], PassphraseParams::default());
    assert_eq!(empty.unwrap_err(), CryptoError::Length { what: "a passphrase", found: 0 });
    for (memory_kib, passes, lanes) in
        [(19 * 1024 - 1, 2, 1), (4 * 1024 * 1024 + 1, 2, 1), (65_536, 1, 1), (65_536, 65, 1), (65_536, 3, 0)]
    {
        assert_eq!(PassphraseParams::new(memory_kib, passes, lanes), Err(CryptoError::PassphraseParams));
    }
}

#[test]
fn messages_name_the_fault_and_no_value() {
    let messages = [
        (CryptoError::Refused, "refused"),
        (CryptoError::Entropy(EntropyError), "no random bytes"),
        (CryptoError::UnsupportedSpec(KeySpec::Sm2), "key spec SM2 is not supported by this operation"),
        (CryptoError::Length { what: "a root key", found: 3 }, "a root key must not have 3 bytes"),
        (CryptoError::PassphraseParams, "passphrase cost parameters are out of range"),
        (CryptoError::MaterialMismatch, "the key material does not have the named material ID"),
        (
            CryptoError::EpochMismatch { wrapped: KekEpoch(1), offered: KekEpoch(2) },
            "wrapped under Region KEK epoch 1, offered epoch 2",
        ),
        (CryptoError::Library("HPKE"), "the HPKE library failed"),
        (CryptoError::Malformed("wrapped key material"), "these bytes are not a wrapped key material of a known form"),
        (CryptoError::UnsupportedAlgorithm("ECDSA_SHA_256"), "ECDSA_SHA_256 does not go with this key"),
    ];
    for (error, message) in messages {
        assert_eq!(error.to_string(), message);
    }
}
