//! `meridian status` and `meridian keys`: what an operator sees, also when nothing leads.

use meridian_tests::{AP, Cluster, EU, REGIONS, US, eventually, keys};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_tells_how_the_cluster_is_and_works_with_no_leader() {
    let cluster = Cluster::start();
    let us = cluster.direct(US);
    let key_id = keys::create_primary(&us).await;
    cluster.leader().await;
    let status = cluster.cli(&["status", "--output", "json"]).done().json();
    let regions = status["regions"].as_array().unwrap();
    assert_eq!(regions.iter().map(|region| region["region"].as_str().unwrap()).collect::<Vec<_>>(), REGIONS);
    assert!(regions.iter().all(|region| region["reachable"] == true));
    assert_eq!(regions.iter().filter(|region| region["raft_role"] == "leader").count(), 1);
    assert!(regions.iter().all(|region| region["applied_index"].as_u64().unwrap() > 0));
    let table = cluster.cli(&["status"]).done().stdout;
    assert!(REGIONS.iter().all(|region| table.contains(region)), "{table}");
    // Three Regions: one may go before shared properties cannot be changed, two before cryptography stops.
    let words = table.to_lowercase();
    assert!(words.contains("can be lost"), "{table}");

    cluster.chaos(&["kill", EU]).await;
    cluster.chaos(&["kill", AP]).await;
    eventually("nobody leads", || async {
        let answer = cluster.cli_async(&["status", "--output", "json"]).await;
        assert_eq!(answer.code, 69, "{answer:?}");
        let status = answer.json();
        let us = status["regions"].as_array()?.iter().find(|region| region["region"] == US)?.clone();
        assert_eq!(us["reachable"], true);
        (us["raft_role"] != "leader" || us["quorum_ack_ms"].as_u64().is_none_or(|ms| ms > 1_000)).then_some(())
    })
    .await;
    let table = cluster.cli(&["status"]);
    assert!(table.stdout.contains("unreachable"), "{table:?}");
    // The Region that is left still does cryptography.
    let ciphertext = keys::encrypt(&us, &key_id, b"alone").await;
    assert_eq!(keys::decrypt(&us, &ciphertext).await, b"alone");
}

#[tokio::test]
async fn keys_are_listed_and_described() {
    let cluster = Cluster::start();
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let single = keys::create(&us).await;
    let shared = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &shared).await;
    us.create_alias().alias_name("alias/orders").target_key_id(&shared).send().await.unwrap();
    let list = |arguments: &[&str]| {
        let answer = cluster.cli(&[&["keys", "list", "--output", "json"], arguments].concat()).done().json();
        answer["keys"].as_array().unwrap().iter().map(|key| key["key_id"].as_str().unwrap().to_owned()).collect()
    };
    let mut all: Vec<String> = list(&["--region", US]);
    all.sort();
    let mut expected = vec![single.clone(), shared.clone()];
    expected.sort();
    assert_eq!(all, expected);
    let shared_only: Vec<String> = list(&["--region", EU, "--multi-region"]);
    assert_eq!(shared_only, std::slice::from_ref(&shared));
    for name in [shared.as_str(), "alias/orders"] {
        let described = cluster.cli(&["keys", "describe", name, "--region", US, "--output", "json"]).done().json();
        let text = described.to_string();
        assert!(text.contains(r#""primary_region":"us-east-1""#) && text.contains(r#""epoch":1"#), "{text}");
        assert_eq!(described["holders"].as_array().unwrap().len(), 2);
        assert_eq!(described["materials"].as_array().unwrap().len(), 1);
    }
    let table = cluster.cli(&["keys", "describe", &shared]).done().stdout;
    assert!(table.contains("us-east-1") && table.contains("eu-west-1"), "{table}");
    let unknown = cluster.cli(&["keys", "describe", "alias/nothing"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.stderr.contains("No alias alias/nothing"), "{unknown:?}");
}
