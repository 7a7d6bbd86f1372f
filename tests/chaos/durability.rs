//! `kill -9` of nodes at random instants under a writing load: what was acknowledged is there afterwards.

use crate::alone;
use crate::register::{Outcome, Register};
use aws_sdk_kms::types::Tag;
use meridian_tests::random::{Random, say};
use meridian_tests::{Cluster, Kms, REGIONS, eventually, keys};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Rounds of one run.
const ROUNDS: u32 = 55;
/// Keys that a writer goes on changing.
const HOT_KEYS: usize = 6;

/// What one writer knows of a key of its own.
#[derive(Debug)]
struct Known {
    key_id: String,
    multi_region: bool,
    description: Register,
    tag: Register,
    /// The key that an alias of this name points at.
    alias: Option<(String, Register)>,
    /// Rotation period in days, a shared property of multi-Region keys; 0 when off.
    period: Register,
    rotations: u32,
    open_rotations: u32,
    replicas: Vec<&'static str>,
    ciphertexts: Vec<(String, Vec<u8>)>,
    touched: bool,
}

/// One client that writes in one Region.
struct Writer {
    home: &'static str,
    kms: Kms,
    random: Random,
    keys: Vec<Known>,
    counter: u64,
    acknowledged: u64,
}

impl Writer {
    async fn write_until(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.write_once().await;
        }
    }

    async fn write_once(&mut self) {
        self.counter += 1;
        let value = format!("{}-{}", self.home, self.counter);
        let hot = self.keys.len().saturating_sub(HOT_KEYS);
        if self.keys.len() == hot || self.random.below(10) == 0 {
            return self.create().await;
        }
        let range = u64::try_from(self.keys.len() - hot).unwrap();
        let at = hot + usize::try_from(self.random.below(range)).unwrap();
        let choice = self.random.below(12);
        let (kms, random) = (self.kms.clone(), &mut self.random);
        let key = &mut self.keys[at];
        key.touched = true;
        let outcome = match choice {
            0..=2 => key.describe(&kms, value).await,
            3..=5 => key.tag(&kms, value).await,
            6 | 7 => key.point_alias(&kms).await,
            8 => key.schedule(&kms, 90 + random.below(2_000)).await,
            9 => key.rotate(&kms).await,
            10 if key.multi_region => key.replicate(&kms, self.home).await,
            _ => key.encrypt(&kms, value).await,
        };
        self.acknowledged += u64::from(outcome == Outcome::Done);
    }

    async fn create(&mut self) {
        let multi_region = self.random.below(2) == 0;
        let tag = Tag::builder().tag_key("value").tag_value("first").build().unwrap();
        let request = self.kms.create_key().multi_region(multi_region).description("first").tags(tag);
        // A key whose creation was not acknowledged has no name to ask for.
        let Ok(created) = request.send().await else { return };
        self.acknowledged += 1;
        self.keys.push(Known {
            key_id: created.key_metadata.unwrap().key_id,
            multi_region,
            description: Register::new("first"),
            tag: Register::new("first"),
            alias: None,
            period: Register::new("0"),
            rotations: 0,
            open_rotations: 0,
            replicas: Vec::new(),
            ciphertexts: Vec::new(),
            touched: true,
        });
    }
}

impl Known {
    async fn describe(&mut self, kms: &Kms, value: String) -> Outcome {
        let answer = kms.update_key_description().key_id(&self.key_id).description(&value).send().await;
        let outcome = Outcome::of(&answer);
        self.description.wrote(value, outcome);
        outcome
    }

    async fn tag(&mut self, kms: &Kms, value: String) -> Outcome {
        let tag = Tag::builder().tag_key("value").tag_value(&value).build().unwrap();
        let outcome = Outcome::of(&kms.tag_resource().key_id(&self.key_id).tags(tag).send().await);
        self.tag.wrote(value, outcome);
        outcome
    }

