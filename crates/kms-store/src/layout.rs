//! The store's directory: created whole or not at all, locked against a second process, synced with its names.
//!
//! ```text
//! DIRECTORY/          0700
//!   lock              held with flock while the store is open
//!   sled/             sled's own: db, conf, snap.*, blobs/ (empty)
//!   sled.creating/    only while a store is being created; thrown away when found
//! ```

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::StoreError;

/// Where sled's files lie inside the store's directory.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("sled")
}

/// Where sled's files lie until the creation is complete.
pub(crate) fn database_in_creation(directory: &Path) -> PathBuf {
    directory.join("sled.creating")
}

/// Creates the directory and its missing parents with mode 0700, each synced into its own parent, so that a power
/// cut cannot take away the path of a store that has acknowledged writes.
pub(crate) fn create_directory(directory: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::io("create its directory", source);
    let directory = std::path::absolute(directory).map_err(failed)?;
    let missing: Vec<&Path> = directory.ancestors().take_while(|path| !path.exists()).collect();
    for path in missing.into_iter().rev() {
        DirBuilder::new().mode(0o700).create(path).map_err(failed)?;
        if let Some(parent) = path.parent() {
            sync_path(parent).map_err(failed)?;
        }
    }
    if directory.is_dir() { Ok(()) } else { Err(failed(io::ErrorKind::NotADirectory.into())) }
}

/// Takes the lock of the directory; it lasts until the file is dropped or the process dies.
pub(crate) fn lock(directory: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::io("lock its directory", source);
    let file = File::options().create(true).truncate(false).write(true).open(directory.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { directory: directory.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Whether the directory holds a complete store. Throws away what an interrupted creation left: nothing in it had
/// been acknowledged.
pub(crate) fn is_created(directory: &Path) -> Result<bool, StoreError> {
    let unfinished = database_in_creation(directory);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(|source| StoreError::io("clear an unfinished creation", source))?;
    }
    Ok(database(directory).exists())
}

/// Makes a finished creation durable and gives it its final name.
pub(crate) fn finish_creation(directory: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::io("finish its creation", source);
    sync_tree(&database_in_creation(directory)).map_err(failed)?;
    fs::rename(database_in_creation(directory), database(directory)).map_err(failed)?;
    sync_path(directory).map_err(failed)
}

/// Removes the snapshots of its page table that sled had not finished. sled 0.34 gives them a name that it later
/// takes for the newest snapshot, and refuses a database whose newest snapshot is torn.
pub(crate) fn remove_unfinished_snapshots(database: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::io("clear an unfinished snapshot", source);
    for entry in fs::read_dir(database).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

/// Syncs every file below `directory` and then its names, the deepest first.
pub(crate) fn sync_tree(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            sync_path(&path)?;
        }
    }
    sync_path(directory)
}

fn sync_path(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn created_directories_are_for_their_owner_only() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("a/b");
        create_directory(&directory).unwrap();
        for path in [root.path().join("a"), directory] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("store"), b"").unwrap();
        let refused = create_directory(&root.path().join("store"));
        assert!(matches!(refused, Err(StoreError::Io { action: "create its directory", .. })), "{refused:?}");
    }

    #[test]
    fn an_unfinished_creation_is_thrown_away() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(database_in_creation(root.path())).unwrap();
        fs::write(database_in_creation(root.path()).join("db"), b"half").unwrap();
        assert!(!is_created(root.path()).unwrap());
        assert!(!database_in_creation(root.path()).exists());
    }
}
