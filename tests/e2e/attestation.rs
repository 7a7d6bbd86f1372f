//! Attested enclaves, against real processes: the five operations, policies on measurements, the audit log, and documents
//! that nobody believes. The enclaves are make-believe; their authority is named to the cluster.

use aws_sdk_kms::types::{
    DataKeyPairSpec, DataKeySpec, KeyAgreementAlgorithmSpec, KeyEncryptionMechanism, KeySpec, KeyUsageType,
    RecipientInfo,
};
use kms_enclave_sim::{Enclave, NitroSystem};
use meridian_tests::aws::Kms;
use meridian_tests::{Cluster, ClusterOptions, US, blob, eventually, keys, refused};
use std::time::{SystemTime, UNIX_EPOCH};

struct Stage {
    system: NitroSystem,
    cluster: Cluster,
    /// Holds the authority's certificate for as long as nodes may start.
    _folder: tempfile::TempDir,
}

impl Stage {
    fn start() -> Self {
        let system = NitroSystem::new();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("enclave-sim.pem");
        std::fs::write(&root, system.root_pem()).unwrap();
        let cluster = Cluster::start_with(ClusterOptions::with(&["--attestation-root", root.to_str().unwrap()]));
        Self { system, cluster, _folder: folder }
    }

    fn recipient(&self, enclave: &Enclave) -> RecipientInfo {
        info(enclave.document(&self.system, now()))
    }
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn info(document: Vec<u8>) -> RecipientInfo {
    let algorithm = KeyEncryptionMechanism::RsaesOaepSha256;
    RecipientInfo::builder().key_encryption_algorithm(algorithm).attestation_document(blob(document)).build()
}

async fn decrypted(kms: &Kms, ciphertext: &[u8], enclave: &Enclave, recipient: RecipientInfo) -> Vec<u8> {
    let answer = kms.decrypt().ciphertext_blob(blob(ciphertext)).recipient(recipient).send().await.unwrap();
    assert!(answer.plaintext.is_none() && answer.key_material_id.is_none());
    enclave.open(answer.ciphertext_for_recipient.unwrap().as_ref())
}

#[tokio::test]
async fn an_enclave_gets_every_kind_of_secret_and_its_host_gets_none() {
    let stage = Stage::start();
    let (kms, enclave) = (stage.cluster.direct(US), Enclave::new(0xa0));
    let recipient = || stage.recipient(&enclave);
    let open = |sealed: Option<aws_sdk_kms::primitives::Blob>| enclave.open(sealed.unwrap().as_ref());
    let key_id = keys::create(&kms).await;
    let ciphertext = keys::encrypt(&kms, &key_id, b"for the enclave").await;
    assert_eq!(decrypted(&kms, &ciphertext, &enclave, recipient()).await, b"for the enclave");

    let made = kms.generate_data_key().key_id(&key_id).key_spec(DataKeySpec::Aes256);
    let made = made.recipient(recipient()).send().await.unwrap();
    assert!(made.plaintext.is_none() && made.key_material_id.is_none());
    let plain = keys::decrypt(&kms, made.ciphertext_blob.unwrap().as_ref()).await;
    assert_eq!(open(made.ciphertext_for_recipient), plain);

    let made = kms.generate_data_key_pair().key_id(&key_id).key_pair_spec(DataKeyPairSpec::EccNistP384);
    let made = made.recipient(recipient()).send().await.unwrap();
    assert!(made.private_key_plaintext.is_none() && made.public_key.is_some());
    let plain = keys::decrypt(&kms, made.private_key_ciphertext_blob.unwrap().as_ref()).await;
    assert_eq!(open(made.ciphertext_for_recipient), plain);

    let drawn = kms.generate_random().number_of_bytes(33).recipient(recipient()).send().await.unwrap();
    assert!(drawn.plaintext.is_none());
    assert_eq!(open(drawn.ciphertext_for_recipient).len(), 33);

    let create = kms.create_key().key_spec(KeySpec::EccNistP256).key_usage(KeyUsageType::KeyAgreement);
    let agreement = create.send().await.unwrap().key_metadata.unwrap().key_id;
    let peer = kms.get_public_key().key_id(&agreement).send().await.unwrap().public_key.unwrap();
    let derive = || {
        let derive = kms.derive_shared_secret().key_id(&agreement).public_key(peer.clone());
        derive.key_agreement_algorithm(KeyAgreementAlgorithmSpec::Ecdh)
    };
    let plain = derive().send().await.unwrap().shared_secret.unwrap();
    let derived = derive().recipient(recipient()).send().await.unwrap();
    assert!(derived.shared_secret.is_none());
    assert_eq!(open(derived.ciphertext_for_recipient), plain.as_ref());
}

#[tokio::test]
async fn a_policy_on_the_image_decides_and_the_log_shows_the_measurements() {
    let stage = Stage::start();
    let (kms, enclave) = (stage.cluster.direct(US), Enclave::new(0xa0));
    let key_id = keys::create(&kms).await;
    let ciphertext = keys::encrypt(&kms, &key_id, b"guarded").await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:root"}},"Action":"kms:*","Resource":"*"}},
        {{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{{
        "StringNotEqualsIgnoreCase":{{"kms:RecipientAttestation:PCR0":"{}"}}}}}}]}}"#,
        enclave.register(0)
    );
    kms.put_key_policy().key_id(&key_id).policy(policy).send().await.unwrap();
    let decrypt = || kms.decrypt().ciphertext_blob(blob(&ciphertext));
    refused(decrypt().send().await).is_code("AccessDeniedException");
    let other = stage.recipient(&Enclave::new(0xb0));
    refused(decrypt().recipient(other).send().await).is_code("AccessDeniedException");
    assert_eq!(decrypted(&kms, &ciphertext, &enclave, stage.recipient(&enclave)).await, b"guarded");

    let arguments = ["audit", "search", "--output", "json", "--operation", "Decrypt", "--key", key_id.as_str()];
    let records = eventually("all three have their records", || async {
        let records = stage.cluster.cli_async(&arguments).await.json().as_array().unwrap().clone();
        (records.len() == 3).then_some(records)
    })
    .await;
    let recipients: Vec<_> = records.iter().map(|record| &record["additionalEventData"]["recipient"]).collect();
    assert!(recipients[0].is_null());
    for (recipient, image) in [(recipients[1], Enclave::new(0xb0).register(0)), (recipients[2], enclave.register(0))] {
        assert_eq!(recipient["attestationDocumentModuleId"], enclave.module_id.as_str());
        assert_eq!(recipient["attestationDocumentEnclaveImageDigest"], image.as_str());
    }
    assert_eq!(recipients[2]["attestationDocumentEnclavePCR8"], enclave.register(8).as_str());
    assert!(records.iter().all(|record| record["requestParameters"]["recipient"].is_null()));
}

