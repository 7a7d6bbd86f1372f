//! Three Regions, and what an insider of one of them cannot do.

use crate::fixture::{DAY_ONE, Keys, Node, append, decrypt_in, region};
use kms_audit::{
    ClusterEvidence, ControlFacts, Discrepancy, KeyUses, LogFiles, Obligation, Reconciliation, RegionLog,
    SignedCheckpoint, Start, reconcile,
};
use kms_types::{KeyId, RegionName};
use proptest::prelude::*;

const REGIONS: [&str; 3] = ["ap-southeast-1", "eu-west-1", "us-east-1"];

struct Cluster {
    nodes: Vec<Node>,
    checkpoints: Vec<SignedCheckpoint>,
    facts: ControlFacts,
}

impl Cluster {
    /// Each Region has 20 records, of which every fifth follows from a change, and a checkpoint after every sixth that
    /// the other two have countersigned.
    fn new() -> Self {
        let mut cluster = Self { nodes: Vec::new(), checkpoints: Vec::new(), facts: ControlFacts::default() };
        (cluster.facts.from, cluster.facts.to) = (1, 100);
        for name in REGIONS {
            let node = Node::written(name, 0);
            let log = node.open();
            for number in 0..20 {
                let index = (number % 5 == 0).then_some(number + 1);
                let record = decrypt_in(node.log.region(), number, DAY_ONE + 100 * number + index_of(name), index);
                append(&log, record);
                if let Some(index) = index {
                    let event = "Decrypt".to_owned();
                    cluster.facts.obligations.push(Obligation { region: node.log.region().clone(), index, event });
                }
            }
            drop(log);
            cluster.checkpoints.extend(checkpoints_of(&node, &others(name)));
            cluster.nodes.push(node);
        }
        cluster
    }

    fn reconcile(&self) -> Reconciliation {
        let files: Vec<LogFiles> = self.nodes.iter().map(Node::files).collect();
        let logs: Vec<RegionLog<'_>> =
            files.iter().map(|files| RegionLog { files, start: Start::Origin, heads: &[] }).collect();
        let regions: Vec<RegionName> = REGIONS.iter().map(|name| region(name)).collect();
        let verifier = Keys::of(&regions[0]);
        let evidence = ClusterEvidence {
            regions: &regions,
            logs: &logs,
            checkpoints: &self.checkpoints,
            countersignatures_min: 2,
            countersignatures_within: std::time::Duration::ZERO,
            verifier: &verifier,
            control: Some(&self.facts),
        };
        reconcile(&evidence).unwrap()
    }

    fn discrepancies(&self) -> Vec<Discrepancy> {
        self.reconcile().discrepancies
    }
}

fn index_of(name: &str) -> u64 {
    u64::try_from(REGIONS.iter().position(|other| *other == name).unwrap()).unwrap()
}

fn others(name: &str) -> Vec<&'static str> {
    REGIONS.into_iter().filter(|other| *other != name).collect()
}

fn checkpoints_of(node: &Node, witnesses: &[&str]) -> Vec<SignedCheckpoint> {
    let heads = node.events().into_iter().map(|event| event.head).filter(|head| head.sequence % 6 == 0);
    heads.map(|head| node.checkpoint(head, witnesses)).collect()
}

/// A Region's log written anew with another record, as its insider would, with the same number of records.
fn rewritten(name: &str, from: u64) -> Node {
    let node = Node::written(name, 0);
    let log = node.open();
    for number in 0..20 {
        let index = (number % 5 == 0).then_some(number + 1);
        let forged = if number >= from { number + 1000 } else { number };
        append(&log, decrypt_in(node.log.region(), forged, DAY_ONE + 100 * number + index_of(name), index));
    }
    drop(log);
    node
}

#[test]
fn three_honest_regions_reconcile() {
    let result = Cluster::new().reconcile();
    assert!(result.is_clean(), "{:?}", result.discrepancies);
    assert_eq!(result.changes_recorded, 12);
    // Two starts and two stops beside the 20 records.
    assert_eq!(result.reports.iter().map(|report| report.records).collect::<Vec<_>>(), [24; 3]);
    assert!(result.reports.iter().all(|report| report.checkpoints == 4));
}

