//! Key material between Regions: sealed boxes, and blobs that related keys open for each other.

use crate::fixture::{
    Stream, asymmetric_specs, context, frozen_material, material, message_type, multi_region_key, region,
    single_region_key,
};
use kms_crypto::{AsymmetricKey, CryptoError, KeyMaterial, MessageCipher, SealInfo, SealingKey, seal};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName};
use proptest::prelude::*;
use std::sync::OnceLock;

const REFUSED: CryptoError = CryptoError::Refused;
const SPEC: KeySpec = KeySpec::SymmetricDefault;

/// One sealed box and everything that belongs to it.
struct Sealed {
    material: KeyMaterial,
    key_id: KeyId,
    material_id: KeyMaterialId,
    source: RegionName,
    destination: RegionName,
    key: SealingKey,
    bytes: Vec<u8>,
}

impl Sealed {
    fn new() -> Self {
        let (key_id, material) = (multi_region_key(), material("a"));
        let mut this = Self {
            material_id: material.material_id(&key_id),
            material,
            key_id,
            source: region("us-east-1"),
            destination: region("eu-west-1"),
            key: SealingKey::generate(&Stream::new("destination")).unwrap(),
            bytes: Vec::new(),
        };
        this.bytes = seal(&this.key.public(), &this.info(), &this.material, &Stream::new("seal")).unwrap();
        this
    }

    fn info(&self) -> SealInfo<'_> {
        SealInfo {
            cluster_id: "cluster-1",
            key_id: &self.key_id,
            material_id: &self.material_id,
            source: &self.source,
            destination: &self.destination,
        }
    }
}

#[test]
fn box_opens_in_its_destination_only() {
    let sealed = Sealed::new();
    let info = sealed.info();
    assert_eq!(sealed.key.open(&info, &sealed.bytes, SPEC).unwrap(), sealed.material);

    let (elsewhere, other_key) = (region("ap-southeast-1"), single_region_key());
    let other_id = material("b").material_id(&sealed.key_id);
    for wrong in [
        SealInfo { cluster_id: "cluster-2", ..info },
        SealInfo { key_id: &other_key, ..info },
        SealInfo { material_id: &other_id, ..info },
        SealInfo { source: &elsewhere, ..info },
        SealInfo { destination: &elsewhere, ..info },
        SealInfo { source: info.destination, destination: info.source, ..info },
    ] {
        assert_eq!(sealed.key.open(&wrong, &sealed.bytes, SPEC).unwrap_err(), REFUSED, "{wrong:?}");
    }
    for spec in [KeySpec::Hmac256, KeySpec::Hmac512, KeySpec::Rsa2048] {
        assert_eq!(sealed.key.open(&info, &sealed.bytes, spec).unwrap_err(), REFUSED);
    }
    let other_region = SealingKey::generate(&Stream::new("another Region")).unwrap();
    assert_eq!(other_region.open(&info, &sealed.bytes, SPEC).unwrap_err(), REFUSED);
}

#[test]
fn box_of_other_material_than_named_is_never_made() {
    let sealed = Sealed::new();
    let made = seal(&sealed.key.public(), &sealed.info(), &material("b"), &Stream::new("seal"));
    assert_eq!(made, Err(CryptoError::MaterialMismatch));
}

#[test]
fn overlong_cluster_id_is_an_error_and_not_a_panic() {
    let sealed = Sealed::new();
    let cluster_id = "x".repeat(70_000);
    let info = SealInfo { cluster_id: &cluster_id, ..sealed.info() };
    let expected = CryptoError::Length { what: "a cluster ID", found: 70_000 };
    assert_eq!(seal(&sealed.key.public(), &info, &sealed.material, &Stream::new("seal")).unwrap_err(), expected);
    assert_eq!(sealed.key.open(&info, &sealed.bytes, SPEC).unwrap_err(), expected);
}

#[test]
fn two_boxes_of_the_same_material_share_nothing_but_the_header() {
    let sealed = Sealed::new();
    let again = seal(&sealed.key.public(), &sealed.info(), &sealed.material, &Stream::new("again")).unwrap();
    assert_eq!(again[..8], sealed.bytes[..8]);
    assert_ne!(again[8..1128], sealed.bytes[8..1128]);
    assert_ne!(again[1128..], sealed.bytes[1128..]);
    assert_eq!(sealed.key.open(&sealed.info(), &again, SPEC).unwrap(), sealed.material);
}

