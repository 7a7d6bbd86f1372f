//! Derived signing keys and the few of them that each principal keeps.

use super::time::AmzDate;
use crate::principals::SecretKey;
use arc_swap::ArcSwapOption;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroize as _;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// The last part of every credential scope.
pub(super) const TERMINATOR: &str = "aws4_request";

/// SHA-256 works on blocks of 64 bytes, and HMAC pads its key to one.
const BLOCK_BYTES: usize = 64;

/// Date, Region and service that a key is for.
pub(super) type Scope<'a> = (&'a AmzDate, &'a str, &'static str);

/// The HMAC state keyed with the signing key of one date, Region and service.
pub(super) struct SigningKey {
    day: u64,
    region: Box<str>,
    service: &'static str,
    keyed: HmacSha256,
}

impl SigningKey {
    /// Derives the key: a chain of four HMACs (AWS SigV4, "Calculate the signature").
    pub(super) fn derive(secret: &SecretKey, (date, region, service): Scope<'_>) -> Self {
        let mut first = Vec::with_capacity(4 + secret.expose().len());
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret.expose());
        let mut keyed = keyed(&first);
        first.zeroize();
        for part in [date.date(), region, service, TERMINATOR] {
            keyed.update(part.as_bytes());
            let mut next = keyed.finalize().into_bytes();
            keyed = self::keyed(&next);
            next.as_mut_slice().zeroize();
        }
        Self { day: date.day(), region: region.into(), service, keyed }
    }

    /// A fresh HMAC under this key.
    pub(super) fn mac(&self) -> HmacSha256 {
        self.keyed.clone()
    }

    fn fits(&self, date: &AmzDate, region: &str, service: &str) -> bool {
        self.day == date.day() && &*self.region == region && self.service == service
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(hidden)")
    }
}

/// HMAC with a key of any length (RFC 2104 §2).
fn keyed(key: &[u8]) -> HmacSha256 {
    let mut block = [0; BLOCK_BYTES];
    if let Some(start) = block.get_mut(..key.len()) {
        start.copy_from_slice(key);
    } else {
        let mut digest = Sha256::digest(key);
        block[..digest.len()].copy_from_slice(&digest);
        digest.as_mut_slice().zeroize();
    }
    let keyed = HmacSha256::new((&block).into());
    block.zeroize();
    keyed
}

/// The signing keys of one principal: a slot for each day of a week and one more, because a presigned request lives
/// seven days at most. Bounded, and read without a lock.
#[derive(Debug, Default)]
pub(crate) struct SigningKeys([ArcSwapOption<SigningKey>; 8]);

impl SigningKeys {
    pub(super) fn get_or_derive(&self, secret: &SecretKey, scope: Scope<'_>) -> Arc<SigningKey> {
        let (date, region, service) = scope;
        let slot = &self.0[usize::try_from(date.day() % 8).unwrap_or_default()];
        if let Some(key) = slot.load_full().filter(|key| key.fits(date, region, service)) {
            return key;
        }
        let key = Arc::new(SigningKey::derive(secret, scope));
        slot.store(Some(Arc::clone(&key)));
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn date(value: &str) -> AmzDate {
        AmzDate::parse(value).unwrap()
    }

    /// The AWS General Reference shows only the key, so the state's answer to no input is compared.
    #[test]
    fn derivation_matches_the_documented_key() {
        let documented = hex::decode("c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9").unwrap();
        let derived =
            SigningKey::derive(&SecretKey::new(SECRET.into()), (&date("20150830T123600Z"), "us-east-1", "iam"));
        assert_eq!(derived.mac().finalize().into_bytes(), keyed(&documented).finalize().into_bytes());
    }

    /// RFC 4231 §4.7, test case 6: a key longer than the block.
    #[test]
    fn long_keys_are_hashed_first() {
        let mut mac = keyed(&[0xaa; 131]);
        mac.update(b"Test Using Larger Than Block-Size Key - Hash Key First");
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(hex::encode(mac.finalize().into_bytes()), expected);
    }

    #[test]
    fn a_key_is_derived_once_per_date_and_region() {
        let (keys, secret) = (SigningKeys::default(), SecretKey::new(SECRET.into()));
        let get = |day: &str, region: &str| keys.get_or_derive(&secret, (&date(day), region, "kms"));
        let first = get("20150830T000000Z", "us-east-1");
        assert!(Arc::ptr_eq(&first, &get("20150830T235959Z", "us-east-1")));
        assert!(!Arc::ptr_eq(&first, &get("20150830T000000Z", "eu-west-1")));
        assert!(!Arc::ptr_eq(&first, &get("20150907T000000Z", "us-east-1")));
    }
}