#[test]
fn a_chain_that_is_written_anew_is_found_through_the_countersignatures() {
    for from in 0..20 {
        let mut cluster = Cluster::new();
        cluster.nodes[1] = rewritten("eu-west-1", from);
        assert!(cluster.nodes[1].verify().is_clean(), "by itself, nothing is wrong with it");
        let result = cluster.reconcile();
        let found = result.discrepancies.iter().find_map(|discrepancy| match discrepancy {
            Discrepancy::Rewritten { region, after, by, witnesses } => Some((region, *after, *by, witnesses)),
            _ => None,
        });
        let (region, after, by, witnesses) = found.unwrap();
        assert_eq!(region.as_str(), "eu-west-1");
        // Three records of the log itself come before the first request.
        let changed = from + 4;
        assert!(after < changed && changed <= by, "record {changed} is between {after} and {by}");
        assert_eq!(by - after, 6);
        assert_eq!(witnesses.len(), 2);
    }
}

#[test]
fn new_checkpoints_of_the_insider_do_not_help_him() {
    for his_come_first in [true, false] {
        let mut cluster = Cluster::new();
        cluster.nodes[1] = rewritten("eu-west-1", 10);
        // He can sign for his own Region only.
        let mut his = checkpoints_of(&cluster.nodes[1], &[]);
        if his_come_first {
            his.append(&mut cluster.checkpoints);
            cluster.checkpoints = his;
        } else {
            cluster.checkpoints.append(&mut his);
        }
        let found = cluster.discrepancies();
        let forks = found.iter().filter(|found| matches!(found, Discrepancy::Fork { .. })).count();
        assert_eq!(forks, 2, "{found:?}");
        assert!(
            found.iter().any(|found| matches!(found, Discrepancy::Rewritten { after: 12, by: 18, .. })),
            "{found:?}"
        );
    }
}

#[test]
fn a_checkpoint_that_witnesses_passed_over_is_covered_by_a_later_one() {
    let mut cluster = Cluster::new();
    let log = cluster.nodes[1].log.clone();
    let passed_over = cluster.checkpoints.iter_mut().filter(|signed| signed.checkpoint.log == log).nth(1).unwrap();
    assert!(passed_over.countersignatures.len() >= 2);
    passed_over.countersignatures.clear();
    assert_eq!(cluster.discrepancies(), []);
}

#[test]
fn checkpoints_that_nobody_else_saw_are_told() {
    let mut cluster = Cluster::new();
    let lone = checkpoints_of(&cluster.nodes[1], &["us-east-1"]);
    cluster.checkpoints.retain(|signed| signed.checkpoint.log != cluster.nodes[1].log);
    cluster.checkpoints.extend(lone);
    let eu = region("eu-west-1");
    // All but the last, whose countersignatures may still be on their way.
    let expected: Vec<_> = [6, 12, 18]
        .map(|sequence| Discrepancy::Unwitnessed { region: eu.clone(), sequence, witnesses: 1 })
        .into_iter()
        .collect();
    assert_eq!(cluster.discrepancies(), expected);
}

#[test]
fn forged_and_stray_checkpoints_are_told_and_believed_by_nobody() {
    let mut cluster = Cluster::new();
    let mut forged = cluster.checkpoints[0].clone();
    forged.checkpoint.head.hash = cluster.checkpoints[1].checkpoint.head.hash;
    let mut outbid = cluster.checkpoints[0].clone();
    outbid.countersignatures[0].time = kms_types::Timestamp::from_millis(7);
    let mut own = cluster.checkpoints[0].clone();
    own.countersign(region(REGIONS[0]), kms_types::Timestamp::default(), &Keys::of(&region(REGIONS[0]))).unwrap();
    let stray = Node::written("us-west-2", 2);
    let stray = stray.checkpoint(stray.events()[0].head, &[]);
    cluster.checkpoints.extend([forged, outbid, own, stray]);
    let result = cluster.reconcile();
    let bad = |found: &&Discrepancy| matches!(found, Discrepancy::BadCheckpoint { .. });
    assert_eq!(result.discrepancies.iter().filter(bad).count(), 3, "{:?}", result.discrepancies);
    assert_eq!(result.discrepancies_total, 4);
    assert!(result.reports.iter().all(kms_audit::Report::is_clean));
}

#[test]
fn a_missing_log_is_told() {
    let mut cluster = Cluster::new();
    let gone = cluster.nodes.remove(2);
    cluster.checkpoints.retain(|signed| signed.checkpoint.log != gone.log);
    let found = cluster.discrepancies();
    assert!(found.contains(&Discrepancy::NoLog { region: region("us-east-1") }), "{found:?}");
}

