//! The contract of `Store`, run on both implementations, with closing and crashing in between.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is its result")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Duration,
};

use kms_store::{Keyspace, MemoryStore, Row, SledStore, Store, StoreError, StoreOptions, WriteBatch, scan_prefix};
use proptest::prelude::*;

/// Long enough for any disk, short enough for a hanging test to be noticed.
const DEADLINE: Duration = Duration::from_secs(30);

/// A store with the means to close it and to crash it.
enum Subject {
    Sled { directory: tempfile::TempDir, store: Option<SledStore> },
    Memory { store: MemoryStore },
}

impl Subject {
    fn both() -> [Self; 2] {
        let directory = tempfile::tempdir().unwrap();
        let store = Some(open(&directory.path().join("store")));
        [Self::Sled { directory, store }, Self::Memory { store: MemoryStore::new() }]
    }

    fn store(&self) -> &dyn Store {
        match self {
            Self::Sled { store, .. } => store.as_ref().unwrap(),
            Self::Memory { store } => store,
        }
    }

    fn barriers_total(&self) -> u64 {
        match self {
            Self::Sled { store, .. } => store.as_ref().unwrap().barriers_total(),
            Self::Memory { store } => store.barriers_total(),
        }
    }

    /// Closes in order and opens again: nothing written is lost.
    fn reopen(&mut self) {
        match self {
            Self::Sled { directory, store } => {
                drop(store.take());
                *store = Some(open(&directory.path().join("store")));
            }
            Self::Memory { store } => {
                store.barrier().unwrap();
                *store = store.crash();
            }
        }
    }

    /// Goes on with what a dying process would leave behind: the files as they are, nothing flushed.
    fn crash(&mut self) {
        match self {
            Self::Sled { directory, store } => {
                let copy = tempfile::tempdir().unwrap();
                copy_tree(&directory.path().join("store"), &copy.path().join("store"));
                drop(store.take());
                *store = Some(open(&copy.path().join("store")));
                *directory = copy;
            }
            Self::Memory { store } => *store = store.crash(),
        }
    }
}

