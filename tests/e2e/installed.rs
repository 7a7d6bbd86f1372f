//! A cluster as it is installed on machines: two Regions and a witness from `meridian init`, TLS on every port, a root key each,
//! operated by `cluster.toml`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meridian_tests::eventually;
use meridian_tests::installed::Installed;
use meridian_tests::{EU, US};
use serde_json::{Value, json};

const WITNESS: &str = "eu-north-1";
/// Most failed calls to a Region that is down for some seconds: they are tried again after 50 ms to half a second.
const FAILED_CALLS_MAX: usize = 300;

#[tokio::test]
async fn two_regions_and_a_witness_survive_the_loss_of_the_primary() {
    let mut cluster = Installed::start(&[US, EU], &[WITNESS]).await;
    let (key_id, ciphertext) = shared_ciphertext(&cluster).await;

    cluster.kill(US);
    assert_eq!(plaintext(&cluster, EU, &ciphertext).await, b"installed");
    // The witness and the Region that is left are a majority, once they have noticed.
    let promoted = eventually("the replica is promoted", || async {
        let answer = cluster.cli(&["promote", &key_id, "--to", EU, "--yes", "--output", "json"]).await;
        (answer.code == 0).then(|| answer.json())
    })
    .await;
    assert_eq!(promoted["result"]["epoch"], 2, "{promoted}");
    drop(cluster.done(EU, "RotateKeyOnDemand", &json!({ "KeyId": key_id })).await);
    let described = cluster.done(EU, "DescribeKey", &json!({ "KeyId": key_id })).await;
    let primary = &described["KeyMetadata"]["MultiRegionConfiguration"]["PrimaryKey"]["Region"];
    assert_eq!(primary, EU, "{described}");

    cluster.start_again(US).await;
    eventually("the old primary is a replica", || async {
        let described = cluster.done(US, "DescribeKey", &json!({ "KeyId": key_id })).await;
        let kind = &described["KeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"];
        (kind == "REPLICA").then_some(())
    })
    .await;
    assert_eq!(plaintext(&cluster, US, &ciphertext).await, b"installed");
    for region in [EU, WITNESS] {
        let failed = cluster.log(region).matches("Unreachable node").count();
        assert!(failed < FAILED_CALLS_MAX, "{region} called a Region that was down {failed} times");
    }
}

#[tokio::test]
async fn the_api_is_served_over_tls_alone_and_records_the_connection() {
    let cluster = Installed::start(&[US, EU], &[WITNESS]).await;
    let (key_id, _) = shared_ciphertext(&cluster).await;
    let answer = cluster.call_without_tls(US).await;
    assert!(!answer.windows(5).any(|window| window == b"HTTP/"), "an answer without TLS: {answer:?}");

    // What a policy asks of the connection is true here.
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*", "Resource": "*" },
        { "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
          "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
    ]});
    drop(cluster.done(US, "PutKeyPolicy", &json!({ "KeyId": key_id, "Policy": policy.to_string() })).await);
    drop(cluster.done(US, "DescribeKey", &json!({ "KeyId": key_id })).await);

    let data_dir = cluster.data_dir(US);
    let search = ["audit", "search", "--output", "json", "--operation", "DescribeKey", "--data-dir"];
    let answer = meridian_tests::cli::run(&[&search[..], &[data_dir.to_str().unwrap()]].concat()).done();
    let found: Value = answer.json();
    let details = &found[0]["tlsDetails"];
    assert_eq!(details["tlsVersion"], "TLSv1.3", "{found}");
    assert!(details["cipherSuite"].as_str().is_some_and(|suite| suite.starts_with("TLS_AES_")), "{found}");
    assert_eq!(details["clientProvidedHostHeader"], cluster.api(US).as_str());
}

/// A multi-Region key in both Regions, and what the first one encrypted.
async fn shared_ciphertext(cluster: &Installed) -> (String, Value) {
    let created = cluster.done(US, "CreateKey", &json!({ "MultiRegion": true })).await;
    let key_id = created["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    drop(cluster.done(US, "ReplicateKey", &json!({ "KeyId": key_id, "ReplicaRegion": EU })).await);
    let request = json!({ "KeyId": key_id, "Plaintext": STANDARD.encode("installed") });
    let encrypted = cluster.done(US, "Encrypt", &request).await;
    let ciphertext = encrypted["CiphertextBlob"].clone();
    eventually("the replica is ready", || async {
        let (status, _) = cluster.call(EU, "Decrypt", &json!({ "CiphertextBlob": ciphertext })).await;
        (status == 200).then_some(())
    })
    .await;
    (key_id, ciphertext)
}

async fn plaintext(cluster: &Installed, region: &str, ciphertext: &Value) -> Vec<u8> {
    let answer = cluster.done(region, "Decrypt", &json!({ "CiphertextBlob": ciphertext })).await;
    STANDARD.decode(answer["Plaintext"].as_str().unwrap()).unwrap()
}
