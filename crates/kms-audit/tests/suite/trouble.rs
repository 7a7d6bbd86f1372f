//! A full disk, a broken device, fail-open: who is refused, who is not, and what the log says about it.

use crate::fixture::{DAY_ONE, Keys, Node, append, decrypt, wait_until};
use kms_audit::{AuditError, AuditLog, LogState, MemoryVolume, PowerCut, Priority, Receipt, Unrecordable, Volume as _};
use std::time::Duration;

const RESERVE: u64 = 64 * 1024;

/// A node that tries again every millisecond, with a reserve.
fn node() -> Node {
    let mut node = Node::new();
    node.options.reserve_bytes = RESERVE;
    node.options.interval = Duration::from_millis(1);
    node
}

/// Leaves no byte beside what is there.
fn fill(volume: &MemoryVolume) {
    volume.set_capacity(Some(volume.used()));
}

fn state(log: &AuditLog) -> LogState {
    log.status().state
}

/// Lets the writer notice that the disk is full.
fn notice_full(log: &AuditLog) {
    assert_eq!(log.append(decrypt(90, DAY_ONE), Priority::Request), Err(AuditError::Full));
    wait_until("the state is told", || state(log) == LogState::Full);
}

fn recorded(outcome: Result<Receipt, AuditError>) -> bool {
    matches!(outcome, Ok(Receipt::Recorded(_)))
}

#[test]
fn a_full_disk_refuses_requests_records_operators_and_recovers_by_itself() {
    let node = node();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE));
    fill(&node.volume);
    notice_full(&log);
    assert_eq!(log.check(Priority::Request), Err(AuditError::Full));
    assert_eq!(log.check(Priority::Operator), Ok(()));
    assert!(recorded(log.append(decrypt(2, DAY_ONE), Priority::Operator)));
    assert_eq!(log.append(decrypt(3, DAY_ONE), Priority::Request), Err(AuditError::Full));
    node.volume.set_capacity(None);
    wait_until("the log recovers", || log.check(Priority::Request).is_ok());
    append(&log, decrypt(4, DAY_ONE));
    drop(log);
    assert_eq!(node.numbers(), [1, 2, 4]);
    assert!(node.names().contains(&"RecoverAuditLog".to_owned()), "{:?}", node.names());
    assert!(node.verify().is_clean());
}

#[test]
fn space_for_less_than_the_reserve_does_not_let_requests_in() {
    let node = node();
    let log = node.open();
    fill(&node.volume);
    notice_full(&log);
    node.volume.set_capacity(Some(node.volume.used() + RESERVE - 1));
    let ticks = node.volume.steps() + 50;
    wait_until("the writer has tried several times", || node.volume.steps() > ticks);
    assert_eq!(log.check(Priority::Request), Err(AuditError::Full));
    assert!(recorded(log.append(decrypt(2, DAY_ONE), Priority::Operator)));
}

#[test]
fn operators_are_refused_only_when_the_reserve_is_used_up() {
    let mut node = node();
    node.options.interval = Duration::from_secs(3600);
    let log = node.open();
    fill(&node.volume);
    notice_full(&log);
    let mut written = 0;
    let refusal = loop {
        match log.append(decrypt(written, DAY_ONE), Priority::Operator) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refusal, AuditError::Exhausted);
    assert!(written > 30, "{written} records in {RESERVE} bytes");
    assert_eq!(node.numbers(), (0..written).collect::<Vec<_>>());
    assert!(node.verify().is_clean(), "nothing half-written was left");
}

#[test]
fn a_log_can_be_opened_on_a_full_disk_and_serves_when_there_is_space() {
    let node = node();
    append(&node.open(), decrypt(1, DAY_ONE));
    node.volume.remove("audit-eu-west-1.reserve").unwrap();
    fill(&node.volume);
    let log = node.open();
    assert_eq!(log.check(Priority::Request), Err(AuditError::Full));
    node.volume.set_capacity(None);
    wait_until("the log recovers", || log.check(Priority::Request).is_ok());
    append(&log, decrypt(2, DAY_ONE));
    drop(log);
    assert_eq!(node.numbers(), [1, 2]);
    assert!(node.verify().is_clean());
}

#[test]
fn a_broken_device_refuses_everyone_and_what_it_lost_is_not_in_the_log() {
    let node = node();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE));
    node.volume.set_broken(true);
    assert_eq!(log.append(decrypt(2, DAY_ONE), Priority::Request), Err(AuditError::Device));
    wait_until("the state is told", || state(&log) == LogState::DeviceFailed);
    assert_eq!(log.append(decrypt(3, DAY_ONE), Priority::Operator), Err(AuditError::Device));
    assert_eq!(log.status().head.sequence, 2);
    node.volume.set_broken(false);
    wait_until("the log recovers", || state(&log) == LogState::Writing);
    append(&log, decrypt(4, DAY_ONE));
    drop(log);
    let node = node.on(node.volume.after(PowerCut::LosesUnsynced));
    assert_eq!(node.numbers(), [1, 4]);
    assert!(node.verify().is_clean());
}

