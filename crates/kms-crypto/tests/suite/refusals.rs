//! Whatever is altered, cut, lengthened or used elsewhere is refused.

use crate::fixture::{Stream, context, kek, material, multi_region_key, region, root, single_region_key};
use kms_crypto::{
    BLOB_OVERHEAD_BYTES, CryptoError, KekEpoch, KeyMaterial, MessageCipher, RegionKek, SealingKey, SealingPublicKey,
    SigningKey, SigningPublicKey, WrapContext, parse_header,
};
use kms_types::limits::{CIPHERTEXT_BYTES_MAX, PLAINTEXT_BYTES_MAX};
use proptest::prelude::*;

const REFUSED: CryptoError = CryptoError::Refused;

/// Every value that differs from `bytes` in one bit, then every proper prefix, then one byte more.
fn alterations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let flips = (0..bytes.len() * 8).map(|bit| {
        let mut altered = bytes.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        altered
    });
    let cuts = (0..bytes.len()).map(|len| bytes[..len].to_vec());
    let longer = [0, 1, 255].map(|byte| [bytes, &[byte]].concat());
    flips.chain(cuts).chain(longer)
}

#[test]
fn every_altered_bit_and_length_of_a_blob_is_refused() {
    let (material, key_id) = (material("a"), multi_region_key());
    let cipher = MessageCipher::new(&material).unwrap();
    let pairs = context(&[("a", "1")]);
    let blob =
        cipher.encrypt(&key_id, &material.material_id(&key_id), &pairs, b"plaintext", &Stream::new("n")).unwrap();
    assert_eq!(*cipher.decrypt(&blob, &pairs).unwrap(), b"plaintext");
    for altered in alterations(&blob) {
        assert_eq!(cipher.decrypt(&altered, &pairs), Err(REFUSED));
    }
}

#[test]
fn every_altered_bit_and_length_of_a_row_is_refused() {
    let (root, kek, region, key_id) = (root("r"), kek(3), region("us-east-1"), single_region_key());
    let (material, sealing) = (material("a"), SealingKey::generate(&Stream::new("s")).unwrap());
    let material_id = material.material_id(&key_id);
    let context = WrapContext { region: &region, key_id: &key_id, material_id: &material_id };
    let nonces = Stream::new("n");
    for altered in alterations(&kek.wrap(&root, &region, &nonces).unwrap()) {
        RegionKek::unwrap(&altered, &root, &region).unwrap_err();
    }
    for altered in alterations(&material.wrap(&kek, &context, &nonces).unwrap()) {
        KeyMaterial::unwrap(&altered, &kek, &context).unwrap_err();
    }
    for altered in alterations(&sealing.wrap(&kek, &region, &nonces).unwrap()) {
        SealingKey::unwrap(&altered, &kek, &region).unwrap_err();
    }
    let signing = SigningKey::generate(&Stream::new("v")).unwrap();
    for altered in alterations(&signing.wrap(&kek, &region, &nonces).unwrap()) {
        SigningKey::unwrap(&altered, &kek, &region).unwrap_err();
    }
}

#[test]
fn kek_opens_under_its_root_key_and_in_its_region_only() {
    let (ours, here) = (root("ours"), region("us-east-1"));
    let row = kek(1).wrap(&ours, &here, &Stream::new("n")).unwrap();
    assert_eq!(RegionKek::unwrap(&row, &ours, &here).unwrap().epoch(), KekEpoch(1));
    assert_eq!(RegionKek::unwrap(&row, &root("other"), &here).unwrap_err(), REFUSED);
    assert_eq!(RegionKek::unwrap(&row, &ours, &region("us-east-2")).unwrap_err(), REFUSED);
}

