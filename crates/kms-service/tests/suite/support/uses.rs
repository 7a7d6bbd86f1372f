//! The operations that use key material: for each a kind of key that fits it, what it takes in, and the request itself.

use super::{Cluster, admin};
use kms_core::KeyOperation;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::decapsulate::DecapsulateRequest;
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::derive_shared_secret::DeriveSharedSecretRequest;
use kms_service::operations::encapsulate::EncapsulateRequest;
use kms_service::operations::encrypt::{EncryptRequest, Secret};
use kms_service::operations::generate_data_key::GenerateDataKeyRequest;
use kms_service::operations::generate_data_key_pair::GenerateDataKeyPairRequest;
use kms_service::operations::generate_mac::GenerateMacRequest;
use kms_service::operations::get_public_key::GetPublicKeyRequest;
use kms_service::operations::re_encrypt::ReEncryptRequest;
use kms_service::operations::sign::SignRequest;
use kms_service::operations::verify::VerifyRequest;
use kms_service::operations::verify_mac::VerifyMacRequest;
use kms_service::{Authenticated, Caller, KmsError};
use kms_types::{
    EncapsulationAlgorithm, EncryptionContext, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm, MessageType,
    SigningAlgorithm,
};

/// The operations, each of which knows dry runs but GetPublicKey.
pub(crate) const USES: [KeyOperation; 15] = [
    KeyOperation::Decapsulate,
    KeyOperation::Decrypt,
    KeyOperation::DeriveSharedSecret,
    KeyOperation::Encapsulate,
    KeyOperation::Encrypt,
    KeyOperation::GenerateDataKey,
    KeyOperation::GenerateDataKeyPair,
    KeyOperation::GenerateDataKeyPairWithoutPlaintext,
    KeyOperation::GenerateDataKeyWithoutPlaintext,
    KeyOperation::GenerateMac,
    KeyOperation::GetPublicKey,
    KeyOperation::ReEncrypt,
    KeyOperation::Sign,
    KeyOperation::Verify,
    KeyOperation::VerifyMac,
];

/// Bytes that are signed, and so on.
pub(crate) const MESSAGE: &[u8] = b"what is signed";

pub(crate) fn secret(bytes: &[u8]) -> Secret {
    let mut secret = Secret::default();
    secret.0.extend_from_slice(bytes);
    secret
}

/// A kind of key that fits the operation, and is quickly made.
pub(crate) fn kind_for(operation: KeyOperation) -> (KeySpec, KeyUsage) {
    use KeyOperation as O;
    match operation {
        O::Sign | O::Verify | O::GetPublicKey => (KeySpec::EccNistP256, KeyUsage::SignVerify),
        O::DeriveSharedSecret => (KeySpec::EccNistP256, KeyUsage::KeyAgreement),
        O::GenerateMac | O::VerifyMac => (KeySpec::Hmac256, KeyUsage::GenerateVerifyMac),
        O::Encapsulate | O::Decapsulate => (KeySpec::MlKem512, KeyUsage::EncapsulateDecapsulate),
        _ => (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt),
    }
}

/// The request for a key of this kind.
pub(crate) fn of_kind((spec, usage): (KeySpec, KeyUsage)) -> CreateKeyRequest {
    CreateKeyRequest { key_spec: Some(spec), key_usage: Some(usage), ..Default::default() }
}

impl Cluster {
    /// A key of this kind; answers its ID.
    pub(crate) async fn key_of(&self, at: &str, spec: KeySpec, usage: KeyUsage) -> String {
        self.create(at, of_kind((spec, usage))).await.arn.key_id.to_string()
    }