#[test]
fn a_failed_sync_is_never_mended_by_a_later_one() {
    // Write, then sync: the sync fails, and what it should have covered never reaches the disk of the twin.
    let node = node();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE));
    wait_until("the head is noted", || node.volume.steps() > 0 && log.status().records_total == 2);
    node.volume.set_broken(true);
    assert_eq!(log.append(decrypt(2, DAY_ONE), Priority::Request), Err(AuditError::Device));
    node.volume.set_broken(false);
    wait_until("the log recovers", || state(&log) == LogState::Writing);
    append(&log, decrypt(3, DAY_ONE));
    let node = node.on(node.volume.after(PowerCut::LosesUnsynced));
    drop(log);
    assert_eq!(node.numbers(), [1, 3]);
    drop(node.open());
    assert!(node.verify().is_clean());
}

#[test]
fn fail_open_lets_requests_go_on_and_leaves_a_signed_gap_record() {
    let mut node = node();
    node.options.unrecordable = Unrecordable::DangerGoOn;
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE));
    node.volume.set_broken(true);
    for number in 2..5 {
        let outcome = log.append(decrypt(number, DAY_ONE + number), Priority::Request);
        assert_eq!(outcome, Ok(Receipt::Unrecorded));
    }
    assert_eq!(log.check(Priority::Request), Ok(()));
    wait_until("they are counted", || log.status().unrecorded == 3);
    node.volume.set_broken(false);
    wait_until("the log recovers", || state(&log) == LogState::Writing);
    drop(log);
    let gap = only_gap(&node);
    assert_eq!(gap.unrecorded, 3);
    assert!(!gap.at_least);
    assert_eq!((gap.first.millis(), gap.last.millis()), (DAY_ONE + 2, DAY_ONE + 4));
    assert!(node.verify().is_clean());
}

#[test]
fn a_gap_that_a_crash_cuts_short_is_owned_up_to_as_a_lower_bound() {
    let mut node = node();
    node.options.unrecordable = Unrecordable::DangerGoOn;
    let log = node.open();
    fill(&node.volume);
    for number in 2..5 {
        let outcome = log.append(decrypt(number, DAY_ONE + number), Priority::Request);
        assert_eq!(outcome, Ok(Receipt::Unrecorded));
    }
    // The head file was allocated ahead, so that the count is noted although the disk is full.
    let noted = || {
        let head = node.volume.after(PowerCut::LosesUnsynced).read("audit-eu-west-1.head").unwrap();
        String::from_utf8_lossy(&head).contains("\"unrecorded\":3,")
    };
    wait_until("the count is noted", noted);
    let after = node.on(node.volume.after(PowerCut::LosesUnsynced));
    drop(log);
    after.volume.set_capacity(None);
    drop(after.open());
    let gap = only_gap(&after);
    assert_eq!((gap.unrecorded, gap.at_least), (3, true));
    assert!(after.verify().is_clean());
}

/// The one gap in a log, whose signature is right.
fn only_gap(node: &Node) -> kms_audit::Gap {
    let files = node.files();
    let text: String = files
        .days()
        .iter()
        .map(|day| String::from_utf8(node.volume.read(&files.name(*day)).unwrap()).unwrap())
        .collect();
    let mut gaps = text.lines().filter(|line| line.contains("\"eventName\":\"AuditGap\""));
    let json: serde_json::Value = serde_json::from_str(gaps.next().unwrap()).unwrap();
    assert_eq!(gaps.next(), None);
    let details = &json["serviceEventDetails"];
    let time = |name: &str| kms_types::Timestamp::from_millis(details[name].as_u64().unwrap());
    let gap = kms_audit::Gap {
        unrecorded: details["unrecordedRequests"].as_u64().unwrap(),
        at_least: details["atLeast"].as_bool().unwrap(),
        first: time("firstMillis"),
        last: time("lastMillis"),
        after: kms_audit::Head {
            sequence: details["afterSequence"].as_u64().unwrap(),
            hash: kms_audit::RecordHash::parse(details["afterHash"].as_str().unwrap()).unwrap(),
        },
    };
    assert_eq!(gap.after.sequence + 1, json["meridian"]["chain"]["sequence"].as_u64().unwrap());
    let signature = kms_audit::Signer::sign(&Keys::of(node.log.region()), &gap.signed_bytes(&node.log)).unwrap();
    let hex: String = signature.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(details["gapSignature"].as_str().unwrap(), hex);
    gap
}
