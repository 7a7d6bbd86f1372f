//! Published vectors of the primitives, so that a changed library is noticed here and not in stored data.

use crate::fixture::Vectors;
use kms_crypto::{Entropy, EntropyError, SealingKey};
use shake::{ExtendableOutput, Shake128, Update, XofReader};
use xaes_256_gcm::aead::{Aead, Key, KeyInit, Payload};
use xaes_256_gcm::{Nonce, Xaes256Gcm};

const XAES: &str = include_str!("../../../../tests/vectors/crypto/xaes-256-gcm-c2sp.txt");
const X_WING: &str = include_str!("../../../../tests/vectors/crypto/x-wing-draft.txt");

#[test]
fn xaes_gives_the_ciphertexts_of_its_specification() {
    let v = Vectors::read(XAES);
    for n in ["1", "2"] {
        let of = |name: &str| v.hex(&format!("{name}_{n}"));
        let cipher = Xaes256Gcm::new(&Key::<Xaes256Gcm>::try_from(of("key").as_slice()).unwrap());
        let nonce = Nonce::try_from(of("nonce").as_slice()).unwrap();
        let (plaintext, aad, ciphertext) = (of("plaintext"), of("aad"), of("ciphertext"));
        assert_eq!(cipher.encrypt(&nonce, Payload { msg: &plaintext, aad: &aad }).unwrap(), ciphertext, "{n}");
        assert_eq!(cipher.decrypt(&nonce, Payload { msg: &ciphertext, aad: &aad }).unwrap(), plaintext, "{n}");
    }
}

#[test]
fn xaes_passes_the_accumulated_vectors() {
    let mut draws = Shake128::default().finalize_xof();
    let mut hash = Shake128::default();
    let mut draw = |bytes: usize| {
        let mut out = vec![0; bytes];
        draws.read(&mut out);
        out
    };
    for _ in 0..10_000 {
        let (key, nonce) = (draw(32), draw(24));
        let length = usize::from(draw(1)[0]);
        let plaintext = draw(length);
        let length = usize::from(draw(1)[0]);
        let aad = draw(length);
        let cipher = Xaes256Gcm::new(&Key::<Xaes256Gcm>::try_from(key.as_slice()).unwrap());
        let nonce = Nonce::try_from(nonce.as_slice()).unwrap();
        let ciphertext = cipher.encrypt(&nonce, Payload { msg: &plaintext, aad: &aad }).unwrap();
        assert_eq!(cipher.decrypt(&nonce, Payload { msg: &ciphertext, aad: &aad }).unwrap(), plaintext);
        hash.update(&ciphertext);
    }
    let mut digest = [0; 32];
    hash.finalize_xof_into(&mut digest);
    assert_eq!(digest.as_slice(), Vectors::read(XAES).hex("accumulated_10000"));
}

#[test]
fn x_wing_public_key_follows_from_the_published_seed() {
    struct Seed(Vec<u8>);
    impl Entropy for Seed {
        fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
            dest.copy_from_slice(&self.0);
            Ok(())
        }
    }
    let v = Vectors::read(X_WING);
    let key = SealingKey::generate(&Seed(v.hex("secret_key"))).unwrap();
    let public = key.public();
    assert_eq!(public.as_bytes().strip_prefix(b"\x01P\x64\x7a").unwrap(), v.hex("public_key"));
}
