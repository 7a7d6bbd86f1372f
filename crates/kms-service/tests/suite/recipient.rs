//! Answers for attested recipients: who gets them, what they depend on, and what is noted of them.

use super::support::uses::{data_key, decrypt, derive, pair};
use super::support::{ACCOUNT, Cluster, admin};
use kms_enclave_sim::{Enclave, NitroSystem};
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::derive_shared_secret::DeriveSharedSecretRequest;
use kms_service::operations::generate_data_key::GenerateDataKeyRequest;
use kms_service::operations::generate_data_key_pair::GenerateDataKeyPairRequest;
use kms_service::operations::generate_random::GenerateRandomRequest;
use kms_service::operations::put_key_policy::PutKeyPolicyRequest;
use kms_service::{AttestationVerifier, Delivered, KmsError, Recipient, TrustRoots, Validation};
use kms_types::{KeySpec, KeyUsage};
use std::sync::Arc;
use std::time::Duration;

const HERE: &str = "us-east-1";

struct Stage {
    cluster: Cluster,
    system: NitroSystem,
    enclave: Enclave,
}

impl Stage {
    fn new() -> Self {
        let system = NitroSystem::new();
        let roots = TrustRoots::aws().unwrap().with_pem(system.root_pem().as_bytes()).unwrap();
        let verifier = Arc::new(AttestationVerifier::new(roots));
        let cluster = Cluster::with_config(&[HERE], |config| config.attestation = Arc::clone(&verifier));
        Self { cluster, system, enclave: Enclave::new(0xa0) }
    }

    fn recipient(&self) -> Option<Recipient> {
        self.recipient_in(&self.enclave)
    }

    fn recipient_in(&self, enclave: &Enclave) -> Option<Recipient> {
        let attestation_document = enclave.document(&self.system, self.cluster.now().millis());
        Some(Recipient { attestation_document })
    }

    fn open(&self, delivered: &Delivered) -> Vec<u8> {
        match delivered {
            Delivered::ForRecipient(sealed) => self.enclave.open(sealed),
            Delivered::Plaintext(_) => unreachable!("it was answered in plaintext"),
        }
    }