    /// What the operation takes in beside a key that can be used: a ciphertext, a signature, …
    pub(crate) async fn input_for(&self, at: &str, operation: KeyOperation, key_id: &str) -> Vec<u8> {
        use KeyOperation as O;
        let (service, key_id) = (self.at(at), key_id.to_owned());
        match operation {
            O::Decrypt | O::ReEncrypt => self.encrypt(at, &key_id, "secret").await.unwrap(),
            O::Verify => service.sign(admin(sign(&key_id, false))).await.unwrap().signature,
            O::VerifyMac => service.generate_mac(admin(mac(&key_id, false))).await.unwrap().mac,
            O::Decapsulate => {
                let made = service.encapsulate(admin(encapsulate(&key_id, false))).await.unwrap();
                made.shared_secret_ciphertext_blob
            }
            O::DeriveSharedSecret => self.public_key(at, &key_id).await,
            _ => Vec::new(),
        }
    }

    pub(crate) async fn public_key(&self, at: &str, key_id: &str) -> Vec<u8> {
        let request = GetPublicKeyRequest { key_id: key_id.to_owned(), grant_tokens: Vec::new() };
        self.at(at).get_public_key(admin(request)).await.unwrap().public_key
    }

    /// The operation, with an input made for it.
    pub(crate) async fn perform(
        &self,
        (at, operation): (&str, KeyOperation),
        caller: &Caller,
        key_id: &str,
        input: &[u8],
        dry_run: bool,
    ) -> Result<(), KmsError> {
        use KeyOperation as O;
        let service = self.at(at);
        match operation {
            O::Decapsulate => service.decapsulate(by(caller, decapsulate(key_id, input, dry_run))).await.map(drop),
            O::Decrypt => service.decrypt(by(caller, decrypt(key_id, input, dry_run))).await.map(drop),
            O::DeriveSharedSecret => {
                service.derive_shared_secret(by(caller, derive(key_id, input, dry_run))).await.map(drop)
            }
            O::Encapsulate => service.encapsulate(by(caller, encapsulate(key_id, dry_run))).await.map(drop),
            O::Encrypt => service.encrypt(by(caller, encrypt(key_id, dry_run))).await.map(drop),
            O::GenerateDataKey => service.generate_data_key(by(caller, data_key(key_id, dry_run))).await.map(drop),
            O::GenerateDataKeyWithoutPlaintext => {
                service.generate_data_key_without_plaintext(by(caller, data_key(key_id, dry_run))).await.map(drop)
            }
            O::GenerateDataKeyPair => service.generate_data_key_pair(by(caller, pair(key_id, dry_run))).await.map(drop),
            O::GenerateDataKeyPairWithoutPlaintext => {
                service.generate_data_key_pair_without_plaintext(by(caller, pair(key_id, dry_run))).await.map(drop)
            }
            O::GenerateMac => service.generate_mac(by(caller, mac(key_id, dry_run))).await.map(drop),
            O::GetPublicKey => {
                let request = GetPublicKeyRequest { key_id: key_id.to_owned(), grant_tokens: Vec::new() };
                service.get_public_key(by(caller, request)).await.map(drop)
            }
            O::ReEncrypt => service.re_encrypt(by(caller, re_encrypt(key_id, input, dry_run))).await.map(drop),
            O::Sign => service.sign(by(caller, sign(key_id, dry_run))).await.map(drop),
            O::Verify => service.verify(by(caller, verify(key_id, input, dry_run))).await.map(drop),
            O::VerifyMac => service.verify_mac(by(caller, verify_mac(key_id, input, dry_run))).await.map(drop),
            other => unreachable!("{other:?} uses no key material"),
        }
    }
}

pub(crate) fn by<T>(caller: &Caller, request: T) -> Authenticated<T> {
    Authenticated { caller: caller.clone(), request }
}

pub(crate) fn encrypt(key_id: &str, dry_run: bool) -> EncryptRequest {
    EncryptRequest {
        key_id: key_id.to_owned(),
        plaintext: secret(MESSAGE),
        encryption_context: EncryptionContext::default(),
        grant_tokens: Vec::new(),
        encryption_algorithm: None,
        dry_run,
    }
}

