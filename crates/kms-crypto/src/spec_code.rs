//! The number of each key spec in stored formats. Append only: a number is never given to another spec.

use kms_types::KeySpec;

/// The stored number of a key spec.
pub(crate) const fn encode(spec: KeySpec) -> u16 {
    match spec {
        KeySpec::SymmetricDefault => 1,
        KeySpec::Hmac224 => 2,
        KeySpec::Hmac256 => 3,
        KeySpec::Hmac384 => 4,
        KeySpec::Hmac512 => 5,
        KeySpec::Rsa2048 => 6,
        KeySpec::Rsa3072 => 7,
        KeySpec::Rsa4096 => 8,
        KeySpec::EccNistP256 => 9,
        KeySpec::EccNistP384 => 10,
        KeySpec::EccNistP521 => 11,
        KeySpec::EccSecgP256k1 => 12,
        KeySpec::EccNistEdwards25519 => 13,
        KeySpec::Sm2 => 14,
        KeySpec::MlDsa44 => 15,
        KeySpec::MlDsa65 => 16,
        KeySpec::MlDsa87 => 17,
        KeySpec::MlKem512 => 18,
        KeySpec::MlKem768 => 19,
        KeySpec::MlKem1024 => 20,
    }
}

/// The key spec with a stored number, if there is one.
pub(crate) fn decode(code: u16) -> Option<KeySpec> {
    KeySpec::ALL.into_iter().find(|spec| encode(*spec) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_has_its_own_number() {
        for spec in KeySpec::ALL {
            assert_eq!(decode(encode(spec)), Some(spec));
        }
        assert_eq!(decode(0), None);
        assert_eq!(decode(21), None);
    }
}
