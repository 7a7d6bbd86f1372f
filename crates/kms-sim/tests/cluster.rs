//! Random lives of a cluster of three Regions: safety after every event, then healing, then quiet.
//!
//! A failing case prints the smallest list of events and keeps its seed in `cluster.proptest-regressions`; commit that
//! file, and run `cargo test -p kms-sim --test cluster` to replay it. `PROPTEST_CASES=100000` looks harder.

use kms_sim::cluster::{Cluster, event};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_claim_holds_through_faults_and_everything_is_quiet_after_healing(events in vec(event(), 1..300)) {
        let mut cluster = Cluster::default();
        for event in &events {
            cluster.happen(event);
            cluster.check().map_err(TestCaseError::fail)?;
        }
        cluster.heal().map_err(TestCaseError::fail)?;
    }
}

/// Guards the claim above against events that never get anywhere.
#[test]
fn the_events_reach_every_notable_thing() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeMap;
    let mut runner = TestRunner::deterministic();
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..200 {
        let events = vec(event(), 300).new_tree(&mut runner).unwrap().current();
        let mut cluster = Cluster::default();
        events.iter().for_each(|event| cluster.happen(event));
        for (name, count) in cluster.reached() {
            *reached.entry(name).or_default() += count;
        }
    }
    let enough = |name: &&str| reached.get(name).is_some_and(|count| *count >= 5);
    let notable = [
        "imported material activated",
        "imported material deleted",
        "key deleted",
        "material activated",
        "material activated without others",
        "material imported",
        "material offered",
        "material withdrawn",
        "primary moved",
        "refused",
        "replica added",
        "replica added again",
        "replica removed",
    ];
    let missing: Vec<_> = notable.iter().filter(|name| !enough(name)).collect();
    assert!(missing.is_empty(), "too few of {missing:?} in {reached:?}");
}