    /// Makes an alias for the key, or removes it.
    async fn point_alias(&mut self, kms: &Kms) -> Outcome {
        let name = format!("alias/of-{}", self.key_id);
        let (_, register) = self.alias.get_or_insert_with(|| (name.clone(), Register::new("nothing")));
        let is_there = kms.describe_key().key_id(&name).send().await;
        let (value, outcome) = match Outcome::of(&is_there) {
            Outcome::Done => ("nothing", Outcome::of(&kms.delete_alias().alias_name(&name).send().await)),
            Outcome::Refused => {
                let created = kms.create_alias().alias_name(&name).target_key_id(&self.key_id).send().await;
                ("key", Outcome::of(&created))
            }
            Outcome::Unknown => return Outcome::Unknown,
        };
        register.wrote(value.to_owned(), outcome);
        outcome
    }

    async fn schedule(&mut self, kms: &Kms, days: u64) -> Outcome {
        let period = i32::try_from(days).unwrap();
        let answer = kms.enable_key_rotation().key_id(&self.key_id).rotation_period_in_days(period).send().await;
        let outcome = Outcome::of(&answer);
        self.period.wrote(days.to_string(), outcome);
        outcome
    }

    async fn rotate(&mut self, kms: &Kms) -> Outcome {
        let outcome = Outcome::of(&kms.rotate_key_on_demand().key_id(&self.key_id).send().await);
        match outcome {
            Outcome::Done => self.rotations += 1,
            Outcome::Refused => {}
            Outcome::Unknown => self.open_rotations += 1,
        }
        outcome
    }

    async fn replicate(&mut self, kms: &Kms, home: &str) -> Outcome {
        let Some(region) = REGIONS.into_iter().find(|region| *region != home && !self.replicas.contains(region)) else {
            return Outcome::Refused;
        };
        let outcome = Outcome::of(&kms.replicate_key().key_id(&self.key_id).replica_region(region).send().await);
        if outcome == Outcome::Done {
            self.replicas.push(region);
        }
        outcome
    }

    async fn encrypt(&mut self, kms: &Kms, value: String) -> Outcome {
        let request = kms.encrypt().key_id(&self.key_id).plaintext(meridian_tests::blob(value.as_bytes()));
        let answer = request.send().await;
        let outcome = Outcome::of(&answer);
        if let Ok(answer) = answer {
            self.ciphertexts.push((value, answer.ciphertext_blob.unwrap().into_inner()));
        }
        outcome
    }

