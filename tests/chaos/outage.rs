//! The primary's Region is killed under load: nobody else notices, another Region takes over in time, and the dead one
//! comes back as a replica with everything readable.

use crate::{alone, operator, promote};
use meridian_tests::random::say;
use meridian_tests::{Cluster, Kms, REGIONS, blob, eventually, keys};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Election timeout of a development cluster without added latency, at most.
const ELECTION_TIMEOUT: Duration = Duration::from_millis(1_200);
/// What a promotion may take beyond it.
const ALLOWANCE: Duration = Duration::from_secs(2);

/// Decryptions that go on in a Region until they are stopped.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    tasks: JoinSet<Vec<String>>,
}

impl Load {
    fn start(regions: &[Kms], ciphertext: &[u8]) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for kms in regions.iter().flat_map(|kms| [kms.clone(), kms.clone()]) {
            let (stop, done, ciphertext) = (Arc::clone(&stop), Arc::clone(&done), ciphertext.to_vec());
            tasks.spawn(async move {
                let mut failed = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match kms.decrypt().ciphertext_blob(blob(&ciphertext)).send().await {
                        Ok(_) => {
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => failed.push(format!("{error:?}")),
                    }
                }
                failed
            });
        }
        Self { stop, done, tasks }
    }

    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let failed: Vec<String> = self.tasks.join_all().await.into_iter().flatten().collect();
        assert!(failed.is_empty(), "{} decryptions failed, the first with {}", failed.len(), failed[0]);
        self.done.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_primarys_region_dies_under_load_and_comes_back_as_a_replica() {
    let _alone = alone().await;
    let cluster = Cluster::start();
    let clients = REGIONS.map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&clients[0]).await;
    keys::replicate(&clients[0], &clients[1], &key_id).await;
    keys::replicate(&clients[0], &clients[2], &key_id).await;
    let mut ciphertexts = vec![keys::encrypt(&clients[0], &key_id, b"round 0").await];

    for round in 0..3 {
        let (dead, next) = (round % 3, (round + 1) % 3);
        let living: Vec<Kms> = (0..3).filter(|number| *number != dead).map(|number| clients[number].clone()).collect();
        let leader = cluster.leader().await;
        let mut operator = operator(&cluster, REGIONS[next]).await.unwrap();
        let load = Load::start(&living, &ciphertexts[0]);
        let already = load.done.load(Ordering::Relaxed);
        eventually("the load runs", || async { (load.done.load(Ordering::Relaxed) > already + 50).then_some(()) })
            .await;

        let killed = Instant::now();
        cluster.chaos(&["kill", REGIONS[dead]]).await;
        let result = promote(&mut operator, &key_id, REGIONS[next]).await.expect("the promotion is carried out");
        let took = killed.elapsed();
        say(&format!(
            "round {round}: {} killed (leader {leader}), {} is primary {} ms after the kill (epoch {})",
            REGIONS[dead],
            REGIONS[next],
            took.as_millis(),
            result.epoch
        ));
        assert!(took < ELECTION_TIMEOUT + ALLOWANCE, "the promotion took {took:?}");

        rotate_without(&cluster, &clients[next], &key_id, REGIONS[dead]).await;
        ciphertexts.push(keys::encrypt(&clients[next], &key_id, format!("round {}", round + 1).as_bytes()).await);
        cluster.chaos(&["restart", REGIONS[dead]]).await;
        let material = keys::material(&clients[next], &key_id).await;
        for kms in &clients {
            keys::material_becomes(kms, &key_id, &material).await;
        }
        is_replica_of(&clients[dead], &key_id, REGIONS[next]).await;
        for kms in &clients {
            for (number, ciphertext) in ciphertexts.iter().enumerate() {
                assert_eq!(keys::decrypt(kms, ciphertext).await, format!("round {number}").as_bytes());
            }
        }
        say(&format!("round {round}: {} decryptions in the living Regions, none failed", load.end().await));
    }
}

async fn rotate_without(cluster: &Cluster, primary: &Kms, key_id: &str, dead: &str) {
    let before = keys::material(primary, key_id).await;
    primary.rotate_key_on_demand().key_id(key_id).send().await.expect("the new primary rotates");
    let activate = ["rotation", "activate", key_id, "--without", dead, "--yes"];
    eventually("the rotation goes on without the dead Region", || async {
        (cluster.cli_async(&activate).await.code == 0).then_some(())
    })
    .await;
    keys::material_changes(primary, key_id, &before).await;
}

async fn is_replica_of(kms: &Kms, key_id: &str, primary: &str) {
    eventually("the returned Region is a replica", || async {
        let described = kms.describe_key().key_id(key_id).send().await.ok()?.key_metadata?;
        let shown = described.multi_region_configuration?.primary_key?.region?;
        (shown == primary).then_some(())
    })
    .await;
}