#[tokio::test]
async fn documents_that_nobody_vouches_for_get_nothing() {
    let stage = Stage::start();
    let (kms, enclave) = (stage.cluster.direct(US), Enclave::new(1));
    let good = enclave.document(&stage.system, now());
    let mut altered = good.clone();
    altered[200] ^= 1;
    let stranger = enclave.document(&NitroSystem::new(), now());
    let old = enclave.document(&stage.system, now() - 6 * 60_000);
    for (document, reason) in [(altered, ""), (stranger, "its root certificate is not trusted"), (old, "it is too old")]
    {
        let refusal = refused(kms.generate_random().number_of_bytes(1).recipient(info(document)).send().await);
        refusal.is_code("ValidationException");
        let start = format!("The attestation document in the request is not valid: {reason}");
        assert!(refusal.message.starts_with(&start), "{}", refusal.message);
    }
    kms.generate_random().number_of_bytes(1).recipient(info(good)).send().await.unwrap();
}

#[test]
fn a_root_that_is_none_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, "no certificate").unwrap();
    let answer = meridian_tests::cli::run(&["dev", "--attestation-root", root.to_str().unwrap()]);
    assert_eq!(answer.code, 64, "{answer:?}");
    assert!(answer.stderr.contains("attestation.roots: holds no PEM certificate"), "{}", answer.stderr);
}