    /// Reads everything back. Every Region is up; nothing is in flight.
    async fn check(&mut self, kms: &Kms, others: &[(&'static str, Kms)]) -> Result<(), String> {
        let id = self.key_id.clone();
        let wrong = |what: &str, problem: String| format!("{what} of {id}: {problem}");
        let described = kms.describe_key().key_id(&self.key_id).send().await;
        let described = described.map_err(|error| wrong("existence", format!("{error:?}")))?.key_metadata.unwrap();
        self.description.read(described.description().unwrap()).map_err(|p| wrong("description", p))?;
        let tags = kms.list_resource_tags().key_id(&self.key_id).send().await.expect("tags are listed");
        self.tag.read(tags.tags()[0].tag_value()).map_err(|p| wrong("tag", p))?;
        if let Some((name, register)) = &mut self.alias {
            let found = kms.describe_key().key_id(&*name).send().await.is_ok();
            register.read(if found { "key" } else { "nothing" }).map_err(|p| wrong("alias", p))?;
        }
        let status = kms.get_key_rotation_status().key_id(&self.key_id).send().await.expect("the status is read");
        let period = status.rotation_period_in_days().unwrap_or_default();
        self.period.read(&period.to_string()).map_err(|p| wrong("rotation period", p))?;
        self.check_rotations(kms).await.map_err(|p| wrong("rotations", p))?;
        for (plaintext, ciphertext) in self.ciphertexts.iter().rev().take(3) {
            assert_eq!(keys::decrypt(kms, ciphertext).await, plaintext.as_bytes());
        }
        for (_, replica) in others.iter().filter(|(region, _)| self.replicas.contains(region)) {
            keys::state_becomes(replica, &self.key_id, &aws_sdk_kms::types::KeyState::Enabled).await;
            for (plaintext, ciphertext) in self.ciphertexts.iter().rev().take(1) {
                assert_eq!(keys::decrypt(replica, ciphertext).await, plaintext.as_bytes());
            }
        }
        self.touched = false;
        Ok(())
    }

    /// Acknowledged rotations of multi-Region keys may still be staged; they end now that every Region is there.
    async fn check_rotations(&mut self, kms: &Kms) -> Result<(), String> {
        let least = usize::try_from(self.rotations).unwrap();
        let found = eventually(&format!("{least} rotations of {}", self.key_id), || async {
            let listed = kms.list_key_rotations().key_id(&self.key_id).limit(1000).send().await.ok()?;
            (listed.rotations().len() >= least).then_some(listed.rotations().len())
        })
        .await;
        let most = least + usize::try_from(self.open_rotations).unwrap();
        if found > most {
            return Err(format!("{found} are listed, {least} were acknowledged, {most} were asked for"));
        }
        // What was open is decided now, but a staged one may still come.
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_kills_at_random_instants() {
    let _alone = alone().await;
    let mut random = Random::for_test("chaos", "acknowledged_changes_survive_kills_at_random_instants");
    let cluster = Arc::new(Cluster::start());
    let clients: Vec<(&'static str, Kms)> = REGIONS.map(|region| (region, cluster.direct(region))).to_vec();
    let mut writers: Vec<Writer> = clients
        .iter()
        .map(|(home, kms)| Writer {
            home,
            kms: kms.clone(),
            random: random.split(),
            keys: Vec::new(),
            counter: 0,
            acknowledged: 0,
        })
        .collect();
    for round in 0..ROUNDS {
        let before: u64 = writers.iter().map(|writer| writer.acknowledged).sum();
        writers = one_round(&cluster, writers, &mut random).await;
        for writer in &mut writers {
            let kms = writer.kms.clone();
            for key in writer.keys.iter_mut().filter(|key| key.touched) {
                if let Err(lost) = key.check(&kms, &clients).await {
                    panic!("round {round}, written in {}: {lost}", writer.home);
                }
            }
        }
        let after: u64 = writers.iter().map(|writer| writer.acknowledged).sum();
        if round % 10 == 9 {
            say(&format!("round {}: {after} changes acknowledged, none lost", round + 1));
        }
        assert!(after > before, "round {round} had no load");
    }
    for writer in &mut writers {
        let kms = writer.kms.clone();
        for key in &mut writer.keys {
            key.check(&kms, &clients).await.unwrap_or_else(|lost| panic!("at the end: {lost}"));
        }
    }
    let keys: usize = writers.iter().map(|writer| writer.keys.len()).sum();
    let changes: u64 = writers.iter().map(|writer| writer.acknowledged).sum();
    say(&format!("{ROUNDS} rounds, {keys} keys, {changes} acknowledged changes, none lost"));
}

/// Writes, kills one, two or three nodes in the middle of it, and brings them back.
async fn one_round(cluster: &Arc<Cluster>, writers: Vec<Writer>, random: &mut Random) -> Vec<Writer> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for mut writer in writers {
        let stop = Arc::clone(&stop);
        tasks.spawn(async move {
            writer.write_until(&stop).await;
            writer
        });
    }
    // The instant is what this test is about, so here a time is waited for.
    tokio::time::sleep(Duration::from_millis(150 + random.below(500))).await;
    let count = [1, 1, 1, 2, 3][usize::try_from(random.below(5)).unwrap()];
    let first = usize::try_from(random.below(3)).unwrap();
    let victims: Vec<&str> = (0..count).map(|offset| REGIONS[(first + offset) % 3]).collect();
    for victim in &victims {
        cluster.chaos(&["kill", victim]).await;
    }
    stop.store(true, Ordering::Relaxed);
    // Together: one alone has no majority to become ready with.
    let mut restarts = JoinSet::new();
    for victim in victims {
        let cluster = Arc::clone(cluster);
        restarts.spawn(async move { cluster.chaos(&["restart", victim]).await });
    }
    restarts.join_all().await;
    let mut writers = tasks.join_all().await;
    writers.sort_by_key(|writer| writer.home);
    cluster.leader().await;
    writers
}