pub(crate) fn decrypt(key_id: &str, blob: &[u8], dry_run: bool) -> DecryptRequest {
    let (ciphertext_blob, key_id) = (Some(blob.to_vec()), Some(key_id.to_owned()));
    DecryptRequest { ciphertext_blob, key_id, dry_run, ..Default::default() }
}

pub(crate) fn re_encrypt(key_id: &str, blob: &[u8], dry_run: bool) -> ReEncryptRequest {
    ReEncryptRequest {
        ciphertext_blob: Some(blob.to_vec()),
        source_key_id: Some(key_id.to_owned()),
        destination_key_id: key_id.to_owned(),
        dry_run,
        ..Default::default()
    }
}

pub(crate) fn data_key(key_id: &str, dry_run: bool) -> GenerateDataKeyRequest {
    GenerateDataKeyRequest { key_id: key_id.to_owned(), number_of_bytes: Some(8), dry_run, ..Default::default() }
}

pub(crate) fn pair(key_id: &str, dry_run: bool) -> GenerateDataKeyPairRequest {
    GenerateDataKeyPairRequest {
        encryption_context: EncryptionContext::default(),
        key_id: key_id.to_owned(),
        key_pair_spec: KeySpec::EccNistP256,
        grant_tokens: Vec::new(),
        dry_run,
        recipient: None,
    }
}

pub(crate) fn sign(key_id: &str, dry_run: bool) -> SignRequest {
    SignRequest {
        key_id: key_id.to_owned(),
        message: secret(MESSAGE),
        message_type: MessageType::Raw,
        grant_tokens: Vec::new(),
        signing_algorithm: SigningAlgorithm::EcdsaSha256,
        dry_run,
    }
}

pub(crate) fn verify(key_id: &str, signature: &[u8], dry_run: bool) -> VerifyRequest {
    VerifyRequest {
        key_id: key_id.to_owned(),
        message: secret(MESSAGE),
        message_type: MessageType::Raw,
        signature: signature.to_vec(),
        signing_algorithm: SigningAlgorithm::EcdsaSha256,
        grant_tokens: Vec::new(),
        dry_run,
    }
}

pub(crate) fn mac(key_id: &str, dry_run: bool) -> GenerateMacRequest {
    GenerateMacRequest {
        message: secret(MESSAGE),
        key_id: key_id.to_owned(),
        mac_algorithm: MacAlgorithm::HmacSha256,
        grant_tokens: Vec::new(),
        dry_run,
    }
}

pub(crate) fn verify_mac(key_id: &str, mac: &[u8], dry_run: bool) -> VerifyMacRequest {
    VerifyMacRequest {
        message: secret(MESSAGE),
        key_id: key_id.to_owned(),
        mac_algorithm: MacAlgorithm::HmacSha256,
        mac: mac.to_vec(),
        grant_tokens: Vec::new(),
        dry_run,
    }
}

pub(crate) fn derive(key_id: &str, peer: &[u8], dry_run: bool) -> DeriveSharedSecretRequest {
    DeriveSharedSecretRequest {
        key_id: key_id.to_owned(),
        key_agreement_algorithm: KeyAgreementAlgorithm::Ecdh,
        public_key: peer.to_vec(),
        grant_tokens: Vec::new(),
        dry_run,
        recipient: None,
    }
}

pub(crate) fn encapsulate(key_id: &str, dry_run: bool) -> EncapsulateRequest {
    EncapsulateRequest {
        key_id: key_id.to_owned(),
        encapsulation_algorithm: EncapsulationAlgorithm::MlKem,
        grant_tokens: Vec::new(),
        dry_run,
    }
}

pub(crate) fn decapsulate(key_id: &str, blob: &[u8], dry_run: bool) -> DecapsulateRequest {
    DecapsulateRequest {
        key_id: key_id.to_owned(),
        shared_secret_ciphertext_blob: blob.to_vec(),
        encapsulation_algorithm: EncapsulationAlgorithm::MlKem,
        grant_tokens: Vec::new(),
        dry_run,
    }
}
