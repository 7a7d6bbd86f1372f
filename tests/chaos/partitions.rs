//! Partitions, isolation, latency and pauses under clients that change shared properties: one primary at a time, no
//! acknowledged change lost, nothing committed by a minority; and cryptography that does not notice.

use crate::history::{Change, CutOff, Event, Final, judge};
use crate::register::Outcome;
use crate::{alone, operator, promote};
use kms_proto::cluster::v1::DescribeKeyRequest;
use meridian_tests::random::{Random, say};
use meridian_tests::{Cluster, ClusterOptions, Kms, REGIONS, eventually, keys};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long faults go on.
const FAULTS: Duration = Duration::from_secs(90);
/// Longest rotation period in days (API reference of EnableKeyRotation).
const PERIOD_MAX: i32 = 2560;
/// Keys whose primary moves about.
const KEYS: usize = 3;

/// A client in one Region that changes shared properties and uses the keys.
struct Client {
    region: &'static str,
    kms: Kms,
    cluster: Arc<Cluster>,
    key_ids: Vec<String>,
    random: Random,
    periods: Arc<AtomicI32>,
    events: Vec<Event>,
    used: u64,
}

impl Client {
    async fn run(mut self, stop: Arc<AtomicBool>) -> Self {
        while !stop.load(Ordering::Relaxed) {
            let key_id = self.random.pick(&self.key_ids).clone();
            self.use_key(&key_id).await;
            let sent = Instant::now();
            // Every period is used once, and there are not endlessly many.
            let is_used_up = self.periods.load(Ordering::Relaxed) > PERIOD_MAX;
            let (change, outcome) = if is_used_up || self.random.below(3) == 0 {
                self.promote(&key_id).await
            } else {
                self.set_period(&key_id).await
            };
            let answered = Instant::now();
            self.events.push(Event { region: self.region, key_id, change, sent, answered, outcome });
        }
        self
    }

    /// Cryptography is local: it works whatever happens between Regions.
    async fn use_key(&mut self, key_id: &str) {
        let ciphertext = keys::encrypt(&self.kms, key_id, b"local").await;
        assert_eq!(keys::decrypt(&self.kms, &ciphertext).await, b"local");
        self.used += 1;
    }

    async fn promote(&mut self, key_id: &str) -> (Change, Outcome) {
        let to = (*self.random.pick(&REGIONS)).to_owned();
        let Some(mut operator) = operator(&self.cluster, self.region).await else {
            return (Change::Promote { to, epoch: None }, Outcome::Refused);
        };
        match promote(&mut operator, key_id, &to).await {
            Ok(result) => (Change::Promote { to, epoch: Some(result.epoch) }, Outcome::Done),
            Err(_) => (Change::Promote { to, epoch: None }, Outcome::Unknown),
        }
    }

