//! Residency: who holds the whole disk and the root key of a Region can open nothing of a key that was never there.

use meridian_tests::offline::Offline;
use meridian_tests::{AP, Cluster, EU, REGIONS, blob, keys, refused};

#[tokio::test]
async fn a_region_that_does_not_hold_a_key_can_open_no_box_of_it() {
    let mut cluster = Cluster::start();
    let [us, eu, ap] = REGIONS.map(|region| cluster.direct(region));
    let away = keys::create_primary(&us).await;
    let here = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &away).await;
    keys::replicate(&us, &eu, &here).await;
    keys::replicate(&us, &ap, &here).await;
    let mut materials = [vec![keys::material(&us, &away).await], vec![keys::material(&us, &here).await]];
    for _ in 0..2 {
        for (key_id, materials) in [&away, &here].into_iter().zip(&mut materials) {
            materials.push(keys::rotate(&us, key_id).await);
            keys::material_becomes(&eu, key_id, materials.last().unwrap()).await;
        }
    }
    let ciphertext = keys::encrypt(&eu, &away, b"not for everyone").await;
    // A Decrypt there answers as AWS does for a key that is not there.
    let refusal = refused(ap.decrypt().ciphertext_blob(blob(&ciphertext)).send().await);
    assert_eq!(refusal.status, 400);
    assert!(["AccessDeniedException", "NotFoundException"].contains(&refusal.code.as_str()), "{refusal:?}");
    refused(ap.decrypt().ciphertext_blob(blob(&ciphertext)).key_id(&away).send().await).is_code("NotFoundException");
    refused(ap.describe_key().key_id(&away).send().await).is_code("NotFoundException");

    let status = cluster.status();
    let cluster_id = status["regions"][0]["cluster_id"].as_str().unwrap().to_owned();
    cluster.stop();
    let regions = REGIONS.map(str::to_owned);
    let opened = |offline: &Offline, key_id: &str, materials: &[String]| offline.opened(key_id, materials, &regions);
    let there = Offline::read(&cluster.region_dir(AP), AP, &cluster_id);
    let boxes = there.boxes().len();
    assert!(boxes >= 15, "the log carries the boxes to every Region, yet only {boxes} were found");
    assert_eq!(opened(&there, &away, &materials[0]), 0, "a box of a key that is not held here opens");
    assert_eq!(there.wrapped_materials(&away), 0);
    // The same look finds what it should: the key that is held here, and the other one where it is held.
    assert_eq!(opened(&there, &here, &materials[1]), 3);
    assert_eq!(there.wrapped_materials(&here), 3);
    let holder = Offline::read(&cluster.region_dir(EU), EU, &cluster_id);
    assert_eq!(opened(&holder, &away, &materials[0]), 3);
}