    async fn decrypt(&self, blob: &[u8], recipient: Option<Recipient>) -> Result<Delivered, KmsError> {
        let request = DecryptRequest { ciphertext_blob: Some(blob.to_vec()), recipient, ..Default::default() };
        self.cluster.at(HERE).decrypt(admin(request)).await.map(|answer| answer.plaintext)
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, KmsError>) -> String {
    match result.unwrap_err() {
        KmsError::Validation(Validation::Service(text)) => text,
        other => unreachable!("another refusal: {other:?}"),
    }
}

#[tokio::test]
async fn all_five_operations_answer_for_the_enclave_alone() {
    let stage = Stage::new();
    let service = stage.cluster.at(HERE);
    let key_id = stage.cluster.key(HERE).await;

    let blob = stage.cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    let request = DecryptRequest { recipient: stage.recipient(), ..decrypt(&key_id, &blob, false) };
    let opened = service.decrypt(admin(request)).await.unwrap();
    assert_eq!((stage.open(&opened.plaintext), opened.key_material_id), (b"secret".to_vec(), None));

    let request = GenerateDataKeyRequest { recipient: stage.recipient(), ..data_key(&key_id, false) };
    let made = service.generate_data_key(admin(request)).await.unwrap();
    let reopened = stage.cluster.open(HERE, &made.ciphertext_blob).await.unwrap();
    assert_eq!(stage.open(&made.plaintext), *reopened.plaintext.plaintext().unwrap().0);
    assert_eq!(made.key_material_id, None);

    let request = GenerateDataKeyPairRequest { recipient: stage.recipient(), ..pair(&key_id, false) };
    let made = service.generate_data_key_pair(admin(request)).await.unwrap();
    let reopened = stage.cluster.open(HERE, &made.private_key_ciphertext_blob).await.unwrap();
    assert_eq!(stage.open(&made.private_key_plaintext), *reopened.plaintext.plaintext().unwrap().0);

    let request =
        GenerateRandomRequest { number_of_bytes: Some(24), recipient: stage.recipient(), ..Default::default() };
    let drawn = service.generate_random(admin(request)).await.unwrap();
    assert_eq!(stage.open(&drawn.plaintext).len(), 24);

    let mine = stage.cluster.key_of(HERE, KeySpec::EccNistP256, KeyUsage::KeyAgreement).await;
    let peer = stage.cluster.public_key(HERE, &mine).await;
    let plain = service.derive_shared_secret(admin(derive(&mine, &peer, false))).await.unwrap();
    let request = DeriveSharedSecretRequest { recipient: stage.recipient(), ..derive(&mine, &peer, false) };
    let derived = service.derive_shared_secret(admin(request)).await.unwrap();
    assert_eq!(stage.open(&derived.shared_secret), *plain.shared_secret.plaintext().unwrap().0);
}

#[tokio::test]
async fn ciphertext_of_an_rsa_key_is_opened_for_the_enclave_too() {
    use kms_types::EncryptionAlgorithm::RsaesOaepSha256;
    let stage = Stage::new();
    let service = stage.cluster.at(HERE);
    let key_id = stage.cluster.key_of(HERE, KeySpec::Rsa2048, KeyUsage::EncryptDecrypt).await;
    let mut request = super::support::uses::encrypt(&key_id, false);
    request.encryption_algorithm = Some(RsaesOaepSha256);
    request.plaintext = super::support::uses::secret(b"secret");
    let blob = service.encrypt(admin(request)).await.unwrap().ciphertext_blob;
    let request = DecryptRequest {
        encryption_algorithm: Some(RsaesOaepSha256),
        recipient: stage.recipient(),
        ..decrypt(&key_id, &blob, false)
    };
    assert_eq!(stage.open(&service.decrypt(admin(request)).await.unwrap().plaintext), b"secret");
}

#[tokio::test]
async fn a_document_that_is_not_believed_gets_nothing() {
    let stage = Stage::new();
    let key_id = stage.cluster.key(HERE).await;
    let blob = stage.cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    let text = |reason: &str| format!("The attestation document in the request is not valid: {reason}.");

    let stranger = NitroSystem::new();
    let attestation_document = stage.enclave.document(&stranger, stage.cluster.now().millis());
    let refused = refusal(stage.decrypt(&blob, Some(Recipient { attestation_document })).await);
    assert_eq!(refused, text("its root certificate is not trusted"));

    let mut altered = stage.recipient().unwrap();
    *altered.attestation_document.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(stage.decrypt(&blob, Some(altered)).await), text("its signature is not valid"));

    let draft = stage.enclave.draft(&stage.system, stage.cluster.now().millis());
    let payload = draft.with("public_key", vec![0x30, 0].into()).payload();
    let other_key = Recipient { attestation_document: stage.system.sign(&payload) };
    let refused = refusal(stage.decrypt(&blob, Some(other_key)).await);
    assert_eq!(refused, text("its public_key is not an RSA public key"));

    let old = stage.recipient();
    stage.cluster.advance(Duration::from_secs(301));
    assert_eq!(refusal(stage.decrypt(&blob, old).await), text("it is too old"));
}

#[tokio::test]
async fn a_region_that_trusts_nobody_believes_nobody() {
    let stage = Stage { cluster: Cluster::new(&[HERE]), ..Stage::new() };
    let key_id = stage.cluster.key(HERE).await;
    let blob = stage.cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    assert!(refusal(stage.decrypt(&blob, stage.recipient()).await).contains("root certificate is not trusted"));
}

