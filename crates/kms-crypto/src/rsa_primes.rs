//! RSA private keys as their two primes, the larger one first.
//!
//! The public exponent is always 65537 and everything else follows, so a key has one form only: whether its maker reduced
//! the private exponent modulo φ(n) or λ(n), and in which order the primes were written, leaves no trace. This file
//! computes the other numbers of RFC 8017 §3.2, in constant time; private operations are the library's.

use crate::CryptoError;
use crate::curve::less;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::KeyPair as _;
use crypto_bigint::{BoxedUint, ConcatenatingMul, Gcd, NonZero, Odd, Resize};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::UintRef;
use pkcs8::der::{Decode, Reader, SliceReader};
use zeroize::Zeroizing;

/// The public exponent of every key.
const EXPONENT: u32 = 65_537;
const EXPONENT_BYTES: [u8; 3] = [1, 0, 1];

const LIBRARY: CryptoError = CryptoError::Library("RSA");
const MALFORMED: CryptoError = CryptoError::Malformed("RSA private key of its size");

type Number = Zeroizing<BoxedUint>;

/// Generates the primes of a new key. The library draws the randomness. Takes 0.1 to a few seconds.
pub(crate) fn generate(size: KeySize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let key = KeyPair::generate(size).map_err(|_failed| LIBRARY)?;
    let der = key.as_der().map_err(|_failed| LIBRARY)?;
    of_pkcs8(size, der.as_ref())
}

/// The primes of a DER `PrivateKeyInfo` (PKCS #8) with primes of half this size and the exponent 65537. That the modulus is
/// not one bit short shows in [`key_pair`].
pub(crate) fn of_pkcs8(size: KeySize, pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    // The library takes trailing bytes and BER. It checks that all eight numbers belong to each other.
    PrivateKeyInfoRef::from_der(pkcs8).map_err(|_not_der| MALFORMED)?;
    let key = KeyPair::from_pkcs8(pkcs8).map_err(|_rejected| MALFORMED)?;
    let der = key.as_der().map_err(|_failed| LIBRARY)?;
    let [exponent, p, q] = numbers(der.as_ref()).map_err(|_not_der| MALFORMED)?;
    if exponent != EXPONENT_BYTES || p.len() != q.len() {
        return Err(MALFORMED);
    }
    let (larger, smaller) = if less(p, q).into() { (q, p) } else { (p, q) };
    let primes = Zeroizing::new([larger, smaller].concat());
    if plausible(size, &primes) { Ok(primes) } else { Err(MALFORMED) }
}

/// Whether these bytes can be the primes of a modulus of this size: two odd numbers of half its bytes, in order. That they
/// are prime, and their product long enough, shows when the key is used.
pub(crate) fn plausible(size: KeySize, primes: &[u8]) -> bool {
    let Some((p, q)) = primes.split_at_checked(half(size)) else { return false };
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let long = |number: &[u8]| number.first().is_some_and(|byte| byte >> 7 == 1);
    primes.len() == size.len() && odd(p) && odd(q) && long(p) && long(q) && less(q, p).into()
}

/// The key pair of two primes.
pub(crate) fn key_pair(size: KeySize, primes: &[u8]) -> Result<KeyPair, CryptoError> {
    if !plausible(size, primes) {
        return Err(MALFORMED);
    }
    let (p, q) = primes.split_at_checked(half(size)).ok_or(MALFORMED)?;
    let numbers = Numbers::of(p, q).ok_or(MALFORMED)?;
    if numbers.modulus.first().is_none_or(|byte| byte >> 7 == 0) {
        return Err(MALFORMED);
    }
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: numbers.modulus.as_ref(), e: EXPONENT_BYTES.as_slice() },
        d: numbers.d.as_ref(),
        p,
        q,
        dP: numbers.d_p.as_ref(),
        dQ: numbers.d_q.as_ref(),
        qInv: numbers.q_inv.as_ref(),
    };
    KeyPair::from_components(&components).map_err(|_rejected| MALFORMED)
}

/// The public key as a DER `SubjectPublicKeyInfo`.
pub(crate) fn public_key_der(key: &KeyPair) -> Result<Vec<u8>, CryptoError> {
    key.public_key().as_der().map(|der| der.as_ref().to_vec()).map_err(|_failed| LIBRARY)
}

/// What follows from the primes, big endian.
struct Numbers {
    modulus: Zeroizing<Box<[u8]>>,
    d: Zeroizing<Box<[u8]>>,
    d_p: Zeroizing<Box<[u8]>>,
    d_q: Zeroizing<Box<[u8]>>,
    q_inv: Zeroizing<Box<[u8]>>,
}

impl Numbers {
    fn of(p: &[u8], q: &[u8]) -> Option<Self> {
        let (p, q) = (number(p)?, number(q)?);
        let (p_less, q_less) = (predecessor(&p), predecessor(&q));
        // λ(n), the least common multiple (FIPS 186-5 §A.1.1).
        let divisor = NonZero::new(p_less.gcd(&q_less)).into_option()?;
        let reduced = Zeroizing::new(p_less.div_exact(&divisor).into_option()?);
        let lambda = Zeroizing::new(reduced.concatenating_mul(&*q_less));
        let p_odd = Zeroizing::new(Odd::new((*p).clone()).into_option()?);
        Some(Self {
            modulus: bytes(&Zeroizing::new(p.concatenating_mul(&*q))),
            d: bytes(&private_exponent(&lambda)?),
            d_p: bytes(&private_exponent(&p_less)?),
            d_q: bytes(&private_exponent(&q_less)?),
            q_inv: bytes(&Zeroizing::new(q.invert_odd_mod(&p_odd).into_option()?)),
        })
    }
}

/// The inverse of the public exponent.
fn private_exponent(modulus: &BoxedUint) -> Option<Number> {
    let exponent = BoxedUint::from(EXPONENT).resize(modulus.bits_precision());
    let modulus = Zeroizing::new(NonZero::new(modulus.clone()).into_option()?);
    exponent.invert_mod(&modulus).into_option().map(Zeroizing::new)
}

fn number(bytes: &[u8]) -> Option<Number> {
    let bits = u32::try_from(bytes.len()).ok()?.checked_mul(8)?;
    BoxedUint::from_be_slice(bytes, bits).ok().map(Zeroizing::new)
}

fn predecessor(number: &BoxedUint) -> Number {
    Zeroizing::new(number.wrapping_sub(BoxedUint::one_with_precision(number.bits_precision())))
}

fn bytes(number: &Number) -> Zeroizing<Box<[u8]>> {
    Zeroizing::new(number.to_be_bytes())
}

/// Bytes of one prime.
fn half(size: KeySize) -> usize {
    size.len() / 2
}

/// Public exponent and primes of an `RSAPrivateKey` (RFC 8017 §A.1.2) with two primes, inside its PKCS #8.
fn numbers(pkcs8: &[u8]) -> Result<[&[u8]; 3], pkcs8::der::Error> {
    let info = PrivateKeyInfoRef::from_der(pkcs8)?;
    let mut reader = SliceReader::new(info.private_key.as_bytes())?;
    let numbers = reader.sequence(|reader| {
        let _version: u8 = reader.decode()?;
        let mut number = || reader.decode::<UintRef<'_>>().map(|number| number.as_bytes());
        let (_modulus, exponent, _d, p, q) = (number()?, number()?, number()?, number()?, number()?);
        let (_d_p, _d_q, _q_inv) = (number()?, number()?, number()?);
        Ok::<_, pkcs8::der::Error>([exponent, p, q])
    })?;
    reader.finish()?;
    Ok(numbers)
}
