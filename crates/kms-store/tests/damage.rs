//! What `SledStore::open` refuses: a directory in use, a damaged database, an unknown format.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is its result")]

use std::{fs, path::Path};

use kms_store::{Corruption, Keyspace, SledStore, Store, StoreError, StoreOptions, WriteBatch};

fn open(directory: &Path) -> Result<SledStore, StoreError> {
    SledStore::open(directory, StoreOptions::default())
}

/// A closed store with 500 rows, opened twice so that sled has a snapshot of its page table.
fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let mut batch = WriteBatch::new();
    (0..500_u32).for_each(|number| batch.put(number.to_be_bytes(), [7; 100]));
    store.write(Keyspace::Control, batch).unwrap();
    drop(store);
    drop(open(directory.path()).unwrap());
    directory
}

fn assert_corrupt(directory: &Path) {
    let opened = open(directory);
    assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{opened:?}");
}

#[test]
fn a_directory_that_is_open_elsewhere_is_in_use() {
    let directory = filled();
    let store = open(directory.path()).unwrap();
    let second = open(directory.path());
    assert!(matches!(&second, Err(StoreError::InUse { directory: named }) if named == directory.path()), "{second:?}");
    drop(store);
    drop(open(directory.path()).unwrap());
}

#[test]
fn an_overwritten_database_is_corrupt() {
    let directory = filled();
    let file = directory.path().join("sled/db");
    let length = fs::metadata(&file).unwrap().len();
    fs::write(&file, vec![0xA5; usize::try_from(length).unwrap()]).unwrap();
    assert_corrupt(directory.path());
}

#[test]
fn an_emptied_database_is_corrupt_and_not_new() {
    let directory = filled();
    fs::write(directory.path().join("sled/db"), b"").unwrap();
    assert_corrupt(directory.path());
    fs::remove_dir_all(directory.path().join("sled")).unwrap();
    fs::create_dir(directory.path().join("sled")).unwrap();
    let opened = open(directory.path());
    assert!(matches!(opened, Err(StoreError::Corrupt { damage: Corruption::Creation })), "{opened:?}");
}

#[test]
fn damaged_settings_are_corrupt() {
    let directory = filled();
    fs::write(directory.path().join("sled/conf"), b"segment_size: none of your business").unwrap();
    assert_corrupt(directory.path());
}

#[test]
fn a_torn_snapshot_that_sled_was_writing_is_no_damage() {
    let directory = filled();
    fs::write(directory.path().join("sled/snap.00000000FFFFFFFF.generating"), b"half").unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(store.range(Keyspace::Control, b"", None, 1000).unwrap().len(), 500);
}

#[test]
fn an_unknown_format_is_refused() {
    let directory = filled();
    let store = open(directory.path()).unwrap();
    let mut batch = WriteBatch::new();
    batch.put(*b"format", 2_u32.to_be_bytes());
    store.write(Keyspace::Node, batch).unwrap();
    drop(store);
    let opened = open(directory.path());
    assert!(matches!(opened, Err(StoreError::UnknownFormat { found: 2, supported: 1 })), "{opened:?}");
}

#[test]
fn a_directory_that_cannot_be_made_is_an_io_error() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), b"").unwrap();
    let opened = open(&root.path().join("file/store"));
    assert!(matches!(opened, Err(StoreError::Io { .. })), "{opened:?}");
}

#[test]
fn the_file_size_is_told() {
    let directory = filled();
    let store = open(directory.path()).unwrap();
    assert_eq!(store.approximate_bytes(), fs::metadata(directory.path().join("sled/db")).unwrap().len());
    assert!(store.approximate_bytes() > 50_000);
}
