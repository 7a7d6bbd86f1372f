//! The same on a real file system.

use crate::fixture::{DAY, DAY_ONE, Keys, Node, append, decrypt, log};
use kms_audit::{
    AuditLog, DiskVolume, Evidence, Filter, LogFiles, OpenError, Priority, Search, Start, WriterPorts, verify,
};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

const RESERVE: u64 = 1024 * 1024;

fn ports(node: &Node, directory: &Path) -> WriterPorts {
    WriterPorts { volume: Arc::new(DiskVolume::new(directory.to_owned())), ..node.ports() }
}

fn node() -> Node {
    let mut node = Node::new();
    node.options.reserve_bytes = RESERVE;
    node
}

fn files(directory: &Path) -> LogFiles {
    LogFiles::of(Arc::new(DiskVolume::new(directory.to_owned())), log()).unwrap()
}

#[test]
fn a_log_on_disk_is_private_continues_and_verifies() {
    let directory = tempfile::tempdir().unwrap();
    let node = node();
    for start in 0..3 {
        let log = AuditLog::open(ports(&node, directory.path()), node.log.clone(), &node.options).unwrap();
        append(&log, decrypt(start, DAY_ONE + start * DAY));
    }
    let names = ["audit-eu-west-1-2026-11-22.jsonl", "audit-eu-west-1-2026-11-24.jsonl", "audit-eu-west-1.head"];
    for name in names {
        let metadata = std::fs::metadata(directory.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    let reserve = std::fs::metadata(directory.path().join("audit-eu-west-1.reserve")).unwrap();
    assert_eq!(reserve.len(), RESERVE);
    let verifier = Keys::of(node.log.region());
    let evidence = Evidence { start: Start::Origin, heads: &[], checkpoints: &[], verifier: &verifier };
    let report = verify(&files(directory.path()), &evidence).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.records, 9, "each of three writers starts, appends and stops");
    assert_eq!(Search::new(files(directory.path()), Filter::default()).count(), 9);
}

#[test]
fn a_second_writer_is_refused_while_the_first_lives() {
    let directory = tempfile::tempdir().unwrap();
    let node = node();
    let open = || AuditLog::open(ports(&node, directory.path()), node.log.clone(), &node.options);
    let first = open().unwrap();
    assert!(matches!(open(), Err(OpenError::InUse)));
    drop(first);
    drop(open().unwrap());
}

#[test]
fn many_threads_write_one_chain() {
    const THREADS: u64 = 8;
    const EACH: u64 = 100;
    let directory = tempfile::tempdir().unwrap();
    let node = node();
    let log = AuditLog::open(ports(&node, directory.path()), node.log.clone(), &node.options).unwrap();
    let (done, answers) = channel();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (log, done) = (&log, done.clone());
            scope.spawn(move || {
                for number in 0..EACH {
                    let done = done.clone();
                    let answer = Box::new(move |outcome| done.send(outcome).unwrap());
                    log.submit(decrypt(thread * EACH + number, DAY_ONE), Priority::Request, answer);
                }
            });
        }
    });
    drop(done);
    assert!(answers.iter().all(|outcome| outcome.is_ok()));
    let status = log.status();
    assert_eq!((status.waiting, status.records_total), (0, THREADS * EACH + 1));
    drop(log);
    let events: Vec<u64> = Search::new(files(directory.path()), Filter::default())
        .map(|found| crate::fixture::number(&found.unwrap().event))
        .filter(|number| *number < THREADS * EACH)
        .collect();
    for thread in 0..THREADS {
        let own: Vec<u64> = events.iter().copied().filter(|number| number / EACH == thread).collect();
        assert_eq!(own, (thread * EACH..(thread + 1) * EACH).collect::<Vec<_>>(), "in its order, each once");
    }
}
