//! Grant tokens name a grant, to this Region only.

use crate::fixture::{Stream, kek, multi_region_key, region, single_region_key};
use kms_crypto::{CryptoError, Entropy, KekEpoch, RegionKek, grant_token_epoch, new_grant_token, open_grant_token};
use kms_types::{GrantId, KeyId};

fn token(key_id: &KeyId, grant_id: &GrantId, nonces: &dyn Entropy) -> String {
    new_grant_token(&kek(4), &region("us-east-1"), key_id, grant_id, nonces).unwrap()
}

#[test]
fn two_tokens_of_a_grant_differ_and_mean_the_same() {
    let nonces = Stream::new("n");
    for (key_id, byte) in [(multi_region_key(), 1), (single_region_key(), 0xff)] {
        let grant_id = GrantId::from_bytes([byte; 32]);
        let (one, other) = (token(&key_id, &grant_id, &nonces), token(&key_id, &grant_id, &nonces));
        assert_ne!(one, other);
        for token in [one, other] {
            assert_eq!(token.len(), 155);
            assert!(token.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
            assert_eq!(grant_token_epoch(&token), Ok(KekEpoch(4)));
            assert_eq!(open_grant_token(&token, &kek(4), &region("us-east-1")), Ok((key_id, grant_id)));
        }
    }
}

#[test]
fn token_says_nothing_of_its_grant() {
    let (one, other) = (GrantId::from_bytes([1; 32]), GrantId::from_bytes([2; 32]));
    let (a, b) =
        (token(&multi_region_key(), &one, &Stream::new("a")), token(&single_region_key(), &other, &Stream::new("b")));
    // Only the eight bytes of version, kind and epoch are equal.
    let equal = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    assert_eq!(equal, 10);
}

#[test]
fn token_opens_in_its_region_and_epoch_only() {
    let token = token(&multi_region_key(), &GrantId::from_bytes([1; 32]), &Stream::new("n"));
    let open = |kek: &RegionKek, name| open_grant_token(&token, kek, &region(name)).map(|_| ());
    assert_eq!(open(&kek(4), "us-east-1"), Ok(()));
    assert_eq!(open(&kek(4), "us-east-2"), Err(CryptoError::Refused));
    let mismatch = CryptoError::EpochMismatch { wrapped: KekEpoch(4), offered: KekEpoch(5) };
    assert_eq!(open(&kek(5), "us-east-1"), Err(mismatch));
    let other = RegionKek::generate(KekEpoch(4), &Stream::new("another Region's")).unwrap();
    assert_eq!(open(&other, "us-east-1"), Err(CryptoError::Refused));
}

#[test]
fn other_texts_are_refused() {
    let token = token(&multi_region_key(), &GrantId::from_bytes([1; 32]), &Stream::new("n"));
    let padded = format!("{token}=");
    let standard = token.replace(['-', '_'], "+");
    // The last character carries two bits that must be zero.
    let trailing_bits = format!("{}B", &token[..154]);
    for text in
        ["", "x", &token[1..], &padded, &"A".repeat(155), &"é".repeat(77), &standard.replacen(&token[..1], "+", 1)]
    {
        assert_eq!(grant_token_epoch(text), Err(CryptoError::Refused), "{text}");
    }
    assert_eq!(open_grant_token(&trailing_bits, &kek(4), &region("us-east-1")), Err(CryptoError::Refused));
}
