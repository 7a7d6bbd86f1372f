//! Published vectors of ML-DSA and ML-KEM, through the public interface.

use crate::fixture::{Vectors, mu};
use hex::encode;
use kms_crypto::{AsymmetricKey, CryptoError, Entropy, EntropyError, KeyMaterial};
use kms_types::{KeySpec, MessageType, SigningAlgorithm};
use sha2::{Digest, Sha256};

const ML_DSA: &str = include_str!("../../../../tests/vectors/crypto/ml-dsa-kat.txt");
const ML_KEM: &str = include_str!("../../../../tests/vectors/crypto/ml-kem-kat.txt");

/// Gives out one published draw.
struct Draw(Vec<u8>);

impl Entropy for Draw {
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
        dest.copy_from_slice(&self.0);
        Ok(())
    }
}

fn key(spec: KeySpec, seed: &[u8]) -> AsymmetricKey {
    AsymmetricKey::new(&KeyMaterial::from_bytes(spec, seed).unwrap()).unwrap()
}

/// The raw public key, which is the end of its `SubjectPublicKeyInfo`.
fn raw(key: &AsymmetricKey, bytes: usize) -> &[u8] {
    let der = key.public_key_der();
    &der[der.len() - bytes..]
}

#[test]
fn ml_dsa_keys_and_signatures_are_those_published() {
    let v = Vectors::read(ML_DSA);
    for (spec, set, bytes) in
        [(KeySpec::MlDsa44, "44", 1312), (KeySpec::MlDsa65, "65", 1952), (KeySpec::MlDsa87, "87", 2592)]
    {
        for n in 0..2 {
            let of = |name: &str| v.hex(&format!("ml_dsa_{set}_{n}_{name}"));
            let key = key(spec, &of("seed"));
            let public = raw(&key, bytes);
            assert_eq!(encode(Sha256::digest(public)), encode(of("public_sha256")), "{spec} {n}");
            let mu = mu(public, &of("context"), &of("message"));
            let verify = |mu: &[u8; 64], signature: &[u8]| {
                key.verify(SigningAlgorithm::MlDsaShake256, MessageType::ExternalMu, mu, signature)
            };
            assert_eq!(verify(&mu, &of("signature")), Ok(()), "{spec} {n}");
            let mut other = mu;
            other[0] ^= 1;
            assert_eq!(verify(&other, &of("signature")), Err(CryptoError::Refused), "{spec} {n}");
        }
    }
}

#[test]
fn ml_kem_keys_encapsulations_and_rejections_are_those_published() {
    let v = Vectors::read(ML_KEM);
    for (spec, set, bytes) in
        [(KeySpec::MlKem512, "512", 800), (KeySpec::MlKem768, "768", 1184), (KeySpec::MlKem1024, "1024", 1568)]
    {
        for n in 0..2 {
            let of = |name: &str| v.hex(&format!("ml_kem_{set}_{n}_{name}"));
            let key = key(spec, &of("seed"));
            assert_eq!(encode(Sha256::digest(raw(&key, bytes))), encode(of("public_sha256")), "{spec} {n}");
            let (ciphertext, secret) = key.encapsulate(&Draw(of("draw"))).unwrap();
            assert_eq!((encode(ciphertext), encode(&*secret)), (encode(of("ciphertext")), encode(of("secret"))));
            assert_eq!(*key.decapsulate(&of("ciphertext")).unwrap(), of("secret"), "{spec} {n}");
            assert_eq!(*key.decapsulate(&of("rejected_ciphertext")).unwrap(), of("rejected_secret"), "{spec} {n}");
        }
    }
}
