//! The short Weierstrass curves, and private keys of them: a scalar from 1 to the order less one, big endian, as long as
//! the order (SP 800-186 §3.2.1, SEC 2 §2.4.1).

use crate::{CryptoError, Entropy, EntropyError};
use aws_lc_rs::{agreement, digest, signature};
use kms_types::{KeySpec, SigningAlgorithm};
use pkcs8::ObjectIdentifier;
use pkcs8::spki::AlgorithmIdentifierRef;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// `id-ecPublicKey` (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// How often a scalar is drawn before the source is held to be broken. A sound source needs a second draw with a chance of
/// 2^-32 at most.
const DRAWS_MAX: usize = 16;

/// A curve with the algorithms of its key spec.
pub(crate) struct Curve {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) signing: &'static signature::EcdsaSigningAlgorithm,
    pub(crate) verification: &'static signature::EcdsaVerificationAlgorithm,
    pub(crate) hash: &'static digest::Algorithm,
    /// None for secp256k1, whose KMS keys agree on nothing.
    pub(crate) agreement: Option<&'static agreement::Algorithm>,
    oid: ObjectIdentifier,
    order: &'static [u8],
    /// Which bits of the first byte a scalar can have.
    top_bits: u8,
}

impl Curve {
    /// The curve of a key spec.
    pub(crate) const fn of(spec: KeySpec) -> Option<&'static Self> {
        match spec {
            KeySpec::EccNistP256 => Some(&P256),
            KeySpec::EccNistP384 => Some(&P384),
            KeySpec::EccNistP521 => Some(&P521),
            KeySpec::EccSecgP256k1 => Some(&P256K1),
            _ => None,
        }
    }

    /// Whether a key's algorithm identifier names this curve. A curve that is spelled out instead is none of RFC 5480's
    /// (§2.1.1), and gives an attacker parameters to choose.
    pub(crate) fn is_named_by(&self, algorithm: &AlgorithmIdentifierRef<'_>) -> bool {
        algorithm.oid == EC_PUBLIC_KEY && algorithm.parameters_oid() == Ok(self.oid)
    }

    /// Bytes of a scalar.
    pub(crate) const fn scalar_bytes(&self) -> usize {
        self.order.len()
    }

    /// Draws a private key by rejection (FIPS 186-5 §A.2.2).
    pub(crate) fn draw(&self, entropy: &dyn Entropy) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut scalar = Zeroizing::new(vec![0; self.scalar_bytes()]);
        for _ in 0..DRAWS_MAX {
            entropy.fill(&mut scalar)?;
            if let Some(first) = scalar.first_mut() {
                *first &= self.top_bits;
            }
            if self.has(&scalar) {
                return Ok(scalar);
            }
        }
        Err(EntropyError.into())
    }

    /// Whether these bytes are a private key.
    pub(crate) fn has(&self, scalar: &[u8]) -> bool {
        let zero = scalar.iter().fold(0, |bits, byte| bits | byte).ct_eq(&0);
        scalar.len() == self.order.len() && bool::from(less(scalar, self.order) & !zero)
    }
}

/// Whether a number is smaller than another of the same length, both big endian, in constant time.
pub(crate) fn less(left: &[u8], right: &[u8]) -> Choice {
    let borrow = left.iter().zip(right).rev().fold(0_u16, |borrow, (left, right)| {
        // The top bit of the wrapped difference is the borrow, since both bytes are far below it.
        u16::from(*left).wrapping_sub(u16::from(*right)).wrapping_sub(borrow) >> 15
    });
    borrow.ct_eq(&1)
}

static P256: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha256,
    signing: &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
    verification: &signature::ECDSA_P256_SHA256_ASN1,
    hash: &digest::SHA256,
    agreement: Some(&agreement::ECDH_P256),
    oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    order: &[
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
        0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ],
    top_bits: 0xff,
};

static P384: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha384,
    signing: &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
    verification: &signature::ECDSA_P384_SHA384_ASN1,
    hash: &digest::SHA384,
    agreement: Some(&agreement::ECDH_P384),
    oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"),
    order: &[
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
        0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
    ],
    top_bits: 0xff,
};

static P521: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha512,
    signing: &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
    verification: &signature::ECDSA_P521_SHA512_ASN1,
    hash: &digest::SHA512,
    agreement: Some(&agreement::ECDH_P521),
    oid: ObjectIdentifier::new_unwrap("1.3.132.0.35"),
    order: &[
        0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfa, 0x51, 0x86,
        0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8,
        0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09,
    ],
    top_bits: 0x01,
};

static P256K1: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha256,
    signing: &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
    verification: &signature::ECDSA_P256K1_SHA256_ASN1,
    hash: &digest::SHA256,
    agreement: None,
    oid: ObjectIdentifier::new_unwrap("1.3.132.0.10"),
    order: &[
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae,
        0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ],
    top_bits: 0xff,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills everything with one byte.
    struct Same(u8);

    impl Entropy for Same {
        fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
            dest.fill(self.0);
            Ok(())
        }
    }

    const CURVES: [&Curve; 4] = [&P256, &P384, &P521, &P256K1];

    #[test]
    fn scalar_is_from_one_to_the_order_less_one() {
        for curve in CURVES {
            let bytes = curve.scalar_bytes();
            let small = |last: u8| [vec![0; bytes - 1], vec![last]].concat();
            let mut below = curve.order.to_vec();
            // Every order is odd, so this does not borrow.
            *below.last_mut().unwrap() -= 1;
            assert!(curve.has(&small(1)) && curve.has(&below));
            assert!(!curve.has(&small(0)) && !curve.has(curve.order) && !curve.has(&vec![0xff; bytes]));
            assert!(!curve.has(&small(1).split_off(1)) && !curve.has(&[&[0], small(1).as_slice()].concat()));
        }
    }

    #[test]
    fn libraries_agree_on_the_orders() {
        for curve in CURVES {
            let mut below = curve.order.to_vec();
            *below.last_mut().unwrap() -= 1;
            match curve.agreement {
                Some(algorithm) => {
                    agreement::PrivateKey::from_private_key(algorithm, &below).unwrap();
                    agreement::PrivateKey::from_private_key(algorithm, curve.order).unwrap_err();
                }
                None => {
                    k256::SecretKey::from_slice(&below).unwrap();
                    k256::SecretKey::from_slice(curve.order).unwrap_err();
                }
            }
        }
    }

    #[test]
    fn stuck_source_gives_an_error_and_not_a_loop() {
        for curve in CURVES {
            for byte in [0, 0xff] {
                assert_eq!(curve.draw(&Same(byte)).unwrap_err(), EntropyError.into());
            }
            assert!(curve.has(&curve.draw(&Same(0x55)).unwrap()));
        }
    }

    #[test]
    fn less_compares_numbers() {
        for (left, right, expected) in
            [([0, 0], [0, 0], false), ([0, 1], [1, 0], true), ([1, 0], [0, 255], false), ([5, 254], [5, 255], true)]
        {
            assert_eq!(bool::from(less(&left, &right)), expected, "{left:?} {right:?}");
        }
    }
}
