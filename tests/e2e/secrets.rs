//! Secrets stay where they belong: nothing of the plaintexts and the raw material of a run is in its logs, data
//! directories, metrics and error bodies.

use crate::identity::user;
use crate::sts::{operator, session};
use aws_sdk_kms::primitives::Blob;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meridian_tests::http1::{self, RawRequest};
use meridian_tests::offline::Offline;
use meridian_tests::random::Random;
use meridian_tests::search::{Needle, files, without_padding};
use meridian_tests::sigv4::Signer;
use meridian_tests::{Cluster, EU, REGIONS, US, blob, eventually, keys};
use serde_json::json;

/// What the run left, by name.
type Traces = Vec<(String, Vec<u8>)>;

#[tokio::test]
async fn nothing_secret_is_written_down() {
    let mut cluster = Cluster::start();
    let mut random = Random::for_test("e2e", "secrets::nothing_secret_is_written_down");
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let mut needles = Vec::new();
    let mut traces: Traces = Vec::new();
    let single = keys::create(&us).await;
    let shared = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &shared).await;
    for round in 0..3 {
        for key_id in [&single, &shared] {
            let plaintext = random.bytes(48);
            let ciphertext = keys::encrypt(&us, key_id, &plaintext).await;
            assert_eq!(keys::decrypt(&us, &ciphertext).await, plaintext);
            needles.push(Needle::new(format!("plaintext {round} of {key_id}"), &plaintext));
            let data_key = us.generate_data_key().key_id(key_id).number_of_bytes(32).send().await.unwrap();
            let re_encrypted = us
                .re_encrypt()
                .ciphertext_blob(data_key.ciphertext_blob.unwrap())
                .destination_key_id(&single)
                .send()
                .await
                .unwrap();
            let plaintext = data_key.plaintext.map(Blob::into_inner).unwrap();
            assert_eq!(keys::decrypt(&us, re_encrypted.ciphertext_blob.unwrap().as_ref()).await, plaintext);
            needles.push(Needle::new(format!("data key {round} of {key_id}"), &plaintext));
            traces.extend(provoke_errors(&cluster, key_id, &plaintext, &ciphertext).await);
            keys::rotate(&us, key_id).await;
        }
        let drawn = us.generate_random().number_of_bytes(32).send().await.unwrap().plaintext.unwrap();
        needles.push(Needle::new(format!("random bytes {round}"), drawn.as_ref()));
    }
    let (needle, answers) = use_an_access_key_of_the_directory(&cluster).await;
    needles.push(needle);
    traces.extend(answers);
    needles.extend(use_a_session(&cluster).await);
    drop(cluster.cli(&["promote", &shared, "--to", EU, "--yes"]).done());
    for region in REGIONS {
        traces.push((format!("metrics of {region}"), http1::get(&cluster.operations(region), "/metrics").await.body));
    }
    let cluster_id = cluster.status()["regions"][0]["cluster_id"].as_str().unwrap().to_owned();
    traces.push(("status".to_owned(), cluster.cli(&["status", "--output", "json"]).stdout.into_bytes()));
    let described = cluster.cli(&["keys", "describe", &shared, "--output", "json"]);
    traces.push(("keys describe".to_owned(), described.stdout.into_bytes()));
    cluster.stop();
    traces.push(("meridian dev".to_owned(), cluster.printed().into_bytes()));
    let audit_logs = files(&cluster.data_dir()).into_iter().filter(|file| file.to_string_lossy().contains("audit-"));
    assert!(audit_logs.count() >= 3, "the audit logs are not among the files");
    for file in files(&cluster.data_dir()) {
        traces.push((file.display().to_string(), without_padding(&std::fs::read(&file).unwrap())));
    }

    let mut raw = 0;
    for region in REGIONS {
        for secret in Offline::read(&cluster.region_dir(region), region, &cluster_id).raw_secrets() {
            needles.push(Needle::new(secret.name, &secret.bytes));
            raw += 1;
        }
    }
    // Three root keys, KEKs, sealing and signing keys; the single-Region key's four materials, the shared key's four twice.
    assert!(raw >= 12 + 4 + 8, "only {raw} raw secrets are known");
    needles.push(Needle::new("secret access key", b"meridian-dev"));
    for needle in &needles {
        for (place, bytes) in &traces {
            let allowed = (place.ends_with("root.key") && needle.name.starts_with("root key of"))
                || (needle.name == "secret access key"
                    && (place.ends_with("principals.toml") || place == "meridian dev" || is_only_a_name(bytes)));
            let found = needle.found_in(bytes);
            assert!(allowed || found.is_none(), "{} is in {place} as {}", needle.name, found.unwrap_or_default());
        }
    }
}

