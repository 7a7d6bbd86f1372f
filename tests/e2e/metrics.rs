//! What the operations port tells of single keys, of Regions that lag, and of certificates.

use meridian_tests::{AP, Cluster, ClusterOptions, EU, US, eventually, http1, keys};

async fn scrape(cluster: &Cluster, region: &str) -> String {
    String::from_utf8(http1::get(&cluster.operations(region), "/metrics").await.body).unwrap()
}

/// The value of one series; `None` when it is not told.
fn value(scrape: &str, series: &str) -> Option<f64> {
    let line = scrape.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

fn uses(region: &str, key_id: &str, class: &str) -> String {
    format!("meridian_key_uses_total{{region=\"{region}\",key_id=\"{key_id}\",class=\"{class}\"}}")
}

#[tokio::test]
async fn the_use_of_a_key_is_told_by_class_until_the_key_is_deleted() {
    let cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "100ms"]));
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    for _ in 0..3 {
        let ciphertext = keys::encrypt(&us, &key_id, b"counted").await;
        drop(keys::decrypt(&us, &ciphertext).await);
    }
    us.generate_data_key_without_plaintext().key_id(&key_id).number_of_bytes(32).send().await.unwrap();
    let told = scrape(&cluster, US).await;
    assert_eq!(value(&told, &uses(US, &key_id, "encrypt")), Some(4.0), "{told}");
    assert_eq!(value(&told, &uses(US, &key_id, "decrypt")), Some(3.0));
    assert_eq!(value(&told, &uses(US, "other", "encrypt")), Some(0.0));
    let in_region = |class| format!("meridian_region_key_uses_total{{region=\"{US}\",class=\"{class}\"}}");
    assert_eq!(value(&told, &in_region("encrypt")), Some(4.0));
    assert!(!scrape(&cluster, EU).await.contains(&key_id), "another Region has not used it");

    us.schedule_key_deletion().key_id(&key_id).pending_window_in_days(7).send().await.unwrap();
    eventually("the series are gone with the key", || async {
        (!scrape(&cluster, US).await.contains(&key_id)).then_some(())
    })
    .await;
    assert_eq!(value(&scrape(&cluster, US).await, &in_region("encrypt")), Some(4.0));
}

#[tokio::test]
async fn a_key_lags_in_a_region_that_is_away_until_it_is_back() {
    let cluster = Cluster::start();
    let [us, eu, ap] = [US, EU, AP].map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;
    let series =
        |region| format!("meridian_key_replication_lag_milliseconds{{key_id=\"{key_id}\",region=\"{region}\"}}");
    let longest = |region: &str| format!("meridian_replication_lag_milliseconds{{region=\"{region}\"}}");
    let rotation = format!("meridian_key_rotation_stage_seconds{{key_id=\"{key_id}\"}}");
    eventually("nothing lags", || async {
        (!scrape(&cluster, US).await.contains("key_replication_lag_milliseconds{")).then_some(())
    })
    .await;

    cluster.chaos(&["kill", EU]).await;
    eventually("a majority takes the change", || async { us.enable_key_rotation().key_id(&key_id).send().await.ok() })
        .await;
    eventually("only the Region that is away lags, for longer and longer", || async {
        let told = scrape(&cluster, US).await;
        let lag = value(&told, &series(EU)).filter(|lag| *lag > 1_000.0)?;
        let all = value(&told, &longest(EU)).unwrap();
        assert!(all >= lag, "{all} is the longest, {lag} one of them");
        (value(&told, &series(AP)).is_none() && value(&told, &longest(AP)) == Some(0.0)).then_some(())
    })
    .await;
    drop(us.rotate_key_on_demand().key_id(&key_id).send().await.unwrap());
    eventually("the rotation waits", || async { value(&scrape(&cluster, US).await, &rotation) }).await;

    cluster.chaos(&["restart", EU]).await;
    eventually("the Region has caught up, and the rotation is done", || async {
        let told = scrape(&cluster, US).await;
        let done = value(&told, &series(EU)).is_none() && value(&told, &rotation).is_none();
        (done && value(&told, &longest(EU)) == Some(0.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn certificates_in_use_say_when_they_end() {
    let cluster = Cluster::start();
    let told = scrape(&cluster, US).await;
    for certificate in ["cluster", "authority"] {
        let series = format!("meridian_certificate_expires_seconds{{certificate=\"{certificate}\"}}");
        assert!(value(&told, &series).is_some_and(|left| left > 86_400.0), "{certificate}: {told}");
    }
}
