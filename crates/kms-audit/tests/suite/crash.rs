//! A power cut at every write and sync, with every way in which a disk may keep or lose what was under way.

use crate::fixture::{DAY, DAY_ONE, Node, append, decrypt};
use kms_audit::{AuditLog, Head, MemoryVolume, OpenError, PowerCut, Priority, Receipt};
use std::sync::atomic::Ordering;

const RECORDS: u64 = 12;
const SEEDS: u64 = 24;

/// Appends until something fails, across midnight; returns what was acknowledged.
fn run(node: &Node) -> Vec<(u64, Head)> {
    let mut acknowledged = Vec::new();
    let log = match AuditLog::open(node.ports(), node.log.clone(), &node.options) {
        Ok(log) => log,
        Err(OpenError::Io { .. }) => return acknowledged,
        Err(other) => panic!("{other}"),
    };
    for number in 0..RECORDS {
        let time = DAY_ONE + DAY * (number / (RECORDS / 2)) + number;
        node.clock.store(time, Ordering::SeqCst);
        if let Ok(Receipt::Recorded(head)) = log.append(decrypt(number, time), Priority::Request) {
            acknowledged.push((number, head));
        }
    }
    acknowledged
}

/// Opens what a cut left: everything acknowledged is there, once, and the chain goes on.
fn check(node: &Node, acknowledged: &[(u64, Head)], what: &str) {
    let mut node = node.clone();
    node.options.known_heads = acknowledged.iter().map(|(_, head)| *head).collect();
    let log = node.open();
    let next = append(&log, decrypt(1000, DAY_ONE + 2 * DAY));
    drop(log);
    let numbers = node.numbers();
    for (number, head) in acknowledged {
        assert_eq!(numbers.iter().filter(|other| *other == number).count(), 1, "{what}: record {number}");
        assert!(head.sequence < next.sequence, "{what}");
    }
    assert!(numbers.is_sorted(), "{what}: {numbers:?}");
    let heads: Vec<Head> = acknowledged.iter().map(|(_, head)| *head).collect();
    let report = node.verify_with(&heads, &[]);
    assert!(report.is_clean(), "{what}: {:?}", report.findings);
}

#[test]
fn a_power_cut_at_any_step_loses_nothing_acknowledged() {
    let whole = Node::new();
    assert_eq!(run(&whole).len(), 12);
    let steps = whole.volume.steps();
    assert!(steps > 30, "{steps} steps");
    for step in 0..steps {
        let node = Node::new();
        node.volume.cut_power_at_step(step);
        let acknowledged = run(&node);
        assert!(node.volume.is_cut(), "step {step} came");
        let tears = (0..SEEDS).map(|seed| PowerCut::Tears(seed + SEEDS * step));
        for cut in [PowerCut::LosesUnsynced, PowerCut::KeepsUnsynced].into_iter().chain(tears) {
            check(&node.on(node.volume.after(cut)), &acknowledged, &format!("step {step}, {cut:?}"));
        }
    }
}

#[test]
fn a_second_power_cut_while_the_first_is_mended_loses_nothing_either() {
    for (first, second) in (0..400).map(|n| (n % 40, n / 10)) {
        let node = Node::new();
        node.volume.cut_power_at_step(first);
        let mut acknowledged = run(&node);
        let again = node.on(node.volume.after(PowerCut::Tears(first)));
        again.volume.cut_power_at_step(second);
        acknowledged.extend(run(&again));
        let mut found = again.on(again.volume.after(PowerCut::Tears(second)));
        let heads: Vec<Head> = acknowledged.iter().map(|(_, head)| *head).collect();
        found.options.known_heads.clone_from(&heads);
        drop(found.open());
        let report = found.verify_with(&heads, &[]);
        assert!(report.is_clean(), "steps {first} and {second}: {:?}", report.findings);
    }
}

#[test]
fn a_failing_step_is_an_error_and_the_log_goes_on_when_reopened() {
    let steps = {
        let node = Node::new();
        run(&node);
        node.volume.steps()
    };
    for step in 0..steps {
        let node = Node::new();
        node.volume.fail_at_step(step);
        let acknowledged = run(&node);
        check(&node.on(node.volume.after(PowerCut::LosesUnsynced)), &acknowledged, &format!("step {step}"));
    }
}

#[test]
fn a_tail_that_was_never_acknowledged_is_dropped_and_the_log_says_so() {
    let node = Node::new();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE));
    let cut: MemoryVolume = node.volume.after(PowerCut::KeepsUnsynced);
    drop(log);
    let node = node.on(cut);
    let name = node.files().name(node.files().days()[0]);
    let whole = node.volume.read(&name).unwrap();
    node.volume.put(&name, &[whole.as_slice(), b"{\"eventVersion\":\"1.1"].concat());
    let log = node.open();
    append(&log, decrypt(2, DAY_ONE));
    drop(log);
    assert_eq!(node.numbers(), [1, 2]);
    assert!(node.verify().is_clean());
    let text = String::from_utf8(node.volume.read(&name).unwrap()).unwrap();
    assert!(text.contains("\"stoppedCleanly\":false,\"droppedBytes\":20"), "{text}");
}
