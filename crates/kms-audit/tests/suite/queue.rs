//! The queue: shared syncs, bounds, deadlines.

use crate::fixture::{DAY, DAY_ONE, Node, append, decrypt, wait_until};
use crate::gate::{Gate, gated};
use kms_audit::{AuditError, AuditLog, Priority, Receipt, Unrecordable};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// A log whose syncs wait, except those of opening and of its first record.
fn gated_log(node: &Node) -> (AuditLog, Gate) {
    let (volume, gate) = gated(node.volume.clone());
    let mut ports = node.ports();
    ports.volume = Arc::new(volume);
    // Head file, first note, first record, second note.
    gate.release(4);
    let log = AuditLog::open(ports, node.log.clone(), &node.options).unwrap();
    assert_eq!(gate.entered.try_iter().count(), 4);
    (log, gate)
}

#[test]
fn records_that_arrive_during_a_sync_share_the_next_one_and_keep_their_order() {
    let node = Node::new();
    let (log, gate) = gated_log(&node);
    let (done, answers) = channel();
    let submit = |number: u64| {
        let done = done.clone();
        let answer = move |outcome: Result<Receipt, AuditError>| done.send((number, outcome)).unwrap();
        log.submit(decrypt(number, DAY_ONE), Priority::Request, Box::new(answer));
    };
    submit(0);
    gate.entered.recv().unwrap();
    (1..=100).for_each(submit);
    assert_eq!(log.status().waiting, 101);
    assert!(answers.try_recv().is_err(), "nothing is answered before its sync");
    gate.release(2);
    let answered: Vec<u64> = answers.iter().take(101).map(|(number, _)| number).collect();
    assert_eq!(answered, (0..=100).collect::<Vec<_>>());
    wait_until("the second group is counted", || log.status().groups_total == 2);
    gate.open();
    drop(log);
    assert_eq!(node.numbers(), answered);
}

#[test]
fn a_full_queue_turns_requests_away_and_counts_them_when_they_may_go_on() {
    for unrecordable in [Unrecordable::Refuse, Unrecordable::DangerGoOn] {
        let mut node = Node::new();
        node.options.unrecordable = unrecordable;
        let (log, gate) = gated_log(&node);
        log.submit(decrypt(0, DAY_ONE), Priority::Request, Box::new(|_| ()));
        gate.entered.recv().unwrap();
        let (done, answers) = channel();
        for number in 1..=5000 {
            let done = done.clone();
            let answer = move |outcome| done.send(outcome).unwrap_or_default();
            log.submit(decrypt(number, DAY_ONE), Priority::Request, Box::new(answer));
        }
        let turned_away: Vec<_> = answers.try_iter().collect();
        let expected = match unrecordable {
            Unrecordable::Refuse => Err(AuditError::Busy),
            Unrecordable::DangerGoOn => Ok(Receipt::Unrecorded),
        };
        assert_eq!(turned_away, vec![expected; 5000 - 4096]);
        gate.open();
        drop(log);
        assert_eq!(node.numbers().len(), 4097);
        let gaps = node.names().iter().filter(|name| *name == "AuditGap").count();
        assert_eq!(gaps, usize::from(unrecordable == Unrecordable::DangerGoOn));
        assert!(node.verify().is_clean());
    }
}

#[test]
fn a_disk_that_does_not_answer_is_noticed_before_any_work_is_done() {
    let mut node = Node::new();
    node.options.deadline = Duration::from_millis(20);
    let (log, gate) = gated_log(&node);
    assert_eq!(log.append(decrypt(1, DAY_ONE), Priority::Request), Err(AuditError::Deadline));
    wait_until("the stall is noticed", || log.check(Priority::Request) == Err(AuditError::Stalled));
    assert_eq!(log.append(decrypt(2, DAY_ONE), Priority::Request), Err(AuditError::Stalled));
    gate.open();
    wait_until("the disk answers again", || log.check(Priority::Request).is_ok());
    drop(log);
    assert_eq!(node.numbers(), [1], "a record may become durable after its deadline");
}

#[test]
fn a_closed_log_takes_nothing() {
    let node = Node::new();
    let mut log = node.open();
    log.close();
    assert_eq!(log.check(Priority::Operator), Err(AuditError::Closed));
    assert_eq!(log.append(decrypt(1, DAY_ONE), Priority::Operator), Err(AuditError::Closed));
    assert_eq!(node.names(), ["StartAuditLog", "StopAuditLog"]);
}

#[test]
fn a_callback_that_panics_harms_nobody_else() {
    let node = Node::new();
    let log = node.open();
    log.submit(decrypt(1, DAY_ONE), Priority::Request, Box::new(|_| panic!("as a caller might")));
    append(&log, decrypt(2, DAY_ONE));
    drop(log);
    assert_eq!(node.numbers(), [1, 2]);
}

#[test]
fn a_late_record_goes_into_the_file_of_the_record_before_it() {
    let node = Node::new();
    let log = node.open();
    for (number, time) in [(1, DAY_ONE), (2, DAY_ONE + DAY), (3, DAY_ONE + 5), (4, DAY_ONE + 3 * DAY)] {
        append(&log, decrypt(number, time));
    }
    drop(log);
    assert_eq!(node.files().days().len(), 3);
    assert_eq!(node.numbers(), [1, 2, 3, 4]);
    assert!(node.verify().is_clean());
}