#[test]
fn non_canonical_encapsulation_is_refused() {
    let sealed = Sealed::new();
    let mut altered = sealed.bytes.clone();
    // X25519 masks the top bit of a coordinate (RFC 7748 §5); X-Wing hashes the bytes as they came, so it counts.
    altered[1127] ^= 0x80;
    assert_eq!(sealed.key.open(&sealed.info(), &altered, SPEC).unwrap_err(), REFUSED);
}

#[test]
fn related_keys_decrypt_each_other() {
    let sealed = Sealed::new();
    let replica = sealed.key.open(&sealed.info(), &sealed.bytes, SPEC).unwrap();
    let (there, here) = (MessageCipher::new(&sealed.material).unwrap(), MessageCipher::new(&replica).unwrap());
    let pairs = context(&[("k", "v")]);
    let nonces = Stream::new("n");
    let blob = there.encrypt(&sealed.key_id, &sealed.material_id, &pairs, b"from the primary", &nonces).unwrap();
    assert_eq!(*here.decrypt(&blob, &pairs).unwrap(), b"from the primary");
    let blob = here.encrypt(&sealed.key_id, &sealed.material_id, &pairs, b"from the replica", &nonces).unwrap();
    assert_eq!(*there.decrypt(&blob, &pairs).unwrap(), b"from the replica");
}

#[test]
fn related_asymmetric_keys_are_one_key() {
    let (key_id, sealing) = (multi_region_key(), SealingKey::generate(&Stream::new("destination")).unwrap());
    let (source, destination) = (region("us-east-1"), region("eu-west-1"));
    for spec in asymmetric_specs() {
        let primary = frozen_material(spec);
        let material_id = primary.material_id(&key_id);
        let info = SealInfo {
            cluster_id: "c",
            key_id: &key_id,
            material_id: &material_id,
            source: &source,
            destination: &destination,
        };
        let sealed = seal(&sealing.public(), &info, &primary, &Stream::new("seal")).unwrap();
        let replica = AsymmetricKey::new(&sealing.open(&info, &sealed, spec).unwrap()).unwrap();
        let primary = AsymmetricKey::new(&primary).unwrap();
        assert_eq!(replica.public_key_der(), primary.public_key_der(), "{spec}");
        for algorithm in spec.signing_algorithms().iter().copied() {
            let message_type = message_type(algorithm);
            let signature = primary.sign(algorithm, message_type, &[7; 64], &Stream::new("s")).unwrap();
            assert_eq!(replica.verify(algorithm, message_type, &[7; 64], &signature), Ok(()), "{spec} {algorithm}");
        }
        if !spec.encapsulation_algorithms().is_empty() {
            let (ciphertext, secret) = primary.encapsulate(&Stream::new("e")).unwrap();
            assert_eq!(replica.decapsulate(&ciphertext).unwrap(), secret, "{spec}");
        }
    }
}

#[test]
fn keys_with_equal_bytes_and_different_ids_do_not_interoperate() {
    let (imported, again) = (material("a"), material("a"));
    let (one, other) = (multi_region_key(), single_region_key());
    assert_ne!(imported.material_id(&one), again.material_id(&other));
    let (first, second) = (MessageCipher::new(&imported).unwrap(), MessageCipher::new(&again).unwrap());
    let empty = context(&[]);
    let blob = first.encrypt(&one, &imported.material_id(&one), &empty, b"x", &Stream::new("n")).unwrap();
    // Rewrite the header to the other key: the body is bound to the first.
    let forged = second.encrypt(&other, &again.material_id(&other), &empty, b"x", &Stream::new("n")).unwrap();
    let moved = [&forged[..53], &blob[53..]].concat();
    assert_eq!(second.decrypt(&moved, &empty), Err(REFUSED));
}

proptest! {
    #[test]
    fn altered_box_is_refused(
        bit in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        tail in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        static SEALED: OnceLock<Sealed> = OnceLock::new();
        let sealed = SEALED.get_or_init(Sealed::new);
        let open = |bytes: &[u8]| sealed.key.open(&sealed.info(), bytes, SPEC);
        let bit = bit.index(sealed.bytes.len() * 8);
        let mut altered = sealed.bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(open(&altered).unwrap_err(), REFUSED);
        prop_assert_eq!(open(&sealed.bytes[..cut.index(sealed.bytes.len())]).unwrap_err(), REFUSED);
        prop_assert_eq!(open(&[sealed.bytes.as_slice(), &tail].concat()).unwrap_err(), REFUSED);
    }
}