fn open(directory: &Path) -> SledStore {
    SledStore::open(directory, StoreOptions::default()).unwrap()
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn put(store: &dyn Store, keyspace: Keyspace, rows: &[(&[u8], &[u8])]) {
    let mut batch = WriteBatch::new();
    rows.iter().for_each(|(key, value)| batch.put(*key, *value));
    store.write(keyspace, batch).unwrap();
}

fn keys(rows: Vec<Row>) -> Vec<Vec<u8>> {
    rows.into_iter().map(|(key, _)| key).collect()
}

#[test]
fn a_write_is_visible_at_once_and_in_its_keyspace_only() {
    for subject in Subject::both() {
        let store = subject.store();
        put(store, Keyspace::Control, &[(b"k", b"v")]);
        assert_eq!(store.get(Keyspace::Control, b"k").unwrap().as_deref(), Some(b"v".as_slice()));
        for other in [Keyspace::Node, Keyspace::RaftLog, Keyspace::Regional, Keyspace::Snapshot] {
            assert_eq!(store.get(other, b"k").unwrap(), None, "{other:?}");
        }
    }
}

#[test]
fn a_new_store_holds_its_format_and_nothing_else() {
    for subject in Subject::both() {
        for keyspace in Keyspace::ALL {
            let rows = subject.store().range(keyspace, b"", None, 10).unwrap();
            let expected: Vec<Row> =
                if keyspace == Keyspace::Node { vec![(b"format".to_vec(), vec![0, 0, 0, 1])] } else { vec![] };
            assert_eq!(rows, expected, "{keyspace:?}");
        }
    }
}

#[test]
fn a_range_is_ordered_half_open_and_limited() {
    for subject in Subject::both() {
        let store = subject.store();
        put(store, Keyspace::RaftLog, &[(b"c", b"3"), (b"a", b"1"), (b"b", b"2"), (b"bb", b"4"), (b"", b"0")]);
        let range =
            |start: &[u8], end: Option<&[u8]>, limit| keys(store.range(Keyspace::RaftLog, start, end, limit).unwrap());
        assert_eq!(range(b"a", Some(b"c"), 9), [b"a".to_vec(), b"b".to_vec(), b"bb".to_vec()]);
        assert_eq!(range(b"", None, 2), [b"".to_vec(), b"a".to_vec()]);
        assert_eq!(range(b"bb", None, 9), [b"bb".to_vec(), b"c".to_vec()]);
        assert_eq!(range(b"c", Some(b"a"), 9), Vec::<Vec<u8>>::new());
        assert_eq!(range(b"a", None, 0), Vec::<Vec<u8>>::new());
        assert_eq!(store.last(Keyspace::RaftLog).unwrap(), Some((b"c".to_vec(), b"3".to_vec())));
        assert_eq!(store.last(Keyspace::Snapshot).unwrap(), None);
    }
}

#[test]
fn a_scan_pages_through_everything_under_its_prefix() {
    for subject in Subject::both() {
        let store = subject.store();
        let mut batch = WriteBatch::new();
        for number in 0..2500_u32 {
            batch.put([b"p/".as_slice(), &number.to_be_bytes()].concat(), number.to_be_bytes());
        }
        batch.put(*b"o", *b"before");
        batch.put(*b"q", *b"after");
        store.write(Keyspace::Regional, batch).unwrap();
        let found: Vec<u32> = scan_prefix(store, Keyspace::Regional, b"p/")
            .map(|row| u32::from_be_bytes(row.unwrap().1.try_into().unwrap()))
            .collect();
        assert_eq!(found, (0..2500).collect::<Vec<_>>());
        assert_eq!(scan_prefix(store, Keyspace::Regional, b"").count(), 2502);
    }
}

#[test]
fn remove_range_removes_the_range_and_nothing_more() {
    for subject in Subject::both() {
        let store = subject.store();
        let mut batch = WriteBatch::new();
        (0..3000_u32).for_each(|number| batch.put(number.to_be_bytes(), *b"entry"));
        store.write(Keyspace::RaftLog, batch).unwrap();
        store.remove_range(Keyspace::RaftLog, &[], Some(&1200_u32.to_be_bytes())).unwrap();
        store.remove_range(Keyspace::RaftLog, &1300_u32.to_be_bytes(), None).unwrap();
        let left = keys(store.range(Keyspace::RaftLog, b"", None, 9999).unwrap());
        assert_eq!(left, (1200..1300_u32).map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>());
    }
}

#[test]
fn what_a_barrier_covered_survives_a_crash() {
    for mut subject in Subject::both() {
        put(subject.store(), Keyspace::Control, &[(b"kept", b"1"), (b"changed", b"old")]);
        put(subject.store(), Keyspace::Control, &[(b"changed", b"new")]);
        subject.store().barrier().unwrap();
        put(subject.store(), Keyspace::Control, &[(b"late", b"unknown")]);
        subject.crash();
        let store = subject.store();
        assert_eq!(store.get(Keyspace::Control, b"kept").unwrap().as_deref(), Some(b"1".as_slice()));
        assert_eq!(store.get(Keyspace::Control, b"changed").unwrap().as_deref(), Some(b"new".as_slice()));
    }
}

#[test]
fn a_crash_in_memory_loses_what_no_barrier_covered() {
    let store = MemoryStore::new();
    put(&store, Keyspace::Control, &[(b"late", b"1")]);
    assert_eq!(store.crash().get(Keyspace::Control, b"late").unwrap(), None);
}

#[test]
fn long_values_survive_replacement_removal_and_a_crash() {
    let long = |seed: u8, length: usize| (0..=250_u8).cycle().take(length).map(|at| seed ^ at).collect::<Vec<u8>>();
    for mut subject in Subject::both() {
        let lengths = [0, 1, 8191, 8192, 8193, 16_384, 100_000, 3_000_000];
        for (seed, length) in (0_u8..).zip(lengths) {
            for key in [format!("a{length}"), format!("b{length}")] {
                put(subject.store(), Keyspace::Snapshot, &[(key.as_bytes(), &long(seed, length))]);
            }
        }
        for length in lengths {
            put(subject.store(), Keyspace::Snapshot, &[(format!("a{length}").as_bytes(), &long(99, length / 2))]);
            let mut batch = WriteBatch::new();
            batch.remove(format!("b{length}"));
            if length != 8193 {
                subject.store().write(Keyspace::Snapshot, batch).unwrap();
            }
        }
        subject.store().barrier().unwrap();
        subject.crash();
        let rows = subject.store().range(Keyspace::Snapshot, b"", None, 99).unwrap();
        let mut expected: BTreeMap<Vec<u8>, Vec<u8>> =
            lengths.iter().map(|length| (format!("a{length}").into_bytes(), long(99, length / 2))).collect();
        expected.insert(b"b8193".to_vec(), long(4, 8193));
        assert!(rows == expected.into_iter().collect::<Vec<_>>(), "rows differ");
        assert_eq!(subject.store().last(Keyspace::Snapshot).unwrap().map(|row| row.1.len()), Some(8193));
    }
}

#[test]
fn no_value_spills_into_a_file_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    // Pages full of the longest items, with the longest keys.
    for number in 0..600_u32 {
        let mut key = vec![b'k'; 1024];
        key[1020..].copy_from_slice(&number.to_be_bytes());
        put(&store, Keyspace::Regional, &[(&key, &[7; 8192])]);
        put(&store, Keyspace::Regional, &[(&key, &[8; 8192])]);
    }
    store.barrier().unwrap();
    assert_eq!(fs::read_dir(directory.path().join("sled/blobs")).unwrap().count(), 0);
}

