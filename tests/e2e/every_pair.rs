//! Keys created in every Region, and every pair of Regions: what one encrypts the other decrypts, before and after a
//! rotation and a promotion.

use meridian_tests::{Cluster, Kms, REGIONS, keys};

/// Encrypts in every Region and decrypts all of it in every Region, with the ciphertexts of earlier times.
async fn check(regions: &[Kms], key_id: &str, time: &str, ciphertexts: &mut Vec<(String, Vec<u8>)>) {
    for kms in regions {
        let region = kms.config().region().unwrap().to_string();
        let plaintext = format!("{time} in {region}");
        let ciphertext = keys::encrypt(kms, key_id, plaintext.as_bytes()).await;
        ciphertexts.push((plaintext, ciphertext));
    }
    for kms in regions {
        for (plaintext, ciphertext) in &*ciphertexts {
            assert_eq!(keys::decrypt(kms, ciphertext).await, plaintext.as_bytes());
        }
    }
}

#[tokio::test]
async fn what_one_region_encrypts_every_other_decrypts() {
    let cluster = Cluster::start();
    let regions = REGIONS.map(|region| cluster.direct(region));
    for (number, home) in REGIONS.iter().enumerate() {
        let primary = &regions[number];
        let key_id = keys::create_primary(primary).await;
        for replica in regions.iter().filter(|kms| kms.config().region() != primary.config().region()) {
            keys::replicate(primary, replica, &key_id).await;
        }
        let mut ciphertexts = Vec::new();
        check(&regions, &key_id, "at first", &mut ciphertexts).await;
        let material = keys::rotate(primary, &key_id).await;
        for kms in &regions {
            keys::material_becomes(kms, &key_id, &material).await;
        }
        check(&regions, &key_id, "after the rotation", &mut ciphertexts).await;

        let next = REGIONS[(number + 1) % REGIONS.len()];
        let promoted = cluster.cli(&["promote", &key_id, "--to", next, "--yes", "--output", "json"]).done().json();
        assert_eq!(promoted["plan"]["from_region"], *home);
        check(&regions, &key_id, "after the promotion", &mut ciphertexts).await;
        let material = keys::rotate(&regions[(number + 1) % REGIONS.len()], &key_id).await;
        for kms in &regions {
            keys::material_becomes(kms, &key_id, &material).await;
        }
        check(&regions, &key_id, "after a rotation by the new primary", &mut ciphertexts).await;
    }
}
