//! A rotation waits until every holding Region has the new material, and survives the end of its primary.

use meridian_tests::{AP, Cluster, EU, US, eventually, keys};
use serde_json::Value;

fn describe(cluster: &Cluster, key_id: &str, region: &str) -> Value {
    cluster.cli(&["keys", "describe", key_id, "--region", region, "--output", "json"]).done().json()
}

/// Waits until a Region shows staged material of a key, and returns its ID.
async fn staged(cluster: &Cluster, key_id: &str, region: &str) -> String {
    eventually("material is staged", || async {
        let described = describe(cluster, key_id, region).to_string();
        let described: Value = serde_json::from_str(&described).ok()?;
        let mut materials = described["materials"].as_array()?.iter();
        let found = materials.rfind(|material| material["state"] == "STAGED")?;
        found["material_id"].as_str().map(str::to_owned)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_waits_for_a_missing_region_and_finishes_when_it_is_back() {
    let cluster = Cluster::start();
    let [us, eu, ap] = [US, EU, AP].map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;
    let before = keys::material(&us, &key_id).await;

    cluster.chaos(&["isolate", AP]).await;
    us.rotate_key_on_demand().key_id(&key_id).send().await.unwrap();
    let new = staged(&cluster, &key_id, EU).await;
    // EU has it and could decrypt with it; nobody encrypts with it.
    eventually("EU has installed the staged material", || async {
        let described = describe(&cluster, &key_id, US);
        let holders = described["holders"].as_array().unwrap().clone();
        let of = |region: &str| holders.iter().find(|holder| holder["region"] == region).cloned().unwrap();
        (of(EU)["has_staged_material"] == true && of(AP)["has_staged_material"] != true).then_some(())
    })
    .await;
    let described = describe(&cluster, &key_id, US);
    assert!(described["rotation"]["waits_for"].as_str().unwrap().contains(AP), "{described}");
    for kms in [&us, &eu, &ap] {
        assert_eq!(keys::material(kms, &key_id).await, before);
        let ciphertext = keys::encrypt(kms, &key_id, b"meanwhile").await;
        assert_eq!(keys::decrypt(&us, &ciphertext).await, b"meanwhile");
    }

    cluster.chaos(&["heal"]).await;
    for kms in [&us, &eu, &ap] {
        keys::material_becomes(kms, &key_id, &new).await;
    }
    let ciphertext = keys::encrypt(&us, &key_id, b"afterwards").await;
    assert_eq!(keys::decrypt(&ap, &ciphertext).await, b"afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_primary_finishes_what_the_dead_one_began() {
    let cluster = Cluster::start();
    let [us, eu, ap] = [US, EU, AP].map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;
    cluster.chaos(&["isolate", AP]).await;
    us.rotate_key_on_demand().key_id(&key_id).send().await.unwrap();
    let new = staged(&cluster, &key_id, EU).await;

    cluster.chaos(&["kill", US]).await;
    cluster.chaos(&["heal"]).await;
    let promoted = cluster.cli_async(&["promote", &key_id, "--to", EU, "--yes", "--output", "json"]).await.done();
    assert_eq!(promoted.json()["plan"]["staged_material_id"], new.as_str());
    cluster.chaos(&["restart", US]).await;
    for kms in [&us, &eu, &ap] {
        keys::material_becomes(kms, &key_id, &new).await;
    }
}
