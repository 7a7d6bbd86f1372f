//! Documents that were altered: never believed, and nothing panics.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

use kms_attestation::{AttestationVerifier, TrustRoots};
use kms_enclave_sim::{Enclave, NitroSystem};
use kms_types::Timestamp;
use proptest::prelude::*;
use std::sync::LazyLock;

/// 2026-11-28T12:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_867_200_000);

static GOOD: LazyLock<(AttestationVerifier, Vec<u8>)> = LazyLock::new(|| {
    let system = NitroSystem::new();
    let roots = TrustRoots::aws().unwrap().with_pem(system.root_pem().as_bytes()).unwrap();
    (AttestationVerifier::new(roots), Enclave::new(7).document(&system, NOW.millis()))
});

/// One change of some bytes.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match self {
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << (bit % 8),
            Self::Set(at, byte) => bytes[at.index(length)] = *byte,
            Self::Insert(at, new) => drop(bytes.splice(at.index(length)..at.index(length), new.iter().copied())),
            Self::Remove(at, count) => drop(bytes.drain(at.index(length)..(at.index(length) + count).min(length))),
            Self::Repeat(at, count) => {
                let part = bytes[at.index(length)..(at.index(length) + count).min(length)].to_vec();
                drop(bytes.splice(at.index(length)..at.index(length), part));
            }
            Self::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, new)| Mutation::Insert(at, new)),
        1 => (at(), 1..64_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        1 => (at(), 1..64_usize).prop_map(|(at, count)| Mutation::Repeat(at, count)),
        1 => at().prop_map(Mutation::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_document_is_never_believed(mutations in prop::collection::vec(mutation(), 1..4)) {
        let (verifier, good) = &*GOOD;
        let mut altered = good.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut altered));
        prop_assume!(altered != *good);
        let verified = verifier.verify(&altered, NOW);
        // The envelope is not signed: the same content may be written in another form of CBOR, and says the same then.
        if let Ok(attestation) = verified {
            prop_assert_eq!(attestation, verifier.verify(good, NOW).unwrap());
        }
    }

    #[test]
    fn bytes_of_any_kind_are_no_document(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(GOOD.0.verify(&bytes, NOW).is_err());
    }
}

#[test]
fn the_document_that_is_altered_is_good() {
    GOOD.0.verify(&GOOD.1, NOW).unwrap();
}

#[test]
fn no_single_bit_can_be_changed() {
    let (verifier, good) = &*GOOD;
    let good_answer = verifier.verify(good, NOW).unwrap();
    // Every bit of the envelope's beginning and of its end; the content between is under the signature as a whole.
    let edges = (0..80).chain(good.len() - 120..good.len());
    for at in edges {
        for bit in 0..8 {
            let mut altered = good.clone();
            altered[at] ^= 1 << bit;
            if let Ok(answer) = verifier.verify(&altered, NOW) {
                assert_eq!(answer, good_answer, "bit {bit} of byte {at}");
            }
        }
    }
}