#[test]
fn every_change_has_its_record_and_every_record_its_change() {
    let mut cluster = Cluster::new();
    let eu = region("eu-west-1");
    let forgotten = Obligation { region: eu.clone(), index: 7, event: "RotateKey".to_owned() };
    cluster.facts.obligations.retain(|o| !(o.region == eu && o.index == 6));
    cluster.facts.obligations.push(forgotten);
    let (event, index) = ("Decrypt".to_owned(), 6);
    let expected = [
        Discrepancy::UnfoundedRecord { region: eu.clone(), sequence: 9, index, event },
        Discrepancy::UnrecordedChange { region: eu, index: 7, event: "RotateKey".to_owned() },
    ];
    assert_eq!(cluster.discrepancies(), expected);
}

#[test]
fn the_request_that_made_a_change_may_name_it_and_no_record_is_missed_that_is_not_promised_yet() {
    let mut cluster = Cluster::new();
    let eu = region("eu-west-1");
    let of = |index| Obligation { region: eu.clone(), index, event: "ApplyControlChange".to_owned() };
    // The change of each Decrypt record obliges to another record, which is there for none of them.
    cluster.facts.obligations.retain(|o| o.region != eu);
    cluster.facts.obligations.extend([1, 6, 11, 16].map(of));
    cluster.facts.recorded_to.insert(eu.clone(), 6);
    let missing = |index| Discrepancy::UnrecordedChange { region: eu.clone(), index, event: of(index).event };
    assert_eq!(cluster.discrepancies(), [missing(1), missing(6)]);
    cluster.facts.recorded_to.insert(eu.clone(), 0);
    assert_eq!(cluster.discrepancies(), []);
}

#[test]
fn a_change_that_is_recorded_twice_is_told_and_other_parts_of_the_control_log_are_left_alone() {
    let cluster = Cluster::new();
    let eu = region("eu-west-1");
    let log = cluster.nodes[1].open();
    append(&log, decrypt_in(&eu, 50, DAY_ONE, Some(16)));
    append(&log, decrypt_in(&eu, 51, DAY_ONE, Some(101)));
    drop(log);
    let event = "Decrypt".to_owned();
    assert_eq!(cluster.discrepancies(), [Discrepancy::RecordedTwice { region: eu, sequence: 26, index: 16, event }]);
}

#[test]
fn a_control_log_index_that_goes_back_is_told() {
    let mut cluster = Cluster::new();
    let mut later = cluster.checkpoints.pop().unwrap().checkpoint;
    later.control_log_index = 1;
    let (log, sequence) = (later.log.clone(), later.head.sequence);
    cluster.checkpoints.push(later.sign(&Keys::of(log.region())).unwrap());
    let region = log.region().clone();
    assert_eq!(cluster.discrepancies(), [Discrepancy::ControlLogWentBack { region, sequence }]);
}

#[test]
fn a_witness_signs_only_what_follows() {
    let node = Node::written("eu-west-1", 4);
    let heads: Vec<_> = node.events().iter().map(|event| event.head).collect();
    let (early, late) = (node.checkpoint(heads[1], &[]), node.checkpoint(heads[3], &[]));
    assert!(late.follows(&early.checkpoint) && late.follows(&late.checkpoint));
    assert!(!early.follows(&late.checkpoint));
    let mut fork = late.clone();
    fork.checkpoint.head.hash = heads[0].hash;
    assert!(!fork.follows(&late.checkpoint));
    let mut other = late.clone();
    other.checkpoint.log = crate::fixture::log_of("us-east-1");
    assert!(!other.follows(&late.checkpoint));
}

#[test]
fn every_use_of_a_key_is_listed_in_the_order_of_time() {
    let cluster = Cluster::new();
    let key = KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap();
    let logs = || cluster.nodes.iter().map(Node::files).collect();
    let uses: Vec<_> = KeyUses::new(logs(), key, None, None).map(Result::unwrap).collect();
    assert_eq!(uses.len(), 60);
    assert!(uses.is_sorted_by_key(|found| found.record.event.time));
    for name in REGIONS {
        assert_eq!(uses.iter().filter(|found| found.region.as_str() == name).count(), 20);
    }
    let other = KeyId::parse("mrk-00000000000000000000000000000000").unwrap();
    assert_eq!(KeyUses::new(logs(), other, None, None).count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn one_changed_byte_in_any_region_is_found(node in 0..3_usize, at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let cluster = Cluster::new();
        let files = cluster.nodes[node].files();
        let name = files.name(files.days()[0]);
        let mut content = cluster.nodes[node].volume.read(&name).unwrap();
        let at = at.index(content.len());
        content[at] ^= flip;
        cluster.nodes[node].volume.put(&name, &content);
        let result = cluster.reconcile();
        prop_assert!(!result.is_clean());
        prop_assert!(!result.reports[node].is_clean());
    }
}
