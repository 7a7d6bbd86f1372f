//! Which key specs go with which usages and algorithms: the tables "Key spec reference" and "Supported algorithms" of the
//! AWS KMS Developer Guide.

use crate::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm, Origin,
    SigningAlgorithm,
};

impl KeySpec {
    /// The usages that a key of this spec can be created with.
    #[must_use]
    pub const fn usages(self) -> &'static [KeyUsage] {
        use KeyUsage as U;
        match self {
            Self::SymmetricDefault => &[U::EncryptDecrypt],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[U::EncryptDecrypt, U::SignVerify],
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 => &[U::SignVerify, U::KeyAgreement],
            Self::EccSecgP256k1 | Self::EccNistEdwards25519 => &[U::SignVerify],
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => &[U::GenerateVerifyMac],
            Self::Sm2 => &[U::EncryptDecrypt, U::SignVerify, U::KeyAgreement],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &[U::SignVerify],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &[U::EncapsulateDecapsulate],
        }
    }

    /// The algorithms of Encrypt and Decrypt for a key of this spec with usage `ENCRYPT_DECRYPT`.
    #[must_use]
    pub const fn encryption_algorithms(self) -> &'static [EncryptionAlgorithm] {
        use EncryptionAlgorithm as A;
        match self {
            Self::SymmetricDefault => &[A::SymmetricDefault],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[A::RsaesOaepSha1, A::RsaesOaepSha256],
            Self::Sm2 => &[A::Sm2Pke],
            _ => &[],
        }
    }

    /// The algorithms of Sign and Verify for a key of this spec with usage `SIGN_VERIFY`.
    #[must_use]
    pub const fn signing_algorithms(self) -> &'static [SigningAlgorithm] {
        use SigningAlgorithm as A;
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[
                A::RsassaPkcs1V15Sha256,
                A::RsassaPkcs1V15Sha384,
                A::RsassaPkcs1V15Sha512,
                A::RsassaPssSha256,
                A::RsassaPssSha384,
                A::RsassaPssSha512,
            ],
            Self::EccNistP256 | Self::EccSecgP256k1 => &[A::EcdsaSha256],
            Self::EccNistP384 => &[A::EcdsaSha384],
            Self::EccNistP521 => &[A::EcdsaSha512],
            Self::EccNistEdwards25519 => &[A::Ed25519Sha512, A::Ed25519PhSha512],
            Self::Sm2 => &[A::Sm2Dsa],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &[A::MlDsaShake256],
            _ => &[],
        }
    }

    /// The algorithm of GenerateMac and VerifyMac for a key of this spec.
    #[must_use]
    pub const fn mac_algorithms(self) -> &'static [MacAlgorithm] {
        match self {
            Self::Hmac224 => &[MacAlgorithm::HmacSha224],
            Self::Hmac256 => &[MacAlgorithm::HmacSha256],
            Self::Hmac384 => &[MacAlgorithm::HmacSha384],
            Self::Hmac512 => &[MacAlgorithm::HmacSha512],
            _ => &[],
        }
    }

    /// The algorithm of DeriveSharedSecret for a key of this spec with usage `KEY_AGREEMENT`.
    #[must_use]
    pub const fn key_agreement_algorithms(self) -> &'static [KeyAgreementAlgorithm] {
        match self {
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 | Self::Sm2 => &[KeyAgreementAlgorithm::Ecdh],
            _ => &[],
        }
    }

    /// The algorithm of Encapsulate and Decapsulate for a key of this spec.
    #[must_use]
    pub const fn encapsulation_algorithms(self) -> &'static [EncapsulationAlgorithm] {
        match self {
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &[EncapsulationAlgorithm::MlKem],
            _ => &[],
        }
    }

    /// Whether keys of this spec have a public half.
    #[must_use]
    pub const fn is_asymmetric(self) -> bool {
        !matches!(self, Self::SymmetricDefault | Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512)
    }

    /// Whether keys of this spec can be created with this origin. Material of ML-DSA keys is never imported; AWS does
    /// not say whether that of ML-KEM and Ed25519 keys is, and the documented import formats do not cover them.
    #[must_use]
    pub const fn allows_origin(self, origin: Origin) -> bool {
        match origin {
            Origin::AwsKms => true,
            Origin::External => !matches!(
                self,
                Self::MlDsa44
                    | Self::MlDsa65
                    | Self::MlDsa87
                    | Self::MlKem512
                    | Self::MlKem768
                    | Self::MlKem1024
                    | Self::EccNistEdwards25519
            ),
            Origin::AwsCloudHsm | Origin::ExternalKeyStore => matches!(self, Self::SymmetricDefault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_usage_of_a_spec_has_an_algorithm_and_no_other_usage_has_one() {
        for spec in KeySpec::ALL {
            for usage in KeyUsage::ALL {
                let algorithms = match usage {
                    KeyUsage::EncryptDecrypt => spec.encryption_algorithms().len(),
                    KeyUsage::SignVerify => spec.signing_algorithms().len(),
                    KeyUsage::GenerateVerifyMac => spec.mac_algorithms().len(),
                    KeyUsage::KeyAgreement => spec.key_agreement_algorithms().len(),
                    KeyUsage::EncapsulateDecapsulate => spec.encapsulation_algorithms().len(),
                };
                assert_eq!(spec.usages().contains(&usage), algorithms > 0, "{spec} {usage}");
            }
        }
    }
}
