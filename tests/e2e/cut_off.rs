//! `rotation activate --without`: the Region that was left out answers a retryable error for newer ciphertext until it
//! has caught up, and never that the ciphertext is invalid.

use aws_sdk_kms::error::ProvideErrorMetadata as _;
use meridian_tests::{AP, Cluster, EU, US, blob, eventually, keys, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_left_behind_says_try_again_and_works_after_its_return() {
    let cluster = Cluster::start();
    let [us, eu, ap] = [US, EU, AP].map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;
    let before = keys::encrypt(&us, &key_id, b"before").await;
    let old_material = keys::material(&us, &key_id).await;

    cluster.chaos(&["isolate", AP]).await;
    us.rotate_key_on_demand().key_id(&key_id).send().await.unwrap();
    let activate = ["rotation", "activate", &key_id, "--without", AP, "--yes", "--output", "json"];
    let activated = eventually("the rotation goes on without the missing Region", || async {
        let answer = cluster.cli_async(&activate).await;
        (answer.code == 0).then_some(answer)
    })
    .await;
    assert_eq!(activated.json()["without_regions"], serde_json::json!([AP]));
    for kms in [&us, &eu] {
        keys::material_changes(kms, &key_id, &old_material).await;
    }
    let newer = keys::encrypt(&us, &key_id, b"newer").await;
    assert_eq!(keys::decrypt(&eu, &newer).await, b"newer");

    let refusal = refused(ap.decrypt().ciphertext_blob(blob(&newer)).send().await);
    assert_eq!((refusal.status, refusal.code.as_str()), (500, "KeyUnavailableException"));
    let by_name = ap.decrypt().ciphertext_blob(blob(&newer)).key_id(&key_id).send().await.unwrap_err();
    assert_eq!(by_name.code(), Some("KeyUnavailableException"));
    // Everything that does not need the newer material goes on.
    assert_eq!(keys::decrypt(&ap, &before).await, b"before");
    let own = keys::encrypt(&ap, &key_id, b"own").await;
    assert_eq!(keys::decrypt(&us, &own).await, b"own");

    cluster.chaos(&["heal"]).await;
    // A Region that can reach the others catches up before it answers, or says once more that one should try again.
    let plaintext = eventually("the Region has caught up", || async {
        match ap.decrypt().ciphertext_blob(blob(&newer)).send().await {
            Ok(answer) => answer.plaintext,
            Err(error) => {
                assert_eq!(error.code(), Some("KeyUnavailableException"), "{error:?}");
                None
            }
        }
    })
    .await;
    assert_eq!(plaintext.as_ref(), b"newer");
    keys::material_becomes(&ap, &key_id, &keys::material(&us, &key_id).await).await;
    let described = cluster.cli(&["keys", "describe", &key_id, "--region", US, "--output", "json"]).done().json();
    let current = described["materials"].as_array().unwrap().iter().find(|m| m["state"] == "CURRENT").unwrap();
    assert_eq!(current["without_regions"], serde_json::json!([AP]), "the decision is recorded");
}