#[tokio::test]
async fn a_dry_run_is_one_with_a_recipient_too() {
    let stage = Stage::new();
    let key_id = stage.cluster.key(HERE).await;
    let request = GenerateDataKeyRequest { recipient: stage.recipient(), ..data_key(&key_id, true) };
    let service = stage.cluster.at(HERE);
    assert_eq!(service.generate_data_key(admin(request)).await.unwrap_err(), KmsError::DryRun);
    let unsigned = Some(Recipient { attestation_document: vec![0] });
    let request = GenerateDataKeyRequest { recipient: unsigned, ..data_key(&key_id, true) };
    assert!(refusal(service.generate_data_key(admin(request)).await).contains("not a COSE_Sign1"));
}

#[tokio::test]
async fn documents_wait_for_a_worker() {
    let stage = Stage::new();
    stage.cluster.set_workers_busy(true);
    let request =
        GenerateRandomRequest { number_of_bytes: Some(1), recipient: stage.recipient(), ..Default::default() };
    assert_eq!(stage.cluster.at(HERE).generate_random(admin(request)).await.unwrap_err(), KmsError::Throttled);
}

/// A key that its administrator may use from an enclave with these measurements alone.
async fn guarded_key(stage: &Stage, condition: &str) -> (String, Vec<u8>) {
    let key_id = stage.cluster.key(HERE).await;
    let blob = stage.cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"kms:*","Resource":"*"}},
        {{"Effect":"Deny","Principal":"*","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*",
        "Condition":{{"StringNotEqualsIgnoreCase":{{{condition}}}}}}}]}}"#
    );
    let request = PutKeyPolicyRequest {
        key_id: key_id.clone(),
        policy_name: None,
        policy,
        bypass_policy_lockout_safety_check: None,
    };
    stage.cluster.at(HERE).put_key_policy(admin(request)).await.unwrap();
    (key_id, blob)
}

#[tokio::test]
async fn a_policy_lets_one_image_in_and_no_other() {
    let stage = Stage::new();
    for name in ["ImageSha384", "PCR0"] {
        let value = stage.enclave.register(0);
        let (_, blob) = guarded_key(&stage, &format!(r#""kms:RecipientAttestation:{name}":"{value}""#)).await;
        let opened = stage.decrypt(&blob, stage.recipient()).await.unwrap();
        assert_eq!(stage.open(&opened), b"secret", "{name}");
        // Without a document, and with that of another image, of the same authority.
        assert!(matches!(stage.decrypt(&blob, None).await, Err(KmsError::AccessDenied(_))), "{name}");
        let other = stage.recipient_in(&Enclave::new(0xb0));
        assert!(matches!(stage.decrypt(&blob, other).await, Err(KmsError::AccessDenied(_))), "{name}");
    }
}

#[tokio::test]
async fn registers_of_an_instance_are_not_those_of_an_enclave() {
    let stage = Stage::new();
    let instance = Enclave::tpm(0xa0);
    let value = instance.register(4);
    let (_, blob) = guarded_key(&stage, &format!(r#""kms:RecipientAttestation:NitroTPMPCR4":"{value}""#)).await;
    let opened = stage.decrypt(&blob, stage.recipient_in(&instance)).await.unwrap();
    assert!(opened.plaintext().is_none());
    // The enclave's register 4 has the same content, under another name.
    assert_eq!(stage.enclave.register(4), value);
    assert!(matches!(stage.decrypt(&blob, stage.recipient()).await, Err(KmsError::AccessDenied(_))));
}

#[tokio::test]
async fn the_trail_says_what_the_document_says() {
    let stage = Stage::new();
    let request = |enclave: &Enclave| {
        let recipient = stage.recipient_in(enclave);
        admin(GenerateRandomRequest { number_of_bytes: Some(8), recipient, ..Default::default() })
    };
    for (enclave, digest) in [
        (Enclave::new(0xa0), "attestationDocumentEnclaveImageDigest"),
        (Enclave::tpm(0xa0), "attestationDocumentNitroTPMPCR23"),
    ] {
        let asked = request(&enclave);
        let trail = Arc::clone(&asked.caller.trail);
        stage.cluster.at(HERE).generate_random(asked).await.unwrap();
        let shown = format!("{:?}", trail.notes().additional());
        for part in ["recipient", "attestationDocumentModuleId", &enclave.module_id, digest] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