/// An access key of the directory, whose secret is shown once, in use in every Region; what was answered since.
async fn use_an_access_key_of_the_directory(cluster: &Cluster) -> (Needle, Traces) {
    let (access_key, secret) = user(cluster, "carol");
    for region in REGIONS {
        let kms = cluster.direct_as(region, &access_key, &secret);
        eventually("the access key is known", || async { kms.list_keys().send().await.ok() }).await;
    }
    let refused = cluster.direct_as(US, &access_key, &format!("{secret}x")).list_keys().send().await.unwrap_err();
    let listed = cluster.cli(&["identity", "access-key", "list", "carol", "--output", "json"]).done();
    let traces = vec![
        ("answer to a wrong secret".to_owned(), format!("{refused:?}").into_bytes()),
        ("list of access keys".to_owned(), listed.stdout.into_bytes()),
    ];
    (Needle::new("secret access key of the directory", secret.as_bytes()), traces)
}

/// Temporary credentials, which are shown once, in use in every Region.
async fn use_a_session(cluster: &Cluster) -> [Needle; 2] {
    operator(cluster);
    let credentials = session(cluster, EU, "").await;
    for region in REGIONS {
        let kms = cluster.direct_of_session(region, &credentials);
        eventually("the session is honoured", || async { kms.list_keys().send().await.ok() }).await;
    }
    let (secret, token) = (credentials.secret_key.as_bytes(), credentials.token.as_bytes());
    [Needle::new("secret access key of a session", secret), Needle::new("session token", token)]
}

/// The development secret is also the name of the directory's marker file.
fn is_only_a_name(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.replace("meridian-dev.toml", "").matches("meridian-dev").count() == 0
}

/// Requests that fail while they carry or concern secrets; their answers.
async fn provoke_errors(cluster: &Cluster, key_id: &str, plaintext: &[u8], ciphertext: &[u8]) -> Traces {
    let text = STANDARD.encode(plaintext);
    let mut changed = ciphertext.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    let requests = [
        ("Encrypt", json!({"KeyId": key_id, "Plaintext": text, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"})),
        ("Encrypt", json!({"KeyId": "alias/nothing", "Plaintext": text})),
        ("Encrypt", json!({"KeyId": key_id, "Plaintext": [text]})),
        ("Encrypt", json!({"KeyId": text, "Plaintext": text})),
        ("Encrypt", json!({"KeyId": key_id, "Plaintext": format!("{text}!")})),
        ("Encrypt", json!({"KeyId": key_id, "Plaintext": text, "DryRun": true})),
        ("Encrypt", json!({"KeyId": key_id, "Plaintext": text.repeat(200)})),
        ("Decrypt", json!({"CiphertextBlob": STANDARD.encode(&changed)})),
        ("Decrypt", json!({"CiphertextBlob": STANDARD.encode(ciphertext), "EncryptionContext": {"a": "b"}})),
    ];
    let signer = Signer::administrator(US);
    let mut traces = Vec::new();
    for (number, (operation, body)) in requests.into_iter().enumerate() {
        let is_the_name = number == 3;
        let body = body.to_string();
        let answer = RawRequest::signed(&cluster.api(US), &signer, operation, &body).send(&cluster.api(US)).await;
        assert_ne!(answer.status, 200, "{operation} {number}");
        // AWS repeats a key ID that it does not know, whatever was put there.
        if !is_the_name {
            traces.push((format!("answer to wrong {operation} {number}"), answer.body));
        }
    }
    let malformed = format!("{{\"KeyId\": \"{key_id}\", \"Plaintext\": \"{text}\"");
    let answer = RawRequest::signed(&cluster.api(US), &signer, "Encrypt", malformed).send(&cluster.api(US)).await;
    traces.push(("answer to malformed JSON".to_owned(), answer.body));
    assert!(refused_context(cluster, ciphertext).await);
    traces
}

/// A context that was not given must not be opened either; the error says nothing of it.
async fn refused_context(cluster: &Cluster, ciphertext: &[u8]) -> bool {
    let kms = cluster.direct(US);
    let context = keys::context(&[("wrong", "context")]);
    kms.decrypt().ciphertext_blob(blob(ciphertext)).set_encryption_context(Some(context)).send().await.is_err()
}