#[test]
fn wrapped_material_opens_in_its_context_only() {
    let (kek3, here, there) = (kek(3), region("us-east-1"), region("us-east-2"));
    let (multi, single) = (multi_region_key(), single_region_key());
    let material = material("a");
    let material_id = material.material_id(&multi);
    let other_id = material.material_id(&single);
    let right = WrapContext { region: &here, key_id: &multi, material_id: &material_id };
    let row = material.wrap(&kek3, &right, &Stream::new("n")).unwrap();
    assert_eq!(KeyMaterial::unwrap(&row, &kek3, &right).unwrap(), material);
    for wrong in [
        WrapContext { region: &there, ..right },
        WrapContext { key_id: &single, ..right },
        WrapContext { material_id: &other_id, ..right },
    ] {
        assert_eq!(KeyMaterial::unwrap(&row, &kek3, &wrong).unwrap_err(), REFUSED);
    }
    let same_epoch_other_kek = RegionKek::generate(KekEpoch(3), &Stream::new("elsewhere")).unwrap();
    assert_eq!(KeyMaterial::unwrap(&row, &same_epoch_other_kek, &right).unwrap_err(), REFUSED);
    let mismatch = CryptoError::EpochMismatch { wrapped: KekEpoch(3), offered: KekEpoch(4) };
    assert_eq!(KeyMaterial::unwrap(&row, &kek(4), &right).unwrap_err(), mismatch);
}

#[test]
fn one_kind_of_row_is_not_taken_for_another() {
    let (kek, here) = (kek(3), region("us-east-1"));
    let row = SealingKey::generate(&Stream::new("s")).unwrap().wrap(&kek, &here, &Stream::new("n")).unwrap();
    assert_eq!(KeyMaterial::wrapped_epoch(&row), Err(CryptoError::Malformed("wrapped key material")));
    assert_eq!(RegionKek::wrapped_epoch(&row), Err(CryptoError::Malformed("wrapped Region KEK")));
    assert_eq!(SealingKey::wrapped_epoch(&row), Ok(KekEpoch(3)));
}

#[test]
fn sealing_key_opens_in_its_region_only() {
    let (kek, here) = (kek(3), region("us-east-1"));
    let row = SealingKey::generate(&Stream::new("s")).unwrap().wrap(&kek, &here, &Stream::new("n")).unwrap();
    assert_eq!(SealingKey::unwrap(&row, &kek, &region("us-east-2")).unwrap_err(), REFUSED);
}

#[test]
fn signing_key_opens_in_its_region_and_as_its_own_kind_only() {
    let (kek, here) = (kek(3), region("us-east-1"));
    let row = SigningKey::generate(&Stream::new("s")).unwrap().wrap(&kek, &here, &Stream::new("n")).unwrap();
    assert_eq!(SigningKey::unwrap(&row, &kek, &region("us-east-2")).unwrap_err(), REFUSED);
    let malformed = CryptoError::Malformed("wrapped sealing key");
    assert_eq!(SealingKey::unwrap(&row, &kek, &here).unwrap_err(), malformed);
}

#[test]
fn a_signature_holds_for_its_key_and_its_bytes_only() {
    let [ours, other] = ["ours", "other"].map(|label| SigningKey::generate(&Stream::new(label)).unwrap());
    let signature = ours.sign(b"label\0bytes").unwrap();
    assert!(ours.public().verify(b"label\0bytes", &signature));
    assert!(!other.public().verify(b"label\0bytes", &signature));
    assert!(!ours.public().verify(b"label\0byteS", &signature));
    for altered in alterations(&signature) {
        assert!(!ours.public().verify(b"label\0bytes", &altered));
    }
    let public = ours.public();
    assert_ne!(public.id(), other.public().id());
    for at in 0..4 {
        let mut altered = public.as_bytes().to_vec();
        altered[at] ^= 1;
        assert_eq!(SigningPublicKey::from_bytes(&altered), Err(CryptoError::Malformed("signing public key")));
    }
    assert_eq!(SigningPublicKey::from_bytes(public.as_bytes()), Ok(public.clone()));
    let short = &public.as_bytes()[..35];
    assert_eq!(SigningPublicKey::from_bytes(short), Err(CryptoError::Malformed("signing public key")));
}

