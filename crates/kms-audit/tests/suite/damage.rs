//! A log that lost or changed something acknowledged is not opened.

use crate::fixture::{DAY_ONE, Node, append, decrypt};
use kms_audit::{AuditLog, Damage, Head, OpenError, RecordHash};

fn damage(node: &Node) -> Damage {
    match AuditLog::open(node.ports(), node.log.clone(), &node.options).unwrap_err() {
        OpenError::Damaged(damage) => damage,
        other => panic!("{other}"),
    }
}

/// Six records on two days, between a start and a stop.
fn written() -> Node {
    Node::written("eu-west-1", 6)
}

fn edit(node: &Node, file: usize, change: impl FnOnce(&mut Vec<u8>)) {
    let files = node.files();
    let name = files.name(files.days()[file]);
    let mut content = node.volume.read(&name).unwrap();
    change(&mut content);
    node.volume.put(&name, &content);
}

fn put_head(node: &Node, content: &[u8]) {
    node.volume.put("audit-eu-west-1.head", content);
}

#[test]
fn a_log_that_is_whole_opens() {
    let mut node = written();
    node.options.known_heads = node.events().iter().map(|event| event.head).collect();
    append(&node.open(), decrypt(7, DAY_ONE));
    assert!(node.verify().is_clean());
}

#[test]
fn a_record_cut_off_the_end_is_noticed() {
    let node = written();
    edit(&node, 1, |content| content.truncate(content.len() - 10));
    assert_eq!(damage(&node), Damage::HeadMismatch { sequence: 8 });
    let node = written();
    edit(&node, 1, Vec::clear);
    assert_eq!(damage(&node), Damage::HeadMismatch { sequence: 8 });
}

#[test]
fn a_changed_last_record_is_noticed() {
    let node = written();
    edit(&node, 1, |content| {
        let at = content.len() - 400;
        content[at] ^= 1;
    });
    assert_eq!(damage(&node), Damage::HeadMismatch { sequence: 8 });
}

#[test]
fn something_behind_a_clean_end_is_noticed() {
    let node = written();
    edit(&node, 1, |content| content.extend_from_slice(b"{\"eventName\":\"Decrypt\"}\n"));
    assert_eq!(damage(&node), Damage::BeyondEnd { last: 8 });
}

#[test]
fn a_missing_head_file_is_noticed() {
    let node = written();
    put_head(&node, b"");
    assert_eq!(damage(&node), Damage::NoHead);
}

#[test]
fn an_older_head_file_and_log_are_noticed_by_whoever_knows_a_later_record() {
    let mut node = Node::new();
    let head = append(&node.open(), decrypt(1, DAY_ONE));
    let old_head = node.volume.read("audit-eu-west-1.head").unwrap();
    let name = node.files().name(node.files().days()[0]);
    let old_log = node.volume.read(&name).unwrap();
    let later = append(&node.open(), decrypt(2, DAY_ONE));
    put_head(&node, &old_head);
    node.volume.put(&name, &old_log);
    // The head file was put back together with the log, which nothing here can tell.
    node.options.known_heads = vec![head];
    drop(node.open());
    put_head(&node, &old_head);
    node.volume.put(&name, &old_log);
    node.options.known_heads = vec![head, later];
    assert_eq!(damage(&node), Damage::Truncated { last: 3, known: later.sequence });
}

#[test]
fn an_empty_directory_is_noticed_by_whoever_knows_a_record() {
    let mut node = Node::new();
    node.options.known_heads = vec![Head { sequence: 5, hash: RecordHash::from_bytes([1; 32]) }];
    assert_eq!(damage(&node), Damage::Truncated { last: 0, known: 5 });
}

#[test]
fn another_record_than_the_known_one_is_noticed() {
    let mut node = written();
    node.options.known_heads = vec![Head { sequence: 8, hash: RecordHash::from_bytes([1; 32]) }];
    assert_eq!(damage(&node), Damage::Contradicted { sequence: 8 });
}

#[test]
fn a_break_in_a_finished_file_is_noticed() {
    let node = Node::new();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE));
    let old_head = node.volume.read("audit-eu-west-1.head").unwrap();
    append(&log, decrypt(2, DAY_ONE + 90_000_000));
    drop(log);
    put_head(&node, &old_head);
    edit(&node, 0, |content| content.truncate(content.len() - 10));
    assert_eq!(damage(&node), Damage::Broken { last: 1 });
}

#[test]
fn an_operator_can_go_on_behind_the_last_known_record_and_the_log_says_so() {
    let mut node = written();
    let known = Head { sequence: 20, hash: RecordHash::from_bytes([1; 32]) };
    edit(&node, 1, |content| content.truncate(content.len() - 10));
    node.options.known_heads = vec![known];
    node.options.danger_go_on_after_damage = true;
    let log = node.open();
    assert_eq!(append(&log, decrypt(9, DAY_ONE)).sequence, 22);
    drop(log);
    node.options.danger_go_on_after_damage = false;
    drop(node.open());
    let report = node.verify();
    assert!(!report.is_clean(), "what is gone stays gone");
    assert_eq!(report.last.unwrap().sequence, 25, "the chain goes on");
    let files = node.files();
    let text = String::from_utf8(node.volume.read(&files.name(files.days()[1])).unwrap()).unwrap();
    assert!(text.contains("\"wentOnAfterDamageAt\":20"), "{text}");
}
