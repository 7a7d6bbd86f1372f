//! `meridian dev` itself: its start and its end, what it refuses, and its front door.

use meridian_tests::{AP, Cluster, ClusterOptions, EU, REGIONS, US, cli, keys, ports, refused};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

/// Runs `meridian dev` where it cannot start, and returns what it says.
fn refusal(base: u16, data_dir: &Path, more: &[&str]) -> String {
    let (base, data_dir) = (base.to_string(), data_dir.to_str().unwrap().to_owned());
    let answer = cli::run(&[&["dev", "--port", &base, "--data-dir", &data_dir], more].concat());
    assert_ne!(answer.code, 0, "{answer:?}");
    assert!(!answer.stdout.contains("Ready"), "{answer:?}");
    assert_eq!(answer.stderr.trim().lines().count(), 1, "one clear sentence: {answer:?}");
    answer.stderr
}

#[test]
fn a_port_in_use_is_named() {
    let directory = tempfile::tempdir().unwrap();
    for offset in [0, 12, 23, 31] {
        let base = ports::free_base();
        let taken = TcpListener::bind(("127.0.0.1", base + offset)).unwrap();
        let said = refusal(base, &directory.path().join("data"), &[]);
        assert!(said.contains(&format!("port {}", base + offset)) && said.contains("using it"), "{said}");
        drop(taken);
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let said = refusal(ports::free_base(), &file, &[]);
    assert!(said.contains("file"), "{said}");
    let said = refusal(ports::free_base(), &file.join("below"), &[]);
    assert!(said.contains("below"), "{said}");
    let said = refusal(ports::free_base(), Path::new("/proc/meridian"), &[]);
    assert!(said.contains("/proc/meridian"), "{said}");
    let said = refusal(ports::free_base(), directory.path(), &[]);
    assert!(said.contains("is not a development cluster's directory"), "{said}");
}

#[test]
fn the_directory_of_another_cluster_is_refused() {
    let mut cluster = Cluster::start();
    let said = refusal(ports::free_base(), &cluster.data_dir(), &[]);
    assert!(said.contains("in use by another"), "{said}");
    cluster.stop();
    let said = refusal(ports::free_base(), &cluster.data_dir(), &["--regions", "us-east-1,sa-east-1,eu-west-1"]);
    assert!(said.contains("holds a cluster of the Regions"), "{said}");
    // A node of another cluster has no business in this directory either.
    let other = Cluster::start();
    let (from, to) = (other.region_dir(EU).join("root.key"), cluster.region_dir(EU).join("root.key"));
    std::fs::copy(from, to).unwrap();
    let base = ports::free_base().to_string();
    let answer = cli::run(&["dev", "--port", &base, "--data-dir", cluster.data_dir().to_str().unwrap()]);
    assert_ne!(answer.code, 0);
    assert!(answer.stderr.contains(EU) && answer.stderr.contains("root key"), "{answer:?}");
}

#[test]
fn wrong_command_lines_are_refused() {
    for arguments in [
        ["dev", "--regions", "us-east-1,us-east-1"],
        ["dev", "--regions", "nowhere"],
        ["dev", "--day-length", "soon"],
        ["dev", "--latency", "-1"],
        ["dev", "--port", "70000"],
    ] {
        let answer = cli::run(&arguments);
        assert_eq!(answer.code, 2, "{answer:?}");
    }
    let answer = cli::run(&["status", "--port", &ports::free_base().to_string()]);
    assert_eq!(answer.code, 69, "{answer:?}");
    assert!(answer.stderr.contains("no development cluster"), "{answer:?}");
}

fn is_alive(pid: i32) -> bool {
    // A process that has ended but was not waited for is a zombie, and no process any more for our purpose.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test]
async fn nothing_is_left_running_however_it_ends() {
    let mut cluster = Cluster::start();
    let limit = if cfg!(debug_assertions) { Duration::from_secs(20) } else { Duration::from_secs(3) };
    let ready = Duration::from_millis(cluster.ready_ms());
    meridian_tests::random::say(&format!("ready in {ready:?}"));
    assert!(ready < limit, "ready in {ready:?}");
    let pids = |cluster: &Cluster| REGIONS.map(|region| cluster.pid(region).unwrap());
    let before = pids(&cluster);
    assert!(before.iter().all(|pid| is_alive(*pid)));
    assert!(cluster.stop().success(), "Ctrl-C is an orderly end");
    assert!(!before.iter().any(|pid| is_alive(*pid)));

    cluster.start_again();
    let before = pids(&cluster);
    cluster.kill();
    meridian_tests::eventually("the nodes end with their owner", || async {
        (!before.iter().any(|pid| is_alive(*pid))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_front_door_leads_to_the_region_of_the_signature_and_says_when_it_is_down() {
    let cluster = Cluster::start();
    let key_id = keys::create(&cluster.kms(EU)).await;
    assert!(keys::state(&cluster.direct(EU), &key_id).await.is_some());
    assert!(keys::state(&cluster.kms(US), &key_id).await.is_none());
    let environment = cluster.cli(&["dev", "env"]).done().stdout;
    for line in [&format!("export AWS_ENDPOINT_URL=http://{}", cluster.front_door()), "export AWS_REGION=us-east-1"] {
        assert!(environment.lines().any(|found| found == line), "{environment}");
    }
    cluster.chaos(&["kill", AP]).await;
    let refusal = refused(cluster.kms(AP).list_keys().send().await);
    assert_eq!((refusal.status, refusal.code.as_str()), (503, "ServiceUnavailableException"));
    assert!(refusal.message.contains(AP), "{refusal:?}");
    cluster.kms(US).list_keys().send().await.unwrap();
    let again = cluster.cli(&["chaos", "kill", AP]);
    assert_eq!(again.code, 1, "{again:?}");
    cluster.chaos(&["restart", AP]).await;
    cluster.kms(AP).list_keys().send().await.unwrap();
}

#[tokio::test]
async fn other_regions_and_more_of_them_work_too() {
    let regions = ["sa-east-1", "eu-north-1", "us-west-2", "af-south-1", "ca-central-1"].map(str::to_owned).to_vec();
    let cluster = Cluster::start_with(ClusterOptions { regions: regions.clone(), ..ClusterOptions::default() });
    let primary = cluster.kms(&regions[0]);
    let key_id = keys::create_primary(&primary).await;
    let ciphertext = keys::encrypt(&primary, &key_id, b"x").await;
    for region in &regions[1..] {
        keys::replicate(&primary, &cluster.kms(region), &key_id).await;
        assert_eq!(keys::decrypt(&cluster.kms(region), &ciphertext).await, b"x");
    }
}