    async fn set_period(&mut self, key_id: &str) -> (Change, Outcome) {
        let period = self.periods.fetch_add(1, Ordering::Relaxed);
        let answer = self.kms.enable_key_rotation().key_id(key_id).rotation_period_in_days(period).send().await;
        (Change::Period(period), Outcome::of(&answer))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_neither_split_the_brain_nor_lose_a_change() {
    let _alone = alone().await;
    let mut random = Random::for_test("chaos", "partitions_neither_split_the_brain_nor_lose_a_change");
    let cluster = Arc::new(Cluster::start_with(ClusterOptions::with(&["--latency", "5"])));
    let clients = REGIONS.map(|region| cluster.direct(region));
    let mut key_ids = Vec::new();
    for number in 0..KEYS {
        let key_id = keys::create_primary(&clients[number]).await;
        for replica in (0..3).filter(|replica| *replica != number) {
            keys::replicate(&clients[number], &clients[replica], &key_id).await;
        }
        key_ids.push(key_id);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let periods = Arc::new(AtomicI32::new(90));
    let mut tasks = JoinSet::new();
    for (region, kms) in REGIONS.into_iter().zip(&clients) {
        let client = Client {
            region,
            kms: kms.clone(),
            cluster: Arc::clone(&cluster),
            key_ids: key_ids.clone(),
            random: random.split(),
            periods: Arc::clone(&periods),
            events: Vec::new(),
            used: 0,
        };
        tasks.spawn(client.run(Arc::clone(&stop)));
    }
    let cuts = inject(&cluster, &mut random).await;
    stop.store(true, Ordering::Relaxed);
    let clients = tasks.join_all().await;
    let events: Vec<Event> = clients.iter().flat_map(|client| client.events.clone()).collect();
    let mut ends = BTreeMap::new();
    for key_id in &key_ids {
        ends.insert(key_id.clone(), agreed(&cluster, key_id).await);
    }
    let count = |outcome| events.iter().filter(|event| event.outcome == outcome).count();
    say(&format!(
        "{} changes: {} acknowledged, {} refused, {} unknown; {} local uses; {} isolations; the end: {ends:?}",
        events.len(),
        count(Outcome::Done),
        count(Outcome::Refused),
        count(Outcome::Unknown),
        clients.iter().map(|client| client.used).sum::<u64>(),
        cuts.len(),
    ));
    judge(&events, &cuts, &ends).unwrap_or_else(|problem| panic!("{problem}"));
    assert!(count(Outcome::Done) > 50, "there was hardly any load");
    assert!(clients.iter().all(|client| client.used > 20), "a Region was hardly used");
}

/// Injects faults for a while and heals all of them; returns when which Region was cut off.
async fn inject(cluster: &Cluster, random: &mut Random) -> Vec<CutOff> {
    let mut cuts = Vec::new();
    let started = Instant::now();
    while started.elapsed() < FAULTS {
        let region = *random.pick(&REGIONS);
        let others: Vec<&str> = REGIONS.into_iter().filter(|other| *other != region).collect();
        let duration = Duration::from_millis(500 + random.below(4_000));
        match random.below(5) {
            0 | 1 => {
                cluster.chaos(&["isolate", region]).await;
                let from = Instant::now();
                tokio::time::sleep(duration).await;
                cuts.push(CutOff { region, from, until: Instant::now() });
                cluster.chaos(&["heal"]).await;
            }
            2 => {
                cluster.chaos(&["partition", &format!("{region}|{}", others[0])]).await;
                tokio::time::sleep(duration).await;
                cluster.chaos(&["heal"]).await;
            }
            3 => {
                let latency = random.below(60).to_string();
                cluster.chaos(&["latency", &latency, "--between", region, others[1]]).await;
                tokio::time::sleep(duration).await;
                cluster.chaos(&["latency", "5"]).await;
            }
            _ => {
                cluster.chaos(&["partition", &format!("{region}|{}", others.join(","))]).await;
                let from = Instant::now();
                tokio::time::sleep(duration).await;
                cuts.push(CutOff { region, from, until: Instant::now() });
                cluster.chaos(&["heal"]).await;
            }
        }
        // Time in which something can be committed again.
        tokio::time::sleep(Duration::from_millis(500 + random.below(1_500))).await;
    }
    cluster.chaos(&["heal"]).await;
    cluster.chaos(&["latency", "0"]).await;
    cuts
}

/// Waits until all Regions say the same of a key, and returns it.
async fn agreed(cluster: &Cluster, key_id: &str) -> Final {
    eventually(&format!("all Regions agree on {key_id}"), || async {
        let mut answers = Vec::new();
        for region in REGIONS {
            answers.push(described(cluster, region, key_id).await?);
        }
        let same = answers.iter().all(|answer| *answer == answers[0]);
        let (primary, epoch, period) = answers.swap_remove(0);
        same.then_some(Final { primary, epoch, period })
    })
    .await
}

async fn described(cluster: &Cluster, region: &str, key_id: &str) -> Option<(String, u64, i32)> {
    use kms_proto::cluster::v1::cluster_client::ClusterClient;
    use meridian_tests::mutual_tls::{Identity, connect};
    let identity = Identity::named(&cluster.data_dir(), "operator");
    let authority = cluster.data_dir().join("ca/ca.pem");
    let channel = connect(&cluster.grpc(region), region, &authority, Some(&identity)).await.ok()?;
    let mut client = ClusterClient::new(channel);
    // The barrier: what this Region says now includes everything that was committed before.
    client.sync(kms_proto::cluster::v1::SyncRequest { timeout_ms: 5_000 }).await.ok()?;
    let answer = client.describe_key(DescribeKeyRequest { key_id: key_id.to_owned() }).await.ok()?.into_inner();
    let key = answer.key?;
    let period = i32::try_from(answer.rotation?.period_days).ok()?;
    Some((key.primary_region, key.epoch, period))
}