#[test]
fn keys_and_values_beyond_the_limits_are_refused_and_harmless() {
    for subject in Subject::both() {
        let store = subject.store();
        let write = |key: Vec<u8>, value: Vec<u8>| {
            let mut batch = WriteBatch::new();
            batch.put(*b"beside", *b"it");
            batch.put(key, value);
            store.write(Keyspace::Node, batch)
        };
        assert!(matches!(write(vec![0; 1025], vec![]), Err(StoreError::KeyTooLong { length: 1025, limit: 1024 })));
        let long = 16 * 1024 * 1024 + 1;
        assert!(
            matches!(write(vec![0], vec![0; long]), Err(StoreError::ValueTooLong { length, .. }) if length == long)
        );
        assert_eq!(store.get(Keyspace::Node, b"beside").unwrap(), None);
        write(vec![0; 1024], vec![1; 1000]).unwrap();
        store.barrier().unwrap();
    }
}

#[test]
fn a_callback_comes_after_everything_written_before_it() {
    for mut subject in Subject::both() {
        let (done, outcome) = mpsc::channel();
        put(subject.store(), Keyspace::RaftLog, &[(b"entry", b"1")]);
        subject.store().on_durable(Box::new(move |result| done.send(result).unwrap()));
        outcome.recv_timeout(DEADLINE).unwrap().unwrap();
        subject.crash();
        assert_eq!(subject.store().get(Keyspace::RaftLog, b"entry").unwrap().as_deref(), Some(b"1".as_slice()));
    }
}

#[test]
fn a_failed_barrier_stops_the_twin_for_good() {
    let store = MemoryStore::new();
    put(&store, Keyspace::Node, &[(b"k", b"v")]);
    store.fail_next_barrier();
    assert!(matches!(store.barrier(), Err(StoreError::Io { .. })));
    assert!(matches!(store.barrier(), Err(StoreError::Poisoned)));
    assert!(matches!(store.write(Keyspace::Node, WriteBatch::new()), Err(StoreError::Poisoned)));
    assert_eq!(store.crash().get(Keyspace::Node, b"k").unwrap(), None);
}