#[test]
fn public_key_of_another_version_kem_or_length_is_malformed() {
    let public = SealingKey::generate(&Stream::new("s")).unwrap().public();
    let bytes = public.as_bytes();
    assert_eq!(SealingPublicKey::from_bytes(bytes), Ok(public.clone()));
    let malformed = Err(CryptoError::Malformed("sealing public key"));
    for at in 0..4 {
        let mut altered = bytes.to_vec();
        altered[at] ^= 1;
        assert_eq!(SealingPublicKey::from_bytes(&altered), malformed);
    }
    assert_eq!(SealingPublicKey::from_bytes(&bytes[..bytes.len() - 1]), malformed);
    assert_eq!(SealingPublicKey::from_bytes(&[bytes, &[0]].concat()), malformed);
    // FIPS 203 §7.2: a coefficient of 4095 is no remainder modulo 3329.
    let mut altered = bytes.to_vec();
    altered[4..7].fill(0xff);
    assert_eq!(SealingPublicKey::from_bytes(&altered), malformed);
}

#[test]
fn largest_plaintext_fits_into_a_blob() {
    let (material, key_id) = (material("a"), multi_region_key());
    let cipher = MessageCipher::new(&material).unwrap();
    let (plaintext, empty) = (vec![7; PLAINTEXT_BYTES_MAX], context(&[]));
    let blob = cipher.encrypt(&key_id, &material.material_id(&key_id), &empty, &plaintext, &Stream::new("n")).unwrap();
    assert_eq!(blob.len(), PLAINTEXT_BYTES_MAX + BLOB_OVERHEAD_BYTES);
    assert!(blob.len() < CIPHERTEXT_BYTES_MAX);
    assert_eq!(*cipher.decrypt(&blob, &empty).unwrap(), plaintext);
}

proptest! {
    #[test]
    fn blob_opens_with_its_key_and_context_only(
        plaintext in prop::collection::vec(any::<u8>(), 0..300),
        pairs in prop::collection::btree_map("[a-z]{0,8}", "\\PC{0,12}", 0..4),
        other in prop::collection::btree_map("[a-z]{0,8}", "\\PC{0,12}", 0..4),
        bit in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        tail in prop::collection::vec(any::<u8>(), 1..40),
        seed in "[a-z]{12}",
    ) {
        let material = KeyMaterial::generate(kms_types::KeySpec::SymmetricDefault, &Stream::new(&seed)).unwrap();
        let key_id = multi_region_key();
        let cipher = MessageCipher::new(&material).unwrap();
        let right = pairs.clone().into_iter().collect();
        let blob =
            cipher.encrypt(&key_id, &material.material_id(&key_id), &right, &plaintext, &Stream::new("n")).unwrap();
        prop_assert_eq!(parse_header(&blob).unwrap().key_id, key_id);
        let opened = cipher.decrypt(&blob, &right).unwrap();
        prop_assert_eq!(&*opened, &plaintext);

        let mut altered = blob.clone();
        let bit = bit.index(blob.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(cipher.decrypt(&altered, &right), Err(REFUSED));
        prop_assert_eq!(cipher.decrypt(&blob[..cut.index(blob.len())], &right), Err(REFUSED));
        prop_assert_eq!(cipher.decrypt(&[blob.as_slice(), &tail].concat(), &right), Err(REFUSED));
        if other != pairs {
            prop_assert_eq!(cipher.decrypt(&blob, &other.into_iter().collect()), Err(REFUSED));
        }
        let foreign = MessageCipher::new(&crate::fixture::material(&format!("not {seed}"))).unwrap();
        prop_assert_eq!(foreign.decrypt(&blob, &right), Err(REFUSED));
    }

    #[test]
    fn parsers_take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), version in any::<bool>()) {
        let mut bytes = bytes;
        if version {
            bytes.splice(0..0, *b"MRD\x01");
        }
        let cipher = MessageCipher::new(&material("a")).unwrap();
        prop_assert_eq!(cipher.decrypt(&bytes, &context(&[])), Err(REFUSED));
        if let Err(error) = parse_header(&bytes) {
            prop_assert_eq!(error, REFUSED);
        }
        prop_assert!(RegionKek::unwrap(&bytes, &root("r"), &region("us-east-1")).is_err());
        prop_assert!(SealingKey::unwrap(&bytes, &kek(1), &region("us-east-1")).is_err());
        prop_assert!(SealingPublicKey::from_bytes(&bytes).is_err());
    }
}