#[test]
fn many_waiters_share_few_barriers() {
    const THREADS: u32 = 16;
    const WRITES: u32 = 50;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    let start = Arc::new(Barrier::new(THREADS as usize));
    let (done, acknowledged) = mpsc::channel();
    let writers: Vec<_> = (0..THREADS)
        .map(|writer| {
            let (store, start, done) = (Arc::clone(&store), Arc::clone(&start), done.clone());
            thread::spawn(move || {
                start.wait();
                for number in 0..WRITES {
                    put(&*store, Keyspace::RaftLog, &[(&[writer.to_be_bytes(), number.to_be_bytes()].concat(), b"v")]);
                    let done = done.clone();
                    store.on_durable(Box::new(move |result| done.send(result).unwrap()));
                }
                store.barrier().unwrap();
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    drop(done);
    let waiters = u64::from(THREADS * (WRITES + 1));
    assert_eq!(acknowledged.iter().filter(Result::is_ok).count(), (THREADS * WRITES) as usize);
    let barriers = store.barriers_total();
    assert!(barriers * 2 <= waiters, "{barriers} barriers for {waiters} waiters");
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Write(Keyspace, Vec<(u8, Option<(u8, usize)>)>),
    RemoveRange(Keyspace, u8, Option<u8>),
    Barrier,
    Reopen,
    BarrierAndCrash,
}

fn step() -> impl Strategy<Value = Step> {
    let keyspace = || prop::sample::select(vec![Keyspace::RaftLog, Keyspace::Control, Keyspace::Regional]);
    let length = prop_oneof![6 => 0..200_usize, 1 => 8000..40_000_usize];
    let changes = prop::collection::vec((any::<u8>(), prop::option::of((any::<u8>(), length))), 0..24);
    prop_oneof![
        20 => (keyspace(), changes).prop_map(|(keyspace, changes)| Step::Write(keyspace, changes)),
        2 => (keyspace(), any::<u8>(), prop::option::of(any::<u8>()))
            .prop_map(|(keyspace, start, end)| Step::RemoveRange(keyspace, start, end)),
        3 => Just(Step::Barrier),
        1 => Just(Step::Reopen),
        1 => Just(Step::BarrierAndCrash),
    ]
}

type Model = BTreeMap<(Keyspace, Vec<u8>), Vec<u8>>;

fn take(subject: &mut Subject, model: &mut Model, step: &Step) {
    match step {
        Step::Write(keyspace, changes) => {
            let mut batch = WriteBatch::new();
            for (key, value) in changes {
                match value {
                    Some((fill, length)) => {
                        batch.put([*key], vec![*fill; *length]);
                        model.insert((*keyspace, vec![*key]), vec![*fill; *length]);
                    }
                    None => {
                        batch.remove([*key]);
                        model.remove(&(*keyspace, vec![*key]));
                    }
                }
            }
            subject.store().write(*keyspace, batch).unwrap();
        }
        Step::RemoveRange(keyspace, start, end) => {
            let end = end.map(|end| [end]);
            subject.store().remove_range(*keyspace, &[*start], end.as_ref().map(<[u8; 1]>::as_slice)).unwrap();
            model.retain(|(of, key), _| of != keyspace || key[0] < *start || end.is_some_and(|end| key[0] >= end[0]));
        }
        Step::Barrier => {
            let before = subject.barriers_total();
            subject.store().barrier().unwrap();
            assert!(subject.barriers_total() > before);
        }
        Step::Reopen => subject.reopen(),
        Step::BarrierAndCrash => {
            subject.store().barrier().unwrap();
            subject.crash();
        }
    }
}

fn assert_holds(subject: &Subject, model: &Model) {
    for keyspace in [Keyspace::RaftLog, Keyspace::Control, Keyspace::Regional] {
        let expected: Vec<Row> = model
            .iter()
            .filter(|((of, _), _)| *of == keyspace)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        let store = subject.store();
        assert!(store.range(keyspace, b"", None, usize::MAX).unwrap() == expected, "{keyspace:?} differs");
        assert!(store.last(keyspace).unwrap() == expected.last().cloned(), "the last of {keyspace:?} differs");
        for key in 0..=u8::MAX {
            let expected = model.get(&(keyspace, vec![key]));
            assert!(store.get(keyspace, &[key]).unwrap().as_ref() == expected, "{keyspace:?} {key} differs");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_agree_with_a_map(steps in prop::collection::vec(step(), 1..60)) {
        for mut subject in Subject::both() {
            let mut model = Model::new();
            for step in &steps {
                take(&mut subject, &mut model, step);
            }
            assert_holds(&subject, &model);
            subject.reopen();
            assert_holds(&subject, &model);
        }
    }
}
